//! Blocks, one by one.

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tool_connect_core::{Detail, Error, Page, Result, Run, Tool, ToolContext};

use super::markdown::{Block, Content, bare, block_of, blocks_of, to_blocks, to_markdown};
use super::objects::{Parent, in_trash};
use super::request::{Needs, detail_of, id, id_opt, page_of, paged, request, string};
use super::write::{Place, append, planned};
use crate::provider::paged as pages;

pages! { ListBlocks => BlockInfo }

/// A block, without what stands within it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BlockInfo {
    /// Id.
    pub id: String,
    /// Notion's type, such as `paragraph`, `to_do` or `child_page`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The block itself as Markdown.
    #[serde(default)]
    pub markdown: String,
    /// Whether something stands within it.
    #[serde(default)]
    pub has_children: bool,
    /// Where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// Whether it is in the trash.
    #[serde(default)]
    pub in_trash: bool,
    /// When it was changed last, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_edited_time: Option<String>,
}

impl BlockInfo {
    fn of(value: &Value) -> Self {
        Self {
            id: string(&value["id"]).unwrap_or_default(),
            kind: string(&value["type"]).unwrap_or_default(),
            markdown: to_markdown(&[block_of(value)]).trim_end().to_owned(),
            has_children: value["has_children"].as_bool().unwrap_or_default(),
            parent: Parent::of(&value["parent"]),
            in_trash: in_trash(value),
            last_edited_time: string(&value["last_edited_time"]),
        }
    }
}

/// Lists the blocks within a page or a block, one level, a page at a time: id, type and text of each. For reading,
/// `read_page_markdown` is shorter; this one gives the ids that edits need.
///
/// <https://developers.notion.com/reference/get-block-children>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct ListBlocks {
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

impl Run for ListBlocks {
    type Output = Page<BlockInfo>;

    async fn run(self, cx: &ToolContext) -> Result<Page<BlockInfo>> {
        let block = id("/block_id", &self.block_id)?;
        let request = request(cx, Method::GET, "/blocks/{block_id}/children", Needs::ReadContent)
            .path("block_id", block);
        page_of(paged(request, self.page_size, self.cursor.as_deref()), BlockInfo::of).await
    }
}

/// Returns a block: type, text, whether something stands within it.
///
/// <https://developers.notion.com/reference/retrieve-a-block>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct GetBlock {
    /// Id of the block.
    pub block_id: String,
    /// Whether to return all that Notion sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetBlock {
    type Output = Detail<BlockInfo>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<BlockInfo>> {
        let block = id("/block_id", &self.block_id)?;
        let request =
            request(cx, Method::GET, "/blocks/{block_id}", Needs::ReadContent).path("block_id", block);
        detail_of(request, self.whole, BlockInfo::of).await
    }
}

/// Blocks that were appended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Appended {
    /// Ids of the new blocks of the first level, in order.
    pub block_ids: Vec<String>,
}

/// Appends content to a page or a block: Markdown, or blocks as Notion's objects. Long and deep content is sent in several requests.
/// Returns the ids of the new blocks.
///
/// <https://developers.notion.com/reference/patch-block-children>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, timeout = "120s", cost = 5)]
#[serde(deny_unknown_fields)]
pub struct AppendBlocks {
    /// Id or address of the page or block.
    pub block_id: String,
    /// Content in Markdown; this or `blocks`.
    #[serde(default)]
    pub markdown: Option<String>,
    /// Blocks as Notion's objects, `{"type": "paragraph", "paragraph": {"rich_text": [..]}}`.
    #[serde(default)]
    pub blocks: Vec<Map<String, Value>>,
    /// Id of the block that it shall follow; at the end if left out.
    #[serde(default)]
    pub after_block_id: Option<String>,
    /// Whether it shall stand at the beginning; not together with `after_block_id`.
    #[serde(default)]
    pub at_start: bool,
}

impl Run for AppendBlocks {
    type Output = Appended;

    async fn run(self, cx: &ToolContext) -> Result<Appended> {
        let parent = id("/block_id", &self.block_id)?;
        let place = match (id_opt("/after_block_id", self.after_block_id.as_ref())?, self.at_start) {
            (Some(_), true) => {
                return Err(Error::invalid_argument(
                    "/at_start",
                    "cannot be given together with `after_block_id`",
                ));
            }
            (Some(after), false) => Place::After(after),
            (None, true) => Place::Start,
            (None, false) => Place::End,
        };
        let (blocks, pointer) = match (&self.markdown, self.blocks.is_empty()) {
            (Some(markdown), true) => (to_blocks(markdown), "/markdown"),
            (None, false) => {
                let values: Vec<Value> = self.blocks.into_iter().map(Value::Object).collect();
                (blocks_of(&values), "/blocks")
            }
            _ => return Err(Error::invalid_argument("/markdown", "either this or `blocks` must be given")),
        };
        if blocks.is_empty() {
            return Err(Error::invalid_argument(pointer, "holds no content"));
        }
        let block_ids = append(cx, &parent, planned(&blocks, pointer)?, place).await?;
        Ok(Appended { block_ids })
    }
}

/// Replaces a block's own text; what stands within it stays. Returns the block.
///
/// <https://developers.notion.com/reference/update-a-block>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(idempotent)]
#[serde(deny_unknown_fields)]
pub struct UpdateBlock {
    /// Id of the block.
    pub block_id: String,
    /// The block in Markdown: one block of the same type, or just the new text of a heading, item, quote, toggle or callout.
    #[serde(default)]
    pub markdown: Option<String>,
    /// Checks or clears the box of a to-do.
    #[serde(default)]
    pub checked: Option<bool>,
}

impl Run for UpdateBlock {
    type Output = Detail<BlockInfo>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<BlockInfo>> {
        let block = id("/block_id", &self.block_id)?;
        let mut body = Map::new();
        match (&self.markdown, self.checked) {
            (None, None) => {
                return Err(Error::invalid_argument("/markdown", "this or `checked` must be given"));
            }
            (None, Some(checked)) => {
                body.insert("to_do".to_owned(), json!({"checked": checked}));
            }
            (Some(markdown), checked) => {
                let there: Value = request(cx, Method::GET, "/blocks/{block_id}", Needs::ReadContent)
                    .path("block_id", &block)
                    .json()
                    .await?;
                let kind = string(&there["type"]).unwrap_or_default();
                let mut payload = payload(markdown, &kind)?;
                if let (Some(checked), Some(map)) = (checked, payload.as_object_mut()) {
                    map.insert("checked".to_owned(), Value::Bool(checked));
                }
                body.insert(kind, payload);
            }
        }
        let request = request(cx, Method::PATCH, "/blocks/{block_id}", Needs::UpdateContent);
        detail_of(request.path("block_id", block).json_body(&body), false, BlockInfo::of).await
    }
}

/// What a block of this type becomes by this Markdown.
fn payload(markdown: &str, kind: &str) -> Result<Value> {
    let wrong = |why: String| Error::invalid_argument("/markdown", why);
    let mut blocks = to_blocks(markdown);
    let (Some(block), true) = (blocks.pop(), blocks.is_empty()) else {
        return Err(wrong("must be one block".to_owned()));
    };
    if !block.children.is_empty() {
        return Err(wrong("must be one block with nothing within it; append_blocks adds that".to_owned()));
    }
    let mut value = bare(&block).map_err(wrong)?;
    let same = value["type"] == kind;
    let texts = matches!(
        kind,
        "heading_1"
            | "heading_2"
            | "heading_3"
            | "heading_4"
            | "bulleted_list_item"
            | "numbered_list_item"
            | "to_do"
            | "quote"
            | "toggle"
            | "callout"
            | "code"
    );
    match block {
        _ if same => {
            let mut payload = value[kind].take();
            if let Some(map) = payload.as_object_mut() {
                // Notion changes neither with the text: rows have their own blocks, and its type stays a file's.
                for fixed in ["children", "table_width", "type"] {
                    map.remove(fixed);
                }
                // An icon and a colour that were not asked for stay.
                if kind == "callout" && !markdown.trim_start().starts_with('>') {
                    map.remove("icon");
                    map.remove("color");
                }
            }
            Ok(payload)
        }
        Block { content: Content::Paragraph(_), .. } if texts => {
            Ok(json!({"rich_text": value["paragraph"]["rich_text"].take()}))
        }
        _ => Err(wrong(format!("must be a block of the same type, which is `{kind}`"))),
    }
}

/// Moves a block, and what stands within it, to the trash. `restore_block` takes it out again.
///
/// <https://developers.notion.com/reference/delete-a-block>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(idempotent)]
#[serde(deny_unknown_fields)]
pub struct DeleteBlock {
    /// Id of the block.
    pub block_id: String,
}

impl Run for DeleteBlock {
    type Output = Detail<BlockInfo>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<BlockInfo>> {
        let block = id("/block_id", &self.block_id)?;
        let request =
            request(cx, Method::DELETE, "/blocks/{block_id}", Needs::UpdateContent).path("block_id", block);
        detail_of(request, false, BlockInfo::of).await
    }
}

/// Takes a block out of the trash.
///
/// <https://developers.notion.com/reference/update-a-block>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent)]
#[serde(deny_unknown_fields)]
pub struct RestoreBlock {
    /// Id of the block.
    pub block_id: String,
}

impl Run for RestoreBlock {
    type Output = Detail<BlockInfo>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<BlockInfo>> {
        let block = id("/block_id", &self.block_id)?;
        let request = request(cx, Method::PATCH, "/blocks/{block_id}", Needs::UpdateContent);
        detail_of(
            request.path("block_id", block).json_body(&json!({"in_trash": false})),
            false,
            BlockInfo::of,
        )
        .await
    }
}
