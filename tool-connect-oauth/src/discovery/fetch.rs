//! Metadata over the network, kept for a while: what was found, and that nothing was.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use quick_cache::sync::Cache;
use tool_connect_core::{Clock, Error, ErrorKind, Result, Retry};
use url::Url;

use super::challenge::Challenge;
use super::resource::ResourceMetadata;
use super::server::{Profile, ServerMetadata, checked, issuer_url, shown};
use super::well_known::{resource_addresses, server_addresses};
use crate::catalog::ProviderEntry;
use crate::flow::{Answer, Asked, OAuthHttp};

/// How metadata is looked for and kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiscoverySettings {
    /// What is asked of servers.
    pub profile: Profile,
    /// How long metadata is kept: an hour unless set.
    pub ttl: Duration,
    /// How long it is remembered that there is none, or that it is refused: a minute unless set.
    pub negative_ttl: Duration,
    /// How many servers and resources are kept: 1,024 unless set.
    pub capacity: usize,
    /// Whether `http` is accepted on this machine: for development. The transport must allow it too.
    pub allow_loopback: bool,
}

impl Default for DiscoverySettings {
    fn default() -> Self {
        Self {
            profile: Profile::OAuth,
            ttl: Duration::from_secs(3600),
            negative_ttl: Duration::from_secs(60),
            capacity: 1024,
            allow_loopback: false,
        }
    }
}

/// Finds the metadata of authorization servers and protected resources.
///
/// All requests go through the transport of its [`OAuthHttp`], so the host's address guard holds for every address that a
/// stranger names. Concurrent look-ups of one server share one request.
///
/// ```
/// # async fn example(http: tool_connect_oauth::flow::OAuthHttp) -> tool_connect_core::Result<()> {
/// use std::sync::Arc;
/// use tool_connect_core::SystemClock;
/// use tool_connect_oauth::discovery::Discovery;
///
/// let discovery = Discovery::new(http, Arc::new(SystemClock));
/// let server = discovery.server("https://as.example").await?;
/// let entry = server.entry("their_server");
/// # Ok(())
/// # }
/// ```
pub struct Discovery {
    http: OAuthHttp,
    clock: Arc<dyn Clock>,
    settings: DiscoverySettings,
    servers: Cache<String, Kept<ServerMetadata>>,
    resources: Cache<String, Kept<ResourceMetadata>>,
}

impl fmt::Debug for Discovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Discovery").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// A resource, and the authorization server that gives tokens for it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DiscoveredServer {
    /// The resource.
    pub resource: Arc<ResourceMetadata>,
    /// Its authorization server.
    pub server: Arc<ServerMetadata>,
}

impl DiscoveredServer {
    /// A catalog entry for it under an id of the host's choice.
    #[must_use]
    pub fn entry(&self, id: &str) -> ProviderEntry {
        self.server.entry(id)
    }
}

/// What is remembered of a look-up.
struct Kept<T> {
    /// By the monotonic clock.
    until: u64,
    found: Result<Arc<T>, Refusal>,
}

impl<T> Clone for Kept<T> {
    fn clone(&self) -> Self {
        Self { until: self.until, found: self.found.clone() }
    }
}

/// A refusal that stays one for a while.
#[derive(Clone)]
struct Refusal {
    kind: ErrorKind,
    message: Arc<str>,
}

impl Discovery {
    /// Discovery with the usual settings.
    #[must_use]
    pub fn new(http: OAuthHttp, clock: Arc<dyn Clock>) -> Self {
        Self::with_settings(http, clock, DiscoverySettings::default())
    }

    /// Discovery with settings of the host's.
    #[must_use]
    pub fn with_settings(http: OAuthHttp, clock: Arc<dyn Clock>, settings: DiscoverySettings) -> Self {
        let capacity = settings.capacity.max(1);
        Self { http, clock, settings, servers: Cache::new(capacity), resources: Cache::new(capacity) }
    }

    /// The metadata of an authorization server.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] where the text is no issuer; [`ErrorKind::NotFound`] where the server publishes none;
    /// [`ErrorKind::Blocked`] where an address is refused or the metadata speaks for another issuer; those of
    /// [`ServerMetadata::parse`] and of the transport.
    pub async fn server(&self, issuer: &str) -> Result<Arc<ServerMetadata>> {
        let url = issuer_url(issuer, self.settings.allow_loopback)?;
        self.cached(&self.servers, issuer, self.fetch_server(issuer, &url)).await
    }

    /// The metadata of a protected resource.
    ///
    /// `challenge` is what the resource answered where it wanted a token; its `resource_metadata` (RFC 9728 §5.1) says where
    /// to look. Without one, the well-known places are asked.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] where the resource publishes none; otherwise as [`server`](Self::server).
    pub async fn resource(
        &self,
        resource: &Url,
        challenge: Option<&Challenge>,
    ) -> Result<Arc<ResourceMetadata>> {
        checked(resource.as_str(), self.settings.allow_loopback).map_err(|why| {
            Error::new(ErrorKind::Config, format!("`{}` is no resource: {why}", shown(resource.as_str())))
        })?;
        let named = match challenge.and_then(|challenge| challenge.parameter("resource_metadata")) {
            Some(text) => Some(checked(text, self.settings.allow_loopback).map_err(|why| {
                Error::new(
                    ErrorKind::Blocked,
                    format!(
                        "resource `{}` names a place of its metadata that is refused: {why}",
                        shown(resource.as_str())
                    ),
                )
            })?),
            None => None,
        };
        let key = format!("{resource}\n{}", named.as_ref().map_or("", Url::as_str));
        let places = match named {
            Some(place) => vec![(place, resource.clone())],
            None => resource_addresses(resource),
        };
        self.cached(&self.resources, &key, self.fetch_resource(resource, places)).await
    }

    /// The resource and the first of its authorization servers.
    ///
    /// # Errors
    /// As [`resource`](Self::resource) and [`server`](Self::server).
    pub async fn for_resource(
        &self,
        resource: &Url,
        challenge: Option<&Challenge>,
    ) -> Result<DiscoveredServer> {
        let resource = self.resource(resource, challenge).await?;
        let issuer = resource.authorization_servers.first().map_or("", String::as_str);
        let server = self.server(issuer).await?;
        Ok(DiscoveredServer { resource, server })
    }

    async fn fetch_server(&self, issuer: &str, url: &Url) -> Result<ServerMetadata> {
        let asked = Asked::new(issuer, "authorization server metadata");
        for place in server_addresses(url) {
            if let Some(answer) = self.ask(asked, &place).await? {
                let settings = &self.settings;
                return ServerMetadata::parse(
                    issuer,
                    &answer.body,
                    settings.profile,
                    settings.allow_loopback,
                );
            }
        }
        Err(Error::new(
            ErrorKind::NotFound,
            format!(
                "authorization server `{}` publishes no metadata (RFC 8414); add a catalog entry with its endpoints",
                shown(issuer)
            ),
        ))
    }

    async fn fetch_resource(&self, resource: &Url, places: Vec<(Url, Url)>) -> Result<ResourceMetadata> {
        let asked = Asked::new(resource.as_str(), "protected resource metadata");
        for (place, identifier) in places {
            if let Some(answer) = self.ask(asked, &place).await? {
                return ResourceMetadata::parse(&identifier, &answer.body);
            }
        }
        Err(Error::new(
            ErrorKind::NotFound,
            format!("resource `{}` publishes no metadata (RFC 9728)", shown(resource.as_str())),
        ))
    }

    /// The document at a place; `None` where there is none, also where a page for people stands there instead.
    async fn ask(&self, asked: Asked<'_>, place: &Url) -> Result<Option<Answer>> {
        let answer = self.http.get(asked, place).await?;
        let status = answer.status;
        if status.is_client_error() && status != http::StatusCode::TOO_MANY_REQUESTS {
            return Ok(None);
        }
        let answer = answer.success(asked)?;
        let begins_as_json = answer.body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
        Ok(begins_as_json.then_some(answer))
    }

    /// Looks into the cache, and fills it. What may pass by itself is not remembered.
    async fn cached<T>(
        &self,
        cache: &Cache<String, Kept<T>>,
        key: &str,
        fetch: impl Future<Output = Result<T>>,
    ) -> Result<Arc<T>> {
        let now = self.clock.monotonic();
        cache.remove_if(key, |kept| kept.until <= now);
        let place = match cache.get_value_or_guard_async(key).await {
            Ok(kept) => return kept.found.map_err(Refusal::into_error),
            Err(place) => place,
        };
        let found = fetch.await;
        let (keep, ttl) = match &found {
            Ok(_) => (true, self.settings.ttl),
            Err(error) => (error.retry_advice() == Retry::Never, self.settings.negative_ttl),
        };
        let found = found.map(Arc::new);
        if keep {
            let ttl = u64::try_from(ttl.as_nanos()).unwrap_or(u64::MAX);
            let until = self.clock.monotonic().saturating_add(ttl);
            let found = match &found {
                Ok(metadata) => Ok(Arc::clone(metadata)),
                Err(error) => Err(Refusal { kind: error.kind(), message: error.message().into() }),
            };
            // The place may be gone where it was removed meanwhile; then nothing is remembered.
            let _ = place.insert(Kept { until, found });
        }
        found
    }
}

impl Refusal {
    fn into_error(self) -> Error {
        Error::new(self.kind, self.message.to_string())
    }
}
