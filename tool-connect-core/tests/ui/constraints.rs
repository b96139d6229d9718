//! What stands in the schema is checked, or refused here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::ToolArgs;

const PATTERN: &str = "^a$";

#[derive(ToolArgs, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Bounds {
    #[schemars(range(min = 10, max = 1))]
    upside_down: u8,
    #[schemars(range())]
    empty: u8,
    #[schemars(length(min = -1))]
    negative: String,
    #[schemars(length(min = 1))]
    #[validate(length(max = 2))]
    twice: String,
}

#[derive(ToolArgs, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Patterns {
    #[schemars(regex(pattern = "[a-z"))]
    broken: String,
    #[schemars(regex(pattern = "(?=a)b"))]
    look_around: String,
    #[schemars(regex(pattern = "(?i)abc"))]
    flags: String,
    #[schemars(regex(pattern = PATTERN))]
    constant: String,
}

#[derive(ToolArgs, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    #[schemars(contains("x"))]
    contains: String,
    #[schemars(required)]
    required: Option<u8>,
    #[schemars(extend("multipleOf" = 2))]
    extended: u8,
    #[validate(custom(function = "check"))]
    custom: u8,
    #[garde(range(min = 1))]
    garde: u8,
    #[schemars(rename = "other")]
    renamed: u8,
    #[serde(skip)]
    #[schemars(range(min = 1))]
    skipped: u8,
}

#[derive(ToolArgs, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("minProperties" = 1, "x-order" = 2))]
#[serde(deny_unknown_fields)]
struct Extended {}

fn main() {}
