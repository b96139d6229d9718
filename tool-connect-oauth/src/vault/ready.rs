//! Data keys that were used lately, set up: the value that is opened again and again (a webhook's secret, an API key) needs
//! neither the provider nor a derivation.

use std::sync::Arc;
use std::time::Duration;

use quick_cache::sync::Cache;
use tool_connect_core::{Owner, SealedPlace, TenantId};

use super::derive::PayloadKey;
use super::format::{COMMITMENT, Sealed};

/// A payload's key whose data key was unwrapped and whose commitment was checked, with what that was true of.
pub(super) struct Ready {
    pub(super) key: PayloadKey,
    key_id: Box<str>,
    wrapped: Box<[u8]>,
    tenant: TenantId,
    subject: Owner,
    since: u64,
}

/// By commitment: it names a data key, and tells nothing of it.
pub(super) struct ReadyKeys {
    keys: Cache<[u8; COMMITMENT], Arc<Ready>>,
    remember: u64,
}

impl ReadyKeys {
    pub(super) fn new(capacity: usize, remember: Duration) -> Self {
        Self { keys: Cache::new(capacity), remember: u64::try_from(remember.as_nanos()).unwrap_or(u64::MAX) }
    }

    /// The key of this very value: every byte that says which key it is must be the same as when it was unwrapped. The
    /// payload's associated data binds it to its place.
    pub(super) fn get(&self, place: &SealedPlace, sealed: &Sealed<'_>, now: u64) -> Option<Arc<Ready>> {
        let ready = self.keys.get(sealed.commitment)?;
        let same = *ready.key_id == *sealed.key_id
            && *ready.wrapped == *sealed.wrapped
            && ready.tenant == place.tenant
            && ready.subject == place.subject;
        (same && now.saturating_sub(ready.since) < self.remember).then_some(ready)
    }

    /// `since`: from when on it counts as remembered.
    pub(super) fn put(&self, place: &SealedPlace, sealed: &Sealed<'_>, key: PayloadKey, since: u64) {
        let ready = Ready {
            key,
            key_id: sealed.key_id.into(),
            wrapped: sealed.wrapped.into(),
            tenant: place.tenant.clone(),
            subject: place.subject.clone(),
            since,
        };
        self.keys.insert(*sealed.commitment, Arc::new(ready));
    }

    /// Forgets the keys of an erased subject.
    pub(super) fn forget(&self, tenant: &TenantId, subject: &Owner) {
        self.keys.retain(|_, ready| ready.tenant != *tenant || ready.subject != *subject);
    }
}
