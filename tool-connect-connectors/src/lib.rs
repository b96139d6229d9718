//! Connectors for tool-connect, a folder and a feature each.
//!
//! | feature | connector | what its tools do |
//! | --- | --- | --- |
//! | `filesystem` | [`filesystem::Filesystem`] | files below one directory: list, read, write, search, stat, move, delete |
//! | `http` | [`http::Http`] | one guarded HTTP request to allowed hosts |
//!
//! No feature is on by default. A connector knows the contracts of `tool-connect-core` and nothing
//! of the host: no HTTP client, no store, no credential.

#[cfg(feature = "filesystem")]
pub mod filesystem;
#[cfg(feature = "http")]
pub mod http;
#[cfg(any(feature = "filesystem", feature = "http"))]
mod spill;
