//! Projects: how they look, and how they are found.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Number;
use tool_connect_core::{Detail, Page, Result, Run, Tool, ToolArgs, ToolContext};

use super::fields::{nodes, page_of, project};
use super::filter::{Contains, Is, Since, Which};
use super::graphql::{Document, Listed, detail, page};
use super::{Named, StateRef, TeamRef};
use crate::provider::paged;

paged! { ListProjects => Project, ListProjectStatuses => ProjectStatus }

const LIST: Document = concat!(
    "query($page_size: Int = 50, $cursor: String, $include_archived: Boolean, $filter: ProjectFilter) { \
     answer: projects(first: $page_size, after: $cursor, includeArchived: $include_archived, filter: $filter) ",
    page_of!(project!()),
    " }"
);
const STATUSES: Document = concat!(
    "query($page_size: Int = 50, $cursor: String, $include_archived: Boolean) { \
     answer: projectStatuses(first: $page_size, after: $cursor, includeArchived: $include_archived) ",
    page_of!("id name type color description position archived_at: archivedAt"),
    " }"
);
const GET: Document = concat!(
    "query($id: String!, $whole: Boolean = false) { answer: project(id: $id) { ",
    project!(),
    " content creator { id name } members(first: 50) { nodes { id name } } ... @include(if: $whole) { autoArchivedAt color icon \
     healthUpdatedAt labelIds priorityLabel prioritySortOrder scope sortOrder startDateResolution startedAt \
     targetDateResolution updateReminderFrequency updateReminderFrequencyInWeeks frequencyResolution \
     lastUpdate { id body health createdAt } convertedFromIssue { id identifier title } } } }"
);

/// A project.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Project {
    /// Id, a UUID.
    pub id: String,
    /// Name.
    pub name: String,
    /// What stands in its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slug_id: Option<String>,
    /// Page on Linear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What it is, in a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its text in Markdown; lists leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The status it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<StateRef>,
    /// `onTrack`, `atRisk` or `offTrack`, as the last update says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<String>,
    /// 0 none, 1 urgent, 2 high, 3 medium, 4 low.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// How much of it is done, from 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Number>,
    /// Who leads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead: Option<Named>,
    /// Who made it; lists leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creator: Option<Named>,
    /// The teams that work on it, 20 at most.
    #[serde(default, deserialize_with = "nodes")]
    pub teams: Vec<TeamRef>,
    /// Who works on it, 50 at most; lists leave it out.
    #[serde(default, deserialize_with = "nodes", skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Named>,
    /// Day on which it begins, `2026-05-31`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_date: Option<String>,
    /// Day on which it shall be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_date: Option<String>,
    /// When it was made (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// When it was last changed (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
    /// When it was done (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<String>,
    /// When it was given up (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canceled_at: Option<String>,
    /// When it was archived (RFC 3339); absent where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived_at: Option<String>,
    /// Whether it lies in the trash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trashed: Option<bool>,
}

/// What a project's status means, whatever it is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum ProjectStatusType {
    /// Later, perhaps.
    Backlog,
    /// To be done.
    #[default]
    Planned,
    /// In progress.
    Started,
    /// Waits.
    Paused,
    /// Done.
    Completed,
    /// Will not be done.
    Canceled,
}

/// A status that projects of the workspace can be in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProjectStatus {
    /// Id, a UUID.
    pub id: String,
    /// Name: `In Progress`.
    pub name: String,
    /// What it means: `backlog`, `planned`, `started`, `paused`, `completed`, `canceled`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Colour, `#RRGGBB`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    /// When it is to be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Place among the statuses, the smaller the earlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<f64>,
    /// When it was archived (RFC 3339); absent where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived_at: Option<String>,
}

/// Lists projects, a page at a time, the newest first; all restrictions hold together.
///
/// <https://linear.app/developers/filtering>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("read"))]
#[serde(deny_unknown_fields)]
pub struct ListProjects {
    /// Only those of this team: its id or its key, `ENG`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Only those whose name holds this text, whatever its case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only those led by this user: id, e-mail address or full name; `me`, or `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead: Option<String>,
    /// Only those in a status that means this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_type: Option<ProjectStatusType>,
    /// Only those changed at this time or later (RFC 3339); or within a duration before now (ISO 8601), `-P7D`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_since: Option<String>,
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
#[serde(rename_all = "camelCase")]
struct Filter<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    accessible_teams: Option<Some<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Contains<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lead: Option<Which<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<StatusFilter>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<Since<'a>>,
}

/// At least one of a list.
#[derive(Serialize)]
struct Some<'a> {
    some: Which<'a>,
}

#[derive(Serialize)]
struct StatusFilter {
    #[serde(rename = "type")]
    kind: Is<ProjectStatusType>,
}

impl Run for ListProjects {
    type Output = Page<Project>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Project>> {
        let filter = Filter {
            accessible_teams: self.team.as_deref().map(|team| Some { some: Which::team(team) }),
            name: self.name.as_deref().map(Contains::new),
            lead: self.lead.as_deref().map(Which::person),
            status: self.status_type.map(|kind| StatusFilter { kind: Is::new(kind) }),
            updated_at: self.updated_since.as_deref().map(Since::new),
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

/// Lists the statuses that projects can be in, with their ids, a page at a time.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("read"))]
#[serde(deny_unknown_fields)]
pub struct ListProjectStatuses {
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

impl Run for ListProjectStatuses {
    type Output = Page<ProjectStatus>;

    async fn run(self, cx: &ToolContext) -> Result<Page<ProjectStatus>> {
        page(cx, STATUSES, &self).await
    }
}

/// Gets a project with its text and members, by id or by what stands in its address.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("read"))]
#[serde(deny_unknown_fields)]
pub struct GetProject {
    /// Id of the project, a UUID, or its `slug_id`.
    #[schemars(length(min = 1))]
    pub id: String,
    /// Whether to return more of what Linear knows of it, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetProject {
    type Output = Detail<Project>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<Project>> {
        detail(cx, GET, &self, self.whole).await
    }
}
