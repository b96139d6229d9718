//! Building a Hub.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::sync::Cache;
use tokio_util::task::TaskTracker;
use tool_connect_core::http::Transport;
use tool_connect_core::store::Stores;
use tool_connect_core::{
    AuthScheme, Authenticator, Clock, Connect, Connector, ConnectorLimits, CredentialSource, Error,
    ErrorKind, EventSink, EventSinks, InstanceId, Result, SystemClock, TenantId,
};
use tool_connect_tower::{Concurrency, hash_key};
use url::Url;

use crate::audit::{AuditMode, AuditTrail, CheckpointSigner, Ed25519Signer, SecretLog};
use crate::cache::ReadCache;
use crate::caller::Generation;
use crate::credentials::{SchemeAuthenticator, StaticCredentials};
use crate::host::{Ingress, PerCall};
use crate::hub::{CALLERS, Events, Hub, HubInner};
use crate::limits::Limits;
use crate::patience::Patience;
use crate::policy::Policy;
use crate::registry::{Instance, Registry};
use crate::request::{Endpoint, PerRequest, RequestStack};
use crate::search::Embedder;
use crate::settings::HubSettings;
use crate::shape::Tokenizer;
use crate::transport::NetworkAccess;

/// What a host may say of one instance of a connector; unset means the connector's own.
///
/// ```
/// use tool_connect_hub::InstanceOptions;
/// let work = InstanceOptions::new("github_work")?.base_url("https://github.corp.example/api/v3/".parse().unwrap());
/// # Ok::<(), tool_connect_core::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct InstanceOptions {
    /// Its id; the connector's id where unset.
    pub id: Option<InstanceId>,
    /// The only tenant that sees it; all where unset.
    pub tenant: Option<TenantId>,
    /// Where relative requests go.
    pub base_url: Option<Url>,
    /// How to authenticate.
    pub auth: Option<AuthScheme>,
    /// What the service bears.
    pub limits: Option<ConnectorLimits>,
    /// Addresses that the guard lets through although they are not public.
    pub network: NetworkAccess,
}

impl InstanceOptions {
    /// An instance with its own id.
    ///
    /// # Errors
    /// Where the id is malformed.
    pub fn new(id: impl AsRef<str>) -> Result<Self> {
        Ok(Self { id: Some(InstanceId::new(id)?), ..Self::default() })
    }

    /// Shows it to one tenant only.
    #[must_use]
    pub fn tenant(mut self, tenant: TenantId) -> Self {
        self.tenant = Some(tenant);
        self
    }

    /// Sets where relative requests go.
    #[must_use]
    pub fn base_url(mut self, url: Url) -> Self {
        self.base_url = Some(url);
        self
    }

    /// Sets how to authenticate.
    #[must_use]
    pub fn auth(mut self, scheme: AuthScheme) -> Self {
        self.auth = Some(scheme);
        self
    }

    /// Sets what the service bears.
    #[must_use]
    pub fn limits(mut self, limits: ConnectorLimits) -> Self {
        self.limits = Some(limits);
        self
    }

    /// Lets the guard let addresses through that are not public: a development server, a service
    /// inside the host's network.
    #[must_use]
    pub fn network(mut self, access: NetworkAccess) -> Self {
        self.network = access;
        self
    }

    pub(crate) fn instance(self, connector: Arc<dyn Connector>) -> Result<Instance> {
        let manifest = connector.manifest();
        let id = match self.id {
            Some(id) => id,
            None => InstanceId::new(&manifest.id)?,
        };
        // What the host says of an instance stands above the connector's own word.
        let needs_connection = match &self.auth {
            Some(scheme) => *scheme != AuthScheme::None,
            None => manifest.needs_connection(),
        };
        let scheme = match self.auth {
            Some(scheme) => scheme,
            None => manifest.auth.first().cloned().unwrap_or(AuthScheme::None),
        };
        let limits = self.limits.unwrap_or_else(|| manifest.limits.clone());
        let concurrency = match limits.concurrency {
            None => None,
            Some(0) => {
                return Err(Error::new(
                    ErrorKind::Config,
                    format!("instance `{id}` may run 0 calls at once"),
                ));
            }
            Some(calls) => Some(Arc::new(Concurrency::new(usize::try_from(calls).unwrap_or(usize::MAX)))),
        };
        let tenant = self.tenant.as_ref().map(TenantId::as_str);
        let mut allowed = self.network;
        // They are those of the service at its own address.
        if self.base_url.is_none() || self.base_url == manifest.base_url {
            allowed.credentials.extend(manifest.origins.iter().cloned());
        }
        Ok(Instance {
            serial: SERIAL.fetch_add(1, Ordering::Relaxed),
            key: hash_key((tenant, id.as_str())),
            needs_connection,
            endpoint: Endpoint {
                instance: id.clone(),
                base_url: self.base_url.or_else(|| manifest.base_url.clone()),
                scheme,
                limits,
                connector: Arc::clone(&connector),
                allowed,
            },
            id,
            connector,
            concurrency,
            search: Default::default(),
        })
    }
}

static SERIAL: AtomicU64 = AtomicU64::new(0);

/// Builds a [`Hub`]. Nothing is needed; everything has a default that works.
#[derive(Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct HubBuilder {
    settings: HubSettings,
    stores: Option<Stores>,
    clock: Option<Arc<dyn Clock>>,
    policy: Option<Arc<dyn Policy>>,
    transport: Option<Arc<dyn Transport>>,
    authenticator: Option<Arc<dyn Authenticator>>,
    connect: Option<Arc<dyn Connect>>,
    tokenizer: Option<Arc<dyn Tokenizer>>,
    embedder: Option<Arc<dyn Embedder>>,
    signer: Option<Arc<dyn CheckpointSigner>>,
    ingress: Vec<Arc<dyn Ingress>>,
    per_call: Vec<Arc<dyn PerCall>>,
    per_request: Vec<Arc<dyn PerRequest>>,
    sinks: EventSinks,
    secret_logs: Vec<SecretLog>,
    connectors: Vec<(Arc<dyn Connector>, InstanceOptions)>,
}

impl std::fmt::Debug for HubBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HubBuilder").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl HubBuilder {
    /// Takes all settings, from [`HubSettings::from_file`] for instance.
    pub fn settings(mut self, settings: HubSettings) -> Self {
        self.settings = settings;
        self
    }

    /// Changes settings in code: `.configure(|s| s.default_timeout = None)`.
    pub fn configure(mut self, change: impl FnOnce(&mut HubSettings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// Writes metrics; install the recorder first.
    pub fn metrics(mut self, on: bool) -> Self {
        self.settings.metrics = on;
        self
    }

    /// Keeps things in these stores; in memory by default.
    pub fn stores(mut self, stores: Stores) -> Self {
        self.stores = Some(stores);
        self
    }

    /// Takes time from this clock.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Asks this policy instead of the roles and grants of the settings.
    pub fn policy(mut self, policy: impl Policy) -> Self {
        self.policy = Some(Arc::new(policy));
        self
    }

    /// Sends requests through this transport: a cassette, or a client of the host's, which then
    /// answers for the address guard.
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Reads the secrets of connections here.
    pub fn credentials(mut self, source: Arc<dyn CredentialSource>) -> Self {
        self.authenticator = Some(Arc::new(SchemeAuthenticator::new(source)));
        self
    }

    /// Signs requests with this authenticator.
    pub fn authenticator(mut self, authenticator: Arc<dyn Authenticator>) -> Self {
        self.authenticator = Some(authenticator);
        self
    }

    /// Brings users to consent with this: a call without a usable connection returns a ticket, and
    /// [`Session::connect`](crate::Session::connect) gives one. The Hub's memory of connections is dropped when they change.
    pub fn connect(mut self, connect: Arc<dyn Connect>) -> Self {
        self.connect = Some(connect);
        self
    }

    /// Ranks tools by meaning too, beside the words: see [`Session::search`](crate::Session::search).
    pub fn embedder(mut self, embedder: impl Embedder) -> Self {
        self.embedder = Some(Arc::new(embedder));
        self
    }

    /// Signs checkpoints of the audit trail with this key. Without one, each process signs with a
    /// key of its own that nobody outside of it can check.
    pub fn checkpoint_signer(mut self, signer: Arc<dyn CheckpointSigner>) -> Self {
        self.signer = Some(signer);
        self
    }

    /// Writes the secrets that a vault opens into the audit trail.
    pub fn secret_log(mut self, log: &SecretLog) -> Self {
        self.secret_logs.push(log.clone());
        self
    }

    /// Counts the tokens of results with this where a budget is in tokens, instead of estimating them.
    pub fn tokenizer(mut self, tokenizer: impl Tokenizer) -> Self {
        self.tokenizer = Some(Arc::new(tokenizer));
        self
    }

    /// Adds a host layer before the policy.
    pub fn ingress(mut self, layer: impl Ingress) -> Self {
        self.ingress.push(Arc::new(layer));
        self
    }

    /// Adds a host layer around the tools, inside those that were added before.
    pub fn per_call(mut self, layer: impl PerCall) -> Self {
        self.per_call.push(Arc::new(layer));
        self
    }

    /// Adds a host layer before the credentials of each request.
    pub fn per_request(mut self, layer: impl PerRequest) -> Self {
        self.per_request.push(Arc::new(layer));
        self
    }

    /// Hears of events.
    pub fn on_event(mut self, sink: impl EventSink) -> Self {
        self.sinks.push(Arc::new(sink));
        self
    }

    /// Registers a connector under its own id, for all tenants.
    pub fn connector(self, connector: impl Connector) -> Self {
        self.instance(connector, InstanceOptions::default())
    }

    /// Registers an instance of a connector.
    pub fn instance(mut self, connector: impl Connector, options: InstanceOptions) -> Self {
        self.connectors.push((Arc::new(connector), options));
        self
    }

    /// Builds the Hub and registers the connectors. Starts no task.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] where settings cannot be used; what [`Hub::add`] returns for a
    /// connector. A tool with a broken definition is no error: see [`Hub::quarantined`].
    pub fn build(self) -> Result<Hub> {
        let settings = self.settings;
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock));
        let stores = self.stores.unwrap_or_else(|| Stores::in_memory_with(Arc::clone(&clock)));
        let events = Arc::new(Events { sinks: self.sinks, clock: Arc::clone(&clock) });
        let transport = match self.transport {
            Some(transport) => transport,
            None => crate::transport::default(&settings.http)?,
        };
        let authenticator = self
            .authenticator
            .unwrap_or_else(|| Arc::new(SchemeAuthenticator::new(Arc::new(StaticCredentials::new()))));
        let signer = match self.signer {
            Some(signer) => signer,
            None => Arc::new(Ed25519Signer::generate("process")?),
        };
        let hook = |events: &Arc<Events>| {
            let events = Arc::clone(events);
            Arc::new(move |what| events.emit(None, || what)) as Arc<dyn Fn(_) + Send + Sync>
        };
        let audit = Arc::new(AuditTrail::new(
            settings.audit.clone(),
            Arc::clone(&stores.audit),
            Arc::clone(&clock),
            signer,
            hook(&events),
        ));
        for log in &self.secret_logs {
            log.bind(&audit)?;
        }
        let requests = RequestStack::new(
            settings.http.clone(),
            transport,
            authenticator,
            Arc::clone(&clock),
            hook(&events),
            self.per_request,
        )?;
        let patience = Patience(settings.store_timeout);
        let limits = Limits::new(&settings.limits, Arc::clone(&stores.quotas), Arc::clone(&clock), patience)?;
        let policy = self.policy.unwrap_or_else(|| Arc::new(settings.policy.clone()));
        let hub = Hub(Arc::new(HubInner {
            registry: Registry::new(),
            policy,
            limits,
            cache: ReadCache::new(&settings.cache),
            watching: settings.metrics || settings.audit.mode != AuditMode::Off || !events.sinks.is_empty(),
            audited: settings.audit.mode != AuditMode::Off,
            intents: settings.audit.mode == AuditMode::FailClosed,
            audit,
            requests,
            ingress: self.ingress,
            per_call: self.per_call,
            events,
            callers: Cache::new(CALLERS),
            generation: Generation::default(),
            tasks: TaskTracker::new(),
            metrics: settings.metrics,
            default_timeout: settings.default_timeout,
            max_argument_bytes: settings.max_argument_bytes,
            max_result_bytes: settings.max_result_bytes,
            result_keep: settings.result_keep,
            shape: settings.shape,
            tokenizer: self.tokenizer,
            idempotency_keep: settings.idempotency_keep,
            approval_ttl: settings.approval_ttl,
            concurrency_wait: settings.concurrency_wait,
            memory: settings.memory,
            patience,
            connect: self.connect,
            embedder: self.embedder,
            stores,
            clock,
        }));
        if let Some(connect) = &hub.0.connect {
            let hub = Arc::downgrade(&hub.0);
            connect.on_change(Arc::new(move |_| {
                if let Some(hub) = hub.upgrade() {
                    hub.generation.raise();
                }
            }));
        }
        hub.put_all(self.connectors)?;
        Ok(hub)
    }
}
