//! Tests of the call stack and of the registry before it, from the outside: a Hub, a session, calls.
//! `support` holds the connector and the tools that they share, `faults` stores that fail or hang on
//! demand; each other module is a theme.

mod approvals;
mod approvals_once;
mod bad_input;
mod cached;
mod connections;
mod deadline;
mod faults;
mod gone;
mod idempotency;
mod layers;
mod limits;
mod model;
mod observed;
mod order;
mod overlays;
mod pages;
mod panics;
mod policy;
mod registry;
mod results;
mod runtimes;
mod settings;
mod shaping;
mod storage;
pub(crate) mod support;
mod typed;
mod typed_ways;
