//! Issues: how they are made and changed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Result, Run, Tool, ToolArgs, ToolContext};

use super::fields::{issue, payload_of};
use super::graphql::{Document, change, clearing, create, remove};
use super::{Done, Issue};

const CREATE: Document = concat!(
    "mutation($id: String, $team_id: String!, $title: String!, $description: String, $state_id: String, $assignee_id: String, \
     $priority: Int, $estimate: Int, $due_date: TimelessDate, $label_ids: [String!], $project_id: String, \
     $project_milestone_id: String, $cycle_id: String, $parent_id: String) { answer: issueCreate(input: {id: $id, teamId: $team_id, \
     title: $title, description: $description, stateId: $state_id, assigneeId: $assignee_id, priority: $priority, \
     estimate: $estimate, dueDate: $due_date, labelIds: $label_ids, projectId: $project_id, \
     projectMilestoneId: $project_milestone_id, cycleId: $cycle_id, parentId: $parent_id}) ",
    payload_of!("issue", issue!()),
    " }"
);
const CREATED: Document = concat!("query($id: String!) { answer: issue(id: $id) { ", issue!(), " } }");
const UPDATE: Document = concat!(
    "mutation($id: String!, $team_id: String, $title: String, $description: String, $state_id: String, $assignee_id: String, \
     $priority: Int, $estimate: Int, $due_date: TimelessDate, $label_ids: [String!], $project_id: String, \
     $project_milestone_id: String, $cycle_id: String, $parent_id: String) { answer: issueUpdate(id: $id, input: {teamId: $team_id, \
     title: $title, description: $description, stateId: $state_id, assigneeId: $assignee_id, priority: $priority, \
     estimate: $estimate, dueDate: $due_date, labelIds: $label_ids, projectId: $project_id, \
     projectMilestoneId: $project_milestone_id, cycleId: $cycle_id, parentId: $parent_id}) ",
    payload_of!("issue", issue!()),
    " }"
);
const ASSIGN: Document = concat!(
    "mutation($id: String!, $assignee_id: String) { answer: issueUpdate(id: $id, input: {assigneeId: $assignee_id}) ",
    payload_of!("issue", issue!()),
    " }"
);
const ADD_LABEL: Document = concat!(
    "mutation($id: String!, $label_id: String!) { answer: issueAddLabel(id: $id, labelId: $label_id) ",
    payload_of!("issue", issue!()),
    " }"
);
const REMOVE_LABEL: Document = concat!(
    "mutation($id: String!, $label_id: String!) { answer: issueRemoveLabel(id: $id, labelId: $label_id) ",
    payload_of!("issue", issue!()),
    " }"
);
const ARCHIVE: Document =
    concat!("mutation($id: String!) { answer: issueArchive(id: $id) ", payload_of!("entity", issue!()), " }");
const UNARCHIVE: Document = concat!(
    "mutation($id: String!) { answer: issueUnarchive(id: $id) ",
    payload_of!("entity", issue!()),
    " }"
);
const DELETE: Document = "mutation($id: String!) { answer: issueDelete(id: $id) { success } }";

/// Creates an issue. Returns it with its identifier and page. With `parent_id` it becomes a sub-issue.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, scopes("issues:create|write"))]
#[serde(deny_unknown_fields)]
pub struct CreateIssue {
    /// Id of the team, a UUID.
    #[schemars(length(min = 1))]
    pub team_id: String,
    /// Title.
    #[schemars(length(min = 1))]
    pub title: String,
    /// Text in Markdown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Id of the workflow state, of the same team; the team's first where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_id: Option<String>,
    /// Id of the user who works on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee_id: Option<String>,
    /// 0 none, 1 urgent, 2 high, 3 medium, 4 low.
    #[schemars(range(min = 0, max = 4))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// Estimate in the team's points.
    #[schemars(range(min = 0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<u32>,
    /// Day on which it is due, `2026-05-31`.
    #[schemars(regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_date: Option<String>,
    /// Ids of its labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_ids: Option<Vec<String>>,
    /// Id of the project it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// Id of the milestone within the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_milestone_id: Option<String>,
    /// Id of the cycle it is in, of the same team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cycle_id: Option<String>,
    /// Id or identifier of the issue that it is a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
}

impl Run for CreateIssue {
    type Output = Issue;

    async fn run(self, cx: &ToolContext) -> Result<Issue> {
        create(cx, CREATE, CREATED, &self).await
    }
}

/// What an issue can be without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum IssueField {
    /// Nobody works on it.
    AssigneeId,
    /// It has no estimate.
    Estimate,
    /// It is not due on a day.
    DueDate,
    /// It belongs to no project.
    ProjectId,
    /// It belongs to no milestone.
    ProjectMilestoneId,
    /// It is in no cycle.
    CycleId,
    /// It is a part of no other.
    ParentId,
}

/// Changes an issue: what is given replaces what is there, what is left out stays; `clear` empties fields. A `state_id` moves it,
/// a `cycle_id` plans it. Returns the issue.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("write"))]
#[serde(deny_unknown_fields)]
pub struct UpdateIssue {
    /// Id of the issue, a UUID, or its identifier, `ENG-123`.
    #[schemars(length(min = 1))]
    pub id: String,
    /// Id of the team to move it to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team_id: Option<String>,
    /// Title.
    #[schemars(length(min = 1))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Text in Markdown, all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Id of the workflow state, of the issue's team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_id: Option<String>,
    /// Id of the user who works on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee_id: Option<String>,
    /// 0 none, 1 urgent, 2 high, 3 medium, 4 low.
    #[schemars(range(min = 0, max = 4))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// Estimate in the team's points.
    #[schemars(range(min = 0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<u32>,
    /// Day on which it is due, `2026-05-31`.
    #[schemars(regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_date: Option<String>,
    /// Ids of all its labels: others are removed. `add_issue_label` and `remove_issue_label` change one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_ids: Option<Vec<String>>,
    /// Id of the project it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// Id of the milestone within the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_milestone_id: Option<String>,
    /// Id of the cycle it is in, of the same team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cycle_id: Option<String>,
    /// Id or identifier of the issue that it is a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// Fields to empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clear: Vec<IssueField>,
}

impl Run for UpdateIssue {
    type Output = Issue;

    async fn run(self, cx: &ToolContext) -> Result<Issue> {
        change(cx, UPDATE, &clearing(&self, &self.clear)?).await
    }
}

/// Assigns an issue to a user, or to nobody. Returns the issue.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("write"))]
#[serde(deny_unknown_fields)]
pub struct AssignIssue {
    /// Id of the issue, a UUID, or its identifier, `ENG-123`.
    #[schemars(length(min = 1))]
    pub id: String,
    /// Id of the user; nobody where left out.
    #[serde(default)]
    pub assignee_id: Option<String>,
}

impl Run for AssignIssue {
    type Output = Issue;

    async fn run(self, cx: &ToolContext) -> Result<Issue> {
        change(cx, ASSIGN, &self).await
    }
}

/// Adds a label to an issue and keeps the others. Returns the issue.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("write"))]
#[serde(deny_unknown_fields)]
pub struct AddIssueLabel {
    /// Id of the issue, a UUID, or its identifier, `ENG-123`.
    #[schemars(length(min = 1))]
    pub id: String,
    /// Id of the label, of the workspace or of the issue's team.
    #[schemars(length(min = 1))]
    pub label_id: String,
}

impl Run for AddIssueLabel {
    type Output = Issue;

    async fn run(self, cx: &ToolContext) -> Result<Issue> {
        change(cx, ADD_LABEL, &self).await
    }
}

/// Takes a label off an issue and keeps the others. Returns the issue.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(idempotent, scopes("write"))]
#[serde(deny_unknown_fields)]
pub struct RemoveIssueLabel {
    /// Id of the issue, a UUID, or its identifier, `ENG-123`.
    #[schemars(length(min = 1))]
    pub id: String,
    /// Id of the label.
    #[schemars(length(min = 1))]
    pub label_id: String,
}

impl Run for RemoveIssueLabel {
    type Output = Issue;

    async fn run(self, cx: &ToolContext) -> Result<Issue> {
        change(cx, REMOVE_LABEL, &self).await
    }
}

/// Archives an issue: it leaves lists that do not ask for archived ones, and can be brought back with `unarchive_issue`.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(idempotent, scopes("write"))]
#[serde(deny_unknown_fields)]
pub struct ArchiveIssue {
    /// Id of the issue, a UUID, or its identifier, `ENG-123`.
    #[schemars(length(min = 1))]
    pub id: String,
}

impl Run for ArchiveIssue {
    type Output = Issue;

    async fn run(self, cx: &ToolContext) -> Result<Issue> {
        change(cx, ARCHIVE, &self).await
    }
}

/// Brings an issue back that was archived, or deleted less than 30 days ago.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("write"))]
#[serde(deny_unknown_fields)]
pub struct UnarchiveIssue {
    /// Id of the issue, a UUID, or its identifier, `ENG-123`.
    #[schemars(length(min = 1))]
    pub id: String,
}

impl Run for UnarchiveIssue {
    type Output = Issue;

    async fn run(self, cx: &ToolContext) -> Result<Issue> {
        change(cx, UNARCHIVE, &self).await
    }
}

/// Deletes an issue: it lies in the trash for 30 days, from where `unarchive_issue` brings it back, and is gone then.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(idempotent, scopes("write"))]
#[serde(deny_unknown_fields)]
pub struct DeleteIssue {
    /// Id of the issue, a UUID, or its identifier, `ENG-123`.
    #[schemars(length(min = 1))]
    pub id: String,
}

impl Run for DeleteIssue {
    type Output = Done;

    async fn run(self, cx: &ToolContext) -> Result<Done> {
        remove(cx, DELETE, self.id).await
    }
}
