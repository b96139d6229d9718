//! The files that come with the crate: that they load, what they promise, and what their tools send and make of answers.
//!
//! What is sent and answered stands in JSON files beside this one, a folder for each kind of test.

mod counterparty;
mod errors;
mod pages;
mod promises;
mod sends;
mod sessions;
mod stand;
mod writes;

use serde_json::{Map, Value};
use tool_connect_connectors::declarative::{Declarative, Loader, builtin};
use tool_connect_core::{Connector, RegisteredTool, ToolSet};

/// A file, loaded with values that its address needs.
fn load(id: &str) -> Declarative {
    let loader = match id {
        "jira" => Loader::new().config("cloud_id", "11223344-a1b2-3b33-c444-def123456789"),
        "salesforce" => Loader::new().config("domain", "acme.my"),
        "shopify" => Loader::new().config("shop", "acme"),
        "trello" => Loader::new().config("key", "0123456789abcdef0123456789abcdef"),
        "zendesk" => Loader::new().config("subdomain", "acme"),
        _ => Loader::new(),
    };
    loader.builtin(id).unwrap_or_else(|error| panic!("{id}: {error}"))
}

pub(crate) fn all() -> impl Iterator<Item = (&'static str, Declarative)> {
    builtin::ALL.iter().map(|file| (file.id, load(file.id)))
}

fn tools(connector: &Declarative) -> Vec<RegisteredTool> {
    let mut set = ToolSet::default();
    connector.tools(&mut set);
    set.into_tools()
}

/// A file of this folder.
fn text(folder: &str, id: &str) -> String {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/declarative/builtin");
    let path = format!("{root}/{folder}/{id}.json");
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn json(folder: &str, id: &str) -> Value {
    serde_json::from_str(&text(folder, id)).unwrap_or_else(|error| panic!("{folder}/{id}.json: {error}"))
}

/// Each tool's call, by its name: `with` are the arguments, `sends` is the request that they make.
fn calls(id: &str) -> Map<String, Value> {
    match json("calls", id) {
        Value::Object(calls) => calls,
        other => panic!("calls/{id}.json: {other}"),
    }
}
