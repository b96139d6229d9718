//! Tokens that are always fresh: kept in memory, renewed ahead of their end, once among all callers and all processes.
//!
//! [`TokenManager`] is the [`Authenticator`](tool_connect_core::Authenticator) of every scheme. What happens when, and what
//! the protocol between processes is, stands in `docs/oauth.md`.

mod access;
mod background;
mod demote;
mod fault;
mod manager;
mod mint;
mod plan;
mod record;
mod renew;
mod settings;
mod slot;

use std::time::Duration;

pub use access::Access;
pub use background::{SchemeSource, Sweep};
pub use manager::{TokenManager, TokenManagerBuilder};
pub use settings::{Recovery, RefreshSettings};

/// The key of a connection's configuration that names what its tokens are for (RFC 8707): URLs, a space between them. They go
/// with every token request.
pub const RESOURCE: &str = "resource";

/// How long a store may take for one answer.
const STORE_TIME: Duration = Duration::from_secs(10);
