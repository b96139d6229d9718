//! Notion: what is sent, what comes of its answers, and a day's work.

mod bad;
mod counterparty;
mod day;
mod errors;
mod files;
mod workspace;

use std::sync::Arc;

use futures_util::TryStreamExt;
use serde_json::json;
use tool_connect_connectors::notion::{ListUsers, Notion};
use tool_connect_core::{Connector, ConnectorLimits, Rate};
use tool_connect_hub::InstanceOptions;
use tool_connect_testkit::{Answer, Harness, lint};
use workspace::Workspace;

use crate::provider::{assert_documented, assert_fits_every_dialect, assert_promises};

/// The tools over a small Notion, which takes more than three requests a second: nothing waits here.
async fn over(workspace: &Arc<Workspace>) -> Harness {
    let unlimited = InstanceOptions::default().limits(ConnectorLimits::default());
    let builder = Harness::builder(Notion::new()).instance(unlimited);
    builder.transport(Arc::clone(workspace) as _).build().await.unwrap()
}

#[test]
fn the_manifest_keeps_to_notions_limit() {
    let notion = Notion::new();
    assert_eq!(notion.manifest().limits.requests, Some(Rate::per_second(3).burst(10)));
}

#[test]
fn the_lint_finds_nothing() {
    lint::assert_clean(&Notion::new());
}

#[test]
fn promises_are_kept() {
    assert_promises(&Notion::new());
}

#[test]
fn every_tool_fits_every_model() {
    assert_fits_every_dialect(&Notion::new());
}

#[test]
fn the_page_for_users_names_every_tool() {
    assert_documented(&Notion::new());
}

#[tokio::test]
async fn pages_lead_to_the_end() {
    let harness = Harness::builder(Notion::new())
        .answer(
            "GET",
            "/users",
            Answer::json(
                200,
                json!({"object": "list", "results": [{"id": "a"}], "next_cursor": "c-1", "has_more": true}),
            ),
        )
        .answer(
            "GET",
            "/users",
            Answer::json(
                200,
                json!({"object": "list", "results": [{"id": "b", "later": 1}], "next_cursor": null}),
            ),
        )
        .build()
        .await
        .unwrap();
    let users: Vec<String> = harness
        .session()
        .items(ListUsers { page_size: Some(1), ..ListUsers::default() })
        .map_ok(|user| user.id)
        .try_collect()
        .await
        .unwrap();
    assert_eq!(users, ["a", "b"]);
    let sent = harness.requests();
    assert_eq!(sent[0].query("page_size").as_deref(), Some("1"));
    assert_eq!(sent[1].query("start_cursor").as_deref(), Some("c-1"));
    assert_eq!(sent[0].header("notion-version"), Some("2026-03-11"));
    harness.finish().await.unwrap();
}
