//! Files: up by a signed address that gets no credential, down from the storage with it.

use serde_json::json;
use tool_connect_connectors::linear::{DownloadFile, Linear, UploadFile};
use tool_connect_connectors::provider::FileInput;
use tool_connect_core::ErrorKind;
use tool_connect_testkit::{Answer, Harness};

use super::{answer, refusal};

fn place() -> Answer {
    answer(json!({"success": true, "entity": {
        "asset_url": "https://uploads.linear.app/w/a", "upload_url": "https://uploads.linear.app/put/a?signature=x",
        "headers": [{"key": "Cache-Control", "value": "private"}, {"key": "x-range", "value": "0,5"}, {"key": "Host", "value": "evil"}],
    }}))
}

fn hello() -> UploadFile {
    UploadFile { file: FileInput::bytes(b"hello", "a.txt") }
}

#[tokio::test]
async fn a_file_goes_to_the_signed_address_without_the_credential() {
    let harness = Harness::builder(Linear::new())
        .answer("POST", "/graphql", place())
        .answer("PUT", "/put/a", Answer::status(200))
        .build()
        .await
        .unwrap();
    let uploaded = harness.run(hello()).await.unwrap();
    assert_eq!((uploaded.url.as_str(), uploaded.size), ("https://uploads.linear.app/w/a", 5));
    let sent = harness.requests();
    assert_eq!(
        sent[0].json()["variables"],
        json!({"content_type": "application/octet-stream", "filename": "a.txt", "size": 5})
    );
    let put = &sent[1];
    assert_eq!((put.url.host_str(), &put.body[..]), (Some("uploads.linear.app"), &b"hello"[..]));
    assert!(sent[0].header("authorization").is_some() && put.header("authorization").is_none());
    let all: Vec<_> = put.headers.get_all("cache-control").iter().collect();
    assert_eq!(all, ["private"]);
    assert_eq!(
        (put.header("x-range"), put.header("content-type")),
        (Some("0,5"), Some("application/octet-stream"))
    );
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn a_file_that_the_plan_does_not_allow_is_not_sent() {
    let words = "Files larger than 10 MB need a paid plan.";
    let refused = refusal(
        200,
        json!({"message": "usage limit exceeded", "extensions": {"type": "usage limit exceeded", "code": "USAGE_LIMIT_EXCEEDED", "userError": true, "userPresentableMessage": words}}),
    );
    let harness = Harness::builder(Linear::new()).answer("POST", "/graphql", refused).build().await.unwrap();
    let error = harness.run(hello()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert!(error.public_message().contains("Files larger than 10 MB need a paid plan"));
    assert_eq!(harness.requests().len(), 1);
    let nameless = FileInput { name: None, ..FileInput::bytes(b"hello", "") };
    let error = harness.run(UploadFile { file: nameless }).await.unwrap_err();
    assert_eq!(error.problems()[0].pointer, "/file/name");
    assert_eq!(harness.requests().len(), 1);
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn a_storage_that_refuses_blames_no_account() {
    let harness = Harness::builder(Linear::new())
        .answer("POST", "/graphql", place())
        .answer("PUT", "/put/a", Answer::status(403).body("<Error>SignatureDoesNotMatch</Error>"))
        .build()
        .await
        .unwrap();
    let error = harness.run(hello()).await.unwrap_err();
    assert_eq!((error.kind(), error.http_status()), (ErrorKind::Provider, Some(403)));
    assert!(error.public_message().contains("upload it again"), "{}", error.public_message());
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn a_file_comes_by_handle_and_only_from_the_storage() {
    let harness = Harness::builder(Linear::new())
        .answer("GET", "/w/a", Answer::status(200).header("content-type", "image/png").body(&b"\x89PNG"[..]))
        .build()
        .await
        .unwrap();
    let url = "https://uploads.linear.app/w/a".to_owned();
    let file = harness.run(DownloadFile { url, name: Some("a.png".into()) }).await.unwrap();
    assert_eq!((file.media_type.as_str(), file.size, file.name.as_deref()), ("image/png", 4, Some("a.png")));
    assert!(harness.requests()[0].header("authorization").is_some());
    for elsewhere in [
        "https://uploads.linear.app.evil.example/w/a",
        "http://uploads.linear.app/w/a",
        "https://uploads.linear.app@evil.example/w/a",
        "https://evil.example/https://uploads.linear.app/",
    ] {
        let error = harness.call("download_file", json!({"url": elsewhere})).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArguments, "{elsewhere}");
    }
    assert_eq!(harness.requests().len(), 1);
    harness.finish().await.unwrap();
}
