//! OAuth from consent to refresh, a vault for secrets, and a catalog of providers.

pub mod catalog;
pub mod connect;
pub mod discovery;
pub mod flow;
#[cfg(feature = "oidc")]
pub mod oidc;
pub mod refresh;
pub mod scheme;
pub mod vault;

pub use connect::{OAuth, OAuthBuilder};
