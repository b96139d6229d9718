//! Events as a reader wants them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When an event begins or ends.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EventTime {
    /// The day, for an event that is all day long; an end is the day after the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// The time, RFC 3339.
    #[serde(default, alias = "dateTime", skip_serializing_if = "Option::is_none")]
    pub date_time: Option<String>,
    /// IANA name of the time zone.
    #[serde(default, alias = "timeZone", skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
}

/// Somebody.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Person {
    /// E-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Name.
    #[serde(default, alias = "displayName", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Who is invited.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attendee {
    /// E-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Name.
    #[serde(default, alias = "displayName", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `needsAction`, `accepted`, `tentative` or `declined`.
    #[serde(default, alias = "responseStatus", skip_serializing_if = "Option::is_none")]
    pub response_status: Option<String>,
    /// Whether they need not come.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
    /// Whether it is their event.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub organizer: bool,
    /// Whether it is a room or a thing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub resource: bool,
    /// Whether it is the owner of the calendar that the event was read from.
    #[serde(default, rename = "is_self", alias = "self", skip_serializing_if = "std::ops::Not::not")]
    pub is_self: bool,
    /// What they said to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// A way into a video conference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConferenceEntry {
    /// `video`, `phone`, `sip` or `more`.
    #[serde(default, alias = "entryPointType", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Address: `https:`, `tel:`, `sip:`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// What to dial in with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<String>,
}

/// A video conference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Conference {
    /// The ways into it.
    #[serde(default, alias = "entryPoints", skip_serializing_if = "Vec::is_empty")]
    pub entry_points: Vec<ConferenceEntry>,
}

/// An event.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// Id within its calendar.
    pub id: String,
    /// `confirmed`, `tentative` or `cancelled`; a cancelled one is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// Text, which may hold HTML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// When it begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<EventTime>,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<EventTime>,
    /// Whose event it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organizer: Option<Person>,
    /// Who is invited.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attendees: Vec<Attendee>,
    /// How it recurs, lines of RFC 5545: `RRULE:FREQ=WEEKLY;BYDAY=MO`. At the series, not at its instances.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recurrence: Vec<String>,
    /// For an instance of a series: the series' id.
    #[serde(default, alias = "recurringEventId", skip_serializing_if = "Option::is_none")]
    pub recurring_event_id: Option<String>,
    /// For an instance of a series: when it would begin by the series' rule.
    #[serde(default, alias = "originalStartTime", skip_serializing_if = "Option::is_none")]
    pub original_start: Option<EventTime>,
    /// Page in Google Calendar.
    #[serde(default, alias = "htmlLink", skip_serializing_if = "Option::is_none")]
    pub html_link: Option<String>,
    /// Address of its Google Meet.
    #[serde(default, alias = "hangoutLink", skip_serializing_if = "Option::is_none")]
    pub meet_link: Option<String>,
    /// Its video conference.
    #[serde(default, alias = "conferenceData", skip_serializing_if = "Option::is_none")]
    pub conference: Option<Conference>,
    /// `transparent` where the time counts as free; `opaque`, or nothing, where it is busy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transparency: Option<String>,
    /// `default`, `public`, `private` or `confidential`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<String>,
    /// `default`, `outOfOffice`, `focusTime`, `workingLocation`, `birthday`, `fromGmail`.
    #[serde(default, alias = "eventType", skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
    /// The same in every calendar that has the event.
    #[serde(default, alias = "iCalUID", skip_serializing_if = "Option::is_none")]
    pub ical_uid: Option<String>,
    /// When it last changed, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated: Option<String>,
    /// This state of it, for `update_event`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
}
