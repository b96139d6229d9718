//! API keys and passwords, and where a token goes.

use std::collections::BTreeMap;

use tool_connect_core::{AuthScheme, TokenPlace};

use super::report::Reason;
use super::template::{Part, basic, parts};
use super::work::Work;

/// `proxy.headers` and `proxy.query` before it is known which of them hold secrets.
pub(super) struct Sent {
    pub(super) headers: BTreeMap<String, String>,
    pub(super) query: BTreeMap<String, String>,
}

/// What begins the name of a secret within a function.
const SECRETS: &[&str] =
    &["${accessToken", "${apiKey", "${credentials.", "${password", "${username", "clientSecret"];

/// Whether a text holds a secret in any form.
fn holds_secret(text: &str) -> bool {
    parts(text).is_ok_and(|parts| {
        parts.iter().any(|part| match part {
            Part::Credential(_) | Part::AccessToken => true,
            Part::Other(inner) => {
                inner.starts_with("credentials.") || SECRETS.iter().any(|name| inner.contains(name))
            }
            _ => false,
        })
    })
}

/// What stands before a secret that ends the text.
fn prefix(text: &str, is_secret: impl Fn(&Part) -> bool) -> Option<String> {
    match parts(text).ok()?.as_slice() {
        [secret] if is_secret(secret) => Some(String::new()),
        [Part::Text(before), secret] if is_secret(secret) => Some(before.clone()),
        _ => None,
    }
}

fn credential(part: &Part) -> bool {
    matches!(part, Part::Credential(_))
}

impl Sent {
    pub(super) fn take(work: &mut Work) -> Self {
        Self { headers: work.pairs("proxy.headers"), query: work.pairs("proxy.query") }
    }

    /// The keys of everything that holds a secret.
    fn holders(&self) -> Vec<String> {
        let of = |key: &str, pairs: &BTreeMap<String, String>| -> Vec<String> {
            let holding = pairs.iter().filter(|(_, text)| holds_secret(text));
            holding.map(|(name, _)| format!("{key}.{name}")).collect()
        };
        let mut holders = of("proxy.headers", &self.headers);
        holders.extend(of("proxy.query", &self.query));
        holders
    }
}

impl Work {
    /// `API_KEY`: where the key goes is what the headers or the query say.
    pub(super) fn api_key(&mut self, sent: &mut Sent) -> Option<AuthScheme> {
        if self.take("proxy.body").is_some() {
            self.missing("proxy.body", Reason::SecretPlace, "puts the key into the body of each request");
            return None;
        }
        let holders = sent.holders();
        let [holder] = holders.as_slice() else {
            let why = match holders.is_empty() {
                true => "the file does not say where the key goes".to_owned(),
                false => format!("the secret goes into several places: {}", holders.join(", ")),
            };
            self.missing("proxy.headers", Reason::SecretPlace, why);
            return None;
        };
        if let Some(parameter) = holder.strip_prefix("proxy.query.") {
            let text = sent.query.get(parameter).cloned().unwrap_or_default();
            if prefix(&text, credential).as_deref() == Some("") {
                sent.query.remove(parameter);
                self.expressed(holder);
                return Some(AuthScheme::ApiKeyQuery { parameter: parameter.to_owned() });
            }
            self.missing(holder, Reason::Template, "holds more than the key");
            return None;
        }
        let header = holder.strip_prefix("proxy.headers.").unwrap_or_default();
        let text = sent.headers.get(header).cloned().unwrap_or_default();
        let scheme = match prefix(&text, credential) {
            Some(before) if header.eq_ignore_ascii_case("authorization") && before == "Bearer " => {
                AuthScheme::Bearer
            }
            Some(before) => AuthScheme::ApiKeyHeader { header: header.to_owned(), prefix: before },
            None if text.trim() == "Basic ${base64(${apiKey}:)}" => {
                let how = "the key is the user name of basic authentication, and the password is empty";
                self.loosened(holder, Reason::Secrets, how);
                sent.headers.remove(header);
                return Some(AuthScheme::Basic);
            }
            None if basic(&text).is_some() => AuthScheme::Basic,
            None => {
                self.missing(holder, Reason::Template, "makes of the secret what no scheme here does");
                return None;
            }
        };
        sent.headers.remove(header);
        self.expressed(holder);
        Some(scheme)
    }

    /// `BASIC`: user name and password, unless a header says that they go elsewhere.
    pub(super) fn basic(&mut self, sent: &mut Sent) -> Option<AuthScheme> {
        if self.take("proxy.body").is_some() {
            self.missing("proxy.body", Reason::SecretPlace, "puts a secret into the body of each request");
            return None;
        }
        match sent.holders().as_slice() {
            [] => Some(AuthScheme::Basic),
            [holder] if holder.eq_ignore_ascii_case("proxy.headers.authorization") => {
                let name = holder.strip_prefix("proxy.headers.").unwrap_or_default();
                let text = sent.headers.remove(name).unwrap_or_default();
                if basic(&text).is_some() {
                    self.expressed(holder);
                    return Some(AuthScheme::Basic);
                }
                self.missing(holder, Reason::Template, "makes of the secrets what no scheme here does");
                None
            }
            holders => {
                let why = format!("secrets go to {}, not into basic authentication", holders.join(", "));
                self.missing("proxy", Reason::SecretPlace, why);
                None
            }
        }
    }

    /// Where an access token goes; `None` where that cannot be said here.
    pub(super) fn place(&mut self, sent: &mut Sent) -> Option<TokenPlace> {
        let token = |part: &Part| *part == Part::AccessToken;
        if sent.query.values().any(|text| parts(text).is_ok_and(|parts| parts.iter().any(token))) {
            let why = "the token goes into the query, and here it goes into a header";
            self.missing("proxy.query", Reason::SecretPlace, why);
            return None;
        }
        let holding: Vec<(String, String)> = sent
            .headers
            .iter()
            .filter(|(_, text)| parts(text).is_ok_and(|parts| parts.iter().any(token)))
            .map(|(name, text)| (name.clone(), text.clone()))
            .collect();
        match holding.as_slice() {
            [] => Some(TokenPlace::default()),
            [(header, text)] => {
                let key = format!("proxy.headers.{header}");
                sent.headers.remove(header);
                let Some(before) = prefix(text, token) else {
                    self.missing(&key, Reason::Template, "holds more than the token");
                    return None;
                };
                self.expressed(&key);
                Some(TokenPlace { header: header.clone(), prefix: before })
            }
            _ => {
                self.missing("proxy.headers", Reason::SecretPlace, "the token goes into several headers");
                None
            }
        }
    }
}
