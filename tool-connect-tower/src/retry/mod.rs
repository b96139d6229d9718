//! Trying again: when it is safe, when it helps, how long to wait, and when everybody must stop.
//!
//! `policy` decides from facts, `budget` bounds all retries together, `retry_after` reads the header, `random` is the
//! jitter; `layer` repeats the requests of a tower service, with `http` as the facts of an HTTP exchange.

mod budget;
mod http;
mod layer;
mod policy;
mod random;
mod retry_after;

pub use self::http::HttpRetry;
pub use budget::RetryBudget;
pub use layer::{Retry, RetryFuture, RetryLayer, Retryable};
pub use policy::{Effect, Facts, InvalidRetry, OverCap, RetryPolicy, RetrySettings, Stop};
pub use random::{Random, SplitMix};
pub use retry_after::parse_retry_after;
