//! The request stack: what stands between a tool's request and the transport.
//! `send` repeats, `attempt` follows redirects, `exchange` is one request on the wire behind breaker
//! and limit; `cache` and `fresh` serve what the provider need not send again; `answer`, `redirect`, `rate_headers`, `provider` and `hosts` are what they decide by.

mod answer;
mod attempt;
mod cache;
mod exchange;
mod fresh;
mod hosts;
mod layer;
mod provider;
mod rate_headers;
mod redirect;
mod send;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use tool_connect_core::http::{Transport, TransportLimits};
use tool_connect_core::{
    AuthScheme, Authenticator, Clock, Connection, Connector, ConnectorLimits, Error, ErrorKind, EventKind,
    InstanceId, Result, TenantId, ToolId, UserId,
};
use tool_connect_tower::retry::{RetryPolicy, SplitMix};
use url::Url;

use self::cache::HttpCache;
pub use self::cache::{HttpCacheMode, HttpCacheSettings};
pub(crate) use self::fresh::CacheControl;
pub use self::hosts::BreakerView;
use self::hosts::Hosts;
pub use self::layer::{PerRequest, RequestEnd};
use self::provider::ProviderLimits;
use crate::transport::{Guard, HttpSettings, NetworkAccess};

/// What the registry keeps per connector instance for the request stack.
pub(crate) struct Endpoint {
    pub(crate) instance: InstanceId,
    pub(crate) base_url: Option<Url>,
    pub(crate) scheme: AuthScheme,
    pub(crate) limits: ConnectorLimits,
    pub(crate) connector: Arc<dyn Connector>,
    pub(crate) allowed: NetworkAccess,
}

impl Endpoint {
    /// Tells instances apart that are registered at the same time, even those of different tenants
    /// under the same id.
    fn identity(&self) -> usize {
        Arc::as_ptr(&self.connector).cast::<()>().addr()
    }

    /// Whether the credential may go to this URL.
    fn trusts(&self, url: &Url) -> bool {
        self.base_url.iter().chain(&self.allowed.credentials).any(|known| same_origin(known, url))
    }
}

/// Whether two URLs for requests have one origin (RFC 6454 §5). Unlike [`Url::origin`] it copies no host.
fn same_origin(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host() == other.host()
        && one.port_or_known_default() == other.port_or_known_default()
}

/// Whether a request goes where the URL leads, its path and query aside.
fn goes_to(request: &Uri, url: &Url) -> bool {
    let Some(authority) = request.authority() else { return false };
    let port = match authority.port() {
        Some(port) => Some(port.as_u16()),
        // A URL does not repeat its scheme's own port. What is no port of a number is none of it, either.
        None if authority.as_str().len() == authority.host().len() && url.port().is_none() => {
            url.port_or_known_default()
        }
        None => None,
    };
    request.scheme_str() == Some(url.scheme())
        && !authority.as_str().contains('@')
        && url.host_str().is_some_and(|host| host.eq_ignore_ascii_case(authority.host()))
        && port == url.port_or_known_default()
}

/// Whose request it is, and how much time it has.
#[derive(Clone, Copy)]
pub(crate) struct RequestScope<'a> {
    pub(crate) endpoint: &'a Endpoint,
    pub(crate) connection: Option<&'a Connection>,
    /// Monotonic nanoseconds of the Hub's clock.
    pub(crate) deadline: Option<u64>,
    pub(crate) tenant: &'a TenantId,
    pub(crate) user: &'a UserId,
    /// Whether the tool only reads.
    pub(crate) reads: bool,
    pub(crate) tool: &'a ToolId,
}

impl RequestScope<'_> {
    /// How much time the call has left at this moment, in monotonic nanoseconds; `None` where it has no deadline.
    fn time_left(&self, now: u64) -> Option<Duration> {
        Some(Duration::from_nanos(self.deadline?.saturating_sub(now)))
    }
}

/// One per Hub.
pub(crate) struct RequestStack {
    settings: HttpSettings,
    limits: TransportLimits,
    transport: Arc<dyn Transport>,
    authenticator: Arc<dyn Authenticator>,
    clock: Arc<dyn Clock>,
    events: Arc<dyn Fn(EventKind) + Send + Sync>,
    layers: Vec<Arc<dyn PerRequest>>,
    guard: Guard,
    policy: RetryPolicy,
    random: SplitMix,
    hosts: Hosts,
    cache: Option<Arc<HttpCache>>,
    provider: ProviderLimits,
}

impl RequestStack {
    /// A stack over a transport.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] that names the setting of retry or breaker that cannot be used.
    pub(crate) fn new(
        settings: HttpSettings,
        transport: Arc<dyn Transport>,
        authenticator: Arc<dyn Authenticator>,
        clock: Arc<dyn Clock>,
        events: Arc<dyn Fn(EventKind) + Send + Sync>,
        layers: Vec<Arc<dyn PerRequest>>,
    ) -> Result<Self> {
        let policy = RetryPolicy::new(settings.retry.clone())
            .map_err(|error| Error::new(ErrorKind::Config, format!("`http.retry`: {error}")))?;
        Ok(Self {
            limits: settings.limits(),
            guard: Guard::new(&settings.access),
            hosts: Hosts::new(&settings, Arc::clone(&events))?,
            provider: ProviderLimits::default(),
            // What a layer of the host's adds is in no key.
            cache: if layers.is_empty() { HttpCache::new(&settings.cache) } else { None },
            random: SplitMix::default(),
            policy,
            settings,
            transport,
            authenticator,
            clock,
            events,
            layers,
        })
    }

    /// Every breaker, by instance and host.
    pub(crate) fn breakers(&self) -> Vec<BreakerView> {
        self.hosts.views(self.clock.monotonic())
    }
}
