//! Notion's error answers, from a cassette.

use std::time::Duration;

use serde_json::json;
use tool_connect_connectors::notion::Notion;
use tool_connect_core::ErrorKind::{
    Conflict, Forbidden, InvalidArguments, NeedsReauth, NotFound, Provider, RateLimited,
};
use tool_connect_core::Retry::{self, Backoff, Never};

use crate::provider::{Told, assert_errors};

const fn after(seconds: u64) -> Retry {
    Retry::After(Duration::from_secs(seconds))
}

#[tokio::test]
async fn error_answers_say_what_to_do() {
    let told = [
        // A token that was revoked, or an account that is gone.
        (NeedsReauth, "connect", Never),
        (Forbidden, "`Read content`", Never),
        (NotFound, "shares the page with the connection", Never),
        (InvalidArguments, "Status is expected to be status.", Never),
        (Conflict, "restore it first", Never),
        (Provider, "Error parsing JSON body", Never),
        (Provider, "Invalid request URL", Never),
        (Provider, "Notion-Version", Never),
        (Conflict, "Try again", Backoff),
        (Provider, "", Never),
        (RateLimited, "three requests a second", after(7)),
        (RateLimited, "wait", Backoff),
        (Provider, "problem of its own", Backoff),
        (Provider, "problem of its own", after(5)),
        (Provider, "problem of its own", Backoff),
        (Provider, "problem of its own", Backoff),
        (Provider, "", Backoff),
        (Provider, "", Never),
        (Provider, "", Never),
        (Provider, "", Never),
    ];
    let told = told.map(|(kind, says, retry)| Told { kind, says, retry });
    let arguments = json!({"page_id": "0d7a1f0e-1111-4222-8333-944444444444"});
    assert_errors(Notion::new, "notion/errors.json", "get_page", arguments, &told).await;
}
