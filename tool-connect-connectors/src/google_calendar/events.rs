//! Events: found and read.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Detail, Error, Page, Result, Run, Tool, ToolArgs, ToolContext};

use super::create::or_primary;
use super::event::Event;
use super::time::check_instant;
use crate::google::page;
use crate::provider::paged;

paged! {
    ListEvents => Event,
    ListEventInstances => Event,
}

/// In which order events are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum EventOrder {
    /// By when they begin; only with the instances of series, not with `series`.
    StartTime,
    /// By when they last changed.
    Updated,
}

/// Lists or searches events of a calendar, by when they begin, a page at a time. Each instance of a series that recurs stands for
/// itself, unless `series` is set.
///
/// <https://developers.google.com/workspace/calendar/api/v3/reference/events/list>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    read_only,
    scopes(
        "https://www.googleapis.com/auth/calendar.events.readonly|https://www.googleapis.com/auth/calendar.events|https://www.googleapis.com/auth/calendar.readonly|https://www.googleapis.com/auth/calendar"
    )
)]
#[serde(deny_unknown_fields)]
pub struct ListEvents {
    /// Id of the calendar; the account's own if left out.
    #[serde(default)]
    pub calendar_id: Option<String>,
    /// Only events that end after this time, RFC 3339 with offset: `2026-12-01T00:00:00+01:00`.
    #[serde(default)]
    pub time_min: Option<String>,
    /// Only events that begin before this time, RFC 3339 with offset.
    #[serde(default)]
    pub time_max: Option<String>,
    /// Only events with these words in title, text, place, or the names and addresses of who is invited.
    #[serde(default)]
    pub query: Option<String>,
    /// Whether a series that recurs stands there once, with its rule, instead of its instances.
    #[serde(default)]
    pub series: bool,
    /// In which order; by start if left out, and with `series` in none.
    #[serde(default)]
    pub order_by: Option<EventOrder>,
    /// Only events that changed after this time, RFC 3339 with offset.
    #[serde(default)]
    pub updated_min: Option<String>,
    /// Whether to list deleted ones, too, with the status `cancelled`.
    #[serde(default)]
    pub show_deleted: bool,
    /// IANA name of the time zone for the answer, `Europe/Berlin`; the calendar's if left out.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// How many a page holds; 50 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 2500))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListEvents {
    type Output = Page<Event>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Event>> {
        for (pointer, time) in [
            ("/time_min", &self.time_min),
            ("/time_max", &self.time_max),
            ("/updated_min", &self.updated_min),
        ] {
            if let Some(time) = time {
                check_instant(pointer, time)?;
            }
        }
        let order = match (self.order_by, self.series) {
            (Some(EventOrder::StartTime), true) => {
                return Err(Error::invalid_argument(
                    "/order_by",
                    "cannot be `start_time` together with `series`",
                ));
            }
            (Some(EventOrder::StartTime) | None, false) => Some("startTime"),
            (Some(EventOrder::Updated), _) => Some("updated"),
            (None, true) => None,
        };
        let request = cx
            .http()
            .get("calendars/{calendar}/events")
            .path("calendar", or_primary(self.calendar_id.as_deref()))
            .query("maxResults", self.page_size.unwrap_or(50))
            .query("singleEvents", !self.series)
            .query_opt("orderBy", order)
            .query_opt("timeMin", self.time_min.as_deref())
            .query_opt("timeMax", self.time_max.as_deref())
            .query_opt("q", self.query.as_deref())
            .query_opt("updatedMin", self.updated_min.as_deref())
            .query_opt("showDeleted", self.show_deleted.then_some(true))
            .query_opt("timeZone", self.time_zone.as_deref());
        page(request, self.cursor.as_deref()).await
    }
}

/// Gets an event, a series, or an instance of one, by its id.
///
/// <https://developers.google.com/workspace/calendar/api/v3/reference/events/get>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    read_only,
    scopes(
        "https://www.googleapis.com/auth/calendar.events.readonly|https://www.googleapis.com/auth/calendar.events|https://www.googleapis.com/auth/calendar.readonly|https://www.googleapis.com/auth/calendar"
    )
)]
#[serde(deny_unknown_fields)]
pub struct GetEvent {
    /// Id of the calendar; the account's own if left out.
    #[serde(default)]
    pub calendar_id: Option<String>,
    /// Id of the event.
    pub event_id: String,
    /// IANA name of the time zone for the answer, `Europe/Berlin`; the calendar's if left out.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// Whether to return all that Google sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetEvent {
    type Output = Detail<Event>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<Event>> {
        cx.http()
            .get("calendars/{calendar}/events/{event}")
            .path("calendar", or_primary(self.calendar_id.as_deref()))
            .path("event", &self.event_id)
            .query_opt("timeZone", self.time_zone.as_deref())
            .detail(self.whole)
            .await
    }
}

/// Lists the instances of a series that recurs, a page at a time. Each has an id of its own, by which it is changed or deleted
/// alone.
///
/// <https://developers.google.com/workspace/calendar/api/v3/reference/events/instances>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    read_only,
    scopes(
        "https://www.googleapis.com/auth/calendar.events.readonly|https://www.googleapis.com/auth/calendar.events|https://www.googleapis.com/auth/calendar.readonly|https://www.googleapis.com/auth/calendar"
    )
)]
#[serde(deny_unknown_fields)]
pub struct ListEventInstances {
    /// Id of the calendar; the account's own if left out.
    #[serde(default)]
    pub calendar_id: Option<String>,
    /// Id of the series: `recurring_event_id` of an instance.
    pub event_id: String,
    /// Only instances that end after this time, RFC 3339 with offset.
    #[serde(default)]
    pub time_min: Option<String>,
    /// Only instances that begin before this time, RFC 3339 with offset.
    #[serde(default)]
    pub time_max: Option<String>,
    /// How many a page holds; 50 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 2500))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListEventInstances {
    type Output = Page<Event>;

    async fn run(self, cx: &ToolContext) -> Result<Page<Event>> {
        for (pointer, time) in [("/time_min", &self.time_min), ("/time_max", &self.time_max)] {
            if let Some(time) = time {
                check_instant(pointer, time)?;
            }
        }
        let request = cx
            .http()
            .get("calendars/{calendar}/events/{event}/instances")
            .path("calendar", or_primary(self.calendar_id.as_deref()))
            .path("event", &self.event_id)
            .query("maxResults", self.page_size.unwrap_or(50))
            .query_opt("timeMin", self.time_min.as_deref())
            .query_opt("timeMax", self.time_max.as_deref());
        page(request, self.cursor.as_deref()).await
    }
}
