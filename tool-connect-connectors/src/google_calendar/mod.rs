//! Google Calendar, over its REST API: one file per group of tools. `event.rs` has events as a reader wants them, `time.rs` when
//! something is, `invite.rs` who comes and who is told, `guests.rs` how that is changed.

mod access;
mod calendars;
mod connector;
mod create;
mod event;
mod events;
mod free_busy;
mod guests;
mod invite;
mod respond;
mod settings;
mod sync;
mod time;
mod update;

pub use access::{
    AccessRole, AccessRule, CalendarUnshared, ListCalendarAccess, Scope, ScopeType, ShareCalendar,
    UnshareCalendar,
};
pub use calendars::{Calendar, CreateCalendar, GetCalendar, ListCalendars, ListedCalendar};
pub use connector::GoogleCalendar;
pub use create::{CreateEvent, QuickAddEvent};
pub use event::{Attendee, Conference, ConferenceEntry, Event, EventTime, Person};
pub use events::{EventOrder, GetEvent, ListEventInstances, ListEvents};
pub use free_busy::{Busy, BusyProblem, CalendarBusy, FreeBusy, GetFreeBusy};
pub use invite::{Invitee, Reminder, ReminderMethod, SendUpdates, Transparency, Visibility};
pub use respond::{RespondToEvent, Response};
pub use settings::{Color, Colors, GetColors, ListSettings, Setting};
pub use sync::{EventChanges, SyncEvents};
pub use time::When;
pub use update::{DeleteEvent, DeletedEvent, MoveEvent, UpdateEvent};
