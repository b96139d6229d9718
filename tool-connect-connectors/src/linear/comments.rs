//! Comments on issues.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Page, Result, Run, Tool, ToolContext};

use super::fields::{comment, page_of, payload_of};
use super::graphql::{Document, change, create, page_within, remove};
use super::{Done, IssueRef, Named};
use crate::provider::paged;

paged! { ListComments => Comment }

const LIST: Document = concat!(
    "query($issue_id: String!, $page_size: Int = 50, $cursor: String, $include_archived: Boolean) { answer: issue(id: $issue_id) { \
     page: comments(first: $page_size, after: $cursor, includeArchived: $include_archived) ",
    page_of!(comment!()),
    " } }"
);
const CREATE: Document = concat!(
    "mutation($id: String, $issue_id: String!, $body: String!, $parent_id: String) { \
     answer: commentCreate(input: {id: $id, issueId: $issue_id, body: $body, parentId: $parent_id}) ",
    payload_of!("comment", comment!()),
    " }"
);
const CREATED: Document = concat!("query($id: String!) { answer: comment(id: $id) { ", comment!(), " } }");
const UPDATE: Document = concat!(
    "mutation($id: String!, $body: String!) { answer: commentUpdate(id: $id, input: {body: $body}) ",
    payload_of!("comment", comment!()),
    " }"
);
const DELETE: Document = "mutation($id: String!) { answer: commentDelete(id: $id) { success } }";

/// A comment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comment {
    /// Id, a UUID.
    pub id: String,
    /// Text in Markdown.
    pub body: String,
    /// Page on Linear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Who wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Named>,
    /// The app or integration that wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bot: Option<Named>,
    /// The issue that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issue: Option<IssueRef>,
    /// The comment that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<CommentRef>,
    /// When it was written (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// When it was last changed (RFC 3339); absent where it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<String>,
    /// When its thread was resolved (RFC 3339); absent where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<String>,
}

/// A comment, in short.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CommentRef {
    /// Id, a UUID.
    pub id: String,
}

/// Lists the comments on an issue, a page at a time; answers within a thread name their `parent`.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("read"))]
#[serde(deny_unknown_fields)]
pub struct ListComments {
    /// Id of the issue, a UUID, or its identifier, `ENG-123`.
    #[schemars(length(min = 1))]
    pub issue_id: String,
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

impl Run for ListComments {
    type Output = Page<Comment>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Comment>> {
        page_within(cx, LIST, &self).await
    }
}

/// Comments on an issue, or answers a comment of it. Returns the comment.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, scopes("comments:create|write"))]
#[serde(deny_unknown_fields)]
pub struct CreateComment {
    /// Id of the issue, a UUID, or its identifier, `ENG-123`.
    #[schemars(length(min = 1))]
    pub issue_id: String,
    /// Text in Markdown.
    #[schemars(length(min = 1))]
    pub body: String,
    /// Id of the comment that it answers; the first one of the thread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
}

impl Run for CreateComment {
    type Output = Comment;

    async fn run(self, cx: &ToolContext) -> Result<Comment> {
        create(cx, CREATE, CREATED, &self).await
    }
}

/// Replaces the text of a comment. Returns the comment.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("write"))]
#[serde(deny_unknown_fields)]
pub struct UpdateComment {
    /// Id of the comment, a UUID.
    #[schemars(length(min = 1))]
    pub id: String,
    /// Text in Markdown, all of it.
    #[schemars(length(min = 1))]
    pub body: String,
}

impl Run for UpdateComment {
    type Output = Comment;

    async fn run(self, cx: &ToolContext) -> Result<Comment> {
        change(cx, UPDATE, &self).await
    }
}

/// Deletes a comment; it cannot be brought back.
///
/// <https://linear.app/developers/graphql>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(scopes("write"))]
#[serde(deny_unknown_fields)]
pub struct DeleteComment {
    /// Id of the comment, a UUID.
    #[schemars(length(min = 1))]
    pub id: String,
}

impl Run for DeleteComment {
    type Output = Done;

    async fn run(self, cx: &ToolContext) -> Result<Done> {
        remove(cx, DELETE, self.id).await
    }
}
