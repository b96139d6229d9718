//! OAuth 2: a catalog entry.

use std::collections::BTreeMap;

use tool_connect_core::{AuthScheme, OAuth2Scheme, OAuthGrant};

use super::report::Reason;
use super::secret::Sent;
use super::template::{pointer, snake};
use super::work::Work;
use crate::catalog::entry::{ClientAuthMethod, Pkce, ProviderEntry};
use crate::catalog::quirks::{BodyEncoding, TimeUnit};

/// Parameters whose names at the provider can be said.
const NAMED: &[&str] = &["client_id", "client_secret", "redirect_uri", "response_type", "scope", "state"];
/// Parameters of an authorization request that are the library's.
const OWN: &[&str] = &[
    "client_id",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "redirect_uri",
    "request",
    "request_uri",
    "resource",
    "response_mode",
    "response_type",
    "state",
];

impl Work {
    /// The entry and the scheme that names it; neither where something that every connection needs is missing.
    pub(super) fn oauth(
        &mut self,
        name: &str,
        docs: &str,
        grant: OAuthGrant,
        sent: &mut Sent,
    ) -> Option<(AuthScheme, ProviderEntry)> {
        let token = self.token_url(grant);
        let authorize = self.address("authorization_url");
        let mut usable = true;
        let mut entry = ProviderEntry::new(self.id.clone(), token.clone().unwrap_or_default());
        name.clone_into(&mut entry.name);
        docs.clone_into(&mut entry.documentation.oauth);
        entry.endpoints.authorize = authorize.filter(|_| grant == OAuthGrant::AuthorizationCode);
        entry.endpoints.refresh = self.address("refresh_url");
        entry.endpoints.registration = self.address("registration_url");
        self.take("registration_params");
        self.take("client_registration");
        usable &= self.requests(&mut entry, grant);
        usable &= self.scopes(&mut entry);
        usable &= self.client(&mut entry);
        self.answers(&mut entry);
        usable &= self.callback();
        match self.place(sent) {
            Some(place) => entry.token_place = place,
            None => usable = false,
        }
        if grant == OAuthGrant::ClientCredentials {
            let why = "each connection brings its own client there; here it is a client that the tenant registers \
                       (`StoredClients`)";
            self.loosened("credentials", Reason::Client, why);
        }
        let consent = grant != OAuthGrant::AuthorizationCode || entry.endpoints.authorize.is_some();
        if !usable || token.is_none() || !consent {
            if !consent {
                self.missing("authorization_url", Reason::Address, "is not there or could not be expressed");
            }
            return None;
        }
        Some((
            AuthScheme::OAuth2(OAuth2Scheme { provider: self.id.clone(), scopes: Vec::new(), grant }),
            entry,
        ))
    }

    /// One address, or one for each mode.
    fn token_url(&mut self, grant: OAuthGrant) -> Option<String> {
        let url = match self.take("token_url") {
            Some(serde_json::Value::Object(by_mode)) => {
                let mode = if grant == OAuthGrant::ClientCredentials { "OAUTH2CC" } else { "OAUTH2" };
                by_mode.get(mode).and_then(serde_json::Value::as_str).map(str::to_owned)
            }
            Some(serde_json::Value::String(url)) => Some(url),
            _ => None,
        };
        let Some(url) = url else {
            self.missing("token_url", Reason::Address, "is not there, or not for this mode");
            return None;
        };
        let filled = self.filled("token_url", &url)?;
        self.expressed("token_url");
        Some(filled)
    }

    /// Parameters of the requests, and their names.
    fn requests(&mut self, entry: &mut ProviderEntry, grant: OAuthGrant) -> bool {
        let mut usable = true;
        for (name, value) in self.pairs("authorization_params") {
            let key = format!("authorization_params.{name}");
            match (name.as_str(), value.as_str()) {
                ("response_type", "code") | ("response_mode", "query") => {}
                ("response_type", _) => {
                    self.missing(
                        &key,
                        Reason::Grant,
                        format!("asks for `{value}`, and the library for a code"),
                    );
                    usable = false;
                }
                ("scope", scopes) => entry.scopes.always.extend(scopes.split_whitespace().map(str::to_owned)),
                (own, _) if OWN.contains(&own) => {
                    let why = "is the library's to set; a `resource` is named where an account is connected";
                    self.missing(&key, Reason::Reserved, why);
                }
                _ => usable &= self.fixed(&key, name, value, &mut entry.authorize_params),
            }
        }
        for (name, value) in self.pairs("auth") {
            if (name.as_str(), value.as_str()) != ("response_type", "code") {
                self.missing(&format!("auth.{name}"), Reason::UnknownKey, "is not known here");
            }
        }
        let ours = match grant {
            OAuthGrant::ClientCredentials => "client_credentials",
            _ => "authorization_code",
        };
        for (name, value) in self.pairs("token_params") {
            let key = format!("token_params.{name}");
            match name.as_str() {
                "grant_type" if value == ours => {}
                "grant_type" => {
                    self.missing(&key, Reason::Grant, format!("is `{value}`, and the library's is `{ours}`"));
                    usable = false;
                }
                _ => {
                    let fits = self.fixed(&key, name, value, &mut entry.token_params);
                    if fits && grant == OAuthGrant::AuthorizationCode {
                        self.loosened(&key, Reason::Wider, "goes with refreshes too");
                    }
                    usable &= fits;
                }
            }
        }
        for (name, value) in self.pairs("refresh_params") {
            let key = format!("refresh_params.{name}");
            if (name.as_str(), value.as_str()) != ("grant_type", "refresh_token") {
                self.fixed(&key, name, value, &mut entry.refresh_params);
            }
        }
        for (theirs, value) in self.pairs("authorization_url_replacements") {
            let key = format!("authorization_url_replacements.{theirs}");
            let (name, new) = (theirs.trim_end_matches('='), value.trim_end_matches('='));
            if NAMED.contains(&name) && !new.is_empty() {
                entry.authorize_names.insert(name.to_owned(), new.to_owned());
                self.expressed(&key);
            } else {
                self.missing(&key, Reason::Encoding, "replaces what is no parameter's name, or by nothing");
                usable = false;
            }
        }
        match self.text("body_format").as_deref() {
            None | Some("form") => {}
            Some("json") => entry.token_request.encoding = BodyEncoding::Json,
            Some("query") => entry.token_request.encoding = BodyEncoding::Query,
            Some(other) => {
                self.missing(
                    "body_format",
                    Reason::Encoding,
                    format!("`{other}` is not form, json or query"),
                );
                usable = false;
            }
        }
        for key in [
            "authorization_url_skip_encode",
            "authorization_url_skip_empty",
            "decode_url",
            "authorization_url_encode",
            "token_url_skip_encode",
            "token_url_encode",
        ] {
            if self.take(key).is_some() {
                self.loosened(key, Reason::Encoding, "addresses are encoded as RFC 3986 has it, always");
            }
        }
        if self.take("authorization_url_fragment").is_some() {
            let why = "an authorization request has no fragment here (RFC 6749 §3.1)";
            self.missing("authorization_url_fragment", Reason::Encoding, why);
        }
        entry.pkce = if self.flag("disable_pkce") { Pkce::Refused } else { Pkce::Supported };
        usable
    }

    /// A parameter whose value is the same for every connection.
    fn fixed(&mut self, key: &str, name: String, value: String, into: &mut BTreeMap<String, String>) -> bool {
        if value.contains("${") {
            self.missing(
                key,
                Reason::Template,
                "differs from connection to connection, and parameters here do not",
            );
            return false;
        }
        self.expressed(key);
        into.insert(name, value);
        true
    }

    fn scopes(&mut self, entry: &mut ProviderEntry) -> bool {
        match self.text("scope_separator").as_deref() {
            None => {}
            Some("") => self.missing("scope_separator", Reason::Type, "is empty"),
            // Written in a query, a space is a plus.
            Some("+" | "%20") => self.expressed("scope_separator"),
            Some(separator) => {
                separator.clone_into(&mut entry.scopes.separator);
                self.expressed("scope_separator");
            }
        }
        let scopes = self.texts("default_scopes");
        if scopes.iter().any(|scope| scope.contains("${")) {
            let why = "differ from connection to connection, and scopes here do not";
            self.missing("default_scopes", Reason::Template, why);
            return true;
        }
        if !scopes.is_empty() {
            self.expressed("default_scopes");
        }
        for scope in scopes {
            if !entry.scopes.always.contains(&scope) {
                entry.scopes.always.push(scope);
            }
        }
        true
    }

    fn client(&mut self, entry: &mut ProviderEntry) -> bool {
        let said = self.text("token_request_auth_method");
        let header = self.text("authorization_method").is_some_and(|method| method == "header");
        let mut usable = true;
        entry.client_auth = match said.as_deref() {
            Some("basic") => vec![ClientAuthMethod::Basic],
            Some("private_key_jwt") => vec![ClientAuthMethod::PrivateKeyJwt],
            None if header => vec![ClientAuthMethod::Basic],
            None => vec![ClientAuthMethod::Post],
            Some(other) => {
                let why = format!("`{other}` is code of Nango's");
                self.missing("token_request_auth_method", Reason::ClientAuth, why);
                usable = false;
                vec![ClientAuthMethod::Post]
            }
        };
        if usable && said.is_some() {
            self.expressed("token_request_auth_method");
        }
        if self.flag("require_client_certificate") {
            let why = "wants a certificate of the client's, which the transport would have to show";
            self.missing("require_client_certificate", Reason::ClientCertificate, why);
            usable = false;
        }
        usable
    }

    fn answers(&mut self, entry: &mut ProviderEntry) {
        match self.text("expires_in_unit").as_deref() {
            None => {}
            Some("milliseconds") => {
                entry.token_response.expires_in.unit = TimeUnit::Milliseconds;
                self.expressed("expires_in_unit");
            }
            Some(other) => self.missing("expires_in_unit", Reason::Expiry, format!("`{other}` is not known")),
        }
        for path in self.texts("token_response_metadata") {
            let key = "token_response_metadata";
            let name = snake(&path.replace('.', "_"));
            if name.is_empty() || path.contains("${") {
                self.missing(key, Reason::Name, "makes no name");
            } else {
                entry.token_response.extra.insert(name, pointer(&path));
                self.expressed(key);
            }
        }
        if self.take("alternate_access_token_response_path").is_some() {
            let why = "names a second place of the token; answers here have one";
            self.missing("alternate_access_token_response_path", Reason::Alternative, why);
        }
        if self.take("token_expiration_buffer").is_some() {
            let why = "how long before its end a token is renewed is a setting of the refresh manager";
            self.loosened("token_expiration_buffer", Reason::Expiry, why);
        }
    }

    /// What else the callback has.
    fn callback(&mut self) -> bool {
        if self.take("redirect_uri_metadata").is_some() {
            let why = "names further fields of the callback, which are not kept here";
            self.missing("redirect_uri_metadata", Reason::Callback, why);
        }
        if self.take("installation").is_some() {
            let why = "begins at the provider, and a consent here begins at the host";
            self.missing("installation", Reason::Callback, why);
        }
        if self.take("authorization_code_param_in_callback").is_some() {
            let why = "the code comes under another name, which the callback here does not know";
            self.missing("authorization_code_param_in_callback", Reason::Callback, why);
            return false;
        }
        true
    }
}
