//! Connectors for tool-connect, a folder and a feature each.
//!
//! | feature | connector | what its tools do |
//! | --- | --- | --- |
//! | `database-sqlite`, `database-postgres` | [`database::Database`] | one database: list and describe tables, SQL that reads, SQL that writes where allowed |
//! | `declarative` | [`declarative::Declarative`] | the tools that a TOML file describes |
//! | `discovery` | [`discovery::Discovery`] | the methods of a Google discovery document |
//! | `filesystem` | [`filesystem::Filesystem`] | files below one directory: list, read, write, search, stat, move, delete |
//! | `http` | [`http::Http`] | one guarded HTTP request to allowed hosts |
//! | `openapi` | [`openapi::OpenApi`] | the operations of an OpenAPI description |
//!
//! `operation` is what importers and declarative files end in: an HTTP operation as data, [`operation::Operation`].
//!
//! No feature is on by default. A connector knows the contracts of `tool-connect-core` and nothing
//! of the host: no HTTP client, no store, no credential.

#[cfg(any(feature = "database-postgres", feature = "database-sqlite"))]
pub mod database;
#[cfg(feature = "declarative")]
pub mod declarative;
#[cfg(feature = "discovery")]
pub mod discovery;
#[cfg(feature = "filesystem")]
pub mod filesystem;
#[cfg(any(feature = "http", feature = "operation"))]
mod headers;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "openapi")]
pub mod openapi;
#[cfg(feature = "operation")]
pub mod operation;
#[cfg(any(
    feature = "database-postgres",
    feature = "database-sqlite",
    feature = "filesystem",
    feature = "http",
    feature = "operation"
))]
mod spill;
