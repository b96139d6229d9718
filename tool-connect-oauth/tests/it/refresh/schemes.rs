//! Every scheme, through one state machine.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::request::Parts;
use tool_connect_core::{
    AuthScheme, Authenticator as _, AwsSigV4, Credential, ErrorKind, ExchangeEncoding, HmacScheme,
    OAuth2Scheme, OAuthGrant, Retry, TokenExchange, TokenPlace,
};
use tool_connect_oauth::catalog::JwtAlgorithm;
use tool_connect_oauth::flow::{DpopKey, Secret, ServiceAccount, TokenType};
use tool_connect_oauth::refresh::TokenManager;
use tool_connect_testkit::oauth::{Dpop, EmulatedClient, Endpoint, Fault, Rotation};

use super::{CLIENT_SECRET, HOUR, House, ISSUER, token};

async fn sign(house: &House, manager: &TokenManager, url: &str) -> tool_connect_core::Result<Parts> {
    let (mut parts, ()) = http::Request::get(url).body(()).expect("a request").into_parts();
    manager.sign(&house.connection, &house.scheme, &mut parts, Some(b"")).await?;
    Ok(parts)
}

fn grant(grant: OAuthGrant) -> AuthScheme {
    AuthScheme::OAuth2(OAuth2Scheme { provider: "emulated".into(), scopes: vec!["read".into()], grant })
}

#[tokio::test]
async fn client_credentials_are_minted_again_and_shared() {
    let mut house = House::new();
    house.scheme = grant(OAuthGrant::ClientCredentials);
    let managers = [house.manager(), house.manager()];
    for round in 1..=3 {
        // The first time there is nothing stored at all.
        let (one, two) = tokio::join!(
            managers[0].access(&house.connection, &house.scheme),
            managers[1].access(&house.connection, &house.scheme)
        );
        let (one, two) = (token(&one.expect("a token")), token(&two.expect("a token")));
        assert!(one == two && house.issuer.accepts(&one));
        assert_eq!(house.requests(), round);
        house.clock.advance(HOUR);
    }
    // Refused before its end, it is minted again too.
    let access = managers[0].access(&house.connection, &house.scheme).await.expect("a token");
    house.clock.advance(Duration::from_secs(60));
    house.issuer.revoke_access_tokens();
    assert!(managers[0].refused(&house.connection, access.version()).await.expect("told"));
    let access = managers[0].access(&house.connection, &house.scheme).await.expect("a token");
    assert!(house.issuer.accepts(&token(&access)));
    assert_eq!(house.requests(), 5);
    // A client that is refused is the host's affair: the connection stays.
    house.clock.advance(HOUR);
    house.issuer.fault(Endpoint::Token, Fault::Error("invalid_client"));
    let error = managers[0].access(&house.connection, &house.scheme).await.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Config);
}

fn key() -> (String, serde_json::Value) {
    let document =
        EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &aws_lc_rs::rand::SystemRandom::new());
    let document = document.expect("a key");
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref()).expect("a key");
    let point = pair.public_key().as_ref();
    let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
    let jwk = serde_json::json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y });
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        STANDARD.encode(document.as_ref())
    );
    (pem, jwk)
}

#[tokio::test]
async fn service_accounts_are_minted_again() {
    let (pem, jwk) = key();
    let mut house =
        House::with(Rotation::Strict, |settings| settings.client(EmulatedClient::private_key("robot", jwk)));
    house.scheme = grant(OAuthGrant::JwtBearer);
    let clients = tool_connect_oauth::catalog::StaticClients::new().with(
        "emulated",
        tool_connect_oauth::catalog::ClientConfig::public("robot").auth(
            tool_connect_oauth::catalog::ClientAuth::PrivateKeyJwt {
                key: pem.clone().into(),
                alg: JwtAlgorithm::Es256,
                kid: None,
            },
        ),
    );
    let build = || {
        house
            .builder(&house.stores)
            .clients(clients.clone())
            .transport(house.transport())
            .build()
            .expect("a manager")
    };
    let account = ServiceAccount::new("robot", pem, JwtAlgorithm::Es256).audience(ISSUER);
    let (one, other) = (build(), build());
    one.save(&house.connection, &Secret::ServiceAccount { account, tokens: None }).await.expect("saved");
    for round in 1..=2 {
        let access = one.access(&house.connection, &house.scheme).await.expect("a token");
        let same = other.access(&house.connection, &house.scheme).await.expect("a token");
        assert!(token(&access) == token(&same) && house.issuer.accepts(&token(&access)));
        assert_eq!(house.requests(), round);
        house.clock.advance(HOUR);
    }
}

#[tokio::test]
async fn exchanged_tokens_are_renewed_by_their_secret() {
    let mut house = House::new();
    house.scheme = AuthScheme::TokenExchange(TokenExchange {
        url: format!("{ISSUER}/exchange"),
        encoding: ExchangeEncoding::Json,
        fields: BTreeMap::from([
            ("username".to_owned(), "{username}".to_owned()),
            ("password".to_owned(), "{password}".to_owned()),
        ]),
        assertion: None,
        headers: BTreeMap::new(),
        token: "/data/token".into(),
        expires_in: Some("/data/ttl".into()),
        expires_at: None,
        lifetime: None,
        place: TokenPlace { header: "x-token".into(), prefix: "T ".into() },
    });
    let manager = house.manager();
    manager
        .save(&house.connection, &Secret::Static(Credential::basic("app", CLIENT_SECRET)))
        .await
        .expect("saved");
    let exchanges = || house.issuer.requests(Endpoint::Exchange).len();
    for round in 1..=2 {
        for _ in 0..5 {
            let parts = sign(&house, &manager, "https://api.example/x").await.expect("signed");
            let header = parts.headers["x-token"].to_str().expect("text").to_owned();
            assert!(house.issuer.accepts(header.strip_prefix("T ").expect("the prefix")));
            assert!(!parts.headers.contains_key("authorization"));
        }
        assert_eq!(exchanges(), round);
        house.clock.advance(HOUR);
    }
    let access = manager.access(&house.connection, &house.scheme).await.expect("a token");
    house.clock.advance(Duration::from_secs(60));
    assert!(manager.refused(&house.connection, access.version()).await.expect("told"));
    manager.access(&house.connection, &house.scheme).await.expect("a new one");
    assert_eq!(exchanges(), 4);
    // A secret that is refused is not tried with every call.
    manager.save(&house.connection, &Secret::Static(Credential::basic("app", "wrong"))).await.expect("saved");
    for _ in 0..10 {
        let error = manager.access(&house.connection, &house.scheme).await.expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::NeedsReauth);
        assert!(matches!(error.retry_advice(), Retry::After(_)));
    }
    assert_eq!(exchanges(), 5);
}

#[tokio::test]
async fn secrets_that_stay_are_applied_as_the_scheme_says() {
    let mut house = House::new();
    let manager = house.manager();
    let header = AuthScheme::ApiKeyHeader { header: "x-key".into(), prefix: "Key ".into() };
    let hmac: HmacScheme = serde_json::from_value(serde_json::json!({
        "template": "{method}{path}", "headers": { "x-signature": "{signature}" }
    }))
    .expect("a scheme");
    let aws = AwsSigV4 { service: "execute-api".into(), region: "eu-central-1".into() };
    for (n, (scheme, credential, name, starts)) in [
        (header, Credential::token("s3cret-key"), "x-key", "Key s3cret-key"),
        (AuthScheme::Bearer, Credential::token("s3cret-key"), "authorization", "Bearer s3cret-key"),
        (AuthScheme::Basic, Credential::basic("u", "p"), "authorization", "Basic dTpw"),
        (AuthScheme::Hmac(hmac), Credential::signing_key("k", "s3cret"), "x-signature", ""),
        (
            AuthScheme::AwsSigV4(aws),
            Credential::signing_key("AKIA", "s3cret"),
            "authorization",
            "AWS4-HMAC-SHA256",
        ),
        (
            grant(OAuthGrant::AuthorizationCode),
            Credential::token("personal"),
            "authorization",
            "Bearer personal",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        house.connection = super::connection(&format!("c{n}"));
        house.scheme = scheme;
        manager.save(&house.connection, &Secret::Static(credential)).await.expect("saved");
        let parts = sign(&house, &manager, "https://api.example/x").await.expect("signed");
        let value = parts.headers[name].to_str().expect("text");
        assert!(value.starts_with(starts) && !value.is_empty(), "{n}");
    }
    // Not what the scheme wants: said without the secret.
    house.scheme = AuthScheme::Basic;
    let error = sign(&house, &manager, "https://api.example/x").await.expect_err("does not fit");
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(!format!("{error:?}").contains("personal"));
    house.scheme = AuthScheme::None;
    assert_eq!(
        manager
            .sign(&house.connection, &house.scheme, &mut http::Request::new(()).into_parts().0, None)
            .await
            .expect("nothing to do"),
        0
    );
}

#[tokio::test]
async fn bound_tokens_are_proved_with_each_request() {
    let house = House::with(Rotation::Strict, |settings| settings.dpop(Dpop::RequiredWithNonce));
    let key = DpopKey::generate().expect("a key");
    let tokens = house.issuer.grant("app", ["read"]);
    let mut set = house.secret(&tokens).tokens().expect("tokens").clone();
    set.token_type = TokenType::Dpop;
    set.dpop_key = Some(key.secret().clone());
    let manager = house.manager();
    manager.save(&house.connection, &set.into()).await.expect("saved");
    manager.refresh_now(&house.connection, &house.scheme).await.expect("renewed, bound to the key");
    let url = format!("{ISSUER}/api/echo");
    let call = async || {
        use tool_connect_core::http::{RequestBody, Transport as _, TransportLimits};
        let parts = sign(&house, &manager, &url).await.expect("signed");
        assert!(parts.headers["authorization"].to_str().expect("text").starts_with("DPoP "));
        let uri = parts.uri.clone();
        let request = http::Request::from_parts(parts, RequestBody::Empty);
        let answer = house.emulator.send(request, &TransportLimits::default()).await.expect("an answer");
        let (head, _) = answer.into_parts();
        let again = manager.answered(&house.connection, &uri, &head).expect("read");
        (head.status.as_u16(), again)
    };
    assert_eq!(call().await, (401, true), "the service wants its nonce in the proof");
    assert_eq!(call().await, (200, false));
    assert_eq!(call().await, (200, false));
    house.issuer.rotate_dpop_nonce();
    assert_eq!(call().await, (401, true));
    assert_eq!(call().await, (200, false));
}

#[tokio::test]
async fn tokens_are_asked_for_the_resource_of_the_connection() {
    let mut house = House::new();
    house.connection =
        super::connection("c1").config("resource", "https://api.example/ https://other.example/");
    house.connect().await;
    house.clock.advance(HOUR);
    house.manager().access(&house.connection, &house.scheme).await.expect("renewed");
    let seen = house.issuer.requests(Endpoint::Token);
    assert_eq!(seen[0].parameters("resource"), ["https://api.example/", "https://other.example/"]);
}

#[tokio::test]
async fn a_provider_without_a_client_says_what_is_missing() {
    let house = House::new();
    house.connect().await;
    house.clock.advance(HOUR);
    let manager = house
        .builder(&house.stores)
        .clients(tool_connect_oauth::catalog::StaticClients::new())
        .transport(house.transport())
        .build()
        .expect("a manager");
    let error = manager.access(&house.connection, &house.scheme).await.expect_err("no client");
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.message().contains("no client is configured at provider `emulated`"), "{error}");
    assert_eq!(house.requests(), 0);
}
