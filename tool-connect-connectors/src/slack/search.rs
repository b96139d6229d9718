//! Search, which needs a user's own token: it finds what that user may see.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tool_connect_core::{Page, Result, Run, Tool, ToolArgs, ToolContext};

use super::File;
use super::call::{Paging, get};
use crate::provider::paged;

paged! { SearchMessages => FoundMessage, SearchFiles => File }

/// What results are ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum SearchSort {
    /// How well they fit.
    Score,
    /// When they were written.
    Timestamp,
}

/// Which comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum SortDirection {
    /// The least, or the oldest.
    Asc,
    /// The best, or the newest.
    Desc,
}

/// Where a message was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FoundIn {
    /// Id of the conversation.
    pub id: String,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A message that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FoundMessage {
    /// Id of the message within its conversation.
    pub ts: String,
    /// Where it stands.
    pub channel: FoundIn,
    /// Id of the user who wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Name that the writer went by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// What it says, in mrkdwn.
    #[serde(default)]
    pub text: String,
    /// Address that opens it in Slack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permalink: Option<String>,
}

/// Finds messages that the user may see, the best first, a page at a time. The query takes Slack's modifiers: `in:#general`,
/// `from:@ada`, `before:2026-05-31`, `has:pin`, `"exact words"`, `-without`.
///
/// <https://docs.slack.dev/reference/methods/search.messages>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("search:read"))]
#[serde(deny_unknown_fields)]
pub struct SearchMessages {
    /// What to look for, with modifiers.
    #[schemars(length(min = 1))]
    pub query: String,
    /// What they are ordered by; how well they fit if left out.
    #[serde(default)]
    pub sort: Option<SearchSort>,
    /// Which comes first; the best or newest if left out.
    #[serde(default)]
    pub sort_dir: Option<SortDirection>,
    /// How many a page holds; 20 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

/// Finds files that the user may see, the best first, a page at a time. The query takes the modifiers that search_messages does.
///
/// <https://docs.slack.dev/reference/methods/search.files>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("search:read"))]
#[serde(deny_unknown_fields)]
pub struct SearchFiles {
    /// What to look for, with modifiers.
    #[schemars(length(min = 1))]
    pub query: String,
    /// What they are ordered by; how well they fit if left out.
    #[serde(default)]
    pub sort: Option<SearchSort>,
    /// Which comes first; the best or newest if left out.
    #[serde(default)]
    pub sort_dir: Option<SortDirection>,
    /// How many a page holds; 20 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

/// What is found, and where it stands among all.
#[derive(Deserialize)]
struct Found<T> {
    matches: Vec<T>,
    #[serde(default)]
    paging: Paging,
}

impl<T> Found<T> {
    fn page(self) -> Page<T> {
        Page::new(self.matches, self.paging.next())
    }
}

/// Slack numbers the pages of a search.
fn arguments(
    query: &str,
    sort: (Option<SearchSort>, Option<SortDirection>),
    size: Option<u32>,
    cursor: Option<&str>,
) -> Result<Value> {
    let (sort, sort_dir) = sort;
    let page = Paging::page(cursor)?;
    Ok(json!({"query": query, "sort": sort, "sort_dir": sort_dir, "count": size.unwrap_or(20), "page": page}))
}

impl Run for SearchMessages {
    type Output = Page<FoundMessage>;

    async fn run(self, cx: &ToolContext) -> Result<Page<FoundMessage>> {
        let arguments =
            arguments(&self.query, (self.sort, self.sort_dir), self.page_size, self.cursor.as_deref())?;
        Ok(get(cx, "search.messages", &arguments).await?.member::<Found<_>>("messages")?.page())
    }
}

impl Run for SearchFiles {
    type Output = Page<File>;

    async fn run(self, cx: &ToolContext) -> Result<Page<File>> {
        let arguments =
            arguments(&self.query, (self.sort, self.sort_dir), self.page_size, self.cursor.as_deref())?;
        Ok(get(cx, "search.files", &arguments).await?.member::<Found<_>>("files")?.page())
    }
}
