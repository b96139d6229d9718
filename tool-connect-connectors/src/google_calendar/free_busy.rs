//! When people and rooms are free.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Detail, Result, Run, Tool, ToolContext};

use super::time::check_instant;

/// A time that is taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Busy {
    /// From, RFC 3339.
    pub start: String,
    /// Until, RFC 3339.
    pub end: String,
}

/// Why a calendar could not be looked into.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BusyProblem {
    /// `notFound`: there is no such calendar, or the account may not see it; `groupTooBig`; `tooManyCalendarsRequested`.
    pub reason: String,
}

/// When one calendar is taken.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CalendarBusy {
    /// Times that are taken, in order; all others are free.
    #[serde(default)]
    pub busy: Vec<Busy>,
    /// Why it is not known. Where something stands here, an empty `busy` does not mean that the time is free.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<BusyProblem>,
}

/// When calendars are taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FreeBusy {
    /// By the calendar's id.
    #[serde(default)]
    pub calendars: BTreeMap<String, CalendarBusy>,
}

/// Says when calendars are taken within a span of time: of the account, of colleagues by their address, of rooms.
///
/// <https://developers.google.com/workspace/calendar/api/v3/reference/freebusy/query>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    read_only,
    scopes(
        "https://www.googleapis.com/auth/calendar.freebusy|https://www.googleapis.com/auth/calendar.readonly|https://www.googleapis.com/auth/calendar"
    )
)]
#[serde(deny_unknown_fields)]
pub struct GetFreeBusy {
    /// From when, RFC 3339 with offset: `2026-12-01T08:00:00+01:00`.
    pub time_min: String,
    /// Until when, RFC 3339 with offset; at most about three months later.
    pub time_max: String,
    /// Ids of calendars: addresses of people and rooms, or of groups; the account's own if left out.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub calendar_ids: Vec<String>,
    /// IANA name of the time zone for the answer, `Europe/Berlin`; UTC if left out.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// Whether to return all that Google sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetFreeBusy {
    type Output = Detail<FreeBusy>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<FreeBusy>> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Query<'a> {
            time_min: &'a str,
            time_max: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            time_zone: Option<&'a str>,
            items: Vec<Item<'a>>,
        }
        #[derive(Serialize)]
        struct Item<'a> {
            id: &'a str,
        }
        check_instant("/time_min", &self.time_min)?;
        check_instant("/time_max", &self.time_max)?;
        let mut items: Vec<Item<'_>> = self.calendar_ids.iter().map(|id| Item { id }).collect();
        if items.is_empty() {
            items.push(Item { id: "primary" });
        }
        let query = Query {
            time_min: &self.time_min,
            time_max: &self.time_max,
            time_zone: self.time_zone.as_deref(),
            items,
        };
        // It is asked with POST and changes nothing.
        cx.http().post("freeBusy").json_body(&query).repeatable(true).detail(self.whole).await
    }
}
