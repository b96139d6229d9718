//! A harness for the tests of a connector's author: the tools run in a real Hub, over stores in
//! memory, a clock that the test moves and a provider that answers as the test says.

mod builder;
mod script;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use tool_connect_core::{
    Arguments, CallOptions, Connection, Connector, Error, ErrorKind, Event, InstanceId, IntoToolOutput,
    Result, Tool, ToolCall, ToolOutcome, ToolOutput,
};
use tool_connect_hub::{Hub, Session, StaticCredentials};
use tracing::Dispatch;
use tracing::instrument::WithSubscriber;

use self::script::Tap;
use crate::ManualClock;
use crate::leak::LeakCheck;

pub use self::builder::HarnessBuilder;
pub use self::script::{Answer, SentRequest};

/// The secret that requests of a harness are signed with.
const CANARY: &str = "canary-5d0f7c1e9a3b48d6-secret";

/// A connector's tools in a real Hub, ready to be called.
///
/// The principal is the user `ada` of the tenant `acme`. If the connector needs a connection, she
/// has one with every scope that the tools declare, signed with a secret that must not come out
/// anywhere: [`finish`](Self::finish) and, without it, the end of the harness look for it in
/// results, errors, events, logs and the audit trail.
///
/// Logs of the calls are captured for that check, so a subscriber of the test's own does not see
/// them.
///
/// Retries wait no time. A time-out and a `Retry-After` do, so start such a test with tokio's time
/// paused.
///
/// ```
/// # use schemars::JsonSchema;
/// # use serde::{Deserialize, Serialize};
/// use serde_json::json;
/// use tool_connect_core::{AuthScheme, Connector, ConnectorManifest, Result, Run, Tool, ToolContext, ToolSet};
/// use tool_connect_testkit::{Answer, Harness};
///
/// /// Counts the open issues of a repository.
/// #[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
/// #[tool(read_only)]
/// #[serde(deny_unknown_fields)]
/// struct CountIssues {
///     /// Name of the repository.
///     repo: String,
/// }
///
/// impl Run for CountIssues {
///     type Output = usize;
///     async fn run(self, cx: &ToolContext) -> Result<usize> {
///         let issues: Vec<serde_json::Value> =
///             cx.http().get("/repos/{repo}/issues").path("repo", &self.repo).json().await?;
///         Ok(issues.len())
///     }
/// }
///
/// struct Tracker(ConnectorManifest);
/// impl Connector for Tracker {
///     fn manifest(&self) -> &ConnectorManifest {
///         &self.0
///     }
///     fn tools(&self, set: &mut ToolSet) {
///         set.add::<CountIssues>();
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let manifest = ConnectorManifest::new("tracker", semver::Version::new(1, 0, 0), "Tracker")
///     .base_url("https://tracker.example/api".parse().unwrap())
///     .auth(AuthScheme::Bearer);
/// let harness = Harness::builder(Tracker(manifest))
///     .answer("GET", "/repos/app/issues", Answer::status(503))
///     .answer("GET", "/repos/app/issues", Answer::json(200, json!([{ "number": 1 }])))
///     .build()
///     .await?;
///
/// // Typed, or by name with JSON; the first answer was a failure, so there were two requests.
/// assert_eq!(harness.run(CountIssues { repo: "app".into() }).await?, 1);
/// assert_eq!(harness.requests().len(), 2);
/// assert!(harness.requests()[0].header("authorization").is_some());
/// let output = harness.call("count_issues", json!({ "repo": "app" })).await?;
/// assert_eq!(output.parse::<usize>()?, 1);
/// harness.finish().await
/// # }
/// ```
pub struct Harness {
    hub: Hub,
    session: Session,
    instance: InstanceId,
    clock: Arc<ManualClock>,
    tap: Arc<Tap>,
    credentials: Arc<StaticCredentials>,
    connection: Option<Connection>,
    events: Arc<Mutex<Vec<Event>>>,
    leaks: LeakCheck,
    logs: Dispatch,
}

impl fmt::Debug for Harness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Harness").field("instance", &self.instance).finish_non_exhaustive()
    }
}

impl Harness {
    /// Begins a harness around a connector.
    pub fn builder(connector: impl Connector) -> HarnessBuilder {
        HarnessBuilder::new(connector)
    }

    /// Calls a tool by its local name, as an agent does: the arguments are written as JSON.
    ///
    /// # Errors
    /// Any error of the stack or the tool; a call that waits for somebody, or that became a job,
    /// arrives as an error that carries it.
    pub async fn call(&self, tool: &str, arguments: impl Serialize) -> Result<ToolOutput> {
        let arguments = serde_json::to_vec(&arguments).map_err(|e| {
            Error::new(ErrorKind::InvalidArguments, format!("the arguments cannot be written: {e}"))
        })?;
        self.call_raw(tool, arguments).await
    }

    /// Calls a tool by its local name with these very bytes, which need not be JSON.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn call_raw(&self, tool: &str, arguments: impl Into<Arguments>) -> Result<ToolOutput> {
        let id = format!("{}.{tool}", self.instance);
        let outcome = self.execute(ToolCall::new(id, arguments)).await?;
        self.watch_error(outcome.into_output())
    }

    /// Runs a tool typed.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn run<T: Tool>(&self, tool: T) -> Result<T::Output> {
        self.run_with(tool, CallOptions::default()).await
    }

    /// Runs a tool typed, with options: an idempotency key, a connection, a time-out.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn run_with<T: Tool>(&self, tool: T, options: CallOptions) -> Result<T::Output> {
        // As a call with typed arguments, so that the result can be looked at on its way.
        let id = format!("{}.{}", self.instance, T::definition().name);
        let mut call = ToolCall::new(id, Arguments::typed(tool));
        call.options = options;
        let outcome = self.execute(call).await?;
        let output = self.watch_error(outcome.into_output())?;
        T::Output::from_output(output)
    }

    /// Makes a call with options, under its full id, and returns its outcome.
    ///
    /// # Errors
    /// As [`Session::execute`].
    pub async fn execute(&self, call: ToolCall) -> Result<ToolOutcome> {
        let result = self.session.execute(call).with_subscriber(self.logs.clone()).await;
        let outcome = self.watch_error(result)?;
        match &outcome {
            ToolOutcome::Complete(output) => {
                self.leaks.bytes("a result", output.to_json()?);
                self.leaks.value("a result's content", &output.content);
            }
            ToolOutcome::InputRequired(required) => {
                self.leaks.value("what a person is asked", &required.request);
            }
            _ => {}
        }
        Ok(outcome)
    }

    /// The requests that reached the provider, retries included, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<SentRequest> {
        self.tap.requests()
    }

    /// What happened so far.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The clock that the Hub goes by.
    #[must_use]
    pub fn clock(&self) -> &ManualClock {
        &self.clock
    }

    /// The Hub, for what a harness has no short way to.
    #[must_use]
    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// The session that the calls are made in.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The connection that requests are signed for, where the connector needs one.
    #[must_use]
    pub fn connection(&self) -> Option<&Connection> {
        self.connection.as_ref()
    }

    /// Takes the connection's secret away, as a user who disconnects does.
    pub fn forget_credential(&self) {
        if let Some(connection) = &self.connection {
            self.credentials.remove(&connection.tenant, &connection.id);
        }
    }

    /// Shuts the Hub down and looks for the secret once more, in the audit trail too.
    ///
    /// # Errors
    /// Where the Hub cannot be shut down.
    ///
    /// # Panics
    /// Where the secret came out.
    pub async fn finish(self) -> Result<()> {
        self.hub.shutdown().await?;
        let tenant = &self.session.principal().tenant;
        let mut from = 1;
        loop {
            let segments = self.hub.stores().audit.scan(tenant, from, 1000).await?;
            let Some(last) = segments.last() else { break };
            from = last.last + 1;
            for segment in &segments {
                self.leaks.bytes("the audit trail", &segment.bytes);
            }
        }
        // The end of the harness looks.
        Ok(())
    }

    fn watch_error<T>(&self, result: Result<T>) -> Result<T> {
        if let Err(error) = &result {
            self.leaks.error("an error", error);
        }
        result
    }
}

impl Drop for Harness {
    fn drop(&mut self) {
        for event in self.events() {
            self.leaks.value("an event", &event);
        }
        // A test that fails already says why; a second panic would end the process.
        if !std::thread::panicking() {
            self.leaks.assert_clean();
        }
    }
}
