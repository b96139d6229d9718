//! The end of a call: metrics, audit, events. Written also when the caller goes away.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tool_connect_core::{Arguments, Effect, ErrorKind, EventKind, Result, Served};
use tracing::Span;

use super::{Call, Scope};
use crate::audit::{AuditEntry, EntryKind, Outcome, QueueFull};
use crate::observe;

impl Call {
    /// Writes how the call ended. Where the audit trail must not miss it and has no room,
    /// [`finish_late`](Self::finish_late) is still to be awaited.
    pub(super) fn finish(&mut self, span: &Span, ended: &Result<()>) -> Option<Late> {
        let (outcome, effect) = told(ended);
        observe::finish(span, outcome);
        let started = self.started.take()?;
        let took = self.observe(outcome, started);
        match self.scope.hub().audit.record(&self.audit_entry(outcome, effect, started, took)) {
            Ok(()) => None,
            Err(QueueFull) => Some(Late { started, took }),
        }
    }

    /// Waits until the audit trail has room.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub(super) async fn finish_late(&self, ended: &Result<()>, late: Late) -> Result<()> {
        let (outcome, effect) = told(ended);
        let entry = self.audit_entry(outcome, effect, late.started, late.took);
        self.scope.hub().audit.record_slow(&entry).await
    }

    /// Metrics and events; returns how long the call took, in nanoseconds.
    fn observe(&self, outcome: Outcome, started: u64) -> u64 {
        let scope = &*self.scope;
        let (hub, entry) = (scope.hub(), scope.entry());
        let took = hub.clock.monotonic().saturating_sub(started);
        if hub.metrics {
            entry.metrics.record(&entry.id, outcome, took);
        }
        let principal = &scope.session.caller.principal;
        hub.emit(Some(&principal.tenant), || EventKind::CallFinished {
            call: scope.id.to_string(),
            tool: entry.id.clone(),
            user: principal.user.clone(),
            agent: principal.agent.clone(),
            outcome: outcome.as_str().to_owned(),
            took: Duration::from_nanos(took),
        });
        took
    }

    fn audit_entry(
        &self,
        outcome: Outcome,
        effect: Option<Effect>,
        started: u64,
        took: u64,
    ) -> AuditEntry<'_> {
        // An intent has the arguments already.
        let intended = self.scope.intended.load(Ordering::Relaxed);
        let arguments = (!intended).then(|| self.kept.as_ref().unwrap_or(&self.arguments));
        let mut entry = entry(&self.scope, EntryKind::Outcome, arguments, started.saturating_add(took));
        entry.outcome = Some(outcome);
        entry.effect = effect;
        entry.took = took;
        entry.served = if self.scope.replayed.load(Ordering::Relaxed) {
            Served::Replay
        } else if self.scope.cached.load(Ordering::Relaxed) {
            Served::Cache
        } else {
            Served::Fresh
        };
        entry
    }
}

/// The end of a call that the audit trail had no room for.
pub(super) struct Late {
    started: u64,
    took: u64,
}

/// What is told of an end.
#[inline]
fn told(ended: &Result<()>) -> (Outcome, Option<Effect>) {
    match ended {
        Ok(()) => (Outcome::Ok, None),
        Err(error) if error.task().is_some() => (Outcome::Task, None),
        Err(error) if error.input_required().is_some() => (Outcome::InputRequired, Some(Effect::NotExecuted)),
        Err(error) => (Outcome::Error(error.kind()), Some(error.effect_on_provider())),
    }
}

/// The caller went away, or the runtime did.
impl Drop for Call {
    fn drop(&mut self) {
        let Some(started) = self.started.take() else { return };
        let effect =
            if self.scope.dispatched.load(Ordering::Acquire) { Effect::Unknown } else { Effect::NotExecuted };
        let outcome = Outcome::Error(ErrorKind::Canceled);
        let took = self.observe(outcome, started);
        self.scope.hub().audit.record_on_drop(&self.audit_entry(outcome, Some(effect), started, took));
    }
}

/// Writes, durably, that a write is about to run; without it the tool does not run.
pub(super) async fn intent(scope: &Scope, arguments: &Arguments) -> Result<()> {
    let hub = scope.hub();
    hub.audit.commit(&entry(scope, EntryKind::Intent, Some(arguments), hub.clock.monotonic())).await?;
    scope.intended.store(true, Ordering::Relaxed);
    Ok(())
}

fn entry<'a>(scope: &'a Scope, kind: EntryKind, arguments: Option<&'a Arguments>, at: u64) -> AuditEntry<'a> {
    let mut entry = AuditEntry::new(kind, scope.id, &scope.session.caller.principal, at);
    entry.tool = Some(scope.entry().audited());
    entry.arguments = arguments;
    entry.connection = scope.connection_id();
    entry.approval = scope.options().approval.as_ref();
    entry.trace = scope.options().traceparent.as_deref();
    entry
}
