//! Colors and settings.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Detail, Page, Result, Run, Tool, ToolContext};

use crate::google::page;
use crate::provider::paged;

paged! { ListSettings => Setting }

/// A color.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Color {
    /// Behind the text, `#a4bdfc`.
    pub background: String,
    /// Of the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreground: Option<String>,
}

/// The colors there are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Colors {
    /// For events, by `color_id`.
    #[serde(default)]
    pub event: BTreeMap<String, Color>,
    /// For calendars, by id.
    #[serde(default)]
    pub calendar: BTreeMap<String, Color>,
}

/// Lists the colors that events and calendars can have, with their ids.
///
/// <https://developers.google.com/workspace/calendar/api/v3/reference/colors/get>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    read_only,
    scopes("https://www.googleapis.com/auth/calendar.readonly|https://www.googleapis.com/auth/calendar")
)]
#[serde(deny_unknown_fields)]
pub struct GetColors {
    /// Whether to return all that Google sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetColors {
    type Output = Detail<Colors>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<Colors>> {
        cx.http().get("colors").detail(self.whole).await
    }
}

/// A setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Setting {
    /// Its name: `timezone`, `locale`, `weekStart`, `defaultEventLength`.
    pub id: String,
    /// Its value.
    pub value: String,
}

/// Lists the account's settings for its calendars, a page at a time: time zone, locale, first day of the week.
///
/// <https://developers.google.com/workspace/calendar/api/v3/reference/settings/list>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    read_only,
    scopes(
        "https://www.googleapis.com/auth/calendar.settings.readonly|https://www.googleapis.com/auth/calendar.readonly|https://www.googleapis.com/auth/calendar"
    )
)]
#[serde(deny_unknown_fields)]
pub struct ListSettings {
    /// How many a page holds; 100 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 250))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListSettings {
    type Output = Page<Setting>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Setting>> {
        let request = cx.http().get("users/me/settings").query("maxResults", self.page_size.unwrap_or(100));
        page(request, self.cursor.as_deref()).await
    }
}
