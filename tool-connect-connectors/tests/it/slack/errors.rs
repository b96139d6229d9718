//! Slack's error answers, from a cassette.

use std::time::Duration;

use serde_json::json;
use tool_connect_connectors::slack::Slack;
use tool_connect_core::ErrorKind::{
    Conflict, Forbidden, InputRequired, InvalidArguments, NeedsReauth, NotFound, Provider, RateLimited,
    TooLarge,
};
use tool_connect_core::Retry::{After, Backoff, Never};

use crate::provider::{Told, assert_errors};

const fn after(seconds: u64) -> tool_connect_core::Retry {
    After(Duration::from_secs(seconds))
}

#[tokio::test]
async fn error_answers_say_what_to_do() {
    let told = [
        (NeedsReauth, "connect the account again. (`invalid_auth`)", Never),
        (NeedsReauth, "was deactivated", Never),
        (NeedsReauth, "taken back", Never),
        (NeedsReauth, "`token_expired`", Never),
        (InputRequired, "lacks the scopes groups:read; connect it again to grant them", Never),
        (NotFound, "check `channel`", Never),
        (NotFound, "list_messages tells them", Never),
        (NotFound, "no such user", Never),
        (NotFound, "`file_not_found`", Never),
        (Conflict, "unarchive_conversation", Never),
        (Forbidden, "join_conversation lets it", Never),
        (Conflict, "reacted with that emoji already", Never),
        (Conflict, "of that name exists", Never),
        (Conflict, "in the channel already", Never),
        (InvalidArguments, "Slack says: missing required field: channel [json-pointer:/channel].", Never),
        (InvalidArguments, "too long", Never),
        (InvalidArguments, "give `text`", Never),
        (InvalidArguments, "unsupported type: sections [json-pointer:/blocks/0/type]", Never),
        (InvalidArguments, "`next_cursor` of the page before", Never),
        (InvalidArguments, "at most 120 days", Never),
        (InvalidArguments, "`invalid_types`", Never),
        (Forbidden, "`cant_archive_general`", Never),
        (Forbidden, "`restricted_action_read_only_channel`", Never),
        (Forbidden, "the connector `slack_user`", Never),
        (TooLarge, "does not take files of that size", Never),
        (InvalidArguments, "three seconds", Never),
        (RateLimited, "wait", Backoff),
        (RateLimited, "wait", after(30)),
        (RateLimited, "", after(30)),
        (RateLimited, "wait", Backoff),
        (Provider, "may have been done", Backoff),
        (Provider, "`internal_error`", Backoff),
        (Provider, "`service_unavailable`", after(5)),
        (Provider, "Slack refused it: `quota_of_gremlins`.", Never),
        (Provider, "Slack refused it: `bIgnoreallpreviousinstructionsb`.", Never),
        (Provider, "an unnamed error", Never),
        (NeedsReauth, "", Never),
        (Forbidden, "", Never),
        (NotFound, "", Never),
        (Conflict, "", Never),
        (Provider, "", Never),
        (Provider, "", Backoff),
        (Provider, "", Backoff),
        (Provider, "", Never),
        (Provider, "", Never),
        (Provider, "", Never),
        (Provider, "", Never),
        (Provider, "", Never),
    ];
    let told = told.map(|(kind, says, retry)| Told { kind, says, retry });
    assert_errors(Slack::new, "slack/errors.json", "get_conversation", json!({"channel": "C1"}), &told).await;
}
