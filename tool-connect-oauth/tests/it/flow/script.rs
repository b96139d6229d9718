//! A transport that answers as a test says, and remembers what it was asked.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, Method, Request, Response};
use serde_json::Value;
use tool_connect_core::http::{ByteStream, RequestBody, Transport, TransportLimits};
use tool_connect_core::{Error, Result};
use url::form_urlencoded;

pub(super) struct Script {
    replies: Mutex<VecDeque<Reply>>,
    sent: Mutex<Vec<Sent>>,
    limits: Mutex<Option<TransportLimits>>,
}

/// An answer, or what happens instead.
pub(super) enum Reply {
    Answer {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: Bytes,
    },
    /// The body comes in pieces, the last of which is a failure.
    Broken {
        pieces: Vec<Bytes>,
        error: Error,
    },
    Fails(Error),
    /// The head comes after this time.
    Slow(Duration, Box<Reply>),
    /// The body never ends, and comes a byte at a time.
    Drips,
}

impl Reply {
    pub(super) fn json(status: u16, body: Value) -> Self {
        Self::text(status, "application/json", &body.to_string())
    }

    pub(super) fn text(status: u16, media_type: &str, body: &str) -> Self {
        Self::Answer {
            status,
            headers: vec![("content-type", media_type.to_owned())],
            body: Bytes::copy_from_slice(body.as_bytes()),
        }
    }

    pub(super) fn bytes(status: u16, body: impl Into<Bytes>) -> Self {
        Self::Answer { status, headers: Vec::new(), body: body.into() }
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name, value.into()));
        }
        self
    }

    /// A bearer token that lives for an hour.
    pub(super) fn token() -> Self {
        Self::json(
            200,
            serde_json::json!({ "access_token": "access-token-2", "token_type": "Bearer", "expires_in": 3600 }),
        )
    }

    pub(super) fn error(code: &str) -> Self {
        Self::json(400, serde_json::json!({ "error": code }))
    }
}

/// A request as it went out.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub method: Method,
    pub url: String,
    pub headers: HeaderMap,
    pub body: String,
}

impl Sent {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// All values of a field of the form.
    pub(super) fn fields(&self, name: &str) -> Vec<String> {
        let pairs = form_urlencoded::parse(self.body.as_bytes());
        pairs.filter(|(known, _)| known == name).map(|(_, value)| value.into_owned()).collect()
    }

    /// The value of a field, which must not be there twice.
    pub(super) fn field(&self, name: &str) -> Option<String> {
        let mut values = self.fields(name);
        assert!(values.len() < 2, "{name} is there {} times", values.len());
        values.pop()
    }
}

impl Script {
    pub(super) fn new(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self {
            replies: Mutex::new(replies.into_iter().collect()),
            sent: Mutex::default(),
            limits: Mutex::default(),
        }
    }

    pub(super) fn sent(&self) -> Vec<Sent> {
        self.sent.lock().expect("no panic").clone()
    }

    /// The bounds of the last request.
    pub(super) fn limits(&self) -> TransportLimits {
        self.limits.lock().expect("no panic").expect("a request")
    }

    /// The only request.
    #[track_caller]
    pub(super) fn only(&self) -> Sent {
        let mut sent = self.sent();
        assert_eq!(sent.len(), 1, "{sent:?}");
        sent.remove(0)
    }
}

#[async_trait]
impl Transport for Script {
    async fn send(
        &self,
        request: Request<RequestBody>,
        limits: &TransportLimits,
    ) -> Result<Response<ByteStream>> {
        *self.limits.lock().expect("no panic") = Some(*limits);
        let (head, body) = request.into_parts();
        let body = match body {
            RequestBody::Bytes(bytes) => String::from_utf8(bytes.to_vec()).expect("text"),
            _ => String::new(),
        };
        self.sent.lock().expect("no panic").push(Sent {
            method: head.method,
            url: head.uri.to_string(),
            headers: head.headers,
            body,
        });
        let mut reply =
            self.replies.lock().expect("no panic").pop_front().expect("a request that the test expects");
        loop {
            let (status, headers, body): (_, _, ByteStream) = match reply {
                Reply::Slow(wait, then) => {
                    tokio::time::sleep(wait).await;
                    reply = *then;
                    continue;
                }
                Reply::Fails(error) => return Err(error),
                Reply::Answer { status, headers, body } => {
                    (status, headers, Box::pin(stream::once(async { Ok(body) })))
                }
                Reply::Broken { pieces, error } => {
                    let pieces = pieces.into_iter().map(Ok).chain([Err(error)]);
                    (200, Vec::new(), Box::pin(stream::iter(pieces)))
                }
                Reply::Drips => {
                    let drops = stream::unfold((), |()| async {
                        tokio::time::sleep(Duration::from_secs(1)).await;
                        Some((Ok(Bytes::from_static(b" ")), ()))
                    });
                    (200, Vec::new(), Box::pin(drops))
                }
            };
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            return Ok(response.body(body).expect("a response"));
        }
    }
}

/// Header and claims of a JWT, unchecked.
pub(super) fn jwt(token: &str) -> (Value, Value) {
    let mut parts = token.split('.');
    let mut part = || {
        let bytes = URL_SAFE_NO_PAD.decode(parts.next().expect("a part")).expect("base64url");
        serde_json::from_slice(&bytes).expect("JSON")
    };
    (part(), part())
}
