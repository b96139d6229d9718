//! Unknown, repeated and contradictory items, and values of the wrong kind.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::Tool;

/// Misspelt.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[tool(readonly, descripton = "x", description = "x", colour = "red", "text")]
#[serde(deny_unknown_fields)]
struct Misspelt {}

/// Repeated.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[tool(name = "one", cost = 1, cost = 2)]
#[tool(name = "two")]
#[serde(deny_unknown_fields)]
struct Repeated {}

/// Contradictory.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, destructive, idempotent = false, allow_unknown_fields)]
#[serde(deny_unknown_fields)]
struct Contradictory {}

/// A cached write.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[tool(cache = "60s")]
#[serde(deny_unknown_fields)]
struct CachedWrite {}

/// Wrong kinds of value.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[tool(name, title = 5, read_only(true), destructive = "no", scopes = "repo", aliases(), cost = "5", state)]
#[serde(deny_unknown_fields)]
struct WrongKinds {}

/// Values that cannot be.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[tool(version = "1.2", timeout = "soon", cache = "0s", read_only, cost = 0, title = " ", deprecated = "")]
#[serde(deny_unknown_fields)]
struct WrongValues {}

/// No comma.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[tool(read_only idempotent)]
#[serde(deny_unknown_fields)]
struct NoComma {}

/// An item in the wrong place.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WrongPlace {
    #[tool(name = "field")]
    field: u8,
}

fn main() {}
