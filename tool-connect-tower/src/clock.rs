//! Where the layers read the time when the request does not carry a reading.

use std::sync::OnceLock;

/// A source of monotonic time in nanoseconds; the epoch is of no importance.
///
/// Every mechanism of this crate takes the time as a `u64`, so that a caller who has read the clock passes the reading on
/// and a test sets it. Only the layers, which have nobody to ask, hold a `Clock`.
///
/// A closure is a clock:
///
/// ```
/// use tool_connect_tower::Clock;
///
/// let fixed = || 42;
/// assert_eq!(Clock::now(&fixed), 42);
/// ```
pub trait Clock {
    /// Nanoseconds since the epoch of this clock.
    fn now(&self) -> u64;
}

impl<F: Fn() -> u64> Clock for F {
    fn now(&self) -> u64 {
        self()
    }
}

/// Tokio's monotonic clock: the operating system's, or the paused one of a test.
///
/// Works inside and outside a runtime.
#[derive(Debug, Clone, Copy, Default)]
pub struct Monotonic;

/// Where the clock starts: an hour above zero, because a paused clock may lag behind the moment that others started at.
const START: u64 = 3_600_000_000_000;

impl Clock for Monotonic {
    fn now(&self) -> u64 {
        static FIRST: OnceLock<std::time::Instant> = OnceLock::new();
        let now = tokio::time::Instant::now().into_std();
        // The real clock, not `now`: a runtime whose paused clock has run ahead must not become everybody's epoch.
        let first = *FIRST.get_or_init(std::time::Instant::now);
        let (ahead, behind) = (now.saturating_duration_since(first), first.saturating_duration_since(now));
        START.saturating_add(nanos(ahead)).saturating_sub(nanos(behind))
    }
}

/// A duration in nanoseconds, `u64::MAX` where it does not fit (584 years).
pub(crate) fn nanos(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn a_paused_clock_advances_exactly_even_if_it_lags_behind_the_real_one() {
        std::thread::scope(|scope| scope.spawn(|| Monotonic.now()).join().map(drop)).expect("no panic");
        let before = Monotonic.now();
        tokio::time::advance(Duration::from_nanos(1_234)).await;
        assert_eq!(Monotonic.now() - before, 1_234);
    }
}
