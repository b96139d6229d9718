//! A constraint applies to a kind of value.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::ToolArgs;

#[derive(ToolArgs, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Misplaced {
    #[schemars(range(min = 1))]
    range: String,
    #[schemars(length(min = 1))]
    length: u8,
    #[schemars(regex(pattern = "^a$"))]
    pattern: Vec<String>,
    #[schemars(inner(length(min = 1)))]
    inner: String,
    #[schemars(range(max = 1000))]
    bound: u8,
}

fn main() {}
