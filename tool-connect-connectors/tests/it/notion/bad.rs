//! Bad input, and a provider that misbehaves.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use serde_json::{Value, json};
use tool_connect_connectors::notion::{ListUsers, Notion};
use tool_connect_core::{Effect, ErrorKind, Retry};
use tool_connect_testkit::{Answer, Harness};

use super::over;
use super::workspace::{Workspace, refusal};

const ID: &str = "0d7a1f0e-1111-4222-8333-944444444444";

fn list(results: Value, next: Option<&str>) -> Answer {
    Answer::json(200, json!({"object": "list", "results": results, "next_cursor": next}))
}

#[tokio::test]
async fn a_walk_goes_on_after_a_rate_limit() {
    let limited = Answer::json(429, refusal(429, "rate_limited", "Slow down").1).header("retry-after", "30");
    let harness = Harness::builder(Notion::new())
        .hub(|hub| hub.configure(|settings| settings.http.retry.max_attempts = 1))
        .answer("GET", "/users", list(json!([{"id": "a"}]), Some("c-1")))
        .answer("GET", "/users", limited)
        .answer("GET", "/users", list(json!([{"id": "b"}]), None))
        .build()
        .await
        .unwrap();
    let mut walk = harness.session().items(ListUsers::default());
    assert_eq!(walk.next().await.unwrap().unwrap().id, "a");
    let error = walk.next().await.unwrap().unwrap_err();
    assert_eq!(
        (error.kind(), error.retry_advice()),
        (ErrorKind::RateLimited, Retry::After(Duration::from_secs(30)))
    );
    harness.clock().advance(Duration::from_secs(31));
    assert_eq!(walk.next().await.unwrap().unwrap().id, "b");
    assert!(walk.next().await.is_none());
    drop(walk);
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn what_a_connection_may_not_do_is_named() {
    for (tool, arguments, capability) in [
        ("get_page", json!({"page_id": ID}), "Read content"),
        ("update_page", json!({"page_id": ID}), "Update content"),
        ("append_blocks", json!({"block_id": ID, "markdown": "x"}), "Insert content"),
        ("list_comments", json!({"block_id": ID}), "Read comments"),
        ("create_comment", json!({"page_id": ID, "markdown": "x"}), "Insert comments"),
        ("list_users", json!({}), "Read user information"),
    ] {
        let workspace = Arc::new(Workspace::default());
        workspace.fail(vec![refusal(
            403,
            "restricted_resource",
            "Insufficient permissions for this endpoint.",
        )]);
        let harness = over(&workspace).await;
        let error = harness.call(tool, arguments).await.unwrap_err();
        let message = error.public_message().into_owned();
        assert_eq!((error.kind(), error.effect_on_provider()), (ErrorKind::Forbidden, Effect::NotExecuted));
        assert!(message.contains(&format!("`{capability}`")), "{tool}: {message}");
        harness.finish().await.unwrap();
    }
}

#[tokio::test]
async fn a_refused_value_is_named_by_its_argument() {
    for (tool, arguments, message, pointer) in [
        (
            "get_page",
            json!({"page_id": ID}),
            "path failed validation: path.page_id should be a valid uuid",
            "/page_id",
        ),
        (
            "list_users",
            json!({"cursor": "x"}),
            "start_cursor: query.start_cursor should be a valid uuid",
            "/cursor",
        ),
        (
            "query_data_source",
            json!({"data_source_id": ID}),
            "body failed validation: body.filter.or[0] should be defined",
            "/filter",
        ),
        (
            "append_blocks",
            json!({"block_id": ID, "markdown": "x"}),
            "body failed validation: body.children[0].paragraph should be defined, instead was `undefined`.",
            "/markdown",
        ),
    ] {
        let workspace = Arc::new(Workspace::default());
        workspace.fail(vec![refusal(400, "validation_error", message)]);
        let harness = over(&workspace).await;
        let error = harness.call(tool, arguments).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArguments);
        assert_eq!(error.problems()[0].pointer, pointer, "{tool}: {error}");
        assert!(error.problems()[0].message.contains("should be"), "{tool}");
        harness.finish().await.unwrap();
    }
}

#[tokio::test]
async fn arguments_that_cannot_be_are_refused_before_anything_is_sent() {
    let workspace = Arc::new(Workspace::default());
    let harness = over(&workspace).await;
    for (tool, arguments, pointer) in [
        ("get_page", json!({"page_id": "../users/me"}), "/page_id"),
        ("create_page", json!({"parent_page_id": ID, "data_source_id": ID}), "/data_source_id"),
        ("create_page", json!({"data_source_id": ID, "template_id": ID, "markdown": "x"}), "/template_id"),
        ("create_page", json!({"parent_page_id": ID, "cover": "🙂"}), "/cover"),
        ("move_page", json!({"page_id": ID}), "/to_page_id"),
        ("append_blocks", json!({"block_id": ID}), "/markdown"),
        ("append_blocks", json!({"block_id": ID, "markdown": " \n"}), "/markdown"),
        ("append_blocks", json!({"block_id": ID, "markdown": "![x](notion://file/abc)"}), "/markdown"),
        (
            "append_blocks",
            json!({"block_id": ID, "markdown": "x", "at_start": true, "after_block_id": ID}),
            "/at_start",
        ),
        ("update_block", json!({"block_id": ID}), "/markdown"),
        ("read_page_markdown", json!({"page_id": ID, "cursor": "elsewhere"}), "/cursor"),
        ("read_page_markdown", json!({"page_id": ID, "max_depth": 0}), "/max_depth"),
        ("create_comment", json!({"markdown": "x"}), "/page_id"),
        ("create_comment", json!({"page_id": ID, "markdown": "<!-- -->"}), "/markdown"),
        (
            "query_data_source",
            json!({"data_source_id": ID, "sorts": [{"direction": "ascending"}]}),
            "/sorts/0/property",
        ),
        (
            "create_database",
            json!({"title": "x", "properties": [{"name": "Sum", "type": "rollup", "relation": "Tasks"}]}),
            "/properties/0/related_property",
        ),
        ("download_file", json!({}), "/block_id"),
        ("import_file", json!({"url": "http://x.example/a", "filename": "a"}), "/url"),
    ] {
        let error = harness.call(tool, &arguments).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArguments, "{tool} {arguments}: {error}");
        assert!(
            error.problems().iter().any(|problem| problem.pointer == pointer),
            "{tool} {arguments}: {:?}",
            error.problems()
        );
    }
    assert_eq!(workspace.requests(), 0);
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn a_write_is_sent_once_and_says_what_it_left() {
    // Nobody knows whether it took place.
    for answer in [
        Answer::broken(),
        Answer::json(500, refusal(500, "internal_server_error", "x").1),
        Answer::status(504),
    ] {
        let harness = Harness::builder(Notion::new()).answer("POST", "/pages", answer).build().await.unwrap();
        let error =
            harness.call("create_page", json!({"parent_page_id": ID, "title": "x"})).await.unwrap_err();
        assert_eq!(error.effect_on_provider(), Effect::Unknown, "{error}");
        assert_eq!(harness.requests().len(), 1);
        harness.finish().await.unwrap();
    }
    // Notion says that nothing did: it may be repeated.
    let conflict = Answer::json(409, refusal(409, "conflict_error", "Conflict occurred while saving.").1);
    let harness = Harness::builder(Notion::new())
        .answer("POST", "/pages", conflict)
        .answer("POST", "/pages", Answer::json(200, json!({"object": "page", "id": ID})))
        .build()
        .await
        .unwrap();
    assert!(harness.call("create_page", json!({"parent_page_id": ID})).await.is_ok());
    assert_eq!(harness.requests().len(), 2);
    harness.finish().await.unwrap();
    // The second of two requests fails.
    let workspace = Arc::new(Workspace::default());
    let home = workspace.page("Home");
    let markdown = "x\n\n".repeat(150);
    let harness = Harness::builder(Notion::new())
        .hub(|hub| hub.configure(|settings| settings.http.retry.max_attempts = 1))
        .answer("POST", "/pages", Answer::json(200, json!({"object": "page", "id": ID})))
        .answer(
            "PATCH",
            &format!("/blocks/{ID}/children"),
            Answer::json(503, refusal(503, "service_unavailable", "x").1),
        )
        .build()
        .await
        .unwrap();
    let error =
        harness.call("create_page", json!({"parent_page_id": home, "markdown": markdown})).await.unwrap_err();
    let message = error.public_message().into_owned();
    assert_eq!(error.effect_on_provider(), Effect::Unknown);
    assert!(message.contains(ID) && message.contains("Do not repeat"), "{message}");
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn an_update_of_another_type_is_refused() {
    let workspace = Arc::new(Workspace::default());
    let home = workspace.page("Home");
    let harness = over(&workspace).await;
    let made = harness.call("append_blocks", json!({"block_id": home, "markdown": "Text."})).await.unwrap();
    let made: Value = made.parse().unwrap();
    for markdown in ["# Heading", "a\n\nb", "- a\n  - b"] {
        let update = json!({"block_id": made["block_ids"][0], "markdown": markdown});
        let error = harness.call("update_block", update).await.unwrap_err();
        assert_eq!(error.problems()[0].pointer, "/markdown");
    }
    assert_eq!(
        workspace.object(made["block_ids"][0].as_str().unwrap())["paragraph"]["rich_text"][0]["text"]["content"],
        "Text."
    );
    harness.finish().await.unwrap();
}
