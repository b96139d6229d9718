//! Leases in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;

use super::{lock, nanos, opaque_debug};
use crate::clock::Clock;
use crate::error::Result;
use crate::ids::TenantId;
use crate::store::{Fence, LeaseGrant, LeaseStore};

struct Lease {
    fence: Fence,
    /// In monotonic nanoseconds.
    end: u64,
}

#[derive(Default)]
struct State {
    /// One counter for all names, so that a forgotten lease leaves nothing behind and fences still rise.
    fence: Fence,
    tenants: HashMap<TenantId, HashMap<String, Lease>>,
}

impl State {
    /// The lease that this fence belongs to, if its time is not over.
    fn held(&mut self, tenant: &TenantId, name: &str, fence: Fence, now: u64) -> Option<&mut Lease> {
        let lease = self.tenants.get_mut(tenant)?.get_mut(name)?;
        (lease.fence == fence && lease.end > now).then_some(lease)
    }
}

/// [`LeaseStore`] in memory.
pub struct MemoryLeases {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

opaque_debug!(MemoryLeases);

impl MemoryLeases {
    /// An empty store; the clock's monotonic reading ends leases.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Mutex::default() }
    }
}

#[async_trait]
impl LeaseStore for MemoryLeases {
    async fn acquire(&self, tenant: &TenantId, name: &str, time: Duration) -> Result<LeaseGrant> {
        let mut state = lock(&self.state);
        // Read under the lock: what another caller took meanwhile is not judged by an older reading.
        let now = self.clock.monotonic();
        if let Some(lease) = state.tenants.get(tenant).and_then(|leases| leases.get(name))
            && lease.end > now
        {
            return Ok(LeaseGrant::Held { remaining: Duration::from_nanos(lease.end - now) });
        }
        state.fence += 1;
        let fence = state.fence;
        let lease = Lease { fence, end: now.saturating_add(nanos(time)) };
        state.tenants.entry(tenant.clone()).or_default().insert(name.to_owned(), lease);
        Ok(LeaseGrant::Granted { fence })
    }

    async fn renew(&self, tenant: &TenantId, name: &str, fence: Fence, time: Duration) -> Result<bool> {
        let mut state = lock(&self.state);
        let now = self.clock.monotonic();
        let Some(lease) = state.held(tenant, name, fence, now) else { return Ok(false) };
        lease.end = now.saturating_add(nanos(time));
        Ok(true)
    }

    async fn release(&self, tenant: &TenantId, name: &str, fence: Fence) -> Result<bool> {
        let mut state = lock(&self.state);
        let now = self.clock.monotonic();
        if state.held(tenant, name, fence, now).is_none() {
            return Ok(false);
        }
        if let Some(leases) = state.tenants.get_mut(tenant) {
            leases.remove(name);
            if leases.is_empty() {
                state.tenants.remove(tenant);
            }
        }
        Ok(true)
    }

    async fn purge(&self, age: Duration) -> Result<u64> {
        let mut state = lock(&self.state);
        let now = self.clock.monotonic();
        let mut dropped = 0;
        state.tenants.retain(|_, leases| {
            let kept = leases.len();
            leases.retain(|_, lease| lease.end.saturating_add(nanos(age)) > now);
            dropped += kept - leases.len();
            !leases.is_empty()
        });
        Ok(u64::try_from(dropped).unwrap_or(u64::MAX))
    }
}
