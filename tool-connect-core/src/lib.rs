//! Contracts of tool-connect: what a connector compiles against, and what a host implements.
//!
//! A tool is an argument struct that knows how to run itself; a [`Connector`] is a service's
//! manifest and its tools; a [`Principal`] says who calls; an [`Error`] says who can act on what
//! went wrong. The [`store`] module holds the storage traits with their form in memory.
//!
//! ```
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//! use tool_connect_core::{Result, Run, Tool, ToolContext};
//!
//! /// Add two numbers.
//! #[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
//! #[tool(read_only)]
//! #[serde(deny_unknown_fields)]
//! pub struct Add {
//!     /// First number.
//!     a: i64,
//!     /// Second number.
//!     b: i64,
//! }
//!
//! impl Run for Add {
//!     type Output = i64;
//!     async fn run(self, _cx: &ToolContext) -> Result<i64> {
//!         Ok(self.a.saturating_add(self.b))
//!     }
//! }
//! assert_eq!(Add::definition().name, "add");
//! ```

mod auth;
mod call;
#[doc(hidden)]
pub mod check;
mod clock;
mod connect;
mod connection;
mod connector;
mod context;
mod definition;
mod detail;
pub mod duration;
mod error;
mod event;
mod handover;
pub mod http;
mod ids;
mod memo;
mod outcome;
mod page;
mod principal;
mod problem;
pub mod schema;
mod shape;
pub mod store;
mod tool;
mod vault;

pub use auth::{
    AuthScheme, Authenticator, AwsSigV4, Credential, CredentialSource, CredentialVersion, ExchangeAssertion,
    ExchangeEncoding, HmacAlgorithm, HmacScheme, JwtAlgorithm, OAuth2Scheme, OAuthGrant, TextEncoding,
    TokenExchange, TokenPlace, apply,
};
pub use call::{Arguments, CallOptions, Progress, ProgressSink, ToolCall, TypedArgs};
pub use check::{Pointer, ToolArgs};
pub use clock::{Clock, SystemClock, from_rfc3339, from_unix_millis, rfc3339, unix_millis};
pub use connect::{Connect, ConnectRequest, ConnectTicket};
pub use connection::{Connection, ConnectionStatus, Owner};
pub use connector::{Connector, ConnectorLimits, ConnectorManifest, Rate};
pub use context::{BoxFuture, CallScope, ToolContext};
pub use definition::{Annotations, LazySchema, SchemaFn, SchemaSource, ToolDefinition, title_of};
pub use detail::Detail;
pub use error::{Effect, Error, ErrorKind, Result, Retry};
pub use event::{Event, EventKind, EventSink, EventSinks};
pub use ids::{
    AgentId, ApprovalId, CallId, ConnectionId, InstanceId, MAX_FREE_ID, MAX_INSTANCE_ID, MAX_MODEL_NAME,
    MAX_TOOL_NAME, PlanId, ResultHandle, TaskId, TeamId, TenantId, ToolId, UserId, check_name,
};
pub use memo::Memo;
pub use outcome::{
    Body, Content, FileRef, InputRequest, InputRequired, IntoToolOutput, Provenance, Served, ToolOutcome,
    ToolOutput, TypedOut,
};
pub use page::{Items, Page, Paged, items};
pub use principal::Principal;
pub use problem::{Problem, Problems, pointer_token};
pub use shape::{Budget, Projection, Shape};
pub use tool::{DynamicTool, RegisteredTool, Run, Tool, ToolSet, WithState, parse_dynamic};
#[cfg(feature = "macros")]
pub use tool_connect_macros::{Tool, ToolArgs, tool};
pub use vault::{Rewrapped, SealedPlace, SecretAccess, SecretAccessLog, SecretActor, SecretOpened, Vault};

/// What derived code names; not for use by hand.
#[doc(hidden)]
pub mod __private {
    pub use crate::check::{self, ObjectArgs, Pointer, ToolArgs, object_args};
    pub use crate::tool::input_of;
    pub use crate::{Annotations, Problems, Result, Run, Tool, ToolContext, ToolDefinition};
    pub use {regex_lite, schemars, serde};
}
