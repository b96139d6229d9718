//! The connector: its manifest and its tools.

use semver::Version;
use tool_connect_core::{AuthScheme, ConnectorLimits, ConnectorManifest};

use super::{
    CreateCalendar, CreateEvent, DeleteEvent, GetCalendar, GetColors, GetEvent, GetFreeBusy,
    ListCalendarAccess, ListCalendars, ListEventInstances, ListEvents, ListSettings, MoveEvent,
    QuickAddEvent, RespondToEvent, ShareCalendar, SyncEvents, UnshareCalendar, UpdateEvent,
};
use crate::google::connector;
use crate::provider::fixed;

connector! {
    /// Google Calendar: calendars, events, invitations, free/busy.
    ///
    /// An account is connected with OAuth (`google` in the provider catalog).
    ///
    /// ```
    /// use tool_connect_connectors::google_calendar::GoogleCalendar;
    /// use tool_connect_core::Connector;
    ///
    /// let calendar = GoogleCalendar::new();
    /// assert_eq!(calendar.manifest().probe.as_deref(), Some("get_calendar"));
    /// ```
    GoogleCalendar,
    ConnectorManifest::new("google_calendar", Version::new(1, 0, 0), "Google Calendar")
        .description("Finds free time, and creates, changes and answers events in Google Calendar.")
        .category("calendar")
        .documentation(fixed("https://developers.google.com/workspace/calendar/api/guides/overview"))
        .base_url(fixed("https://www.googleapis.com/calendar/v3/"))
        .auth(AuthScheme::oauth2("google", [] as [&str; 0]))
        // The primary calendar's id is the account's address.
        .probe("get_calendar")
        .limits(ConnectorLimits::default().concurrency(20)),
    [
        ListCalendars, GetCalendar, CreateCalendar, ListEvents, SyncEvents, GetEvent, ListEventInstances, CreateEvent,
        QuickAddEvent, UpdateEvent, MoveEvent, DeleteEvent, RespondToEvent, GetFreeBusy, GetColors, ListSettings,
        ListCalendarAccess, ShareCalendar, UnshareCalendar,
    ]
}
