//! Requests to authorization servers, over the host's guarded transport.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use serde::de::DeserializeOwned;
use tool_connect_core::http::{RequestBody, Response, Transport, TransportLimits};
use tool_connect_core::{Clock, Effect, Error, ErrorKind, Result, Retry, SystemClock};
use url::{Url, form_urlencoded};

use super::dpop::DpopNonces;
use super::failure;

/// Media type of a form.
pub(super) const FORM: &str = "application/x-www-form-urlencoded";
/// Media type of JSON.
pub(super) const JSON: &str = "application/json";

const USER_AGENT: &str = concat!("tool-connect/", env!("CARGO_PKG_VERSION"));

/// Bounds on a request to an authorization server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpLimits {
    /// From begin to end, the body included: 30 seconds unless set.
    pub total: Duration,
    /// Each phase: 10 seconds to connect, 20 for the head, 10 between two pieces of the body unless set.
    pub phases: TransportLimits,
    /// Size of the answer's body in bytes: 1 MiB unless set.
    pub max_bytes: u64,
}

impl Default for HttpLimits {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            total: seconds(30),
            phases: TransportLimits { connect: seconds(10), head: seconds(20), idle: seconds(10) },
            max_bytes: 1 << 20,
        }
    }
}

/// Who is asked for what: each error names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked<'a> {
    /// The provider's id in the catalog, or an issuer.
    pub provider: &'a str,
    /// The step: `token request`, `device authorization`, `metadata`.
    pub step: &'static str,
}

impl<'a> Asked<'a> {
    /// A provider and a step.
    #[must_use]
    pub fn new(provider: &'a str, step: &'static str) -> Self {
        Self { provider, step }
    }

    /// An error about this request, without an effect that is known.
    pub(crate) fn error(&self, kind: ErrorKind, what: impl fmt::Display) -> Error {
        Error::new(kind, format!("provider `{}`, {}: {what}", self.provider.escape_debug(), self.step))
            .effect(Effect::Unknown)
    }
}

/// Sends requests to authorization servers: one attempt, no redirect, bounded in time and size.
///
/// The transport is the host's, so its address guard holds for every endpoint that a catalog or a discovery names. Nothing is
/// sent twice here but what a server left unread, as HTTP/2 servers do that close a connection: whoever calls knows whether more is
/// safe.
///
/// ```
/// # async fn example(transport: std::sync::Arc<dyn tool_connect_core::http::Transport>) -> tool_connect_core::Result<()> {
/// use tool_connect_oauth::flow::{Asked, OAuthHttp};
///
/// let http = OAuthHttp::new(transport);
/// let asked = Asked::new("https://as.example", "metadata");
/// let url = "https://as.example/.well-known/oauth-authorization-server".parse().expect("a URL");
/// let metadata: serde_json::Value = http.get(asked, &url).await?.success(asked)?.json(asked)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct OAuthHttp {
    transport: Arc<dyn Transport>,
    limits: HttpLimits,
    clock: Arc<dyn Clock>,
    nonces: DpopNonces,
}

impl fmt::Debug for OAuthHttp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthHttp").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl OAuthHttp {
    /// Requests over a transport, within the usual limits.
    #[must_use]
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self {
            transport,
            limits: HttpLimits::default(),
            clock: Arc::new(SystemClock),
            nonces: DpopNonces::default(),
        }
    }

    /// Sets the limits.
    #[must_use]
    pub fn limits(mut self, limits: HttpLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the clock against which a `Retry-After` date is read. Time-outs are the runtime's.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The nonces that authorization servers want in proofs (RFC 9449 §8).
    pub(super) fn dpop_nonces(&self) -> &DpopNonces {
        &self.nonces
    }

    /// The longest that a request may take, from begin to end.
    #[must_use]
    pub fn total_timeout(&self) -> Duration {
        self.limits.total
    }

    /// Asks for JSON.
    ///
    /// # Errors
    /// [`ErrorKind::Transport`] where the server cannot be reached or is too slow, [`ErrorKind::Blocked`] where the address
    /// is refused, [`ErrorKind::TooLarge`] for a body over the limit, [`ErrorKind::Provider`] for a redirect.
    pub async fn get(&self, asked: Asked<'_>, url: &Url) -> Result<Answer> {
        self.send(asked, Method::GET, url, HeaderMap::new(), None).await
    }

    /// Sends a form (RFC 6749 appendix B).
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn post_form<K: AsRef<str>, V: AsRef<str>>(
        &self,
        asked: Asked<'_>,
        url: &Url,
        headers: HeaderMap,
        form: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Answer> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let body = (FORM, body.into());
        self.send(asked, Method::POST, url, headers, Some(body)).await
    }

    /// Sends JSON.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn post_json(
        &self,
        asked: Asked<'_>,
        url: &Url,
        headers: HeaderMap,
        body: &serde_json::Value,
    ) -> Result<Answer> {
        let body = (JSON, body.to_string().into());
        self.send(asked, Method::POST, url, headers, Some(body)).await
    }

    /// Sends a request of any form, with `accept: application/json` unless `headers` say otherwise; the body goes with its
    /// media type.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn send(
        &self,
        asked: Asked<'_>,
        method: Method,
        url: &Url,
        headers: HeaderMap,
        body: Option<(&'static str, Bytes)>,
    ) -> Result<Answer> {
        let mut request = Request::new(RequestBody::Empty);
        *request.method_mut() = method;
        *request.uri_mut() = url.as_str().parse().map_err(|_| {
            asked.error(ErrorKind::Config, "the endpoint's address is no URI; correct the catalog entry")
        })?;
        let fields = request.headers_mut();
        fields.insert(header::ACCEPT, HeaderValue::from_static(JSON));
        fields.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        if let Some((media_type, bytes)) = body {
            fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
            *request.body_mut() = RequestBody::Bytes(bytes);
        }
        request.headers_mut().extend(headers);
        let Ok(answer) = tokio::time::timeout(self.limits.total, self.exchange(asked, request)).await else {
            let seconds = self.limits.total.as_secs_f32();
            return Err(asked.error(
                ErrorKind::Transport,
                format_args!("no complete answer within {seconds} s; try again later"),
            ));
        };
        let answer = answer?;
        tracing::debug!(
            target: "tool_connect::oauth",
            provider = asked.provider, step = asked.step, status = answer.status.as_u16(),
            "an authorization server answered"
        );
        if answer.status.is_redirection() {
            return Err(failure::redirected(asked, &answer));
        }
        Ok(answer)
    }

    async fn exchange(&self, asked: Asked<'_>, request: Request<RequestBody>) -> Result<Answer> {
        let named =
            |error: Error| error.with("provider", asked.provider.escape_debug()).with("step", asked.step);
        let again = copy(&request);
        let mut sent = self.transport.send(request, &self.limits.phases).await;
        let unread = sent.as_ref().err().is_some_and(left_unread);
        if let (true, Some(again)) = (unread, again) {
            sent = self.transport.send(again, &self.limits.phases).await;
        }
        let response = sent.map_err(named)?;
        let (head, body) = response.into_parts();
        let (status, headers) = (head.status, head.headers.clone());
        let body = Response::new(head, body, self.limits.max_bytes).bytes().await.map_err(|error| {
            // The request was sent: whatever it was for may have happened.
            if error.kind() == ErrorKind::TooLarge {
                let what = format_args!("the answer is larger than {} bytes", self.limits.max_bytes);
                asked.error(ErrorKind::TooLarge, what).status(status.as_u16())
            } else {
                named(error).effect(Effect::Unknown)
            }
        })?;
        let wait = failure::retry_after(&headers, self.clock.now());
        Ok(Answer { status, headers, body, retry: wait.map_or(Retry::Backoff, Retry::After) })
    }
}

/// An answer, whatever its status; never a redirect. `Debug` prints neither body nor headers.
#[derive(Clone)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body, complete.
    pub body: Bytes,
    /// When to ask again, where the answer is a refusal that passes.
    pub(crate) retry: Retry,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl Answer {
    /// The answer, if its status says success.
    ///
    /// # Errors
    /// [`ErrorKind::RateLimited`] for 429; [`ErrorKind::Provider`] for everything else, with advice to try again for 5xx.
    /// An OAuth error in the body is kept as [`OAuthFailure`](super::OAuthFailure).
    pub fn success(self, asked: Asked<'_>) -> Result<Self> {
        if self.status.is_success() { Ok(self) } else { Err(failure::refused(asked, &self)) }
    }

    /// The body, decoded from JSON. The content type is not looked at: what counts is that it is JSON.
    ///
    /// # Errors
    /// [`ErrorKind::Provider`] where it is something else; the message says what, and repeats nothing of it.
    pub fn json<T: DeserializeOwned>(&self, asked: Asked<'_>) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|error| failure::unreadable(asked, self, &error))
    }

    /// A header's text, where it is there once and readable.
    pub(crate) fn header(&self, name: impl header::AsHeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// The same request again, unless its body is a stream.
fn copy(request: &Request<RequestBody>) -> Option<Request<RequestBody>> {
    let mut copy = Request::new(request.body().try_clone()?);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    Some(copy)
}

/// Whether the server is certain not to have read the request, and will do so at once.
fn left_unread(error: &Error) -> bool {
    error.kind() == ErrorKind::Transport
        && error.effect_on_provider() == Effect::NotExecuted
        && error.retry_advice() == Retry::After(Duration::ZERO)
}
