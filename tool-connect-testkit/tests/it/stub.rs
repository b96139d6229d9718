//! A connector whose tools a test puts together.

use std::sync::Arc;

use tool_connect_core::{
    AuthScheme, Connector, ConnectorManifest, DynamicTool, SchemaSource, ToolDefinition, ToolOutput, ToolSet,
};

pub(crate) const INPUT: &str = r#"{
    "type": "object",
    "properties": { "id": { "type": "string", "description": "Which thing." } },
    "required": ["id"]
}"#;

pub(crate) struct Stub {
    pub(crate) manifest: ConnectorManifest,
    pub(crate) tools: Vec<ToolDefinition>,
}

impl Stub {
    pub(crate) fn new(tools: impl IntoIterator<Item = ToolDefinition>) -> Self {
        let manifest = ConnectorManifest::new("things", semver::Version::new(1, 0, 0), "Things")
            .description("Keeps things that people gave it.")
            .auth(AuthScheme::Bearer);
        Self { manifest, tools: tools.into_iter().collect() }
    }

    pub(crate) fn with_manifest(
        mut self,
        change: impl FnOnce(ConnectorManifest) -> ConnectorManifest,
    ) -> Self {
        self.manifest = change(self.manifest);
        self
    }
}

impl Connector for Stub {
    fn manifest(&self) -> &ConnectorManifest {
        &self.manifest
    }

    fn tools(&self, set: &mut ToolSet) {
        for definition in &self.tools {
            set.add_dynamic(DynamicTool::new(definition.clone(), |_, _| async {
                Ok(ToolOutput::text("done"))
            }));
        }
    }
}

/// A tool that the lint has nothing to say about.
pub(crate) fn tool(name: &'static str) -> ToolDefinition {
    with_input(name, INPUT).output(SchemaSource::Json(Arc::from(r#"{"type":"string"}"#)))
}

pub(crate) fn with_input(name: &'static str, input: &str) -> ToolDefinition {
    let description = format!("Does `{name}` to one of the things that are kept.");
    ToolDefinition::new(name, description, SchemaSource::Json(Arc::from(input)))
        .output(SchemaSource::Json(Arc::from(r#"{"type":"string"}"#)))
}
