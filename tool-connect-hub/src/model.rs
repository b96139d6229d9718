//! Tools for a model: what a principal sees, in the dialect of the model's API, and calls as that model writes them.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;
use tool_connect_core::schema::dialect::{Dialect, ModelTool, normalise};
use tool_connect_core::{Result, ToolOutcome};

use crate::registry::{ListRequest, ToolInfo};
use crate::session::Session;

/// A page of tools for a model.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ModelToolPage {
    /// The tools, by the names that the model calls them by (`instance__tool`).
    pub tools: Vec<ModelTool>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<String>,
}

impl ToolInfo {
    /// The tool for a model of this dialect.
    #[must_use]
    pub fn for_model(&self, dialect: Dialect) -> ModelTool {
        let definition = self.definition();
        ModelTool::new(&self.id().model_name(), &definition.description, &schema(self), dialect)
    }
}

/// The schema of a tool's arguments. Its text was made from a value, so it is one.
fn schema(tool: &ToolInfo) -> Value {
    serde_json::from_str(tool.input_schema()).unwrap_or_default()
}

impl Session {
    /// Lists the tools that this principal sees, for a model of this dialect.
    ///
    /// What the model answers goes through [`call_from`](Self::call_from) of the same dialect.
    ///
    /// # Errors
    /// As [`tools`](Self::tools).
    pub async fn tools_for(&self, dialect: Dialect, request: &ListRequest) -> Result<ModelToolPage> {
        let page = self.tools(request).await?;
        let tools = page.tools.iter().map(|tool| tool.for_model(dialect)).collect();
        Ok(ModelToolPage { tools, next: page.next })
    }

    /// Calls a tool with arguments that a model of this dialect wrote for the definition of
    /// [`tools_for`](Self::tools_for): nulls that stand for absent fields are removed, JSON texts are read, names are
    /// turned back ([`Normalised::restore`](tool_connect_core::schema::dialect::Normalised::restore)), and then it is
    /// [`call`](Self::call). Text that is no JSON is passed on as it is, for the tool's own check to name.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn call_from(
        &self,
        dialect: Dialect,
        tool: &str,
        arguments: impl Into<Bytes>,
    ) -> Result<ToolOutcome> {
        let written = arguments.into();
        // A name that leads nowhere is the call's to refuse: the audit trail has it once.
        let hub = &*self.0.hub;
        let found = hub.registry.known(&self.principal().tenant, tool);
        // So is what is too large, before anybody reads it.
        let found = found.filter(|_| written.len() <= hub.max_argument_bytes);
        let restored =
            found.and_then(|found| restored(&ToolInfo(Arc::clone(found.entry_arc())), dialect, &written));
        self.call(tool, restored.unwrap_or(written)).await
    }
}

/// The arguments as the tool's own schema wants them; `None` where they are that already.
fn restored(tool: &ToolInfo, dialect: Dialect, written: &[u8]) -> Option<Bytes> {
    let normalised = normalise(&schema(tool), dialect);
    if normalised.is_plain() {
        return None;
    }
    let written: Value = serde_json::from_slice(written).ok()?;
    serde_json::to_vec(&normalised.restore(written)).ok().map(Bytes::from)
}
