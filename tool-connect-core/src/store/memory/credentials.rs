//! Sealed secrets in memory.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::RwLock;

use async_trait::async_trait;

use super::{opaque_debug, read, write};
use crate::error::{Error, ErrorKind, Result};
use crate::ids::TenantId;
use crate::store::{CredentialCursor, CredentialFilter, CredentialKey, CredentialStore, StoredCredential};

type Rows = BTreeMap<CredentialKey, StoredCredential>;

#[derive(Default)]
struct State {
    /// One counter for all names, so that a deleted one leaves nothing behind and still no version comes again.
    version: u64,
    tenants: BTreeMap<TenantId, Rows>,
}

/// [`CredentialStore`] in memory.
#[derive(Default)]
pub struct MemoryCredentials {
    state: RwLock<State>,
}

opaque_debug!(MemoryCredentials);

impl MemoryCredentials {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl CredentialStore for MemoryCredentials {
    async fn put(&self, mut credential: StoredCredential) -> Result<StoredCredential> {
        let mut state = write(&self.state);
        let State { version, tenants } = &mut *state;
        let stored = tenants.get(&credential.tenant).and_then(|rows| rows.get(&credential.key));
        if stored.map_or(0, |row| row.version) != credential.version {
            return Err(Error::new(
                ErrorKind::Conflict,
                "the credential changed meanwhile or exists already; read it again and repeat the change",
            )
            .with("credential", &credential.key));
        }
        *version += 1;
        credential.version = *version;
        let rows = tenants.entry(credential.tenant.clone()).or_default();
        rows.insert(credential.key.clone(), credential.clone());
        Ok(credential)
    }

    async fn get(&self, tenant: &TenantId, key: &CredentialKey) -> Result<Option<StoredCredential>> {
        Ok(read(&self.state).tenants.get(tenant).and_then(|rows| rows.get(key)).cloned())
    }

    async fn delete(&self, tenant: &TenantId, key: &CredentialKey) -> Result<bool> {
        let mut state = write(&self.state);
        let Some(rows) = state.tenants.get_mut(tenant) else { return Ok(false) };
        let deleted = rows.remove(key).is_some();
        if rows.is_empty() {
            state.tenants.remove(tenant);
        }
        Ok(deleted)
    }

    async fn scan(
        &self,
        filter: &CredentialFilter,
        after: Option<&CredentialCursor>,
        limit: usize,
    ) -> Result<Vec<StoredCredential>> {
        let state = read(&self.state);
        let first = after.map_or(Bound::Unbounded, |(tenant, _)| Bound::Included(tenant));
        let found = state
            .tenants
            .range::<TenantId, _>((first, Bound::Unbounded))
            .filter(|(tenant, _)| filter.tenant.as_ref().is_none_or(|wanted| wanted == *tenant))
            .flat_map(|(tenant, rows)| {
                let place = after.filter(|(at, _)| at == tenant).map(|(_, key)| key);
                rows.range((place.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded))
            })
            .map(|(_, row)| row)
            .filter(|row| filter.admits(row))
            .take(limit)
            .cloned()
            .collect();
        Ok(found)
    }
}
