//! All of Google's discovery documents, and the requests that Google's own client for Python makes of some of them.
#![allow(clippy::print_stdout, reason = "what was found is for docs/discovery.md")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde::Deserialize;
use serde_json::{Value, json};
use tool_connect_connectors::discovery::Discovery;
use tool_connect_connectors::operation::Operation;
use tool_connect_core::http::{OutboundRequest, RequestBody};
use tool_connect_core::{Connector as _, ToolSet};
use url::Url;

use crate::bench::Bench;
use crate::imported::{Imported, on_every_core};

#[derive(Deserialize)]
struct Told {
    documents: PathBuf,
    requests: BTreeMap<String, Vec<Sample>>,
}

/// A request that the client makes.
#[derive(Deserialize)]
struct Sample {
    id: String,
    kind: String,
    arguments: BTreeMap<String, Value>,
    method: String,
    uri: String,
    version: Option<String>,
    body: Option<Value>,
}

fn told() -> Told {
    let path = std::env::var("TOOL_CONNECT_COUNTERPARTY_DISCOVERY")
        .expect("TOOL_CONNECT_COUNTERPARTY_DISCOVERY is not set: run this with `cargo xtask counterparty`");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// All documents, in the order of their names.
fn documents() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(told().documents).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "json") && !path.ends_with("index.json"));
    files.sort();
    files
}

#[test]
#[ignore = "needs a counterparty"]
fn every_method_of_every_document_is_a_tool_or_has_a_reason() {
    let files = documents();
    let (mut methods, mut tools, mut imported, mut cut) = (0_usize, 0, 0, 0);
    let mut largest = (0, String::new());
    for path in &files {
        let discovery = Discovery::open(&std::fs::read(path).unwrap()).unwrap();
        let report = discovery.check();
        assert!(report.broken_resources.is_empty(), "{}: {report}", path.display());
        let mut ids: Vec<&str> = report.methods.iter().map(|method| method.id.as_str()).collect();
        ids.dedup();
        methods += ids.len();
        tools += report.methods.len();
        imported += report.imported();
        cut += report.methods.iter().filter(|method| !method.notes.is_empty()).count();
        for failed in report.failed() {
            println!("{}: {}", failed.id, failed.problem.as_deref().unwrap_or_default());
        }
        // Names are unique, and every definition is one that a Hub takes.
        let mut set = ToolSet::default();
        discovery.tools(&mut set);
        let mut names: Vec<&str> = set.tools().iter().map(|tool| &*tool.definition().name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count, "{}", path.display());
        let instance = tool_connect_core::InstanceId::new(&discovery.manifest().id).unwrap();
        for name in names {
            tool_connect_core::ToolId::new(&instance, name).unwrap();
        }
        if count > largest.0 {
            largest = (count, discovery.manifest().id.clone());
        }
    }
    println!(
        "{} documents, {methods} methods, {tools} tools, {imported} imported, {cut} with a note; largest: {} with {}",
        files.len(),
        largest.1,
        largest.0
    );
    assert!(files.len() >= 600 && methods >= 28_000);
    assert!(imported * 1000 >= tools * 995, "{imported} of {tools}");
}

#[test]
#[ignore = "needs a counterparty"]
fn schemas_of_every_tool_fit_every_dialect() {
    let (imported, listed) = (Imported::default(), AtomicUsize::new(0));
    on_every_core(&documents(), |path| {
        let place = path.file_stem().unwrap().to_string_lossy();
        let discovery = Discovery::open(&std::fs::read(path).unwrap()).unwrap();
        let mut set = ToolSet::default();
        discovery.tools(&mut set);
        listed.fetch_add(set.tools().len(), Ordering::Relaxed);
        for tool in set.tools() {
            imported.assert_fits(&place, tool);
        }
    });
    let (tools, schemas) = imported.counts();
    println!("{tools} tools with {schemas} schemas, in every dialect");
    assert_eq!(tools, listed.into_inner());
    assert!(tools >= 28_000 && schemas >= 5_000);
}

#[tokio::test]
#[ignore = "needs a counterparty"]
async fn requests_are_those_of_googles_own_client() {
    let told = told();
    let (mut compared, mut unlike) = (0, Vec::new());
    for (api, samples) in &told.requests {
        let text = std::fs::read(told.documents.join(format!("{api}.json"))).unwrap();
        let discovery = Discovery::open(&text).unwrap();
        let bench = Bench::new(&discovery);
        bench.shared.base_url.set(discovery.manifest().base_url.clone().unwrap()).unwrap();
        let sent: Arc<Mutex<Vec<OutboundRequest>>> = Arc::default();
        let kept = Arc::clone(&sent);
        bench.answer(move |request| {
            kept.lock().unwrap().push(request);
            Ok(crate::operation::answer(200, &[("content-type", "application/json")], "{}"))
        });
        let report = discovery.check();
        for sample in samples {
            // A method's tools stand in this order: plain, upload, download.
            let mut of_it = report.methods.iter().filter(|method| method.id == sample.id);
            let found = match sample.kind.as_str() {
                "" => of_it.next(),
                "_upload" => of_it.rfind(|method| method.tool.ends_with("_upload")),
                _ => of_it.next_back(),
            };
            let tool = &found.unwrap_or_else(|| panic!("{} {}", sample.id, sample.kind)).tool;
            let operation = discovery.operation(tool).unwrap();
            bench
                .call(tool, arguments(&operation, sample))
                .await
                .unwrap_or_else(|error| panic!("{}: {error}", sample.id));
            let request = sent.lock().unwrap().pop().unwrap();
            compared += 1;
            if let Some(difference) = difference(sample, &request) {
                unlike.push(format!("{} {}: {difference}", sample.id, sample.kind));
            }
        }
    }
    println!("{compared} requests of {} APIs compared, {} unlike", told.requests.len(), unlike.len());
    assert!(compared >= 700);
    assert!(unlike.is_empty(), "{}", unlike.join("\n"));
}

#[tokio::test]
#[ignore = "needs a counterparty"]
async fn counterparty_uploads_in_pieces_are_those_of_googles_own_client() {
    let path = std::env::var("TOOL_CONNECT_COUNTERPARTY_GOOGLE")
        .expect("TOOL_CONNECT_COUNTERPARTY_GOOGLE is not set: run this with `cargo xtask counterparty`");
    let made: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let uploads =
        made["google_drive"].as_array().unwrap().iter().map(|case| case["requests"].as_array().unwrap());
    // It begins with what the file belongs to, and its length.
    let theirs = uploads
        .filter(|case| {
            case[0]["headers"]["x-upload-content-length"] == "9437184" && case[0]["method"] == "POST"
        })
        .collect::<Vec<_>>();
    let [theirs] = theirs.as_slice() else { panic!("{} uploads", theirs.len()) };

    let text = std::fs::read(told().documents.join("drive.v3.json")).unwrap();
    let discovery = Discovery::open(&text).unwrap();
    let begin = Url::parse(theirs[0]["uri"].as_str().unwrap()).unwrap();
    let fields = begin.query_pairs().find(|(name, _)| name == "fields").unwrap().1.into_owned();
    let arguments = json!({"body": theirs[0]["json"], "fields": fields, "supportsAllDrives": true});
    let session = "https://www.googleapis.com/upload/drive/v3/files?upload_id=1";
    let (ended, sent) = super::in_pieces(&discovery, "files_create_upload", arguments, session).await;
    ended.unwrap();
    assert_eq!(sent.len(), theirs.len());
    for (ours, theirs) in sent.iter().zip(theirs.iter()) {
        let uri = Url::parse(theirs["uri"].as_str().unwrap()).unwrap();
        let pairs = |url: &Url| {
            let mut pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
            pairs.retain(|(name, value)| !(name == "alt" && value == "json"));
            pairs.sort();
            pairs
        };
        assert_eq!(ours.method, theirs["method"].as_str().unwrap());
        assert_eq!(
            (ours.url.origin(), ours.url.path(), pairs(&ours.url)),
            (uri.origin(), uri.path(), pairs(&uri))
        );
        for (name, value) in theirs["headers"].as_object().unwrap() {
            assert_eq!(ours.headers.get(name).unwrap().to_str().unwrap(), value.as_str().unwrap());
        }
        let RequestBody::Bytes(body) = &ours.body else { panic!("a body in memory") };
        match theirs["size"].as_u64() {
            Some(size) => assert_eq!(u64::try_from(body.len()).unwrap(), size),
            None => assert_eq!(serde_json::from_slice::<Value>(body).unwrap(), theirs["json"]),
        }
    }
}

/// The sample's arguments under the tool's names.
fn arguments(operation: &Operation, sample: &Sample) -> Value {
    let mut arguments = json!({});
    for (wire, value) in &sample.arguments {
        let own = operation.parameters.iter().find(|parameter| parameter.wire == *wire);
        match own {
            Some(parameter) => arguments[&parameter.argument] = value.clone(),
            // Pages are asked for in one way everywhere.
            None if wire == "pageToken" => arguments[Operation::PAGE] = value.clone(),
            None => panic!("{} has no `{wire}`", sample.id),
        }
    }
    if let Some(body) = &sample.body {
        arguments["body"] = body.clone();
    }
    if sample.kind == "_upload" {
        arguments["file"] = json!({"base64": "ZmlsZSBvZiBieXRlcw==", "media_type": "text/plain"});
        arguments["body"] = json!({"k": "v"});
    }
    arguments
}

/// What the two requests differ in.
fn difference(sample: &Sample, request: &OutboundRequest) -> Option<String> {
    let theirs = Url::parse(&sample.uri).unwrap();
    let pairs = |url: &Url| {
        let mut pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        // The default, which the client always names.
        pairs.retain(|(name, value)| !(name == "alt" && value == "json"));
        pairs.sort();
        pairs
    };
    if request.method != sample.method.as_str() {
        return Some(format!("{} and {}", request.method, sample.method));
    }
    if (request.url.origin(), request.url.path()) != (theirs.origin(), theirs.path()) {
        return Some(format!("{} and {theirs}", request.url));
    }
    if pairs(&request.url) != pairs(&theirs) {
        return Some(format!("{:?} and {:?}", request.url.query(), theirs.query()));
    }
    let version = request.headers.get("x-goog-api-version").map(|value| value.to_str().unwrap());
    if version != sample.version.as_deref() {
        return Some(format!("API version {version:?} and {:?}", sample.version));
    }
    let body = match &request.body {
        RequestBody::Bytes(bytes) => bytes.clone(),
        _ => bytes::Bytes::new(),
    };
    if sample.kind == "_upload" {
        let text = String::from_utf8_lossy(&body);
        return (!text.contains("file of bytes")).then(|| "the file is not sent".to_owned());
    }
    let ours: Option<Value> = serde_json::from_slice(&body).ok();
    (ours != sample.body).then(|| format!("{ours:?} and {:?}", sample.body))
}
