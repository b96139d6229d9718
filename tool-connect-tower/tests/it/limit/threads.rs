//! Exact counts, whatever threads do at the same time.

use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};

use tool_connect_tower::limit::Charge;
use tool_connect_tower::retry::SplitMix;
use tool_connect_tower::{Limit, Limiter};

use crate::support::{SECOND, pick};

const THREADS: u64 = 4;

fn run(work: impl Fn(u64) + Sync) {
    let start = Barrier::new(usize::try_from(THREADS).expect("few"));
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (start, work) = (&start, &work);
            scope.spawn(move || {
                start.wait();
                work(thread);
            });
        }
    });
}

fn hourly(burst: u32) -> Limit {
    Limit::per_hour(1).with_burst(burst).expect("in range")
}

#[test]
fn a_refused_decision_takes_nothing_from_any_of_its_keys() {
    let limiter = Limiter::new();
    let bursts = [1_900, 700, 1_200];
    let classes =
        bursts.map(|burst| limiter.define(&format!("burst of {burst}"), hourly(burst)).expect("room"));
    let taken = [const { AtomicU64::new(0) }; 3];
    run(|thread| {
        let random = SplitMix::seeded(thread);
        for _ in 0..3_000 {
            let [a, b, c] = [(); 3].map(|()| usize::try_from(pick(&random, 3)).expect("small"));
            let parts: &[usize] = match pick(&random, 4) {
                0 => &[a],
                1 => &[a, b],
                _ => &[a, b, c],
            };
            let charges: Vec<_> = parts.iter().map(|index| Charge::new(classes[*index], 7)).collect();
            if limiter.check(SECOND, &charges).is_ok() {
                for index in parts {
                    taken[*index].fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    });
    for ((class, burst), taken) in classes.iter().zip(bursts).zip(&taken) {
        let taken = taken.load(Ordering::Relaxed);
        let left = limiter.peek(SECOND, *class, 7).expect("known").remaining();
        assert_eq!(taken + left, u64::from(burst), "permits were lost or made");
    }
    assert_eq!(taken[1].load(Ordering::Relaxed), 700, "the smallest burst is given out to the last permit");
}

#[test]
fn each_of_many_new_keys_gives_its_burst_exactly_while_the_table_grows() {
    const KEYS: u64 = 20_000;
    let limiter = Limiter::new();
    let class = limiter.define("each", hourly(3)).expect("room");
    let shared = limiter.define("all", hourly(100_000)).expect("room");
    let admitted: Vec<_> = (0..KEYS).map(|_| AtomicU64::new(0)).collect();
    run(|thread| {
        for round in 0..2 {
            for key in 0..KEYS {
                let several = [Charge::new(class, key), Charge::new(shared, 0)];
                let charges = if (thread + round) % 2 == 0 { &several[..1] } else { &several[..] };
                if limiter.check(SECOND, charges).is_ok() {
                    admitted[usize::try_from(key).expect("small")].fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    });
    let wrong: Vec<_> =
        admitted.iter().map(|count| count.load(Ordering::Relaxed)).filter(|count| *count != 3).collect();
    assert_eq!(wrong, Vec::<u64>::new());
    assert_eq!(limiter.active_keys(class, SECOND), usize::try_from(KEYS).expect("small"));
}

#[test]
fn no_key_exceeds_burst_plus_rate_while_slots_change_hands() {
    // Room for some 500 keys, of which 3,000 take turns: slots change owners all the time.
    const KEYS: u64 = 3_000;
    const BURST: u64 = 2;
    const INTERVAL: u64 = 20_000;
    let limiter = Limiter::builder().max_keys(1).build();
    let limit = Limit::new(1, std::time::Duration::from_nanos(INTERVAL))
        .and_then(|limit| limit.with_burst(2))
        .expect("in range");
    let class = limiter.define("each", limit).expect("room");
    let clock = AtomicU64::new(SECOND);
    let admitted: Vec<_> = (0..KEYS).map(|_| AtomicU64::new(0)).collect();
    let passed = AtomicU64::new(0);
    run(|thread| {
        let random = SplitMix::seeded(thread);
        for _ in 0..150_000 {
            // Skewed, so that some keys stay at their limit while their neighbours come and go.
            let within = if pick(&random, 2) == 0 { 20 } else { KEYS };
            let key = pick(&random, within);
            let now = clock.fetch_add(7, Ordering::SeqCst);
            if limiter.check(now, &[Charge::new(class, key)]).is_ok() {
                admitted[usize::try_from(key).expect("small")].fetch_add(1, Ordering::Relaxed);
                passed.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    let elapsed = clock.load(Ordering::SeqCst) - SECOND;
    let most = BURST + elapsed / INTERVAL;
    for count in &admitted {
        assert!(count.load(Ordering::Relaxed) <= most, "{} of at most {most}", count.load(Ordering::Relaxed));
    }
    let hot: u64 = admitted[..20].iter().map(|count| count.load(Ordering::Relaxed)).sum();
    assert!(
        hot >= 20 * most * 9 / 10,
        "keys that always ask get nearly all they may: {hot} of {}",
        20 * most
    );
    assert!(passed.load(Ordering::Relaxed) > hot, "the others get through as well");
}

#[test]
fn decisions_in_opposite_orders_do_not_wait_for_each_other() {
    let limiter = Limiter::new();
    let class = limiter.define("each", Limit::per_second(1_000_000)).expect("room");
    let other = limiter.define("other", Limit::per_second(1_000_000)).expect("room");
    run(|thread| {
        for round in 0..20_000 {
            let mut charges =
                [Charge::new(class, 1), Charge::new(other, 2), Charge::new(class, 3), Charge::new(class, 1)];
            charges.rotate_left(usize::try_from((thread + round) % 4).expect("small"));
            // That it returns at all is what is tested.
            let _ = limiter.check(SECOND + round * 1_000, &charges);
        }
    });
    assert!(limiter.active_keys(class, SECOND + 20_000_000) > 0);
}
