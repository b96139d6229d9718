//! Reviews of pull requests, and the comments on lines that belong to them.

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Page, Result, Run, Tool, ToolArgs, ToolContext, ToolSet};

use super::PullRequest;
use super::brief::Login;
use super::page::{Members, on, page, paged};
use crate::provider::paged;

pub(super) fn tools(set: &mut ToolSet) {
    set.add::<ListReviews>()
        .add::<CreateReview>()
        .add::<SubmitReview>()
        .add::<DismissReview>()
        .add::<ListReviewComments>()
        .add::<CreateReviewComment>()
        .add::<ReplyToReviewComment>()
        .add::<RequestReviewers>()
        .add::<RemoveRequestedReviewers>();
}

paged! { ListReviews => Review, ListReviewComments => ReviewComment }

/// A review.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Review {
    /// Numeric id.
    pub id: u64,
    /// Who gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Login>,
    /// `APPROVED`, `CHANGES_REQUESTED`, `COMMENTED`, `DISMISSED` or `PENDING`.
    pub state: String,
    /// Text in Markdown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Page on GitHub.
    pub html_url: String,
    /// When it was given, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submitted_at: Option<String>,
    /// SHA of the commit that was reviewed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit_id: Option<String>,
}

/// A comment on lines of a pull request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReviewComment {
    /// Numeric id.
    pub id: u64,
    /// The review that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull_request_review_id: Option<u64>,
    /// The comment that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_reply_to_id: Option<u64>,
    /// Path of the file.
    pub path: String,
    /// Line, the last one where it is about several; absent where the line is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// First line, where it is about several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_line: Option<u64>,
    /// `RIGHT` for the new state of the file, `LEFT` for the old one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<String>,
    /// The lines around it as diff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff_hunk: Option<String>,
    /// Text in Markdown.
    pub body: String,
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

/// What a review says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReviewEvent {
    /// It may be merged.
    Approve,
    /// Something must be changed first; needs `body`.
    RequestChanges,
    /// Neither; needs `body`.
    #[default]
    Comment,
}

/// Which state of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DiffSide {
    /// Before the change: removed lines.
    Left,
    /// After it: added and unchanged lines.
    Right,
}

/// A comment on lines, as part of a review.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(deny_unknown_fields)]
pub struct DraftComment {
    /// Path of the file.
    #[schemars(length(min = 1))]
    pub path: String,
    /// Line, the last one where it is about several; it must be part of the diff.
    #[schemars(range(min = 1))]
    pub line: u64,
    /// Which state of the file; the new one if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<DiffSide>,
    /// First line, where it is about several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub start_line: Option<u64>,
    /// Which state of the file the first line is of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_side: Option<DiffSide>,
    /// Text in Markdown.
    #[schemars(length(min = 1, max = 65536))]
    pub body: String,
}

/// Lists the reviews of a pull request, oldest first, a page at a time.
///
/// <https://docs.github.com/en/rest/pulls/reviews#list-reviews-for-a-pull-request>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct ListReviews {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Number of the pull request.
    pub number: u64,
    /// How many a page holds; 30 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListReviews {
    type Output = Page<Review>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Review>> {
        let request = on(cx, Method::GET, "/pulls/{number}/reviews", &self.owner, &self.repo)
            .path("number", self.number);
        page(paged(request, self.page_size, self.cursor.as_deref())?).await
    }
}

/// Reviews a pull request: approves it, asks for changes or comments, with comments on lines. Without `event` it stays
/// a draft that only its author sees.
///
/// <https://docs.github.com/en/rest/pulls/reviews#create-a-review-for-a-pull-request>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, scopes("public_repo|repo"))]
#[serde(deny_unknown_fields)]
pub struct CreateReview {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Number of the pull request.
    pub number: u64,
    /// What it says.
    #[serde(default)]
    pub event: Option<ReviewEvent>,
    /// Text in Markdown.
    #[serde(default)]
    #[schemars(length(max = 65536))]
    pub body: Option<String>,
    /// Comments on lines.
    #[serde(default)]
    pub comments: Vec<DraftComment>,
    /// SHA of the commit that was reviewed; the latest if left out.
    #[serde(default)]
    pub commit_id: Option<String>,
}

impl Run for CreateReview {
    type Output = Review;

    async fn run(self, cx: &ToolContext) -> Result<Review> {
        on(cx, Method::POST, "/pulls/{number}/reviews", &self.owner, &self.repo)
            .path("number", self.number)
            .json_body(
                &Members::default()
                    .maybe("event", self.event.as_ref())
                    .maybe("body", self.body.as_ref())
                    .list("comments", &self.comments)
                    .maybe("commit_id", self.commit_id.as_ref()),
            )
            .json()
            .await
    }
}

/// Submits a review that was left as a draft.
///
/// <https://docs.github.com/en/rest/pulls/reviews#submit-a-review-for-a-pull-request>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, scopes("public_repo|repo"))]
#[serde(deny_unknown_fields)]
pub struct SubmitReview {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Number of the pull request.
    pub number: u64,
    /// Numeric id of the review.
    pub review_id: u64,
    /// What it says.
    pub event: ReviewEvent,
    /// Text in Markdown.
    #[serde(default)]
    #[schemars(length(max = 65536))]
    pub body: Option<String>,
}

impl Run for SubmitReview {
    type Output = Review;

    async fn run(self, cx: &ToolContext) -> Result<Review> {
        on(cx, Method::POST, "/pulls/{number}/reviews/{review_id}/events", &self.owner, &self.repo)
            .path("number", self.number)
            .path("review_id", self.review_id)
            .json_body(&Members::default().with("event", self.event).maybe("body", self.body.as_ref()))
            .json()
            .await
    }
}

/// Dismisses a review, so that it no longer approves or blocks a pull request.
///
/// <https://docs.github.com/en/rest/pulls/reviews#dismiss-a-review-for-a-pull-request>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(idempotent, scopes("public_repo|repo"))]
#[serde(deny_unknown_fields)]
pub struct DismissReview {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Number of the pull request.
    pub number: u64,
    /// Numeric id of the review.
    pub review_id: u64,
    /// Why.
    #[schemars(length(min = 1))]
    pub message: String,
}

impl Run for DismissReview {
    type Output = Review;

    async fn run(self, cx: &ToolContext) -> Result<Review> {
        on(cx, Method::PUT, "/pulls/{number}/reviews/{review_id}/dismissals", &self.owner, &self.repo)
            .path("number", self.number)
            .path("review_id", self.review_id)
            .json_body(&Members::default().with("message", &self.message))
            .json()
            .await
    }
}

/// Lists the comments on lines of a pull request, oldest first, a page at a time. Its conversation is in
/// `list_issue_comments`.
///
/// <https://docs.github.com/en/rest/pulls/comments#list-review-comments-on-a-pull-request>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct ListReviewComments {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Number of the pull request.
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

impl Run for ListReviewComments {
    type Output = Page<ReviewComment>;

    async fn run(self, cx: &ToolContext) -> Result<Page<ReviewComment>> {
        let request = on(cx, Method::GET, "/pulls/{number}/comments", &self.owner, &self.repo)
            .path("number", self.number)
            .query_opt("since", self.since.as_deref());
        page(paged(request, self.page_size, self.cursor.as_deref())?).await
    }
}

/// Comments on lines of a pull request, at once and by itself; several together belong into `create_review`.
///
/// <https://docs.github.com/en/rest/pulls/comments#create-a-review-comment-for-a-pull-request>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, scopes("public_repo|repo"))]
#[serde(deny_unknown_fields)]
pub struct CreateReviewComment {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Number of the pull request.
    pub number: u64,
    /// SHA of the commit that the lines are of: `head.sha` of the pull request.
    #[schemars(length(min = 40, max = 64))]
    pub commit_id: String,
    /// Path of the file.
    #[schemars(length(min = 1))]
    pub path: String,
    /// Line, the last one where it is about several; it must be part of the diff.
    #[schemars(range(min = 1))]
    pub line: u64,
    /// Which state of the file; the new one if left out.
    #[serde(default)]
    pub side: Option<DiffSide>,
    /// First line, where it is about several.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub start_line: Option<u64>,
    /// Which state of the file the first line is of.
    #[serde(default)]
    pub start_side: Option<DiffSide>,
    /// Text in Markdown.
    #[schemars(length(min = 1, max = 65536))]
    pub body: String,
}

impl Run for CreateReviewComment {
    type Output = ReviewComment;

    async fn run(self, cx: &ToolContext) -> Result<ReviewComment> {
        on(cx, Method::POST, "/pulls/{number}/comments", &self.owner, &self.repo)
            .path("number", self.number)
            .json_body(
                &Members::default()
                    .with("commit_id", &self.commit_id)
                    .with("path", &self.path)
                    .with("line", self.line)
                    .maybe("side", self.side.as_ref())
                    .maybe("start_line", self.start_line.as_ref())
                    .maybe("start_side", self.start_side.as_ref())
                    .with("body", &self.body),
            )
            .json()
            .await
    }
}

/// Answers a comment on lines of a pull request.
///
/// <https://docs.github.com/en/rest/pulls/comments#create-a-reply-for-a-review-comment>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, scopes("public_repo|repo"))]
#[serde(deny_unknown_fields)]
pub struct ReplyToReviewComment {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Number of the pull request.
    pub number: u64,
    /// Numeric id of the first comment of the thread; answers cannot be answered.
    pub comment_id: u64,
    /// Text in Markdown.
    #[schemars(length(min = 1, max = 65536))]
    pub body: String,
}

impl Run for ReplyToReviewComment {
    type Output = ReviewComment;

    async fn run(self, cx: &ToolContext) -> Result<ReviewComment> {
        on(cx, Method::POST, "/pulls/{number}/comments/{comment_id}/replies", &self.owner, &self.repo)
            .path("number", self.number)
            .path("comment_id", self.comment_id)
            .json_body(&Members::default().with("body", &self.body))
            .json()
            .await
    }
}

/// Asks people or teams to review a pull request. Returns it.
///
/// <https://docs.github.com/en/rest/reference/pulls#request-reviewers-for-a-pull-request>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("public_repo|repo"))]
#[serde(deny_unknown_fields)]
pub struct RequestReviewers {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Number of the pull request.
    pub number: u64,
    /// Logins.
    #[serde(default)]
    #[schemars(length(max = 15))]
    pub reviewers: Vec<String>,
    /// Slugs of teams.
    #[serde(default)]
    #[schemars(length(max = 15))]
    pub team_reviewers: Vec<String>,
}

impl Run for RequestReviewers {
    type Output = PullRequest;

    async fn run(self, cx: &ToolContext) -> Result<PullRequest> {
        on(cx, Method::POST, "/pulls/{number}/requested_reviewers", &self.owner, &self.repo)
            .path("number", self.number)
            .json_body(
                &Members::default()
                    .list("reviewers", &self.reviewers)
                    .list("team_reviewers", &self.team_reviewers),
            )
            .json()
            .await
    }
}

/// Takes back that people or teams were asked to review a pull request. Returns it.
///
/// <https://docs.github.com/en/rest/pulls/review-requests#remove-requested-reviewers-from-a-pull-request>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(idempotent, scopes("public_repo|repo"))]
#[serde(deny_unknown_fields)]
pub struct RemoveRequestedReviewers {
    /// Login of the user or organization that owns the repository.
    pub owner: String,
    /// Name of the repository.
    pub repo: String,
    /// Number of the pull request.
    pub number: u64,
    /// Logins.
    #[serde(default)]
    #[schemars(length(max = 15))]
    pub reviewers: Vec<String>,
    /// Slugs of teams.
    #[serde(default)]
    #[schemars(length(max = 15))]
    pub team_reviewers: Vec<String>,
}

impl Run for RemoveRequestedReviewers {
    type Output = PullRequest;

    async fn run(self, cx: &ToolContext) -> Result<PullRequest> {
        let body = Members::default()
            .with("reviewers", &self.reviewers)
            .list("team_reviewers", &self.team_reviewers);
        let request = on(cx, Method::DELETE, "/pulls/{number}/requested_reviewers", &self.owner, &self.repo);
        request.path("number", self.number).json_body(&body).json().await
    }
}
