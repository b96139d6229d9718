//! Names to addresses, with the guard in between.

use std::io;
use std::net::IpAddr;

use async_trait::async_trait;

/// Looks up the addresses of a name. A host may bring its own; tests do.
#[async_trait]
pub trait Resolver: Send + Sync + 'static {
    /// The addresses of a host name; none where it is not known.
    ///
    /// # Errors
    /// Where the look-up itself fails.
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The operating system's resolver.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolver for SystemResolver {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((name, 0)).await?.map(|socket| socket.ip()).collect())
    }
}
