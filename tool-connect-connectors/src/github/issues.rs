//! Issues; who works on them, their comments, labels and milestones have files of their own.

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Detail, Page, Result, Run, Tool, ToolArgs, ToolContext, ToolSet};

use super::Direction;
use super::brief::{LabelName, Login};
use super::page::{Members, on, page, paged, request, word};
use crate::provider::paged;

pub(super) fn tools(set: &mut ToolSet) {
    set.add::<ListIssues>().add::<ListMyIssues>().add::<GetIssue>().add::<CreateIssue>().add::<UpdateIssue>();
}

paged! { ListIssues => Issue, ListMyIssues => Issue }

/// An issue, or a pull request where issues are listed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Issue {
    /// Number within the repository.
    pub number: u64,
    /// Title.
    pub title: String,
    /// `open` or `closed`.
    pub state: String,
    /// Why it was closed: `completed`, `not_planned`, `duplicate`; `reopened`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_reason: Option<String>,
    /// Text in Markdown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Who opened it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Login>,
    /// Labels.
    #[serde(default, deserialize_with = "super::brief::list", skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<LabelName>,
    /// Who works on it.
    #[serde(default, deserialize_with = "super::brief::list", skip_serializing_if = "Vec::is_empty")]
    pub assignees: Vec<Login>,
    /// Milestone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub milestone: Option<MilestoneTitle>,
    /// How many comments it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comments: Option<u64>,
    /// Whether only those with push access may comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked: Option<bool>,
    /// Present where it is a pull request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull_request: Option<PullRequestMark>,
    /// Where the repository is in the API: it ends in `/repos/owner/name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository_url: Option<String>,
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

/// A milestone by number and title.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MilestoneTitle {
    /// Number within the repository.
    pub number: u64,
    /// Title.
    pub title: String,
}

/// What tells a pull request among issues.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PullRequestMark {
    /// Page on GitHub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html_url: Option<String>,
    /// When it was merged, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_at: Option<String>,
}

/// Whether an issue or pull request is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum IssueState {
    /// Work is left.
    Open,
    /// Done, or given up.
    Closed,
}

/// Why an issue is open or closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum StateReason {
    /// Done.
    Completed,
    /// Given up.
    NotPlanned,
    /// There is another one of it.
    Duplicate,
    /// It was closed before.
    Reopened,
}

/// Which ones to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum StateFilter {
    /// Only open ones.
    Open,
    /// Only closed ones.
    Closed,
    /// Both.
    All,
}

/// How issues are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum IssueSort {
    /// By when they were opened.
    Created,
    /// By when they were changed.
    Updated,
    /// By how many comments they have.
    Comments,
}

/// Lists issues of a repository, newest first, a page at a time. Pull requests are among them.
///
/// <https://docs.github.com/en/rest/issues/issues#list-repository-issues>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct ListIssues {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Which ones; open ones if left out.
    #[serde(default)]
    pub state: Option<StateFilter>,
    /// Only those with all these labels, separated by commas.
    #[serde(default)]
    pub labels: Option<String>,
    /// Only those that this login works on; `none` for nobody, `*` for anybody.
    #[serde(default)]
    pub assignee: Option<String>,
    /// Only those that this login opened.
    #[serde(default)]
    pub creator: Option<String>,
    /// Only those that mention this login.
    #[serde(default)]
    pub mentioned: Option<String>,
    /// Only those of the milestone with this number; `none` for no milestone, `*` for any.
    #[serde(default)]
    pub milestone: Option<String>,
    /// Only those that were changed after this time, ISO 8601: `2026-01-02T03:04:05Z`.
    #[serde(default)]
    pub since: Option<String>,
    /// Order; by creation if left out.
    #[serde(default)]
    pub sort: Option<IssueSort>,
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

impl Run for ListIssues {
    type Output = Page<Issue>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Issue>> {
        let request = on(cx, Method::GET, "/issues", &self.owner, &self.repo)
            .query_opt("state", self.state.map(word))
            .query_opt("labels", self.labels.as_deref())
            .query_opt("assignee", self.assignee.as_deref())
            .query_opt("creator", self.creator.as_deref())
            .query_opt("mentioned", self.mentioned.as_deref())
            .query_opt("milestone", self.milestone.as_deref())
            .query_opt("since", self.since.as_deref())
            .query_opt("sort", self.sort.map(word))
            .query_opt("direction", self.direction.map(word));
        page(paged(request, self.page_size, self.cursor.as_deref())?).await
    }
}

/// Lists issues of all repositories that concern the connected account, newest first, a page at a time. Pull requests
/// are among them.
///
/// <https://docs.github.com/en/rest/issues/issues#list-issues-assigned-to-the-authenticated-user>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct ListMyIssues {
    /// Which issues; assigned ones if left out.
    #[serde(default)]
    pub filter: Option<IssueFilter>,
    /// Which ones; open ones if left out.
    #[serde(default)]
    pub state: Option<StateFilter>,
    /// Only those with all these labels, separated by commas.
    #[serde(default)]
    pub labels: Option<String>,
    /// Only those that were changed after this time, ISO 8601.
    #[serde(default)]
    pub since: Option<String>,
    /// Order; by creation if left out.
    #[serde(default)]
    pub sort: Option<IssueSort>,
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

impl Run for ListMyIssues {
    type Output = Page<Issue>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Issue>> {
        let request = request(cx, Method::GET, "/issues")
            .query_opt("filter", self.filter.map(word))
            .query_opt("state", self.state.map(word))
            .query_opt("labels", self.labels.as_deref())
            .query_opt("since", self.since.as_deref())
            .query_opt("sort", self.sort.map(word))
            .query_opt("direction", self.direction.map(word));
        page(paged(request, self.page_size, self.cursor.as_deref())?).await
    }
}

/// What an issue has to do with the connected account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum IssueFilter {
    /// Assigned to it.
    Assigned,
    /// Opened by it.
    Created,
    /// It is mentioned.
    Mentioned,
    /// It gets notifications of it.
    Subscribed,
    /// Anything of these.
    All,
}

/// Gets an issue by its number.
///
/// <https://docs.github.com/en/rest/issues/issues#get-an-issue>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct GetIssue {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Number of the issue.
    pub number: u64,
    /// Whether to return all that GitHub sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetIssue {
    type Output = Detail<Issue>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<Issue>> {
        on(cx, Method::GET, "/issues/{number}", &self.owner, &self.repo)
            .path("number", self.number)
            .detail(self.whole)
            .await
    }
}

/// Creates an issue. Returns it with its number and page.
///
/// <https://docs.github.com/en/rest/issues/issues#create-an-issue>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, scopes("public_repo|repo"))]
#[serde(deny_unknown_fields)]
pub struct CreateIssue {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Title.
    #[schemars(length(min = 1, max = 256))]
    pub title: String,
    /// Text in Markdown.
    #[serde(default)]
    #[schemars(length(max = 65536))]
    pub body: Option<String>,
    /// Names of labels. Without push access they are left out silently.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub labels: Vec<String>,
    /// Logins of who shall work on it. Without push access they are left out silently.
    #[serde(default)]
    #[schemars(length(max = 10))]
    pub assignees: Vec<String>,
    /// Number of a milestone. Without push access it is left out silently.
    #[serde(default)]
    pub milestone: Option<u64>,
}

impl Run for CreateIssue {
    type Output = Issue;

    async fn run(self, cx: &ToolContext) -> Result<Issue> {
        on(cx, Method::POST, "/issues", &self.owner, &self.repo)
            .json_body(
                &Members::default()
                    .with("title", &self.title)
                    .maybe("body", self.body.as_ref())
                    .list("labels", &self.labels)
                    .list("assignees", &self.assignees)
                    .maybe("milestone", self.milestone.as_ref()),
            )
            .json()
            .await
    }
}

/// Changes an issue or pull request: text, state, labels, assignees, milestone. What is left out stays; lists replace
/// what is there.
///
/// <https://docs.github.com/en/rest/issues/issues#update-an-issue>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("public_repo|repo"))]
#[serde(deny_unknown_fields)]
pub struct UpdateIssue {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Number of the issue.
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
    /// Why, where the state changes.
    #[serde(default)]
    pub state_reason: Option<StateReason>,
    /// Names of all labels that it shall have: others are removed. `add_labels` and `remove_label` change some.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub labels: Option<Vec<String>>,
    /// Logins of all who shall work on it: others are removed. `add_assignees` and `remove_assignees` change some.
    #[serde(default)]
    #[schemars(length(max = 10))]
    pub assignees: Option<Vec<String>>,
    /// Number of its milestone; 0 takes it out of its milestone.
    #[serde(default)]
    pub milestone: Option<u64>,
}

impl Run for UpdateIssue {
    type Output = Issue;

    async fn run(self, cx: &ToolContext) -> Result<Issue> {
        let mut body = Members::default()
            .maybe("title", self.title.as_ref())
            .maybe("body", self.body.as_ref())
            .maybe("state", self.state)
            .maybe("state_reason", self.state_reason)
            .maybe("labels", self.labels.as_ref())
            .maybe("assignees", self.assignees.as_ref());
        if let Some(milestone) = self.milestone {
            body = body.with("milestone", Some(milestone).filter(|number| *number > 0));
        }
        let request = on(cx, Method::PATCH, "/issues/{number}", &self.owner, &self.repo);
        request.path("number", self.number).json_body(&body).json().await
    }
}
