//! Requests signed with an HMAC over a text made from the request (RFC 2104).

use std::borrow::Cow;
use std::time::SystemTime;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::request::Parts;
use secrecy::{ExposeSecret, SecretString};
use tool_connect_core::{
    Credential, Error, ErrorKind, HmacAlgorithm, HmacScheme, Result, TextEncoding, unix_millis,
};

use super::place::{header_name, secret_header};
use super::template::{Piece, pieces, unknown};
use super::{config, hex, host};

const KNOWN: &str = "method, path, query, path_and_query, host, timestamp, timestamp_millis, nonce, key_id, body, \
                     body_sha256, and in headers signature";

/// Signs a request as the scheme's template says, and sets the scheme's headers.
///
/// `body` is what will be sent; `None` where it is a stream, which a template that does not name the body allows. The nonce
/// is 128 random bits in hexadecimal, the same one in the template and in the headers.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use tool_connect_core::{Credential, HmacScheme};
/// use tool_connect_oauth::scheme::sign_hmac;
///
/// let scheme: HmacScheme = serde_json::from_value(serde_json::json!({
///     "template": "{timestamp}{method}{path_and_query}{body}",
///     "headers": { "x-key": "{key_id}", "x-time": "{timestamp}", "x-signature": "{signature}" }
/// }))?;
/// let (mut parts, ()) = http::Request::post("https://api.example/orders").body(())?.into_parts();
/// let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
/// sign_hmac(&scheme, &Credential::signing_key("k1", "s3cret"), &mut parts, Some(b"{}"), now)?;
/// assert_eq!(parts.headers["x-time"], "1700000000");
/// assert_eq!(parts.headers["x-signature"].len(), 64);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Config`] where the credential does not fit or the scheme names something unknown;
/// [`ErrorKind::Unsupported`] where the body is to be signed and is a stream. The secret is not repeated.
pub fn sign_hmac(
    scheme: &HmacScheme,
    credential: &Credential,
    request: &mut Parts,
    body: Option<&[u8]>,
    now: SystemTime,
) -> Result<()> {
    let (key_id, secret) = match credential {
        Credential::SigningKey { id, secret, .. } => (Some(id.as_str()), secret),
        Credential::Token(secret) => (None, secret),
        _ => {
            return Err(config(
                "the service wants signed requests; give a signing key instead of a password",
            ));
        }
    };
    let facts = Facts { request, key_id, body, millis: unix_millis(now), nonce: nonce()? };

    let signature = signature(scheme, secret, &fill(&scheme.template, &facts, None)?);

    let mut headers = Vec::with_capacity(scheme.headers.len());
    for (name, template) in &scheme.headers {
        let value = String::from_utf8(fill(template, &facts, Some(&signature))?).map_err(|_| {
            config(format!("header `{}` would not be text; correct the scheme", name.escape_debug()))
        })?;
        headers.push((header_name(name)?, secret_header(name, &value)?));
    }
    request.headers.extend(headers);
    Ok(())
}

struct Facts<'a> {
    request: &'a Parts,
    key_id: Option<&'a str>,
    body: Option<&'a [u8]>,
    millis: u64,
    nonce: String,
}

fn nonce() -> Result<String> {
    let mut bytes = [0_u8; 16];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Error::new(ErrorKind::Internal, "the system gives no random bytes"))?;
    Ok(hex(&bytes))
}

fn signature(scheme: &HmacScheme, secret: &SecretString, message: &[u8]) -> String {
    let algorithm = match scheme.algorithm {
        HmacAlgorithm::Sha384 => hmac::HMAC_SHA384,
        HmacAlgorithm::Sha512 => hmac::HMAC_SHA512,
        _ => hmac::HMAC_SHA256,
    };
    let tag = hmac::sign(&hmac::Key::new(algorithm, secret.expose_secret().as_bytes()), message);
    match scheme.encoding {
        TextEncoding::Base64 => STANDARD.encode(tag),
        _ => hex(tag.as_ref()),
    }
}

/// Puts the facts into a template; the signature only where there is one yet.
fn fill(template: &str, facts: &Facts<'_>, signature: Option<&str>) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    for piece in pieces(template)? {
        match piece {
            Piece::Text(text) => out.extend_from_slice(text.as_bytes()),
            Piece::Name("signature") => {
                let signature =
                    signature.ok_or_else(|| config("`{signature}` can only stand in a header"))?;
                out.extend_from_slice(signature.as_bytes());
            }
            Piece::Name(name) => out.extend_from_slice(&facts.get(name)?),
        }
    }
    Ok(out)
}

impl Facts<'_> {
    fn get(&self, name: &str) -> Result<Cow<'_, [u8]>> {
        let uri = &self.request.uri;
        let text = match name {
            "method" => self.request.method.as_str(),
            "path" => uri.path(),
            "query" => uri.query().unwrap_or_default(),
            "path_and_query" => uri.path_and_query().map_or("/", |both| both.as_str()),
            "nonce" => &self.nonce,
            "key_id" => self.key_id.ok_or_else(|| {
                config("the scheme signs the key's id; give a signing key, not a bare token")
            })?,
            "host" => {
                let host = host(self.request).ok_or_else(|| config("the request has no host to sign"))?;
                return Ok(host.into_bytes().into());
            }
            "timestamp" => return Ok((self.millis / 1000).to_string().into_bytes().into()),
            "timestamp_millis" => return Ok(self.millis.to_string().into_bytes().into()),
            "body" => return Ok(self.body.ok_or_else(stream)?.into()),
            "body_sha256" => {
                let body = self.body.ok_or_else(stream)?;
                return Ok(hex(digest::digest(&digest::SHA256, body).as_ref()).into_bytes().into());
            }
            other => return Err(unknown(other, KNOWN)),
        };
        Ok(text.as_bytes().into())
    }
}

fn stream() -> Error {
    Error::new(
        ErrorKind::Unsupported,
        "the service signs the body, and a stream cannot be read twice; give the body in memory",
    )
}
