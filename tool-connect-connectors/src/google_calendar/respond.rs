//! Answers to invitations.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tool_connect_core::{Error, Result, Run, Tool, ToolArgs, ToolContext};

use super::create::or_primary;
use super::event::Event;
use super::invite::SendUpdates;

/// An answer to an invitation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToolArgs)]
#[serde(rename_all = "snake_case")]
pub enum Response {
    /// Comes.
    #[default]
    Accepted,
    /// May come.
    Tentative,
    /// Does not come.
    Declined,
}

/// Answers an invitation for the owner of the calendar. Returns the event. Nobody else's answer is touched.
///
/// <https://developers.google.com/workspace/calendar/api/v3/reference/events/patch>
#[derive(Tool, Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[tool(
    destructive = false,
    idempotent,
    scopes("https://www.googleapis.com/auth/calendar.events|https://www.googleapis.com/auth/calendar")
)]
#[serde(deny_unknown_fields)]
pub struct RespondToEvent {
    /// Id of the calendar; the account's own if left out.
    #[serde(default)]
    pub calendar_id: Option<String>,
    /// Id of the event, of a series or of one of its instances.
    pub event_id: String,
    /// The answer.
    pub response: Response,
    /// What to say to it.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    pub comment: Option<String>,
    /// Who is told by mail; nobody if left out.
    #[serde(default)]
    pub send_updates: Option<SendUpdates>,
}

impl Run for RespondToEvent {
    type Output = Event;

    async fn run(self, cx: &ToolContext) -> Result<Event> {
        let calendar = or_primary(self.calendar_id.as_deref());
        // Of the attendees only the calendar's owner is asked for.
        let event: Event = cx
            .http()
            .get("calendars/{calendar}/events/{event}")
            .path("calendar", calendar)
            .path("event", &self.event_id)
            .query("maxAttendees", 1)
            .json()
            .await?;
        let own = event.attendees.into_iter().find(|attendee| attendee.is_self).and_then(|own| own.email);
        let own = own.ok_or_else(|| {
            Error::invalid_argument("/event_id", "names an event that the calendar's owner is not invited to")
        })?;
        let mut answer = json!({"email": own, "responseStatus": self.response});
        if let Some(comment) = &self.comment {
            answer["comment"] = json!(comment);
        }
        // A list that says that others are left out changes this one's answer alone.
        cx.http()
            .patch("calendars/{calendar}/events/{event}")
            .path("calendar", calendar)
            .path("event", &self.event_id)
            .query_opt("sendUpdates", self.send_updates.map(SendUpdates::wire))
            .json_body(&json!({"attendeesOmitted": true, "attendees": [answer]}))
            .repeatable(true)
            .json()
            .await
    }
}
