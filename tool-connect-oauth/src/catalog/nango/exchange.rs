//! `TWO_STEP`: a secret that is exchanged for a token.

use std::collections::BTreeMap;
use std::time::Duration;

use tool_connect_core::{AuthScheme, ExchangeEncoding, TokenExchange};

use super::parameter::flag;
use super::report::Reason;
use super::secret::Sent;
use super::template::{Part, parts, pointer, snake};
use super::work::Work;

/// Placeholders of an exchange that stand for parts of the credential.
const RESERVED: [&str; 4] = ["username", "password", "token", "assertion"];

/// What the parts of a secret are called in an exchange here.
type Slots = BTreeMap<String, &'static str>;

impl Work {
    pub(super) fn exchange(&mut self, sent: &mut Sent) -> Option<AuthScheme> {
        let key = "token_request_method";
        if let Some(method) = self.text(key).filter(|method| method != "POST") {
            self.missing(key, Reason::Exchange, format!("is `{method}`, and an exchange here is a POST"));
            self.forget(EXCHANGE);
            return None;
        }
        for (key, why) in [
            ("additional_steps", "needs more than one request"),
            ("assertion", "signs an assertion"),
            ("signature", "signs a token"),
        ] {
            if self.has(key) {
                self.missing(key, Reason::Exchange, format!("{why}, and an exchange here is one request"));
                self.forget(EXCHANGE);
                return None;
            }
        }
        let url = self.address("token_url");
        let encoding = match self.text("body_format").as_deref() {
            Some("form") => Some(ExchangeEncoding::Form),
            None | Some("json") => Some(ExchangeEncoding::Json),
            Some(other) => {
                self.missing("body_format", Reason::Encoding, format!("`{other}` is not form or json"));
                None
            }
        };
        let deep = self.findings.len();
        let raw_fields = self.pairs("token_params");
        let nested = self.findings.len() > deep;
        let mut raw_headers = self.pairs("token_headers");
        // The encoding says it, and JSON is always asked for.
        raw_headers.retain(|name, _| {
            !name.eq_ignore_ascii_case("content-type") && !name.eq_ignore_ascii_case("accept")
        });
        let slots = self.slots(raw_fields.values().chain(raw_headers.values()));
        let fields = slots.as_ref().and_then(|slots| self.put("token_params", raw_fields, slots));
        let headers = slots.as_ref().and_then(|slots| self.put("token_headers", raw_headers, slots));
        let token = self.text("token_response.token").filter(|path| !path.is_empty());
        if token.is_none() {
            let why = "does not say where the token is; the whole answer cannot be one";
            self.missing("token_response.token", Reason::Exchange, why);
        }
        let (expires_in, lifetime) = self.ends();
        for key in
            ["refresh_url", "refresh_token_params", "refresh_token_headers", "token_response.refresh_token"]
        {
            if self.take(key).is_some() {
                self.loosened(key, Reason::Exchange, "the secret is exchanged anew when the token ends");
            }
        }
        let place = self.place(sent);
        if nested {
            return None;
        }
        Some(AuthScheme::TokenExchange(TokenExchange {
            url: url?,
            encoding: encoding?,
            fields: fields?,
            headers: headers?,
            token: pointer(&token?),
            assertion: None,
            expires_in,
            expires_at: None,
            lifetime,
            place: place?,
        }))
    }

    /// When the token ends.
    fn ends(&mut self) -> (Option<String>, Option<Duration>) {
        let path = self.text("token_response.token_expiration");
        let strategy = self.text("token_response.token_expiration_strategy");
        let lifetime = self.number("token_expires_in_ms").map(Duration::from_millis);
        if lifetime.is_some() {
            self.expressed("token_expires_in_ms");
        }
        match (path, strategy.as_deref()) {
            (Some(path), Some("expireIn")) => {
                self.expressed("token_response.token_expiration");
                (Some(pointer(&path)), lifetime)
            }
            (Some(_), _) => {
                let why = "says when the token ends, not after how long; it is used until it is refused";
                self.loosened("token_response.token_expiration", Reason::Expiry, why);
                (None, lifetime)
            }
            (None, _) => (None, lifetime),
        }
    }

    /// Which credentials are what here: one alone is `token`, of two the secret one is `password`. Further ones that the file
    /// does not call secret go into the connection's configuration.
    fn slots<'t>(&mut self, texts: impl Iterator<Item = &'t String>) -> Option<Slots> {
        let mut used: Vec<String> = Vec::new();
        for text in texts {
            for part in parts(text).unwrap_or_default() {
                if let Part::Credential(name) = part
                    && !used.contains(&name)
                {
                    used.push(name);
                }
            }
        }
        let (secret, open): (Vec<String>, Vec<String>) =
            used.into_iter().partition(|name| flag(self.credentials.get(name), "secret"));
        let mut slots = Slots::new();
        let moved: &[String] = match (secret.as_slice(), open.as_slice()) {
            ([], []) => &[],
            ([], [only]) | ([only], []) => {
                slots.insert(only.clone(), "token");
                &[]
            }
            ([], [user, password]) => {
                slots.insert(user.clone(), "username");
                slots.insert(password.clone(), "password");
                &[]
            }
            ([password], [user, rest @ ..]) => {
                slots.insert(user.clone(), "username");
                slots.insert(password.clone(), "password");
                rest
            }
            ([user, password], rest) => {
                slots.insert(user.clone(), "username");
                slots.insert(password.clone(), "password");
                rest
            }
            _ => {
                let why = "has more secret parts than a credential here, which has two at most";
                self.missing("credentials", Reason::Secrets, why);
                return None;
            }
        };
        for name in moved {
            let key = format!("credentials.{name}");
            let why = "is a value of the connection's configuration here, which is not secret";
            self.loosened(&key, Reason::Secrets, why);
            if let Some(described) = self.credentials.get(name).cloned() {
                self.described.insert(name.clone(), described);
            }
        }
        Some(slots)
    }

    /// Texts with the placeholders of an exchange.
    fn put(
        &mut self,
        key: &str,
        raw: BTreeMap<String, String>,
        slots: &Slots,
    ) -> Option<BTreeMap<String, String>> {
        let mut all = BTreeMap::new();
        let mut whole = true;
        for (name, text) in raw {
            let place = format!("{key}.{name}");
            let mut out = String::new();
            let mut fits = true;
            for part in parts(&text).unwrap_or_else(|_| vec![Part::Other(text.clone())]) {
                match part {
                    Part::Text(text) if !text.contains(['{', '}']) => out.push_str(&text),
                    Part::Credential(name) => match slots.get(&name) {
                        Some(slot) => out.push_str(&format!("{{{slot}}}")),
                        None => {
                            let ours = self.parameter(&name, None);
                            out.push_str(&format!("{{{ours}}}"));
                        }
                    },
                    Part::Config(name) if RESERVED.contains(&snake(&name).as_str()) => {
                        let why = format!("`{name}` would stand for a part of the credential here");
                        self.missing(&place, Reason::Name, why);
                        fits = false;
                    }
                    Part::Config(name) if !self.is_secret(&name) => {
                        let ours = self.parameter(&name, None);
                        out.push_str(&format!("{{{ours}}}"));
                    }
                    Part::Config(name) => {
                        let why = format!(
                            "holds `{name}`, which is secret, and a connection's configuration is not"
                        );
                        self.missing(&place, Reason::SecretPlace, why);
                        fits = false;
                    }
                    _ => {
                        self.missing(&place, Reason::Template, "holds what is only known at run time");
                        fits = false;
                    }
                }
            }
            if fits {
                self.expressed(&place);
                all.insert(name, out);
            }
            whole &= fits;
        }
        whole.then_some(all)
    }
}

/// Keys that say how an exchange is made.
pub(super) const EXCHANGE: &[&str] = &[
    "additional_steps",
    "assertion",
    "assertion_option",
    "body_format",
    "refresh_token_headers",
    "refresh_token_params",
    "refresh_token_response_metadata",
    "refresh_url",
    "signature",
    "token",
    "token_expires_in_ms",
    "token_headers",
    "token_params",
    "token_request_method",
    "token_response",
    "token_response_headers",
    "token_url",
];
