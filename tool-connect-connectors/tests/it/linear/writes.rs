//! Nothing is made twice, and what was not given is not sent.

use serde_json::{Value, json};
use tool_connect_connectors::linear::{CreateIssue, IssueField, Linear, UpdateIssue};
use tool_connect_core::{CallOptions, Effect, ErrorKind, Principal};
use tool_connect_testkit::{Answer, Harness};

use super::{ID, answer, issue, refusal, root};

fn create() -> CreateIssue {
    CreateIssue { team_id: ID.into(), title: "Broken login".into(), ..CreateIssue::default() }
}

fn keyed(key: &str) -> CallOptions {
    let mut options = CallOptions::new();
    options.idempotency_key = Some(key.into());
    options
}

fn made() -> Answer {
    answer(json!({"success": true, "entity": issue(7)}))
}

fn taken() -> Answer {
    let words = format!("Entity Issue with id {ID} already exists.");
    refusal(
        200,
        json!({"message": "conflict on insert of Issue", "path": ["answer"], "extensions": {
            "type": "invalid input", "code": "INPUT_ERROR", "userError": true, "userPresentableMessage": words}}),
    )
}

#[tokio::test]
async fn without_a_key_a_write_is_sent_once() {
    let harness =
        Harness::builder(Linear::new()).answer("POST", "/graphql", Answer::broken()).build().await.unwrap();
    let error = harness.run(create()).await.unwrap_err();
    assert_eq!((error.kind(), error.effect_on_provider()), (ErrorKind::Transport, Effect::Unknown));
    let sent = harness.requests();
    assert_eq!(sent.len(), 1);
    assert!(sent[0].json()["variables"].get("id").is_none());
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn with_a_key_it_may_be_sent_again_and_linear_refuses_to_make_a_second_one() {
    let harness = Harness::builder(Linear::new())
        .answer("POST", "/graphql", Answer::broken())
        .answer("POST", "/graphql", taken())
        .answer("POST", "/graphql", answer(issue(7)))
        .build()
        .await
        .unwrap();
    let made = harness.run_with(create(), keyed("k")).await.unwrap();
    assert_eq!(made.identifier, "ENG-7");
    let sent = harness.requests();
    let roots: Vec<String> = sent.iter().map(root).collect();
    assert_eq!(roots, ["issueCreate", "issueCreate", "issue"]);
    let ids: Vec<Value> = sent.iter().map(|request| request.json()["variables"]["id"].clone()).collect();
    assert!(ids[0].is_string() && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn a_conflict_that_is_not_ours_stays_one() {
    // Without a key there is no id of ours; with one, nothing is found under it.
    let gone = refusal(
        200,
        json!({"message": "Entity not found: Issue", "extensions": {"code": "INPUT_ERROR", "userPresentableMessage": "Could not find referenced Issue."}}),
    );
    for (options, requests) in [(CallOptions::default(), 1), (keyed("k"), 2)] {
        let harness = Harness::builder(Linear::new())
            .answer("POST", "/graphql", taken())
            .answer("POST", "/graphql", gone.clone())
            .build()
            .await
            .unwrap();
        let error = harness.run_with(create(), options).await.unwrap_err();
        assert_eq!((error.kind(), harness.requests().len()), (ErrorKind::Conflict, requests));
        harness.finish().await.unwrap();
    }
}

#[tokio::test]
async fn ids_differ_by_key_tool_and_user() {
    let id = async |user: &str, key: &str, tool: &str| {
        let harness = Harness::builder(Linear::new())
            .principal(Principal::user("acme", user).unwrap())
            .answer("POST", "/graphql", made())
            .build()
            .await
            .unwrap();
        let arguments = json!({"team_id": ID, "title": "t", "issue_id": ID, "body": "b"});
        let keep = |names: [&str; 2]| json!({names[0]: arguments[names[0]], names[1]: arguments[names[1]]});
        let arguments =
            if tool == "create_issue" { keep(["team_id", "title"]) } else { keep(["issue_id", "body"]) };
        let mut call = tool_connect_core::ToolCall::new(
            format!("linear.{tool}"),
            serde_json::to_vec(&arguments).unwrap(),
        );
        call.options = keyed(key);
        let _ = harness.execute(call).await;
        let id = harness.requests()[0].json()["variables"]["id"].as_str().unwrap().to_owned();
        harness.finish().await.unwrap();
        id
    };
    let first = id("ada", "k", "create_issue").await;
    assert_eq!(first, id("ada", "k", "create_issue").await);
    for other in [
        id("ada", "l", "create_issue").await,
        id("bob", "k", "create_issue").await,
        id("ada", "k", "create_comment").await,
    ] {
        assert_ne!(first, other);
    }
}

#[tokio::test]
async fn only_what_is_cleared_is_sent_as_null() {
    let harness = Harness::builder(Linear::new()).answer("POST", "/graphql", made()).build().await.unwrap();
    let update = UpdateIssue {
        id: "ENG-7".into(),
        state_id: Some(ID.into()),
        clear: vec![IssueField::AssigneeId, IssueField::DueDate],
        ..UpdateIssue::default()
    };
    harness.run(update).await.unwrap();
    assert_eq!(
        harness.requests()[0].json()["variables"],
        json!({"id": "ENG-7", "state_id": ID, "assignee_id": null, "due_date": null})
    );
    let both = UpdateIssue {
        id: "ENG-7".into(),
        assignee_id: Some(ID.into()),
        clear: vec![IssueField::AssigneeId],
        ..UpdateIssue::default()
    };
    let error = harness.run(both).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArguments);
    assert_eq!(error.problems()[0].pointer, "/clear");
    // A strict dialect sends null for what it leaves out; that clears nothing.
    harness.call("update_issue", json!({"id": "ENG-7", "title": "t", "assignee_id": null})).await.unwrap();
    assert_eq!(harness.requests()[1].json()["variables"], json!({"id": "ENG-7", "title": "t"}));
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn what_linear_did_not_do_is_an_error() {
    let harness = Harness::builder(Linear::new())
        .answer("POST", "/graphql", answer(json!({"success": false})))
        .answer("POST", "/graphql", answer(json!({"success": false, "entity": issue(7)})))
        .answer("POST", "/graphql", answer(json!({"success": true, "entity": null})))
        .answer("POST", "/graphql", answer(json!({"success": true})))
        .build()
        .await
        .unwrap();
    for (tool, says) in
        [("delete_issue", "not done"), ("archive_issue", "not done"), ("archive_issue", "look it up")]
    {
        let error = harness.call(tool, json!({"id": "ENG-7"})).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Provider);
        assert!(error.public_message().contains(says), "{}", error.public_message());
    }
    let done: Value = harness.call("delete_issue", json!({"id": "ENG-7"})).await.unwrap().parse().unwrap();
    assert_eq!(done, json!({"id": "ENG-7"}));
    harness.finish().await.unwrap();
}
