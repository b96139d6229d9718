//! What says whether a commit is good: check runs, of GitHub Apps and of Actions, and statuses, of older integrations.

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Page, Result, Run, Tool, ToolArgs, ToolContext, ToolSet};

use super::brief::Slug;
use super::page::{Members, next_of, on, page_within, paged, word};
use crate::provider::paged;

pub(super) fn tools(set: &mut ToolSet) {
    set.add::<ListCheckRuns>().add::<GetCombinedStatus>().add::<CreateCommitStatus>();
}

paged! { ListCheckRuns => CheckRun }

/// A check of a commit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CheckRun {
    /// Numeric id.
    pub id: u64,
    /// Name.
    pub name: String,
    /// `queued`, `in_progress`, `completed`; `waiting`, `requested` or `pending` with Actions.
    pub status: String,
    /// How it ended: `success`, `failure`, `neutral`, `cancelled`, `skipped`, `timed_out`, `action_required`, `stale`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conclusion: Option<String>,
    /// The app that checks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<Slug>,
    /// What it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<CheckOutput>,
    /// When it began, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// When it ended, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<String>,
    /// Page on GitHub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html_url: Option<String>,
    /// Page of the app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details_url: Option<String>,
}

/// What a check says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CheckOutput {
    /// Title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Summary in Markdown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
}

/// What all statuses of a commit say together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CombinedStatus {
    /// `success`, `pending` (also where there is none), `failure`.
    pub state: String,
    /// SHA of the commit.
    pub sha: String,
    /// How many statuses there are.
    pub total_count: u64,
    /// The newest status of each context, a page of them.
    #[serde(default, deserialize_with = "super::brief::list", skip_serializing_if = "Vec::is_empty")]
    pub statuses: Vec<Status>,
    /// What to pass as `cursor` for the next page of statuses; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A status of a commit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// What set it.
    pub context: String,
    /// `success`, `pending`, `failure` or `error`.
    pub state: String,
    /// What it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Page with more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_url: Option<String>,
    /// When it was first set, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// When it was last set, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
}

/// Where a check stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// Not begun.
    Queued,
    /// Running.
    InProgress,
    /// Ended.
    Completed,
}

/// What a status says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum StatusState {
    /// Something went wrong that says nothing of the commit.
    Error,
    /// The commit is bad.
    Failure,
    /// Not known yet.
    #[default]
    Pending,
    /// The commit is good.
    Success,
}

/// Lists the checks of a commit, branch or tag, such as the jobs of GitHub Actions, a page at a time; of each name the
/// latest.
///
/// <https://docs.github.com/en/rest/checks/runs#list-check-runs-for-a-git-reference>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct ListCheckRuns {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Commit SHA, branch or tag.
    #[schemars(length(min = 1))]
    pub revision: String,
    /// Only checks of this name.
    #[serde(default)]
    pub check_name: Option<String>,
    /// Only checks that stand there.
    #[serde(default)]
    pub status: Option<CheckStatus>,
    /// How many a page holds; 30 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListCheckRuns {
    type Output = Page<CheckRun>;

    async fn run(self, cx: &ToolContext) -> Result<Page<CheckRun>> {
        let request = on(cx, Method::GET, "/commits/{revision}/check-runs", &self.owner, &self.repo)
            .path("revision", &self.revision)
            .query_opt("check_name", self.check_name.as_deref())
            .query_opt("status", self.status.map(word));
        page_within(paged(request, self.page_size, self.cursor.as_deref())?, |OfCheckRuns { check_runs }| {
            check_runs
        })
        .await
    }
}

/// Gets what the statuses of a commit, branch or tag say together, and each one. Checks of Actions and apps are in
/// `list_check_runs`.
///
/// <https://docs.github.com/en/rest/commits/statuses#get-the-combined-status-for-a-specific-reference>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct GetCombinedStatus {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Commit SHA, branch or tag.
    #[schemars(length(min = 1))]
    pub revision: String,
    /// How many statuses a page holds; 30 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for GetCombinedStatus {
    type Output = CombinedStatus;

    async fn run(self, cx: &ToolContext) -> Result<CombinedStatus> {
        let request =
            on(cx, Method::GET, "/commits/{ref}/status", &self.owner, &self.repo).path("ref", &self.revision);
        let response = paged(request, self.page_size, self.cursor.as_deref())?.send().await?;
        let next = next_of(&response);
        let status: CombinedStatus = response.json().await?;
        Ok(CombinedStatus { next_cursor: next, ..status })
    }
}

/// Sets a status of a commit. A later one of the same context takes its place.
///
/// <https://docs.github.com/en/rest/commits/statuses#create-a-commit-status>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, scopes("repo:status|public_repo|repo"))]
#[serde(deny_unknown_fields)]
pub struct CreateCommitStatus {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// SHA of the commit.
    #[schemars(regex(pattern = "^[0-9a-f]{40}([0-9a-f]{24})?$"))]
    pub sha: String,
    /// What it says.
    pub state: StatusState,
    /// What sets it; `default` if left out.
    #[serde(default)]
    pub context: Option<String>,
    /// What it says, in a sentence.
    #[serde(default)]
    #[schemars(length(max = 140))]
    pub description: Option<String>,
    /// Page with more.
    #[serde(default)]
    pub target_url: Option<String>,
}

impl Run for CreateCommitStatus {
    type Output = Status;

    async fn run(self, cx: &ToolContext) -> Result<Status> {
        on(cx, Method::POST, "/statuses/{sha}", &self.owner, &self.repo)
            .path("sha", &self.sha)
            .json_body(
                &Members::default()
                    .with("state", self.state)
                    .maybe("context", self.context.as_ref())
                    .maybe("description", self.description.as_ref())
                    .maybe("target_url", self.target_url.as_ref()),
            )
            .json()
            .await
    }
}

#[derive(Deserialize)]
struct OfCheckRuns {
    check_runs: Vec<CheckRun>,
}
