//! Events that are changed, moved and deleted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::http::RequestBuilder;
use tool_connect_core::{Effect, Error, ErrorKind, Result, Run, Tool, ToolContext};

use super::create::{WireEvent, or_primary};
use super::event::Event;
use super::guests::GuestChanges;
use super::invite::{
    Invitee, Reminder, SendUpdates, Transparency, Visibility, WireConference, WireReminders, check_recurrence,
};
use super::time::{When, Wire};
use crate::google::unique;

/// Makes a request hold only for one state of the event.
fn if_match<'a>(request: RequestBuilder<'a>, etag: Option<&str>) -> RequestBuilder<'a> {
    match etag {
        Some(etag) => request.header("if-match", etag),
        None => request,
    }
}

/// Changes an event, or one instance of a series by the instance's id; what is left out stays. Returns it. Where it changes who is
/// invited, the others' answers stay, and it is refused where the event was changed at that very time.
///
/// <https://developers.google.com/workspace/calendar/api/v3/reference/events/patch>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    destructive = false,
    idempotent,
    scopes("https://www.googleapis.com/auth/calendar.events|https://www.googleapis.com/auth/calendar")
)]
#[serde(deny_unknown_fields)]
pub struct UpdateEvent {
    /// Id of the calendar; the account's own if left out.
    #[serde(default)]
    pub calendar_id: Option<String>,
    /// Id of the event, of a series or of one of its instances.
    pub event_id: String,
    /// Title.
    #[serde(default)]
    pub summary: Option<String>,
    /// When it begins; give `end` as well.
    #[serde(default)]
    pub start: Option<When>,
    /// When it ends; not part of the event.
    #[serde(default)]
    pub end: Option<When>,
    /// Text, which may hold simple HTML.
    #[serde(default)]
    pub description: Option<String>,
    /// Where.
    #[serde(default)]
    pub location: Option<String>,
    /// Whom to invite beside those who are. Who is invited already gets the name and the rest that is given here.
    #[serde(default)]
    #[schemars(length(max = 200))]
    pub add_attendees: Vec<Invitee>,
    /// Who is no longer invited, by e-mail address.
    #[serde(default)]
    #[schemars(length(max = 200))]
    pub remove_attendees: Vec<String>,
    /// Who is invited, all of them, in place of the whole list: who is left out is no longer invited. What the others have answered
    /// stays. To change some of the list, use `add_attendees` and `remove_attendees`.
    #[serde(default)]
    #[schemars(length(max = 200))]
    pub attendees: Option<Vec<Invitee>>,
    /// How it recurs, lines of RFC 5545 without start and end; an empty list for a single event.
    #[serde(default)]
    #[schemars(length(max = 20))]
    pub recurrence: Option<Vec<String>>,
    /// When to remind, instead of the calendar's own reminders; an empty list for never.
    #[serde(default)]
    #[schemars(length(max = 5))]
    pub reminders: Option<Vec<Reminder>>,
    /// Whether to add a Google Meet.
    #[serde(default)]
    pub meet: bool,
    /// Whether the time counts as busy.
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
    /// `etag` of the event as you know it: the change is refused if it was changed since.
    #[serde(default)]
    pub etag: Option<String>,
}

impl Run for UpdateEvent {
    type Output = Event;

    async fn run(self, cx: &ToolContext) -> Result<Event> {
        let recurs = self.recurrence.as_ref().is_some_and(|lines| !lines.is_empty());
        check_recurrence(self.recurrence.as_deref().unwrap_or_default())?;
        if let (Some(start), Some(end)) = (&self.start, &self.end)
            && !start.fits(end)
        {
            return Err(Error::invalid_argument(
                "/end",
                "must be a `date` where `start` is one, else a `date_time`",
            ));
        }
        let calendar = or_primary(self.calendar_id.as_deref());
        let start =
            self.start.as_ref().map(|start| start.wire("/start", recurs).map(Wire::alone)).transpose()?;
        let end = self.end.as_ref().map(|end| end.wire("/end", recurs).map(Wire::alone)).transpose()?;
        let changes = GuestChanges {
            all: self.attendees.as_deref(),
            add: &self.add_attendees,
            remove: &self.remove_attendees,
        };
        let guests = changes.made(cx, calendar, &self.event_id).await?;
        let (attendees, read) = guests.map_or((None, None), |guests| (Some(guests.attendees), guests.etag));
        // The list was made of what was read, so that it is written over that state alone.
        if let (Some(read), Some(known)) = (&read, &self.etag)
            && read != known
        {
            return Err(Error::new(ErrorKind::Conflict, "the event has changed since; read it again")
                .effect(Effect::NotExecuted));
        }
        if attendees.is_some() && read.is_none() {
            return Err(Error::new(
                ErrorKind::Provider,
                "Google did not say which state of the event this is, so that a guest's answer could be lost",
            )
            .effect(Effect::NotExecuted));
        }
        let event = WireEvent {
            id: None,
            summary: self.summary.as_deref(),
            description: self.description.as_deref(),
            location: self.location.as_deref(),
            start,
            end,
            attendees,
            recurrence: self.recurrence.as_deref(),
            reminders: self.reminders.as_deref().map(WireReminders::of),
            conference_data: self.meet.then(|| WireConference::meet(unique(cx))),
            transparency: self.transparency,
            visibility: self.visibility,
            color_id: self.color_id.as_deref(),
            guests_can_modify: self.guests_can_modify,
        };
        let request = cx
            .http()
            .patch("calendars/{calendar}/events/{event}")
            .path("calendar", calendar)
            .path("event", &self.event_id)
            .query_opt("sendUpdates", self.send_updates.map(SendUpdates::wire))
            .query_opt("conferenceDataVersion", self.meet.then_some(1))
            .json_body(&event);
        if_match(request, read.as_deref().or(self.etag.as_deref())).json().await
    }
}

/// Moves an event to another calendar, whose owner it belongs to then. Returns it.
///
/// <https://developers.google.com/workspace/calendar/api/v3/reference/events/move>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    destructive = false,
    scopes("https://www.googleapis.com/auth/calendar.events|https://www.googleapis.com/auth/calendar")
)]
#[serde(deny_unknown_fields)]
pub struct MoveEvent {
    /// Id of the calendar that it is in; the account's own if left out.
    #[serde(default)]
    pub calendar_id: Option<String>,
    /// Id of the event; an instance of a series cannot be moved by itself.
    pub event_id: String,
    /// Id of the calendar that it shall be in.
    pub to_calendar_id: String,
    /// Who is told by mail; nobody if left out.
    #[serde(default)]
    pub send_updates: Option<SendUpdates>,
}

impl Run for MoveEvent {
    type Output = Event;

    async fn run(self, cx: &ToolContext) -> Result<Event> {
        cx.http()
            .post("calendars/{calendar}/events/{event}/move")
            .path("calendar", or_primary(self.calendar_id.as_deref()))
            .path("event", &self.event_id)
            .query("destination", &self.to_calendar_id)
            .query_opt("sendUpdates", self.send_updates.map(SendUpdates::wire))
            .json()
            .await
    }
}

/// What was deleted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeletedEvent {
    /// Id of the event.
    pub id: String,
}

/// Deletes an event, a series with all of its instances, or one instance by the instance's id.
///
/// <https://developers.google.com/workspace/calendar/api/v3/reference/events/delete>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    idempotent,
    scopes("https://www.googleapis.com/auth/calendar.events|https://www.googleapis.com/auth/calendar")
)]
#[serde(deny_unknown_fields)]
pub struct DeleteEvent {
    /// Id of the calendar; the account's own if left out.
    #[serde(default)]
    pub calendar_id: Option<String>,
    /// Id of the event, of a series or of one of its instances.
    pub event_id: String,
    /// Who is told by mail; nobody if left out.
    #[serde(default)]
    pub send_updates: Option<SendUpdates>,
    /// `etag` of the event as you know it: it is not deleted if it was changed since.
    #[serde(default)]
    pub etag: Option<String>,
}

impl Run for DeleteEvent {
    type Output = DeletedEvent;

    async fn run(self, cx: &ToolContext) -> Result<DeletedEvent> {
        let request = cx
            .http()
            .delete("calendars/{calendar}/events/{event}")
            .path("calendar", or_primary(self.calendar_id.as_deref()))
            .path("event", &self.event_id)
            .query_opt("sendUpdates", self.send_updates.map(SendUpdates::wire));
        if_match(request, self.etag.as_deref()).send().await?;
        Ok(DeletedEvent { id: self.event_id })
    }
}
