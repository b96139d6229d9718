//! New events. With an idempotency key the event's id is made of it, so that Google knows a repetition.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tool_connect_core::{Error, ErrorKind, Result, Run, Tool, ToolContext};

use super::event::Event;
use super::invite::{
    Invitee, Reminder, SendUpdates, Transparency, Visibility, WireConference, WireReminders, address,
    check_recurrence, written,
};
use super::time::{When, Wire};
use crate::google::{derived, unique};

/// The calendar that is meant where none is named.
pub(super) fn or_primary(calendar: Option<&str>) -> &str {
    calendar.unwrap_or("primary")
}

/// An event as it is written; what is left out stays as it is.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireEvent<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) summary: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) location: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) start: Option<Wire<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) end: Option<Wire<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) attendees: Option<Vec<Map<String, Value>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) recurrence: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reminders: Option<WireReminders<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) conference_data: Option<WireConference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) transparency: Option<Transparency>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) visibility: Option<Visibility>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) color_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) guests_can_modify: Option<bool>,
}

/// Creates an event, once or recurring, with invitations and a video conference where wanted. Returns it with its id and links.
///
/// <https://developers.google.com/workspace/calendar/api/v3/reference/events/insert>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    destructive = false,
    scopes("https://www.googleapis.com/auth/calendar.events|https://www.googleapis.com/auth/calendar")
)]
#[serde(deny_unknown_fields)]
pub struct CreateEvent {
    /// Id of the calendar; the account's own if left out.
    #[serde(default)]
    pub calendar_id: Option<String>,
    /// Title.
    pub summary: String,
    /// When it begins.
    pub start: When,
    /// When it ends; not part of the event.
    pub end: When,
    /// Text, which may hold simple HTML.
    #[serde(default)]
    pub description: Option<String>,
    /// Where.
    #[serde(default)]
    pub location: Option<String>,
    /// Whom to invite; they are told only where `send_updates` says so.
    #[serde(default)]
    #[schemars(length(max = 200))]
    pub attendees: Vec<Invitee>,
    /// How it recurs, lines of RFC 5545 without start and end: `RRULE:FREQ=WEEKLY;COUNT=10`, `EXDATE;VALUE=DATE:20261224`.
    #[serde(default)]
    #[schemars(length(max = 20))]
    pub recurrence: Vec<String>,
    /// When to remind, instead of the calendar's own reminders; an empty list for never.
    #[serde(default)]
    #[schemars(length(max = 5))]
    pub reminders: Option<Vec<Reminder>>,
    /// Whether to add a Google Meet.
    #[serde(default)]
    pub meet: bool,
    /// Whether the time counts as busy; it does if left out.
    #[serde(default)]
    pub transparency: Option<Transparency>,
    /// Who sees its details.
    #[serde(default)]
    pub visibility: Option<Visibility>,
    /// Color, an id of `get_colors`.
    #[serde(default)]
    pub color_id: Option<String>,
    /// Whether who is invited may change it.
    #[serde(default)]
    pub guests_can_modify: Option<bool>,
    /// Who is told by mail; nobody if left out.
    #[serde(default)]
    pub send_updates: Option<SendUpdates>,
}

impl Run for CreateEvent {
    type Output = Event;

    async fn run(self, cx: &ToolContext) -> Result<Event> {
        let recurs = !self.recurrence.is_empty();
        check_recurrence(&self.recurrence)?;
        if !self.start.fits(&self.end) {
            return Err(Error::invalid_argument(
                "/end",
                "must be a `date` where `start` is one, else a `date_time`",
            ));
        }
        for (at, invitee) in self.attendees.iter().enumerate() {
            address(&invitee.email, || format!("/attendees/{at}/email"))?;
        }
        let calendar = or_primary(self.calendar_id.as_deref());
        let id = derived(cx);
        let event = WireEvent {
            id: id.clone(),
            summary: Some(&self.summary),
            description: self.description.as_deref(),
            location: self.location.as_deref(),
            start: Some(self.start.wire("/start", recurs)?),
            end: Some(self.end.wire("/end", recurs)?),
            attendees: (!self.attendees.is_empty()).then(|| self.attendees.iter().map(written).collect()),
            recurrence: recurs.then_some(&self.recurrence),
            reminders: self.reminders.as_deref().map(WireReminders::of),
            conference_data: self.meet.then(|| WireConference::meet(unique(cx))),
            transparency: self.transparency,
            visibility: self.visibility,
            color_id: self.color_id.as_deref(),
            guests_can_modify: self.guests_can_modify,
        };
        let made = cx
            .http()
            .post("calendars/{calendar}/events")
            .path("calendar", calendar)
            .query_opt("sendUpdates", self.send_updates.map(SendUpdates::wire))
            .query_opt("conferenceDataVersion", self.meet.then_some(1))
            .json_body(&event)
            // By its id Google knows an event that is there.
            .repeatable(id.is_some())
            .json()
            .await;
        match (made, id) {
            (Err(error), Some(id)) if error.kind() == ErrorKind::Conflict => {
                cx.http()
                    .get("calendars/{calendar}/events/{id}")
                    .path("calendar", calendar)
                    .path("id", &id)
                    .json()
                    .await
            }
            (made, _) => made,
        }
    }
}

/// Creates an event out of a sentence: `Lunch with Ada on Tuesday 1pm-2pm at the Ritz`. Returns what Google made of it, which the
/// caller checks.
///
/// <https://developers.google.com/workspace/calendar/api/v3/reference/events/quickAdd>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    destructive = false,
    scopes("https://www.googleapis.com/auth/calendar.events|https://www.googleapis.com/auth/calendar")
)]
#[serde(deny_unknown_fields)]
pub struct QuickAddEvent {
    /// Id of the calendar; the account's own if left out.
    #[serde(default)]
    pub calendar_id: Option<String>,
    /// The sentence, with a day and a time.
    #[schemars(length(min = 1, max = 1000))]
    pub text: String,
    /// Who is told by mail; nobody if left out.
    #[serde(default)]
    pub send_updates: Option<SendUpdates>,
}

impl Run for QuickAddEvent {
    type Output = Event;

    async fn run(self, cx: &ToolContext) -> Result<Event> {
        cx.http()
            .post("calendars/{calendar}/events/quickAdd")
            .path("calendar", or_primary(self.calendar_id.as_deref()))
            .query("text", &self.text)
            .query_opt("sendUpdates", self.send_updates.map(SendUpdates::wire))
            .json()
            .await
    }
}
