//! The harness: tools in a real Hub, a scripted provider, a secret that must not come out.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tool_connect_core::{
    AuthScheme, Clock, Connector, ConnectorManifest, ErrorKind, EventKind, InputRequest, Principal, Result,
    Run, Tool, ToolCall, ToolContext, ToolOutcome, ToolSet,
};
use tool_connect_hub::InstanceOptions;
use tool_connect_testkit::{Answer, Harness, HarnessBuilder};

/// Reads one of the things.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("things:read"))]
#[serde(deny_unknown_fields)]
struct GetThing {
    /// Which thing.
    id: String,
}

impl Run for GetThing {
    type Output = Value;
    async fn run(self, cx: &ToolContext) -> Result<Value> {
        cx.http().get("/things/{id}").path("id", &self.id).json().await
    }
}

/// Makes a thing.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[tool(scopes("things:write"))]
#[serde(deny_unknown_fields)]
struct MakeThing {
    /// What it is called.
    name: String,
}

impl Run for MakeThing {
    type Output = Value;
    async fn run(self, cx: &ToolContext) -> Result<Value> {
        cx.http().post("/things").json_body(&json!({ "name": self.name })).json().await
    }
}

struct Things(ConnectorManifest);

impl Connector for Things {
    fn manifest(&self) -> &ConnectorManifest {
        &self.0
    }

    fn tools(&self, set: &mut ToolSet) {
        set.add::<GetThing>().add::<MakeThing>();
    }
}

fn things(auth: AuthScheme) -> HarnessBuilder {
    let manifest = ConnectorManifest::new("things", semver::Version::new(1, 0, 0), "Things")
        .base_url("https://things.example/v1".parse().unwrap())
        .auth(auth);
    Harness::builder(Things(manifest))
}

fn bearer() -> HarnessBuilder {
    things(AuthScheme::Bearer)
}

#[tokio::test]
async fn calls_by_name_and_by_type_reach_the_provider() {
    let harness = bearer()
        .answer("GET", "/things/a%20b", Answer::json(200, json!({ "id": "a b" })))
        .answer_with("POST", "/things", |request| Answer::json(201, request.json()))
        .build()
        .await
        .unwrap();
    assert_eq!(harness.run(GetThing { id: "a b".into() }).await.unwrap()["id"], "a b");
    let made = harness.call("make_thing", json!({ "name": "x" })).await.unwrap();
    assert_eq!(made.parse::<Value>().unwrap(), json!({ "name": "x" }));
    let wrong = harness.call_raw("make_thing", "{").await.unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::InvalidArguments);

    let requests = harness.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].url.as_str(), "https://things.example/v1/things/a%20b");
    assert_eq!((requests[1].method.as_str(), requests[1].json()), ("POST", json!({ "name": "x" })));
    assert!(requests.iter().all(|r| r.header("authorization").is_some_and(|h| h.starts_with("Bearer "))));
    assert!(!format!("{requests:?}").contains("canary"), "printing a request prints no secret");
    let finished = |kind: &EventKind| matches!(kind, EventKind::CallFinished { .. });
    assert_eq!(harness.events().iter().filter(|event| finished(&event.what)).count(), 3);
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn answers_come_in_order_and_the_last_one_stays() {
    let harness = bearer()
        .answer("GET", "/things/a", Answer::status(503))
        .answer("GET", "/things/a", Answer::unreachable())
        .answer("GET", "/things/a", Answer::json(200, json!(1)))
        .build()
        .await
        .unwrap();
    for expected in [3, 4] {
        assert_eq!(harness.run(GetThing { id: "a".into() }).await.unwrap(), 1);
        assert_eq!(
            harness.requests().len(),
            expected,
            "a read is repeated until it is answered, without waiting"
        );
    }
}

#[tokio::test]
async fn a_broken_write_is_not_repeated() {
    let harness = bearer().answer("POST", "/things", Answer::broken()).build().await.unwrap();
    let error = harness.run(MakeThing { name: "x".into() }).await.unwrap_err();
    assert_eq!((error.kind(), harness.requests().len()), (ErrorKind::Transport, 1));
}

#[tokio::test]
async fn a_request_without_an_answer_names_those_there_are() {
    let harness = bearer().answer("GET", "/things/a", Answer::status(204)).build().await.unwrap();
    let error = harness.run(GetThing { id: "b".into() }).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Config && error.message().contains("GET /v1/things/a"), "{error}");
    let error = bearer().answer("G T", "/", Answer::status(200)).build().await.unwrap_err();
    assert!(error.kind() == ErrorKind::Config && error.message().contains("method"), "{error}");
}

#[tokio::test]
async fn connection_scopes_and_secret_can_be_missing() {
    let connect = |error: tool_connect_core::Error| match error.input_required().map(|r| r.request.clone()) {
        Some(InputRequest::Connect { scopes, .. }) => scopes,
        other => panic!("{other:?}"),
    };
    let harness = bearer().unconnected().build().await.unwrap();
    assert_eq!(connect(harness.run(GetThing { id: "a".into() }).await.unwrap_err()), [""; 0]);
    assert!(harness.connection().is_none());

    let harness = bearer().scopes(["things:read"]).build().await.unwrap();
    assert_eq!(connect(harness.run(MakeThing { name: "x".into() }).await.unwrap_err()), ["things:write"]);

    let harness = bearer().build().await.unwrap();
    harness.forget_credential();
    let error = harness.run(GetThing { id: "a".into() }).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NeedsReauth);
    assert!(harness.requests().is_empty());
}

#[tokio::test]
async fn every_scheme_has_its_secret() {
    for (scheme, header, start) in [
        (AuthScheme::Basic, "authorization", "Basic "),
        (
            AuthScheme::ApiKeyHeader { header: "x-key".into(), prefix: "Token ".into() },
            "x-key",
            "Token canary",
        ),
        (AuthScheme::None, "authorization", ""),
    ] {
        let harness =
            things(scheme).answer("GET", "/things/a", Answer::json(200, json!(1))).build().await.unwrap();
        harness.run(GetThing { id: "a".into() }).await.unwrap();
        assert!(harness.requests()[0].header(header).unwrap_or_default().starts_with(start), "{header}");
        harness.finish().await.unwrap();
    }
}

#[tokio::test]
async fn clock_principal_instance_and_hub_are_the_tests_own() {
    let harness = bearer()
        .instance(
            InstanceOptions::new("things_work").unwrap().base_url("https://work.example".parse().unwrap()),
        )
        .principal(Principal::user("globex", "bob").unwrap())
        .hub(|builder| builder.configure(|settings| settings.max_argument_bytes = 20))
        .answer("GET", "/things/a", Answer::json(200, json!(1)))
        .build()
        .await
        .unwrap();
    let before = harness.clock().now();
    harness.clock().advance(Duration::from_secs(5));
    assert_eq!(harness.clock().now().duration_since(before).unwrap(), Duration::from_secs(5));
    harness.call("get_thing", json!({ "id": "a" })).await.unwrap();
    assert_eq!(harness.requests()[0].url.as_str(), "https://work.example/things/a");
    assert_eq!(harness.session().principal().tenant.as_str(), "globex");
    let error = harness.call("get_thing", json!({ "id": "a long one, too long" })).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    let outcome = harness.execute(ToolCall::new("things_work.get_thing", r#"{"id":"a"}"#)).await.unwrap();
    assert!(matches!(outcome, ToolOutcome::Complete(_)));
    harness.finish().await.unwrap();
}

/// The guard itself is tested: each way out that the harness watches fails the test.
#[tokio::test]
async fn a_secret_that_comes_out_fails_the_test() {
    let echo = |request: &tool_connect_testkit::SentRequest| {
        Answer::json(200, json!({ "you sent": request.header("authorization") }))
    };
    let leaking = || bearer().answer_with("GET", "/things/a", echo).build();
    let harness = leaking().await.unwrap();
    harness.call("get_thing", json!({ "id": "a" })).await.unwrap();
    assert!(panics(move || drop(harness)).contains("a result"), "in a result by name");

    let harness = leaking().await.unwrap();
    harness.run(GetThing { id: "a".into() }).await.unwrap();
    let finished = tokio::spawn(harness.finish()).await;
    assert!(finished.is_err_and(|error| error.is_panic()), "typed, and at the end of `finish`");
}

fn panics(work: impl FnOnce()) -> String {
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).expect_err("it must fail");
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}
