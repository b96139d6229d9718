//! The packages that the model vendors publish, as judges of tool definitions.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tool_connect_core::schema::dialect::{Dialect, ModelTool};

/// Runs the judge: null for each entry that the vendor's types accept, else why not.
pub(crate) fn judged(entries: &[Value]) -> Vec<Value> {
    const VARIABLE: &str = "TOOL_CONNECT_COUNTERPARTY_MODEL_SDKS";
    let line = std::env::var(VARIABLE).unwrap_or_else(|_| {
        panic!("{VARIABLE} is not set: run `cargo xtask counterparty`, which brings the counterparties")
    });
    let line: Vec<String> = serde_json::from_str(&line).expect("a command line");
    let (program, arguments) = line.split_first().expect("a program");
    let mut judge = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the judge starts");
    let text = serde_json::to_vec(entries).unwrap();
    judge.stdin.take().unwrap().write_all(&text).unwrap();
    let output = judge.wait_with_output().unwrap();
    assert!(output.status.success(), "the judge failed");
    let verdicts: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(verdicts.len(), entries.len());
    verdicts
}

/// A tool in each form of each vendor.
pub(crate) fn forms(name: &str, description: &str, schema: &Value) -> Vec<Value> {
    let mut entries = Vec::new();
    for dialect in Dialect::ALL {
        let tool = ModelTool::new(name, description, schema, dialect);
        let form = match dialect {
            Dialect::Anthropic => "anthropic",
            Dialect::Gemini => "gemini",
            _ => "openai-chat",
        };
        entries.push(json!({"form": form, "tool": tool.to_json()}));
        entries
            .extend(tool.to_responses_json().map(|tool| json!({"form": "openai-responses", "tool": tool})));
    }
    entries
}

pub(crate) fn assert_accepted(entries: &[Value]) {
    for (entry, verdict) in entries.iter().zip(judged(entries)) {
        assert!(verdict.is_null(), "{verdict}\n{entry}");
    }
}
