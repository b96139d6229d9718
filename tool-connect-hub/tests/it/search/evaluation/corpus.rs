//! The tools that the importer makes of published descriptions, in one Hub, and what the search is given of each.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tool_connect_connectors::openapi::{Api, OpenApi};
use tool_connect_core::TenantId;
use tool_connect_hub::{Hub, ListRequest, Session, ToolInfo};

use crate::calls::support::ada;

/// As deep, and so many, as the index takes of a tool's arguments.
const DEEPEST: usize = 3;
const MOST: usize = 60;

/// A Hub with an instance for each description.
pub(super) struct Corpus {
    pub(super) hub: Hub,
    pub(super) session: Session,
    pub(super) tools: Vec<Imported>,
}

/// An operation that is a tool.
pub(super) struct Imported {
    pub(super) id: String,
    /// What its description says in short; also where that is withheld from the tool.
    pub(super) summary: String,
    /// All that the search is given of it, as one text.
    pub(super) text: String,
}

impl Corpus {
    /// Imports all descriptions, as they are or without the operations' summaries.
    pub(super) async fn import(withheld: bool) -> Self {
        let mut hub = Hub::builder();
        let mut summaries: HashMap<String, String> = HashMap::new();
        for (instance, file) in descriptions() {
            let (api, said) = one(&instance, &file, withheld);
            summaries.extend(said);
            hub = hub.connector(api);
        }
        let hub = hub.build().unwrap();
        let session = hub.session(ada());
        let providers = hub.instances(&TenantId::new("acme").unwrap());
        let listed = session.tools(&ListRequest::default()).await.unwrap().tools;
        let tools = listed.iter().map(|tool| Imported {
            id: tool.id().to_string(),
            summary: summaries.remove(tool.id().as_str()).unwrap_or_default(),
            text: text(tool, &providers[tool.id().instance()].name),
        });
        Self { tools: tools.collect(), hub, session }
    }
}

/// Each instance, and the file with its description, which `cargo xtask` brought.
fn descriptions() -> Vec<(String, PathBuf)> {
    let brought = std::env::var("TOOL_CONNECT_COUNTERPARTY_OPENAPI")
        .expect("run by `cargo xtask counterparty`, which brings the descriptions");
    let brought: Value = serde_json::from_str(&brought).unwrap();
    let directory = Path::new(brought["directory"].as_str().unwrap());
    let places: BTreeMap<String, String> = toml::from_str(include_str!("descriptions.toml")).unwrap();
    let others = places.into_iter().map(|(id, place)| (id, directory.join(format!("{place}.json"))));
    others.chain([("github".to_owned(), PathBuf::from(brought["github"].as_str().unwrap()))]).collect()
}

/// The connector, and by the id of each of its tools the operation's summary.
fn one(instance: &str, file: &Path, withheld: bool) -> (Api, Vec<(String, String)>) {
    let read = fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let described = OpenApi::open(read.clone()).unwrap();
    let imported =
        if withheld { OpenApi::open(without_summaries(&read)).unwrap() } else { described.clone() };
    let api = imported
        .connector(instance)
        .with_deprecated()
        .with_hidden()
        // What is connected counts more; here all of it shall count the same.
        .auth([])
        .base_url("https://service.example".parse().unwrap())
        .build()
        .unwrap();
    let mut said: HashMap<_, _> = described
        .operations()
        .map(|operation| ((operation.method(), operation.path()), operation.summary()))
        .collect();
    let summaries = api
        .names()
        .map(|(name, method, path)| {
            let summary = said.remove(&(method, path)).unwrap_or_default();
            (format!("{instance}.{name}"), summary.split_whitespace().collect::<Vec<_>>().join(" "))
        })
        .collect();
    (api, summaries)
}

/// A description whose operations have no summary, nor one at the beginning of what they say at length.
fn without_summaries(description: &[u8]) -> Vec<u8> {
    let mut document: Value = serde_json::from_slice(description).unwrap();
    let items = document["paths"].as_object_mut().unwrap().values_mut().filter_map(Value::as_object_mut);
    for operation in items.flat_map(|item| item.values_mut()).filter_map(Value::as_object_mut) {
        let Some(Value::String(summary)) = operation.shift_remove("summary") else { continue };
        if let Some(Value::String(said)) = operation.get_mut("description") {
            *said = after(said, &summary).to_owned();
        }
    }
    serde_json::to_vec(&document).unwrap()
}

/// What a text says after another that it begins with, or all of it. Letters and digits are compared, in any case; markup is not.
fn after<'a>(text: &'a str, beginning: &str) -> &'a str {
    let mut said = beginning.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).peekable();
    let mut tag = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if said.peek().is_none() => {
                return text[at..].trim_start_matches(|c: char| c != '<' && !c.is_alphanumeric());
            }
            '<' => tag = true,
            '>' => tag = false,
            c if tag || !c.is_alphanumeric() => {}
            c if c.to_lowercase().all(|c| said.next() == Some(c)) => {}
            _ => return text,
        }
    }
    if said.peek().is_none() { "" } else { text }
}

/// All that the search is given of a tool.
fn text(tool: &ToolInfo, provider: &str) -> String {
    let definition = tool.definition();
    let schema: Value = serde_json::from_str(tool.input_schema()).unwrap();
    let (mut names, mut values) = (Vec::new(), Vec::new());
    arguments(&schema, &schema, DEEPEST, &mut names, &mut values);
    names.truncate(MOST);
    values.truncate(MOST);
    let (names, values) = (names.join(" "), values.join(" "));
    format!("{} {provider} {} {} {names} {values}", tool.id(), definition.title, definition.description)
}

/// Names of arguments, and values that they may have.
fn arguments<'a>(
    root: &'a Value,
    schema: &'a Value,
    deep: usize,
    names: &mut Vec<&'a str>,
    values: &mut Vec<&'a str>,
) {
    values.extend(schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str));
    if deep == 0 || (names.len() > MOST && values.len() > MOST) {
        return;
    }
    let target = schema["$ref"].as_str().and_then(|to| root.pointer(to.strip_prefix('#')?));
    let lists =
        ["anyOf", "oneOf", "allOf"].into_iter().filter_map(|inner| schema[inner].as_array()).flatten();
    for inner in target.into_iter().chain(schema.get("items")).chain(lists) {
        arguments(root, inner, deep - 1, names, values);
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        names.push(name);
        arguments(root, property, deep - 1, names, values);
    }
}

#[test]
fn what_is_withheld_is_taken_from_the_beginning_too() {
    for (text, summary, left) in [
        ("<p>Lists pets. By name.</p>", "List pets", "<p>Lists pets. By name.</p>"),
        ("<p><b>Lists</b> pets. By name.</p>", "lists Pets.", "By name.</p>"),
        ("Lists pets.", "Lists pets", ""),
        ("Lists", "Lists pets", "Lists"),
    ] {
        assert_eq!(after(text, summary), left, "{text}");
    }
}
