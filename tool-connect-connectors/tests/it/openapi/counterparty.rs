//! Descriptions that others wrote, and a server that others wrote which holds requests against one of them.
#![allow(clippy::print_stdout, reason = "how much was imported and sent is worth reading")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response};
use schemars::Schema;
use serde_json::{Map, Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tool_connect_connectors::openapi::{OpenApi, Report};
use tool_connect_core::http::{ByteStream, RequestBody, Transport, TransportLimits};
use tool_connect_core::{Error, ErrorKind, RegisteredTool, Result, ToolDefinition, schema};
use tool_connect_testkit::Harness;

use super::tools;
use crate::imported::{Imported, on_every_core};
use crate::vendors::{assert_accepted, forms};

/// What `cargo xtask` brought: see `docs/testing.md`.
struct Brought {
    github: PathBuf,
    port: u16,
    directory: PathBuf,
    examples: PathBuf,
}

fn brought() -> Brought {
    let text = std::env::var("TOOL_CONNECT_COUNTERPARTY_OPENAPI")
        .expect("run by `cargo xtask counterparty`, which brings what this needs");
    let value: Value = serde_json::from_str(&text).unwrap();
    let path = |name: &str| PathBuf::from(value[name].as_str().unwrap());
    Brought {
        github: path("github"),
        port: value["validator"]["port"].as_u64().unwrap().try_into().unwrap(),
        directory: path("directory"),
        examples: path("examples"),
    }
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|end| end == "json" || end == "yaml") {
            found.push(path);
        }
    }
    found.sort();
}

/// A dozen services of many kinds, by their place in the directory.
const DOZEN: [&str; 12] = [
    "amazonaws.com/s3",
    "amazonaws.com/sqs",
    "asana.com",
    "box.com",
    "digitalocean.com",
    "docusign.net",
    "googleapis.com/calendar",
    "slack.com",
    "stripe.com",
    "trello.com",
    "twilio.com/api",
    "xero.com/xero_accounting",
];

/// Each operation is a tool, or says why it is none and where.
fn assert_reasoned(name: &str, report: &Report) {
    for failed in report.failed() {
        let problem = failed.problem.as_ref().unwrap();
        assert!(!problem.message.is_empty() && problem.place.starts_with('/'), "{name}: {problem}");
    }
}

#[test]
#[ignore = "needs a counterparty"]
fn counterparty_every_operation_of_github_is_a_tool() {
    let api = OpenApi::open(std::fs::read(brought().github).unwrap()).unwrap();
    assert_eq!(api.operations().count(), 1223);
    let report = api.check();
    assert_eq!(report.operations.len(), 1223);
    assert_reasoned("github", &report);
    assert_eq!(report.imported(), 1223, "{report}");
    let names: BTreeSet<&str> = report.operations.iter().map(|operation| operation.tool.as_str()).collect();
    assert_eq!(names.len(), 1223);
    assert!(names.contains("issues_create") && names.contains("repos_list_commits"));
}

#[test]
#[ignore = "needs a counterparty"]
fn counterparty_every_example_is_read_and_a_dozen_services_become_tools() {
    let brought = brought();
    let mut all = Vec::new();
    files(&brought.examples, &mut all);
    let (mut operations, mut imported, mut documents) = (0, 0, 0);
    let mut refused = Vec::new();
    for file in all {
        let name = file.strip_prefix(&brought.examples).unwrap().display().to_string();
        match OpenApi::open(std::fs::read(&file).unwrap()) {
            Ok(api) => {
                documents += 1;
                let report = api.check();
                assert_reasoned(&name, &report);
                operations += report.operations.len();
                imported += report.imported();
            }
            Err(error) => refused.push(format!("{name}: {}", error.message())),
        }
    }
    println!("examples: {documents} documents, {imported} of {operations} operations; refused: {refused:#?}");
    // What is refused are packages' own files and parts of descriptions.
    assert!(documents >= 100, "{documents}");
    assert!(refused.iter().all(|line| line.contains("no OpenAPI description")), "{refused:#?}");
    assert!(imported * 1000 >= operations * 995, "{imported} of {operations}");

    for name in DOZEN {
        let file = brought.directory.join(format!("{name}.json"));
        let report = OpenApi::open(std::fs::read(&file).unwrap()).unwrap().check();
        assert_reasoned(name, &report);
        let (imported, all) = (report.imported(), report.operations.len());
        println!("{name}: {imported} of {all}");
        assert!(imported * 1000 >= all * 995, "{name}: {report}");
    }
}

/// The tools of the dozen and of the examples, by their files, each file's in a call.
fn with_every_tool(brought: &Brought, work: impl Fn(&str, &[RegisteredTool]) + Sync) {
    let mut all: Vec<PathBuf> =
        DOZEN.iter().map(|name| brought.directory.join(format!("{name}.json"))).collect();
    files(&brought.examples, &mut all);
    on_every_core(&all, |file| {
        let place = file.display().to_string();
        // What is refused is counted where the documents are.
        let Ok(api) = OpenApi::open(std::fs::read(file).unwrap()) else { return };
        let base = "https://service.example/".parse().unwrap();
        match api.connector("api").base_url(base).with_deprecated().with_hidden().build() {
            Ok(connector) => work(&place, &tools(&connector)),
            Err(_) => assert_eq!(api.operations().count(), 0, "{place}"),
        }
    });
}

#[test]
#[ignore = "needs a counterparty"]
fn counterparty_every_schema_of_the_examples_and_the_dozen_fits_every_dialect() {
    let imported = Imported::default();
    with_every_tool(&brought(), |place, tools| {
        tools.iter().for_each(|tool| imported.assert_fits(place, tool))
    });
    let (tools, schemas) = imported.counts();
    println!("{tools} tools with {schemas} schemas, in every dialect");
    assert!(tools >= 4000, "{tools}");
}

#[test]
#[ignore = "needs a counterparty"]
fn counterparty_types_of_the_model_vendors_accept_every_imported_tool() {
    let brought = brought();
    let imported = Imported::default();
    let different = Mutex::new(Vec::new());
    let gather = |place: &str, tools: &[RegisteredTool]| {
        for tool in tools {
            let schema = imported.new_schema(place, tool);
            different.lock().unwrap().extend(schema.map(|schema| (Arc::clone(tool.definition()), schema)));
        }
    };
    with_every_tool(&brought, gather);
    let github = OpenApi::open(std::fs::read(&brought.github).unwrap()).unwrap();
    let github = tools(&github.connector("github").with_deprecated().with_hidden().build().unwrap());
    on_every_core(&github.chunks(100).collect::<Vec<_>>(), |tools| gather("github", tools));
    let judged = AtomicUsize::new(0);
    // The judge takes seconds to start.
    let different = different.into_inner().unwrap();
    on_every_core(&different.chunks(400).collect::<Vec<_>>(), |tools| {
        let forms = |(tool, schema): &(Arc<ToolDefinition>, Schema)| {
            forms(&format!("api__{}", tool.name), &tool.description, schema.as_value())
        };
        let entries: Vec<Value> = tools.iter().flat_map(forms).collect();
        assert_accepted(&entries);
        judged.fetch_add(entries.len(), Ordering::Relaxed);
    });
    let ((tools, schemas), judged) = (imported.counts(), judged.into_inner());
    println!("{tools} tools with {schemas} schemas: {judged} definitions were accepted");
    assert!(tools >= 5200 && judged == 6 * schemas);
}

#[test]
#[ignore = "needs a counterparty"]
fn counterparty_every_schema_of_github_is_usable() {
    let api = OpenApi::open(std::fs::read(brought().github).unwrap()).unwrap();
    let github = api.connector("github").with_deprecated().with_hidden().build().unwrap();
    let imported = Imported::default();
    on_every_core(&tools(&github), |tool| {
        let name = &tool.definition().name;
        let made = tool.definition().input.schema().unwrap_or_else(|why| panic!("{name}: {why}"));
        assert_eq!(schema::problems_of_input(&made), Vec::<String>::new(), "{name}");
        assert!(made.as_value().to_string().len() <= 32 * 1024, "{name}");
        imported.assert_fits("github", tool);
    });
    let (tools, schemas) = imported.counts();
    println!("{tools} tools with {schemas} schemas, in every dialect");
    assert_eq!(tools, 1223);
}

/// Sends what is meant for the service to the server that stands for it.
struct Elsewhere {
    port: u16,
    /// What it said of each request: status and body.
    said: Mutex<Vec<(u16, String)>>,
}

#[async_trait]
impl Transport for Elsewhere {
    async fn send(&self, request: Request<RequestBody>, _: &TransportLimits) -> Result<Response<ByteStream>> {
        let broken = |what: &str| Error::new(ErrorKind::Transport, format!("the counterparty: {what}"));
        let (parts, body) = request.into_parts();
        let body = match body {
            RequestBody::Bytes(bytes) => bytes,
            _ => Bytes::new(),
        };
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        let mut head = format!(
            "{} {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n",
            parts.method,
            body.len()
        );
        for (name, value) in &parts.headers {
            if name != "host" && name != "content-length" {
                head.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
            }
        }
        head.push_str("\r\n");
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.map_err(|_| broken("refused"))?;
        stream.write_all(head.as_bytes()).await.map_err(|_| broken("closed"))?;
        stream.write_all(&body).await.map_err(|_| broken("closed"))?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.map_err(|_| broken("broke off"))?;
        let text = String::from_utf8_lossy(&answer);
        let (head, body) = text.split_once("\r\n\r\n").ok_or_else(|| broken("no head"))?;
        let status: u16 =
            head.split(' ').nth(1).and_then(|s| s.parse().ok()).ok_or_else(|| broken("no status"))?;
        self.said.lock().unwrap().push((status, body.to_owned()));
        // What it says of a request is for the test; the tool gets an empty answer.
        let mut response = Response::new(
            Box::pin(futures_util::stream::iter([Ok(Bytes::from_static(b"{}"))])) as ByteStream,
        );
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(response)
    }
}

/// A value that fits a schema: what is required and no more.
fn sample(schema: &Value, root: &Value, depth: usize) -> Value {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix('#')) {
        return root.pointer(name).map_or(Value::Null, |schema| sample(schema, root, depth + 1));
    }
    for key in ["const", "default"] {
        if let Some(value) = schema.get(key) {
            return value.clone();
        }
    }
    for key in ["enum", "examples"] {
        if let Some(value) = schema.get(key).and_then(|all| all.get(0)) {
            return value.clone();
        }
    }
    if let Some(form) = schema.get("anyOf").and_then(|all| all.get(0)) {
        let mut found = sample(form, root, depth + 1);
        // What stands beside the alternatives holds too, and says more of a name than they do.
        for (name, beside) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if let Some(member) = found.as_object_mut().and_then(|object| object.get_mut(name)) {
                *member = sample(beside, root, depth + 1);
            }
        }
        return found;
    }
    let typed = match schema.get("type") {
        Some(Value::Array(many)) => many.first().and_then(Value::as_str).unwrap_or("string"),
        Some(Value::String(one)) => one,
        _ => "string",
    };
    let number = |key: &str| schema.get(key).and_then(Value::as_u64);
    match typed {
        "integer" | "number" => json!(number("minimum").unwrap_or(1)),
        "boolean" => json!(true),
        "null" => Value::Null,
        "array" => {
            let items = schema.get("items").cloned().unwrap_or_default();
            Value::Array(vec![
                sample(&items, root, depth + 1);
                usize::try_from(number("minItems").unwrap_or(1)).unwrap()
            ])
        }
        "object" => {
            let mut object = Map::new();
            let names = |schema: &Value| -> Vec<String> {
                let names = schema.get("required").and_then(Value::as_array).into_iter().flatten();
                names.filter_map(Value::as_str).map(str::to_owned).collect()
            };
            let mut required = names(schema);
            // What the root says of arguments of which one must be given.
            let said = schema.get("description").and_then(Value::as_str).filter(|_| depth == 0);
            let set = said.and_then(|text| text.strip_prefix("Give at least one of ")?.split(';').next());
            required
                .extend(set.into_iter().flat_map(|set| set.split('`').skip(1).step_by(2)).map(str::to_owned));
            for (name, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
                if required.contains(name) && depth < 12 {
                    object.insert(name.clone(), sample(schema, root, depth + 1));
                }
            }
            Value::Object(object)
        }
        _ if schema.get("format").is_some_and(|format| format == "date-time") => {
            json!("2026-01-02T03:04:05Z")
        }
        _ => {
            let text =
                "text".repeat(usize::try_from(number("minLength").unwrap_or(1)).unwrap().div_ceil(4).max(1));
            match number("maxLength") {
                Some(most) if most < 4 => json!(text[..usize::try_from(most).unwrap()]),
                Some(most) => json!(text.chars().take(usize::try_from(most).unwrap()).collect::<String>()),
                None => json!(text),
            }
        }
    }
}

#[tokio::test]
#[ignore = "needs a counterparty"]
async fn counterparty_requests_of_imported_tools_are_valid_at_a_server_of_the_same_description() {
    let brought = brought();
    let api = OpenApi::open(std::fs::read(&brought.github).unwrap()).unwrap();
    let github = api.connector("github").with_deprecated().with_hidden().build().unwrap();
    let tags: BTreeMap<String, Vec<String>> = api
        .operations()
        .map(|operation| (format!("{} {}", operation.method(), operation.path()), operation.tags()))
        .collect();
    // Four of each tag: the server is slow, and the tags are the kinds of requests that there are.
    let mut of_tag: BTreeMap<String, usize> = BTreeMap::new();
    let sent: Vec<(String, String)> = github
        .names()
        .map(|(name, method, path)| (name.to_owned(), format!("{method} {path}")))
        .filter(|(_, operation)| {
            tags[operation].iter().any(|tag| {
                let times = of_tag.entry(tag.clone()).or_insert(0);
                *times += 1;
                *times <= 4
            })
        })
        .collect();
    let schemas: BTreeMap<String, Value> = tools(&github)
        .iter()
        .map(|tool| {
            (tool.definition().name.to_string(), tool.definition().input.schema().unwrap().as_value().clone())
        })
        .collect();
    let elsewhere = Arc::new(Elsewhere { port: brought.port, said: Mutex::default() });
    let harness = Harness::builder(github).transport(Arc::clone(&elsewhere) as _).build().await.unwrap();
    let mut reached = BTreeSet::new();
    let mut invalid = Vec::new();
    let mut not_sent = Vec::new();
    for (name, operation) in &sent {
        let mut arguments = sample(&schemas[name], &schemas[name], 0);
        // A file is one of two things, which its schema does not say.
        for (argument, value) in arguments.as_object_mut().unwrap() {
            if schemas[name]["properties"][argument]["properties"].get("base64").is_some() {
                *value = json!({"base64": "aGVsbG8="});
            }
        }
        let result = harness.call(name, arguments.clone()).await;
        let said = elsewhere.said.lock().unwrap().pop();
        match said {
            Some((200, _)) => reached.extend(tags[operation].iter().cloned()),
            Some((status, text)) => invalid.push(format!("{operation}: {arguments} → {status} {text}")),
            None => not_sent.push(format!(
                "{operation}: {arguments} → {:?}",
                result.err().map(|error| error.to_string())
            )),
        }
    }
    println!(
        "sent {} of {}; invalid: {invalid:#?}; not sent: {not_sent:#?}",
        sent.len() - not_sent.len(),
        sent.len()
    );
    let all: BTreeSet<String> = tags.into_values().flatten().collect();
    let missing: Vec<&String> = all.difference(&reached).collect();
    assert!(missing.is_empty(), "no valid request for the tags {missing:?}");
    assert!(not_sent.is_empty(), "{not_sent:#?}");
    assert!(invalid.is_empty(), "{invalid:#?}");
    harness.finish().await.unwrap();
}
