use tokio::time::Instant;
use tool_connect_core::{ConnectorLimits, Effect, ErrorKind, Rate, Retry};
use tool_connect_tower::breaker::{BreakerSettings, Window};

use super::*;

/// Opens at two failures of two; no retries, so that each request counts once.
fn touchy() -> BenchOptions {
    let mut settings = HttpSettings::default();
    settings.retry.max_attempts = 1;
    settings.breaker = BreakerSettings {
        window: Window::Calls(2),
        minimum_calls: 2,
        open_for: Duration::from_secs(10),
        half_open_permits: 1,
        ..BreakerSettings::default()
    };
    BenchOptions { settings, ..BenchOptions::default() }
}

#[tokio::test(start_paused = true)]
async fn a_breaker_opens_and_recovers() {
    let bench = Bench::with(touchy(), [Step::status(500), Step::Breaks]);
    for _ in 0..2 {
        bench.get("/a").await.expect_err("a failure");
    }
    let error = bench.post("/a").await.expect_err("open");
    assert_eq!((error.kind(), error.effect_on_provider()), (ErrorKind::CircuitOpen, Effect::NotExecuted));
    assert!(matches!(error.retry_advice(), Retry::After(wait) if wait <= Duration::from_secs(10)));
    assert_eq!(bench.script.seen().len(), 2, "nothing is sent");
    assert!(bench.get("https://other.example/").await.is_ok(), "another host has its own");
    let views = bench.stack.breakers();
    let states: Vec<_> = views.iter().map(|view| (view.host.as_str(), view.state)).collect();
    assert_eq!(states, [("api.example", "open"), ("other.example", "closed")]);

    tokio::time::sleep(Duration::from_secs(11)).await;
    bench.get("/a").await.expect("the trial");
    assert_eq!(bench.stack.breakers()[0].state, "closed");
    let told: Vec<_> = bench
        .events()
        .into_iter()
        .map(|event| match event {
            EventKind::BreakerChanged { instance, host, state } => format!("{instance} {host} {state}"),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(
        told,
        ["service api.example open", "service api.example half_open", "service api.example closed"]
    );
}

#[tokio::test(start_paused = true)]
async fn only_the_hosts_own_failures_open_it() {
    let bench = Bench::with(touchy(), [401, 403, 404, 409, 429, 400].map(Step::status));
    for _ in 0..6 {
        bench.post("/a").await.expect_err("an error answer");
    }
    assert!(bench.get("/a").await.is_ok());

    let mut bench = Bench::with(touchy(), [Step::Silent, Step::Silent]);
    bench.connection = Some(connection("unknown"));
    for _ in 0..4 {
        assert_eq!(bench.get("/a").await.expect_err("no secret").kind(), ErrorKind::NeedsReauth);
    }
    bench.connection = Some(connection("c1"));
    for _ in 0..2 {
        assert_eq!(bench.get("/a").await.expect_err("silence").kind(), ErrorKind::Transport);
    }
    assert_eq!(bench.get("/a").await.expect_err("time-outs count").kind(), ErrorKind::CircuitOpen);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_was_left_unread_is_sent_again_soon_and_blames_nobody() {
    let mut options = touchy();
    options.settings.retry.max_attempts = 3;
    let bench = Bench::with(options, [Step::Unread, Step::Unread]);
    let start = Instant::now();
    bench.post("/a").await.expect("the third is read");
    assert_eq!(bench.script.seen().len(), 3);
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    assert_eq!((bench.stack.breakers()[0].state, bench.stack.breakers()[0].failures), ("closed", 0));
}

#[tokio::test(start_paused = true)]
async fn an_instance_does_not_suffer_from_anothers_failures() {
    let options = touchy();
    let mut bench = Bench::with(options, [Step::status(500), Step::status(500)]);
    for _ in 0..2 {
        bench.get("/a").await.expect_err("a failure");
    }
    assert_eq!(bench.get("/a").await.expect_err("open").kind(), ErrorKind::CircuitOpen);
    // The same id and host in another tenant's registry.
    let manifest = ConnectorManifest::new("service", semver::Version::new(1, 0, 0), "Service");
    bench.endpoint.connector = Arc::new(Service(manifest, |_, _| None));
    assert!(bench.get("/a").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_limit_is_learned_from_answers_and_waited_for() {
    let used_up = || Step::status(200).with("x-ratelimit-remaining", 0).with("x-ratelimit-reset", 5);
    let mut bench = Bench::new([used_up()]);
    bench.get("/a").await.expect("the last one of the window");
    let start = Instant::now();
    bench.get("/a").await.expect("in the next window");
    assert_eq!(start.elapsed(), Duration::from_secs(5));

    bench.script.add([used_up()]);
    bench.get("/a").await.expect("the last one");
    bench.connection = Some(connection("c2"));
    bench.set_secret("c2", "other");
    let start = Instant::now();
    bench.get("/a").await.expect("another connection has its own");
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_too_long_fails_fast() {
    let mut bench = Bench::new([Step::status(200).with("ratelimit", r#""day";r=0;t=60"#)]);
    bench.get("/a").await.expect("the last one");
    let start = Instant::now();
    let error = bench.post("/a").await.expect_err("60 s are too long");
    assert_eq!((error.kind(), error.effect_on_provider()), (ErrorKind::RateLimited, Effect::NotExecuted));
    assert_eq!(error.retry_advice(), Retry::After(Duration::from_secs(60)));
    assert_eq!(error.public_message(), "The service's rate limit is used up; try again in 60 s.");
    assert_eq!((start.elapsed(), bench.script.seen().len()), (Duration::ZERO, 1));
    let tool = bench.tool.clone();
    assert_eq!(bench.events(), [EventKind::LimitRefused { tool, limit: "provider".into() }]);

    // Nine seconds would be fine, but not for a call that has five.
    tokio::time::sleep(Duration::from_secs(51)).await;
    bench.deadline = Some(56_000_000_000);
    assert_eq!(bench.get("/a").await.expect_err("the call is short").kind(), ErrorKind::RateLimited);
    bench.deadline = None;
    assert!(bench.get("/a").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn the_manifests_rate_is_the_start() {
    let options = BenchOptions {
        limits: ConnectorLimits::default().requests(Rate::per_minute(30).burst(2)),
        ..BenchOptions::default()
    };
    let bench = Bench::with(options, []);
    let start = Instant::now();
    for _ in 0..4 {
        bench.get("/a").await.expect("an answer");
    }
    let waited = start.elapsed();
    assert!((Duration::from_secs(4)..Duration::from_millis(4_010)).contains(&waited), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_closes_the_connection_for_everybody_on_it() {
    let bench = Bench::new([Step::status(429).with("retry-after", 7)]);
    bench.post("/a").await.expect_err("a write is not repeated");
    let start = Instant::now();
    bench.post("/b").await.expect("after the wait");
    assert_eq!(start.elapsed(), Duration::from_secs(7));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_ends_in_time() {
    let slow = || Step::After(Duration::from_secs(100), Box::new(Step::status(200)));
    let mut settings = HttpSettings::default();
    settings.retry.max_attempts = 1;
    let bench =
        Bench::with(BenchOptions { settings: settings.clone(), ..BenchOptions::default() }, [slow(), slow()]);
    let start = Instant::now();
    let error = bench.get("/a").await.expect_err("too slow");
    assert_eq!((error.kind(), error.effect_on_provider()), (ErrorKind::Transport, Effect::None));
    assert_eq!(start.elapsed(), Duration::from_secs(60));
    let request = built("POST", "/a", |builder| builder.attempt_timeout(Duration::from_secs(3)));
    let error = bench.send(request).await.expect_err("too slow");
    assert_eq!(error.effect_on_provider(), Effect::Unknown);
    assert_eq!(start.elapsed(), Duration::from_secs(63));

    let limits = ConnectorLimits::default().attempt_timeout(Duration::from_secs(2));
    let mut bench =
        Bench::with(BenchOptions { settings, limits, ..BenchOptions::default() }, [slow(), slow()]);
    let start = Instant::now();
    bench.get("/a").await.expect_err("too slow");
    assert_eq!(start.elapsed(), Duration::from_secs(2));
    bench.deadline = Some(2_500_000_000);
    let error = bench.get("/a").await.expect_err("too slow");
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    bench.script.seen();
    let error = bench.get("/a").await.expect_err("no time at all");
    assert_eq!(
        (error.kind(), error.effect_on_provider()),
        (ErrorKind::DeadlineExceeded, Effect::NotExecuted)
    );
    assert!(bench.script.seen().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_a_test_moves_holds_nobody_up() {
    #[derive(Debug)]
    struct Standing;
    impl Clock for Standing {
        fn monotonic(&self) -> u64 {
            1_000_000_000
        }
        fn now(&self) -> SystemTime {
            SystemTime::UNIX_EPOCH
        }
    }
    let rate = ConnectorLimits::default().requests(Rate::per_second(1));
    let steps = [Step::status(429).with("retry-after", 7), Step::status(200)];
    let mut bench = Bench::with(BenchOptions { limits: rate, ..BenchOptions::default() }, steps);
    bench.stack.clock = Arc::new(Standing);
    let start = Instant::now();
    bench.get("/a").await.expect("after what the service asked for");
    assert!((7..9).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    assert_eq!(bench.script.seen().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_rate_that_is_known_ahead_counts_requests_that_are_limited_apart_together() {
    let settings = HttpSettings { limit_wait: Duration::ZERO, ..HttpSettings::default() };
    let limits = ConnectorLimits::default().requests(Rate::per_minute(2));
    let bench = Bench::with(BenchOptions { settings, limits, ..BenchOptions::default() }, []);
    let of = |kind: &'static str| built("GET", "/a", |builder| builder.limited_as(kind));
    bench.send(of("search")).await.expect("the first");
    bench.send(of("code")).await.expect("the second");
    let error = bench.send(of("more")).await.expect_err("the third within a minute");
    assert_eq!(error.kind(), ErrorKind::RateLimited);
}
