//! Comments.

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tool_connect_core::{Detail, Error, Page, Result, Run, Tool, ToolContext};

use super::markdown::{rich_text, to_spans};
use super::objects::{Parent, markdown};
use super::request::{Needs, detail_of, id, id_opt, page_of, paged, request, string};
use crate::provider::paged as pages;

pages! { ListComments => Comment }

/// A comment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comment {
    /// Id.
    pub id: String,
    /// The discussion that it belongs to; a reply names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discussion_id: Option<String>,
    /// Page or block that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// Text in Markdown.
    #[serde(default)]
    pub markdown: String,
    /// Id of the user who wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// When it was written, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_time: Option<String>,
}

impl Comment {
    fn of(value: &Value) -> Self {
        Self {
            id: string(&value["id"]).unwrap_or_default(),
            discussion_id: string(&value["discussion_id"]),
            parent: Parent::of(&value["parent"]),
            markdown: markdown(&value["rich_text"]),
            created_by: string(&value["created_by"]["id"]),
            created_time: string(&value["created_time"]),
        }
    }
}

/// Lists the open comments on a page or a block, the oldest first, a page at a time.
///
/// <https://developers.notion.com/reference/list-comments>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct ListComments {
    /// Id or address of the page or block.
    pub block_id: String,
    /// How many on a page; 100 if left out.
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
        let block = id("/block_id", &self.block_id)?;
        let request = request(cx, Method::GET, "/comments", Needs::ReadComments).query("block_id", block);
        page_of(paged(request, self.page_size, self.cursor.as_deref()), Comment::of).await
    }
}

/// Returns a comment by id.
///
/// <https://developers.notion.com/reference/retrieve-comment>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct GetComment {
    /// Id of the comment.
    pub comment_id: String,
    /// Whether to return all that Notion sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetComment {
    type Output = Detail<Comment>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<Comment>> {
        let comment = id("/comment_id", &self.comment_id)?;
        let request = request(cx, Method::GET, "/comments/{comment_id}", Needs::ReadComments);
        detail_of(request.path("comment_id", comment), self.whole, Comment::of).await
    }
}

/// Comments on a page or a block, or replies in a discussion. Give one of the three ids. Returns the comment.
///
/// <https://developers.notion.com/reference/create-a-comment>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false)]
#[serde(deny_unknown_fields)]
pub struct CreateComment {
    /// Id or address of the page to comment on.
    #[serde(default)]
    pub page_id: Option<String>,
    /// Id of the block to comment on.
    #[serde(default)]
    pub block_id: Option<String>,
    /// Id of the discussion to reply in.
    #[serde(default)]
    pub discussion_id: Option<String>,
    /// Text in Markdown.
    #[schemars(length(min = 1))]
    pub markdown: String,
}

impl Run for CreateComment {
    type Output = Detail<Comment>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<Comment>> {
        let page = id_opt("/page_id", self.page_id.as_ref())?;
        let block = id_opt("/block_id", self.block_id.as_ref())?;
        let discussion = id_opt("/discussion_id", self.discussion_id.as_ref())?;
        let text = text(&self.markdown)?;
        let body = match (page, block, discussion) {
            (Some(page), None, None) => json!({"parent": {"page_id": page}, "rich_text": text}),
            (None, Some(block), None) => json!({"parent": {"block_id": block}, "rich_text": text}),
            (None, None, Some(discussion)) => json!({"discussion_id": discussion, "rich_text": text}),
            _ => {
                return Err(Error::invalid_argument(
                    "/page_id",
                    "one of `page_id`, `block_id` and `discussion_id` must be given, and only one",
                ));
            }
        };
        let request = request(cx, Method::POST, "/comments", Needs::InsertComments).json_body(&body);
        detail_of(request, false, Comment::of).await
    }
}

fn text(markdown: &str) -> Result<Value> {
    let text = rich_text(&to_spans(markdown));
    match text.as_array().map(Vec::len) {
        Some(1..=100) => Ok(text),
        Some(0) => Err(Error::invalid_argument("/markdown", "holds no text")),
        _ => Err(Error::invalid_argument(
            "/markdown",
            "is longer than Notion takes for a comment: 100 pieces of text",
        )),
    }
}

/// Replaces the text of a comment that this connection wrote. Returns the comment.
///
/// <https://developers.notion.com/reference/update-a-comment>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(idempotent)]
#[serde(deny_unknown_fields)]
pub struct UpdateComment {
    /// Id of the comment.
    pub comment_id: String,
    /// New text in Markdown.
    #[schemars(length(min = 1))]
    pub markdown: String,
}

impl Run for UpdateComment {
    type Output = Detail<Comment>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<Comment>> {
        let comment = id("/comment_id", &self.comment_id)?;
        let body = json!({"rich_text": text(&self.markdown)?});
        let request = request(cx, Method::PATCH, "/comments/{comment_id}", Needs::InsertComments);
        detail_of(request.path("comment_id", comment).json_body(&body), false, Comment::of).await
    }
}

/// Deletes a comment that this connection wrote, for good.
///
/// <https://developers.notion.com/reference/delete-a-comment>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(idempotent)]
#[serde(deny_unknown_fields)]
pub struct DeleteComment {
    /// Id of the comment.
    pub comment_id: String,
}

impl Run for DeleteComment {
    type Output = Detail<Comment>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<Comment>> {
        let comment = id("/comment_id", &self.comment_id)?;
        let request = request(cx, Method::DELETE, "/comments/{comment_id}", Needs::InsertComments);
        detail_of(request.path("comment_id", comment), false, Comment::of).await
    }
}
