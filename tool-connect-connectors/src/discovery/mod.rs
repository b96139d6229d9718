//! Google's discovery documents as connectors: each method of an API becomes a tool.
//!
//! The format is that of <https://developers.google.com/discovery/v1/reference/apis>. [`Discovery::open`] reads a document as far
//! as its list of methods; schemas and requests are made when a tool is first used. [`Discovery::check`] makes all of them and
//! reports. What is taken over, and what is not, stands in `docs/discovery.md`.

mod connector;
mod document;
mod method;
mod names;
mod report;
mod schema;
mod words;

pub use connector::Discovery;
pub use report::{MethodReport, Report};
