//! A provider that answers what it is told to, in order, and how a request is written down.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Map, Value, json};
use tool_connect_connectors::declarative::Declarative;
use tool_connect_core::http::{ByteStream, RequestBody, Transport, TransportLimits};
use tool_connect_core::{AuthScheme, Connector as _, Error, ErrorKind, Result, Retry};
use tool_connect_hub::InstanceOptions;
use tool_connect_testkit::{Harness, SentRequest};

/// An answer; without a status the connection breaks after the request was sent.
#[derive(Clone)]
pub(super) struct Reply {
    pub(super) status: Option<u16>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Bytes,
}

impl Reply {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self::raw(status, "application/json", body.to_string())
    }

    pub(super) fn raw(status: u16, media_type: &str, body: impl Into<Bytes>) -> Self {
        let headers = vec![("content-type".to_owned(), media_type.to_owned())];
        Self { status: Some(status), headers, body: body.into() }
    }

    pub(super) fn broken() -> Self {
        Self { status: None, headers: Vec::new(), body: Bytes::new() }
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// As the files of these tests have it: `status`, `headers`, `body` (text as it is, all else as JSON).
    pub(super) fn of(value: &Value) -> Self {
        let status = value["status"].as_u64().unwrap_or(200).try_into().unwrap();
        let mut reply = match &value["body"] {
            Value::Null => Self::raw(status, "application/json", ""),
            Value::String(text) => Self::raw(status, "text/plain", text.clone()),
            body => Self::json(status, body),
        };
        for (name, text) in value["headers"].as_object().into_iter().flatten() {
            reply.headers.retain(|(known, _)| known != name);
            reply = reply.header(name, text.as_str().unwrap());
        }
        reply
    }
}

/// The provider.
#[derive(Default)]
pub(super) struct Stand(Mutex<VecDeque<Reply>>);

impl Stand {
    pub(super) fn with(replies: impl IntoIterator<Item = Reply>) -> Arc<Self> {
        let stand = Self::default();
        stand.answer(replies);
        Arc::new(stand)
    }

    pub(super) fn answer(&self, replies: impl IntoIterator<Item = Reply>) {
        self.0.lock().unwrap().extend(replies);
    }

    /// How many answers nobody asked for.
    pub(super) fn left(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    pub(super) async fn harness(self: &Arc<Self>, connector: Declarative) -> Harness {
        // A harness has no vault: a token of OAuth is sent like any other bearer token.
        let mut schemes = connector.manifest().auth.iter();
        let scheme = schemes.find(|scheme| !matches!(scheme, AuthScheme::OAuth2(_)));
        let scheme = scheme.cloned().unwrap_or(AuthScheme::Bearer);
        let harness = Harness::builder(connector).instance(InstanceOptions::default().auth(scheme));
        harness.transport(Arc::clone(self) as _).build().await.unwrap()
    }
}

#[async_trait]
impl Transport for Stand {
    async fn send(
        &self,
        request: http::Request<RequestBody>,
        _limits: &TransportLimits,
    ) -> Result<http::Response<ByteStream>> {
        let Some(reply) = self.0.lock().unwrap().pop_front() else {
            let asked = format!("no answer is left for {} {}", request.method(), request.uri().path());
            return Err(Error::new(ErrorKind::Config, asked).retry(Retry::Never));
        };
        let Some(status) = reply.status else {
            return Err(Error::new(ErrorKind::Transport, "the connection broke"));
        };
        let mut response = http::Response::builder().status(status);
        for (name, value) in &reply.headers {
            response = response.header(name, value);
        }
        let body: ByteStream = Box::pin(futures_util::stream::iter([Ok(reply.body)]));
        Ok(response.body(body).unwrap())
    }
}

/// A value under a name; a second one makes an array of both.
fn put(members: &mut Map<String, Value>, name: String, value: String) {
    match members.get_mut(&name) {
        None => drop(members.insert(name, value.into())),
        Some(Value::Array(values)) => values.push(value.into()),
        Some(first) => *first = json!([first.clone(), value]),
    }
}

/// A request as JSON: method, path as it is encoded, query and body decoded, and the headers that are not in all of them.
pub(super) fn written(sent: &SentRequest) -> Value {
    let mut query = Map::new();
    for (name, value) in sent.url.query_pairs().filter(|(name, _)| name != "token") {
        put(&mut query, name.into_owned(), value.into_owned());
    }
    let mut out = json!({"method": sent.method.as_str(), "path": sent.url.path()});
    if !query.is_empty() {
        out["query"] = Value::Object(query);
    }
    for name in ["stripe-version", "sforce-query-options", "user-agent"] {
        if let Some(value) = sent.header(name) {
            out["headers"][name] = value.into();
        }
    }
    if sent.header("content-type") == Some("application/x-www-form-urlencoded") {
        let mut form = Map::new();
        for (name, value) in url::form_urlencoded::parse(&sent.body) {
            put(&mut form, name.into_owned(), value.into_owned());
        }
        out["form"] = Value::Object(form);
    } else if !sent.body.is_empty() {
        assert_eq!(sent.header("content-type"), Some("application/json"));
        out["body"] = sent.json();
    }
    out
}
