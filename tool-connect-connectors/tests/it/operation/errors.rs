//! Error answers, through a whole Hub.

use http::Method;
use serde_json::json;
use tool_connect_connectors::operation::{ErrorRule, Operation};
use tool_connect_core::{ErrorKind, Retry};
use tool_connect_testkit::{Answer, Harness};

use super::One;

fn with_rules(method: Method) -> Operation {
    let mut operation = Operation::new(method, "/x");
    let mut gone = ErrorRule::status(422, ErrorKind::Conflict);
    gone.body = Some(("/error/code".to_owned(), json!("taken")));
    gone.message = Some("That name is taken; choose another.".to_owned());
    let mut slow = ErrorRule::status(400, ErrorKind::RateLimited);
    slow.body = Some(("/code".to_owned(), json!(17)));
    let mut not_ok = ErrorRule::status(200, ErrorKind::NotFound);
    not_ok.body = Some(("/ok".to_owned(), json!(false)));
    operation.errors = vec![gone, slow, not_ok];
    operation
}

async fn harness(answer: Answer) -> Harness {
    Harness::builder(One::new(with_rules(Method::POST))).answer("POST", "/x", answer).build().await.unwrap()
}

#[tokio::test]
async fn rules_say_what_an_error_is_and_nothing_of_the_body_leaks() {
    for (answer, kind, says) in [
        (
            Answer::json(422, json!({"error": {"code": "taken", "detail": "leak-me"}})),
            ErrorKind::Conflict,
            "That name is taken",
        ),
        (
            Answer::json(422, json!({"error": {"code": "other", "detail": "leak-me"}})),
            ErrorKind::Provider,
            "error",
        ),
        (Answer::json(404, json!({"detail": "leak-me"})), ErrorKind::NotFound, "not found"),
        (Answer::json(200, json!({"ok": false, "detail": "leak-me"})), ErrorKind::NotFound, "not found"),
    ] {
        let harness = harness(answer).await;
        let error = harness.call("op", json!({})).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.public_message().contains(says), "{}", error.public_message());
        assert!(!format!("{error} {error:?} {}", error.public_message()).contains("leak-me"));
        harness.finish().await.unwrap();
    }
}

#[tokio::test]
async fn what_the_request_stack_does_stays_as_it_is() {
    // The wait that an answer names goes with what a rule says.
    let limited = harness(Answer::json(400, json!({"code": 17})).header("retry-after", "900")).await;
    let error = limited.call("op", json!({})).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!(error.retry_advice(), Retry::After(std::time::Duration::from_secs(900)));
    assert_eq!(limited.requests().len(), 1);
    limited.finish().await.unwrap();
    // A refused credential stays one, and a failed read is repeated.
    let locked = harness(Answer::status(401)).await;
    assert_eq!(locked.call("op", json!({})).await.unwrap_err().kind(), ErrorKind::NeedsReauth);
    let harness = Harness::builder(One::new(with_rules(Method::GET)))
        .answer("GET", "/x", Answer::status(503))
        .answer("GET", "/x", Answer::json(200, json!({"ok": true})))
        .build()
        .await
        .unwrap();
    harness.call("op", json!({})).await.unwrap();
    assert_eq!(harness.requests().len(), 2);
    harness.finish().await.unwrap();
}
