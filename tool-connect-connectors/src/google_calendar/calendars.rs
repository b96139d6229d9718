//! Calendars.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::{Detail, Page, Result, Run, Tool, ToolContext};

use super::create::or_primary;
use crate::google::page;
use crate::provider::paged;

paged! { ListCalendars => ListedCalendar }

/// A calendar.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Calendar {
    /// Id; of an account's own calendar its e-mail address.
    pub id: String,
    /// Title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// Text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// IANA name of its time zone.
    #[serde(default, alias = "timeZone", skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
}

/// A calendar in the account's list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ListedCalendar {
    /// Id; of an account's own calendar its e-mail address.
    pub id: String,
    /// Title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// The title that the account has given it.
    #[serde(default, alias = "summaryOverride", skip_serializing_if = "Option::is_none")]
    pub own_summary: Option<String>,
    /// Text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// IANA name of its time zone.
    #[serde(default, alias = "timeZone", skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// What the account may do: `freeBusyReader`, `reader`, `writer`, `owner`.
    #[serde(default, alias = "accessRole", skip_serializing_if = "Option::is_none")]
    pub access_role: Option<String>,
    /// Whether it is the account's own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub primary: bool,
}

/// Lists the calendars of the account, its own and those shared with it, a page at a time.
///
/// <https://developers.google.com/workspace/calendar/api/v3/reference/calendarList/list>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    read_only,
    scopes("https://www.googleapis.com/auth/calendar.readonly|https://www.googleapis.com/auth/calendar")
)]
#[serde(deny_unknown_fields)]
pub struct ListCalendars {
    /// Whether to list those that are hidden from view, too.
    #[serde(default)]
    pub show_hidden: bool,
    /// How many a page holds; 100 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 250))]
    pub page_size: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Run for ListCalendars {
    type Output = Page<ListedCalendar>;

    async fn run(self, cx: &ToolContext) -> Result<Page<ListedCalendar>> {
        let request = cx
            .http()
            .get("users/me/calendarList")
            .query("maxResults", self.page_size.unwrap_or(100))
            .query_opt("showHidden", self.show_hidden.then_some(true));
        page(request, self.cursor.as_deref()).await
    }
}

/// Gets a calendar by its id: title, text, time zone. Without an id the account's own, whose id is the account's address.
///
/// <https://developers.google.com/workspace/calendar/api/v3/reference/calendars/get>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    read_only,
    scopes("https://www.googleapis.com/auth/calendar.readonly|https://www.googleapis.com/auth/calendar")
)]
#[serde(deny_unknown_fields)]
pub struct GetCalendar {
    /// Id of the calendar; the account's own if left out.
    #[serde(default)]
    pub calendar_id: Option<String>,
    /// Whether to return all that Google sends, under `whole`.
    #[serde(default)]
    pub whole: bool,
}

impl Run for GetCalendar {
    type Output = Detail<Calendar>;

    async fn run(self, cx: &ToolContext) -> Result<Detail<Calendar>> {
        cx.http()
            .get("calendars/{calendar}")
            .path("calendar", or_primary(self.calendar_id.as_deref()))
            .detail(self.whole)
            .await
    }
}

/// Creates a calendar beside the account's own. Returns it with its id.
///
/// <https://developers.google.com/workspace/calendar/api/v3/reference/calendars/insert>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    destructive = false,
    scopes("https://www.googleapis.com/auth/calendar.calendars|https://www.googleapis.com/auth/calendar")
)]
#[serde(deny_unknown_fields)]
pub struct CreateCalendar {
    /// Title.
    #[schemars(length(min = 1, max = 254))]
    pub summary: String,
    /// Text.
    #[serde(default)]
    pub description: Option<String>,
    /// IANA name of its time zone, `Europe/Berlin`; the account's if left out.
    #[serde(default)]
    pub time_zone: Option<String>,
}

impl Run for CreateCalendar {
    type Output = Calendar;

    async fn run(self, cx: &ToolContext) -> Result<Calendar> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct New<'a> {
            summary: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            description: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            time_zone: Option<&'a str>,
        }
        let new = New {
            summary: &self.summary,
            description: self.description.as_deref(),
            time_zone: self.time_zone.as_deref(),
        };
        cx.http().post("calendars").json_body(&new).json().await
    }
}
