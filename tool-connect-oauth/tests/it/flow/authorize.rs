//! What a browser is sent to the provider with.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::ExposeSecret;
use serde_json::json;
use tool_connect_core::{Error, ErrorKind};
use tool_connect_oauth::catalog::ClientConfig;
use tool_connect_oauth::flow::{Authorization, AuthorizeRequest};
use url::Url;

use super::script::Reply;
use super::{Bench, url};

fn wanted() -> Authorization {
    Authorization::new(url("https://app.example/callback")).scopes(["read", "write"])
}

/// The query's parameters, of which none may be there twice but `resource`.
fn query(url: &Url) -> BTreeMap<String, String> {
    let mut parameters = BTreeMap::new();
    for (name, value) in url.query_pairs() {
        let before = parameters.insert(name.clone().into_owned(), value.into_owned());
        assert!(before.is_none() || name == "resource", "{name} is there twice");
    }
    parameters
}

async fn request(bench: &Bench) -> AuthorizeRequest {
    bench.tokens().authorize(&wanted()).await.expect("a request")
}

#[tokio::test]
async fn a_provider_that_refuses_pkce_gets_none_and_others_names_are_its_own() {
    let bench = Bench::with([Reply::token()], |entry| {
        entry.pkce = tool_connect_oauth::catalog::Pkce::Refused;
        entry.authorize_names.insert("client_id".into(), "app_id".into());
    });
    let made = request(&bench).await;
    let sent = query(&made.url);
    assert!(sent.keys().all(|name| !name.starts_with("code_challenge")), "{sent:?}");
    assert_eq!((sent["app_id"].as_str(), sent.contains_key("client_id")), ("client-1", false));
    assert_eq!(sent["state"], made.state.expose_secret());
    bench.exchange().await.expect("tokens");
    assert_eq!(bench.script.only().field("code_verifier"), None);
}

async fn refusal(bench: &Bench, wanted: Authorization) -> Error {
    bench.tokens().authorize(&wanted).await.expect_err("a refusal")
}

#[tokio::test]
async fn oauth_client_01_every_code_flow_sends_s256() {
    for client in [ClientConfig::public("p"), ClientConfig::confidential("c", "secret-of-c")] {
        for ignored in [false, true] {
            let bench = Bench::with([], |entry| {
                if ignored {
                    entry.pkce = tool_connect_oauth::catalog::Pkce::Ignored;
                }
            });
            let bench = bench.client(client.clone());
            let made = request(&bench).await;
            let sent = query(&made.url);
            let verifier = made.verifier.expose_secret();
            assert!((43..=128).contains(&verifier.len()));
            assert_eq!(sent["code_challenge_method"], "S256");
            assert_eq!(sent["code_challenge"], URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes())));
            assert!(!made.url.as_str().contains(verifier), "the verifier stays here");
        }
    }
}

#[tokio::test]
async fn oauth_client_01_nothing_turns_s256_into_plain() {
    for (name, value) in [("code_challenge_method", "plain"), ("code_challenge", "x")] {
        let bench = Bench::with([], |entry| {
            entry.authorize_params.insert(name.into(), value.into());
        });
        assert_eq!(refusal(&bench, wanted()).await.kind(), ErrorKind::Config);
        let bench = Bench::new([]).client(ClientConfig::public("p").extra(name, value));
        assert_eq!(refusal(&bench, wanted()).await.kind(), ErrorKind::Config);
        let error = refusal(&Bench::new([]), wanted().param(name, value)).await;
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[tokio::test]
async fn the_request_holds_what_rfc_6749_wants() {
    let bench = Bench::with([], |entry| {
        entry.endpoints.authorize = Some("https://as.example/authorize?tenant=t1".into());
        entry.authorize_params.insert("access_type".into(), "offline".into());
        entry.authorize_params.insert("prompt".into(), "consent".into());
    });
    let bench = bench.client(ClientConfig::public("client-1").extra("hd", "example.com"));
    let made = bench.tokens().authorize(&wanted().param("prompt", "login")).await.expect("a request");
    let sent = query(&made.url);
    assert!(made.url.as_str().starts_with("https://as.example/authorize?tenant=t1&"));
    assert_eq!(sent["response_type"], "code");
    assert_eq!(sent["client_id"], "client-1");
    assert_eq!(sent["redirect_uri"], "https://app.example/callback");
    assert_eq!(sent["scope"], "read write");
    assert_eq!(sent["state"], made.state.expose_secret());
    assert_eq!((sent["access_type"].as_str(), sent["hd"].as_str()), ("offline", "example.com"));
    assert_eq!(sent["prompt"], "login", "the call knows better than the entry");
    assert!(!sent.contains_key("nonce") && made.nonce.is_none(), "no ID token was asked for");
    assert_eq!(made.scopes, ["read", "write"]);
    assert!(bench.script.sent().is_empty(), "nothing is sent by the host");
    let again = bench.tokens().authorize(&wanted()).await.expect("a request");
    assert_ne!(again.state.expose_secret(), made.state.expose_secret());
    assert!(made.state.expose_secret().len() >= 43, "256 bits");
}

#[tokio::test]
async fn oauth_client_33_an_id_token_is_asked_for_with_a_nonce() {
    let made =
        Bench::new([]).tokens().authorize(&wanted().scopes(["openid", "email"])).await.expect("a request");
    let nonce = made.nonce.expect("a nonce");
    assert_eq!(query(&made.url)["nonce"], nonce.expose_secret());
    assert_ne!(nonce.expose_secret(), made.state.expose_secret());
}

#[tokio::test]
async fn scopes_are_written_as_the_provider_wants() {
    let bench = Bench::with([], |entry| {
        entry.scopes.separator = ",".into();
        entry.scopes.parameter = "user_scope".into();
        entry.scopes.always = vec!["identify".into()];
    });
    let made = request(&bench).await;
    let sent = query(&made.url);
    assert_eq!(sent["user_scope"], "identify,read,write");
    assert!(!sent.contains_key("scope"));
    assert_eq!(made.scopes, ["identify", "read", "write"]);

    let bench = Bench::with([], |entry| entry.scopes.by_registration = true);
    assert!(!query(&request(&bench).await.url).contains_key("scope"));
    let none = Bench::new([]).tokens().authorize(&wanted().scopes::<&str>([])).await.expect("a request");
    assert!(!query(&none.url).contains_key("scope"), "an empty scope is an error at some providers");
}

#[tokio::test]
async fn oauth_client_06_resources_are_named_in_the_authorization_request() {
    let wanted = wanted().resource(url("https://mcp.example/a")).resource(url("https://mcp.example/b"));
    let made = Bench::new([]).tokens().authorize(&wanted).await.expect("a request");
    let named = made.url.query_pairs().filter(|(name, _)| name == "resource");
    let named: Vec<_> = named.map(|(_, value)| value.into_owned()).collect();
    assert_eq!(named, ["https://mcp.example/a", "https://mcp.example/b"]);
    assert_eq!(made.resource.len(), 2);
}

#[tokio::test]
async fn oauth_client_13_a_browser_is_sent_to_https_only() {
    let unfit = [
        "http://as.example/authorize",
        "javascript:alert(1)//as.example",
        "data:text/html,x",
        "file:///etc/passwd",
        "ftp://as.example/authorize",
    ];
    for address in unfit {
        let mut bench = Bench::new([]);
        // As metadata could name it, past the catalog's own checks.
        bench.provider.endpoints.authorize = Some(url(address));
        let error = refusal(&bench, wanted()).await;
        assert_eq!(error.kind(), ErrorKind::Config, "{address}");
    }
    for address in
        ["http://127.0.0.1:9/authorize", "http://[::1]:9/authorize", "http://localhost:9/authorize"]
    {
        let mut bench = Bench::new([]);
        bench.provider.endpoints.authorize = Some(url(address));
        assert_eq!(refusal(&bench, wanted()).await.kind(), ErrorKind::Config, "{address}");
        let mut bench = Bench::with([], |entry| entry.allow_loopback = true);
        bench.provider.endpoints.authorize = Some(url(address));
        assert_eq!(request(&bench).await.url.host_str(), url(address).host_str());
        bench.provider.endpoints.authorize = Some(url("http://10.0.0.1/authorize"));
        assert_eq!(refusal(&bench, wanted()).await.kind(), ErrorKind::Config);
    }
}

#[tokio::test]
async fn oauth_client_13_a_code_comes_back_to_addresses_of_the_app_only() {
    let unfit = [
        "http://app.example/callback",
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///callback",
        "https://app.example/callback#part",
    ];
    for address in unfit {
        let error = refusal(&Bench::new([]), Authorization::new(url(address))).await;
        assert_eq!(error.kind(), ErrorKind::Config, "{address}");
    }
    for address in
        ["http://127.0.0.1:8080/callback", "https://app.example/callback?a=1", "com.example.app:/callback"]
    {
        let made = Bench::new([]).tokens().authorize(&Authorization::new(url(address))).await;
        assert_eq!(query(&made.expect("a request").url)["redirect_uri"], address);
    }
}

#[tokio::test]
async fn oauth_client_31_a_request_is_pushed_where_the_provider_takes_it() {
    let pushed = json!({ "request_uri": "urn:example:request:1", "expires_in": 60 });
    let bench = Bench::with([Reply::json(201, pushed)], |entry| {
        entry.endpoints.par = Some("https://as.example/par".into());
        entry.authorize_params.insert("access_type".into(), "offline".into());
    });
    let wanted = wanted().resource(url("https://mcp.example/"));
    let made = bench.tokens().authorize(&wanted).await.expect("a request");

    let sent = bench.script.only();
    assert_eq!(sent.url, "https://as.example/par");
    assert!(sent.header("authorization").is_some_and(|value| value.starts_with("Basic ")), "as the client");
    for (name, value) in [
        ("client_id", "client-1"),
        ("response_type", "code"),
        ("scope", "read write"),
        ("resource", "https://mcp.example/"),
        ("code_challenge_method", "S256"),
        ("access_type", "offline"),
        ("state", made.state.expose_secret()),
    ] {
        assert_eq!(sent.field(name).as_deref(), Some(value), "{name}");
    }
    let seen: Vec<_> = made.url.query_pairs().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(
        seen,
        ["client_id=client-1", "request_uri=urn:example:request:1"],
        "the browser carries no more"
    );
}

#[tokio::test]
async fn oauth_client_31_a_refused_push_is_no_reason_to_send_the_request_openly() {
    let refusals = [
        Reply::error("invalid_request"),
        Reply::text(404, "text/html", "<html>"),
        Reply::json(201, json!({ "expires_in": 60 })),
        Reply::json(201, json!({ "request_uri": "" })),
    ];
    for refused in refusals {
        let bench =
            Bench::with([refused], |entry| entry.endpoints.par = Some("https://as.example/par".into()));
        let error = refusal(&bench, wanted()).await;
        assert!(error.to_string().contains("pushed authorization request"), "{error}");
    }
}

#[tokio::test]
async fn oauth_client_32_the_response_type_is_always_code() {
    for name in [
        "response_type",
        "response_mode",
        "request",
        "request_uri",
        "client_id",
        "redirect_uri",
        "state",
        "nonce",
        "resource",
        "scope",
        "dpop_jkt",
    ] {
        let error = refusal(&Bench::new([]), wanted().param(name, "token")).await;
        assert_eq!(error.kind(), ErrorKind::Config, "{name}");
        let in_endpoint = Bench::with([], |entry| {
            entry.endpoints.authorize = Some(format!("https://as.example/authorize?{name}=token"));
        });
        assert_eq!(refusal(&in_endpoint, wanted()).await.kind(), ErrorKind::Config, "{name}");
    }
}

#[tokio::test]
async fn a_provider_without_the_endpoint_is_named() {
    let bench = Bench::with([], |entry| entry.endpoints.authorize = None);
    let error = refusal(&bench, wanted()).await;
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("acme"), "{error}");
}
