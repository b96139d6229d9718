//! Tokens given back.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tool_connect_core::{ErrorKind, Retry};
use tool_connect_oauth::flow::{Revoked, TokenSet};

use super::script::Reply;
use super::{Bench, old_tokens, scopes};

async fn revoked(replies: impl IntoIterator<Item = Reply>) -> (Bench, tool_connect_core::Result<Revoked>) {
    let bench = Bench::new(replies);
    let result = bench.tokens().revoke(&old_tokens()).await;
    (bench, result)
}

#[tokio::test]
async fn oauth_client_28_both_tokens_are_revoked() {
    let (bench, result) = revoked([Reply::bytes(200, ""), Reply::bytes(200, "")]).await;
    assert_eq!(result.expect("revoked"), Revoked::Done);
    let sent = bench.script.sent();
    let tokens: Vec<_> =
        sent.iter().map(|sent| (sent.field("token"), sent.field("token_type_hint"))).collect();
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        tokens,
        [(some("refresh-token-1"), some("refresh_token")), (some("access-token-1"), some("access_token"))],
        "the one that makes new ones first"
    );
    for sent in sent {
        assert_eq!(sent.url, "https://as.example/revoke");
        assert!(sent.header("authorization").is_some(), "as the client");
    }
    let bench = Bench::new([Reply::bytes(200, "")]);
    bench.tokens().revoke(&TokenSet::bearer("access-token-1")).await.expect("revoked");
    assert_eq!(bench.script.only().field("token").as_deref(), Some("access-token-1"));
}

#[tokio::test]
async fn oauth_client_28_an_unknown_token_is_a_revoked_one() {
    let (_, result) = revoked([Reply::bytes(200, "<html>"), Reply::bytes(204, "")]).await;
    assert_eq!(result.expect("revoked"), Revoked::Done);
    for code in ["invalid_token", "invalid_grant", "unsupported_token_type"] {
        let (_, result) = revoked([Reply::error(code), Reply::error(code)]).await;
        assert_eq!(result.expect("revoked"), Revoked::Done, "{code}");
    }
}

#[tokio::test]
async fn oauth_client_28_a_busy_provider_is_to_be_asked_again() {
    for reply in
        [Reply::bytes(503, ""), Reply::json(503, json!({ "error": "invalid_token" })), Reply::bytes(429, "")]
    {
        let (bench, result) = revoked([reply]).await;
        let error = result.expect_err("a failure");
        assert_eq!(error.retry_advice(), Retry::Backoff);
        assert!(error.to_string().contains("revocation"), "{error}");
        assert_eq!(bench.script.sent().len(), 1);
    }
    let (_, result) = revoked([Reply::bytes(503, "").header("retry-after", "9")]).await;
    assert_eq!(
        result.expect_err("a failure").retry_advice(),
        Retry::After(std::time::Duration::from_secs(9))
    );
    let (_, result) = revoked([Reply::json(401, json!({ "error": "invalid_client" }))]).await;
    assert_eq!(result.expect_err("a failure").kind(), ErrorKind::Config);
}

#[tokio::test]
async fn oauth_client_28_a_provider_without_revocation_says_so() {
    let bench = Bench::with([], |entry| entry.endpoints.revoke = None);
    assert_eq!(bench.tokens().revoke(&old_tokens()).await.expect("no error"), Revoked::NotOffered);
}

/// A provider with a way of its own, from its entry.
fn own_way(revocation: &str, replies: impl IntoIterator<Item = Reply>) -> Bench {
    let text = format!(
        "id = \"acme\"\nname = \"Acme\"\n[documentation]\noauth = \"https://acme.example/docs\"\n[endpoints]\n\
         token = \"https://as.example/token\"\n[revocation]\n{revocation}"
    );
    let entry = tool_connect_oauth::catalog::ProviderEntry::from_toml(&text).expect("an entry");
    let mut bench = Bench::new(replies);
    bench.provider = entry.resolve(&BTreeMap::new()).expect("a provider");
    bench
}

#[tokio::test]
async fn oauth_client_28_providers_with_a_way_of_their_own() {
    // GitHub's.
    let github = r#"
        method = "DELETE"
        url = "https://api.example/applications/{client_id}/grant"
        auth = "client_basic"
        encoding = "json"
        fields = { access_token = "{token}" }
        headers = { accept = "application/vnd.example+json" }
    "#;
    let bench = own_way(github, [Reply::bytes(204, "")]);
    bench.tokens().revoke(&old_tokens()).await.expect("revoked");
    let sent = bench.script.only();
    assert_eq!(
        (sent.method.as_str(), &*sent.url),
        ("DELETE", "https://api.example/applications/client-1/grant")
    );
    let basic = format!("Basic {}", STANDARD.encode("client-1:client-secret-1"));
    assert_eq!(sent.header("authorization"), Some(&*basic));
    assert_eq!(sent.header("accept"), Some("application/vnd.example+json"));
    assert_eq!(
        serde_json::from_str::<Value>(&sent.body).expect("JSON"),
        json!({ "access_token": "access-token-1" })
    );

    let fields = r#"
        method = "POST"
        url = "https://api.example/deauthorize"
        auth = "client_secret_bearer"
        encoding = "form"
        fields = { id = "{client_id}", user = "{extra.user}", t = "{token}" }
        refresh_token = true
    "#;
    let bench = own_way(fields, [Reply::bytes(200, "{}")]);
    let mut tokens = old_tokens();
    // A value is no template, whatever it holds.
    tokens.extra.insert("user".into(), "{client_secret}".into());
    bench.tokens().revoke(&tokens).await.expect("revoked");
    let sent = bench.script.only();
    assert_eq!(sent.header("authorization"), Some("Bearer client-secret-1"));
    assert_eq!(sent.field("id").as_deref(), Some("client-1"));
    assert_eq!(sent.field("user").as_deref(), Some("{client_secret}"));
    assert_eq!(sent.field("t").as_deref(), Some("refresh-token-1"));

    let bench = own_way(fields, []);
    let error = bench.tokens().revoke(&old_tokens()).await.expect_err("no user");
    assert!(error.to_string().contains("extra.user"), "{error}");
    assert!(bench.script.sent().is_empty());
}

#[tokio::test]
async fn oauth_client_28_with_the_access_token_itself() {
    let revocation = "method = \"DELETE\"\nurl = \"https://api.example/tokens/current\"\nauth = \"access_token\"\nencoding = \"empty\"\n";
    for gone in [200, 204, 401, 404, 410] {
        let bench = own_way(revocation, [Reply::bytes(gone, "")]);
        assert_eq!(bench.tokens().revoke(&old_tokens()).await.expect("revoked"), Revoked::Done, "{gone}");
        let sent = bench.script.only();
        assert_eq!(sent.header("authorization"), Some("Bearer access-token-1"));
        assert!(sent.body.is_empty() && sent.header("content-type").is_none());
    }
    for kept in [400, 403, 429, 500, 503] {
        let bench = own_way(revocation, [Reply::bytes(kept, "")]);
        bench.tokens().revoke(&old_tokens()).await.expect_err("a failure");
    }
    let basic = revocation.replace("access_token", "client_basic");
    let bench = own_way(&basic, [Reply::bytes(401, "")]);
    bench.tokens().revoke(&old_tokens()).await.expect_err("the client was refused, not the token");
}

#[tokio::test]
async fn a_token_can_be_asked_about() {
    let answer =
        json!({ "active": true, "scope": "read write", "client_id": "c", "sub": "u", "exp": 1_767_229_200 });
    let bench = Bench::new([Reply::json(200, answer)]);
    let told = bench.tokens().introspect(&"access-token-1".into()).await.expect("an answer");
    assert!(told.active);
    assert_eq!(told.scopes, Some(scopes(["read", "write"])));
    assert_eq!((told.client_id.as_deref(), told.subject.as_deref()), (Some("c"), Some("u")));
    assert_eq!(told.expires_at, bench.in_seconds(3600));
    assert_eq!(bench.script.only().field("token").as_deref(), Some("access-token-1"));

    let dead = json!({ "active": false, "scope": "admin", "sub": "u" });
    let told =
        Bench::new([Reply::json(200, dead)]).tokens().introspect(&"t".into()).await.expect("an answer");
    assert!(!told.active && told.scopes.is_none() && told.subject.is_none());
    let bench = Bench::with([], |entry| entry.endpoints.introspect = None);
    assert_eq!(
        bench.tokens().introspect(&"t".into()).await.expect_err("none").kind(),
        ErrorKind::Unsupported
    );
}
