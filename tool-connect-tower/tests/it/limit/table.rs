//! Classes, keys that come and go, and clocks that misbehave.

use std::time::Duration;

use tool_connect_tower::limit::{Cause, Cell, Charge};
use tool_connect_tower::{Limit, Limiter, Monotonic, hash_key};

use crate::support::SECOND;

const HOUR: u64 = 3600 * SECOND;

#[test]
fn a_clock_set_back_an_hour_stalls_nobody_beyond_a_period() {
    let limiter = Limiter::new();
    let class = limiter.define("minute", Limit::per_minute(60)).expect("room");
    let other = limiter.define("other", Limit::per_minute(60)).expect("room");
    let (alone, together) = ([Charge::new(class, 1)], [Charge::new(class, 2), Charge::new(other, 2)]);
    let late = 2 * HOUR;
    for _ in 0..60 {
        limiter.check(late, &alone).expect("the burst");
        limiter.check(late, &together).expect("the burst");
    }
    let early = late - HOUR;
    for charges in [&alone[..], &together[..]] {
        let refused = limiter.check(early, charges).expect_err("the bucket was empty");
        let wait = refused.retry_after().expect("it passes some time");
        assert!(wait <= Duration::from_secs(60), "a stall of {wait:?}");
        let after = early + u64::try_from(wait.as_nanos()).expect("short");
        assert!(limiter.check(after - 1, charges).is_err());
        limiter.check(after, charges).expect("the wait is over");
    }
    let cell = Cell::new(Limit::per_minute(1));
    cell.check(late, 1).expect("the burst");
    assert!(cell.check(early, 1).is_err());
    cell.check(early + 60 * SECOND, 1).expect("a period later");
}

#[test]
fn a_limit_changes_at_once_and_keeps_what_was_used() {
    let limiter = Limiter::new();
    let plan = limiter.define("plan", Limit::per_second(10)).expect("room");
    let charge = [Charge::new(plan, 1)];
    for _ in 0..10 {
        limiter.check(SECOND, &charge).expect("the burst");
    }
    assert!(limiter.check(SECOND, &charge).is_err());

    assert_eq!(limiter.define("plan", Limit::per_second(1000)), Ok(plan));
    assert_eq!(limiter.limit(plan), Some(Limit::per_second(1000)));
    assert!(limiter.check(SECOND, &charge).is_err(), "what was used stays used");
    limiter.check(SECOND + 1_000_000, &charge).expect("but refills at the new rate");

    limiter.define("plan", Limit::per_second(0)).expect("known");
    let closed = limiter.check(10 * SECOND, &charge).expect_err("closed");
    assert_eq!((closed.cause(), closed.retry_after()), (Cause::CostAboveBurst, None));
    assert!(closed.to_string().contains("`plan` is closed"), "{closed}");
}

#[test]
fn a_downgraded_key_does_not_wait_for_its_old_window() {
    let limiter = Limiter::new();
    let plan = limiter.define("plan", Limit::per_hour(1000)).expect("room");
    limiter.check(SECOND, &[Charge::new(plan, 1).cost(1000)]).expect("the burst");
    limiter.define("plan", Limit::per_second(1)).expect("known");
    assert!(limiter.check(SECOND, &[Charge::new(plan, 1)]).is_err());
    limiter.check(2 * SECOND, &[Charge::new(plan, 1)]).expect("a second later, not an hour");
}

#[test]
fn classes_are_bounded_and_known_by_name() {
    let limiter = Limiter::builder().max_classes(2).build();
    let first = limiter.define("first", Limit::per_second(1)).expect("room");
    let second = limiter.define("second", Limit::per_second(1)).expect("room");
    assert_eq!(
        (limiter.class("first"), limiter.class("second"), limiter.class("third")),
        (Some(first), Some(second), None)
    );
    let error = limiter.define("third", Limit::per_second(1)).expect_err("full");
    assert!(error.to_string().contains("`third`") && error.to_string().contains("max_classes"), "{error}");
}

#[test]
fn a_class_of_another_limiter_is_refused_and_not_ignored() {
    let (mine, other) = (Limiter::new(), Limiter::new());
    mine.define("a", Limit::per_second(1)).expect("room");
    other.define("a", Limit::per_second(1)).expect("room");
    let foreign = other.define("b", Limit::per_second(1)).expect("room");
    for charges in [&[Charge::new(foreign, 1)][..], &[Charge::new(foreign, 1), Charge::new(foreign, 2)][..]] {
        assert_eq!(mine.check(SECOND, charges).map_err(|refused| refused.cause()), Err(Cause::UnknownClass));
    }
    assert_eq!(mine.peek(SECOND, foreign, 1), None);
}

#[test]
fn no_charge_is_no_limit() {
    let quota = Limiter::new().check(SECOND, &[]).expect("nothing to refuse");
    assert_eq!((quota.class(), quota.remaining(), quota.reset()), (None, u64::MAX, Duration::ZERO));
}

#[test]
fn new_keys_are_refused_at_the_cap_until_others_fall_idle() {
    let limiter = Limiter::builder().max_keys(1).build();
    let class = limiter.define("c", Limit::per_second(1)).expect("room");
    let mut refused = None;
    for key in 0..100_000 {
        match limiter.check(SECOND, &[Charge::new(class, key)]) {
            Ok(_) => {}
            Err(why) => {
                assert_eq!(why.cause(), Cause::TooManyKeys);
                refused = Some((key, why));
                break;
            }
        }
    }
    let (key, why) = refused.expect("the cap holds");
    assert!(
        limiter.check(SECOND, &[Charge::new(class, 0)]).is_err(),
        "an old key is not forgotten to make room"
    );
    let wait = u64::try_from(why.retry_after().expect("room comes").as_nanos()).expect("short");
    assert!(limiter.check(SECOND + wait - 1, &[Charge::new(class, key)]).is_err());
    limiter.check(SECOND + wait, &[Charge::new(class, key)]).expect("a place is free when its key is idle");
}

#[test]
fn idle_keys_are_dropped() {
    let limiter = Limiter::new();
    let class = limiter.define("c", Limit::per_second(10)).expect("room");
    for key in 0..5_000 {
        limiter.check(SECOND, &[Charge::new(class, key)]).expect("a new key");
    }
    assert_eq!(limiter.active_keys(class, SECOND), 5_000);
    assert_eq!(limiter.active_keys(class, SECOND + SECOND / 10), 0);
}

#[test]
fn what_the_other_side_reports_only_lowers_what_is_left() {
    let limiter = Limiter::new();
    let class = limiter.define("provider", Limit::per_minute(60)).expect("room");
    limiter.tighten(SECOND, class, 1, 10);
    assert_eq!(limiter.peek(SECOND, class, 1).map(|quota| quota.remaining()), Some(10));
    limiter.tighten(SECOND, class, 1, 50);
    assert_eq!(limiter.peek(SECOND, class, 1).map(|quota| quota.remaining()), Some(10));
    limiter.tighten(SECOND, class, 1, 0);
    assert_eq!(
        limiter.check(SECOND, &[Charge::new(class, 1)]).map_err(|why| why.retry_after()),
        Err(Some(Duration::from_secs(1)))
    );
}

#[test]
fn a_refusal_says_which_limit_and_how_long() {
    let limiter = Limiter::new();
    let user = limiter.define("user", Limit::per_second(2)).expect("room");
    let tenant = limiter.define("tenant", Limit::per_minute(2)).expect("room");
    let key = hash_key("acme");
    let charges = [Charge::new(user, 1), Charge::new(tenant, key)];
    limiter.check(SECOND, &charges).expect("one");
    limiter.check(SECOND, &charges).expect("two");
    let refused = limiter.check(SECOND, &charges).expect_err("both are used up");
    assert_eq!((refused.class_name(), refused.key()), (Some("tenant"), key), "the longer wait is the answer");
    assert_eq!(refused.to_string(), "rate limit `tenant` reached; retry after 30.000 s");
    let quota = refused.quota();
    assert_eq!((quota.limit(), quota.remaining(), quota.reset()), (2, 0, Duration::from_secs(60)));
    let costly = limiter.check(SECOND, &[Charge::new(user, 9).cost(3)]).expect_err("above the burst");
    assert!(costly.to_string().contains("costs more than the 2 permits"), "{costly}");
}

#[tokio::test(start_paused = true)]
async fn acquire_waits_within_its_budget_and_no_longer() {
    let limiter = Limiter::new();
    let class = limiter.define("c", Limit::per_second(1)).expect("room");
    let charge = [Charge::new(class, 1)];
    let start = tokio::time::Instant::now();
    for _ in 0..3 {
        limiter.acquire(&charge, Duration::from_secs(5), &Monotonic).await.expect("within the budget");
    }
    assert_eq!(start.elapsed().as_secs(), 2);
    let refused = limiter.acquire(&charge, Duration::from_millis(900), &Monotonic).await;
    assert!(refused.is_err());
    assert_eq!(start.elapsed().as_secs(), 2, "a wait that cannot end in time is not begun");
}
