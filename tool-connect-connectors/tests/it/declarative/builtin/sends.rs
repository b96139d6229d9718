//! What each tool sends.

use serde_json::{Map, Value, json};

use super::stand::{Reply, Stand, written};
use super::{all, calls, load, tools};

#[tokio::test]
async fn every_tool_sends_what_is_written_down() {
    let mut unlike = Vec::new();
    for (id, connector) in all() {
        let known = calls(id);
        let mut found = Map::new();
        for tool in tools(&connector) {
            let name = tool.definition().name.to_string();
            let arguments =
                &known.get(&name).unwrap_or_else(|| panic!("calls/{id}.json has no {name}"))["with"];
            // A limit of the file would stop a harness that makes many calls at one point of its clock.
            let harness =
                Stand::with([Reply::json(200, &json!({"data": {"result": {}}}))]).harness(load(id)).await;
            harness.call(&name, arguments).await.unwrap_or_else(|error| panic!("{id}.{name}: {error:?}"));
            let [sent] = &harness.requests()[..] else { panic!("{id}.{name} sent more than one request") };
            assert!(!signed(sent).is_empty(), "{id}.{name} sent no credential");
            found.insert(name, json!({"with": arguments, "sends": written(sent)}));
            harness.finish().await.unwrap();
        }
        if found != known {
            let path = format!("{}/{id}.json", env!("CARGO_TARGET_TMPDIR"));
            std::fs::write(&path, format!("{}\n", serde_json::to_string_pretty(&found).unwrap())).unwrap();
            unlike.push(format!("calls/{id}.json; it would have to be {path}"));
        }
    }
    assert!(unlike.is_empty(), "what is sent differs from {unlike:#?}");
}

/// Where a request carries the credential.
fn signed(sent: &tool_connect_testkit::SentRequest) -> Vec<&'static str> {
    let mut places: Vec<&str> = ["authorization", "x-shopify-access-token"]
        .into_iter()
        .filter(|name| sent.header(name).is_some())
        .collect();
    places.extend(sent.query("token").map(|_| "token"));
    places
}

#[tokio::test]
async fn credentials_go_where_the_provider_wants_them() {
    for (id, expected) in [
        ("stripe", "Bearer "),
        ("airtable", "Bearer "),
        ("discord", "Bot "),
        ("asana", "Bearer "),
        ("hubspot", "Bearer "),
        ("jira", "Basic "),
    ] {
        let harness = Stand::with([Reply::json(200, &json!({}))]).harness(load(id)).await;
        harness.call("whoami", json!({})).await.unwrap();
        let header = harness.requests()[0].header("authorization").map(str::to_owned).unwrap();
        assert!(header.starts_with(expected), "{id}");
    }
    let harness = Stand::with([Reply::json(200, &json!({}))]).harness(load("trello")).await;
    harness.call("whoami", json!({})).await.unwrap();
    let sent = harness.requests().pop().unwrap();
    assert_eq!(sent.query("key").as_deref(), Some("0123456789abcdef0123456789abcdef"));
    assert!(sent.query("token").is_some() && sent.header("authorization").is_none());
}

#[tokio::test]
async fn an_idempotency_key_goes_where_the_provider_takes_one() {
    for (id, tool, taken) in [
        ("stripe", "create_refund", true),
        ("zendesk", "create_ticket", true),
        ("zendesk", "comment_ticket", false),
        ("jira", "create_issue", false),
    ] {
        let harness = Stand::with([Reply::json(200, &json!({}))]).harness(load(id)).await;
        let arguments: Value = calls(id)[tool]["with"].clone();
        let call =
            tool_connect_core::ToolCall::new(format!("{id}.{tool}"), arguments).idempotency_key("key-1");
        harness.execute(call).await.unwrap();
        let sent = harness.requests().pop().unwrap();
        assert_eq!(sent.header("idempotency-key"), taken.then_some("key-1"), "{id}.{tool}");
    }
}
