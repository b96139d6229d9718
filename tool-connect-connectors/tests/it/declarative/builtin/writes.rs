//! A write never happens twice.

use serde_json::json;
use tool_connect_core::{Effect, ErrorKind, ToolCall};

use super::stand::{Reply, Stand};
use super::{all, calls, load, tools};

#[tokio::test]
async fn what_was_sent_is_sent_again_only_where_that_changes_nothing_more() {
    for (id, connector) in all() {
        for tool in tools(&connector) {
            let definition = tool.definition();
            let (name, hints) = (definition.name.to_string(), definition.annotations);
            let harness = Stand::with(vec![Reply::broken(); 5]).harness(load(id)).await;
            let error = harness.call(&name, &calls(id)[&name]["with"]).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Transport, "{id}.{name}: {error:?}");
            let times = harness.requests().len();
            assert_eq!(times > 1, hints.read_only || hints.idempotent, "{id}.{name} was sent {times} times");
            if !hints.read_only {
                assert_eq!(error.effect_on_provider(), Effect::Unknown, "{id}.{name}");
            }
        }
    }
}

#[tokio::test]
async fn a_key_makes_a_write_repeatable_where_the_provider_keeps_it() {
    for (id, tool, times) in [
        ("stripe", "create_refund", 2),
        ("zendesk", "create_ticket", 2),
        // Zendesk takes the header for new tickets only.
        ("zendesk", "comment_ticket", 1),
        ("asana", "create_task", 1),
    ] {
        let stand = Stand::with([Reply::broken(), Reply::json(200, &json!({}))]);
        let harness = stand.harness(load(id)).await;
        let arguments = calls(id)[tool]["with"].clone();
        let call = ToolCall::new(format!("{id}.{tool}"), arguments).idempotency_key("key-1");
        let outcome = harness.execute(call).await;
        assert_eq!(harness.requests().len(), times, "{id}.{tool}");
        assert_eq!(outcome.is_ok(), times == 2, "{id}.{tool}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_was_turned_away_by_a_limit_is_sent_again() {
    for (id, tool) in
        [("stripe", "create_customer"), ("discord", "send_message"), ("airtable", "create_records")]
    {
        let limited = Reply::json(429, &json!({})).header("retry-after", "2");
        let harness = Stand::with([limited, Reply::json(200, &json!({}))]).harness(load(id)).await;
        harness.call(tool, &calls(id)[tool]["with"]).await.unwrap();
        assert_eq!(harness.requests().len(), 2, "{id}");
    }
}
