//! Bytes of files, in and out: which host sees what, and who gets the credential.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::stream;
use serde_json::{Value, json};
use tool_connect_connectors::provider::FileInput;
use tool_connect_connectors::slack::{DownloadFile, Slack, UploadFile};
use tool_connect_core::{Effect, ErrorKind, FileRef};
use tool_connect_testkit::{Answer, Harness, HarnessBuilder};

/// Slack as it takes an upload, the address of the second step given.
fn taking(upload_url: &str) -> HarnessBuilder {
    Harness::builder(Slack::new())
        .answer(
            "POST",
            "/files.getUploadURLExternal",
            Answer::json(200, json!({"ok": true, "file_id": "F1", "upload_url": upload_url})),
        )
        .answer(
            "POST",
            "/files.completeUploadExternal",
            Answer::json(200, json!({"ok": true, "files": [{"id": "F1", "title": "Plan"}]})),
        )
}

/// The harness's routes are below the path of the base URL.
const UPLOAD: &str = "https://files.slack.com/api/upload/v1/CwABAA";

fn plan() -> UploadFile {
    UploadFile {
        file: FileInput::bytes(b"a plan", "plan.txt"),
        channel: Some("C1".into()),
        thread_ts: Some("1700000001.000200".into()),
        initial_comment: Some("Here it is".into()),
        title: Some("Plan".into()),
        alt_text: Some("A plan".into()),
    }
}

#[tokio::test]
async fn an_upload_is_begun_sent_and_completed() {
    let harness = taking(UPLOAD)
        .answer("POST", "/upload/v1/CwABAA", Answer::status(200).body("OK - 6"))
        .build()
        .await
        .unwrap();
    let file = harness.run(plan()).await.unwrap();
    assert_eq!((file.id.as_str(), file.title.as_deref()), ("F1", Some("Plan")));
    let sent = harness.requests();
    assert_eq!(sent.len(), 3);
    // Slack takes no JSON for the first one.
    assert_eq!(sent[0].header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(&sent[0].body[..], b"filename=plan.txt&length=6&alt_txt=A+plan");
    // The address is the permission, and the token goes nowhere but to Slack's API.
    assert_eq!((sent[1].url.as_str(), &sent[1].body[..]), (UPLOAD, &b"a plan"[..]));
    assert_eq!(sent[1].header("authorization"), None);
    assert_eq!(sent[1].header("content-type"), Some("application/octet-stream"));
    assert_eq!(
        sent[2].json(),
        json!({
            "files": [{"id": "F1", "title": "Plan"}], "channel_id": "C1", "thread_ts": "1700000001.000200",
            "initial_comment": "Here it is",
        })
    );
    assert!(sent[2].header("authorization").is_some());
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn a_large_file_goes_by_handle_and_is_streamed() {
    let harness =
        taking(UPLOAD).answer("POST", "/upload/v1/CwABAA", Answer::status(200)).build().await.unwrap();
    let bytes = Bytes::from(vec![7_u8; 3 << 20]);
    let data = Box::pin(stream::iter([Ok(bytes.clone())]));
    let keep = Duration::from_secs(60);
    let stored = harness.session().put_file("film.mp4", "video/mp4", keep, data).await.unwrap();
    let call = UploadFile { file: FileInput::handle(&stored.handle), ..UploadFile::default() };
    harness.run(call).await.unwrap();
    let sent = harness.requests();
    assert_eq!(&sent[0].body[..], b"filename=film.mp4&length=3145728");
    assert_eq!((&sent[1].body, sent[1].header("content-type")), (&bytes, Some("video/mp4")));
    assert_eq!(sent[2].json(), json!({"files": [{"id": "F1", "title": "film.mp4"}]}));
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn an_upload_goes_to_slack_alone() {
    for address in ["https://evil.example/api/upload", "http://files.slack.com/api/upload", "not an address"]
    {
        let harness = taking(address).answer("POST", "/upload", Answer::status(200)).build().await.unwrap();
        let error = harness.run(plan()).await.unwrap_err();
        assert_eq!((error.kind(), harness.requests().len()), (ErrorKind::Provider, 1), "{address}");
        assert!(!error.to_string().contains("evil.example"), "{error}");
        harness.finish().await.unwrap();
    }
}

#[tokio::test]
async fn an_upload_that_breaks_off_left_nothing_behind_and_is_not_repeated() {
    for answer in [Answer::broken(), Answer::status(500), Answer::status(403)] {
        let harness = taking(UPLOAD).answer("POST", "/upload/v1/CwABAA", answer).build().await.unwrap();
        let error = harness.run(plan()).await.unwrap_err();
        assert_eq!(error.effect_on_provider(), Effect::NotExecuted, "{error}");
        assert_eq!(harness.requests().len(), 2, "{error}");
        harness.finish().await.unwrap();
    }
    // Whether it was completed is another matter.
    let harness = Harness::builder(Slack::new())
        .answer(
            "POST",
            "/files.getUploadURLExternal",
            Answer::json(200, json!({"ok": true, "file_id": "F1", "upload_url": UPLOAD})),
        )
        .answer("POST", "/upload/v1/CwABAA", Answer::status(200))
        .answer("POST", "/files.completeUploadExternal", Answer::broken())
        .build()
        .await
        .unwrap();
    let error = harness.run(plan()).await.unwrap_err();
    assert_eq!((error.effect_on_provider(), harness.requests().len()), (Effect::Unknown, 3));
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_uploaded_is_not_begun() {
    let harness = taking(UPLOAD).build().await.unwrap();
    let wrong = [
        (UploadFile { file: FileInput::bytes(b"", "empty.txt"), ..UploadFile::default() }, "/file"),
        (UploadFile { file: FileInput::default(), ..UploadFile::default() }, "/file"),
        (UploadFile { channel: None, ..plan() }, "/channel"),
        (UploadFile { thread_ts: Some("yesterday".into()), ..plan() }, "/thread_ts"),
    ];
    for (call, pointer) in wrong {
        let error = harness.run(call).await.unwrap_err();
        assert_eq!(error.problems()[0].pointer, pointer);
    }
    assert!(harness.requests().is_empty());
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn a_workspace_that_takes_no_file_of_that_size_says_so() {
    let harness = Harness::builder(Slack::new())
        .answer(
            "POST",
            "/files.getUploadURLExternal",
            Answer::json(200, json!({"ok": false, "error": "file_upload_size_restricted"})),
        )
        .build()
        .await
        .unwrap();
    let error = harness.run(plan()).await.unwrap_err();
    assert_eq!((error.kind(), harness.requests().len()), (ErrorKind::TooLarge, 1));
    harness.finish().await.unwrap();
}

/// Slack with one file, at an address.
fn holding(file: Value) -> HarnessBuilder {
    Harness::builder(Slack::new()).answer(
        "GET",
        "/files.info",
        Answer::json(200, json!({"ok": true, "file": file})),
    )
}

const PRIVATE: &str = "https://files.slack.com/api/files-pri/T1-F1/plan.pdf";

#[tokio::test]
async fn a_download_comes_by_handle_and_only_slack_sees_the_token() {
    let file = json!({"id": "F1", "name": "plan.pdf", "mimetype": "application/pdf", "size": 8, "url_private": PRIVATE});
    let harness = holding(file)
        .answer(
            "GET",
            "/files-pri/T1-F1/plan.pdf",
            Answer::status(200).header("content-type", "application/pdf").body("%PDF-1.7"),
        )
        .build()
        .await
        .unwrap();
    let got: FileRef = harness.run(DownloadFile { file: "F1".into() }).await.unwrap();
    assert_eq!((got.name.as_deref(), &*got.media_type, got.size), (Some("plan.pdf"), "application/pdf", 8));
    let sent = harness.requests();
    assert_eq!(sent[1].url.as_str(), PRIVATE);
    assert!(sent[1].header("authorization").is_some());
    harness.finish().await.unwrap();

    for address in
        ["https://docs.google.com/api/f", "http://files.slack.com/api/f", "https://evilslack.com/api/f"]
    {
        let file = json!({"id": "F1", "mode": "external", "url_private": address});
        let harness = holding(file).answer("GET", "/f", Answer::status(200)).build().await.unwrap();
        let error = harness.run(DownloadFile { file: "F1".into() }).await.unwrap_err();
        assert_eq!((error.kind(), harness.requests().len()), (ErrorKind::Unsupported, 1), "{address}");
        harness.finish().await.unwrap();
    }
}

#[tokio::test]
async fn a_sign_in_page_is_no_file() {
    let page = || {
        Answer::status(200).header("content-type", "text/html; charset=utf-8").body("<html>Sign in</html>")
    };
    let pdf = json!({"id": "F1", "mimetype": "application/pdf", "url_private_download": PRIVATE});
    let harness = holding(pdf).answer("GET", "/files-pri/T1-F1/plan.pdf", page()).build().await.unwrap();
    let error = harness.run(DownloadFile { file: "F1".into() }).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert!(error.public_message().contains("files:read"), "{error}");
    harness.finish().await.unwrap();

    let html = json!({"id": "F1", "mimetype": "text/html", "url_private": PRIVATE});
    let harness = holding(html).answer("GET", "/files-pri/T1-F1/plan.pdf", page()).build().await.unwrap();
    assert_eq!(harness.run(DownloadFile { file: "F1".into() }).await.unwrap().size, 20);
    harness.finish().await.unwrap();

    let gone = json!({"id": "F1", "mode": "tombstone"});
    let harness = holding(gone).build().await.unwrap();
    let error = harness.run(DownloadFile { file: "F1".into() }).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn a_download_is_not_led_away() {
    let file = json!({"id": "F1", "url_private": PRIVATE});
    let harness = holding(file)
        .answer(
            "GET",
            "/files-pri/T1-F1/plan.pdf",
            Answer::status(302).header("location", "https://evil.example/api/f"),
        )
        .answer("GET", "/f", Answer::status(200).body("x"))
        .build()
        .await
        .unwrap();
    let error = harness.run(DownloadFile { file: "F1".into() }).await.unwrap_err();
    assert_eq!((error.kind(), harness.requests().len()), (ErrorKind::Blocked, 2));
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn bytes_in_base64_are_what_is_sent() {
    let harness =
        taking(UPLOAD).answer("POST", "/upload/v1/CwABAA", Answer::status(200)).build().await.unwrap();
    let file =
        json!({"base64": STANDARD.encode([0_u8, 255, 1]), "name": "a.bin", "media_type": "application/x-a"});
    harness.call("upload_file", json!({"file": file})).await.unwrap();
    assert_eq!(&harness.requests()[1].body[..], [0, 255, 1]);
    harness.finish().await.unwrap();
}
