//! Which headers a tool may set, and which of an answer's its caller sees.

use http::HeaderName;

/// Set by the transport, or about the connection alone (RFC 9110 §7.6.1).
const TRANSPORT: &[&str] = &[
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Credentials are the host's to add.
const CREDENTIALS: &[&str] =
    &["authorization", "cookie", "cookie2", "proxy-authorization", "proxy-authenticate"];

/// Lets a request pass for another method, sender or address than it has.
const DISGUISE: &[&str] = &[
    "forwarded",
    "via",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-real-ip",
    "x-rewrite-url",
];

/// What is shown of an answer's headers; cookies and the like are not for the caller.
#[cfg(feature = "http")]
const SHOWN: &[&str] = &[
    "age",
    "allow",
    "cache-control",
    "content-disposition",
    "content-language",
    "content-range",
    "content-type",
    "date",
    "deprecation",
    "etag",
    "expires",
    "last-modified",
    "link",
    "location",
    "retry-after",
    "sunset",
    "vary",
    "x-request-id",
];

/// Why a caller may not set a header; `None` if it may.
pub(crate) fn refusal(name: &HeaderName) -> Option<&'static str> {
    let name = name.as_str();
    if TRANSPORT.contains(&name) {
        Some("is set by the connection itself; leave it out")
    } else if CREDENTIALS.contains(&name) {
        Some("carries a credential; the host adds it for the connected account, leave it out")
    } else if DISGUISE.contains(&name) || name.starts_with("x-forwarded-") {
        Some("would let the request pass for another one; leave it out")
    } else if name.starts_with("proxy-") || name.starts_with("sec-") {
        Some("is not for callers to set; leave it out")
    } else {
        None
    }
}

/// Whether an answer's header is shown to the caller.
#[cfg(feature = "http")]
pub(crate) fn is_shown(name: &HeaderName) -> bool {
    let name = name.as_str();
    SHOWN.contains(&name) || name.starts_with("ratelimit") || name.starts_with("x-ratelimit-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_in_the_spelling_that_names_have() {
        for name in TRANSPORT.iter().chain(CREDENTIALS).chain(DISGUISE) {
            assert!(refusal(&HeaderName::from_static(name)).is_some());
        }
        assert!(refusal(&HeaderName::from_static("x-forwarded-host")).is_some());
        assert!(refusal(&HeaderName::from_static("accept")).is_none());
    }

    #[cfg(feature = "http")]
    #[test]
    fn no_cookie_is_shown() {
        for name in SHOWN {
            assert!(is_shown(&HeaderName::from_static(name)));
        }
        assert!(!is_shown(&HeaderName::from_static("set-cookie")));
    }
}
