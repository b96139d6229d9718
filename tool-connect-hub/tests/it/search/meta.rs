//! The meta-tools: the tool that is called passes the whole stack, as the same principal.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tool_connect_core::store::Decision;
use tool_connect_core::{
    Annotations, Connect, ConnectRequest, ConnectTicket, Connection, ConnectionId, Content, ErrorKind,
    InputRequest, Owner, Principal, Result, SchemaSource, Shape, TenantId, ToolCall, ToolDefinition,
    ToolOutput,
};
use tool_connect_hub::MetaTools;
use tool_connect_hub::audit::AuditMode;
use tool_connect_testkit::ManualClock;

use super::house::{chatter, definition, forge, hub, tool};
use crate::calls::support::{
    Kit, Runs, acme, ada, approval, audited, bot, counting, error, grant, hub_of, instance, kind, quiet,
    read, required, trail, value, write,
};

async fn call(tools: &MetaTools, name: &str, arguments: Value) -> Value {
    value(tools.call(name, arguments).await)
}

#[tokio::test]
async fn an_agent_searches_reads_and_calls() {
    let hub = hub();
    hub.grant(grant("chatter.*")).await.unwrap();
    let tools = hub.session(bot()).meta_tools();
    let found =
        call(&tools, "search_tools", json!({ "query": "write to the others in a room", "limit": 2 })).await;
    assert_eq!(found["tools"].as_array().unwrap().len(), 2);
    assert_eq!(
        found["tools"][0],
        json!({
            "tool": "chatter.send_message", "title": "Send message", "connected": true, "read_only": false,
            "description": "Writes into a room, for all who are in it.",
        })
    );
    let told = call(
        &tools,
        "describe_tools",
        json!({ "tools": ["chatter.send_message", "forge.list_issues", "nothing"] }),
    )
    .await;
    assert_eq!(told["tools"][0]["inputSchema"]["properties"]["room"]["type"], "string");
    // What may not be called is as unknown as what is not there.
    let unknown: Vec<_> =
        told["unknown"].as_array().unwrap().iter().map(|one| one["error"]["kind"].clone()).collect();
    assert_eq!(unknown, ["unknown_tool", "unknown_tool"]);
    let done =
        call(&tools, "call_tool", json!({ "tool": "chatter.send_message", "arguments": { "room": "r" } }))
            .await;
    assert_eq!(done, "send_message");
    let nothing = call(&tools, "search_tools", json!({ "query": "xylophone" })).await;
    assert_eq!(nothing["tools"], json!([]));
    assert!(nothing["note"].is_string());
}

#[tokio::test]
async fn what_is_called_passes_policy_and_audit_once() {
    let clock = Arc::new(ManualClock::new());
    let hub = audited(&clock, AuditMode::FailOpen).connector(chatter()).build().unwrap();
    let tools = hub.session(bot()).meta_tools();
    let denied = tools.call("call_tool", json!({ "tool": "chatter.list_rooms" })).await;
    assert_eq!(kind(denied), ErrorKind::Denied);
    hub.grant(grant("chatter.*")).await.unwrap();
    call(&tools, "search_tools", json!({ "query": "rooms" })).await;
    call(&tools, "call_tool", json!({ "tool": "chatter__list_rooms" })).await;
    hub.shutdown().await.unwrap();
    let outcomes: Vec<_> = trail(&hub).await.into_iter().filter_map(|(_, outcome)| outcome).collect();
    assert_eq!(outcomes, ["denied", "ok"]);
}

#[tokio::test]
async fn an_approval_is_asked_for_given_and_used() {
    let runs = Runs::default();
    let hub = hub_of(Kit::new("kit").dynamic(counting(&runs)));
    hub.grant(grant("kit.*")).await.unwrap();
    let tools = hub.session(bot()).meta_tools();
    let put = json!({ "tool": "kit.put", "arguments": { "n": 1 } });
    let asked = required(tools.call("call_tool", put.clone()).await);
    let id = approval(&asked);
    hub.session(ada()).decide(&id, Decision::Approve).await.unwrap();

    // The agent presents it, for this very call and no other.
    let mut other = put.clone();
    (other["arguments"]["n"], other["approval"]) = (2.into(), id.as_str().into());
    assert!(tools.call("call_tool", other).await.is_err() || runs.count() == 0);
    // Or the host goes on with what was asked for.
    assert_eq!(value(hub.session(bot()).resume(asked).await), 1);
    assert_eq!(runs.count(), 1);

    let second = json!({ "tool": "kit.put", "arguments": { "n": 3 } });
    let id = approval(&required(tools.call("call_tool", second.clone()).await));
    hub.session(ada()).decide(&id, Decision::Approve).await.unwrap();
    let mut with = second;
    with["approval"] = id.as_str().into();
    assert_eq!(call(&tools, "call_tool", with).await, 2);
}

#[tokio::test]
async fn a_call_has_the_idempotency_key_that_it_was_given() {
    let runs = Runs::default();
    let hub = hub_of(Kit::new("kit").dynamic(counting(&runs)));
    let tools = hub.session(ada()).meta_tools();
    let put = json!({ "tool": "kit.put", "idempotency_key": "once" });
    for _ in 0..2 {
        assert_eq!(call(&tools, "call_tool", put.clone()).await, 1);
    }
    // From outside, for each of several calls its own.
    let several = json!({ "calls": [{ "tool": "kit.put" }, { "tool": "kit.put" }] });
    for _ in 0..2 {
        let call = ToolCall::new("call_tools", several.clone()).idempotency_key("many");
        let done = value(tools.execute(call).await);
        assert_eq!(done["results"].as_array().unwrap().len(), 2);
    }
    assert_eq!(runs.count(), 3);
}

#[tokio::test]
async fn several_calls_run_at_once_within_a_bound_and_answer_in_their_order() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let work = {
        let (now, most) = (Arc::clone(&now), Arc::clone(&most));
        read("work", move |arguments, _| {
            let (now, most) = (Arc::clone(&now), Arc::clone(&most));
            async move {
                let running = now.fetch_add(1, Ordering::SeqCst) + 1;
                most.fetch_max(running, Ordering::SeqCst);
                // Those that came later end earlier.
                for _ in arguments["n"].as_u64().unwrap_or(0)..12 {
                    tokio::task::yield_now().await;
                }
                now.fetch_sub(1, Ordering::SeqCst);
                ToolOutput::of(&arguments["n"])
            }
        })
    };
    let panics = write("panics", |_, _| async { panic!("as the test wants") });
    let hub = hub_of(Kit::new("kit").dynamic(work).dynamic(panics));
    let tools = hub.session(ada()).meta_tools().parallel(3);
    let mut calls: Vec<Value> =
        (0..10).map(|n| json!({ "tool": "kit.work", "arguments": { "n": n } })).collect();
    calls.insert(4, json!({ "tool": "kit.nothing" }));
    calls.insert(7, json!({ "tool": "kit.panics" }));
    let done = call(&tools, "call_tools", json!({ "calls": calls })).await;
    let results = done["results"].as_array().unwrap();
    let status: Vec<_> = results.iter().map(|one| one["status"].as_str().unwrap()).collect();
    assert_eq!(status.iter().filter(|status| **status == "complete").count(), 10);
    assert_eq!((status[4], status[7]), ("error", "error"));
    assert_eq!(results[4]["error"]["kind"], "unknown_tool");
    let numbers: Vec<_> = results.iter().filter_map(|one| one["result"].as_u64()).collect();
    assert_eq!(numbers, (0..10).collect::<Vec<_>>());
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn one_of_several_that_waits_for_a_person_says_for_what() {
    let hub = hub_of(forge());
    let tools = hub.session(ada()).meta_tools();
    let several = json!({ "calls": [{ "tool": "forge.list_issues" }] });
    let done = call(&tools, "call_tools", several).await;
    let one = &done["results"][0];
    assert_eq!((&one["status"], &one["required"]["kind"]), (&json!("input_required"), &json!("connect")));
    assert_eq!(one["required"]["instance"], "forge");
    assert!(one["required"]["message"].as_str().unwrap().contains("Connect an account"));
}

struct Desk(Arc<ManualClock>);

#[async_trait]
impl Connect for Desk {
    async fn ticket(&self, _: &Principal, request: ConnectRequest) -> Result<ConnectTicket> {
        let url = format!("https://app.example/connect/{}", request.instance).parse().unwrap();
        Ok(ConnectTicket::new(url, tool_connect_core::Clock::now(&*self.0) + Duration::from_secs(600)))
    }

    async fn disconnect(&self, _: &Principal, _: &ConnectionId) -> Result<()> {
        Ok(())
    }

    fn on_change(&self, _: Arc<dyn Fn(&TenantId) + Send + Sync>) {}
}

#[tokio::test]
async fn an_account_is_connected_on_the_way_and_the_call_goes_on() {
    let clock = Arc::new(ManualClock::new());
    let hub = quiet(&clock).connector(forge()).connect(Arc::new(Desk(Arc::clone(&clock)))).build().unwrap();
    let tools = hub.session(ada()).meta_tools();
    let ticket = call(&tools, "connect", json!({ "instance": "forge" })).await;
    assert_eq!(
        (&ticket["url"], &ticket["expires_in_seconds"]),
        (&json!("https://app.example/connect/forge"), &json!(600))
    );
    let asked = required(tools.call("call_tool", json!({ "tool": "forge.list_issues" })).await);
    let InputRequest::Connect { url, .. } = &asked.request else { panic!("{asked:?}") };
    assert_eq!(url.as_deref(), Some("https://app.example/connect/forge"));
    let account =
        Connection::new(ConnectionId::new("c1").unwrap(), acme(), Owner::User(ada().user), instance("forge"));
    hub.put_connection(account).await.unwrap();
    assert_eq!(value(hub.session(ada()).resume(asked).await), "list_issues");
    assert_eq!(kind(tools.call("connect", json!({ "instance": "moon" })).await), ErrorKind::UnknownTool);
}

#[tokio::test]
async fn a_meta_tool_calls_no_meta_tool() {
    let hub = hub();
    let tools = hub.session(ada()).meta_tools();
    for name in MetaTools::NAMES {
        let refused = error(tools.call("call_tool", json!({ "tool": name })).await);
        assert_eq!((refused.kind(), &*refused.problems()[0].pointer), (ErrorKind::InvalidArguments, "/tool"));
        let refused = error(tools.call("call_tools", json!({ "calls": [{ "tool": name }] })).await);
        assert_eq!(refused.problems()[0].pointer, "/calls/0/tool");
    }
}

#[tokio::test]
async fn bad_input_is_told_by_place_and_never_by_value() {
    let hub = hub();
    let tools = hub.session(ada()).meta_tools();
    for (name, arguments, place) in [
        ("search_tools", json!({}), "/query"),
        ("search_tools", json!({ "query": 7 }), "/query"),
        ("search_tools", json!({ "query": "s3cret".repeat(100) }), "/query"),
        ("search_tools", json!({ "query": "x", "limit": 21 }), "/limit"),
        ("search_tools", json!({ "query": "x", "limit": -1 }), "/limit"),
        ("search_tools", json!({ "query": "x", "instance": "No Instance" }), "/instance"),
        ("search_tools", json!({ "query": "x", "connected_only": "s3cret" }), "/connected_only"),
        ("search_tools", json!({ "query": "x", "s3cret": 1 }), ""),
        ("search_tools", json!(["s3cret"]), ""),
        ("describe_tools", json!({ "tools": [] }), "/tools"),
        ("describe_tools", json!({ "tools": ["a", 2] }), "/tools/1"),
        ("describe_tools", json!({ "tools": vec!["a"; 21] }), "/tools"),
        ("call_tool", json!({ "arguments": {} }), "/tool"),
        ("call_tool", json!({ "tool": "chatter.list_rooms", "arguments": "s3cret" }), "/arguments"),
        ("call_tool", json!({ "tool": "chatter.list_rooms", "approval": "s3cret\u{1}" }), "/approval"),
        ("call_tools", json!({ "calls": vec![json!({ "tool": "a.b" }); 17] }), "/calls"),
        ("call_tools", json!({ "calls": [{ "tool": "a.b" }, { "tool": "a.b", "n": 1 }] }), "/calls/1"),
        ("call_tools", json!({ "calls": ["s3cret"] }), "/calls/0"),
        ("connect", json!({}), "/instance"),
    ] {
        let refused = error(tools.call(name, arguments.clone()).await);
        assert_eq!(refused.kind(), ErrorKind::InvalidArguments, "{name} {arguments}");
        assert_eq!(refused.problems()[0].pointer, place, "{name} {arguments}");
        assert!(
            !refused.to_string().contains("s3cret") && !refused.public_message().contains("s3cret"),
            "{refused}"
        );
    }
    assert_eq!(kind(tools.call("search_tools", "{\"query\"").await), ErrorKind::InvalidArguments);
    assert_eq!(kind(tools.call("search_tools", vec![b' '; 5_000_000]).await), ErrorKind::TooLarge);
    let unknown = error(tools.call("rm_rf", "{}").await);
    assert_eq!(unknown.kind(), ErrorKind::UnknownTool);
    assert!(unknown.public_message().contains("search_tools"));
}

#[tokio::test]
async fn what_is_switched_off_or_deprecated_says_so() {
    let schema = || SchemaSource::Json(r#"{"type":"object"}"#.into());
    let broken = ToolDefinition::new("open_gate", "Opens the gate.", SchemaSource::Json("no schema".into()));
    let old = ToolDefinition::new("ring_bell", "Rings.", schema())
        .annotations(Annotations::READ)
        .deprecated("shout");
    let kit = Kit::new("castle")
        .dynamic(definition(broken))
        .dynamic(definition(old))
        .dynamic(tool("get_key", "The key.", ""));
    let hub = hub_of(kit);
    let tools = hub.session(ada()).meta_tools();
    let told =
        call(&tools, "describe_tools", json!({ "tools": ["castle.open_gate", "castle.ring_bell"] })).await;
    assert_eq!(told["unknown"][0]["error"]["kind"], "quarantined");
    assert!(told["tools"][0]["description"].as_str().unwrap().contains("Deprecated: shout"));
    let found = call(&tools, "search_tools", json!({ "query": "ring the bell" })).await;
    assert_eq!(found["tools"][0]["deprecated"], "shout");
}

#[tokio::test]
async fn six_definitions_whatever_the_registry_holds() {
    let tools = hub().session(ada()).meta_tools();
    let listed: Value = serde_json::from_slice(&tools.to_json()).unwrap();
    let names: Vec<_> =
        listed.as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, MetaTools::NAMES);
    for tool in listed.as_array().unwrap() {
        assert_eq!(tool["inputSchema"]["additionalProperties"], false);
        assert!(!tool["description"].as_str().unwrap().is_empty());
    }
    assert!(tools.to_json().len() < 7_000, "{} bytes", tools.to_json().len());
}

#[tokio::test]
async fn what_was_cut_is_read_on() {
    let numbers = read("numbers", |_, _| async { ToolOutput::of(&(0..500_u32).collect::<Vec<_>>()) });
    let hub = hub_of(Kit::new("test").dynamic(numbers));
    let session = hub.session(ada()).shaped(Shape::new().bytes(200));
    let tools = session.meta_tools();
    let cut = tools.call("call_tool", json!({ "tool": "test.numbers", "arguments": {} })).await.unwrap();
    let cut = cut.into_output().unwrap();
    let file = cut.content.iter().find_map(|block| match block {
        Content::File(file) => Some(file.handle.to_string()),
        _ => None,
    });
    let handle = file.expect("what was cut is kept");
    let mut all: Vec<u64> = Vec::new();
    let mut from = "#0".to_owned();
    loop {
        let arguments = json!({ "handle": handle, "from": from, "max_bytes": 300 });
        let part = call(&tools, "read_result", arguments).await;
        all.extend(part["part"].as_array().unwrap().iter().filter_map(Value::as_u64));
        match part["next"].as_str() {
            Some(next) => from = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(all, (0..500).collect::<Vec<_>>());
    // Nobody else reads it, and what is malformed is named.
    let other = hub.session(Principal::user("acme", "bob").unwrap()).meta_tools();
    let refused = error(other.call("read_result", json!({ "handle": handle })).await);
    assert_eq!(refused.kind(), ErrorKind::NotFound);
    let refused = error(tools.call("read_result", json!({ "handle": handle, "max_bytes": 63 })).await);
    assert_eq!(refused.problems()[0].pointer, "/max_bytes");
    let refused = error(tools.call("read_result", json!({ "handle": "" })).await);
    assert_eq!(refused.problems()[0].pointer, "/handle");
}

#[tokio::test]
async fn what_is_not_permitted_is_not_suggested() {
    let hub = hub();
    hub.grant(grant("chatter.*")).await.unwrap();
    let tools = hub.session(bot()).meta_tools();
    // One that is denied, and what resembles it; by its local name too.
    let names = ["forge.list_issues", "forge.list_issue", "forge__list_issuess", "list_issues", "list_issue"];
    let told = call(&tools, "describe_tools", json!({ "tools": names })).await;
    let errors: Vec<_> = told["unknown"].as_array().unwrap().iter().map(|one| &one["error"]).collect();
    assert_eq!(errors.len(), names.len());
    for error in errors {
        assert_eq!(error["kind"], "unknown_tool");
        assert!(
            error["message"].as_str().unwrap().starts_with("There is no such tool, or it is not permitted"),
            "{error}"
        );
    }
    // What may be called is found by its local name.
    let told = call(&tools, "describe_tools", json!({ "tools": ["send_message"] })).await;
    assert_eq!(
        told["tools"][0]["name"].as_str().map(|name| name.contains("send_message")),
        Some(true),
        "{told}"
    );
}

#[tokio::test]
async fn results_of_several_calls_are_told_as_they_were_written() {
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let exact = "{\"id\":123456789012345678901234567890,\"n\":1.50}";
    let as_is = |name: &'static str, text: String| {
        read(name, move |_, _| {
            let text = text.clone();
            async move { Ok(ToolOutput::json(text)) }
        })
    };
    let kit = Kit::new("t")
        .dynamic(as_is("exact", exact.to_owned()))
        .dynamic(as_is("deep", deep.clone()))
        .dynamic(as_is("odd", "no \"JSON\"".to_owned()));
    let tools = hub_of(kit).session(ada()).meta_tools();
    let calls = json!({ "calls": [{ "tool": "t.exact" }, { "tool": "t.deep" }, { "tool": "t.odd" }] });
    let output = tools.call("call_tools", calls).await.unwrap().into_output().unwrap();
    let text = String::from_utf8(output.to_json().unwrap().to_vec()).unwrap();
    assert_eq!(text.matches("\"status\":\"complete\"").count(), 3, "{text}");
    for part in [exact, &deep, "\"no \\\"JSON\\\"\""] {
        assert!(text.contains(&format!(",\"result\":{part}}}")), "{text}");
    }
}
