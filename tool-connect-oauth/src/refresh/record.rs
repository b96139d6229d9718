//! Secrets in and out of the store.

use std::sync::Arc;
use std::time::SystemTime;

use secrecy::ExposeSecret;
use tool_connect_core::store::{CredentialKey, CredentialKind, StoredCredential};
use tool_connect_core::{Connection, Error, ErrorKind, Result, SecretAccess};

use super::manager::Shared;
use crate::flow::Secret;
use crate::vault::{credential_place, place_of};

/// A stored secret, opened.
#[derive(Clone)]
pub(super) struct Loaded {
    pub(super) record: StoredCredential,
    pub(super) secret: Arc<Secret>,
}

pub(super) fn key_of(connection: &Connection) -> CredentialKey {
    CredentialKey::new(CredentialKind::Connection, connection.id.as_str())
}

impl Shared {
    /// Reads the record, sealed.
    pub(super) async fn record(&self, connection: &Connection) -> Result<Option<StoredCredential>> {
        self.in_time(self.credentials.get(&connection.tenant, &key_of(connection))).await
    }

    /// Reads and opens the secret. What was opened before is not opened again where it is the same version.
    pub(super) async fn load(
        &self,
        connection: &Connection,
        known: Option<&Loaded>,
        purpose: &str,
    ) -> Result<Option<Loaded>> {
        let Some(record) = self.record(connection).await? else { return Ok(None) };
        if let Some(known) = known.filter(|known| known.record.version == record.version) {
            return Ok(Some(known.clone()));
        }
        let access = SecretAccess::system("token_manager", purpose);
        let opened = self.in_time(self.vault.open(&place_of(&record), &record.sealed, &access)).await?;
        let secret = Arc::new(Secret::from_bytes(opened.expose_secret())?);
        Ok(Some(Loaded { record, secret }))
    }

    /// The record with another secret in it, not written yet.
    pub(super) async fn resealed(
        &self,
        connection: &Connection,
        record: Option<StoredCredential>,
        secret: &Secret,
        expires: Option<SystemTime>,
    ) -> Result<StoredCredential> {
        let owner = record.as_ref().map_or_else(|| connection.owner.clone(), |record| record.owner.clone());
        let place = credential_place(&connection.tenant, &owner, &key_of(connection));
        let sealed = self.in_time(self.vault.seal(&place, &secret.to_bytes()?)).await?;
        let key_id = self.vault.key_id(&sealed)?;
        let mut record = record.unwrap_or_else(|| {
            StoredCredential::new(connection.tenant.clone(), key_of(connection), owner, Vec::new(), "")
        });
        record.sealed = sealed;
        record.key_id = key_id;
        record.expires = expires;
        record.intent = None;
        if let Some(issuer) = secret.tokens().and_then(|tokens| tokens.issuer.clone()) {
            record.issuer = Some(issuer);
        }
        Ok(record)
    }

    /// Writes a record; `None` where somebody else wrote it first.
    pub(super) async fn put(&self, record: StoredCredential) -> Result<Option<StoredCredential>> {
        match self.in_time(self.credentials.put(record)).await {
            Ok(record) => Ok(Some(record)),
            Err(error) if error.kind() == ErrorKind::Conflict => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A store that hangs does not hang a renewal.
    pub(super) async fn in_time<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::time::timeout(super::STORE_TIME, work).await.unwrap_or_else(|_| {
            let seconds = super::STORE_TIME.as_secs();
            Err(Error::new(ErrorKind::Storage, format!("the store did not answer within {seconds} s")))
        })
    }
}
