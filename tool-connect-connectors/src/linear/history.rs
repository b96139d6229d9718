//! What happened to an issue.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Page, Result, Run, Tool, ToolContext};

use super::fields::page_of;
use super::graphql::{Document, page_within};
use super::{CycleRef, Named, StateRef};
use crate::provider::paged;

paged! { ListIssueHistory => IssueChange }

const HISTORY: Document = concat!(
    "query($id: String!, $page_size: Int = 50, $cursor: String) { answer: issue(id: $id) { \
     page: history(first: $page_size, after: $cursor) ",
    page_of!(
        "id created_at: createdAt actor { id name } bot: botActor { id name } \
         from_state: fromState { id name type } to_state: toState { id name type } \
         from_assignee: fromAssignee { id name } to_assignee: toAssignee { id name } \
         from_project: fromProject { id name } to_project: toProject { id name } \
         from_cycle: fromCycle { id number name } to_cycle: toCycle { id number name } \
         from_priority: fromPriority to_priority: toPriority from_title: fromTitle to_title: toTitle \
         from_due_date: fromDueDate to_due_date: toDueDate added_labels: addedLabels { id name } \
         removed_labels: removedLabels { id name } archived trashed updated_description: updatedDescription"
    ),
    " } }"
);

/// One change to an issue: who made it, and of each field that changed what it was and what it became.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IssueChange {
    /// Id, a UUID.
    pub id: String,
    /// When (RFC 3339).
    pub created_at: String,
    /// The user who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Named>,
    /// The app or integration that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bot: Option<Named>,
    /// State before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_state: Option<StateRef>,
    /// State after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_state: Option<StateRef>,
    /// Who worked on it before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_assignee: Option<Named>,
    /// Who works on it after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_assignee: Option<Named>,
    /// Project before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_project: Option<Named>,
    /// Project after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_project: Option<Named>,
    /// Cycle before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_cycle: Option<CycleRef>,
    /// Cycle after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_cycle: Option<CycleRef>,
    /// Priority before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_priority: Option<u8>,
    /// Priority after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_priority: Option<u8>,
    /// Title before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_title: Option<String>,
    /// Title after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_title: Option<String>,
    /// Due day before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_due_date: Option<String>,
    /// Due day after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_due_date: Option<String>,
    /// Labels that came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub added_labels: Option<Vec<Named>>,
    /// Labels that went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed_labels: Option<Vec<Named>>,
    /// Whether it was archived, or brought back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived: Option<bool>,
    /// Whether it was put into the trash, or taken out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trashed: Option<bool>,
    /// Whether its text changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_description: Option<bool>,
}

/// Lists what happened to an issue, a page at a time, the latest first: who changed what, from what to what.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("read"))]
#[serde(deny_unknown_fields)]
pub struct ListIssueHistory {
    /// Id of the issue, a UUID, or its identifier, `ENG-123`.
    #[schemars(length(min = 1))]
    pub id: String,
    /// How many a page holds; 50 where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

impl Run for ListIssueHistory {
    type Output = Page<IssueChange>;

    async fn run(self, cx: &ToolContext) -> Result<Page<IssueChange>> {
        page_within(cx, HISTORY, &self).await
    }
}
