//! Gmail, Google Calendar and Google Drive: what is sent, held against Google's own client, what comes of answers, and a day's
//! work with each.

#![allow(dead_code, reason = "a connector's tests take of it what they need")]

#[cfg(feature = "google_calendar")]
mod calendar;
#[cfg(all(feature = "gmail", feature = "google_calendar", feature = "google_drive"))]
mod cases;
#[cfg(feature = "google_drive")]
mod drive;
#[cfg(any(feature = "gmail", feature = "google_calendar", feature = "google_drive"))]
mod errors;
#[cfg(feature = "gmail")]
mod gmail;
#[cfg(feature = "gmail")]
mod mail;
#[cfg(feature = "google_drive")]
mod upload;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, Method};
use serde_json::Value;
use tool_connect_core::http::{ByteStream, RequestBody, Transport, TransportLimits};
use tool_connect_core::{Connector, Error, ErrorKind, Result, ToolCall, ToolSet};
use tool_connect_testkit::{Harness, HarnessBuilder, lint};
use url::Url;

use crate::provider::{assert_fits_every_dialect, assert_promises};

/// What the service is asked.
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Asked {
    /// `GET /gmail/v1/users/me/profile`.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.url.path())
    }

    pub(crate) fn query(&self, name: &str) -> Option<String> {
        self.url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// What it answers; nothing where the connection breaks.
pub(crate) enum Told {
    Answer(u16, Vec<(&'static str, String)>, Vec<u8>),
    Broken,
}

impl Told {
    pub(crate) fn json(body: Value) -> Self {
        Self::status(200, body)
    }

    pub(crate) fn status(status: u16, body: Value) -> Self {
        let kind = ("content-type", "application/json; charset=UTF-8".to_owned());
        Self::Answer(status, vec![kind], body.to_string().into())
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self::Answer(status, Vec::new(), Vec::new())
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Self::Answer(_, headers, _) = &mut self {
            headers.push((name, value.into()));
        }
        self
    }

    /// An error of Google's.
    pub(crate) fn error(code: u16, reason: &str, message: &str) -> Self {
        let item = serde_json::json!({"domain": "global", "reason": reason, "message": message});
        Self::status(code, serde_json::json!({"error": {"code": code, "message": message, "errors": [item]}}))
    }
}

/// A service that is a function; its state is what the function holds.
pub(crate) struct Service<F>(pub(crate) F);

#[async_trait]
impl<F: Fn(&Asked) -> Told + Send + Sync + 'static> Transport for Service<F> {
    async fn send(
        &self,
        request: http::Request<RequestBody>,
        _: &TransportLimits,
    ) -> Result<http::Response<ByteStream>> {
        let (parts, body) = request.into_parts();
        let mut all = BytesMut::new();
        match body {
            RequestBody::Bytes(bytes) => all.extend_from_slice(&bytes),
            RequestBody::Stream(mut stream, _) => {
                while let Some(piece) = stream.next().await {
                    all.extend_from_slice(&piece?);
                }
            }
            _ => {}
        }
        let url = Url::parse(&parts.uri.to_string()).unwrap();
        let asked = Asked { method: parts.method, url, headers: parts.headers, body: all.freeze() };
        let Told::Answer(status, headers, body) = (self.0)(&asked) else {
            return Err(Error::new(ErrorKind::Transport, "the connection broke"));
        };
        let body: ByteStream = stream::iter([Ok(Bytes::from(body))]).boxed();
        let mut response = http::Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(name, value);
        }
        Ok(response.body(body).unwrap())
    }
}

/// A connector in a Hub, with this service behind it.
pub(crate) fn with(
    connector: impl Connector,
    service: impl Fn(&Asked) -> Told + Send + Sync + 'static,
) -> HarnessBuilder {
    Harness::builder(connector).transport(Arc::new(Service(service)))
}

/// Calls a tool, with an idempotency key where there is one, and returns what comes of it.
pub(crate) async fn call(
    harness: &Harness,
    tool: &str,
    arguments: Value,
    key: Option<&str>,
) -> Result<Value> {
    let id = format!("{}.{tool}", harness.connection().unwrap().instance);
    let mut call = ToolCall::new(id, serde_json::to_vec(&arguments).unwrap());
    call.options.idempotency_key = key.map(Arc::from);
    harness.execute(call).await?.into_output()?.parse()
}

/// Stores a file for the user of the harness and returns its handle.
pub(crate) async fn stored(harness: &Harness, name: &str, media_type: &str, content: Vec<u8>) -> String {
    let keep = std::time::Duration::from_secs(3600);
    let data: ByteStream = stream::iter([Ok(Bytes::from(content))]).boxed();
    let file = harness.session().put_file(name, media_type, keep, data).await.unwrap();
    file.handle.as_str().to_owned()
}

pub(crate) fn names(connector: &dyn Connector) -> Vec<String> {
    let mut set = ToolSet::default();
    connector.tools(&mut set);
    let mut names: Vec<String> =
        set.into_tools().iter().map(|tool| tool.definition().name.to_string()).collect();
    names.sort();
    names
}

/// What holds for each of them.
pub(crate) fn assert_well_made(connector: &dyn Connector, page: &str) {
    lint::assert_clean(connector);
    assert_fits_every_dialect(connector);
    assert_promises(connector);
    let mut listed: Vec<String> = page
        .lines()
        .filter_map(|line| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned()))
        .collect();
    listed.sort();
    assert_eq!(listed, names(connector), "the page lists the tools that there are");
    let mut set = ToolSet::default();
    connector.tools(&mut set);
    for tool in set.into_tools() {
        let definition = tool.definition();
        let row = page.lines().find(|line| line.starts_with(&format!("| `{}` |", definition.name))).unwrap();
        for scope in definition.scopes.iter().flat_map(|scope| scope.split('|')) {
            let short = scope.strip_prefix("https://www.googleapis.com/auth/").expect("a whole URL");
            assert!(row.contains(&format!("`{short}`")), "{}: {short}", definition.name);
        }
    }
}
