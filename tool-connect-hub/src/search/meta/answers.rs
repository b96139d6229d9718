//! Results of the meta-tools as JSON.

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use tool_connect_core::{Body, Error, InputRequired, Result, Retry, ToolOutcome, ToolOutput};

use crate::search::SearchHit;

/// A description is cut to so many characters in a list of results.
const BRIEF: usize = 200;

/// A tool that was found, as briefly as an agent can choose by it.
pub(super) fn hit(hit: &SearchHit) -> Value {
    let definition = hit.tool.definition();
    let mut value = json!({
        "tool": hit.tool.id(),
        "title": definition.title,
        "description": brief(&definition.description),
        "connected": hit.connected,
        "read_only": definition.annotations.read_only,
    });
    if hit.needs_approval {
        value["needs_approval"] = true.into();
    }
    if let Some(note) = &definition.deprecated {
        value["deprecated"] = brief(note).into();
    }
    value
}

/// The first sentence, or what fits of it.
fn brief(text: &str) -> String {
    let text = text.trim();
    let first = text.split_once(". ").map_or(text, |(first, _)| first);
    let first = first.lines().next().unwrap_or_default();
    if first.chars().count() <= BRIEF {
        return first.to_owned();
    }
    let cut: String = first.chars().take(BRIEF).collect();
    format!("{}…", cut.trim_end())
}

/// How one of several calls ended, as JSON text: its result as it was written, which a reader might not take as exactly.
pub(super) fn ended(tool: &str, outcome: Result<ToolOutcome>) -> String {
    let mut value = Map::new();
    value.insert("tool".to_owned(), tool.into());
    let mut body = None;
    let status = match outcome {
        Ok(ToolOutcome::Complete(output)) => match written(&output) {
            Ok(text) => {
                body = text;
                if !output.content.is_empty() {
                    let content = serde_json::to_value(&output.content).unwrap_or_default();
                    value.insert("content".to_owned(), content);
                }
                "complete"
            }
            Err(error) => {
                value.insert("error".to_owned(), failure(&error));
                "error"
            }
        },
        Ok(ToolOutcome::InputRequired(required)) => {
            value.insert("required".to_owned(), needed(&required));
            "input_required"
        }
        Ok(ToolOutcome::Task(task)) => {
            value.insert("task".to_owned(), task.as_str().into());
            "task"
        }
        // The enum may grow; what is new is told as what it is.
        Ok(_) => "other",
        Err(error) => {
            value.insert("error".to_owned(), failure(&error));
            "error"
        }
    };
    value.insert("status".to_owned(), status.into());
    let mut text = Value::Object(value).to_string();
    if let Some(body) = body {
        text.truncate(text.len().saturating_sub(1));
        text.push_str(",\"result\":");
        text.push_str(&body);
        text.push('}');
    }
    text
}

/// The structured value as JSON text; what is no JSON as a string.
fn written(output: &ToolOutput) -> Result<Option<String>> {
    if matches!(output.body, Body::Empty) {
        return Ok(None);
    }
    let text = output.to_json()?;
    Ok(Some(match serde_json::from_slice::<&RawValue>(&text) {
        Ok(raw) => raw.get().to_owned(),
        Err(_) => Value::from(String::from_utf8_lossy(&text)).to_string(),
    }))
}

fn needed(required: &InputRequired) -> Value {
    let mut value = serde_json::to_value(&required.request).unwrap_or_default();
    value["message"] = required.message().into();
    value
}

/// What a model may see of an error.
pub(super) fn failure(error: &Error) -> Value {
    let mut value = json!({ "kind": error.kind().as_str(), "message": error.public_message() });
    if let Retry::After(wait) = error.retry_advice() {
        value["retry_after_seconds"] = wait.as_secs_f64().ceil().into();
    }
    value
}
