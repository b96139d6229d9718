//! Metadata of servers and resources: where it is looked for, and what is refused.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tool_connect_core::{ErrorKind, Result, Retry};
use tool_connect_oauth::catalog::{ClientAuthMethod, RefreshTokenBy};
use tool_connect_oauth::discovery::{
    Discovery, DiscoverySettings, Profile, ResourceMetadata, ServerMetadata, parse_challenges,
    resource_addresses, server_addresses,
};
use tool_connect_testkit::ManualClock;
use url::Url;

use super::world::World;

const ISSUER: &str = "https://as.example";

/// Metadata as a server of today has it.
pub(super) fn metadata(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "revocation_endpoint": format!("{issuer}/revoke"),
        "registration_endpoint": format!("{issuer}/register"),
        "jwks_uri": format!("{issuer}/jwks"),
        "scopes_supported": ["read", "offline_access"],
        "response_types_supported": ["code"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "none", "tls_client_auth"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
    })
}

fn with(changes: &[(&str, Value)]) -> Vec<u8> {
    let mut map = metadata(ISSUER);
    for (name, value) in changes {
        map[*name] = value.clone();
    }
    map.to_string().into_bytes()
}

fn parse(body: &[u8], profile: Profile) -> Result<ServerMetadata> {
    ServerMetadata::parse(ISSUER, body, profile, false)
}

fn refused(body: &[u8]) -> ErrorKind {
    let error = parse(body, Profile::OAuth).unwrap_err();
    assert!(error.to_string().contains("as.example"), "it says which server: {error}");
    assert!(!error.to_string().contains("canary"), "it repeats nothing of the server's: {error}");
    error.kind()
}

fn url(text: &str) -> Url {
    text.parse().unwrap()
}

fn discovery(world: &World, settings: DiscoverySettings) -> (Discovery, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new());
    (Discovery::with_settings(world.http(), clock.clone(), settings), clock)
}

#[test]
fn oauth_client_02_mcp_metadata_without_pkce_methods_is_refused() {
    let mut silent = metadata(ISSUER);
    silent.as_object_mut().unwrap().remove("code_challenge_methods_supported");
    let silent = silent.to_string();
    let error = parse(silent.as_bytes(), Profile::Mcp).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("code_challenge_methods_supported"), "{error}");
    // RFC 8414 alone does not ask for it.
    assert!(parse(silent.as_bytes(), Profile::OAuth).is_ok());

    // Methods without S256 are refused by everybody: nothing else is ever sent.
    for methods in [json!(["plain"]), json!([])] {
        let body = with(&[("code_challenge_methods_supported", methods)]);
        assert_eq!(parse(&body, Profile::Mcp).unwrap_err().kind(), ErrorKind::Unsupported);
        assert_eq!(parse(&body, Profile::OAuth).unwrap_err().kind(), ErrorKind::Unsupported);
    }
    assert!(parse(&with(&[]), Profile::Mcp).is_ok());
}

#[tokio::test]
async fn oauth_client_04_an_issuer_that_is_not_the_one_asked_for_is_rejected() {
    for other in [
        "https://as.example/",
        "https://AS.example",
        "https://as.example:443",
        "https://as.example/tenant",
        "https://evil.example",
        "http://as.example",
        "",
    ] {
        assert_eq!(refused(&with(&[("issuer", json!(other))])), ErrorKind::Blocked, "{other}");
    }
    assert_eq!(refused(&with(&[("issuer", json!(["https://as.example"]))])), ErrorKind::Provider);

    // The same through the network: nothing of such metadata is used or kept as good.
    let world = World::new();
    let mut evil = metadata("https://evil.example");
    evil["token_endpoint"] = json!("https://evil.example/token");
    world.json("https://as.example/.well-known/oauth-authorization-server", &evil);
    let (discovery, _) = discovery(&world, DiscoverySettings::default());
    for _ in 0..2 {
        assert_eq!(discovery.server(ISSUER).await.unwrap_err().kind(), ErrorKind::Blocked);
    }
    assert_eq!(world.asked().len(), 1, "no other place is tried, and the refusal is remembered");

    // A slash at the end makes another issuer, for which the same place is asked.
    world.json("https://as.example/.well-known/oauth-authorization-server", &metadata("https://as.example/"));
    assert_eq!(discovery.server("https://as.example/").await.unwrap().issuer, "https://as.example/");
}

#[tokio::test]
async fn oauth_client_05_a_resource_that_is_not_the_one_asked_for_is_rejected() {
    let asked = url("https://api.example/mcp");
    let body = |resource: &str| {
        json!({ "resource": resource, "authorization_servers": [ISSUER] }).to_string().into_bytes()
    };
    assert!(ResourceMetadata::parse(&asked, &body("https://api.example/mcp")).is_ok());
    for other in [
        "https://api.example/mcp/",
        "https://api.example",
        "https://api.example/MCP",
        "https://victim.example/mcp",
        "https://api.example/mcp?x=1",
        "",
    ] {
        let error = ResourceMetadata::parse(&asked, &body(other)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Blocked, "{other}");
    }
    // An empty path and `/` are one path.
    assert!(ResourceMetadata::parse(&url("https://api.example"), &body("https://api.example")).is_ok());
    assert!(ResourceMetadata::parse(&url("https://api.example"), &body("https://api.example/")).is_ok());

    // A resource cannot have tokens made for another one by pointing at its metadata.
    let world = World::new();
    let victim = json!({ "resource": "https://victim.example/api", "authorization_servers": [ISSUER] });
    world.json("https://victim.example/.well-known/oauth-protected-resource/api", &victim);
    let header =
        r#"Bearer resource_metadata="https://victim.example/.well-known/oauth-protected-resource/api""#;
    let challenge = parse_challenges(header).unwrap().remove(0);
    let (discovery, _) = discovery(&world, DiscoverySettings::default());
    let error = discovery.resource(&asked, Some(&challenge)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Blocked);
}

#[test]
fn malformed_and_hostile_metadata_is_refused() {
    let deep = format!("{{\"issuer\":\"{ISSUER}\",\"x\":{}{}}}", "[".repeat(20), "]".repeat(20));
    let endless = "[".repeat(100_000);
    let large = with(&[("x", json!("x".repeat(300 * 1024)))]);
    for body in [
        &b""[..],
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe",
        b"<html>canary</html>",
        deep.as_bytes(),
        endless.as_bytes(),
        &large,
    ] {
        assert_eq!(refused(body), ErrorKind::Provider);
    }
    for address in [
        "javascript:alert('canary')",
        "data:text/html,canary",
        "file:///etc/passwd",
        "http://as.example/token",
        "http://127.0.0.1/token",
        "https://user:canary@as.example/token",
        "https://as.example/token#canary",
        "//as.example/token",
        "token",
        "",
    ] {
        for name in ["token_endpoint", "authorization_endpoint", "jwks_uri", "registration_endpoint"] {
            assert_eq!(refused(&with(&[(name, json!(address))])), ErrorKind::Provider, "{name}: {address}");
        }
    }
    assert_eq!(refused(&with(&[("token_endpoint", json!(7))])), ErrorKind::Provider);
    assert_eq!(refused(&with(&[("scopes_supported", json!("read"))])), ErrorKind::Provider);
    assert_eq!(
        refused(&with(&[("require_pushed_authorization_requests", json!("true"))])),
        ErrorKind::Provider
    );
    assert_eq!(
        refused(&with(&[("require_pushed_authorization_requests", json!(true))])),
        ErrorKind::Unsupported
    );
    assert_eq!(refused(&with(&[("token_endpoint", Value::Null)])), ErrorKind::Unsupported);
    // On this machine, for development, `http` may be allowed, and nothing beyond.
    let loopback = |address: &str| {
        ServerMetadata::parse(ISSUER, &with(&[("token_endpoint", json!(address))]), Profile::OAuth, true)
            .is_ok()
    };
    assert!(
        loopback("http://127.0.0.1:8080/token")
            && loopback("http://[::1]/token")
            && loopback("http://localhost/token")
    );
    assert!(!loopback("http://10.0.0.1/token") && !loopback("http://localhost.evil.example/token"));
}

#[tokio::test]
async fn the_well_known_places_are_asked_in_order() {
    let texts = |urls: Vec<Url>| urls.into_iter().map(String::from).collect::<Vec<_>>();
    assert_eq!(
        texts(server_addresses(&url("https://as.example/"))),
        [
            "https://as.example/.well-known/oauth-authorization-server",
            "https://as.example/.well-known/openid-configuration",
        ]
    );
    let with_path = [
        "https://as.example/.well-known/oauth-authorization-server/a/b",
        "https://as.example/.well-known/openid-configuration/a/b",
        "https://as.example/a/b/.well-known/openid-configuration",
    ];
    assert_eq!(texts(server_addresses(&url("https://as.example/a/b"))), with_path);
    assert_eq!(texts(server_addresses(&url("https://as.example/a/b/"))), with_path);
    let places: Vec<String> = resource_addresses(&url("https://api.example/mcp?x=1"))
        .into_iter()
        .map(|(place, _)| place.into())
        .collect();
    assert_eq!(
        places,
        [
            "https://api.example/.well-known/oauth-protected-resource/mcp?x=1",
            "https://api.example/.well-known/oauth-protected-resource",
        ]
    );

    let world = World::new();
    let issuer = "https://as.example/a/b";
    // A page for people is no metadata, even with status 200.
    world.put(&format!("GET {}", with_path[0]), 200, "<html>");
    world.put(&format!("GET {}", with_path[1]), 400, "{}");
    world.json(with_path[2], &metadata(issuer));
    let (discovery, _) = discovery(&world, DiscoverySettings::default());
    assert_eq!(discovery.server(issuer).await.unwrap().issuer, issuer);
    assert_eq!(world.asked(), with_path.map(|place| format!("GET {place}")));
}

#[tokio::test]
async fn a_resource_leads_to_its_server_and_to_an_entry_that_works() {
    let world = World::new();
    let resource = url("https://api.example/mcp");
    world.json(
        "https://api.example/.well-known/oauth-protected-resource",
        &json!({ "resource": "https://api.example", "authorization_servers": [ISSUER], "scopes_supported": ["read"] }),
    );
    world.json("https://as.example/.well-known/oauth-authorization-server", &metadata(ISSUER));
    let mut settings = DiscoverySettings::default();
    settings.profile = Profile::Mcp;
    let (discovery, _) = discovery(&world, settings);
    let found = discovery.for_resource(&resource, None).await.unwrap();
    assert_eq!(found.resource.resource, "https://api.example");
    assert!(found.server.authorization_response_iss_parameter_supported);

    let entry = found.entry("theirs");
    assert_eq!(entry.client_auth, [ClientAuthMethod::Basic, ClientAuthMethod::None]);
    assert_eq!(entry.refresh.granted_by, RefreshTokenBy::Scope("offline_access".into()));
    let provider = entry.resolve(&Default::default()).unwrap();
    assert_eq!(provider.issuer.as_deref(), Some(ISSUER));
    assert_eq!(provider.endpoints.token.as_str(), "https://as.example/token");
    assert_eq!(provider.endpoints.revoke.unwrap().as_str(), "https://as.example/revoke");

    // Braces in a stranger's address are no parameters of ours.
    let body = with(&[("token_endpoint", json!("https://as.example/token?{client_id}"))]);
    let entry = parse(&body, Profile::OAuth).unwrap().entry("theirs");
    let provider = entry.resolve(&[("client_id".to_owned(), "x".to_owned())].into()).unwrap();
    assert_eq!(provider.endpoints.token.as_str(), "https://as.example/token?%7Bclient_id%7D");
}

#[tokio::test]
async fn what_is_found_is_kept_and_what_is_not_there_too_but_no_failure() {
    let world = World::new();
    let (discovery, clock) = discovery(&world, DiscoverySettings::default());

    // Nothing there: remembered for a minute.
    for _ in 0..3 {
        assert_eq!(discovery.server(ISSUER).await.unwrap_err().kind(), ErrorKind::NotFound);
    }
    assert_eq!(world.asked().len(), 2);
    world.json("https://as.example/.well-known/oauth-authorization-server", &metadata(ISSUER));
    clock.advance(Duration::from_secs(61));
    // Found: many who ask at once share one request, and it is kept for an hour.
    let all = futures_util::future::join_all((0..50).map(|_| discovery.server(ISSUER))).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(world.asked().len(), 3);
    clock.advance(Duration::from_secs(3599));
    discovery.server(ISSUER).await.unwrap();
    assert_eq!(world.asked().len(), 3);
    clock.advance(Duration::from_secs(2));
    discovery.server(ISSUER).await.unwrap();
    assert_eq!(world.asked().len(), 4);

    // A failure that passes is not remembered.
    clock.advance(Duration::from_secs(3601));
    world.down(true);
    let error = discovery.server(ISSUER).await.unwrap_err();
    assert_eq!((error.kind(), error.retry_advice()), (ErrorKind::Transport, Retry::Backoff));
    world.down(false);
    world.put("GET https://as.example/.well-known/oauth-authorization-server", 503, "");
    let error = discovery.server(ISSUER).await.unwrap_err();
    assert_ne!(error.retry_advice(), Retry::Never, "{error}");
    world.json("https://as.example/.well-known/oauth-authorization-server", &metadata(ISSUER));
    discovery.server(ISSUER).await.unwrap();
}

#[tokio::test]
async fn what_is_no_issuer_is_not_asked() {
    let world = World::new();
    let (discovery, _) = discovery(&world, DiscoverySettings::default());
    for issuer in [
        "",
        "as.example",
        "http://as.example",
        "http://127.0.0.1",
        "https://as.example?x",
        "https://as.example#x",
        "https://a:b@as.example",
        "javascript:x",
    ] {
        assert_eq!(discovery.server(issuer).await.unwrap_err().kind(), ErrorKind::Config, "{issuer}");
    }
    assert!(world.asked().is_empty());
}

#[tokio::test]
async fn a_place_of_metadata_that_is_not_https_is_not_asked() {
    let world = World::new();
    let (discovery, _) = discovery(&world, DiscoverySettings::default());
    for place in ["http://api.example/meta", "http://127.0.0.1/meta", "file:///meta", "meta", ""] {
        let header = format!("Bearer resource_metadata=\"{place}\"");
        let challenge = parse_challenges(&header).unwrap().remove(0);
        let error = discovery.resource(&url("https://api.example/mcp"), Some(&challenge)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Blocked, "{place}");
    }
    assert!(world.asked().is_empty());
}
