//! How issues relate to each other.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Error, ErrorKind, Page, Result, Run, Tool, ToolArgs, ToolContext};

use super::fields::{page_of, payload_of, relation};
use super::graphql::{Connection, Document, create, read, remove};
use super::{Done, IssueRef};
use crate::provider::paged;

paged! { ListIssueRelations => IssueRelation }

const LIST: Document = concat!(
    "query($id: String!, $incoming: Boolean!, $page_size: Int = 50, $cursor: String) { answer: issue(id: $id) { \
     outgoing: relations(first: $page_size, after: $cursor) @skip(if: $incoming) ",
    page_of!(relation!()),
    " incoming: inverseRelations(first: $page_size, after: $cursor) @include(if: $incoming) ",
    page_of!(relation!()),
    " } }"
);
const CREATE: Document = concat!(
    "mutation($id: String, $issue_id: String!, $related_issue_id: String!, $type: IssueRelationType!) { \
     answer: issueRelationCreate(input: {id: $id, issueId: $issue_id, relatedIssueId: $related_issue_id, type: $type}) ",
    payload_of!("issueRelation", relation!()),
    " }"
);
const CREATED: Document =
    concat!("query($id: String!) { answer: issueRelation(id: $id) { ", relation!(), " } }");
const DELETE: Document = "mutation($id: String!) { answer: issueRelationDelete(id: $id) { success } }";

/// How one issue relates to another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IssueRelation {
    /// Id, a UUID.
    pub id: String,
    /// `blocks`, `duplicate`, `related` or `similar`: what `issue` does to, or is of, `related_issue`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The issue that the relation was made from.
    pub issue: IssueRef,
    /// The other issue.
    pub related_issue: IssueRef,
}

/// What an issue does to another, or is of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum RelationType {
    /// The other one cannot be done before.
    Blocks,
    /// It is the same as the other one.
    Duplicate,
    /// They have to do with each other.
    #[default]
    Related,
    /// They are alike.
    Similar,
}

/// From which side relations are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Those made from this issue: what it blocks.
    #[default]
    Outgoing,
    /// Those made from other issues: what blocks it.
    Incoming,
}

/// Lists the relations of an issue, a page at a time, with their ids: those made from it, or those made to it.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("read"))]
#[serde(deny_unknown_fields)]
pub struct ListIssueRelations {
    /// Id of the issue, a UUID, or its identifier, `ENG-123`.
    #[schemars(length(min = 1))]
    pub id: String,
    /// Which of them; `outgoing` where left out.
    #[serde(default)]
    pub direction: Direction,
    /// How many a page holds; 50 where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

#[derive(Serialize)]
struct Variables<'a> {
    id: &'a str,
    incoming: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    page_size: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<&'a str>,
}

#[derive(Deserialize)]
struct Sides {
    #[serde(default, alias = "incoming")]
    outgoing: Option<Connection<IssueRelation>>,
}

impl Run for ListIssueRelations {
    type Output = Page<IssueRelation>;

    async fn run(self, cx: &ToolContext) -> Result<Page<IssueRelation>> {
        let variables = Variables {
            id: &self.id,
            incoming: self.direction == Direction::Incoming,
            page_size: self.page_size,
            cursor: self.cursor.as_deref(),
        };
        let side = read::<Sides>(cx, LIST, &variables).await?.outgoing;
        let side = side.ok_or_else(|| Error::new(ErrorKind::Provider, "the answer lacks the relations"))?;
        Ok(side.into_page())
    }
}

/// Relates an issue to another: it blocks it, is a duplicate of it, or has to do with it. Returns the relation with its id.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, scopes("write"))]
#[serde(deny_unknown_fields)]
pub struct CreateIssueRelation {
    /// Id of the issue, a UUID, or its identifier, `ENG-123`.
    #[schemars(length(min = 1))]
    pub issue_id: String,
    /// Id or identifier of the other issue.
    #[schemars(length(min = 1))]
    pub related_issue_id: String,
    /// What the issue does to the other one, or is of it.
    #[serde(rename = "type")]
    pub kind: RelationType,
}

impl Run for CreateIssueRelation {
    type Output = IssueRelation;

    async fn run(self, cx: &ToolContext) -> Result<IssueRelation> {
        create(cx, CREATE, CREATED, &self).await
    }
}

/// Deletes a relation between two issues; the issues stay.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(scopes("write"))]
#[serde(deny_unknown_fields)]
pub struct DeleteIssueRelation {
    /// Id of the relation, a UUID; `list_issue_relations` has it.
    #[schemars(length(min = 1))]
    pub id: String,
}

impl Run for DeleteIssueRelation {
    type Output = Done;

    async fn run(self, cx: &ToolContext) -> Result<Done> {
        remove(cx, DELETE, self.id).await
    }
}
