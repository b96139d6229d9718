//! The crate's handle, and how a host puts it together.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tool_connect_core::http::Transport;
use tool_connect_core::store::Stores;
use tool_connect_core::{
    Authenticator, Clock, Connect, ConnectRequest, Connection, Error, ErrorKind, Event, EventKind, EventSink,
    EventSinks, Principal, Result, SystemClock, Vault,
};
use url::{Host, Url};

use super::cookie::Cookies;
use super::device::DeviceLogin;
use super::direct::NewSecret;
use super::engine::{Engine, Listeners};
use super::host::{AdminsAndMembers, HostSession, OwnerRule};
use super::service::{CallbackService, StartService};
use super::ticket::ConnectFlow;
use crate::catalog::{Catalog, ClientSource};
use crate::flow::{OAuthHttp, ServiceAccount};
use crate::refresh::{RefreshSettings, TokenManager};

/// Longest that a ticket or a state may live.
const LONGEST: Duration = Duration::from_secs(600);

/// Connects accounts and keeps them working: tickets, the two endpoints, grants without a browser, and fresh tokens. A clone is
/// the same.
///
/// ```
/// # use std::sync::Arc;
/// # use http::request::Parts;
/// # use tool_connect_core::{Principal, Result, Vault, http::Transport, store::Stores};
/// use tool_connect_oauth::catalog::{Catalog, EnvClients};
/// use tool_connect_oauth::connect::{HostSession, OAuth};
///
/// # struct MyLogin;
/// # #[async_trait::async_trait]
/// # impl HostSession for MyLogin {
/// #     async fn principal(&self, request: &Parts) -> Result<Option<Principal>> {
/// #         Ok(request.extensions.get().cloned())
/// #     }
/// # }
/// # fn example(stores: Stores, vault: Arc<dyn Vault>, transport: Arc<dyn Transport>) -> Result<()> {
/// let oauth = OAuth::builder()
///     .stores(stores)
///     .vault(vault)
///     .transport(transport)
///     .catalog(Catalog::builtin()?)
///     .clients(EnvClients::new())
///     .session(MyLogin)
///     .public_url("https://app.example/connect".parse().expect("a URL"))
///     .return_to("https://app.example/settings/accounts")
///     .build()?;
/// // In the host's router, at /connect/start and /connect/callback/{provider}:
/// let (start, callback) = (oauth.start_service(), oauth.callback_service());
/// # drop((start, callback));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct OAuth {
    pub(super) engine: Arc<Engine>,
}

/// Builds an [`OAuth`]. Stores, vault, transport, clients, the host's session and the public address are needed.
#[must_use = "a builder does nothing until `build`"]
pub struct OAuthBuilder {
    stores: Option<Stores>,
    vault: Option<Arc<dyn Vault>>,
    transport: Option<Arc<dyn Transport>>,
    http: Option<OAuthHttp>,
    catalog: Option<Catalog>,
    clients: Option<Arc<dyn ClientSource>>,
    session: Option<Arc<dyn HostSession>>,
    owners: Arc<dyn OwnerRule>,
    public_url: Option<Url>,
    return_to: BTreeSet<String>,
    iss_required: BTreeSet<String>,
    dpop: BTreeSet<String>,
    ticket_time: Duration,
    state_time: Duration,
    refresh: RefreshSettings,
    clock: Arc<dyn Clock>,
    events: EventSinks,
}

impl fmt::Debug for OAuthBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthBuilder").field("return_to", &self.return_to).finish_non_exhaustive()
    }
}

impl OAuthBuilder {
    fn new() -> Self {
        Self {
            stores: None,
            vault: None,
            transport: None,
            http: None,
            catalog: None,
            clients: None,
            session: None,
            owners: Arc::new(AdminsAndMembers),
            public_url: None,
            return_to: BTreeSet::new(),
            iss_required: BTreeSet::new(),
            dpop: BTreeSet::new(),
            ticket_time: LONGEST,
            state_time: LONGEST,
            refresh: RefreshSettings::default(),
            clock: Arc::new(SystemClock),
            events: Vec::new(),
        }
    }

    /// Where connections, sealed secrets, leases, and what is under way are kept: the Hub's stores.
    pub fn stores(mut self, stores: Stores) -> Self {
        self.stores = Some(stores);
        self
    }

    /// What seals secrets.
    pub fn vault(mut self, vault: Arc<dyn Vault>) -> Self {
        self.vault = Some(vault);
        self
    }

    /// How providers are reached: the Hub's guarded transport.
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// How providers are reached, with limits of the host's, instead of [`transport`](Self::transport).
    pub fn http(mut self, http: OAuthHttp) -> Self {
        self.http = Some(http);
        self
    }

    /// The providers; the built-in ones unless set.
    pub fn catalog(mut self, catalog: Catalog) -> Self {
        self.catalog = Some(catalog);
        self
    }

    /// What the host registered at the providers.
    pub fn clients(mut self, clients: impl ClientSource) -> Self {
        self.clients = Some(Arc::new(clients));
        self
    }

    /// The host's login.
    pub fn session(mut self, session: impl HostSession) -> Self {
        self.session = Some(Arc::new(session));
        self
    }

    /// Who may connect for a team or the tenant; [`AdminsAndMembers`] unless set.
    pub fn owners(mut self, rule: impl OwnerRule) -> Self {
        self.owners = Arc::new(rule);
        self
    }

    /// Where the start and callback endpoints are, as browsers see it: `https://app.example/connect`. Plain http only on this
    /// machine, for development.
    pub fn public_url(mut self, url: Url) -> Self {
        self.public_url = Some(url);
        self
    }

    /// Allows a place to return to, letter for letter: an address, or a path of the host's own that begins with one slash.
    pub fn return_to(mut self, place: impl Into<String>) -> Self {
        self.return_to.insert(place.into());
        self
    }

    /// Refuses answers of this provider that do not name their issuer (RFC 9207): its metadata says
    /// `authorization_response_iss_parameter_supported`. An issuer that is named is compared in any case.
    pub fn require_iss(mut self, provider: impl Into<String>) -> Self {
        self.iss_required.insert(provider.into());
        self
    }

    /// Binds this provider's tokens to keys (DPoP, RFC 9449).
    pub fn dpop(mut self, provider: impl Into<String>) -> Self {
        self.dpop.insert(provider.into());
        self
    }

    /// How long a ticket can be used; ten minutes unless set, which is also the most.
    pub fn ticket_time(mut self, time: Duration) -> Self {
        self.ticket_time = time;
        self
    }

    /// How long a user may take at the provider; ten minutes unless set, which is also the most.
    pub fn state_time(mut self, time: Duration) -> Self {
        self.state_time = time;
        self
    }

    /// Sets when and how tokens are renewed.
    pub fn refresh(mut self, settings: RefreshSettings) -> Self {
        self.refresh = settings;
        self
    }

    /// Takes time from this clock.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Hears of connections that change, of those that were not made, and of tokens that were renewed or could not be.
    pub fn on_event(mut self, sink: impl EventSink) -> Self {
        self.events.push(Arc::new(sink));
        self
    }

    /// Puts it together. Starts no task.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] that says what is missing or wrong.
    pub fn build(self) -> Result<OAuth> {
        let missing =
            |what: &str| Error::new(ErrorKind::Config, format!("OAuth needs {what}: set it in the builder"));
        let public_url = self.public_url.ok_or_else(|| missing("the public address (`public_url`)"))?;
        let secure = check_public_url(&public_url)?;
        for place in &self.return_to {
            check_return_to(place)?;
        }
        for (what, time) in [("ticket_time", self.ticket_time), ("state_time", self.state_time)] {
            if time.is_zero() || time > LONGEST {
                return Err(Error::new(
                    ErrorKind::Config,
                    format!("`{what}` must be above zero and at most ten minutes"),
                ));
            }
        }
        let http = match (self.http, self.transport) {
            (Some(http), _) => http,
            (None, Some(transport)) => OAuthHttp::new(transport).clock(Arc::clone(&self.clock)),
            (None, None) => return Err(missing("a transport")),
        };
        let catalog = match self.catalog {
            Some(catalog) => catalog,
            None => Catalog::builtin()?,
        };
        let stores = self.stores.ok_or_else(|| missing("stores"))?;
        let vault = self.vault.ok_or_else(|| missing("a vault"))?;
        let clients = self.clients.ok_or_else(|| missing("client configurations (`clients`)"))?;
        let catalog = Arc::new(catalog);
        let changed = Listeners::default();
        let listeners = changed.clone();
        // A connection that a renewal found broken is news for whoever remembers it, too.
        let on_renewal = move |event: &Event| {
            if let (EventKind::ConnectionChanged { .. }, Some(tenant)) = (&event.what, &event.tenant) {
                listeners.tell(tenant);
            }
        };
        let tokens = TokenManager::builder(&stores, Arc::clone(&vault))
            .catalog(Arc::clone(&catalog))
            .shared_clients(Arc::clone(&clients))
            .clock(Arc::clone(&self.clock))
            .http(http.clone())
            .settings(self.refresh)
            .event_sink(Arc::new(on_renewal));
        let tokens =
            self.events.iter().cloned().fold(tokens, |tokens, sink| tokens.event_sink(sink)).build()?;
        let engine = Engine {
            stores,
            vault,
            catalog,
            clients,
            http,
            tokens,
            clock: self.clock,
            events: self.events,
            session: self.session.ok_or_else(|| missing("the host's login (`session`)"))?,
            owners: self.owners,
            public_url,
            cookies: Cookies { secure },
            return_to: self.return_to,
            iss_required: self.iss_required,
            dpop: self.dpop,
            ticket_time: self.ticket_time,
            state_time: self.state_time,
            changed,
            #[cfg(test)]
            off: None,
        };
        Ok(OAuth { engine: Arc::new(engine) })
    }
}

impl OAuth {
    /// Begins one.
    pub fn builder() -> OAuthBuilder {
        OAuthBuilder::new()
    }

    /// What a Hub asks for tickets: `Hub::builder().connect(oauth.connect())`.
    #[must_use]
    pub fn connect(&self) -> Arc<dyn Connect> {
        Arc::new(ConnectFlow(Arc::clone(&self.engine)))
    }

    /// What signs requests: `Hub::builder().authenticator(oauth.authenticator())`.
    #[must_use]
    pub fn authenticator(&self) -> Arc<dyn Authenticator> {
        Arc::new(self.engine.tokens.clone())
    }

    /// What keeps tokens fresh: for its background task, and to end it with the host.
    #[must_use]
    pub fn tokens(&self) -> &TokenManager {
        &self.engine.tokens
    }

    /// The start endpoint, for `<public_url>/start`.
    #[must_use]
    pub fn start_service(&self) -> StartService {
        StartService(Arc::clone(&self.engine))
    }

    /// The callback endpoint, for `<public_url>/callback/{provider}`.
    #[must_use]
    pub fn callback_service(&self) -> CallbackService {
        CallbackService(Arc::clone(&self.engine))
    }

    /// The address that must be registered at a provider as the client's redirect URI.
    #[must_use]
    pub fn redirect_uri(&self, provider: &str) -> Url {
        self.engine.at(&format!("callback/{provider}"))
    }

    /// Connects an account by a secret that is there already: an API key, a password, a personal token.
    ///
    /// # Errors
    /// [`ErrorKind::Denied`] for an agent and where the principal may not connect for that owner; where the vault or a store
    /// fails.
    pub async fn connect_with_secret(&self, principal: &Principal, secret: NewSecret) -> Result<Connection> {
        self.engine.connect_with_secret(principal, secret).await
    }

    /// Connects the host's own client (RFC 6749 §4.4): no user's account, and no consent.
    ///
    /// # Errors
    /// As [`connect_with_secret`](Self::connect_with_secret); where the provider refuses.
    pub async fn connect_as_client(
        &self,
        principal: &Principal,
        request: ConnectRequest,
    ) -> Result<Connection> {
        self.engine.connect_as_client(principal, request).await
    }

    /// Connects a service account by its key (RFC 7523 §2.1).
    ///
    /// # Errors
    /// As [`connect_as_client`](Self::connect_as_client).
    pub async fn connect_service_account(
        &self,
        principal: &Principal,
        request: ConnectRequest,
        account: ServiceAccount,
    ) -> Result<Connection> {
        self.engine.connect_service_account(principal, request, account).await
    }

    /// Begins a consent on another device (RFC 8628).
    ///
    /// # Errors
    /// As [`connect_as_client`](Self::connect_as_client); [`ErrorKind::Unsupported`] where the provider has no such endpoint.
    pub async fn device_login(&self, principal: &Principal, request: ConnectRequest) -> Result<DeviceLogin> {
        self.engine.device_login(principal, request).await
    }

    /// Gives tokens back that a provider did not take back when their connection ended; returns how many are done with.
    /// Call it every minute or so, in any number of processes.
    ///
    /// # Errors
    /// Where a store or the vault fails. A provider that fails is asked again later.
    pub async fn revoke_due(&self) -> Result<u64> {
        self.engine.revoke_due().await
    }
}

/// Whether browsers reach the host over https; an error where they reach it in no way that is safe.
fn check_public_url(url: &Url) -> Result<bool> {
    let refuse = |why: &str| Err(Error::new(ErrorKind::Config, format!("the public address {why}: `{url}`")));
    if url.query().is_some()
        || url.fragment().is_some()
        || !url.username().is_empty()
        || url.password().is_some()
    {
        return refuse("may hold no query, fragment or user");
    }
    let here = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => return refuse("has no host"),
    };
    match url.scheme() {
        "https" => Ok(true),
        "http" if here => Ok(false),
        _ => refuse("must be https (http only on this machine, for development)"),
    }
}

/// A path of the host's own, or an address that a browser shows and does not run.
fn check_return_to(place: &str) -> Result<()> {
    let path = place.starts_with('/')
        && !place.starts_with("//")
        && !place.contains('\\')
        && place.bytes().all(|byte| byte.is_ascii_graphic());
    let address =
        || Url::parse(place).is_ok_and(|url| matches!(url.scheme(), "https" | "http") && url.has_host());
    if path || address() {
        return Ok(());
    }
    let place = place.escape_debug();
    Err(Error::new(
        ErrorKind::Config,
        format!(
            "`{place}` is no place to return to: give an http(s) address or a path that begins with one slash"
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_address_is_https_or_this_machine() {
        let check = |url: &str| check_public_url(&url.parse().expect("a URL")).ok();
        assert_eq!(check("https://app.example/connect"), Some(true));
        for here in ["http://localhost:3000/connect", "http://127.0.0.1:80/", "http://[::1]:3000/c"] {
            assert_eq!(check(here), Some(false), "{here}");
        }
        for wrong in [
            "http://app.example/connect",
            "http://127.0.0.1.example/",
            "ftp://app.example/",
            "https://u:p@app.example/",
            "https://app.example/?a=b",
            "https://app.example/#a",
            "javascript:alert(1)",
        ] {
            assert_eq!(check(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn places_to_return_to_run_nothing() {
        for fine in ["/settings", "/a?b=c#d", "https://app.example/x", "http://localhost:3000/x"] {
            assert!(check_return_to(fine).is_ok(), "{fine}");
        }
        for wrong in [
            "",
            "settings",
            "//evil.example",
            "/\\evil.example",
            "javascript:alert(1)",
            "data:text/html,x",
            "/a b",
        ] {
            assert!(check_return_to(wrong).is_err(), "{wrong}");
        }
    }
}
