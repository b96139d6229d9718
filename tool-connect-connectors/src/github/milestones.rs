//! Milestones.

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Detail, Page, Result, Run, Tool, ToolContext, ToolSet};

use super::page::{Done, Members, done, on, page, paged, word};
use super::{IssueState, StateFilter};
use crate::provider::paged;

pub(super) fn tools(set: &mut ToolSet) {
    set.add::<ListMilestones>()
        .add::<GetMilestone>()
        .add::<CreateMilestone>()
        .add::<UpdateMilestone>()
        .add::<DeleteMilestone>();
}

paged! { ListMilestones => Milestone }

/// A milestone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Milestone {
    /// Number within the repository.
    pub number: u64,
    /// Title.
    pub title: String,
    /// `open` or `closed`.
    pub state: String,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Open issues and pull requests in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_issues: Option<u64>,
    /// Closed ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_issues: Option<u64>,
    /// When it is due, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_on: Option<String>,
    /// Page on GitHub.
    pub html_url: String,
}

/// Lists the milestones of a repository, those due first before the others, a page at a time.
///
/// <https://docs.github.com/en/rest/issues/milestones#list-milestones>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct ListMilestones {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Which ones; open ones if left out.
    #[serde(default)]
    pub state: Option<StateFilter>,
    /// How many a page holds; 30 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListMilestones {
    type Output = Page<Milestone>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Milestone>> {
        let request = on(cx, Method::GET, "/milestones", &self.owner, &self.repo)
            .query_opt("state", self.state.map(word));
        page(paged(request, self.page_size, self.cursor.as_deref())?).await
    }
}

/// Gets a milestone by its number, with how many of its issues are open.
///
/// <https://docs.github.com/en/rest/issues/milestones#get-a-milestone>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct GetMilestone {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Number of the milestone.
    pub number: u64,
    /// Whether to return all that GitHub sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetMilestone {
    type Output = Detail<Milestone>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<Milestone>> {
        on(cx, Method::GET, "/milestones/{number}", &self.owner, &self.repo)
            .path("number", self.number)
            .detail(self.whole)
            .await
    }
}

/// Creates a milestone. Returns it with its number.
///
/// <https://docs.github.com/en/rest/issues/milestones#create-a-milestone>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, scopes("public_repo|repo"))]
#[serde(deny_unknown_fields)]
pub struct CreateMilestone {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Title.
    #[schemars(length(min = 1))]
    pub title: String,
    /// What it is about.
    #[serde(default)]
    pub description: Option<String>,
    /// When it is due, ISO 8601: `2026-01-02T03:04:05Z`.
    #[serde(default)]
    pub due_on: Option<String>,
}

impl Run for CreateMilestone {
    type Output = Milestone;

    async fn run(self, cx: &ToolContext) -> Result<Milestone> {
        on(cx, Method::POST, "/milestones", &self.owner, &self.repo)
            .json_body(
                &Members::default()
                    .with("title", &self.title)
                    .maybe("description", self.description.as_ref())
                    .maybe("due_on", self.due_on.as_ref()),
            )
            .json()
            .await
    }
}

/// Changes a milestone, or closes it; what is left out stays.
///
/// <https://docs.github.com/en/rest/issues/milestones#update-a-milestone>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("public_repo|repo"))]
#[serde(deny_unknown_fields)]
pub struct UpdateMilestone {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Number of the milestone.
    pub number: u64,
    /// Title.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub title: Option<String>,
    /// Whether it is open.
    #[serde(default)]
    pub state: Option<IssueState>,
    /// What it is about.
    #[serde(default)]
    pub description: Option<String>,
    /// When it is due, ISO 8601.
    #[serde(default)]
    pub due_on: Option<String>,
}

impl Run for UpdateMilestone {
    type Output = Milestone;

    async fn run(self, cx: &ToolContext) -> Result<Milestone> {
        on(cx, Method::PATCH, "/milestones/{number}", &self.owner, &self.repo)
            .path("number", self.number)
            .json_body(
                &Members::default()
                    .maybe("title", self.title.as_ref())
                    .maybe("state", self.state.as_ref())
                    .maybe("description", self.description.as_ref())
                    .maybe("due_on", self.due_on.as_ref()),
            )
            .json()
            .await
    }
}

/// Deletes a milestone. Its issues stay, without one.
///
/// <https://docs.github.com/en/rest/issues/milestones#delete-a-milestone>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(idempotent, scopes("public_repo|repo"))]
#[serde(deny_unknown_fields)]
pub struct DeleteMilestone {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Number of the milestone.
    pub number: u64,
}

impl Run for DeleteMilestone {
    type Output = Done;

    async fn run(self, cx: &ToolContext) -> Result<Done> {
        done(
            on(cx, Method::DELETE, "/milestones/{number}", &self.owner, &self.repo)
                .path("number", self.number),
        )
        .await
    }
}
