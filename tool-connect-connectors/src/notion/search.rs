//! Search by title.

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tool_connect_core::{Page, Result, Run, Tool, ToolArgs, ToolContext};

use super::objects::{Parent, in_trash, title_of};
use super::request::{Needs, page_of, paged_body, request, string};
use crate::provider::paged;

paged! { Search => Found }

/// What to look for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    /// Pages, rows of data sources among them.
    Page,
    /// Data sources.
    DataSource,
}

/// Which of two directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The smallest or earliest first.
    Ascending,
    /// The largest or latest first.
    Descending,
}

/// A page or a data source that was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Found {
    /// `page` or `data_source`.
    pub object: String,
    /// Id.
    pub id: String,
    /// Title as plain text.
    #[serde(default)]
    pub title: String,
    /// Address in Notion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// When it was changed last, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_edited_time: Option<String>,
    /// Whether it is in the trash.
    #[serde(default)]
    pub in_trash: bool,
}

impl Found {
    fn of(value: &Value) -> Self {
        Self {
            object: string(&value["object"]).unwrap_or_default(),
            id: string(&value["id"]).unwrap_or_default(),
            title: title_of(value),
            url: string(&value["url"]),
            parent: Parent::of(&value["parent"]),
            last_edited_time: string(&value["last_edited_time"]),
            in_trash: in_trash(value),
        }
    }
}

/// Searches titles of the pages and data sources that are shared with the connection, a page at a time; it does not look into
/// their content. Returns id, title, address and parent of each.
///
/// <https://developers.notion.com/reference/post-search>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// Words of the title; everything if left out.
    #[serde(default)]
    pub query: Option<String>,
    /// What to look for; pages and data sources if left out.
    #[serde(default)]
    pub object: Option<ObjectKind>,
    /// Sorts by the time of the last change; by relevance if left out.
    #[serde(default)]
    pub by_last_edited: Option<Direction>,
    /// How many on a page; 100 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for Search {
    type Output = Page<Found>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Found>> {
        let mut body = Map::new();
        if let Some(query) = self.query {
            body.insert("query".to_owned(), query.into());
        }
        if let Some(object) = self.object {
            body.insert("filter".to_owned(), json!({"property": "object", "value": object}));
        }
        if let Some(direction) = self.by_last_edited {
            let sort = json!({"timestamp": "last_edited_time", "direction": direction});
            body.insert("sort".to_owned(), sort);
        }
        paged_body(&mut body, self.page_size, self.cursor);
        let request =
            request(cx, Method::POST, "/search", Needs::ReadContent).repeatable(true).json_body(&body);
        page_of(request, Found::of).await
    }
}
