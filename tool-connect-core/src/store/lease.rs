//! Leases: one of many processes does something at a time.

use std::time::Duration;

use async_trait::async_trait;

use crate::error::Result;
use crate::ids::TenantId;
use crate::store::Fence;

/// What became of an attempt to get a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LeaseGrant {
    /// It is the caller's, until its time ends or it is released.
    Granted {
        /// Higher than every fence before it of the same name.
        fence: Fence,
    },
    /// Another one holds it.
    Held {
        /// How long at most, unless it is renewed.
        remaining: Duration,
    },
}

/// Leases with fences. Time is the store's own, not the caller's: a database's clock where there is one.
///
/// A holder that stalls does not notice that its time is over; what it does afterwards must be conditional on its fence.
#[async_trait]
pub trait LeaseStore: Send + Sync + 'static {
    /// Takes the lease of a name where nobody holds it. Not even its holder gets it a second time.
    ///
    /// Of any number of callers at once exactly one gets it. A clock that goes back keeps a lease for its whole time once
    /// more, and no longer.
    ///
    /// # Errors
    /// Where the store fails.
    async fn acquire(&self, tenant: &TenantId, name: &str, time: Duration) -> Result<LeaseGrant>;

    /// Begins the lease's time anew; `false` where the fence is not the holder's any more, or its time is over.
    ///
    /// # Errors
    /// Where the store fails.
    async fn renew(&self, tenant: &TenantId, name: &str, fence: Fence, time: Duration) -> Result<bool>;

    /// Gives the lease up; `false` where the fence is not the holder's any more, or its time is over.
    ///
    /// # Errors
    /// Where the store fails.
    async fn release(&self, tenant: &TenantId, name: &str, fence: Fence) -> Result<bool>;

    /// Forgets leases that ended before `age` ago; returns how many. Fences keep rising nevertheless.
    ///
    /// # Errors
    /// Where the store fails.
    async fn purge(&self, age: Duration) -> Result<u64>;
}
