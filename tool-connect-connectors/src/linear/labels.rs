//! Labels of issues.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Page, Result, Run, Tool, ToolContext};

use super::fields::{label, page_of, payload_of};
use super::filter::{Contains, Which};
use super::graphql::{Document, Listed, change, create, page};
use super::{Named, TeamRef};
use crate::provider::paged;

paged! { ListLabels => Label }

const LIST: Document = concat!(
    "query($page_size: Int = 50, $cursor: String, $include_archived: Boolean, $filter: IssueLabelFilter) { \
     answer: issueLabels(first: $page_size, after: $cursor, includeArchived: $include_archived, filter: $filter) ",
    page_of!(label!()),
    " }"
);
const CREATE: Document = concat!(
    "mutation($id: String, $name: String!, $color: String, $description: String, $team_id: String, $parent_id: String, \
     $is_group: Boolean) { answer: issueLabelCreate(input: {id: $id, name: $name, color: $color, description: $description, \
     teamId: $team_id, parentId: $parent_id, isGroup: $is_group}) ",
    payload_of!("issueLabel", label!()),
    " }"
);
const CREATED: Document = concat!("query($id: String!) { answer: issueLabel(id: $id) { ", label!(), " } }");
const UPDATE: Document = concat!(
    "mutation($id: String!, $name: String, $color: String, $description: String, $parent_id: String) { \
     answer: issueLabelUpdate(id: $id, input: {name: $name, color: $color, description: $description, parentId: $parent_id}) ",
    payload_of!("issueLabel", label!()),
    " }"
);

/// A label, or a group of labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Label {
    /// Id, a UUID.
    pub id: String,
    /// Name.
    pub name: String,
    /// Colour, `#RRGGBB`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether it is a group, which issues cannot have themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_group: Option<bool>,
    /// The team whose issues can have it; absent where all can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamRef>,
    /// The group that it is in; an issue has one label of a group at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Named>,
    /// When it was retired (RFC 3339); absent where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired_at: Option<String>,
}

/// Lists labels with their ids, a page at a time: those of the whole workspace and those of its teams.
///
/// <https://linear.app/developers/filtering>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("read"))]
#[serde(deny_unknown_fields)]
pub struct ListLabels {
    /// Only those of this team's own: its id or its key, `ENG`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Only those whose name holds this text, whatever its case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
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

#[derive(Serialize)]
struct Filter<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    team: Option<Which<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Contains<'a>>,
}

impl Run for ListLabels {
    type Output = Page<Label>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Label>> {
        let filter = Filter {
            team: self.team.as_deref().map(Which::team),
            name: self.name.as_deref().map(Contains::new),
        };
        let variables = Listed {
            page_size: self.page_size,
            cursor: self.cursor.as_deref(),
            include_archived: self.include_archived,
            filter,
        };
        page(cx, LIST, &variables).await
    }
}

/// Creates a label, for the whole workspace or for one team. Returns it.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, scopes("write"))]
#[serde(deny_unknown_fields)]
pub struct CreateLabel {
    /// Name, unique among the labels that the same issues can have.
    #[schemars(length(min = 1))]
    pub name: String,
    /// Colour, `#RRGGBB`.
    #[schemars(regex(pattern = "^#[0-9a-fA-F]{6}$"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Id of the team whose issues can have it; all of the workspace's where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team_id: Option<String>,
    /// Id of the group that it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// Whether it is a group of labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_group: Option<bool>,
}

impl Run for CreateLabel {
    type Output = Label;

    async fn run(self, cx: &ToolContext) -> Result<Label> {
        create(cx, CREATE, CREATED, &self).await
    }
}

/// Changes a label: what is given replaces what is there. Returns it.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("write"))]
#[serde(deny_unknown_fields)]
pub struct UpdateLabel {
    /// Id of the label, a UUID.
    #[schemars(length(min = 1))]
    pub id: String,
    /// Name.
    #[schemars(length(min = 1))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Colour, `#RRGGBB`.
    #[schemars(regex(pattern = "^#[0-9a-fA-F]{6}$"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Id of the group that it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
}

impl Run for UpdateLabel {
    type Output = Label;

    async fn run(self, cx: &ToolContext) -> Result<Label> {
        change(cx, UPDATE, &self).await
    }
}
