//! What the tests of connectors for one service share.

#![allow(dead_code, reason = "which of it is used depends on the features")]

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use tool_connect_core::{Connector, Error, ErrorKind, Retry, ToolSet};
use tool_connect_testkit::cassette::Replayer;
use tool_connect_testkit::{Harness, lint};

/// What an error answer must become.
pub(crate) struct Told {
    pub(crate) kind: ErrorKind,
    /// What its reader must be told.
    pub(crate) says: &'static str,
    pub(crate) retry: Retry,
}

/// Makes the same call once for each answer that the cassette holds, in a Hub of its own that does not repeat requests, and
/// compares what comes of it.
pub(crate) async fn assert_errors<C: Connector>(
    connector: impl Fn() -> C,
    cassette: &str,
    tool: &str,
    arguments: Value,
    told: &[Told],
) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it").join(cassette);
    let answers = Arc::new(Replayer::open(path).unwrap());
    for (place, told) in told.iter().enumerate() {
        let harness = Harness::builder(connector())
            .transport(Arc::clone(&answers) as _)
            .hub(|hub| hub.configure(|settings| settings.http.retry.max_attempts = 1))
            .build()
            .await
            .unwrap();
        let error = harness.call(tool, arguments.clone()).await.unwrap_err();
        assert_told(&error, told, place);
        harness.finish().await.unwrap();
    }
    assert!(answers.unused().is_empty(), "answers without an expectation: {:?}", answers.unused());
}

fn assert_told(error: &Error, told: &Told, place: usize) {
    let message = error.public_message();
    assert_eq!(error.kind(), told.kind, "answer {place}: {error}; {message}");
    assert!(message.contains(told.says), "answer {place}: {message}");
    assert!(!message.contains('\n') && message.len() < 900, "answer {place}: {message}");
    assert_eq!(error.retry_advice(), told.retry, "answer {place}: {message}");
}

/// Holds the connector's promises against its snapshot, `tests/it/<id>.json`. A change that is meant is written there by
/// `TOOL_CONNECT_WRITE_SNAPSHOTS=1 cargo test`, and committed.
pub(crate) fn assert_promises(connector: &dyn Connector) {
    let file = format!("{}.json", connector.manifest().id);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it").join(file);
    if std::env::var_os("TOOL_CONNECT_WRITE_SNAPSHOTS").is_some() {
        std::fs::write(&path, lint::snapshot(connector)).unwrap();
    }
    lint::assert_stable(connector, &std::fs::read_to_string(&path).unwrap_or_default());
}

/// What a model's API is given of each tool's arguments is what its rules allow.
pub(crate) fn assert_fits_every_dialect(connector: &dyn Connector) {
    let mut set = ToolSet::default();
    connector.tools(&mut set);
    for tool in set.into_tools() {
        let name = &tool.definition().name;
        let made = tool.definition().input.schema().unwrap_or_else(|why| panic!("{name}: {why}"));
        crate::dialects::assert_fits_every_dialect(name, &made);
    }
}

/// A connector's page in `docs/connectors` names its tools, all of them and no other, each at the beginning of a table's row.
pub(crate) fn assert_documented(connector: &dyn Connector) {
    let file = format!("../docs/connectors/{}.md", connector.manifest().id);
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    let mut set = ToolSet::default();
    connector.tools(&mut set);
    let mut names: Vec<String> = set.tools().iter().map(|tool| tool.definition().name.to_string()).collect();
    names.sort();
    let tools = page
        .split("## Tools")
        .nth(1)
        .and_then(|rest| rest.split("\n## ").next())
        .expect("a chapter `## Tools`");
    let row = |line: &str| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned());
    let mut documented: Vec<String> = tools.lines().filter_map(row).collect();
    documented.sort();
    assert_eq!(documented, names);
}
