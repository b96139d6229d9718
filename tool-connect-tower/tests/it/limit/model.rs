//! The limiter does what a leaky bucket written in the plainest way does.

use std::collections::HashMap;
use std::time::Duration;

use proptest::prelude::*;
use tool_connect_tower::limit::{Cause, Charge, ClassId};
use tool_connect_tower::{Limit, Limiter};

/// Permits, period in nanoseconds, burst.
type Written = (u32, u64, u32);

/// A bucket that fills by a permit's time per permit and leaks a nanosecond per nanosecond.
#[derive(Default, Clone)]
struct Bucket {
    content: u128,
    at: u64,
}

struct Model {
    limits: Vec<Written>,
    buckets: HashMap<(usize, u64), Bucket>,
    admitted: HashMap<(usize, u64), Vec<(u64, u64)>>,
}

impl Model {
    fn interval(&self, class: usize) -> u128 {
        u128::from(self.limits[class].1.div_ceil(u64::from(self.limits[class].0)))
    }

    fn content(&self, class: usize, key: u64, now: u64) -> u128 {
        let bucket = self.buckets.get(&(class, key)).cloned().unwrap_or_default();
        bucket.content.saturating_sub(u128::from(now - bucket.at))
    }

    /// The longest wait, `Some(None)` for ever, or `None` if all pass.
    fn check(&mut self, now: u64, charges: &[(usize, u64, u64)]) -> Option<Option<u128>> {
        let mut sums: HashMap<(usize, u64), u64> = HashMap::new();
        for &(class, key, cost) in charges {
            *sums.entry((class, key)).or_default() += cost;
        }
        // What one charge alone lacks counts before sums do: the limiter looks at each before it adds them up.
        let single = charges.iter().map(|&(class, key, cost)| ((class, key), cost)).collect::<Vec<_>>();
        let summed = sums.iter().map(|(place, cost)| (*place, *cost)).collect::<Vec<_>>();
        for wanted in [&single, &summed] {
            let mut longest: Option<Option<u128>> = None;
            for &((class, key), cost) in wanted {
                let (room, need) = (
                    u128::from(self.limits[class].2) * self.interval(class),
                    u128::from(cost) * self.interval(class),
                );
                let after = self.content(class, key, now) + need;
                if cost > 0 && after > room {
                    let wait = (cost <= u64::from(self.limits[class].2)).then(|| after - room);
                    longest = match (longest, wait) {
                        (Some(None), _) | (_, None) => Some(None),
                        (Some(Some(other)), Some(wait)) => Some(Some(other.max(wait))),
                        (None, wait) => Some(wait),
                    };
                }
            }
            if longest.is_some() {
                return longest;
            }
        }
        for ((class, key), cost) in summed {
            let content = self.content(class, key, now) + u128::from(cost) * self.interval(class);
            self.buckets.insert((class, key), Bucket { content, at: now });
            self.admitted.entry((class, key)).or_default().push((now, cost));
        }
        None
    }

    fn remaining(&self, class: usize, key: u64, now: u64) -> u64 {
        let room = u128::from(self.limits[class].2) * self.interval(class);
        u64::try_from((room - self.content(class, key, now)) / self.interval(class)).expect("a burst fits")
    }
}

fn limits() -> impl Strategy<Value = Vec<Written>> {
    prop::collection::vec((1_u32..50, 1_u64..2_000_000_000, 1_u32..20), 3)
}

/// Time that passes, then classes, keys and costs.
type Step = (u64, Vec<(usize, u64, u64)>);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let charge = (0_usize..3, 0_u64..4, 0_u64..6);
    let pause = prop_oneof![3 => 0_u64..1_000, 3 => 0_u64..200_000_000, 1 => 0_u64..5_000_000_000];
    prop::collection::vec((pause, prop::collection::vec(charge, 1..9)), 1..200)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_decision_is_the_models(limits in limits(), steps in steps()) {
        let limiter = Limiter::new();
        let mut classes: Vec<ClassId> = Vec::new();
        for (index, &(permits, period, burst)) in limits.iter().enumerate() {
            let limit = Limit::new(permits, Duration::from_nanos(period)).and_then(|limit| limit.with_burst(burst)).expect("in range");
            classes.push(limiter.define(&format!("class {index}"), limit).expect("room"));
        }
        let mut model = Model { limits: limits.clone(), buckets: HashMap::new(), admitted: HashMap::new() };
        let mut now = 1_000;
        for (pause, wanted) in steps {
            now += pause;
            let charges: Vec<_> = wanted.iter().map(|&(class, key, cost)| Charge::new(classes[class], key).cost(cost)).collect();
            let expected = model.check(now, &wanted);
            match (limiter.check(now, &charges), expected) {
                (Ok(quota), None) => {
                    let least = wanted.iter().map(|&(class, key, _)| model.remaining(class, key, now)).min();
                    prop_assert_eq!(Some(quota.remaining()), least, "the answer is about the tightest key");
                }
                (Err(refused), Some(wait)) => {
                    prop_assert_eq!(refused.retry_after().map(|wait| wait.as_nanos()), wait);
                    prop_assert_eq!(refused.cause() == Cause::CostAboveBurst, wait.is_none());
                }
                (actual, expected) => prop_assert!(false, "limiter: {actual:?}, model: {expected:?}"),
            }
            for (class, id) in classes.iter().enumerate() {
                for key in 0..4 {
                    let quota = limiter.peek(now, *id, key).expect("a class of this limiter");
                    prop_assert_eq!(quota.remaining(), model.remaining(class, key, now), "a refusal leaves every key as it was");
                    prop_assert_eq!(quota.reset().as_nanos(), model.content(class, key, now));
                }
            }
        }
        // Over any interval of length t at most burst + rate × t, stated without the algorithm.
        for ((class, _), events) in &model.admitted {
            let (permits, period, burst) = limits[*class];
            for (first, &(start, _)) in events.iter().enumerate() {
                let mut sum = 0_u128;
                for &(end, cost) in &events[first..] {
                    sum += u128::from(cost);
                    let earned = u128::from(end - start) * u128::from(permits);
                    prop_assert!((sum - u128::from(burst).min(sum)) * u128::from(period) <= earned);
                }
            }
        }
    }
}
