//! Files out and in.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tool_connect_connectors::notion::{AttachFile, DownloadFile, Notion, UploadFile};
use tool_connect_connectors::provider::FileInput;
use tool_connect_core::ErrorKind;
use tool_connect_testkit::{Answer, Harness};

use super::over;
use super::workspace::Workspace;

const ID: &str = "0d7a1f0e-1111-4222-8333-944444444444";

#[tokio::test]
async fn a_small_file_is_sent_at_once_and_a_large_one_in_parts() {
    let workspace = Arc::new(Workspace::default());
    let home = workspace.page("Home");
    let harness = over(&workspace).await;
    let mut file = FileInput::bytes(b"hello\r\n--tool-connect-part--\r\nworld", "a/b\"c\r\n.png");
    file.media_type = Some("image/png".into());
    let attach = AttachFile { block_id: home, file: file.clone(), caption: Some("A cat".into()) };
    let attached = harness.run(attach).await.unwrap();
    assert_eq!(attached.kind, "image");
    let sent = harness.requests();
    assert_eq!(
        sent[0].json(),
        json!({"mode": "single_part", "filename": "b'c.png", "content_type": "image/png"})
    );
    let form = String::from_utf8(sent[1].body.to_vec()).unwrap();
    let boundary = sent[1].header("content-type").unwrap().strip_prefix("multipart/form-data; boundary=");
    let boundary = boundary.unwrap();
    let head = "content-disposition: form-data; name=\"file\"; filename=\"b'c.png\"\r\n";
    assert!(form.starts_with(&format!("--{boundary}\r\n{head}")), "{form}");
    assert!(
        form.ends_with(&format!("\r\n\r\nhello\r\n--tool-connect-part--\r\nworld\r\n--{boundary}--\r\n")),
        "{form}"
    );
    assert_eq!(sent[2].json()["children"][0]["image"]["file_upload"]["id"], json!(attached.file_upload_id));

    let large = Bytes::from(vec![7_u8; 21 * 1024 * 1024]);
    let stream = Box::pin(futures_util::stream::iter([Ok(large)]));
    let hour = Duration::from_secs(3600);
    let stored =
        harness.session().put_file("big.bin", "application/octet-stream", hour, stream).await.unwrap();
    let before = harness.requests().len();
    let upload = harness.run(UploadFile { file: FileInput::handle(&stored.handle) }).await.unwrap();
    assert_eq!((upload.status.as_deref(), upload.filename.as_deref()), (Some("uploaded"), Some("big.bin")));
    let sent = harness.requests().split_off(before);
    let paths: Vec<&str> =
        sent.iter().map(|request| request.url.path().rsplit('/').next().unwrap()).collect();
    assert_eq!(paths, ["file_uploads", "send", "send", "send", "complete"]);
    assert_eq!(sent[0].json()["number_of_parts"], 3);
    assert!(workspace.last_part() > 1024 * 1024 && workspace.last_part() < 1024 * 1024 + 1024);

    let error = harness.run(UploadFile { file: FileInput::bytes(b"", "x") }).await.unwrap_err();
    assert_eq!(error.problems()[0].pointer, "/file");
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn a_file_comes_by_handle_and_without_the_credential() {
    let block = json!({"object": "block", "id": ID, "type": "image", "image": {"type": "file", "file": {"url": "https://files.example/v1/k/cat%20a.png?sig=1"}}});
    let harness = Harness::builder(Notion::new())
        .answer("GET", &format!("/blocks/{ID}"), Answer::json(200, block))
        .answer("GET", "/k/cat%20a.png", Answer::status(200).header("content-type", "text/html").body("PNG"))
        .build()
        .await
        .unwrap();
    let download = DownloadFile { block_id: Some(format!("notion://file/{ID}")), ..DownloadFile::default() };
    let file = harness.run(download).await.unwrap();
    // What the other side says of its type is passed on, and nothing is made of it.
    assert_eq!(
        (file.name.as_deref(), file.size, file.media_type.as_str()),
        (Some("cat a.png"), 3, "text/html")
    );
    let sent = harness.requests();
    assert!(sent[0].header("authorization").is_some());
    assert!(sent[1].header("authorization").is_none() && sent[1].header("notion-version").is_none());
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn a_file_of_a_property_is_found_by_name() {
    let page = json!({"object": "page", "id": ID, "properties": {"Docs": {"type": "files", "files": [
        {"name": "a.txt", "type": "external", "external": {"url": "https://files.example/v1/a"}},
        {"name": "b.txt", "type": "file", "file": {"url": "http://files.example/b"}},
    ]}}});
    let harness = Harness::builder(Notion::new())
        .answer("GET", &format!("/pages/{ID}"), Answer::json(200, page))
        .answer("GET", "/a", Answer::status(200).body("A"))
        .build()
        .await
        .unwrap();
    let arguments = |name: &str| json!({"page_id": ID, "property": "Docs", "filename": name});
    let file: Value = harness.call("download_file", arguments("a.txt")).await.unwrap().parse().unwrap();
    assert_eq!((&file["name"], &file["size"]), (&json!("a.txt"), &json!(1)));
    assert_eq!(
        harness.call("download_file", arguments("b.txt")).await.unwrap_err().kind(),
        ErrorKind::NotFound
    );
    let missing = harness.call("download_file", arguments("c.txt")).await.unwrap_err();
    assert_eq!(missing.problems()[0].pointer, "/filename");
    harness.finish().await.unwrap();
}
