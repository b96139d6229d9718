//! ID tokens (OpenID Connect Core §3.1.3.7), checked.

use std::fmt;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::core::{CoreIdToken, CoreIdTokenVerifier, CoreJsonWebKeySet, CoreJwsSigningAlgorithm};
use openidconnect::{AccessToken, AccessTokenHash, ClaimsVerificationError, ClientId, IssuerUrl, Nonce};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};
use tool_connect_core::{Error, ErrorKind, Result};

use super::keys::Key;
use super::{SKEW, denied, unix_seconds};
use crate::discovery::object;

const WHAT: &str = "ID token";

/// Who signed in. Issuer and subject together name a person; an address or a name may change, and may be anybody's.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Identity {
    /// The issuer.
    pub issuer: String,
    /// The person's id there.
    pub subject: String,
    /// Mail address, where the issuer tells it.
    pub email: Option<String>,
    /// Whether the issuer says that the address is the person's.
    pub email_verified: bool,
    /// A name for people.
    pub name: Option<String>,
    /// The login, where the issuer tells it.
    pub preferred_username: Option<String>,
    /// Everything that the token claims.
    pub claims: Map<String, Value>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The rest is personal data, which does not belong into a log.
        f.debug_struct("Identity")
            .field("issuer", &self.issuer)
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

/// What an ID token must agree with.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a SecretString,
    pub(super) access_token: &'a SecretString,
    pub(super) now: SystemTime,
}

/// Checks type, signature, issuer, audience, authorized party, times, nonce, and, where it is there, the hash of the access
/// token. An access token (RFC 9068 §2.1) is no ID token, whoever signed it.
pub(super) fn check(id_token: &SecretString, key: &Key, expected: &Expected<'_>) -> Result<Identity> {
    let text = id_token.expose_secret();
    let unreadable = |_| denied(WHAT, "it cannot be read");
    let token: CoreIdToken = text.parse().map_err(unreadable)?;
    let keys: CoreJsonWebKeySet = serde_json::from_value(json!({ "keys": [key.json] }))
        .map_err(|_| denied(WHAT, "the issuer's key cannot be used"))?;
    let issuer = IssuerUrl::new(expected.issuer.to_owned())
        .map_err(|_| Error::new(ErrorKind::Config, "the issuer is no address"))?;
    let skew = i64::try_from(SKEW.as_secs()).unwrap_or(0);
    let now = i64::try_from(unix_seconds(expected.now)).unwrap_or(i64::MAX / 2);
    let lenient = expected.now.checked_sub(SKEW).unwrap_or(expected.now);
    // One that authenticates with a secret is verified in the same way: signatures with the secret are not accepted.
    let verifier =
        CoreIdTokenVerifier::new_public_client(ClientId::new(expected.client_id.to_owned()), issuer, keys)
            .set_allowed_algs(algorithms())
            .set_time_fn(move || lenient.into())
            .set_issue_time_verifier_fn(move |issued| {
                if issued.timestamp() > now + skew { Err("from the future".into()) } else { Ok(()) }
            });
    let claims =
        token.claims(&verifier, &Nonce::new(expected.nonce.expose_secret().to_owned())).map_err(refused)?;
    if claims.authorized_party().is_some_and(|party| party.as_str() != expected.client_id) {
        return Err(denied(WHAT, "it was issued to another client (azp)"));
    }
    if claims.subject().as_str().is_empty() || claims.subject().as_str().len() > 255 {
        return Err(denied(WHAT, "it names nobody"));
    }
    if let Some(hash) = claims.access_token_hash() {
        let of_ours = AccessTokenHash::from_token(
            &AccessToken::new(expected.access_token.expose_secret().to_owned()),
            token.signing_alg().map_err(|_| denied(WHAT, "it is not signed"))?,
            token.signing_key(&verifier).map_err(|_| denied(WHAT, "the issuer has no such key"))?,
        )
        .map_err(|_| denied(WHAT, "its hash of the access token cannot be checked"))?;
        if of_ours != *hash {
            return Err(denied(WHAT, "it came with another access token (at_hash)"));
        }
    }
    identity(text)
}

/// The claims of a token that was checked.
fn identity(token: &str) -> Result<Identity> {
    let unreadable = || denied(WHAT, "it cannot be read");
    let payload =
        token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok()).ok_or_else(unreadable)?;
    let claims = object(&payload).map_err(|_| unreadable())?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
    Ok(Identity {
        issuer: text("iss").ok_or_else(unreadable)?,
        subject: text("sub").ok_or_else(unreadable)?,
        email: text("email"),
        // Some servers write it as text.
        email_verified: matches!(claims.get("email_verified"), Some(Value::Bool(true)))
            || text("email_verified").is_some_and(|text| text == "true"),
        name: text("name"),
        preferred_username: text("preferred_username"),
        claims,
    })
}

fn algorithms() -> [CoreJwsSigningAlgorithm; 9] {
    [
        CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
        CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
        CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
        CoreJwsSigningAlgorithm::RsaSsaPssSha256,
        CoreJwsSigningAlgorithm::RsaSsaPssSha384,
        CoreJwsSigningAlgorithm::RsaSsaPssSha512,
        CoreJwsSigningAlgorithm::EcdsaP256Sha256,
        CoreJwsSigningAlgorithm::EcdsaP384Sha384,
        CoreJwsSigningAlgorithm::EdDsa,
    ]
}

/// Which rule it broke; never the library's text, which quotes the token.
fn refused(error: ClaimsVerificationError) -> Error {
    denied(
        WHAT,
        match error {
            ClaimsVerificationError::Expired(_) => "it has ended, or is from the future",
            ClaimsVerificationError::InvalidAudience(_) => "it is for another client (aud)",
            ClaimsVerificationError::InvalidIssuer(_) => "it is from another issuer (iss)",
            ClaimsVerificationError::InvalidNonce(_) => "it is not from this sign-in (nonce)",
            ClaimsVerificationError::SignatureVerification(_) => "its signature is not the issuer's",
            _ => "it is not what it should be",
        },
    )
}
