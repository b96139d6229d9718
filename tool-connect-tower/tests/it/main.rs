//! What the mechanisms promise, tested from outside.

mod breaker;
mod concurrency;
mod deadline;
mod limit;
mod retry;
#[cfg(feature = "serde")]
mod settings;
mod support;
