//! The circuit breaker: stop asking a service that is down, and find out cheaply when it is back.
//!
//! `core` is the state machine, `window` what it remembers of recent calls, `settings` and `observe` what a host says and
//! hears; `set` keeps one breaker per key; `layer` and `keyed` put them in front of a tower service.

mod core;
mod keyed;
mod layer;
mod observe;
mod probes;
mod set;
mod settings;
mod window;

pub use self::core::{Breaker, Permit};
pub use keyed::{KeyedBreaker, KeyedBreakerLayer};
pub use layer::{BreakerFuture, BreakerLayer, BreakerService};
pub use observe::{BreakerObserver, BreakerSnapshot, BreakerState, Counts, Open, Transition};
pub use set::{BreakerSet, BreakerSetBuilder};
pub use settings::{BreakerSettings, InvalidBreaker, Window};
