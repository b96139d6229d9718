//! Comments of issues and pull requests.

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Detail, Page, Result, Run, Tool, ToolContext, ToolSet};

use super::brief::Login;
use super::page::{Done, Members, done, on, page, paged};
use crate::provider::paged;

pub(super) fn tools(set: &mut ToolSet) {
    set.add::<ListIssueComments>()
        .add::<GetIssueComment>()
        .add::<CreateIssueComment>()
        .add::<UpdateIssueComment>()
        .add::<DeleteIssueComment>();
}

paged! { ListIssueComments => Comment }

/// A comment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comment {
    /// Numeric id.
    pub id: u64,
    /// Text in Markdown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Who wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Login>,
    /// Page on GitHub.
    pub html_url: String,
    /// When it was written, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// When it was last changed, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
}

/// Lists the comments of an issue or of a pull request's conversation, oldest first, a page at a time.
///
/// <https://docs.github.com/en/rest/issues/comments#list-issue-comments>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct ListIssueComments {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Number of the issue or pull request.
    pub number: u64,
    /// Only those that were changed after this time, ISO 8601: `2026-01-02T03:04:05Z`.
    #[serde(default)]
    pub since: Option<String>,
    /// How many a page holds; 30 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListIssueComments {
    type Output = Page<Comment>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Comment>> {
        let request = on(cx, Method::GET, "/issues/{number}/comments", &self.owner, &self.repo)
            .path("number", self.number)
            .query_opt("since", self.since.as_deref());
        page(paged(request, self.page_size, self.cursor.as_deref())?).await
    }
}

/// Gets a comment of an issue or of a pull request's conversation by its numeric id.
///
/// <https://docs.github.com/en/rest/issues/comments#get-an-issue-comment>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct GetIssueComment {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Numeric id of the comment.
    pub comment_id: u64,
    /// Whether to return all that GitHub sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetIssueComment {
    type Output = Detail<Comment>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<Comment>> {
        on(cx, Method::GET, "/issues/comments/{comment_id}", &self.owner, &self.repo)
            .path("comment_id", self.comment_id)
            .detail(self.whole)
            .await
    }
}

/// Comments on an issue or in a pull request's conversation. Returns the comment with its id and page.
///
/// <https://docs.github.com/en/rest/issues/comments#create-an-issue-comment>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, scopes("public_repo|repo"))]
#[serde(deny_unknown_fields)]
pub struct CreateIssueComment {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Number of the issue or pull request.
    pub number: u64,
    /// Text in Markdown.
    #[schemars(length(min = 1, max = 65536))]
    pub body: String,
}

impl Run for CreateIssueComment {
    type Output = Comment;

    async fn run(self, cx: &ToolContext) -> Result<Comment> {
        on(cx, Method::POST, "/issues/{number}/comments", &self.owner, &self.repo)
            .path("number", self.number)
            .json_body(&Members::default().with("body", &self.body))
            .json()
            .await
    }
}

/// Replaces the text of a comment of an issue or of a pull request's conversation.
///
/// <https://docs.github.com/en/rest/issues/comments#update-an-issue-comment>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("public_repo|repo"))]
#[serde(deny_unknown_fields)]
pub struct UpdateIssueComment {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Numeric id of the comment.
    pub comment_id: u64,
    /// Text in Markdown.
    #[schemars(length(min = 1, max = 65536))]
    pub body: String,
}

impl Run for UpdateIssueComment {
    type Output = Comment;

    async fn run(self, cx: &ToolContext) -> Result<Comment> {
        on(cx, Method::PATCH, "/issues/comments/{comment_id}", &self.owner, &self.repo)
            .path("comment_id", self.comment_id)
            .json_body(&Members::default().with("body", &self.body))
            .json()
            .await
    }
}

/// Deletes a comment of an issue or of a pull request's conversation.
///
/// <https://docs.github.com/en/rest/issues/comments#delete-an-issue-comment>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(idempotent, scopes("public_repo|repo"))]
#[serde(deny_unknown_fields)]
pub struct DeleteIssueComment {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Numeric id of the comment.
    pub comment_id: u64,
}

impl Run for DeleteIssueComment {
    type Output = Done;

    async fn run(self, cx: &ToolContext) -> Result<Done> {
        done(
            on(cx, Method::DELETE, "/issues/comments/{comment_id}", &self.owner, &self.repo)
                .path("comment_id", self.comment_id),
        )
        .await
    }
}
