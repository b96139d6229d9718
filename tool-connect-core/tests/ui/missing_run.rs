//! A tool without a body.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::Tool;

/// Does nothing.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

fn main() {}
