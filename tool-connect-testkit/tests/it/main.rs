//! Tests of the testkit itself.

#[cfg(feature = "hub")]
mod harness;
mod lint;
#[cfg(feature = "hub")]
mod mock;
mod snapshot;
mod stub;
