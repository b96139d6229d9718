//! Sends requests through reqwest, each connection made only to addresses that the guard passed.

use std::error::Error as StdError;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Certificate, Client, ClientBuilder, redirect};
use tool_connect_core::http::{ByteStream, RequestBody, Transport, TransportLimits};
use tool_connect_core::{Effect, Error, ErrorKind, Result};
use url::{Host, Url};

use super::access::{HostRule, NetworkAccess};
use super::body::{Watched, cause};
use super::decode;
use super::guard::{Guard, no_address};
use super::proxy::Proxies;
use super::resolve::{Resolver, SystemResolver};
use super::settings::{HttpSettings, Roots};

/// Connection pools kept for instances with an access of their own; the oldest is dropped first.
const MOST_CLIENTS: usize = 64;

/// The transport over reqwest and rustls, with the address guard at the URL and at the resolver.
///
/// It follows no redirect, asks no proxy unless the settings name one, decodes gzip within a ratio,
/// and installs no TLS provider. A [`NetworkAccess`] in a request's extensions opens more for that
/// request; requests with different accesses never share a connection.
///
/// ```
/// use tool_connect_hub::transport::{HttpSettings, ReqwestTransport};
///
/// let transport = ReqwestTransport::new(&HttpSettings::default())?;
/// # let _ = transport;
/// # Ok::<(), tool_connect_core::Error>(())
/// ```
#[derive(Clone)]
pub struct ReqwestTransport(Arc<Inner>);

struct Inner {
    guard: Guard,
    ratio: u32,
    source: Source,
}

enum Source {
    Ours(Box<Ours>),
    /// The host's own, which resolves names itself.
    Host(Client),
}

struct Ours {
    settings: HttpSettings,
    certificates: Vec<Certificate>,
    resolver: Arc<dyn Resolver>,
    proxies: Proxies,
    /// Why the machine's root certificates cannot be used.
    rootless: Option<String>,
    usual: Client,
    others: Mutex<Vec<(Key, Client)>>,
}

/// Requests that may share connections.
#[derive(Clone, PartialEq, Eq)]
struct Key {
    rules: Vec<HostRule>,
    connect: Duration,
}

impl fmt::Debug for ReqwestTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReqwestTransport").field("guard", &self.0.guard).finish_non_exhaustive()
    }
}

impl ReqwestTransport {
    /// A transport that resolves names as the operating system does.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] where a proxy, a root certificate or the user agent cannot be used.
    pub fn new(settings: &HttpSettings) -> Result<Self> {
        Self::with_resolver(settings, Arc::new(SystemResolver))
    }

    /// A transport that asks `resolver` for addresses; the guard still checks each of them.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_resolver(settings: &HttpSettings, resolver: Arc<dyn Resolver>) -> Result<Self> {
        let proxies = Proxies::new(&settings.proxy)?;
        let certificates = certificates(&settings.roots)?;
        let key = Key { rules: Vec::new(), connect: settings.connect };
        let parts = Parts { settings, certificates: &certificates, resolver: &resolver, proxies: &proxies };
        let (usual, rootless) = match parts.client(&key, false) {
            Ok(client) => (client, None),
            // A host that speaks https to nobody must be able to start on a bare image.
            Err(why) if settings.roots == Roots::Platform => {
                (parts.client(&key, true).map_err(unusable)?, Some(innermost(&why)))
            }
            Err(why) => return Err(unusable(why)),
        };
        let source = Source::Ours(Box::new(Ours {
            settings: settings.clone(),
            certificates,
            resolver,
            proxies,
            rootless,
            usual,
            others: Mutex::default(),
        }));
        let guard = Guard::new(&settings.access);
        Ok(Self(Arc::new(Inner { guard, ratio: settings.max_decompression_ratio, source })))
    }

    /// A transport over a client that the host made.
    ///
    /// URLs are still checked, but the client resolves names by itself, so the host answers for
    /// names that lead inwards. The client must follow no redirects
    /// (`redirect::Policy::none()`): an answer from elsewhere than asked is refused.
    #[must_use]
    pub fn from_client(client: Client, access: &NetworkAccess) -> Self {
        let ratio = HttpSettings::default().max_decompression_ratio;
        Self(Arc::new(Inner { guard: Guard::new(access), ratio, source: Source::Host(client) }))
    }
}

#[async_trait]
impl Transport for ReqwestTransport {
    async fn send(
        &self,
        request: http::Request<RequestBody>,
        limits: &TransportLimits,
    ) -> Result<http::Response<ByteStream>> {
        let (parts, body) = request.into_parts();
        let url = Url::parse(&parts.uri.to_string()).map_err(|_| {
            Error::new(ErrorKind::InvalidArguments, "the request's URL is not absolute or malformed")
        })?;
        let closed = NetworkAccess::default();
        let extra = parts.extensions.get::<NetworkAccess>().unwrap_or(&closed);
        let Inner { guard, ratio, source } = &*self.0;
        guard.check_url(&url, extra)?;
        let client = match source {
            Source::Host(client) => client.clone(),
            Source::Ours(ours) => {
                ours.check_roots(&url)?;
                if ours.proxies.any() {
                    ours.check_proxied(&url, guard, extra, limits.connect).await?;
                }
                ours.client(extra, limits.connect)?
            }
        };

        let mut outbound = reqwest::Request::new(parts.method, url.clone());
        *outbound.headers_mut() = parts.headers;
        let gzip = decode::ask(outbound.headers_mut());
        let streams = matches!(body, RequestBody::Stream(..));
        *outbound.body_mut() = match body {
            RequestBody::Empty => None,
            RequestBody::Bytes(bytes) => Some(bytes.into()),
            RequestBody::Stream(stream, length) => {
                if let Some(length) = length {
                    outbound.headers_mut().insert(http::header::CONTENT_LENGTH, length.into());
                }
                Some(reqwest::Body::wrap_stream(stream))
            }
            _ => {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    "this kind of body is not known to the transport",
                ));
            }
        };

        let sent = client.execute(outbound);
        // The time until the head is there counts the sending of the body, which for a stream takes as long as it takes: there
        // only the attempt's own bound holds.
        let answer = if streams {
            Ok(sent.await)
        } else {
            tokio::time::timeout(limits.connect.saturating_add(limits.head), sent).await
        };
        let answer = match answer {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(failed(error, &url)),
            Err(_) => return Err(silent(&url, limits.head)),
        };
        if *answer.url() != url {
            return Err(Error::new(
                ErrorKind::Blocked,
                "the HTTP client followed a redirect by itself; build it with `redirect::Policy::none()`",
            )
            .effect(Effect::Unknown));
        }
        let mut response = http::Response::new(());
        *response.status_mut() = answer.status();
        *response.version_mut() = answer.version();
        *response.headers_mut() = answer.headers().clone();
        let gzip = gzip && decode::take_gzip(response.headers_mut());
        let body: ByteStream = Box::pin(Watched::new(answer.bytes_stream(), limits.idle));
        let body = if gzip { decode::gunzip(body, *ratio) } else { body };
        Ok(response.map(|()| body))
    }
}

impl Ours {
    /// Says before connecting why no TLS handshake could succeed.
    fn check_roots(&self, url: &Url) -> Result<()> {
        match &self.rootless {
            Some(why) if url.scheme() == "https" => Err(Error::new(
                ErrorKind::Config,
                "this machine has no usable root certificates, so no service can be trusted; install them (the package is often called ca-certificates), or set `roots`",
            )
            .with("cause", why)),
            _ => Ok(()),
        }
    }

    /// Checks what a proxy is about to be asked for: it chooses the address, so all must pass.
    async fn check_proxied(
        &self,
        url: &Url,
        guard: &Guard,
        extra: &NetworkAccess,
        bound: Duration,
    ) -> Result<()> {
        let Some(Host::Domain(name)) = url.host() else { return Ok(()) };
        let addresses = match tokio::time::timeout(bound, self.resolver.resolve(name)).await {
            Ok(Ok(addresses)) => addresses,
            Ok(Err(error)) => return Err(no_address(name).caused_by(error)),
            Err(_) => return Err(no_address(name).with("cause", "the look-up took too long")),
        };
        if addresses.is_empty() {
            return Err(no_address(name));
        }
        addresses.into_iter().try_for_each(|address| guard.check_address(Some(name), address, extra))
    }

    fn client(&self, extra: &NetworkAccess, connect: Duration) -> Result<Client> {
        if extra.allow.is_empty() && connect == self.settings.connect {
            return Ok(self.usual.clone());
        }
        let key = Key { rules: extra.allow.clone(), connect };
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, client)) = others.iter().find(|(known, _)| *known == key) {
            return Ok(client.clone());
        }
        let Self { settings, certificates, resolver, proxies, rootless, .. } = self;
        let parts = Parts { settings, certificates, resolver, proxies };
        let client = parts.client(&key, rootless.is_some()).map_err(unusable)?;
        if others.len() >= MOST_CLIENTS {
            others.remove(0);
        }
        others.push((key, client.clone()));
        Ok(client)
    }
}

/// What a client is made of.
struct Parts<'a> {
    settings: &'a HttpSettings,
    certificates: &'a [Certificate],
    resolver: &'a Arc<dyn Resolver>,
    proxies: &'a Proxies,
}

impl Parts<'_> {
    fn client(&self, key: &Key, rootless: bool) -> reqwest::Result<Client> {
        let Self { settings, certificates, resolver, proxies } = self;
        let mut access = settings.access.clone();
        access.allow.extend(proxies.hosts.iter().chain(&key.rules).cloned());
        let resolve = Guarded { guard: Guard::new(&access), resolver: Arc::clone(resolver) };
        let mut builder = Client::builder()
            .user_agent(&settings.user_agent)
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .tcp_nodelay(true)
            .connect_timeout(key.connect)
            .pool_idle_timeout(settings.pool_idle)
            .pool_max_idle_per_host(settings.pool_per_host)
            .dns_resolver(Arc::new(resolve));
        for proxy in &proxies.proxies {
            builder = builder.proxy(proxy.clone());
        }
        self.trust(builder, certificates, rootless).build()
    }

    fn trust(&self, builder: ClientBuilder, certificates: &[Certificate], rootless: bool) -> ClientBuilder {
        let builder = builder.tls_backend_rustls();
        match self.settings.roots {
            Roots::Platform if rootless => builder.tls_certs_only([]),
            Roots::Platform => builder,
            Roots::PlatformAnd(_) => builder.tls_certs_merge(certificates.iter().cloned()),
            Roots::Pem(_) | Roots::File(_) => builder.tls_certs_only(certificates.iter().cloned()),
        }
    }
}

fn certificates(roots: &Roots) -> Result<Vec<Certificate>> {
    let invalid = |why: &str| Error::new(ErrorKind::Config, format!("`roots` {why}"));
    let pem = match roots {
        Roots::Platform => return Ok(Vec::new()),
        Roots::PlatformAnd(pem) | Roots::Pem(pem) => pem.clone().into_bytes(),
        Roots::File(path) => std::fs::read(path).map_err(|error| {
            invalid("names a file that cannot be read").with("file", path.display()).caused_by(error)
        })?,
    };
    let found = Certificate::from_pem_bundle(&pem)
        .map_err(|error| invalid("holds something that is not a PEM certificate").caused_by(error))?;
    if found.is_empty() {
        return Err(invalid("holds no PEM certificate"));
    }
    Ok(found)
}

/// The resolver that the client asks: what it returns is all that is connected to.
struct Guarded {
    guard: Guard,
    resolver: Arc<dyn Resolver>,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let (guard, resolver) = (self.guard.clone(), Arc::clone(&self.resolver));
        Box::pin(async move {
            let name = name.as_str();
            let addresses =
                resolver.resolve(name).await.map_err(|error| no_address(name).caused_by(error))?;
            let kept = guard.keep_allowed(name, addresses, &NetworkAccess::default())?;
            // Port 0: the client puts in the URL's.
            let sockets = kept.into_iter().map(|address: IpAddr| SocketAddr::new(address, 0));
            Ok(Box::new(sockets) as Addrs)
        })
    }
}

fn unusable(error: reqwest::Error) -> Error {
    let why = innermost(&error);
    Error::new(ErrorKind::Config, "the HTTP client cannot be made from these settings")
        .with("cause", why)
        .caused_by(error.without_url())
}

fn failed(error: reqwest::Error, url: &Url) -> Error {
    // The URL may hold a key in its query.
    let error = error.without_url();
    if let Some(ours) = cause::<Error>(&error) {
        let effect = ours.effect_on_provider();
        return Error::new(ours.kind(), ours.message().to_owned()).retry(ours.retry_advice()).effect(effect);
    }
    let host = url.host_str().unwrap_or_default();
    let (what, effect) = if error.is_connect() {
        let what = if error.is_timeout() {
            "could not be connected to in time"
        } else {
            "could not be connected to"
        };
        (what, Effect::NotExecuted)
    } else if error.is_builder() {
        return Error::new(ErrorKind::InvalidArguments, "the request cannot be sent as it is")
            .caused_by(error);
    } else {
        ("broke the connection before its answer", Effect::Unknown)
    };
    Error::new(ErrorKind::Transport, format!("`{host}` {what}"))
        .effect(effect)
        .with("cause", innermost(&error))
        .caused_by(error)
}

fn silent(url: &Url, head: Duration) -> Error {
    let host = url.host_str().unwrap_or_default();
    Error::new(
        ErrorKind::Transport,
        format!(
            "`{host}` did not begin to answer within {:.1} s; raise `head` if it is that slow",
            head.as_secs_f64()
        ),
    )
    .effect(Effect::Unknown)
}

/// What lies at the bottom of an error: `connection refused`, `UnknownIssuer`.
fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut last = error;
    while let Some(next) = last.source() {
        last = next;
    }
    last.to_string()
}
