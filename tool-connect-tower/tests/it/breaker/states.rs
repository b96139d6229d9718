//! Single rules of the breaker, and threads.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::time::Duration;

use tool_connect_tower::breaker::{Breaker, BreakerSettings, BreakerState, Transition, Window};
use tool_connect_tower::{BreakerSet, Verdict};

use crate::support::SECOND;

/// Two failures open it for ten seconds.
fn touchy(half_open_permits: u32) -> BreakerSettings {
    BreakerSettings {
        window: Window::Calls(2),
        minimum_calls: 2,
        open_for: Duration::from_secs(10),
        half_open_permits,
        ..BreakerSettings::default()
    }
}

fn fail(breaker: &Breaker, now: u64) {
    breaker.try_acquire(now).expect("closed").record(Verdict::Failure, now);
}

fn opened(settings: BreakerSettings) -> Breaker {
    let breaker = Breaker::new(settings).expect("valid");
    fail(&breaker, SECOND);
    fail(&breaker, SECOND);
    assert_eq!(breaker.state(), BreakerState::Open);
    breaker
}

#[test]
fn half_open_admits_exactly_its_permits_however_many_threads_ask() {
    for round in 0..50 {
        let breaker = opened(touchy(5));
        let start = Barrier::new(4);
        let granted = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    start.wait();
                    let permits: Vec<_> =
                        (0..10).filter_map(|_| breaker.try_acquire(20 * SECOND).ok()).collect();
                    granted.fetch_add(permits.len() as u64, Ordering::SeqCst);
                    // Kept until all have asked.
                    start.wait();
                });
            }
        });
        assert_eq!(granted.load(Ordering::SeqCst), 5, "round {round}");
        assert_eq!(
            breaker.snapshot(20 * SECOND).permits_left,
            5,
            "cancelled calls have given all permits back"
        );
    }
}

#[test]
fn a_cancelled_trial_leaves_its_permit_to_another() {
    let breaker = opened(touchy(1));
    let permit = breaker.try_acquire(20 * SECOND).expect("a trial");
    let refused = breaker.try_acquire(20 * SECOND).expect_err("the only permit is held");
    assert_eq!((refused.state, refused.retry_after), (BreakerState::HalfOpen, None));
    drop(permit);
    breaker.try_acquire(20 * SECOND).expect("it is back").record(Verdict::Success, 20 * SECOND);
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn a_result_from_before_the_trial_does_not_count() {
    let breaker = Breaker::new(touchy(1)).expect("valid");
    let straggler = breaker.try_acquire(SECOND).expect("closed");
    fail(&breaker, SECOND);
    fail(&breaker, SECOND);
    let trial = breaker.try_acquire(20 * SECOND).expect("a trial");
    straggler.record(Verdict::Success, 20 * SECOND);
    assert_eq!(
        breaker.state(),
        BreakerState::HalfOpen,
        "a call that began while all was well proves nothing"
    );
    trial.record(Verdict::Failure, 21 * SECOND);
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[test]
fn ignored_results_open_nothing() {
    let breaker = Breaker::new(touchy(1)).expect("valid");
    for now in 0..100 {
        breaker.try_acquire(now).expect("closed").record(Verdict::Ignore, now);
    }
    assert_eq!(breaker.snapshot(100).counts.calls, 0);
}

#[test]
fn slow_calls_open_it_too() {
    let settings = BreakerSettings { slow_call: Some(Duration::from_secs(1)), slow_rate: 1.0, ..touchy(1) };
    let breaker = Breaker::new(settings).expect("valid");
    for _ in 0..2 {
        breaker.try_acquire(SECOND).expect("closed").record(Verdict::Success, 2 * SECOND);
    }
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[test]
fn a_clock_set_back_does_not_keep_it_open() {
    let breaker = opened(touchy(1));
    let hour = 3600 * SECOND;
    let late = Breaker::new(touchy(1)).expect("valid");
    fail(&late, hour);
    fail(&late, hour);
    let refused = late.try_acquire(SECOND).expect_err("open");
    assert_eq!(refused.retry_after, Some(Duration::from_secs(10)), "its open time, not an hour");
    assert!(late.try_acquire(11 * SECOND).is_ok());
    assert!(breaker.try_acquire(11 * SECOND).is_ok());
}

#[test]
fn forced_states_hold_until_released() {
    let breaker = Breaker::new(touchy(1)).expect("valid");
    breaker.force_open(SECOND);
    let refused = breaker.try_acquire(1_000_000 * SECOND).expect_err("forced");
    assert_eq!((refused.state, refused.retry_after), (BreakerState::ForcedOpen, None));
    breaker.force_closed(SECOND);
    for _ in 0..10 {
        fail(&breaker, SECOND);
    }
    assert_eq!(breaker.state(), BreakerState::ForcedClosed);
    breaker.release(SECOND);
    assert_eq!((breaker.state(), breaker.snapshot(SECOND).counts.calls), (BreakerState::Closed, 0));
    fail(&breaker, SECOND);
    breaker.release(SECOND);
    assert_eq!(breaker.snapshot(SECOND).counts.calls, 1, "releasing what is not forced changes nothing");
}

#[test]
fn an_observer_may_use_the_breaker_it_hears_about() {
    let set: Arc<Mutex<Option<Arc<BreakerSet>>>> = Arc::default();
    let inside = set.clone();
    let states = Arc::new(Mutex::new(Vec::new()));
    let seen = states.clone();
    let observer = move |change: &Transition| {
        let set = inside.lock().expect("no panic").clone().expect("set below");
        // Would never return if a lock were held.
        let state = set.get(change.key, change.at).snapshot(change.at).state;
        seen.lock().expect("no panic").push((change.to, state));
    };
    let breakers =
        Arc::new(BreakerSet::builder(touchy(1)).observer(Arc::new(observer)).build().expect("valid"));
    *set.lock().expect("no panic") = Some(breakers.clone());
    fail(&breakers.get(7, SECOND), SECOND);
    fail(&breakers.get(7, SECOND), SECOND);
    breakers.try_acquire(7, 20 * SECOND).expect("a trial").record(Verdict::Success, 20 * SECOND);
    let expected =
        [BreakerState::Open, BreakerState::HalfOpen, BreakerState::Closed].map(|state| (state, state));
    assert_eq!(*states.lock().expect("no panic"), expected);
}

#[test]
fn threads_that_all_fail_open_it_once() {
    for window in [Window::Calls(50), Window::Time(Duration::from_secs(60))] {
        let opened = Arc::new(AtomicU64::new(0));
        let count = opened.clone();
        let settings = BreakerSettings { window, minimum_calls: 50, ..BreakerSettings::default() };
        let observer = move |change: &Transition| {
            assert_eq!((change.from, change.to), (BreakerState::Closed, BreakerState::Open));
            assert!(change.counts.calls >= 50);
            count.fetch_add(1, Ordering::SeqCst);
        };
        let breaker = Breaker::new(settings).expect("valid").observed_by(Arc::new(observer), 0);
        let passed = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..1_000 {
                        if let Ok(permit) = breaker.try_acquire(SECOND) {
                            permit.record(Verdict::Failure, SECOND);
                            passed.fetch_add(1, Ordering::SeqCst);
                        }
                    }
                });
            }
        });
        assert_eq!(opened.load(Ordering::SeqCst), 1);
        let passed = passed.load(Ordering::SeqCst);
        assert!((50..60).contains(&passed), "{passed} calls passed: fifty, and those that were in progress");
    }
}
