//! Calls the tools of a connector as a host does, with a scope that holds nothing but what they need.

#![allow(dead_code, reason = "which of it is used depends on the features")]

use std::any::Any;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::Value;
use tool_connect_core::http::{ByteStream, OutboundRequest, Response};
use tool_connect_core::store::memory::MemoryResults;
use tool_connect_core::store::{NewResult, ResultMeta, ResultStore};
use tool_connect_core::{
    Arguments, BoxFuture, CallId, CallOptions, CallScope, Clock, Connection, Connector, Effect, Error,
    ErrorKind, InstanceId, Principal, RegisteredTool, Result, ResultHandle, SystemClock, TenantId,
    ToolContext, ToolId, ToolOutput, ToolSet, UserId,
};
use url::Url;

/// Answers a request.
pub(crate) type Answer = dyn Fn(OutboundRequest) -> Result<Response> + Send + Sync;

/// A connector with everything that its tools may reach.
pub(crate) struct Bench {
    tools: Vec<RegisteredTool>,
    pub(crate) shared: Arc<Shared>,
}

/// What the calls of a bench share.
pub(crate) struct Shared {
    principal: Principal,
    pub(crate) results: MemoryResults,
    pub(crate) connection: Mutex<Option<Connection>>,
    pub(crate) options: Mutex<CallOptions>,
    pub(crate) answer: Mutex<Option<Box<Answer>>>,
    /// Whether the result store takes nothing more.
    pub(crate) full: AtomicBool,
    /// Where relative requests go.
    pub(crate) base_url: OnceLock<Url>,
    /// Calls are given up after so many looks; never where 0.
    pub(crate) patience: AtomicU64,
}

impl Bench {
    pub(crate) fn new(connector: &dyn Connector) -> Self {
        let mut set = ToolSet::default();
        connector.tools(&mut set);
        let shared = Shared {
            principal: Principal::user("acme", "ada").unwrap(),
            results: MemoryResults::new(Arc::new(SystemClock)),
            connection: Mutex::new(None),
            options: Mutex::default(),
            answer: Mutex::new(None),
            full: AtomicBool::new(false),
            base_url: OnceLock::new(),
            patience: AtomicU64::new(0),
        };
        Self { tools: set.into_tools(), shared: Arc::new(shared) }
    }

    pub(crate) fn tools(&self) -> &[RegisteredTool] {
        &self.tools
    }

    pub(crate) fn answer(
        &self,
        answer: impl Fn(OutboundRequest) -> Result<Response> + Send + Sync + 'static,
    ) {
        *self.shared.answer.lock().unwrap() = Some(Box::new(answer));
    }

    /// Calls a tool with JSON and returns its result as JSON.
    pub(crate) async fn call(&self, name: &str, arguments: Value) -> Result<Value> {
        self.output(name, arguments).await?.parse()
    }

    pub(crate) async fn output(&self, name: &str, arguments: Value) -> Result<ToolOutput> {
        let tool =
            self.tools.iter().find(|tool| tool.definition().name == name).expect("the tool is offered");
        let scope = Scope {
            tool: tool.clone(),
            id: ToolId::new(&InstanceId::new("files").unwrap(), name).unwrap(),
            connection: self.shared.connection.lock().unwrap().clone(),
            options: self.shared.options.lock().unwrap().clone(),
            shared: Arc::clone(&self.shared),
            canceled: AtomicBool::new(false),
            looks: AtomicU64::new(0),
        };
        let mut arguments = Arguments::from(arguments);
        tool.call(&mut arguments, ToolContext::new(Arc::new(scope))).await
    }

    /// Calls a tool that must refuse, and returns the error.
    pub(crate) async fn refused(&self, name: &str, arguments: Value) -> Error {
        let shown = arguments.to_string();
        match self.call(name, arguments).await {
            Ok(value) => panic!("{name} {shown} was not refused: {value}"),
            Err(error) => error,
        }
    }

    /// All bytes behind a handle, as the caller may read them.
    pub(crate) async fn bytes(&self, file: &Value) -> Vec<u8> {
        let handle = ResultHandle::new(file["handle"].as_str().expect("a handle")).unwrap();
        let of = &self.shared.principal;
        let read = self.shared.results.read(&of.tenant, &of.user, &handle, 0..u64::MAX).await.unwrap();
        read.expect("the handle leads to something").to_vec()
    }
}

/// A result store that takes nothing.
struct Full;

#[async_trait]
impl ResultStore for Full {
    async fn put(&self, _: NewResult, _: ByteStream) -> Result<ResultMeta> {
        Err(Error::new(ErrorKind::Overloaded, "the result store is full").effect(Effect::NotExecuted))
    }

    async fn meta(&self, _: &TenantId, _: &UserId, _: &ResultHandle) -> Result<Option<ResultMeta>> {
        Ok(None)
    }

    async fn read(&self, _: &TenantId, _: &UserId, _: &ResultHandle, _: Range<u64>) -> Result<Option<Bytes>> {
        Ok(None)
    }

    async fn delete(&self, _: &TenantId, _: &UserId, _: &ResultHandle) -> Result<bool> {
        Ok(false)
    }

    async fn purge(&self) -> Result<u64> {
        Ok(0)
    }
}

struct Scope {
    tool: RegisteredTool,
    id: ToolId,
    connection: Option<Connection>,
    options: CallOptions,
    shared: Arc<Shared>,
    canceled: AtomicBool,
    looks: AtomicU64,
}

impl CallScope for Scope {
    fn call_id(&self) -> CallId {
        CallId::new(1, 1)
    }

    fn principal(&self) -> &Principal {
        &self.shared.principal
    }

    fn tool(&self) -> &ToolId {
        &self.id
    }

    fn connection(&self) -> Option<&Connection> {
        self.connection.as_ref()
    }

    fn options(&self) -> &CallOptions {
        &self.options
    }

    fn state(&self) -> &(dyn Any + Send + Sync) {
        self.tool.state()
    }

    fn base_url(&self) -> Option<&Url> {
        self.shared.base_url.get()
    }

    fn send(&self, request: OutboundRequest) -> BoxFuture<'_, Result<Response>> {
        let answer = self.shared.answer.lock().unwrap();
        let answer = answer.as_ref().map_or_else(
            || Err(Error::new(ErrorKind::Transport, "nothing answers in this test")),
            |answer| answer(request),
        );
        Box::pin(std::future::ready(answer))
    }

    fn results(&self) -> &dyn ResultStore {
        if self.shared.full.load(Ordering::Relaxed) { &Full } else { &self.shared.results }
    }

    fn clock(&self) -> &dyn Clock {
        &SystemClock
    }

    fn deadline(&self) -> Option<u64> {
        None
    }

    fn is_canceled(&self) -> bool {
        let patience = self.shared.patience.load(Ordering::Relaxed);
        let looks = self.looks.fetch_add(1, Ordering::Relaxed);
        self.canceled.load(Ordering::Relaxed) || (patience > 0 && looks >= patience)
    }

    fn cancel(&self) {
        self.canceled.store(true, Ordering::Relaxed);
    }

    fn spawn_blocking(&self, work: Box<dyn FnOnce() + Send>) {
        tokio::task::spawn_blocking(work);
    }
}
