//! Dynamic client registration: what is sent, what is accepted, and who gets it.

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tool_connect_core::store::{CredentialFilter, CredentialStore, memory::MemoryCredentials};
use tool_connect_core::{Clock as _, ErrorKind, Owner, Result, TeamId, TenantId, UserId, unix_millis};
use tool_connect_oauth::catalog::ClientAuth;
use tool_connect_oauth::discovery::{
    ApplicationType, ClientMetadata, Profile, Registration, Registrations, ServerMetadata,
};
use tool_connect_oauth::vault::{EnvelopeVault, Keyring};
use tool_connect_testkit::ManualClock;

use super::metadata::metadata;
use super::world::World;

const REGISTER: &str = "POST https://as.example/register";

pub(super) struct Desk {
    pub(super) world: World,
    pub(super) store: Arc<MemoryCredentials>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) registrations: Registrations,
}

/// A store, a vault and a server that registers clients.
pub(super) fn desk() -> Desk {
    let world = World::new();
    let store = Arc::new(MemoryCredentials::new());
    let clock = Arc::new(ManualClock::new());
    let vault = EnvelopeVault::builder(Arc::new(Keyring::generate().unwrap()))
        .subject_keys(store.clone())
        .without_access_log()
        .build()
        .unwrap();
    let registrations = Registrations::new(world.http(), store.clone(), Arc::new(vault), clock.clone());
    world.put(REGISTER, 201, answer("c-1", &[]).to_string());
    Desk { world, store, clock, registrations }
}

pub(super) fn answer(id: &str, changes: &[(&str, Value)]) -> Value {
    let mut answer = json!({
        "client_id": id,
        "client_secret": "canary-client-secret",
        "client_secret_expires_at": 0,
        "registration_client_uri": format!("https://as.example/register/{id}"),
        "registration_access_token": "canary-management-token",
        "token_endpoint_auth_method": "client_secret_basic",
    });
    for (name, value) in changes {
        answer[*name] = value.clone();
    }
    answer
}

pub(super) fn server(issuer: &str) -> ServerMetadata {
    ServerMetadata::parse(issuer, metadata(issuer).to_string().as_bytes(), Profile::OAuth, false).unwrap()
}

pub(super) fn web() -> ClientMetadata {
    ClientMetadata::new("Acme", ["https://app.example/callback".parse().unwrap()])
}

pub(super) fn tenant(id: &str) -> TenantId {
    TenantId::new(id).unwrap()
}

pub(super) fn user(id: &str) -> Owner {
    Owner::User(UserId::new(id).unwrap())
}

async fn obtain(desk: &Desk, tenant_id: &str, owner: &Owner, issuer: &str) -> Result<Registration> {
    desk.registrations.obtain(&tenant(tenant_id), owner, &server(issuer), &web(), None).await
}

#[tokio::test]
async fn oauth_client_10_registrations_are_never_shared_across_owners() {
    let desk = desk();
    let owners = [
        ("acme", user("ada")),
        ("acme", user("bob")),
        ("acme", Owner::Team(TeamId::new("ada").unwrap())),
        ("acme", Owner::Tenant),
        ("rival", user("ada")),
        ("rival", Owner::Tenant),
    ];
    let issuers = ["https://as.example", "https://as.example/", "https://other.example"];
    let mut ids = Vec::new();
    for (nth, (tenant_id, owner)) in owners.iter().enumerate() {
        for (mth, issuer) in issuers.iter().enumerate() {
            let id = format!("c-{nth}-{mth}");
            for place in [
                "https://as.example/register",
                "https://as.example//register",
                "https://other.example/register",
            ] {
                desk.world.put(&format!("POST {place}"), 201, answer(&id, &[]).to_string());
            }
            assert_eq!(obtain(&desk, tenant_id, owner, issuer).await.unwrap().client.id, id);
            ids.push((tenant_id, owner, issuer, id));
        }
    }
    // Each finds its own again, and asks nobody.
    let asked = desk.world.asked().len();
    assert_eq!(asked, owners.len() * issuers.len());
    for (tenant_id, owner, issuer, id) in &ids {
        let found = desk.registrations.find(&tenant(tenant_id), owner, issuer).await.unwrap().unwrap();
        assert_eq!(found.client.id, *id);
        assert_eq!(obtain(&desk, tenant_id, owner, issuer).await.unwrap().client.id, *id);
    }
    assert_eq!(desk.world.asked().len(), asked);

    // A row that is given to another owner by hand is refused, whichever way its owner is written.
    let rows = desk.store.scan(&CredentialFilter::default(), None, 100).await.unwrap();
    let row_of = |owner: &Owner| {
        rows.iter()
            .find(|row| {
                row.owner == *owner
                    && row.tenant == tenant("acme")
                    && row.issuer.as_deref() == Some(issuers[0])
            })
            .unwrap()
            .clone()
    };
    let (ada, bob) = (row_of(&user("ada")), row_of(&user("bob")));
    let mut moved = bob.clone();
    moved.sealed.clone_from(&ada.sealed);
    let moved = desk.store.put(moved).await.unwrap();
    let error = desk.registrations.find(&tenant("acme"), &user("bob"), issuers[0]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Vault, "the sealed value does not open there");
    let mut renamed = moved;
    renamed.owner = user("ada");
    desk.store.put(renamed).await.unwrap();
    let error = desk.registrations.find(&tenant("acme"), &user("bob"), issuers[0]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Vault);
    assert!(!error.to_string().contains("canary"));

    // Nor does one change its issuer: a client must not be used at another server.
    let mut elsewhere = ada;
    elsewhere.issuer = Some("https://evil.example".to_owned());
    desk.store.put(elsewhere).await.unwrap();
    let error = desk.registrations.find(&tenant("acme"), &user("ada"), issuers[0]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Vault);
}

#[tokio::test]
async fn oauth_client_27_dynamic_registration_sends_application_type() {
    let of = |uris: &[&str]| {
        ClientMetadata::new("Acme", uris.iter().map(|uri| uri.parse().unwrap())).application_type
    };
    assert_eq!(of(&["https://app.example/cb"]), ApplicationType::Web);
    assert_eq!(of(&["http://127.0.0.1:8080/cb"]), ApplicationType::Native);
    assert_eq!(of(&["https://localhost/cb"]), ApplicationType::Native);
    assert_eq!(of(&["com.example.app:/cb"]), ApplicationType::Native);
    assert_eq!(of(&["https://app.example/cb", "http://[::1]/cb"]), ApplicationType::Native);

    let desk = desk();
    let server = server("https://as.example");
    desk.registrations
        .obtain(
            &tenant("acme"),
            &user("ada"),
            &server,
            &web(),
            Some(&SecretString::from("initial".to_owned())),
        )
        .await
        .unwrap();
    let native = ClientMetadata::new("Acme", ["http://127.0.0.1/cb".parse().unwrap()]);
    desk.world.put(REGISTER, 201, json!({ "client_id": "n" }).to_string());
    let public =
        desk.registrations.obtain(&tenant("acme"), &user("bob"), &server, &native, None).await.unwrap();
    assert!(matches!(public.client.auth, ClientAuth::None) && public.client.secret.is_none());

    let seen = desk.world.seen();
    let sent = seen[0].json();
    assert_eq!(sent["application_type"], "web");
    assert_eq!(sent["redirect_uris"], json!(["https://app.example/callback"]));
    assert_eq!(sent["response_types"], json!(["code"]));
    assert_eq!(sent["grant_types"], json!(["authorization_code", "refresh_token"]));
    assert_eq!(sent["token_endpoint_auth_method"], "client_secret_basic");
    assert_eq!(seen[0].headers["authorization"], "Bearer initial");
    assert!(!format!("{:?}", seen[0].headers).contains("initial"));
    assert_eq!(seen[1].json()["application_type"], "native");
    assert_eq!(seen[1].json()["token_endpoint_auth_method"], "none");
    assert!(!seen[1].headers.contains_key("authorization"));
}

#[tokio::test]
async fn the_secret_and_the_management_token_are_sealed() {
    let desk = desk();
    let made = obtain(&desk, "acme", &user("ada"), "https://as.example").await.unwrap();
    let found =
        desk.registrations.find(&tenant("acme"), &user("ada"), "https://as.example").await.unwrap().unwrap();
    for registration in [&made, &found] {
        assert_eq!(registration.client.secret.as_ref().unwrap().expose_secret(), "canary-client-secret");
        let (address, token) = registration.management.as_ref().unwrap();
        assert_eq!(address.as_str(), "https://as.example/register/c-1");
        assert_eq!(token.expose_secret(), "canary-management-token");
        assert!(!format!("{registration:?}").contains("canary"));
    }
    for row in desk.store.scan(&CredentialFilter::default(), None, 100).await.unwrap() {
        assert!(!String::from_utf8_lossy(&row.sealed).contains("canary"));
        assert!(!format!("{row:?}").contains("canary"));
    }
}

#[tokio::test]
async fn a_secret_that_ends_or_other_redirect_uris_make_a_new_registration() {
    let desk = desk();
    let hour = unix_millis(desk.clock.now()) / 1000 + 3600;
    desk.world.put(REGISTER, 201, answer("c-1", &[("client_secret_expires_at", json!(hour))]).to_string());
    let first = obtain(&desk, "acme", &user("ada"), "https://as.example").await.unwrap();
    assert!(first.secret_expires.is_some());
    desk.world.put(REGISTER, 201, answer("c-2", &[]).to_string());
    desk.clock.advance(Duration::from_secs(44 * 60));
    assert_eq!(obtain(&desk, "acme", &user("ada"), "https://as.example").await.unwrap().client.id, "c-1");
    desk.clock.advance(Duration::from_secs(2 * 60));
    assert_eq!(obtain(&desk, "acme", &user("ada"), "https://as.example").await.unwrap().client.id, "c-2");

    desk.world.put(REGISTER, 201, answer("c-3", &[]).to_string());
    let moved = ClientMetadata::new("Acme", ["https://new.example/callback".parse().unwrap()]);
    let server = server("https://as.example");
    let third =
        desk.registrations.obtain(&tenant("acme"), &user("ada"), &server, &moved, None).await.unwrap();
    assert_eq!(third.client.id, "c-3");
    assert_eq!(third.client.redirect_uri.unwrap().as_str(), "https://new.example/callback");
}

#[tokio::test]
async fn two_who_register_at_once_end_with_one_client() {
    let desk = desk();
    let ada = user("ada");
    let (a, b) = tokio::join!(
        obtain(&desk, "acme", &ada, "https://as.example"),
        obtain(&desk, "acme", &ada, "https://as.example"),
    );
    assert_eq!(a.unwrap().client.id, b.unwrap().client.id);
    let asked = desk.world.asked();
    assert_eq!(asked.iter().filter(|asked| *asked == REGISTER).count(), 2);
    assert_eq!(
        asked.iter().filter(|asked| asked.starts_with("DELETE https://as.example/register/")).count(),
        1,
        "what the loser made is given up: {asked:?}"
    );
}

#[tokio::test]
async fn a_forgotten_registration_is_given_up_at_the_server() {
    let desk = desk();
    obtain(&desk, "acme", &user("ada"), "https://as.example").await.unwrap();
    let forget = async |owner: &str| {
        desk.registrations.forget(&tenant("acme"), &user(owner), "https://as.example").await.unwrap()
    };
    assert!(!forget("bob").await);
    desk.world.put("DELETE https://as.example/register/c-1", 503, "");
    assert!(forget("ada").await, "a server that does not answer keeps nobody from forgetting");
    assert!(!forget("ada").await);
    let last = desk.world.seen().pop().unwrap();
    assert_eq!(last.headers["authorization"], "Bearer canary-management-token");
    assert!(!format!("{last:?}").contains("canary"));
}

#[tokio::test]
async fn hostile_answers_are_refused_and_nothing_is_kept() {
    let desk = desk();
    for body in [
        "<html>canary".to_owned(),
        "{}".to_owned(),
        json!({ "client_id": "" }).to_string(),
        json!({ "client_id": 7 }).to_string(),
        json!({ "client_id": "x".repeat(5000) }).to_string(),
        json!({ "client_id": "a\r\nb" }).to_string(),
        answer("c", &[("registration_client_uri", json!("http://10.0.0.1/"))]).to_string(),
        answer("c", &[("token_endpoint_auth_method", json!("private_key_jwt"))]).to_string(),
        json!({ "client_id": "c", "token_endpoint_auth_method": "client_secret_basic" }).to_string(),
    ] {
        desk.world.put(REGISTER, 201, body.clone());
        let error = obtain(&desk, "acme", &user("ada"), "https://as.example").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Provider, "{body}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
    }
    let refused = json!({ "error": "invalid_redirect_uri", "error_description": "no" });
    desk.world.put(REGISTER, 400, refused.to_string());
    let error = obtain(&desk, "acme", &user("ada"), "https://as.example").await.unwrap_err();
    let failure = tool_connect_oauth::flow::OAuthFailure::of(&error).unwrap();
    assert_eq!(failure.code(), "invalid_redirect_uri");

    let mut closed = server("https://as.example");
    closed.registration_endpoint = None;
    let refused = |server: ServerMetadata| {
        let desk = &desk;
        async move {
            desk.registrations
                .obtain(&tenant("acme"), &user("ada"), &server, &web(), None)
                .await
                .unwrap_err()
                .kind()
        }
    };
    assert_eq!(refused(closed).await, ErrorKind::Unsupported);
    let mut strict = server("https://as.example");
    strict.token_endpoint_auth_methods_supported = vec!["tls_client_auth".into()];
    assert_eq!(refused(strict).await, ErrorKind::Unsupported);
    assert!(
        desk.registrations.find(&tenant("acme"), &user("ada"), "https://as.example").await.unwrap().is_none()
    );
}
