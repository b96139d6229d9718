//! Projects: how they are made and changed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Result, Run, Tool, ToolArgs, ToolContext};

use super::fields::{payload_of, project};
use super::graphql::{Document, change, clearing, create, remove};
use super::{Done, Project};

const CREATE: Document = concat!(
    "mutation($id: String, $name: String!, $team_ids: [String!]!, $description: String, $content: String, $status_id: String, \
     $lead_id: String, $member_ids: [String!], $priority: Int, $start_date: TimelessDate, $target_date: TimelessDate) { \
     answer: projectCreate(input: {id: $id, name: $name, teamIds: $team_ids, description: $description, content: $content, \
     statusId: $status_id, leadId: $lead_id, memberIds: $member_ids, priority: $priority, startDate: $start_date, \
     targetDate: $target_date}) ",
    payload_of!("project", project!()),
    " }"
);
const CREATED: Document = concat!("query($id: String!) { answer: project(id: $id) { ", project!(), " } }");
const UPDATE: Document = concat!(
    "mutation($id: String!, $name: String, $team_ids: [String!], $description: String, $content: String, $status_id: String, \
     $lead_id: String, $member_ids: [String!], $priority: Int, $start_date: TimelessDate, $target_date: TimelessDate) { \
     answer: projectUpdate(id: $id, input: {name: $name, teamIds: $team_ids, description: $description, content: $content, \
     statusId: $status_id, leadId: $lead_id, memberIds: $member_ids, priority: $priority, startDate: $start_date, \
     targetDate: $target_date}) ",
    payload_of!("project", project!()),
    " }"
);
// Linear deprecates `projectArchive` in favour of this.
const ARCHIVE: Document = "mutation($id: String!) { answer: projectDelete(id: $id) { success } }";
const UNARCHIVE: Document = concat!(
    "mutation($id: String!) { answer: projectUnarchive(id: $id) ",
    payload_of!("entity", project!()),
    " }"
);

/// Creates a project. Returns it with its id and page.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, scopes("write"))]
#[serde(deny_unknown_fields)]
pub struct CreateProject {
    /// Name.
    #[schemars(length(min = 1))]
    pub name: String,
    /// Ids of the teams that work on it.
    #[schemars(length(min = 1))]
    pub team_ids: Vec<String>,
    /// What it is, in a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its text in Markdown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Id of the status; `list_project_statuses` has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_id: Option<String>,
    /// Id of the user who leads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead_id: Option<String>,
    /// Ids of the users who work on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member_ids: Option<Vec<String>>,
    /// 0 none, 1 urgent, 2 high, 3 medium, 4 low.
    #[schemars(range(min = 0, max = 4))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// Day on which it begins, `2026-05-31`.
    #[schemars(regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_date: Option<String>,
    /// Day on which it shall be done, `2026-05-31`.
    #[schemars(regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_date: Option<String>,
}

impl Run for CreateProject {
    type Output = Project;

    async fn run(self, cx: &ToolContext) -> Result<Project> {
        create(cx, CREATE, CREATED, &self).await
    }
}

/// What a project can be without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum ProjectField {
    /// Nobody leads it.
    LeadId,
    /// It has no first day.
    StartDate,
    /// It has no last day.
    TargetDate,
}

/// Changes a project: what is given replaces what is there, what is left out stays; `clear` empties fields. Returns it.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("write"))]
#[serde(deny_unknown_fields)]
pub struct UpdateProject {
    /// Id of the project, a UUID, or its `slug_id`.
    #[schemars(length(min = 1))]
    pub id: String,
    /// Name.
    #[schemars(length(min = 1))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Ids of all teams that work on it: others are removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team_ids: Option<Vec<String>>,
    /// What it is, in a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its text in Markdown, all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Id of the status; `list_project_statuses` has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_id: Option<String>,
    /// Id of the user who leads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead_id: Option<String>,
    /// Ids of all users who work on it: others are removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member_ids: Option<Vec<String>>,
    /// 0 none, 1 urgent, 2 high, 3 medium, 4 low.
    #[schemars(range(min = 0, max = 4))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// Day on which it begins, `2026-05-31`.
    #[schemars(regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_date: Option<String>,
    /// Day on which it shall be done, `2026-05-31`.
    #[schemars(regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_date: Option<String>,
    /// Fields to empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clear: Vec<ProjectField>,
}

impl Run for UpdateProject {
    type Output = Project;

    async fn run(self, cx: &ToolContext) -> Result<Project> {
        change(cx, UPDATE, &clearing(&self, &self.clear)?).await
    }
}

/// Puts a project into the trash, from where `unarchive_project` brings it back.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(idempotent, scopes("write"))]
#[serde(deny_unknown_fields)]
pub struct ArchiveProject {
    /// Id of the project, a UUID, or its `slug_id`.
    #[schemars(length(min = 1))]
    pub id: String,
}

impl Run for ArchiveProject {
    type Output = Done;

    async fn run(self, cx: &ToolContext) -> Result<Done> {
        remove(cx, ARCHIVE, self.id).await
    }
}

/// Brings a project back that was archived or put into the trash.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("write"))]
#[serde(deny_unknown_fields)]
pub struct UnarchiveProject {
    /// Id of the project, a UUID, or its `slug_id`.
    #[schemars(length(min = 1))]
    pub id: String,
}

impl Run for UnarchiveProject {
    type Output = Project;

    async fn run(self, cx: &ToolContext) -> Result<Project> {
        change(cx, UNARCHIVE, &self).await
    }
}
