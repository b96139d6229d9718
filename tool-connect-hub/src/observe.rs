//! Trace and metrics of calls: names are those of the OpenTelemetry GenAI conventions.
//!
//! | metric | kind | labels |
//! | --- | --- | --- |
//! | `tool_connect_calls_total` | counter | `tool`, `outcome` |
//! | `tool_connect_call_seconds` | histogram | `tool` |
//!
//! Metrics are switched on with [`HubBuilder::metrics`](crate::HubBuilder::metrics); install the
//! recorder before the first call, for handles are made then. Spans are named `execute_tool` in the
//! target `tool_connect`; arguments and results are never recorded.

use std::sync::OnceLock;

use metrics::{Counter, Histogram, Key, Label, Level, Metadata};
use tool_connect_core::{CallId, ErrorKind, Principal, ToolId};
use tracing::Span;
use tracing::field::Empty;

use crate::audit::Outcome;
use crate::registry::Entry;

const CALLS: &str = "tool_connect_calls_total";
const SECONDS: &str = "tool_connect_call_seconds";
static METADATA: Metadata<'static> = Metadata::new("tool_connect", Level::INFO, Some(module_path!()));

/// A tool's metric handles; made at its first call.
#[derive(Default)]
pub(crate) struct ToolMetrics(OnceLock<Box<Handles>>);

struct Handles {
    ok: Counter,
    seconds: Histogram,
}

impl ToolMetrics {
    pub(crate) fn record(&self, tool: &ToolId, outcome: Outcome, nanos: u64) {
        let handles = self.0.get_or_init(|| {
            Box::new(Handles {
                ok: counter(tool, Outcome::Ok.as_str()),
                seconds: metrics::with_recorder(|recorder| {
                    let key = Key::from_parts(SECONDS, vec![Label::new("tool", tool.to_string())]);
                    recorder.register_histogram(&key, &METADATA)
                }),
            })
        });
        if outcome == Outcome::Ok {
            handles.ok.increment(1);
        } else {
            counter(tool, outcome.as_str()).increment(1);
        }
        #[allow(clippy::cast_precision_loss)] // A call of 104 days is still exact to the nanosecond.
        handles.seconds.record(nanos as f64 / 1e9);
    }
}

fn counter(tool: &ToolId, outcome: &'static str) -> Counter {
    metrics::with_recorder(|recorder| {
        let labels = vec![Label::new("tool", tool.to_string()), Label::new("outcome", outcome)];
        recorder.register_counter(&Key::from_parts(CALLS, labels), &METADATA)
    })
}

/// Counts a call that named no known tool; its name is the caller's text and stays out of labels.
pub(crate) fn count_unknown(kind: ErrorKind) {
    metrics::with_recorder(|recorder| {
        let labels = vec![Label::new("tool", "unknown"), Label::new("outcome", kind.as_str())];
        recorder.register_counter(&Key::from_parts(CALLS, labels), &METADATA)
    })
    .increment(1);
}

/// The span of a call, with the attribute names of the OpenTelemetry GenAI conventions.
pub(crate) fn span(entry: &Entry, call: CallId, principal: &Principal) -> Span {
    tracing::info_span!(
        target: "tool_connect",
        "execute_tool",
        gen_ai.operation.name = "execute_tool",
        gen_ai.tool.name = entry.id.as_str(),
        gen_ai.tool.call.id = %call,
        gen_ai.tool.r#type = "function",
        tenant = principal.tenant.as_str(),
        error.r#type = Empty,
        outcome = Empty,
    )
}

/// Writes the end of a call into its span.
pub(crate) fn finish(span: &Span, outcome: Outcome) {
    if span.is_disabled() {
        return;
    }
    span.record("outcome", outcome.as_str());
    if let Outcome::Error(kind) = outcome {
        span.record("error.type", kind.as_str());
    }
}
