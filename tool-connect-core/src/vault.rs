//! Sealing of secrets at rest: the trait; `tool-connect-oauth` has the implementation.

use std::time::SystemTime;

use async_trait::async_trait;
use secrecy::SecretSlice;
use serde::{Deserialize, Serialize};

use crate::connection::Owner;
use crate::error::Result;
use crate::ids::TenantId;
use crate::principal::Principal;

/// Where a sealed value belongs. It is authenticated with the value: moved to another place, the value does not open.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SealedPlace {
    /// The tenant.
    pub tenant: TenantId,
    /// Whose secret it is: what this subject's erasure makes unreadable.
    pub subject: Owner,
    /// The record: a connection's id, say, with the kind of record before it.
    pub record: String,
    /// The field of the record.
    pub field: String,
}

impl SealedPlace {
    /// A field of a record of a subject.
    #[must_use]
    pub fn new(
        tenant: TenantId,
        subject: Owner,
        record: impl Into<String>,
        field: impl Into<String>,
    ) -> Self {
        Self { tenant, subject, record: record.into(), field: field.into() }
    }
}

/// Who opens a secret, and what for; goes into the log of accesses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretAccess {
    /// Who.
    pub actor: SecretActor,
    /// What for: `call`, `refresh`, `revoke`.
    pub purpose: String,
}

impl SecretAccess {
    /// A principal, on whose behalf it is opened.
    #[must_use]
    pub fn by(principal: &Principal, purpose: impl Into<String>) -> Self {
        Self { actor: SecretActor::Principal(Box::new(principal.clone())), purpose: purpose.into() }
    }

    /// A task of the library itself.
    #[must_use]
    pub fn system(task: impl Into<String>, purpose: impl Into<String>) -> Self {
        Self { actor: SecretActor::System(task.into()), purpose: purpose.into() }
    }
}

/// Who opens a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SecretActor {
    /// A principal, on whose behalf it is opened.
    Principal(Box<Principal>),
    /// A task of the library itself: the refresher, say.
    System(String),
}

/// A secret that was opened, or that somebody tried to open. Borrowed: a log writes it down or copies what it needs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SecretOpened<'a> {
    /// When.
    pub time: SystemTime,
    /// Whose tenant's.
    pub tenant: &'a TenantId,
    /// Whose secret.
    pub subject: &'a Owner,
    /// The record.
    pub record: &'a str,
    /// The field.
    pub field: &'a str,
    /// The key that it was sealed with.
    pub key_id: &'a str,
    /// Who, and what for.
    pub access: &'a SecretAccess,
}

/// Where every opened secret is written down. A Hub's audit trail is one.
#[async_trait]
pub trait SecretAccessLog: Send + Sync + 'static {
    /// Writes it down before the secret is handed out.
    ///
    /// # Errors
    /// Where it cannot be written: then the secret is not handed out, unless the vault was told otherwise.
    async fn opened(&self, opened: &SecretOpened<'_>) -> Result<()>;
}

/// What a rewrap did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rewrapped {
    /// The value is under the current key already.
    Current,
    /// The value under the current key, to be stored instead of the old one.
    Changed(Vec<u8>),
}

/// Seals secrets, so that what is stored tells nothing and cannot be moved or changed.
///
/// Sealed values are opaque bytes; [`Vault::key_id`] tells which key they need.
#[async_trait]
pub trait Vault: Send + Sync + 'static {
    /// Seals a secret for its place.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) where the current key is missing (the message names its id);
    /// [`ErrorKind::Vault`](crate::ErrorKind::Vault) where the subject was erased.
    async fn seal(&self, place: &SealedPlace, secret: &[u8]) -> Result<Vec<u8>>;

    /// Opens a sealed value at its place, after the access was written down.
    ///
    /// # Errors
    /// [`ErrorKind::Vault`](crate::ErrorKind::Vault) where the value is damaged, not from this place, under an unknown or a
    /// refused key, or its subject was erased; the message names the record and the key id.
    async fn open(
        &self,
        place: &SealedPlace,
        sealed: &[u8],
        access: &SecretAccess,
    ) -> Result<SecretSlice<u8>>;

    /// Puts a value under the current key, without showing it to anybody.
    ///
    /// # Errors
    /// As [`open`](Vault::open).
    async fn rewrap(&self, place: &SealedPlace, sealed: &[u8]) -> Result<Rewrapped>;

    /// The id of the key that a sealed value needs.
    ///
    /// # Errors
    /// [`ErrorKind::Vault`](crate::ErrorKind::Vault) where the bytes are no sealed value.
    fn key_id(&self, sealed: &[u8]) -> Result<String>;

    /// The id of the key that new values of a tenant are sealed with.
    ///
    /// # Errors
    /// Where there is none.
    async fn current_key_id(&self, tenant: &TenantId) -> Result<String>;

    /// Destroys what is needed to open any value of a subject (crypto-shredding): also in old copies of the database, as
    /// long as they do not hold the subject's key.
    ///
    /// # Errors
    /// Where a store fails; then it may be called again.
    async fn erase(&self, tenant: &TenantId, subject: &Owner) -> Result<()>;
}
