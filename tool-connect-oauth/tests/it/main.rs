//! Integration tests, a folder for each room.

mod catalog;
mod connect;
mod counterparty;
mod discovery;
pub(crate) mod flow;
#[cfg(feature = "oidc")]
mod oidc;
mod refresh;
mod scheme;
mod vault;
