//! GitHub Actions: workflows and how they are started; their runs are in `runs.rs`, logs and artifacts in `logs.rs`.

use std::collections::BTreeMap;

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Page, Result, Run, Tool, ToolContext, ToolSet};

use super::page::{Members, cloud, on, page_within, paged};
use crate::provider::paged;

pub(super) fn tools(set: &mut ToolSet) {
    set.add::<ListWorkflows>().add::<DispatchWorkflow>();
}

paged! { ListWorkflows => Workflow }

/// A workflow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Workflow {
    /// Numeric id.
    pub id: u64,
    /// Name.
    pub name: String,
    /// Path of its file.
    pub path: String,
    /// `active`, `disabled_manually`, `disabled_inactivity`, `disabled_fork` or `deleted`.
    pub state: String,
    /// Page of its file on GitHub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html_url: Option<String>,
}

/// A workflow that was started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Dispatched {
    /// Id of its run; absent at GitHub Enterprise Server, where the newest of `list_workflow_runs` is it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow_run_id: Option<u64>,
    /// Page of its run on GitHub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html_url: Option<String>,
}

/// Lists the workflows of a repository, a page at a time.
///
/// <https://docs.github.com/en/rest/actions/workflows#list-repository-workflows>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct ListWorkflows {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// How many a page holds; 30 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListWorkflows {
    type Output = Page<Workflow>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Workflow>> {
        let request = on(cx, Method::GET, "/actions/workflows", &self.owner, &self.repo);
        page_within(paged(request, self.page_size, self.cursor.as_deref())?, |OfWorkflows { workflows }| {
            workflows
        })
        .await
    }
}

/// Starts a workflow that has the trigger `workflow_dispatch`. Returns the id of its run.
///
/// <https://docs.github.com/en/rest/actions/workflows#create-a-workflow-dispatch-event>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, scopes("repo"))]
#[serde(deny_unknown_fields)]
pub struct DispatchWorkflow {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// File name of the workflow, `deploy.yml`, or its numeric id.
    #[schemars(length(min = 1))]
    pub workflow: String,
    /// Branch or tag to run it on.
    #[schemars(length(min = 1))]
    pub revision: String,
    /// Inputs that the workflow declares, by name, as text.
    #[serde(default)]
    pub inputs: BTreeMap<String, String>,
}

impl Run for DispatchWorkflow {
    type Output = Dispatched;

    async fn run(self, cx: &ToolContext) -> Result<Dispatched> {
        let mut body = Members::default().with("ref", &self.revision);
        // A server that does not know it yet would refuse the request.
        if cloud(cx.base_url()).is_some() {
            body = body.with("return_run_details", true);
        }
        if !self.inputs.is_empty() {
            body = body.with("inputs", &self.inputs);
        }
        let request =
            on(cx, Method::POST, "/actions/workflows/{workflow}/dispatches", &self.owner, &self.repo);
        let response = request.path("workflow", &self.workflow).json_body(&body).send().await?;
        if response.status() == 204 {
            return Ok(Dispatched { workflow_run_id: None, html_url: None });
        }
        response.json().await
    }
}

#[derive(Deserialize)]
struct OfWorkflows {
    workflows: Vec<Workflow>,
}
