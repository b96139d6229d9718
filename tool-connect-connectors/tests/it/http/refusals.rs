//! What never leaves the tool.

use http::Method;
use serde_json::{Value, json};
use tool_connect_connectors::http::Http;
use tool_connect_core::{AuthScheme, Effect, ErrorKind};

use super::{bench, builder, record};

#[tokio::test]
async fn hosts_that_are_not_allowed_are_refused_by_name() {
    let bench = bench(builder());
    let sent = record(&bench);
    for url in [
        "https://evil.example/",
        "http://api.example.com/",
        "https://api.example.com:8443/",
        "https://api.example.com.evil.example/",
        "https://api.example.com./",
        "https://evil.example/?https://api.example.com",
        "https://evil.example#@api.example.com/",
        "https://evil.example\\@api.example.com/",
        "https://files.example/",
        "https://127.0.0.1/",
        "http://0x7f.1/",
        "http://[::ffff:169.254.169.254]/",
        "file:///etc/passwd",
        "data:text/plain,x",
        "ftp://api.example.com/",
    ] {
        let error = bench.refused("request", json!({"url": url})).await;
        assert_eq!(
            (error.kind(), error.effect_on_provider()),
            (ErrorKind::Blocked, Effect::NotExecuted),
            "{url}: {error}"
        );
        assert!(
            error.public_message().contains("Allowed: `api.example.com`, `*.files.example`."),
            "{}",
            error.public_message()
        );
        assert!(!error.to_string().contains("evil"), "{error}");
    }
    assert!(sent.lock().unwrap().is_empty());
}

#[tokio::test]
async fn arguments_that_cannot_be_sent_are_placed() {
    let auth = AuthScheme::ApiKeyHeader { header: "X-Api-Key".to_owned(), prefix: String::new() };
    let query = AuthScheme::ApiKeyQuery { parameter: "api_key".to_owned() };
    let bench = bench(builder().auth(auth).auth(query).idempotency_header("Idempotency-Key"));
    let sent = record(&bench);
    let with = |key: &str, value: Value| {
        let mut arguments = json!({"url": "/x"});
        arguments[key] = value;
        arguments
    };
    let mut cases = vec![
        (with("url", json!("https://ada:pw@api.example.com/")), "/url"),
        (with("url", json!("https://")), "/url"),
        (with("url", json!("https://api.example.com:99999/")), "/url"),
        (with("url", json!("/x?api_key=1")), "/url"),
        (with("url", json!("/x?API%5Fkey=1")), "/url"),
        (with("url", json!("")), "/url"),
        (with("query", json!({"api_key": "1"})), "/query/api_key"),
        (with("method", json!("PATCH")), "/method"),
        (with("json", json!({})), "/json"),
        (with("text", json!("x")), "/text"),
        (json!({"url": "/x", "method": "POST", "json": 1, "text": "x"}), "/text"),
        (with("headers", json!({"a b": "x"})), "/headers/a b"),
        (with("headers", json!({"a/b~": "x"})), "/headers/a~1b~0"),
        (with("headers", json!({"x": "a\r\nHost: evil"})), "/headers/x"),
    ];
    for header in [
        "Host",
        "Connection",
        "Transfer-Encoding",
        "Content-Length",
        "TE",
        "Upgrade",
        "Authorization",
        "Cookie",
        "Proxy-Authorization",
        "X-API-Key",
        "X-HTTP-Method-Override",
        "X-Forwarded-For",
        "Forwarded",
        "Idempotency-Key",
    ] {
        let mut headers = json!({});
        headers[header] = "x".into();
        cases.push((with("headers", headers), Box::leak(format!("/headers/{header}").into_boxed_str())));
    }
    for (arguments, pointer) in cases {
        let error = bench.refused("request", arguments.clone()).await;
        assert_eq!(error.kind(), ErrorKind::InvalidArguments, "{arguments}: {error}");
        assert_eq!(error.problems()[0].pointer, pointer, "{arguments}");
        assert!(!error.to_string().contains("evil") && !error.to_string().contains("pw"), "{error}");
    }
    assert!(sent.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_read_tool_knows_no_write() {
    let bench = bench(Http::builder().allow_host("a.example"));
    let sent = record(&bench);
    for arguments in [
        json!({"url": "https://a.example/", "method": "POST"}),
        json!({"url": "https://a.example/", "method": "get"}),
        json!({"url": "https://a.example/", "text": "x"}),
        json!({"url": "https://a.example/", "method": "OPTIONS"}),
        json!({"url": "/relative"}),
    ] {
        let error = bench.refused("request", arguments).await;
        assert_eq!(error.kind(), ErrorKind::InvalidArguments);
    }
    assert!(sent.lock().unwrap().is_empty());
    bench.call("request", json!({"url": "https://a.example/", "method": "HEAD"})).await.unwrap();
    assert_eq!(sent.lock().unwrap()[0].method, Method::HEAD);
}

#[test]
fn a_builder_that_makes_no_sense_is_a_config_error() {
    for (builder, word) in [
        (Http::builder(), "no host"),
        (Http::builder().allow_host("a b"), "not a host"),
        (Http::builder().allow_host("a").allow_methods([]), "no method"),
        (Http::builder().allow_host("a").allow_method(Method::TRACE), "TRACE"),
        (Http::builder().allow_host("a").allow_method(Method::CONNECT), "CONNECT"),
        (Http::builder().base_url("api.example.com"), "base URL"),
        (Http::builder().base_url("ftp://a.example/"), "http and https"),
        (Http::builder().base_url("https://ada:pw@a.example/"), "must not hold"),
        (Http::builder().allow_host("a").idempotency_header("a b"), "not the name"),
    ] {
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(word), "{error}");
        assert!(!error.to_string().contains("pw"), "{error}");
    }
}
