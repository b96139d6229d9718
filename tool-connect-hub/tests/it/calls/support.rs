//! A connector whose tools a test puts together, and the few words that every test says.

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tool_connect_core::http::{ByteStream, RequestBody, Transport, TransportLimits};
use tool_connect_core::store::{Decision, Grant, Stores, Subject, ToolPattern};
use tool_connect_core::{
    Annotations, ApprovalId, Connector, ConnectorManifest, DynamicTool, Error, ErrorKind, Event, EventKind,
    InputRequest, InputRequired, InstanceId, Principal, Result, Run, SchemaSource, TenantId, Tool,
    ToolContext, ToolDefinition, ToolOutcome, ToolOutput, ToolSet,
};
use tool_connect_hub::audit::{AuditMode, AuditRecord, EntryKind};
use tool_connect_hub::{Hub, HubBuilder, Session};
use tool_connect_testkit::ManualClock;

type Fill = Box<dyn Fn(&mut ToolSet) + Send + Sync>;

/// A connector with the tools that a test gives it.
pub(crate) struct Kit {
    manifest: ConnectorManifest,
    fill: Vec<Fill>,
}

impl Kit {
    pub(crate) fn new(id: &str) -> Self {
        Self::of(ConnectorManifest::new(id, semver::Version::new(1, 0, 0), id))
    }

    pub(crate) fn of(manifest: ConnectorManifest) -> Self {
        Self { manifest, fill: Vec::new() }
    }

    pub(crate) fn tool<T: Tool<State = ()>>(self) -> Self {
        self.fill(|set| {
            set.add::<T>();
        })
    }

    pub(crate) fn dynamic(self, tool: DynamicTool) -> Self {
        self.fill(move |set| {
            set.add_dynamic(tool.clone());
        })
    }

    pub(crate) fn fill(mut self, fill: impl Fn(&mut ToolSet) + Send + Sync + 'static) -> Self {
        self.fill.push(Box::new(fill));
        self
    }
}

impl Connector for Kit {
    fn manifest(&self) -> &ConnectorManifest {
        &self.manifest
    }

    fn tools(&self, set: &mut ToolSet) {
        for fill in &self.fill {
            fill(set);
        }
    }
}

/// Add two numbers.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, aliases("plus"))]
#[serde(deny_unknown_fields)]
pub(crate) struct Add {
    /// First number.
    pub(crate) a: i64,
    /// Second number.
    pub(crate) b: i64,
}

impl Run for Add {
    type Output = i64;
    async fn run(self, _cx: &ToolContext) -> Result<i64> {
        Ok(self.a.saturating_add(self.b))
    }
}

/// A definition whose schema takes any object.
pub(crate) fn definition(name: &'static str, annotations: Annotations) -> ToolDefinition {
    let schema = SchemaSource::Json(Arc::from(r#"{"type":"object"}"#));
    ToolDefinition::new(name, "Does what the test says.", schema).annotations(annotations)
}

/// A tool that only reads.
pub(crate) fn read<F, Fut>(name: &'static str, handler: F) -> DynamicTool
where
    F: Fn(Value, ToolContext) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<ToolOutput>> + Send + 'static,
{
    DynamicTool::new(definition(name, Annotations::READ), handler)
}

/// A tool that writes and may destroy.
pub(crate) fn write<F, Fut>(name: &'static str, handler: F) -> DynamicTool
where
    F: Fn(Value, ToolContext) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<ToolOutput>> + Send + 'static,
{
    DynamicTool::new(definition(name, Annotations::default()), handler)
}

/// How often something ran.
#[derive(Clone, Default)]
pub(crate) struct Runs(Arc<AtomicUsize>);

impl Runs {
    pub(crate) fn add(&self) -> usize {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// A write named `put` that answers how often it ran.
pub(crate) fn counting(runs: &Runs) -> DynamicTool {
    let runs = runs.clone();
    write("put", move |_, _| {
        let run = runs.add();
        async move { ToolOutput::of(&run) }
    })
}

/// A read named `get` that answers how often it ran.
pub(crate) fn counting_read(runs: &Runs) -> DynamicTool {
    let runs = runs.clone();
    read("get", move |_, _| {
        let run = runs.add();
        async move { ToolOutput::of(&run) }
    })
}

pub(crate) fn ada() -> Principal {
    Principal::user("acme", "ada").unwrap()
}

pub(crate) fn bob() -> Principal {
    Principal::user("acme", "bob").unwrap()
}

pub(crate) fn bot() -> Principal {
    ada().acting_through("bot").unwrap()
}

pub(crate) fn acme() -> TenantId {
    TenantId::new("acme").unwrap()
}

pub(crate) fn instance(id: &str) -> InstanceId {
    InstanceId::new(id).unwrap()
}

pub(crate) fn pattern(text: &str) -> ToolPattern {
    ToolPattern::new(text).unwrap()
}

/// A grant to the agent of [`bot`].
pub(crate) fn grant(tools: &str) -> Grant {
    let agent = bot().agent.unwrap();
    Grant {
        tenant: acme(),
        subject: Subject::Agent(agent),
        tools: pattern(tools),
        connection: None,
        expires: None,
    }
}

/// Reaches nobody: no call here needs the network, and a real client takes long to build.
struct NoNetwork;

#[async_trait]
impl Transport for NoNetwork {
    async fn send(
        &self,
        _: http::Request<RequestBody>,
        _: &TransportLimits,
    ) -> Result<http::Response<ByteStream>> {
        Err(Error::new(ErrorKind::Transport, "there is no network"))
    }
}

/// A Hub whose time stands still, without an audit trail.
pub(crate) fn quiet(clock: &Arc<ManualClock>) -> HubBuilder {
    audited(clock, AuditMode::Off)
}

pub(crate) fn audited(clock: &Arc<ManualClock>, mode: AuditMode) -> HubBuilder {
    let stores = Stores::in_memory_with(Arc::clone(clock) as _);
    Hub::builder()
        .clock(Arc::clone(clock) as _)
        .stores(stores)
        .transport(Arc::new(NoNetwork))
        .configure(|s| s.audit.mode = mode)
}

/// A quiet Hub with one connector.
pub(crate) fn hub_of(kit: Kit) -> Hub {
    quiet(&Arc::new(ManualClock::new())).connector(kit).build().unwrap()
}

/// The structured value of a completed call.
pub(crate) fn value(outcome: Result<ToolOutcome>) -> Value {
    serde_json::from_slice(&outcome.unwrap().into_output().unwrap().to_json().unwrap()).unwrap()
}

pub(crate) fn number(outcome: Result<ToolOutcome>) -> u64 {
    value(outcome).as_u64().unwrap()
}

/// The error of a call that must not have completed.
pub(crate) fn error(outcome: Result<ToolOutcome>) -> Error {
    match outcome {
        Err(error) => error,
        Ok(outcome) => panic!("the call did not fail: {outcome:?}"),
    }
}

pub(crate) fn kind(outcome: Result<ToolOutcome>) -> ErrorKind {
    error(outcome).kind()
}

pub(crate) fn required(outcome: Result<ToolOutcome>) -> InputRequired {
    match outcome {
        Ok(ToolOutcome::InputRequired(required)) => *required,
        other => panic!("nothing was asked for: {other:?}"),
    }
}

pub(crate) fn approval(required: &InputRequired) -> ApprovalId {
    match &required.request {
        InputRequest::Approve { approval, .. } => approval.clone(),
        other => panic!("no approval was asked for: {other:?}"),
    }
}

/// Makes a call that needs an approval, and gives it.
pub(crate) async fn approved(session: &Session, tool: &str, arguments: Value) -> InputRequired {
    let asked = required(session.call(tool, arguments).await);
    session.decide(&approval(&asked), Decision::Approve).await.unwrap();
    asked
}

/// Remembers events.
#[derive(Clone, Default)]
pub(crate) struct Events(Arc<Mutex<Vec<Event>>>);

impl Events {
    pub(crate) fn sink(&self) -> impl Fn(&Event) + Send + Sync + 'static {
        let events = Arc::clone(&self.0);
        move |event: &Event| events.lock().unwrap().push(event.clone())
    }

    pub(crate) fn all(&self) -> Vec<Event> {
        self.0.lock().unwrap().clone()
    }

    /// How calls ended, in order.
    pub(crate) fn outcomes(&self) -> Vec<String> {
        let finished = |event: Event| match event.what {
            EventKind::CallFinished { outcome, .. } => Some(outcome),
            _ => None,
        };
        self.all().into_iter().filter_map(finished).collect()
    }
}

/// The tenant's audit records.
pub(crate) async fn records(hub: &Hub) -> Vec<AuditRecord> {
    hub.audit().records(&acme(), 1, 1_000).await.unwrap()
}

/// What the trail says of each record: kind, and how the call ended.
pub(crate) async fn trail(hub: &Hub) -> Vec<(EntryKind, Option<&'static str>)> {
    records(hub).await.iter().map(|r| (r.kind, r.outcome.map(|o| o.as_str()))).collect()
}

pub(crate) fn text_schema(schema: &Value) -> SchemaSource {
    SchemaSource::Json(Arc::from(schema.to_string()))
}
