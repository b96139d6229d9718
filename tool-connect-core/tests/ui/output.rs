//! A result must be serialisable and have a schema.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Result, Run, Tool, ToolContext};

struct Opaque;

/// Answers with nothing that can be written.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Answer {}

impl Run for Answer {
    type Output = Opaque;
    async fn run(self, _cx: &ToolContext) -> Result<Opaque> {
        Ok(Opaque)
    }
}

fn main() {}
