//! Authentication schemes that are not OAuth: signed requests (AWS Signature Version 4, HMAC templates) and secrets that
//! are exchanged for a token. Each is a function of the scheme's data, the credential and the request; nothing is kept
//! here. Who caches, renews and audits is the token manager.

mod exchange;
mod hmac;
mod place;
mod sigv4;
mod template;

pub use exchange::exchange;
pub use hmac::sign_hmac;
pub use place::place_token;
pub use sigv4::sign_sigv4;

use tool_connect_core::{Error, ErrorKind};

/// The data of a scheme, or the credential that was given for it, does not fit.
fn config(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Config, message.into())
}

/// Lower-case hexadecimal.
fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble & 0x0f)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

/// The `host` header that a request will carry: its own, or its address' host with the port where it is not the
/// scheme's usual one (RFC 9110 §7.2).
fn host(parts: &http::request::Parts) -> Option<String> {
    if let Some(host) = parts.headers.get(http::header::HOST) {
        return host.to_str().ok().map(str::to_owned);
    }
    let host = parts.uri.host()?;
    let usual = match parts.uri.scheme_str() {
        Some("http") => 80,
        _ => 443,
    };
    Some(match parts.uri.port_u16() {
        Some(port) if port != usual => format!("{host}:{port}"),
        _ => host.to_owned(),
    })
}
