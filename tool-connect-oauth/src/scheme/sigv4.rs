//! AWS Signature Version 4, in its header form.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>, and for S3
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>.

use std::collections::BTreeMap;
use std::time::SystemTime;

use aws_lc_rs::{digest, hmac};
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, Uri};
use percent_encoding::{percent_decode_str, percent_encode};
use secrecy::ExposeSecret;
use tool_connect_core::{AwsSigV4, Credential, Error, ErrorKind, Result, rfc3339};
use zeroize::Zeroizing;

use super::place::secret_header;
use super::template::{Piece, UNRESERVED, pieces};
use super::{config, hex, host};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
const CONTENT: HeaderName = HeaderName::from_static("x-amz-content-sha256");

/// Headers that a hop on the way may add or change; everything else is signed.
const NOT_SIGNED: [&str; 15] = [
    "authorization",
    "accept-encoding",
    "connection",
    "expect",
    "forwarded",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "x-amzn-trace-id",
];

/// Signs a request with AWS Signature Version 4.
///
/// Sets `x-amz-date`, `authorization`, for temporary keys `x-amz-security-token`, for S3 `x-amz-content-sha256`. `body` is
/// what will be sent; `None` where it is a stream: only S3 takes that, as `UNSIGNED-PAYLOAD`. `config` is the connection's
/// configuration, for placeholders in the region. A `+` in the query is sent as `%20`, which is what it stands for.
///
/// ```
/// use std::collections::BTreeMap;
/// use std::time::{Duration, SystemTime};
/// use tool_connect_core::{AwsSigV4, Credential};
/// use tool_connect_oauth::scheme::sign_sigv4;
///
/// let scheme = AwsSigV4 { service: "service".into(), region: "us-east-1".into() };
/// let key = Credential::signing_key("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
/// let (mut parts, ()) = http::Request::get("https://example.amazonaws.com/").body(())?.into_parts();
/// let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_440_938_160);
/// sign_sigv4(&scheme, &key, &BTreeMap::new(), &mut parts, Some(b""), now)?;
/// assert_eq!(parts.headers["x-amz-date"], "20150830T123600Z");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Config`] where the credential is no signing key, or service or region are malformed;
/// [`ErrorKind::Unsupported`] for a stream to another service than S3. The secret is not repeated.
pub fn sign_sigv4(
    scheme: &AwsSigV4,
    credential: &Credential,
    connection_config: &BTreeMap<String, String>,
    request: &mut Parts,
    body: Option<&[u8]>,
    now: SystemTime,
) -> Result<()> {
    let Credential::SigningKey { id, secret, session } = credential else {
        return Err(config(
            "the service wants requests signed with an AWS access key; give an access key's id and secret",
        ));
    };
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(config("the AWS access key id may only hold letters and digits"));
    }
    let region = region(&scheme.region, connection_config)?;
    let service = scheme.service.as_str();
    if !is_scope_part(service) {
        return Err(config(format!("`{}` is no AWS signing name", service.escape_debug())));
    }
    let is_s3 = matches!(service, "s3" | "s3-object-lambda" | "s3-outposts");

    let payload = match body {
        Some(body) => hex(digest::digest(&digest::SHA256, body).as_ref()),
        None if is_s3 => UNSIGNED.to_owned(),
        None => {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "AWS signs the body, and a stream cannot be read twice; give the body in memory",
            ));
        }
    };
    let time = amz_time(now);
    let date = time.get(..8).unwrap_or_default();
    request.headers.remove(AUTHORIZATION);
    request.headers.insert(DATE, ascii(&time)?);
    if is_s3 {
        request.headers.insert(CONTENT, ascii(&payload)?);
    }
    match session {
        Some(token) => {
            request.headers.insert(TOKEN, secret_header("x-amz-security-token", token.expose_secret())?);
        }
        None => {
            request.headers.remove(TOKEN);
        }
    }
    request.uri = spaces_as_percent(&request.uri);

    let host = host(request).ok_or_else(|| config("the request has no host to sign"))?;
    let (names, headers) = canonical_headers(&request.headers, &host)?;
    let canonical = format!(
        "{}\n{}\n{}\n{headers}\n{names}\n{payload}",
        request.method,
        canonical_path(request.uri.path(), is_s3),
        canonical_query(request.uri.query().unwrap_or_default()),
    );
    let scope = format!("{date}/{region}/{service}/aws4_request");
    let hashed = hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
    let to_sign = format!("{ALGORITHM}\n{time}\n{scope}\n{hashed}");

    let first = Zeroizing::new(format!("AWS4{}", secret.expose_secret()));
    let key = [date, &region, service, "aws4_request"]
        .into_iter()
        .fold(hmac_key(first.as_bytes()), |key, part| hmac_key(hmac::sign(&key, part.as_bytes()).as_ref()));
    let signature = hex(hmac::sign(&key, to_sign.as_bytes()).as_ref());
    let value = format!("{ALGORITHM} Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}");
    request.headers.insert(AUTHORIZATION, secret_header("authorization", &value)?);
    Ok(())
}

fn hmac_key(bytes: &[u8]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, bytes)
}

/// `20150830T123600Z`.
fn amz_time(now: SystemTime) -> String {
    let text = rfc3339(now);
    let whole = text.split('.').next().unwrap_or_default();
    let mut time: String = whole.chars().filter(|c| !matches!(c, '-' | ':')).collect();
    time.push('Z');
    time
}

fn ascii(text: &str) -> Result<HeaderValue> {
    HeaderValue::try_from(text)
        .map_err(|_| Error::new(ErrorKind::Internal, "a signature header is malformed"))
}

fn is_scope_part(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn region(template: &str, config_of: &BTreeMap<String, String>) -> Result<String> {
    let mut region = String::new();
    for piece in pieces(template)? {
        match piece {
            Piece::Text(text) => region.push_str(text),
            Piece::Name(name) => region.push_str(config_of.get(name).ok_or_else(|| {
                let name = name.escape_debug();
                config(format!("the connection's configuration lacks `{name}`, which the region needs"))
            })?),
        }
    }
    if !is_scope_part(&region) {
        return Err(config("the AWS region may only hold letters, digits and hyphens"));
    }
    Ok(region)
}

/// Form encoding writes a space as `+`, which AWS reads as a plus.
fn spaces_as_percent(uri: &Uri) -> Uri {
    let spaced = || {
        let query = uri.query().filter(|query| query.contains('+'))?;
        let mut parts = uri.clone().into_parts();
        let path_and_query = format!("{}?{}", uri.path(), query.replace('+', "%20"));
        parts.path_and_query = Some(PathAndQuery::try_from(path_and_query).ok()?);
        Uri::from_parts(parts).ok()
    };
    spaced().unwrap_or_else(|| uri.clone())
}

/// The path as it is sent, its segments encoded once more; for S3, encoded once, and not normalised.
fn canonical_path(path: &str, is_s3: bool) -> String {
    let encode = |segment: &str| -> String {
        if is_s3 {
            let bytes: Vec<u8> = percent_decode_str(segment).collect();
            percent_encode(&bytes, UNRESERVED).to_string()
        } else {
            percent_encode(segment.as_bytes(), UNRESERVED).to_string()
        }
    };
    if is_s3 {
        let encoded: Vec<String> = path.split('/').map(encode).collect();
        let joined = encoded.join("/");
        return if joined.is_empty() { "/".to_owned() } else { joined };
    }
    // RFC 3986 §5.2.4, and empty segments go too.
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            other => kept.push(other),
        }
    }
    let mut out = String::with_capacity(path.len() + 8);
    for segment in &kept {
        out.push('/');
        out.push_str(&encode(segment));
    }
    let folder = path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..");
    if out.is_empty() || folder {
        out.push('/');
    }
    out
}

/// Every name and value decoded and encoded anew, sorted by their encoded form.
fn canonical_query(query: &str) -> String {
    let recode = |text: &str| {
        let bytes: Vec<u8> = percent_decode_str(text).collect();
        percent_encode(&bytes, UNRESERVED).to_string()
    };
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (recode(name), recode(value))
        })
        .collect();
    pairs.sort();
    let joined: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    joined.join("&")
}

/// The names of the signed headers, and their lines: lower case, sorted, values trimmed, runs of spaces made one, values
/// of one name in their order with commas between.
fn canonical_headers(headers: &HeaderMap, host: &str) -> Result<(String, String)> {
    let mut lines: BTreeMap<&str, String> = BTreeMap::new();
    lines.insert("host", host.to_owned());
    for name in headers.keys() {
        if name == http::header::HOST || NOT_SIGNED.contains(&name.as_str()) {
            continue;
        }
        let mut line = String::new();
        for (nth, value) in headers.get_all(name).iter().enumerate() {
            let value = std::str::from_utf8(value.as_bytes())
                .map_err(|_| config(format!("header `{name}` is not UTF-8 text and cannot be signed")))?;
            if nth > 0 {
                line.push(',');
            }
            let words: Vec<&str> = value.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
            line.push_str(&words.join(" "));
        }
        lines.insert(name.as_str(), line);
    }
    let names: Vec<&str> = lines.keys().copied().collect();
    let text = lines.iter().fold(String::new(), |mut text, (name, value)| {
        text.push_str(name);
        text.push(':');
        text.push_str(value);
        text.push('\n');
        text
    });
    Ok((names.join(";"), text))
}
