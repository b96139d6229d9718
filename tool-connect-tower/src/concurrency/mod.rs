//! How many calls may be in progress at once.
//!
//! `permits` is the counter and its permits, `acquire` waiting for one; `layer` and `wait` put it in front of a tower
//! service.

mod acquire;
mod layer;
mod permits;
mod wait;

pub use acquire::Acquire;
pub use layer::{ConcurrencyFuture, ConcurrencyLayer, ConcurrencyService};
pub use permits::{Busy, Concurrency, ConcurrencyPermit};
pub use wait::{ConcurrencyWait, ConcurrencyWaitFuture, ConcurrencyWaitLayer};
