//! What the Hub gives to a running tool.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tool_connect_core::http::{OutboundRequest, Response};
use tool_connect_core::store::ResultStore;
use tool_connect_core::{
    Arguments, BoxFuture, CallId, CallOptions, CallScope, Clock, Connection, ConnectionId, Principal, Result,
    ToolCall, ToolId,
};
use url::Url;

use crate::hub::HubInner;
use crate::registry::{Entry, Found};
use crate::request::{CacheControl, RequestScope};
use crate::session::SessionInner;

/// One call's scope: all that the stack and the tool know of it.
///
/// It holds its session and its place in a snapshot, and no counter that calls of other sessions
/// share. What the stack finds out on its way is set once.
pub(crate) struct Scope {
    pub(super) session: Arc<SessionInner>,
    pub(super) found: Found,
    /// What the caller added; most calls add nothing, and it is as large as all the rest.
    options: Option<Box<CallOptions>>,
    pub(super) id: CallId,
    pub(super) timeout: Option<Duration>,
    /// Whether a typed caller made the call.
    pub(super) typed: bool,
    /// Set while nobody shares the scope, before the tool runs.
    pub(super) connection: Option<Arc<Connection>>,
    /// Whether the tool has begun to run.
    pub(super) dispatched: AtomicBool,
    /// Whether the audit trail has an intent of it.
    pub(super) intended: AtomicBool,
    pub(super) replayed: AtomicBool,
    pub(super) cached: AtomicBool,
    /// When the clock was first asked for the deadline's sake; 0 before.
    started: AtomicU64,
    canceled: AtomicBool,
    /// The shortest time, in nanoseconds, for which an answer of the provider's lets its value be kept.
    keep_for: AtomicU64,
    /// Whether a request that may change something was answered with success.
    wrote: AtomicBool,
}

static NO_OPTIONS: CallOptions = CallOptions::new();

impl Scope {
    // Apart, so that it is written into its allocation and not moved there.
    #[inline(never)]
    pub(super) fn new(
        session: Arc<SessionInner>,
        found: Found,
        options: Option<Box<CallOptions>>,
        id: CallId,
        typed: bool,
    ) -> Arc<Self> {
        let entry = found.entry();
        let own =
            if entry.marks.timeout() { entry.tool.definition().timeout } else { session.hub.default_timeout };
        let timeout = match (options.as_ref().and_then(|options| options.timeout), own) {
            (Some(asked), Some(own)) => Some(asked.min(own)),
            (asked, own) => asked.or(own),
        };
        Arc::new(Self {
            timeout,
            session,
            found,
            options,
            id,
            typed,
            connection: None,
            dispatched: AtomicBool::new(false),
            intended: AtomicBool::new(false),
            replayed: AtomicBool::new(false),
            cached: AtomicBool::new(false),
            started: AtomicU64::new(0),
            canceled: AtomicBool::new(false),
            keep_for: AtomicU64::new(u64::MAX),
            wrote: AtomicBool::new(false),
        })
    }

    pub(super) fn entry(&self) -> &Entry {
        self.found.entry()
    }

    pub(super) fn hub(&self) -> &HubInner {
        &self.session.hub
    }

    pub(super) fn options(&self) -> &CallOptions {
        self.options.as_deref().unwrap_or(&NO_OPTIONS)
    }

    pub(super) fn connection_id(&self) -> Option<&ConnectionId> {
        self.connection.as_ref().map(|c| &c.id)
    }

    /// For how long what the tool made of the provider's answers may be kept, as far as these say.
    pub(super) fn wrote(&self) -> bool {
        self.wrote.load(Ordering::Acquire)
    }

    pub(super) fn keep_for(&self) -> Duration {
        Duration::from_nanos(self.keep_for.load(Ordering::Relaxed))
    }

    /// The call again, to be resumed.
    pub(super) fn call(&self, arguments: &Arguments) -> ToolCall {
        let mut call = ToolCall::new(self.entry().id.to_string(), arguments.clone());
        call.options = self.options().clone();
        call
    }

    /// The call's time begins, unless it has begun.
    pub(super) fn begin(&self) {
        if self.timeout.is_some() {
            self.started();
        }
    }

    fn started(&self) -> u64 {
        let started = self.started.load(Ordering::Relaxed);
        if started != 0 {
            return started;
        }
        let now = self.session.hub.clock.monotonic().max(1);
        match self.started.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => now,
            Err(earlier) => earlier,
        }
    }
}

impl CallScope for Scope {
    fn call_id(&self) -> CallId {
        self.id
    }

    fn principal(&self) -> &Principal {
        &self.session.caller.principal
    }

    fn tool(&self) -> &ToolId {
        &self.entry().id
    }

    fn connection(&self) -> Option<&Connection> {
        self.connection.as_deref()
    }

    fn options(&self) -> &CallOptions {
        self.options()
    }

    fn state(&self) -> &(dyn Any + Send + Sync) {
        self.entry().tool.state()
    }

    fn base_url(&self) -> Option<&Url> {
        self.entry().instance.endpoint.base_url.as_ref()
    }

    fn send(&self, request: OutboundRequest) -> BoxFuture<'_, Result<Response>> {
        let scope = RequestScope {
            endpoint: &self.entry().instance.endpoint,
            connection: self.connection.as_deref(),
            deadline: self.deadline(),
            tenant: &self.session.caller.principal.tenant,
            tool: &self.entry().id,
            user: &self.session.caller.principal.user,
            reads: self.entry().marks.read_only(),
        };
        let reads = request.method.is_safe();
        let sending = self.session.hub.requests.send(scope, request);
        if reads && !self.entry().marks.cached() {
            return Box::pin(sending);
        }
        Box::pin(async move {
            let response = sending.await?;
            if !reads {
                self.wrote.store(true, Ordering::Release);
            }
            if let Some(bound) = CacheControl::bound(response.headers()) {
                let bound = u64::try_from(bound.as_nanos()).unwrap_or(u64::MAX);
                self.keep_for.fetch_min(bound, Ordering::Relaxed);
            }
            Ok(response)
        })
    }

    fn results(&self) -> &dyn ResultStore {
        &*self.session.hub.stores.results
    }

    fn clock(&self) -> &dyn Clock {
        &*self.session.hub.clock
    }

    fn deadline(&self) -> Option<u64> {
        let timeout = u64::try_from(self.timeout?.as_nanos()).unwrap_or(u64::MAX);
        Some(self.started().saturating_add(timeout))
    }

    fn is_canceled(&self) -> bool {
        self.canceled.load(Ordering::Acquire)
            || self.deadline().is_some_and(|end| self.session.hub.clock.monotonic() >= end)
    }

    fn cancel(&self) {
        self.canceled.store(true, Ordering::Release);
    }

    fn spawn_blocking(&self, work: Box<dyn FnOnce() + Send>) {
        // Detached: the caller waits for the answer that the closure sends, or goes away.
        drop(tokio::task::spawn_blocking(work));
    }
}
