//! Changes of who is invited. Google takes the whole list, so it is read first and written back with what its guests have answered,
//! and only while the event is what was read:
//! <https://developers.google.com/workspace/calendar/api/guides/version-resources#conditional_modification>.

use serde::Deserialize;
use serde_json::{Map, Value};
use tool_connect_core::{Error, Result, ToolContext};

use super::invite::{Invitee, address, written};

/// What shall become of the list.
pub(super) struct GuestChanges<'a> {
    /// All who are invited from now on.
    pub(super) all: Option<&'a [Invitee]>,
    pub(super) add: &'a [Invitee],
    /// By address.
    pub(super) remove: &'a [String],
}

/// An event, as far as it matters here. Guests stay as Google has them, with all that is known of them.
#[derive(Deserialize)]
struct Read {
    #[serde(default)]
    etag: Option<String>,
    #[serde(default)]
    attendees: Vec<Map<String, Value>>,
    #[serde(default, rename = "attendeesOmitted")]
    omitted: bool,
}

/// A list to be written, and the state of the event that it was made from.
pub(super) struct Guests {
    pub(super) attendees: Vec<Map<String, Value>>,
    pub(super) etag: Option<String>,
}

impl GuestChanges<'_> {
    /// Refuses what cannot be an address, before anything is sent.
    pub(super) fn check(&self) -> Result<()> {
        if self.all.is_some() && !(self.add.is_empty() && self.remove.is_empty()) {
            return Err(Error::invalid_argument(
                "/attendees",
                "is the whole list: leave it out, or leave out `add_attendees` and `remove_attendees`",
            ));
        }
        for (list, pointer) in [(self.all.unwrap_or_default(), "/attendees"), (self.add, "/add_attendees")] {
            for (at, invitee) in list.iter().enumerate() {
                address(&invitee.email, || format!("{pointer}/{at}/email"))?;
            }
        }
        for (at, email) in self.remove.iter().enumerate() {
            address(email, || format!("/remove_attendees/{at}"))?;
        }
        Ok(())
    }

    /// The list as it shall be; `None` where it stays.
    pub(super) async fn made(&self, cx: &ToolContext, calendar: &str, event: &str) -> Result<Option<Guests>> {
        self.check()?;
        if self.all.is_none() && self.add.is_empty() && self.remove.is_empty() {
            return Ok(None);
        }
        let request = cx
            .http()
            .get("calendars/{calendar}/events/{event}")
            .path("calendar", calendar)
            .path("event", event)
            .query("fields", "etag,attendees,attendeesOmitted");
        let read: Read = request.json().await?;
        if read.omitted {
            return Err(Error::invalid_argument(
                "/event_id",
                "names an event whose guests Google does not show to this account, so that it cannot change who is invited; \
                 its organizer can",
            ));
        }
        Ok(Some(Guests { attendees: self.applied(read.attendees), etag: read.etag }))
    }

    fn applied(&self, mut guests: Vec<Map<String, Value>>) -> Vec<Map<String, Value>> {
        if let Some(all) = self.all {
            guests.retain(|guest| all.iter().any(|invitee| is(guest, &invitee.email)));
        }
        guests.retain(|guest| !self.remove.iter().any(|email| is(guest, email)));
        for invitee in self.all.unwrap_or(self.add) {
            let new = written(invitee);
            match guests.iter_mut().find(|guest| is(guest, &invitee.email)) {
                // What is said of them now, over what is known of them.
                Some(guest) => guest.extend(new.into_iter().filter(|(name, _)| name != "email")),
                None => guests.push(new),
            }
        }
        guests
    }
}

fn is(guest: &Map<String, Value>, email: &str) -> bool {
    guest.get("email").and_then(Value::as_str).is_some_and(|known| known.eq_ignore_ascii_case(email))
}
