use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::stream;
use tokio::time::Instant;
use tool_connect_core::{CredentialSource, CredentialVersion, Effect, ErrorKind, Retry};

use super::*;

#[tokio::test(start_paused = true)]
async fn a_read_is_repeated_after_a_server_error() {
    let bench = Bench::new([Step::status(503), Step::Breaks, Step::status(200).body(&["fine"])]);
    assert_eq!(bench.get("/a").await.expect("the third attempt").text().await.expect("text"), "fine");
    assert_eq!(bench.script.seen().len(), 3);

    bench.script.add([Step::status(500), Step::status(502), Step::status(504)]);
    let error = bench.get("/a").await.expect_err("all attempts fail");
    assert_eq!((error.kind(), error.http_status()), (ErrorKind::Provider, Some(504)));
    assert_eq!(error.effect_on_provider(), Effect::None);
    assert!(error.to_string().contains("attempts: 3"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_write_is_not_repeated_once_bytes_were_sent() {
    for step in [Step::status(500), Step::status(429).with("retry-after", 1), Step::Breaks, Step::Silent] {
        let bench = Bench::new([step]);
        let error = bench.post("/a").await.expect_err("one attempt");
        assert_eq!(error.effect_on_provider(), Effect::Unknown, "{error}");
        assert_eq!(bench.script.seen().len(), 1, "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_is_repeated_if_nothing_was_sent_or_it_says_that_it_may_be() {
    let bench = Bench::new([Step::Unreachable, Step::Unreachable]);
    assert!(bench.post("/a").await.is_ok());
    let seen = bench.script.seen();
    assert_eq!(seen.len(), 3);
    assert!(seen.iter().all(|seen| seen.body == "the body"));

    bench.script.add([Step::status(503), Step::Breaks]);
    assert!(bench.send(built("POST", "/a", |builder| builder.repeatable(true))).await.is_ok());
    assert_eq!(bench.script.seen().len(), 3);

    // A GET that its author knows to be no mere read.
    bench.script.add([Step::status(503)]);
    assert!(bench.send(built("GET", "/a", |builder| builder.repeatable(false))).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_connector_can_prove_that_nothing_was_executed() {
    let options = BenchOptions {
        classify: |parts, _| {
            (parts.status == 429).then(|| {
                tool_connect_core::Error::new(ErrorKind::RateLimited, "slow down")
                    .retry(Retry::After(Duration::from_secs(2)))
            })
        },
        ..BenchOptions::default()
    };
    let bench = Bench::with(options, [Step::status(429)]);
    assert!(bench.post("/a").await.is_ok());
    assert_eq!(bench.script.seen().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_sent_only_once() {
    let bench = Bench::new([Step::Unreachable]);
    let request = built("PUT", "/a", |builder| {
        builder.stream(Box::pin(stream::iter([Ok("one".into()), Ok("two".into())])), None)
    });
    let error = bench.send(request).await.expect_err("one attempt");
    assert_eq!(error.kind(), ErrorKind::Transport);
    let seen = bench.script.seen();
    assert_eq!((seen.len(), &*seen[0].body), (1, &b"onetwo"[..]));
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_was_not_begun_is_still_sent() {
    /// Has no answer the first time.
    #[derive(Default)]
    struct Stumbles(AtomicBool);
    impl PerRequest for Stumbles {
        fn before(&self, _: &mut http::request::Parts) -> Result<()> {
            let again = self.0.swap(true, Ordering::Relaxed);
            if again { Ok(()) } else { Err(Error::new(ErrorKind::Transport, "not yet")) }
        }
    }
    let bench = Bench::new([]).with_layer(Stumbles::default());
    let request =
        built("POST", "/a", |builder| builder.stream(Box::pin(stream::iter([Ok("one".into())])), None));
    bench.send(request).await.expect("the second attempt");
    let seen = bench.script.seen();
    assert_eq!((seen.len(), &*seen[0].body), (1, &b"one"[..]));
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_kept_in_both_forms() {
    for value in ["3", "Thu, 01 Jan 2026 00:00:03 GMT"] {
        let bench = Bench::new([Step::status(503).with("retry-after", value)]);
        let start = Instant::now();
        bench.get("/a").await.expect("the second attempt");
        let waited = start.elapsed();
        assert!(
            (Duration::from_secs(3)..Duration::from_millis(3_300)).contains(&waited),
            "{value}: {waited:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_retry_after_is_handed_to_the_caller() {
    let bench = Bench::new([Step::status(429).with("retry-after", 3_600)]);
    let error = bench.get("/a").await.expect_err("too long to wait");
    assert_eq!(
        (error.kind(), error.retry_advice()),
        (ErrorKind::RateLimited, Retry::After(Duration::from_secs(3_600)))
    );
    assert_eq!(bench.script.seen().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn no_wait_goes_beyond_the_calls_time() {
    let mut bench = Bench::new([Step::status(503).with("retry-after", 5)]);
    bench.deadline = Some(4_000_000_000);
    let start = Instant::now();
    let error = bench.get("/a").await.expect_err("no time for a second attempt");
    assert_eq!(error.http_status(), Some(503));
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn in_an_outage_retries_stay_within_the_budget() {
    let mut settings = HttpSettings::default();
    settings.breaker.window = tool_connect_tower::breaker::Window::Calls(60_000);
    settings.breaker.minimum_calls = 60_000;
    let bench =
        Bench::with(BenchOptions { settings, ..BenchOptions::default() }, (0..2_000).map(|_| Step::Breaks));
    let calls = 500;
    for _ in 0..calls {
        assert!(bench.get("/a").await.is_err());
    }
    let attempts = bench.script.seen().len();
    assert!(attempts > calls && attempts <= calls * 12 / 10 + 10, "{attempts} attempts of {calls} calls");
}

#[tokio::test(start_paused = true)]
async fn any_status_is_repeated_too_and_then_handed_out() {
    let bench = Bench::new([Step::status(503), Step::status(503), Step::status(503).body(&["why"])]);
    let request = built("GET", "/a", |builder| builder.any_status());
    let response = bench.send(request).await.expect("the last answer");
    assert_eq!(response.status(), 503);
    assert_eq!(response.text().await.expect("its body"), "why");
    assert_eq!(bench.script.seen().len(), 3);

    bench.script.add([Step::status(404)]);
    let response = bench.send(built("GET", "/a", |builder| builder.any_status())).await.expect("an answer");
    assert_eq!(response.status(), 404);
    assert_eq!(bench.script.seen().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn headers_of_the_transport_are_refused() {
    let bench = Bench::new([]);
    for name in ["host", "Content-Length", "transfer-encoding", "connection", "proxy-authorization"] {
        let request = built("GET", "/a", |builder| builder.header(name, "1"));
        let error = bench.send(request).await.expect_err(name);
        assert_eq!(error.kind(), ErrorKind::InvalidArguments);
        assert!(error.to_string().contains(&name.to_lowercase()));
    }
    assert!(bench.script.seen().is_empty());
}

#[tokio::test(start_paused = true)]
async fn any_status_means_a_redirected_write_too() {
    let bench = Bench::new([Step::redirect(302, "/elsewhere")]);
    let request = built("POST", "/a", |builder| builder.any_status());
    let response = bench.send(request).await.expect("the answer as it is");
    assert_eq!((response.status().as_u16(), response.header("location")), (302, Some("/elsewhere")));
    assert_eq!(bench.script.seen().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_credential_could_not_be_read_is_repeated() {
    struct Fails(Arc<StaticCredentials>, std::sync::atomic::AtomicBool);
    #[async_trait::async_trait]
    impl CredentialSource for Fails {
        async fn credential(
            &self,
            connection: &Connection,
        ) -> Result<Option<(Credential, CredentialVersion)>> {
            match self.1.swap(false, std::sync::atomic::Ordering::Relaxed) {
                true => Err(Error::new(ErrorKind::Storage, "the vault did not answer")),
                false => self.0.credential(connection).await,
            }
        }
    }
    let mut bench = Bench::new([]);
    let source = Fails(Arc::clone(&bench.secrets), true.into());
    bench.stack.authenticator = Arc::new(SchemeAuthenticator::new(Arc::new(source)));
    bench.post("/a").await.expect("the second attempt");
    assert_eq!(bench.script.seen().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_the_last_attempt_has_not_executed_says_nothing_of_the_first() {
    fn gone(parts: &http::response::Parts, _: &[u8]) -> Option<Error> {
        (parts.status == 422)
            .then(|| Error::new(ErrorKind::NotFound, "there is no such thing").effect(Effect::NotExecuted))
    }
    let bench =
        |steps: [Step; 2]| Bench::with(BenchOptions { classify: gone, ..BenchOptions::default() }, steps);
    let delete = || built("DELETE", "/a", |builder| builder);
    let error = bench([Step::status(502), Step::status(422)]).send(delete()).await.expect_err("gone");
    assert_eq!((error.kind(), error.effect_on_provider()), (ErrorKind::NotFound, Effect::Unknown));
    // One that never got there has done nothing, and a read changes nothing.
    let error = bench([Step::Unreachable, Step::status(422)]).send(delete()).await.expect_err("gone");
    assert_eq!(error.effect_on_provider(), Effect::NotExecuted);
    let error = bench([Step::status(502), Step::status(422)]).get("/a").await.expect_err("gone");
    assert_eq!(error.effect_on_provider(), Effect::NotExecuted);
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_is_read_as_it_is_sent_may_take_longer_than_an_attempt() {
    let slow = || [Step::After(Duration::from_secs(600), Box::new(Step::status(200)))];
    let upload = |bench: Bench| async move {
        let body = Box::pin(futures_util::stream::iter([Ok(bytes::Bytes::from_static(b"a"))]));
        bench.send(built("POST", "/a", |builder| builder.stream(body, Some(1)))).await.map(drop)
    };
    upload(Bench::new(slow())).await.expect("it takes as long as it takes");
    assert!(Bench::new(slow()).post("/a").await.is_err());
}
