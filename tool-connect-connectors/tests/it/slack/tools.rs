//! Every tool: what it sends, and what it returns of the answer. The table is `tools.json`.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use tool_connect_connectors::slack::{GetConversation, GetMessage, Slack, SlackUser};
use tool_connect_testkit::{Answer, Harness, HarnessBuilder, SentRequest};

use super::tools_of;

/// A call, the one request that it makes, and what comes of the answer.
pub(super) struct Case {
    pub(super) tool: String,
    pub(super) arguments: Value,
    /// `GET` or `POST`.
    pub(super) verb: String,
    pub(super) method: String,
    pub(super) sent: Value,
    answer: Value,
    returns: Value,
}

/// Upload and download make several requests, see `files.rs`.
pub(super) const IN_FILES: [&str; 2] = ["download_file", "upload_file"];

pub(super) fn cases() -> Vec<Case> {
    let all: Vec<Value> = serde_json::from_str(include_str!("tools.json")).unwrap();
    all.into_iter()
        .map(|case| {
            let (verb, method) = case["sends"][0].as_str().unwrap().split_once(' ').unwrap();
            let mut answer = case["answer"].clone();
            answer["ok"] = true.into();
            Case {
                tool: case["tool"].as_str().unwrap().to_owned(),
                arguments: case["arguments"].clone(),
                verb: verb.to_owned(),
                method: method.to_owned(),
                sent: case["sends"][1].clone(),
                answer,
                returns: case["returns"].clone(),
            }
        })
        .collect()
}

/// A harness around the connector that has the tool.
fn around(tool: &str) -> HarnessBuilder {
    if tools_of(&Slack::new()).contains_key(tool) {
        Harness::builder(Slack::new())
    } else {
        Harness::builder(SlackUser::new())
    }
}

/// A request's arguments, wherever they stand.
pub(super) fn arguments_of(request: &SentRequest) -> Value {
    if request.method == "GET" {
        let pairs = request.url.query_pairs();
        return pairs
            .map(|(name, value)| (name.into_owned(), value.into_owned().into()))
            .collect::<Map<_, _>>()
            .into();
    }
    request.json()
}

#[test]
fn every_tool_has_a_case() {
    let tested: BTreeSet<String> =
        cases().into_iter().map(|case| case.tool).chain(IN_FILES.map(str::to_owned)).collect();
    let (bot, user) = (tools_of(&Slack::new()), tools_of(&SlackUser::new()));
    let all: BTreeSet<String> = bot.into_keys().chain(user.into_keys()).collect();
    assert_eq!(tested, all);
}

#[tokio::test]
async fn every_tool_sends_and_returns_what_it_should() {
    for case in cases() {
        let harness = around(&case.tool)
            .answer(&case.verb, &format!("/{}", case.method), Answer::json(200, &case.answer))
            .build()
            .await
            .unwrap();
        let output = harness.call(&case.tool, &case.arguments).await;
        let output = output.unwrap_or_else(|error| panic!("{}: {error}", case.tool));
        let returned: Value = serde_json::from_slice(&output.to_json().unwrap()).unwrap();
        assert_eq!(returned, case.returns, "{}", case.tool);
        let sent = harness.requests();
        assert_eq!(sent.len(), 1, "{}", case.tool);
        assert_eq!(
            sent[0].url.as_str().split('?').next().unwrap(),
            format!("https://slack.com/api/{}", case.method)
        );
        assert_eq!(arguments_of(&sent[0]), case.sent, "{}", case.tool);
        let form = (case.verb == "POST").then_some("application/json; charset=utf-8");
        assert_eq!(sent[0].header("content-type"), form, "{}", case.tool);
        harness.finish().await.unwrap();
    }
}

#[tokio::test]
async fn all_of_an_object_is_returned_where_it_is_asked_for() {
    let channel = json!({"id": "C1", "name": "general", "previous_names": ["old"], "context_team_id": "T1"});
    let message = json!({"ts": "1700000001.000200", "text": "a", "blocks": [{"type": "rich_text"}]});
    let harness = Harness::builder(Slack::new())
        .answer("GET", "/conversations.info", Answer::json(200, json!({"ok": true, "channel": channel})))
        .answer(
            "GET",
            "/conversations.history",
            Answer::json(200, json!({"ok": true, "messages": [message]})),
        )
        .answer(
            "GET",
            "/auth.test",
            Answer::json(200, json!({"ok": true, "user_id": "U1", "team_id": "T1", "x": 1})),
        )
        .build()
        .await
        .unwrap();
    let get = GetConversation { channel: "C1".into(), whole: true, ..GetConversation::default() };
    let found = harness.run(get).await.unwrap();
    assert_eq!(
        (found.name.as_deref(), Value::from(found.whole.clone().unwrap())),
        (Some("general"), channel)
    );
    let get = GetMessage {
        channel: "C1".into(),
        ts: "1700000001.000200".into(),
        whole: true,
        ..GetMessage::default()
    };
    let found = harness.run(get).await.unwrap();
    assert_eq!((found.text.as_str(), Value::from(found.whole.clone().unwrap())), ("a", message));
    let identity =
        harness.call("get_identity", json!({"whole": true})).await.unwrap().parse::<Value>().unwrap();
    assert_eq!(identity["whole"]["x"], 1);
    // The probe is what a health check calls.
    harness.session().check("slack").await.unwrap();
    harness.finish().await.unwrap();
}
