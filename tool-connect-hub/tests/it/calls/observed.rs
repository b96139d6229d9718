//! What a call leaves in traces and metrics: names and outcomes, never an argument or a result.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use serde_json::json;
use tool_connect_core::{Content, ErrorKind, Shape, ToolCall, ToolOutput};
use tool_connect_testkit::ManualClock;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata as SpanMetadata, Subscriber};

use super::support::{Add, Kit, ada, kind, quiet, read, write};

/// A span's name and its fields.
type Span = (String, BTreeMap<String, String>);

/// Remembers every field of every span and event.
#[derive(Clone, Default)]
struct Capture {
    spans: Arc<Mutex<Vec<Span>>>,
    events: Arc<Mutex<Vec<String>>>,
}

struct Fields<'a>(&'a mut BTreeMap<String, String>);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
}

impl Subscriber for Capture {
    fn enabled(&self, _: &SpanMetadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut fields = BTreeMap::from([("target".to_owned(), span.metadata().target().to_owned())]);
        span.record(&mut Fields(&mut fields));
        let mut spans = self.spans.lock().unwrap();
        spans.push((span.metadata().name().to_owned(), fields));
        Id::from_u64(u64::try_from(spans.len()).unwrap())
    }
    fn record(&self, span: &Id, values: &Record<'_>) {
        let mut spans = self.spans.lock().unwrap();
        let place = usize::try_from(span.into_u64()).unwrap() - 1;
        values.record(&mut Fields(&mut spans[place].1));
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut fields = BTreeMap::new();
        event.record(&mut Fields(&mut fields));
        self.events.lock().unwrap().push(format!("{fields:?}"));
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn a_span_has_the_conventions_names_and_no_value_of_the_call() {
    let capture = Capture::default();
    let _guard = tracing::subscriber::set_default(capture.clone());
    let panics = write("put", |_, _| async { panic!("hunter2") });
    let hub = quiet(&Arc::default())
        .connector(Kit::new("calc").tool::<Add>().dynamic(panics))
        .configure(|s| s.policy = tool_connect_hub::RolePolicy::new())
        .build()
        .unwrap();
    let session = hub.session(ada());
    // Another test's thread, which listens to nothing, may just be registering the span's call site
    // and put down that nobody wants it.
    while capture.spans.lock().unwrap().is_empty() {
        session.call("calc.add", r#"{"a":1,"b":1}"#).await.unwrap();
        tracing::callsite::rebuild_interest_cache();
    }
    capture.spans.lock().unwrap().clear();
    session.call("calc.add", json!({"a": 271_828, "b": 0})).await.unwrap();
    assert_eq!(kind(session.call("calc.add", json!({"a": "hunter2"})).await), ErrorKind::InvalidArguments);
    assert_eq!(kind(session.call("calc.put", json!({"a": "hunter2"})).await), ErrorKind::Panicked);

    let spans = capture.spans.lock().unwrap().clone();
    let calls: Vec<_> = spans.iter().filter(|(name, _)| name == "execute_tool").map(|(_, f)| f).collect();
    assert_eq!(calls.len(), 3);
    for (name, expected) in [
        ("target", "tool_connect"),
        ("gen_ai.operation.name", "execute_tool"),
        ("gen_ai.tool.name", "calc.add"),
        ("gen_ai.tool.type", "function"),
        ("tenant", "acme"),
        ("outcome", "ok"),
    ] {
        assert_eq!(calls[0].get(name).map(String::as_str), Some(expected), "{name}");
    }
    assert!(calls[0].contains_key("gen_ai.tool.call.id") && !calls[0].contains_key("error.type"));
    assert_ne!(calls[0]["gen_ai.tool.call.id"], calls[1]["gen_ai.tool.call.id"]);
    for (place, error) in [(1, "invalid_arguments"), (2, "panicked")] {
        assert_eq!(calls[place].get("error.type").map(String::as_str), Some(error));
        assert_eq!(calls[place].get("outcome").map(String::as_str), Some(error));
    }
    let all = format!("{spans:?} {:?}", capture.events.lock().unwrap());
    assert!(!all.contains("hunter2") && !all.contains("271828"), "{all}");
}

#[tokio::test]
async fn a_tokenizer_that_panics_is_told_of() {
    let capture = Capture::default();
    let _guard = tracing::subscriber::set_default(capture.clone());
    let page = write("page", |_, _| async { Ok(ToolOutput::text("hunter2 ".repeat(200))) });
    let hub = quiet(&Arc::default())
        .tokenizer(|text: &str| -> usize { panic!("{text}") })
        .connector(Kit::new("calc").dynamic(page))
        .build()
        .unwrap();
    // As above: another thread may have put down that nobody listens.
    while capture.events.lock().unwrap().is_empty() {
        let call = ToolCall::new("calc.page", "{}").shape(Shape::new().tokens(100));
        let output = hub.session(ada()).execute(call).await.unwrap().into_output().unwrap();
        assert!(matches!(&output.content[0], Content::Text { text } if text.starts_with("hunter2 hunter2")));
        tracing::callsite::rebuild_interest_cache();
    }
    let events = capture.events.lock().unwrap().join("\n");
    assert!(events.contains("tokenizer panicked") && !events.contains("hunter2"), "{events}");
}

/// Remembers counters and histograms by name and labels.
#[derive(Default)]
struct Recorded {
    counters: Mutex<BTreeMap<String, Arc<AtomicU64>>>,
    histograms: Mutex<BTreeMap<String, Arc<Values>>>,
}

#[derive(Default)]
struct Values(Mutex<Vec<f64>>);

impl HistogramFn for Values {
    fn record(&self, value: f64) {
        self.0.lock().unwrap().push(value);
    }
}

fn text(key: &Key) -> String {
    let labels: Vec<_> = key.labels().map(|l| format!("{}={}", l.key(), l.value())).collect();
    format!("{}{{{}}}", key.name(), labels.join(","))
}

impl Recorder for Recorded {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(Arc::clone(self.counters.lock().unwrap().entry(text(key)).or_default()))
    }
    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }
    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Arc::clone(self.histograms.lock().unwrap().entry(text(key)).or_default()))
    }
}

#[tokio::test]
async fn metrics_count_calls_by_tool_and_outcome_and_take_their_time() {
    let recorded = Recorded::default();
    let _guard = metrics::set_default_local_recorder(&recorded);
    let clock = Arc::new(ManualClock::new());
    let ticking = Arc::clone(&clock);
    let slow = read("slow", move |arguments, _| {
        ticking.advance(Duration::from_millis(250));
        async move {
            if arguments.get("fail").is_some() {
                return Err(tool_connect_core::Error::new(ErrorKind::Provider, "no"));
            }
            ToolOutput::of(&0)
        }
    });
    for on in [false, true] {
        let hub =
            quiet(&clock).metrics(on).connector(Kit::new("calc").dynamic(slow.clone())).build().unwrap();
        let session = hub.session(ada());
        session.call("calc.slow", json!({"value": "hunter2"})).await.unwrap();
        session.call("calc.slow", "{}").await.unwrap();
        assert_eq!(kind(session.call("calc.slow", json!({"fail": 1})).await), ErrorKind::Provider);
        if !on {
            assert!(recorded.counters.lock().unwrap().is_empty());
        }
    }
    let counters: Vec<_> = recorded
        .counters
        .lock()
        .unwrap()
        .iter()
        .map(|(name, count)| (name.clone(), count.load(Ordering::SeqCst)))
        .collect();
    assert_eq!(
        counters,
        [
            ("tool_connect_calls_total{tool=calc.slow,outcome=ok}".to_owned(), 2),
            ("tool_connect_calls_total{tool=calc.slow,outcome=provider}".to_owned(), 1),
        ]
    );
    let histograms = recorded.histograms.lock().unwrap();
    let seconds = histograms["tool_connect_call_seconds{tool=calc.slow}"].0.lock().unwrap().clone();
    assert_eq!(seconds, [0.25, 0.25, 0.25]);
}
