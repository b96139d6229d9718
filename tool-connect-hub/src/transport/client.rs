//! Sends requests straight, through a proxy, or over a client of the host's; each connection made only to addresses that
//! the guard passed.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::header::InvalidHeaderValue;
use http::uri::Authority;
use http::{HeaderValue, Uri};
use hyper_util::client::legacy::ResponseFuture;
use tool_connect_core::http::{ByteStream, RequestBody, Transport, TransportLimits};
use tool_connect_core::{BoxFuture, Effect, Error, ErrorKind, Result};

use super::access::NetworkAccess;
use super::body::Watched;
use super::clients::{Clients, Key};
use super::decode;
use super::dial::{Dial, Guarded};
use super::direct::{self, Outgoing, Pool};
use super::guard::Guard;
use super::indirect::{self, Proxied};
use super::proxy::Proxies;
use super::resolve::{Resolver, SystemResolver};
use super::settings::HttpSettings;
use super::tls::Tls;

/// HTTP/1.1 and HTTP/2 over rustls, with the address guard at the URL and at the resolver.
///
/// It follows no redirect, asks no proxy unless the settings name one, decodes gzip within a ratio,
/// and installs no TLS provider. A [`NetworkAccess`] in a request's extensions opens more for that
/// request; requests with different accesses never share a connection.
///
/// Straight to a service it is hyper's pooled client; through a proxy, or over a client that the host made, reqwest.
///
/// ```
/// use tool_connect_hub::transport::{HttpSettings, HttpTransport};
///
/// let transport = HttpTransport::new(&HttpSettings::default())?;
/// # let _ = transport;
/// # Ok::<(), tool_connect_core::Error>(())
/// ```
#[derive(Clone)]
pub struct HttpTransport(Arc<Inner>);

struct Inner {
    ratio: u32,
    way: Way,
}

enum Way {
    Direct(Box<Direct>),
    Proxied(Box<Proxied>),
    /// The host's own client, which resolves names itself.
    Host(reqwest::Client, Guard),
}

struct Direct {
    settings: HttpSettings,
    user_agent: HeaderValue,
    resolver: Arc<dyn Resolver>,
    tls: Arc<Tls>,
    pools: Clients<Arc<Pool>>,
}

impl fmt::Debug for HttpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = match &self.0.way {
            Way::Direct(_) => "direct",
            Way::Proxied(_) => "through a proxy",
            Way::Host(..) => "over the host's client",
        };
        f.debug_struct("HttpTransport").field("way", &way).finish_non_exhaustive()
    }
}

impl HttpTransport {
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
        let user_agent = HeaderValue::from_str(&settings.user_agent).map_err(|why: InvalidHeaderValue| {
            Error::new(ErrorKind::Config, "`user_agent` holds what a header cannot").caused_by(why)
        })?;
        let tls = Arc::new(Tls::new(&settings.roots)?);
        let way = if proxies.any() {
            Way::Proxied(Box::new(Proxied::new(settings.clone(), proxies, resolver, tls)?))
        } else {
            let make = |key: &Key| Ok(Arc::new(connect(settings, &resolver, &tls, key)));
            let pools = Clients::new(settings.connect, make)?;
            Way::Direct(Box::new(Direct { settings: settings.clone(), user_agent, resolver, tls, pools }))
        };
        Ok(Self(Arc::new(Inner { ratio: settings.max_decompression_ratio, way })))
    }

    /// A transport over a client that the host made.
    ///
    /// URLs are still checked, but the client resolves names by itself, so the host answers for
    /// names that lead inwards. The client must follow no redirects
    /// (`redirect::Policy::none()`): an answer from elsewhere than asked is refused.
    #[must_use]
    pub fn from_client(client: reqwest::Client, access: &NetworkAccess) -> Self {
        let ratio = HttpSettings::default().max_decompression_ratio;
        Self(Arc::new(Inner { ratio, way: Way::Host(client, Guard::new(access)) }))
    }
}

#[async_trait]
impl Transport for HttpTransport {
    async fn send(
        &self,
        request: http::Request<RequestBody>,
        limits: &TransportLimits,
    ) -> Result<http::Response<ByteStream>> {
        let idle = limits.idle;
        let (begun, gzip) = self.begin(request, limits)?;
        let (head, body): (_, ByteStream) = match begun {
            Begun::Direct(bound, sent) => {
                let sent = bound
                    .hold(sent)
                    .await?
                    .map_err(|error| direct::failed(error, bound.host(), bound.has_body));
                let (head, body) = sent?.into_parts();
                (head, Box::pin(Watched::new(body, idle)))
            }
            Begun::Indirect(sent) => {
                let (head, body) = sent.await?.into_parts();
                (head, Box::pin(Watched::new(body, idle)))
            }
        };
        let mut response = http::Response::new(body);
        *response.status_mut() = head.status;
        *response.version_mut() = head.version;
        *response.headers_mut() = head.headers;
        if gzip && decode::take_gzip(response.headers_mut()) {
            return Ok(response.map(|body| decode::gunzip(body, self.0.ratio)));
        }
        Ok(response)
    }
}

/// A request on its way.
enum Begun<'a> {
    Direct(Bound, ResponseFuture),
    Indirect(BoxFuture<'a, Result<http::Response<reqwest::Body>>>),
}

impl HttpTransport {
    /// Begins a request; says, too, whether it asks for gzip by itself.
    // Apart from what waits, whose future would hold the request all the while.
    fn begin(
        &self,
        request: http::Request<RequestBody>,
        limits: &TransportLimits,
    ) -> Result<(Begun<'_>, bool)> {
        let (mut parts, body) = request.into_parts();
        let extra = parts.extensions.remove::<NetworkAccess>();
        let gzip = decode::ask(&mut parts.headers);
        let bound = Bound::new(&parts.uri, &body, limits);
        let begun = match &self.0.way {
            Way::Direct(direct) => {
                let pool = direct.pool(extra.as_ref(), limits.connect)?;
                let sent = direct::send(&pool, parts, Outgoing::new(body)?, &direct.user_agent)?;
                Begun::Direct(bound, sent)
            }
            Way::Proxied(proxied) => {
                let connect = limits.connect;
                Begun::Indirect(Box::pin(async move {
                    let url = indirect::url(&parts.uri)?;
                    let client = proxied.client(&url, extra.as_ref(), connect).await?;
                    bound.hold(indirect::send(&client, url, parts, body)).await?
                }))
            }
            Way::Host(client, guard) => Begun::Indirect(Box::pin(async move {
                let url = indirect::url(&parts.uri)?;
                guard.check_url(&url, &extra.unwrap_or_default())?;
                bound.hold(indirect::send(client, url, parts, body)).await?
            })),
        };
        Ok((begun, gzip))
    }
}

impl Direct {
    fn pool(&self, extra: Option<&NetworkAccess>, connect: Duration) -> Result<Arc<Pool>> {
        let Self { settings, resolver, tls, .. } = self;
        self.pools.get(extra, connect, |key| Ok(Arc::new(self::connect(settings, resolver, tls, key))))
    }
}

fn connect(settings: &HttpSettings, resolver: &Arc<dyn Resolver>, tls: &Arc<Tls>, key: &Key) -> Pool {
    let mut access = settings.access.clone();
    access.allow.extend(key.rules.iter().cloned());
    let resolve = Guarded { guard: Guard::new(&access), resolver: Arc::clone(resolver) };
    direct::pool(settings, Dial::new(resolve, tls, key.connect))
}

/// How long to wait for an answer's head.
struct Bound {
    authority: Option<Authority>,
    has_body: bool,
    head: Duration,
    /// The time until the head is there counts the sending of the body, which for a stream takes as long as it takes: there
    /// only the attempt's own bound holds.
    all: Option<Duration>,
}

impl Bound {
    fn new(uri: &Uri, body: &RequestBody, limits: &TransportLimits) -> Self {
        let streams = matches!(body, RequestBody::Stream(..));
        Self {
            authority: uri.authority().cloned(),
            has_body: !matches!(body, RequestBody::Empty),
            head: limits.head,
            all: (!streams).then(|| limits.connect.saturating_add(limits.head)),
        }
    }

    fn host(&self) -> &str {
        self.authority.as_ref().map_or("", Authority::host)
    }

    async fn hold<F: Future>(&self, sent: F) -> Result<F::Output> {
        match self.all {
            Some(all) => tokio::time::timeout(all, sent).await.map_err(|_| silent(self.host(), self.head)),
            None => Ok(sent.await),
        }
    }
}

/// An error of ours that came out of somebody else's client again: of what connects, or of a body's stream, a part of which
/// may have been sent by then.
pub(super) fn of_ours(ours: &Error, connecting: bool) -> Error {
    let effect = if connecting { ours.effect_on_provider() } else { Effect::Unknown };
    Error::new(ours.kind(), ours.message().to_owned()).retry(ours.retry_advice()).effect(effect)
}

/// No answer, and why.
pub(super) fn broken(
    host: &str,
    what: &str,
    effect: Effect,
    error: impl StdError + Send + Sync + 'static,
) -> Error {
    let why = innermost(&error);
    let broken = Error::new(ErrorKind::Transport, format!("`{host}` {what}"));
    broken.effect(effect).with("cause", why).caused_by(error)
}

fn silent(host: &str, head: Duration) -> Error {
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
pub(super) fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut last = error;
    while let Some(next) = last.source() {
        last = next;
    }
    last.to_string()
}
