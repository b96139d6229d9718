//! OpenAPI descriptions as tools: what is chosen, what is made of it, and what is refused.

mod bad;
mod calls;
mod counterparty;
mod import;

use serde_json::Value;
use tool_connect_connectors::openapi::Api;
use tool_connect_core::{Connector, RegisteredTool, ToolSet};

pub(crate) fn tools(api: &Api) -> Vec<RegisteredTool> {
    let mut set = ToolSet::default();
    api.tools(&mut set);
    set.into_tools()
}

/// The schema of a tool's arguments.
pub(crate) fn schema(api: &Api, name: &str) -> Value {
    let tools = tools(api);
    let tool = tools.iter().find(|tool| tool.definition().name == name);
    let tool = tool.unwrap_or_else(|| {
        panic!("no tool `{name}` among {:?}", tools.iter().map(|t| &t.definition().name).collect::<Vec<_>>())
    });
    tool.definition().input.schema().unwrap_or_else(|why| panic!("{name}: {why}")).as_value().clone()
}
