//! The root cannot be left: not by a path, a link, a race or a special file.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tool_connect_core::ErrorKind;

use super::{house, house_with, put, root, text};

/// Every tool with a path argument, applied to a path.
fn calls(path: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("list", json!({"path": path})),
        ("read", json!({"path": path})),
        ("read", json!({"path": path, "start_line": 1})),
        ("stat", json!({"path": path})),
        ("search", json!({"path": path, "query": "o"})),
        ("write", json!({"path": path, "content": "changed", "mode": "overwrite", "create_parents": true})),
        ("write", json!({"path": path, "content": "changed", "mode": "append"})),
        ("move", json!({"from": path, "to": "taken"})),
        ("move", json!({"from": "inside.txt", "to": path, "overwrite": true, "create_parents": true})),
        ("delete", json!({"path": path, "recursive": true})),
    ]
}

#[tokio::test]
async fn paths_that_lead_out_are_denied_by_every_tool() {
    let (temp, bench) = house();
    put(&temp, "inside.txt", "inside");
    put(&temp, "dir/deep.txt", "deep");
    let absolute = temp.path().join("outside.txt");
    let paths =
        ["../outside.txt", "dir/../../outside.txt", "./../outside.txt", "/etc/passwd", "//etc/passwd"];
    for path in paths.into_iter().chain([absolute.to_str().unwrap()]) {
        for (tool, arguments) in calls(path) {
            let error = bench.refused(tool, arguments).await;
            assert_eq!(error.kind(), ErrorKind::Denied, "{tool} {path}: {error}");
            let public = error.public_message().into_owned();
            assert!(public.contains("out of the root"), "{tool} {path}: {public}");
            assert!(!error.to_string().contains("outside.txt"), "{error}");
        }
    }
    assert_eq!(text(temp.path().join("outside.txt")), "outside");
    assert_eq!(text(root(&temp).join("inside.txt")), "inside");
}

#[tokio::test]
async fn dots_inside_the_root_are_fine() {
    let (temp, bench) = house();
    put(&temp, "a/b.txt", "b");
    let read = bench.call("read", json!({"path": "a/../a/./b.txt"})).await.unwrap();
    assert_eq!(read["text"], "b");
}

#[cfg(unix)]
#[tokio::test]
async fn links_that_lead_out_are_denied() {
    use std::os::unix::fs::symlink;
    let (temp, bench) = house();
    put(&temp, "inside.txt", "inside");
    symlink("../outside.txt", root(&temp).join("relative")).unwrap();
    symlink(temp.path().join("outside.txt"), root(&temp).join("absolute")).unwrap();
    symlink("..", root(&temp).join("up")).unwrap();
    symlink("relative", root(&temp).join("chain")).unwrap();
    for path in ["relative", "absolute", "chain", "up/outside.txt"] {
        let error = bench.refused("read", json!({"path": path})).await;
        assert_eq!(error.kind(), ErrorKind::Denied, "{path}: {error}");
    }
    for (tool, arguments) in calls("up/outside.txt") {
        assert_eq!(bench.refused(tool, arguments).await.kind(), ErrorKind::Denied, "{tool}");
    }
    assert_eq!(bench.refused("list", json!({"path": "up"})).await.kind(), ErrorKind::Denied);
    for mode in ["overwrite", "append", "create"] {
        let write = json!({"path": "relative", "content": "changed", "mode": mode});
        assert_eq!(bench.refused("write", write).await.kind(), ErrorKind::Conflict, "{mode}");
    }
    // Walks pass links by.
    let found = bench.call("search", json!({"query": "outside"})).await.unwrap();
    assert_eq!(found["matches"], json!([]));
    let listed = bench.call("list", json!({"depth": 9})).await.unwrap();
    assert_eq!(listed["entries"].as_array().unwrap().len(), 5);
    // A link is described, moved and deleted as the link that it is.
    let stat = bench.call("stat", json!({"path": "relative"})).await.unwrap();
    assert_eq!((&stat["kind"], &stat["target"]), (&json!("symlink"), &Value::Null));
    bench.call("move", json!({"from": "relative", "to": "moved"})).await.unwrap();
    bench.call("delete", json!({"path": "moved"})).await.unwrap();
    bench.call("delete", json!({"path": "up", "recursive": true})).await.unwrap();
    assert_eq!(text(temp.path().join("outside.txt")), "outside");
}

#[cfg(unix)]
#[tokio::test]
async fn links_inside_the_root_are_followed() {
    let (temp, bench) = house();
    put(&temp, "a/b.txt", "b");
    std::os::unix::fs::symlink("a", root(&temp).join("link")).unwrap();
    std::os::unix::fs::symlink("loop", root(&temp).join("loop")).unwrap();
    let read = bench.call("read", json!({"path": "link/b.txt"})).await.unwrap();
    assert_eq!(read["text"], "b");
    bench.call("write", json!({"path": "link/c.txt", "content": "c"})).await.unwrap();
    assert_eq!(text(root(&temp).join("a/c.txt")), "c");
    let stat = bench.call("stat", json!({"path": "link"})).await.unwrap();
    assert_eq!(stat["target"], "a");
    assert_eq!(bench.refused("read", json!({"path": "loop"})).await.kind(), ErrorKind::Unsupported);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_swapped_for_a_link_in_a_race_leads_nowhere() {
    use std::os::unix::fs::symlink;
    let (temp, bench) = house();
    put(&temp, "dir/secret.txt", "inside");
    put(&temp, "dir/x/y.txt", "inside");
    std::fs::create_dir_all(temp.path().join("other/x")).unwrap();
    std::fs::write(temp.path().join("other/secret.txt"), "outside").unwrap();
    std::fs::write(temp.path().join("other/x/y.txt"), "outside").unwrap();
    symlink("../other", root(&temp).join("swap")).unwrap();

    // `dir` and the link change places for as long as the calls run.
    let stop = Arc::new(AtomicBool::new(false));
    let swapper = std::thread::spawn({
        let (stop, root) = (Arc::clone(&stop), root(&temp));
        move || {
            let mut swaps = 0_u64;
            while !stop.load(Ordering::Relaxed) {
                let step = |from: &str, to: &str| std::fs::rename(root.join(from), root.join(to));
                // A call may hold up one of the renames; the next round sets it right.
                let done = step("dir", "keep").and_then(|()| step("swap", "dir"));
                let back = step("dir", "swap").and_then(|()| step("keep", "dir"));
                swaps += u64::from(done.is_ok() && back.is_ok());
            }
            swaps
        }
    });

    let (mut inside, mut refused) = (0, 0);
    for round in 0..400 {
        let calls = [
            ("read", json!({"path": "dir/secret.txt"})),
            ("search", json!({"path": "dir", "query": "outside"})),
            ("search", json!({"query": "outside"})),
            ("write", json!({"path": "dir/secret.txt", "content": "inside", "mode": "overwrite"})),
            ("write", json!({"path": "dir/new.txt", "content": "new", "mode": "append"})),
            ("list", json!({"path": "dir", "depth": 3})),
            ("move", json!({"from": "dir/new.txt", "to": format!("dir/n{round}.txt")})),
            ("delete", json!({"path": "dir/new.txt"})),
        ];
        for (tool, arguments) in calls {
            match bench.call(tool, arguments).await {
                Ok(value) => {
                    assert!(!value.to_string().contains("\"outside\""), "{tool}: {value}");
                    assert!(tool != "search" || value["matches"] == json!([]), "{value}");
                    inside += 1;
                }
                Err(error) => {
                    let kind = error.kind();
                    assert!(
                        matches!(kind, ErrorKind::Denied | ErrorKind::NotFound | ErrorKind::Conflict),
                        "{tool}: {error:?}"
                    );
                    refused += 1;
                }
            }
        }
    }
    stop.store(true, Ordering::Relaxed);
    let swaps = swapper.join().unwrap();
    assert!(
        swaps > 100 && inside > 100 && refused > 10,
        "no race: {swaps} swaps, {inside} inside, {refused} refused"
    );
    // Nothing outside was changed, added or removed.
    assert_eq!(text(temp.path().join("other/secret.txt")), "outside");
    let names: Vec<_> =
        std::fs::read_dir(temp.path().join("other")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recursive_delete_never_follows_a_swapped_directory() {
    let (temp, bench) = house();
    std::fs::create_dir_all(temp.path().join("other")).unwrap();
    for n in 0..50 {
        std::fs::write(temp.path().join(format!("other/{n}")), "outside").unwrap();
    }
    for _ in 0..30 {
        for n in 0..20 {
            put(&temp, &format!("tree/sub{n}/file"), "x");
        }
        let racer = std::thread::spawn({
            let root = root(&temp);
            move || {
                for n in (0..20).rev() {
                    let sub = root.join(format!("tree/sub{n}"));
                    if std::fs::rename(&sub, root.join(format!("away{n}"))).is_ok() {
                        drop(std::os::unix::fs::symlink("../../other", &sub));
                    }
                }
            }
        });
        drop(bench.call("delete", json!({"path": "tree", "recursive": true})).await);
        racer.join().unwrap();
        drop(std::fs::remove_dir_all(root(&temp)));
        std::fs::create_dir_all(root(&temp)).unwrap();
        assert_eq!(std::fs::read_dir(temp.path().join("other")).unwrap().count(), 50);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn pipes_and_devices_are_refused_and_block_nothing() {
    let (temp, bench) = house();
    let made = std::process::Command::new("mkfifo").arg(root(&temp).join("pipe")).status().unwrap();
    assert!(made.success());
    let calls = [
        ("read", json!({"path": "pipe"})),
        ("read", json!({"path": "pipe", "start_line": 1})),
        ("search", json!({"path": "pipe", "query": "x"})),
        ("write", json!({"path": "pipe", "content": "x", "mode": "overwrite"})),
        ("write", json!({"path": "pipe", "content": "x", "mode": "append"})),
    ];
    for (tool, arguments) in calls {
        let call = tokio::time::timeout(Duration::from_secs(20), bench.refused(tool, arguments));
        let error = call.await.unwrap_or_else(|_| panic!("{tool} blocks"));
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{tool}: {error}");
    }
    let found = bench.call("search", json!({"query": "x"})).await.unwrap();
    assert_eq!(found["files_searched"], 0);
    let stat = bench.call("stat", json!({"path": "pipe"})).await.unwrap();
    assert_eq!(stat["kind"], "other");
    bench.call("delete", json!({"path": "pipe"})).await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn hard_links_are_never_written_through() {
    let (temp, bench) = house();
    std::fs::hard_link(temp.path().join("outside.txt"), root(&temp).join("hard")).unwrap();
    let error = bench.refused("write", json!({"path": "hard", "content": "x", "mode": "append"})).await;
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.public_message().contains("overwrite"));
    bench.call("write", json!({"path": "hard", "content": "mine", "mode": "overwrite"})).await.unwrap();
    assert_eq!(text(root(&temp).join("hard")), "mine");
    assert_eq!(text(temp.path().join("outside.txt")), "outside");

    let (temp, bench) = house_with(|files| files.allow_hard_links(false));
    std::fs::hard_link(temp.path().join("outside.txt"), root(&temp).join("hard")).unwrap();
    assert_eq!(bench.refused("read", json!({"path": "hard"})).await.kind(), ErrorKind::Denied);
    let found = bench.call("search", json!({"query": "outside"})).await.unwrap();
    assert_eq!((&found["matches"], &found["skipped"]["unreadable"]), (&json!([]), &json!(1)));
}

#[tokio::test]
async fn malformed_paths_are_typed_errors() {
    let (temp, bench) = house();
    put(&temp, "file", "x");
    let long = "n".repeat(300);
    let deep = "a/".repeat(2000);
    let cases = [
        ("a\0b", ErrorKind::InvalidArguments),
        (&*long, ErrorKind::InvalidArguments),
        (&*deep, ErrorKind::NotFound),
        ("file/below", ErrorKind::NotFound),
        ("none", ErrorKind::NotFound),
        ("\u{202e}txt", ErrorKind::NotFound),
    ];
    for (path, kind) in cases {
        let error = bench.refused("read", json!({"path": path})).await;
        assert_eq!(error.kind(), kind, "{path:?}: {error}");
        if kind == ErrorKind::InvalidArguments {
            assert_eq!(error.problems()[0].pointer, "/path");
        }
    }
    let error = bench.refused("read", json!({"path": "x".repeat(5000)})).await;
    assert_eq!(error.problems()[0].rule, "maxLength");
    for path in ["", ".", "./", "file/..", ".."] {
        for (tool, arguments) in
            [("delete", json!({"path": path, "recursive": true})), ("move", json!({"from": path, "to": "x"}))]
        {
            let error = bench.refused(tool, arguments).await;
            assert_eq!(error.kind(), ErrorKind::InvalidArguments, "{tool} {path:?}: {error}");
        }
    }
    assert!(root(&temp).join("file").exists());
}
