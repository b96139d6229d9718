//! The innermost part: deadline, limits, concurrency, host layers, the tool.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use tool_connect_core::{
    Arguments, AuthScheme, Body, BoxFuture, CallScope, Content, Effect, Error, ErrorKind, EventKind,
    OAuthGrant, Result, ToolContext, ToolOutput, parse_dynamic,
};
use tool_connect_tower::{Concurrency, Deadline, concurrency::ConcurrencyPermit};

use super::approval::Reserved;
use super::{Call, Scope, ending, shaping, with_call};
use crate::host::{Next, PerCall};
use crate::limits::Refusal;
use crate::registry::Entry;
use crate::validate;

impl Call {
    /// Runs the tool within its limits and its time.
    pub(super) async fn dispatch(&mut self) -> Result<()> {
        let Self { scope, arguments, reserved, kept, output, started, .. } = self;
        let scope: &Arc<Scope> = scope;
        if arguments.is_typed() && scope.hub().audited {
            // The tool takes a typed value, and the audit trail wants it afterwards: as text, or else the tool would have to copy
            // the value, which is shared then.
            *kept = Some(arguments.to_json().map_or_else(|_| arguments.clone(), Arguments::Raw));
        }
        let ended = {
            // Its place is free when the tool has ended.
            let mut place = None;
            let limited = limits(scope, *started);
            let mut work = if limited.is_none() && is_plain(scope, reserved) && take(scope, &mut place) {
                begin(scope, arguments)
            } else {
                Box::pin(within(scope, arguments, reserved, limited))
            };
            let made = &mut *output;
            // The time begins with the first wait, for the deadline and for the tool that asks what
            // is left of it: a call that never waits reads no clock. The output is put down here,
            // and only whether it is there handed on.
            let begun = poll_fn(move |cx| match work.as_mut().poll(cx) {
                Poll::Ready(Ok(output)) => {
                    *made = Some(output);
                    Poll::Ready(Ok(()))
                }
                Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
                Poll::Pending => {
                    scope.begin();
                    Poll::Pending
                }
            });
            match Deadline::maybe(begun, scope.timeout).await {
                Ok(result) => result,
                Err(elapsed) => Err(out_of_time(scope, elapsed.limit)),
            }
        };
        if let Err(error) = ended {
            let error =
                if error.lacking_scopes().is_empty() { error } else { Box::pin(consent(error, scope)).await };
            return Err(describe(error, scope, arguments));
        }
        match output {
            Some(output) if is_large(output, scope.hub().max_result_bytes) => {
                Box::pin(by_handle(scope, output)).await
            }
            _ => Ok(()),
        }
    }
}

type Place = ConcurrencyPermit<Arc<Concurrency>>;
type Limited<'a> = BoxFuture<'a, Result<(), Refusal>>;

/// Takes the call's cost from its rates; what else there is to be waited for is in the future.
#[inline]
fn limits(scope: &Scope, started: Option<u64>) -> Option<Limited<'_>> {
    let (hub, caller) = (scope.hub(), &scope.session.caller);
    if !hub.limits.any() {
        return None;
    }
    hub.limits.acquire(started, &caller.keys, &caller.principal, scope.entry(), scope.connection_id())
}

/// Whether nothing stands between the limits and the tool but its place.
#[inline]
fn is_plain(scope: &Scope, reserved: &Option<Box<Reserved>>) -> bool {
    let Entry { tool, marks, .. } = scope.entry();
    reserved.is_none()
        && tool.rust_type().is_some()
        && !marks.blocking()
        && (!scope.hub().intents || marks.read_only())
}

/// Takes a place among the calls that run at once, if one is free or none is needed.
#[inline]
fn take(scope: &Scope, place: &mut Option<Place>) -> bool {
    let Some(places) = &scope.entry().instance.concurrency else { return true };
    *place = Concurrency::try_acquire_from(Arc::clone(places)).ok();
    place.is_some()
}

/// From here on the tool runs.
#[inline]
fn begin<'a>(scope: &'a Arc<Scope>, arguments: &'a mut Arguments) -> BoxFuture<'a, Result<ToolOutput>> {
    scope.dispatched.store(true, Ordering::Release);
    let cx = ToolContext::new(Arc::clone(scope) as Arc<dyn CallScope>);
    around(&scope.hub().per_call, scope.entry(), arguments, cx)
}

/// What counts against the deadline where there is more to it than the tool: waiting for limits and
/// for a place, a dynamic tool's validation, the record of a write, an approval.
async fn within(
    scope: &Arc<Scope>,
    arguments: &mut Arguments,
    reserved: &mut Option<Box<Reserved>>,
    limited: Option<Limited<'_>>,
) -> Result<ToolOutput> {
    let (hub, entry, caller) = (scope.hub(), scope.entry(), &scope.session.caller);
    if let Some(limited) = limited
        && let Err(refusal) = limited.await
    {
        if let Some(limit) = refusal.limit {
            hub.emit(Some(&caller.principal.tenant), || EventKind::LimitRefused {
                tool: entry.id.clone(),
                limit,
            });
        }
        return Err(refusal.error);
    }
    let place = match &entry.instance.concurrency {
        Some(places) => Some(match Concurrency::try_acquire_from(Arc::clone(places)) {
            Ok(place) => place,
            Err(_) => Concurrency::acquire_from(Arc::clone(places), hub.concurrency_wait)
                .await
                .map_err(|_| busy(entry))?,
        }),
        None => None,
    };
    let mut parsed;
    let taken = if entry.tool.rust_type().is_none() {
        // The arguments as they were given stay, for the audit trail and for resuming the call.
        parsed = arguments.clone();
        let value = parse_dynamic(&mut parsed)?;
        validate::check(entry, &value)?;
        parsed = Arguments::typed(value);
        &mut parsed
    } else {
        &mut *arguments
    };
    if hub.intents && !entry.marks.read_only() {
        ending::intent(scope, taken).await?;
    }
    if let Some(reserved) = reserved {
        reserved.commit().await?;
    }
    if entry.marks.blocking() {
        scope.dispatched.store(true, Ordering::Release);
        let cx = ToolContext::new(Arc::clone(scope) as Arc<dyn CallScope>);
        return blocking(scope, cx, taken, place).await;
    }
    let output = begin(scope, taken).await;
    drop(place);
    output
}

fn is_large(output: &ToolOutput, most: usize) -> bool {
    matches!(&output.body, Body::Json(text) if text.len() > most)
}

/// A result that is too large for its caller's context goes to the result store; the caller gets
/// its handle. The tool has run, so the result must not be lost.
async fn by_handle(scope: &Scope, output: &mut ToolOutput) -> Result<()> {
    let text = output.to_json()?;
    let file = shaping::store(scope, text, shaping::JSON, Some(shaping::WHOLE)).await?;
    output.body = Body::Empty;
    output.content.push(Content::Text { text: shaping::by_handle(&file, scope.hub().max_result_bytes) });
    output.content.push(Content::File(file));
    Ok(())
}

/// The host's layers around the tool, outermost first.
fn around<'a>(
    layers: &'a [Arc<dyn PerCall>],
    entry: &'a Entry,
    arguments: &'a mut Arguments,
    cx: ToolContext,
) -> BoxFuture<'a, Result<ToolOutput>> {
    match layers.split_first() {
        None => entry.tool.call(arguments, cx),
        Some((layer, rest)) => Box::pin(async move {
            let inner = cx.clone();
            // Not even begun before the layer runs it.
            let next = Next { run: Box::pin(async move { around(rest, entry, arguments, inner).await }) };
            layer.call(&cx, next).await
        }),
    }
}

/// A tool that may block its thread runs on one that may be blocked; the caller's deadline holds
/// all the same.
async fn blocking(
    scope: &Arc<Scope>,
    cx: ToolContext,
    arguments: &Arguments,
    permit: Option<Place>,
) -> Result<ToolOutput> {
    let mut owned = arguments.clone();
    let runtime = tokio::runtime::Handle::current();
    let _guard = CancelOnDrop(scope);
    let running = Arc::clone(scope);
    let task = tokio::task::spawn_blocking(move || {
        // Its place is free when its thread is, whether or not the caller still waits.
        let _permit = permit;
        runtime.block_on(async { around(&running.hub().per_call, running.entry(), &mut owned, cx).await })
    });
    match task.await {
        Ok(result) => result,
        Err(error) if error.is_panic() => {
            Err(Error::new(ErrorKind::Panicked, "the tool panicked; this is a defect in the tool"))
        }
        Err(_) => Err(Error::new(ErrorKind::Canceled, "the runtime is shutting down")),
    }
}

struct CancelOnDrop<'a>(&'a Scope);

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

fn busy(entry: &Entry) -> Error {
    Error::new(ErrorKind::Overloaded, format!("`{}` runs as many calls at once as it may", entry.instance.id))
}

fn out_of_time(scope: &Scope, timeout: Duration) -> Error {
    let entry = scope.entry();
    if !scope.dispatched.load(Ordering::Acquire) {
        let message = format!(
            "`{}` waited {timeout:?} for its limits and its place; try again later, or give it more time",
            entry.id
        );
        return Error::new(ErrorKind::DeadlineExceeded, message).effect(Effect::NotExecuted);
    }
    let reads = entry.tool.definition().annotations.read_only;
    Error::new(
        ErrorKind::DeadlineExceeded,
        format!(
            "`{}` did not end within {timeout:?}; ask for less, give it more time, or let blocking work run in `cx.blocking`",
            entry.id
        ),
    )
    .effect(if reads { Effect::None } else { Effect::Unknown })
}

/// What the provider refused for want of scopes, the user is asked to grant. Not where something may have been executed: the call
/// would be resumed, and do it twice. Nor where there is no consent that could grant them, or no more of it: then the provider's
/// own error says more.
async fn consent(error: Error, scope: &Scope) -> Error {
    let entry = scope.entry();
    let harmless = entry.tool.definition().annotations.read_only
        || !scope.wrote() && matches!(error.effect_on_provider(), Effect::None | Effect::NotExecuted);
    let by_consent = matches!(&entry.instance.endpoint.scheme, AuthScheme::OAuth2(oauth) if matches!(oauth.grant, OAuthGrant::AuthorizationCode | OAuthGrant::DeviceCode));
    match scope.connection_id() {
        Some(connection) if harmless && by_consent => {
            let memory = scope.hub().memory();
            let asked =
                scope.session.caller.ask_for_scopes(&memory, entry, connection, error.lacking_scopes());
            let asked = asked.await;
            if asked.input_required().is_some() { asked.caused_by(error) } else { error }
        }
        _ => error,
    }
}

/// Adds what the stack knows to a tool's error.
fn describe(error: Error, scope: &Scope, arguments: &Arguments) -> Error {
    let entry = scope.entry();
    match error.kind() {
        // A typed value is gone with the tool that took it, and fitted the schema.
        ErrorKind::InvalidArguments if entry.tool.rust_type().is_some() && !scope.typed => {
            validate::explain(entry, arguments, error)
        }
        // Its caller makes the call again.
        ErrorKind::InputRequired if !scope.typed => with_call(error, || {
            let mut call = scope.call(arguments);
            // The tool has run, so an approval is used up; a resumed call must ask for its own.
            call.options.approval = None;
            call
        }),
        _ if entry.tool.definition().annotations.read_only
            && error.effect_on_provider() == Effect::Unknown =>
        {
            error.effect(Effect::None)
        }
        _ => error,
    }
}
