//! What is added to a set must be a tool.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::ToolSet;

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
struct Plain {}

fn main() {
    ToolSet::default().add::<Plain>();
}
