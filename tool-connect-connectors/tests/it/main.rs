//! The connectors on real input: files in temporary directories, answers of a scripted provider; most
//! through the tools alone, some through a whole Hub. Each module is there with its connector's feature.

#[cfg(any(
    feature = "database-postgres",
    feature = "database-sqlite",
    feature = "filesystem",
    feature = "http",
    feature = "operation"
))]
mod bench;
#[cfg(all(feature = "filesystem", feature = "http"))]
mod counterparty;
#[cfg(all(feature = "database-postgres", feature = "database-sqlite"))]
mod database;
#[cfg(feature = "declarative")]
mod declarative;
#[cfg(any(feature = "discovery", feature = "openapi", feature = "provider"))]
mod dialects;
#[cfg(feature = "discovery")]
mod discovery;
#[cfg(feature = "filesystem")]
mod filesystem;
#[cfg(feature = "github")]
mod github;
#[cfg(feature = "google")]
mod google;
#[cfg(feature = "http")]
mod http;
#[cfg(all(feature = "filesystem", feature = "http"))]
mod hub;
#[cfg(any(feature = "discovery", feature = "openapi"))]
mod imported;
#[cfg(feature = "linear")]
mod linear;
#[cfg(feature = "notion")]
mod notion;
#[cfg(feature = "openapi")]
mod openapi;
#[cfg(feature = "operation")]
mod operation;
#[cfg(feature = "provider")]
mod provider;
#[cfg(feature = "slack")]
mod slack;
#[cfg(any(feature = "openapi", all(feature = "filesystem", feature = "http")))]
mod vendors;
