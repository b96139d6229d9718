//! How many allocations a call makes, beside a table of boxed functions with typed serde. In a binary
//! of its own, for the counting allocator takes the place of the global one.

use std::collections::HashMap;
use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use allocation_counter::measure;
use bytes::Bytes;
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{
    Body, BoxFuture, CallOptions, Connector, ConnectorManifest, Error, ErrorKind, PlanId, Principal, Rate,
    Result, Run, Tool, ToolCall, ToolContext, ToolOutcome, ToolSet,
};
use tool_connect_hub::audit::AuditMode;
use tool_connect_hub::{ApproveWhen, Hub, HubSettings, RolePolicy, Session};

const TEXT: &str = r#"{"owner":"octocat","repo":"hello-world","title":"A title","number":42,"draft":true}"#;
const CALLS: u64 = 1_000;

/// Creates an issue.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[tool(name = "create_issue", destructive = false)]
#[serde(deny_unknown_fields)]
struct CreateIssue {
    /// Login of the owner.
    owner: String,
    /// The repository.
    repo: String,
    /// The title.
    title: String,
    /// The number.
    number: u32,
    /// Whether it is a draft.
    draft: bool,
}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
struct Issue {
    id: u64,
    title: String,
    state: String,
}

impl CreateIssue {
    fn create(self) -> Issue {
        Issue { id: u64::from(self.number), title: self.title, state: self.owner }
    }
}

impl Run for CreateIssue {
    type Output = Issue;
    async fn run(self, _cx: &ToolContext) -> Result<Issue> {
        Ok(self.create())
    }
}

struct Tracker(ConnectorManifest);

impl Connector for Tracker {
    fn manifest(&self) -> &ConnectorManifest {
        &self.0
    }
    fn tools(&self, set: &mut ToolSet) {
        set.add::<CreateIssue>();
    }
}

fn hub(change: impl FnOnce(&mut HubSettings)) -> Hub {
    let manifest = ConnectorManifest::new("tracker", semver::Version::new(1, 0, 0), "Tracker");
    Hub::builder().connector(Tracker(manifest)).configure(change).build().unwrap()
}

/// Nothing here waits for anything.
fn now<T>(work: impl Future<Output = T>) -> T {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the call waits"),
    }
}

/// Allocations per call, with what grows now and then shared out.
fn per_call(mut call: impl FnMut(u64)) -> f64 {
    for n in 0..CALLS {
        call(n);
    }
    let counted = measure(|| {
        for n in CALLS..2 * CALLS {
            call(n);
        }
    });
    #[allow(clippy::cast_precision_loss)]
    let (total, calls) = (counted.count_total as f64, CALLS as f64);
    total / calls
}

type Boxed = Box<dyn Fn(String) -> BoxFuture<'static, Result<Vec<u8>>> + Send + Sync>;

/// What one would write by hand: a table of boxed functions, each with its typed parse.
fn floor() -> f64 {
    let create: Boxed = Box::new(|text| {
        Box::pin(async move {
            let invalid = |_| Error::new(ErrorKind::InvalidArguments, "no");
            let tool: CreateIssue = serde_json::from_str(&text).map_err(invalid)?;
            serde_json::to_vec(&tool.create()).map_err(invalid)
        })
    });
    let tools = HashMap::from([("tracker.create_issue".to_owned(), create)]);
    per_call(|_| drop(black_box(now(tools["tracker.create_issue"](TEXT.to_owned())).unwrap())))
}

fn output(outcome: Result<ToolOutcome>) -> Bytes {
    match outcome.unwrap().into_output().unwrap().body {
        Body::Json(text) => text,
        other => panic!("the result is not written: {other:?}"),
    }
}

fn by_name(session: &Session) -> f64 {
    per_call(|_| drop(black_box(output(now(session.call("tracker.create_issue", TEXT.to_owned()))))))
}

/// Counts into nothing, as any recorder would be asked to.
struct Sink;

impl Recorder for Sink {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(Arc::new(std::sync::atomic::AtomicU64::new(0)))
    }
    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }
    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

fn everything(s: &mut HubSettings) {
    let often = Rate::per_second(1_000_000);
    s.metrics = true;
    s.audit.mode = AuditMode::FailOpen;
    s.limits.tenant = Some(often);
    s.limits.user = Some(often);
    s.limits.instance = Some(often);
    s.limits.connection = Some(often);
    s.limits.plans.insert("pro".to_owned(), often);
    s.policy = RolePolicy::new().role("dev", ["tracker.*"]).unwrap().approve(ApproveWhen::AnyoneDestroys);
}

#[test]
fn a_call_allocates_hardly_more_than_a_boxed_function() {
    let ada = || Principal::user("acme", "ada").unwrap();
    let floor = floor();
    // Input, future, three strings of the arguments, result; a result that grows counts again.
    assert!((6.0..=7.0).contains(&floor), "the floor itself takes {floor}");

    let bare = hub(|s| s.audit.mode = AuditMode::Off).session(ada());
    let named = by_name(&bare);
    assert!(named <= floor + 1.0, "by name {named}, the floor {floor}");

    let typed = per_call(|_| {
        let tool = CreateIssue {
            owner: "octocat".to_owned(),
            repo: "hello-world".to_owned(),
            title: "A title".to_owned(),
            number: 42,
            draft: true,
        };
        drop(black_box(now(bare.run(tool)).unwrap()));
    });
    // Nothing is written: the value goes in and comes out in boxes.
    assert!(typed <= floor + 1.0, "typed {typed}, the floor {floor}");

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _inside = runtime.enter();
    let _recorder = metrics::set_default_local_recorder(&Sink);
    let dev = ada().with_role("dev").with_plan(PlanId::new("pro").unwrap());
    let session = hub(everything).session(dev);
    let keyed = per_call(|n| {
        let mut call = ToolCall::new("tracker.create_issue", TEXT.to_owned());
        if n % 10 == 0 {
            let mut options = CallOptions::default();
            options.idempotency_key = Some(format!("k{n}").into());
            call.options = options;
        }
        drop(black_box(output(now(session.execute(call)))));
    });
    // The scope, and a tenth of what an idempotency key brings.
    assert!(keyed <= floor + 2.5, "everything on {keyed}, the floor {floor}");
}
