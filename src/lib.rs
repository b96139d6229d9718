//! Let the users of your app, and the agents that work for them, act in other people's services:
//! call a tool by name or by type, get a typed answer. Everything runs inside your process.
//!
//! This crate holds no code of its own: it puts the rooms of the house under one roof.
//!
//! | where | what |
//! | --- | --- |
//! | the root | contracts ([`Tool`], [`Connector`], [`ToolContext`], [`Principal`], [`Error`], ..) and the [`Hub`] |
//! | [`http`] | the HTTP client that tools see |
//! | [`schema`] | schemas of arguments and results |
//! | [`store`] | storage traits and their form in memory |
//! | [`audit`], [`transport`] | settings and handles of the Hub's audit trail and guarded transport |
//! | [`middleware`] | rate limit, circuit breaker, retry, concurrency, deadline: tower layers of their own |
//! | `stores` | storage on SQLite (feature `sqlite`) |
//! | `connectors` | connectors that come with the house (features `declarative`, `discovery`, `filesystem`, `github`, `http`, `notion`, `openapi`) |
//! | `testkit` | harness, mock hub, cassettes, conformance suites, lint (feature `testkit`) |
//!
//! A first call, with everything in memory:
//!
#![cfg_attr(feature = "macros", doc = "```")]
#![cfg_attr(not(feature = "macros"), doc = "```ignore")]
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//! use tool_connect::{Connector, ConnectorManifest, Hub, Principal, Result, Run, Tool, ToolContext, ToolSet};
//!
//! /// Adds two numbers.
//! #[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
//! #[tool(read_only, open_world = false)]
//! #[serde(deny_unknown_fields)]
//! struct Add {
//!     /// First number.
//!     a: i64,
//!     /// Second number.
//!     b: i64,
//! }
//!
//! impl Run for Add {
//!     type Output = i64;
//!     async fn run(self, _cx: &ToolContext) -> Result<i64> {
//!         Ok(self.a.saturating_add(self.b))
//!     }
//! }
//!
//! struct Calculator(ConnectorManifest);
//!
//! impl Connector for Calculator {
//!     fn manifest(&self) -> &ConnectorManifest {
//!         &self.0
//!     }
//!     fn tools(&self, set: &mut ToolSet) {
//!         set.add::<Add>();
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<()> {
//! let manifest = ConnectorManifest::new("calculator", semver::Version::new(1, 0, 0), "Calculator");
//! let hub = Hub::builder().connector(Calculator(manifest)).build()?;
//! let session = hub.session(Principal::user("acme", "ada")?);
//!
//! // Typed, in an app; by name with JSON, for an agent. Both pass the same stack.
//! assert_eq!(session.run(Add { a: 2, b: 3 }).await?, 5);
//! let outcome = session.call("calculator.add", r#"{"a": 2, "b": 40}"#).await?;
//! assert_eq!(outcome.into_output()?.parse::<i64>()?, 42);
//!
//! hub.shutdown().await?;
//! # Ok(())
//! # }
//! ```

#[doc(inline)]
pub use tool_connect_core::*;
#[doc(inline)]
pub use tool_connect_hub::*;

/// Rate limit, circuit breaker, retry, concurrency limit and deadline: each a plain mechanism and a
/// tower layer that works with nothing else of ours.
pub use tool_connect_tower as middleware;

/// Connectors that come with the house, a module and a feature each.
#[cfg(feature = "connectors")]
pub use tool_connect_connectors as connectors;

/// Accounts: OAuth from consent to refresh, the vault, the provider catalog.
#[cfg(feature = "oauth")]
pub use tool_connect_oauth as oauth;

/// Storage that outlives the process.
#[cfg(feature = "sqlite")]
pub use tool_connect_stores as stores;

/// For tests: harness, mock hub, cassettes, a clock to move, conformance suites, leak check, lint.
#[cfg(feature = "testkit")]
pub use tool_connect_testkit as testkit;

/// What derived code names; not for use by hand.
#[doc(hidden)]
pub use tool_connect_core::__private;

/// The README's example is compiled and run with the doctests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
