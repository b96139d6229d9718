//! Names become part of ids that model APIs must accept.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::Tool;

/// Dashes.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[tool(name = "create-issue")]
#[serde(deny_unknown_fields)]
struct Dashes {}

/// The dot of model APIs.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[tool(name = "create__issue")]
#[serde(deny_unknown_fields)]
struct DoubleUnderscore {}

/// Too long.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[tool(name = "a_name_that_goes_on_and_on_until_nobody_wants_to_read_it")]
#[serde(deny_unknown_fields)]
struct TooLong {}

/// The default name is no better.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(non_camel_case_types)]
struct Trailing_ {}

/// Aliases.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[tool(name = "now", aliases("now", "before", "before", "Ages ago"), scopes("repo", "repo", ""))]
#[serde(deny_unknown_fields)]
struct Aliases {}

fn main() {}
