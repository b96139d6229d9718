//! Where sealed secrets are kept.

use std::fmt;
use std::time::SystemTime;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::connection::Owner;
use crate::error::Result;
use crate::ids::TenantId;

/// What a stored secret is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CredentialKind {
    /// The secret behind a connection; the id is the connection's.
    Connection,
    /// A client that the host configured at a provider.
    Client,
    /// A client that was registered at an authorization server by itself (RFC 7591).
    Registration,
    /// The key that a subject's secrets need.
    SubjectKey,
    /// Something of the host's or of another room's.
    Other,
}

impl CredentialKind {
    /// The kind's stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Client => "client",
            Self::Registration => "registration",
            Self::SubjectKey => "subject_key",
            Self::Other => "other",
        }
    }
}

/// Names a stored secret within its tenant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CredentialKey {
    /// What it is.
    pub kind: CredentialKind,
    /// Its id among those.
    pub id: String,
}

impl CredentialKey {
    /// A secret of a kind.
    #[must_use]
    pub fn new(kind: CredentialKind, id: impl Into<String>) -> Self {
        Self { kind, id: id.into() }
    }
}

impl fmt::Display for CredentialKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.as_str(), self.id)
    }
}

/// That somebody is about to spend the refresh token. Written before the request is sent, so that whoever finds it after a
/// crash knows that the token may have been spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshIntent {
    /// The fence of the lease under which it was written.
    pub fence: u64,
    /// When it was written, by the store's clock.
    pub since: SystemTime,
}

/// A sealed secret and what may be known of it without opening it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredCredential {
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// Its name.
    pub key: CredentialKey,
    /// Whose it is.
    pub owner: Owner,
    /// Who issued it, for OAuth: the authorization server's issuer.
    pub issuer: Option<String>,
    /// The sealed secret.
    pub sealed: Vec<u8>,
    /// The key that it is sealed with.
    pub key_id: String,
    /// When it must be renewed; `None` where it does not end or cannot be renewed.
    pub expires: Option<SystemTime>,
    /// Whether its refresh token is being spent.
    pub intent: Option<RefreshIntent>,
    /// Raised by the store with each write, by one or more; for compare-and-swap.
    pub version: u64,
}

impl StoredCredential {
    /// A new secret.
    #[must_use]
    pub fn new(
        tenant: TenantId,
        key: CredentialKey,
        owner: Owner,
        sealed: Vec<u8>,
        key_id: impl Into<String>,
    ) -> Self {
        Self {
            tenant,
            key,
            owner,
            issuer: None,
            sealed,
            key_id: key_id.into(),
            expires: None,
            intent: None,
            version: 0,
        }
    }
}

impl fmt::Debug for StoredCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredCredential")
            .field("tenant", &self.tenant)
            .field("key", &self.key)
            .field("key_id", &self.key_id)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// Which secrets to page through; unset means any.
#[derive(Clone, Debug, Default)]
pub struct CredentialFilter {
    /// Of this tenant.
    pub tenant: Option<TenantId>,
    /// Of this kind.
    pub kind: Option<CredentialKind>,
    /// Of this owner.
    pub owner: Option<Owner>,
    /// Sealed with this key.
    pub key_id: Option<String>,
    /// To be renewed before this time; those without such a time are left out.
    pub expires_before: Option<SystemTime>,
}

impl CredentialFilter {
    /// Whether a secret is among those that are asked for.
    #[must_use]
    pub fn admits(&self, credential: &StoredCredential) -> bool {
        self.tenant.as_ref().is_none_or(|tenant| *tenant == credential.tenant)
            && self.kind.is_none_or(|kind| kind == credential.key.kind)
            && self.owner.as_ref().is_none_or(|owner| *owner == credential.owner)
            && self.key_id.as_ref().is_none_or(|key| *key == credential.key_id)
            && self.expires_before.is_none_or(|end| credential.expires.is_some_and(|at| at < end))
    }
}

/// Where a page ended.
pub type CredentialCursor = (TenantId, CredentialKey);

/// Where sealed secrets are kept. It never sees one in clear. Times are kept to the millisecond.
#[async_trait]
pub trait CredentialStore: Send + Sync + 'static {
    /// Writes a secret, durably: when this returns, it survives a crash and a power cut, whatever less the store promises
    /// for other writes.
    ///
    /// `credential.version` must be 0 for a new one, else the version that was read; the store raises it and returns the
    /// stored form. A version is never used twice for one name, also not after a deletion: who read a version can rely on
    /// it meaning that very content.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) where the version is not the stored one, or 0 and the name is
    /// taken, or the secret was deleted meanwhile.
    async fn put(&self, credential: StoredCredential) -> Result<StoredCredential>;

    /// Reads one; `None` where the tenant has none of that name.
    ///
    /// # Errors
    /// Where the store fails: that is not the same as "there is none".
    async fn get(&self, tenant: &TenantId, key: &CredentialKey) -> Result<Option<StoredCredential>>;

    /// Removes one, durably; returns whether it was there. Its bytes are overwritten where the medium allows it; so are
    /// those of a [`CredentialKind::SubjectKey`] when another value is put in their place.
    ///
    /// # Errors
    /// Where the store fails.
    async fn delete(&self, tenant: &TenantId, key: &CredentialKey) -> Result<bool>;

    /// The next secrets after a place, at most `limit`, in an order of the store's own that never changes. The place need
    /// not be there any more. A walk from place to place meets each secret that matches from its beginning to its end
    /// exactly once; one that is written meanwhile at most once for each version.
    ///
    /// For tasks of the host (renewal, rotation): it looks into all tenants, unless the filter names one. It costs as much
    /// as what it finds, not as what is stored, where the filter names a key or an end.
    ///
    /// # Errors
    /// Where the store fails, or the place is not one that this store gave.
    async fn scan(
        &self,
        filter: &CredentialFilter,
        after: Option<&CredentialCursor>,
        limit: usize,
    ) -> Result<Vec<StoredCredential>>;
}
