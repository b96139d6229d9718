//! Through a Hub: where tokens go, and where they do not.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::Value;
use tool_connect_core::{
    Annotations, Connector, ConnectorManifest, DynamicTool, ErrorKind, Principal, Result, SchemaSource,
    ToolDefinition, ToolOutcome, ToolOutput, ToolSet,
};
use tool_connect_hub::{Hub, Session};
use tool_connect_oauth::flow::{DpopKey, TokenType};
use tool_connect_testkit::oauth::{Dpop, Endpoint, IssuerSettings, Rotation};

use super::{HOUR, House, ISSUER};

/// One tool, which fetches a path of the service.
struct Things(ConnectorManifest);

impl Connector for Things {
    fn manifest(&self) -> &ConnectorManifest {
        &self.0
    }

    fn tools(&self, set: &mut ToolSet) {
        let schema = r#"{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]}"#;
        let definition = ToolDefinition::new("fetch", "Fetches a path.", SchemaSource::Json(schema.into()))
            .annotations(Annotations::READ);
        set.add_dynamic(DynamicTool::new(definition, |arguments: Value, cx| async move {
            let path = arguments["path"].as_str().unwrap_or_default().to_owned();
            let answer = cx.http().get(&path).text().await?;
            Ok(ToolOutput::json(answer))
        }));
    }
}

impl House {
    /// A Hub with the connector, whose requests this manager signs.
    async fn session(&self) -> Session {
        let manifest = ConnectorManifest::new("things", semver::Version::new(1, 0, 0), "Things")
            .base_url(format!("{ISSUER}/api/").parse().expect("a URL"))
            .auth(self.scheme.clone());
        let hub = Hub::builder()
            .connector(Things(manifest))
            .stores(self.stores.clone())
            .transport(self.transport())
            .authenticator(Arc::new(self.manager()))
            .build()
            .expect("a hub");
        hub.session(Principal::user("acme", "ada").expect("ids"))
    }
}

async fn fetch(session: &Session, path: &str) -> Result<ToolOutcome> {
    let arguments = serde_json::json!({ "path": path }).to_string();
    session.call("things.fetch", tool_connect_core::Arguments::Raw(arguments.into())).await
}

#[tokio::test]
async fn oauth_client_21_no_call_sees_a_401_that_a_renewal_prevents() {
    let house = House::new();
    house.connect().await;
    let session = house.session().await;
    fetch(&session, "echo").await.expect("warm");
    for round in 1..=3 {
        house.issuer.revoke_access_tokens();
        for outcome in join_all((0..20).map(|_| fetch(&session, "echo"))).await {
            outcome.expect("a fresh token, and once more");
        }
        assert_eq!(house.requests(), round, "one renewal for all of them");
        house.clock.advance(HOUR / 2);
    }
    // Ended by the clock: renewed before the service says so.
    let refusals = house.issuer.counters().api_refusals;
    house.clock.advance(HOUR * 2);
    fetch(&session, "echo").await.expect("renewed");
    assert_eq!(house.issuer.counters().api_refusals, refusals);
}

#[tokio::test]
async fn oauth_client_23_tokens_travel_in_headers_only() {
    let house = House::new();
    house.connect().await;
    let session = house.session().await;
    for path in ["echo", "echo?page=2", "scope/read"] {
        fetch(&session, path).await.expect("an answer");
    }
    let secrets = house.issuer.secrets();
    let seen = house.issuer.requests(Endpoint::Api);
    assert_eq!(seen.len(), 3);
    for request in seen {
        let authorization = request.headers["authorization"].to_str().expect("text");
        assert!(secrets.iter().any(|secret| authorization == format!("Bearer {secret}")));
        let elsewhere = format!("{} {:?}", request.url, request.body);
        assert!(!secrets.iter().any(|secret| elsewhere.contains(secret)));
    }
    assert_eq!(house.issuer.counters().tokens_outside_headers, 0);
}

#[tokio::test]
async fn oauth_client_24_a_redirect_to_another_origin_carries_no_token() {
    let house = House::new();
    house.connect().await;
    let elsewhere =
        house.emulator.issuer(IssuerSettings::new("https://elsewhere.example")).expect("a server");
    let session = house.session().await;
    let away = fetch(&session, "redirect?to=https://elsewhere.example/api/echo").await;
    away.expect_err("that service wants a token, and gets none");
    let seen = elsewhere.requests(Endpoint::Api);
    assert_eq!(seen.len(), 1, "it was followed");
    assert!(!seen[0].headers.contains_key("authorization"));
    let text = format!("{} {:?}", seen[0].url, seen[0].headers);
    assert!(!house.issuer.secrets().iter().any(|secret| text.contains(secret)));
    // The refusal there says nothing about the token here.
    assert_eq!(house.requests(), 0);
    // The same origin gets it.
    fetch(&session, &format!("redirect?to={ISSUER}/api/echo")).await.expect("signed again");
}

#[tokio::test]
async fn oauth_client_30_the_nonce_of_a_service_is_answered_within_the_call() {
    let house = House::with(Rotation::Strict, |settings| settings.dpop(Dpop::RequiredWithNonce));
    house.connect().await;
    let tokens = house.issuer.grant("app", ["read"]);
    let mut bound = house.secret(&tokens).tokens().expect("tokens").clone();
    bound.token_type = TokenType::Dpop;
    bound.dpop_key = Some(DpopKey::generate().expect("a key").secret().clone());
    let manager = house.manager();
    manager.save(&house.connection, &bound.into()).await.expect("saved");
    manager.refresh_now(&house.connection, &house.scheme).await.expect("renewed, bound to the key");

    let (session, renewals) = (house.session().await, house.requests());
    for refusals in 1..=2 {
        fetch(&session, "echo").await.expect("asked once more, with the nonce");
        fetch(&session, "echo").await.expect("the nonce is known");
        assert_eq!(house.issuer.counters().api_refusals, refusals);
        house.issuer.rotate_dpop_nonce();
    }
    assert_eq!(house.requests(), renewals, "a nonce is no reason to renew");
}

#[tokio::test]
async fn a_connection_that_only_the_user_can_mend_says_so() {
    let house = House::new();
    house.connect().await;
    let session = house.session().await;
    house.issuer.revoke_grants();
    house.clock.advance(HOUR);
    let error = fetch(&session, "echo").await.expect_err("gone");
    assert_eq!(error.kind(), ErrorKind::NeedsReauth);
    assert!(error.public_message().contains("connect the account again"));
    for _ in 0..5 {
        drop(fetch(&session, "echo").await);
    }
    assert_eq!(house.requests(), 1);
}
