//! The connectors in a whole Hub: their words, their ids, and what the stacks make of them.

use http::Method;
use serde_json::{Value, json};
use tool_connect_connectors::filesystem::{Filesystem, Read};
use tool_connect_connectors::http::Http;
use tool_connect_core::{AuthScheme, ErrorKind};
use tool_connect_testkit::lint;
use tool_connect_testkit::{Answer, Harness};

fn filesystem() -> (tempfile::TempDir, Filesystem) {
    let temp = tempfile::tempdir().unwrap();
    std::fs::create_dir(temp.path().join("root")).unwrap();
    std::fs::write(temp.path().join("outside.txt"), "outside").unwrap();
    let files = Filesystem::new(temp.path().join("root")).unwrap();
    (temp, files)
}

fn tickets() -> Http {
    Http::builder()
        .id("tickets")
        .base_url("https://tickets.example")
        .allow_host("files.example")
        .allow_methods([Method::GET, Method::POST])
        .auth(AuthScheme::Bearer)
        .build()
        .unwrap()
}

#[test]
fn the_lint_finds_nothing_and_ids_are_as_released() {
    let (_temp, files) = filesystem();
    lint::assert_clean(&files);
    lint::assert_stable(&files, include_str!("filesystem.json"));
    lint::assert_clean(&tickets());
    lint::assert_stable(&tickets(), include_str!("http.json"));
    let reads = Http::builder().allow_host("a.example").build().unwrap();
    lint::assert_clean(&reads);
}

#[tokio::test]
async fn files_are_read_and_written_through_the_stacks() {
    let (temp, files) = filesystem();
    let harness = Harness::builder(files).build().await.unwrap();
    let write = json!({"path": "notes/a.txt", "content": "héllo", "create_parents": true});
    harness.call("write", write).await.unwrap();
    let read = harness.run(Read { path: "notes/a.txt".to_owned(), ..Read::default() }).await.unwrap();
    assert_eq!(read.text.as_deref(), Some("héllo"));
    let error = harness.call("read", json!({"path": "../outside.txt"})).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    let error = harness.call("delete", json!({"paht": "notes"})).await.unwrap_err();
    let places: Vec<_> = error.problems().iter().map(|problem| &*problem.pointer).collect();
    assert!(places.contains(&"/path") && places.contains(&"/paht"), "{error}");
    assert_eq!(std::fs::read_to_string(temp.path().join("outside.txt")).unwrap(), "outside");
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn a_redirect_to_a_host_that_is_not_allowed_sends_nothing_there() {
    for (location, allowed) in [
        ("https://evil.example/steal", false),
        ("https://tickets.example:8443/", false),
        ("//169.254.169.254/latest", false),
        ("https://files.example/report", true),
        ("/elsewhere", true),
    ] {
        let harness = Harness::builder(tickets())
            .answer("GET", "/start", Answer::status(302).header("location", location))
            .answer("GET", "/elsewhere", Answer::json(200, json!("here")))
            .answer("GET", "/report", Answer::json(200, json!("there")))
            .build()
            .await
            .unwrap();
        let called = harness.call("request", json!({"url": "/start"})).await;
        let sent = harness.requests();
        assert!(sent[0].header("authorization").is_some());
        if allowed {
            let found: Value = called.unwrap().parse().unwrap();
            assert_eq!((&found["status"], sent.len()), (&json!(200), 2), "{location}");
            // The credential stays at the base URL's origin.
            let signed = sent[1].header("authorization").is_some();
            assert_eq!(signed, location.starts_with('/'), "{location}");
        } else {
            let error = called.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Blocked, "{location}: {error}");
            assert!(error.public_message().contains("`tickets.example`, `files.example`"), "{location}");
            assert_eq!(sent.len(), 1, "{location}");
        }
        harness.finish().await.unwrap();
    }
}

#[tokio::test]
async fn errors_of_the_service_are_answers_and_refused_credentials_are_not() {
    let harness = Harness::builder(tickets())
        .answer("GET", "/none", Answer::json(404, json!({"error": "no such ticket"})))
        .answer("POST", "/down", Answer::status(503))
        .answer("GET", "/locked", Answer::status(401))
        .build()
        .await
        .unwrap();
    let found: Value = harness.call("request", json!({"url": "/none"})).await.unwrap().parse().unwrap();
    assert_eq!((&found["status"], &found["json"]["error"]), (&json!(404), &json!("no such ticket")));
    let down = json!({"method": "POST", "url": "/down", "json": {}});
    let found: Value = harness.call("request", down).await.unwrap().parse().unwrap();
    assert_eq!(found["status"], 503);
    // A write that may have been executed was sent once.
    assert_eq!(harness.requests().iter().filter(|request| request.method == Method::POST).count(), 1);
    let error = harness.call("request", json!({"url": "/locked"})).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NeedsReauth);
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn large_files_and_answers_go_by_handle_through_the_hub() {
    let (temp, files) = filesystem();
    let content = vec![0_u8; 600_000];
    std::fs::write(temp.path().join("root/big.bin"), &content).unwrap();
    let harness = Harness::builder(files).build().await.unwrap();
    let read = harness.run(Read { path: "big.bin".to_owned(), ..Read::default() }).await.unwrap();
    let file = read.file.unwrap();
    assert_eq!((file.size, file.name.as_deref()), (600_000, Some("big.bin")));
    let copy = json!({"path": "copy.bin", "from_result": file.handle.as_str()});
    harness.call("write", copy).await.unwrap();
    assert_eq!(std::fs::read(temp.path().join("root/copy.bin")).unwrap(), content);
    harness.finish().await.unwrap();
}
