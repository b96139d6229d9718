//! A principal's way to call tools.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use tool_connect_core::http::ByteStream;
use tool_connect_core::store::{Approval, Decision, Grant, NewResult, ResultMeta};
use tool_connect_core::{
    ApprovalId, Arguments, Budget, CallOptions, ConnectRequest, ConnectTicket, Connection, ConnectionId,
    Error, ErrorKind, FileRef, InputRequest, InputRequired, IntoToolOutput, Principal, Result, ResultHandle,
    Shape, Tool, ToolCall, ToolOutcome,
};

use crate::call::Call;
use crate::caller::Caller;
use crate::hub::HubInner;
use crate::policy::{Access, PolicyRequest};
use crate::registry::{self, Entry, Found, ListRequest, Snapshot, ToolInfo, ToolPage};
use crate::search::{self, MetaTools, SearchHit, SearchRequest};
use crate::shape::{self, Measure, ResultPart};

pub(crate) struct SessionInner {
    pub(crate) hub: Arc<HubInner>,
    pub(crate) caller: Arc<Caller>,
    /// How results of calls by name are shaped where the call does not say.
    pub(crate) shape: Option<Arc<Shape>>,
}

/// A principal's way to call tools; made by [`Hub::session`](crate::Hub::session), cheap to clone.
#[derive(Clone)]
pub struct Session(pub(crate) Arc<SessionInner>);

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("principal", self.principal()).finish_non_exhaustive()
    }
}

impl Session {
    /// Who calls.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        &self.0.caller.principal
    }

    /// The same principal's session with a shape for the results of calls by name, where a call sets none.
    ///
    /// ```
    /// # use tool_connect_core::{Principal, Shape};
    /// # let hub = tool_connect_hub::Hub::builder().build()?;
    /// let for_a_model = hub.session(Principal::user("acme", "ada")?).shaped(Shape::new().tokens(4_000));
    /// # Ok::<(), tool_connect_core::Error>(())
    /// ```
    #[must_use]
    pub fn shaped(&self, shape: Shape) -> Self {
        let SessionInner { hub, caller, .. } = &*self.0;
        Self(Arc::new(SessionInner {
            hub: Arc::clone(hub),
            caller: Arc::clone(caller),
            shape: Some(Arc::new(shape)),
        }))
    }

    /// Calls a tool by name with raw JSON, for agents: `instance.tool`, the model form
    /// `instance__tool`, or an alias.
    ///
    /// The future must be awaited on a tokio runtime. Dropping it cancels the work.
    ///
    /// # Errors
    /// Any [`Error`] of the stack or the tool.
    pub async fn call(&self, tool: &str, arguments: impl Into<Arguments>) -> Result<ToolOutcome> {
        let found = match self.find(tool) {
            Ok(found) => found,
            Err(error) => return Err(Box::pin(self.suggesting(tool, error)).await),
        };
        let mut call = Call::new(&self.0, found, arguments.into(), None);
        let ended = call.run().await;
        call.outcome(ended)
    }

    /// Runs a call with options: an idempotency key, an approval, a connection, a time-out.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn execute(&self, call: ToolCall) -> Result<ToolOutcome> {
        let ToolCall { tool, arguments, options, .. } = call;
        let found = match self.find(&tool) {
            Ok(found) => found,
            Err(error) => return Err(Box::pin(self.suggesting(&tool, error)).await),
        };
        let mut call = Call::new(&self.0, found, arguments, given(options));
        let ended = call.run().await;
        call.outcome(ended)
    }

    /// Runs a tool typed: `session.run(CreateIssue { .. }).await?`. Through the same stacks, and
    /// nothing is serialised unless a layer asks.
    ///
    /// # Errors
    /// As [`call`](Self::call). A call that waits for somebody, or that became a job, arrives as an
    /// error that carries it: [`Error::input_required`], [`Error::task`].
    pub async fn run<T: Tool>(&self, tool: T) -> Result<T::Output> {
        run_typed(self, tool, None, None).await
    }

    /// As [`run`](Self::run), with options.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn run_with<T: Tool>(&self, tool: T, options: CallOptions) -> Result<T::Output> {
        run_typed(self, tool, None, given(options)).await
    }

    /// Calls and runs on one instance: `session.on("github_work").run(..)`, or by local name.
    #[must_use]
    pub fn on<'a>(&'a self, instance: &'a str) -> OnInstance<'a> {
        OnInstance { session: self, instance }
    }

    /// Goes on with a call that waited for somebody, after they acted: the same tool with the same
    /// arguments, and the approval that was given.
    ///
    /// # Errors
    /// As [`call`](Self::call); [`ErrorKind::Unsupported`] where what was required carries no call.
    pub async fn resume(&self, required: impl Into<InputRequired>) -> Result<ToolOutcome> {
        match required.into().call {
            Some(call) => self.execute(*call).await,
            None => Err(not_resumable()),
        }
    }

    /// Goes on with a call whose tool asked a question, with the answer to it.
    ///
    /// # Errors
    /// As [`resume`](Self::resume); [`ErrorKind::InvalidArguments`] where nothing was asked.
    pub async fn answer(&self, required: impl Into<InputRequired>, answer: Value) -> Result<ToolOutcome> {
        let required = required.into();
        let InputRequest::Elicit { question, .. } = &required.request else {
            return Err(Error::new(
                ErrorKind::InvalidArguments,
                "the call waits for something else than an answer",
            ));
        };
        let mut call = required.call.ok_or_else(not_resumable)?;
        let mut answers: BTreeMap<String, Value> =
            call.options.answers.take().map(Arc::unwrap_or_clone).unwrap_or_default();
        answers.insert(question.clone(), answer);
        call.options.answers = Some(Arc::new(answers));
        self.execute(*call).await
    }

    /// Lists the tools that this principal sees: the tenant's own and the global ones, without
    /// those that the policy denies.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`] where grants cannot be read.
    pub async fn tools(&self, request: &ListRequest) -> Result<ToolPage> {
        let grants = self.grants().await?;
        let (overlay, global) = self.0.hub.registry.views(&self.principal().tenant);
        Ok(registry::page(overlay.as_deref(), &global, request, |entry| self.sees(entry, &grants)))
    }

    /// The grants that the policy wants to know of.
    async fn grants(&self) -> Result<Arc<Vec<Grant>>> {
        let hub = &*self.0.hub;
        if hub.policy.needs_grants(self.principal()) {
            self.0.caller.grants(&hub.memory()).await
        } else {
            Ok(Arc::default())
        }
    }

    /// Whether the policy lets this principal know of a tool.
    fn sees(&self, entry: &Entry, grants: &[Grant]) -> bool {
        let request = PolicyRequest {
            principal: self.principal(),
            tool: &entry.id,
            definition: entry.tool.definition(),
            grants,
            connection: None,
        };
        !matches!(self.0.hub.policy.decide(&request), Access::Deny(_))
    }

    /// Adds to the error about a tool that there is not the name of the nearest one that this principal may call.
    #[cold]
    async fn suggesting(&self, tool: &str, error: Error) -> Error {
        if error.kind() != ErrorKind::UnknownTool {
            return error;
        }
        let Ok(grants) = self.grants().await else { return error };
        let tenant = &self.principal().tenant;
        match self.0.hub.registry.nearest(tenant, tool, |entry| self.sees(entry, &grants)) {
            Some(id) => error.public(format!("There is no such tool; did you mean `{id}`?")),
            None => error,
        }
    }

    /// Describes one tool.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownTool`].
    pub fn describe(&self, tool: &str) -> Result<ToolInfo> {
        Ok(ToolInfo(Arc::clone(self.find(tool)?.entry_arc())))
    }

    /// Finds tools by what they do, in anybody's words: among those that this principal sees and may call, those first whose account
    /// is connected. Offline; the first search after connectors came or went indexes what is new.
    ///
    /// ```
    /// # use tool_connect_core::{Connector, ConnectorManifest, DynamicTool, Principal, SchemaSource, ToolDefinition, ToolOutput, ToolSet};
    /// # use tool_connect_hub::{Hub, SearchRequest};
    /// # struct Chat(ConnectorManifest);
    /// # impl Connector for Chat {
    /// #     fn manifest(&self) -> &ConnectorManifest { &self.0 }
    /// #     fn tools(&self, set: &mut ToolSet) {
    /// #         for (name, about) in [("post_message", "Sends a message to a channel."), ("list_channels", "Lists the channels.")] {
    /// #             let schema = SchemaSource::Json(r#"{"type":"object"}"#.into());
    /// #             set.add_dynamic(DynamicTool::new(ToolDefinition::new(name, about, schema), |_, _| async { ToolOutput::of(&()) }));
    /// #         }
    /// #     }
    /// # }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> tool_connect_core::Result<()> {
    /// # let chat = Chat(ConnectorManifest::new("chat", semver::Version::new(1, 0, 0), "Chat"));
    /// # let hub = Hub::builder().connector(chat).build()?;
    /// let session = hub.session(Principal::user("acme", "ada")?);
    /// let hits = session.search(&SearchRequest::new("how do I send somebody a message?").limit(1)).await?;
    /// assert_eq!(hits[0].tool.id().as_str(), "chat.post_message");
    /// assert!(hits[0].connected);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArguments`] for a query that is empty or too long, or a limit out of range; [`ErrorKind::Storage`] where
    /// grants or connections cannot be read.
    pub async fn search(&self, request: &SearchRequest) -> Result<Vec<SearchHit>> {
        search::search(&self.0, request).await
    }

    /// The six tools for an agent that searches for the others: see [`MetaTools`].
    #[must_use]
    pub fn meta_tools(&self) -> MetaTools {
        MetaTools::new(self.clone())
    }

    /// The connections that this principal may use.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`].
    pub async fn connections(&self) -> Result<Vec<Connection>> {
        let filter = tool_connect_core::store::ConnectionFilter::default();
        let hub = &*self.0.hub;
        let list = hub.stores.connections.list(&self.principal().tenant, &filter);
        let mut found = hub.patience.with("connections", list).await?;
        found.retain(|connection| connection.owner.admits(self.principal()));
        Ok(found)
    }

    /// A ticket for an account at an instance: a page where this very user, logged in at the host, goes to consent.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownTool`] where the tenant sees no such instance, [`ErrorKind::Config`] where the Hub was given nobody
    /// who brings users to consent; those of [`Connect::ticket`](tool_connect_core::Connect::ticket).
    pub async fn connect(&self, instance: &str) -> Result<ConnectTicket> {
        self.connect_with(self.connect_request(instance)?).await
    }

    /// What [`connect`](Self::connect) asks for, to be changed: another owner, a connection that is connected again, more
    /// scopes, a place to return to.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownTool`] where the tenant sees no such instance.
    pub fn connect_request(&self, instance: &str) -> Result<ConnectRequest> {
        let (overlay, global) = self.0.hub.registry.views(&self.principal().tenant);
        // The tenant's own instance hides a global one of the same id.
        let named = |snapshot: &Snapshot| {
            let found = snapshot.instances().find(|known| known.id.as_str() == instance);
            found.map(|found| ConnectRequest::new(found.id.clone(), found.endpoint.scheme.clone()))
        };
        overlay.as_deref().and_then(named).or_else(|| named(&global)).ok_or_else(|| {
            Error::new(
                ErrorKind::UnknownTool,
                format!("there is no connector instance `{}`", instance.escape_debug()),
            )
        })
    }

    /// As [`connect`](Self::connect), with a request of the caller's; the instance's own scheme counts.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn connect_with(&self, request: ConnectRequest) -> Result<ConnectTicket> {
        let mut request = request;
        request.scheme = self.connect_request(request.instance.as_str())?.scheme;
        let hub = &*self.0.hub;
        hub.patience.with("tickets", hub.connecting()?.ticket(self.principal(), request)).await
    }

    /// Ends a connection: its secret is destroyed, and its tokens are given back at the provider. Seen by the next call.
    ///
    /// # Errors
    /// As [`Connect::disconnect`](tool_connect_core::Connect::disconnect), and [`ErrorKind::Config`] as
    /// [`connect`](Self::connect).
    pub async fn disconnect(&self, connection: &ConnectionId) -> Result<()> {
        self.0.hub.connecting()?.disconnect(self.principal(), connection).await
    }

    /// Approvals of the tenant that wait for a decision.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`].
    pub async fn pending_approvals(&self) -> Result<Vec<Approval>> {
        let hub = &*self.0.hub;
        hub.patience.with("approvals", hub.stores.approvals.pending(&self.principal().tenant)).await
    }

    /// Decides an approval as this principal. Only a person may: an agent cannot approve.
    ///
    /// # Errors
    /// [`ErrorKind::Denied`] for an agent, [`ErrorKind::NotFound`] where the tenant has no such
    /// approval.
    pub async fn decide(&self, approval: &ApprovalId, decision: Decision) -> Result<Approval> {
        self.0.hub.decide(&self.0.caller.principal, approval, decision).await
    }

    /// What is known of a stored file or large value; `None` where this user has no such entry.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`].
    pub async fn file(&self, handle: &ResultHandle) -> Result<Option<ResultMeta>> {
        let principal = self.principal();
        let hub = &*self.0.hub;
        let meta = hub.stores.results.meta(&principal.tenant, &principal.user, handle);
        hub.patience.with("results", meta).await
    }

    /// Stores a file of this user's for so long, so that a tool which uploads can be given its handle.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`], and what the stream fails with; nothing is kept then.
    pub async fn put_file(
        &self,
        name: &str,
        media_type: &str,
        keep: Duration,
        data: ByteStream,
    ) -> Result<FileRef> {
        let principal = self.principal();
        let new = NewResult {
            tenant: principal.tenant.clone(),
            user: principal.user.clone(),
            media_type: media_type.to_owned(),
            name: Some(name.to_owned()),
            keep,
            max_bytes: u64::MAX,
        };
        let meta = self.0.hub.stores.results.put(new, data).await?;
        Ok(FileRef { handle: meta.handle, media_type: meta.media_type, size: meta.size, name: meta.name })
    }

    /// Reads bytes of a stored file or large value; `None` where this user has no such entry.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`].
    pub async fn read_file(&self, handle: &ResultHandle, range: Range<u64>) -> Result<Option<Bytes>> {
        let principal = self.principal();
        let hub = &*self.0.hub;
        let read = hub.stores.results.read(&principal.tenant, &principal.user, handle, range);
        hub.patience.with("results", read).await
    }

    /// Reads on in a result that was cut, or that is kept by its handle: the next items of an array, the next fields of an
    /// object, the next bytes of a text, as many as the budget takes.
    ///
    /// `from` is a position as the mark of a cut gives it, a JSON pointer and an offset such as `/items#20`; `#0` is the
    /// beginning. Without a budget the session's counts, or else the Hub's, or else `max_result_bytes`.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] where this user has no such result or it has expired, [`ErrorKind::InvalidArguments`] for a
    /// position that is not there or a budget under 64 bytes, [`ErrorKind::TooLarge`] where not even one part fits,
    /// [`ErrorKind::Unsupported`] for a file that is no text, [`ErrorKind::Storage`].
    pub async fn read_result(
        &self,
        handle: &ResultHandle,
        from: &str,
        budget: Option<Budget>,
    ) -> Result<ResultPart> {
        let hub = &*self.0.hub;
        let own = shape::merged(None, self.0.shape.as_deref(), &hub.shape).budget;
        let budget = budget.or(own).unwrap_or(Budget::Bytes(hub.max_result_bytes));
        let measure = Measure::new(budget, hub.tokenizer.clone());
        shape::read(&*hub.stores.results, hub.patience, self.principal(), handle, from, &measure).await
    }

    /// Finds a tool; a call that names none is a fact for the audit trail too.
    #[inline]
    fn find(&self, tool: &str) -> Result<Found> {
        let found = self.0.hub.registry.find(&self.principal().tenant, tool);
        found.inspect_err(|error| self.0.hub.not_found(&self.0.caller.principal, error.kind()))
    }
}

/// What the caller added, kept apart; most calls add nothing.
#[inline]
fn given(options: CallOptions) -> Option<Box<CallOptions>> {
    if options.is_empty() { None } else { Some(Box::new(options)) }
}

fn not_resumable() -> Error {
    Error::new(ErrorKind::Unsupported, "what was required carries no call; make the call again")
}

async fn run_typed<T: Tool>(
    session: &Session,
    tool: T,
    instance: Option<&str>,
    options: Option<Box<CallOptions>>,
) -> Result<T::Output> {
    let tenant = &session.principal().tenant;
    let found = session.0.hub.registry.find_type::<T>(tenant, instance);
    let found = found.inspect_err(|e| session.0.hub.not_found(&session.0.caller.principal, e.kind()))?;
    let mut call = Call::new(&session.0, found, Arguments::typed(tool), options);
    let ended = call.run().await;
    T::Output::from_output(call.outcome(ended)?.into_output()?)
}

/// A session on one connector instance; see [`Session::on`].
#[derive(Clone, Copy, Debug)]
pub struct OnInstance<'a> {
    session: &'a Session,
    instance: &'a str,
}

impl OnInstance<'_> {
    /// Calls the instance's tool of this local name or alias.
    ///
    /// # Errors
    /// As [`Session::call`].
    pub async fn call(&self, tool: &str, arguments: impl Into<Arguments>) -> Result<ToolOutcome> {
        let arguments = arguments.into();
        self.session.call(&format!("{}.{tool}", self.instance), arguments).await
    }

    /// Runs the instance's tool of this type.
    ///
    /// # Errors
    /// As [`Session::run`].
    pub async fn run<T: Tool>(&self, tool: T) -> Result<T::Output> {
        run_typed(self.session, tool, Some(self.instance), None).await
    }

    /// As [`run`](Self::run), with options.
    ///
    /// # Errors
    /// As [`Session::run`].
    pub async fn run_with<T: Tool>(&self, tool: T, options: CallOptions) -> Result<T::Output> {
        run_typed(self.session, tool, Some(self.instance), given(options)).await
    }
}
