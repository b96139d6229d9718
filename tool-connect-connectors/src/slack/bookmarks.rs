//! Bookmarks: links at the top of a channel.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tool_connect_core::{Result, Run, Tool, ToolContext};

use super::call::{Done, get, post};

/// A link, kept at the top of a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Bookmark {
    /// Id.
    pub id: String,
    /// Title.
    pub title: String,
    /// Address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Emoji before the title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emoji: Option<String>,
    /// `link`, or another kind.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

/// Adds a link to the bookmarks at the top of a channel. Returns the bookmark with its id.
///
/// <https://docs.slack.dev/reference/methods/bookmarks.add>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, scopes("bookmarks:write"))]
#[serde(deny_unknown_fields)]
pub struct AddBookmark {
    /// Id of the channel, such as `C012AB3CD`.
    pub channel: String,
    /// Title.
    #[schemars(length(min = 1))]
    pub title: String,
    /// Address, with `https://` or `http://`.
    #[schemars(regex(pattern = "^https?://"))]
    pub link: String,
    /// Emoji before the title, such as `:books:`.
    #[serde(default)]
    pub emoji: Option<String>,
}

impl Run for AddBookmark {
    type Output = Bookmark;

    async fn run(self, cx: &ToolContext) -> Result<Bookmark> {
        let arguments = json!({
            "channel_id": self.channel, "title": self.title, "type": "link", "link": self.link, "emoji": self.emoji,
        });
        post(cx, "bookmarks.add", &arguments).await?.member("bookmark")
    }
}

/// Changes a bookmark of a channel; what is left out stays. Returns the bookmark.
///
/// <https://docs.slack.dev/reference/methods/bookmarks.edit>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, idempotent, scopes("bookmarks:write"))]
#[serde(deny_unknown_fields)]
pub struct UpdateBookmark {
    /// Id of the channel, such as `C012AB3CD`.
    pub channel: String,
    /// Id of the bookmark, such as `Bk012AB3CD`.
    pub bookmark: String,
    /// New title.
    #[serde(default)]
    pub title: Option<String>,
    /// New address, with `https://` or `http://`.
    #[serde(default)]
    #[schemars(regex(pattern = "^https?://"))]
    pub link: Option<String>,
    /// New emoji, such as `:books:`.
    #[serde(default)]
    pub emoji: Option<String>,
}

impl Run for UpdateBookmark {
    type Output = Bookmark;

    async fn run(self, cx: &ToolContext) -> Result<Bookmark> {
        let arguments = json!({
            "channel_id": self.channel, "bookmark_id": self.bookmark, "title": self.title, "link": self.link,
            "emoji": self.emoji,
        });
        post(cx, "bookmarks.edit", &arguments).await?.member("bookmark")
    }
}

/// Lists the bookmarks of a channel, all at once.
///
/// <https://docs.slack.dev/reference/methods/bookmarks.list>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, scopes("bookmarks:read"))]
#[serde(deny_unknown_fields)]
pub struct ListBookmarks {
    /// Id of the channel, such as `C012AB3CD`.
    pub channel: String,
}

impl Run for ListBookmarks {
    type Output = Vec<Bookmark>;

    async fn run(self, cx: &ToolContext) -> Result<Vec<Bookmark>> {
        get(cx, "bookmarks.list", &json!({"channel_id": self.channel})).await?.member("bookmarks")
    }
}

/// Removes a bookmark from a channel.
///
/// <https://docs.slack.dev/reference/methods/bookmarks.remove>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(idempotent, scopes("bookmarks:write"))]
#[serde(deny_unknown_fields)]
pub struct RemoveBookmark {
    /// Id of the channel, such as `C012AB3CD`.
    pub channel: String,
    /// Id of the bookmark, such as `Bk012AB3CD`.
    pub bookmark: String,
}

impl Run for RemoveBookmark {
    type Output = Done;

    async fn run(self, cx: &ToolContext) -> Result<Done> {
        let arguments = json!({"channel_id": self.channel, "bookmark_id": self.bookmark});
        post(cx, "bookmarks.remove", &arguments).await?.done()
    }
}
