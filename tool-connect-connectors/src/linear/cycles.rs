//! Cycles: the stretches of time that a team plans in.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Number;
use tool_connect_core::{Detail, Page, Result, Run, Tool, ToolArgs, ToolContext};

use super::TeamRef;
use super::fields::{cycle, page_of};
use super::filter::{Is, Which};
use super::graphql::{Document, Listed, detail, page, read};
use crate::provider::paged;

paged! { ListCycles => Cycle }

const LIST: Document = concat!(
    "query($page_size: Int = 50, $cursor: String, $include_archived: Boolean, $filter: CycleFilter) { \
     answer: cycles(first: $page_size, after: $cursor, includeArchived: $include_archived, filter: $filter) ",
    page_of!(cycle!()),
    " }"
);
const GET: Document = concat!(
    "query($id: String!, $whole: Boolean = false) { answer: cycle(id: $id) { ",
    cycle!(),
    " ... @include(if: $whole) { createdAt updatedAt autoArchivedAt isFuture isPast scopeHistory completedScopeHistory \
     inProgressScopeHistory issueCountHistory completedIssueCountHistory } } }"
);
const CURRENT: Document = concat!(
    "query($team_id: String!) { answer: team(id: $team_id) { cycle: activeCycle { ",
    cycle!(),
    " } } }"
);

/// A cycle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cycle {
    /// Id, a UUID.
    pub id: String,
    /// Number within the team.
    pub number: u32,
    /// Name, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When it begins (RFC 3339).
    pub starts_at: String,
    /// When it ends (RFC 3339).
    pub ends_at: String,
    /// When it was closed (RFC 3339); absent before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<String>,
    /// How much of it is done, from 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Number>,
    /// Whether it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    /// Whether it is the next one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_next: Option<bool>,
    /// Whether it is the one before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_previous: Option<bool>,
    /// When it was archived (RFC 3339); absent where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived_at: Option<String>,
    /// The team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamRef>,
}

/// The cycle that runs, if there is one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CurrentCycle {
    /// The cycle; absent where none runs at the moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cycle: Option<Cycle>,
}

/// Which cycles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum CycleTime {
    /// Those that run.
    #[default]
    Active,
    /// Those that come next.
    Next,
    /// Those that were the last.
    Previous,
    /// Those that have not begun.
    Future,
    /// Those that are over.
    Past,
}

/// Lists cycles with their ids, a page at a time: those of one team or of all.
///
/// <https://linear.app/developers/filtering>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("read"))]
#[serde(deny_unknown_fields)]
pub struct ListCycles {
    /// Only those of this team: its id or its key, `ENG`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Only these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<CycleTime>,
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
    is_active: Option<Is<bool>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_next: Option<Is<bool>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_previous: Option<Is<bool>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_future: Option<Is<bool>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_past: Option<Is<bool>>,
}

impl Run for ListCycles {
    type Output = Page<Cycle>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Cycle>> {
        let when = |time| (self.time == Some(time)).then(|| Is::new(true));
        let filter = Filter {
            team: self.team.as_deref().map(Which::team),
            is_active: when(CycleTime::Active),
            is_next: when(CycleTime::Next),
            is_previous: when(CycleTime::Previous),
            is_future: when(CycleTime::Future),
            is_past: when(CycleTime::Past),
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

/// Gets a cycle by id.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("read"))]
#[serde(deny_unknown_fields)]
pub struct GetCycle {
    /// Id of the cycle, a UUID.
    #[schemars(length(min = 1))]
    pub id: String,
    /// Whether to return more of what Linear knows of it, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetCycle {
    type Output = Detail<Cycle>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<Cycle>> {
        detail(cx, GET, &self, self.whole).await
    }
}

/// Gets the cycle of a team that runs now; `cycle` is absent where none does.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("read"))]
#[serde(deny_unknown_fields)]
pub struct GetCurrentCycle {
    /// Id of the team, a UUID.
    #[schemars(length(min = 1))]
    pub team_id: String,
}

impl Run for GetCurrentCycle {
    type Output = CurrentCycle;

    async fn run(self, cx: &ToolContext) -> Result<CurrentCycle> {
        read(cx, CURRENT, &self).await
    }
}
