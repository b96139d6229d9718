//! Integration tests of the Hub and its rooms: one binary.

mod audit;
mod calls;
#[cfg(feature = "reqwest")]
mod request;
mod search;
#[cfg(feature = "reqwest")]
mod server;
#[cfg(feature = "reqwest")]
mod transport;
#[cfg(feature = "reqwest")]
mod transport_proxy;
#[cfg(feature = "reqwest")]
mod transport_tls;
