//! The Hub for code without a runtime of its own.

use std::sync::Arc;

use tokio::runtime::{Builder, Runtime};
use tool_connect_core::{
    Arguments, CallOptions, Error, ErrorKind, InputRequired, Principal, Result, Tool, ToolCall, ToolOutcome,
};

use crate::hub::Hub;
use crate::registry::{ListRequest, ToolPage};
use crate::session::Session;

/// A [`Hub`] for code without a runtime: each call blocks its thread until it has ended. It brings a
/// small runtime of its own, so it must not be used on a thread of another.
///
/// ```
/// use tool_connect_core::Principal;
/// use tool_connect_hub::Hub;
/// let hub = Hub::builder().build()?.blocking()?;
/// let session = hub.session(Principal::user("acme", "ada")?);
/// assert!(session.call("files.read", "{}").is_err()); // no such tool yet
/// hub.shutdown()?;
/// # Ok::<(), tool_connect_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct BlockingHub {
    hub: Hub,
    runtime: Arc<Runtime>,
}

impl Hub {
    /// This Hub for code without a runtime.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] where the system gives no threads.
    pub fn blocking(self) -> Result<BlockingHub> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("tool-connect")
            .enable_all()
            .build()
            .map_err(|e| Error::new(ErrorKind::Internal, "a runtime cannot be started").caused_by(e))?;
        Ok(BlockingHub { hub: self, runtime: Arc::new(runtime) })
    }
}

impl BlockingHub {
    /// The asynchronous Hub.
    #[must_use]
    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// A principal's way to call tools.
    #[must_use]
    pub fn session(&self, principal: Principal) -> BlockingSession {
        BlockingSession { session: self.hub.session(principal), runtime: Arc::clone(&self.runtime) }
    }

    /// As [`Hub::shutdown`].
    ///
    /// # Errors
    /// As [`Hub::shutdown`].
    pub fn shutdown(&self) -> Result<()> {
        self.runtime.block_on(self.hub.shutdown())
    }
}

/// A [`Session`] for code without a runtime.
#[derive(Clone, Debug)]
pub struct BlockingSession {
    session: Session,
    runtime: Arc<Runtime>,
}

impl BlockingSession {
    /// The asynchronous session.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// As [`Session::call`].
    ///
    /// # Errors
    /// As [`Session::call`].
    pub fn call(&self, tool: &str, arguments: impl Into<Arguments>) -> Result<ToolOutcome> {
        self.runtime.block_on(self.session.call(tool, arguments))
    }

    /// As [`Session::execute`].
    ///
    /// # Errors
    /// As [`Session::execute`].
    pub fn execute(&self, call: ToolCall) -> Result<ToolOutcome> {
        self.runtime.block_on(self.session.execute(call))
    }

    /// As [`Session::run`].
    ///
    /// # Errors
    /// As [`Session::run`].
    pub fn run<T: Tool>(&self, tool: T) -> Result<T::Output> {
        self.runtime.block_on(self.session.run(tool))
    }

    /// As [`Session::run_with`].
    ///
    /// # Errors
    /// As [`Session::run_with`].
    pub fn run_with<T: Tool>(&self, tool: T, options: CallOptions) -> Result<T::Output> {
        self.runtime.block_on(self.session.run_with(tool, options))
    }

    /// As [`Session::resume`].
    ///
    /// # Errors
    /// As [`Session::resume`].
    pub fn resume(&self, required: impl Into<InputRequired>) -> Result<ToolOutcome> {
        self.runtime.block_on(self.session.resume(required))
    }

    /// As [`Session::tools`].
    ///
    /// # Errors
    /// As [`Session::tools`].
    pub fn tools(&self, request: &ListRequest) -> Result<ToolPage> {
        self.runtime.block_on(self.session.tools(request))
    }
}
