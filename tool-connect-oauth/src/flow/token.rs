//! What a provider grants, in one form whatever its answer looked like.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, SystemTime};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tool_connect_core::{Error, ErrorKind, Result, from_unix_millis, unix_millis};
use zeroize::Zeroizing;

use super::sealed::to_json;

/// How an access token is presented (RFC 6749 §7.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TokenType {
    /// Whoever holds it may use it (RFC 6750).
    #[default]
    Bearer,
    /// Bound to a key, of which each request carries a proof (RFC 9449).
    Dpop,
}

/// An access token and all that came with it (RFC 6749 §5.1).
///
/// Neither `Debug` nor anything else prints a secret of it; [`to_bytes`](Self::to_bytes) is for a vault.
///
/// ```
/// use tool_connect_oauth::flow::TokenSet;
///
/// let old = TokenSet { refresh_token: Some("r1".into()), ..TokenSet::bearer("a1") };
/// let new = TokenSet::bearer("a2").merged_over(&old);
/// assert!(new.refresh_token.is_some(), "a provider that sends no new refresh token means the old one");
/// assert!(!format!("{new:?}").contains("a2"));
/// ```
#[derive(Clone)]
pub struct TokenSet {
    /// The access token.
    pub access_token: SecretString,
    /// The refresh token, where the provider gives one.
    pub refresh_token: Option<SecretString>,
    /// How the access token is presented.
    pub token_type: TokenType,
    /// When the access token ends by our clock; `None` where it does not.
    pub expires_at: Option<SystemTime>,
    /// When the refresh token ends by our clock, where the provider says so.
    pub refresh_expires_at: Option<SystemTime>,
    /// The scopes that were granted. `None` where the answer names none, which means: those that were asked for
    /// (RFC 6749 §5.1), or no change (§6).
    pub scopes: Option<Vec<String>>,
    /// The ID token of OpenID Connect; unchecked here.
    pub id_token: Option<SecretString>,
    /// Who issued the tokens. A credential must never be used with another issuer.
    pub issuer: Option<String>,
    /// The private key that the tokens are bound to (DPoP): PKCS#8 in base64url.
    pub dpop_key: Option<SecretString>,
    /// Further fields of the answer, those that the provider's catalog entry names: an instance's address, a team's id.
    /// No secrets.
    pub extra: BTreeMap<String, String>,
}

impl TokenSet {
    /// A bearer token without an end, and nothing else.
    #[must_use]
    pub fn bearer(access_token: impl Into<SecretString>) -> Self {
        Self {
            access_token: access_token.into(),
            refresh_token: None,
            token_type: TokenType::Bearer,
            expires_at: None,
            refresh_expires_at: None,
            scopes: None,
            id_token: None,
            issuer: None,
            dpop_key: None,
            extra: BTreeMap::new(),
        }
    }

    /// These tokens as the successors of `old`: what the answer of a refresh leaves out stays as it was, the refresh token
    /// and its end, the scopes, the issuer, the key, the further fields (RFC 6749 §6). An ID token is not kept: a new one
    /// may or may not come (OpenID Connect Core §12.2), and an old one proves nothing.
    #[must_use]
    pub fn merged_over(mut self, old: &Self) -> Self {
        if self.refresh_token.is_none() {
            self.refresh_token.clone_from(&old.refresh_token);
            self.refresh_expires_at = self.refresh_expires_at.or(old.refresh_expires_at);
        }
        if self.scopes.is_none() {
            self.scopes.clone_from(&old.scopes);
        }
        if self.issuer.is_none() {
            self.issuer.clone_from(&old.issuer);
        }
        if self.dpop_key.is_none() {
            self.dpop_key.clone_from(&old.dpop_key);
        }
        for (name, value) in &old.extra {
            self.extra.entry(name.clone()).or_insert_with(|| value.clone());
        }
        self
    }

    /// Whether the access token has ended by then, or ends within `margin` of it. One without an end has not.
    #[must_use]
    pub fn expired(&self, now: SystemTime, margin: Duration) -> bool {
        let limit = now.checked_add(margin).unwrap_or(now);
        self.expires_at.is_some_and(|end| end <= limit)
    }

    /// The tokens as bytes for a vault; nobody else may see them.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        to_json(&self.stored())
    }

    /// What [`to_bytes`](Self::to_bytes) made.
    ///
    /// # Errors
    /// [`ErrorKind::Vault`] where the bytes are something else. The error repeats none of them.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let stored: Stored = serde_json::from_slice(bytes).map_err(|_| {
            Error::new(ErrorKind::Vault, "a sealed credential holds no token set; connect the account again")
        })?;
        Ok(stored.into())
    }

    pub(super) fn stored(&self) -> StoredRef<'_> {
        StoredRef {
            access_token: self.access_token.expose_secret(),
            refresh_token: self.refresh_token.as_ref().map(ExposeSecret::expose_secret),
            token_type: self.token_type,
            expires_at: self.expires_at.map(unix_millis),
            refresh_expires_at: self.refresh_expires_at.map(unix_millis),
            scopes: self.scopes.as_deref(),
            id_token: self.id_token.as_ref().map(ExposeSecret::expose_secret),
            issuer: self.issuer.as_deref(),
            dpop_key: self.dpop_key.as_ref().map(ExposeSecret::expose_secret),
            extra: &self.extra,
        }
    }
}

impl fmt::Debug for TokenSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = |present: bool| present.then_some(format_args!("[REDACTED]"));
        f.debug_struct("TokenSet")
            .field("access_token", &format_args!("[REDACTED]"))
            .field("refresh_token", &hidden(self.refresh_token.is_some()))
            .field("token_type", &self.token_type)
            .field("expires_at", &self.expires_at)
            .field("refresh_expires_at", &self.refresh_expires_at)
            .field("scopes", &self.scopes)
            .field("id_token", &hidden(self.id_token.is_some()))
            .field("issuer", &self.issuer)
            .field("dpop_key", &hidden(self.dpop_key.is_some()))
            .field("extra", &self.extra.keys())
            .finish()
    }
}

/// As it is sealed: times in milliseconds since 1970. Fields that a later version adds are skipped by this one.
#[derive(Serialize)]
pub(super) struct StoredRef<'a> {
    access_token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    token_type: TokenType,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_expires_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dpop_key: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    extra: &'a BTreeMap<String, String>,
}

#[derive(Deserialize)]
pub(super) struct Stored {
    access_token: SecretString,
    refresh_token: Option<SecretString>,
    #[serde(default)]
    token_type: TokenType,
    expires_at: Option<u64>,
    refresh_expires_at: Option<u64>,
    scopes: Option<Vec<String>>,
    id_token: Option<SecretString>,
    issuer: Option<String>,
    dpop_key: Option<SecretString>,
    #[serde(default)]
    extra: BTreeMap<String, String>,
}

impl From<Stored> for TokenSet {
    fn from(stored: Stored) -> Self {
        Self {
            access_token: stored.access_token,
            refresh_token: stored.refresh_token,
            token_type: stored.token_type,
            expires_at: stored.expires_at.map(from_unix_millis),
            refresh_expires_at: stored.refresh_expires_at.map(from_unix_millis),
            scopes: stored.scopes,
            id_token: stored.id_token,
            issuer: stored.issuer,
            dpop_key: stored.dpop_key,
            extra: stored.extra,
        }
    }
}
