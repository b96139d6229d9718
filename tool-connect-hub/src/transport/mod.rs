//! The guarded transport: where requests may go, and how they get there.
//! `address`, `access` and `guard` decide; `resolve` looks names up; `dial` connects with `tls`, `clients` keeps the pools;
//! `client` sends, `direct` or `indirect` by a `proxy`, with `body` and `decode` at its sides.

use std::sync::Arc;

use tool_connect_core::Result;
use tool_connect_core::http::Transport;

mod access;
mod address;
mod guard;
mod resolve;
mod settings;

#[cfg(feature = "reqwest")]
mod body;
#[cfg(feature = "reqwest")]
mod client;
#[cfg(feature = "reqwest")]
mod clients;
#[cfg(feature = "reqwest")]
mod decode;
#[cfg(feature = "reqwest")]
mod dial;
#[cfg(feature = "reqwest")]
mod direct;
#[cfg(feature = "reqwest")]
mod indirect;
#[cfg(not(feature = "reqwest"))]
mod missing;
#[cfg(feature = "reqwest")]
mod proxy;
#[cfg(feature = "reqwest")]
mod tls;

pub use crate::request::{HttpCacheMode, HttpCacheSettings};
pub use access::{HostRule, NetworkAccess};
#[cfg(feature = "reqwest")]
pub use client::HttpTransport;
pub use guard::Guard;
pub use resolve::{Resolver, SystemResolver};
pub use settings::{HttpSettings, ProxySettings, Roots};

/// The transport of a Hub that was given none.
#[cfg(feature = "reqwest")]
pub(crate) fn default(settings: &HttpSettings) -> Result<Arc<dyn Transport>> {
    Ok(Arc::new(HttpTransport::new(settings)?))
}

/// The transport of a Hub that was given none: it says so when it is needed, for a Hub may have
/// connectors that make no requests.
#[cfg(not(feature = "reqwest"))]
pub(crate) fn default(_settings: &HttpSettings) -> Result<Arc<dyn Transport>> {
    Ok(Arc::new(missing::Missing))
}
