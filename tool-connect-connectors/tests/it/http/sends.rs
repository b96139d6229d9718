//! What a request looks like when it leaves the tool.

use http::Method;
use serde_json::json;
use tool_connect_connectors::http::Http;
use tool_connect_core::http::{OutboundRequest, RequestBody};
use tool_connect_core::{AuthScheme, CallOptions, Connector as _, ErrorKind, ToolSet, schema};

use super::{bench, builder, record};

fn body(request: &OutboundRequest) -> &[u8] {
    match &request.body {
        RequestBody::Bytes(bytes) => bytes,
        _ => b"",
    }
}

#[tokio::test]
async fn urls_are_absolute_or_below_the_base() {
    let bench = bench(builder());
    let sent = record(&bench);
    for (url, whole) in [
        ("/tickets", "https://api.example.com/v2/tickets"),
        ("tickets?open=1#x", "https://api.example.com/v2/tickets?open=1"),
        ("//evil.example/x", "https://api.example.com/v2/evil.example/x"),
        ("\\\\evil.example\\x", "https://api.example.com/v2/evil.example/x"),
        ("https://api.example.com/other", "https://api.example.com/other"),
        ("https://A.files.EXAMPLE/x", "https://a.files.example/x"),
        ("/a{b}?q={c}", "https://api.example.com/v2/a%7Bb%7D?q=%7Bc%7D"),
        ("https://api.example.com/{x}?y={z}", "https://api.example.com/%7Bx%7D?y=%7Bz%7D"),
    ] {
        bench.call("request", json!({"url": url})).await.unwrap();
        let request = sent.lock().unwrap().pop().unwrap();
        assert_eq!(request.url.as_str(), whole, "{url}");
        assert_eq!(request.url.host_str().map(|host| host == "evil.example"), Some(false));
    }
}

#[tokio::test]
async fn everything_that_was_asked_for_is_sent() {
    let bench = bench(builder());
    let sent = record(&bench);
    let arguments = json!({
        "method": "POST", "url": "/tickets?a=1", "query": {"b": "2 &"}, "headers": {"Accept": "text/csv", "x-trace": "t"},
        "json": {"title": "Grüße"}
    });
    bench.call("request", arguments).await.unwrap();
    let request = sent.lock().unwrap().pop().unwrap();
    assert_eq!(request.method, Method::POST);
    assert_eq!(request.url.query(), Some("a=1&b=2+%26"));
    assert_eq!(
        (&request.headers["accept"], &request.headers["x-trace"]),
        (&"text/csv".parse().unwrap(), &"t".parse().unwrap())
    );
    assert_eq!(request.headers["content-type"], "application/json");
    assert_eq!(body(&request), r#"{"title":"Grüße"}"#.as_bytes());
    assert!(request.options.any_status);
    // Metrics do not get the caller's URL.
    assert_eq!(request.options.template.as_deref(), Some("(request)"));
    assert_eq!(request.options.max_bytes, Some(8 * 1024 * 1024));

    let arguments =
        json!({"method": "PUT", "url": "/x", "text": "a,b", "headers": {"Content-Type": "text/csv"}});
    bench.call("request", arguments).await.unwrap();
    let request = sent.lock().unwrap().pop().unwrap();
    assert_eq!(request.headers.get_all("content-type").iter().collect::<Vec<_>>(), ["text/csv"]);
    assert_eq!(body(&request), b"a,b");
}

#[tokio::test]
async fn redirects_are_held_to_the_allowed_hosts() {
    let bench = bench(builder());
    let sent = record(&bench);
    bench.call("request", json!({"url": "/x"})).await.unwrap();
    let request = sent.lock().unwrap().pop().unwrap();
    let hop = |url: &str| request.options.check_redirect(&url.parse().unwrap());
    assert!(hop("https://api.example.com/else").is_ok());
    assert!(hop("https://a.files.example/").is_ok());
    for url in [
        "https://evil.example/",
        "http://api.example.com/",
        "http://169.254.169.254/",
        "https://api.example.com:8443/",
    ] {
        let error = hop(url).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Blocked, "{url}");
        assert!(error.public_message().contains("`api.example.com`, `*.files.example`"));
    }
}

#[tokio::test]
async fn an_idempotency_key_goes_with_writes_alone() {
    let bench = bench(builder().idempotency_header("Idempotency-Key"));
    let mut options = CallOptions::default();
    options.idempotency_key = Some("key-1".into());
    *bench.shared.options.lock().unwrap() = options;
    let sent = record(&bench);
    bench.call("request", json!({"method": "POST", "url": "/x"})).await.unwrap();
    bench.call("request", json!({"url": "/x"})).await.unwrap();
    let sent = sent.lock().unwrap();
    assert_eq!(sent[0].headers["idempotency-key"], "key-1");
    assert_eq!(sent[0].options.repeatable, Some(true));
    assert!(sent[1].headers.get("idempotency-key").is_none());
}

#[test]
fn the_tool_is_a_read_where_all_methods_are() {
    let definition = |builder: tool_connect_connectors::http::HttpBuilder| {
        let mut set = ToolSet::default();
        builder.build().unwrap().tools(&mut set);
        assert_eq!(set.tools().len(), 1);
        set.tools()[0].definition().clone()
    };
    let read = definition(Http::builder().allow_host("a.example"));
    assert!(read.annotations.read_only && read.name == "request");
    let write = definition(Http::builder().allow_host("a.example").allow_method(Method::POST));
    assert!(!write.annotations.read_only && write.annotations.destructive && !write.annotations.idempotent);
    for definition in [read, write] {
        let input = definition.input.schema().unwrap();
        assert_eq!(schema::problems_of_input(&input), Vec::<String>::new());
        for (name, property) in input.get("properties").unwrap().as_object().unwrap() {
            assert!(property.get("description").is_some(), "{name} has no description");
        }
    }
}

#[test]
fn the_manifest_says_what_was_built() {
    let http = builder()
        .id("tickets")
        .about("Tickets", "Sends requests to the ticket system.")
        .auth(AuthScheme::Bearer)
        .build()
        .unwrap();
    let manifest = http.manifest();
    assert_eq!((&*manifest.id, &*manifest.name), ("tickets", "Tickets"));
    assert_eq!(manifest.base_url.as_ref().map(url::Url::as_str), Some("https://api.example.com/v2"));
    assert!(manifest.needs_connection());
    assert!(!Http::builder().allow_host("a.example").build().unwrap().manifest().needs_connection());
}
