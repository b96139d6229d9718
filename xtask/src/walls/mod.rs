//! The walls between the rooms: who may depend on whom (`graph`), and what a source text may not say (`source`).
//! A wall is a line of data here; every breach is told, not only the first.

mod graph;
mod source;

use crate::process::{Failure, Outcome};
use crate::workspace::Workspace;

/// A crate of ours and its walls.
struct Room {
    name: &'static str,
    /// Those of our crates that it may be built from.
    ours: &'static [&'static str],
    /// Crates that may not stand anywhere in its tree, whatever its features.
    without: &'static [&'static [&'static str]],
    /// Whether its sources may name a provider.
    knows_providers: bool,
}

/// Crates that decide something for the host, by what they decide.
const HTTP: &[&str] = &["reqwest", "hyper", "rustls"];
const DATABASES: &[&str] = &["sqlx", "rusqlite", "redis", "tokio-postgres"];
const FRAMEWORKS: &[&str] = &["axum", "rmcp", "oauth2", "rig-core"];
const RUNTIME: &[&str] = &["tokio"];
/// Of these, what no connector needs either: HTTP goes through the host, and one client of a database is enough.
const NO_CONNECTOR: &[&str] = &["reqwest", "hyper", "sqlx", "redis"];

const ROOMS: &[Room] = &[
    Room {
        name: "tool-connect-macros",
        ours: &[],
        without: &[HTTP, DATABASES, FRAMEWORKS, RUNTIME],
        knows_providers: false,
    },
    Room {
        name: "tool-connect-core",
        ours: &["tool-connect-macros"],
        without: &[HTTP, DATABASES, FRAMEWORKS, RUNTIME],
        knows_providers: false,
    },
    Room {
        name: "tool-connect-tower",
        ours: &[],
        without: &[HTTP, DATABASES, FRAMEWORKS],
        knows_providers: false,
    },
    Room {
        name: "tool-connect-hub",
        ours: &["tool-connect-core", "tool-connect-tower"],
        without: &[DATABASES, FRAMEWORKS],
        knows_providers: true,
    },
    Room {
        name: "tool-connect-stores",
        ours: &["tool-connect-core"],
        without: &[HTTP, FRAMEWORKS],
        knows_providers: false,
    },
    Room {
        name: "tool-connect-oauth",
        ours: &["tool-connect-core"],
        without: &[HTTP, DATABASES, &["axum", "rmcp", "rig-core"]],
        knows_providers: true,
    },
    Room {
        name: "tool-connect-connectors",
        ours: &["tool-connect-core"],
        without: &[NO_CONNECTOR, FRAMEWORKS],
        knows_providers: true,
    },
    Room {
        name: "tool-connect-testkit",
        ours: &["tool-connect-core", "tool-connect-hub"],
        without: &[DATABASES, FRAMEWORKS],
        knows_providers: true,
    },
    Room {
        name: "tool-connect",
        ours: &[
            "tool-connect-core",
            "tool-connect-tower",
            "tool-connect-hub",
            "tool-connect-stores",
            "tool-connect-connectors",
            "tool-connect-oauth",
            "tool-connect-testkit",
        ],
        without: &[],
        knows_providers: true,
    },
];

/// Checks every wall and tells all breaches together.
pub(crate) fn run() -> Outcome {
    let workspace = Workspace::load()?;
    let mut breaches = graph::breaches(&workspace)?;
    breaches.extend(source::breaches(&workspace)?);
    if breaches.is_empty() {
        eprintln!("every wall stands");
        return Ok(());
    }
    let mut message = format!("{} wall(s) breached", breaches.len());
    for breach in breaches {
        message.push_str("\n  - ");
        message.push_str(&breach);
    }
    Err(Failure::new(message))
}
