//! One limit for one thing, held by whoever owns that thing.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::answer::{Cause, Quota, Refused};
use super::gcra::{Rate, Step, reading};
use super::live::LiveLimit;
use super::settings::Limit;
use crate::clock::nanos;

/// A single rate limit without keys or lookups, which learns from what the other side says.
///
/// For something that the program holds anyway, such as a connection to a provider; [`Limiter`](super::Limiter) is for keys
/// that come and go. The limit can be replaced at any time, what is left can be lowered, and the whole cell can be told to
/// [hold off](Self::hold_off), as a Retry-After header asks.
///
/// ```
/// use std::time::Duration;
/// use tool_connect_tower::{Limit, limit::Cell};
///
/// let provider = Cell::new(Limit::per_second(10).with_burst(1)?);
/// let now = 5_000_000_000; // monotonic nanoseconds
/// assert!(provider.check(now, 1).is_ok());
/// let refused = provider.check(now, 1).unwrap_err();
/// assert_eq!(refused.retry_after(), Some(Duration::from_millis(100)));
///
/// provider.hold_off(now, Duration::from_secs(60)); // Retry-After: 60
/// let refused = provider.check(now + 1_000_000_000, 1).unwrap_err();
/// assert_eq!(refused.retry_after(), Some(Duration::from_secs(59)));
/// # Ok::<(), tool_connect_tower::limit::InvalidLimit>(())
/// ```
#[derive(Debug)]
pub struct Cell {
    limit: LiveLimit,
    tat: AtomicU64,
    /// The end of a time without permits, and the longest such time that was asked for.
    closed_until: AtomicU64,
    closed_for: AtomicU64,
}

impl Cell {
    /// A cell with its full burst.
    #[must_use]
    pub fn new(limit: Limit) -> Self {
        let [tat, closed_until, closed_for] = [const { AtomicU64::new(0) }; 3];
        Self { limit: LiveLimit::new(limit), tat, closed_until, closed_for }
    }

    /// Takes `cost` permits at `now` (monotonic nanoseconds) or none.
    ///
    /// # Errors
    /// [`Refused`] with the time to wait.
    #[inline]
    pub fn check(&self, now: u64, cost: u64) -> Result<Quota, Refused> {
        let now = reading(now);
        let rate = self.limit.rate();
        if let Some(wait) = self.closed(now) {
            return Err(self.refused(
                &rate,
                self.tat.load(Ordering::Relaxed),
                now,
                Some(wait),
                Cause::HeldOff,
            ));
        }
        let mut tat = self.tat.load(Ordering::Relaxed);
        loop {
            let (next, answer) = match rate.step(tat, now, cost) {
                Step::Admit(next) => (next, Ok(Quota::new(None, &rate, next, now))),
                Step::Refuse { tat: base, repaired, wait } => {
                    let cause = if wait.is_some() { Cause::Exhausted } else { Cause::CostAboveBurst };
                    let refused = self.refused(&rate, base, now, wait, cause);
                    if !repaired {
                        return Err(refused);
                    }
                    (base, Err(refused))
                }
            };
            match self.tat.compare_exchange_weak(tat, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return answer,
                Err(current) => tat = current,
            }
        }
    }

    /// Where the cell stands at `now`, without taking anything and whether or not it holds off.
    #[must_use]
    pub fn peek(&self, now: u64) -> Quota {
        let (now, rate) = (reading(now), self.limit.rate());
        match rate.step(self.tat.load(Ordering::Relaxed), now, 0) {
            Step::Admit(tat) | Step::Refuse { tat, .. } => Quota::new(None, &rate, tat, now),
        }
    }

    /// The limit as it is now.
    #[must_use]
    pub fn limit(&self) -> Limit {
        self.limit.get()
    }

    /// Replaces the limit. What was used stays used.
    pub fn set_limit(&self, limit: Limit) {
        self.limit.set(limit);
    }

    /// Lowers what is left to `remaining`, as the other side reports it in its headers. Never raises it.
    pub fn tighten(&self, now: u64, remaining: u64) {
        let tat = self.limit.rate().tat_for(reading(now), remaining);
        self.tat.fetch_max(tat, Ordering::Relaxed);
    }

    /// Gives no permits before `now + wait`. Does not shorten an earlier, longer wait.
    pub fn hold_off(&self, now: u64, wait: Duration) {
        let (now, wait) = (reading(now), nanos(wait));
        // Looks first, which mends an end that a later clock has left.
        if self.closed(now).is_none_or(|left| left < wait) {
            self.closed_for.fetch_max(wait, Ordering::Relaxed);
            self.closed_until.fetch_max(now.saturating_add(wait), Ordering::Release);
        }
    }

    /// How long the cell still holds off.
    #[inline]
    fn closed(&self, now: u64) -> Option<u64> {
        let until = self.closed_until.load(Ordering::Acquire);
        if until <= now {
            return None;
        }
        let (left, whole) = (until - now, self.closed_for.load(Ordering::Relaxed));
        if left > whole {
            // Further off than it ever was: the clock was set back, so the wait starts again.
            let again = now.saturating_add(whole);
            let _ = self.closed_until.compare_exchange(until, again, Ordering::Release, Ordering::Relaxed);
        }
        Some(left.min(whole))
    }

    #[cold]
    fn refused(&self, rate: &Rate, tat: u64, now: u64, wait: Option<u64>, cause: Cause) -> Refused {
        Refused { cause, name: None, key: 0, quota: Quota::new(None, rate, tat, now), wait }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn waits(cell: &Cell, now: u64) -> Option<u64> {
        cell.check(now, 0).err().and_then(|refused| refused.retry_after()).map(|wait| wait.as_secs())
    }

    #[test]
    fn holding_off_ends_and_is_not_shortened() {
        let cell = Cell::new(Limit::per_second(1_000));
        cell.hold_off(SECOND, Duration::from_secs(60));
        cell.hold_off(2 * SECOND, Duration::from_secs(1));
        assert_eq!(waits(&cell, 2 * SECOND), Some(59));
        assert_eq!(cell.check(2 * SECOND, 1).map_err(|why| why.cause()), Err(Cause::HeldOff));
        cell.hold_off(2 * SECOND, Duration::from_secs(90));
        assert_eq!(waits(&cell, 2 * SECOND), Some(90));
        assert_eq!(waits(&cell, 92 * SECOND), None);
    }

    #[test]
    fn a_clock_set_back_does_not_lengthen_it() {
        let cell = Cell::new(Limit::per_second(1));
        cell.hold_off(7_200 * SECOND, Duration::from_secs(60));
        assert_eq!(waits(&cell, 3_600 * SECOND), Some(60));
        assert_eq!(waits(&cell, 3_630 * SECOND), Some(30));
        assert_eq!(waits(&cell, 3_660 * SECOND), None);
    }

    #[test]
    fn limit_and_rest_follow_what_is_reported() {
        let cell = Cell::new(Limit::per_minute(60));
        cell.tighten(SECOND, 5);
        cell.tighten(SECOND, 50);
        assert_eq!((cell.peek(SECOND).remaining(), cell.peek(SECOND).reset().as_secs()), (5, 55));
        cell.set_limit(Limit::per_minute(120));
        assert_eq!((cell.limit(), cell.peek(SECOND).limit()), (Limit::per_minute(120), 120));
        assert_eq!(cell.peek(SECOND).remaining(), 10, "55 s of use at half a second each");
        cell.tighten(SECOND, u64::MAX);
        assert_eq!(cell.peek(SECOND).remaining(), 10);
    }
}
