//! `search`: texts and expressions, context, caps.

use serde_json::{Value, json};
use tool_connect_core::ErrorKind;

use super::{house, house_with, put};
use crate::bench::Bench;

async fn search(bench: &Bench, arguments: Value) -> Value {
    bench.call("search", arguments).await.unwrap()
}

/// Paths and line numbers of what was found.
fn places(found: &Value) -> Vec<String> {
    let matches = found["matches"].as_array().unwrap();
    matches.iter().map(|m| format!("{}:{}", m["path"].as_str().unwrap(), m["line"])).collect()
}

#[tokio::test]
async fn a_text_is_found_as_it_is() {
    let (temp, bench) = house();
    put(&temp, "src/a.rs", "fn a() {}\nlet x = a.b(c);\r\nA.B(C)");
    put(&temp, "b.md", "no\n\na.b(c) and a.b(c)\n");
    let found = search(&bench, json!({"query": "a.b(c)"})).await;
    assert_eq!(places(&found), ["b.md:3", "src/a.rs:2"]);
    let second = &found["matches"][1];
    assert_eq!((&second["column"], &second["text"]), (&json!(9), &json!("let x = a.b(c);")));
    assert_eq!((&found["files_searched"], found.get("stopped_by")), (&json!(2), None));
    let any_case = search(&bench, json!({"query": "a.b(c)", "ignore_case": true, "path": "src"})).await;
    assert_eq!(places(&any_case), ["src/a.rs:2", "src/a.rs:3"]);
    let one_file = search(&bench, json!({"query": "a.b(c)", "path": "b.md"})).await;
    assert_eq!(places(&one_file), ["b.md:3"]);
}

#[tokio::test]
async fn an_expression_is_matched_line_by_line() {
    let (temp, bench) = house();
    put(&temp, "a", "alpha 1\nbeta 22\n\ngamma\n");
    let lines = |query: &str| json!({"query": query, "regex": true});
    assert_eq!(places(&search(&bench, lines(r"^\w+ \d{2}$")).await), ["a:2"]);
    assert_eq!(places(&search(&bench, lines(r"^$")).await), ["a:3"]);
    // No match runs over a line's end.
    assert_eq!(places(&search(&bench, lines(r"alpha 1\s+beta")).await), Vec::<String>::new());
    assert_eq!(places(&search(&bench, lines(r"(?s)1.*22")).await), Vec::<String>::new());
    let error = bench.refused("search", lines("(a")).await;
    assert_eq!((error.kind(), &*error.problems()[0].pointer), (ErrorKind::InvalidArguments, "/query"));
}

#[tokio::test]
async fn context_is_shown_around_each_match() {
    let (temp, bench) = house();
    put(&temp, "a", "1\nhit 2\nhit 3\n4\n5\n6\nhit 7");
    let found = search(&bench, json!({"query": "hit", "context": 2})).await;
    let around = |n: usize| (found["matches"][n]["before"].clone(), found["matches"][n]["after"].clone());
    assert_eq!(around(0), (json!(["1"]), json!(["hit 3", "4"])));
    assert_eq!(around(1), (json!(["1", "hit 2"]), json!(["4", "5"])));
    assert_eq!(around(2), (json!(["5", "6"]), Value::Null));
    // The last match that is returned has its context, too.
    let first = search(&bench, json!({"query": "hit", "context": 2, "max_matches": 1})).await;
    assert_eq!(first["matches"][0]["after"], json!(["hit 3", "4"]));
    assert_eq!(first["stopped_by"], "matches");
}

#[tokio::test]
async fn caps_end_a_search_and_say_so() {
    let (temp, bench) =
        house_with(|files| files.max_search_file_bytes(1000).max_search_bytes(2500).max_entries(6));
    for n in 0..5 {
        put(&temp, &format!("f{n}"), format!("hit\nhit\n{}", "x".repeat(800)));
    }
    put(&temp, "big", format!("hit{}", "x".repeat(1000)));
    let found = search(&bench, json!({"query": "hit", "max_matches": 3})).await;
    assert_eq!(
        (places(&found), &found["stopped_by"]),
        (vec!["f0:1".into(), "f0:2".into(), "f1:1".into()], &json!("matches"))
    );
    let found = search(&bench, json!({"query": "hit"})).await;
    assert_eq!((&found["files_searched"], &found["stopped_by"]), (&json!(3), &json!("bytes")));
    assert_eq!(found["skipped"]["too_large"], 1);
    put(&temp, "a/b", "");
    let found = search(&bench, json!({"query": "none", "glob": "a"})).await;
    assert_eq!((&found["files_searched"], &found["stopped_by"]), (&json!(0), &json!("entries")));
}

#[tokio::test]
async fn binary_files_and_what_is_excluded_are_passed_over() {
    let (temp, bench) = house();
    put(&temp, "bin", b"hit\0hit");
    put(&temp, "latin1", b"hit caf\xe9");
    put(&temp, ".git/objects", "hit");
    put(&temp, "src/a.rs", "hit");
    let found = search(&bench, json!({"query": "hit", "exclude": [".git"]})).await;
    assert_eq!(places(&found), ["latin1:1", "src/a.rs:1"]);
    assert_eq!(found["matches"][0]["text"], "hit caf\u{fffd}");
    assert_eq!(found["skipped"]["binary"], 1);
    let found = search(&bench, json!({"query": "hit", "glob": "*.rs"})).await;
    assert_eq!(places(&found), ["src/a.rs:1"]);
}

#[tokio::test]
async fn a_very_long_line_is_cut_around_the_match() {
    let (temp, bench) = house();
    put(&temp, "min.js", format!("{}needle{}", "a".repeat(100_000), "b".repeat(100_000)));
    let found = search(&bench, json!({"query": "needle", "context": 3})).await;
    let hit = &found["matches"][0];
    assert_eq!((&hit["cut"], &hit["column"]), (&json!(true), &json!(100_001)));
    let text = hit["text"].as_str().unwrap();
    assert!(text.contains("needle") && text.len() < 600);
}

#[cfg(unix)]
#[tokio::test]
async fn what_the_host_may_not_read_is_counted() {
    use std::os::unix::fs::PermissionsExt as _;
    let (temp, bench) = house();
    put(&temp, "locked/a", "hit");
    put(&temp, "open", "hit");
    let locked = super::root(&temp).join("locked");
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o000)).unwrap();
    // The superuser may read everything.
    let refused = std::fs::read_dir(&locked).is_err();
    let found = search(&bench, json!({"query": "hit"})).await;
    let listed = bench.call("list", json!({"depth": 3})).await.unwrap();
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o700)).unwrap();
    let unreadable = u64::from(refused);
    assert_eq!(found["skipped"]["unreadable"], unreadable);
    assert_eq!(found["matches"].as_array().unwrap().len() as u64, 2 - unreadable);
    assert_eq!(listed.get("unreadable_directories").and_then(Value::as_u64).unwrap_or(0), unreadable);
}

#[tokio::test]
async fn a_search_that_nobody_waits_for_ends() {
    let (temp, bench) = house();
    put(&temp, "a", "line\n".repeat(20_000));
    bench.shared.patience.store(3, std::sync::atomic::Ordering::Relaxed);
    let arguments = json!({"query": "^none$", "regex": true});
    assert_eq!(bench.refused("search", arguments).await.kind(), ErrorKind::Canceled);
}
