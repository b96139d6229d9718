//! Signed assertions: how a client proves itself with a key (RFC 7523).

use std::fmt;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tool_connect_core::{Error, ErrorKind, ExchangeAssertion, Result};

use super::random;
use crate::catalog::JwtAlgorithm;

/// How long an assertion is good for, in seconds: short, and long enough for clocks that disagree.
const LIFETIME: u64 = 300;
/// How far another's clock may be behind, in seconds.
const DRIFT: u64 = 60;

/// A service account: somebody who is not a person, and whose consent is a key (RFC 7523 §2.1). `Debug` prints no key.
///
/// ```
/// use tool_connect_oauth::flow::ServiceAccount;
/// use tool_connect_oauth::catalog::JwtAlgorithm;
///
/// let account = ServiceAccount::new("robot@project.example", "-----BEGIN PRIVATE KEY-----..", JwtAlgorithm::Rs256)
///     .key_id("7d1b")
///     .on_behalf_of("ada@example.com");
/// assert!(!format!("{account:?}").contains("BEGIN"));
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct ServiceAccount {
    /// `iss`: the account's name at the provider.
    pub issuer: String,
    /// `sub`: on whose behalf it acts; itself where unset.
    pub subject: Option<String>,
    /// `aud`: who shall accept the assertion; the provider's token endpoint where unset (RFC 7523 §3).
    pub audience: Option<String>,
    /// Private key, PEM.
    pub key: SecretString,
    /// What the key signs with.
    pub alg: JwtAlgorithm,
    /// `kid`: which of the account's keys it is.
    pub key_id: Option<String>,
}

impl ServiceAccount {
    /// An account and its private key (PEM: PKCS#8, or PKCS#1 for RSA).
    #[must_use]
    pub fn new(issuer: impl Into<String>, key: impl Into<SecretString>, alg: JwtAlgorithm) -> Self {
        Self { issuer: issuer.into(), subject: None, audience: None, key: key.into(), alg, key_id: None }
    }

    /// An account from the key file that Google's console hands out (`"type": "service_account"`).
    ///
    /// Only the account's name, its key and the key's id are read: where tokens are asked for is the catalog's affair, not a
    /// file's that somebody uploads.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] where it is no such file. The error repeats nothing of it.
    pub fn from_key_file(json: &SecretString) -> Result<Self> {
        #[derive(Deserialize)]
        struct File {
            client_email: String,
            private_key: SecretString,
            private_key_id: Option<String>,
        }
        let file: File = serde_json::from_str(json.expose_secret()).map_err(|_| {
            let message = "this is no service account key file: it must be the whole JSON file, with `client_email` and \
                           `private_key`";
            Error::new(ErrorKind::Config, message).public(message)
        })?;
        let mut account = Self::new(file.client_email, file.private_key, JwtAlgorithm::Rs256);
        account.key_id = file.private_key_id;
        Ok(account)
    }

    /// Sets `kid`.
    #[must_use]
    pub fn key_id(mut self, id: impl Into<String>) -> Self {
        self.key_id = Some(id.into());
        self
    }

    /// Sets on whose behalf it acts.
    #[must_use]
    pub fn on_behalf_of(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Sets who shall accept the assertion.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// The assertion that is exchanged for a token. `scope` goes into it, as Google wants it; others pass over it.
    pub(super) fn assertion(
        &self,
        token_endpoint: &str,
        scope: &str,
        now: SystemTime,
    ) -> Result<SecretString> {
        let audience = self.audience.as_deref().unwrap_or(token_endpoint);
        let subject = self.subject.as_deref().unwrap_or(&self.issuer);
        let mut claims = claims(&self.issuer, subject, audience, now)?;
        if !scope.is_empty() {
            claims.insert("scope".into(), scope.into());
        }
        sign(self.alg, &self.key, self.key_id.as_deref(), &claims)
            .map_err(|error| error.with("service account", self.issuer.escape_debug()))
    }

    pub(super) fn stored(&self) -> StoredRef<'_> {
        StoredRef {
            issuer: &self.issuer,
            subject: self.subject.as_deref(),
            audience: self.audience.as_deref(),
            key: self.key.expose_secret(),
            alg: self.alg,
            key_id: self.key_id.as_deref(),
        }
    }
}

impl fmt::Debug for ServiceAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceAccount")
            .field("issuer", &self.issuer)
            .field("subject", &self.subject)
            .field("audience", &self.audience)
            .field("alg", &self.alg)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

#[derive(Serialize)]
pub(super) struct StoredRef<'a> {
    issuer: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audience: Option<&'a str>,
    key: &'a str,
    alg: JwtAlgorithm,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<&'a str>,
}

#[derive(Deserialize)]
pub(super) struct Stored {
    issuer: String,
    subject: Option<String>,
    audience: Option<String>,
    key: SecretString,
    alg: JwtAlgorithm,
    key_id: Option<String>,
}

impl From<Stored> for ServiceAccount {
    fn from(stored: Stored) -> Self {
        let Stored { issuer, subject, audience, key, alg, key_id } = stored;
        Self { issuer, subject, audience, key, alg, key_id }
    }
}

/// A client's proof of itself (RFC 7523 §2.2), for one audience only: the issuer, so that no other server can use it.
pub(super) fn client_assertion(
    client_id: &str,
    audience: &str,
    (key, alg, key_id): (&SecretString, JwtAlgorithm, Option<&str>),
    now: SystemTime,
) -> Result<SecretString> {
    let claims = claims(client_id, client_id, audience, now)?;
    sign(alg, key, key_id, &claims).map_err(|error| error.with("client", client_id.escape_debug()))
}

/// What a token exchange sends to prove possession of a key (RFC 7519 §4.1).
pub(crate) fn exchange_assertion(
    scheme: &ExchangeAssertion,
    (issuer, subject): (&str, Option<&str>),
    key: &SecretString,
    now: SystemTime,
) -> Result<SecretString> {
    let now = tool_connect_core::unix_millis(now) / 1000;
    let mut claims = Map::new();
    claims.insert("iss".into(), issuer.into());
    // A little in the past: clocks disagree, and a token from the future is refused.
    claims.insert("iat".into(), now.saturating_sub(DRIFT).into());
    claims.insert("exp".into(), now.saturating_add(scheme.lifetime.as_secs()).into());
    claims.extend(subject.map(|subject| ("sub".to_owned(), subject.into())));
    claims.extend(scheme.audience.as_deref().map(|audience| ("aud".to_owned(), audience.into())));
    sign(scheme.algorithm, key, None, &claims)
}

/// RFC 7523 §3: `aud` is one text and no list; `jti` makes each assertion good for one use.
fn claims(issuer: &str, subject: &str, audience: &str, now: SystemTime) -> Result<Map<String, Value>> {
    let now = tool_connect_core::unix_millis(now) / 1000;
    let mut claims = Map::new();
    claims.insert("iss".into(), issuer.into());
    claims.insert("sub".into(), subject.into());
    claims.insert("aud".into(), audience.into());
    claims.insert("jti".into(), random::text()?.expose_secret().into());
    claims.insert("iat".into(), now.into());
    claims.insert("exp".into(), now.saturating_add(LIFETIME).into());
    Ok(claims)
}

fn sign(
    alg: JwtAlgorithm,
    key: &SecretString,
    key_id: Option<&str>,
    claims: &Map<String, Value>,
) -> Result<SecretString> {
    let pem = key.expose_secret().as_bytes();
    let (alg, key, wanted) = match alg {
        JwtAlgorithm::Rs256 => (Algorithm::RS256, EncodingKey::from_rsa_pem(pem), "an RSA key"),
        JwtAlgorithm::Ps256 => (Algorithm::PS256, EncodingKey::from_rsa_pem(pem), "an RSA key"),
        JwtAlgorithm::Es256 => (Algorithm::ES256, EncodingKey::from_ec_pem(pem), "a P-256 key"),
        JwtAlgorithm::EdDsa => (Algorithm::EdDSA, EncodingKey::from_ed_pem(pem), "an Ed25519 key"),
        other => {
            let message = format!("tokens cannot be signed with {other:?}");
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
    };
    let unfit = || {
        let message = format!(
            "the private key cannot sign: {alg:?} wants {wanted} as PEM (PKCS#8, `BEGIN PRIVATE KEY`)"
        );
        Error::new(ErrorKind::Config, message)
    };
    let key = key.map_err(|_| unfit())?;
    let mut header = Header::new(alg);
    header.kid = key_id.map(str::to_owned);
    jws(&header, claims, |message| {
        // The crate's process-wide choice of cryptography is the host's; this names its own.
        let provider = &jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
        let signer = (provider.signer_factory)(&alg, &key).map_err(|_| unfit())?;
        signer.try_sign(message).map_err(|_| unfit())
    })
}

/// A JWS in its compact form (RFC 7515 §3.1).
pub(super) fn jws(
    header: &impl Serialize,
    claims: &impl Serialize,
    sign: impl FnOnce(&[u8]) -> Result<Vec<u8>>,
) -> Result<SecretString> {
    let part = |json: serde_json::Result<Vec<u8>>| {
        json.map(|json| URL_SAFE_NO_PAD.encode(json))
            .map_err(|_| Error::new(ErrorKind::Internal, "a token's header or claims do not serialise"))
    };
    let mut token = part(serde_json::to_vec(header))?;
    token.push('.');
    token.push_str(&part(serde_json::to_vec(claims))?);
    let signature = sign(token.as_bytes())?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    Ok(token.into())
}
