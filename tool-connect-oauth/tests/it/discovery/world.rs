//! Servers made of answers: a transport that says what a test put there, and remembers what it was asked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::stream;
use http::{HeaderMap, Method};
use serde_json::Value;
use tool_connect_core::http::{ByteStream, RequestBody, Transport, TransportLimits};
use tool_connect_core::{Error, ErrorKind, Result};
use tool_connect_oauth::flow::OAuthHttp;

/// A request as it was sent.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) url: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }
}

#[derive(Default)]
struct State {
    answers: HashMap<String, (u16, String)>,
    seen: Vec<Seen>,
    /// Refuses everything, as a network that is down.
    down: bool,
}

/// Servers made of answers. Where nothing was put, there is a 404.
#[derive(Clone, Default)]
pub(crate) struct World(Arc<Mutex<State>>);

impl World {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn http(&self) -> OAuthHttp {
        OAuthHttp::new(Arc::new(self.clone()))
    }

    /// Puts an answer at `METHOD url`.
    pub(crate) fn put(&self, target: &str, status: u16, body: impl Into<String>) {
        self.state().answers.insert(target.to_owned(), (status, body.into()));
    }

    /// Puts JSON at an address, for GET.
    pub(crate) fn json(&self, url: &str, body: &Value) {
        self.put(&format!("GET {url}"), 200, body.to_string());
    }

    pub(crate) fn down(&self, down: bool) {
        self.state().down = down;
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.state().seen.clone()
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| format!("{} {}", seen.method, seen.url)).collect()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().expect("no test panics with it")
    }
}

#[async_trait]
impl Transport for World {
    async fn send(
        &self,
        request: http::Request<RequestBody>,
        _limits: &TransportLimits,
    ) -> Result<http::Response<ByteStream>> {
        let (parts, body) = request.into_parts();
        let body = match body {
            RequestBody::Bytes(bytes) => bytes.to_vec(),
            _ => Vec::new(),
        };
        let url = parts.uri.to_string();
        let answer = {
            let mut state = self.state();
            state.seen.push(Seen {
                method: parts.method.clone(),
                url: url.clone(),
                headers: parts.headers,
                body,
            });
            if state.down {
                return Err(Error::new(ErrorKind::Transport, "the network is down"));
            }
            state.answers.get(&format!("{} {url}", parts.method)).cloned()
        };
        // Concurrent requests meet here.
        tokio::task::yield_now().await;
        let (status, text) = answer.unwrap_or((404, "not found".to_owned()));
        let body: ByteStream = Box::pin(stream::iter([Ok(text.into())]));
        Ok(http::Response::builder().status(status).body(body).expect("a valid response"))
    }
}
