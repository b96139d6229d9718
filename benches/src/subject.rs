//! The tool that every contender calls: five fields in, five out, no work between.

use std::cell::Cell;
use std::sync::Arc;

use schemars::JsonSchema;
use semver::Version;
use serde::{Deserialize, Serialize};
use tool_connect_core::{
    Annotations, Connector, ConnectorManifest, Result, Run, SchemaSource, Tool, ToolContext, ToolDefinition,
    ToolSet,
};

/// The arguments as an agent sends them.
pub(crate) const TEXT: &str =
    r#"{"owner":"octocat","repo":"hello-world","title":"A title of some length","number":42,"draft":true}"#;

/// Creates an issue in a repository.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[tool(name = "create_issue", idempotent, destructive = false)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateIssue {
    /// Login of the owner.
    pub(crate) owner: String,
    /// Name of the repository.
    pub(crate) repo: String,
    /// The title.
    pub(crate) title: String,
    /// The number.
    pub(crate) number: u32,
    /// Whether it is a draft.
    pub(crate) draft: bool,
}

impl CreateIssue {
    pub(crate) fn example() -> Self {
        Self {
            owner: "octocat".to_owned(),
            repo: "hello-world".to_owned(),
            title: "A title of some length".to_owned(),
            number: 42,
            draft: true,
        }
    }

    /// What every contender does with the arguments.
    pub(crate) fn create(self) -> Issue {
        Issue {
            id: u64::from(self.number),
            title: self.title,
            state: self.owner,
            number: self.number,
            ok: self.draft,
        }
    }
}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Issue {
    pub(crate) id: u64,
    pub(crate) title: String,
    pub(crate) state: String,
    pub(crate) number: u32,
    pub(crate) ok: bool,
}

impl Run for CreateIssue {
    type Output = Issue;
    async fn run(self, _cx: &ToolContext) -> Result<Issue> {
        Ok(self.create())
    }
}

/// The name, description and schema of the `i`-th tool of a large registry, the same for every contender.
pub(crate) fn name(i: usize) -> String {
    format!("create_issue_{i}")
}

pub(crate) fn description(i: usize) -> String {
    format!("Creates an issue in repository number {i} and tells its number and state.")
}

pub(crate) fn schema(i: usize) -> String {
    format!(
        r#"{{"type":"object","title":"CreateIssue{i}","additionalProperties":false,"required":["owner","repo","title","number","draft"],"properties":{{"owner":{{"type":"string","description":"Login of the owner of repository {i}."}},"repo":{{"type":"string","description":"Name of repository {i}."}},"title":{{"type":"string","description":"The title, as tracker {i} shows it."}},"number":{{"type":"integer","format":"uint32","minimum":0,"maximum":4294967295,"description":"The number in series {i}."}},"draft":{{"type":"boolean","description":"Whether it is a draft in tracker {i}."}}}}}}"#
    )
}

thread_local! {
    /// Which definition [`Numbered`] gives next. A registry of 10,000 needs 10,000 definitions, not 10,000 times the same code.
    static NEXT: Cell<(usize, Annotations)> = const { Cell::new((0, Annotations::READ)) };
}

/// [`CreateIssue`] under the next name, with a description and schema of its own.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
struct Numbered(CreateIssue);

impl JsonSchema for Numbered {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        CreateIssue::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        CreateIssue::json_schema(generator)
    }
}

impl Tool for Numbered {
    type Output = Issue;
    type State = ();

    fn definition() -> ToolDefinition {
        let (i, annotations) = NEXT.get();
        ToolDefinition::new(name(i), description(i), SchemaSource::Json(Arc::from(schema(i))))
            .annotations(annotations)
    }

    async fn call(self, _cx: &ToolContext) -> Result<Issue> {
        Ok(self.0.create())
    }
}

/// A connector of so many tools.
pub(crate) struct Numbers {
    manifest: ConnectorManifest,
    tools: usize,
    annotations: Annotations,
}

impl Numbers {
    /// Tools that write.
    pub(crate) fn new(tools: usize) -> Self {
        let annotations = Annotations { destructive: false, idempotent: true, ..Annotations::default() };
        Self {
            manifest: ConnectorManifest::new("tracker", Version::new(1, 0, 0), "Tracker"),
            tools,
            annotations,
        }
    }

    /// The same tools, as reads.
    pub(crate) fn reading(tools: usize) -> Self {
        Self { annotations: Annotations::READ, ..Self::new(tools) }
    }
}

impl Connector for Numbers {
    fn manifest(&self) -> &ConnectorManifest {
        &self.manifest
    }

    fn tools(&self, set: &mut ToolSet) {
        for i in 0..self.tools {
            NEXT.set((i, self.annotations));
            set.add::<Numbered>();
        }
    }
}

/// A connector of the one derived tool, for typed calls.
pub(crate) struct One(ConnectorManifest);

impl One {
    pub(crate) fn new() -> Self {
        Self(ConnectorManifest::new("one", Version::new(1, 0, 0), "One"))
    }
}

impl Connector for One {
    fn manifest(&self) -> &ConnectorManifest {
        &self.0
    }

    fn tools(&self, set: &mut ToolSet) {
        set.add::<CreateIssue>();
    }
}

/// Names in an order that visits a large registry here and there; 1,000 of them at most, as a caller would use.
pub(crate) fn ids(prefix: &str, tools: usize) -> Vec<String> {
    (0..tools.min(1_000)).map(|k| format!("{prefix}{}", name(k * 7_919 % tools))).collect()
}
