//! The innermost part: deadline, limits, concurrency, host layers, the tool.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tool_connect_core::store::NewResult;
use tool_connect_core::{
    Arguments, Body, BoxFuture, CallScope, Content, Effect, Error, ErrorKind, EventKind, FileRef, Result,
    ToolContext, ToolOutput, parse_dynamic,
};
use tool_connect_tower::{Concurrency, Deadline, concurrency::ConcurrencyPermit};

use super::approval::Reserved;
use super::{Call, Scope, ending, with_call};
use crate::host::{Next, PerCall};
use crate::registry::Entry;
use crate::validate;

impl Call {
    /// Runs the tool within its limits and its time.
    pub(super) async fn dispatch(&mut self) -> Result<()> {
        let Self { scope, arguments, reserved, kept, output, started, .. } = self;
        if arguments.is_typed() && scope.hub().audited {
            // The tool takes a typed value, and the audit trail wants it afterwards.
            *kept = Some(arguments.clone());
        }
        let ended = {
            let mut work = pin!(within(scope, arguments, reserved, output, *started));
            // The time begins with the first wait, for the deadline and for the tool that asks what
            // is left of it: a call that never waits reads no clock.
            let begun = poll_fn(|cx| {
                let polled = work.as_mut().poll(cx);
                if polled.is_pending() {
                    scope.begin();
                }
                polled
            });
            match Deadline::maybe(begun, scope.timeout).await {
                Ok(result) => result,
                Err(elapsed) => Err(out_of_time(scope, elapsed.limit)),
            }
        };
        if let Err(error) = ended {
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

/// What counts against the deadline: waiting for limits, and the tool.
async fn within(
    scope: &Arc<Scope>,
    arguments: &mut Arguments,
    reserved: &mut Option<Box<Reserved>>,
    output: &mut Option<ToolOutput>,
    started: Option<u64>,
) -> Result<()> {
    let (hub, entry, caller) = (scope.hub(), scope.entry(), &scope.session.caller);
    if hub.limits.any() {
        let connection = scope.connection_id();
        let more = hub.limits.acquire(started, &caller.keys, &caller.principal, entry, connection);
        if let Some(more) = more
            && let Err(refusal) = more.await
        {
            if let Some(limit) = refusal.limit {
                hub.emit(Some(&caller.principal.tenant), || EventKind::LimitRefused {
                    tool: entry.id.clone(),
                    limit,
                });
            }
            return Err(refusal.error);
        }
    }
    let permit = match &entry.instance.concurrency {
        Some(places) => Some(match Concurrency::try_acquire_from(Arc::clone(places)) {
            Ok(place) => place,
            Err(_) => {
                let place = Concurrency::acquire_from(Arc::clone(places), hub.concurrency_wait);
                Box::pin(place).await.map_err(|_| busy(entry))?
            }
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
    if hub.intents && !entry.tool.definition().annotations.read_only {
        Box::pin(ending::intent(scope, taken)).await?;
    }
    if let Some(reserved) = reserved {
        Box::pin(reserved.commit()).await?;
    }
    scope.dispatched.store(true, Ordering::Release);
    let cx = ToolContext::new(Arc::clone(scope) as Arc<dyn CallScope>);
    let work = if entry.tool.definition().blocking {
        Box::pin(blocking(scope, cx, taken, permit))
    } else {
        around(&hub.per_call, entry, taken, cx)
    };
    *output = Some(work.await?);
    Ok(())
}

fn is_large(output: &ToolOutput, most: usize) -> bool {
    matches!(&output.body, Body::Json(text) if text.len() > most)
}

/// A result that is too large for its caller's context goes to the result store; the caller gets
/// its handle. The tool has run, so the result must not be lost.
async fn by_handle(scope: &Scope, output: &mut ToolOutput) -> Result<()> {
    let hub = scope.hub();
    let principal = &scope.session.caller.principal;
    let text = output.to_json()?;
    let size = u64::try_from(text.len()).unwrap_or(u64::MAX);
    let new = NewResult {
        tenant: principal.tenant.clone(),
        user: principal.user.clone(),
        media_type: "application/json".to_owned(),
        name: None,
        keep: hub.result_keep,
        max_bytes: size,
    };
    let data = futures_util::stream::once(std::future::ready(Ok(text)));
    let meta = hub.patience.with("results", hub.stores.results.put(new, Box::pin(data))).await?;
    output.body = Body::Empty;
    output.content.push(Content::Text {
        text: format!(
            "The result has {size} bytes, more than the {} that fit here; it is kept under a handle.",
            hub.max_result_bytes
        ),
    });
    output.content.push(Content::File(FileRef {
        handle: meta.handle,
        media_type: meta.media_type,
        size: meta.size,
        name: meta.name,
    }));
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
    permit: Option<ConcurrencyPermit<Arc<Concurrency>>>,
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

/// Adds what the stack knows to a tool's error.
fn describe(error: Error, scope: &Scope, arguments: &Arguments) -> Error {
    let entry = scope.entry();
    match error.kind() {
        ErrorKind::InvalidArguments if entry.tool.rust_type().is_some() => {
            validate::explain(entry, arguments, error)
        }
        // A typed value is gone with the tool that took it: its caller makes the call again.
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
