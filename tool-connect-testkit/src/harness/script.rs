//! The other side of a connector under test: answers by route, and the requests that were sent.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, TryStreamExt, stream};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::Serialize;
use serde_json::Value;
use tool_connect_core::http::{ByteStream, RequestBody, Transport, TransportLimits};
use tool_connect_core::{Effect, Error, ErrorKind, Result, Retry};
use url::Url;

/// What a scripted provider answers.
///
/// ```
/// use serde_json::json;
/// use tool_connect_testkit::Answer;
///
/// let created = Answer::json(201, json!({ "number": 7 }));
/// let busy = Answer::status(429).header("retry-after", "1");
/// # drop((created, busy));
/// ```
#[derive(Clone)]
pub struct Answer(Kind);

#[derive(Clone)]
enum Kind {
    Head {
        status: u16,
        headers: Vec<(String, String)>,
        body: Bytes,
    },
    /// The connection could not be made: nothing was sent.
    Unreachable,
    /// The connection broke after the request was sent.
    Broken,
}

impl Answer {
    /// An answer of JSON.
    #[must_use]
    pub fn json(status: u16, body: impl Serialize) -> Self {
        // A value that is no JSON is a mistake in the test; it shows as an answer that is none.
        let text = serde_json::to_vec(&body).unwrap_or_default();
        Self::status(status).body(text).header("content-type", "application/json")
    }

    /// An answer without a body.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self(Kind::Head { status, headers: Vec::new(), body: Bytes::new() })
    }

    /// No answer: the host could not be reached, so nothing was executed.
    #[must_use]
    pub fn unreachable() -> Self {
        Self(Kind::Unreachable)
    }

    /// No answer: the connection broke after the request was sent, so nobody knows what happened.
    #[must_use]
    pub fn broken() -> Self {
        Self(Kind::Broken)
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        if let Kind::Head { headers, .. } = &mut self.0 {
            headers.push((name.to_owned(), value.into()));
        }
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, bytes: impl Into<Bytes>) -> Self {
        if let Kind::Head { body, .. } = &mut self.0 {
            *body = bytes.into();
        }
        self
    }

    fn into_response(self) -> Result<http::Response<ByteStream>> {
        let (status, headers, body) = match self.0 {
            Kind::Head { status, headers, body } => (status, headers, body),
            Kind::Unreachable => {
                return Err(Error::new(ErrorKind::Transport, "the scripted host cannot be reached")
                    .effect(Effect::NotExecuted));
            }
            Kind::Broken => return Err(Error::new(ErrorKind::Transport, "the scripted connection broke")),
        };
        let bad = || {
            Error::new(ErrorKind::Config, "a scripted answer has a status or header that HTTP does not allow")
        };
        let chunks = if body.is_empty() { Vec::new() } else { vec![Ok(body)] };
        let body: ByteStream = stream::iter(chunks).boxed();
        let mut response = http::Response::new(body);
        *response.status_mut() = StatusCode::from_u16(status).map_err(|_| bad())?;
        for (name, value) in headers {
            let name = HeaderName::try_from(name).map_err(|_| bad())?;
            response.headers_mut().append(name, HeaderValue::try_from(value).map_err(|_| bad())?);
        }
        Ok(response)
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Head { status, body, .. } => write!(f, "Answer({status}, {} bytes)", body.len()),
            Kind::Unreachable => f.write_str("Answer(unreachable)"),
            Kind::Broken => f.write_str("Answer(broken)"),
        }
    }
}

/// A request as the provider saw it.
///
/// `Debug` prints neither headers nor body: they hold the secret and the user's data.
#[derive(Clone)]
#[non_exhaustive]
pub struct SentRequest {
    /// Method.
    pub method: Method,
    /// Where to, with the query.
    pub url: Url,
    /// Headers, with the credential.
    pub headers: HeaderMap,
    /// Body, whole.
    pub body: Bytes,
}

impl SentRequest {
    /// A header's text, if it is there and readable.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// A parameter of the query, decoded.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<String> {
        self.url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// The body as JSON; `null` where it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

impl fmt::Debug for SentRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({} bytes)", self.method, self.url.path(), self.body.len())
    }
}

/// Makes an answer from a request.
pub(super) type Reply = dyn Fn(&SentRequest) -> Answer + Send + Sync;

struct Route {
    method: Method,
    path: String,
    /// Given in order; the last one stays.
    answers: Mutex<VecDeque<Arc<Reply>>>,
}

/// A transport that answers by route. A request without one fails and names the routes there are.
#[derive(Default)]
pub(super) struct Script {
    routes: Vec<Route>,
}

impl Script {
    pub(super) fn add(&mut self, method: Method, path: String, reply: Arc<Reply>) {
        match self.routes.iter().find(|route| route.method == method && route.path == path) {
            Some(route) => lock(&route.answers).push_back(reply),
            None => self.routes.push(Route { method, path, answers: Mutex::new(VecDeque::from([reply])) }),
        }
    }

    fn answer(&self, request: &SentRequest) -> Result<Answer> {
        let route = self.routes.iter().find(|r| r.method == request.method && r.path == request.url.path());
        let reply = route.and_then(|route| {
            let mut answers = lock(&route.answers);
            if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() }
        });
        match reply {
            Some(reply) => Ok(reply(request)),
            None => Err(self.unscripted(request)),
        }
    }

    fn unscripted(&self, request: &SentRequest) -> Error {
        let known: Vec<String> = self.routes.iter().map(|r| format!("{} {}", r.method, r.path)).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Error::new(
            ErrorKind::Config,
            format!("the test has no answer for {} {}; it has: {known}", request.method, request.url.path()),
        )
        .retry(Retry::Never)
    }
}

#[async_trait]
impl Transport for Script {
    async fn send(
        &self,
        request: http::Request<RequestBody>,
        _limits: &TransportLimits,
    ) -> Result<http::Response<ByteStream>> {
        let (request, _) = seen(request).await?;
        self.answer(&request)?.into_response()
    }
}

/// Writes down what passes, and passes it on.
pub(super) struct Tap {
    inner: Arc<dyn Transport>,
    log: Mutex<Vec<SentRequest>>,
}

impl Tap {
    pub(super) fn new(inner: Arc<dyn Transport>) -> Self {
        Self { inner, log: Mutex::default() }
    }

    pub(super) fn requests(&self) -> Vec<SentRequest> {
        lock(&self.log).clone()
    }
}

#[async_trait]
impl Transport for Tap {
    async fn send(
        &self,
        request: http::Request<RequestBody>,
        limits: &TransportLimits,
    ) -> Result<http::Response<ByteStream>> {
        let (request, parts) = seen(request).await?;
        let body = if request.body.is_empty() {
            RequestBody::Empty
        } else {
            RequestBody::Bytes(request.body.clone())
        };
        lock(&self.log).push(request);
        self.inner.send(http::Request::from_parts(parts, body), limits).await
    }
}

/// Reads a request whole.
async fn seen(request: http::Request<RequestBody>) -> Result<(SentRequest, http::request::Parts)> {
    let (parts, body) = request.into_parts();
    let body = match body {
        RequestBody::Bytes(bytes) => bytes,
        RequestBody::Stream(stream, _) => {
            let all = stream.try_fold(BytesMut::new(), |mut all, chunk| async move {
                all.extend_from_slice(&chunk);
                Ok(all)
            });
            all.await?.freeze()
        }
        _ => Bytes::new(),
    };
    let url = Url::parse(&parts.uri.to_string())
        .map_err(|e| Error::new(ErrorKind::Internal, format!("a request without an absolute URL: {e}")))?;
    let seen = SentRequest { method: parts.method.clone(), url, headers: parts.headers.clone(), body };
    Ok((seen, parts))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
