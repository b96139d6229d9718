//! A secret exchanged for a token: values that want to be more than values, and answers that are none.

use std::collections::BTreeMap;
use std::time::Duration;

use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tool_connect_core::{
    Clock as _, Credential, ErrorKind, JwtAlgorithm, Result, Retry, TokenExchange, from_rfc3339,
};
use tool_connect_oauth::flow::TokenSet;
use tool_connect_oauth::scheme::exchange;
use tool_connect_testkit::ManualClock;

use crate::discovery::world::World;
use crate::flow::assertion::{Key, verified};

const TARGET: &str = "POST https://acme.example/v1/login";

fn scheme(changes: Value) -> TokenExchange {
    let mut scheme = json!({
        "url": "https://{site}.example/v1/login",
        "fields": { "user": "{username}", "pass": "{password}", "kind": "x{site}y" },
        "token": "/data/token",
        "expires_in": "/data/ttl",
    });
    for (name, value) in changes.as_object().unwrap() {
        scheme[name] = value.clone();
    }
    serde_json::from_value(scheme).unwrap()
}

fn config(site: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("site".to_owned(), site.to_owned())])
}

async fn run(world: &World, scheme: &TokenExchange, credential: &Credential, site: &str) -> Result<TokenSet> {
    let clock = ManualClock::new();
    exchange(&world.http(), scheme, credential, &config(site), &clock).await
}

#[tokio::test]
async fn no_value_becomes_a_field_a_header_or_a_placeholder() {
    let world = World::new();
    world.put(TARGET, 200, r#"{"data":{"token":"t-1","ttl":"3600"}}"#);
    let hostile =
        Credential::basic("{password}\",\"admin\":\"true&admin=true#", "p\"w&x=1\u{1F600}%00{username}\\");
    let tokens = run(&world, &scheme(json!({})), &hostile, "acme").await.unwrap();
    assert_eq!(tokens.access_token.expose_secret(), "t-1");
    assert_eq!(tokens.expires_at, ManualClock::new().now().checked_add(Duration::from_secs(3600)));
    let seen = world.seen().pop().unwrap();
    assert_eq!(seen.headers["content-type"], "application/json");
    assert_eq!(
        seen.json(),
        json!({
            "user": "{password}\",\"admin\":\"true&admin=true#",
            "pass": "p\"w&x=1\u{1F600}%00{username}\\",
            "kind": "xacmey",
        })
    );

    run(&world, &scheme(json!({ "encoding": "form" })), &hostile, "acme").await.unwrap();
    let seen = world.seen().pop().unwrap();
    assert_eq!(seen.headers["content-type"], "application/x-www-form-urlencoded");
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(&seen.body).into_owned().collect();
    assert_eq!(
        pairs,
        [
            ("kind".to_owned(), "xacmey".to_owned()),
            ("pass".to_owned(), "p\"w&x=1\u{1F600}%00{username}\\".to_owned()),
            ("user".to_owned(), "{password}\",\"admin\":\"true&admin=true#".to_owned()),
        ]
    );

    // In a header there is no way to quote: what does not fit is refused, and nothing is sent.
    let asked = world.seen().len();
    let headed = scheme(json!({ "fields": {}, "headers": { "x-key": "Key {token}" } }));
    let error = run(&world, &headed, &Credential::token("canary\r\nx-admin: 1"), "acme").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(!format!("{error} {error:?}").contains("canary"));
    assert_eq!(world.seen().len(), asked);
    run(&world, &headed, &Credential::token("k-1"), "acme").await.unwrap();
    let seen = world.seen().pop().unwrap();
    assert_eq!(seen.headers["x-key"], "Key k-1");
    assert!(!format!("{seen:?}").contains("k-1"));
}

#[tokio::test]
async fn no_value_leads_elsewhere() {
    let world = World::new();
    let key = Credential::basic("ada", "canary");
    for site in [
        "evil.example/",
        "evil.example#",
        "evil.example?",
        "a@evil",
        "",
        ".",
        "..",
        "a..b",
        "a\\b",
        "a:1",
        "[::1]",
        "ａ",
    ] {
        let error = run(&world, &scheme(json!({})), &key, site).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{site}");
        assert!(!error.to_string().contains("canary"));
    }
    let in_path = scheme(json!({ "url": "https://acme.example/v1/{site}/login?tenant={site}" }));
    for (site, path) in [("a/b?c#d&e=f", "a%2Fb%3Fc%23d%26e%3Df"), ("%2e%2e", "%252e%252e")] {
        let _ = run(&world, &in_path, &key, site).await;
        let url = world.seen().pop().unwrap().url;
        assert_eq!(url, format!("https://acme.example/v1/{path}/login?tenant={path}"));
    }
    let asked = world.seen().len();
    for url in [
        "http://acme.example/",
        "https://user:pw@acme.example/",
        "https://acme.example/{password}",
        "https://acme.example/?{token}",
        "https://acme.example/{nothing}",
        "https://acme.example/{site",
        "nonsense",
    ] {
        let error = run(&world, &scheme(json!({ "url": url })), &key, "acme").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{url}");
    }
    assert_eq!(run(&world, &in_path, &key, "..").await.unwrap_err().kind(), ErrorKind::Config);
    // Even a configuration that names itself so does not stand in for the credential.
    let mut named = config("acme");
    named.extend(["password", "token"].map(|name| (name.to_owned(), "x".to_owned())));
    let in_url = scheme(json!({ "url": "https://acme.example/{password}" }));
    assert!(exchange(&world.http(), &in_url, &key, &named, &ManualClock::new()).await.is_err());
    assert_eq!(world.seen().len(), asked);
}

#[tokio::test]
async fn the_lifetime_is_read_in_every_form() {
    let world = World::new();
    let key = Credential::basic("ada", "pw");
    let lifetime = async |answer: &str, changes: Value| {
        world.put(TARGET, 200, answer);
        let tokens = run(&world, &scheme(changes), &key, "acme").await.unwrap();
        tokens.expires_at.map(|end| end.duration_since(ManualClock::new().now()).unwrap().as_secs())
    };
    let ttl = |ttl: &str| format!(r#"{{"data":{{"token":"t","ttl":{ttl}}}}}"#);
    assert_eq!(lifetime(&ttl("60"), json!({})).await, Some(60));
    assert_eq!(lifetime(&ttl("\" 60 \""), json!({})).await, Some(60));
    assert_eq!(lifetime(&ttl("59.9"), json!({})).await, Some(59));
    for odd in ["null", "-1", "0", "\"soon\"", "\"NaN\"", "[]"] {
        assert_eq!(lifetime(&ttl(odd), json!({})).await, None, "{odd}");
        assert_eq!(lifetime(&ttl(odd), json!({ "lifetime": "1h" })).await, Some(3600), "{odd}");
    }
    let ten_years = 10 * 365 * 86_400;
    for huge in ["1e300", "18446744073709551615", "\"inf\""] {
        assert_eq!(lifetime(&ttl(huge), json!({})).await, Some(ten_years), "{huge}");
    }
}

#[tokio::test]
async fn answers_without_a_token_are_typed_errors() {
    let world = World::new();
    let key = Credential::basic("ada", "canary");
    let failed = async |status: u16, body: &str| {
        world.put(TARGET, status, body);
        let error = run(&world, &scheme(json!({})), &key, "acme").await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
        error
    };
    for body in ["", "<html>canary", "{}", r#"{"data":{"token":""}}"#, r#"{"data":{"token":7}}"#, "[]"] {
        assert_eq!(failed(200, body).await.kind(), ErrorKind::Provider, "{body}");
    }
    // A provider that quotes the request in its refusal.
    let quoting = r#"{"error":"invalid_grant","error_description":"wrong password canary"}"#;
    assert_eq!(failed(401, quoting).await.kind(), ErrorKind::NeedsReauth);
    assert_eq!(failed(403, quoting).await.kind(), ErrorKind::NeedsReauth);
    assert_eq!(failed(400, quoting).await.kind(), ErrorKind::Provider);
    assert_eq!(failed(429, quoting).await.kind(), ErrorKind::RateLimited);
    assert_ne!(failed(503, quoting).await.retry_advice(), Retry::Never);
    // What the scheme wants and the credential has not.
    for unfit in [Credential::token("canary"), Credential::signing_key("id", "canary")] {
        let error = run(&world, &scheme(json!({})), &unfit, "acme").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(!error.to_string().contains("canary"));
    }
}

/// A GitHub App's installation: <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-an-installation-access-token-for-a-github-app>.
fn installation() -> TokenExchange {
    serde_json::from_value(json!({
        "url": "https://api.github.com/app/installations/{installation}/access_tokens",
        "headers": { "authorization": "Bearer {assertion}", "accept": "application/vnd.github+json" },
        "assertion": { "algorithm": "RS256", "lifetime": "9m" },
        "token": "/token",
        "expires_at": "/expires_at",
    }))
    .unwrap()
}

#[tokio::test]
async fn a_key_proves_an_app_and_the_token_ends_when_the_answer_says() {
    let world = World::new();
    let url = "https://api.github.com/app/installations/42/access_tokens";
    world.put(&format!("POST {url}"), 201, r#"{"token":"ghs_t","expires_at":"2026-01-01T01:00:00Z"}"#);
    let key = Key::new(JwtAlgorithm::Rs256);
    let clock = ManualClock::starting_at(from_rfc3339("2026-01-01T00:00:00Z").unwrap());
    let app = Credential::basic("Iv23liA", key.pem.clone());
    let config = BTreeMap::from([("installation".to_owned(), "42".to_owned())]);
    let tokens = exchange(&world.http(), &installation(), &app, &config, &clock).await.unwrap();
    assert_eq!(tokens.access_token.expose_secret(), "ghs_t");
    assert_eq!(tokens.expires_at, from_rfc3339("2026-01-01T01:00:00Z"));

    let seen = world.seen().pop().unwrap();
    assert!(seen.body.is_empty(), "GitHub wants no body");
    let sent = seen.headers["authorization"].to_str().unwrap().strip_prefix("Bearer ").unwrap();
    let claims = verified(sent, &key);
    let now = 1_767_225_600;
    assert_eq!(claims, json!({ "iss": "Iv23liA", "iat": now - 60, "exp": now + 540 }));
}

#[tokio::test]
async fn an_assertion_that_cannot_be_made_says_what_is_missing() {
    let world = World::new();
    let clock = ManualClock::new();
    let config = BTreeMap::from([("installation".to_owned(), "42".to_owned())]);
    let without = TokenExchange { assertion: None, ..installation() };
    for (scheme, credential, says) in [
        (installation(), Credential::token("s3cret-key"), "private key"),
        (installation(), Credential::basic("app", "s3cret-key"), "PEM"),
        (without, Credential::basic("app", "s3cret-key"), "{assertion}"),
    ] {
        let error = exchange(&world.http(), &scheme, &credential, &config, &clock).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(says), "{error}");
        assert!(!format!("{error:?}").contains("s3cret"));
    }
    assert!(world.seen().is_empty());
}

#[tokio::test]
async fn a_subject_and_an_audience_go_into_the_assertion_and_it_into_a_field() {
    let world = World::new();
    world.put(TARGET, 200, r#"{"data":{"token":"t-1","ttl":60}}"#);
    let key = Key::new(JwtAlgorithm::Es256);
    let assertion = json!({ "algorithm": "ES256", "lifetime": "1m", "audience": "https://aud.example", "subject": "on {site}" });
    let fields = json!({ "jwt": "{assertion}" });
    let scheme = scheme(json!({ "assertion": assertion, "fields": fields }));
    run(&world, &scheme, &Credential::basic("app", key.pem.clone()), "acme").await.unwrap();
    let sent = world.seen().pop().unwrap().json();
    let claims = verified(sent["jwt"].as_str().unwrap(), &key);
    assert_eq!((&claims["aud"], &claims["sub"]), (&json!("https://aud.example"), &json!("on acme")));
}
