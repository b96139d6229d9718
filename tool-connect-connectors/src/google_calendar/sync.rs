//! What changed in a calendar.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Result, Run, Tool, ToolContext};

use super::create::or_primary;
use super::event::Event;
use crate::google::{Listed, from};

/// A page of a calendar's events or of what changed among them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EventChanges {
    /// Events as they are now; those that were deleted have the status `cancelled`.
    pub items: Vec<Event>,
    /// What to pass as `cursor` to get the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// `sync_token` of the next look; on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sync_token: Option<String>,
}

/// Lists what changed in a calendar since an earlier look, a page at a time; without a `sync_token` all of it, to begin with. The
/// last page has the token for the next look. Where a token has expired, begin again without one.
///
/// <https://developers.google.com/workspace/calendar/api/guides/sync>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    read_only,
    scopes(
        "https://www.googleapis.com/auth/calendar.events.readonly|https://www.googleapis.com/auth/calendar.events|https://www.googleapis.com/auth/calendar.readonly|https://www.googleapis.com/auth/calendar"
    )
)]
#[serde(deny_unknown_fields)]
pub struct SyncEvents {
    /// Id of the calendar; the account's own if left out.
    #[serde(default)]
    pub calendar_id: Option<String>,
    /// `sync_token` of an earlier look, the same on all pages.
    #[serde(default)]
    pub sync_token: Option<String>,
    /// How many a page holds; 250 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 2500))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for SyncEvents {
    type Output = EventChanges;

    async fn run(self, cx: &ToolContext) -> Result<EventChanges> {
        let request = cx
            .http()
            .get("calendars/{calendar}/events")
            .path("calendar", or_primary(self.calendar_id.as_deref()))
            .query("maxResults", self.page_size.unwrap_or(250))
            .query_opt("syncToken", self.sync_token.as_deref());
        let listed: Listed<Event> = from(request, self.cursor.as_deref()).json().await?;
        Ok(EventChanges {
            items: listed.items,
            next_cursor: listed.next_page_token,
            sync_token: listed.later,
        })
    }
}
