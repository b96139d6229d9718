//! What an authorization server says when it says no.

use std::fmt;
use std::time::{Duration, SystemTime};

use http::{HeaderMap, StatusCode, header};
use serde_json::Value;
use tool_connect_core::{Effect, Error, ErrorKind, Retry};

use super::http::{Answer, Asked};

/// Longest wait that a server may impose.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
/// Longest error code that is kept, in characters.
const LONGEST_CODE: usize = 64;
/// Longest description that is kept, in characters.
const LONGEST_DESCRIPTION: usize = 300;

/// The code of a failure that has none that can be read.
pub(super) const UNSPECIFIED: &str = "unspecified_error";

/// An error in OAuth's form (RFC 6749 §5.2, RFC 8628 §3.5, RFC 7591 §3.2.2): the source of the
/// [`Error`] that is returned for it.
///
/// ```
/// # fn example(error: &tool_connect_core::Error) {
/// use tool_connect_oauth::flow::OAuthFailure;
/// if OAuthFailure::of(error).is_some_and(|failure| failure.code() == "invalid_grant") {
///     // The refresh token is used up: the user must consent again.
/// }
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuthFailure {
    code: String,
    description: Option<String>,
}

impl OAuthFailure {
    /// A failure with a code, and with what the server says of it. Control characters are dropped, long texts cut.
    #[must_use]
    pub fn new(code: &str, description: Option<&str>) -> Self {
        let description = description.map(|text| printable(text, LONGEST_DESCRIPTION));
        Self { code: printable(code, LONGEST_CODE), description: description.filter(|text| !text.is_empty()) }
    }

    /// The failure behind an error, if that is what it came from.
    #[must_use]
    pub fn of(error: &Error) -> Option<&Self> {
        std::error::Error::source(error)?.downcast_ref()
    }

    /// `error`: `invalid_grant`, `invalid_client`; another code where the catalog says that the provider means that.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// `error_description`: the server's words, for developers only; a user or a model must not see them.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }
}

impl fmt::Display for OAuthFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.code)?;
        match &self.description {
            Some(description) => write!(f, ": {description}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for OAuthFailure {}

/// Texts that were sent and must not come back: an authorization server that quotes a request quotes its secrets.
#[derive(Clone, Default)]
pub(super) struct Sent(Vec<zeroize::Zeroizing<String>>);

impl Sent {
    /// Nothing that must be hidden.
    pub(super) const NOTHING: &'static Self = &Self(Vec::new());

    /// Hides this text too, in plain and as a form has it. Very short ones would be found by chance.
    pub(super) fn hide(&mut self, secret: &str) {
        if secret.len() >= 6 {
            let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
            if encoded != secret {
                self.0.push(encoded.into());
            }
            self.0.push(secret.to_owned().into());
        }
    }

    fn scrub(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "[REDACTED]"))
    }
}

impl OAuthFailure {
    /// From a body that has `error` at its root, without what was sent.
    fn from_body(body: &Value, sent: &Sent) -> Option<Self> {
        Some(Self::from_parts(body.get("error")?.as_str()?, body, sent))
    }

    /// From a code that was found somewhere in a body.
    pub(super) fn from_parts(code: &str, body: &Value, sent: &Sent) -> Self {
        let clean = |text: &str| sent.scrub(&without_controls(text));
        let description = body.get("error_description").and_then(Value::as_str).map(clean);
        let code = clean(code);
        Self::new(if code.trim().is_empty() { UNSPECIFIED } else { &code }, description.as_deref())
    }

    /// The same failure under the code that the RFCs have for it.
    pub(super) fn meaning(mut self, code: &str) -> Self {
        let said = format!("the provider's code is {}", self.code);
        self.description = Some(match self.description {
            Some(description) => format!("{description} ({said})"),
            None => said,
        });
        code.clone_into(&mut self.code);
        self
    }

    /// As an error with the advice that fits the code.
    pub(super) fn into_error(self, asked: Asked<'_>, answer: &Answer) -> Error {
        let (kind, advice) = match self.code.as_str() {
            _ if answer.status == StatusCode::TOO_MANY_REQUESTS => {
                (ErrorKind::RateLimited, "try again later")
            }
            _ if answer.status.is_server_error() => {
                (ErrorKind::Provider, "the provider fails; try again later")
            }
            "slow_down" => (ErrorKind::RateLimited, "ask less often"),
            "temporarily_unavailable" | "server_error" => {
                (ErrorKind::Provider, "the provider fails; try again later")
            }
            "invalid_grant" | "interaction_required" | "consent_required" | "login_required" => (
                ErrorKind::NeedsReauth,
                "the grant has ended, was revoked or was used before; the user must consent again",
            ),
            "expired_token" => (ErrorKind::NeedsReauth, "the code has ended; begin again"),
            "access_denied" => (ErrorKind::Denied, "the user or the provider's administrator said no"),
            "invalid_client" | "unauthorized_client" => (
                ErrorKind::Config,
                "check the client's id and secret, how it authenticates, and what it is registered for",
            ),
            "invalid_scope" => (ErrorKind::Config, "ask for scopes that the client is registered for"),
            "unsupported_grant_type" | "unsupported_response_type" | "unsupported_token_type" => (
                ErrorKind::Config,
                "the provider does not offer this, or the client is not registered for it",
            ),
            "redirect_uri_mismatch" | "invalid_redirect_uri" => {
                (ErrorKind::Config, "register the host's callback address at the provider, letter for letter")
            }
            "invalid_target" => (ErrorKind::Config, "the provider does not know this resource"),
            "invalid_dpop_proof" => (ErrorKind::Provider, "check the host's clock"),
            _ => (ErrorKind::Provider, "look the code up in the provider's documentation"),
        };
        let passes = matches!(kind, ErrorKind::RateLimited)
            || answer.status.is_server_error()
            || matches!(self.code.as_str(), "temporarily_unavailable" | "server_error");
        let mut error =
            asked.error(kind, format_args!("{}: {advice}", self.code)).status(answer.status.as_u16());
        if let Some(description) = &self.description {
            error = error.with("error_description", description);
        }
        // A server that names an error in OAuth's form has refused; one that fails may have acted.
        if !answer.status.is_server_error() {
            error = error.effect(Effect::NotExecuted);
        }
        error.retry(if passes { answer.retry } else { Retry::Never }).caused_by(self)
    }
}

/// An answer whose status says failure.
pub(super) fn refused(asked: Asked<'_>, answer: &Answer) -> Error {
    refused_hiding(asked, answer, Sent::NOTHING)
}

/// An answer whose status says failure, to a request with secrets.
pub(super) fn refused_hiding(asked: Asked<'_>, answer: &Answer, sent: &Sent) -> Error {
    let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
    if let Some(failure) = body.as_ref().and_then(|body| OAuthFailure::from_body(body, sent)) {
        return failure.into_error(asked, answer);
    }
    let status = answer.status.as_u16();
    let error = match answer.status {
        StatusCode::TOO_MANY_REQUESTS => asked
            .error(ErrorKind::RateLimited, "too many requests; try again later")
            .effect(Effect::NotExecuted),
        status if status.is_server_error() => {
            asked.error(ErrorKind::Provider, "the provider fails; try again later")
        }
        _ => {
            let what = format_args!("the answer is {}; check the endpoint's address", form_of(answer));
            return asked.error(ErrorKind::Provider, what).status(status);
        }
    };
    error.retry(answer.retry).status(status)
}

/// A redirect: following it would hand what was sent to somebody else.
pub(super) fn redirected(asked: Asked<'_>, answer: &Answer) -> Error {
    let to = answer.header(header::LOCATION).and_then(|to| url::Url::parse(to).ok());
    let error = asked.error(
        ErrorKind::Provider,
        "the answer is a redirect, which is not followed; correct the endpoint's address in the catalog",
    );
    // The host alone: path and query may repeat what was sent.
    match to.as_ref().and_then(url::Url::host_str) {
        Some(host) => error.with("location", host),
        None => error,
    }
    .status(answer.status.as_u16())
}

/// A body that cannot be read as what was asked for.
pub(super) fn unreadable(asked: Asked<'_>, answer: &Answer, error: &serde_json::Error) -> Error {
    use serde_json::error::Category;
    let what = match error.classify() {
        _ if answer.body.is_empty() => "the answer is empty",
        Category::Eof => "the answer ends too early",
        Category::Data => "the answer lacks what it must have, or has it in another form",
        _ => "the answer is no JSON",
    };
    let advice = "check the endpoint's address, and whether the provider has an incident";
    asked
        .error(ErrorKind::Provider, format_args!("{what} ({}); {advice}", form_of(answer)))
        .status(answer.status.as_u16())
        .retry(Retry::Backoff)
}

/// What a body looks like, without a word of it.
fn form_of(answer: &Answer) -> &'static str {
    let body = answer.body.trim_ascii_start();
    let html = body.first() == Some(&b'<')
        || answer.header(header::CONTENT_TYPE).is_some_and(|kind| kind.to_ascii_lowercase().contains("html"));
    match body {
        [] => "nothing",
        _ if html => "an HTML page",
        [b'{' | b'[', ..] => "JSON",
        _ => "neither JSON nor HTML",
    }
}

/// How long the server wants to be left alone (RFC 9110 §10.2.3), at most an hour.
pub(super) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        Duration::from_secs(text.parse().unwrap_or(u64::MAX))
    } else {
        httpdate::parse_http_date(text).ok()?.duration_since(now).unwrap_or_default()
    };
    Some(wait.min(LONGEST_WAIT))
}

fn without_controls(text: &str) -> String {
    // Beside control characters, those that turn the direction of what a terminal or a page shows.
    let turns =
        |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().filter(|c| !c.is_control() && !turns(*c)).collect()
}

fn printable(text: &str, longest: usize) -> String {
    without_controls(text).trim().chars().take(longest).collect()
}
