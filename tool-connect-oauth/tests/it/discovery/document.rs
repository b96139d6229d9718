//! Client id metadata documents.

use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tool_connect_core::ErrorKind;
use tool_connect_oauth::catalog::ClientAuth;
use tool_connect_oauth::discovery::{ClientDocument, ClientMetadata};
use tower::ServiceExt as _;

pub(super) fn document() -> ClientDocument {
    let metadata = ClientMetadata::new("Acme", ["https://app.example/oauth/callback".parse().unwrap()]);
    ClientDocument::new("https://app.example/oauth/client.json", metadata).unwrap()
}

#[test]
fn oauth_client_26_a_client_document_is_https_with_a_path_and_equals_its_client_id() {
    let metadata = || ClientMetadata::new("Acme", ["https://app.example/cb".parse().unwrap()]);
    for wrong in [
        "http://app.example/client.json",
        "https://app.example",
        "https://app.example/",
        "https://app.example/client.json#x",
        "https://app.example/client.json?x",
        "https://user:pw@app.example/client.json",
        "https://app.example/a/../client.json",
        "https://app.example/./client.json",
        "https://APP.example/client.json",
        "https://app.example:443/client.json",
        "javascript:/client.json",
        "client.json",
        "",
    ] {
        let error = ClientDocument::new(wrong, metadata()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{wrong}");
    }
    assert!(ClientDocument::new("https://app.example/client.json", ClientMetadata::new("Acme", [])).is_err());

    let document = document();
    let id = "https://app.example/oauth/client.json";
    let text: Value = serde_json::from_str(document.json()).unwrap();
    assert_eq!(text["client_id"], id);
    assert_eq!(text["token_endpoint_auth_method"], "none");
    assert_eq!(text["redirect_uris"], json!(["https://app.example/oauth/callback"]));
    assert_eq!(text["application_type"], "web");
    assert!(text.get("client_secret").is_none());
    assert_eq!(document.client().id, id);
    assert!(matches!(document.client().auth, ClientAuth::None));

    ClientDocument::check(id, document.json().as_bytes()).unwrap();
    let kind = |at: &str, body: &str| ClientDocument::check(at, body.as_bytes()).unwrap_err().kind();
    assert_eq!(kind("https://app.example/other.json", document.json()), ErrorKind::Blocked);
    assert_eq!(kind(&format!("{id}/"), document.json()), ErrorKind::Blocked);
    assert_eq!(kind("http://app.example/oauth/client.json", document.json()), ErrorKind::Config);
    assert_eq!(kind(id, "{}"), ErrorKind::Blocked);
    assert_eq!(kind(id, &json!({ "client_id": id }).to_string()), ErrorKind::Provider);
    let secret = json!({ "client_id": id, "redirect_uris": ["https://a.example/"], "client_secret": "x" });
    assert_eq!(kind(id, &secret.to_string()), ErrorKind::Provider);
}

#[tokio::test]
async fn the_document_is_served_as_a_plain_service() {
    let document = document();
    let ask = |method: &str, path: &str| {
        let request = http::Request::builder().method(method).uri(path).body(()).unwrap();
        let service = document.service();
        async move {
            let (head, body) = service.oneshot(request).await.unwrap().into_parts();
            (head, body.collect().await.unwrap().to_bytes())
        }
    };
    let (head, body) = ask("GET", "/oauth/client.json").await;
    assert_eq!(head.status, 200);
    assert_eq!(head.headers["content-type"], "application/json");
    assert!(head.headers.contains_key("cache-control"));
    ClientDocument::check(document.client_id().as_str(), &body).unwrap();
    // Where the router took the prefix away.
    assert_eq!(ask("GET", "/").await.1, body);
    let (head, body) = ask("HEAD", "/oauth/client.json").await;
    assert_eq!((head.status.as_u16(), body.len()), (200, 0));
    assert_eq!(ask("GET", "/oauth/other.json").await.0.status, 404);
    let (head, _) = ask("POST", "/oauth/client.json").await;
    assert_eq!((head.status.as_u16(), head.headers["allow"].to_str().unwrap()), (405, "GET, HEAD"));
}
