//! GitHub: what is sent, what comes of its answers, and a day's work.

mod app;
mod bad;
mod calls;
mod counterparty;
mod day;
mod errors;
mod files;
mod scopes;
mod server;

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use serde_json::{Value, json};
use tool_connect_connectors::github::{
    GetAuthenticatedUser, GetIssue, GitHub, Issue, ListCheckRuns, ListIssues,
};
use tool_connect_core::{Connector, ErrorKind, RegisteredTool, ToolSet};
use tool_connect_hub::InstanceOptions;
use tool_connect_testkit::{Answer, Harness, lint};

use crate::provider::{assert_fits_every_dialect, assert_promises};

fn tools() -> Vec<RegisteredTool> {
    let mut set = ToolSet::default();
    GitHub::new().tools(&mut set);
    set.into_tools()
}

#[test]
fn the_lint_finds_nothing() {
    lint::assert_clean(&GitHub::new());
}

#[test]
fn every_tool_fits_every_dialect() {
    assert_fits_every_dialect(&GitHub::new());
}

#[test]
fn promises_are_kept() {
    assert_promises(&GitHub::new());
}

#[test]
fn every_tool_is_called_at_the_counterparty() {
    let tools = tools();
    let all: BTreeSet<&str> = tools.iter().map(|tool| &*tool.definition().name).collect();
    let called: BTreeSet<&str> = calls::CALLS.iter().map(|call| call.0).collect();
    assert_eq!(all, called);
    for (tool, arguments, operations) in calls::CALLS {
        let arguments: Value = serde_json::from_str(arguments).unwrap();
        assert!(arguments.is_object() && !operations.is_empty(), "{tool}");
    }
}

/// The page names each tool with the scopes that it asks for, and no other.
#[test]
fn the_page_lists_the_tools() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/connectors/github.md");
    let page = std::fs::read_to_string(page).unwrap();
    let listed: BTreeSet<(String, String)> = page
        .lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.strip_prefix("| `")?.split(" | ").collect();
            let [tool, scopes, "reads" | "writes" | "may destroy", _] = cells[..] else { return None };
            let (tool, scopes) = (tool.strip_suffix('`')?.to_owned(), scopes.replace('`', ""));
            Some((tool, scopes))
        })
        .collect();
    let tools: BTreeSet<(String, String)> = tools()
        .iter()
        .map(|tool| {
            let definition = tool.definition();
            let scopes = definition.scopes.join(", ").replace('|', " or ");
            (definition.name.to_string(), if scopes.is_empty() { "-".to_owned() } else { scopes })
        })
        .collect();
    assert_eq!(listed, tools);
}

pub(super) fn issue(number: u64) -> Value {
    json!({"number": number, "title": "A title", "state": "open", "html_url": "https://github.com/acme/site/issues/1", "extra": 1})
}

pub(super) fn list() -> ListIssues {
    ListIssues { owner: "acme".into(), repo: "site".into(), ..ListIssues::default() }
}

#[tokio::test]
async fn pages_lead_to_the_end() {
    // Pages of issues are named by a number and, beyond the first, by a place.
    let next = r#"<https://api.github.com/repositories/1/issues?since=2026-01-02T03%3A04%3A05Z&per_page=2&after=Y3Vyc29yOg%3D%3D&page=2>; rel="next", <https://api.github.com/repositories/1/issues?page=9>; rel="last""#;
    let harness = Harness::builder(GitHub::new())
        .answer(
            "GET",
            "/repos/acme/site/issues",
            Answer::json(200, [issue(1), issue(2)]).header("link", next),
        )
        .answer("GET", "/repos/acme/site/issues", Answer::json(200, [issue(3)]))
        .build()
        .await
        .unwrap();
    let all: Vec<Issue> =
        harness.session().items(ListIssues { page_size: Some(2), ..list() }).try_collect().await.unwrap();
    assert_eq!(all.iter().map(|issue| issue.number).collect::<Vec<_>>(), [1, 2, 3]);
    let sent = harness.requests();
    assert_eq!(sent.len(), 2);
    assert_eq!((sent[0].query("page"), sent[0].query("per_page").as_deref()), (None, Some("2")));
    assert_eq!(sent[1].query("page").as_deref(), Some("2"));
    assert_eq!(sent[1].query("after").as_deref(), Some("Y3Vyc29yOg=="));
    // What narrows the list is the call's own, and not taken from the address.
    assert_eq!(sent[1].query("since"), None);
    assert_eq!(sent[0].header("x-github-api-version"), Some("2022-11-28"));
    assert_eq!(sent[0].header("accept"), Some("application/vnd.github+json"));

    for wrong in ["2", "per_page=9&page=2", "page=2&q=x", "state=all"] {
        let error = harness.run(ListIssues { cursor: Some(wrong.into()), ..list() }).await.unwrap_err();
        assert!(error.public_message().contains("/cursor"), "{wrong}: {}", error.public_message());
    }
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn pages_within_an_object_are_walked_too() {
    let run = |id: u64| json!({"id": id, "name": "build", "status": "completed", "conclusion": "a_new_word"});
    let next = r#"<https://api.github.com/repositories/1/commits/main/check-runs?page=2>; rel="next""#;
    let path = "/repos/acme/site/commits/main/check-runs";
    let harness = Harness::builder(GitHub::new())
        .answer(
            "GET",
            path,
            Answer::json(200, json!({"total_count": 2, "check_runs": [run(1)]})).header("link", next),
        )
        .answer("GET", path, Answer::json(200, json!({"total_count": 2, "check_runs": [run(2)]})))
        .build()
        .await
        .unwrap();
    let list = ListCheckRuns {
        owner: "acme".into(),
        repo: "site".into(),
        revision: "main".into(),
        ..ListCheckRuns::default()
    };
    let all: Vec<_> = harness.session().items(list).try_collect().await.unwrap();
    assert_eq!(all.iter().map(|run| run.id).collect::<Vec<_>>(), [1, 2]);
    // A word that GitHub adds one day is passed on.
    assert_eq!(all[0].conclusion.as_deref(), Some("a_new_word"));
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn a_second_read_is_asked_about_and_served_from_what_was_kept() {
    let harness = Harness::builder(GitHub::new())
        .answer("GET", "/repos/acme/site/issues/7", Answer::json(200, issue(7)).header("etag", "W/\"a1\""))
        .answer("GET", "/repos/acme/site/issues/7", Answer::status(304).header("etag", "W/\"a1\""))
        .build()
        .await
        .unwrap();
    let get = GetIssue { owner: "acme".into(), repo: "site".into(), number: 7, whole: false };
    let first = harness.run(get.clone()).await.unwrap();
    let second = harness.run(get).await.unwrap();
    assert_eq!(first, second);
    let sent = harness.requests();
    assert_eq!(sent[0].header("if-none-match"), None);
    assert_eq!(sent[1].header("if-none-match"), Some("W/\"a1\""));
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn an_object_comes_whole_where_that_is_asked_for() {
    let harness = Harness::builder(GitHub::new())
        .answer("GET", "/repos/acme/site/issues/7", Answer::json(200, issue(7)))
        .build()
        .await
        .unwrap();
    let get = |whole| GetIssue { owner: "acme".into(), repo: "site".into(), number: 7, whole };
    assert_eq!(harness.run(get(false)).await.unwrap().whole, None);
    assert_eq!(harness.run(get(true)).await.unwrap().whole.unwrap()["extra"], 1);
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn an_enterprise_server_is_a_second_instance() {
    let options = InstanceOptions::new("git_acme")
        .unwrap()
        .base_url("https://git.acme.example/api/v3".parse().unwrap());
    let harness = Harness::builder(GitHub::new())
        .instance(options)
        .answer("GET", "/user", Answer::json(200, json!({"login": "ada", "id": 1})))
        .build()
        .await
        .unwrap();
    assert_eq!(harness.run(GetAuthenticatedUser::default()).await.unwrap().login, "ada");
    let sent = &harness.requests()[0];
    assert_eq!(sent.url.as_str(), "https://git.acme.example/api/v3/user");
    assert!(sent.header("authorization").is_some());
    assert!(harness.session().check("git_acme").await.is_ok());
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn each_kind_of_search_has_a_limit_of_its_own() {
    let found = |left: &str, reset: &str| {
        Answer::json(200, json!({"total_count": 0, "items": []}))
            .header("x-ratelimit-remaining", left)
            .header("x-ratelimit-reset", reset)
    };
    let core = Answer::json(200, issue(7))
        .header("x-ratelimit-remaining", "4000")
        .header("x-ratelimit-reset", "3600");
    let harness = Harness::builder(GitHub::new())
        .answer("GET", "/search/code", found("0", "60"))
        .answer("GET", "/search/issues", found("0", "60"))
        .answer("GET", "/repos/acme/site/issues/7", core)
        .hub(|hub| {
            hub.configure(|settings| {
                settings.http.retry.max_attempts = 1;
                settings.http.limit_wait = Duration::ZERO;
            })
        })
        .build()
        .await
        .unwrap();
    let get = json!({"owner": "acme", "repo": "site", "number": 7});
    for _ in 0..2 {
        harness.call("get_issue", get.clone()).await.unwrap();
    }
    for (tool, query) in [("search_code", "a"), ("search_issues", "is:issue")] {
        harness.call(tool, json!({"query": query})).await.unwrap();
        // Its own limit is used up, and is not asked against.
        let refused = harness.call(tool, json!({"query": query})).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::RateLimited, "{tool}");
    }
    harness.call("get_issue", get).await.unwrap();
    assert_eq!(harness.requests().len(), 5);
    harness.clock().advance(Duration::from_secs(60));
    harness.call("search_code", json!({"query": "a"})).await.unwrap();
    harness.finish().await.unwrap();
}
