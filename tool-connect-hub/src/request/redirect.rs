//! Where a redirect leads, and whether it is followed (RFC 9110 §15.4).

use http::{HeaderMap, Method, StatusCode, header};
use tool_connect_core::{AuthScheme, Error, ErrorKind, Result};
use url::Url;

/// Headers that describe a body and go with it.
const OF_THE_BODY: [header::HeaderName; 4] =
    [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::CONTENT_ENCODING, header::CONTENT_LANGUAGE];

/// A redirect to follow.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Next {
    pub(super) url: Url,
    pub(super) method: Method,
    /// Whether the body goes along.
    pub(super) with_body: bool,
}

/// The redirect in an answer; `None` where it is not one.
///
/// A 303 is answered with GET. A 307 or 308 is repeated as it was. A 301 or 302 repeats safe methods
/// only: turning a write into GET, as browsers do, would pass off some page as the write's result.
pub(super) fn next(
    method: &Method,
    url: &Url,
    status: StatusCode,
    headers: &HeaderMap,
) -> Result<Option<Next>> {
    let (method, with_body) = match status.as_u16() {
        301 | 302 if method.is_safe() => (method.clone(), true),
        301 | 302 if headers.contains_key(header::LOCATION) => {
            return Err(Error::new(
                ErrorKind::Provider,
                format!("the service moved this {method} elsewhere; ask for the new address, or correct the base URL"),
            )
            .status(status.as_u16()));
        }
        303 if *method == Method::HEAD => (Method::HEAD, false),
        303 => (Method::GET, false),
        307 | 308 => (method.clone(), true),
        _ => return Ok(None),
    };
    let Some(location) = headers.get(header::LOCATION) else { return Ok(None) };
    let target = location.to_str().ok().and_then(|text| url.join(text).ok());
    let Some(mut target) = target else {
        return Err(Error::new(ErrorKind::Provider, "the service redirects to something that is no URL")
            .status(status.as_u16()));
    };
    target.set_fragment(None);
    if url.scheme() == "https" && target.scheme() != "https" {
        return Err(Error::new(
            ErrorKind::Blocked,
            "the service redirects from https to a connection without TLS",
        )
        .status(status.as_u16()));
    }
    Ok(Some(Next { url: target, method, with_body }))
}

/// Takes out what must not reach another origin, and what describes a body that is gone.
pub(super) fn carry_over(headers: &mut HeaderMap, scheme: &AuthScheme, same_origin: bool, with_body: bool) {
    if !same_origin {
        for name in [header::AUTHORIZATION, header::COOKIE, header::PROXY_AUTHORIZATION] {
            headers.remove(name);
        }
        if let AuthScheme::ApiKeyHeader { header, .. } = scheme {
            headers.remove(header.as_str());
        }
    }
    if !with_body {
        for name in OF_THE_BODY {
            headers.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follow(method: &Method, status: u16, from: &str, to: Option<&str>) -> Result<Option<Next>> {
        let mut headers = HeaderMap::new();
        if let Some(to) = to {
            headers.insert(header::LOCATION, to.parse().expect("a header"));
        }
        let status = StatusCode::from_u16(status).expect("a status");
        next(method, &from.parse().expect("a URL"), status, &headers)
    }

    #[test]
    fn methods_follow_the_rfc() {
        let cases = [
            (Method::GET, 301, Method::GET, true),
            (Method::HEAD, 302, Method::HEAD, true),
            (Method::POST, 303, Method::GET, false),
            (Method::HEAD, 303, Method::HEAD, false),
            (Method::DELETE, 307, Method::DELETE, true),
            (Method::POST, 308, Method::POST, true),
        ];
        for (method, status, then, with_body) in cases {
            let next = follow(&method, status, "https://a.example/x/y", Some("../z#f")).expect("followed");
            let url = "https://a.example/z".parse().expect("a URL");
            assert_eq!(next, Some(Next { url, method: then, with_body }), "{method} {status}");
        }
    }

    #[test]
    fn a_write_is_not_replayed_by_a_moved_resource() {
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            for status in [301, 302] {
                let error = follow(&method, status, "https://a.example/", Some("/b")).expect_err("refused");
                assert_eq!((error.kind(), error.http_status()), (ErrorKind::Provider, Some(status)));
            }
        }
    }

    #[test]
    fn no_way_down_from_tls() {
        for to in ["http://a.example/", "ftp://a.example/"] {
            let error = follow(&Method::GET, 302, "https://a.example/", Some(to)).expect_err("refused");
            assert_eq!(error.kind(), ErrorKind::Blocked);
        }
        assert!(
            follow(&Method::GET, 302, "http://a.example/", Some("https://a.example/")).expect("up").is_some()
        );
    }

    #[test]
    fn other_answers_are_not_followed() {
        for (status, to) in
            [(200, Some("/b")), (300, Some("/b")), (304, Some("/b")), (305, Some("/b")), (302, None)]
        {
            assert_eq!(follow(&Method::GET, status, "https://a.example/", to).expect("an answer"), None);
        }
    }
}
