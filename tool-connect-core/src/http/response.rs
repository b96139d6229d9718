//! Answers as tools read them.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;

use crate::error::{Effect, Error, ErrorKind, Result};

/// Bytes as they arrive.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

/// An answer whose body is still to be read; at most `max_bytes` of it.
pub struct Response {
    head: http::response::Parts,
    body: Body,
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response").field("status", &self.head.status).finish_non_exhaustive()
    }
}

impl Response {
    /// An answer from its head and body; reading more than `max_bytes` is an error.
    #[must_use]
    pub fn new(head: http::response::Parts, body: ByteStream, max_bytes: u64) -> Self {
        Self { head, body: Body { stream: body, left: max_bytes } }
    }

    /// Status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.head.status
    }

    /// Headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// A header's text, if it is there and readable.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name)?.to_str().ok()
    }

    /// The whole head.
    #[must_use]
    pub fn head(&self) -> &http::response::Parts {
        &self.head
    }

    /// The next piece of the body; `None` at its end.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`] above the cap, [`ErrorKind::Transport`] where the body breaks off.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        self.body.chunk().await
    }

    /// The whole body.
    ///
    /// # Errors
    /// As [`chunk`](Self::chunk).
    // These futures hold what they need of a response and not all of it: they are moved, and are part of every tool's own.
    pub fn bytes(self) -> impl Future<Output = Result<Bytes>> + use<> {
        let mut body = self.body;
        async move { body.rest().await }
    }

    /// The head, and the whole body.
    pub(crate) async fn parts(self) -> Result<(http::response::Parts, Bytes)> {
        let head = self.head.clone();
        Ok((head, self.bytes().await?))
    }

    /// An answer whose body is there.
    pub(crate) fn from_bytes(head: http::response::Parts, body: Bytes) -> Self {
        Self::new(head, Box::pin(Whole(Some(body))), u64::MAX)
    }

    /// The body as text.
    ///
    /// # Errors
    /// As [`chunk`](Self::chunk); [`ErrorKind::Provider`] where it is not UTF-8.
    pub async fn text(self) -> Result<String> {
        String::from_utf8(self.bytes().await?.into())
            .map_err(|_| Error::new(ErrorKind::Provider, "the provider's answer is not UTF-8 text"))
    }

    /// The body decoded from JSON.
    ///
    /// # Errors
    /// As [`chunk`](Self::chunk); [`ErrorKind::Provider`] where it is not JSON or does not fit `T`.
    pub fn json<T: DeserializeOwned>(self) -> impl Future<Output = Result<T>> + use<T> {
        let Self { head, mut body } = self;
        let status = head.status.as_u16();
        let kind = head.headers.get(http::header::CONTENT_TYPE).cloned();
        async move { serde_json::from_slice(&body.rest().await?).map_err(|e| not_json(&e, status, kind.as_ref())) }
    }

    /// The body as a stream, still capped.
    #[must_use]
    pub fn into_stream(self) -> ByteStream {
        let Body { stream, left } = self.body;
        Box::pin(Capped { body: stream, left, ended: false })
    }
}

/// A body, and how much of it may still come.
struct Body {
    stream: ByteStream,
    left: u64,
}

impl Body {
    async fn chunk(&mut self) -> Result<Option<Bytes>> {
        match poll_fn(|cx| self.stream.as_mut().poll_next(cx)).await {
            None => Ok(None),
            Some(Err(error)) => Err(error),
            Some(Ok(chunk)) => {
                let size = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
                self.left = self.left.checked_sub(size).ok_or_else(too_large)?;
                Ok(Some(chunk))
            }
        }
    }

    async fn rest(&mut self) -> Result<Bytes> {
        let Some(first) = self.chunk().await? else { return Ok(Bytes::new()) };
        let Some(second) = self.chunk().await? else { return Ok(first) };
        let mut all = BytesMut::with_capacity(first.len() + second.len());
        all.extend_from_slice(&first);
        all.extend_from_slice(&second);
        while let Some(chunk) = self.chunk().await? {
            all.extend_from_slice(&chunk);
        }
        Ok(all.freeze())
    }
}

#[cold]
fn not_json(e: &serde_json::Error, status: u16, kind: Option<&http::HeaderValue>) -> Error {
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or("no content type");
    let what = match e.classify() {
        serde_json::error::Category::Eof => "ends too early",
        serde_json::error::Category::Data => "does not have the expected form",
        _ => "is not JSON",
    };
    Error::new(ErrorKind::Provider, format!("the provider's answer {what}"))
        .status(status)
        .with("content-type", kind)
        .with("place", format!("line {}, column {}", e.line(), e.column()))
        .effect(Effect::Unknown)
}

fn too_large() -> Error {
    Error::new(
        ErrorKind::TooLarge,
        "the provider's answer is larger than the cap; ask for less, or raise `max_bytes`",
    )
}

/// A body that is there.
struct Whole(Option<Bytes>);

impl Stream for Whole {
    type Item = Result<Bytes>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(self.0.take().map(Ok))
    }
}

struct Capped {
    body: ByteStream,
    left: u64,
    ended: bool,
}

impl Stream for Capped {
    type Item = Result<Bytes>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        if self.ended {
            return std::task::Poll::Ready(None);
        }
        let item = std::task::ready!(self.body.as_mut().poll_next(cx));
        std::task::Poll::Ready(match item {
            Some(Ok(chunk)) => {
                let size = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
                if let Some(left) = self.left.checked_sub(size) {
                    self.left = left;
                    Some(Ok(chunk))
                } else {
                    self.ended = true;
                    Some(Err(too_large()))
                }
            }
            other => {
                self.ended = true;
                other
            }
        })
    }
}
