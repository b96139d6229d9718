//! The manager as its users see it.

use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use async_trait::async_trait;
use quick_cache::sync::Cache;
use quick_cache::{DefaultHashBuilder, Equivalent, Lifecycle, UnitWeighter};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tool_connect_core::http::Transport;
use tool_connect_core::store::{ConnectionStore, CredentialStore, LeaseStore, Stores};
use tool_connect_core::{
    AuthScheme, Authenticator, Clock, Connection, ConnectionId, CredentialVersion, Error, ErrorKind, Event,
    EventKind, EventSink, EventSinks, Result, SystemClock, TenantId, Vault,
};

use super::access::Access;
use super::renew::Job;
use super::settings::RefreshSettings;
use super::slot::{Joined, Landing, Slot, Waiting};
use crate::catalog::{Catalog, ClientSource};
use crate::flow::{DPOP_NONCE, DpopNonces, OAuthHttp, Secret};

/// How often a call begins anew where the renewal that it waited for was cut off.
const ATTEMPTS: usize = 3;

/// How many managers this process has made.
static MANAGERS: AtomicU64 = AtomicU64::new(0);

/// Keeps the tokens of connections fresh, and signs requests with them: the [`Authenticator`] of every scheme.
///
/// A warm call costs a look beside the connection, or into a map the first time. What must be renewed is renewed once, whoever
/// asks: once among the callers of this process, and once among all processes that share the stores. A clone is the same manager. It needs a tokio runtime.
///
/// ```
/// use std::sync::Arc;
/// use tool_connect_core::http::Transport;
/// use tool_connect_core::store::Stores;
/// use tool_connect_core::{Connection, Result, Vault};
/// use tool_connect_oauth::catalog::{Catalog, ClientConfig, StaticClients};
/// use tool_connect_oauth::refresh::TokenManager;
///
/// fn manager(stores: &Stores, vault: Arc<dyn Vault>, transport: Arc<dyn Transport>) -> Result<TokenManager> {
///     TokenManager::builder(stores, vault)
///         .catalog(Catalog::builtin()?)
///         .clients(StaticClients::new().with("github", ClientConfig::confidential("my-app", "its secret")))
///         .transport(transport)
///         .build()
/// }
/// ```
#[derive(Clone)]
pub struct TokenManager(pub(super) Arc<Shared>);

pub(super) struct Shared {
    pub(super) connections: Arc<dyn ConnectionStore>,
    pub(super) credentials: Arc<dyn CredentialStore>,
    pub(super) leases: Arc<dyn LeaseStore>,
    pub(super) vault: Arc<dyn Vault>,
    pub(super) catalog: Arc<Catalog>,
    pub(super) clients: Arc<dyn ClientSource>,
    pub(super) http: OAuthHttp,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) settings: RefreshSettings,
    pub(super) marks: RandomState,
    pub(super) tasks: TaskTracker,
    pub(super) stop: CancellationToken,
    /// The nonces of resources; those of authorization servers stay with the token requests.
    pub(super) nonces: DpopNonces,
    events: EventSinks,
    slots: Slots,
    turns: AtomicU64,
    /// Another one for each manager of the process.
    id: u64,
}

type Slots = Cache<Key, Arc<Slot>, UnitWeighter, DefaultHashBuilder, Retire>;
type Key = (TenantId, ConnectionId);

/// Tells a slot that it was put out to make room.
#[derive(Clone)]
struct Retire;

impl Lifecycle<Key, Arc<Slot>> for Retire {
    type RequestState = ();

    fn on_evict(&self, (): &mut (), _: Key, slot: Arc<Slot>) {
        slot.retire();
    }
}

/// A key of the map, borrowed.
#[derive(Hash)]
struct Named<'a>(&'a TenantId, &'a ConnectionId);

impl Equivalent<Key> for Named<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        *self.1 == key.1 && *self.0 == key.0
    }
}

/// Sets up a [`TokenManager`].
#[derive(Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct TokenManagerBuilder {
    stores: Stores,
    vault: Arc<dyn Vault>,
    catalog: Option<Arc<Catalog>>,
    clients: Option<Arc<dyn ClientSource>>,
    http: Option<OAuthHttp>,
    clock: Arc<dyn Clock>,
    events: EventSinks,
    settings: RefreshSettings,
}

impl fmt::Debug for TokenManagerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenManagerBuilder").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl TokenManagerBuilder {
    /// Sets the providers; the built-in ones unless set.
    pub fn catalog(mut self, catalog: impl Into<Arc<Catalog>>) -> Self {
        self.catalog = Some(catalog.into());
        self
    }

    /// Sets where the clients that the host registered at providers are found.
    pub fn clients(mut self, clients: impl ClientSource) -> Self {
        self.clients = Some(Arc::new(clients));
        self
    }

    /// As [`clients`](Self::clients), shared.
    pub fn shared_clients(mut self, clients: Arc<dyn ClientSource>) -> Self {
        self.clients = Some(clients);
        self
    }

    /// Sets what carries token requests: a Hub's guarded transport.
    pub fn transport(self, transport: Arc<dyn Transport>) -> Self {
        let http = OAuthHttp::new(transport).clock(Arc::clone(&self.clock));
        self.http(http)
    }

    /// As [`transport`](Self::transport), with limits of its own.
    pub fn http(mut self, http: OAuthHttp) -> Self {
        self.http = Some(http);
        self
    }

    /// Sets the clock; set it before the transport.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Adds one who hears of renewals, of those that failed, and of connections that changed thereby.
    pub fn event_sink(mut self, sink: Arc<dyn EventSink>) -> Self {
        self.events.push(sink);
        self
    }

    /// Sets times and bounds.
    pub fn settings(mut self, settings: RefreshSettings) -> Self {
        self.settings = settings;
        self
    }

    /// The manager.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] where clients or transport are missing, or a setting is out of its bounds; those of
    /// [`Catalog::builtin`].
    pub fn build(self) -> Result<TokenManager> {
        let missing = |what| Error::new(ErrorKind::Config, format!("a token manager needs {what}"));
        self.settings.check()?;
        let http = self.http.ok_or_else(|| missing("a transport: call `transport`"))?;
        if self.settings.settle_after <= http.total_timeout() {
            tracing::warn!(
                target: "tool_connect::oauth",
                settle_after = ?self.settings.settle_after, token_request = ?http.total_timeout(),
                "`settle_after` is not longer than a token request may take: a slow answer will look like a death, and a \
                 refresh token may be spent twice"
            );
        }
        let capacity = self.settings.capacity;
        let hasher = DefaultHashBuilder::default();
        let catalog = match self.catalog {
            Some(catalog) => catalog,
            None => Arc::new(Catalog::builtin()?),
        };
        Ok(TokenManager(Arc::new(Shared {
            connections: self.stores.connections,
            credentials: self.stores.credentials,
            leases: self.stores.leases,
            vault: self.vault,
            catalog,
            clients: self
                .clients
                .ok_or_else(|| missing("the host's clients at providers: call `clients`"))?,
            http,
            clock: self.clock,
            marks: RandomState::new(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            nonces: DpopNonces::default(),
            events: self.events,
            slots: Cache::with(capacity, capacity as u64, UnitWeighter, hasher, Retire),
            turns: AtomicU64::new(0),
            id: MANAGERS.fetch_add(1, Ordering::Relaxed),
            settings: self.settings,
        })))
    }
}

impl TokenManager {
    /// A manager for the secrets in these stores.
    pub fn builder(stores: &Stores, vault: Arc<dyn Vault>) -> TokenManagerBuilder {
        TokenManagerBuilder {
            stores: stores.clone(),
            vault,
            catalog: None,
            clients: None,
            http: None,
            clock: Arc::new(SystemClock),
            events: EventSinks::new(),
            settings: RefreshSettings::default(),
        }
    }

    /// The secret of a connection, fresh enough for a request now.
    ///
    /// Warm, it is a look beside the connection (its [memo](Connection::memo)), or into a map where it is not there yet. One that
    /// ends soon is handed out, and renewed beside the calls. One that has ended is waited for, together with everybody else
    /// who needs it.
    ///
    /// # Errors
    /// [`ErrorKind::NeedsReauth`] where only the user can help; with advice when to come back (and without waiting) where the
    /// provider refuses for now: [`ErrorKind::RateLimited`], [`ErrorKind::Provider`], [`ErrorKind::Transport`];
    /// [`ErrorKind::Config`] where the host's client is refused or missing; [`ErrorKind::DeadlineExceeded`] where the
    /// renewal takes too long; [`ErrorKind::Storage`] and [`ErrorKind::Vault`] where the secret cannot be read.
    pub async fn access(&self, connection: &Connection, scheme: &AuthScheme) -> Result<Arc<Access>> {
        match self.0.warm(connection, scheme) {
            Some(access) => Ok(access),
            None => Box::pin(self.0.cold(connection, scheme, false)).await,
        }
    }

    /// Renews the secret now, although it may be good still. A renewal is no consent: it never makes a connection that works
    /// ask for one, unless the provider says that the grant is gone.
    ///
    /// # Errors
    /// As [`access`](Self::access). Where the secret cannot be renewed, it is returned as it is.
    pub async fn refresh_now(&self, connection: &Connection, scheme: &AuthScheme) -> Result<Arc<Access>> {
        Box::pin(self.0.cold(connection, scheme, true)).await
    }

    /// Hears that the provider refused (401) what was signed with this version of the secret, and stops handing it out.
    /// Returns whether a request that is signed anew may fare better: with a token that is renewed, once, or one that somebody
    /// else has put into the store.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn refused(&self, connection: &Connection, version: CredentialVersion) -> Result<bool> {
        Box::pin(self.0.refused(connection, version)).await
    }

    /// Reads an answer of a resource to a request that was signed with a DPoP proof: remembers the server's nonce, and returns
    /// whether the request is worth sending once more, signed anew (RFC 9449 §9).
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] for an address without a host.
    pub fn answered(
        &self,
        connection: &Connection,
        request: &http::Uri,
        answer: &http::response::Parts,
    ) -> Result<bool> {
        let slot = self.0.slots.get(&Named(&connection.tenant, &connection.id));
        let access = slot.and_then(|slot| slot.current.load_full());
        match access.as_ref().and_then(|access| access.dpop()) {
            Some(signer) => signer.answered(request, answer),
            None => Ok(false),
        }
    }

    /// Seals a secret and stores it as the connection's, in place of the one before: after a consent, or where a user entered a
    /// key. From now on it is the one that is used.
    ///
    /// # Errors
    /// Where the vault or the store fails, or many others write the same connection's secret.
    pub async fn save(&self, connection: &Connection, secret: &Secret) -> Result<()> {
        Box::pin(self.0.save(connection, secret)).await
    }

    /// Forgets what is in memory of a connection; the next call reads the store.
    pub fn forget(&self, tenant: &TenantId, connection: &ConnectionId) {
        if let Some((_, slot)) = self.0.slots.remove(&Named(tenant, connection)) {
            slot.retire();
        }
    }

    /// Stops the background refresher and waits until the renewals that are under way have ended: what a provider has granted
    /// is stored before the process goes.
    pub async fn shutdown(&self) {
        self.0.stop.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }
}

impl fmt::Debug for TokenManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenManager")
            .field("settings", &self.0.settings)
            .field("connections", &self.0.slots.len())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Authenticator for TokenManager {
    async fn sign(
        &self,
        connection: &Connection,
        scheme: &AuthScheme,
        request: &mut http::request::Parts,
        body: Option<&[u8]>,
    ) -> Result<CredentialVersion> {
        if *scheme == AuthScheme::None {
            return Ok(0);
        }
        let access = self.access(connection, scheme).await?;
        access.sign(connection, scheme, request, body, &*self.0.clock)?;
        Ok(access.version())
    }

    async fn refused(&self, connection: &Connection, version: CredentialVersion) -> Result<bool> {
        Self::refused(self, connection, version).await
    }

    fn answered(
        &self,
        connection: &Connection,
        request: &http::Uri,
        answer: &http::response::Parts,
    ) -> Result<bool> {
        // Most answers carry no nonce, and cost no look-up.
        if !answer.headers.contains_key(DPOP_NONCE) {
            return Ok(false);
        }
        Self::answered(self, connection, request, answer)
    }
}

impl Shared {
    pub(super) fn emit(&self, tenant: &TenantId, what: EventKind) {
        if self.events.is_empty() {
            return;
        }
        let event = Event { time: self.clock.now(), tenant: Some(tenant.clone()), what };
        for sink in &self.events {
            sink.emit(&event);
        }
    }

    /// Between 0 and 1, another one each time.
    #[allow(clippy::cast_precision_loss)] // 53 bits fit.
    pub(super) fn jitter(&self) -> f64 {
        let turn = self.turns.fetch_add(1, Ordering::Relaxed);
        (self.marks.hash_one(turn) >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(super) fn slot(&self, connection: &Connection) -> Arc<Slot> {
        let named = Named(&connection.tenant, &connection.id);
        if let Some(slot) = self.slots.get(&named) {
            return slot;
        }
        let key = (connection.tenant.clone(), connection.id.clone());
        let new = || Ok::<_, Error>(Arc::new(Slot::new(self.id, key.0.clone(), key.1.clone())));
        self.slots.get_or_insert_with(&key, new).unwrap_or_default()
    }

    fn warm(self: &Arc<Self>, connection: &Connection, scheme: &AuthScheme) -> Option<Arc<Access>> {
        let now = self.clock.recently();
        // The slot that was found before for this very value, unless it is not the one that would be found now.
        let kept = connection.memo().get::<Slot>().filter(|slot| slot.stands_for(self.id, connection));
        if let Some(access) = kept.and_then(|slot| slot.current.load_full())
            && access.usable(connection, scheme, now)
            && !access.due(now)
        {
            return Some(access);
        }
        self.look_up(connection, scheme, now)
    }

    fn look_up(
        self: &Arc<Self>,
        connection: &Connection,
        scheme: &AuthScheme,
        now: SystemTime,
    ) -> Option<Arc<Access>> {
        let slot = self.slots.get(&Named(&connection.tenant, &connection.id))?;
        let access = slot.current.load_full()?;
        if !access.usable(connection, scheme, now) {
            return None;
        }
        if access.due(now) {
            self.look(&slot, &access, connection, scheme);
        }
        connection.memo().keep(slot);
        Some(access)
    }

    /// Looks at a secret beside the calls, where nobody does yet.
    #[cold]
    fn look(
        self: &Arc<Self>,
        slot: &Arc<Slot>,
        access: &Access,
        connection: &Connection,
        scheme: &AuthScheme,
    ) {
        if Handle::try_current().is_err() {
            return;
        }
        if let Some(landing) = slot.try_start(self.clock.monotonic()) {
            let unwanted = access.ending(self.clock.now()).then(|| access.version());
            self.start(landing, Job::new(connection, scheme, unwanted, false));
        }
    }

    pub(super) async fn cold(
        self: &Arc<Self>,
        connection: &Connection,
        scheme: &AuthScheme,
        forced: bool,
    ) -> Result<Arc<Access>> {
        if Handle::try_current().is_err() {
            let message =
                "a secret must be fetched or renewed, which needs a tokio runtime; call from within one";
            return Err(Error::new(ErrorKind::Config, message));
        }
        let patience = tokio::time::Instant::now() + self.settings.wait;
        let slot = self.slot(connection);
        for _ in 0..ATTEMPTS {
            let (waiting, renews) = match slot.join(forced, self.clock.monotonic()) {
                Joined::Blocked(failure, pause) => return Err(failure.tell(Some(pause))),
                Joined::Waiting { waiting, forced } => (waiting, forced),
                Joined::Start(landing) => {
                    // One that landed between the first look and this one.
                    let current = slot.current.load_full().filter(|_| !forced);
                    if let Some(access) =
                        current.filter(|access| access.usable(connection, scheme, self.clock.now()))
                    {
                        return Ok(access);
                    }
                    let waiting = landing.waiting();
                    self.start(landing, Job::new(connection, scheme, None, forced));
                    (waiting, forced)
                }
            };
            let Ok(heard) = tokio::time::timeout_at(patience, heard(waiting)).await else {
                return Err(too_slow(connection));
            };
            match heard {
                Some(Ok(access)) if forced && !renews => drop(access),
                Some(Ok(access)) if access.usable(connection, scheme, self.clock.now()) => return Ok(access),
                // Cut off, or already over: once more.
                Some(Ok(_)) | None => {}
                Some(Err(failure)) => return Err(failure.tell(None)),
            }
        }
        Err(Error::new(
            ErrorKind::Internal,
            format!(
                "the secret of connection `{}` could not be had: its renewal was cut off each time",
                connection.id
            ),
        )
        .retry(tool_connect_core::Retry::Backoff))
    }

    /// Renews in a task of the manager's own: a caller that goes away stops nothing.
    pub(super) fn start(self: &Arc<Self>, landing: Landing, job: Job) {
        let shared = Arc::clone(self);
        self.tasks.spawn(async move { shared.fly(landing, job).await });
    }
}

/// How it ended; `None` where it was cut off.
async fn heard(mut waiting: Waiting) -> Option<super::slot::Outcome> {
    let outcome = waiting.wait_for(Option::is_some).await.ok()?;
    outcome.clone()
}

fn too_slow(connection: &Connection) -> Error {
    Error::new(
        ErrorKind::DeadlineExceeded,
        format!("the secret of connection `{}` is still being renewed; try again shortly", connection.id),
    )
    .effect(tool_connect_core::Effect::NotExecuted)
    .public("The connection to the service is being renewed; try again shortly.")
}
