//! Pull requests; what they change is in `changes.rs`, what is said of them in `reviews.rs`.

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Detail, Page, Result, Run, Tool, ToolArgs, ToolContext, ToolSet};

use super::brief::{FullName, LabelName, Login, Slug};
use super::page::{Members, on, page, paged, word};
use super::{Direction, IssueState, MilestoneTitle, StateFilter};
use crate::provider::paged;

pub(super) fn tools(set: &mut ToolSet) {
    set.add::<ListPullRequests>()
        .add::<GetPullRequest>()
        .add::<CreatePullRequest>()
        .add::<UpdatePullRequest>()
        .add::<MergePullRequest>()
        .add::<UpdatePullRequestBranch>();
}

paged! { ListPullRequests => PullRequest }

/// A pull request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PullRequest {
    /// Number within the repository; issues count with it.
    pub number: u64,
    /// Title.
    pub title: String,
    /// `open` or `closed`.
    pub state: String,
    /// Whether it is a draft.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft: Option<bool>,
    /// Text in Markdown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Who opened it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Login>,
    /// The branch with the changes.
    pub head: Side,
    /// The branch that they shall go into.
    pub base: Side,
    /// Labels.
    #[serde(default, deserialize_with = "super::brief::list", skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<LabelName>,
    /// Who works on it.
    #[serde(default, deserialize_with = "super::brief::list", skip_serializing_if = "Vec::is_empty")]
    pub assignees: Vec<Login>,
    /// Who was asked for a review and has not given it yet.
    #[serde(default, deserialize_with = "super::brief::list", skip_serializing_if = "Vec::is_empty")]
    pub requested_reviewers: Vec<Login>,
    /// Teams that were asked for a review.
    #[serde(default, deserialize_with = "super::brief::list", skip_serializing_if = "Vec::is_empty")]
    pub requested_teams: Vec<Slug>,
    /// Milestone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub milestone: Option<MilestoneTitle>,
    /// Whether it was merged; of a single one only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged: Option<bool>,
    /// When it was merged, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_at: Option<String>,
    /// SHA of the merge commit; before the merge, of a trial merge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge_commit_sha: Option<String>,
    /// Whether it can be merged without conflicts; absent while GitHub finds out, so ask again after some seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mergeable: Option<bool>,
    /// `clean`, `blocked`, `behind`, `dirty` (conflicts), `unstable` (checks failed), `draft`, `unknown`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mergeable_state: Option<String>,
    /// How many commits it has; of a single one only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commits: Option<u64>,
    /// Lines added; of a single one only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub additions: Option<u64>,
    /// Lines removed; of a single one only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletions: Option<u64>,
    /// Files changed; of a single one only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_files: Option<u64>,
    /// Page on GitHub.
    pub html_url: String,
    /// When it was opened, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// When it was last changed, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
    /// When it was closed, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<String>,
}

/// One side of a pull request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Side {
    /// Name of the branch.
    #[serde(rename = "ref")]
    pub branch: String,
    /// SHA of its last commit.
    pub sha: String,
    /// Repository, `owner/name`; absent where it was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repo: Option<FullName>,
}

/// How pull requests are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum PullSort {
    /// By when they were opened.
    Created,
    /// By when they were changed.
    Updated,
    /// By how many comments they have.
    Popularity,
    /// By age, of those that were changed within a month.
    #[serde(rename = "long-running")]
    LongRunning,
}

/// How a pull request is merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum MergeMethod {
    /// A merge commit.
    Merge,
    /// All its commits as one.
    Squash,
    /// Its commits, one after the other.
    Rebase,
}

/// What came of a merge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Merged {
    /// Whether it was merged.
    pub merged: bool,
    /// SHA of the commit that came of it.
    pub sha: String,
    /// GitHub's word on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// What GitHub took on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Accepted {
    /// GitHub's word on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Where it can be followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// Lists pull requests of a repository, newest first, a page at a time.
///
/// <https://docs.github.com/en/rest/pulls/pulls#list-pull-requests>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct ListPullRequests {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Which ones; open ones if left out.
    #[serde(default)]
    pub state: Option<StateFilter>,
    /// Only those from this branch, `owner:branch`.
    #[serde(default)]
    pub head: Option<String>,
    /// Only those into this branch.
    #[serde(default)]
    pub base: Option<String>,
    /// Order; by creation if left out.
    #[serde(default)]
    pub sort: Option<PullSort>,
    /// Which end first; `desc` if left out.
    #[serde(default)]
    pub direction: Option<Direction>,
    /// How many a page holds; 30 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListPullRequests {
    type Output = Page<PullRequest>;

    async fn run(self, cx: &ToolContext) -> Result<Page<PullRequest>> {
        let request = on(cx, Method::GET, "/pulls", &self.owner, &self.repo)
            .query_opt("state", self.state.map(word))
            .query_opt("head", self.head.as_deref())
            .query_opt("base", self.base.as_deref())
            .query_opt("sort", self.sort.map(word))
            .query_opt("direction", self.direction.map(word));
        page(paged(request, self.page_size, self.cursor.as_deref())?).await
    }
}

/// Gets a pull request by its number: text, branches, size, and whether it can be merged.
///
/// <https://docs.github.com/en/rest/pulls/pulls#get-a-pull-request>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct GetPullRequest {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Number of the pull request.
    pub number: u64,
    /// Whether to return all that GitHub sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetPullRequest {
    type Output = Detail<PullRequest>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<PullRequest>> {
        on(cx, Method::GET, "/pulls/{number}", &self.owner, &self.repo)
            .path("number", self.number)
            .detail(self.whole)
            .await
    }
}

/// Opens a pull request from one branch into another. Returns it with its number and page.
///
/// <https://docs.github.com/en/rest/pulls/pulls#create-a-pull-request>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, scopes("public_repo|repo"))]
#[serde(deny_unknown_fields)]
pub struct CreatePullRequest {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Title.
    #[schemars(length(min = 1, max = 256))]
    pub title: String,
    /// Branch with the changes; from a fork `owner:branch`.
    #[schemars(length(min = 1))]
    pub head: String,
    /// Branch that they shall go into.
    #[schemars(length(min = 1))]
    pub base: String,
    /// Text in Markdown. `Closes #7` closes that issue with the merge.
    #[serde(default)]
    #[schemars(length(max = 65536))]
    pub body: Option<String>,
    /// Whether to open it as a draft.
    #[serde(default)]
    pub draft: Option<bool>,
    /// Whether maintainers may push to the branch of a fork.
    #[serde(default)]
    pub maintainer_can_modify: Option<bool>,
}

impl Run for CreatePullRequest {
    type Output = PullRequest;

    async fn run(self, cx: &ToolContext) -> Result<PullRequest> {
        on(cx, Method::POST, "/pulls", &self.owner, &self.repo)
            .json_body(
                &Members::default()
                    .with("title", &self.title)
                    .with("head", &self.head)
                    .with("base", &self.base)
                    .maybe("body", self.body.as_ref())
                    .maybe("draft", self.draft.as_ref())
                    .maybe("maintainer_can_modify", self.maintainer_can_modify.as_ref()),
            )
            .json()
            .await
    }
}

/// Changes a pull request: text, state, base branch. What is left out stays. Labels and assignees are those of the
/// issue of the same number.
///
/// <https://docs.github.com/en/rest/pulls/pulls#update-a-pull-request>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("public_repo|repo"))]
#[serde(deny_unknown_fields)]
pub struct UpdatePullRequest {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Number of the pull request.
    pub number: u64,
    /// Title.
    #[serde(default)]
    #[schemars(length(min = 1, max = 256))]
    pub title: Option<String>,
    /// Text in Markdown.
    #[serde(default)]
    #[schemars(length(max = 65536))]
    pub body: Option<String>,
    /// Whether it is open.
    #[serde(default)]
    pub state: Option<IssueState>,
    /// Branch that its changes shall go into.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub base: Option<String>,
}

impl Run for UpdatePullRequest {
    type Output = PullRequest;

    async fn run(self, cx: &ToolContext) -> Result<PullRequest> {
        on(cx, Method::PATCH, "/pulls/{number}", &self.owner, &self.repo)
            .path("number", self.number)
            .json_body(
                &Members::default()
                    .maybe("title", self.title.as_ref())
                    .maybe("body", self.body.as_ref())
                    .maybe("state", self.state.as_ref())
                    .maybe("base", self.base.as_ref()),
            )
            .json()
            .await
    }
}

/// Merges a pull request into its base branch. With `sha` only if no commit was pushed since that one was looked at.
///
/// <https://docs.github.com/en/rest/pulls/pulls#merge-a-pull-request>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(scopes("public_repo|repo"))]
#[serde(deny_unknown_fields)]
pub struct MergePullRequest {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Number of the pull request.
    pub number: u64,
    /// How; a merge commit if left out. The repository may not allow each.
    #[serde(default)]
    pub method: Option<MergeMethod>,
    /// SHA that the head must have: `head.sha` of the pull request as it was reviewed.
    #[serde(default)]
    #[schemars(regex(pattern = "^[0-9a-f]{40}([0-9a-f]{24})?$"))]
    pub sha: Option<String>,
    /// Title of the commit.
    #[serde(default)]
    pub commit_title: Option<String>,
    /// Text of the commit.
    #[serde(default)]
    pub commit_message: Option<String>,
}

impl Run for MergePullRequest {
    type Output = Merged;

    async fn run(self, cx: &ToolContext) -> Result<Merged> {
        let body = Members::default()
            .maybe("merge_method", self.method)
            .maybe("sha", self.sha.as_ref())
            .maybe("commit_title", self.commit_title.as_ref())
            .maybe("commit_message", self.commit_message.as_ref());
        let request = on(cx, Method::PUT, "/pulls/{number}/merge", &self.owner, &self.repo);
        // Asked again after a merge whose answer was lost, GitHub says that it cannot be merged: that would mislead.
        request.path("number", self.number).json_body(&body).repeatable(false).json().await
    }
}

/// Brings the branch of a pull request up to date: merges its base branch into it. Goes on in the background.
///
/// <https://docs.github.com/en/rest/pulls/pulls#update-a-pull-request-branch>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, scopes("public_repo|repo"))]
#[serde(deny_unknown_fields)]
pub struct UpdatePullRequestBranch {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Number of the pull request.
    pub number: u64,
    /// SHA that the head must have; its present one if left out.
    #[serde(default)]
    pub expected_head_sha: Option<String>,
}

impl Run for UpdatePullRequestBranch {
    type Output = Accepted;

    async fn run(self, cx: &ToolContext) -> Result<Accepted> {
        let body = Members::default().maybe("expected_head_sha", self.expected_head_sha.as_ref());
        let request = on(cx, Method::PUT, "/pulls/{number}/update-branch", &self.owner, &self.repo);
        request.path("number", self.number).json_body(&body).repeatable(false).json().await
    }
}
