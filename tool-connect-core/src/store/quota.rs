//! Counters over long windows: so many calls a day or a month, shared by all processes.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use crate::error::Result;
use crate::ids::TenantId;

/// What is counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct QuotaKey {
    /// Tenant.
    pub tenant: TenantId,
    /// What within it: `tenant`, `user:ada`, `instance:github`.
    pub name: String,
}

/// A wish to count something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaRequest {
    /// What is counted.
    pub key: QuotaKey,
    /// How much is taken.
    pub cost: u64,
    /// How much a window holds.
    pub limit: u64,
    /// How long a window is, at least a millisecond; windows begin at multiples of it since the Unix epoch.
    pub window: Duration,
}

/// Whether it could be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaDecision {
    /// The first wish that did not fit, as an index; `None` means that everything was taken.
    pub refused: Option<usize>,
    /// For each wish, how much its window has left now.
    pub remaining: Vec<u64>,
    /// For each wish, when its window ends.
    pub resets: Vec<SystemTime>,
}

/// Where long-window counters are kept.
///
/// Guarantee: never more than `limit` is taken in a window, by any number of processes.
#[async_trait]
pub trait QuotaStore: Send + Sync + 'static {
    /// Takes everything or nothing, atomically. The same counter may be named several times; a wish
    /// that costs nothing is never refused. Uses of one name with different windows are counted
    /// apart.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for a window shorter than a millisecond; where
    /// the store fails. Nothing is taken then.
    async fn acquire(&self, requests: &[QuotaRequest]) -> Result<QuotaDecision>;

    /// Drops counters of windows that have ended; returns how many.
    ///
    /// # Errors
    /// Where the store fails.
    async fn purge(&self) -> Result<u64>;
}
