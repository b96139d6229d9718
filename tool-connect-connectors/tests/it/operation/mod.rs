//! Operations: the requests that arguments become, and the results that answers become.

mod answers;
mod bodies;
mod errors;
mod pages;
mod requests;

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tool_connect_connectors::operation::{Operation, Parameter, ParameterStyle, Place};
use tool_connect_core::http::{OutboundRequest, RequestBody, Response};
use tool_connect_core::store::{NewResult, ResultStore as _};
use tool_connect_core::{
    AuthScheme, Connector, ConnectorManifest, DynamicTool, Principal, SchemaSource, ToolDefinition, ToolSet,
};

use crate::bench::Bench;

/// A connector of one operation, as the tool `op`.
struct One(ConnectorManifest, Arc<Operation>);

impl One {
    fn new(operation: Operation) -> Self {
        let manifest = ConnectorManifest::new("one", semver::Version::new(1, 0, 0), "One")
            .base_url("https://api.example.com/v1".parse().unwrap())
            .auth(AuthScheme::Bearer);
        Self(manifest, Arc::new(operation))
    }
}

impl Connector for One {
    fn manifest(&self) -> &ConnectorManifest {
        &self.0
    }

    fn tools(&self, set: &mut ToolSet) {
        let operation = Arc::clone(&self.1);
        let definition = ToolDefinition::new(
            "op",
            "Runs the operation.",
            SchemaSource::Json(r#"{"type":"object"}"#.into()),
        );
        set.add_dynamic(DynamicTool::new(definition, move |arguments, cx| {
            let operation = Arc::clone(&operation);
            async move { operation.run(arguments, &cx).await }
        }));
    }
}

fn bench(operation: Operation) -> Bench {
    let bench = Bench::new(&One::new(operation));
    bench.shared.base_url.set("https://api.example.com/v1".parse().unwrap()).unwrap();
    bench
}

pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Response {
    let mut head = http::Response::builder().status(StatusCode::from_u16(status).unwrap());
    for (name, value) in headers {
        head = head.header(*name, *value);
    }
    let body: Bytes = body.into();
    let chunks: Vec<_> = body.chunks(1000).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
    let body = Box::pin(futures_util::stream::iter(chunks));
    Response::new(head.body(()).unwrap().into_parts().0, body, u64::MAX)
}

fn json_answer(body: Value) -> Response {
    answer(200, &[("content-type", "application/json")], body.to_string())
}

/// Answers every request with `{}` and keeps it.
fn record(bench: &Bench) -> Arc<Mutex<Vec<OutboundRequest>>> {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&sent);
    bench.answer(move |request| {
        kept.lock().unwrap().push(request);
        Ok(json_answer(json!({})))
    });
    sent
}

/// The request that these arguments make.
async fn request(operation: Operation, arguments: Value) -> OutboundRequest {
    let bench = bench(operation);
    let sent = record(&bench);
    bench.call("op", arguments).await.unwrap();
    sent.lock().unwrap().pop().unwrap()
}

/// The pointers of what is refused; nothing may be sent.
async fn refused(operation: Operation, arguments: Value) -> Vec<String> {
    let bench = bench(operation);
    let sent = record(&bench);
    let error = bench.refused("op", arguments.clone()).await;
    assert!(sent.lock().unwrap().is_empty());
    assert_eq!(error.kind(), tool_connect_core::ErrorKind::InvalidArguments, "{arguments}: {error}");
    error.problems().iter().map(|problem| problem.pointer.clone()).collect()
}

async fn bytes(request: OutboundRequest) -> Vec<u8> {
    match request.body {
        RequestBody::Bytes(bytes) => bytes.to_vec(),
        RequestBody::Stream(stream, length) => {
            let all: Vec<Bytes> = stream.try_collect().await.unwrap();
            assert_eq!(length, Some(all.concat().len() as u64));
            all.concat()
        }
        _ => Vec::new(),
    }
}

/// Puts a file into the result store of the bench's user.
async fn stored(bench: &Bench, name: &str, media_type: &str, data: Vec<u8>) -> String {
    let of = Principal::user("acme", "ada").unwrap();
    let new = NewResult {
        tenant: of.tenant,
        user: of.user,
        media_type: media_type.to_owned(),
        name: Some(name.to_owned()),
        keep: std::time::Duration::from_secs(60),
        max_bytes: u64::MAX,
    };
    let data = Box::pin(futures_util::stream::iter([Ok(Bytes::from(data))]));
    bench.shared.results.put(new, data).await.unwrap().handle.as_str().to_owned()
}

fn parameter(name: &str, place: Place) -> Parameter {
    Parameter::new(name, place)
}

fn styled(name: &str, place: Place, style: ParameterStyle, explode: bool) -> Parameter {
    let mut parameter = Parameter::new(name, place);
    (parameter.style, parameter.explode) = (style, explode);
    parameter
}

fn get(path: &str, parameters: impl IntoIterator<Item = Parameter>) -> Operation {
    let mut operation = Operation::new(Method::GET, path);
    operation.parameters.extend(parameters);
    operation
}
