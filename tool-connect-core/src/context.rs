//! What a running tool may reach.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use url::Url;

use crate::call::{CallOptions, Progress};
use crate::clock::Clock;
use crate::connection::Connection;
use crate::error::{Error, ErrorKind, Result};
use crate::handover::handover;
use crate::http::{HttpClient, OutboundRequest, Response};
use crate::ids::{CallId, ToolId};
use crate::outcome::{InputRequest, InputRequired};
use crate::principal::Principal;
use crate::store::ResultStore;

/// A boxed future that can cross threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a host gives to a call; the Hub implements it, and the test harness does.
///
/// Authors of tools use [`ToolContext`] instead.
pub trait CallScope: Send + Sync + 'static {
    /// The call's own id.
    fn call_id(&self) -> CallId;
    /// Who calls.
    fn principal(&self) -> &Principal;
    /// Which tool runs.
    fn tool(&self) -> &ToolId;
    /// On which account.
    fn connection(&self) -> Option<&Connection>;
    /// What the caller added.
    fn options(&self) -> &CallOptions;
    /// The instance's state.
    fn state(&self) -> &(dyn Any + Send + Sync);
    /// The instance's base URL.
    fn base_url(&self) -> Option<&Url>;
    /// Sends a request through the request stack.
    fn send(&self, request: OutboundRequest) -> BoxFuture<'_, Result<Response>>;
    /// Where large values and files go.
    fn results(&self) -> &dyn ResultStore;
    /// The host's clock.
    fn clock(&self) -> &dyn Clock;
    /// When the call must have ended, in the clock's monotonic nanoseconds.
    fn deadline(&self) -> Option<u64>;
    /// Whether the caller went away or time ran out.
    fn is_canceled(&self) -> bool;
    /// Marks the call as given up, for the blocking work that it left behind.
    fn cancel(&self);
    /// Runs a closure where it may block.
    fn spawn_blocking(&self, work: Box<dyn FnOnce() + Send>);
}

/// What a running tool may reach: a signed HTTP client, its instance's state, the result store,
/// progress and cancellation.
///
/// A clone is one counter; it may move into a task. `S` is the state that the tool declares with
/// `#[tool(state = ..)]`.
pub struct ToolContext<S = ()> {
    scope: Arc<dyn CallScope>,
    state: PhantomData<fn() -> S>,
}

impl<S> Clone for ToolContext<S> {
    fn clone(&self) -> Self {
        Self { scope: Arc::clone(&self.scope), state: PhantomData }
    }
}

impl<S> fmt::Debug for ToolContext<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolContext")
            .field("call", &self.scope.call_id())
            .field("tool", self.scope.tool())
            .finish_non_exhaustive()
    }
}

impl ToolContext<()> {
    /// A context over a host's scope.
    #[must_use]
    pub fn new(scope: Arc<dyn CallScope>) -> Self {
        Self { scope, state: PhantomData }
    }
}

impl<S> ToolContext<S> {
    /// The same context for another state type; a registered tool only ever asks for its own.
    pub(crate) fn retype<T>(self) -> ToolContext<T> {
        ToolContext { scope: self.scope, state: PhantomData }
    }

    /// A client for the instance's service, signed for the call's connection.
    ///
    /// Each request passes the request stack: retries, circuit breaker, provider limit, attempt
    /// time-out, credentials and the address guard.
    #[must_use]
    pub fn http(&self) -> HttpClient<'_> {
        HttpClient::new(&*self.scope)
    }

    /// Where relative requests go; `None` where the instance has no base URL.
    #[must_use]
    pub fn base_url(&self) -> Option<&Url> {
        self.scope.base_url()
    }

    /// The call's own id.
    #[must_use]
    pub fn call_id(&self) -> CallId {
        self.scope.call_id()
    }

    /// Who calls.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        self.scope.principal()
    }

    /// Which tool runs.
    #[must_use]
    pub fn tool(&self) -> &ToolId {
        self.scope.tool()
    }

    /// On which account; `None` where the connector needs none.
    #[must_use]
    pub fn connection(&self) -> Option<&Connection> {
        self.scope.connection()
    }

    /// The caller's name for the call, to hand to a provider that knows idempotency keys.
    #[must_use]
    pub fn idempotency_key(&self) -> Option<&str> {
        self.scope.options().idempotency_key.as_deref()
    }

    /// Where large values and files go.
    #[must_use]
    pub fn results(&self) -> &dyn ResultStore {
        self.scope.results()
    }

    /// The host's clock.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        self.scope.clock()
    }

    /// How much time the call has left; `None` where it has no deadline.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        let deadline = self.scope.deadline()?;
        Some(Duration::from_nanos(deadline.saturating_sub(self.scope.clock().monotonic())))
    }

    /// Whether the caller went away or time ran out. Asynchronous work is dropped by itself;
    /// blocking work asks now and then.
    #[must_use]
    pub fn is_canceled(&self) -> bool {
        self.scope.is_canceled()
    }

    /// Tells the caller how far the work has come.
    pub fn progress(&self, done: f64, total: Option<f64>, message: impl Into<Option<String>>) {
        if let Some(sink) = &self.scope.options().progress {
            sink.report(Progress { done, total, message: message.into() });
        }
    }

    /// Runs work that blocks its thread (a file system, a database driver) where it may.
    ///
    /// If the call is dropped meanwhile the closure runs on; long work should ask
    /// [`is_canceled`](Self::is_canceled) through a clone of the context and stop.
    ///
    /// # Errors
    /// What the closure returns; [`ErrorKind::Panicked`] where it panics.
    pub async fn blocking<R: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<R> + Send + 'static,
    ) -> Result<R> {
        let (giver, taker) = handover();
        let mut guard = CancelOnDrop { scope: &*self.scope, armed: true };
        self.scope.spawn_blocking(Box::new(move || {
            giver.give(work());
        }));
        let result = taker.await;
        guard.armed = false;
        result.ok_or_else(|| Error::new(ErrorKind::Panicked, "the blocking part of the tool panicked"))?
    }

    /// Asks the caller a question, once (MCP elicitation): the answer if an earlier try got one,
    /// else an error that the call returns as its outcome and that the caller resumes.
    ///
    /// # Errors
    /// [`ErrorKind::InputRequired`] with the question.
    pub fn elicit(&self, question: &str, message: impl Into<String>, schema: Value) -> Result<Value> {
        let answers = self.scope.options().answers.as_deref();
        if let Some(answer) = answers.and_then(|a| a.get(question)) {
            return Ok(answer.clone());
        }
        Err(Error::needs_input(InputRequired::new(InputRequest::Elicit {
            question: question.to_owned(),
            message: message.into(),
            schema,
        })))
    }
}

impl<S: Send + Sync + 'static> ToolContext<S> {
    /// The state of the instance that the tool belongs to.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] where a host built the context with a state of another type; the
    /// Hub cannot.
    pub fn state(&self) -> Result<&S> {
        self.scope.state().downcast_ref::<S>().ok_or_else(|| {
            Error::new(
                ErrorKind::Internal,
                format!("the context has no state of type {}", std::any::type_name::<S>()),
            )
        })
    }
}

struct CancelOnDrop<'a> {
    scope: &'a dyn CallScope,
    armed: bool,
}

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        if self.armed {
            self.scope.cancel();
        }
    }
}
