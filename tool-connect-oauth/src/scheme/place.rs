//! Where secrets go in a request.

use http::header::{HeaderName, HeaderValue};
use http::request::Parts;
use secrecy::{ExposeSecret, SecretString};
use tool_connect_core::{Result, TokenPlace};

use super::config;

/// Puts a token into the header that the scheme names. The header is marked sensitive, so that nothing prints it and
/// HTTP/2 does not index it.
///
/// ```
/// use secrecy::SecretString;
/// use tool_connect_core::TokenPlace;
/// use tool_connect_oauth::scheme::place_token;
///
/// let (mut parts, ()) = http::Request::new(()).into_parts();
/// place_token(&TokenPlace::default(), &SecretString::from("s3cret"), &mut parts)?;
/// assert_eq!(parts.headers["authorization"], "Bearer s3cret");
/// assert!(!format!("{parts:?}").contains("s3cret"));
/// # Ok::<(), tool_connect_core::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Config`](tool_connect_core::ErrorKind::Config) where the place names no header, or the token cannot stand
/// in one. The token is not repeated.
pub fn place_token(place: &TokenPlace, token: &SecretString, request: &mut Parts) -> Result<()> {
    let name = header_name(&place.header)?;
    let value = secret_header(&place.header, &format!("{}{}", place.prefix, token.expose_secret()))?;
    request.headers.insert(name, value);
    Ok(())
}

/// A header's name, as the data of a scheme has it.
pub(super) fn header_name(name: &str) -> Result<HeaderName> {
    HeaderName::try_from(name)
        .map_err(|_| config(format!("`{}` is no header name; correct the scheme", name.escape_debug())))
}

/// A header's value that nothing prints.
pub(super) fn secret_header(name: &str, value: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::try_from(value).map_err(|_| {
        config(format!(
            "what goes into header `{}` holds a character that a header cannot carry; check the secret for line breaks",
            name.escape_debug()
        ))
    })?;
    value.set_sensitive(true);
    Ok(value)
}
