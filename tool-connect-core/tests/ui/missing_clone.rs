//! A tool whose arguments lack `Clone`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Result, Run, Tool, ToolContext};

/// Answers.
#[derive(Tool, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Answer {}

impl Run for Answer {
    type Output = ();
    async fn run(self, _cx: &ToolContext) -> Result<()> {
        Ok(())
    }
}

fn main() {}
