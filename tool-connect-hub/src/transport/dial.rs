//! Connections to services: guarded by name and by address, bounded from the look-up to the end of the handshake.

use std::error::Error as StdError;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::TokioIo;
use reqwest::dns::{Addrs, Resolve, Resolving};
use tokio::net::TcpStream;
use tool_connect_core::{Effect, Error, ErrorKind, Result};
use tower_service::Service;
use url::Url;

use super::access::NetworkAccess;
use super::guard::{Guard, no_address};
use super::resolve::Resolver;
use super::tls::Tls;

pub(super) type BoxError = Box<dyn StdError + Send + Sync>;
type BoxFuture<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;

/// A peer that is silent for so long is probed, as often as [`PROBES`] says.
const KEEPALIVE: Duration = Duration::from_secs(15);
const PROBES: u32 = 3;
/// Data that a peer has not taken for so long breaks the connection, where the system can be told so: without it a
/// connection that leads nowhere would be used for a quarter of an hour.
#[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
const UNTAKEN: Duration = Duration::from_secs(30);

/// Makes the connections of one pool. Cheap to clone, which the pool does for each request.
#[derive(Clone)]
pub(super) struct Dial(Arc<Inner>);

struct Inner {
    https: HttpsConnector<HttpConnector<Guarded>>,
    guard: Guard,
    tls: Arc<Tls>,
    bound: Duration,
}

impl Dial {
    pub(super) fn new(resolve: Guarded, tls: &Arc<Tls>, bound: Duration) -> Self {
        let guard = resolve.guard.clone();
        let mut http = HttpConnector::new_with_resolver(resolve);
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_keepalive(Some(KEEPALIVE));
        http.set_keepalive_interval(Some(KEEPALIVE));
        http.set_keepalive_retries(Some(PROBES));
        #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
        http.set_tcp_user_timeout(Some(UNTAKEN));
        http.set_connect_timeout(Some(bound));
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(tls.config.clone())
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(http);
        Self(Arc::new(Inner { https, guard, tls: Arc::clone(tls), bound }))
    }
}

impl Inner {
    /// Checks where a connection is about to go, and says it as it was checked: a host that is written in another form
    /// than it was judged in would be another host.
    fn checked(&self, uri: &Uri) -> Result<Uri> {
        let malformed = || Error::new(ErrorKind::InvalidArguments, "the request's URL is malformed");
        let url = Url::parse(&uri.to_string()).map_err(|_| malformed())?;
        self.guard.check_url(&url, &NetworkAccess::default())?;
        self.tls.check_roots(&url)?;
        url.as_str().parse().map_err(|_| malformed())
    }
}

impl Service<Uri> for Dial {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = BoxError;
    type Future = BoxFuture<Self::Response>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let Inner { https, bound, .. } = &*self.0;
        let (mut https, bound, checked) = (https.clone(), *bound, self.0.checked(&uri));
        Box::pin(async move {
            let uri = checked?;
            let host = uri.host().unwrap_or_default().to_owned();
            let connecting = async {
                poll_fn(|cx| https.poll_ready(cx)).await?;
                https.call(uri).await
            };
            tokio::time::timeout(bound, connecting).await.unwrap_or_else(|_| Err(slow(&host).into()))
        })
    }
}

fn slow(host: &str) -> Error {
    Error::new(ErrorKind::Transport, format!("`{host}` could not be connected to in time"))
        .effect(Effect::NotExecuted)
}

/// Resolves names; what it returns is all that is connected to.
#[derive(Clone)]
pub(super) struct Guarded {
    pub(super) guard: Guard,
    pub(super) resolver: Arc<dyn Resolver>,
}

impl Guarded {
    async fn addresses(self, name: &str) -> Result<impl Iterator<Item = SocketAddr> + Send + use<>> {
        let found = self.resolver.resolve(name).await.map_err(|error| no_address(name).caused_by(error))?;
        let kept = self.guard.keep_allowed(name, found, &NetworkAccess::default())?;
        // Port 0: the client puts in the URL's.
        Ok(kept.into_iter().map(|address| SocketAddr::new(address, 0)))
    }
}

impl Service<Name> for Guarded {
    type Response = Box<dyn Iterator<Item = SocketAddr> + Send>;
    type Error = BoxError;
    type Future = BoxFuture<Self::Response>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let this = self.clone();
        Box::pin(async move { Ok(Box::new(this.addresses(name.as_str()).await?) as Self::Response) })
    }
}

impl Resolve for Guarded {
    fn resolve(&self, name: reqwest::dns::Name) -> Resolving {
        let this = self.clone();
        Box::pin(async move { Ok(Box::new(this.addresses(name.as_str()).await?) as Addrs) })
    }
}
