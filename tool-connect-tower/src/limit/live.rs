//! A limit that can change while it is used.

use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::sync::{Mutex, PoisonError};

use super::gcra::Rate;
use super::settings::Limit;

/// The limit as it was written, and as decisions read it.
#[derive(Debug)]
pub(crate) struct LiveLimit {
    rate: SharedRate,
    written: Mutex<Limit>,
}

impl LiveLimit {
    pub(crate) fn new(limit: Limit) -> Self {
        Self { rate: SharedRate::new(limit.rate()), written: Mutex::new(limit) }
    }

    #[inline]
    pub(crate) fn rate(&self) -> Rate {
        self.rate.load()
    }

    pub(crate) fn get(&self) -> Limit {
        *self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set(&self, limit: Limit) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        *written = limit;
        // Still under the lock: the sequence below has one writer at a time.
        self.rate.store(limit.rate());
    }
}

/// A [`Rate`] that readers take without a lock and never half old, half new (a sequence lock).
#[derive(Debug)]
struct SharedRate {
    /// Odd while a writer is at work.
    sequence: AtomicU64,
    interval: AtomicU64,
    burst: AtomicU64,
    period: AtomicU64,
}

impl SharedRate {
    fn new(rate: Rate) -> Self {
        Self {
            sequence: AtomicU64::new(0),
            interval: AtomicU64::new(rate.interval),
            burst: AtomicU64::new(rate.burst),
            period: AtomicU64::new(rate.period),
        }
    }

    #[inline]
    fn load(&self) -> Rate {
        loop {
            let before = self.sequence.load(Ordering::Acquire);
            let rate = Rate {
                interval: self.interval.load(Ordering::Relaxed),
                burst: self.burst.load(Ordering::Relaxed),
                period: self.period.load(Ordering::Relaxed),
            };
            fence(Ordering::Acquire);
            if before.is_multiple_of(2) && self.sequence.load(Ordering::Relaxed) == before {
                return rate;
            }
            std::hint::spin_loop();
        }
    }

    /// One caller at a time.
    fn store(&self, rate: Rate) {
        let before = self.sequence.load(Ordering::Relaxed);
        self.sequence.store(before.wrapping_add(1), Ordering::Relaxed);
        fence(Ordering::Release);
        self.interval.store(rate.interval, Ordering::Relaxed);
        self.burst.store(rate.burst, Ordering::Relaxed);
        self.period.store(rate.period, Ordering::Relaxed);
        self.sequence.store(before.wrapping_add(2), Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_never_read_half_changed() {
        let low = Rate { interval: 1, burst: 1, period: 1 };
        let high = Rate { interval: 2, burst: 2, period: 2 };
        let shared = SharedRate::new(low);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for round in 0..200_000 {
                    shared.store(if round % 2 == 0 { high } else { low });
                }
            });
            for _ in 0..200_000 {
                let seen = shared.load();
                assert!(seen == low || seen == high, "torn read: {seen:?}");
            }
        });
    }
}
