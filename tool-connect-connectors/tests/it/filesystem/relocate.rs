//! `move`, `delete` and `stat`.

use serde_json::json;
use tool_connect_core::{Effect, ErrorKind};

use super::{house, put, root, text};

#[tokio::test]
async fn stat_describes_a_path() {
    let (temp, bench) = house();
    put(&temp, "d/a", "123");
    let stat = bench.call("stat", json!({"path": "d/a"})).await.unwrap();
    assert_eq!((&stat["kind"], &stat["size"], &stat["names"]), (&json!("file"), &json!(3), &json!(1)));
    assert_eq!((&stat["path"], &stat["read_only"]), (&json!("d/a"), &json!(false)));
    assert!(stat["modified"].is_string());
    assert_eq!(bench.call("stat", json!({"path": ""})).await.unwrap()["kind"], "directory");
    let error = bench.refused("stat", json!({"path": "none"})).await;
    assert_eq!(
        (error.kind(), &*error.public_message()),
        (ErrorKind::NotFound, "`none`: does not exist; `list` shows what is there.")
    );
}

#[tokio::test]
async fn a_move_keeps_what_is_there_unless_told() {
    let (temp, bench) = house();
    put(&temp, "a", "a");
    put(&temp, "b", "b");
    let error = bench.refused("move", json!({"from": "a", "to": "b"})).await;
    assert_eq!((error.kind(), error.effect_on_provider()), (ErrorKind::Conflict, Effect::NotExecuted));
    assert_eq!(text(root(&temp).join("b")), "b");
    bench.call("move", json!({"from": "a", "to": "b", "overwrite": true})).await.unwrap();
    assert_eq!(text(root(&temp).join("b")), "a");
    assert!(!root(&temp).join("a").exists());
}

#[tokio::test]
async fn directories_move_with_what_is_in_them() {
    let (temp, bench) = house();
    put(&temp, "d/e/f", "f");
    put(&temp, "full/x", "x");
    put(&temp, "file", "x");
    let error = bench.refused("move", json!({"from": "d", "to": "new/place/d"})).await;
    assert!(error.public_message().contains("create_parents"), "{error}");
    bench.call("move", json!({"from": "d", "to": "new/place/d", "create_parents": true})).await.unwrap();
    assert_eq!(text(root(&temp).join("new/place/d/e/f")), "f");
    let moved = |from: &str, to: &str| json!({"from": from, "to": to, "overwrite": true});
    for (arguments, kind) in [
        (moved("new", "new/place/inside"), ErrorKind::InvalidArguments),
        (moved("new", "full"), ErrorKind::Conflict),
        (moved("file", "full"), ErrorKind::InvalidArguments),
        (moved("full", "file"), ErrorKind::InvalidArguments),
        (moved("none", "x"), ErrorKind::NotFound),
    ] {
        let error = bench.refused("move", arguments.clone()).await;
        assert_eq!(error.kind(), kind, "{arguments}: {error:?}");
    }
    let error = bench.refused("move", json!({"from": "new", "to": "new/place/inside"})).await;
    assert_eq!(error.problems()[0].pointer, "/to");
}

#[tokio::test]
async fn deleting_takes_what_it_is_told_to() {
    let (temp, bench) = house();
    put(&temp, "file", "x");
    put(&temp, "tree/a/b/c", "x");
    put(&temp, "tree/d", "x");
    std::fs::create_dir(root(&temp).join("empty")).unwrap();
    let gone = |deleted: u64, path: &str| json!({"path": path, "deleted": deleted});
    assert_eq!(bench.call("delete", json!({"path": "file"})).await.unwrap(), gone(1, "file"));
    assert_eq!(bench.call("delete", json!({"path": "empty"})).await.unwrap(), gone(1, "empty"));
    let error = bench.refused("delete", json!({"path": "tree"})).await;
    assert_eq!((error.kind(), error.effect_on_provider()), (ErrorKind::Conflict, Effect::NotExecuted));
    assert!(error.public_message().contains("recursive"));
    let done = bench.call("delete", json!({"path": "tree", "recursive": true})).await.unwrap();
    assert_eq!(done, gone(5, "tree"));
    assert_eq!(std::fs::read_dir(root(&temp)).unwrap().count(), 0);
    assert_eq!(bench.refused("delete", json!({"path": "tree"})).await.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_delete_that_is_given_up_says_that_some_is_gone() {
    let (temp, bench) = house();
    for n in 0..100 {
        put(&temp, &format!("tree/{n:03}"), "x");
    }
    bench.shared.patience.store(10, std::sync::atomic::Ordering::Relaxed);
    let error = bench.refused("delete", json!({"path": "tree", "recursive": true})).await;
    assert_eq!((error.kind(), error.effect_on_provider()), (ErrorKind::Canceled, Effect::Unknown));
    let left = std::fs::read_dir(root(&temp).join("tree")).unwrap().count();
    assert!(left > 0 && left < 100, "{left}");
    assert!(error.to_string().contains(&format!("deleted: {}", 100 - left)), "{error}");
}

#[tokio::test]
async fn a_tree_that_is_too_deep_is_refused_without_running_out_of_handles() {
    let (temp, bench) = house();
    let deep = "d/".repeat(200);
    std::fs::create_dir_all(root(&temp).join(&deep)).unwrap();
    let error = bench.refused("delete", json!({"path": "d", "recursive": true})).await;
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    let lower = deep.get(..200).unwrap();
    bench.call("delete", json!({"path": lower, "recursive": true})).await.unwrap();
    bench.call("delete", json!({"path": "d", "recursive": true})).await.unwrap();
    assert!(!root(&temp).join("d").exists());
}
