//! `write`: modes, sources, and that a file is there whole or not at all.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tool_connect_core::store::{NewResult, ResultStore as _};
use tool_connect_core::{Effect, Error, ErrorKind, Principal};

use super::{house, house_with, put, root, text};
use crate::bench::Bench;

fn names(temp: &tempfile::TempDir) -> BTreeSet<String> {
    std::fs::read_dir(root(temp)).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
}

/// Puts bytes into the result store, chunk by chunk.
async fn result(bench: &Bench, user: &str, chunks: &[&'static [u8]]) -> String {
    let principal = Principal::user("acme", user).unwrap();
    let new = NewResult {
        tenant: principal.tenant,
        user: principal.user,
        media_type: "application/octet-stream".to_owned(),
        name: None,
        keep: Duration::from_secs(60),
        max_bytes: u64::MAX,
    };
    let chunks: Vec<Result<bytes::Bytes, Error>> =
        chunks.iter().map(|c| Ok(bytes::Bytes::from_static(c))).collect();
    let meta = bench.shared.results.put(new, Box::pin(futures_util::stream::iter(chunks))).await.unwrap();
    meta.handle.as_str().to_owned()
}

#[tokio::test]
async fn each_mode_does_what_it_says() {
    let (temp, bench) = house();
    let write = |mode: &str, content: &str| json!({"path": "a", "mode": mode, "content": content});
    let done = bench.call("write", write("create", "one")).await.unwrap();
    assert_eq!(done, json!({"path": "a", "bytes": 3, "size": 3, "created": true}));
    let error = bench.refused("write", write("create", "two")).await;
    assert_eq!((error.kind(), error.effect_on_provider()), (ErrorKind::Conflict, Effect::NotExecuted));
    assert!(error.public_message().contains("mode: overwrite"));
    let done = bench.call("write", write("append", " more")).await.unwrap();
    assert_eq!(done, json!({"path": "a", "bytes": 5, "size": 8, "created": false}));
    assert_eq!(text(root(&temp).join("a")), "one more");
    let done = bench.call("write", write("overwrite", "new")).await.unwrap();
    assert_eq!(done, json!({"path": "a", "bytes": 3, "size": 3, "created": false}));
    assert_eq!(text(root(&temp).join("a")), "new");
    for (mode, path) in [("overwrite", "b"), ("append", "c")] {
        let done = bench.call("write", json!({"path": path, "mode": mode, "content": ""})).await.unwrap();
        assert_eq!(done["created"], true, "{mode}");
    }
    // No temporary file is left.
    assert_eq!(names(&temp), ["a", "b", "c"].map(String::from).into());
}

#[tokio::test]
async fn parents_are_created_only_if_asked_for() {
    let (temp, bench) = house();
    let error = bench.refused("write", json!({"path": "x/y/z", "content": ""})).await;
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.public_message().contains("create_parents"));
    assert_eq!(names(&temp).len(), 0);
    bench.call("write", json!({"path": "x/y/z", "content": "z", "create_parents": true})).await.unwrap();
    assert_eq!(text(root(&temp).join("x/y/z")), "z");
    let error =
        bench.refused("write", json!({"path": "x/y/z/below", "content": "", "create_parents": true})).await;
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(
        bench.refused("write", json!({"path": "x/y", "content": "", "mode": "overwrite"})).await.kind(),
        ErrorKind::InvalidArguments
    );
}

#[tokio::test]
async fn content_is_text_base64_or_a_result() {
    let (temp, bench) = house();
    bench.call("write", json!({"path": "b", "content": "AP+A", "encoding": "base64"})).await.unwrap();
    assert_eq!(std::fs::read(root(&temp).join("b")).unwrap(), [0, 255, 128]);

    let big: &'static [u8] = Box::leak(vec![7; 700_000].into_boxed_slice());
    let handle = result(&bench, "ada", &[b"head", big, b"tail"]).await;
    for mode in ["create", "overwrite", "append"] {
        let done =
            bench.call("write", json!({"path": "r", "from_result": handle, "mode": mode})).await.unwrap();
        assert_eq!(done["bytes"], 700_008, "{mode}");
    }
    let written = std::fs::read(root(&temp).join("r")).unwrap();
    assert_eq!(written.len(), 2 * 700_008);
    assert!(written.starts_with(b"head") && written.ends_with(b"tail"));

    for (arguments, pointer) in [
        (json!({"path": "n", "content": "!", "encoding": "base64"}), "/content"),
        (json!({"path": "n"}), "/content"),
        (json!({"path": "n", "content": "", "from_result": handle}), "/from_result"),
        (json!({"path": "n", "from_result": "\n"}), "/from_result"),
    ] {
        let error = bench.refused("write", arguments).await;
        assert_eq!((error.kind(), &*error.problems()[0].pointer), (ErrorKind::InvalidArguments, pointer));
    }
    // Another user's result is as good as none.
    let foreign = result(&bench, "bob", &[b"secret"]).await;
    for handle in [&*foreign, "none"] {
        let error = bench.refused("write", json!({"path": "n", "from_result": handle})).await;
        assert_eq!((error.kind(), error.effect_on_provider()), (ErrorKind::NotFound, Effect::NotExecuted));
    }
    assert!(!root(&temp).join("n").exists());
}

#[tokio::test]
async fn the_cap_counts_what_the_file_will_have() {
    let (temp, bench) = house_with(|files| files.max_write_bytes(10));
    put(&temp, "a", "12345678");
    bench.call("write", json!({"path": "a", "content": "90", "mode": "append"})).await.unwrap();
    let error = bench.refused("write", json!({"path": "a", "content": "x", "mode": "append"})).await;
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    let error = bench
        .refused("write", json!({"path": "d/b", "content": "x".repeat(11), "create_parents": true}))
        .await;
    assert!(error.public_message().contains("at most 10"));
    let handle = result(&bench, "ada", &[b"12345678901"]).await;
    assert_eq!(
        bench.refused("write", json!({"path": "b", "from_result": handle})).await.kind(),
        ErrorKind::TooLarge
    );
    assert_eq!(names(&temp), BTreeSet::from(["a".to_owned()]));
}

#[tokio::test]
async fn a_write_that_is_given_up_changes_nothing() {
    let (temp, bench) = house();
    put(&temp, "a", "old");
    let big: &'static [u8] = Box::leak(vec![7; 2_000_000].into_boxed_slice());
    let handle = result(&bench, "ada", &[big]).await;
    for looks in 1..9 {
        bench.shared.patience.store(looks, std::sync::atomic::Ordering::Relaxed);
        for mode in ["overwrite", "append"] {
            let error =
                bench.refused("write", json!({"path": "a", "from_result": handle, "mode": mode})).await;
            assert_eq!(
                (error.kind(), error.effect_on_provider()),
                (ErrorKind::Canceled, Effect::NotExecuted)
            );
        }
    }
    assert_eq!(text(root(&temp).join("a")), "old");
    assert_eq!(names(&temp).len(), 1);
}

#[cfg(unix)]
#[tokio::test]
async fn a_replaced_file_keeps_its_permissions() {
    use std::os::unix::fs::PermissionsExt as _;
    let (temp, bench) = house();
    put(&temp, "script", "old");
    let path = root(&temp).join("script");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o751)).unwrap();
    bench.call("write", json!({"path": "script", "content": "new", "mode": "overwrite"})).await.unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o751);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_sees_the_old_or_the_new_and_one_creator_wins() {
    let (temp, bench) = house();
    let bench = std::sync::Arc::new(bench);
    let (old, new) = ("old".repeat(50_000), "new".repeat(50_000));
    put(&temp, "a", &old);
    let writer = tokio::spawn({
        let (bench, old, new) = (std::sync::Arc::clone(&bench), old.clone(), new.clone());
        async move {
            for round in 0..40 {
                let content = if round % 2 == 0 { &new } else { &old };
                bench
                    .call("write", json!({"path": "a", "content": content, "mode": "overwrite"}))
                    .await
                    .unwrap();
            }
        }
    });
    while !writer.is_finished() {
        let seen = text(root(&temp).join("a"));
        assert!(seen == old || seen == new, "half a file of {} bytes", seen.len());
    }
    writer.await.unwrap();

    let creators: Vec<_> = (0..16)
        .map(|n: u32| {
            let bench = std::sync::Arc::clone(&bench);
            tokio::spawn(async move {
                bench.call("write", json!({"path": "one", "content": n.to_string()})).await
            })
        })
        .collect();
    let mut won: Vec<Value> = Vec::new();
    for creator in creators {
        match creator.await.unwrap() {
            Ok(done) => won.push(done),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict),
        }
    }
    assert_eq!(won.len(), 1);
}

/// Writes more than the file system takes. The limit on the size of files is the kernel's, set for a
/// process of its own: this same test, started again by a shell that sets it.
#[cfg(unix)]
#[tokio::test]
async fn a_full_disk_leaves_nothing_half_written() {
    const INNER: &str = "TOOL_CONNECT_TEST_FILE_LIMIT";
    if std::env::var_os(INNER).is_none() {
        let this = std::env::current_exe().unwrap();
        let run = std::process::Command::new("sh")
            .args(["-c", "trap '' XFSZ; ulimit -f 16; exec \"$0\" --exact \"$1\"", this.to_str().unwrap()])
            .arg("filesystem::write::a_full_disk_leaves_nothing_half_written")
            .env(INNER, "1")
            .output()
            .unwrap();
        let out = String::from_utf8_lossy(&run.stdout);
        assert!(
            run.status.success() && out.contains("1 passed"),
            "{out}\n{}",
            String::from_utf8_lossy(&run.stderr)
        );
        return;
    }
    let (temp, bench) = house();
    put(&temp, "a", "old");
    let big = "x".repeat(100_000);
    for mode in ["overwrite", "append"] {
        let error = bench.refused("write", json!({"path": "a", "content": big, "mode": mode})).await;
        assert_eq!(
            (error.kind(), error.effect_on_provider()),
            (ErrorKind::Storage, Effect::NotExecuted),
            "{error:?}"
        );
        assert!(error.public_message().contains("no room"), "{}", error.public_message());
    }
    for mode in ["create", "append"] {
        let error = bench.refused("write", json!({"path": "b", "content": big, "mode": mode})).await;
        assert_eq!(error.kind(), ErrorKind::Storage);
    }
    assert_eq!(text(root(&temp).join("a")), "old");
    assert_eq!(names(&temp), BTreeSet::from(["a".to_owned()]));
}
