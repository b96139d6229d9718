//! One HTTP operation as data: how arguments become a request, and an answer a result.
//!
//! What the importers read from a description and a declarative file says of a tool end here; nothing of either is left.

mod answer;
mod body;
mod errors;
mod multipart;
mod page;
mod placed;
mod project;
mod request;
mod run;
mod schema;
mod style;
mod texts;
mod types;

#[cfg(feature = "openapi")]
pub(crate) use request::alternatives;

pub use run::Pages;
pub use types::{
    Answer, Body, BodyContent, Encoding, ErrorRule, FormField, Operation, PageValue, Pagination, Parameter,
    ParameterStyle, Part, Place, Placed,
};
