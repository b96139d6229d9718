//! `list`: order, pages, globs, depth.

use serde_json::{Value, json};
use tool_connect_core::ErrorKind;

use super::{house, house_with, put, root};
use crate::bench::Bench;

/// Lists page by page, and checks that each page keeps to its limit.
async fn pages(bench: &Bench, mut arguments: Value, limit: usize) -> Vec<String> {
    let mut paths = Vec::new();
    arguments["limit"] = limit.into();
    loop {
        let page = bench.call("list", arguments.clone()).await.unwrap();
        let entries = page["entries"].as_array().unwrap();
        assert!(entries.len() <= limit);
        paths.extend(entries.iter().map(|entry| entry["path"].as_str().unwrap().to_owned()));
        match page.get("next_cursor") {
            Some(cursor) => arguments["cursor"] = cursor.clone(),
            None => return paths,
        }
    }
}

#[tokio::test]
async fn a_directory_is_listed_with_kinds_and_sizes() {
    let (temp, bench) = house();
    put(&temp, "docs/a.md", "12345");
    put(&temp, "docs/sub/b.md", "");
    let page = bench.call("list", json!({"path": "./docs/"})).await.unwrap();
    let entries = page["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 2);
    assert_eq!(
        (&entries[0]["path"], &entries[0]["kind"], &entries[0]["size"]),
        (&json!("docs/a.md"), &json!("file"), &json!(5))
    );
    assert_eq!((&entries[1]["path"], &entries[1]["kind"]), (&json!("docs/sub"), &json!("directory")));
    assert!(entries[0]["modified"].as_str().unwrap().ends_with('Z'));
    assert!(page.get("next_cursor").is_none());
    // What is listed can be read.
    let read = bench.call("read", json!({"path": entries[0]["path"]})).await.unwrap();
    assert_eq!(read["text"], "12345");
}

#[tokio::test]
async fn pages_of_any_size_give_the_same_order() {
    let (temp, bench) = house();
    for path in ["b/2", "b/1", "b/c/x", "b.txt", "a", "Z", "b/c/y/deep", "é", "empty/.keep"] {
        put(&temp, path, "x");
    }
    let all = pages(&bench, json!({"depth": 9}), 1000).await;
    // By bytes; a directory before what is in it.
    let order = [
        "Z",
        "a",
        "b",
        "b/1",
        "b/2",
        "b/c",
        "b/c/x",
        "b/c/y",
        "b/c/y/deep",
        "b.txt",
        "empty",
        "empty/.keep",
        "é",
    ];
    assert_eq!(all, order);
    for limit in 1..=all.len() {
        assert_eq!(pages(&bench, json!({"depth": 9}), limit).await, all, "limit {limit}");
    }
    assert_eq!(pages(&bench, json!({"depth": 2}), 3).await.len(), 10);
    assert_eq!(pages(&bench, json!({}), 2).await, ["Z", "a", "b", "b.txt", "empty", "é"]);
}

#[tokio::test]
async fn a_full_last_page_has_no_cursor() {
    let (temp, bench) = house();
    put(&temp, "a", "");
    put(&temp, "b", "");
    let page = bench.call("list", json!({"limit": 2})).await.unwrap();
    assert!(page.get("next_cursor").is_none(), "{page}");
}

#[tokio::test]
async fn a_listing_goes_on_where_entries_were_added_and_removed() {
    let (temp, bench) = house();
    for path in ["a/1", "a/2", "b/1", "c"] {
        put(&temp, path, "");
    }
    let first = bench.call("list", json!({"depth": 2, "limit": 2})).await.unwrap();
    assert_eq!(first["entries"][1]["path"], "a/1");
    std::fs::remove_dir_all(root(&temp).join("a")).unwrap();
    put(&temp, "ab", "");
    let rest = json!({"depth": 2, "cursor": first["next_cursor"]});
    assert_eq!(pages(&bench, rest, 9).await, ["ab", "b", "b/1", "c"]);
}

#[tokio::test]
async fn globs_choose_and_leave_out() {
    let (temp, bench) = house();
    for path in ["src/lib.rs", "src/deep/mod.rs", "target/x.rs", ".git/config", "README.md"] {
        put(&temp, path, "");
    }
    let list = |arguments| pages(&bench, arguments, 2);
    assert_eq!(
        list(json!({"depth": 9, "glob": "*.rs", "exclude": ["target"]})).await,
        ["src/deep/mod.rs", "src/lib.rs"]
    );
    assert_eq!(list(json!({"depth": 9, "glob": "src/*.rs"})).await, ["src/lib.rs"]);
    assert_eq!(list(json!({"path": "src", "depth": 9, "glob": "deep/**"})).await, ["src/deep/mod.rs"]);
    assert_eq!(list(json!({"exclude": [".*", "*.md"]})).await, ["src", "target"]);
    let error = bench.refused("list", json!({"glob": "[a"})).await;
    assert_eq!((error.kind(), &*error.problems()[0].pointer), (ErrorKind::InvalidArguments, "/glob"));
}

#[tokio::test]
async fn a_huge_directory_is_paged_in_batches() {
    let (temp, bench) = house();
    let dir = root(&temp);
    for n in 0..9000 {
        std::fs::File::create(dir.join(format!("{n:05}"))).unwrap();
    }
    // One page reads on beyond a batch of names; the pages together give each name once.
    let page = bench.call("list", json!({"glob": "08999", "limit": 5})).await.unwrap();
    assert_eq!(page["entries"][0]["path"], "08999");
    let all = pages(&bench, json!({}), 1000).await;
    assert_eq!(all.len(), 9000);
    assert!(all.is_sorted());
}

#[tokio::test]
async fn the_cap_on_entries_ends_a_page_and_not_the_listing() {
    let (temp, bench) = house_with(|files| files.max_entries(3));
    for n in 0..10 {
        put(&temp, &format!("d/{n}"), "");
    }
    put(&temp, "last", "");
    let page = bench.call("list", json!({"depth": 2, "glob": "last"})).await.unwrap();
    assert_eq!(page["entries"], json!([]));
    assert!(page["next_cursor"].is_string());
    assert_eq!(pages(&bench, json!({"depth": 2, "glob": "last"}), 5).await, ["last"]);
    assert_eq!(pages(&bench, json!({"depth": 2}), 2).await.len(), 12);
}

#[cfg(unix)]
#[tokio::test]
async fn names_that_are_not_utf8_are_listed_and_marked() {
    use std::os::unix::ffi::OsStrExt as _;
    let (temp, bench) = house();
    let name = |bytes| root(&temp).join(std::ffi::OsStr::from_bytes(bytes));
    std::fs::write(name(b"caf\xe9"), "needle").unwrap();
    std::fs::write(name(b"caf\xea"), "").unwrap();
    put(&temp, "z", "needle");
    let page = bench.call("list", json!({"limit": 1})).await.unwrap();
    assert_eq!(
        page["entries"][0],
        json!({"path": "caf\u{fffd}", "kind": "file", "size": 6, "modified": page["entries"][0]["modified"], "unaddressable": true})
    );
    // The cursor tells apart what looks the same.
    assert_eq!(pages(&bench, json!({}), 1).await, ["caf\u{fffd}", "caf\u{fffd}", "z"]);
    let found = bench.call("search", json!({"query": "needle"})).await.unwrap();
    assert_eq!(
        (&found["matches"][0]["unaddressable"], &found["matches"][1]["path"]),
        (&json!(true), &json!("z"))
    );
}

#[tokio::test]
async fn bad_arguments_are_placed() {
    let (temp, bench) = house();
    put(&temp, "file", "");
    for (arguments, kind, pointer) in [
        (json!({"cursor": "Li4"}), ErrorKind::InvalidArguments, "/cursor"),
        (json!({"limit": 0}), ErrorKind::InvalidArguments, "/limit"),
        (json!({"depth": 65}), ErrorKind::InvalidArguments, "/depth"),
        (json!({"exclude": [""]}), ErrorKind::InvalidArguments, "/exclude/0"),
    ] {
        let error = bench.refused("list", arguments.clone()).await;
        assert_eq!((error.kind(), &*error.problems()[0].pointer), (kind, pointer), "{arguments}");
    }
    assert_eq!(bench.refused("list", json!({"path": "file"})).await.kind(), ErrorKind::NotFound);
    assert_eq!(bench.refused("list", json!({"path": "none"})).await.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_listing_that_nobody_waits_for_ends() {
    let (temp, bench) = house();
    for n in 0..600 {
        put(&temp, &format!("{n}"), "");
    }
    bench.shared.patience.store(1, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(bench.refused("list", json!({})).await.kind(), ErrorKind::Canceled);
}
