//! A tool whose arguments lack `Deserialize`.

use schemars::JsonSchema;
use serde::Serialize;
use tool_connect_core::{Result, Run, Tool, ToolContext};

/// Answers.
#[derive(Tool, Clone, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Answer {}

impl Run for Answer {
    type Output = ();
    async fn run(self, _cx: &ToolContext) -> Result<()> {
        Ok(())
    }
}

fn main() {}
