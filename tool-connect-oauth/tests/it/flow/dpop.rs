//! Tokens that are bound to a key.

use std::collections::BTreeSet;
use std::time::SystemTime;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tool_connect_core::ErrorKind;
use tool_connect_oauth::flow::{Authorization, DpopKey, DpopNonces, DpopSigner, TokenSet, TokenType, Wanted};

use super::script::{Reply, Sent, jwt};
use super::{Bench, dpop_key, old_tokens, url};

fn bound_token() -> Reply {
    Reply::json(200, json!({ "access_token": "bound-token", "token_type": "DPoP", "expires_in": 60 }))
}

fn wants_nonce(nonce: &str) -> Reply {
    Reply::error("use_dpop_nonce").header("dpop-nonce", nonce)
}

/// The claims of a proof with a good signature by the key that is in it.
fn proved(proof: &str) -> (Value, Value) {
    let (header, claims) = jwt(proof);
    assert_eq!((&header["typ"], &header["alg"]), (&"dpop+jwt".into(), &"ES256".into()));
    assert!(header["jwk"].get("d").is_none(), "no private key");
    let coordinate =
        |name: &str| URL_SAFE_NO_PAD.decode(header["jwk"][name].as_str().expect("text")).expect("base64url");
    let point = [vec![4], coordinate("x"), coordinate("y")].concat();
    let (message, signature) = proof.rsplit_once('.').expect("three parts");
    let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    key.verify(message.as_bytes(), &signature).expect("a good signature");
    (header, claims)
}

fn proof(sent: &Sent) -> Value {
    proved(sent.header("dpop").expect("a proof")).1
}

#[tokio::test]
async fn oauth_client_30_a_token_request_carries_a_proof() {
    let key = dpop_key();
    let bench = Bench::new([bound_token(), bound_token()]);
    let wanted = Wanted { dpop_key: Some(&key), ..Wanted::default() };
    let tokens = bench.exchange_for(wanted).await.expect("tokens");
    assert_eq!(tokens.token_type, TokenType::Dpop);
    assert_eq!(tokens.dpop_key.as_ref().expect("the key").expose_secret(), key.expose_secret());
    let old = TokenSet { refresh_token: Some("r".into()), ..tokens };
    let renewed = bench.tokens().refresh(&old, &[]).await.expect("tokens");
    assert_eq!(renewed.dpop_key.expect("the key").expose_secret(), key.expose_secret());

    let mut identifiers = BTreeSet::new();
    for sent in bench.script.sent() {
        let claims = proof(&sent);
        assert_eq!((&claims["htm"], &claims["htu"]), (&"POST".into(), &"https://as.example/token".into()));
        assert_eq!(claims["iat"], 1_767_225_600);
        assert!(claims.get("ath").is_none() && claims.get("nonce").is_none());
        assert!(
            identifiers.insert(claims["jti"].as_str().expect("an id").to_owned()),
            "each proof has its own id"
        );
    }
    assert_eq!(identifiers.len(), 2);
}

#[tokio::test]
async fn oauth_client_30_a_wanted_nonce_is_sent_once() {
    let key = dpop_key();
    let wanted = Wanted { dpop_key: Some(&key), ..Wanted::default() };
    let bench = Bench::new([wants_nonce("n-1"), bound_token().header("dpop-nonce", "n-2"), bound_token()]);
    bench.exchange_for(wanted).await.expect("tokens");
    bench.exchange_for(wanted).await.expect("tokens");
    let sent = bench.script.sent();
    let nonces: Vec<_> = sent.iter().map(|sent| proof(sent).get("nonce").cloned()).collect();
    assert_eq!(nonces, [None, Some("n-1".into()), Some("n-2".into())], "the last one is remembered");
    let identifiers: BTreeSet<_> = sent.iter().map(|sent| proof(sent)["jti"].to_string()).collect();
    assert_eq!(identifiers.len(), 3);
    assert_eq!(sent[0].body, sent[1].body, "the same request");
}

#[tokio::test]
async fn oauth_client_30_a_nonce_is_tried_exactly_once() {
    let key = dpop_key();
    let wanted = Wanted { dpop_key: Some(&key), ..Wanted::default() };
    let bench = Bench::new([wants_nonce("n-1"), wants_nonce("n-2")]);
    let error = bench.exchange_for(wanted).await.expect_err("a refusal");
    assert!(error.to_string().contains("use_dpop_nonce"), "{error}");
    assert_eq!(bench.script.sent().len(), 2);

    // Without a nonce there is nothing to send again, nor for a client that offers no key.
    let bench = Bench::new([Reply::error("use_dpop_nonce")]);
    bench.exchange_for(wanted).await.expect_err("a refusal");
    let bench = Bench::new([wants_nonce("n-1")]);
    bench.exchange().await.expect_err("a refusal");
    assert_eq!(bench.script.sent().len(), 1);
    // Another refusal is no reason, whatever nonce comes with it.
    let bench = Bench::new([Reply::error("invalid_grant").header("dpop-nonce", "n-1")]);
    bench.exchange_for(wanted).await.expect_err("a refusal");
    assert_eq!(bench.script.sent().len(), 1);
}

#[tokio::test]
async fn oauth_client_30_a_token_without_the_binding_is_refused() {
    let key = dpop_key();
    let bench = Bench::new([Reply::token()]);
    let wanted = Wanted { dpop_key: Some(&key), ..Wanted::default() };
    assert_eq!(bench.exchange_for(wanted).await.expect_err("a refusal").kind(), ErrorKind::Provider);
    let error = Bench::new([bound_token()]).exchange().await.expect_err("a refusal");
    assert_eq!(error.kind(), ErrorKind::Provider);
}

#[tokio::test]
async fn oauth_client_30_the_code_is_bound_to_the_key() {
    let wanted = Authorization::new(url("https://app.example/callback")).dpop();
    let made = Bench::new([]).tokens().authorize(&wanted).await.expect("a request");
    let key = DpopKey::from_secret(made.dpop_key.as_ref().expect("a key")).expect("a key");
    let thumbprint = made.url.query_pairs().find(|(name, _)| name == "dpop_jkt").expect("a thumbprint").1;
    assert_eq!(thumbprint, key.thumbprint());
    let again = Bench::new([]).tokens().authorize(&wanted).await.expect("a request");
    assert_ne!(
        again.dpop_key.expect("a key").expose_secret(),
        key.secret().expose_secret(),
        "a key for each"
    );
}

fn request(address: &str) -> http::request::Parts {
    http::Request::post(address).body(()).expect("a request").into_parts().0
}

fn challenge(status: u16, headers: &[(&str, &str)]) -> http::response::Parts {
    let response =
        headers.iter().fold(http::Response::builder().status(status), |r, (n, v)| r.header(*n, *v));
    response.body(()).expect("a response").into_parts().0
}

#[test]
fn oauth_client_30_a_resource_request_is_bound_to_its_token() {
    let signer = DpopSigner::new(DpopKey::generate().expect("a key"), DpopNonces::default());
    let token: SecretString = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU".into();
    let mut parts = request("https://api.example:8443/things?page=2");
    signer.sign(&mut parts, &token, SystemTime::UNIX_EPOCH).expect("signed");
    assert_eq!(parts.headers["authorization"], format!("DPoP {}", token.expose_secret()));
    assert!(parts.headers["authorization"].is_sensitive() && parts.headers["dpop"].is_sensitive());
    let (_, claims) = proved(parts.headers["dpop"].to_str().expect("text"));
    // RFC 9449 §7.1.
    assert_eq!(claims["ath"], "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
    assert_eq!(claims["ath"], URL_SAFE_NO_PAD.encode(digest(&SHA256, token.expose_secret().as_bytes())));
    assert_eq!((&claims["htm"], &claims["htu"]), (&"POST".into(), &"https://api.example:8443/things".into()));
}

#[test]
fn oauth_client_30_a_resource_asks_for_its_nonce() {
    let signer = DpopSigner::new(DpopKey::generate().expect("a key"), DpopNonces::default());
    let token: SecretString = "token".into();
    let mut parts = request("https://api.example/things");
    let wants = [("dpop-nonce", "n-1"), ("www-authenticate", r#"DPoP error="use_dpop_nonce""#)];
    assert!(signer.answered(&parts.uri, &challenge(401, &wants)).expect("an address"));
    signer.sign(&mut parts, &token, SystemTime::UNIX_EPOCH).expect("signed");
    assert_eq!(proved(parts.headers["dpop"].to_str().expect("text")).1["nonce"], "n-1");
    assert_eq!(parts.headers.get_all("dpop").iter().count(), 1, "one proof");

    // A new nonce with a success is kept for the next request, and asks for nothing now.
    assert!(!signer.answered(&parts.uri, &challenge(200, &[("dpop-nonce", "n-2")])).expect("an address"));
    signer.sign(&mut parts, &token, SystemTime::UNIX_EPOCH).expect("signed");
    assert_eq!(proved(parts.headers["dpop"].to_str().expect("text")).1["nonce"], "n-2");
    let mut elsewhere = request("https://other.example/things");
    signer.sign(&mut elsewhere, &token, SystemTime::UNIX_EPOCH).expect("signed");
    let claims = proved(elsewhere.headers["dpop"].to_str().expect("text")).1;
    assert!(claims.get("nonce").is_none(), "another server's nonce is its own");

    for (status, headers) in [
        (401, &[("www-authenticate", r#"DPoP error="use_dpop_nonce""#)][..]),
        (401, &[("dpop-nonce", "n-3"), ("www-authenticate", r#"DPoP error="invalid_token""#)]),
        (403, &wants),
        (401, &[("dpop-nonce", ""), ("www-authenticate", r#"DPoP error="use_dpop_nonce""#)]),
    ] {
        assert!(
            !signer.answered(&parts.uri, &challenge(status, headers)).expect("an address"),
            "{headers:?}"
        );
    }
}

#[test]
fn a_key_survives_the_vault_and_a_broken_one_is_told() {
    let key = DpopKey::generate().expect("a key");
    let again = DpopKey::from_secret(key.secret()).expect("the key");
    assert_eq!(again.thumbprint(), key.thumbprint());
    let mut set = old_tokens();
    for broken in ["", "!", "AAAA"] {
        set.dpop_key = Some(broken.into());
        assert_eq!(DpopKey::from_secret(&broken.into()).expect_err("no key").kind(), ErrorKind::Vault);
    }
}
