//! A day's work with each service: calls that follow from each other, as `sessions/` writes them down.
//!
//! A step has the tool that is called, the arguments, the requests that the provider expects with its answers, and what the
//! caller gets or is told. `$name/pointer` stands for what the step of that name got.

use std::time::Duration;

use serde_json::{Map, Value};

use super::stand::{Reply, Stand, written};
use super::{all, json, load, tools};

/// A value with what earlier steps got in it.
fn filled(value: &Value, got: &Map<String, Value>) -> Value {
    match value {
        Value::String(text) if text.starts_with('$') => {
            let (name, pointer) = text[1..].split_once('/').unwrap_or((&text[1..], ""));
            let of = got.get(name).unwrap_or_else(|| panic!("no step is called {name}"));
            let pointer = if pointer.is_empty() { String::new() } else { format!("/{pointer}") };
            of.pointer(&pointer).unwrap_or_else(|| panic!("{text} is not in {of}")).clone()
        }
        Value::Array(items) => items.iter().map(|item| filled(item, got)).collect(),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, value)| (name.clone(), filled(value, got))).collect())
        }
        plain => plain.clone(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_days_work_with_each_service() {
    for (id, connector) in all() {
        let known = tools(&connector).len();
        let session = json("sessions", id);
        let steps = session.as_array().unwrap();
        let stand = Stand::with([]);
        let harness = stand.harness(load(id)).await;
        let mut got = Map::new();
        let (mut seen, mut used) = (0, std::collections::BTreeSet::new());
        for (at, step) in steps.iter().enumerate() {
            let tool = step["call"].as_str().unwrap();
            let place = format!("{id}, step {at} ({tool})");
            used.insert(tool);
            let exchanges = step["provider"].as_array().unwrap();
            stand.answer(exchanges.iter().map(|exchange| Reply::of(&filled(&exchange["answers"], &got))));
            // Limits refill by the Hub's clock, and it keeps to the waits that a provider asked for.
            harness.clock().advance(Duration::from_secs(2 * 60 * 60));
            let outcome = harness.call(tool, filled(&step["with"], &got)).await;
            let sent: Vec<Value> = harness.requests()[seen..].iter().map(written).collect();
            seen += sent.len();
            assert_eq!(sent.len(), exchanges.len(), "{place}: {sent:#?} {outcome:?}");
            for (sent, exchange) in sent.iter().zip(exchanges) {
                for (part, expected) in exchange["expects"].as_object().unwrap() {
                    // Of a GraphQL request the query is in `calls/`.
                    let found = if part == "variables" { &sent["body"][part] } else { &sent[part] };
                    assert_eq!(found, &filled(expected, &got), "{place}: {part} of {sent:#}");
                }
            }
            assert_eq!(stand.left(), 0, "{place}");
            match (outcome, step.get("fails")) {
                (Ok(output), None) => {
                    let output: Value = output.parse().unwrap();
                    if let Some(expected) = step.get("gets") {
                        assert_eq!(&output, &filled(expected, &got), "{place}");
                    }
                    if let Some(name) = step["as"].as_str() {
                        got.insert(name.to_owned(), output);
                    }
                }
                (Err(error), Some(fails)) => {
                    assert_eq!(error.kind().as_str(), fails["kind"].as_str().unwrap(), "{place}: {error:?}");
                    let says = fails["says"].as_str().unwrap();
                    assert!(error.public_message().contains(says), "{place}: {}", error.public_message());
                }
                (outcome, _) => panic!("{place}: {outcome:?}"),
            }
        }
        assert!(
            steps.len() >= 6 && used.len() * 3 >= known.min(15),
            "{id}: {} steps, {} tools",
            steps.len(),
            used.len()
        );
        harness.finish().await.unwrap();
    }
}
