//! A bound that the field's type cannot hold.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::ToolArgs;

#[derive(ToolArgs, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Bounds {
    #[schemars(range(max = 1000))]
    byte: u8,
}

fn main() {}
