//! A search as a session asks it: within what the principal sees and may call, with what is connected first.

use std::collections::HashSet;
use std::sync::Arc;

use tool_connect_core::store::Grant;
use tool_connect_core::{ConnectionId, Error, ErrorKind, InstanceId, Principal, Result, TenantId};

use super::catalog::Joined;
use super::query::Query;
use super::rank::{Found, Scope, search as by_words};
use super::{embed, view::View};
use crate::hub::HubInner;
use crate::policy::{Access, PolicyRequest};
use crate::registry::{Entry, Snapshot, ToolInfo};
use crate::session::SessionInner;

/// How much of a tool's score is left where its account is not connected.
const UNCONNECTED: f32 = 0.7;

/// What is searched for.
///
/// ```
/// use tool_connect_hub::SearchRequest;
/// let request = SearchRequest::new("who approved this pull request").limit(3);
/// assert_eq!(request.limit, 3);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SearchRequest {
    /// What somebody wants, in their own words: at most [`MAX_QUERY`](Self::MAX_QUERY) characters.
    pub query: String,
    /// At most so many; 5 by default, at most [`MAX_LIMIT`](Self::MAX_LIMIT).
    pub limit: usize,
    /// Only tools of this instance.
    pub instance: Option<InstanceId>,
    /// Only tools that can be called without connecting an account first.
    pub connected_only: bool,
}

impl SearchRequest {
    /// Longest query, in characters.
    pub const MAX_QUERY: usize = 400;
    /// Most results.
    pub const MAX_LIMIT: usize = 50;

    /// The five best tools for a query.
    #[must_use]
    pub fn new(query: impl Into<String>) -> Self {
        Self { query: query.into(), limit: 5, instance: None, connected_only: false }
    }

    /// Sets how many.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Searches one instance.
    #[must_use]
    pub fn instance(mut self, instance: InstanceId) -> Self {
        self.instance = Some(instance);
        self
    }

    /// Leaves out what an account must be connected for first.
    #[must_use]
    pub fn connected_only(mut self) -> Self {
        self.connected_only = true;
        self
    }

    fn check(&self) -> Result<()> {
        let wrong = |place: &str, what: String| Err(Error::invalid_argument(place, what));
        if self.query.trim().is_empty() {
            return wrong("/query", "say in a few words what shall be done".to_owned());
        }
        // Bytes first: counting a megabyte's characters is work.
        if self.query.len() > 4 * Self::MAX_QUERY || self.query.chars().count() > Self::MAX_QUERY {
            return wrong("/query", format!("must have at most {} characters", Self::MAX_QUERY));
        }
        if !(1..=Self::MAX_LIMIT).contains(&self.limit) {
            return wrong("/limit", format!("must be between 1 and {}", Self::MAX_LIMIT));
        }
        Ok(())
    }
}

/// A tool that was found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SearchHit {
    /// The tool.
    pub tool: ToolInfo,
    /// Whether it can be called now: it needs no account, or one is connected.
    pub connected: bool,
    /// Whether a person must approve each call of this principal's.
    pub needs_approval: bool,
    /// How well it fits, for comparing within this one answer.
    pub score: f32,
}

/// What a principal sees: a tenant's own snapshot, and the global one.
struct Seen {
    snapshots: Vec<Arc<Snapshot>>,
    joined: Vec<Arc<Joined>>,
}

impl Seen {
    async fn of(hub: &HubInner, tenant: &TenantId) -> Result<Self> {
        let (overlay, global) = hub.registry.views(tenant);
        let snapshots: Vec<_> = overlay.into_iter().chain([global]).collect();
        let mut joined = Vec::with_capacity(snapshots.len());
        for snapshot in &snapshots {
            if let Some(known) = Joined::known(snapshot) {
                joined.push(Arc::clone(known));
                continue;
            }
            // Tens of thousands of tools take a while, which no worker of the runtime shall stand still for.
            let snapshot = Arc::clone(snapshot);
            let made = tokio::task::spawn_blocking(move || Arc::clone(Joined::of(&snapshot))).await;
            joined.push(made.map_err(|_| Error::new(ErrorKind::Internal, "the tools could not be indexed"))?);
        }
        Ok(Self { snapshots, joined })
    }

    fn entry(&self, found: &Found) -> Option<&Arc<Entry>> {
        self.joined.get(found.view)?.entry(self.snapshots.get(found.view)?, found)
    }
}

/// Makes ready what a tenant's searches need.
pub(crate) async fn prepare(hub: &HubInner, tenant: &TenantId) -> Result<usize> {
    let seen = Seen::of(hub, tenant).await?;
    for (snapshot, joined) in seen.snapshots.iter().zip(&seen.joined) {
        embed::instances(hub, snapshot, joined).await?;
    }
    Ok(seen.joined.iter().map(|joined| joined.bytes()).sum())
}

/// The best tools for a request.
pub(crate) async fn search(session: &SessionInner, request: &SearchRequest) -> Result<Vec<SearchHit>> {
    request.check()?;
    let (hub, caller) = (&session.hub, &session.caller);
    let principal = &*caller.principal;
    let seen = Seen::of(hub, &principal.tenant).await?;
    let grants =
        if hub.policy.needs_grants(principal) { caller.grants(&hub.memory()).await? } else { Arc::default() };
    let connected = connected(hub, principal, &seen).await?;

    let counts: Vec<Vec<f32>> =
        (0..seen.joined.len()).map(|view| weigh(&seen, view, request, &connected)).collect();
    let vector = embed::of_query(hub, &request.query).await;
    let visible = |found: &Found| {
        seen.entry(found).is_some_and(|entry| {
            entry.known_broken().is_empty()
                && !matches!(access(hub, principal, entry, &grants), Access::Deny(_))
        })
    };
    // More than asked for: a policy that looks something up may yet deny some.
    let most = request.limit * 2;
    let views: Vec<&View> = seen.joined.iter().map(|joined| &joined.view).collect();
    let scope = Scope { views: views.into_iter().zip(counts.iter().cloned()).collect() };
    let query = Query::new(&request.query, &scope);
    let found = match &vector {
        None => by_words(&scope, &query, most, visible),
        Some(vector) => {
            let words = by_words(&scope, &query, most.max(SearchRequest::MAX_LIMIT * 2), visible);
            let joined: Vec<(&Joined, Vec<f32>)> =
                seen.joined.iter().map(|joined| &**joined).zip(counts).collect();
            embed::join(words, embed::nearest(&joined, vector, visible))
        }
    };
    if vector.is_some() {
        embed_missing(hub, &seen);
    }

    let mut hits = Vec::with_capacity(request.limit);
    for one in &found {
        let Some(entry) = seen.entry(one) else { continue };
        let decided = match access(hub, principal, entry, &grants) {
            Access::Later(later) => later.await?,
            decided => decided,
        };
        if matches!(decided, Access::Deny(_)) {
            continue;
        }
        hits.push(SearchHit {
            connected: is_connected(entry, &connected),
            needs_approval: matches!(decided, Access::Approve(_)),
            tool: ToolInfo(Arc::clone(entry)),
            score: one.score,
        });
        if hits.len() == request.limit {
            break;
        }
    }
    Ok(hits)
}

/// Embeds what is new, in a task of the Hub's: the search that finds it missing goes by words.
fn embed_missing(hub: &Arc<HubInner>, seen: &Seen) {
    for (snapshot, joined) in seen.snapshots.iter().zip(&seen.joined) {
        if joined.instances.iter().all(|(instance, _)| instance.search.vectors.get().is_some()) {
            continue;
        }
        let (own, snapshot, joined) = (Arc::downgrade(hub), Arc::clone(snapshot), Arc::clone(joined));
        hub.settle(async move {
            let Some(hub) = own.upgrade() else { return };
            if let Err(error) = embed::instances(&hub, &snapshot, &joined).await {
                tracing::warn!(target: "tool_connect", %error, "tools were not embedded; words alone find them");
            }
        });
    }
}

/// The instances at which the principal has an account that works.
async fn connected(hub: &HubInner, principal: &Principal, seen: &Seen) -> Result<HashSet<InstanceId>> {
    let needs = |joined: &Arc<Joined>| joined.instances.iter().any(|(instance, _)| instance.needs_connection);
    if !seen.joined.iter().any(needs) {
        return Ok(HashSet::new());
    }
    let filter = tool_connect_core::store::ConnectionFilter::default();
    let list = hub.stores.connections.list(&principal.tenant, &filter);
    let found = hub.patience.with("connections", list).await?;
    let usable = found.into_iter().filter(|c| c.owner.admits(principal) && c.status.usable());
    Ok(usable.map(|connection| connection.instance).collect())
}

pub(super) fn is_connected(entry: &Entry, connected: &HashSet<InstanceId>) -> bool {
    !entry.instance.needs_connection || connected.contains(&entry.instance.id)
}

/// How much each segment of a view counts.
fn weigh(seen: &Seen, view: usize, request: &SearchRequest, connected: &HashSet<InstanceId>) -> Vec<f32> {
    let Some(joined) = seen.joined.get(view) else { return Vec::new() };
    // The global view is the last; a tenant's own instance hides a global one of the same id.
    let overlay = if view + 1 < seen.joined.len() { None } else { seen.snapshots.get(..view) };
    let hidden =
        |id: &InstanceId| overlay.into_iter().flatten().any(|own| own.instance(id.as_str()).is_some());
    let of = |instance: &crate::registry::Instance| {
        let ready = !instance.needs_connection || connected.contains(&instance.id);
        let wanted = request.instance.as_ref().is_none_or(|wanted| *wanted == instance.id);
        if hidden(&instance.id) || !wanted || (request.connected_only && !ready) {
            0.0
        } else if ready {
            1.0
        } else {
            UNCONNECTED
        }
    };
    joined.instances.iter().map(|(instance, _)| of(instance)).collect()
}

/// What the policy says of a call without arguments.
pub(super) fn access<'a>(
    hub: &'a HubInner,
    principal: &'a Principal,
    entry: &'a Entry,
    grants: &'a [Grant],
) -> Access<'a> {
    const NONE: Option<&ConnectionId> = None;
    hub.policy.decide(&PolicyRequest {
        principal,
        tool: &entry.id,
        definition: entry.tool.definition(),
        grants,
        connection: NONE,
    })
}
