//! A principal's way to call tools.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;
use tool_connect_core::store::{Approval, Decision, ResultMeta};
use tool_connect_core::{
    ApprovalId, Arguments, CallOptions, Connection, Error, ErrorKind, InputRequest, InputRequired,
    IntoToolOutput, Principal, Result, ResultHandle, Tool, ToolCall, ToolOutcome,
};

use crate::call::Call;
use crate::caller::Caller;
use crate::hub::HubInner;
use crate::policy::{Access, PolicyRequest};
use crate::registry::{self, Found, ListRequest, ToolInfo, ToolPage};

pub(crate) struct SessionInner {
    pub(crate) hub: Arc<HubInner>,
    pub(crate) caller: Arc<Caller>,
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

    /// Calls a tool by name with raw JSON, for agents: `instance.tool`, the model form
    /// `instance__tool`, or an alias.
    ///
    /// The future must be awaited on a tokio runtime. Dropping it cancels the work.
    ///
    /// # Errors
    /// Any [`Error`] of the stack or the tool.
    pub async fn call(&self, tool: &str, arguments: impl Into<Arguments>) -> Result<ToolOutcome> {
        let arguments = arguments.into();
        let found = self.find(tool)?;
        Call::new(&self.0, found, arguments, CallOptions::default()).run().await
    }

    /// Runs a call with options: an idempotency key, an approval, a connection, a time-out.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn execute(&self, call: ToolCall) -> Result<ToolOutcome> {
        let found = self.find(&call.tool)?;
        Call::new(&self.0, found, call.arguments, call.options).run().await
    }

    /// Runs a tool typed: `session.run(CreateIssue { .. }).await?`. Through the same stacks, and
    /// nothing is serialised unless a layer asks.
    ///
    /// # Errors
    /// As [`call`](Self::call). A call that waits for somebody, or that became a job, arrives as an
    /// error that carries it: [`Error::input_required`], [`Error::task`].
    pub async fn run<T: Tool>(&self, tool: T) -> Result<T::Output> {
        self.run_with(tool, CallOptions::default()).await
    }

    /// As [`run`](Self::run), with options.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn run_with<T: Tool>(&self, tool: T, options: CallOptions) -> Result<T::Output> {
        run_typed(self, tool, None, options).await
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
    pub async fn resume(&self, required: InputRequired) -> Result<ToolOutcome> {
        match required.call {
            Some(call) => self.execute(*call).await,
            None => Err(not_resumable()),
        }
    }

    /// Goes on with a call whose tool asked a question, with the answer to it.
    ///
    /// # Errors
    /// As [`resume`](Self::resume); [`ErrorKind::InvalidArguments`] where nothing was asked.
    pub async fn answer(&self, required: InputRequired, answer: Value) -> Result<ToolOutcome> {
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
        let hub = &*self.0.hub;
        let principal = self.principal();
        let grants = if hub.policy.needs_grants(principal) {
            self.0.caller.grants(&hub.memory()).await?
        } else {
            Arc::default()
        };
        let (overlay, global) = hub.registry.views(&principal.tenant);
        Ok(registry::page(overlay.as_deref(), &global, request, |entry| {
            let request = PolicyRequest {
                principal,
                tool: &entry.id,
                definition: entry.tool.definition(),
                grants: &grants,
                connection: None,
            };
            !matches!(hub.policy.decide(&request), Access::Deny(_))
        }))
    }

    /// Describes one tool.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownTool`].
    pub fn describe(&self, tool: &str) -> Result<ToolInfo> {
        Ok(ToolInfo(Arc::clone(self.find(tool)?.entry_arc())))
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

    /// Finds a tool; a call that names none is a fact for the audit trail too.
    fn find(&self, tool: &str) -> Result<Found> {
        let registry = &self.0.hub.registry;
        let tenant = &self.principal().tenant;
        let found = if tool.contains('.') || tool.contains("__") {
            registry.find(tenant, tool)
        } else {
            registry.find_local(tenant, tool)
        };
        found.inspect_err(|error| self.0.hub.not_found(&self.0.caller.principal, error.kind()))
    }
}

fn not_resumable() -> Error {
    Error::new(ErrorKind::Unsupported, "what was required carries no call; make the call again")
}

async fn run_typed<T: Tool>(
    session: &Session,
    tool: T,
    instance: Option<&str>,
    options: CallOptions,
) -> Result<T::Output> {
    let tenant = &session.principal().tenant;
    let found = session.0.hub.registry.find_type::<T>(tenant, instance);
    let found = found.inspect_err(|e| session.0.hub.not_found(&session.0.caller.principal, e.kind()))?;
    let outcome = Call::new(&session.0, found, Arguments::typed(tool), options).run().await?;
    T::Output::from_output(outcome.into_output()?)
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
        run_typed(self.session, tool, Some(self.instance), CallOptions::default()).await
    }

    /// As [`run`](Self::run), with options.
    ///
    /// # Errors
    /// As [`Session::run`].
    pub async fn run_with<T: Tool>(&self, tool: T, options: CallOptions) -> Result<T::Output> {
        run_typed(self.session, tool, Some(self.instance), options).await
    }
}
