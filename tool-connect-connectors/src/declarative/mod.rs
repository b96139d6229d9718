//! Connectors from TOML files: a service's address, its way to authenticate and its tools as data, loaded at run time.
//!
//! The format is explained line by line in `docs/declarative.md`. [`Loader`] reads a file, by the host or on behalf of a
//! tenant; [`Declarative`] is the connector. Every mistake in a file is a `Config` error with its place and its mend.

mod answer;
mod argument;
mod auth;
mod body;
pub mod builtin;
mod connector;
mod file;
mod load;
mod operation;
mod schema;

pub use connector::Declarative;
pub use load::Loader;
