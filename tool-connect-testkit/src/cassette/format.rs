//! The file: JSON, one object per exchange, made to be read in a review.

use std::path::Path;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use tool_connect_core::http::{ByteStream, RequestBody};
use tool_connect_core::{Error, ErrorKind, Result};

pub(super) const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cassette {
    /// Of this format.
    pub(super) version: u32,
    pub(super) exchanges: Vec<Exchange>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exchange {
    pub(super) request: Request,
    pub(super) response: Response,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) url: String,
    /// For the reader; not matched.
    #[serde(default)]
    pub(super) headers: Vec<(String, String)>,
    /// SHA-256 of the body after redaction, in hex; none where there is no body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) body_sha256: Option<String>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Response {
    pub(super) status: u16,
    #[serde(default)]
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Body,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Body {
    Text(String),
    Base64(String),
}

impl Cassette {
    pub(super) fn read(path: &Path) -> Result<Self> {
        let invalid = |what: &str| {
            Error::new(ErrorKind::Config, format!("the cassette {} {what}; record it again", path.display()))
        };
        let text = std::fs::read(path).map_err(|error| invalid("cannot be read").caused_by(error))?;
        let cassette: Self = serde_json::from_slice(&text)
            .map_err(|error| invalid("is malformed").with("place", error.line()))?;
        match cassette.version {
            VERSION => Ok(cassette),
            other => Err(invalid("has another format").with("version", other)),
        }
    }
}

impl Request {
    /// The same method, URL and body.
    pub(super) fn matches(&self, other: &Self) -> bool {
        self.method == other.method && self.url == other.url && self.body_sha256 == other.body_sha256
    }

    pub(super) fn line(&self) -> String {
        format!("{} {}", self.method, self.url)
    }
}

impl Body {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) => Self::Text(text),
            Err(error) => Self::Base64(STANDARD.encode(error.as_bytes())),
        }
    }

    pub(super) fn bytes(&self) -> Result<Bytes> {
        match self {
            Self::Text(text) => Ok(Bytes::copy_from_slice(text.as_bytes())),
            Self::Base64(text) => STANDARD
                .decode(text)
                .map(Bytes::from)
                .map_err(|_| Error::new(ErrorKind::Config, "the cassette has a body that is no base64")),
        }
    }
}

pub(super) fn hash(body: &[u8]) -> Option<String> {
    let digest = digest::digest(&digest::SHA256, body);
    (!body.is_empty()).then(|| digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Headers as they were; those that a cassette cannot hold are left out.
pub(super) fn header_map(headers: &[(String, String)]) -> HeaderMap {
    let pairs = headers.iter().filter_map(|(name, value)| {
        Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?))
    });
    // `extend` would replace repeated names.
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        map.append(name, value);
    }
    map
}

pub(super) async fn whole(body: RequestBody) -> Result<Bytes> {
    match body {
        RequestBody::Empty => Ok(Bytes::new()),
        RequestBody::Bytes(bytes) => Ok(bytes),
        RequestBody::Stream(stream, _) => drain(stream).await,
        _ => Err(Error::new(ErrorKind::Unsupported, "this kind of body cannot be recorded")),
    }
}

pub(super) async fn drain(mut stream: ByteStream) -> Result<Bytes> {
    let mut all = BytesMut::new();
    while let Some(chunk) = stream.next().await {
        all.extend_from_slice(&chunk?);
    }
    Ok(all.freeze())
}

/// A body that is there already.
pub(super) fn stream(bytes: Bytes) -> ByteStream {
    let chunk = (!bytes.is_empty()).then_some(Ok(bytes));
    Box::pin(futures_util::stream::iter(chunk))
}
