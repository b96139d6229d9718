//! Tools: typed ones, dynamic ones, and the set that a connector fills.

use std::any::{Any, TypeId};
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::call::Arguments;
use crate::context::{BoxFuture, ToolContext};
use crate::definition::{SchemaSource, ToolDefinition};
use crate::error::{Error, ErrorKind, Result};
use crate::outcome::{IntoToolOutput, ToolOutput};
use crate::problem::{Problem, Problems};
use crate::schema;

/// One callable operation: the argument struct is the tool.
///
/// Derive it with `#[derive(Tool)]` and write [`Run`]. A `Serialize` argument struct can also be
/// called typed: `session.run(CreateIssue { .. })`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a tool",
    label = "not a tool",
    note = "put `#[derive(Tool)]` on the argument struct and implement `Run` for it"
)]
pub trait Tool: DeserializeOwned + JsonSchema + Clone + Serialize + Send + Sync + 'static {
    /// What it returns.
    type Output: IntoToolOutput;
    /// The instance's state that it needs; `()` for none.
    type State: Send + Sync + 'static;

    /// What it says of itself.
    fn definition() -> ToolDefinition;

    /// Checks what types cannot express: ranges, lengths, patterns. Emitted by the derive from the
    /// same attributes that put them into the schema.
    fn check(&self, problems: &mut Problems) {
        let _ = problems;
    }

    /// Runs it.
    fn call(self, cx: &ToolContext<Self::State>) -> impl Future<Output = Result<Self::Output>> + Send;
}

/// The body of a tool: what happens when it is called with these arguments.
///
/// `S` is the instance's state, reached by [`ToolContext::state`]; leave it out for none.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no body: `Run<{S}>` is not implemented",
    label = "`impl Run for {Self}` is missing",
    note = "write `impl Run for {Self} {{ type Output = ..; async fn run(self, cx: &ToolContext) -> Result<Self::Output> {{ .. }} }}`",
    note = "a tool with `#[tool(state = S)]` implements `Run<S>` and takes `&ToolContext<S>`"
)]
pub trait Run<S = ()>: Sized {
    /// What it returns: anything with `Serialize`, `Deserialize` and `JsonSchema`, or [`ToolOutput`].
    type Output: IntoToolOutput;

    /// Runs with these arguments.
    fn run(self, cx: &ToolContext<S>) -> impl Future<Output = Result<Self::Output>> + Send;
}

/// Runs a tool; erased once, here.
trait Erased: Send + Sync {
    fn call<'a>(&'a self, arguments: &'a mut Arguments, cx: ToolContext)
    -> BoxFuture<'a, Result<ToolOutput>>;
    fn state(&self) -> &(dyn Any + Send + Sync);
}

struct Typed<T: Tool> {
    state: Arc<T::State>,
}

impl<T: Tool> Erased for Typed<T> {
    fn call<'a>(
        &'a self,
        arguments: &'a mut Arguments,
        cx: ToolContext,
    ) -> BoxFuture<'a, Result<ToolOutput>> {
        Box::pin(async move {
            let typed = arguments.is_typed();
            let tool = decode::<T>(arguments)?;
            tool.call(&cx.retype()).await?.into_output(typed)
        })
    }

    fn state(&self) -> &(dyn Any + Send + Sync) {
        &*self.state
    }
}

type StandInHandler<T> = dyn Fn(T, &ToolContext) -> Result<<T as Tool>::Output> + Send + Sync;

/// A handler in the place of a typed tool's own body.
struct StandIn<T: Tool>(Box<StandInHandler<T>>);

impl<T: Tool> Erased for StandIn<T> {
    fn call<'a>(
        &'a self,
        arguments: &'a mut Arguments,
        cx: ToolContext,
    ) -> BoxFuture<'a, Result<ToolOutput>> {
        let typed = arguments.is_typed();
        let output = decode::<T>(arguments).and_then(|tool| (self.0)(tool, &cx)?.into_output(typed));
        Box::pin(std::future::ready(output))
    }

    fn state(&self) -> &(dyn Any + Send + Sync) {
        &()
    }
}

/// The one typed parse and check of a call's arguments.
#[inline]
fn decode<T: Tool>(arguments: &mut Arguments) -> Result<T> {
    let tool = match arguments {
        Arguments::Raw(text) => parse::<T>(text)?,
        Arguments::Typed(_) => arguments.take::<T>()?,
    };
    let mut problems = Problems::default();
    tool.check(&mut problems);
    if problems.is_empty() { Ok(tool) } else { Err(Error::invalid_arguments(problems.into_vec())) }
}

/// Text is checked as UTF-8 once, then decoded.
#[inline]
fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T> {
    let text = std::str::from_utf8(text).map_err(|e| not_text(e.valid_up_to()))?;
    // An absent body means no arguments.
    let text = if text.is_empty() { "{}" } else { text };
    serde_json::from_str(text).map_err(|e| Error::invalid_arguments(vec![decode_problem(&e)]))
}

#[cold]
fn not_text(at: usize) -> Error {
    let message = format!("the arguments are not UTF-8 text (at byte {at})");
    Error::invalid_arguments(vec![Problem::new("", "encoding", message)])
}

/// What a decoder's error may say: never a value, which serde's own text would repeat.
#[cold]
fn decode_problem(error: &serde_json::Error) -> Problem {
    use serde_json::error::Category;
    let place = format!("line {}, column {}", error.line(), error.column());
    match error.classify() {
        Category::Eof => Problem::new("", "json", format!("the JSON text ends too early ({place})")),
        Category::Syntax | Category::Io => {
            Problem::new("", "json", format!("the text is not valid JSON ({place})"))
        }
        Category::Data => Problem::new("", "schema", format!("a value does not fit the schema ({place})")),
    }
}

type Handler = dyn Fn(Value, ToolContext) -> BoxFuture<'static, Result<ToolOutput>> + Send + Sync;

/// A tool known only at run time: from an OpenAPI document, an MCP server, a file.
///
/// The Hub validates the value against the input schema before the handler sees it.
///
/// ```
/// use std::sync::Arc;
/// use tool_connect_core::{DynamicTool, SchemaSource, ToolDefinition, ToolOutput};
/// let schema = r#"{"type":"object","properties":{"x":{"type":"integer"}},"required":["x"]}"#;
/// let tool = DynamicTool::new(
///     ToolDefinition::new("double", "Doubles a number.", SchemaSource::Json(Arc::from(schema))),
///     |arguments, _cx| async move {
///         ToolOutput::of(&(arguments["x"].as_i64().unwrap_or_default() * 2))
///     },
/// );
/// assert_eq!(tool.definition().name, "double");
/// ```
#[derive(Clone)]
pub struct DynamicTool {
    definition: ToolDefinition,
    handler: Arc<Handler>,
}

impl DynamicTool {
    /// A tool from a definition and what it does.
    #[must_use]
    pub fn new<F, Fut>(definition: ToolDefinition, handler: F) -> Self
    where
        F: Fn(Value, ToolContext) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<ToolOutput>> + Send + 'static,
    {
        Self { definition, handler: Arc::new(move |value, cx| Box::pin(handler(value, cx))) }
    }

    /// What it says of itself.
    #[must_use]
    pub fn definition(&self) -> &ToolDefinition {
        &self.definition
    }
}

impl fmt::Debug for DynamicTool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamicTool").field("name", &self.definition.name).finish_non_exhaustive()
    }
}

impl Erased for Arc<Handler> {
    fn call<'a>(
        &'a self,
        arguments: &'a mut Arguments,
        cx: ToolContext,
    ) -> BoxFuture<'a, Result<ToolOutput>> {
        match parse_dynamic(arguments) {
            Ok(value) => self(value, cx),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }

    fn state(&self) -> &(dyn Any + Send + Sync) {
        &()
    }
}

/// A tool in a set: its definition and how to run it.
#[derive(Clone)]
pub struct RegisteredTool {
    definition: Arc<ToolDefinition>,
    run: Arc<dyn Erased>,
    rust_type: Option<TypeId>,
}

impl RegisteredTool {
    /// What it says of itself.
    #[must_use]
    pub fn definition(&self) -> &Arc<ToolDefinition> {
        &self.definition
    }

    /// The Rust type of its arguments; `None` for a dynamic tool.
    #[must_use]
    pub fn rust_type(&self) -> Option<TypeId> {
        self.rust_type
    }

    /// Runs it. Arguments of a dynamic tool must have been validated against its schema.
    ///
    /// Raw arguments stay where they are, for a report on what is wrong with them; a typed value is
    /// taken out.
    #[must_use]
    pub fn call<'a>(
        &'a self,
        arguments: &'a mut Arguments,
        cx: ToolContext,
    ) -> BoxFuture<'a, Result<ToolOutput>> {
        self.run.call(arguments, cx)
    }

    /// The state of its instance.
    #[must_use]
    pub fn state(&self) -> &(dyn Any + Send + Sync) {
        self.run.state()
    }
}

impl fmt::Debug for RegisteredTool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegisteredTool").field("name", &self.definition.name).finish_non_exhaustive()
    }
}

/// The tools of one connector instance; [`Connector::tools`](crate::Connector::tools) fills it.
///
/// ```
/// # use serde::{Serialize, Deserialize};
/// # use schemars::JsonSchema;
/// use tool_connect_core::{Result, Run, Tool, ToolContext, ToolSet};
///
/// /// Greets.
/// #[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
/// #[tool(read_only)]
/// #[serde(deny_unknown_fields)]
/// struct Greet {
///     /// Whom to greet.
///     name: String,
/// }
///
/// impl Run for Greet {
///     type Output = String;
///     async fn run(self, _cx: &ToolContext) -> Result<String> {
///         Ok(format!("Hello, {}.", self.name))
///     }
/// }
///
/// let mut set = ToolSet::default();
/// set.add::<Greet>();
/// assert_eq!(set.tools()[0].definition().name, "greet");
/// ```
#[derive(Debug, Default)]
pub struct ToolSet {
    tools: Vec<RegisteredTool>,
    /// The state of the tools without one.
    no_state: Arc<()>,
}

impl ToolSet {
    /// Adds a tool without state.
    pub fn add<T: Tool<State = ()>>(&mut self) -> &mut Self {
        let state = Arc::clone(&self.no_state);
        self.push::<T>(Arc::new(Typed::<T> { state }));
        self
    }

    /// Adds a tool known only at run time.
    pub fn add_dynamic(&mut self, mut tool: DynamicTool) -> &mut Self {
        tool.definition.shrink();
        self.tools.push(RegisteredTool {
            definition: Arc::new(tool.definition),
            run: Arc::new(tool.handler),
            rust_type: None,
        });
        self
    }

    /// Puts a handler in the place of a typed tool, for tests of apps that call it typed: name,
    /// definition and the check of the arguments are the tool's own, its [`Run`] is not called.
    pub fn stand_in<T: Tool>(
        &mut self,
        handler: impl Fn(T, &ToolContext) -> Result<T::Output> + Send + Sync + 'static,
    ) -> &mut Self {
        self.push::<T>(Arc::new(StandIn::<T>(Box::new(handler))));
        self
    }

    fn push<T: Tool>(&mut self, run: Arc<dyn Erased>) {
        let mut definition = T::definition();
        if definition.output.is_none() {
            definition.output = T::Output::schema();
        }
        definition.shrink();
        self.tools.push(RegisteredTool {
            definition: Arc::new(definition),
            run,
            rust_type: Some(TypeId::of::<T>()),
        });
    }

    /// Adds tools that need this state: `set.with(root).add::<Stat>().add::<Read>()`.
    pub fn with<S: Send + Sync + 'static>(&mut self, state: S) -> WithState<'_, S> {
        WithState { set: self, state: Arc::new(state) }
    }

    /// What was added, in order.
    #[must_use]
    pub fn tools(&self) -> &[RegisteredTool] {
        &self.tools
    }

    /// What was added, in order.
    #[must_use]
    pub fn into_tools(self) -> Vec<RegisteredTool> {
        self.tools
    }
}

/// Adds tools that share a state; see [`ToolSet::with`].
#[derive(Debug)]
pub struct WithState<'a, S> {
    set: &'a mut ToolSet,
    state: Arc<S>,
}

impl<S: Send + Sync + 'static> WithState<'_, S> {
    /// Adds a tool that declares this state.
    pub fn add<T: Tool<State = S>>(&mut self) -> &mut Self {
        self.set.push::<T>(Arc::new(Typed::<T> { state: Arc::clone(&self.state) }));
        self
    }
}

/// The schema source of a tool's arguments, for derived code.
#[must_use]
pub fn input_of<T: Tool>() -> SchemaSource {
    SchemaSource::Typed(schema::input::<T>)
}

/// The arguments of a dynamic tool as a JSON object; raw text stays where it is.
///
/// # Errors
/// [`ErrorKind::InvalidArguments`] where they are not JSON, or no object.
pub fn parse_dynamic(arguments: &mut Arguments) -> Result<Value> {
    let value = match arguments {
        Arguments::Raw(text) => parse::<Value>(text)?,
        Arguments::Typed(_) => arguments.take::<Value>()?,
    };
    if value.is_object() {
        Ok(value)
    } else {
        Err(Error::new(ErrorKind::InvalidArguments, "the arguments are not a JSON object")
            .with_problems(vec![Problem::new("", "type", "must be an object")]))
    }
}
