//! Retries: the rules, the bound over all calls, the layer.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Method, Request, Response, StatusCode};
use proptest::prelude::*;
use tool_connect_tower::retry::{
    Effect, Facts, HttpRetry, InvalidRetry, OverCap, Random, Retryable, SplitMix, Stop,
};
use tool_connect_tower::{DeadlineLayer, RetryBudget, RetryLayer, RetryPolicy, RetrySettings};
use tower::{Layer, ServiceBuilder, ServiceExt};

use crate::support::server;

const LONGEST: fn() -> u64 = || u64::MAX;
const SHORTEST: fn() -> u64 = || 0;

fn rich() -> RetryBudget {
    RetryBudget::new(0.0, 1_000)
}

fn read() -> Facts {
    Facts { repeatable: true, ..Facts::default() }
}

#[test]
fn a_write_is_repeated_only_if_it_cannot_have_been_executed_or_if_twice_is_harmless() {
    let policy = RetryPolicy::default();
    for effect in [Effect::None, Effect::NotExecuted, Effect::Unknown] {
        for repeatable in [false, true] {
            let facts = Facts { effect, repeatable, ..Facts::default() };
            let decided = policy.decide(1, &facts, &rich(), &SHORTEST);
            let forbidden = !repeatable && effect == Effect::Unknown;
            assert_eq!(
                decided,
                if forbidden { Err(Stop::MayHaveExecuted) } else { Ok(Duration::ZERO) },
                "{facts:?}"
            );
        }
    }
    let permanent = Facts { transient: false, ..read() };
    assert_eq!(policy.decide(1, &permanent, &rich(), &SHORTEST), Err(Stop::Permanent));
}

#[test]
fn waits_grow_to_the_cap_and_are_drawn_from_zero() {
    let settings = RetrySettings {
        max_attempts: 200,
        base: Duration::from_millis(100),
        cap: Duration::from_secs(1),
        ..RetrySettings::default()
    };
    let policy = RetryPolicy::new(settings).expect("valid");
    let longest = |attempts| {
        policy.decide(attempts, &read(), &rich(), &LONGEST).expect("an attempt is left").as_millis()
    };
    assert_eq!([1, 2, 3, 4, 5, 64, 65, 199].map(longest), [100, 200, 400, 800, 1000, 1000, 1000, 1000]);
    assert_eq!(policy.decide(5, &read(), &rich(), &SHORTEST), Ok(Duration::ZERO));
    let random = SplitMix::seeded(1);
    let waits: Vec<_> =
        (0..1_000).map(|_| policy.decide(5, &read(), &rich(), &random).expect("left").as_millis()).collect();
    let below_half = waits.iter().filter(|wait| **wait < 500).count();
    assert!((400..600).contains(&below_half), "drawn evenly: {below_half} of 1000 in the lower half");
}

#[test]
fn retry_after_is_kept_jittered_and_capped() {
    let policy = RetryPolicy::default();
    let asked = |seconds| Facts { retry_after: Some(Duration::from_secs(seconds)), ..read() };
    let wait = |seconds, random: fn() -> u64| policy.decide(1, &asked(seconds), &rich(), &random);
    assert_eq!(wait(10, SHORTEST), Ok(Duration::from_secs(10)), "never earlier");
    assert_eq!(wait(10, LONGEST), Ok(Duration::from_millis(10_200)));
    assert_eq!(wait(30, LONGEST), Ok(Duration::from_secs(30)), "nor above the cap");
    assert_eq!(wait(31, SHORTEST), Err(Stop::RetryAfter(Duration::from_secs(31))));
    let patient = RetryPolicy::new(RetrySettings { over_cap: OverCap::WaitCap, ..RetrySettings::default() })
        .expect("valid");
    assert_eq!(patient.decide(1, &asked(u64::MAX), &rich(), &LONGEST), Ok(Duration::from_secs(30)));
}

#[test]
fn a_wait_that_outlasts_the_call_is_not_begun_and_costs_no_budget() {
    let budget = RetryBudget::new(0.0, 1);
    let policy = RetryPolicy::default();
    let hurried = Facts { time_left: Some(Duration::from_millis(200)), ..read() };
    assert_eq!(
        policy.decide(1, &hurried, &budget, &LONGEST),
        Err(Stop::Deadline(Duration::from_millis(200)))
    );
    assert_eq!(budget.available(), 1);
    assert!(policy.decide(1, &hurried, &budget, &SHORTEST).is_ok());
    assert_eq!(policy.decide(1, &read(), &budget, &SHORTEST), Err(Stop::Budget));
}

#[test]
fn settings_that_make_no_policy_are_named() {
    assert_eq!(
        RetryPolicy::new(RetrySettings { max_attempts: 0, ..RetrySettings::default() }),
        Err(InvalidRetry::NoAttempt)
    );
    let reversed = RetrySettings { base: Duration::from_secs(60), ..RetrySettings::default() };
    assert_eq!(RetryPolicy::new(reversed), Err(InvalidRetry::BaseAboveCap));
    assert_eq!(RetryPolicy::never().decide(1, &read(), &rich(), &LONGEST), Err(Stop::Attempts(1)));
}

proptest! {
    #[test]
    fn in_a_full_outage_attempts_stay_within_the_budget(calls in 0_u64..3_000, attempts in 1_u32..10, reserve in 0_u32..50, percent in 0_u32..100) {
        let policy = RetryPolicy::new(RetrySettings { max_attempts: attempts, ..RetrySettings::default() }).expect("valid");
        let budget = RetryBudget::new(f64::from(percent) / 100.0, reserve);
        let mut made = 0;
        for _ in 0..calls {
            budget.on_call();
            made += 1;
            for attempt in 1.. {
                if policy.decide(attempt, &read(), &budget, &SHORTEST).is_err() {
                    break;
                }
                made += 1;
            }
        }
        prop_assert!(made <= calls + calls * u64::from(percent) / 100 + u64::from(reserve));
        if attempts > 2 {
            // And the budget is of use: what it grants is taken.
            prop_assert!(made + 1 >= calls + (calls * u64::from(percent) / 100 + u64::from(reserve)).min(calls));
        }
    }
}

#[test]
fn threads_share_one_budget_exactly() {
    let budget = RetryBudget::new(0.5, 10);
    let granted = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..100 {
                    budget.on_call();
                    while budget.try_retry() {
                        granted.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert_eq!(granted.load(Ordering::Relaxed), 10 + 400 / 2);
}

#[test]
fn odd_ratios_are_taken_to_the_nearest_that_makes_sense() {
    for ratio in [f64::NAN, -1.0, f64::NEG_INFINITY] {
        let budget = RetryBudget::new(ratio, 0);
        (0..100).for_each(|_| budget.on_call());
        assert!(!budget.try_retry());
    }
    let budget = RetryBudget::new(f64::INFINITY, 0);
    budget.on_call();
    assert_eq!(budget.available(), 10);
}

async fn attempts_for(request: Request<String>, facts: HttpRetry) -> (u32, u16) {
    let seen = Arc::new(AtomicU32::new(0));
    let service = RetryLayer::new(facts).layer(server(seen.clone()));
    let status = service.oneshot(request).await.expect("infallible").status().as_u16();
    (seen.load(Ordering::SeqCst), status)
}

fn request(method: Method, path: &str, headers: &[(&'static str, &'static str)]) -> Request<String> {
    let builder = Request::builder().method(method).uri(path);
    headers
        .iter()
        .fold(builder, |builder, (name, value)| builder.header(*name, *value))
        .body(String::new())
        .expect("valid")
}

#[tokio::test(start_paused = true)]
async fn http_reads_are_repeated_and_writes_only_with_a_key() {
    let plain = HttpRetry::new;
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        assert_eq!(attempts_for(request(method, "/503", &[]), plain()).await, (3, 503));
    }
    for method in [Method::POST, Method::PATCH] {
        assert_eq!(
            attempts_for(request(method.clone(), "/503", &[]), plain()).await,
            (1, 503),
            "{method} may have been executed"
        );
        assert_eq!(
            attempts_for(request(method, "/503", &[("idempotency-key", "k")]), plain()).await,
            (3, 503)
        );
    }
    let known = || HttpRetry::new().not_executed(StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(attempts_for(request(Method::POST, "/429", &[]), plain()).await, (1, 429));
    assert_eq!(attempts_for(request(Method::POST, "/429", &[]), known()).await, (3, 429));
    assert_eq!(attempts_for(request(Method::POST, "/503", &[]), known()).await, (1, 503));
    for path in ["/200", "/400", "/401", "/404", "/500", "/501"] {
        assert_eq!(attempts_for(request(Method::GET, path, &[]), plain()).await.0, 1, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn retry_after_of_the_response_is_waited_for() {
    let times = Arc::new(Mutex::new(Vec::new()));
    let seen = times.clone();
    let inner = tower::service_fn(move |_: Request<()>| {
        let mut seen = seen.lock().expect("no panic");
        seen.push(tokio::time::Instant::now());
        let mut response = Response::new(());
        if seen.len() == 1 {
            *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
            response.headers_mut().insert("retry-after", 7.into());
        }
        std::future::ready(Ok::<_, Infallible>(response))
    });
    let service = RetryLayer::new(HttpRetry::new()).random(SHORTEST).layer(inner);
    assert_eq!(service.oneshot(Request::new(())).await.expect("infallible").status(), StatusCode::OK);
    let times = times.lock().expect("no panic");
    assert_eq!((times[1] - times[0]).as_secs(), 7);
}

/// Each error is worth another attempt.
#[derive(Clone)]
struct Always;

impl<Res, Err> Retryable<u32, Res, Err> for Always {
    fn repeat(&self, request: &u32) -> Option<u32> {
        (*request != 0).then(|| request + 1)
    }

    fn facts(&self, _: &u32, result: &Result<Res, Err>) -> Option<Facts> {
        result.is_err().then(read)
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_error_stands_and_each_attempt_has_its_own_copy() {
    let echo = tower::service_fn(|number: u32| async move { Err::<(), _>(number) });
    let budget = Arc::new(RetryBudget::new(0.0, 3));
    let service = RetryLayer::new(Always).budget(budget.clone()).layer(echo);
    assert_eq!(service.clone().oneshot(10).await, Err(12), "three attempts: 10, 11, 12");
    assert_eq!(service.clone().oneshot(0).await, Err(0), "a request that cannot be copied is sent once");
    assert_eq!(service.clone().oneshot(20).await, Err(21), "one retry was left");
    assert_eq!(service.oneshot(30).await, Err(30));
    assert_eq!(budget.available(), 0);
}

#[tokio::test(start_paused = true)]
async fn time_outs_of_attempts_are_repeated_within_the_deadline_of_the_call() {
    #[derive(Debug, PartialEq)]
    struct TooLong(Duration);
    impl From<tool_connect_tower::deadline::Elapsed> for TooLong {
        fn from(elapsed: tool_connect_tower::deadline::Elapsed) -> Self {
            Self(elapsed.limit)
        }
    }
    let attempts = Arc::new(AtomicU32::new(0));
    let seen = attempts.clone();
    let hangs = tower::service_fn(move |_: u32| {
        seen.fetch_add(1, Ordering::SeqCst);
        std::future::pending::<Result<(), TooLong>>()
    });
    let stack = |call: u64| {
        ServiceBuilder::new()
            .layer(DeadlineLayer::new(Duration::from_secs(call)))
            .layer(RetryLayer::new(Always).random(SHORTEST))
            .layer(DeadlineLayer::new(Duration::from_secs(2)))
            .service(hangs.clone())
    };
    assert_eq!(stack(60).oneshot(1).await, Err(TooLong(Duration::from_secs(2))));
    assert_eq!(attempts.swap(0, Ordering::SeqCst), 3);
    assert_eq!(stack(3).oneshot(1).await, Err(TooLong(Duration::from_secs(3))));
    assert_eq!(attempts.load(Ordering::SeqCst), 2);
}

#[test]
fn random_closures_are_random() {
    assert_eq!(LONGEST.up_to(9), 9);
}
