//! Paths, queries, headers and cookies.

use http::{HeaderValue, Method};
use serde_json::json;
use tool_connect_connectors::operation::{Operation, ParameterStyle, Place};
use tool_connect_core::ErrorKind;

use super::{bench, get, parameter, record, refused, request, styled};

#[tokio::test]
async fn everything_goes_where_it_belongs() {
    let mut operation = get(
        "/repos/{owner}/{repo}:archive",
        [
            parameter("owner", Place::Path),
            parameter("repo", Place::Path),
            parameter("labels", Place::Query),
            styled("filter", Place::Query, ParameterStyle::DeepObject, true),
            parameter("x-trace", Place::Header),
            parameter("theme", Place::Cookie),
        ],
    );
    operation.parameters[2].argument = "tags".to_owned();
    operation.parameters[4].argument = "trace".to_owned();
    let mut limit = parameter("limit", Place::Query);
    limit.default = Some(json!(10));
    operation.parameters.push(limit);
    operation.headers.push(("x-version".parse().unwrap(), HeaderValue::from_static("2")));
    let arguments = json!({
        "owner": "a b/ü", "repo": "c", "tags": ["x y", "&z"], "filter": {"state": "open"}, "trace": [1, 2], "theme": "d;e",
        "unknown": "not sent"
    });
    let request = request(operation, arguments).await;
    assert_eq!(
        request.url.as_str(),
        "https://api.example.com/v1/repos/a%20b%2F%C3%BC/c:archive?labels=x%20y&labels=%26z&filter%5Bstate%5D=open&limit=10"
    );
    let header = |name: &str| request.headers[name].to_str().unwrap().to_owned();
    assert_eq!(
        (header("x-trace"), header("cookie"), header("accept"), header("x-version")),
        ("1,2".into(), "theme=d%3Be".into(), "application/json".into(), "2".into())
    );
    // Metrics see the path as it is written.
    assert_eq!(request.options.template.as_deref(), Some("/repos/{owner}/{repo}:archive"));
}

#[tokio::test]
async fn a_value_never_leaves_its_place_in_the_path() {
    let one = || get("/users/{id}", [parameter("id", Place::Path)]);
    for bad in [json!(""), json!("."), json!(".."), json!(null), json!([])] {
        assert_eq!(refused(one(), json!({"id": bad})).await, ["/id"], "{bad}");
    }
    assert_eq!(refused(one(), json!({})).await, ["/id"]);
    for (value, written) in [
        ("../admin", "..%2Fadmin"),
        ("%2e%2e", "%252e%252e"),
        ("a?b#c", "a%3Fb%23c"),
        ("a\\..\\b", "a%5C..%5Cb"),
        ("{id}", "%7Bid%7D"),
        ("\u{0}\r\n", "%00%0D%0A"),
    ] {
        let request = request(one(), json!({"id": value})).await;
        assert_eq!(request.url.path(), format!("/v1/users/{written}"), "{value}");
        assert_eq!(request.url.query(), None);
    }
    // Two values, or a value and what stands beside it, cannot make dots together.
    let two = || get("/{a}{b}/x", [parameter("a", Place::Path), parameter("b", Place::Path)]);
    assert_eq!(refused(two(), json!({"a": ".", "b": "."})).await, ["/a"]);
    let label = || get("/x/{a}", [styled("a", Place::Path, ParameterStyle::Label, false)]);
    assert_eq!(refused(label(), json!({"a": "."})).await, ["/a"]);
    assert_eq!(request(label(), json!({"a": ["b", "c"]})).await.url.path(), "/v1/x/.b,c");
    let beside = || get("/x/%2E{a}", [parameter("a", Place::Path)]);
    assert_eq!(refused(beside(), json!({"a": "."})).await, ["/a"]);
}

#[tokio::test]
async fn reserved_characters_may_stay_and_lead_nowhere_else() {
    let path = || {
        let mut name = parameter("name", Place::Path);
        name.allow_reserved = true;
        get("/{name}:run", [name])
    };
    let request_of = |value: &str| request(path(), json!({"name": value}));
    assert_eq!(
        request_of("projects/p-1/jobs/a b").await.url.as_str(),
        "https://api.example.com/v1/projects/p-1/jobs/a%20b:run"
    );
    assert_eq!(request_of("a?x=1#y").await.url.as_str(), "https://api.example.com/v1/a%3Fx=1%23y:run");
    for bad in ["a/../b", "/a", "a//b", "a/./b", "../../admin", "a/..;x/b", "a/.;/b", "..;"] {
        assert_eq!(refused(path(), json!({"name": bad})).await, ["/name"], "{bad}");
    }
    let query = || {
        let mut q = parameter("q", Place::Query);
        q.allow_reserved = true;
        get("/search", [q, parameter("key", Place::Query)])
    };
    let sent = request(query(), json!({"q": "a:b/c?d&key=stolen#e=f+g"})).await;
    assert_eq!(sent.url.query(), Some("q=a:b/c?d%26key%3Dstolen%23e%3Df%2Bg"));
    assert_eq!(sent.url.query_pairs().count(), 1);
}

#[tokio::test]
async fn no_argument_becomes_another_parameter() {
    let operation = || {
        let free = styled("extra", Place::Query, ParameterStyle::Form, true);
        get("/x", [free, parameter("account", Place::Query)])
    };
    let sent = request(operation(), json!({"extra": {"a": 1}, "account": "me"})).await;
    assert_eq!(sent.url.query(), Some("a=1&account=me"));
    assert_eq!(refused(operation(), json!({"extra": {"account": "you"}})).await, ["/extra/account"]);
}

#[tokio::test]
async fn headers_carry_no_line_breaks_and_no_credentials() {
    let operation = || get("/x", [parameter("x-note", Place::Header)]);
    for bad in ["a\r\nx-admin: 1", "a\nb", "\u{0}", "a\u{7f}", "ü"] {
        assert_eq!(refused(operation(), json!({"x-note": bad})).await, ["/x-note"], "{bad:?}");
    }
    for name in ["Authorization", "Host", "Content-Length", "cookie", "x-forwarded-for", "a b"] {
        let bench = bench(get("/x", [parameter(name, Place::Header)]));
        let sent = record(&bench);
        let error = bench.refused("op", json!({name: "x"})).await;
        assert_eq!(error.kind(), ErrorKind::Config, "{name}");
        assert!(sent.lock().unwrap().is_empty());
    }
}

#[tokio::test]
async fn empty_values_are_sent_only_where_they_may_be() {
    let operation = |allow: bool, required: bool| {
        let mut q = parameter("q", Place::Query);
        (q.allow_empty, q.required) = (allow, required);
        get("/x", [q])
    };
    for empty in [json!(""), json!([]), json!([null])] {
        assert_eq!(request(operation(false, false), json!({"q": empty})).await.url.query(), None);
        assert_eq!(refused(operation(false, true), json!({"q": empty})).await, ["/q"]);
    }
    assert_eq!(request(operation(true, true), json!({"q": ""})).await.url.query(), Some("q="));
    assert_eq!(refused(operation(true, true), json!({"q": null})).await, ["/q"]);
    assert_eq!(request(operation(false, false), json!({"q": false})).await.url.query(), Some("q=false"));
}

#[tokio::test]
async fn an_operation_may_have_a_server_of_its_own_whose_host_no_argument_chooses() {
    let own = get("https://uploads.example.com/v2/{id}?alt=media", [parameter("id", Place::Path)]);
    let sent = request(own.clone(), json!({"id": "a"})).await;
    assert_eq!(sent.url.as_str(), "https://uploads.example.com/v2/a?alt=media");
    let mut with_query = own;
    with_query.parameters.push(parameter("q", Place::Query));
    let sent = request(with_query, json!({"id": "a", "q": 1})).await;
    assert_eq!(sent.url.query(), Some("alt=media&q=1"));
    for path in ["https://{id}/x", "https://a.example@{id}/x", "/x/{other}", "/x/{id"] {
        let bench = bench(get(path, [parameter("id", Place::Path)]));
        let sent = record(&bench);
        let error = bench.refused("op", json!({"id": "evil.example"})).await;
        assert_eq!(error.kind(), ErrorKind::Config, "{path}: {error}");
        assert!(sent.lock().unwrap().is_empty(), "{path}");
    }
}

#[tokio::test]
async fn an_idempotency_key_goes_with_writes_alone() {
    for (method, expected) in [(Method::POST, Some("key-1")), (Method::GET, None)] {
        let mut operation = Operation::new(method, "/x");
        operation.idempotency_header = Some("idempotency-key".parse().unwrap());
        let bench = bench(operation);
        let mut options = tool_connect_core::CallOptions::default();
        options.idempotency_key = Some("key-1".into());
        *bench.shared.options.lock().unwrap() = options;
        let sent = record(&bench);
        bench.call("op", json!({})).await.unwrap();
        let request = sent.lock().unwrap().pop().unwrap();
        let key = request.headers.get("idempotency-key").map(|value| value.to_str().unwrap());
        assert_eq!(key, expected);
        assert_eq!(request.options.repeatable, expected.map(|_| true));
    }
}
