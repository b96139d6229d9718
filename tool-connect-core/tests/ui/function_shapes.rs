//! The one shape of a tool's function: `async fn(cx: &ToolContext<State>, args: Args) -> Result<Output>`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Result, ToolArgs, ToolContext, tool};

#[derive(ToolArgs, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Args {
    text: String,
}

/// No parameters.
#[tool]
async fn no_context() -> Result<()> {
    Ok(())
}

/// No context.
#[tool]
async fn args_first(args: Args) -> Result<String> {
    Ok(args.text)
}

/// The context by value.
#[tool]
async fn context_by_value(_cx: ToolContext) -> Result<()> {
    Ok(())
}

/// Not async.
#[tool]
fn not_async(_cx: &ToolContext) -> Result<()> {
    Ok(())
}

/// Two argument structs.
#[tool]
async fn two_structs(_cx: &ToolContext, a: Args, b: Args) -> Result<String> {
    Ok(a.text + &b.text)
}

/// Borrowed arguments.
#[tool]
async fn borrowed(_cx: &ToolContext, args: &Args) -> Result<String> {
    Ok(args.text.clone())
}

/// A generic function.
#[tool]
async fn generic<T: Send>(_cx: &ToolContext, _args: Args) -> Result<String>
where
    T: Clone,
{
    Ok(String::new())
}

/// Several mistakes at once.
#[tool(name = "Bad", state = Args, allow_unknown_fields)]
fn everything(_args: &Args) -> String {
    String::new()
}

/// No result.
#[tool]
async fn no_result(_cx: &ToolContext) {}

/// An output without a name.
#[tool]
async fn unnamed(_cx: &ToolContext) -> Result<impl Serialize> {
    Ok(1)
}

/// A borrowed output.
#[tool]
async fn lent(_cx: &ToolContext) -> Result<&'static str> {
    Ok("x")
}

/// The tool's type would be called like the arguments.
#[tool]
async fn args(_cx: &ToolContext, args: Args) -> Result<String> {
    Ok(args.text)
}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
struct Issue {}

/// The tool's type would be called like the output.
#[tool]
async fn issue(_cx: &ToolContext) -> Result<Issue> {
    Ok(Issue {})
}

struct Service;

impl Service {
    /// A method.
    #[tool]
    async fn method(&self, _cx: &ToolContext) -> Result<()> {
        Ok(())
    }
}

/// Not a function.
#[tool]
struct NotAFunction {}

fn main() {}
