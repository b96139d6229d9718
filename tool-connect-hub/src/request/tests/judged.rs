//! Answers of status 200 that are errors all the same.

use tool_connect_core::{Effect, ErrorKind, Retry};

use super::*;

/// A service that says `{"ok": false, "error": ..}`.
fn says_ok(_: &http::response::Parts, body: &[u8]) -> Option<Error> {
    let text = std::str::from_utf8(body).ok()?;
    let error = |kind| Some(Error::new(kind, "refused by word").effect(Effect::NotExecuted));
    match text {
        r#"{"ok":false,"error":"token"}"# => error(ErrorKind::NeedsReauth),
        r#"{"ok":false,"error":"limit"}"# => {
            error(ErrorKind::RateLimited).map(|error| error.retry(Retry::Backoff))
        }
        r#"{"ok":false,"error":"down"}"# => {
            error(ErrorKind::Provider).map(|error| error.retry(Retry::Backoff))
        }
        r#"{"ok":false}"# => error(ErrorKind::Conflict),
        _ => None,
    }
}

fn bench(steps: impl IntoIterator<Item = Step>) -> Bench {
    Bench::with(BenchOptions { classify: says_ok, ..BenchOptions::default() }, steps)
}

fn judged(method: &str) -> OutboundRequest {
    built(method, "/a", |builder| builder.judged())
}

fn says(error: &'static str) -> Step {
    Step::status(200).body(&[r#"{"ok":false"#, error])
}

#[tokio::test(start_paused = true)]
async fn only_a_request_that_asks_for_it_is_judged() {
    let bench = bench([says("}"), says("}"), Step::status(200).body(&["{\"ok\":", "true}"])]);
    let answer = bench.post("/a").await.expect("a good status").text().await.unwrap();
    assert_eq!(answer, r#"{"ok":false}"#);
    let error = bench.send(judged("POST")).await.expect_err("judged");
    assert_eq!((error.kind(), error.http_status()), (ErrorKind::Conflict, Some(200)));
    assert_eq!(error.effect_on_provider(), Effect::NotExecuted);
    let answer = bench.send(judged("POST")).await.expect("good").text().await.unwrap();
    assert_eq!(answer, r#"{"ok":true}"#);
}

#[tokio::test(start_paused = true)]
async fn a_credential_that_is_refused_by_word_is_renewed_once() {
    let bench = bench([]);
    let refuses = bench.refuses_and_rotates("fresh");
    let Step::Doing(rotate, _) = refuses else { panic!("it does something first") };
    bench.script.add([Step::Doing(rotate, Box::new(says(r#","error":"token"}"#))), Step::status(200)]);
    bench.send(judged("POST")).await.expect("the fresh credential is taken");
    let seen = bench.script.seen();
    assert_eq!(seen[1].authorization(), Some("Bearer fresh"));
    assert_eq!(seen.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_told_by_word_closes_the_connection_until_then() {
    let bench = bench([says(r#","error":"limit"}"#).with("retry-after", 300)]);
    let error = bench.send(judged("POST")).await.expect_err("limited");
    assert_eq!(error.retry_advice(), Retry::After(Duration::from_secs(300)));
    let error = bench.get("/b").await.expect_err("closed here");
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!(bench.script.seen().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_says_by_word_that_it_is_down_is_left_alone_in_the_end() {
    let mut settings = HttpSettings::default();
    settings.retry.max_attempts = 1;
    let options = BenchOptions { classify: says_ok, settings, ..BenchOptions::default() };
    let bench = Bench::with(options, (0..200).map(|_| says(r#","error":"down"}"#)));
    let mut last = ErrorKind::Internal;
    for _ in 0..200 {
        last = bench.send(judged("GET")).await.expect_err("down").kind();
        if last == ErrorKind::CircuitOpen {
            break;
        }
        assert_eq!(last, ErrorKind::Provider);
    }
    assert_eq!(last, ErrorKind::CircuitOpen);
}

#[tokio::test(start_paused = true)]
async fn a_judged_answer_keeps_to_the_cap_and_to_the_effect_of_a_write() {
    let bench = bench([Step::status(200).body(&["0123456789"]), Step::status(200).body(&["0123456789"])]);
    let capped = |method| built(method, "/a", |builder| builder.judged().max_bytes(9));
    let error = bench.send(capped("POST")).await.expect_err("too large");
    assert_eq!((error.kind(), error.effect_on_provider()), (ErrorKind::TooLarge, Effect::Unknown));
    let error = bench.send(capped("GET")).await.expect_err("too large");
    assert_eq!((error.kind(), error.effect_on_provider()), (ErrorKind::TooLarge, Effect::None));
}
