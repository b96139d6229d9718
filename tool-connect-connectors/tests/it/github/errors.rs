//! GitHub's error answers, from a cassette.

use std::time::Duration;

use serde_json::json;
use tool_connect_connectors::github::GitHub;
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
        (NeedsReauth, "connect", Never),
        (Forbidden, "one of these scopes: repo", Never),
        (RateLimited, "wait", after(90)),
        (RateLimited, "wait", after(60)),
        (NotFound, "check owner, repository", Never),
        (Conflict, "Git Repository is empty", Never),
        (NotFound, "Issues has been disabled", Never),
        (InvalidArguments, "`title` is missing", Never),
        (InvalidArguments, "Can not approve your own pull request", Never),
        (RateLimited, "wait", after(7)),
        (RateLimited, "wait", after(60)),
        (Provider, "", Backoff),
        (Provider, "", Backoff),
        (Provider, "", after(5)),
        (Provider, "", Never),
        (Provider, "", Never),
        // Beyond the status: what GitHub says, and with which headers.
        (NeedsReauth, "Connect another account", Never),
        (Forbidden, "authorize the token at https://github.com/orgs/acme/sso?authorization_request=", Never),
        (Forbidden, "Repository was archived so is read-only.", Never),
        (Forbidden, "The app needs the permissions issues=read; pull_requests=read.", Never),
        (Forbidden, "(`data` is too large)", Never),
        (Conflict, "Pull Request is not mergeable", Never),
        (InvalidArguments, "(`name` exists already)", Never),
        (RateLimited, "wait", after(60)),
        (Provider, "Problems parsing JSON", Never),
        (Provider, "Repository access blocked", Never),
        (InvalidArguments, "Validation Failed.", Never),
        // Nothing there, as far as the headers tell: the token has the scope or one that includes it, none is needed, or it is
        // not said which scopes it has.
        (NotFound, "has access.", Never),
        (NotFound, "has access.", Never),
        (NotFound, "has access.", Never),
        (NotFound, "has access.", Never),
        (NotFound, "A private repository needs the scope repo; connect the account again", Never),
        (NotFound, "The token needs one of these scopes: repo; connect the account again", Never),
    ];
    let told = told.map(|(kind, says, retry)| Told { kind, says, retry });
    let arguments = json!({"owner": "acme", "repo": "site", "number": 7});
    assert_errors(GitHub::new, "github/errors.json", "get_issue", arguments, &told).await;
}
