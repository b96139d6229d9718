//! A Hub for an app's own tests: real in everything but the tools, which answer as the test says.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use semver::Version;
use serde_json::Value;
use tool_connect_core::{
    Annotations, Connector, ConnectorManifest, DynamicTool, Error, ErrorKind, InstanceId, Principal, Result,
    SchemaSource, Tool, ToolContext, ToolDefinition, ToolId, ToolOutput, ToolSet,
};
use tool_connect_hub::{Hub, HubBuilder};

type Answer = dyn Fn(Value) -> Result<Value> + Send + Sync;
type Register = dyn Fn(&mut ToolSet, &Arc<Log>) + Send + Sync;

/// Builds a [`Hub`] whose tools answer as the test says, and keeps the calls that reached them.
///
/// Everything else is the real thing: ids and aliases, grants, approvals, idempotency keys, limits,
/// the audit trail. So an app is tested with the refusals that it will meet.
///
/// ```
/// use serde_json::json;
/// use tool_connect_core::{Principal, Result};
/// use tool_connect_hub::Hub;
/// use tool_connect_testkit::MockHub;
///
/// // The app's own code.
/// async fn report(hub: &Hub, title: &str) -> Result<u64> {
///     let session = hub.session(Principal::user("acme", "ada")?);
///     let outcome = session.call("github.create_issue", json!({ "title": title })).await?;
///     Ok(outcome.into_output()?.parse::<serde_json::Value>()?["number"].as_u64().unwrap_or(0))
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let mock = MockHub::new().on("github.create_issue", |_| Ok(json!({ "number": 7 })));
/// assert_eq!(report(&mock.build()?, "It is broken").await?, 7);
///
/// let calls = mock.calls_of("github.create_issue");
/// assert_eq!(calls[0].arguments, json!({ "title": "It is broken" }));
/// assert_eq!(calls[0].principal.user.as_str(), "ada");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
#[must_use = "a mock does nothing until `build`"]
pub struct MockHub {
    tools: BTreeMap<String, Mocked>,
    log: Arc<Log>,
}

#[derive(Clone)]
struct Mocked {
    definition: Option<ToolDefinition>,
    answer: Option<Arc<Answer>>,
    /// Registers a stand-in of the tool's own type instead.
    typed: Option<Arc<Register>>,
}

#[derive(Default)]
struct Log(Mutex<Vec<MockCall>>);

impl Log {
    fn lock(&self) -> MutexGuard<'_, Vec<MockCall>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, arguments: Value, cx: &ToolContext) {
        self.lock().push(MockCall {
            tool: cx.tool().clone(),
            arguments,
            principal: cx.principal().clone(),
            idempotency_key: cx.idempotency_key().map(str::to_owned),
        });
    }
}

/// A call that reached a mocked tool: permitted, approved and within its limits.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MockCall {
    /// Which tool.
    pub tool: ToolId,
    /// With which arguments.
    pub arguments: Value,
    /// On whose behalf.
    pub principal: Principal,
    /// The caller's name for the call.
    pub idempotency_key: Option<String>,
}

impl fmt::Debug for MockHub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockHub").field("tools", &self.tools.keys()).finish_non_exhaustive()
    }
}

impl MockHub {
    /// A Hub without tools.
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers calls of a tool, which takes any object as its arguments unless it was defined
    /// before. It counts as a write that may destroy, as a tool without annotations does.
    pub fn on(
        mut self,
        tool: impl Into<String>,
        answer: impl Fn(Value) -> Result<Value> + Send + Sync + 'static,
    ) -> Self {
        self.tool(tool).answer = Some(Arc::new(answer));
        self
    }

    /// As [`on`](Self::on), for a tool that only reads.
    pub fn on_read(
        self,
        tool: impl Into<String>,
        answer: impl Fn(Value) -> Result<Value> + Send + Sync + 'static,
    ) -> Self {
        let tool = tool.into();
        let mut mock = self.on(tool.clone(), answer);
        let name = local_name(&tool).to_owned();
        let mocked = mock.tool(tool);
        let definition = mocked.definition.take().unwrap_or_else(|| anything(name));
        mocked.definition = Some(definition.annotations(Annotations::READ));
        mock
    }

    /// Answers calls of a typed tool at this instance, by name and by type: its own definition is
    /// what is listed and what arguments are checked against; its `Run` is not called.
    pub fn like<T: Tool>(
        mut self,
        instance: &str,
        answer: impl Fn(T) -> Result<T::Output> + Send + Sync + 'static,
    ) -> Self {
        let id = format!("{instance}.{}", T::definition().name);
        let answer = Arc::new(answer);
        self.tool(id).typed = Some(Arc::new(move |set, log| {
            let (answer, log) = (Arc::clone(&answer), Arc::clone(log));
            set.stand_in::<T>(move |tool, cx| {
                let arguments = serde_json::to_value(&tool).map_err(|e| {
                    Error::new(ErrorKind::InvalidArguments, format!("the arguments are no JSON: {e}"))
                })?;
                log.push(arguments, cx);
                answer(tool)
            });
        }));
        self
    }

    /// Lists every tool of a connector at this instance with its own definition. A tool that
    /// [`on`](Self::on) gives no answer for fails when it is called, and says so.
    pub fn stand_in(mut self, instance: &str, connector: &dyn Connector) -> Self {
        let mut set = ToolSet::default();
        connector.tools(&mut set);
        for tool in set.into_tools() {
            let definition = ToolDefinition::clone(tool.definition());
            let id = format!("{instance}.{}", definition.name);
            self.tool(id).definition = Some(definition);
        }
        self
    }

    /// Builds a Hub with everything in memory. Several Hubs of one mock write into one list of
    /// calls.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] where the id of a tool is malformed.
    pub fn build(&self) -> Result<Hub> {
        self.build_with(|builder| builder)
    }

    /// As [`build`](Self::build), with the settings, stores or layers of the test.
    ///
    /// # Errors
    /// As [`build`](Self::build); what [`HubBuilder::build`] returns.
    pub fn build_with(&self, change: impl FnOnce(HubBuilder) -> HubBuilder) -> Result<Hub> {
        let mut stubs: BTreeMap<InstanceId, Vec<Stub>> = BTreeMap::new();
        for (id, mocked) in &self.tools {
            let id = ToolId::parse(id)?;
            let definition = mocked.definition.clone().unwrap_or_else(|| anything(id.name().to_owned()));
            let answer = mocked.answer.clone().unwrap_or_else(|| unanswered(&id));
            let instance = InstanceId::new(id.instance())?;
            stubs.entry(instance).or_default().push(Stub {
                definition,
                answer,
                typed: mocked.typed.clone(),
                log: Arc::clone(&self.log),
            });
        }
        let mut builder = change(Hub::builder());
        for (instance, tools) in stubs {
            let manifest =
                ConnectorManifest::new(instance.as_str(), Version::new(1, 0, 0), instance.as_str());
            builder = builder.connector(Stubs { manifest, tools });
        }
        builder.build()
    }

    /// The calls that reached a tool, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<MockCall> {
        self.log.lock().clone()
    }

    /// The calls that reached this tool, in order.
    #[must_use]
    pub fn calls_of(&self, tool: &str) -> Vec<MockCall> {
        self.log.lock().iter().filter(|call| call.tool.as_str() == tool).cloned().collect()
    }

    fn tool(&mut self, id: impl Into<String>) -> &mut Mocked {
        self.tools.entry(id.into()).or_insert(Mocked { definition: None, answer: None, typed: None })
    }
}

fn local_name(id: &str) -> &str {
    id.split_once('.').map_or(id, |(_, name)| name)
}

/// A definition that takes any object.
fn anything(name: String) -> ToolDefinition {
    let description = format!("A mock of `{name}` that takes any arguments.");
    ToolDefinition::new(
        name,
        description,
        SchemaSource::Json(Arc::from(r#"{"type":"object","properties":{}}"#)),
    )
}

fn unanswered(id: &ToolId) -> Arc<Answer> {
    let id = id.clone();
    Arc::new(move |_| {
        let message = format!("the mock has no answer for `{id}`; give it one with `MockHub::on`");
        Err(Error::new(ErrorKind::Unsupported, message))
    })
}

struct Stub {
    definition: ToolDefinition,
    answer: Arc<Answer>,
    typed: Option<Arc<Register>>,
    log: Arc<Log>,
}

struct Stubs {
    manifest: ConnectorManifest,
    tools: Vec<Stub>,
}

impl Connector for Stubs {
    fn manifest(&self) -> &ConnectorManifest {
        &self.manifest
    }

    fn tools(&self, set: &mut ToolSet) {
        for Stub { definition, answer, typed, log } in &self.tools {
            if let Some(register) = typed {
                register(set, log);
                continue;
            }
            let (answer, log) = (Arc::clone(answer), Arc::clone(log));
            set.add_dynamic(DynamicTool::new(
                definition.clone(),
                move |arguments: Value, cx: ToolContext| {
                    log.push(arguments.clone(), &cx);
                    let result = answer(arguments).and_then(|value| ToolOutput::of(&value));
                    std::future::ready(result)
                },
            ));
        }
    }
}
