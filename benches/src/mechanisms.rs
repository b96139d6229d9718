//! The limiter beside governor, the breaker beside an atomic and other crates' breakers.

use std::hint::black_box;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use governor::clock::{Clock, QuantaClock, Reference};
use governor::{Quota, RateLimiter};
use recloser::Recloser;
use tool_connect_tower::limit::Charge;
use tool_connect_tower::{Breaker, BreakerSettings, Limit, Limiter, Verdict, hash_key};
use tower::{Layer, Service};
use tower_resilience::circuitbreaker::CircuitBreakerLayer;

use crate::partner::Partner;
use crate::race::{Contender, Measured, now, race};
use crate::table::{Table, Target, rate, time};

const KEYS: usize = 10_000;
/// Short samples: on a busy machine most of them end before somebody else's turn.
const OPS: usize = 10_000;
/// Samples of two threads, long beside the handing over of the work.
const PAIRED: usize = 400_000;
/// Never refused, and never full again: every key stays in use, as it would under load.
const PER_SECOND: u32 = 100;
const BURST: u32 = 100_000_000;

/// Who uses which keys where two threads check.
#[derive(Clone, Copy)]
enum Keys {
    /// Each its own half, as two users of a service mostly do.
    Own,
    /// All of them, in opposite directions: nearly each was last written by the other core.
    Shared,
}

/// `check` by one thread, and by two.
fn one_and_two(rounds: usize, keys: Keys, check: &(impl Fn(usize) + Sync)) -> [Measured; 2] {
    let keys = match keys {
        Keys::Own => KEYS / 2,
        Keys::Shared => KEYS,
    };
    let ours = |n: usize| (0..n).for_each(|k| check(k * 7 % keys));
    let theirs = |n: usize| (0..n).for_each(|k| check(KEYS - 1 - k * 7 % keys));
    Partner::with(theirs, |partner| {
        let two = Contender::new(|n| partner.together(n, || ours(n)));
        let two = two.before(|| partner.wake()).after(|| partner.sleep());
        race(rounds, PAIRED, [Contender::new(ours), two])
    })
}

/// Work that shares nothing: what a second thread adds to it is the most that it can add to anything here.
fn unshared(k: usize) {
    let mut x = k as u64;
    for _ in 0..16 {
        x = black_box(x.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (x >> 31));
    }
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

    // Each reads a clock for each check, as governor does by itself, and all read governor's: the time stamp counter.
    let (source, instant) = (QuantaClock::default(), Instant::now());
    let start = source.now();
    let clock = || source.now().duration_since(start).as_u64();
    let system = || u64::try_from(instant.elapsed().as_nanos()).unwrap_or(u64::MAX);
    let ours_name = |k: usize| {
        let charge = [Charge::new(class, hash_key(names[k].as_str()))];
        assert!(black_box(limiter.check(clock(), &charge)).is_ok(), "the limit is not reached");
    };
    let ours_system = |k: usize| {
        let charge = [Charge::new(class, hash_key(names[k].as_str()))];
        assert!(black_box(limiter.check(system(), &charge)).is_ok(), "the limit is not reached");
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
    // All keys are used before each sample, so that none has left the cache, as under load.
    let [name, number, given, by_system, their_name, their_number] = race(
        rounds,
        OPS,
        [
            Contender::new(|n| each(n, ours_name)).before(|| each(KEYS, ours_name)),
            Contender::new(|n| each(n, ours_number)).before(|| each(KEYS, ours_number)),
            Contender::new(|n| each(n, ours_given)).before(|| each(KEYS, ours_given)),
            Contender::new(|n| each(n, ours_system)).before(|| each(KEYS, ours_system)),
            Contender::new(|n| each(n, governor_name)).before(|| each(KEYS, governor_name)),
            Contender::new(|n| each(n, governor_number)).before(|| each(KEYS, governor_number)),
        ],
    );
    // The others' keys have pushed these out.
    let [cold_name, cold_number, their_cold_name, their_cold_number] = race(
        rounds,
        OPS,
        [
            Contender::new(|n| each(n, ours_name)),
            Contender::new(|n| each(n, ours_number)),
            Contender::new(|n| each(n, governor_name)),
            Contender::new(|n| each(n, governor_number)),
        ],
    );
    let what = "limit check, 10000 String keys / governor by String";
    table.row(what, time(name.ns()), time(their_name.ns()), name.over(&their_name), Target::AtMost(1.0));
    let what = "limit check, String keys, std's Instant for the time / governor by String";
    table.row(what, time(by_system.ns()), time(their_name.ns()), by_system.over(&their_name), Target::None);
    let what = "limit check, interned keys / governor by String";
    table.row(what, time(number.ns()), time(their_name.ns()), number.over(&their_name), Target::AtMost(1.0));
    let what = "limit check, interned keys, time passed in / governor by String";
    table.row(what, time(given.ns()), time(their_name.ns()), given.over(&their_name), Target::AtMost(1.0));
    let what = "limit check, interned keys / governor by u64";
    table.row(what, time(number.ns()), time(their_number.ns()), number.over(&their_number), Target::None);
    let what = "limit check, 10000 String keys that left the cache / governor by String";
    let (ours, theirs) = (&cold_name, &their_cold_name);
    table.row(what, time(ours.ns()), time(theirs.ns()), ours.over(theirs), Target::None);
    let what = "limit check, interned keys that left the cache / governor by u64";
    let (ours, theirs) = (&cold_number, &their_cold_number);
    table.row(what, time(ours.ns()), time(theirs.ns()), ours.over(theirs), Target::None);
    let rounds = rounds.div_ceil(16);
    let [own, own_pair] = one_and_two(rounds, Keys::Own, &ours_number);
    let [shared, shared_pair] = one_and_two(rounds, Keys::Shared, &ours_number);
    let [their_own, their_own_pair] = one_and_two(rounds, Keys::Own, &governor_number);
    let [their_shared, their_shared_pair] = one_and_two(rounds, Keys::Shared, &governor_number);
    let [compute, two_compute] = one_and_two(rounds, Keys::Own, &unshared);
    let mut twice = |what: &str, one: &Measured, two: &Measured, target: Target| {
        let what = format!("{what}: throughput of 2 threads / of 1");
        table.row(&what, rate(two.ns() / 2.0), rate(one.ns()), 2.0 / two.over(one), target);
    };
    twice("limit check, each its own keys", &own, &own_pair, Target::AtLeast(1.6));
    twice("limit check, all keys shared", &shared, &shared_pair, Target::None);
    twice("governor by u64, each its own keys", &their_own, &their_own_pair, Target::None);
    twice("governor by u64, all keys shared", &their_shared, &their_shared_pair, Target::None);
    twice("work that shares nothing", &compute, &two_compute, Target::None);
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
