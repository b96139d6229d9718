//! Service accounts, and keys for tests.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey,
    VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tool_connect_core::ErrorKind;
use tool_connect_oauth::catalog::JwtAlgorithm;
use tool_connect_oauth::flow::{Secret, ServiceAccount, Wanted};

use super::script::{Reply, jwt};
use super::{Bench, scopes};

/// A key pair.
pub(crate) struct Key {
    alg: JwtAlgorithm,
    pub pem: String,
    public: Vec<u8>,
}

impl Key {
    pub(crate) fn new(alg: JwtAlgorithm) -> Self {
        let random = SystemRandom::new();
        let (der, public): (Vec<u8>, Vec<u8>) = match alg {
            JwtAlgorithm::Es256 => {
                let kind = &ECDSA_P256_SHA256_FIXED_SIGNING;
                let der = EcdsaKeyPair::generate_pkcs8(kind, &random).expect("a key");
                let pair = EcdsaKeyPair::from_pkcs8(kind, der.as_ref()).expect("a key");
                (der.as_ref().to_vec(), pair.public_key().as_ref().to_vec())
            }
            JwtAlgorithm::EdDsa => {
                let der = Ed25519KeyPair::generate_pkcs8v1(&random).expect("a key");
                let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.as_ref()).expect("a key");
                (der.as_ref().to_vec(), pair.public_key().as_ref().to_vec())
            }
            _ => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key");
                let der = pair.as_der().expect("a key");
                (der.as_ref().to_vec(), pair.public_key().as_ref().to_vec())
            }
        };
        let pem =
            format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der));
        Self { alg, pem, public }
    }

    /// The public key as a JWK (RFC 7517).
    pub(crate) fn jwk(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self.alg {
            JwtAlgorithm::Es256 => {
                json!({ "kty": "EC", "crv": "P-256", "x": text(&self.public[1..33]), "y": text(&self.public[33..]) })
            }
            JwtAlgorithm::EdDsa => json!({ "kty": "OKP", "crv": "Ed25519", "x": text(&self.public) }),
            _ => {
                let (modulus, exponent) = rsa_parts(&self.public);
                json!({ "kty": "RSA", "n": text(modulus), "e": text(exponent) })
            }
        }
    }
}

/// Modulus and exponent of a DER `RSAPublicKey` (RFC 8017 §A.1.1): a sequence of two integers.
fn rsa_parts(der: &[u8]) -> (&[u8], &[u8]) {
    fn value(der: &[u8]) -> (&[u8], &[u8]) {
        let (length, begin) = match der[1] {
            short @ 0..=0x7f => (usize::from(short), 2),
            0x81 => (usize::from(der[2]), 3),
            _ => (usize::from(u16::from_be_bytes([der[2], der[3]])), 4),
        };
        der[begin..].split_at(length)
    }
    let (sequence, _) = value(der);
    let (modulus, rest) = value(sequence);
    // A leading zero only keeps the number positive.
    (modulus.strip_prefix(&[0]).unwrap_or(modulus), value(rest).0)
}

/// The claims of a token with a good signature.
pub(crate) fn verified(token: &str, key: &Key) -> Value {
    let (header, claims) = jwt(token);
    assert_eq!(header["alg"], json!(key.alg));
    let (message, signature) = token.rsplit_once('.').expect("three parts");
    let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    let algorithm: &'static dyn VerificationAlgorithm = match key.alg {
        JwtAlgorithm::Es256 => &ECDSA_P256_SHA256_FIXED,
        JwtAlgorithm::EdDsa => &ED25519,
        JwtAlgorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
        _ => &RSA_PKCS1_2048_8192_SHA256,
    };
    let public = UnparsedPublicKey::new(algorithm, &key.public);
    public.verify(message.as_bytes(), &signature).expect("a good signature");
    claims
}

pub(super) fn es256_account() -> (ServiceAccount, Key) {
    let key = Key::new(JwtAlgorithm::Es256);
    (ServiceAccount::new("robot@project.example", key.pem.clone(), JwtAlgorithm::Es256), key)
}

#[tokio::test]
async fn a_service_account_exchanges_an_assertion() {
    let key = Key::new(JwtAlgorithm::Rs256);
    let account = ServiceAccount::new("robot@project.example", key.pem.clone(), JwtAlgorithm::Rs256)
        .key_id("7d1b")
        .on_behalf_of("ada@example.com");
    let bench = Bench::new([Reply::token(), Reply::token()]);
    let asked = scopes(["read", "write"]);
    let wanted = Wanted { scopes: &asked, ..Wanted::default() };
    let tokens = bench.tokens().jwt_bearer(&account, wanted).await.expect("tokens");
    assert_eq!(tokens.scopes, Some(asked.clone()));

    let sent = bench.script.only();
    assert_eq!(sent.field("grant_type").as_deref(), Some("urn:ietf:params:oauth:grant-type:jwt-bearer"));
    let token = sent.field("assertion").expect("an assertion");
    assert_eq!(jwt(&token).0["kid"], "7d1b");
    let claims = verified(&token, &key);
    assert_eq!(claims["iss"], "robot@project.example");
    assert_eq!(claims["sub"], "ada@example.com");
    assert_eq!(claims["aud"], "https://as.example/token");
    assert_eq!(claims["scope"], "read write");
    assert_eq!(claims["iat"], 1_767_225_600, "the injected clock's");
    assert_eq!(claims["exp"], 1_767_225_900);

    let account = account.audience("https://login.example");
    bench.tokens().jwt_bearer(&account, Wanted::default()).await.expect("tokens");
    let token = bench.script.sent()[1].field("assertion").expect("an assertion");
    let claims = verified(&token, &key);
    assert_eq!((&claims["aud"], claims.get("scope")), (&"https://login.example".into(), None));
}

#[tokio::test]
async fn a_client_may_act_for_itself() {
    let bench = Bench::new([Reply::token()]);
    let asked = scopes(["read", "write"]);
    let tokens = bench.tokens().client_credentials(Wanted { scopes: &asked, ..Wanted::default() }).await;
    assert_eq!(tokens.expect("tokens").scopes, Some(asked));
    let sent = bench.script.only();
    assert_eq!(sent.field("grant_type").as_deref(), Some("client_credentials"));
    assert_eq!(sent.field("scope").as_deref(), Some("read write"));
    assert!(sent.header("authorization").is_some());
}

#[test]
fn a_key_file_is_read_and_says_nothing_of_where_to_go() {
    let file = json!({
        "type": "service_account", "project_id": "p", "private_key_id": "7d1b", "private_key": "-----BEGIN PRIVATE KEY-----",
        "client_email": "robot@p.iam.example", "token_uri": "https://evil.example/token",
    });
    let account = ServiceAccount::from_key_file(&file.to_string().into()).expect("an account");
    assert_eq!((account.issuer.as_str(), account.key_id.as_deref()), ("robot@p.iam.example", Some("7d1b")));
    assert_eq!((account.alg, account.audience.as_deref()), (JwtAlgorithm::Rs256, None));
    for broken in ["", "{}", "[]", r#"{"client_email":"a","private_key":7}"#, "-----BEGIN PRIVATE KEY-----"] {
        let error = ServiceAccount::from_key_file(&broken.into()).expect_err("no key file");
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.public_message().contains("key file"), "whoever uploads it can act on that");
    }
}

#[test]
fn a_service_account_survives_the_vault() {
    let account = ServiceAccount::new("robot", "pem-of-robot", JwtAlgorithm::EdDsa).key_id("k").audience("a");
    let secret = Secret::ServiceAccount { account, tokens: Some(super::old_tokens()) };
    let bytes = secret.to_bytes().expect("bytes");
    let Ok(Secret::ServiceAccount { account, tokens: Some(tokens) }) = Secret::from_bytes(&bytes) else {
        panic!("a service account with tokens");
    };
    assert_eq!((account.issuer.as_str(), account.alg), ("robot", JwtAlgorithm::EdDsa));
    assert_eq!((account.audience.as_deref(), account.key_id.as_deref()), (Some("a"), Some("k")));
    assert_eq!(tokens.scopes, super::old_tokens().scopes);
}
