//! Accounts without a consent in a browser.

use secrecy::ExposeSecret as _;
use tool_connect_core::{AuthScheme, ConnectRequest, Credential, ErrorKind, OAuth2Scheme, OAuthGrant, Owner};
use tool_connect_oauth::connect::NewSecret;
use tool_connect_oauth::flow::Secret;
use tool_connect_testkit::oauth::Decision;

use super::support::*;

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
