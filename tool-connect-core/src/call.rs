//! A request to run a tool.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};
use crate::ids::{ApprovalId, ConnectionId};
use crate::shape::Shape;

/// The arguments of a call: bytes that nobody has looked into yet, or a typed value.
///
/// Neither form is printed: arguments never reach a log.
#[derive(Clone)]
pub enum Arguments {
    /// JSON text as it came, unvalidated until the tool's own typed parse.
    Raw(Bytes),
    /// A value of the tool's own type, or a JSON value for a dynamic tool; written only if a layer
    /// asks.
    Typed(Arc<dyn TypedArgs>),
}

impl Arguments {
    /// A typed value.
    #[must_use]
    pub fn typed<T: Serialize + Clone + Send + Sync + 'static>(value: T) -> Self {
        Self::Typed(Arc::new(value))
    }

    /// The arguments as JSON text.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArguments`] where a typed value cannot be written.
    pub fn to_json(&self) -> Result<Bytes> {
        match self {
            Self::Raw(text) => Ok(text.clone()),
            Self::Typed(value) => value.to_json(),
        }
    }

    /// Whether a typed caller made them, who wants a typed result.
    #[must_use]
    pub fn is_typed(&self) -> bool {
        matches!(self, Self::Typed(_))
    }

    /// Takes a typed value out, leaving no arguments behind: without a copy if nobody else holds
    /// it.
    pub(crate) fn take<T: Clone + Send + Sync + 'static>(&mut self) -> Result<T> {
        let wrong =
            || Error::new(ErrorKind::InvalidArguments, "the typed arguments are of another tool's type");
        match std::mem::replace(self, Self::Raw(Bytes::new())) {
            Self::Typed(value) => {
                value.into_any().downcast::<T>().map(Arc::unwrap_or_clone).map_err(|_| wrong())
            }
            Self::Raw(_) => Err(wrong()),
        }
    }
}

impl fmt::Debug for Arguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Raw(text) => write!(f, "Raw({} bytes)", text.len()),
            Self::Typed(_) => f.write_str("Typed(..)"),
        }
    }
}

impl From<Bytes> for Arguments {
    fn from(text: Bytes) -> Self {
        Self::Raw(text)
    }
}

impl From<Vec<u8>> for Arguments {
    fn from(text: Vec<u8>) -> Self {
        Self::Raw(text.into())
    }
}

impl From<String> for Arguments {
    fn from(text: String) -> Self {
        Self::Raw(text.into())
    }
}

impl From<&'static str> for Arguments {
    fn from(text: &'static str) -> Self {
        Self::Raw(Bytes::from_static(text.as_bytes()))
    }
}

impl From<serde_json::Value> for Arguments {
    fn from(value: serde_json::Value) -> Self {
        Self::Raw(value.to_string().into())
    }
}

/// Typed arguments that travel the stack unwritten.
pub trait TypedArgs: Send + Sync + 'static {
    /// Writes them as JSON.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArguments`] where they cannot be written.
    fn to_json(&self) -> Result<Bytes>;

    /// Gives the value out for a downcast.
    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

impl<T: Serialize + Clone + Send + Sync + 'static> TypedArgs for T {
    fn to_json(&self) -> Result<Bytes> {
        crate::outcome::write_json(self).map_err(|e| {
            Error::new(ErrorKind::InvalidArguments, format!("the arguments cannot be written as JSON: {e}"))
        })
    }

    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

/// A request to run a tool.
///
/// ```
/// use tool_connect_core::ToolCall;
/// let call = ToolCall::new("files.read", r#"{"path":"README.md"}"#).idempotency_key("read-1");
/// assert_eq!(call.tool, "files.read");
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ToolCall {
    /// Tool id (`instance.tool`), its model form, or an alias.
    pub tool: std::borrow::Cow<'static, str>,
    /// The arguments.
    pub arguments: Arguments,
    /// What the caller adds.
    pub options: CallOptions,
}

impl ToolCall {
    /// A call with default options.
    #[must_use]
    pub fn new(tool: impl Into<std::borrow::Cow<'static, str>>, arguments: impl Into<Arguments>) -> Self {
        Self { tool: tool.into(), arguments: arguments.into(), options: CallOptions::default() }
    }

    /// Names the call, so that a repetition replays its result instead of running again.
    #[must_use]
    pub fn idempotency_key(mut self, key: impl Into<Arc<str>>) -> Self {
        self.options.idempotency_key = Some(key.into());
        self
    }

    /// Presents an approval.
    #[must_use]
    pub fn approval(mut self, approval: ApprovalId) -> Self {
        self.options.approval = Some(approval);
        self
    }

    /// Chooses one of several connections.
    #[must_use]
    pub fn connection(mut self, connection: ConnectionId) -> Self {
        self.options.connection = Some(connection);
        self
    }

    /// Gives the call less time than the tool would have.
    #[must_use]
    pub fn timeout(mut self, timeout: std::time::Duration) -> Self {
        self.options.timeout = Some(timeout);
        self
    }

    /// Says how much of the result is wanted, and which part.
    #[must_use]
    pub fn shape(mut self, shape: Shape) -> Self {
        self.options.shape = Some(Arc::new(shape));
        self
    }
}

/// What a caller adds to a call.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CallOptions {
    /// Names the call, so that a repetition replays its result instead of running again.
    pub idempotency_key: Option<Arc<str>>,
    /// An approval that was given for this very call.
    pub approval: Option<ApprovalId>,
    /// Which of several connections to use.
    pub connection: Option<ConnectionId>,
    /// Less time than the tool would have.
    pub timeout: Option<std::time::Duration>,
    /// Hears of progress.
    pub progress: Option<Arc<dyn ProgressSink>>,
    /// Answers to what a tool asked in an earlier try, by question.
    pub answers: Option<Arc<std::collections::BTreeMap<String, serde_json::Value>>>,
    /// Where to join a trace of the caller's: a W3C `traceparent` value.
    pub traceparent: Option<Arc<str>>,
    /// How much of the result is wanted, and which part; a typed caller gets all.
    pub shape: Option<Arc<Shape>>,
}

impl CallOptions {
    /// Nothing added.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            idempotency_key: None,
            approval: None,
            connection: None,
            timeout: None,
            progress: None,
            answers: None,
            traceparent: None,
            shape: None,
        }
    }

    /// Whether nothing was added.
    #[must_use]
    #[inline]
    pub const fn is_empty(&self) -> bool {
        let Self { idempotency_key, approval, connection, timeout, progress, answers, traceparent, shape } =
            self;
        idempotency_key.is_none()
            && approval.is_none()
            && connection.is_none()
            && timeout.is_none()
            && progress.is_none()
            && answers.is_none()
            && traceparent.is_none()
            && shape.is_none()
    }
}

/// How far a call has come.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// Work done so far; grows.
    pub done: f64,
    /// All the work, where it is known.
    pub total: Option<f64>,
    /// One line for a person.
    pub message: Option<String>,
}

/// Hears of progress; must not block.
pub trait ProgressSink: Send + Sync + 'static {
    /// Called by the tool, possibly from another thread.
    fn report(&self, progress: Progress);
}

impl<F: Fn(Progress) + Send + Sync + 'static> ProgressSink for F {
    fn report(&self, progress: Progress) {
        self(progress);
    }
}

impl fmt::Debug for dyn ProgressSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProgressSink")
    }
}
