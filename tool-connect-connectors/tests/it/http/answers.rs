//! What the caller sees of an answer.

use serde_json::json;
use tool_connect_core::{AuthScheme, Error, ErrorKind};

use super::{answer, bench, builder, connect};

#[tokio::test]
async fn a_body_is_json_or_text_by_what_it_is() {
    let bench = bench(builder());
    for (content_type, body, key, value) in [
        ("application/json; charset=utf-8", &br#"{"a":[1]}"#[..], "json", json!({"a": [1]})),
        ("application/problem+json", br#""x""#, "json", json!("x")),
        ("application/json", b"not json", "text", json!("not json")),
        ("text/html", "<p>grüß".as_bytes(), "text", json!("<p>grüß")),
        ("text/plain", br#"{"a":1}"#, "text", json!(r#"{"a":1}"#)),
    ] {
        bench.answer(move |request| Ok(answer(&request, 200, &[("content-type", content_type)], &[body])));
        let found = bench.call("request", json!({"url": "/x"})).await.unwrap();
        let headers = json!({"content-type": content_type});
        assert_eq!(found, json!({"status": 200, "headers": headers, key: value}), "{content_type}");
    }
}

#[tokio::test]
async fn every_status_is_an_answer() {
    let bench = bench(builder());
    for status in [204, 301, 404, 429, 500] {
        bench.answer(move |request| Ok(answer(&request, status, &[], &[])));
        let found = bench.call("request", json!({"url": "/x"})).await.unwrap();
        assert_eq!(found, json!({"status": status, "headers": {}}));
    }
}

#[tokio::test]
async fn a_refused_credential_asks_for_a_new_connection() {
    let bench = bench(builder().auth(AuthScheme::Bearer));
    bench.answer(|request| Ok(answer(&request, 401, &[], &[b"token abc123 is revoked"])));
    // Without an account it is an answer like any other.
    assert_eq!(bench.call("request", json!({"url": "/x"})).await.unwrap()["status"], 401);
    connect(&bench);
    let error = bench.refused("request", json!({"url": "/x"})).await;
    assert_eq!((error.kind(), error.http_status()), (ErrorKind::NeedsReauth, Some(401)));
    assert!(!error.to_string().contains("abc123"));
    // Nor did a host that got no credential refuse one.
    let found = bench.call("request", json!({"url": "https://a.files.example/"})).await.unwrap();
    assert_eq!(found["status"], 401);
}

#[tokio::test]
async fn headers_are_chosen_and_cookies_never_shown() {
    let bench = bench(builder());
    let headers = [
        ("ETag", "\"1\""),
        ("Set-Cookie", "session=secret"),
        ("X-RateLimit-Remaining", "3"),
        ("RateLimit", "limit=1"),
        ("Link", "<a>"),
        ("Link", "<b>"),
        ("X-Internal-Host", "db-7"),
        ("WWW-Authenticate", "Basic"),
    ];
    bench.answer(move |request| Ok(answer(&request, 200, &headers, &[])));
    let found = bench.call("request", json!({"url": "/x"})).await.unwrap();
    let shown =
        json!({"etag": "\"1\"", "x-ratelimit-remaining": "3", "ratelimit": "limit=1", "link": "<a>, <b>"});
    assert_eq!(found["headers"], shown);
}

#[tokio::test]
async fn long_and_binary_bodies_come_by_handle() {
    let bench = bench(builder().max_inline_bytes(10).max_response_bytes(25));
    let respond = |chunks: Vec<&'static [u8]>| {
        bench.answer(move |request| Ok(answer(&request, 200, &[("content-type", "text/csv")], &chunks)));
    };
    respond(vec![b"01234", b"56789"]);
    assert_eq!(bench.call("request", json!({"url": "/x"})).await.unwrap()["text"], "0123456789");
    respond(vec![b"01234", b"56789", b"x"]);
    let found = bench.call("request", json!({"url": "/dir/report.csv?x=1"})).await.unwrap();
    assert!(found.get("text").is_none());
    assert_eq!(
        (&found["file"]["name"], &found["file"]["media_type"]),
        (&json!("report.csv"), &json!("text/csv"))
    );
    assert_eq!(bench.bytes(&found["file"]).await, b"0123456789x");
    respond(vec![b"\xff\x00"]);
    let found = bench.call("request", json!({"url": "/x"})).await.unwrap();
    assert_eq!(bench.bytes(&found["file"]).await, b"\xff\x00");
    respond(vec![b"0123456789"; 3]);
    let error = bench.refused("request", json!({"url": "/x"})).await;
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.public_message().contains("25 bytes"), "{}", error.public_message());
}

#[tokio::test]
async fn a_body_that_breaks_off_leaves_no_file() {
    let bench = bench(builder().max_inline_bytes(2));
    bench.answer(|_| {
        let broken: Vec<Result<bytes::Bytes, Error>> = vec![
            Ok(bytes::Bytes::from_static(b"0123")),
            Err(Error::new(ErrorKind::Transport, "the connection was lost")),
        ];
        let head = http::Response::new(()).into_parts().0;
        Ok(tool_connect_core::http::Response::new(head, Box::pin(futures_util::stream::iter(broken)), 100))
    });
    let error = bench.refused("request", json!({"url": "/x"})).await;
    assert_eq!(error.kind(), ErrorKind::Transport);
}
