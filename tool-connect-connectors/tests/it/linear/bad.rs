//! What goes wrong, and what its reader is told.

use std::time::Duration;

use futures_util::StreamExt as _;
use serde_json::json;
use tool_connect_connectors::linear::{GetIssue, Linear, ListIssues};
use tool_connect_core::{Effect, ErrorKind, InputRequest, Retry};
use tool_connect_testkit::{Answer, Harness};

use super::{ID, answer, issue, refusal};

fn page(numbers: &[u32], next: Option<&str>) -> Answer {
    let nodes: Vec<_> = numbers.iter().map(|number| issue(*number)).collect();
    // A cursor comes with the last page, too.
    let info = json!({"hasNextPage": next.is_some(), "endCursor": next.unwrap_or("end")});
    answer(json!({"nodes": nodes, "pageInfo": info}))
}

#[tokio::test]
async fn a_walk_over_all_pages_goes_on_after_a_rate_limit() {
    let limited = refusal(
        400,
        json!({"message": "Rate limit exceeded", "extensions": {"type": "ratelimited", "code": "RATELIMITED"}}),
    );
    let harness = Harness::builder(Linear::new())
        .hub(|hub| hub.configure(|settings| settings.http.retry.max_attempts = 1))
        .answer("POST", "/graphql", page(&[1, 2], Some("c2")))
        .answer("POST", "/graphql", limited.header("retry-after", "30"))
        .answer("POST", "/graphql", page(&[3], None))
        .build()
        .await
        .unwrap();
    let list = ListIssues { assignee: Some("me".into()), page_size: Some(2), ..ListIssues::default() };
    let mut walk = harness.session().items(list);
    let mut found = Vec::new();
    while let Some(item) = walk.next().await {
        match item {
            Ok(issue) => found.push(issue.identifier),
            Err(error) => {
                assert_eq!(
                    (error.kind(), error.retry_advice()),
                    (ErrorKind::RateLimited, Retry::After(Duration::from_secs(30)))
                );
                harness.clock().advance(Duration::from_secs(31));
            }
        }
    }
    drop(walk);
    assert_eq!(found, ["ENG-1", "ENG-2", "ENG-3"]);
    let sent = harness.requests();
    assert_eq!(sent.len(), 3);
    assert_eq!(
        sent[2].json()["variables"],
        json!({"page_size": 2, "cursor": "c2", "filter": {"assignee": {"isMe": {"eq": true}}}})
    );
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn the_end_of_the_window_is_read_from_linears_own_headers() {
    let refused = refusal(
        400,
        json!({"message": "Rate limit exceeded", "extensions": {"type": "ratelimited", "code": "RATELIMITED"}}),
    );
    let harness = Harness::builder(Linear::new())
        .hub(|hub| hub.configure(|settings| settings.http.retry.max_attempts = 1))
        .answer_with("POST", "/graphql", move |_| {
            refused
                .clone()
                .header("x-ratelimit-requests-remaining", "900")
                .header("x-ratelimit-requests-reset", "1000")
                .header("x-complexity", "300")
                .header("x-ratelimit-complexity-remaining", "120")
                .header("x-ratelimit-complexity-reset", "600")
        })
        .build()
        .await
        .unwrap();
    let error = harness.run(GetIssue { id: "ENG-1".into(), whole: false }).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.retry_advice()),
        (ErrorKind::RateLimited, Retry::After(Duration::from_secs(600)))
    );
    // Nothing is sent to be refused again.
    let error = harness.run(GetIssue { id: "ENG-1".into(), whole: false }).await.unwrap_err();
    assert_eq!((error.kind(), harness.requests().len()), (ErrorKind::RateLimited, 1));
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn a_missing_scope_is_named_and_asked_for() {
    let harness = Harness::builder(Linear::new())
        .scopes(["read"])
        .answer("POST", "/graphql", answer(json!({"success": true, "entity": issue(1)})))
        .build()
        .await
        .unwrap();
    let new = json!({"team_id": ID, "title": "t"});
    for (tool, arguments, scope) in [
        ("create_project", json!({"name": "n", "team_ids": [ID]}), "write"),
        ("create_issue", new.clone(), "issues:create"),
        ("create_comment", json!({"issue_id": ID, "body": "b"}), "comments:create"),
    ] {
        let error = harness.call(tool, arguments).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InputRequired);
        let required = error.input_required().unwrap();
        assert!(
            matches!(&required.request, InputRequest::Connect { scopes, .. } if *scopes == [scope]),
            "{tool}: {:?}",
            required.request
        );
    }
    assert_eq!(harness.requests().len(), 0);
    harness.finish().await.unwrap();

    // `write` includes the lesser one.
    for granted in ["write", "issues:create"] {
        let harness = Harness::builder(Linear::new())
            .scopes(["read", granted])
            .answer("POST", "/graphql", answer(json!({"success": true, "entity": issue(1)})))
            .build()
            .await
            .unwrap();
        harness.call("create_issue", new.clone()).await.unwrap();
        harness.finish().await.unwrap();
    }
}

#[tokio::test]
async fn archived_ones_are_there_where_asked_for() {
    let mut archived = issue(4);
    archived["archived_at"] = json!("2026-05-31T12:00:00.000Z");
    let harness = Harness::builder(Linear::new())
        .answer_with("POST", "/graphql", move |request| {
            match request.json()["variables"].get("include_archived").and_then(serde_json::Value::as_bool) {
                Some(true) => {
                    answer(json!({"nodes": [archived.clone()], "pageInfo": {"hasNextPage": false, "endCursor": null}}))
                }
                _ => page(&[], None),
            }
        })
        .build()
        .await
        .unwrap();
    let none = harness.run(ListIssues::default()).await.unwrap();
    assert!(none.items.is_empty());
    let list = ListIssues { include_archived: Some(true), ..ListIssues::default() };
    let found = harness.run(list).await.unwrap();
    assert_eq!(found.items[0].archived_at.as_deref(), Some("2026-05-31T12:00:00.000Z"));
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn part_of_the_data_is_an_error_and_says_so() {
    let body = json!({
        "data": {"answer": {"success": true, "entity": null}},
        "errors": [{"message": "Access denied", "path": ["answer", "entity"], "extensions": {"type": "forbidden", "code": "FORBIDDEN"}}],
    });
    let harness = Harness::builder(Linear::new())
        .answer("POST", "/graphql", Answer::json(200, body))
        .build()
        .await
        .unwrap();
    let error = harness.call("archive_issue", json!({"id": "ENG-1"})).await.unwrap_err();
    assert_eq!((error.kind(), error.effect_on_provider()), (ErrorKind::Forbidden, Effect::Unknown));
    assert!(error.public_message().ends_with("Only a part of the answer came, which is not used."));
    // The same of a read has changed nothing.
    let error = harness.run(GetIssue { id: "ENG-1".into(), whole: false }).await.unwrap_err();
    assert_eq!(error.effect_on_provider(), Effect::None);
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn a_read_is_repeated_and_leaves_nothing_behind() {
    let harness = Harness::builder(Linear::new())
        .answer("POST", "/graphql", Answer::broken())
        .answer("POST", "/graphql", Answer::status(502).body("<html>"))
        .answer("POST", "/graphql", answer(issue(1)))
        .build()
        .await
        .unwrap();
    assert_eq!(harness.run(GetIssue { id: "ENG-1".into(), whole: false }).await.unwrap().identifier, "ENG-1");
    assert_eq!(harness.requests().len(), 3);
    harness.finish().await.unwrap();

    for wrong in [
        Answer::broken(),
        Answer::status(502).body("<html>"),
        // It calls itself JSON.
        Answer::status(200).header("content-type", "application/json").body("<html>"),
        Answer::status(200).body(r#"{"data": {"answer": {"id": "#),
        Answer::json(200, json!({"data": null})),
    ] {
        let harness =
            Harness::builder(Linear::new()).answer("POST", "/graphql", wrong).build().await.unwrap();
        let error = harness.run(GetIssue { id: "ENG-1".into(), whole: false }).await.unwrap_err();
        assert_eq!(error.effect_on_provider(), Effect::None, "{error}");
        harness.finish().await.unwrap();
    }
}

#[tokio::test]
async fn text_about_errors_is_no_error_and_a_lying_content_type_is_no_hindrance() {
    let mut about = issue(1);
    about["description"] = json!("{\"errors\": [{\"message\": \"not one\"}]}");
    let good = Answer::status(200)
        .header("content-type", "text/html")
        .body(serde_json::to_vec(&json!({"data": {"answer": about}})).unwrap());
    let harness = Harness::builder(Linear::new()).answer("POST", "/graphql", good).build().await.unwrap();
    let found = harness.run(GetIssue { id: "ENG-1".into(), whole: true }).await.unwrap();
    assert!(found.description.as_deref().unwrap().contains("not one"));
    assert_eq!(found.whole.as_ref().unwrap()["something_new"], json!({"a": 1}));
    assert_eq!(found.labels[0].name.as_deref(), Some("Bug"));
    harness.finish().await.unwrap();
}
