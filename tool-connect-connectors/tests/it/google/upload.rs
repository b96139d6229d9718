//! Uploads in pieces: what is sent again, and where it may go.

use std::sync::{Arc, Mutex};

use serde_json::json;
use tool_connect_connectors::google_drive::GoogleDrive;
use tool_connect_core::{Effect, ErrorKind};

use super::{Asked, Told, call, stored, with};

const SIZE: usize = 9 * 1024 * 1024;
const SESSION: &str = "https://www.googleapis.com/upload/drive/v3/files?upload_id=u1";

/// Uploads a file of two pieces to a service that answers its pieces like this, and returns what comes of it and the ranges.
async fn upload(
    session: &'static str,
    pieces: impl Fn(&Asked, usize) -> Told + Send + Sync + 'static,
) -> (tool_connect_core::Result<serde_json::Value>, Vec<String>) {
    let count = Arc::new(Mutex::new(0));
    let service = move |asked: &Asked| match asked.method.as_str() {
        "POST" => Told::empty(200).header("location", session),
        _ => {
            let mut count = count.lock().unwrap();
            *count += 1;
            pieces(asked, *count)
        }
    };
    let harness = with(GoogleDrive::new(), service)
        .hub(|hub| hub.configure(|settings| settings.http.retry.max_attempts = 2))
        .build()
        .await
        .unwrap();
    let handle = stored(&harness, "a.bin", "application/octet-stream", vec![7; SIZE]).await;
    let ended = call(&harness, "upload_file", json!({"file": {"handle": handle}}), None).await;
    let ranges = harness
        .requests()
        .iter()
        .filter_map(|sent| sent.header("content-range").map(str::to_owned))
        .collect();
    (ended, ranges)
}

fn done() -> Told {
    Told::json(json!({"id": "f1", "name": "a.bin"}))
}

fn so_far(bytes: usize) -> Told {
    Told::empty(308).header("range", format!("bytes=0-{}", bytes - 1))
}

#[tokio::test]
async fn a_piece_is_not_sent_again_before_asking() {
    // All of it arrived, and only the answer was lost.
    let (ended, ranges) = upload(SESSION, |asked, count| match count {
        1 => so_far(8_388_608),
        2 => Told::Broken,
        3 => {
            assert!(asked.body.is_empty());
            done()
        }
        other => panic!("{other}"),
    })
    .await;
    assert_eq!(ended.unwrap()["id"], "f1");
    assert_eq!(ranges, ["bytes 0-8388607/9437184", "bytes 8388608-9437183/9437184", "bytes */9437184"]);

    // Nothing arrived: a service that is busy, and an answer without a range.
    let (ended, ranges) = upload(SESSION, |_, count| match count {
        1 => Told::empty(503),
        2 => Told::empty(308),
        3 => so_far(8_388_608),
        _ => done(),
    })
    .await;
    ended.unwrap();
    assert_eq!(ranges[1..3], ["bytes */9437184", "bytes 0-8388607/9437184"]);
}

#[tokio::test]
async fn an_upload_that_does_not_go_on_ends() {
    let (ended, ranges) = upload(SESSION, |_, _| Told::empty(308)).await;
    let error = ended.unwrap_err();
    assert_eq!((error.kind(), error.effect_on_provider()), (ErrorKind::Transport, Effect::Unknown));
    assert_eq!(ranges.len(), 4);
    let (ended, _) = upload(SESSION, |_, _| Told::Broken).await;
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::Transport);
    let (ended, _) = upload(SESSION, |_, _| so_far(SIZE)).await;
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::Provider, "more than was sent cannot have arrived");
    let (ended, _) = upload(SESSION, |_, _| Told::empty(404)).await;
    let error = ended.unwrap_err();
    assert_eq!((error.kind(), error.effect_on_provider()), (ErrorKind::NotFound, Effect::NotExecuted));
    let full = |_: &Asked, _| {
        Told::error(403, "storageQuotaExceeded", "The user's Drive storage quota has been exceeded.")
    };
    let (ended, _) = upload(SESSION, full).await;
    let error = ended.unwrap_err();
    assert!(error.public_message().contains("no room"), "{}", error.public_message());
}

#[tokio::test]
async fn a_file_goes_to_no_other_host() {
    for elsewhere in [
        "https://example.com/upload?upload_id=u1",
        "http://www.googleapis.com/upload?upload_id=u1",
        "https://www.googleapis.com:8443/upload?upload_id=u1",
    ] {
        let (ended, ranges) = upload(elsewhere, |_, _| done()).await;
        assert_eq!(ended.unwrap_err().kind(), ErrorKind::Blocked, "{elsewhere}");
        assert!(ranges.is_empty());
    }
    let (ended, _) = upload("no address", |_, _| done()).await;
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::Provider);
}
