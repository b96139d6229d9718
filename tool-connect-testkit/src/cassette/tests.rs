use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use tempfile::TempDir;
use tool_connect_core::http::{ByteStream, RequestBody, Transport, TransportLimits};
use tool_connect_core::{Error, ErrorKind, Result};

use super::format::{drain, stream};
use super::{Recorder, Redaction, Replayer, replay};
use crate::leak::LeakCheck;

const SECRET: &str = "canary-0f55a1";

/// Echoes what it got, secrets and all.
struct Echo(Mutex<u32>);

#[async_trait]
impl Transport for Echo {
    async fn send(
        &self,
        request: http::Request<RequestBody>,
        _limits: &TransportLimits,
    ) -> Result<http::Response<ByteStream>> {
        let mut calls = self.0.lock().expect("not poisoned");
        *calls += 1;
        let token = request.headers().get("authorization").and_then(|v| v.to_str().ok()).unwrap_or("none");
        let body = format!("answer {calls} to {token}");
        let response = http::Response::builder()
            .status(201)
            .header("set-cookie", "session=canary-session")
            .header("x-echo", format!("you said {SECRET}"))
            .header("x-many", "1")
            .header("x-many", "2")
            .body(stream(Bytes::from(body)));
        Ok(response.expect("a response"))
    }
}

fn request(method: &str, url: &str, body: &'static str) -> http::Request<RequestBody> {
    let body = if body.is_empty() { RequestBody::Empty } else { RequestBody::Bytes(body.into()) };
    http::Request::builder()
        .method(method)
        .uri(url)
        .header("authorization", format!("Bearer {SECRET}"))
        .body(body)
        .expect("a request")
}

fn redaction() -> Redaction {
    Redaction::default().query("sig").secret(SECRET)
}

async fn send(
    transport: &dyn Transport,
    request: http::Request<RequestBody>,
) -> Result<(http::response::Parts, Bytes)> {
    let (parts, body) = transport.send(request, &TransportLimits::default()).await?.into_parts();
    Ok((parts, drain(body).await?))
}

fn recorder() -> Recorder {
    Recorder::new(Arc::new(Echo(Mutex::new(0))), redaction())
}

/// A cassette of these requests.
async fn recorded(requests: Vec<http::Request<RequestBody>>) -> (TempDir, PathBuf) {
    let recorder = recorder();
    for request in requests {
        send(&recorder, request).await.expect("an answer");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("cassette.json");
    recorder.save(&path).expect("clean");
    (folder, path)
}

#[tokio::test]
async fn what_was_recorded_is_replayed_without_its_secrets() {
    let url = "https://api.example/a?sig=abc&x=1";
    let (folder, path) = recorded(vec![request("POST", url, "b"), request("POST", url, "b")]).await;
    let text = std::fs::read_to_string(&path).expect("a file");
    for secret in [SECRET, "abc", "canary-session"] {
        assert!(!text.contains(secret), "{text}");
    }
    let leaks = LeakCheck::new().secret(SECRET).secret("canary-session");
    leaks.path(folder.path()).expect("a folder");
    leaks.assert_clean();

    let replayer = Replayer::open(&path).expect("a cassette").with(redaction());
    for number in 1..=2 {
        // Another signature and another key: both are redacted before they are compared.
        let again = request("POST", "https://api.example/a?sig=other&x=1", "b");
        let (head, body) = send(&replayer, again).await.expect("recorded");
        assert_eq!(head.status, 201);
        assert_eq!(head.headers["x-echo"], "you said [REDACTED]");
        assert_eq!(head.headers.get_all("x-many").iter().count(), 2);
        assert_eq!(body, format!("answer {number} to Bearer [REDACTED]"));
    }
    assert!(replayer.unused().is_empty());
}

#[tokio::test]
async fn a_recorder_is_transparent() {
    let (head, body) =
        send(&recorder(), request("GET", "https://api.example/", "")).await.expect("an answer");
    assert_eq!(body, format!("answer 1 to Bearer {SECRET}"));
    assert_eq!(head.headers["set-cookie"], "session=canary-session");
}

#[tokio::test]
async fn what_was_not_recorded_is_an_error_that_names_the_nearest() {
    let (_folder, path) = recorded(vec![
        request("GET", "https://api.example/items/1", ""),
        request("POST", "https://api.example/items", "b"),
    ])
    .await;
    let replayer = Replayer::open(&path).expect("a cassette").with(redaction());
    let missing = |request| async { send(&replayer, request).await.map(|_| ()).expect_err("not recorded") };

    let error = missing(request("GET", "https://api.example/items/2?sig=abc", "")).await;
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.message().contains("recorded was `GET https://api.example/items/1`"), "{error}");
    assert!(!error.to_string().contains("abc"));
    let error = missing(request("PUT", "https://api.example/items", "b")).await;
    assert!(error.message().contains("`POST https://api.example/items`"), "{error}");
    let error = missing(request("POST", "https://api.example/items", "c")).await;
    assert!(error.message().contains("`POST https://api.example/items` (its body differs)"), "{error}");

    send(&replayer, request("GET", "https://api.example/items/1", "")).await.expect("recorded");
    let error = missing(request("GET", "https://api.example/items/1", "")).await;
    assert!(error.message().contains("(used already)"), "{error}");
    assert_eq!(replayer.unused(), ["POST https://api.example/items"]);
}

#[tokio::test]
async fn binary_bodies_survive() {
    struct Binary;
    #[async_trait]
    impl Transport for Binary {
        async fn send(
            &self,
            _request: http::Request<RequestBody>,
            _limits: &TransportLimits,
        ) -> Result<http::Response<ByteStream>> {
            Ok(http::Response::new(stream(Bytes::from_static(b"\xff\x00\xfe"))))
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("cassette.json");
    let recorder = Recorder::new(Arc::new(Binary), redaction());
    send(&recorder, request("GET", "https://api.example/", "")).await.expect("an answer");
    recorder.save(&path).expect("clean");
    let replayer = Replayer::open(&path).expect("a cassette").with(redaction());
    let (_, body) = send(&replayer, request("GET", "https://api.example/", "")).await.expect("recorded");
    assert_eq!(body, b"\xff\x00\xfe"[..]);
}

#[tokio::test]
async fn a_broken_cassette_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("cassette.json");
    for text in
        ["", "{}", r#"{"version": 9, "exchanges": []}"#, r#"{"version": 1, "exchanges": [], "more": 1}"#]
    {
        std::fs::write(&path, text).expect("a file");
        let error = Replayer::open(&path).expect_err(text);
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("cassette.json"), "{error}");
    }
    assert!(Replayer::open(folder.path().join("none.json")).is_err());
}

async fn replayed(leaks: &LeakCheck, work: impl AsyncFnOnce(&Replayer) -> Result<String>) -> Result<String> {
    let (_folder, path) = recorded(vec![request("GET", "https://api.example/", "")]).await;
    replay(path, redaction(), leaks, async |replayer: Arc<Replayer>| {
        send(&*replayer, request("GET", "https://api.example/", "")).await?;
        work(&replayer).await
    })
    .await
}

fn leaks() -> LeakCheck {
    LeakCheck::new().secret(SECRET)
}

#[tokio::test]
async fn a_clean_replay_returns_what_came_out() {
    assert_eq!(replayed(&leaks(), async |_| Ok("fine".to_owned())).await.expect("clean"), "fine");
    let error = replayed(&leaks(), async |_| Err(Error::new(ErrorKind::Provider, "no"))).await;
    assert_eq!(error.expect_err("the work's own").kind(), ErrorKind::Provider);
}

#[tokio::test]
#[should_panic(expected = "secret 1 in the output")]
async fn a_secret_in_the_output_fails() {
    drop(replayed(&leaks(), async |_| Ok(format!("it is {SECRET}"))).await);
}

#[tokio::test]
#[should_panic(expected = "secret 1 in the error")]
async fn a_secret_in_an_error_fails() {
    drop(replayed(&leaks(), async |_| Err(Error::new(ErrorKind::Provider, SECRET))).await);
}

#[tokio::test]
#[should_panic(expected = "secret 1 in the logs")]
async fn a_secret_in_the_logs_fails() {
    let work = async |_: &Replayer| {
        tokio::task::yield_now().await;
        tracing::debug!(header = SECRET, "signed");
        Ok(String::new())
    };
    drop(replayed(&leaks(), work).await);
}

#[tokio::test]
#[should_panic(expected = "recorded, but not asked for")]
async fn a_request_that_is_no_longer_made_fails() {
    let (_folder, path) = recorded(vec![request("GET", "https://api.example/", "")]).await;
    drop(replay(path, redaction(), &leaks(), async |_: Arc<Replayer>| Ok(())).await);
}

#[tokio::test]
async fn a_recording_that_still_holds_a_secret_is_not_written() {
    // Names of headers are kept as they are.
    let recorder = Recorder::new(Arc::new(Echo(Mutex::new(0))), Redaction::default().secret("canary-name"));
    let mut own = request("GET", "https://api.example/", "");
    own.headers_mut().insert("x-canary-name", "half".parse().expect("a value"));
    send(&recorder, own).await.expect("an answer");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("cassette.json");
    let error = recorder.save(&path).expect_err("a leak");
    assert!(error.to_string().contains("still in the recording") && !path.exists(), "{error}");
}
