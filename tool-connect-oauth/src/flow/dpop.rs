//! Tokens bound to a key, with a proof for each request (RFC 9449).

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use quick_cache::sync::Cache;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tool_connect_core::{Error, ErrorKind, Result, unix_millis};
use url::Url;
use zeroize::Zeroizing;

use super::{assertion, random};

/// The header that carries a proof.
pub const DPOP: HeaderName = HeaderName::from_static("dpop");
/// The header in which a server asks for a nonce in the next proof.
pub const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// Servers whose nonces are remembered.
const REMEMBERED: usize = 1024;
/// Longest nonce that is sent back, in bytes.
const LONGEST_NONCE: usize = 1024;

/// A key that tokens are bound to: ECDSA on P-256 (`ES256`). `Debug` prints its thumbprint only.
///
/// ```
/// use tool_connect_oauth::flow::DpopKey;
///
/// let key = DpopKey::generate()?;
/// let again = DpopKey::from_secret(key.secret())?;
/// assert_eq!(key.thumbprint(), again.thumbprint());
/// # Ok::<(), tool_connect_core::Error>(())
/// ```
pub struct DpopKey {
    pair: EcdsaKeyPair,
    secret: SecretString,
    /// The public key as a JWK (RFC 7517).
    jwk: Value,
    thumbprint: String,
}

impl DpopKey {
    /// A new key.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] where the operating system gives no random numbers.
    pub fn generate() -> Result<Self> {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .map_err(|_| Error::new(ErrorKind::Internal, "no key for DPoP could be made"))?;
        Self::from_secret(&URL_SAFE_NO_PAD.encode(document.as_ref()).into())
    }

    /// The key of [`secret`](Self::secret).
    ///
    /// # Errors
    /// [`ErrorKind::Vault`] where it is no such key. The error repeats nothing of it.
    pub fn from_secret(secret: &SecretString) -> Result<Self> {
        let broken = || {
            Error::new(
                ErrorKind::Vault,
                "the key that the tokens are bound to cannot be read; connect the account again",
            )
        };
        let pkcs8 = Zeroizing::new(URL_SAFE_NO_PAD.decode(secret.expose_secret()).map_err(|_| broken())?);
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8).map_err(|_| broken())?;
        // An uncompressed point (SEC 1 §2.3.3): 4, then x and y of 32 bytes each.
        let point = pair.public_key().as_ref();
        let (Some(4), Some(x), Some(y)) = (point.first(), point.get(1..33), point.get(33..65)) else {
            return Err(broken());
        };
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        Ok(Self {
            thumbprint: thumbprint(&x, &y),
            jwk: json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y }),
            secret: secret.clone(),
            pair,
        })
    }

    /// The private key for a vault: PKCS#8 in base64url, as [`TokenSet::dpop_key`](super::TokenSet::dpop_key) has it.
    #[must_use]
    pub fn secret(&self) -> &SecretString {
        &self.secret
    }

    /// The public key's SHA-256 thumbprint (RFC 7638): `dpop_jkt` of an authorization request, `cnf.jkt` of a token.
    #[must_use]
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// A proof for one request (RFC 9449 §4.2): with the server's nonce, where it gave one, and bound to the access token that
    /// goes with it, where one does.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] where the operating system gives no random numbers.
    pub fn proof(
        &self,
        method: &Method,
        url: &Url,
        now: SystemTime,
        nonce: Option<&str>,
        token: Option<&SecretString>,
    ) -> Result<SecretString> {
        // §4.2: the target's address without query and fragment.
        let mut target = url.clone();
        target.set_query(None);
        target.set_fragment(None);
        let mut claims = json!({
            "jti": random::text()?.expose_secret(),
            "htm": method.as_str(),
            "htu": target.as_str(),
            "iat": unix_millis(now) / 1000,
        });
        if let Some(nonce) = nonce {
            claims["nonce"] = nonce.into();
        }
        if let Some(token) = token {
            claims["ath"] = access_token_hash(token).into();
        }
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk });
        assertion::jws(&header, &claims, |message| {
            let signature = self.pair.sign(&SystemRandom::new(), message);
            signature
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_| Error::new(ErrorKind::Internal, "a proof could not be signed"))
        })
    }
}

impl fmt::Debug for DpopKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DpopKey").field("thumbprint", &self.thumbprint).finish_non_exhaustive()
    }
}

/// RFC 7638 §3.2: the required members, in the order of their names.
fn thumbprint(x: &str, y: &str) -> String {
    let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    URL_SAFE_NO_PAD.encode(digest(&SHA256, canonical.as_bytes()))
}

/// `ath` (RFC 9449 §4.2).
fn access_token_hash(token: &SecretString) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, token.expose_secret().as_bytes()))
}

/// The nonces that servers last gave, by origin (RFC 9449 §8, §9). Clones share them.
#[derive(Clone, Debug)]
pub struct DpopNonces(Arc<Cache<String, Arc<str>>>);

impl Default for DpopNonces {
    fn default() -> Self {
        Self(Arc::new(Cache::new(REMEMBERED)))
    }
}

impl DpopNonces {
    /// The nonce that a server's next proof needs, as far as is known.
    #[must_use]
    pub fn get(&self, url: &Url) -> Option<Arc<str>> {
        self.0.get(&url.origin().ascii_serialization())
    }

    /// Remembers the nonce of an answer. Returns whether there was one.
    pub fn learn(&self, url: &Url, headers: &HeaderMap) -> bool {
        let nonce = headers.get(DPOP_NONCE).and_then(|value| value.to_str().ok());
        let Some(nonce) = nonce.filter(|nonce| !nonce.is_empty() && nonce.len() <= LONGEST_NONCE) else {
            return false;
        };
        self.0.insert(url.origin().ascii_serialization(), nonce.into());
        true
    }
}

/// Signs requests to resources with tokens that are bound to a key.
///
/// ```
/// use std::time::SystemTime;
/// use tool_connect_oauth::flow::{DpopKey, DpopNonces, DpopSigner};
///
/// let signer = DpopSigner::new(DpopKey::generate()?, DpopNonces::default());
/// let (mut request, ()) = http::Request::get("https://api.example/things?page=2").body(()).expect("a request").into_parts();
/// signer.sign(&mut request, &"token".into(), SystemTime::now())?;
/// assert_eq!(request.headers["authorization"], "DPoP token");
/// # Ok::<(), tool_connect_core::Error>(())
/// ```
#[derive(Debug)]
pub struct DpopSigner {
    key: DpopKey,
    nonces: DpopNonces,
}

impl DpopSigner {
    /// A signer with a key; nonces are shared with whoever else knows them.
    #[must_use]
    pub fn new(key: DpopKey, nonces: DpopNonces) -> Self {
        Self { key, nonces }
    }

    /// Puts the token and a proof for it into a request (RFC 9449 §7.1).
    ///
    /// # Errors
    /// [`ErrorKind::Config`] where the token does not fit into a header; [`ErrorKind::Internal`] for an address without a host.
    pub fn sign(
        &self,
        request: &mut http::request::Parts,
        token: &SecretString,
        now: SystemTime,
    ) -> Result<()> {
        let url = absolute(&request.uri)?;
        let nonce = self.nonces.get(&url);
        let proof = self.key.proof(&request.method, &url, now, nonce.as_deref(), Some(token))?;
        let token = format!("DPoP {}", token.expose_secret());
        request.headers.insert(header::AUTHORIZATION, sensitive(&token)?);
        request.headers.insert(DPOP, sensitive(proof.expose_secret())?);
        Ok(())
    }

    /// Reads an answer: remembers its nonce, and says whether it asks for another proof with that nonce (RFC 9449 §9). Then
    /// the request may be signed and sent once more; not twice.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] for an address without a host.
    pub fn answered(&self, request: &http::Uri, answer: &http::response::Parts) -> Result<bool> {
        let learned = self.nonces.learn(&absolute(request)?, &answer.headers);
        let mut challenges = answer.headers.get_all(header::WWW_AUTHENTICATE).iter();
        let asks = challenges.any(|value| value.to_str().is_ok_and(|text| text.contains("use_dpop_nonce")));
        Ok(learned && asks && answer.status == http::StatusCode::UNAUTHORIZED)
    }
}

/// Whether a token endpoint refused only because it wants its nonce in the proof (RFC 9449 §8).
pub(super) fn wants_nonce(answer: &super::http::Answer) -> bool {
    #[derive(serde::Deserialize)]
    struct Refusal {
        error: String,
    }
    answer.status.is_client_error()
        && serde_json::from_slice::<Refusal>(&answer.body).is_ok_and(|body| body.error == "use_dpop_nonce")
}

fn absolute(uri: &http::Uri) -> Result<Url> {
    Url::parse(&uri.to_string()).map_err(|_| {
        Error::new(ErrorKind::Internal, "a request without an absolute address cannot be signed")
    })
}

/// A header's value that is kept out of logs.
pub(super) fn sensitive(text: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::try_from(text).map_err(|_| {
        Error::new(
            ErrorKind::Config,
            "a secret holds a character that a header cannot carry; check for line breaks",
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oauth_client_30_the_published_examples_come_out() {
        // RFC 9449 §4.1 and §6.1: the key of the proofs and its thumbprint.
        let x = "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs";
        let y = "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA";
        assert_eq!(thumbprint(x, y), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
        // §7.1: a token and its hash.
        let token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU".into();
        assert_eq!(access_token_hash(&token), "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
    }
}
