//! Limits of calls: rates per tenant, user, instance, connection and plan, decided together; and
//! quotas over long windows.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use serde::{Deserialize, Serialize};
use tool_connect_core::store::{QuotaKey, QuotaRequest, QuotaStore};
use tool_connect_core::{
    BoxFuture, Clock, ConnectionId, Error, ErrorKind, PlanId, Principal, Rate, Result, Retry, TenantId,
};
use tool_connect_tower::limit::{Cause, Charge, ClassId, Refused};
use tool_connect_tower::{Limit, Limiter, hash_key};

use crate::patience::Patience;
use crate::registry::Entry;

/// Limits of calls; each is off where unset.
///
/// ```
/// use tool_connect_hub::LimitSettings;
/// let settings: LimitSettings = toml::from_str(r#"
///     user = { permits = 60, period = "1m", burst = 10 }
///     wait = "200ms"
///     plans.pro = { permits = 1000, period = "1m" }
///     quotas = [{ of = "tenant", limit = 100000, window = "1day" }]
/// "#).unwrap();
/// assert_eq!(settings.plans.len(), 1);
/// ```
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct LimitSettings {
    /// Calls of a whole tenant.
    pub tenant: Option<Rate>,
    /// Calls of one user.
    pub user: Option<Rate>,
    /// Calls to one connector instance, by everybody.
    pub instance: Option<Rate>,
    /// Calls on one connection.
    pub connection: Option<Rate>,
    /// Calls of a tenant on a plan, by plan.
    pub plans: BTreeMap<String, Rate>,
    /// Long windows, counted in the quota store and so shared by all processes.
    pub quotas: Vec<Quota>,
    /// How long a call may wait for a rate; not at all by default.
    #[serde(with = "tool_connect_core::duration")]
    pub wait: Duration,
}

/// So many calls in a long window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// Whose calls are counted together.
    pub of: QuotaOf,
    /// How many (in cost).
    pub limit: u64,
    /// How long the window is.
    #[serde(with = "tool_connect_core::duration")]
    pub window: Duration,
}

/// Whose calls a quota counts together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuotaOf {
    /// A tenant's.
    Tenant,
    /// A user's.
    User,
    /// A tenant's at one instance.
    Instance,
}

/// A principal's keys in the limiter; hashed once, and not by each call.
#[derive(Debug)]
pub(crate) struct LimitKeys {
    tenant: u64,
    user: u64,
    /// The class of the principal's plan, once it has a rate; a class never becomes another.
    plan: OnceLock<ClassId>,
}

impl LimitKeys {
    pub(crate) fn of(principal: &Principal) -> Self {
        Self {
            tenant: hash_key(principal.tenant.as_str()),
            user: hash_key((principal.tenant.as_str(), principal.user.as_str())),
            plan: OnceLock::new(),
        }
    }

    /// The key of one of the tenant's connections; the tenant's own key is mixed in, and the host
    /// chose the id, so that a quick hash will do.
    fn connection(&self, id: &ConnectionId) -> u64 {
        static SEED: OnceLock<foldhash::quality::RandomState> = OnceLock::new();
        SEED.get_or_init(Default::default).hash_one((self.tenant, id.as_str()))
    }
}

/// The limits of a Hub; they can be changed while calls run.
pub struct Limits {
    limiter: Limiter,
    tenant: OnceLock<ClassId>,
    user: OnceLock<ClassId>,
    instance: OnceLock<ClassId>,
    connection: OnceLock<ClassId>,
    plans: ArcSwap<HashMap<PlanId, ClassId, foldhash::fast::RandomState>>,
    /// Whether anything is limited: one load where nothing is.
    any: AtomicBool,
    quotas: Vec<Quota>,
    wait: Duration,
    patience: Patience,
    store: Arc<dyn QuotaStore>,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Limits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limits").field("limiter", &self.limiter).finish_non_exhaustive()
    }
}

/// Which of the rates to set.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimitOf {
    /// Calls of a whole tenant.
    Tenant,
    /// Calls of one user.
    User,
    /// Calls to one connector instance.
    Instance,
    /// Calls on one connection.
    Connection,
    /// Calls of a tenant on this plan.
    Plan(PlanId),
}

impl Limits {
    pub(crate) fn new(
        settings: &LimitSettings,
        store: Arc<dyn QuotaStore>,
        clock: Arc<dyn Clock>,
        patience: Patience,
    ) -> Result<Self> {
        let limits = Self {
            limiter: Limiter::new(),
            tenant: OnceLock::new(),
            user: OnceLock::new(),
            instance: OnceLock::new(),
            connection: OnceLock::new(),
            plans: ArcSwap::from_pointee(HashMap::default()),
            any: AtomicBool::new(!settings.quotas.is_empty()),
            quotas: settings.quotas.clone(),
            wait: settings.wait,
            patience,
            store,
            clock,
        };
        // What most calls share comes last, as in `rates`.
        if let Some(rate) = settings.user {
            limits.set(LimitOf::User, rate)?;
        }
        for (plan, rate) in &settings.plans {
            limits.set(LimitOf::Plan(PlanId::new(plan)?), *rate)?;
        }
        for (of, rate) in [
            (LimitOf::Tenant, settings.tenant),
            (LimitOf::Connection, settings.connection),
            (LimitOf::Instance, settings.instance),
        ] {
            if let Some(rate) = rate {
                limits.set(of, rate)?;
            }
        }
        for quota in &settings.quotas {
            if quota.window < Duration::from_secs(1) {
                return Err(Error::new(ErrorKind::Config, "a quota's window must be at least one second"));
            }
        }
        Ok(limits)
    }

    /// Sets a rate, at once; what was used stays used.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] where the period is 0 or there are too many plans. A rate of 0 is none:
    /// it closes the limit, and nothing passes.
    pub fn set(&self, of: LimitOf, rate: Rate) -> Result<()> {
        let limit = limit(rate)?;
        let (name, place) = match &of {
            LimitOf::Tenant => ("tenant".to_owned(), Some(&self.tenant)),
            LimitOf::User => ("user".to_owned(), Some(&self.user)),
            LimitOf::Instance => ("instance".to_owned(), Some(&self.instance)),
            LimitOf::Connection => ("connection".to_owned(), Some(&self.connection)),
            LimitOf::Plan(plan) => (format!("plan {plan}"), None),
        };
        let class = self
            .limiter
            .define(&name, limit)
            .map_err(|e| Error::new(ErrorKind::Config, "too many limits are defined").caused_by(e))?;
        match (place, of) {
            (Some(place), _) => {
                // Set before, then it is the same class with another rate.
                let _ = place.set(class);
            }
            (None, LimitOf::Plan(plan)) => {
                self.plans.rcu(|plans| {
                    let mut plans = HashMap::clone(plans);
                    plans.insert(plan.clone(), class);
                    plans
                });
            }
            (None, _) => {}
        }
        self.any.store(true, Ordering::Release);
        Ok(())
    }

    /// Whether anything is limited.
    pub(crate) fn any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// Takes a call's cost from every rate or from none, then from every quota or from none; what a
    /// quota refuses stays taken from the rates. `None` where that is done: what else there is to be
    /// waited for or asked for is in the future. `now`: the clock's reading, where the call has one
    /// already.
    pub(crate) fn acquire<'a>(
        &'a self,
        now: Option<u64>,
        keys: &LimitKeys,
        principal: &'a Principal,
        entry: &'a Entry,
        connection: Option<&ConnectionId>,
    ) -> Option<BoxFuture<'a, Result<(), Refusal>>> {
        let refused = self.rates(now, keys, principal, entry, connection);
        if refused.is_none() && self.quotas.is_empty() {
            return None;
        }
        Some(Box::pin(async move {
            if let Some((refused, charges, used)) = refused {
                self.wait(refused, &charges[..used]).await?;
            }
            if self.quotas.is_empty() { Ok(()) } else { self.count(principal, entry).await }
        }))
    }

    /// The class of the principal's plan, if the plan has a rate.
    fn plan(&self, keys: &LimitKeys, principal: &Principal) -> Option<ClassId> {
        let plan = principal.plan.as_ref()?;
        if let Some(class) = keys.plan.get() {
            return Some(*class);
        }
        let class = *self.plans.load().get(plan)?;
        Some(*keys.plan.get_or_init(|| class))
    }

    /// Takes from every rate or from none; what refuses it, and what was to be taken.
    fn rates(
        &self,
        now: Option<u64>,
        keys: &LimitKeys,
        principal: &Principal,
        entry: &Entry,
        connection: Option<&ConnectionId>,
    ) -> Option<(Refused, [Charge; 5], usize)> {
        let cost = u64::from(entry.marks.cost);
        let plan = self.plan(keys, principal);
        let by_connection = connection.and_then(|id| {
            let class = self.connection.get()?;
            Some((*class, keys.connection(id)))
        });
        let wanted = [
            self.user.get().map(|class| (*class, keys.user)),
            plan.map(|class| (class, keys.tenant)),
            self.tenant.get().map(|class| (*class, keys.tenant)),
            by_connection,
            self.instance.get().map(|class| (*class, entry.instance.key)),
        ];
        let (class, key) = wanted.into_iter().flatten().next()?;
        let mut charges = [Charge::new(class, key).cost(cost); 5];
        let mut used = 0;
        for (class, key) in wanted.into_iter().flatten() {
            charges[used] = Charge::new(class, key).cost(cost);
            used += 1;
        }
        let now = now.unwrap_or_else(|| self.clock.monotonic());
        let refused = self.limiter.check(now, &charges[..used]).err()?;
        Some((refused, charges, used))
    }

    /// Waits for the rates, if that is allowed.
    async fn wait(&self, refused: Refused, charges: &[Charge]) -> Result<(), Refusal> {
        if refused.retry_after().is_none_or(|wait| wait > self.wait) {
            return Err(Refusal::rate(&refused));
        }
        let clock = Reading(&*self.clock);
        match self.limiter.acquire(charges, self.wait, &clock).await {
            Ok(_) => Ok(()),
            Err(refused) => Err(Refusal::rate(&refused)),
        }
    }

    async fn count(&self, principal: &Principal, entry: &Entry) -> Result<(), Refusal> {
        let requests: Vec<QuotaRequest> = self
            .quotas
            .iter()
            .map(|quota| QuotaRequest {
                key: quota_key(quota.of, &principal.tenant, principal, entry),
                cost: u64::from(entry.marks.cost),
                limit: quota.limit,
                window: quota.window,
            })
            .collect();
        let decision = self
            .patience
            .with("quotas", self.store.acquire(&requests))
            .await
            .map_err(|error| Refusal { limit: None, error })?;
        let Some(index) = decision.refused else { return Ok(()) };
        let mut error = Error::new(ErrorKind::RateLimited, "a quota is used up");
        let mut limit = None;
        if let (Some(quota), Some(reset)) = (self.quotas.get(index), decision.resets.get(index)) {
            let wait = reset.duration_since(self.clock.now()).unwrap_or_default();
            let name = format!("{:?}", quota.of).to_lowercase();
            limit = Some(format!("{name} quota"));
            error = error
                .with("quota", name)
                .with("limit", quota.limit)
                .with("remaining", decision.remaining.get(index).copied().unwrap_or_default())
                .retry(Retry::After(wait));
        }
        Err(Refusal { limit, error })
    }
}

/// Why a call may not go on, and which limit says so.
pub(crate) struct Refusal {
    /// The limit's name; `None` where a store failed.
    pub(crate) limit: Option<String>,
    pub(crate) error: Error,
}

impl Refusal {
    fn rate(refused: &Refused) -> Self {
        let limit = refused.class_name().unwrap_or("a limit").to_owned();
        Self { error: rate_limited(refused), limit: Some(limit) }
    }
}

fn quota_key(of: QuotaOf, tenant: &TenantId, principal: &Principal, entry: &Entry) -> QuotaKey {
    let name = match of {
        QuotaOf::Tenant => "tenant".to_owned(),
        QuotaOf::User => format!("user:{}", principal.user),
        QuotaOf::Instance => format!("instance:{}", entry.instance.id),
    };
    QuotaKey { tenant: tenant.clone(), name }
}

pub(crate) fn limit(rate: Rate) -> Result<Limit> {
    let invalid = |e| Error::new(ErrorKind::Config, format!("a rate cannot be used: {e}"));
    let limit = Limit::new(rate.permits, rate.period).map_err(invalid)?;
    match rate.burst {
        Some(burst) => limit.with_burst(burst).map_err(invalid),
        None => Ok(limit),
    }
}

fn rate_limited(refused: &Refused) -> Error {
    let name = refused.class_name().unwrap_or("a limit").to_owned();
    if refused.cause() == Cause::TooManyKeys {
        return Error::new(ErrorKind::Overloaded, "the limiter is at its cap of keys").with("limit", name);
    }
    let quota = refused.quota();
    let error = Error::new(ErrorKind::RateLimited, format!("the rate limit of the {name} is used up"))
        .with("limit", quota.limit())
        .with("remaining", quota.remaining())
        .with("reset", format!("{:.1} s", quota.reset().as_secs_f64()));
    match refused.retry_after() {
        Some(wait) => {
            let seconds = wait.as_secs_f64().ceil().max(1.0);
            error
                .retry(Retry::After(wait))
                .public(format!("The rate limit of the {name} is used up; try again in {seconds:.0} s."))
        }
        None => error
            .retry(Retry::Never)
            .public(format!("The call costs more than the rate limit of the {name} ever holds.")),
    }
}

struct Reading<'a>(&'a dyn Clock);

impl tool_connect_tower::Clock for Reading<'_> {
    fn now(&self) -> u64 {
        self.0.monotonic()
    }
}
