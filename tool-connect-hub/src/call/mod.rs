//! The call stack: one async function that asks the mechanisms in order.
//! trace, metrics, audit, catch-panic | ingress, policy, connection | idempotency, cache, approval
//! | deadline, limits, concurrency | dispatch.

mod approval;
mod dispatch;
mod ending;
mod idempotency;
mod scope;
mod shaping;

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tool_connect_core::store::Grant;
use tool_connect_core::{
    Arguments, CallId, CallOptions, Effect, Error, ErrorKind, InputRequest, InputRequired, Result, ToolCall,
    ToolOutcome, ToolOutput,
};
use tracing::Span;

use crate::observe;
use crate::policy::{Access, PolicyRequest};
use crate::registry::{Entry, Found, ToolInfo};
use crate::session::SessionInner;
use approval::Reserved;
use scope::Scope;

/// One call on its way through the stack. It stays where it is and the layers borrow it: moving it
/// from future to future would cost more than the layers do.
pub(crate) struct Call {
    scope: Arc<Scope>,
    arguments: Arguments,
    reserved: Option<Box<Reserved>>,
    /// Typed arguments that the tool has taken.
    kept: Option<Arguments>,
    /// What came out of it. Set once and taken at the end: the layers hand on only whether it is
    /// there, for a move of it through each of them costs as much as all their decisions.
    output: Option<ToolOutput>,
    /// When it began, where something wants to know of its end and that is not written yet.
    started: Option<u64>,
}

impl Call {
    // Inlined so that the call is built where it stays.
    #[inline(always)]
    pub(crate) fn new(
        session: &Arc<SessionInner>,
        found: Found,
        arguments: Arguments,
        options: Option<Box<CallOptions>>,
    ) -> Self {
        Self {
            scope: Scope::new(Arc::clone(session), found, options, call_id(), arguments.is_typed()),
            arguments,
            reserved: None,
            kept: None,
            output: None,
            started: None,
        }
    }

    /// From its arguments to its end, of which [`outcome`](Self::outcome) then tells.
    pub(crate) async fn run(&mut self) -> Result<()> {
        let span = observe::span(self.scope.entry(), self.scope.id, &self.scope.session.caller.principal);
        if self.scope.hub().watching || !span.is_disabled() {
            self.started = Some(self.scope.hub().clock.monotonic());
        }
        // One future whether or not somebody watches: its size is what every call moves.
        let ended = Guarded { span: &span, work: Some(self.governed()) }.await;
        let mut ended = self.judged(ended);
        if ended.is_ok() && self.scope.shaped() {
            ended = Box::pin(self.shape_guarded(&span)).await;
        }
        if self.started.is_some()
            && let Some(late) = self.finish(&span, &ended)
        {
            // Nothing may be lost: the caller waits for the audit trail.
            Box::pin(self.finish_late(&ended, late)).await?;
        }
        ended
    }

    /// Shapes what came out. A panic there, in a store of the host, ends the call and not the host; a tokenizer's does not even
    /// end the call.
    #[cold]
    async fn shape_guarded(&mut self, span: &Span) -> Result<()> {
        let shaped = Guarded { span, work: Some(Box::pin(self.shape())) }.await;
        let shaped = shaped.unwrap_or_else(|panic| {
            drop(panic); // Its text may hold the result.
            Err(crate::shape::panicked())
        });
        shaped.map_err(|error| self.proven(error))
    }

    /// How the call ended, as its caller sees it: waiting for somebody, or having become a job, is an
    /// end and not a failure.
    // Inlined so that it is written where the caller wants it.
    #[inline(always)]
    pub(crate) fn outcome(&mut self, ended: Result<()>) -> Result<ToolOutcome> {
        match (ended, self.output.take()) {
            (Ok(()), Some(output)) => Ok(ToolOutcome::Complete(output)),
            (Ok(()), None) => Err(Error::new(ErrorKind::Internal, "the call ended without an output")),
            (Err(error), _) => outcome_of(error),
        }
    }

    /// What the call came to. A panic in a tool or a layer ends the call, not the host.
    #[inline]
    fn judged(&self, ended: std::thread::Result<Result<()>>) -> Result<()> {
        match ended {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.proven(error)),
            Err(panic) => {
                drop(panic); // Its text may hold an argument's value.
                Err(self.panicked())
            }
        }
    }

    #[cold]
    fn panicked(&self) -> Error {
        let message = if self.scope.dispatched.load(Ordering::Acquire) {
            "the tool panicked; this is a defect in the tool"
        } else {
            "a layer or policy of the host panicked before the tool ran; this is a defect in the host"
        };
        self.proven(Error::new(ErrorKind::Panicked, message))
    }

    /// Says what is certain of an error's effect: nothing was executed before the tool ran, and a
    /// read changes nothing. What an idempotency key brings speaks of an earlier call and stands.
    #[cold]
    fn proven(&self, error: Error) -> Error {
        let of_another =
            error.kind() == ErrorKind::Idempotency || self.scope.replayed.load(Ordering::Relaxed);
        if error.effect_on_provider() != Effect::Unknown || of_another {
            return error;
        }
        if !self.scope.dispatched.load(Ordering::Acquire) {
            error.effect(Effect::NotExecuted)
        } else if self.scope.entry().tool.definition().annotations.read_only {
            error.effect(Effect::None)
        } else {
            error
        }
    }

    /// Everything between the entrance and the tool.
    async fn governed(&mut self) -> Result<()> {
        if !self.scope.entry().broken().is_empty() {
            return Err(quarantined(self.scope.entry()));
        }
        if !self.scope.hub().ingress.is_empty() {
            Box::pin(self.enter()).await?;
        }
        // Also a shape that the host's own layers have set.
        if self.scope.shaped() {
            self.check_shape().map_err(|error| error.effect(Effect::NotExecuted))?;
        }
        self.check_size()?;
        let access = match permission(&self.scope) {
            Access::Later(later) => later.await?,
            decided => decided,
        };
        let must_approve = admitted(access, &self.scope)?;
        if self.scope.entry().instance.needs_connection && !self.remembered() {
            Box::pin(self.connect()).await?;
        }
        let key = self.scope.options().idempotency_key.is_some();
        if must_approve.is_none() && !key && !self.scope.entry().marks.cached() {
            return self.dispatch().await;
        }
        Box::pin(self.unusual(must_approve)).await
    }

    /// What few calls pass, and what is not to be in the future of the others: idempotency, cache,
    /// approval. Each in a box of its own: one of more than a kilobyte is none that an allocator has at hand.
    async fn unusual(&mut self, must_approve: Option<String>) -> Result<()> {
        let claim = match self.scope.options().idempotency_key.clone() {
            Some(name) => match Box::pin(self.claim(name)).await? {
                Some(claim) => claim,
                None => return Ok(()),
            },
            None => return Box::pin(self.cached(must_approve)).await,
        };
        let ended = Box::pin(self.approved(must_approve)).await;
        Box::pin(claim.settle(&ended, self.output.as_ref())).await;
        ended
    }

    /// The host's own layers, which alone may rewrite the arguments.
    async fn enter(&mut self) -> Result<()> {
        let session = Arc::clone(&self.scope.session);
        let info = ToolInfo(Arc::clone(self.scope.found.entry_arc()));
        let mut call = ToolCall::new(info.id().to_string(), self.arguments.clone());
        call.options = self.scope.options().clone();
        for layer in &session.hub.ingress {
            layer.enter(&session.caller.principal, &info, &mut call).await?;
        }
        let (found, options) = (self.scope.found.again(), Some(Box::new(call.options)));
        self.arguments = call.arguments;
        self.scope = Scope::new(session, found, options, self.scope.id, self.arguments.is_typed());
        Ok(())
    }

    #[inline]
    fn check_size(&self) -> Result<()> {
        let most = self.scope.hub().max_argument_bytes;
        match &self.arguments {
            Arguments::Raw(text) if text.len() > most => Err(Error::new(
                ErrorKind::TooLarge,
                format!("the arguments are larger than {most} bytes; pass large values by handle"),
            )
            .effect(Effect::NotExecuted)),
            _ => Ok(()),
        }
    }

    /// Sets the connection that the call uses if it is known to suffice; most calls then wait for
    /// nothing.
    fn remembered(&mut self) -> bool {
        let scope = &*self.scope;
        let (caller, chosen) = (&scope.session.caller, scope.options().connection.as_ref());
        let found = caller.remembered(&scope.hub().memory(), self.started, scope.entry(), chosen);
        match (found, Arc::get_mut(&mut self.scope)) {
            (Some(connection), Some(scope)) => {
                scope.connection = Some(connection);
                true
            }
            _ => false,
        }
    }

    /// Finds the connection that the call uses, with the scopes that the tool needs.
    async fn connect(&mut self) -> Result<()> {
        let scope = &self.scope;
        let chosen = scope.options().connection.as_ref();
        let found = scope.session.caller.connection(&scope.hub().memory(), scope.entry(), chosen).await;
        let connection = found.map_err(|e| with_call(e, || scope.call(&self.arguments)))?;
        match Arc::get_mut(&mut self.scope) {
            Some(scope) => {
                scope.connection = Some(connection);
                Ok(())
            }
            // Nobody was given it yet.
            None => Err(Error::new(
                ErrorKind::Internal,
                "a call's scope was shared before its connection was known",
            )),
        }
    }

    /// Serves a read again, or runs it and keeps what came out.
    async fn cached(&mut self, must_approve: Option<String>) -> Result<()> {
        let scope = Arc::clone(&self.scope);
        let hub = scope.hub();
        let principal = &scope.session.caller.principal;
        let key = match scope.entry().tool.definition().cache {
            Some(_) => hub.cache.key(principal, scope.entry(), scope.connection_id(), &self.arguments)?,
            None => None,
        };
        let Some((key, ttl)) = key else { return self.approved(must_approve).await };
        if let Some(output) = hub.cache.get(&key, hub.clock.monotonic()) {
            scope.cached.store(true, Ordering::Relaxed);
            self.output = Some(output);
            return Ok(());
        }
        self.approved(must_approve).await?;
        if let Some(output) = &self.output {
            hub.cache.put(key, output, hub.clock.monotonic(), ttl.min(scope.keep_for()));
        }
        Ok(())
    }

    /// Takes a person's approval for this very call if one is needed, then runs the tool.
    async fn approved(&mut self, must_approve: Option<String>) -> Result<()> {
        if let Some(reason) = must_approve {
            Box::pin(self.reserve(reason)).await?;
        }
        let result = self.dispatch().await;
        if let Some(reserved) = self.reserved.take() {
            Box::pin(reserved.release()).await;
        }
        result
    }

    fn ask(&self, request: InputRequest) -> Error {
        with_call(Error::needs_input(InputRequired::new(request)), || self.scope.call(&self.arguments))
    }
}

pin_project! {
    /// A call's work in its span, which catches panics.
    ///
    /// What a panic leaves half-done is dropped with the future; nothing shared is behind a lock
    /// across an await.
    struct Guarded<'a, F> {
        span: &'a Span,
        // Gone when it is done, or dropped within the span.
        #[pin]
        work: Option<F>,
    }

    impl<F> PinnedDrop for Guarded<'_, F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.work.is_some() {
                let _entered = this.span.enter();
                this.work.set(None);
            }
        }
    }
}

impl<F: Future> Future for Guarded<'_, F> {
    type Output = std::thread::Result<F::Output>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let _entered = this.span.enter();
        // Gone once it has answered.
        let Some(work) = this.work.as_mut().as_pin_mut() else { return Poll::Pending };
        let polled = match catch_unwind(AssertUnwindSafe(|| work.poll(cx))) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(output)) => Ok(output),
            Err(panic) => Err(panic),
        };
        this.work.set(None);
        Poll::Ready(polled)
    }
}

#[cold]
fn quarantined(entry: &Entry) -> Error {
    Error::new(
        ErrorKind::Quarantined,
        format!("`{}` is switched off: {}", entry.id, entry.broken().join("; ")),
    )
}

/// Asks the policy. Grants that must be read first put its decision off.
#[inline]
fn permission(scope: &Scope) -> Access<'_> {
    let (hub, caller) = (scope.hub(), &*scope.session.caller);
    if hub.policy.needs_grants(&caller.principal) { granted(scope) } else { decide(scope, &[]) }
}

/// Asks it once the grants are read.
#[cold]
fn granted(scope: &Scope) -> Access<'_> {
    let (hub, caller) = (scope.hub(), &*scope.session.caller);
    // Boxed, like all that few calls wait for: a call's future is moved before it is polled.
    Access::Later(Box::pin(async move {
        let grants = caller.grants(&hub.memory()).await?;
        match decide(scope, &grants) {
            Access::Later(later) => later.await,
            Access::Allow => Ok(Access::Allow),
            Access::Deny(reason) => Ok(Access::Deny(reason)),
            Access::Approve(reason) => Ok(Access::Approve(reason)),
        }
    }))
}

#[inline]
fn decide<'a>(scope: &'a Scope, grants: &'a [Grant]) -> Access<'a> {
    scope.hub().policy.decide(&PolicyRequest {
        principal: &scope.session.caller.principal,
        tool: &scope.entry().id,
        definition: scope.entry().tool.definition(),
        grants,
        connection: scope.options().connection.as_ref(),
    })
}

/// Why a person must approve, if the policy says so; an error where it denies.
#[inline]
fn admitted(access: Access<'_>, scope: &Scope) -> Result<Option<String>> {
    match access {
        Access::Allow => Ok(None),
        Access::Approve(reason) => Ok(Some(reason.into_owned())),
        Access::Deny(reason) => Err(Error::new(ErrorKind::Denied, reason).with("tool", &scope.entry().id)),
        Access::Later(_) => Err(Error::new(
            ErrorKind::Config,
            "the policy put its decision off twice; decide when asked the second time",
        )),
    }
}

#[cold]
fn outcome_of(error: Error) -> Result<ToolOutcome> {
    if let Some(task) = error.task() {
        return Ok(ToolOutcome::Task(task.clone()));
    }
    error.into_input_required().map(|required| ToolOutcome::InputRequired(Box::new(required)))
}

/// Puts the call into what is asked of the user, so that it can be resumed.
fn with_call(error: Error, call: impl FnOnce() -> ToolCall) -> Error {
    match error.into_input_required() {
        Ok(mut required) => {
            if required.call.is_none() {
                required.call = Some(Box::new(call()));
            }
            Error::needs_input(required)
        }
        Err(error) => error,
    }
}

thread_local! {
    /// A random prefix and a counter per thread: no thread waits for another's.
    static IDS: std::cell::Cell<(u64, u64)> = const { std::cell::Cell::new((0, 0)) };
}

#[inline]
pub(crate) fn call_id() -> CallId {
    let (prefix, sequence) = IDS.get();
    let prefix = if prefix == 0 { prefix_of_thread() } else { prefix };
    IDS.set((prefix, sequence + 1));
    CallId::new(prefix, sequence + 1)
}

#[cold]
fn prefix_of_thread() -> u64 {
    let mut bytes = [0; 8];
    // Without the system's randomness the address of what is hashed with still tells threads apart.
    match getrandom::fill(&mut bytes) {
        Ok(()) => u64::from_le_bytes(bytes) | 1,
        Err(_) => std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 0_u8) | 1,
    }
}
