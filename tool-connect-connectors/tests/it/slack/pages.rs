//! Lists in pages, by Slack's cursors and by its numbers, and a walk that a limit interrupts.

use std::time::Duration;

use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tool_connect_connectors::slack::{GetUser, ListFiles, ListUsers, SearchMessages, Slack, SlackUser};
use tool_connect_core::{ErrorKind, Retry};
use tool_connect_testkit::{Answer, Harness};

fn users(ids: &[&str], next: &str) -> Answer {
    let members: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
    Answer::json(200, json!({"ok": true, "members": members, "response_metadata": {"next_cursor": next}}))
}

#[tokio::test]
async fn a_walk_follows_the_cursors_to_the_end() {
    let harness = Harness::builder(Slack::new())
        .answer("GET", "/users.list", users(&["U1", "U2"], "dXNlcjpVMg=="))
        // A page may be empty and lead on.
        .answer("GET", "/users.list", users(&[], "dXNlcjpVMw=="))
        .answer("GET", "/users.list", users(&["U3"], ""))
        .build()
        .await
        .unwrap();
    let all: Vec<String> =
        harness.session().items(ListUsers::default()).map(|user| user.unwrap().id).collect().await;
    assert_eq!(all, ["U1", "U2", "U3"]);
    let cursors: Vec<Option<String>> = harness.requests().iter().map(|sent| sent.query("cursor")).collect();
    assert_eq!(cursors, [None, Some("dXNlcjpVMg==".into()), Some("dXNlcjpVMw==".into())]);
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn a_walk_goes_on_where_a_rate_limit_stopped_it() {
    let harness = Harness::builder(Slack::new())
        .answer("GET", "/users.list", users(&["U1"], "n2"))
        .answer(
            "GET",
            "/users.list",
            Answer::json(429, json!({"ok": false, "error": "ratelimited"})).header("retry-after", "60"),
        )
        .answer("GET", "/users.list", users(&["U2"], ""))
        .answer("GET", "/users.info", Answer::json(200, json!({"ok": true, "user": {"id": "U1"}})))
        .build()
        .await
        .unwrap();
    let mut walk = harness.session().items(ListUsers::default());
    assert_eq!(walk.next().await.unwrap().unwrap().id, "U1");
    let limited = walk.next().await.unwrap().unwrap_err();
    assert_eq!(limited.kind(), ErrorKind::RateLimited);
    let Retry::After(wait) = limited.retry_advice() else { panic!("{limited}") };
    assert_eq!(wait, Duration::from_secs(60));
    // Before its time the limit is known, and Slack is not asked; other methods have limits of their own.
    let known = walk.next().await.unwrap().unwrap_err();
    assert_eq!((known.kind(), harness.requests().len()), (ErrorKind::RateLimited, 2));
    harness.run(GetUser { user: "U1".into(), whole: false }).await.unwrap();
    harness.clock().advance(wait);
    assert_eq!(walk.next().await.unwrap().unwrap().id, "U2");
    assert!(walk.next().await.is_none());
    let walked = harness.requests().into_iter().filter(|sent| sent.url.path() == "/api/users.list");
    let cursors: Vec<Option<String>> = walked.map(|sent| sent.query("cursor")).collect();
    assert_eq!(cursors, [None, Some("n2".into()), Some("n2".into())]);
    drop(walk);
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn numbered_pages_are_walked_by_a_cursor_too() {
    let harness = Harness::builder(SlackUser::new())
        .answer_with("GET", "/search.messages", |sent| {
            let page: u32 = sent.query("page").unwrap().parse().unwrap();
            let found = json!({"ts": format!("{page}.1"), "channel": {"id": "C1"}, "text": "x"});
            let paging = json!({"count": 1, "total": 3, "page": page, "pages": 3});
            Answer::json(200, json!({"ok": true, "messages": {"matches": [found], "paging": paging}}))
        })
        // Slack counts on; what lies beyond the hundredth page it does not give.
        .answer_with("GET", "/files.list", |sent| {
            let page: u32 = sent.query("page").unwrap().parse().unwrap();
            let paging = json!({"count": 1, "total": 500, "page": page, "pages": 500});
            Answer::json(200, json!({"ok": true, "files": [{"id": format!("F{page}")}], "paging": paging}))
        })
        .build()
        .await
        .unwrap();
    let search = SearchMessages { query: "x".into(), ..SearchMessages::default() };
    let all: Vec<String> =
        harness.session().items(search.clone()).map(|found| found.unwrap().ts).collect().await;
    assert_eq!(all, ["1.1", "2.1", "3.1"]);
    let files: Vec<String> =
        harness.session().items(ListFiles::default()).map(|file| file.unwrap().id).collect().await;
    assert_eq!((files.len(), files.last().map(String::as_str)), (100, Some("F100")));

    let sent = harness.requests().len();
    for cursor in ["page-0", "page-101", "page-x", "dXNlcjpVMg==", ""] {
        let call = SearchMessages { cursor: Some(cursor.into()), ..search.clone() };
        let error = harness.run(call).await.unwrap_err();
        assert_eq!(error.problems()[0].pointer, "/cursor", "{cursor}");
    }
    assert_eq!(harness.requests().len(), sent);
    harness.finish().await.unwrap();
}
