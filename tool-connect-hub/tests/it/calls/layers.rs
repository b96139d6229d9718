//! A host's own layers, at each of their points.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use serde_json::json;
use tool_connect_core::http::{ByteStream, RequestBody, Transport, TransportLimits};
use tool_connect_core::{
    ConnectorManifest, Error, ErrorKind, Principal, Provenance, Result, ToolCall, ToolContext, ToolOutput,
};
use tool_connect_hub::{Ingress, Next, PerCall, PerRequest, RequestEnd, ToolInfo};

use super::support::{Add, Kit, Runs, ada, bob, counting, error, kind, number, quiet, read, value};

type Log = Arc<Mutex<Vec<String>>>;

fn log(log: &Log, line: impl Into<String>) {
    log.lock().unwrap().push(line.into());
}

/// Adds one to `a`; refuses Bob.
struct Plus(Log, &'static str);

#[async_trait]
impl Ingress for Plus {
    async fn enter(&self, principal: &Principal, tool: &ToolInfo, call: &mut ToolCall) -> Result<()> {
        log(&self.0, format!("{} {}", self.1, tool.id()));
        if *principal == bob() {
            return Err(Error::new(ErrorKind::Denied, "not Bob"));
        }
        let mut arguments: serde_json::Value = serde_json::from_slice(&call.arguments.to_json()?).unwrap();
        arguments["a"] = json!(arguments["a"].as_i64().unwrap() + 1);
        call.arguments = arguments.into();
        call.tool = "calc.nothing".into();
        Ok(())
    }
}

/// Writes down when it begins and ends; answers itself where told to.
struct Around(Log, &'static str, bool);

#[async_trait]
impl PerCall for Around {
    async fn call(&self, cx: &ToolContext, next: Next<'_>) -> Result<ToolOutput> {
        log(&self.0, format!("{}> {}", self.1, cx.tool()));
        if self.2 {
            return ToolOutput::of(&-1);
        }
        let output = next.run().await;
        log(&self.0, format!("<{}", self.1));
        output.map(|output| output.provenance(Provenance::Trusted))
    }
}

#[tokio::test]
async fn the_entrance_may_rewrite_arguments_and_not_the_tool() {
    let lines = Log::default();
    let hub = quiet(&Arc::default())
        .connector(Kit::new("calc").tool::<Add>())
        .ingress(Plus(Arc::clone(&lines), "first"))
        .ingress(Plus(Arc::clone(&lines), "second"))
        .build()
        .unwrap();
    assert_eq!(number(hub.session(ada()).call("calc.plus", r#"{"a":1,"b":1}"#).await), 4);
    assert_eq!(hub.session(ada()).run(Add { a: 1, b: 1 }).await.unwrap(), 4);
    assert_eq!(
        *lines.lock().unwrap(),
        ["first calc.add", "second calc.add", "first calc.add", "second calc.add"]
    );
}

#[tokio::test]
async fn the_entrance_may_refuse_before_anything_is_looked_at() {
    let (lines, runs) = (Log::default(), Runs::default());
    let hub = quiet(&Arc::default())
        .connector(Kit::new("calc").dynamic(counting(&runs)))
        .ingress(Plus(Arc::clone(&lines), "first"))
        .ingress(Plus(Arc::clone(&lines), "second"))
        .build()
        .unwrap();
    assert_eq!(kind(hub.session(bob()).call("calc.put", "not json").await), ErrorKind::Denied);
    assert_eq!((lines.lock().unwrap().len(), runs.count()), (1, 0));
}

#[tokio::test]
async fn what_the_entrance_writes_is_capped_and_keyed_like_anything_else() {
    struct Grow;
    #[async_trait]
    impl Ingress for Grow {
        async fn enter(&self, _: &Principal, _: &ToolInfo, call: &mut ToolCall) -> Result<()> {
            if call.options.idempotency_key.is_none() {
                call.options.idempotency_key = Some("given".into());
                return Ok(());
            }
            call.arguments = json!({"pad": "x".repeat(100)}).into();
            Ok(())
        }
    }
    let runs = Runs::default();
    let hub = quiet(&Arc::default())
        .connector(Kit::new("calc").dynamic(counting(&runs)))
        .ingress(Grow)
        .configure(|s| s.max_argument_bytes = 100)
        .build()
        .unwrap();
    let session = hub.session(ada());
    assert_eq!(number(session.call("calc.put", "{}").await), 1);
    assert_eq!(number(session.call("calc.put", "{}").await), 1);
    let grown = ToolCall::new("calc.put", "{}").idempotency_key("k");
    assert_eq!(kind(session.execute(grown).await), ErrorKind::TooLarge);
}

#[tokio::test]
async fn layers_around_the_tool_go_from_the_outside_in_and_back() {
    let lines = Log::default();
    let layer = |name| Around(Arc::clone(&lines), name, false);
    let hub = quiet(&Arc::default())
        .connector(Kit::new("calc").tool::<Add>())
        .per_call(layer("outer"))
        .per_call(layer("inner"))
        .build()
        .unwrap();
    let output =
        hub.session(ada()).call("calc.add", r#"{"a":1,"b":1}"#).await.unwrap().into_output().unwrap();
    assert_eq!(output.provenance, Provenance::Trusted);
    assert_eq!(*lines.lock().unwrap(), ["outer> calc.add", "inner> calc.add", "<inner", "<outer"]);
    assert_eq!(hub.session(ada()).run(Add { a: 2, b: 2 }).await.unwrap(), 4);
}

#[tokio::test]
async fn a_layer_around_the_tool_may_answer_itself() {
    let (lines, runs) = (Log::default(), Runs::default());
    let hub = quiet(&Arc::default())
        .connector(Kit::new("calc").tool::<Add>().dynamic(counting(&runs)))
        .per_call(Around(Arc::clone(&lines), "only", true))
        .build()
        .unwrap();
    let session = hub.session(ada());
    assert_eq!(value(session.call("calc.put", "{}").await), json!(-1));
    assert_eq!(session.run(Add { a: 1, b: 1 }).await.unwrap(), -1);
    assert_eq!((runs.count(), lines.lock().unwrap().len()), (0, 2));
}

/// Answers every request; remembers a header.
#[derive(Default)]
struct Wire(Mutex<Vec<Option<HeaderValue>>>);

#[async_trait]
impl Transport for Wire {
    async fn send(
        &self,
        request: http::Request<RequestBody>,
        _: &TransportLimits,
    ) -> Result<http::Response<ByteStream>> {
        self.0.lock().unwrap().push(request.headers().get("x-source").cloned());
        let body = futures_util::stream::once(std::future::ready(Ok(Bytes::from_static(b"{\"ok\":true}"))));
        let body: ByteStream = Box::pin(body);
        Ok(http::Response::builder().status(StatusCode::OK).body(body).unwrap())
    }
}

struct Marks(Log, bool);

impl PerRequest for Marks {
    fn before(&self, request: &mut Parts) -> Result<()> {
        if self.1 {
            return Err(Error::new(ErrorKind::Blocked, "not this one"));
        }
        request.headers.insert("x-source", HeaderValue::from_static("hub"));
        Ok(())
    }

    fn after(&self, end: &RequestEnd<'_>) {
        log(&self.0, format!("{} {} {:?}", end.instance, end.host, end.status.map(|s| s.as_u16())));
    }
}

#[tokio::test]
async fn a_layer_before_each_request_may_change_or_refuse_it_and_hears_its_end() {
    for refuses in [false, true] {
        let (lines, wire) = (Log::default(), Arc::new(Wire::default()));
        let manifest = ConnectorManifest::new("api", semver::Version::new(1, 0, 0), "API")
            .base_url("https://api.example/".parse().unwrap());
        let tool = read("get", |_, cx| async move {
            let answer: serde_json::Value = cx.http().get("/x").json().await?;
            ToolOutput::of(&answer)
        });
        let hub = quiet(&Arc::default())
            .transport(Arc::clone(&wire) as _)
            .connector(Kit::of(manifest).dynamic(tool))
            .per_request(Marks(Arc::clone(&lines), refuses))
            .build()
            .unwrap();
        let outcome = hub.session(ada()).call("api.get", "{}").await;
        if refuses {
            assert_eq!(error(outcome).kind(), ErrorKind::Blocked);
            assert!(wire.0.lock().unwrap().is_empty());
        } else {
            assert_eq!(value(outcome), json!({"ok": true}));
            assert_eq!(*wire.0.lock().unwrap(), [Some(HeaderValue::from_static("hub"))]);
            assert_eq!(*lines.lock().unwrap(), ["api api.example Some(200)"]);
        }
    }
}
