//! A transport that plays a script and remembers what it was asked.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use tool_connect_core::http::{ByteStream, RequestBody, Transport, TransportLimits};
use tool_connect_core::{Effect, Error, ErrorKind, Result, Retry};

/// What the other side does with one request.
pub(super) enum Step {
    Answer(u16, Vec<(&'static str, String)>, Vec<&'static str>),
    /// No connection: no byte was sent.
    Unreachable,
    /// The server closes the connection in order and has not read the request.
    Unread,
    /// The connection breaks after the request was sent.
    Breaks,
    /// Nothing ever comes.
    Silent,
    /// An answer whose body comes byte by byte, one each nine seconds, without end.
    Drips(u16),
    /// The answer comes after a while.
    After(Duration, Box<Step>),
    /// Something happens elsewhere first.
    Doing(Box<dyn FnOnce() + Send>, Box<Step>),
}

impl Step {
    pub(super) fn status(status: u16) -> Self {
        Self::Answer(status, Vec::new(), vec!["{}"])
    }

    pub(super) fn with(self, name: &'static str, value: impl ToString) -> Self {
        match self {
            Self::Answer(status, mut headers, body) => {
                headers.push((name, value.to_string()));
                Self::Answer(status, headers, body)
            }
            other => other,
        }
    }

    pub(super) fn body(self, chunks: &[&'static str]) -> Self {
        match self {
            Self::Answer(status, headers, _) => Self::Answer(status, headers, chunks.to_vec()),
            other => other,
        }
    }

    pub(super) fn redirect(status: u16, to: &str) -> Self {
        Self::status(status).with("location", to)
    }
}

/// A request as it reached the transport.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) method: String,
    pub(super) url: String,
    pub(super) headers: http::HeaderMap,
    pub(super) body: Bytes,
}

impl Seen {
    pub(super) fn authorization(&self) -> Option<&str> {
        self.headers.get("authorization")?.to_str().ok()
    }
}

/// Plays its steps in order, then answers 200.
pub(super) struct Script {
    steps: Mutex<VecDeque<Step>>,
    seen: Mutex<Vec<Seen>>,
}

impl Script {
    pub(super) fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self { steps: Mutex::new(steps.into_iter().collect()), seen: Mutex::default() }
    }

    pub(super) fn add(&self, steps: impl IntoIterator<Item = Step>) {
        self.steps.lock().expect("not poisoned").extend(steps);
    }

    /// What was asked since the last time.
    pub(super) fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.seen.lock().expect("not poisoned"))
    }
}

#[async_trait]
impl Transport for Script {
    async fn send(
        &self,
        request: http::Request<RequestBody>,
        _limits: &TransportLimits,
    ) -> Result<http::Response<ByteStream>> {
        let (parts, body) = request.into_parts();
        let seen = Seen {
            method: parts.method.to_string(),
            url: parts.uri.to_string(),
            headers: parts.headers,
            body: collect(body).await,
        };
        self.seen.lock().expect("not poisoned").push(seen);
        let next = self.steps.lock().expect("not poisoned").pop_front();
        let mut step = next.unwrap_or(Step::status(200));
        loop {
            step = match step {
                Step::After(wait, then) => {
                    tokio::time::sleep(wait).await;
                    *then
                }
                Step::Doing(work, then) => {
                    work();
                    *then
                }
                Step::Silent => std::future::pending().await,
                Step::Unreachable => {
                    return Err(
                        Error::new(ErrorKind::Transport, "connection refused").effect(Effect::NotExecuted)
                    );
                }
                Step::Unread => {
                    let error = Error::new(ErrorKind::Transport, "refused the request unread");
                    return Err(error.effect(Effect::NotExecuted).retry(Retry::After(Duration::ZERO)));
                }
                Step::Breaks => return Err(Error::new(ErrorKind::Transport, "connection reset")),
                Step::Drips(status) => {
                    let drips = stream::repeat(()).then(|()| async {
                        tokio::time::sleep(Duration::from_secs(9)).await;
                        Ok(Bytes::from_static(b"x"))
                    });
                    let response = http::Response::builder().status(status);
                    return Ok(response.body(Box::pin(drips) as ByteStream).expect("a response"));
                }
                Step::Answer(status, headers, chunks) => {
                    let mut response = http::Response::builder().status(status);
                    for (name, value) in headers {
                        response = response.header(name, value);
                    }
                    let chunks = stream::iter(chunks).map(|chunk| Ok(Bytes::from_static(chunk.as_bytes())));
                    return Ok(response.body(Box::pin(chunks) as ByteStream).expect("a response"));
                }
            };
        }
    }
}

async fn collect(body: RequestBody) -> Bytes {
    match body {
        RequestBody::Bytes(bytes) => bytes,
        RequestBody::Stream(mut stream, _) => {
            let mut all = BytesMut::new();
            while let Some(chunk) = stream.next().await {
                all.extend_from_slice(&chunk.expect("a chunk"));
            }
            all.freeze()
        }
        _ => Bytes::new(),
    }
}
