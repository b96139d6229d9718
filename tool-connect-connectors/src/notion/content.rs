//! A page's content as Markdown.

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tool_connect_core::{BoxFuture, Error, Result, Run, Tool, ToolArgs, ToolContext};

use super::markdown::{block_of, to_markdown};
use super::request::{Needs, id, paged, request, string};

/// A page's content.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PageMarkdown {
    /// The content, or this part of it.
    pub markdown: String,
    /// How many blocks it holds, at all depths.
    pub blocks: u32,
    /// Ids of blocks within which something stands that was not read, because a bound was met: read them as pages of their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
    /// What to pass as `cursor` to read on; absent at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Reads the content of a page, or of a block, as Markdown, with what stands within its blocks. What Markdown cannot say is kept in
/// HTML comments, so that it can be written back with `append_blocks` without loss. A long page comes in parts, by `cursor`.
///
/// Pages and databases below it are links; files that Notion keeps are `notion://file/ID`, for `download_file`.
///
/// <https://developers.notion.com/reference/get-block-children>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, timeout = "120s", cost = 5)]
#[serde(deny_unknown_fields)]
pub struct ReadPageMarkdown {
    /// Id or address of the page, or of a block within it.
    pub page_id: String,
    /// Begins no further block of the first level after about so many blocks of all levels; 500 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 5000))]
    pub max_blocks: Option<u32>,
    /// Reads no deeper than so many levels; 8 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 20))]
    pub max_depth: Option<u32>,
    /// Sends no more requests than so many; 60 if left out. Notion takes three a second.
    #[serde(default)]
    #[schemars(range(min = 1, max = 300))]
    pub max_requests: Option<u32>,
    /// `next_cursor` of the part before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ReadPageMarkdown {
    type Output = PageMarkdown;

    async fn run(self, cx: &ToolContext) -> Result<PageMarkdown> {
        let page = id("/page_id", &self.page_id)?;
        let (mut cursor, mut skip) = begins(self.cursor.as_deref())?;
        let mut reader = Reader {
            cx,
            blocks: self.max_blocks.unwrap_or(500),
            requests: self.max_requests.unwrap_or(60),
            read: 0,
            unread: Vec::new(),
        };
        let depth = self.max_depth.unwrap_or(8);
        let mut top = Vec::new();
        let next_cursor = loop {
            let (values, next) = reader.children(&page, cursor.as_deref()).await?;
            let mut stopped = None;
            for (at, mut value) in values.into_iter().enumerate().skip(skip) {
                // At least one block each time, so that a walk comes to its end.
                if !top.is_empty() && reader.is_spent() {
                    stopped = Some(at);
                    break;
                }
                reader.read += 1;
                reader.fill(&mut value, depth).await?;
                top.push(block_of(&value));
            }
            if let Some(at) = stopped {
                break Some(format!("{at}.{}", cursor.unwrap_or_default()));
            }
            skip = 0;
            let Some(next) = next else { break None };
            if !top.is_empty() && reader.is_spent() {
                break Some(format!("0.{next}"));
            }
            cursor = Some(next);
        };
        Ok(PageMarkdown {
            markdown: to_markdown(&top),
            blocks: reader.read,
            unread: reader.unread,
            next_cursor,
        })
    }
}

/// Notion's cursor, and how many blocks behind it were read.
fn begins(cursor: Option<&str>) -> Result<(Option<String>, usize)> {
    let Some(cursor) = cursor else { return Ok((None, 0)) };
    let parts = cursor.split_once('.').and_then(|(at, cursor)| Some((at.parse().ok()?, cursor)));
    match parts {
        Some((skip, cursor)) => Ok(((!cursor.is_empty()).then(|| cursor.to_owned()), skip)),
        None => Err(Error::invalid_argument("/cursor", "must be the `next_cursor` of the part before")),
    }
}

struct Reader<'a> {
    cx: &'a ToolContext,
    blocks: u32,
    requests: u32,
    read: u32,
    unread: Vec<String>,
}

impl Reader<'_> {
    fn is_spent(&self) -> bool {
        self.requests == 0 || self.read >= self.blocks
    }

    async fn children(&mut self, of: &str, cursor: Option<&str>) -> Result<(Vec<Value>, Option<String>)> {
        self.requests = self.requests.saturating_sub(1);
        let request = request(self.cx, Method::GET, "/blocks/{block_id}/children", Needs::ReadContent)
            .path("block_id", of);
        let mut answer: Value = paged(request, Some(100), cursor).json().await?;
        let values = match answer.get_mut("results").map(Value::take) {
            Some(Value::Array(values)) => values,
            _ => Vec::new(),
        };
        Ok((values, string(&answer["next_cursor"])))
    }

    /// Puts what stands within a block beside its text.
    fn fill<'b>(&'b mut self, value: &'b mut Value, depth: u32) -> BoxFuture<'b, Result<()>> {
        Box::pin(async move {
            let kind = value["type"].as_str().unwrap_or_default().to_owned();
            let leads_on = matches!(kind.as_str(), "child_page" | "child_database" | "unsupported");
            if leads_on || value["has_children"] != true {
                return Ok(());
            }
            let Some(id) = string(&value["id"]) else { return Ok(()) };
            // A block is read whole once it is begun, unless too many requests would be needed: half a table says the wrong thing.
            if depth <= 1 || self.requests == 0 {
                self.unread.push(id);
                return Ok(());
            }
            let mut all = Vec::new();
            let mut cursor: Option<String> = None;
            loop {
                let (values, next) = self.children(&id, cursor.as_deref()).await?;
                for mut child in values {
                    self.read += 1;
                    self.fill(&mut child, depth - 1).await?;
                    all.push(child);
                }
                cursor = next;
                if cursor.is_none() {
                    break;
                }
                if self.requests == 0 {
                    self.unread.push(id);
                    break;
                }
            }
            if let Some(map) = value[kind.as_str()].as_object_mut() {
                map.insert("children".to_owned(), Value::Array(all));
            }
            Ok(())
        })
    }
}

/// A page's content in Notion's own Markdown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EnhancedMarkdown {
    /// Id of the page.
    pub id: String,
    /// The content, with Notion's own tags.
    pub markdown: String,
    /// Whether the page is so long that a part is missing.
    #[serde(default)]
    pub truncated: bool,
    /// Ids of blocks that are not in the text; they can be read as pages of their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown_block_ids: Vec<String>,
}

/// Reads a page in Notion's own enhanced Markdown, in one request. Its text is what `edit_enhanced_markdown` finds and replaces; for
/// plain Markdown take `read_page_markdown`.
///
/// <https://developers.notion.com/reference/retrieve-page-markdown>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct GetEnhancedMarkdown {
    /// Id or address of the page, or of a block within it.
    pub page_id: String,
}

impl Run for GetEnhancedMarkdown {
    type Output = EnhancedMarkdown;

    async fn run(self, cx: &ToolContext) -> Result<EnhancedMarkdown> {
        let page = id("/page_id", &self.page_id)?;
        let request = request(cx, Method::GET, "/pages/{page_id}/markdown", Needs::ReadContent);
        request.path("page_id", page).json().await
    }
}

/// A text to find and what to put in its place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(deny_unknown_fields)]
pub struct TextEdit {
    /// Text as `get_enhanced_markdown` returns it, to the letter; it must occur once unless `all` is set.
    #[schemars(length(min = 1))]
    pub find: String,
    /// What stands there afterwards, in enhanced Markdown.
    pub replace: String,
    /// Whether to replace it wherever it occurs.
    #[serde(default)]
    pub all: bool,
}

/// Edits a page by finding and replacing text of its enhanced Markdown, as `get_enhanced_markdown` returns it. Returns the page's
/// content afterwards.
///
/// <https://developers.notion.com/reference/update-page-markdown>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EditEnhancedMarkdown {
    /// Id or address of the page.
    pub page_id: String,
    /// The edits, in order.
    #[schemars(length(min = 1, max = 100))]
    pub edits: Vec<TextEdit>,
    /// Whether pages and databases below it may be lost by that.
    #[serde(default)]
    pub allow_deleting_content: bool,
}

impl Run for EditEnhancedMarkdown {
    type Output = EnhancedMarkdown;

    async fn run(self, cx: &ToolContext) -> Result<EnhancedMarkdown> {
        let page = id("/page_id", &self.page_id)?;
        let edit = |edit: TextEdit| json!({"old_str": edit.find, "new_str": edit.replace, "replace_all_matches": edit.all});
        let updates: Vec<Value> = self.edits.into_iter().map(edit).collect();
        let body = json!({"type": "update_content", "update_content": {
            "content_updates": updates, "allow_deleting_content": self.allow_deleting_content,
        }});
        let request = request(cx, Method::PATCH, "/pages/{page_id}/markdown", Needs::UpdateContent);
        request.path("page_id", page).json_body(&body).json().await
    }
}
