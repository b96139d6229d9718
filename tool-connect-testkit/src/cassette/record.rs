//! Recording.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use tool_connect_core::http::{ByteStream, RequestBody, Transport, TransportLimits};
use tool_connect_core::{Error, ErrorKind, Result};

use super::format::{Body, Cassette, Exchange, Request, Response, VERSION, drain, hash, stream, whole};
use super::redact::Redaction;

/// Stands before a real transport and keeps what goes through, without its secrets.
///
/// Bodies are read whole. A request without an answer is not kept: a cassette holds what the service
/// said, failures of the network are easier to play in other ways.
pub struct Recorder {
    inner: Arc<dyn Transport>,
    redaction: Redaction,
    exchanges: Mutex<Vec<Exchange>>,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("redaction", &self.redaction).finish_non_exhaustive()
    }
}

impl Recorder {
    /// Records what goes through `inner`.
    #[must_use]
    pub fn new(inner: Arc<dyn Transport>, redaction: Redaction) -> Self {
        Self { inner, redaction, exchanges: Mutex::default() }
    }

    /// Writes the cassette, in the order in which the requests were sent.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] where a registered secret is still in it; it is not written then.
    /// [`ErrorKind::Config`] where the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let exchanges = self.exchanges.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut text = serde_json::to_vec_pretty(&Cassette { version: VERSION, exchanges })
            .map_err(|error| Error::new(ErrorKind::Internal, "the cassette is no JSON").caused_by(error))?;
        text.push(b'\n');
        if let Some(form) = self.redaction.left_in(&text) {
            return Err(Error::new(
                ErrorKind::Internal,
                format!(
                    "a secret is still in the recording, as {form}; it was not written to {}",
                    path.display()
                ),
            ));
        }
        std::fs::write(path, text).map_err(|error| {
            let message = format!("the cassette {} cannot be written", path.display());
            Error::new(ErrorKind::Config, message).caused_by(error)
        })
    }
}

#[async_trait]
impl Transport for Recorder {
    async fn send(
        &self,
        request: http::Request<RequestBody>,
        limits: &TransportLimits,
    ) -> Result<http::Response<ByteStream>> {
        let (parts, body) = request.into_parts();
        let sent = whole(body).await?;
        let redaction = &self.redaction;
        let kept = Request {
            method: parts.method.to_string(),
            url: redaction.url(&parts.uri.to_string()),
            headers: redaction.headers(&parts.headers),
            body_sha256: hash(&redaction.bytes(sent.to_vec())),
        };
        let body = if sent.is_empty() { RequestBody::Empty } else { RequestBody::Bytes(sent) };
        let answer = self.inner.send(http::Request::from_parts(parts, body), limits).await?;
        let (head, body) = answer.into_parts();
        let body: Bytes = drain(body).await?;
        let response = Response {
            status: head.status.as_u16(),
            headers: redaction.headers(&head.headers),
            body: Body::new(redaction.bytes(body.to_vec())),
        };
        let mut exchanges = self.exchanges.lock().unwrap_or_else(PoisonError::into_inner);
        exchanges.push(Exchange { request: kept, response });
        drop(exchanges);
        Ok(http::Response::from_parts(head, stream(body)))
    }
}
