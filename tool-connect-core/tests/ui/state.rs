//! The declared state, that of the body and that of the set are one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Result, Run, Tool, ToolContext, ToolSet};

struct Root;

/// Declares a state that its body does not take.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[tool(state = Root)]
#[serde(deny_unknown_fields)]
struct Stat {}

impl Run for Stat {
    type Output = ();
    async fn run(self, _cx: &ToolContext) -> Result<()> {
        Ok(())
    }
}

/// Takes a state that nobody gives it.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[tool(state = Root)]
#[serde(deny_unknown_fields)]
struct Read {}

impl Run<Root> for Read {
    type Output = ();
    async fn run(self, _cx: &ToolContext<Root>) -> Result<()> {
        Ok(())
    }
}

fn main() {
    ToolSet::default().add::<Read>();
}
