//! The limiter beside governor, the breaker beside an atomic and other crates' breakers.

use std::hint::black_box;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Instant;

use governor::{Quota, RateLimiter};
use recloser::Recloser;
use tool_connect_tower::limit::Charge;
use tool_connect_tower::{Breaker, BreakerSettings, Limit, Limiter, Verdict, hash_key};
use tower::{Layer, Service};
use tower_resilience::circuitbreaker::CircuitBreakerLayer;

use crate::race::{Contender, Measured, now, race};
use crate::table::{Table, Target, rate, time};

const KEYS: usize = 10_000;
/// Short samples: on a busy machine most of them end before somebody else's turn.
const OPS: usize = 10_000;
/// Samples of two threads, long beside the start of a thread.
const PAIRED: usize = 400_000;
/// Never refused, and never full again: every key stays in use, as it would under load.
const PER_SECOND: u32 = 100;
const BURST: u32 = 100_000_000;

/// Runs `check` on this thread and on another one; both go through all keys, in opposite directions.
fn both(n: usize, check: &(impl Fn(usize) + Sync)) {
    thread::scope(|scope| {
        scope.spawn(move || (0..n).for_each(|k| check(KEYS - 1 - k * 7 % KEYS)));
        (0..n).for_each(|k| check(k * 7 % KEYS));
    });
}

fn each(n: usize, check: impl Fn(usize)) {
    (0..n).for_each(|k| check(k * 7 % KEYS));
}

pub(crate) fn limiter(table: &mut Table, rounds: usize) {
    let names: Vec<String> = (0..KEYS).map(|k| format!("tenant-{k}")).collect();
    let numbers: Vec<u64> = names.iter().map(hash_key).collect();
    let burst = |quota: Quota| quota.allow_burst(NonZeroU32::new(BURST).expect("not zero"));
    let quota = burst(Quota::per_second(NonZeroU32::new(PER_SECOND).expect("not zero")));
    let (by_name, by_number) = (RateLimiter::keyed(quota), RateLimiter::keyed(quota));
    let limiter = Limiter::new();
    let limit = Limit::per_second(PER_SECOND).with_burst(BURST).expect("a valid limit");
    let class = limiter.define("tenant", limit).expect("there is room");

    // Each reads a clock for each check, as governor does by itself.
    let start = Instant::now();
    let clock = || u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
    let ours_name = |k: usize| {
        let charge = [Charge::new(class, hash_key(names[k].as_str()))];
        assert!(black_box(limiter.check(clock(), &charge)).is_ok(), "the limit is not reached");
    };
    let ours_number = |k: usize| {
        let charge = [Charge::new(class, numbers[k])];
        assert!(black_box(limiter.check(clock(), &charge)).is_ok(), "the limit is not reached");
    };
    let governor_name = |k: usize| {
        assert!(black_box(by_name.check_key(&names[k])).is_ok(), "the limit is not reached");
    };
    let governor_number = |k: usize| {
        assert!(black_box(by_number.check_key(&numbers[k])).is_ok(), "the limit is not reached");
    };
    let fixed = clock();
    let ours_given = |k: usize| {
        let charge = [Charge::new(class, numbers[k])];
        assert!(black_box(limiter.check(black_box(fixed), &charge)).is_ok(), "the limit is not reached");
    };
    let [name, number, given, their_name, their_number] = race(
        rounds,
        OPS,
        [
            Contender::new(|n| each(n, ours_name)),
            Contender::new(|n| each(n, ours_number)),
            Contender::new(|n| each(n, ours_given)),
            Contender::new(|n| each(n, governor_name)),
            Contender::new(|n| each(n, governor_number)),
        ],
    );
    let what = "limit check, 10000 String keys / governor by String";
    table.row(what, time(name.ns()), time(their_name.ns()), name.over(&their_name), Target::AtMost(1.0));
    let what = "limit check, interned keys / governor by String";
    table.row(what, time(number.ns()), time(their_name.ns()), number.over(&their_name), Target::AtMost(1.0));
    let what = "limit check, interned keys, time passed in / governor by String";
    table.row(what, time(given.ns()), time(their_name.ns()), given.over(&their_name), Target::AtMost(1.0));
    let what = "limit check, interned keys / governor by u64";
    table.row(what, time(number.ns()), time(their_number.ns()), number.over(&their_number), Target::None);
    let [number, pair, their_number, their_pair] = race(
        rounds.div_ceil(16),
        PAIRED,
        [
            Contender::new(|n| each(n, ours_number)),
            Contender::new(|n| both(n, &ours_number)),
            Contender::new(|n| each(n, governor_number)),
            Contender::new(|n| both(n, &governor_number)),
        ],
    );
    let mut twice = |what: &str, one: &Measured, two: &Measured, target: Target| {
        table.row(what, rate(two.ns() / 2.0), rate(one.ns()), 2.0 / two.over(one), target);
    };
    twice("limit check: throughput of 2 threads / of 1", &number, &pair, Target::AtLeast(1.6));
    twice("governor by u64: throughput of 2 threads / of 1", &their_number, &their_pair, Target::None);
}

pub(crate) fn breaker(table: &mut Table, rounds: usize) {
    let atomic = AtomicU64::new(0);
    let breaker = Breaker::new(BreakerSettings::default()).expect("valid settings");
    let recloser = Recloser::default();
    let layer = CircuitBreakerLayer::builder().build().expect("valid settings");
    let mut service = layer.layer(tower::service_fn(|x: u64| std::future::ready(Ok::<u64, ()>(x))));
    let mut at = 1_000_000_000;
    let [floor, ours, other, resilience] = race(
        rounds,
        OPS,
        [
            Contender::new(|n| {
                for _ in 0..n {
                    black_box(atomic.fetch_add(1, Relaxed));
                }
            }),
            Contender::new(|n| {
                for _ in 0..n {
                    let permit = breaker.try_acquire(black_box(at)).expect("the breaker is closed");
                    at += 100;
                    permit.record(black_box(Verdict::Success), at);
                }
            }),
            Contender::new(|n| {
                for _ in 0..n {
                    let _ = black_box(recloser.call(|| black_box(Ok::<u64, ()>(1))));
                }
            }),
            Contender::new(|n| {
                for k in 0..n as u64 {
                    let ready = now(std::future::poll_fn(|cx| service.poll_ready(cx)));
                    assert!(ready.is_ok(), "the breaker is closed");
                    let _ = black_box(now(service.call(k)));
                }
            }),
        ],
    );
    let base = time(floor.ns());
    let what = "breaker, closed: check and record / one atomic fetch_add";
    table.row(what, time(ours.ns()), &base, ours.over(&floor), Target::AtMost(5.0));
    table.row("recloser / one atomic fetch_add", time(other.ns()), &base, other.over(&floor), Target::None);
    let what = "tower-resilience breaker / one atomic fetch_add";
    table.row(what, time(resilience.ns()), &base, resilience.over(&floor), Target::None);
}
