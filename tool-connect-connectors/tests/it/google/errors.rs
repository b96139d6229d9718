//! Google's error answers, from cassettes: all that its APIs share with Drive, and what is each one's own.

use std::time::Duration;

use serde_json::json;
#[allow(unused_imports, reason = "not every connector has all kinds of errors")]
use tool_connect_core::ErrorKind::{
    Config, Conflict, Forbidden, InvalidArguments, NeedsReauth, NotFound, Provider, RateLimited, TooLarge,
};
use tool_connect_core::Retry::{self, After, Backoff, Never};
use tool_connect_core::{Connector, ErrorKind};

use crate::provider::{Told, assert_errors};

const fn after(seconds: u64) -> Retry {
    After(Duration::from_secs(seconds))
}

/// What a service says that is busy or broken.
const BROKEN: [(ErrorKind, &str, Retry); 7] = [
    (RateLimited, "wait before", after(7)),
    (RateLimited, "wait before", Backoff),
    (Provider, "", Backoff),
    (Provider, "", Backoff),
    (Provider, "", after(5)),
    (Provider, "", Never),
    (Provider, "", Never),
];

async fn assert_told<C: Connector>(
    connector: impl Fn() -> C,
    cassette: &str,
    tool: &str,
    arguments: serde_json::Value,
    own: &[(ErrorKind, &'static str, Retry)],
) {
    let told = own.iter().chain(&BROKEN).map(|&(kind, says, retry)| Told { kind, says, retry });
    assert_errors(connector, cassette, tool, arguments, &told.collect::<Vec<_>>()).await;
}

#[cfg(feature = "gmail")]
#[tokio::test]
async fn error_answers_of_gmail_say_what_to_do() {
    let own = [
        (NeedsReauth, "connect", Never),
        (Forbidden, "https://www.googleapis.com/auth/gmail.labels", Never),
        (RateLimited, "wait before", Backoff),
        (RateLimited, "within a day", Never),
        (Config, "not switched on", Never),
        (Forbidden, "administrator", Never),
        (Forbidden, "Delegation denied", Never),
        (Provider, "Mail service not enabled", Never),
        (InvalidArguments, "Invalid label: x", Never),
        (NotFound, "check the ids", Never),
        (Conflict, "Label name exists", Never),
        (InvalidArguments, "Unprocessable", Never),
    ];
    let gmail = tool_connect_connectors::gmail::Gmail::new;
    assert_told(gmail, "google/gmail_errors.json", "get_label", json!({"id": "Label_7"}), &own).await;
}

#[cfg(feature = "google_calendar")]
#[tokio::test]
async fn error_answers_of_the_calendar_say_what_to_do() {
    let own = [
        (NeedsReauth, "connect", Never),
        (Forbidden, "https://www.googleapis.com/auth/calendar.events.readonly", Never),
        (RateLimited, "wait before", Backoff),
        (RateLimited, "wait before", Backoff),
        (Forbidden, "the organizer of the event", Never),
        (NotFound, "check the ids", Never),
        (Conflict, "already exists", Never),
        (NotFound, "deleted already", Never),
        (Conflict, "begin again", Never),
        (Conflict, "get it again", Never),
        (InvalidArguments, "`timeMax`", Never),
        (InvalidArguments, "Unprocessable", Never),
    ];
    let calendar = tool_connect_connectors::google_calendar::GoogleCalendar::new;
    assert_told(calendar, "google/calendar_errors.json", "get_event", json!({"event_id": "e1"}), &own).await;
}

#[cfg(feature = "google_drive")]
#[tokio::test]
async fn error_answers_of_the_drive_say_what_to_do() {
    let own = [
        (NeedsReauth, "connect", Never),
        (RateLimited, "wait before", Backoff),
        (RateLimited, "wait before", after(30)),
        (RateLimited, "within a day", Never),
        (Forbidden, "https://www.googleapis.com/auth/drive.readonly", Never),
        (Forbidden, "a scope that was not granted", Never),
        (Config, "not switched on", Never),
        (Config, "not switched on", Never),
        (Forbidden, "made or opened with this app", Never),
        (Forbidden, "higher role", Never),
        (Forbidden, "`acknowledge_abuse`", Never),
        (TooLarge, "10 MB", Never),
        (InvalidArguments, "`export_file`", Never),
        (Forbidden, "Something new", Never),
        (NotFound, "`drive.file` alone", Never),
        (Conflict, "conflicts", Never),
        (Conflict, "get it again", Never),
        (InvalidArguments, "`pageSize`", Never),
        (InvalidArguments, "`file.name`: must be shorter", Never),
        (TooLarge, "larger than Google takes", Never),
    ];
    let drive = tool_connect_connectors::google_drive::GoogleDrive::new;
    assert_told(drive, "google/drive_errors.json", "get_file", json!({"file_id": "f1"}), &own).await;
}
