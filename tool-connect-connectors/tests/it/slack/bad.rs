//! What goes wrong: scopes, archived channels, limits, broken connections, lies.

use serde_json::{Value, json};
use tool_connect_connectors::slack::{
    ListConversations, SendMessage, SetProfile, Slack, SlackUser, UpdateView, escape,
};
use tool_connect_core::{Effect, ErrorKind, InputRequest, ToolCall, ToolOutcome};
use tool_connect_testkit::{Answer, Harness};

fn hello() -> SendMessage {
    SendMessage { channel: "C1".into(), text: Some("hello".into()), ..SendMessage::default() }
}

fn refused(code: &str) -> Answer {
    Answer::json(200, json!({"ok": false, "error": code}))
}

fn sent() -> Answer {
    Answer::json(200, json!({"ok": true, "channel": "C1", "ts": "1.2"}))
}

#[tokio::test]
async fn a_missing_scope_is_asked_for_by_name_before_anything_is_sent() {
    let harness = Harness::builder(Slack::new())
        .scopes(["channels:read"])
        .answer("POST", "/chat.postMessage", sent())
        .build()
        .await
        .unwrap();
    let call = ToolCall::new("slack.send_message", json!({"channel": "C1", "text": "hello"}).to_string());
    let outcome = harness.execute(call).await.unwrap();
    let ToolOutcome::InputRequired(required) = outcome else { panic!("{outcome:?}") };
    let InputRequest::Connect { instance, scopes, .. } = &required.request else { panic!("{required:?}") };
    assert_eq!((instance.as_str(), scopes.as_slice()), ("slack", &["chat:write".to_owned()][..]));
    assert!(harness.requests().is_empty());
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn the_scope_of_one_kind_of_conversation_does() {
    let channels = Answer::json(200, json!({"ok": true, "channels": [{"id": "G1"}]}));
    for scope in ["channels:read", "groups:read", "im:read", "mpim:read"] {
        let harness = Harness::builder(Slack::new())
            .scopes([scope])
            .answer("GET", "/conversations.list", channels.clone())
            .build()
            .await
            .unwrap();
        assert_eq!(harness.run(ListConversations::default()).await.unwrap().items[0].id, "G1", "{scope}");
        harness.finish().await.unwrap();
    }
}

#[tokio::test]
async fn a_user_is_asked_for_a_scope_that_a_bot_cannot_have() {
    let harness = Harness::builder(SlackUser::new()).scopes(["chat:write"]).build().await.unwrap();
    let outcome =
        harness.execute(ToolCall::new("slack_user.search_messages", r#"{"query": "x"}"#)).await.unwrap();
    let ToolOutcome::InputRequired(required) = outcome else { panic!("{outcome:?}") };
    let InputRequest::Connect { scopes, .. } = &required.request else { panic!("{required:?}") };
    assert_eq!(scopes, &["search:read"]);
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn a_message_is_never_sent_twice() {
    // Nobody knows what became of it: it is told, and left to the caller.
    let failing = [
        (Answer::broken(), ErrorKind::Transport),
        (Answer::status(500), ErrorKind::Provider),
        (Answer::status(502).body("<html>Bad gateway</html>"), ErrorKind::Provider),
        (refused("internal_error"), ErrorKind::Provider),
        (refused("fatal_error"), ErrorKind::Provider),
        (Answer::status(200).body(r#"{"ok":true,"channel":"C1","t"#), ErrorKind::Provider),
        (Answer::json(200, json!({"ok": true})), ErrorKind::Provider),
    ];
    for (answer, kind) in failing {
        let harness = Harness::builder(Slack::new())
            .answer("POST", "/chat.postMessage", answer)
            .answer("POST", "/chat.postMessage", sent())
            .build()
            .await
            .unwrap();
        let error = harness.run(hello()).await.unwrap_err();
        assert_eq!((error.kind(), error.effect_on_provider()), (kind, Effect::Unknown), "{error}");
        assert_eq!(harness.requests().len(), 1, "{error}");
        harness.finish().await.unwrap();
    }
}

#[tokio::test]
async fn what_was_certainly_not_done_is_tried_again() {
    // A limit refuses before anything is done, and an unreachable host was told nothing.
    let limited = Answer::json(429, json!({"ok": false, "error": "ratelimited"})).header("retry-after", "0");
    for answer in [limited, Answer::unreachable()] {
        let harness = Harness::builder(Slack::new())
            .answer("POST", "/chat.postMessage", answer)
            .answer("POST", "/chat.postMessage", sent())
            .build()
            .await
            .unwrap();
        assert_eq!(harness.run(hello()).await.unwrap().ts, "1.2");
        assert_eq!(harness.requests().len(), 2);
        harness.finish().await.unwrap();
    }
}

#[tokio::test]
async fn reads_are_repeated() {
    let channels = Answer::json(200, json!({"ok": true, "channels": []}));
    for answer in
        [Answer::broken(), Answer::status(503), refused("internal_error"), refused("service_unavailable")]
    {
        let harness = Harness::builder(Slack::new())
            .answer("GET", "/conversations.list", answer)
            .answer("GET", "/conversations.list", channels.clone())
            .build()
            .await
            .unwrap();
        assert!(harness.run(ListConversations::default()).await.unwrap().items.is_empty());
        assert_eq!(harness.requests().len(), 2);
        harness.finish().await.unwrap();
    }
}

#[tokio::test]
async fn a_refusal_proves_that_nothing_was_done() {
    for (code, kind, says) in [
        ("is_archived", ErrorKind::Conflict, "unarchive_conversation"),
        ("not_in_channel", ErrorKind::Forbidden, "join_conversation"),
        ("channel_not_found", ErrorKind::NotFound, "check `channel`"),
        ("msg_too_long", ErrorKind::InvalidArguments, "split it"),
        ("account_inactive", ErrorKind::NeedsReauth, "connect an account that is active"),
    ] {
        let harness = Harness::builder(Slack::new())
            .answer("POST", "/chat.postMessage", refused(code))
            .build()
            .await
            .unwrap();
        let error = harness.run(hello()).await.unwrap_err();
        assert_eq!((error.kind(), error.effect_on_provider()), (kind, Effect::NotExecuted), "{code}");
        assert!(error.public_message().contains(says), "{code}: {}", error.public_message());
        assert_eq!(harness.requests().len(), 1, "{code}");
        harness.finish().await.unwrap();
    }
    // What a code of tomorrow says of that, nobody knows.
    let harness = Harness::builder(Slack::new())
        .answer("POST", "/chat.postMessage", refused("tomorrows_code"))
        .build()
        .await
        .unwrap();
    let error = harness.run(hello()).await.unwrap_err();
    assert_eq!((error.kind(), error.effect_on_provider()), (ErrorKind::Provider, Effect::Unknown));
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn an_answer_of_another_content_type_is_read_all_the_same() {
    let body = json!({"ok": true, "channels": [{"id": "C1", "a_field_of_tomorrow": {}}]}).to_string();
    let harness = Harness::builder(Slack::new())
        .answer(
            "GET",
            "/conversations.list",
            Answer::status(200).header("content-type", "text/html").body(body),
        )
        .build()
        .await
        .unwrap();
    assert_eq!(harness.run(ListConversations::default()).await.unwrap().items[0].id, "C1");
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn a_refusal_is_one_wherever_ok_stands() {
    let body = r#"{"error": "channel_not_found", "channels": [], "ok": false}"#;
    let harness = Harness::builder(Slack::new())
        .answer("GET", "/conversations.list", Answer::status(200).body(body))
        .answer("GET", "/conversations.list", Answer::status(200).body(r#"{ "channels": [] , "ok" : true }"#))
        .build()
        .await
        .unwrap();
    let error = harness.run(ListConversations::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(harness.run(ListConversations::default()).await.is_ok());
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn arguments_that_cannot_be_meant_are_not_sent() {
    let harness = Harness::builder(Slack::new()).build().await.unwrap();
    let message = |more: Value| {
        let mut message = json!({"channel": "C1"});
        message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        message
    };
    for (tool, arguments, pointer) in [
        ("send_message", message(json!({})), "/text"),
        ("send_message", message(json!({"text": "a", "markdown_text": "b"})), "/markdown_text"),
        ("send_message", message(json!({"text": "a", "thread_ts": 1_700_000_000.5})), "/thread_ts"),
        ("send_message", message(json!({"text": "a", "thread_ts": "p1700000000000100"})), "/thread_ts"),
        ("send_message", message(json!({"text": "a", "as_user": true})), "/as_user"),
        ("add_reaction", message(json!({"ts": "1.2", "name": ":eyes:"})), "/name"),
        ("create_conversation", json!({"name": "#General"}), "/name"),
        ("list_users", json!({"page_size": 1000}), "/page_size"),
        ("list_conversations", json!({"types": ["channel"]}), "/types/0"),
        ("set_topic", message(json!({"topic": "x".repeat(251)})), "/topic"),
        ("add_bookmark", message(json!({"title": "t", "link": "javascript:alert(1)"})), "/link"),
    ] {
        let error = harness.call(tool, &arguments).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArguments, "{tool} {arguments}");
        assert_eq!(error.problems()[0].pointer, pointer, "{tool} {arguments}");
    }
    let view =
        UpdateView { view_id: Some("V1".into()), external_id: Some("x".into()), ..UpdateView::default() };
    assert_eq!(harness.run(view).await.unwrap_err().kind(), ErrorKind::InvalidArguments);
    assert!(harness.requests().is_empty());
    harness.finish().await.unwrap();

    let harness = Harness::builder(SlackUser::new()).build().await.unwrap();
    assert!(harness.run(SetProfile::default()).await.is_err());
    assert!(harness.requests().is_empty());
    harness.finish().await.unwrap();
}

#[test]
fn escaped_text_has_nothing_that_slack_reads() {
    assert_eq!(
        escape("a < b && <@U1> &amp; <!channel>"),
        "a &lt; b &amp;&amp; &lt;@U1&gt; &amp;amp; &lt;!channel&gt;"
    );
}
