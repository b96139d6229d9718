//! The normaliser and the lint: each change by example, and the promises over generated schemas.

mod examples;
mod generated;
mod hostile;
mod support;
