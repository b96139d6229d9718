//! Every tool against Linear's published schema, behind a GraphQL server that others wrote: documents are valid and use nothing that is
//! deprecated, variables fit, and what the schema promises is read.
#![allow(clippy::print_stdout, reason = "how much was asked is worth reading")]

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};
use serde_json::{Map, Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tool_connect_connectors::linear::Linear;
use tool_connect_core::http::{ByteStream, RequestBody, Transport, TransportLimits};
use tool_connect_core::{Error, ErrorKind, Result, ToolCall};
use tool_connect_hub::{InstanceOptions, NetworkAccess};
use tool_connect_testkit::Harness;

use super::{cases, tools};

/// Plain HTTP to this machine, which is all that the server speaks.
#[derive(Default)]
struct Loopback {
    /// Answers what makes something itself: that it is there already.
    made_before: bool,
}

#[async_trait]
impl Transport for Loopback {
    async fn send(&self, request: Request<RequestBody>, _: &TransportLimits) -> Result<Response<ByteStream>> {
        let broken = || Error::new(ErrorKind::Transport, "the counterparty broke off");
        let (parts, body) = request.into_parts();
        let body = match body {
            RequestBody::Bytes(bytes) => bytes,
            _ => Bytes::new(),
        };
        if self.made_before && body.starts_with(br#"{"query":"mutation"#) {
            let taken = json!({"errors": [{"message": "conflict on insert of Thing", "extensions": {"code": "INPUT_ERROR"}}]});
            let body = Bytes::from(serde_json::to_vec(&taken).unwrap());
            return Ok(Response::new(Box::pin(futures_util::stream::iter([Ok(body)])) as ByteStream));
        }
        let authority = parts.uri.authority().unwrap().as_str();
        // 1.0: the answer comes in one piece and ends with the connection.
        let mut head = format!(
            "{} {} HTTP/1.0\r\nhost: {authority}\r\ncontent-length: {}\r\n",
            parts.method,
            parts.uri.path(),
            body.len()
        );
        for (name, value) in &parts.headers {
            head.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
        }
        head.push_str("\r\n");
        let mut stream = TcpStream::connect(authority).await.map_err(|_| broken())?;
        stream.write_all(head.as_bytes()).await.map_err(|_| broken())?;
        stream.write_all(&body).await.map_err(|_| broken())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.map_err(|_| broken())?;
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").ok_or_else(broken)?;
        let (head, body) =
            (String::from_utf8_lossy(&answer[..end]).into_owned(), Bytes::from(answer.split_off(end + 4)));
        let mut lines = head.lines();
        let status =
            lines.next().and_then(|line| line.split(' ').nth(1)?.parse::<u16>().ok()).ok_or_else(broken)?;
        let mut response = Response::new(Box::pin(futures_util::stream::iter([Ok(body)])) as ByteStream);
        *response.status_mut() = status.try_into().unwrap();
        for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
            response
                .headers_mut()
                .append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
        }
        Ok(response)
    }
}

/// What `cargo xtask` brought: see `docs/testing.md`.
async fn harness(transport: Loopback) -> Harness {
    let text = std::env::var("TOOL_CONNECT_COUNTERPARTY_LINEAR")
        .expect("run by `cargo xtask counterparty`, which brings what this needs");
    let port = serde_json::from_str::<Value>(&text).unwrap()["port"].as_u64().unwrap();
    let options = InstanceOptions::default()
        .base_url(format!("http://127.0.0.1:{port}/").parse().unwrap())
        .network(NetworkAccess::public().allow_loopback());
    Harness::builder(Linear::new()).instance(options).transport(Arc::new(transport)).build().await.unwrap()
}

/// Arguments without those that may be left out.
fn least(tool: &str, arguments: &Value) -> Value {
    let set = tools();
    let tool = set.tools().iter().find(|known| known.definition().name == tool).unwrap().definition().clone();
    let schema = tool.input.schema().unwrap();
    let required = schema.as_value()["required"].as_array().cloned().unwrap_or_default();
    let kept = arguments.as_object().unwrap().iter().filter(|(name, _)| required.iter().any(|r| r == *name));
    Value::Object(kept.map(|(name, value)| (name.clone(), value.clone())).collect::<Map<_, _>>())
}

#[tokio::test]
#[ignore = "needs a counterparty"]
async fn counterparty_every_tool_fits_the_published_schema() {
    let harness = harness(Loopback::default()).await;
    let mut wrong = Vec::new();
    let mut asked = 0;
    for (tool, arguments) in cases() {
        for arguments in [arguments.clone(), least(tool, &arguments)] {
            asked += 1;
            match harness.call(tool, &arguments).await {
                Ok(output) => {
                    let value: Value = output.parse().unwrap();
                    assert!(value.as_object().is_some_and(|object| !object.is_empty()), "{tool}: {value}");
                    if tool.starts_with("list_") || tool.starts_with("search_") {
                        assert_eq!(value["items"].as_array().map(Vec::len), Some(2), "{tool}: {value}");
                        assert!(value["next_cursor"].is_string(), "{tool}: {value}");
                    }
                    if arguments["whole"] == true {
                        let whole = value["whole"].as_object().unwrap().len();
                        assert!(whole > value.as_object().unwrap().len(), "{tool}: {value}");
                    }
                }
                Err(error) => wrong.push(format!("{tool} {arguments}: {error}; {}", error.public_message())),
            }
        }
    }
    println!("{asked} calls");
    assert!(wrong.is_empty(), "{wrong:#?}");
    harness.finish().await.unwrap();
}

#[tokio::test]
#[ignore = "needs a counterparty"]
async fn counterparty_takes_the_ids_that_we_choose_and_has_what_they_lead_to() {
    for made_before in [false, true] {
        let harness = harness(Loopback { made_before }).await;
        for (tool, arguments) in cases().into_iter().filter(|(tool, _)| tool.starts_with("create_")) {
            let call = ToolCall::new(format!("linear.{tool}"), serde_json::to_vec(&arguments).unwrap())
                .idempotency_key(tool);
            let before = harness.requests().len();
            let outcome = harness.execute(call).await;
            outcome.unwrap_or_else(|error| panic!("{tool}: {}", error.public_message()));
            let sent = &harness.requests()[before..];
            assert_eq!(sent.len(), if made_before { 2 } else { 1 }, "{tool}");
            let ids: Vec<Value> =
                sent.iter().map(|request| request.json()["variables"]["id"].clone()).collect();
            assert!(ids[0].is_string() && ids.iter().all(|id| *id == ids[0]), "{tool}: {ids:?}");
        }
        harness.finish().await.unwrap();
    }
}
