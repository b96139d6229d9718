//! What a tool's function takes and gives.

use std::rc::Rc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Result, ToolArgs, ToolContext, tool};

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Underived {
    text: String,
}

/// Arguments without `ToolArgs`.
#[tool]
async fn say(_cx: &ToolContext, args: Underived) -> Result<String> {
    Ok(args.text)
}

#[derive(ToolArgs, Clone, Serialize, Deserialize, JsonSchema)]
enum Choice {
    A,
}

/// An enum at the top.
#[tool]
async fn choose(_cx: &ToolContext, choice: Choice) -> Result<Choice> {
    Ok(choice)
}

struct Opaque;

/// An output that cannot be written.
#[tool]
async fn look(_cx: &ToolContext) -> Result<Opaque> {
    Ok(Opaque)
}

/// Holds on to a thread.
#[tool]
async fn sticky(_cx: &ToolContext) -> Result<u8> {
    let local = Rc::new(1);
    std::future::ready(()).await;
    Ok(*local)
}

/// Another error type.
#[tool]
async fn other_error(_cx: &ToolContext) -> Result<u8, String> {
    Ok(1)
}

fn main() {}
