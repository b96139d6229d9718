//! Comments.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tool_connect_core::{Error, Page, Result, Run, Tool, ToolArgs, ToolContext};

use super::file::User;
use crate::google::page;
use crate::provider::paged;

paged! { ListComments => Comment }

const REPLY: &str = "id,content,author(displayName,emailAddress),createdTime,action";
const COMMENT: &str = "id,content,author(displayName,emailAddress),createdTime,resolved,quotedFileContent";

/// The part of a file that a comment is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QuotedContent {
    /// Its text.
    #[serde(default)]
    pub value: String,
}

/// A reply to a comment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reply {
    /// Id of the reply.
    pub id: String,
    /// Its text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Who wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<User>,
    /// When, RFC 3339.
    #[serde(default, alias = "createdTime", skip_serializing_if = "Option::is_none")]
    pub created_time: Option<String>,
    /// `resolve` or `reopen`, where it did that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
}

/// A comment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comment {
    /// Id of the comment.
    pub id: String,
    /// Its text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Who wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<User>,
    /// When, RFC 3339.
    #[serde(default, alias = "createdTime", skip_serializing_if = "Option::is_none")]
    pub created_time: Option<String>,
    /// Whether it is done with.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub resolved: bool,
    /// What it is about.
    #[serde(default, alias = "quotedFileContent", skip_serializing_if = "Option::is_none")]
    pub quoted: Option<QuotedContent>,
    /// Replies, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replies: Vec<Reply>,
}

/// Lists the comments on a file with their replies, a page at a time.
///
/// <https://developers.google.com/workspace/drive/api/reference/rest/v3/comments/list>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    read_only,
    scopes(
        "https://www.googleapis.com/auth/drive.readonly|https://www.googleapis.com/auth/drive|https://www.googleapis.com/auth/drive.file"
    )
)]
#[serde(deny_unknown_fields)]
pub struct ListComments {
    /// Id of the file.
    pub file_id: String,
    /// How many a page holds; 20 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListComments {
    type Output = Page<Comment>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Comment>> {
        let request = cx
            .http()
            .get("drive/v3/files/{file}/comments")
            .path("file", &self.file_id)
            .query("pageSize", self.page_size.unwrap_or(20))
            .query("fields", format!("nextPageToken,comments({COMMENT},replies({REPLY}))"));
        page(request, self.cursor.as_deref()).await
    }
}

/// Comments on a file as a whole. Returns the comment with its id.
///
/// <https://developers.google.com/workspace/drive/api/reference/rest/v3/comments/create>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    destructive = false,
    scopes("https://www.googleapis.com/auth/drive.file|https://www.googleapis.com/auth/drive")
)]
#[serde(deny_unknown_fields)]
pub struct CreateComment {
    /// Id of the file.
    pub file_id: String,
    /// Text, plain.
    #[schemars(length(min = 1, max = 4096))]
    pub content: String,
}

impl Run for CreateComment {
    type Output = Comment;

    async fn run(self, cx: &ToolContext) -> Result<Comment> {
        cx.http()
            .post("drive/v3/files/{file}/comments")
            .path("file", &self.file_id)
            .query("fields", COMMENT)
            .json_body(&json!({"content": self.content}))
            .json()
            .await
    }
}

/// What a reply does beside saying something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum ReplyAction {
    /// Says that the comment is done with.
    Resolve,
    /// Says that it is not.
    Reopen,
}

/// Replies to a comment, or resolves it, or opens it again. Returns the reply.
///
/// <https://developers.google.com/workspace/drive/api/reference/rest/v3/replies/create>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    destructive = false,
    scopes("https://www.googleapis.com/auth/drive.file|https://www.googleapis.com/auth/drive")
)]
#[serde(deny_unknown_fields)]
pub struct ReplyToComment {
    /// Id of the file.
    pub file_id: String,
    /// Id of the comment.
    pub comment_id: String,
    /// Text, plain; may be left out together with an `action`.
    #[serde(default)]
    #[schemars(length(min = 1, max = 4096))]
    pub content: Option<String>,
    /// What to do with the comment.
    #[serde(default)]
    pub action: Option<ReplyAction>,
}

impl Run for ReplyToComment {
    type Output = Reply;

    async fn run(self, cx: &ToolContext) -> Result<Reply> {
        #[derive(Serialize)]
        struct New<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            content: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            action: Option<ReplyAction>,
        }
        if self.content.is_none() && self.action.is_none() {
            return Err(Error::invalid_argument("/content", "must be given, unless `action` is"));
        }
        cx.http()
            .post("drive/v3/files/{file}/comments/{comment}/replies")
            .path("file", &self.file_id)
            .path("comment", &self.comment_id)
            .query("fields", REPLY)
            .json_body(&New { content: self.content.as_deref(), action: self.action })
            .json()
            .await
    }
}
