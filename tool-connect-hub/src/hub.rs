//! The Hub: the handle that a host embeds.

use std::collections::BTreeMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use quick_cache::sync::Cache;
use tokio_util::task::TaskTracker;
use tool_connect_core::store::{Approval, ApprovalStatus, Decision, Grant, Stores, Subject, ToolPattern};
use tool_connect_core::{
    ApprovalId, Clock, Connect, Connection, ConnectionId, Connector, ConnectorManifest, Effect, Error,
    ErrorKind, Event, EventKind, EventSink, InstanceId, Principal, Result, TenantId,
};

use crate::audit::{Audit, AuditEntry, AuditTrail, EntryKind, Outcome};
use crate::builder::{HubBuilder, InstanceOptions};
use crate::cache::ReadCache;
use crate::caller::{Caller, Generation, Memory};
use crate::host::{Ingress, PerCall};
use crate::limits::Limits;
use crate::patience::Patience;
use crate::policy::Policy;
use crate::registry::{Instance, Quarantined, Registration, Registry, hidden};
use crate::request::RequestStack;
use crate::search::Embedder;
use crate::session::{Session, SessionInner};
use crate::shape::{ShapeSettings, Tokenizer};

/// For how long a lease that ended is left alone: its holder may be looking at it.
const LEASES_KEPT: Duration = Duration::from_secs(3600);

/// So many principals are remembered between sessions.
pub(crate) const CALLERS: usize = 10_000;

pub(crate) struct HubInner {
    pub(crate) registry: Registry,
    pub(crate) stores: Stores,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) policy: Arc<dyn Policy>,
    pub(crate) limits: Limits,
    pub(crate) cache: ReadCache,
    pub(crate) audit: Arc<AuditTrail>,
    pub(crate) requests: RequestStack,
    pub(crate) ingress: Vec<Arc<dyn Ingress>>,
    pub(crate) per_call: Vec<Arc<dyn PerCall>>,
    pub(crate) events: Arc<Events>,
    pub(crate) callers: Cache<Principal, Arc<Caller>>,
    pub(crate) generation: Generation,
    pub(crate) tasks: TaskTracker,
    /// Whether anything wants to know of a call's begin and end.
    pub(crate) watching: bool,
    pub(crate) metrics: bool,
    pub(crate) audited: bool,
    /// Whether a write is written into the audit trail before it runs.
    pub(crate) intents: bool,
    pub(crate) default_timeout: Option<Duration>,
    pub(crate) max_argument_bytes: usize,
    pub(crate) max_result_bytes: usize,
    pub(crate) result_keep: Duration,
    pub(crate) shape: ShapeSettings,
    pub(crate) tokenizer: Option<Arc<dyn Tokenizer>>,
    pub(crate) idempotency_keep: Duration,
    pub(crate) approval_ttl: Duration,
    pub(crate) concurrency_wait: Duration,
    pub(crate) memory: Duration,
    pub(crate) patience: Patience,
    pub(crate) connect: Option<Arc<dyn Connect>>,
    pub(crate) embedder: Option<Arc<dyn Embedder>>,
}

/// Who hears of events.
pub(crate) struct Events {
    pub(crate) sinks: Vec<Arc<dyn EventSink>>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Events {
    pub(crate) fn emit(&self, tenant: Option<&TenantId>, what: impl FnOnce() -> EventKind) {
        if self.sinks.is_empty() {
            return;
        }
        let event = Event { time: self.clock.now(), tenant: tenant.cloned(), what: what() };
        for sink in &self.sinks {
            // One that panics must not take the call and its audit record with it.
            if catch_unwind(AssertUnwindSafe(|| sink.emit(&event))).is_err() {
                tracing::error!(target: "tool_connect", "an event sink panicked; this is a defect in the host");
            }
        }
    }
}

impl HubInner {
    pub(crate) fn emit(&self, tenant: Option<&TenantId>, what: impl FnOnce() -> EventKind) {
        self.events.emit(tenant, what);
    }

    pub(crate) fn memory(&self) -> Memory<'_> {
        Memory {
            stores: &self.stores,
            clock: &*self.clock,
            generation: &self.generation,
            keep: self.memory,
            patience: self.patience,
            connect: self.connect.as_ref(),
        }
    }

    /// Whoever can bring users to consent.
    pub(crate) fn connecting(&self) -> Result<&Arc<dyn Connect>> {
        self.connect.as_ref().ok_or_else(|| {
            Error::new(
                ErrorKind::Config,
                "the Hub cannot connect accounts: give it `HubBuilder::connect` (with tool-connect-oauth, `oauth.connect()`)",
            )
        })
    }

    /// Runs what must happen although nobody waits for it any more. Outside of a runtime there is
    /// nothing to run it on: then leases end it.
    pub(crate) fn settle(&self, work: impl Future<Output = ()> + Send + 'static) {
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            self.tasks.spawn_on(work, &runtime);
        }
    }

    /// A call that named no tool of this tenant's: counted and audited like any other refusal.
    pub(crate) fn not_found(&self, principal: &Arc<Principal>, kind: ErrorKind) {
        if self.metrics {
            crate::observe::count_unknown(kind);
        }
        if self.audited {
            let mut entry = AuditEntry::new(
                EntryKind::Outcome,
                crate::call::call_id(),
                principal,
                self.clock.monotonic(),
            );
            entry.outcome = Some(Outcome::Error(kind));
            entry.effect = Some(Effect::NotExecuted);
            self.audit.record_on_drop(&entry);
        }
    }

    /// Decides an approval. The decision is in the audit trail before it can be used: where it
    /// cannot be written, nothing is decided.
    pub(crate) async fn decide(
        &self,
        by: &Arc<Principal>,
        approval: &ApprovalId,
        decision: Decision,
    ) -> Result<Approval> {
        if by.agent.is_some() {
            return Err(Error::new(ErrorKind::Denied, "an agent cannot decide an approval; a person must"));
        }
        let approvals = &self.stores.approvals;
        match self.patience.with("approvals", approvals.get(&by.tenant, approval)).await? {
            Some(known) if known.status != ApprovalStatus::Pending => return Ok(known),
            _ => {}
        }
        let mut entry =
            AuditEntry::new(EntryKind::Approval, crate::call::call_id(), by, self.clock.monotonic());
        entry.approval = Some(approval);
        entry.outcome = Some(match decision {
            Decision::Approve => Outcome::Ok,
            Decision::Deny => Outcome::Error(ErrorKind::Denied),
        });
        self.audit.commit(&entry).await?;
        let deciding = approvals.decide(&by.tenant, approval, decision, &by.user);
        let decided = self.patience.with("approvals", deciding).await?;
        self.emit(Some(&by.tenant), || EventKind::ApprovalDecided {
            approval: approval.clone(),
            approved: decided.status == ApprovalStatus::Approved,
            by: by.user.clone(),
        });
        Ok(decided)
    }
}

/// The handle that a host embeds: registry, stores and stacks. `Clone + Send + Sync`; a clone is one
/// counter. It starts no task until a call needs one, and runs on either tokio flavour.
///
/// ```
/// # use schemars::JsonSchema;
/// # use serde::{Deserialize, Serialize};
/// use tool_connect_core::{Connector, ConnectorManifest, Principal, Result, Run, Tool, ToolContext, ToolSet};
/// use tool_connect_hub::Hub;
///
/// /// Add two numbers.
/// #[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
/// #[tool(read_only)]
/// #[serde(deny_unknown_fields)]
/// struct Add {
///     /// First number.
///     a: i64,
///     /// Second number.
///     b: i64,
/// }
///
/// impl Run for Add {
///     type Output = i64;
///     async fn run(self, _cx: &ToolContext) -> Result<i64> {
///         Ok(self.a.saturating_add(self.b))
///     }
/// }
///
/// struct Calculator(ConnectorManifest);
/// impl Connector for Calculator {
///     fn manifest(&self) -> &ConnectorManifest {
///         &self.0
///     }
///     fn tools(&self, set: &mut ToolSet) {
///         set.add::<Add>();
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let manifest = ConnectorManifest::new("calculator", semver::Version::new(1, 0, 0), "Calculator");
/// let hub = Hub::builder().connector(Calculator(manifest)).build()?;
/// let session = hub.session(Principal::user("acme", "ada")?);
///
/// assert_eq!(session.run(Add { a: 2, b: 3 }).await?, 5);
/// let outcome = session.call("calculator.add", r#"{"a": 2, "b": 40}"#).await?;
/// assert_eq!(outcome.into_output()?.parse::<i64>()?, 42);
/// hub.shutdown().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Hub(pub(crate) Arc<HubInner>);

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hub")
    }
}

impl Hub {
    /// Begins a Hub with defaults: everything in memory, users may call everything, agents what
    /// they were granted.
    pub fn builder() -> HubBuilder {
        HubBuilder::default()
    }

    /// A principal's way to call tools.
    #[must_use]
    pub fn session(&self, principal: Principal) -> Session {
        let caller = match self.0.callers.get(&principal) {
            Some(caller) => caller,
            None => {
                let caller = Arc::new(Caller::new(principal.clone()));
                self.0.callers.insert(principal, Arc::clone(&caller));
                caller
            }
        };
        Session(Arc::new(SessionInner { hub: Arc::clone(&self.0), caller, shape: None }))
    }

    /// Registers a connector under its own id, for all tenants.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] where the id is taken or a tool is there twice,
    /// [`ErrorKind::Config`] where an id is malformed.
    pub fn add(&self, connector: impl Connector) -> Result<Registration> {
        self.add_instance(connector, InstanceOptions::default())
    }

    /// Registers an instance of a connector: with its own id, base URL, tenant.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn add_instance(&self, connector: impl Connector, options: InstanceOptions) -> Result<Registration> {
        self.put(Arc::new(connector), options, false)
    }

    /// Registers an instance, in the place of one of the same id if there is one. Calls that run go
    /// on with what they hold.
    ///
    /// # Errors
    /// As [`add`](Self::add), without the conflict over the instance's id.
    pub fn replace(&self, connector: impl Connector, options: InstanceOptions) -> Result<Registration> {
        self.put(Arc::new(connector), options, true)
    }

    fn put(
        &self,
        connector: Arc<dyn Connector>,
        options: InstanceOptions,
        replace: bool,
    ) -> Result<Registration> {
        let tenant = options.tenant.clone();
        let registered = self.0.registry.put(tenant.as_ref(), vec![options.instance(connector)?], replace)?;
        self.announce(tenant.as_ref(), &registered);
        registered.into_iter().next().ok_or_else(|| Error::new(ErrorKind::Internal, "nothing was registered"))
    }

    /// Registers what the builder collected; global instances first, then each tenant's.
    pub(crate) fn put_all(&self, connectors: Vec<(Arc<dyn Connector>, InstanceOptions)>) -> Result<()> {
        let mut by_tenant: BTreeMap<Option<TenantId>, Vec<Instance>> = BTreeMap::new();
        for (connector, options) in connectors {
            by_tenant.entry(options.tenant.clone()).or_default().push(options.instance(connector)?);
        }
        for (tenant, instances) in by_tenant {
            let registered = self.0.registry.put(tenant.as_ref(), instances, false)?;
            self.announce(tenant.as_ref(), &registered);
        }
        Ok(())
    }

    fn announce(&self, tenant: Option<&TenantId>, registered: &[Registration]) {
        for registration in registered {
            self.0.emit(tenant, || EventKind::RegistryChanged {
                instance: registration.instance.clone(),
                present: true,
            });
            for Quarantined { tool, problems } in &registration.quarantined {
                tracing::warn!(target: "tool_connect", %tool, ?problems, "a tool is switched off");
                self.0.emit(tenant, || EventKind::ToolQuarantined {
                    tool: tool.clone(),
                    problems: problems.clone(),
                });
            }
        }
    }

    /// Removes an instance; returns whether it was there. Calls that run go on.
    pub fn remove(&self, instance: &InstanceId, tenant: Option<&TenantId>) -> bool {
        let removed = self.0.registry.remove(tenant, instance);
        if removed {
            self.0.emit(tenant, || EventKind::RegistryChanged { instance: instance.clone(), present: false });
        }
        removed
    }

    /// The instances that a tenant sees, with their manifests.
    #[must_use]
    pub fn instances(&self, tenant: &TenantId) -> BTreeMap<InstanceId, ConnectorManifest> {
        let (overlay, global) = self.0.registry.views(tenant);
        let mut instances: BTreeMap<_, _> =
            global.instances().map(|i| (i.id.clone(), i.manifest().clone())).collect();
        for instance in overlay.iter().flat_map(|o| o.instances()) {
            instances.insert(instance.id.clone(), instance.manifest().clone());
        }
        instances
    }

    /// Indexes the tools that a tenant sees, which its first search would do otherwise, and embeds them where the host has an
    /// [`Embedder`]. Returns how much memory the indexes take, in bytes, about and without vectors.
    ///
    /// # Errors
    /// What the embedder returns.
    pub async fn prepare_search(&self, tenant: &TenantId) -> Result<usize> {
        crate::search::prepare(&self.0, tenant).await
    }

    /// Tools that are switched off because their definition is broken, as a tenant sees them. One whose schemas are made on
    /// first use is among them once it was listed or called.
    #[must_use]
    pub fn quarantined(&self, tenant: &TenantId) -> Vec<Quarantined> {
        let (overlay, global) = self.0.registry.views(tenant);
        overlay
            .iter()
            .flat_map(|o| o.entries())
            .chain(global.entries().iter().filter(|entry| !hidden(overlay.as_ref(), entry)))
            .filter(|entry| !entry.known_broken().is_empty())
            .map(|entry| Quarantined { tool: entry.id.clone(), problems: entry.known_broken().to_vec() })
            .collect()
    }

    /// The stores. Writing grants and connections through the Hub instead makes the change seen at
    /// once.
    #[must_use]
    pub fn stores(&self) -> &Stores {
        &self.0.stores
    }

    /// Writes a connection; seen by the next call. Its secret belongs into the credential source.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] where it changed meanwhile, [`ErrorKind::Storage`].
    pub async fn put_connection(&self, mut connection: Connection) -> Result<Connection> {
        if connection.version == 0 {
            connection.created = self.0.clock.now();
        }
        let stored = self.0.stores.connections.put(connection).await?;
        self.0.generation.raise();
        self.0.emit(Some(&stored.tenant), || EventKind::ConnectionChanged {
            connection: stored.id.clone(),
            status: stored.status,
        });
        Ok(stored)
    }

    /// Removes a connection; seen by the next call.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`].
    pub async fn delete_connection(&self, tenant: &TenantId, id: &ConnectionId) -> Result<bool> {
        let removed = self.0.stores.connections.delete(tenant, id).await?;
        self.0.generation.raise();
        Ok(removed)
    }

    /// Writes a grant; seen by the next call.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`].
    pub async fn grant(&self, grant: Grant) -> Result<()> {
        self.0.stores.grants.put(grant).await?;
        self.0.generation.raise();
        Ok(())
    }

    /// Takes a grant back; seen by the next call.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`].
    pub async fn revoke(
        &self,
        tenant: &TenantId,
        subject: &Subject,
        tools: &ToolPattern,
        connection: Option<&ConnectionId>,
    ) -> Result<bool> {
        let removed = self.0.stores.grants.revoke(tenant, subject, tools, connection).await?;
        self.0.generation.raise();
        Ok(removed)
    }

    /// The limits; they can be changed while calls run.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// The audit trail: verify, export, erase.
    #[must_use]
    pub fn audit(&self) -> Audit {
        Audit::new(Arc::clone(&self.0.audit))
    }

    /// The circuit breakers, one per connector instance and host.
    #[must_use]
    pub fn breakers(&self) -> Vec<crate::BreakerView> {
        self.0.requests.breakers()
    }

    /// Drops expired idempotency keys, quota windows, stored results, and approvals that ended longer
    /// ago than an approval lives; returns how many rows. A
    /// host calls it now and then.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`].
    pub async fn purge(&self) -> Result<u64> {
        let stores = &self.0.stores;
        let decided_long_ago =
            self.0.clock.now().checked_sub(self.0.approval_ttl).unwrap_or(SystemTime::UNIX_EPOCH);
        Ok(stores.idempotency.purge().await?
            + stores.quotas.purge().await?
            + stores.results.purge().await?
            + stores.leases.purge(LEASES_KEPT).await?
            + stores.authorizations.purge().await?
            + stores.approvals.purge(decided_long_ago).await?)
    }

    /// Waits for what calls have left to be done (settlement, the audit trail) and seals the audit
    /// trail with a checkpoint. Calls made later are still served and audited; shut down again then.
    ///
    /// # Errors
    /// [`ErrorKind::AuditUnavailable`] where the trail cannot be written.
    pub async fn shutdown(&self) -> Result<()> {
        self.0.tasks.close();
        self.0.tasks.wait().await;
        self.0.tasks.reopen();
        self.0.audit.shutdown().await
    }
}

/// A token of 128 random bits, in hex.
pub(crate) fn random_token() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|_| Error::new(ErrorKind::Internal, "the system has no randomness to give"))?;
    Ok(bytes.iter().map(|b| format!("{b:02x}")).collect())
}
