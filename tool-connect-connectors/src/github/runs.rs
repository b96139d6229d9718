//! GitHub Actions: runs of workflows, and their jobs.

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Detail, Page, Result, Run, Tool, ToolArgs, ToolContext, ToolSet};

use super::brief::Login;
use super::page::{Done, done, on, page_within, paged, word};
use crate::provider::paged;

pub(super) fn tools(set: &mut ToolSet) {
    set.add::<ListWorkflowRuns>()
        .add::<GetWorkflowRun>()
        .add::<ListWorkflowJobs>()
        .add::<RerunWorkflow>()
        .add::<CancelWorkflowRun>()
        .add::<DeleteWorkflowRun>();
}

paged! { ListWorkflowRuns => WorkflowRun, ListWorkflowJobs => Job }

/// A run of a workflow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WorkflowRun {
    /// Numeric id.
    pub id: u64,
    /// Name of the workflow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Title: that of the commit or pull request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_title: Option<String>,
    /// Number within the workflow.
    pub run_number: u64,
    /// How often it was begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_attempt: Option<u64>,
    /// What started it: `push`, `pull_request`, `workflow_dispatch`, ..
    pub event: String,
    /// `queued`, `in_progress`, `completed`, `waiting`, `requested` or `pending`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// How it ended: `success`, `failure`, `cancelled`, `skipped`, `timed_out`, ..
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conclusion: Option<String>,
    /// Branch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head_branch: Option<String>,
    /// SHA of the commit.
    pub head_sha: String,
    /// Numeric id of the workflow.
    pub workflow_id: u64,
    /// Who started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Login>,
    /// Page on GitHub.
    pub html_url: String,
    /// When it was made, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// When it was last changed, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
    /// When this attempt began, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_started_at: Option<String>,
}

/// A job of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Job {
    /// Numeric id.
    pub id: u64,
    /// Numeric id of the run.
    pub run_id: u64,
    /// Name.
    pub name: String,
    /// `queued`, `in_progress`, `completed`, `waiting`, `requested` or `pending`.
    pub status: String,
    /// How it ended: `success`, `failure`, `cancelled`, `skipped`, ..
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conclusion: Option<String>,
    /// Its steps.
    #[serde(default, deserialize_with = "super::brief::list", skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// What it ran on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner_name: Option<String>,
    /// When it began, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// When it ended, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<String>,
    /// Page on GitHub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html_url: Option<String>,
}

/// A step of a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// Number within the job.
    pub number: u64,
    /// Name.
    pub name: String,
    /// `queued`, `in_progress` or `completed`.
    pub status: String,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conclusion: Option<String>,
}

/// Where a run stands, or how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Not begun.
    Queued,
    /// Running.
    InProgress,
    /// Waits for an approval.
    Waiting,
    /// Ended.
    Completed,
    /// Ended well.
    Success,
    /// Failed.
    Failure,
    /// Cancelled.
    Cancelled,
    /// Took too long.
    TimedOut,
    /// Somebody must act.
    ActionRequired,
}

/// Lists runs of a repository's workflows, or of one workflow, newest first, a page at a time.
///
/// <https://docs.github.com/en/rest/actions/workflow-runs#list-workflow-runs-for-a-repository>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct ListWorkflowRuns {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Only runs of this workflow: file name, `deploy.yml`, or numeric id.
    #[serde(default)]
    pub workflow: Option<String>,
    /// Only runs on this branch.
    #[serde(default)]
    pub branch: Option<String>,
    /// Only runs that this login started.
    #[serde(default)]
    pub actor: Option<String>,
    /// Only runs that this event started: `push`, `pull_request`, `workflow_dispatch`, ..
    #[serde(default)]
    pub event: Option<String>,
    /// Only runs that stand there, or ended so.
    #[serde(default)]
    pub status: Option<RunStatus>,
    /// Only runs of the commit with this SHA.
    #[serde(default)]
    pub head_sha: Option<String>,
    /// Only runs made then: a date or range, `>=2026-01-02`, `2026-01-02..2026-02-03`.
    #[serde(default)]
    pub created: Option<String>,
    /// How many a page holds; 30 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListWorkflowRuns {
    type Output = Page<WorkflowRun>;

    async fn run(self, cx: &ToolContext) -> Result<Page<WorkflowRun>> {
        let request = match &self.workflow {
            Some(workflow) => {
                on(cx, Method::GET, "/actions/workflows/{workflow}/runs", &self.owner, &self.repo)
                    .path("workflow", workflow)
            }
            None => on(cx, Method::GET, "/actions/runs", &self.owner, &self.repo),
        };
        let request = request
            .query_opt("branch", self.branch.as_deref())
            .query_opt("actor", self.actor.as_deref())
            .query_opt("event", self.event.as_deref())
            .query_opt("status", self.status.map(word))
            .query_opt("head_sha", self.head_sha.as_deref())
            .query_opt("created", self.created.as_deref());
        let request = paged(request, self.page_size, self.cursor.as_deref())?;
        page_within(request, |OfWorkflowRuns { workflow_runs }| workflow_runs).await
    }
}

#[derive(Deserialize)]
struct OfWorkflowRuns {
    workflow_runs: Vec<WorkflowRun>,
}

/// Gets a run of a workflow: where it stands, how it ended, what it ran on.
///
/// <https://docs.github.com/en/rest/actions/workflow-runs#get-a-workflow-run>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct GetWorkflowRun {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Numeric id of the run.
    pub run_id: u64,
    /// Whether to return all that GitHub sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetWorkflowRun {
    type Output = Detail<WorkflowRun>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<WorkflowRun>> {
        on(cx, Method::GET, "/actions/runs/{run_id}", &self.owner, &self.repo)
            .path("run_id", self.run_id)
            .detail(self.whole)
            .await
    }
}

/// Lists the jobs of a run, each with its steps, a page at a time.
///
/// <https://docs.github.com/en/rest/actions/workflow-jobs#list-jobs-for-a-workflow-run>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct ListWorkflowJobs {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Numeric id of the run.
    pub run_id: u64,
    /// How many a page holds; 30 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListWorkflowJobs {
    type Output = Page<Job>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Job>> {
        let request = on(cx, Method::GET, "/actions/runs/{run_id}/jobs", &self.owner, &self.repo)
            .path("run_id", self.run_id);
        page_within(paged(request, self.page_size, self.cursor.as_deref())?, |OfJobs { jobs }| jobs).await
    }
}

/// Runs a run once more: all of it, or with `only_failed` the jobs that failed and those that depend on them.
///
/// <https://docs.github.com/en/rest/actions/workflow-runs#re-run-a-workflow>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, scopes("repo"))]
#[serde(deny_unknown_fields)]
pub struct RerunWorkflow {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Numeric id of the run.
    pub run_id: u64,
    /// Whether to run only what failed.
    #[serde(default)]
    pub only_failed: bool,
}

impl Run for RerunWorkflow {
    type Output = Done;

    async fn run(self, cx: &ToolContext) -> Result<Done> {
        let path = if self.only_failed {
            "/actions/runs/{run_id}/rerun-failed-jobs"
        } else {
            "/actions/runs/{run_id}/rerun"
        };
        done(on(cx, Method::POST, path, &self.owner, &self.repo).path("run_id", self.run_id)).await
    }
}

/// Cancels a run that has not ended. It ends some seconds later.
///
/// <https://docs.github.com/en/rest/actions/workflow-runs#cancel-a-workflow-run>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(idempotent, scopes("repo"))]
#[serde(deny_unknown_fields)]
pub struct CancelWorkflowRun {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Numeric id of the run.
    pub run_id: u64,
}

impl Run for CancelWorkflowRun {
    type Output = Done;

    async fn run(self, cx: &ToolContext) -> Result<Done> {
        done(
            on(cx, Method::POST, "/actions/runs/{run_id}/cancel", &self.owner, &self.repo)
                .path("run_id", self.run_id),
        )
        .await
    }
}

/// Deletes a run that has ended, with its logs.
///
/// <https://docs.github.com/en/rest/actions/workflow-runs#delete-a-workflow-run>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(idempotent, scopes("repo"))]
#[serde(deny_unknown_fields)]
pub struct DeleteWorkflowRun {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Numeric id of the run.
    pub run_id: u64,
}

impl Run for DeleteWorkflowRun {
    type Output = Done;

    async fn run(self, cx: &ToolContext) -> Result<Done> {
        done(
            on(cx, Method::DELETE, "/actions/runs/{run_id}", &self.owner, &self.repo)
                .path("run_id", self.run_id),
        )
        .await
    }
}

#[derive(Deserialize)]
struct OfJobs {
    jobs: Vec<Job>,
}
