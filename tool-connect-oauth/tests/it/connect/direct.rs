//! Accounts without a consent in a browser.

use secrecy::ExposeSecret as _;
use tool_connect_core::{
    AuthScheme, ConnectRequest, Credential, ErrorKind, OAuth2Scheme, OAuthGrant, Owner, Principal,
};
use tool_connect_oauth::catalog::{Catalog, ClientAuth, ClientConfig, JwtAlgorithm, StaticClients};
use tool_connect_oauth::connect::NewSecret;
use tool_connect_oauth::flow::{Secret, ServiceAccount, TokenType};
use tool_connect_oauth::refresh::TokenManager;
use tool_connect_testkit::oauth::{Decision, Dpop, EmulatedClient};

use super::support::*;
use crate::flow::assertion::Key;

fn request(grant: OAuthGrant) -> ConnectRequest {
    let scheme = OAuth2Scheme { provider: "acme".to_owned(), scopes: vec!["read".to_owned()], grant };
    ConnectRequest::new(instance("work"), AuthScheme::OAuth2(scheme))
}

#[tokio::test]
async fn a_secret_that_somebody_has_is_sealed() {
    let house = House::new();
    let secret =
        NewSecret::new(instance("weather"), Credential::token("k-canary-1815")).label("production key");
    let connection = house.oauth.connect_with_secret(&ada(), secret).await.expect("connected");
    assert_eq!(connection, house.connection().await);
    assert_eq!((connection.label.as_deref(), connection.scopes.as_deref()), (Some("production key"), None));
    let stored = house.stored(&connection).await.expect("a secret");
    assert!(!stored.sealed.windows(6).any(|part| part == b"canary"));
    assert_eq!((stored.expires, stored.issuer), (None, None));
    let Secret::Static(Credential::Token(token)) = house.secret(&connection).await else { panic!("a token") };
    assert_eq!(token.expose_secret(), "k-canary-1815");

    // A new key in the same place.
    let secret =
        NewSecret::new(instance("weather"), Credential::token("k-2")).replacing(connection.id.clone());
    let again = house.oauth.connect_with_secret(&ada(), secret).await.expect("replaced");
    assert_eq!((again.id, again.label), (connection.id.clone(), connection.label));
    house.connect.disconnect(&ada(), &connection.id).await.expect("disconnect");
    assert!(house.stored(&house.connection().await).await.is_none());
}

#[tokio::test]
async fn only_who_may_gives_a_secret() {
    let house = House::new();
    let new = || NewSecret::new(instance("weather"), Credential::token("k"));
    let agent = ada().acting_through("bot").expect("valid");
    for (who, secret) in [
        (agent, new()),
        (ada(), new().owner(Owner::Tenant)),
        (ada(), new().owner(Owner::User(principal("acme", "bob").user))),
    ] {
        let error = house.oauth.connect_with_secret(&who, secret).await.expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::Denied, "{error}");
    }
    assert!(house.connections("acme").await.is_empty());
}

#[tokio::test]
async fn the_hosts_own_client_is_connected_without_anybody() {
    let house = House::new();
    let connection = house
        .oauth
        .connect_as_client(&ada(), request(OAuthGrant::ClientCredentials))
        .await
        .expect("connected");
    assert_eq!(connection.scopes, Some(vec!["read".to_owned()]));
    assert_eq!(connection.account.as_deref(), Some("app"));
    assert!(house.issuer.accepts(&house.access_token(&connection).await));
    assert!(house.stored(&connection).await.expect("a secret").expires.is_some(), "it can be renewed");
    let wrong = house.oauth.connect_as_client(&ada(), request(OAuthGrant::AuthorizationCode)).await;
    assert_eq!(wrong.expect_err("another grant").kind(), ErrorKind::Unsupported);
}

#[tokio::test]
async fn a_service_account_is_connected_by_its_key_and_goes_on_by_it() {
    let key = Key::new(JwtAlgorithm::Es256);
    let auth = ClientAuth::PrivateKeyJwt { key: key.pem.clone().into(), alg: JwtAlgorithm::Es256, kid: None };
    let clients = StaticClients::new().with("acme", ClientConfig::public("robot").auth(auth));
    let house = House::with(
        |settings| settings.client(EmulatedClient::private_key("robot", key.jwk())),
        |builder| builder.clients(clients.clone()),
    );
    let account = |pem: &str| {
        ServiceAccount::new("robot", pem.to_owned(), JwtAlgorithm::Es256).audience("https://one.example")
    };
    let connect = async |who: &Principal, grant: OAuthGrant, pem: &str| {
        house.oauth.connect_service_account(who, request(grant), account(pem)).await
    };
    // A key that does not work shows now.
    let other = connect(&ada(), OAuthGrant::JwtBearer, &Key::new(JwtAlgorithm::Es256).pem).await;
    assert_eq!(other.expect_err("another key").kind(), ErrorKind::NeedsReauth);
    let agent = ada().acting_through("bot").expect("valid");
    let denied = connect(&agent, OAuthGrant::JwtBearer, &key.pem).await.expect_err("an agent");
    let wrong = connect(&ada(), OAuthGrant::ClientCredentials, &key.pem).await.expect_err("another grant");
    assert_eq!((denied.kind(), wrong.kind()), (ErrorKind::Denied, ErrorKind::Unsupported));
    assert!(house.connections("acme").await.is_empty());

    let connection = connect(&ada(), OAuthGrant::JwtBearer, &key.pem).await.expect("connected");
    assert_eq!(connection, house.connection().await);
    assert_eq!((connection.account.as_deref(), connection.label.as_deref()), (Some("robot"), Some("robot")));
    assert_eq!(connection.scopes, Some(vec!["read".to_owned()]));
    let Secret::ServiceAccount { tokens: Some(tokens), .. } = house.secret(&connection).await else {
        panic!("a key with its token")
    };
    assert!(house.issuer.accepts(tokens.access_token.expose_secret()));

    // Calls use what was fetched, and after its end the key gets another.
    let manager = TokenManager::builder(&house.stores, house.vault.clone())
        .clock(house.clock.clone())
        .catalog(Catalog::empty().with_entry(entry("acme", "https://one.example")).expect("a catalog"))
        .clients(clients)
        .transport(std::sync::Arc::new(house.emulator.clone()))
        .build()
        .expect("a manager");
    let asked = house.token_requests();
    let scheme = request(OAuthGrant::JwtBearer).scheme;
    manager.access(&connection, &scheme).await.expect("a token");
    assert_eq!(house.token_requests(), asked);
    house.clock.advance(std::time::Duration::from_secs(3600));
    manager.access(&connection, &scheme).await.expect("another token");
    assert_eq!(house.token_requests(), asked + 1);
}

#[tokio::test]
async fn an_account_is_recognised_with_a_token_that_is_bound_to_a_key() {
    for dpop in [Dpop::Required, Dpop::RequiredWithNonce] {
        let house = House::with(|settings| settings.dpop(dpop), |builder| builder.dpop("acme"));
        house.consent(&ada(), house.request(&["read"])).await;
        let connection = house.connection().await;
        assert_eq!(
            (connection.account.as_deref(), connection.label.as_deref()),
            (Some("sub-ada"), Some("ada"))
        );
        let secret = house.secret(&connection).await;
        assert_eq!(secret.tokens().expect("tokens").token_type, TokenType::Dpop);
    }
}

#[tokio::test(start_paused = true)]
async fn a_consent_on_another_device() {
    let house = House::new();
    let login = house.oauth.device_login(&ada(), request(OAuthGrant::DeviceCode)).await.expect("a code");
    assert_eq!(login.verification_uri().host_str(), Some("one.example"));
    assert!(!format!("{login:?}").contains(login.user_code()));
    assert!(house.issuer.decide_device(login.user_code(), Decision::Approve));
    let connection = login.wait().await.expect("connected");
    assert_eq!(connection.label.as_deref(), Some("ada"));
    assert!(house.issuer.accepts(&house.access_token(&connection).await));

    let login = house.oauth.device_login(&ada(), request(OAuthGrant::DeviceCode)).await.expect("a code");
    assert!(house.issuer.decide_device(login.user_code(), Decision::Deny));
    assert_eq!(login.wait().await.expect_err("denied").kind(), ErrorKind::Denied);
}
