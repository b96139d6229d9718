//! Issues: how they look, and how they are found.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Number;
use tool_connect_core::{Detail, Page, Result, Run, Tool, ToolArgs, ToolContext};

use super::fields::{issue, nodes, page_of};
use super::filter::{Holds, Is, Since, Which};
use super::graphql::{Document, Listed, detail, page, page_within};
use super::{CycleRef, IssueRef, Named, StateRef, StateType, TeamRef};
use crate::provider::paged;

paged! { ListIssues => Issue, SearchIssues => Issue, ListSubIssues => Issue }

const LIST: Document = concat!(
    "query($page_size: Int = 50, $cursor: String, $include_archived: Boolean, $filter: IssueFilter, $order_by: PaginationOrderBy) { \
     answer: issues(first: $page_size, after: $cursor, includeArchived: $include_archived, filter: $filter, orderBy: $order_by) ",
    page_of!(issue!()),
    " }"
);
const SEARCH: Document = concat!(
    "query($text: String!, $team_id: String, $include_comments: Boolean, $page_size: Int = 50, $cursor: String, \
     $include_archived: Boolean) { answer: searchIssues(term: $text, teamId: $team_id, includeComments: $include_comments, \
     first: $page_size, after: $cursor, includeArchived: $include_archived) ",
    page_of!(issue!()),
    " }"
);
const CHILDREN: Document = concat!(
    "query($id: String!, $page_size: Int = 50, $cursor: String, $include_archived: Boolean) { answer: issue(id: $id) { \
     page: children(first: $page_size, after: $cursor, includeArchived: $include_archived) ",
    page_of!(issue!()),
    " } }"
);
const GET: Document = concat!(
    "query($id: String!, $whole: Boolean = false) { answer: issue(id: $id) { ",
    issue!(),
    " description branch_name: branchName creator { id name } trashed project_milestone: projectMilestone { id name } \
     ... @include(if: $whole) { addedToCycleAt addedToProjectAt addedToTeamAt autoArchivedAt autoClosedAt customerTicketCount \
     integrationSourceType number previousIdentifiers prioritySortOrder reactionData slaBreachesAt slaHighRiskAt slaMediumRiskAt \
     slaStartedAt slaType snoozedUntilAt sortOrder startedAt startedTriageAt subIssueSortOrder triagedAt labelIds \
     delegate { id name } snoozedBy { id name } botActor { id name type } subscribers(first: 50) { nodes { id name } } } } }"
);

/// An issue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Issue {
    /// Id, a UUID.
    pub id: String,
    /// Identifier, `ENG-123`.
    pub identifier: String,
    /// Title.
    pub title: String,
    /// Text in Markdown; lists leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Page on Linear.
    pub url: String,
    /// 0 none, 1 urgent, 2 high, 3 medium, 4 low.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// The priority in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority_label: Option<String>,
    /// Estimate in the team's points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Number>,
    /// Day on which it is due, `2026-05-31`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_date: Option<String>,
    /// The state it is in.
    pub state: StateRef,
    /// The team it belongs to.
    pub team: TeamRef,
    /// Who works on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<Named>,
    /// The project it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<Named>,
    /// The milestone within the project; lists leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_milestone: Option<Named>,
    /// The cycle it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cycle: Option<CycleRef>,
    /// The issue that it is a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<IssueRef>,
    /// Labels, 20 at most.
    #[serde(default, deserialize_with = "nodes")]
    pub labels: Vec<Named>,
    /// Who made it; lists leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creator: Option<Named>,
    /// Name for a branch that works on it; lists leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch_name: Option<String>,
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
    /// Whether it lies in the trash; lists leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trashed: Option<bool>,
}

/// By which time a list is ordered, the latest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "camelCase")]
pub enum OrderBy {
    /// When it was made.
    #[default]
    CreatedAt,
    /// When it was last changed.
    UpdatedAt,
}

/// Lists issues, a page at a time, the newest first; all restrictions hold together. For words anywhere in an issue and its comments
/// use `search_issues`.
///
/// <https://linear.app/developers/filtering>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("read"))]
#[serde(deny_unknown_fields)]
pub struct ListIssues {
    /// Only those of this team: its id or its key, `ENG`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Only those assigned to this user: id, e-mail address or full name; `me`, or `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<String>,
    /// Only those made by this user: id, e-mail address or full name, or `me`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creator: Option<String>,
    /// Only those in this state: its id, or its name, `In Progress`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Only those in a state that means this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_type: Option<StateType>,
    /// Only those with this label: its id or its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Only those of this project: its id or its name, or `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Only those in this cycle: its id or number; `active`, `next`, `previous`, or `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cycle: Option<String>,
    /// Only those of this priority: 0 none, 1 urgent, 2 high, 3 medium, 4 low.
    #[schemars(range(min = 0, max = 4))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// Only those changed at this time or later (RFC 3339), `2026-05-31T12:00:00Z`; or within a duration before now (ISO 8601), `-P7D`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_since: Option<String>,
    /// Only those with these words in title or text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// By which time they are ordered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_by: Option<OrderBy>,
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
    team: Option<Which<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    assignee: Option<Which<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    creator: Option<Which<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<State<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<Which<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<Which<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cycle: Option<Which<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<Is<u8>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<Since<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    searchable_content: Option<Holds<'a>>,
}

#[derive(Serialize)]
struct State<'a> {
    #[serde(flatten)]
    which: Option<Which<'a>>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<Is<StateType>>,
}

#[derive(Serialize)]
struct Variables<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    order_by: Option<OrderBy>,
    #[serde(flatten)]
    listed: Listed<'a, Filter<'a>>,
}

impl Run for ListIssues {
    type Output = Page<Issue>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Issue>> {
        let restricted = self.state.is_some() || self.state_type.is_some();
        let state = restricted.then(|| State {
            which: self.state.as_deref().map(Which::named),
            kind: self.state_type.map(Is::new),
        });
        let filter = Filter {
            team: self.team.as_deref().map(Which::team),
            assignee: self.assignee.as_deref().map(Which::person),
            creator: self.creator.as_deref().map(Which::person),
            state,
            labels: self.label.as_deref().map(Which::named),
            project: self.project.as_deref().map(Which::named_or_none),
            cycle: self.cycle.as_deref().map(Which::cycle),
            priority: self.priority.map(Is::new),
            updated_at: self.updated_since.as_deref().map(Since::new),
            searchable_content: self.text.as_deref().map(Holds::new),
        };
        let listed = Listed {
            page_size: self.page_size,
            cursor: self.cursor.as_deref(),
            include_archived: self.include_archived,
            filter,
        };
        page(cx, LIST, &Variables { order_by: self.order_by, listed }).await
    }
}

/// Searches issues by words, in meaning as well, a page at a time, the best match first. Linear allows 30 searches a minute.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("read"))]
#[serde(deny_unknown_fields)]
pub struct SearchIssues {
    /// What to look for.
    #[schemars(length(min = 1))]
    pub text: String,
    /// Id of a team whose issues are ranked higher, a UUID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team_id: Option<String>,
    /// Whether comments are searched, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_comments: Option<bool>,
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

impl Run for SearchIssues {
    type Output = Page<Issue>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Issue>> {
        page(cx, SEARCH, &self).await
    }
}

/// Lists the sub-issues of an issue, a page at a time.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("read"))]
#[serde(deny_unknown_fields)]
pub struct ListSubIssues {
    /// Id of the issue, a UUID, or its identifier, `ENG-123`.
    #[schemars(length(min = 1))]
    pub id: String,
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

impl Run for ListSubIssues {
    type Output = Page<Issue>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Issue>> {
        page_within(cx, CHILDREN, &self).await
    }
}

/// Gets an issue with its text, by id or identifier; an archived one, too.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("read"))]
#[serde(deny_unknown_fields)]
pub struct GetIssue {
    /// Id of the issue, a UUID, or its identifier, `ENG-123`.
    #[schemars(length(min = 1))]
    pub id: String,
    /// Whether to return more of what Linear knows of it, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetIssue {
    type Output = Detail<Issue>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<Issue>> {
        detail(cx, GET, &self, self.whole).await
    }
}
