//! How a call ends.

use std::any::Any;
use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::time::SystemTime;

use bytes::Bytes;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::call::ToolCall;
use crate::definition::SchemaSource;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::{ApprovalId, InstanceId, ResultHandle, TaskId};
use crate::schema;

/// How a call ended, if it did not fail.
#[derive(Debug)]
#[non_exhaustive]
pub enum ToolOutcome {
    /// It is done.
    Complete(ToolOutput),
    /// Somebody must act first; then it can be resumed. Boxed: most calls end otherwise, and each
    /// moves its outcome.
    InputRequired(Box<InputRequired>),
    /// It goes on as a durable job.
    Task(TaskId),
}

impl ToolOutcome {
    /// The output of a completed call; the other ends become errors that carry them.
    ///
    /// # Errors
    /// [`ErrorKind::InputRequired`] or [`ErrorKind::Task`].
    pub fn into_output(self) -> Result<ToolOutput> {
        match self {
            Self::Complete(output) => Ok(output),
            Self::InputRequired(required) => Err(Error::needs_input(*required)),
            Self::Task(task) => Err(Error::became_task(task)),
        }
    }
}

/// Who vouches for a result: text from outside may carry instructions that nobody here gave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provenance {
    /// Made by the host's own code.
    Trusted,
    /// Came from outside: a file, a web page, somebody's message.
    #[default]
    Untrusted,
}

/// What a completed call gives back.
#[derive(Debug)]
#[non_exhaustive]
pub struct ToolOutput {
    /// The structured value.
    pub body: Body,
    /// Further blocks for the model: text, images, files by handle.
    pub content: Vec<Content>,
    /// Who vouches for it.
    pub provenance: Provenance,
    /// Whether it was served again (idempotency) or from the cache instead of being made now.
    pub served: Served,
}

/// Where an output came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Served {
    /// The tool ran.
    #[default]
    Fresh,
    /// An earlier call with the same idempotency key made it.
    Replay,
    /// A cached read.
    Cache,
}

impl ToolOutput {
    /// An output whose structured value is JSON text.
    #[must_use]
    pub fn json(text: impl Into<Bytes>) -> Self {
        Self::new(Body::Json(text.into()))
    }

    /// An output of a value.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOutput`] where the value cannot be written as JSON.
    pub fn of(value: &impl Serialize) -> Result<Self> {
        Ok(Self::json(to_json(value)?))
    }

    /// An output of text alone.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(Body::Empty).with(Content::Text { text: text.into() })
    }

    /// An output with this body.
    #[must_use]
    pub fn new(body: Body) -> Self {
        Self { body, content: Vec::new(), provenance: Provenance::default(), served: Served::Fresh }
    }

    /// Adds a content block.
    #[must_use]
    pub fn with(mut self, content: Content) -> Self {
        self.content.push(content);
        self
    }

    /// Says who vouches for it.
    #[must_use]
    pub fn provenance(mut self, provenance: Provenance) -> Self {
        self.provenance = provenance;
        self
    }

    /// The structured value as JSON text; `null` for an empty body.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOutput`] where a typed value cannot be written.
    pub fn to_json(&self) -> Result<Bytes> {
        match &self.body {
            Body::Json(text) => Ok(text.clone()),
            Body::Typed(value) => value.to_json(),
            Body::Empty => Ok(Bytes::from_static(b"null")),
        }
    }

    /// The structured value, parsed.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOutput`] where it does not fit `T`.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.to_json()?).map_err(|e| {
            Error::new(ErrorKind::InvalidOutput, format!("the result does not fit the type: {e}"))
        })
    }
}

thread_local! {
    /// Values are written here and copied out at their exact size: one allocation, no growth.
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A scratch buffer that grew beyond this is given back.
const SCRATCH_KEPT: usize = 64 * 1024;

#[inline]
pub(crate) fn to_json(value: &impl Serialize) -> Result<Bytes> {
    write_json(value).map_err(unwritable)
}

#[cold]
fn unwritable(why: serde_json::Error) -> Error {
    Error::new(ErrorKind::InvalidOutput, format!("the result cannot be written as JSON: {why}"))
}

/// A value as JSON text of its exact size.
#[inline]
pub(crate) fn write_json(value: &impl Serialize) -> serde_json::Result<Bytes> {
    // Taken, for a `Serialize` may come here again; that one then finds an empty buffer.
    let mut buffer = SCRATCH.take();
    buffer.clear();
    let written = serde_json::to_writer(&mut buffer, value);
    let text = written.map(|()| Bytes::copy_from_slice(&buffer));
    if buffer.capacity() <= SCRATCH_KEPT {
        SCRATCH.set(buffer);
    }
    text
}

/// The structured value of an output.
#[derive(Debug)]
pub enum Body {
    /// JSON text, written once.
    Json(Bytes),
    /// A typed value on its way to a typed caller; written only if a layer asks.
    Typed(Box<dyn TypedOut>),
    /// No structured value: the content blocks are all there is.
    Empty,
}

/// A typed result that travels the stack unwritten.
pub trait TypedOut: Send + Sync + 'static {
    /// Writes it as JSON.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOutput`] where it cannot be written.
    fn to_json(&self) -> Result<Bytes>;

    /// Gives the value out for a downcast.
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send + Sync>;
}

impl<T: Serialize + Send + Sync + 'static> TypedOut for T {
    fn to_json(&self) -> Result<Bytes> {
        to_json(self)
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send + Sync> {
        self
    }
}

impl fmt::Debug for dyn TypedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TypedOut(..)")
    }
}

/// A block of content beside the structured value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Content {
    /// Text.
    Text {
        /// The text.
        text: String,
    },
    /// A file or large value that stays in the result store.
    File(FileRef),
}

/// A file or large value by handle; read it with [`ToolContext::results`](crate::ToolContext::results)
/// or the Hub's session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileRef {
    /// The handle in the result store.
    #[schemars(with = "String")]
    pub handle: ResultHandle,
    /// Media type, as far as known.
    pub media_type: String,
    /// Size in bytes.
    pub size: u64,
    /// File name, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What a tool may return: anything that serialises and has a schema, or a [`ToolOutput`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a tool's output",
    label = "not serialisable with a schema",
    note = "derive `Serialize`, `Deserialize` and `JsonSchema` for `{Self}`, or return `ToolOutput`"
)]
pub trait IntoToolOutput: Send + Sync + Sized + 'static {
    /// The schema of the structured value; `None` where it is not known ahead.
    fn schema() -> Option<SchemaSource>;

    /// Turns the value into an output: typed for a typed caller, else written as JSON.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOutput`] where it cannot be written.
    fn into_output(self, typed: bool) -> Result<ToolOutput>;

    /// Takes the value out of an output again, for a typed caller.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOutput`] where it does not fit (a layer replaced it, say).
    fn from_output(output: ToolOutput) -> Result<Self>;
}

impl<T> IntoToolOutput for T
where
    T: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static,
{
    fn schema() -> Option<SchemaSource> {
        Some(SchemaSource::Typed(schema::output::<T>))
    }

    #[inline]
    fn into_output(self, typed: bool) -> Result<ToolOutput> {
        Ok(ToolOutput::new(if typed { Body::Typed(Box::new(self)) } else { Body::Json(to_json(&self)?) }))
    }

    fn from_output(output: ToolOutput) -> Result<Self> {
        match output.body {
            Body::Typed(value) => value.into_any().downcast::<T>().map(|value| *value).map_err(|_| {
                Error::new(ErrorKind::InvalidOutput, "the result is of another type than the caller's")
            }),
            _ => output.parse(),
        }
    }
}

impl IntoToolOutput for ToolOutput {
    fn schema() -> Option<SchemaSource> {
        None
    }

    fn into_output(self, _typed: bool) -> Result<ToolOutput> {
        Ok(self)
    }

    fn from_output(output: ToolOutput) -> Result<Self> {
        Ok(output)
    }
}

/// What somebody must do before a call can go on.
///
/// It holds the call, so that the Hub can resume it: `session.resume(required)`.
#[derive(Debug)]
#[non_exhaustive]
pub struct InputRequired {
    /// What is asked for.
    pub request: InputRequest,
    /// When the ticket ends.
    pub expires: Option<SystemTime>,
    /// The call as it was made; the approval is bound to its hash. `None` where a typed call asked
    /// a question: its caller has the value and makes the call again, with the answer in
    /// [`CallOptions::answers`](crate::CallOptions).
    pub call: Option<Box<ToolCall>>,
}

impl From<Box<InputRequired>> for InputRequired {
    fn from(required: Box<InputRequired>) -> Self {
        *required
    }
}

impl InputRequired {
    /// Asks for something.
    #[must_use]
    pub fn new(request: InputRequest) -> Self {
        Self { request, expires: None, call: None }
    }

    /// One sentence for a person or a model.
    #[must_use]
    pub fn message(&self) -> Cow<'_, str> {
        match &self.request {
            InputRequest::Connect { instance, scopes, .. } if scopes.is_empty() => {
                Cow::Owned(format!("Connect an account for `{instance}` first."))
            }
            InputRequest::Connect { instance, scopes, .. } => Cow::Owned(format!(
                "The account connected for `{instance}` lacks the scopes {}; connect it again to grant them.",
                scopes.join(", ")
            )),
            InputRequest::Approve { reason, .. } => {
                Cow::Owned(format!("A person must approve this call: {reason}"))
            }
            InputRequest::Elicit { message, .. } => Cow::Borrowed(message),
        }
    }
}

/// The kinds of thing that a call can be waiting for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum InputRequest {
    /// An account must be connected, or connected again.
    Connect {
        /// The connector instance.
        instance: InstanceId,
        /// Scopes that are missing; empty where there is no connection at all.
        #[serde(default)]
        scopes: Vec<String>,
        /// Where the host lets its user do so, if it said.
        #[serde(default)]
        url: Option<String>,
    },
    /// A person must approve this very call.
    Approve {
        /// The approval to decide.
        approval: ApprovalId,
        /// Why it is asked for.
        reason: String,
    },
    /// The tool asks a question (MCP elicitation).
    Elicit {
        /// The question's name within the tool; the answer is given under it.
        question: String,
        /// The question for a person.
        message: String,
        /// JSON Schema of the answer.
        schema: Value,
    },
}
