//! What a user would pick instead: a map of closures, rmcp's router, the policies of tower-resilience.

use std::borrow::Cow;
use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use rmcp::handler::server::router::tool::{ToolRoute, ToolRouter};
use rmcp::handler::server::tool::{ToolCallContext, schema_for_output};
use rmcp::handler::server::wrapper::{Json, Parameters};
use rmcp::model::{CallToolRequestParams, CallToolResponse, ListToolsResult, NumberOrString, Tool};
use rmcp::service::{Peer, RequestContext, RunningService, serve_directly};
use rmcp::{RoleServer, ServerHandler};
use tower::util::BoxCloneService;
use tower::{Layer, Service};
use tower_resilience::bulkhead::BulkheadLayer;
use tower_resilience::circuitbreaker::CircuitBreakerLayer;
use tower_resilience::ratelimiter::RateLimiterLayer;
use tower_resilience::retry::RetryLayer;
use tower_resilience::timelimiter::TimeLimiterLayer;

use crate::race::now;
use crate::subject::{self, CreateIssue, Issue};

fn run(text: &str) -> Result<String, String> {
    let arguments: CreateIssue = serde_json::from_str(text).map_err(|e| e.to_string())?;
    serde_json::to_string(&arguments.create()).map_err(|e| e.to_string())
}

/// The floor: a closure per name.
pub(crate) type Floor = HashMap<String, Box<dyn Fn(&str) -> Result<String, String> + Send + Sync>>;
type Answer<'a> = Pin<Box<dyn Future<Output = Result<String, String>> + Send + 'a>>;
/// The floor with a boxed future, since tools wait.
pub(crate) type Boxed = HashMap<String, Box<dyn for<'a> Fn(&'a str) -> Answer<'a> + Send + Sync>>;

pub(crate) fn floor(tools: usize) -> Floor {
    (0..tools).map(|i| (subject::name(i), Box::new(run) as _)).collect()
}

pub(crate) fn boxed(tools: usize) -> Boxed {
    fn call(text: &str) -> Answer<'_> {
        Box::pin(async move { run(text) })
    }
    (0..tools).map(|i| (subject::name(i), Box::new(call) as _)).collect()
}

/// rmcp's router with so many tools, and a peer for its contexts.
pub(crate) struct Rmcp {
    router: ToolRouter<Server>,
    service: Server,
    peer: Peer<RoleServer>,
    _running: RunningService<RoleServer, Server>,
}

#[derive(Clone)]
pub(crate) struct Server;
impl ServerHandler for Server {}

async fn text(Parameters(arguments): Parameters<CreateIssue>) -> String {
    serde_json::to_string(&arguments.create()).expect("an issue is JSON")
}

async fn structured(Parameters(arguments): Parameters<CreateIssue>) -> Json<Issue> {
    Json(arguments.create())
}

/// The router alone, as a server would keep it.
pub(crate) fn router(tools: usize, structured_result: bool) -> ToolRouter<Server> {
    let output = schema_for_output::<Issue>();
    let mut router = ToolRouter::new();
    for i in 0..tools {
        let schema = serde_json::from_str(&subject::schema(i)).expect("the schema is an object");
        let mut tool = Tool::new(subject::name(i), Cow::Owned(subject::description(i)), Arc::new(schema));
        tool.title = Some(format!("Create issue {i}"));
        tool.output_schema = Some(Arc::clone(&output));
        router.add_route(if structured_result {
            ToolRoute::new(tool, structured)
        } else {
            ToolRoute::new(tool, text)
        });
    }
    router
}

impl Rmcp {
    /// Must be called within a runtime, where the peer's connection to nobody is kept.
    pub(crate) fn new(tools: usize, structured_result: bool) -> Self {
        let (here, _there) = tokio::io::duplex(64);
        let running = serve_directly::<RoleServer, _, _, _, _>(Server, here, None);
        Self {
            router: router(tools, structured_result),
            service: Server,
            peer: running.peer().clone(),
            _running: running,
        }
    }

    /// JSON text to JSON text, as the floor does it.
    pub(crate) fn call(&self, name: &str, text: &str) -> String {
        let arguments = serde_json::from_str(text).expect("the text is an object");
        let parameters = CallToolRequestParams::new(name.to_owned()).with_arguments(arguments);
        let context = RequestContext::new(NumberOrString::Number(1), self.peer.clone());
        let answer = now(self.router.call(ToolCallContext::new(&self.service, parameters, context)));
        match answer {
            Ok(CallToolResponse::Complete(result)) => {
                serde_json::to_string(&result).expect("the answer is JSON")
            }
            other => panic!("the call came to something else: {other:?}"),
        }
    }
}

/// The `tools/list` result as text.
pub(crate) fn list(router: &ToolRouter<Server>) -> Vec<u8> {
    serde_json::to_vec(&ListToolsResult::with_all_items(router.list_all())).expect("the list is JSON")
}

/// A call and the tool it names.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
}

/// Five policies of tower-resilience around the floor, each boxed so that the stack has a type that a field can hold.
pub(crate) struct Resilience(Box<dyn FnMut(Request) -> String>);

impl Resilience {
    pub(crate) fn new(floor: Boxed) -> Self {
        let second = Duration::from_secs(1);
        let floor = Arc::new(floor);
        let leaf = BoxCloneService::new(tower::service_fn(move |request: Request| {
            let floor = Arc::clone(&floor);
            async move { Ok::<_, Infallible>(floor[request.name](request.text).await.expect("the tool answers")) }
        }));
        let bulkhead = BulkheadLayer::builder().max_concurrent_calls(1_000).build().expect("valid");
        let rate = RateLimiterLayer::builder()
            .limit_for_period(100_000_000)
            .refresh_period(second)
            .build()
            .expect("valid");
        let breaker = CircuitBreakerLayer::builder().build().expect("valid");
        let deadline = TimeLimiterLayer::builder().timeout_duration(60 * second).build();
        let service = BoxCloneService::new(bulkhead.layer(leaf));
        let service = BoxCloneService::new(rate.layer(service));
        let service = BoxCloneService::new(breaker.layer(service));
        let service = BoxCloneService::new(deadline.layer(service));
        let retry = RetryLayer::builder().max_attempts(3).build();
        let mut service = BoxCloneService::new(retry.layer(service));
        Self(Box::new(move |request| {
            now(std::future::poll_fn(|cx| service.poll_ready(cx))).ok().expect("the stack is ready");
            now(service.call(request)).ok().expect("the stack answers")
        }))
    }

    pub(crate) fn call(&mut self, request: Request) -> String {
        (self.0)(request)
    }
}
