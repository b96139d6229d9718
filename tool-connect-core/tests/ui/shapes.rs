//! Arguments are one owned JSON object with named fields.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Tool, ToolArgs};

/// An enum.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
enum Choice {
    A { a: u8 },
}

/// A tuple struct.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
struct Tuple(u8, u8);

/// A unit struct.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
struct Unit;

/// A generic struct.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Generic<T> {
    value: T,
}

/// A borrowed struct.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Borrowed<'a> {
    value: &'a str,
}

#[derive(ToolArgs, Clone, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Static {
    value: &'static str,
}

/// A transparent struct.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
struct Transparent {
    value: String,
}

#[derive(ToolArgs, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Part {
    a: u8,
}

/// A flattened field.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[tool(allow_unknown_fields)]
struct Flattened {
    #[serde(flatten)]
    part: Part,
}

/// Unknown fields pass.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
struct Lenient {
    value: String,
}

#[derive(ToolArgs, Clone, Serialize, Deserialize, JsonSchema)]
enum LenientPart {
    A { a: u8 },
}

#[derive(ToolArgs, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
struct Converted(String);

impl TryFrom<String> for Converted {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Ok(Self(text))
    }
}

impl From<Converted> for String {
    fn from(converted: Converted) -> Self {
        converted.0
    }
}

fn main() {}
