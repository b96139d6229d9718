//! What belongs to a project: updates on how it goes, and milestones.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Number;
use tool_connect_core::{Page, Result, Run, Tool, ToolArgs, ToolContext};

use super::Named;
use super::fields::{milestone, page_of, payload_of, project_update};
use super::graphql::{Document, change, create, page_within};
use crate::provider::paged;

paged! { ListProjectUpdates => ProjectUpdate, ListMilestones => Milestone }

const UPDATES: Document = concat!(
    "query($project_id: String!, $page_size: Int = 50, $cursor: String, $include_archived: Boolean) { \
     answer: project(id: $project_id) { page: projectUpdates(first: $page_size, after: $cursor, includeArchived: $include_archived) ",
    page_of!(project_update!()),
    " } }"
);
const CREATE_UPDATE: Document = concat!(
    "mutation($id: String, $project_id: String!, $body: String!, $health: ProjectUpdateHealthType) { \
     answer: projectUpdateCreate(input: {id: $id, projectId: $project_id, body: $body, health: $health}) ",
    payload_of!("projectUpdate", project_update!()),
    " }"
);
const CREATED_UPDATE: Document =
    concat!("query($id: String!) { answer: projectUpdate(id: $id) { ", project_update!(), " } }");
const MILESTONES: Document = concat!(
    "query($project_id: String!, $page_size: Int = 50, $cursor: String, $include_archived: Boolean) { \
     answer: project(id: $project_id) { \
     page: projectMilestones(first: $page_size, after: $cursor, includeArchived: $include_archived) ",
    page_of!(milestone!()),
    " } }"
);
const CREATE_MILESTONE: Document = concat!(
    "mutation($id: String, $project_id: String!, $name: String!, $description: String, $target_date: TimelessDate) { \
     answer: projectMilestoneCreate(input: {id: $id, projectId: $project_id, name: $name, description: $description, \
     targetDate: $target_date}) ",
    payload_of!("projectMilestone", milestone!()),
    " }"
);
const CREATED_MILESTONE: Document =
    concat!("query($id: String!) { answer: projectMilestone(id: $id) { ", milestone!(), " } }");
const UPDATE_MILESTONE: Document = concat!(
    "mutation($id: String!, $name: String, $description: String, $target_date: TimelessDate) { \
     answer: projectMilestoneUpdate(id: $id, input: {name: $name, description: $description, targetDate: $target_date}) ",
    payload_of!("projectMilestone", milestone!()),
    " }"
);

/// How a project goes, as somebody saw it at one time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProjectUpdate {
    /// Id, a UUID.
    pub id: String,
    /// Text in Markdown.
    pub body: String,
    /// `onTrack`, `atRisk` or `offTrack`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<String>,
    /// Page on Linear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Who wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Named>,
    /// The project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<Named>,
    /// When it was written (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// When it was last changed (RFC 3339); absent where it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<String>,
}

/// How a project goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "camelCase")]
pub enum Health {
    /// As planned.
    OnTrack,
    /// It may not work out.
    AtRisk,
    /// It does not work out.
    OffTrack,
}

/// A milestone of a project.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Milestone {
    /// Id, a UUID.
    pub id: String,
    /// Name.
    pub name: String,
    /// Text in Markdown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `unstarted`, `next`, `overdue` or `done`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// How much of it is done, from 0 to 1 or in percent, as Linear counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Number>,
    /// Day on which it shall be reached, `2026-05-31`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_date: Option<String>,
    /// The project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<Named>,
    /// When it was archived (RFC 3339); absent where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived_at: Option<String>,
}

/// Lists the updates on how a project goes, a page at a time, the latest first.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("read"))]
#[serde(deny_unknown_fields)]
pub struct ListProjectUpdates {
    /// Id of the project, a UUID, or its `slug_id`.
    #[schemars(length(min = 1))]
    pub project_id: String,
    /// Whether archived ones are listed, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_archived: Option<bool>,
    /// How many a page holds; 50 where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

impl Run for ListProjectUpdates {
    type Output = Page<ProjectUpdate>;

    async fn run(self, cx: &ToolContext) -> Result<Page<ProjectUpdate>> {
        page_within(cx, UPDATES, &self).await
    }
}

/// Posts an update on how a project goes; its members are notified. Returns it.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, scopes("write"))]
#[serde(deny_unknown_fields)]
pub struct CreateProjectUpdate {
    /// Id of the project, a UUID.
    #[schemars(length(min = 1))]
    pub project_id: String,
    /// Text in Markdown.
    #[schemars(length(min = 1))]
    pub body: String,
    /// How it goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<Health>,
}

impl Run for CreateProjectUpdate {
    type Output = ProjectUpdate;

    async fn run(self, cx: &ToolContext) -> Result<ProjectUpdate> {
        create(cx, CREATE_UPDATE, CREATED_UPDATE, &self).await
    }
}

/// Lists the milestones of a project with their ids, a page at a time.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("read"))]
#[serde(deny_unknown_fields)]
pub struct ListMilestones {
    /// Id of the project, a UUID, or its `slug_id`.
    #[schemars(length(min = 1))]
    pub project_id: String,
    /// Whether archived ones are listed, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_archived: Option<bool>,
    /// How many a page holds; 50 where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

impl Run for ListMilestones {
    type Output = Page<Milestone>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Milestone>> {
        page_within(cx, MILESTONES, &self).await
    }
}

/// Creates a milestone in a project. Returns it with its id.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, scopes("write"))]
#[serde(deny_unknown_fields)]
pub struct CreateMilestone {
    /// Id of the project, a UUID.
    #[schemars(length(min = 1))]
    pub project_id: String,
    /// Name.
    #[schemars(length(min = 1))]
    pub name: String,
    /// Text in Markdown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Day on which it shall be reached, `2026-05-31`.
    #[schemars(regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_date: Option<String>,
}

impl Run for CreateMilestone {
    type Output = Milestone;

    async fn run(self, cx: &ToolContext) -> Result<Milestone> {
        create(cx, CREATE_MILESTONE, CREATED_MILESTONE, &self).await
    }
}

/// Changes a milestone: what is given replaces what is there. Returns it.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("write"))]
#[serde(deny_unknown_fields)]
pub struct UpdateMilestone {
    /// Id of the milestone, a UUID.
    #[schemars(length(min = 1))]
    pub id: String,
    /// Name.
    #[schemars(length(min = 1))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Text in Markdown, all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Day on which it shall be reached, `2026-05-31`.
    #[schemars(regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_date: Option<String>,
}

impl Run for UpdateMilestone {
    type Output = Milestone;

    async fn run(self, cx: &ToolContext) -> Result<Milestone> {
        change(cx, UPDATE_MILESTONE, &self).await
    }
}
