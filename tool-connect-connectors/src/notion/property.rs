//! One property of a page, read piece by piece.

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tool_connect_core::{Page, Result, Run, Tool, ToolContext};

use super::objects::short;
use super::request::{Needs, id, paged, request, string};
use crate::provider::paged as pages;

pages! { GetPageProperty => PropertyItem }

/// A property's value, or a piece of it: one related page, one person, one piece of text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PropertyItem {
    /// The property's type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The value in short, as in `get_page`.
    #[serde(default)]
    pub value: Value,
}

impl PropertyItem {
    fn of(value: &Value) -> Self {
        Self { kind: string(&value["type"]).unwrap_or_default(), value: short(value) }
    }
}

/// Reads one property of a page whole, a page of pieces at a time: for text, people and relations of which `get_page` returns
/// only the first 25. Any other property is one piece.
///
/// <https://developers.notion.com/reference/retrieve-a-page-property>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
pub struct GetPageProperty {
    /// Id or address of the page.
    pub page_id: String,
    /// Id of the property, from `incomplete` of `get_page` or from `get_data_source`.
    pub property_id: String,
    /// How many on a page; 100 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for GetPageProperty {
    type Output = Page<PropertyItem>;

    async fn run(self, cx: &ToolContext) -> Result<Page<PropertyItem>> {
        let page = id("/page_id", &self.page_id)?;
        // An id that Notion sends is encoded already; encoding it again would make it another.
        let property =
            percent_encoding::percent_decode_str(&self.property_id).decode_utf8_lossy().into_owned();
        let request =
            request(cx, Method::GET, "/pages/{page_id}/properties/{property_id}", Needs::ReadContent)
                .path("page_id", page)
                .path("property_id", property);
        let answer: Value = paged(request, self.page_size, self.cursor.as_deref()).json().await?;
        Ok(match answer["results"].as_array() {
            Some(items) => {
                Page::new(items.iter().map(PropertyItem::of).collect(), string(&answer["next_cursor"]))
            }
            None => Page::new(vec![PropertyItem::of(&answer)], None),
        })
    }
}
