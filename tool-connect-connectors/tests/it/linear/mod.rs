//! Linear: what is sent, what comes of its answers, and a day's work.

mod bad;
mod complexity;
mod counterparty;
mod day;
mod errors;
mod files;
mod writes;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tool_connect_connectors::linear::Linear;
use tool_connect_core::{AuthScheme, Connector, ToolSet};
use tool_connect_hub::InstanceOptions;
use tool_connect_testkit::{Answer, Harness, SentRequest, lint};

use crate::provider::assert_promises;

const ID: &str = "9cfb482a-81e3-4154-b5b9-2c805e70a02d";

#[test]
fn the_lint_finds_nothing() {
    lint::assert_clean(&Linear::new());
}

#[test]
fn promises_are_kept() {
    assert_promises(&Linear::new());
}

fn tools() -> ToolSet {
    let mut set = ToolSet::default();
    Linear::new().tools(&mut set);
    set
}

fn names() -> BTreeSet<String> {
    tools().tools().iter().map(|tool| tool.definition().name.to_string()).collect()
}

#[test]
fn the_page_for_users_lists_every_tool_with_its_scope() {
    let page = include_str!("../../../../docs/connectors/linear.md");
    let listed: BTreeSet<(String, String)> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|line| {
            let (name, rest) = line.split_once("` |")?;
            // The cell of another table is no scope.
            let scopes = rest.split_once(" |")?.0.trim();
            let told = || (name.to_owned(), scopes.replace('`', "").replace(" or ", "|"));
            scopes.starts_with('`').then(told)
        })
        .collect();
    let told: BTreeSet<(String, String)> = tools()
        .tools()
        .iter()
        .map(|tool| (tool.definition().name.to_string(), tool.definition().scopes.join(" ")))
        .collect();
    assert_eq!(listed, told);
}

/// Every tool that asks the API, with all the arguments that it takes, pages as large as they may be.
fn cases() -> Vec<(&'static str, Value)> {
    let id = json!({"id": ID});
    let whole = json!({"id": ID, "whole": true});
    let page = json!({"page_size": 100, "cursor": "c", "include_archived": true});
    let of = |more: Value| {
        let mut all = page.clone();
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    let issue = json!({
        "team_id": ID, "title": "t", "description": "d", "state_id": ID, "assignee_id": ID, "priority": 2, "estimate": 3,
        "due_date": "2026-05-31", "label_ids": [ID], "project_id": ID, "project_milestone_id": ID, "cycle_id": ID, "parent_id": ID,
    });
    let project = json!({
        "name": "n", "team_ids": [ID], "description": "d", "content": "c", "status_id": ID, "lead_id": ID, "member_ids": [ID],
        "priority": 1, "start_date": "2026-05-01", "target_date": "2026-05-31",
    });
    let with_id = |value: &Value| {
        let mut value = value.clone();
        value["id"] = json!(ID);
        value
    };
    let person = json!({"whole": true});
    vec![
        ("get_viewer", person.clone()),
        ("get_organization", person),
        ("list_users", of(json!({"name": "a", "email": "a@x.example", "include_disabled": true}))),
        ("get_user", whole.clone()),
        ("list_teams", page.clone()),
        ("get_team", whole.clone()),
        ("list_workflow_states", of(json!({"team": "ENG", "state_type": "started"}))),
        (
            "list_issues",
            of(json!({
                "team": "ENG", "assignee": "me", "creator": "ada@x.example", "state": "In Progress", "state_type": "started",
                "label": "Bug", "project": "none", "cycle": "active", "priority": 1, "updated_since": "-P7D", "text": "login",
                "order_by": "updatedAt",
            })),
        ),
        ("search_issues", of(json!({"text": "login", "team_id": ID, "include_comments": true}))),
        ("get_issue", whole.clone()),
        ("list_sub_issues", of(id.clone())),
        ("list_issue_history", json!({"id": ID, "page_size": 100, "cursor": "c"})),
        ("create_issue", issue.clone()),
        ("update_issue", with_id(&issue)),
        (
            "update_issue",
            json!({"id": ID, "clear": [
            "assignee_id", "estimate", "due_date", "project_id", "project_milestone_id", "cycle_id", "parent_id"]}),
        ),
        ("assign_issue", json!({"id": ID, "assignee_id": ID})),
        ("assign_issue", id.clone()),
        ("add_issue_label", json!({"id": ID, "label_id": ID})),
        ("remove_issue_label", json!({"id": ID, "label_id": ID})),
        ("archive_issue", id.clone()),
        ("unarchive_issue", id.clone()),
        ("delete_issue", id.clone()),
        ("list_comments", of(json!({"issue_id": "ENG-1"}))),
        ("create_comment", json!({"issue_id": "ENG-1", "body": "b", "parent_id": ID})),
        ("update_comment", json!({"id": ID, "body": "b"})),
        ("delete_comment", id.clone()),
        ("list_issue_relations", json!({"id": ID, "page_size": 100, "cursor": "c", "direction": "incoming"})),
        ("list_issue_relations", json!({"id": ID, "page_size": 100, "cursor": "c"})),
        (
            "create_issue_relation",
            json!({"issue_id": "ENG-1", "related_issue_id": "ENG-2", "type": "blocks"}),
        ),
        ("delete_issue_relation", id.clone()),
        ("list_labels", of(json!({"team": ID, "name": "b"}))),
        (
            "create_label",
            json!({"name": "n", "color": "#ff0000", "description": "d", "team_id": ID, "parent_id": ID, "is_group": false}),
        ),
        (
            "update_label",
            json!({"id": ID, "name": "n", "color": "#ff0000", "description": "d", "parent_id": ID}),
        ),
        (
            "list_projects",
            of(
                json!({"team": "ENG", "name": "n", "lead": "none", "status_type": "started", "updated_since": "-P1W"}),
            ),
        ),
        ("get_project", whole.clone()),
        ("create_project", project.clone()),
        ("update_project", with_id(&project)),
        ("update_project", json!({"id": ID, "clear": ["lead_id", "start_date", "target_date"]})),
        ("archive_project", id.clone()),
        ("unarchive_project", id.clone()),
        ("list_project_statuses", page.clone()),
        ("list_project_updates", of(json!({"project_id": ID}))),
        ("create_project_update", json!({"project_id": ID, "body": "b", "health": "atRisk"})),
        ("list_milestones", of(json!({"project_id": ID}))),
        (
            "create_milestone",
            json!({"project_id": ID, "name": "n", "description": "d", "target_date": "2026-05-31"}),
        ),
        ("update_milestone", json!({"id": ID, "name": "n", "description": "d", "target_date": "2026-05-31"})),
        ("list_cycles", of(json!({"team": "ENG", "time": "next"}))),
        ("get_cycle", whole.clone()),
        ("get_current_cycle", json!({"team_id": ID})),
        ("list_documents", of(json!({"project": "Site", "title": "t"}))),
        ("get_document", whole),
        (
            "create_document",
            json!({"title": "t", "content": "c", "project_id": ID, "team_id": ID, "issue_id": ID, "icon": ":eagle:"}),
        ),
        (
            "update_document",
            json!({"id": ID, "title": "t", "content": "c", "project_id": ID, "icon": ":eagle:"}),
        ),
        ("delete_document", id.clone()),
        ("list_attachments", of(json!({"issue_id": ID}))),
        (
            "create_attachment",
            json!({"issue_id": ID, "title": "t", "url": "https://x.example/", "subtitle": "s"}),
        ),
        ("delete_attachment", id.clone()),
        ("upload_file", json!({"file": {"base64": "aGVsbG8=", "name": "a.txt", "media_type": "text/plain"}})),
        ("list_notifications", page),
        ("archive_notification", id),
    ]
}

#[test]
fn every_tool_has_a_case() {
    let mut covered: BTreeSet<String> = cases().into_iter().map(|(name, _)| name.to_owned()).collect();
    // It asks the storage, not the API: `files.rs`.
    covered.insert("download_file".to_owned());
    assert_eq!(covered, names());
}

/// The root field that a request asks for.
fn root(request: &SentRequest) -> String {
    let query = request.json()["query"].as_str().unwrap().to_owned();
    let field = query.split_once("answer: ").unwrap().1;
    field.chars().take_while(char::is_ascii_alphanumeric).collect()
}

fn answer(data: Value) -> Answer {
    Answer::json(200, json!({"data": {"answer": data}}))
}

fn refusal(status: u16, error: Value) -> Answer {
    Answer::json(status, json!({"errors": [error], "data": null}))
}

/// An issue as the documents ask for it.
fn issue(number: u32) -> Value {
    json!({
        "id": format!("00000000-0000-4000-8000-{number:012}"), "identifier": format!("ENG-{number}"), "title": format!("Issue {number}"),
        "url": format!("https://linear.app/acme/issue/ENG-{number}"), "priority": 2, "priority_label": "High", "estimate": 1.5,
        "state": {"id": "s", "name": "Todo", "type": "unstarted"}, "team": {"id": "t", "key": "ENG", "name": "Engineering"},
        "assignee": null, "labels": {"nodes": [{"id": "l", "name": "Bug"}]}, "something_new": {"a": 1},
    })
}

#[tokio::test]
async fn an_api_key_stands_alone_in_its_header() {
    let viewer =
        json!({"id": ID, "name": "Ada", "organization": {"id": ID, "name": "Acme", "url_key": "acme"}});
    for (scheme, bare) in [(None, false), (Some(Linear::api_key()), true)] {
        let mut options = InstanceOptions::default();
        options.auth = scheme;
        let viewer = viewer.clone();
        let harness = Harness::builder(Linear::new())
            .instance(options)
            .answer("POST", "/graphql", answer(viewer))
            .build()
            .await
            .unwrap();
        let health = harness.session().check("linear").await.unwrap();
        assert!(String::from_utf8_lossy(&health.account).contains("Acme"));
        let sent = harness.requests();
        assert_eq!(sent[0].url.as_str(), "https://api.linear.app/graphql");
        let header = sent[0].header("authorization").unwrap();
        assert_eq!(header.strip_prefix("Bearer ").is_none(), bare);
        harness.finish().await.unwrap();
    }
    assert!(
        matches!(&Linear::new().manifest().auth[0], AuthScheme::OAuth2(scheme) if scheme.provider == "linear")
    );
}
