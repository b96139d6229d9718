//! A tool whose arguments lack `JsonSchema`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Result, Run, Tool, ToolContext};

/// Answers.
#[derive(Tool, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Reply {}

impl Run for Answer {
    type Output = Reply;
    async fn run(self, _cx: &ToolContext) -> Result<Reply> {
        Ok(Reply {})
    }
}

fn main() {}
