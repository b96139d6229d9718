//! Linear's error answers, from a cassette.

use std::time::Duration;

use serde_json::json;
use tool_connect_connectors::linear::Linear;
use tool_connect_core::ErrorKind::{
    Conflict, Forbidden, InvalidArguments, NeedsReauth, NotFound, Provider, RateLimited,
};
use tool_connect_core::Retry::{After, Backoff, Never};

use crate::provider::{Told, assert_errors};

const fn after(seconds: u64) -> tool_connect_core::Retry {
    After(Duration::from_secs(seconds))
}

#[tokio::test]
async fn error_answers_say_what_to_do() {
    let told = [
        (NeedsReauth, "connect the account again", Never),
        (NeedsReauth, "deactivated", Never),
        (Forbidden, "`write` required", Never),
        (Forbidden, "exceeded the free issue limit", Never),
        (Forbidden, "Business plan", Never),
        (NotFound, "Could not find referenced Issue", Never),
        (Conflict, "already exists", Never),
        (InvalidArguments, "projectId must be a UUID", Never),
        (InvalidArguments, "Cannot query field", Never),
        (InvalidArguments, "smaller `page_size`", Never),
        (InvalidArguments, "parent label", Never),
        (RateLimited, "wait", after(7)),
        (RateLimited, "wait", Backoff),
        (RateLimited, "wait", after(90)),
        (Provider, "try again", Backoff),
        (Provider, "try again", Backoff),
        (Provider, "Something odd", Never),
        (NeedsReauth, "", Never),
        (Provider, "", Backoff),
        (Provider, "", after(5)),
        (Provider, "", Never),
        (Provider, "", Never),
    ];
    let told = told.map(|(kind, says, retry)| Told { kind, says, retry });
    assert_errors(Linear::new, "linear/errors.json", "get_issue", json!({"id": "ENG-123"}), &told).await;
}
