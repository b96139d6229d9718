//! Teams and the states that their issues go through.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Detail, Page, Result, Run, Tool, ToolArgs, ToolContext};

use super::TeamRef;
use super::fields::{page_of, team};
use super::filter::{Is, Which};
use super::graphql::{Document, Listed, detail, page};
use crate::provider::paged;

paged! { ListTeams => Team, ListWorkflowStates => WorkflowState }

const LIST: Document = concat!(
    "query($page_size: Int = 50, $cursor: String, $include_archived: Boolean) { \
     answer: teams(first: $page_size, after: $cursor, includeArchived: $include_archived) ",
    page_of!(team!()),
    " }"
);
const GET: Document = concat!(
    "query($id: String!, $whole: Boolean = false) { answer: team(id: $id) { ",
    team!(),
    " ... @include(if: $whole) { createdAt updatedAt displayName icon color visibility issueCount cycleDuration cycleStartDay \
     cycleCooldownTime upcomingCycleCount autoArchivePeriod autoClosePeriod defaultIssueEstimate issueEstimationAllowZero \
     issueEstimationExtended groupIssueHistory defaultIssueState { id name type } triageIssueState { id name type } \
     activeCycle { id number name } } } }"
);
const STATES: Document = concat!(
    "query($page_size: Int = 50, $cursor: String, $include_archived: Boolean, $filter: WorkflowStateFilter) { \
     answer: workflowStates(first: $page_size, after: $cursor, includeArchived: $include_archived, filter: $filter) ",
    page_of!("id name type color position description archived_at: archivedAt team { id key name }"),
    " }"
);

/// A team.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Team {
    /// Id, a UUID.
    pub id: String,
    /// Key, which its issues' identifiers begin with: `ENG`.
    pub key: String,
    /// Name.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Time zone, `Europe/Berlin`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// Whether it works in cycles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cycles_enabled: Option<bool>,
    /// Whether new issues wait for triage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub triage_enabled: Option<bool>,
    /// How it estimates: `notUsed`, `exponential`, `fibonacci`, `linear`, `tShirt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issue_estimation_type: Option<String>,
    /// When it was archived (RFC 3339); absent where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived_at: Option<String>,
    /// When it was retired (RFC 3339); absent where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired_at: Option<String>,
}

/// What a workflow state means, whatever it is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum StateType {
    /// Waits to be looked at.
    Triage,
    /// Later, perhaps.
    Backlog,
    /// To be done.
    #[default]
    Unstarted,
    /// In progress.
    Started,
    /// Done.
    Completed,
    /// Will not be done.
    Canceled,
    /// The same as another.
    Duplicate,
}

/// A state that issues of a team can be in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WorkflowState {
    /// Id, a UUID.
    pub id: String,
    /// Name: `In Progress`.
    pub name: String,
    /// What it means: `triage`, `backlog`, `unstarted`, `started`, `completed`, `canceled`, `duplicate`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Colour, `#RRGGBB`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    /// Place among the team's states, the smaller the earlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<f64>,
    /// When it is to be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When it was archived (RFC 3339); absent where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived_at: Option<String>,
    /// The team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamRef>,
}

/// Lists the teams that the account can see, a page at a time, with their ids and keys.
///
/// <https://linear.app/developers/pagination>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("read"))]
#[serde(deny_unknown_fields)]
pub struct ListTeams {
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

impl Run for ListTeams {
    type Output = Page<Team>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Team>> {
        page(cx, LIST, &self).await
    }
}

/// Gets a team by id.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("read"))]
#[serde(deny_unknown_fields)]
pub struct GetTeam {
    /// Id of the team, a UUID.
    #[schemars(length(min = 1))]
    pub id: String,
    /// Whether to return more of what Linear knows of it, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetTeam {
    type Output = Detail<Team>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<Team>> {
        detail(cx, GET, &self, self.whole).await
    }
}

/// Lists workflow states with their ids, a page at a time: those of one team or of all. An issue can only be in a state of its team.
///
/// <https://linear.app/developers/filtering>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("read"))]
#[serde(deny_unknown_fields)]
pub struct ListWorkflowStates {
    /// Only those of this team: its id or its key, `ENG`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Only those that mean this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_type: Option<StateType>,
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
struct StateFilter<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    team: Option<Which<'a>>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<Is<StateType>>,
}

impl Run for ListWorkflowStates {
    type Output = Page<WorkflowState>;

    async fn run(self, cx: &ToolContext) -> Result<Page<WorkflowState>> {
        let filter =
            StateFilter { team: self.team.as_deref().map(Which::team), kind: self.state_type.map(Is::new) };
        let variables = Listed {
            page_size: self.page_size,
            cursor: self.cursor.as_deref(),
            include_archived: self.include_archived,
            filter,
        };
        page(cx, STATES, &variables).await
    }
}
