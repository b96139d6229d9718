//! The storage traits in memory: for tests, and for hosts whose data need not outlive the process.
//! They keep to the same rules as the durable stores, need no runtime and start no thread; what
//! has ended is dropped by the calls that come later, a bounded amount each, or by `purge`.
//!
//! ```
//! use std::sync::Arc;
//! use tool_connect_core::{SystemClock, store::{ConnectionStore, Stores, memory::MemoryConnections}};
//!
//! let mut stores = Stores::in_memory();
//! // A host may exchange any of them for its own.
//! stores.connections = Arc::new(MemoryConnections::new(Arc::new(SystemClock)));
//! ```

mod approvals;
mod audit;
mod authorizations;
mod connections;
mod credentials;
mod grants;
mod idempotency;
mod leases;
mod quotas;
mod results;

pub use approvals::MemoryApprovals;
pub use audit::MemoryAudit;
pub use authorizations::MemoryAuthorizations;
pub use connections::MemoryConnections;
pub use credentials::MemoryCredentials;
pub use grants::MemoryGrants;
pub use idempotency::MemoryIdempotency;
pub use leases::MemoryLeases;
pub use quotas::MemoryQuotas;
pub use results::MemoryResults;

use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, SystemTime};

use crate::clock::{from_unix_millis, unix_millis};

/// The last millisecond of the year 9999: what never ends, ends there, so that every platform
/// and every database can hold it.
const LAST_MILLI: u64 = 253_402_300_799_999;

/// When something that is kept for so long ends.
fn ends_after(now: SystemTime, keep: Duration) -> SystemTime {
    let keep = u64::try_from(keep.as_millis()).unwrap_or(u64::MAX);
    from_unix_millis(unix_millis(now).saturating_add(keep).min(LAST_MILLI))
}

/// A span in the nanoseconds of [`Clock::monotonic`](crate::Clock::monotonic).
fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

// Each critical section below leaves its data whole at every point where it could panic (only an
// allocation can), so a poisoned lock is taken over.

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

/// `Debug` that names the type and nothing that it holds.
macro_rules! opaque_debug {
    ($name:ident) => {
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}
use opaque_debug;
