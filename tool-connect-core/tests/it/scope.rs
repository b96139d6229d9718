//! The least that a call needs of its host, for tools that are called directly.

use std::any::Any;
use std::sync::Arc;

use tool_connect_core::http::{OutboundRequest, Response};
use tool_connect_core::store::ResultStore;
use tool_connect_core::store::memory::MemoryResults;
use tool_connect_core::{
    BoxFuture, CallId, CallOptions, CallScope, Clock, Connection, Error, ErrorKind, Principal, Result,
    SystemClock, ToolContext, ToolId,
};
use url::Url;

struct Scope<S> {
    principal: Principal,
    tool: ToolId,
    options: CallOptions,
    results: MemoryResults,
    state: S,
}

/// A context whose instance has this state.
pub(crate) fn context<S: Send + Sync + 'static>(state: S) -> ToolContext {
    ToolContext::new(Arc::new(Scope {
        principal: Principal::user("acme", "ann").unwrap(),
        tool: ToolId::parse("test.tool").unwrap(),
        options: CallOptions::default(),
        results: MemoryResults::new(Arc::new(SystemClock)),
        state,
    }))
}

impl<S: Send + Sync + 'static> CallScope for Scope<S> {
    fn call_id(&self) -> CallId {
        CallId::new(1, 1)
    }
    fn principal(&self) -> &Principal {
        &self.principal
    }
    fn tool(&self) -> &ToolId {
        &self.tool
    }
    fn connection(&self) -> Option<&Connection> {
        None
    }
    fn options(&self) -> &CallOptions {
        &self.options
    }
    fn state(&self) -> &(dyn Any + Send + Sync) {
        &self.state
    }
    fn base_url(&self) -> Option<&Url> {
        None
    }
    fn send(&self, _request: OutboundRequest) -> BoxFuture<'_, Result<Response>> {
        Box::pin(async { Err(Error::new(ErrorKind::Unsupported, "no network in this test")) })
    }
    fn results(&self) -> &dyn ResultStore {
        &self.results
    }
    fn clock(&self) -> &dyn Clock {
        &SystemClock
    }
    fn deadline(&self) -> Option<u64> {
        None
    }
    fn is_canceled(&self) -> bool {
        false
    }
    fn cancel(&self) {}
    fn spawn_blocking(&self, work: Box<dyn FnOnce() + Send>) {
        work();
    }
}
