//! What the arguments of a function lack is said at their type.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Result, ToolArgs, ToolContext, tool};

#[derive(ToolArgs, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NoSchema {}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Reply {}

/// Arguments without a schema.
#[tool]
async fn say(_cx: &ToolContext, _args: NoSchema) -> Result<Reply> {
    Ok(Reply {})
}

fn main() {}
