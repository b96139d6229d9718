//! The meta-tools: what an agent sees instead of ten thousand definitions. It searches, reads what it found, and calls.
//! They stand beside the registry and not in it: what policy, approvals, limits and audit see is the tool that is called.

mod answers;
mod definitions;
mod fields;

use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream;
use serde_json::{Value, json};
use tool_connect_core::{
    ApprovalId, Arguments, Budget, CallOptions, ConnectionId, Error, ErrorKind, InstanceId, Result,
    ResultHandle, ToolCall, ToolDefinition, ToolOutcome, ToolOutput,
};

use super::SearchRequest;
use super::request::access;
use crate::policy::Access;
use crate::registry::ToolInfo;
use crate::session::Session;
use fields::Fields;

/// Most results of `search_tools`.
const MAX_FOUND: usize = 20;
/// Most tools that `describe_tools` describes at once.
const MAX_DESCRIBED: usize = 20;
/// Most calls of `call_tools`.
const MAX_CALLS: usize = 16;
/// So many calls of `call_tools` run at once.
const PARALLEL: usize = 8;
/// Longest name that is looked for, in characters.
const MAX_NAME: usize = 256;
/// Longest position of `read_result`, in characters.
const MAX_PLACE: usize = 4096;
/// Least and most bytes that `read_result` reads at once.
const MIN_PART: usize = 64;
const MAX_PART: usize = 1 << 20;

/// Six tools for an agent's context, whatever the registry holds: `search_tools`, `describe_tools`, `call_tool`, `call_tools`,
/// `connect`, and `read_result` for what did not fit. Made by [`Session::meta_tools`].
///
/// A host gives [`definitions`](Self::definitions) to the model and what the model calls to [`call`](Self::call). The tool that is
/// called in the end passes the whole call stack as the session's principal: policy, approval, idempotency, limits, audit.
///
/// ```
/// # use tool_connect_core::{Connector, ConnectorManifest, DynamicTool, Principal, SchemaSource, ToolDefinition, ToolOutput, ToolSet};
/// # use tool_connect_hub::Hub;
/// # struct Notes(ConnectorManifest);
/// # impl Connector for Notes {
/// #     fn manifest(&self) -> &ConnectorManifest { &self.0 }
/// #     fn tools(&self, set: &mut ToolSet) {
/// #         let schema = SchemaSource::Json(r#"{"type":"object"}"#.into());
/// #         set.add_dynamic(DynamicTool::new(ToolDefinition::new("create_note", "Writes a note down.", schema), |_, _| async {
/// #             ToolOutput::of(&"written")
/// #         }));
/// #     }
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> tool_connect_core::Result<()> {
/// # let notes = Notes(ConnectorManifest::new("notes", semver::Version::new(1, 0, 0), "Notes"));
/// let hub = Hub::builder().connector(notes).build()?;
/// let tools = hub.session(Principal::user("acme", "ada")?).meta_tools();
/// assert_eq!(tools.definitions().len(), 6);
///
/// let found = tools.call("search_tools", r#"{"query": "make a new note"}"#).await?.into_output()?;
/// let found: serde_json::Value = found.parse()?;
/// assert_eq!(found["tools"][0]["tool"], "notes.create_note");
///
/// let done = tools.call("call_tool", r#"{"tool": "notes.create_note", "arguments": {}}"#).await?;
/// assert_eq!(done.into_output()?.parse::<String>()?, "written");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct MetaTools {
    session: Session,
    parallel: usize,
}

impl MetaTools {
    /// Their names.
    pub const NAMES: [&'static str; 6] = definitions::NAMES;

    pub(crate) fn new(session: Session) -> Self {
        Self { session, parallel: PARALLEL }
    }

    /// Sets how many calls of `call_tools` run at once; 8 by default, at least 1.
    #[must_use]
    pub fn parallel(mut self, calls: usize) -> Self {
        self.parallel = calls.max(1);
        self
    }

    /// What they say of themselves.
    #[must_use]
    pub fn definitions(&self) -> &'static [ToolDefinition] {
        definitions::all()
    }

    /// The same as the `tools` array of an MCP `tools/list` result: JSON text.
    #[must_use]
    pub fn to_json(&self) -> Bytes {
        let tools: Vec<Value> = definitions::all()
            .iter()
            .map(|tool| {
                let schema = tool.input.schema().map(|schema| schema.to_value()).unwrap_or_default();
                json!({
                    "name": tool.name, "title": tool.title, "description": tool.description,
                    "annotations": tool.annotations, "inputSchema": schema,
                })
            })
            .collect();
        Value::Array(tools).to_string().into()
    }

    /// Calls one of them by its name.
    ///
    /// What `call_tool` calls ends as it would if it were called directly: an outcome that waits for somebody carries that call, and
    /// [`Session::resume`] goes on with it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArguments`] with the place of each problem, [`ErrorKind::UnknownTool`] for another name, and those of
    /// [`Session::call`], [`Session::search`], [`Session::connect`] and [`Session::read_result`].
    pub async fn call(&self, tool: &str, arguments: impl Into<Arguments>) -> Result<ToolOutcome> {
        self.execute(ToolCall::new(tool.to_owned(), arguments)).await
    }

    /// As [`call`](Self::call), with options, which `call_tool` hands on to what it calls. With an idempotency key `call_tools` gives
    /// each call one of its own, made of the key and the call's place.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn execute(&self, call: ToolCall) -> Result<ToolOutcome> {
        let fields = Fields::of(&call.arguments, self.session.0.hub.max_argument_bytes)?;
        match &*call.tool {
            "search_tools" => self.search(fields).await,
            "describe_tools" => self.describe(fields).await,
            "call_tool" => self.session.execute(inner(fields, call.options)?).await,
            "call_tools" => self.several(fields, &call.options).await,
            "connect" => self.connect(fields).await,
            "read_result" => self.read(fields).await,
            _ => Err(Error::new(ErrorKind::UnknownTool, "there is no meta-tool of this name")
                .public(format!("There is no such tool here; there are {}.", Self::NAMES.join(", ")))),
        }
    }

    /// Runs calls at once, as many as [`parallel`](Self::parallel) says, and gives the end of each in their order.
    pub async fn call_all(&self, calls: Vec<ToolCall>) -> Vec<Result<ToolOutcome>> {
        stream::iter(calls).map(|call| self.session.execute(call)).buffered(self.parallel).collect().await
    }

    async fn search(&self, mut fields: Fields) -> Result<ToolOutcome> {
        let mut request = SearchRequest::new(fields.needed("query", SearchRequest::MAX_QUERY));
        if let Some(limit) = fields.count("limit", MAX_FOUND) {
            request = request.limit(limit);
        }
        if let Some(instance) = fields.text("instance", MAX_NAME) {
            match InstanceId::new(&instance) {
                Ok(instance) => request = request.instance(instance),
                Err(_) => fields.refuse(
                    "instance",
                    "pattern",
                    "is no instance id: what stands before the dot in a tool's id",
                ),
            }
        }
        request.connected_only = fields.flag("connected_only");
        fields.finish()?;
        let hits = self.session.search(&request).await?;
        let mut value = json!({ "tools": hits.iter().map(answers::hit).collect::<Vec<_>>() });
        if hits.is_empty() {
            value["note"] = "Nothing fits. Say it in other words, or name the product.".into();
        }
        complete(&value)
    }

    async fn describe(&self, mut fields: Fields) -> Result<ToolOutcome> {
        let names = fields.list("tools", MAX_DESCRIBED);
        let names: Vec<String> = names
            .into_iter()
            .enumerate()
            .filter_map(|(place, name)| match name {
                Value::String(name) if name.len() <= MAX_NAME => Some(name),
                _ => {
                    fields.refuse(&format!("tools/{place}"), "type", "must be the id of a tool");
                    None
                }
            })
            .collect();
        fields.finish()?;
        let (mut tools, mut unknown) = (Vec::new(), Vec::new());
        for name in names {
            match self.described(&name).await {
                Ok(tool) => tools.push(tool),
                Err(error) if matches!(error.kind(), ErrorKind::Storage) => return Err(error),
                Err(error) => unknown.push(json!({ "tool": name, "error": answers::failure(&error) })),
            }
        }
        let mut value = json!({ "tools": tools });
        if !unknown.is_empty() {
            value["unknown"] = unknown.into();
        }
        complete(&value)
    }

    /// A tool that the principal may call; whatever else there is, is not known.
    async fn described(&self, name: &str) -> Result<Value> {
        let (hub, caller) = (&*self.session.0.hub, &*self.session.0.caller);
        let principal = &*caller.principal;
        let found = hub.registry.known(&principal.tenant, name).ok_or_else(unknown)?;
        let entry = found.entry_arc();
        let grants = if hub.policy.needs_grants(principal) {
            caller.grants(&hub.memory()).await?
        } else {
            Arc::default()
        };
        let decided = match access(hub, principal, entry, &grants) {
            Access::Later(later) => later.await?,
            decided => decided,
        };
        if matches!(decided, Access::Deny(_)) {
            return Err(unknown());
        }
        if !entry.broken().is_empty() {
            return Err(Error::new(ErrorKind::Quarantined, "the tool is switched off"));
        }
        let info = ToolInfo(Arc::clone(entry));
        let mut value: Value = serde_json::from_slice(&info.to_json())
            .map_err(|e| Error::new(ErrorKind::Internal, format!("a definition cannot be read: {e}")))?;
        if matches!(decided, Access::Approve(_)) {
            value["needs_approval"] = true.into();
        }
        Ok(value)
    }

    async fn several(&self, mut fields: Fields, options: &CallOptions) -> Result<ToolOutcome> {
        let mut calls = Vec::new();
        for (place, call) in fields.list("calls", MAX_CALLS).into_iter().enumerate() {
            let Value::Object(map) = call else {
                fields.refuse(&format!("calls/{place}"), "type", "must be an object");
                continue;
            };
            let mut own = options.clone();
            own.idempotency_key = options.idempotency_key.as_ref().map(|key| format!("{key}#{place}").into());
            match inner(Fields::at(format!("/calls/{place}"), map), own) {
                Ok(call) => calls.push(call),
                Err(error) => fields.adopt(&error),
            }
        }
        fields.finish()?;
        let names: Vec<_> = calls.iter().map(|call| call.tool.clone()).collect();
        let ends = self.call_all(calls).await;
        // Put together as text, so that numbers keep their digits.
        let results: Vec<String> =
            names.iter().zip(ends).map(|(name, end)| answers::ended(name, end)).collect();
        Ok(ToolOutcome::Complete(ToolOutput::json(format!("{{\"results\":[{}]}}", results.join(",")))))
    }

    async fn read(&self, mut fields: Fields) -> Result<ToolOutcome> {
        let handle = ResultHandle::new(fields.needed("handle", MAX_NAME));
        if handle.is_err() {
            fields.refuse("handle", "pattern", "is no handle of a result");
        }
        let from = fields.text("from", MAX_PLACE).unwrap_or_else(|| "#0".to_owned());
        let most = fields.count("max_bytes", MAX_PART);
        if most.is_some_and(|most| most < MIN_PART) {
            fields.refuse("max_bytes", "minimum", format!("must be at least {MIN_PART}"));
        }
        fields.finish()?;
        let part = self.session.read_result(&handle?, &from, most.map(Budget::Bytes)).await?;
        // Put together as text, so that numbers keep their digits.
        let mut text = b"{\"part\":".to_vec();
        text.extend_from_slice(&part.body);
        if let Some(next) = part.next {
            text.extend_from_slice(b",\"next\":");
            text.extend_from_slice(Value::from(next).to_string().as_bytes());
        }
        text.push(b'}');
        Ok(ToolOutcome::Complete(ToolOutput::json(text)))
    }

    async fn connect(&self, mut fields: Fields) -> Result<ToolOutcome> {
        let instance = fields.needed("instance", MAX_NAME);
        fields.finish()?;
        let ticket = self.session.connect(&instance).await?;
        let left = ticket.expires.duration_since(self.session.0.hub.clock.now()).unwrap_or_default();
        complete(&json!({
            "instance": instance,
            "url": ticket.url,
            "expires_in_seconds": left.as_secs(),
            "message": "Ask the user to open this link and to connect the account; then call the tool again.",
        }))
    }
}

/// The same whether a tool is not there or not permitted, and without a suggestion: that might name one that is not permitted.
fn unknown() -> Error {
    Error::new(ErrorKind::UnknownTool, "there is no such tool, or it is not permitted")
        .public("There is no such tool, or it is not permitted; find its id with search_tools.")
}

/// The call that a meta-tool shall make.
fn inner(mut fields: Fields, mut options: CallOptions) -> Result<ToolCall> {
    let tool = fields.needed("tool", MAX_NAME);
    if MetaTools::NAMES.contains(&tool.as_str()) {
        fields.refuse("tool", "recursion", "is a meta-tool, which none of them calls: call it directly");
    }
    let arguments = Value::Object(fields.object("arguments"));
    if let Some(key) = fields.text("idempotency_key", MAX_NAME) {
        options.idempotency_key = Some(key.into());
    }
    if let Some(id) = fields.text("connection", MAX_NAME) {
        match ConnectionId::new(id) {
            Ok(id) => options.connection = Some(id),
            Err(_) => fields.refuse("connection", "pattern", "is no id of a connection"),
        }
    }
    if let Some(id) = fields.text("approval", MAX_NAME) {
        match ApprovalId::new(id) {
            Ok(id) => options.approval = Some(id),
            Err(_) => fields.refuse("approval", "pattern", "is no id of an approval"),
        }
    }
    fields.finish()?;
    let mut call = ToolCall::new(tool, arguments);
    call.options = options;
    Ok(call)
}

fn complete(value: &Value) -> Result<ToolOutcome> {
    Ok(ToolOutcome::Complete(ToolOutput::of(value)?))
}
