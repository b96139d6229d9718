//! A model chooses a tool by its description.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Result, Tool, ToolContext, tool};

#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Missing {}

///
///
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Empty {}

/// # Only a title
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OnlyTitle {}

#[tool]
async fn missing(_cx: &ToolContext) -> Result<()> {
    Ok(())
}

fn main() {}
