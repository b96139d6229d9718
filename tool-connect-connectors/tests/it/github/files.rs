//! Files: read as text or by handle, written in one commit, uploaded and downloaded.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::json;
use tool_connect_connectors::github::{
    DownloadReleaseAsset, DownloadRunLogs, GetContents, GetPullRequestDiff, GitHub, UploadReleaseAsset,
    WriteFile,
};
use tool_connect_connectors::provider::FileInput;
use tool_connect_core::FileRef;
use tool_connect_hub::InstanceOptions;
use tool_connect_testkit::{Answer, Harness};

use super::server::{Said, Server};

fn file(size: u64, content: serde_json::Value, encoding: &str) -> serde_json::Value {
    json!({"type": "file", "encoding": encoding, "size": size, "name": "a.txt", "path": "docs/a.txt", "content": content,
        "sha": "3d21ec53a331a6f037a91c368710b99387d012c1", "html_url": "https://github.com/acme/site/blob/main/docs/a.txt"})
}

fn get(path: Option<&str>) -> GetContents {
    GetContents {
        owner: "acme".into(),
        repo: "site".into(),
        path: path.map(Into::into),
        ..GetContents::default()
    }
}

async fn stored(harness: &Harness, file: &FileRef) -> Bytes {
    harness.session().read_file(&file.handle, 0..file.size).await.unwrap().unwrap()
}

#[tokio::test]
async fn text_comes_as_text_and_the_rest_by_handle() {
    let long = "ä".repeat(200 << 10);
    let encoded = |bytes: &[u8]| json!(STANDARD.encode(bytes));
    let path = "/repos/acme/site/contents/docs%2Fa.txt";
    let harness = Harness::builder(GitHub::new())
        .answer("GET", path, Answer::json(200, file(6, json!("aMOk\nbGxv\n"), "base64")))
        .answer("GET", path, Answer::json(200, file(3, encoded(&[0xff, 0, 1]), "base64")))
        .answer("GET", path, Answer::json(200, file(3, encoded(b"a\0b"), "base64")))
        .answer("GET", path, Answer::json(200, file(400 << 10, encoded(long.as_bytes()), "base64")))
        .answer("GET", path, Answer::json(200, file(0, json!(""), "base64")))
        // More than 1 MiB: no content in the answer, so the file itself is asked for.
        .answer("GET", path, Answer::json(200, file(2 << 20, json!(""), "none")))
        .answer("GET", path, Answer::status(200).body(vec![b'x'; 2 << 20]))
        .build()
        .await
        .unwrap();
    let read = || harness.run(get(Some("/docs/a.txt")));
    let text = read().await.unwrap();
    assert_eq!((text.text.as_deref(), text.file, text.size), (Some("hällo"), None, 6));
    assert_eq!(text.sha, "3d21ec53a331a6f037a91c368710b99387d012c1");
    for bytes in [&[0xff, 0, 1][..], b"a\0b", long.as_bytes()] {
        let binary = read().await.unwrap();
        assert_eq!(binary.text, None);
        assert_eq!(stored(&harness, &binary.file.unwrap()).await, bytes);
    }
    assert_eq!(read().await.unwrap().text.as_deref(), Some(""));
    let large = read().await.unwrap().file.unwrap();
    assert_eq!((large.size, large.name.as_deref()), (2 << 20, Some("a.txt")));
    let sent = harness.requests();
    assert_eq!(sent[sent.len() - 2].header("accept"), Some("application/vnd.github.object+json"));
    assert_eq!(sent[sent.len() - 1].header("accept"), Some("application/vnd.github.raw+json"));
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn a_directory_is_listed_and_a_link_is_shown() {
    let entry = json!({"type": "file", "name": "a.txt", "path": "a.txt", "sha": "3d21", "size": 6});
    let harness = Harness::builder(GitHub::new())
        .answer("GET", "/repos/acme/site/contents/", Answer::json(200, json!({"type": "dir", "name": "", "path": "", "sha": "1a2b", "size": 0, "entries": [entry]})))
        .answer("GET", "/repos/acme/site/contents/link", Answer::json(200, json!({"type": "symlink", "name": "link", "path": "link", "sha": "9c", "size": 5, "target": "a.txt"})))
        .build()
        .await
        .unwrap();
    let root = harness.run(get(None)).await.unwrap();
    assert_eq!((root.kind.as_str(), root.entries.unwrap()[0].name.as_str()), ("dir", "a.txt"));
    let link = harness.run(get(Some("link"))).await.unwrap();
    assert_eq!((link.kind.as_str(), link.target.as_deref(), link.text), ("symlink", Some("a.txt"), None));
    harness.finish().await.unwrap();
}

fn write(file: FileInput) -> WriteFile {
    WriteFile {
        owner: "acme".into(),
        repo: "site".into(),
        path: "docs/a.bin".into(),
        message: "Say \"hi\"".into(),
        file: Some(file),
        branch: Some("main".into()),
        ..WriteFile::default()
    }
}

#[tokio::test]
async fn a_file_is_written_in_base64_however_large_it_is() {
    let made = json!({"content": {"path": "docs/a.bin", "sha": "aa", "size": 1}, "commit": {"sha": "bb", "message": "Say"}});
    let harness = Harness::builder(GitHub::new())
        .answer("PUT", "/repos/acme/site/contents/docs%2Fa.bin", Answer::json(201, made))
        .build()
        .await
        .unwrap();
    // Sizes around where it is encoded while it is sent, and around where a group of three ends.
    for size in
        [0, 1, 1 << 20, (1 << 20) + 1, (1 << 20) + 2, (3 * (192 << 10) * 2), (3 * (192 << 10) * 2) + 1]
    {
        let bytes: Vec<u8> = (0..size).map(|at: u32| (at % 251) as u8).collect();
        let data = Box::pin(futures_util::stream::iter([Ok(Bytes::from(bytes.clone()))]));
        let keep = Duration::from_secs(60);
        let file = harness.session().put_file("a.bin", "application/zip", keep, data).await.unwrap();
        let written = harness.run(write(FileInput::handle(&file.handle))).await.unwrap();
        assert_eq!((written.commit.sha.as_str(), written.content.unwrap().sha.as_str()), ("bb", "aa"));
        let sent = harness.requests().pop().unwrap();
        let body = sent.json();
        assert_eq!((&body["message"], &body["branch"]), (&json!("Say \"hi\""), &json!("main")), "{size}");
        assert_eq!(STANDARD.decode(body["content"].as_str().unwrap()).unwrap(), bytes, "{size}");
        assert_eq!(sent.header("content-type"), Some("application/json"));
        assert_eq!(body.get("sha"), None);
    }
    harness.finish().await.unwrap();
}

fn upload(name: Option<&str>) -> UploadReleaseAsset {
    UploadReleaseAsset {
        owner: "acme".into(),
        repo: "site".into(),
        release_id: 1,
        file: FileInput {
            base64: Some("aGVsbG8=".into()),
            name: name.map(Into::into),
            media_type: Some("text/plain".into()),
            ..FileInput::default()
        },
        label: Some("Read me".into()),
    }
}

#[tokio::test]
async fn assets_go_to_the_address_for_uploads_with_the_credential() {
    for (base, to) in [
        (None, "https://uploads.github.com/repos/acme/site/releases/1/assets?name=a+b.txt&label=Read+me"),
        (
            Some("https://git.acme.example/api/v3/"),
            "https://git.acme.example/api/uploads/repos/acme/site/releases/1/assets?name=a+b.txt&label=Read+me",
        ),
    ] {
        let server = Server::new(|_| {
            Said::json(201, &json!({"id": 9, "name": "a b.txt", "size": 5, "state": "uploaded"}))
        });
        let mut builder = Harness::builder(GitHub::new()).transport(Arc::new(server));
        if let Some(base) = base {
            builder = builder.instance(InstanceOptions::new("git").unwrap().base_url(base.parse().unwrap()));
        }
        let harness = builder.build().await.unwrap();
        assert_eq!(harness.run(upload(Some("a b.txt"))).await.unwrap().id, 9);
        let sent = &harness.requests()[0];
        assert_eq!(sent.url.as_str(), to);
        assert_eq!((sent.header("content-type"), &sent.body[..]), (Some("text/plain"), &b"hello"[..]));
        assert!(sent.header("authorization").is_some(), "{to}");
        harness.finish().await.unwrap();
    }
}

#[tokio::test]
async fn downloads_follow_github_to_its_storage_without_the_credential() {
    const STORAGE: &str = "https://storage.example/file?signature=x";
    let server = Server::new(|asked| match asked.url.host_str() {
        Some("api.github.com") => Said(302, vec![("location", STORAGE.to_owned())], Vec::new()),
        _ => Said(200, vec![("content-type", "application/zip".to_owned())], b"PK..".to_vec()),
    });
    let harness = Harness::builder(GitHub::new()).transport(Arc::new(server)).build().await.unwrap();
    let logs = DownloadRunLogs { owner: "acme".into(), repo: "site".into(), run_id: 7 };
    let asset = DownloadReleaseAsset {
        owner: "acme".into(),
        repo: "site".into(),
        asset_id: 9,
        name: Some("site.zip".into()),
    };
    for (file, name) in [
        (harness.run(logs).await.unwrap(), "run-7-logs.zip"),
        (harness.run(asset).await.unwrap(), "site.zip"),
    ] {
        assert_eq!(
            (file.name.as_deref(), file.media_type.as_str(), file.size),
            (Some(name), "application/zip", 4)
        );
        assert_eq!(stored(&harness, &file).await, &b"PK.."[..]);
    }
    let sent = harness.requests();
    assert_eq!(sent.len(), 4);
    assert!(sent[0].header("authorization").is_some());
    assert_eq!((sent[1].url.as_str(), sent[1].header("authorization")), (STORAGE, None));
    assert_eq!(sent[2].header("accept"), Some("application/octet-stream"));
    harness.finish().await.unwrap();
}

#[tokio::test]
async fn a_diff_is_text_until_it_is_long() {
    let path = "/repos/acme/site/pulls/8";
    let long = format!("diff --git a/a b/a\n{}", "+x\n".repeat(100_000));
    let harness = Harness::builder(GitHub::new())
        .answer("GET", path, Answer::status(200).body("diff --git a/a b/a\n"))
        .answer("GET", path, Answer::status(200).body(long.clone()))
        .build()
        .await
        .unwrap();
    let diff = || harness.run(GetPullRequestDiff { owner: "acme".into(), repo: "site".into(), number: 8 });
    assert_eq!(diff().await.unwrap().diff.as_deref(), Some("diff --git a/a b/a\n"));
    let file = diff().await.unwrap().file.unwrap();
    assert_eq!((file.name.as_deref(), file.size), (Some("site-8.diff"), long.len() as u64));
    assert_eq!(harness.requests()[0].header("accept"), Some("application/vnd.github.diff"));
    harness.finish().await.unwrap();
}
