//! Putting a harness together: the Hub, the scripted provider, the connected account.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::Method;
use tool_connect_core::http::Transport;
use tool_connect_core::{
    AuthScheme, Connection, ConnectionId, Connector, ConnectorManifest, Credential, Error, ErrorKind, Event,
    InstanceId, Owner, Principal, Result, ToolSet,
};
use tool_connect_hub::{Hub, HubBuilder, InstanceOptions, StaticCredentials};
use tracing::Dispatch;
use url::Url;

use super::script::{Answer, Reply, Script, SentRequest, Tap};
use super::{CANARY, Harness};
use crate::ManualClock;
use crate::leak::LeakCheck;

/// Where requests go if the connector has no base URL of its own.
const NOWHERE: &str = "https://provider.test";

/// Method, path and what is answered.
type Scripted = (String, String, Arc<Reply>);
type Change = Box<dyn FnOnce(HubBuilder) -> HubBuilder + Send>;

/// Builds a [`Harness`].
#[must_use = "a builder does nothing until `build`"]
pub struct HarnessBuilder {
    connector: Box<dyn Connector>,
    routes: Vec<Scripted>,
    transport: Option<Arc<dyn Transport>>,
    principal: Option<Principal>,
    scopes: Option<Vec<String>>,
    connected: bool,
    options: InstanceOptions,
    change: Vec<Change>,
}

impl fmt::Debug for HarnessBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HarnessBuilder").field("routes", &self.routes.len()).finish_non_exhaustive()
    }
}

impl HarnessBuilder {
    pub(super) fn new(connector: impl Connector) -> Self {
        Self {
            connector: Box::new(connector),
            routes: Vec::new(),
            transport: None,
            principal: None,
            scopes: None,
            connected: true,
            options: InstanceOptions::default(),
            change: Vec::new(),
        }
    }

    /// Answers requests of this method to this path, which is relative to the base URL as it is in
    /// the tools. Several answers for one route are given in order; the last one stays.
    pub fn answer(self, method: &str, path: &str, answer: Answer) -> Self {
        self.answer_with(method, path, move |_| answer.clone())
    }

    /// As [`answer`](Self::answer), made from the request.
    pub fn answer_with(
        mut self,
        method: &str,
        path: &str,
        answer: impl Fn(&SentRequest) -> Answer + Send + Sync + 'static,
    ) -> Self {
        self.routes.push((method.to_owned(), path.to_owned(), Arc::new(answer)));
        self
    }

    /// Sends requests through this transport instead: a cassette's player, say.
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Calls as this principal.
    pub fn principal(mut self, principal: Principal) -> Self {
        self.principal = Some(principal);
        self
    }

    /// Lets the connection have been granted these scopes only.
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// Leaves the connection out: nobody has connected an account.
    pub fn unconnected(mut self) -> Self {
        self.connected = false;
        self
    }

    /// Registers the connector with these options; an id, a base URL.
    pub fn instance(mut self, options: InstanceOptions) -> Self {
        self.options = options;
        self
    }

    /// Changes the Hub: its settings, policy, layers.
    pub fn hub(mut self, change: impl FnOnce(HubBuilder) -> HubBuilder + Send + 'static) -> Self {
        self.change.push(Box::new(change));
        self
    }

    /// Builds the Hub, registers the connector and connects the account.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] where a route is malformed; what [`HubBuilder::build`] returns.
    ///
    /// # Panics
    /// Where a tool's definition is broken: none of its calls could succeed.
    pub async fn build(self) -> Result<Harness> {
        let manifest = self.connector.manifest().clone();
        let mut set = ToolSet::default();
        self.connector.tools(&mut set);
        let declared: BTreeSet<String> = set
            .tools()
            .iter()
            .flat_map(|tool| tool.definition().scopes_beside(&[]))
            .map(str::to_owned)
            .collect();

        let mut options = self.options;
        let base = options.base_url.clone().or(manifest.base_url.clone());
        let base = match base {
            Some(base) => base,
            None => Url::parse(NOWHERE).map_err(|e| Error::new(ErrorKind::Internal, e.to_string()))?,
        };
        let script = script(&base, self.routes)?;
        options.base_url = Some(base);
        let scheme = options.auth.clone().or_else(|| manifest.auth.first().cloned());
        let instance = match &options.id {
            Some(id) => id.clone(),
            None => InstanceId::new(&manifest.id)?,
        };

        let tap = Arc::new(Tap::new(self.transport.unwrap_or_else(|| Arc::new(script))));
        let clock = Arc::new(ManualClock::new());
        let credentials = Arc::new(StaticCredentials::new());
        let events = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&events);
        let mut builder = Hub::builder()
            .clock(Arc::clone(&clock) as _)
            .transport(Arc::clone(&tap) as _)
            .credentials(Arc::clone(&credentials) as _)
            .configure(|settings| {
                settings.http.retry.base = Duration::ZERO;
                settings.http.retry.cap = Duration::ZERO;
            })
            .on_event(move |event: &Event| {
                sink.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone())
            });
        for change in self.change {
            builder = change(builder);
        }
        let hub = builder.build()?;
        let registration = hub.add_instance(Boxed(self.connector), options)?;
        assert!(
            registration.quarantined.is_empty(),
            "tools with broken definitions: {:?}",
            registration.quarantined
        );

        let principal = match self.principal {
            Some(principal) => principal,
            None => Principal::user("acme", "ada")?,
        };
        let connection = if self.connected && manifest.needs_connection() {
            let scopes = self.scopes.unwrap_or_else(|| declared.into_iter().collect());
            let (id, owner) = (ConnectionId::new("harness")?, Owner::User(principal.user.clone()));
            let connection =
                Connection::new(id, principal.tenant.clone(), owner, instance.clone()).scopes(scopes);
            let connection = hub.put_connection(connection).await?;
            let secret = match scheme {
                Some(AuthScheme::Basic) => Credential::basic("ada", CANARY),
                _ => Credential::token(CANARY),
            };
            credentials.set(connection.tenant.clone(), connection.id.clone(), secret);
            Some(connection)
        } else {
            None
        };
        let session = hub.session(principal);
        let leaks = LeakCheck::new().secret(CANARY);
        let logs = Dispatch::new(leaks.subscriber());
        Ok(Harness { hub, session, instance, clock, tap, credentials, connection, events, leaks, logs })
    }
}

/// The routes of a test, on top of the base URL's own path.
fn script(base: &Url, routes: Vec<Scripted>) -> Result<Script> {
    let mut script = Script::default();
    for (method, path, reply) in routes {
        let method = Method::try_from(method.as_str()).map_err(|_| {
            Error::new(ErrorKind::Config, format!("`{}` is no HTTP method", method.escape_debug()))
        })?;
        let path = format!("{}/{}", base.path().trim_end_matches('/'), path.trim_start_matches('/'));
        script.add(method, path, reply);
    }
    Ok(script)
}

/// A boxed connector is a connector.
struct Boxed(Box<dyn Connector>);

impl Connector for Boxed {
    fn manifest(&self) -> &ConnectorManifest {
        self.0.manifest()
    }

    fn tools(&self, set: &mut ToolSet) {
        self.0.tools(set);
    }

    fn classify(&self, parts: &http::response::Parts, body: &[u8]) -> Option<Error> {
        self.0.classify(parts, body)
    }
}
