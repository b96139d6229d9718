//! For the tests of those who build with tool-connect.
//!
//! | who writes | uses |
//! | --- | --- |
//! | a connector | `Harness` (its tools in a real Hub, over a scripted provider), [`lint`], [`cassette`] |
//! | an app | `MockHub` (a real Hub whose tools answer as the test says) |
//! | a store | [`conformance`](mod@conformance) |
//! | who speaks OAuth | [`oauth`]: authorization servers that are strict, and go wrong on demand |
//! | any of them | [`ManualClock`], [`leak`] |
//!
//! `Harness` and `MockHub` come with the feature `hub`, which is on by default.
//!
//! ```
//! use std::time::Duration;
//! use tool_connect_core::Clock;
//! use tool_connect_testkit::ManualClock;
//!
//! let clock = ManualClock::new();
//! let before = clock.now();
//! clock.advance(Duration::from_secs(60));
//! assert_eq!(clock.now().duration_since(before)?, Duration::from_secs(60));
//! # Ok::<(), std::time::SystemTimeError>(())
//! ```

pub mod cassette;
mod clock;
pub mod conformance;
#[cfg(feature = "hub")]
mod harness;
pub mod leak;
pub mod lint;
#[cfg(feature = "hub")]
mod mock;
pub mod oauth;

pub use clock::ManualClock;
#[cfg(feature = "hub")]
pub use harness::{Answer, Harness, HarnessBuilder, SentRequest};
#[cfg(feature = "hub")]
pub use mock::{MockCall, MockHub};
