//! Counterparties: programs and data that nobody here wrote, which the tests are held against. What they are stands in
//! `tests/counterparties/`; here they are installed below the target folder, started on free ports, handed to the tests
//! through environment variables, and stopped again.
//!
//! Nothing is skipped: where one cannot be brought, that is a failure that says what is missing.

mod install;
mod server;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::process::{self, Failure, Outcome};
use crate::workspace::Workspace;
use server::Server;

/// JSON of the authorization server: its issuer, its clients and their secrets. See `authorization_server.mjs`.
const OIDC: &str = "TOOL_CONNECT_COUNTERPARTY_OIDC";
/// Path of the JSON file with the OAuth endpoints that independent packages know.
const ENDPOINTS: &str = "TOOL_CONNECT_COUNTERPARTY_ENDPOINTS";

/// How long a server may take until it is ready; a slow machine that does other things needs some seconds.
const START: Duration = Duration::from_secs(60);

/// Counterparties that run. They are stopped when this is dropped, also on the way out of a failure.
pub(crate) struct Counterparties {
    _servers: Vec<Server>,
    env: Vec<(&'static str, OsString)>,
}

impl Counterparties {
    /// Installs what is not installed yet, and starts the servers.
    pub(crate) fn bring(workspace: &Workspace) -> Outcome<Self> {
        let sources = workspace.root.join("tests").join("counterparties");
        let cache = workspace.target.join("counterparties");
        let node = install::node(&sources, &cache)?;
        let python = install::python(&sources, &cache)?;

        let endpoints = cache.join("endpoints.json");
        std::fs::write(&endpoints, gathered(&node, &python)?.to_string())?;

        let server = Server::start(&mut node.script("authorization_server.mjs"), START)?;
        let env = vec![(OIDC, server.ready().into()), (ENDPOINTS, endpoints.into())];
        Ok(Self { _servers: vec![server], env })
    }

    /// Tells a command where they are.
    pub(crate) fn tell<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.envs(self.env.iter().map(|(name, value)| (name, value)))
    }
}

/// What the packages of both languages know, by the name of the package.
fn gathered(node: &install::Node, python: &install::Python) -> Outcome<Value> {
    let mut all = serde_json::Map::new();
    for text in [
        process::capture(&mut node.script("endpoints.mjs"))?,
        process::capture(&mut python.script("endpoints.py"))?,
    ] {
        match serde_json::from_str(&text)? {
            Value::Object(packages) => all.extend(packages),
            _ => return Err(Failure::new("a script that lists endpoints printed something else")),
        }
    }
    Ok(Value::Object(all))
}

/// `cargo xtask counterparty [crate [filter]]`: brings them and runs the tests that need them, of one crate or of all, and
/// of these the ones whose name holds the filter.
pub(crate) fn run(package: Option<&str>, filter: Option<&str>) -> Outcome {
    let workspace = Workspace::load()?;
    let counterparties = Counterparties::bring(&workspace)?;
    let mut command = tests(&workspace, package);
    command.arg(filter.unwrap_or(PREFIX));
    process::run(counterparties.tell(&mut command))
}

/// What every test that needs a counterparty has in its name.
pub(crate) const PREFIX: &str = "counterparty";

/// `cargo test` of the ignored tests; a filter follows.
pub(crate) fn tests(workspace: &Workspace, package: Option<&str>) -> Command {
    let mut command = workspace.cargo("test");
    match package {
        Some(package) => command.args(["--package", package]),
        None => command.arg("--workspace"),
    };
    command.args(["--all-features", "--tests", "--no-fail-fast", "--", "--ignored", "--show-output"]);
    command
}

/// Where a package manager puts things of one lock file.
fn folder(cache: &std::path::Path, kind: &str, pins: &[&str]) -> PathBuf {
    use std::hash::{DefaultHasher, Hash, Hasher};
    // Only a name for a cache: another hash means another folder and one more installation.
    let mut hasher = DefaultHasher::new();
    pins.hash(&mut hasher);
    cache.join(format!("{kind}-{:016x}", hasher.finish()))
}
