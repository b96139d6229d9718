//! Tests of the whole stack over a transport in memory: time is tokio's paused clock, for the stack
//! and for the waits in it.

mod answers;
mod auth;
mod cached;
mod judged;
mod limits;
mod redirects;
mod retries;
mod script;

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;
use tool_connect_core::http::{OutboundRequest, Response};
use tool_connect_core::{
    AuthScheme, BoxFuture, CallId, CallOptions, CallScope, Clock, Connection, ConnectionId, Connector,
    ConnectorLimits, ConnectorManifest, Credential, Error, EventKind, InstanceId, Owner, Principal, Result,
    TenantId, ToolContext, ToolId, ToolSet, UserId,
};

use self::script::{Script, Step};
use super::{Endpoint, HttpSettings, PerRequest, RequestScope, RequestStack};
use crate::credentials::{SchemeAuthenticator, StaticCredentials};
use crate::transport::NetworkAccess;

/// Tokio's clock, which a test can pause, as the Hub's.
#[derive(Debug)]
struct PausedClock(Instant);

/// Thu, 01 Jan 2026 00:00:00 GMT
const START: Duration = Duration::from_secs(1_767_225_600);

impl Clock for PausedClock {
    fn monotonic(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_nanos()).expect("a test is short")
    }

    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + START + self.0.elapsed()
    }
}

type Classify = fn(&http::response::Parts, &[u8]) -> Option<Error>;

struct Service(ConnectorManifest, Classify);

impl Connector for Service {
    fn manifest(&self) -> &ConnectorManifest {
        &self.0
    }

    fn tools(&self, _set: &mut ToolSet) {}

    fn classify(&self, parts: &http::response::Parts, body: &[u8]) -> Option<Error> {
        (self.1)(parts, body)
    }
}

/// A stack, one endpoint with a base URL, one connection, and what happened.
struct Bench {
    stack: RequestStack,
    script: Arc<Script>,
    endpoint: Endpoint,
    connection: Option<Connection>,
    secrets: Arc<StaticCredentials>,
    events: Arc<Mutex<Vec<EventKind>>>,
    tenant: TenantId,
    tool: ToolId,
    user: UserId,
    reads: bool,
    deadline: Option<u64>,
}

struct BenchOptions {
    settings: HttpSettings,
    layers: Vec<Arc<dyn PerRequest>>,
    classify: Classify,
    limits: ConnectorLimits,
    scheme: AuthScheme,
    allowed: NetworkAccess,
}

impl Default for BenchOptions {
    fn default() -> Self {
        Self {
            settings: HttpSettings::default(),
            layers: Vec::new(),
            classify: |_, _| None,
            limits: ConnectorLimits::default(),
            scheme: AuthScheme::Bearer,
            allowed: NetworkAccess::public(),
        }
    }
}

const SECRET: &str = "canary-4b1d";

impl Bench {
    fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self::with(BenchOptions::default(), steps)
    }

    fn with(options: BenchOptions, steps: impl IntoIterator<Item = Step>) -> Self {
        let BenchOptions { settings, layers, classify, limits, scheme, allowed } = options;
        let script = Arc::new(Script::new(steps));
        let secrets = Arc::new(StaticCredentials::new());
        let events: Arc<Mutex<Vec<EventKind>>> = Arc::default();
        let heard = Arc::clone(&events);
        let stack = RequestStack::new(
            settings,
            Arc::clone(&script) as _,
            Arc::new(SchemeAuthenticator::new(Arc::clone(&secrets) as _)),
            Arc::new(PausedClock(Instant::now())),
            Arc::new(move |event| heard.lock().expect("not poisoned").push(event)),
            layers,
        )
        .expect("valid settings");
        let instance = InstanceId::new("service").expect("an id");
        let manifest = ConnectorManifest::new("service", semver::Version::new(1, 0, 0), "Service");
        let endpoint = Endpoint {
            instance: instance.clone(),
            base_url: Some("https://api.example/v1/".parse().expect("a URL")),
            scheme,
            limits,
            connector: Arc::new(Service(manifest, classify)),
            allowed,
        };
        let tenant = TenantId::new("acme").expect("an id");
        let bench = Self {
            stack,
            script,
            tool: ToolId::new(&instance, "list").expect("an id"),
            connection: Some(connection("c1")),
            endpoint,
            secrets,
            events,
            tenant,
            user: UserId::new("ada").expect("an id"),
            reads: true,
            deadline: None,
        };
        bench.set_secret("c1", SECRET);
        bench
    }

    fn set_secret(&self, id: &str, secret: &str) {
        let id = ConnectionId::new(id).expect("an id");
        self.secrets.set(self.tenant.clone(), id, Credential::token(secret));
    }

    async fn send(&self, request: OutboundRequest) -> Result<Response> {
        let scope = RequestScope {
            endpoint: &self.endpoint,
            connection: self.connection.as_ref(),
            deadline: self.deadline,
            tenant: &self.tenant,
            tool: &self.tool,
            user: &self.user,
            reads: self.reads,
        };
        self.stack.send(scope, request).await
    }

    async fn get(&self, target: &str) -> Result<Response> {
        self.send(request("GET", target)).await
    }

    async fn post(&self, target: &str) -> Result<Response> {
        self.send(request("POST", target)).await
    }

    fn events(&self) -> Vec<EventKind> {
        std::mem::take(&mut *self.events.lock().expect("not poisoned"))
    }
}

fn connection(id: &str) -> Connection {
    Connection::new(
        ConnectionId::new(id).expect("an id"),
        TenantId::new("acme").expect("an id"),
        Owner::Tenant,
        InstanceId::new("service").expect("an id"),
    )
}

/// A request as the builder of tools makes it: `target` is absolute or a path at `api.example`.
fn request(method: &str, target: &str) -> OutboundRequest {
    built(method, target, |builder| builder)
}

/// The same, with whatever a tool adds.
fn built(
    method: &str,
    target: &str,
    add: impl for<'a> FnOnce(
        tool_connect_core::http::RequestBuilder<'a>,
    ) -> tool_connect_core::http::RequestBuilder<'a>,
) -> OutboundRequest {
    let catcher = Arc::new(Catcher(Mutex::new(None), "https://api.example".parse().expect("a URL")));
    let cx: ToolContext = ToolContext::new(Arc::clone(&catcher) as Arc<dyn CallScope>);
    let method: http::Method = method.parse().expect("a method");
    let builder = cx.http().request(method.clone(), target);
    let builder = if method == http::Method::POST { builder.body("the body") } else { builder };
    drop(futures_util::FutureExt::now_or_never(add(builder).send()));
    let caught = catcher.0.lock().expect("not poisoned").take();
    caught.expect("a valid request")
}

/// Catches what a builder would send: [`OutboundRequest`] can be made in no other way.
struct Catcher(Mutex<Option<OutboundRequest>>, url::Url);

impl CallScope for Catcher {
    fn send(&self, request: OutboundRequest) -> BoxFuture<'_, Result<Response>> {
        *self.0.lock().expect("not poisoned") = Some(request);
        Box::pin(std::future::pending())
    }

    fn base_url(&self) -> Option<&url::Url> {
        Some(&self.1)
    }

    fn options(&self) -> &CallOptions {
        unreachable!("no test asks for an idempotency key")
    }

    fn call_id(&self) -> CallId {
        CallId::new(0, 0)
    }

    fn principal(&self) -> &Principal {
        unreachable!("a request is built without it")
    }

    fn tool(&self) -> &ToolId {
        unreachable!("a request is built without it")
    }

    fn connection(&self) -> Option<&Connection> {
        None
    }

    fn state(&self) -> &(dyn std::any::Any + Send + Sync) {
        &()
    }

    fn results(&self) -> &dyn tool_connect_core::store::ResultStore {
        unreachable!("a request is built without it")
    }

    fn clock(&self) -> &dyn Clock {
        unreachable!("a request is built without it")
    }

    fn deadline(&self) -> Option<u64> {
        None
    }

    fn is_canceled(&self) -> bool {
        false
    }

    fn cancel(&self) {}

    fn spawn_blocking(&self, _work: Box<dyn FnOnce() + Send>) {}
}
