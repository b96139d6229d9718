//! Signed JSON (RFC 7515, 7517, 7519), as strict as it is small: ES256, EdDSA with Ed25519, and RS256.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, KeyPair as _,
    RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

pub(super) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// SHA-256, base64url: what PKCE, `ath` and thumbprints are made of.
pub(super) fn hashed(text: impl AsRef<[u8]>) -> String {
    encode(digest(&SHA256, text.as_ref()))
}

fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// A token's parts, not verified yet.
pub(super) struct Jws<'a> {
    pub(super) header: Value,
    pub(super) claims: Value,
    signed: &'a str,
    signature: Vec<u8>,
}

impl<'a> Jws<'a> {
    pub(super) fn parse(token: &'a str) -> Option<Self> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let header = serde_json::from_slice(&decode(header)?).ok()?;
        let claims = serde_json::from_slice(&decode(claims)?).ok()?;
        Some(Self { header, claims, signed, signature: decode(signature)? })
    }

    /// Whether the key made it; `alg` must be the one of the key.
    pub(super) fn verify(&self, jwk: &Value) -> bool {
        self.verified(jwk).is_some()
    }

    fn verified(&self, jwk: &Value) -> Option<()> {
        let part = |name: &str| decode(jwk[name].as_str()?);
        let (message, signature) = (self.signed.as_bytes(), &self.signature);
        match (jwk["kty"].as_str()?, self.header["alg"].as_str()?) {
            ("EC", "ES256") if jwk["crv"] == "P-256" => {
                let point = [vec![4], part("x")?, part("y")?].concat();
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).ok()
            }
            ("OKP", "EdDSA") if jwk["crv"] == "Ed25519" => {
                UnparsedPublicKey::new(&ED25519, part("x")?).verify(message, signature).ok()
            }
            ("RSA", "RS256") => PublicKeyComponents { n: part("n")?, e: part("e")? }
                .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
                .ok(),
            _ => None,
        }
    }
}

/// A key's thumbprint (RFC 7638): its required members in alphabetical order.
pub(super) fn thumbprint(jwk: &Value) -> Option<String> {
    let names: &[&str] = match jwk["kty"].as_str()? {
        "EC" => &["crv", "kty", "x", "y"],
        "OKP" => &["crv", "kty", "x"],
        "RSA" => &["e", "kty", "n"],
        _ => return None,
    };
    let members: Option<Vec<String>> =
        names.iter().map(|name| Some(format!("{}:{}", json!(name), json!(jwk[*name].as_str()?)))).collect();
    Some(hashed(format!("{{{}}}", members?.join(","))))
}

/// The server's own key, for ID tokens.
pub(super) struct ServerKey(EcdsaKeyPair);

impl ServerKey {
    pub(super) fn generate() -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING);
        Self(key.expect("a P-256 key is generated"))
    }

    pub(super) fn public(&self) -> Value {
        let point = self.0.public_key().as_ref();
        let (x, y) = point[1..].split_at(32);
        json!({ "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y), "kid": "es256-1",
                "use": "sig", "alg": "ES256" })
    }

    pub(super) fn sign(&self, claims: &Value) -> String {
        let header = json!({ "alg": "ES256", "typ": "JWT", "kid": "es256-1" });
        let text = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        let signature = self.0.sign(&SystemRandom::new(), text.as_bytes()).expect("ES256 signs any text");
        format!("{text}.{}", encode(signature))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_only_for_its_text_key_and_algorithm() {
        let (key, other) = (ServerKey::generate(), ServerKey::generate());
        let token = key.sign(&json!({ "a": 1 }));
        let jws = Jws::parse(&token).expect("a token");
        assert!(jws.verify(&key.public()) && !jws.verify(&other.public()));
        let changed = token.replacen(&encode(r#"{"a":1}"#), &encode(r#"{"a":2}"#), 1);
        assert!(!Jws::parse(&changed).expect("a token").verify(&key.public()));
        let none = format!("{}.{}.", encode(r#"{"alg":"none"}"#), encode("{}"));
        assert!(!Jws::parse(&none).expect("a token").verify(&key.public()));
    }

    #[test]
    fn the_thumbprint_is_that_of_rfc_7638() {
        let jwk = json!({
            "kty": "RSA", "alg": "RS256", "kid": "2011-04-29", "e": "AQAB",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
        });
        assert_eq!(thumbprint(&jwk).as_deref(), Some("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"));
    }
}
