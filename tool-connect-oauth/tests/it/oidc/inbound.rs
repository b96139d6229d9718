//! Access tokens that clients bring.

use std::sync::Arc;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tool_connect_core::{
    AuthScheme, Clock as _, Connection, ConnectionId, Connector, ConnectorManifest, Credential, ErrorKind,
    InstanceId, Owner, Principal, Result, Run, TenantId, Tool, ToolContext, ToolSet, UserId, unix_millis,
};
use tool_connect_hub::{Hub, StaticCredentials};
use tool_connect_oauth::oidc::{AccessTokenVerifier, InboundToken, bearer_token};
use tool_connect_testkit::ManualClock;
use tool_connect_testkit::leak::LeakCheck;

use super::{ISSUER, JWKS, Signer, changed, forged, jwks, server};
use crate::discovery::world::World;

pub(super) const API: &str = "https://api.acme.example";

/// What a token of RFC 9068 says.
pub(super) fn claims(now: u64) -> Value {
    json!({
        "iss": ISSUER, "sub": "ada", "aud": API, "client_id": "agent", "jti": "t-1",
        "iat": now, "exp": now + 600, "scope": "tools:call tools:list",
    })
}

fn at_jwt(key: &Signer, claims: &Value) -> String {
    key.sign_as(claims, |header| header.typ = Some("at+jwt".into()))
}

struct Desk {
    world: World,
    key: Signer,
    now: u64,
    verifier: AccessTokenVerifier,
}

impl Desk {
    fn new() -> Self {
        let world = World::new();
        let clock = Arc::new(ManualClock::new());
        let key = Signer::es256("k-1");
        world.json(JWKS, &jwks(&[&key]));
        let now = unix_millis(clock.now()) / 1000;
        let verifier = AccessTokenVerifier::new(world.http(), &server(), API, clock).unwrap();
        Self { world, key, now, verifier }
    }

    async fn verify(&self, token: &str) -> Result<InboundToken> {
        self.verifier.verify(&SecretString::from(token.to_owned())).await
    }
}

#[tokio::test]
async fn oauth_client_34_inbound_tokens_are_audience_checked() {
    let desk = Desk::new();
    let now = desk.now;
    let claims = claims(now);
    let good = desk.verify(&at_jwt(&desk.key, &claims)).await.unwrap();
    assert_eq!((good.subject.as_str(), good.client_id.as_str(), good.id.as_str()), ("ada", "agent", "t-1"));
    assert_eq!(good.scopes, ["tools:call", "tools:list"]);
    assert_eq!(unix_millis(good.expires) / 1000, now + 600);

    let with = |changes: Value| at_jwt(&desk.key, &changed(&claims, &changes));
    for (what, token) in [
        ("several audiences", with(json!({ "aud": ["https://other.example", API] }))),
        ("just ended", with(json!({ "exp": now - 299 }))),
        ("the long type", desk.key.sign_as(&claims, |header| header.typ = Some("application/AT+JWT".into()))),
    ] {
        desk.verify(&token).await.unwrap_or_else(|error| panic!("{what}: {error}"));
    }
    for (what, token) in [
        ("no audience", with(json!({ "aud": null }))),
        ("another API", with(json!({ "aud": "https://other.example" }))),
        ("several other APIs", with(json!({ "aud": ["https://other.example", format!("{API}/")] }))),
        ("ours as a part", with(json!({ "aud": format!("{API}.evil.example") }))),
        ("an audience that is no text", with(json!({ "aud": { "x": API } }))),
        ("another issuer", with(json!({ "iss": "https://evil.example" }))),
        ("no issuer", with(json!({ "iss": null }))),
        ("ended", with(json!({ "exp": now - 301 }))),
        ("no end", with(json!({ "exp": null }))),
        ("an end that is no number", with(json!({ "exp": "never" }))),
        ("no beginning", with(json!({ "iat": null }))),
        ("from the future", with(json!({ "iat": now + 301 }))),
        ("not yet", with(json!({ "nbf": now + 301 }))),
        ("not a time", with(json!({ "nbf": "soon" }))),
        ("no subject", with(json!({ "sub": null }))),
        ("no client", with(json!({ "client_id": null }))),
        ("no id", with(json!({ "jti": null }))),
        ("bound to a key", with(json!({ "cnf": { "jkt": "x" } }))),
        ("an ID token", desk.key.sign(&claims)),
        ("no type", desk.key.sign_as(&claims, |header| header.typ = None)),
        (
            "something critical",
            desk.key.sign_as(&claims, |header| {
                header.typ = Some("at+jwt".into());
                header.crit = Some(vec!["exp".into()]);
            }),
        ),
        ("a stranger's", at_jwt(&Signer::es256("k-1"), &claims)),
        ("unsigned", forged(&json!({ "alg": "none", "typ": "at+jwt" }), &claims, b"")),
        ("no token", "canary".to_owned()),
    ] {
        let error = desk.verify(&token).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied, "{what}: {error}");
        assert!(!format!("{error:?}").contains("evil"), "{what}");
    }
    let nobody = AccessTokenVerifier::new(desk.world.http(), &server(), "", Arc::new(ManualClock::new()));
    assert_eq!(nobody.unwrap_err().kind(), ErrorKind::Config);
}

#[test]
fn a_bearer_token_is_taken_from_one_header_alone() {
    let headers = |values: &[&str]| {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, value.parse().unwrap());
        }
        headers
    };
    for good in ["Bearer t-1", "bearer t-1", "BEARER  t-1 "] {
        assert_eq!(bearer_token(&headers(&[good])).unwrap().expose_secret(), "t-1");
    }
    for bad in [
        &[][..],
        &["Bearer"],
        &["Bearer "],
        &["Basic t-1"],
        &["t-1"],
        &["Bearer a b"],
        &["Bearer a", "Bearer b"],
    ] {
        assert_eq!(bearer_token(&headers(bad)).unwrap_err().kind(), ErrorKind::Denied, "{bad:?}");
    }
}

/// Asks the provider.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
struct Ask {}

impl Run for Ask {
    type Output = Value;
    async fn run(self, cx: &ToolContext) -> Result<Value> {
        cx.http().get("/me").json().await
    }
}

struct Service(ConnectorManifest);

impl Connector for Service {
    fn manifest(&self) -> &ConnectorManifest {
        &self.0
    }
    fn tools(&self, set: &mut ToolSet) {
        set.add::<Ask>();
    }
}

/// A client's token opens the host's door, and a provider never sees it: the call carries the connection's secret.
#[tokio::test]
async fn oauth_client_34_inbound_tokens_are_never_passed_through() {
    let desk = Desk::new();
    let token = at_jwt(&desk.key, &claims(desk.now));
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
    let inbound = desk.verifier.verify(&bearer_token(&headers).unwrap()).await.unwrap();

    let tenant = TenantId::new("acme").unwrap();
    let user = UserId::new(&inbound.subject).unwrap();
    let principal = Principal::user("acme", &inbound.subject).unwrap();
    let instance = InstanceId::new("service").unwrap();
    let connection = ConnectionId::new("c-1").unwrap();
    let secrets = StaticCredentials::new();
    secrets.set(tenant.clone(), connection.clone(), Credential::token("the-secret-of-the-connection"));
    let provider = World::new();
    provider.json("https://service.example/me", &json!({ "login": "ada" }));
    let manifest = ConnectorManifest::new("service", semver::Version::new(1, 0, 0), "Service")
        .base_url("https://service.example".parse().unwrap())
        .auth(AuthScheme::Bearer);
    let hub = Hub::builder()
        .transport(Arc::new(provider.clone()))
        .credentials(Arc::new(secrets))
        .connector(Service(manifest))
        .build()
        .unwrap();
    hub.stores()
        .connections
        .put(Connection::new(connection, tenant, Owner::User(user), instance))
        .await
        .unwrap();
    assert_eq!(hub.session(principal).run(Ask {}).await.unwrap(), json!({ "login": "ada" }));

    let seen = provider.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].headers["authorization"], "Bearer the-secret-of-the-connection");
    let signature = token.rsplit('.').next().unwrap().to_owned();
    let leaks = LeakCheck::new().secret(&token).secret(&signature);
    let sent: Vec<(&str, &[u8])> =
        seen[0].headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    leaks.text("the request to the provider", format!("{} {sent:?} {:?}", seen[0].url, seen[0].body));
    leaks.text("what the verifier returns", format!("{inbound:?} {:?}", inbound.claims));
    leaks.assert_clean();
}
