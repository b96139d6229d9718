//! The keys under which arguments are hashed, kept at hand for a while.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use hmac::KeyInit;
use tool_connect_core::store::{AuditStore, SubjectKey};
use tool_connect_core::{Error, ErrorKind, Result, TenantId, UserId};

use super::encode::{Key, Signer};
use super::writer::within;

/// So many keys are kept.
const MAX_KEYS: usize = 65_536;
/// After this many nanoseconds a key is asked for again, so that an erasure by another process is
/// noticed: a minute.
const LIFE: u64 = 60_000_000_000;

/// Keys by person.
#[derive(Default)]
pub(super) struct Keys {
    known: HashMap<Box<str>, (Key, u64), foldhash::fast::RandomState>,
    name: String,
}

impl Keys {
    /// One text for both ids; they hold no control characters.
    fn name(&mut self, tenant: &TenantId, user: &UserId) -> &str {
        self.name.clear();
        self.name.push_str(tenant.as_str());
        self.name.push('\0');
        self.name.push_str(user.as_str());
        &self.name
    }

    pub(super) fn get(&mut self, tenant: &TenantId, user: &UserId, now: u64) -> Option<Key> {
        self.name(tenant, user);
        let (key, until) = self.known.get(self.name.as_str())?;
        (*until > now).then(|| key.clone())
    }

    pub(super) fn insert(&mut self, tenant: &TenantId, user: &UserId, key: Key, now: u64) {
        if self.known.len() >= MAX_KEYS {
            self.known.retain(|_, (_, until)| *until > now);
            if self.known.len() >= MAX_KEYS / 2 {
                self.known.clear();
            }
        }
        let name = Box::from(self.name(tenant, user));
        self.known.insert(name, (key, now.saturating_add(LIFE)));
    }

    pub(super) fn forget(&mut self, tenant: &TenantId, user: &UserId) {
        self.name(tenant, user);
        self.known.remove(self.name.as_str());
    }
}

/// A person's key from the store, made now if they have none.
pub(super) async fn subject_key(
    store: &dyn AuditStore,
    timeout: Duration,
    tenant: &TenantId,
    user: &UserId,
) -> Result<Key> {
    let mut candidate = [0; 32];
    getrandom::fill(&mut candidate)
        .map_err(|_| Error::new(ErrorKind::Internal, "the system has no randomness for an audit key"))?;
    let key = within(timeout, store.subject_key(tenant, user, SubjectKey(candidate))).await?;
    let Some(key) = key else { return Ok(Key::Erased) };
    let signer = Signer::new_from_slice(&key.0)
        .map_err(|_| Error::new(ErrorKind::Internal, "an audit key cannot be used"))?;
    Ok(Key::Known(Arc::new(signer)))
}
