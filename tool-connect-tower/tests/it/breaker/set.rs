//! Breakers by key.

use std::sync::Arc;
use std::time::Duration;

use tool_connect_tower::breaker::{BreakerSettings, BreakerState, InvalidBreaker, Window};
use tool_connect_tower::{BreakerSet, Verdict};

use crate::support::SECOND;

fn settings() -> BreakerSettings {
    let open_at_most = Duration::from_secs(10);
    BreakerSettings {
        window: Window::Calls(1),
        minimum_calls: 1,
        open_for: open_at_most,
        open_at_most,
        ..BreakerSettings::default()
    }
}

#[test]
fn one_key_fails_alone() {
    let breakers = BreakerSet::new(settings()).expect("valid");
    breakers.try_acquire(1, SECOND).expect("closed").record(Verdict::Failure, SECOND);
    assert!(breakers.try_acquire(1, SECOND).is_err());
    assert!(breakers.try_acquire(2, SECOND).is_ok());
    let mut states: Vec<_> =
        breakers.snapshots(SECOND).into_iter().map(|(key, seen)| (key, seen.state)).collect();
    states.sort_unstable_by_key(|(key, _)| *key);
    assert_eq!(states, [(1, BreakerState::Open), (2, BreakerState::Closed)]);
}

#[test]
fn all_threads_get_the_same_breaker() {
    let breakers = BreakerSet::new(settings()).expect("valid");
    let found: Vec<Vec<_>> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..4).map(|_| scope.spawn(|| (0..500).map(|key| breakers.get(key, SECOND)).collect())).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert_eq!(breakers.len(), 500);
    for others in &found[1..] {
        assert!(found[0].iter().zip(others).all(|(a, b)| Arc::ptr_eq(a, b)));
    }
}

#[test]
fn idle_breakers_go_when_others_come_but_forced_ones_stay() {
    let breakers =
        BreakerSet::builder(settings()).idle_after(Duration::from_secs(60)).build().expect("valid");
    for key in 0..1_000 {
        let _ = breakers.get(key, SECOND);
    }
    breakers.get(3, SECOND).force_open(SECOND);
    let used = breakers.get(4, 50 * SECOND);
    for key in 1_000..2_000 {
        let _ = breakers.get(key, 70 * SECOND);
    }
    assert_eq!(breakers.len(), 1_002, "the new ones, the forced one and the one that was used");
    assert_eq!(breakers.get(3, 70 * SECOND).state(), BreakerState::ForcedOpen);
    assert!(Arc::ptr_eq(&used, &breakers.get(4, 70 * SECOND)));
}

#[test]
fn a_full_set_forgets_a_closed_breaker_rather_than_an_open_one() {
    let breakers = BreakerSet::builder(settings()).max_keys(64).build().expect("valid");
    breakers.try_acquire(0, SECOND).expect("closed").record(Verdict::Failure, SECOND);
    for key in 1..10_000 {
        let _ = breakers.get(key, 2 * SECOND);
    }
    assert_eq!(breakers.len(), 64);
    assert!(breakers.try_acquire(0, 3 * SECOND).is_err(), "it is still open");
}

#[test]
fn settings_are_checked_before_the_first_key() {
    let error = BreakerSet::new(BreakerSettings { half_open_permits: 0, ..settings() }).map(|_| ());
    assert_eq!(error, Err(InvalidBreaker::HalfOpenPermits));
}
