//! What never gets into a cassette.

use std::fmt;

use http::HeaderMap;
use url::Url;

use crate::leak::Secret;

/// What stands where a secret was.
const REDACTED: &str = "[REDACTED]";
const HEADERS: [&str; 5] = ["authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"];
const QUERY: [&str; 2] = ["access_token", "api_key"];

/// What is taken out of recorded traffic: the values of headers and query parameters by name, and
/// registered secrets wherever they occur, in every form that the leak check knows.
///
/// By default the headers `authorization`, `proxy-authorization`, `cookie`, `set-cookie` and
/// `x-api-key`, and the parameters `access_token` and `api_key`.
#[derive(Clone)]
pub struct Redaction {
    headers: Vec<String>,
    query: Vec<String>,
    secrets: Vec<Secret>,
}

impl Default for Redaction {
    fn default() -> Self {
        Self {
            headers: HEADERS.map(str::to_owned).to_vec(),
            query: QUERY.map(str::to_owned).to_vec(),
            secrets: Vec::new(),
        }
    }
}

impl fmt::Debug for Redaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redaction")
            .field("headers", &self.headers)
            .field("query", &self.query)
            .field("secrets", &self.secrets.len())
            .finish()
    }
}

impl Redaction {
    /// Takes out the values of this header too.
    #[must_use]
    pub fn header(mut self, name: &str) -> Self {
        self.headers.push(name.to_ascii_lowercase());
        self
    }

    /// Takes out the values of this query parameter too.
    #[must_use]
    pub fn query(mut self, name: &str) -> Self {
        self.query.push(name.to_owned());
        self
    }

    /// Takes this secret out wherever it occurs.
    ///
    /// # Panics
    /// Where it is shorter than [`SHORTEST`](crate::leak::SHORTEST).
    #[must_use]
    pub fn secret(mut self, secret: impl AsRef<[u8]>) -> Self {
        self.secrets.push(Secret::new(secret.as_ref()));
        self
    }

    pub(super) fn url(&self, url: &str) -> String {
        let url = match Url::parse(url) {
            Ok(mut url) if url.query_pairs().any(|(name, _)| self.hides(&name)) => {
                let pairs: Vec<_> = url.query_pairs().into_owned().collect();
                url.query_pairs_mut().clear().extend_pairs(pairs.into_iter().map(|(name, value)| {
                    let value = if self.hides(&name) { REDACTED.to_owned() } else { value };
                    (name, value)
                }));
                url.into()
            }
            _ => url.to_owned(),
        };
        self.text(url)
    }

    pub(super) fn headers(&self, headers: &HeaderMap) -> Vec<(String, String)> {
        let visible = |name: &str, value: &[u8]| match self.headers.iter().any(|hidden| hidden == name) {
            true => REDACTED.to_owned(),
            false => self.text(String::from_utf8_lossy(value).into_owned()),
        };
        headers
            .iter()
            .map(|(name, value)| (name.to_string(), visible(name.as_str(), value.as_bytes())))
            .collect()
    }

    pub(super) fn text(&self, text: String) -> String {
        match String::from_utf8(self.bytes(text.into_bytes())) {
            Ok(text) => text,
            // Base64 of a secret may end amid a character only in text that is no base64.
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        }
    }

    pub(super) fn bytes(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        for secret in &self.secrets {
            secret.replace(&mut bytes, REDACTED.as_bytes());
        }
        bytes
    }

    /// The form in which a secret is still there.
    pub(super) fn left_in(&self, bytes: &[u8]) -> Option<&'static str> {
        self.secrets.iter().find_map(|secret| secret.found_in(bytes).next())
    }

    fn hides(&self, parameter: &str) -> bool {
        self.query.iter().any(|hidden| hidden == parameter)
    }
}
