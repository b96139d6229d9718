//! How clients prove themselves.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tool_connect_core::ErrorKind;
use tool_connect_oauth::catalog::{BasicEncoding, ClientAuth, ClientAuthMethod, ClientConfig, JwtAlgorithm};

use super::Bench;
use super::assertion::{Key, verified};
use super::script::{Reply, Sent, jwt};

async fn sent(
    client: ClientConfig,
    change: impl FnOnce(&mut tool_connect_oauth::catalog::ProviderEntry),
) -> Sent {
    let bench = Bench::with([Reply::token()], change).client(client);
    bench.exchange().await.expect("tokens");
    bench.script.only()
}

fn basic(pair: &str) -> String {
    format!("Basic {}", STANDARD.encode(pair))
}

#[tokio::test]
async fn a_public_client_names_itself() {
    let sent = sent(ClientConfig::public("public-1"), |_| {}).await;
    assert_eq!(sent.field("client_id").as_deref(), Some("public-1"));
    assert_eq!((sent.field("client_secret"), sent.header("authorization")), (None, None));
}

#[tokio::test]
async fn basic_authentication_encodes_id_and_secret_as_forms() {
    let client = ClientConfig::confidential("id with:colon", "s+c/r=t %é");
    let sent = sent(client, |_| {}).await;
    assert_eq!(sent.header("authorization"), Some(&*basic("id+with%3Acolon:s%2Bc%2Fr%3Dt+%25%C3%A9")));
    assert!(sent.headers["authorization"].is_sensitive());
    assert_eq!((sent.field("client_id"), sent.field("client_secret")), (None, None), "one proof only");
}

#[tokio::test]
async fn basic_authentication_as_it_is_where_the_provider_wants_that() {
    let client = ClientConfig::confidential("id-1", "s+c/r=t");
    let sent = sent(client, |entry| entry.token_request.basic = BasicEncoding::Raw).await;
    assert_eq!(sent.header("authorization"), Some(&*basic("id-1:s+c/r=t")));
}

#[tokio::test]
async fn a_secret_in_the_body() {
    let client = ClientConfig::confidential("id-1", "secret-of-1").auth(ClientAuth::Post);
    let sent = sent(client, |_| {}).await;
    assert_eq!(sent.field("client_id").as_deref(), Some("id-1"));
    assert_eq!(sent.field("client_secret").as_deref(), Some("secret-of-1"));
    assert_eq!(sent.header("authorization"), None);
}

#[tokio::test]
async fn a_secret_goes_where_the_provider_takes_it() {
    let client = || ClientConfig::confidential("id-1", "secret-of-1");
    let post = sent(client(), |entry| entry.client_auth = vec![ClientAuthMethod::Post]).await;
    assert!(post.header("authorization").is_none() && post.field("client_secret").is_some());
    let client = client().auth(ClientAuth::Post);
    let basic = sent(client, |entry| entry.client_auth = vec![ClientAuthMethod::Basic]).await;
    assert!(basic.header("authorization").is_some() && basic.field("client_secret").is_none());
}

#[tokio::test]
async fn a_client_without_the_secret_it_needs_is_named() {
    let bench = Bench::new([]).client(ClientConfig::public("id-1").auth(ClientAuth::Basic));
    let error = bench.exchange().await.expect_err("a refusal");
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("id-1"), "{error}");
    assert!(bench.script.sent().is_empty());
}

#[tokio::test]
async fn oauth_client_11_an_assertion_is_for_the_issuer_alone() {
    for alg in [JwtAlgorithm::Rs256, JwtAlgorithm::Ps256, JwtAlgorithm::Es256, JwtAlgorithm::EdDsa] {
        let key = Key::new(alg);
        let auth = ClientAuth::PrivateKeyJwt { key: key.pem.clone().into(), alg, kid: Some("k1".into()) };
        let bench =
            Bench::new([Reply::token(), Reply::token()]).client(ClientConfig::public("id-1").auth(auth));
        bench.exchange().await.expect("tokens");
        bench.exchange().await.expect("tokens");
        let mut identifiers = Vec::new();
        for sent in bench.script.sent() {
            assert_eq!(sent.field("client_id").as_deref(), Some("id-1"));
            let kind = sent.field("client_assertion_type");
            assert_eq!(kind.as_deref(), Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"));
            assert_eq!((sent.header("authorization"), sent.field("client_secret")), (None, None));
            let token = sent.field("client_assertion").expect("an assertion");
            let (header, _) = jwt(&token);
            assert_eq!(header["kid"], "k1");
            let claims = verified(&token, &key);
            // One text, no list: a list could name a server that hands the assertion on.
            assert_eq!(claims["aud"], "https://as.example");
            assert_eq!((&claims["iss"], &claims["sub"]), (&"id-1".into(), &"id-1".into()));
            let lives = claims["exp"].as_u64().expect("a time") - claims["iat"].as_u64().expect("a time");
            assert!((30..=300).contains(&lives), "short-lived");
            identifiers.push(claims["jti"].as_str().expect("an id").to_owned());
        }
        assert_ne!(identifiers[0], identifiers[1]);
    }
}

#[tokio::test]
async fn a_key_that_does_not_fit_is_a_clear_error() {
    let rsa = Key::new(JwtAlgorithm::Rs256).pem;
    for (pem, alg) in
        [("no key", JwtAlgorithm::Es256), (rsa.as_str(), JwtAlgorithm::Es256), ("", JwtAlgorithm::EdDsa)]
    {
        let auth = ClientAuth::PrivateKeyJwt { key: pem.into(), alg, kid: None };
        let bench = Bench::new([]).client(ClientConfig::public("id-1").auth(auth));
        let error = bench.exchange().await.expect_err("a refusal");
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("PEM") && error.to_string().contains("id-1"), "{error}");
        assert!(bench.script.sent().is_empty());
    }
}
