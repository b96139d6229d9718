//! Requests as the emulator reads them, and its answers before they are put on a wire.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

/// Name and value pairs of a form or a query, in order.
pub(super) type Pairs = Vec<(String, String)>;

/// A request, whole.
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Asked {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The form of a POST. A parameter that comes twice is an error, but for those that may (RFC 6749 §3.2).
    pub(super) fn form(&self) -> Result<Pairs, Refusal> {
        if self.method != Method::POST {
            return Err(Refusal::new("invalid_request", "use POST").status(405));
        }
        let kind = self.header("content-type").unwrap_or_default();
        if kind.split(';').next().unwrap_or_default().trim() != "application/x-www-form-urlencoded" {
            return Err(Refusal::new("invalid_request", "the body must be a form"));
        }
        checked(form_urlencoded::parse(&self.body).into_owned().collect())
    }

    pub(super) fn query(&self) -> Result<Pairs, Refusal> {
        checked(self.url.query_pairs().into_owned().collect())
    }
}

fn checked(pairs: Pairs) -> Result<Pairs, Refusal> {
    let twice = pairs.iter().enumerate().any(|(place, (name, _))| {
        name != "resource" && pairs[..place].iter().any(|(before, _)| before == name)
    });
    if twice { Err(Refusal::new("invalid_request", "a parameter comes twice")) } else { Ok(pairs) }
}

/// The first value of a name; an empty value is none (RFC 6749 §3.1).
pub(super) fn value<'a>(pairs: &'a Pairs, name: &str) -> Option<&'a str> {
    pairs.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
}

/// All values of a name.
pub(super) fn values(pairs: &Pairs, name: &str) -> Vec<String> {
    pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect()
}

/// An answer.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Bytes,
}

impl Reply {
    pub(super) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new() }
    }

    /// JSON that no cache keeps (RFC 6749 §5.1).
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self::empty(status)
            .header("content-type", "application/json")
            .header("cache-control", "no-store")
            .body(body.to_string())
    }

    pub(super) fn page(status: u16, text: &str) -> Self {
        let page = format!("<!doctype html><title>Emulator</title><p>{text}</p>");
        Self::empty(status).header("content-type", "text/html; charset=utf-8").body(page)
    }

    pub(super) fn redirect(status: u16, to: impl Into<String>) -> Self {
        Self::empty(status).header("location", to)
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }
}

/// An OAuth error (RFC 6749 §5.2).
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) code: &'static str,
    description: &'static str,
    status: u16,
    headers: Vec<(&'static str, String)>,
}

impl Refusal {
    pub(super) fn new(code: &'static str, description: &'static str) -> Self {
        let status = if code == "invalid_client" { 401 } else { 400 };
        Self { code, description, status, headers: Vec::new() }
    }

    pub(super) fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn description(&self) -> &'static str {
        self.description
    }

    pub(super) fn reply(self) -> Reply {
        let mut reply =
            Reply::json(self.status, &json!({ "error": self.code, "error_description": self.description }));
        reply.headers.extend(self.headers);
        reply
    }

    /// As a protected resource says it (RFC 6750 §3, RFC 9449 §7.1): 401 with a challenge, without a body.
    pub(super) fn challenge(self, scheme: &str, more: &str) -> Reply {
        let text = if self.code.is_empty() {
            format!("{scheme} realm=\"emulator\"{more}")
        } else {
            let (code, description) = (self.code, self.description);
            format!(
                "{scheme} realm=\"emulator\", error=\"{code}\", error_description=\"{description}\"{more}"
            )
        };
        let status = if self.code == "insufficient_scope" { 403 } else { 401 };
        let mut reply = Reply::empty(status).header("www-authenticate", text);
        reply.headers.extend(self.headers);
        reply
    }
}

/// How an answer gets to the client.
pub(super) struct Served {
    pub(super) reply: Reply,
    pub(super) after: Option<Duration>,
    pub(super) cut: Cut,
}

/// Where an answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// At its end.
    Whole,
    /// In the middle of its body.
    Half,
    /// The connection breaks before its first byte.
    Broken,
    /// Nothing comes, and the connection stays.
    Silent,
}

impl From<Reply> for Served {
    fn from(reply: Reply) -> Self {
        Self { reply, after: None, cut: Cut::Whole }
    }
}
