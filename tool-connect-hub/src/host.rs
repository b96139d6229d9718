//! Where a host's own layers go in: three named points, each one branch while unused.

use async_trait::async_trait;
use tool_connect_core::{BoxFuture, Principal, Result, ToolCall, ToolContext, ToolOutput};

use crate::registry::ToolInfo;

/// A layer at the entrance of the call stack, before the policy: the only place where arguments may
/// be rewritten.
#[async_trait]
pub trait Ingress: Send + Sync + 'static {
    /// Sees the call, may change its arguments and options, or refuse it. The tool is settled: a
    /// changed `call.tool` is ignored.
    ///
    /// # Errors
    /// A refusal; the call ends with it and is audited.
    async fn enter(&self, principal: &Principal, tool: &ToolInfo, call: &mut ToolCall) -> Result<()>;
}

/// A layer around the tool, just before dispatch: inside approval, limits and deadline.
#[async_trait]
pub trait PerCall: Send + Sync + 'static {
    /// Runs the rest and may change what comes out of it, or run nothing and answer itself.
    ///
    /// # Errors
    /// Those of the rest, or its own.
    async fn call(&self, cx: &ToolContext, next: Next<'_>) -> Result<ToolOutput>;
}

/// The rest of the stack: further layers, then the tool.
pub struct Next<'a> {
    pub(crate) run: BoxFuture<'a, Result<ToolOutput>>,
}

impl std::fmt::Debug for Next<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Next")
    }
}

impl Next<'_> {
    /// Runs it.
    ///
    /// # Errors
    /// Those of the layers within and of the tool.
    pub async fn run(self) -> Result<ToolOutput> {
        self.run.await
    }
}
