//! Secrets into requests.

use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, Uri, header};
use secrecy::ExposeSecret;
use url::form_urlencoded;

use super::{AuthScheme, Credential};
use crate::connection::Connection;
use crate::error::{Error, ErrorKind, Result};

/// Adds a secret to a request, for the schemes that need nothing else: a key in a header or in the query, a bearer token or
/// an access token, a user name and a password. Headers that carry it are marked sensitive.
///
/// # Errors
/// [`ErrorKind::Config`] where the secret does not fit the scheme, [`ErrorKind::Unsupported`] where the scheme needs more
/// than this. Neither repeats the secret.
pub fn apply(
    connection: &Connection,
    scheme: &AuthScheme,
    credential: &Credential,
    request: &mut http::request::Parts,
) -> Result<()> {
    let invalid = |why: &str| {
        Error::new(ErrorKind::Config, format!("the secret of connection `{}` {why}", connection.id))
    };
    let secret_header = |text: String| {
        let mut value = HeaderValue::try_from(text)
            .map_err(|_| invalid("holds a character that a header cannot carry; check for line breaks"))?;
        // Kept out of Debug output and of HTTP/2 header compression.
        value.set_sensitive(true);
        Ok::<_, Error>(value)
    };
    match (scheme, credential) {
        (AuthScheme::ApiKeyHeader { header, prefix }, Credential::Token(token)) => {
            let name = HeaderName::try_from(header.as_str()).map_err(|_| {
                Error::new(ErrorKind::Config, format!("`{}` is no header name", header.escape_debug()))
            })?;
            request.headers.insert(name, secret_header(format!("{prefix}{}", token.expose_secret()))?);
        }
        (AuthScheme::ApiKeyQuery { parameter }, Credential::Token(token)) => {
            request.uri = with_query(&request.uri, parameter, token.expose_secret())
                .ok_or_else(|| invalid("does not fit into the URL"))?;
        }
        // An access token that the host has got by itself. Where a provider wants its tokens elsewhere, its catalog entry
        // says so, and the authenticator that reads it never comes here.
        (AuthScheme::Bearer | AuthScheme::OAuth2(_), Credential::Token(token)) => {
            let value = secret_header(format!("Bearer {}", token.expose_secret()))?;
            request.headers.insert(header::AUTHORIZATION, value);
        }
        (AuthScheme::Basic, Credential::Basic { username, password }) => {
            // RFC 7617 §2: the first colon ends the user name.
            if username.contains(':') {
                return Err(invalid("has a user name with a colon, which basic authentication cannot carry"));
            }
            let pair = base64(format!("{username}:{}", password.expose_secret()).as_bytes());
            request.headers.insert(header::AUTHORIZATION, secret_header(format!("Basic {pair}"))?);
        }
        (AuthScheme::Basic, _) => {
            return Err(invalid("is a token, but the service wants a user name and a password"));
        }
        (
            AuthScheme::ApiKeyHeader { .. }
            | AuthScheme::ApiKeyQuery { .. }
            | AuthScheme::Bearer
            | AuthScheme::OAuth2(_),
            _,
        ) => {
            return Err(invalid("is a user name and a password, but the service wants a token"));
        }
        _ => {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "this authentication scheme needs an authenticator of its own; give the Hub one",
            ));
        }
    }
    Ok(())
}

/// The URI with one more query parameter.
fn with_query(uri: &Uri, parameter: &str, value: &str) -> Option<Uri> {
    let pair = form_urlencoded::Serializer::new(String::new()).append_pair(parameter, value).finish();
    let joined = match uri.query() {
        Some(query) if !query.is_empty() => format!("{}?{query}&{pair}", uri.path()),
        _ => format!("{}?{pair}", uri.path()),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(joined).ok()?);
    Uri::from_parts(parts).ok()
}

/// Base64 with padding (RFC 4648 §4); the one place in core that needs it, so no crate for it.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = |chunk: &[u8]| {
        let byte = |at: usize| chunk.get(at).copied().map_or(0, u32::from);
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        let used = chunk.len() + 1;
        [18, 12, 6, 0].into_iter().enumerate().map(move |(at, shift)| match at < used {
            true => char::from(DIGITS[(bits >> shift & 63) as usize]),
            false => '=',
        })
    };
    bytes.chunks(3).flat_map(digits).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn base64_is_that_of_the_rfc() {
        // RFC 4648 §10.
        let vectors = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
        ];
        for (text, expected) in vectors {
            assert_eq!(super::base64(text.as_bytes()), expected);
        }
        assert_eq!(super::base64(&[0xfb, 0xff, 0xbf]), "+/+/");
    }
}
