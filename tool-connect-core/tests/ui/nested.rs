//! A nested type without `ToolArgs` would lose its constraints.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Result, Run, Tool, ToolContext};

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Label {
    #[schemars(length(min = 1))]
    name: String,
}

/// Sets labels.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SetLabels {
    labels: Vec<Label>,
}

impl Run for SetLabels {
    type Output = ();
    async fn run(self, _cx: &ToolContext) -> Result<()> {
        Ok(())
    }
}

fn main() {}
