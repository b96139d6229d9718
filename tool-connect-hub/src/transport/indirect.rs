//! Through a proxy, or over a client that the host made: reqwest.

use std::sync::Arc;
use std::time::Duration;

use http::{Uri, header};
use reqwest::{Body, Client, Request, redirect};
use tool_connect_core::http::RequestBody;
use tool_connect_core::{Effect, Error, ErrorKind, Result};
use url::{Host, Url};

use super::access::NetworkAccess;
use super::body::cause;
use super::client::{broken, innermost, of_ours};
use super::clients::{Clients, Key};
use super::dial::Guarded;
use super::direct::unknown_body;
use super::guard::{Guard, no_address};
use super::proxy::Proxies;
use super::resolve::Resolver;
use super::settings::HttpSettings;
use super::tls::Tls;

/// Clients that ask a proxy.
pub(super) struct Proxied {
    settings: HttpSettings,
    proxies: Proxies,
    resolver: Arc<dyn Resolver>,
    tls: Arc<Tls>,
    guard: Guard,
    clients: Clients<Client>,
}

impl Proxied {
    pub(super) fn new(
        settings: HttpSettings,
        proxies: Proxies,
        resolver: Arc<dyn Resolver>,
        tls: Arc<Tls>,
    ) -> Result<Self> {
        let make = |key: &Key| make(&settings, &proxies, &resolver, &tls, key);
        let clients = Clients::new(settings.connect, make)?;
        let guard = Guard::new(&settings.access);
        Ok(Self { settings, proxies, resolver, tls, guard, clients })
    }

    /// The client for a URL, once all addresses of its name have been checked: the proxy chooses the one.
    pub(super) async fn client(
        &self,
        url: &Url,
        extra: Option<&NetworkAccess>,
        connect: Duration,
    ) -> Result<Client> {
        let closed = NetworkAccess::default();
        let opened = extra.unwrap_or(&closed);
        self.guard.check_url(url, opened)?;
        self.tls.check_roots(url)?;
        if let Some(Host::Domain(name)) = url.host() {
            let addresses = match tokio::time::timeout(connect, self.resolver.resolve(name)).await {
                Ok(Ok(addresses)) => addresses,
                Ok(Err(error)) => return Err(no_address(name).caused_by(error)),
                Err(_) => return Err(no_address(name).with("cause", "the look-up took too long")),
            };
            if addresses.is_empty() {
                return Err(no_address(name));
            }
            let mut addresses = addresses.into_iter();
            addresses.try_for_each(|address| self.guard.check_address(Some(name), address, opened))?;
        }
        let Self { settings, proxies, resolver, tls, .. } = self;
        self.clients.get(extra, connect, |key| make(settings, proxies, resolver, tls, key))
    }
}

fn make(
    settings: &HttpSettings,
    proxies: &Proxies,
    resolver: &Arc<dyn Resolver>,
    tls: &Tls,
    key: &Key,
) -> Result<Client> {
    let mut access = settings.access.clone();
    access.allow.extend(proxies.hosts.iter().chain(&key.rules).cloned());
    let mut tls = tls.config.clone();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let mut builder = Client::builder()
        .user_agent(&settings.user_agent)
        .redirect(redirect::Policy::none())
        .referer(false)
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        .tcp_nodelay(true)
        .connect_timeout(key.connect)
        .pool_idle_timeout(settings.pool_idle)
        .pool_max_idle_per_host(settings.pool_per_host)
        .tls_backend_preconfigured(tls)
        .dns_resolver(Arc::new(Guarded { guard: Guard::new(&access), resolver: Arc::clone(resolver) }));
    for proxy in &proxies.proxies {
        builder = builder.proxy(proxy.clone());
    }
    builder.build().map_err(|error| {
        let why = innermost(&error);
        Error::new(ErrorKind::Config, "the HTTP client cannot be made from these settings")
            .with("cause", why)
            .caused_by(error.without_url())
    })
}

/// The URL of a request.
pub(super) fn url(uri: &Uri) -> Result<Url> {
    Url::parse(&uri.to_string()).map_err(|_| {
        Error::new(ErrorKind::InvalidArguments, "the request's URL is not absolute or malformed")
    })
}

/// Sends a request and waits for the answer's head.
pub(super) async fn send(
    client: &Client,
    url: Url,
    parts: http::request::Parts,
    body: RequestBody,
) -> Result<http::Response<Body>> {
    let mut request = Request::new(parts.method, url.clone());
    *request.headers_mut() = parts.headers;
    *request.body_mut() = match body {
        RequestBody::Empty => None,
        RequestBody::Bytes(bytes) => Some(bytes.into()),
        RequestBody::Stream(stream, length) => {
            if let Some(length) = length {
                request.headers_mut().insert(header::CONTENT_LENGTH, length.into());
            }
            Some(Body::wrap_stream(stream))
        }
        _ => return Err(unknown_body()),
    };
    let answer = client.execute(request).await.map_err(|error| failed(error, &url))?;
    if *answer.url() != url {
        return Err(Error::new(
            ErrorKind::Blocked,
            "the HTTP client followed a redirect by itself; build it with `redirect::Policy::none()`",
        )
        .effect(Effect::Unknown));
    }
    Ok(answer.into())
}

fn failed(error: reqwest::Error, url: &Url) -> Error {
    // The URL may hold a key in its query.
    let error = error.without_url();
    if let Some(ours) = cause::<Error>(&error) {
        return of_ours(ours, error.is_connect());
    }
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
    broken(url.host_str().unwrap_or_default(), what, effect, error)
}
