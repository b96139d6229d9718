//! Rate limiting by GCRA, the token bucket that needs one timestamp per key.
//!
//! `limiter` is the whole: `class` and `live` are its limits, `table` its keys, `decision` takes from several of them at
//! once, `gcra` is the arithmetic. `cell` is a single limit without keys. `layer` and `wait` stand in front of services.

mod answer;
mod cell;
mod class;
mod decision;
mod gcra;
mod keys;
mod layer;
mod limiter;
mod live;
mod settings;
mod table;
mod wait;

pub use answer::{Cause, Quota, Refused};
pub use cell::Cell;
pub use class::{ClassId, DefineError};
pub use keys::{Charge, ChargesOf, In};
pub use layer::{RateLimit, RateLimitFuture, RateLimitLayer};
pub use limiter::{Limiter, LimiterBuilder};
pub use settings::{InvalidLimit, Limit};
pub use wait::{RateLimitWait, RateLimitWaitFuture, RateLimitWaitLayer};
