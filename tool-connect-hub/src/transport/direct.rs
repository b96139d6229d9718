//! Straight to the service, over hyper's pooled client: reqwest, which is made of it, parses each address three times more.

use std::error::Error as StdError;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Uri, header};
use http_body::{Body, Frame, SizeHint};
use hyper_util::client::legacy::{Client, ResponseFuture};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tool_connect_core::http::{ByteStream, RequestBody};
use tool_connect_core::{Effect, Error, ErrorKind, Result, Retry};

use super::body::cause;
use super::client::{broken, of_ours};
use super::dial::Dial;
use super::settings::HttpSettings;

/// A pool of connections.
pub(super) type Pool = Client<Dial, Outgoing>;

pub(super) fn pool(settings: &HttpSettings, dial: Dial) -> Pool {
    Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(settings.pool_idle)
        .pool_max_idle_per_host(settings.pool_per_host)
        .build(dial)
}

/// Sends a request; the answer's head is what comes of it.
///
/// # Errors
/// [`ErrorKind::InvalidArguments`] where the URL is none for it.
pub(super) fn send(
    pool: &Pool,
    mut parts: http::request::Parts,
    body: Outgoing,
    user_agent: &HeaderValue,
) -> Result<ResponseFuture> {
    check(&parts.uri)?;
    // Which version is spoken is agreed with the server.
    parts.version = http::Version::HTTP_11;
    let headers = &mut parts.headers;
    if !headers.contains_key(header::USER_AGENT) {
        headers.insert(header::USER_AGENT, user_agent.clone());
    }
    if !headers.contains_key(header::ACCEPT) {
        headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
    }
    Ok(pool.request(http::Request::from_parts(parts, body)))
}

fn check(uri: &Uri) -> Result<()> {
    match (uri.scheme_str(), uri.authority()) {
        (Some("http" | "https"), Some(_)) => Ok(()),
        _ => {
            Err(Error::new(ErrorKind::InvalidArguments, "the request's URL is not absolute, or not of http"))
        }
    }
}

pub(super) fn failed(error: hyper_util::client::legacy::Error, host: &str, had_body: bool) -> Error {
    if let Some(ours) = cause::<Error>(&error) {
        return of_ours(ours, error.is_connect());
    }
    if error.is_connect() {
        let late = cause::<io::Error>(&error).is_some_and(|error| error.kind() == io::ErrorKind::TimedOut);
        let what = if late { "could not be connected to in time" } else { "could not be connected to" };
        return broken(host, what, Effect::NotExecuted, error);
    }
    if was_unread(&error, had_body) {
        // It may be sent again right away, and says nothing of the host's health: so HTTP/2 closes a connection.
        let error = broken(host, "refused the request unread", Effect::NotExecuted, error);
        return error.retry(Retry::After(Duration::ZERO));
    }
    broken(host, "broke the connection before its answer", Effect::Unknown, error)
}

/// Whether an HTTP/2 server did not look at the request (RFC 9113 §8.7). The end of a connection proves it only for a request
/// with a body, none of which had been sent: the head of another may have gone out while the end came in.
fn was_unread(error: &(dyn StdError + 'static), had_body: bool) -> bool {
    cause::<h2::Error>(error).is_some_and(|error| {
        let said = |reason| error.is_remote() && error.reason() == Some(reason);
        error.is_reset() && said(h2::Reason::REFUSED_STREAM)
            || had_body && error.is_go_away() && said(h2::Reason::NO_ERROR)
    })
}

/// A request's body on its way out.
pub(super) enum Outgoing {
    Whole(Bytes),
    Stream(ByteStream),
    Measured(Measured),
}

/// A stream with a length that was said. Its last piece is held back until the stream has ended: a client asks for no more than was
/// said, and would cut off the rest in silence. (Of a stream that is said to be empty it asks for nothing.)
pub(super) struct Measured {
    /// Gone when it has ended.
    stream: Option<ByteStream>,
    left: u64,
    last: Option<Bytes>,
}

impl Measured {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        while let Some(stream) = &mut self.stream {
            match ready!(stream.as_mut().poll_next(cx)).transpose()? {
                None if self.left > 0 => return Poll::Ready(Some(Err(not_as_long("shorter")))),
                None => self.stream = None,
                Some(chunk) if chunk.is_empty() => {}
                Some(chunk) => {
                    let size = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
                    let Some(left) = self.left.checked_sub(size) else {
                        return Poll::Ready(Some(Err(not_as_long("longer"))));
                    };
                    self.left = left;
                    if left > 0 {
                        return Poll::Ready(Some(Ok(chunk)));
                    }
                    self.last = Some(chunk);
                }
            }
        }
        Poll::Ready(self.last.take().map(Ok))
    }
}

impl Outgoing {
    pub(super) fn new(body: RequestBody) -> Result<Self> {
        match body {
            RequestBody::Empty => Ok(Self::Whole(Bytes::new())),
            RequestBody::Bytes(bytes) => Ok(Self::Whole(bytes)),
            RequestBody::Stream(stream, None) => Ok(Self::Stream(stream)),
            RequestBody::Stream(stream, Some(left)) => {
                Ok(Self::Measured(Measured { stream: Some(stream), left, last: None }))
            }
            _ => Err(unknown_body()),
        }
    }
}

pub(super) fn unknown_body() -> Error {
    Error::new(ErrorKind::Unsupported, "this kind of body is not known to the transport")
}

fn not_as_long(how: &str) -> Error {
    let message =
        format!("the request's body is {how} than was said; what was sent of it may have been taken");
    Error::new(ErrorKind::InvalidArguments, message).effect(Effect::Unknown)
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>>>> {
        match self.get_mut() {
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Stream(stream) => stream.as_mut().poll_next(cx).map_ok(Frame::data),
            Self::Measured(measured) => measured.poll_next(cx).map_ok(Frame::data),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(u64::try_from(bytes.len()).unwrap_or(u64::MAX)),
            Self::Stream(_) => SizeHint::default(),
            Self::Measured(Measured { left, last, .. }) => {
                let held = last.as_ref().map_or(0, Bytes::len);
                SizeHint::with_exact(left.saturating_add(u64::try_from(held).unwrap_or(u64::MAX)))
            }
        }
    }
}
