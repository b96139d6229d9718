//! The provider's limit per connection: it starts with what the manifest says and is corrected by
//! what answers say.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tool_connect_core::{Rate, Result};
use tool_connect_tower::hash_key;
use tool_connect_tower::limit::Cell;

use super::RequestScope;
use super::rate_headers::Window;
use crate::limits::limit;

const SHARDS: usize = 16;
/// Connections per shard from which idle ones are dropped.
const MANY: usize = 1_024;
/// A connection that nobody used for so long (in nanoseconds) may be forgotten; its limit is then
/// learned anew.
const IDLE: u64 = 3_600_000_000_000;
/// Answers of one window name the same end, give or take this (in nanoseconds).
const SLACK: u64 = 2_000_000_000;

/// Which connection a request counts against.
#[derive(Clone, Copy, Debug)]
pub(super) struct LimitKey(u64);

impl LimitKey {
    /// Requests without a connection share the provider's limit for the host's address; those of a kind that the provider
    /// counts apart have a limit of their own.
    pub(super) fn of(cx: &RequestScope<'_>, kind: Option<&str>) -> Self {
        let owner = cx.connection.map(|connection| (cx.tenant.as_str(), connection.id.as_str()));
        Self(hash_key((cx.endpoint.identity(), cx.endpoint.instance.as_str(), owner, kind)))
    }
}

/// The limits of all connections.
#[derive(Default)]
pub(super) struct ProviderLimits {
    shards: [Mutex<HashMap<u64, State, foldhash::fast::RandomState>>; SHARDS],
}

#[derive(Default)]
struct State {
    /// What the manifest says.
    start: Option<(Rate, Cell)>,
    /// What the last answers said; times are monotonic nanoseconds.
    learned: Option<Learned>,
    /// Nothing before this, said the provider.
    closed_until: u64,
    used: u64,
}

struct Learned {
    remaining: u64,
    ends: u64,
}

impl ProviderLimits {
    /// Takes one request at `now`, or says how long to wait.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](tool_connect_core::ErrorKind::Config) where the manifest's rate cannot be used.
    pub(super) fn take(&self, key: LimitKey, rate: Option<Rate>, now: u64) -> Result<Result<(), Duration>> {
        self.with(key, now, |state| state.take(rate, now))
    }

    /// Corrects the limit by an answer's window.
    pub(super) fn learn(&self, key: LimitKey, window: Window, now: u64) {
        self.with(key, now, |state| state.learn(window, now));
    }

    /// The provider wants no request for so long.
    pub(super) fn close(&self, key: LimitKey, wait: Duration, now: u64) {
        let until = now.saturating_add(nanos(wait));
        self.with(key, now, |state| state.closed_until = state.closed_until.max(until));
    }

    fn with<T>(&self, key: LimitKey, now: u64, work: impl FnOnce(&mut State) -> T) -> T {
        let index = usize::try_from(key.0 % SHARDS as u64).unwrap_or(0);
        #[allow(clippy::indexing_slicing)] // A remainder of the length.
        let mut shard = self.shards[index].lock().unwrap_or_else(PoisonError::into_inner);
        if shard.len() >= MANY && !shard.contains_key(&key.0) {
            shard.retain(|_, state| now.saturating_sub(state.used) < IDLE || state.closed_until > now);
        }
        let state = shard.entry(key.0).or_default();
        state.used = now;
        work(state)
    }
}

impl State {
    fn take(&mut self, rate: Option<Rate>, now: u64) -> Result<Result<(), Duration>> {
        if self.closed_until > now {
            return Ok(Err(Duration::from_nanos(self.closed_until - now)));
        }
        if self.learned.as_ref().is_some_and(|learned| learned.ends <= now) {
            self.learned = None;
        }
        if let Some(learned) = self.learned.as_ref().filter(|learned| learned.remaining == 0) {
            return Ok(Err(Duration::from_nanos(learned.ends - now)));
        }
        if let Some(rate) = rate {
            if self.start.as_ref().is_none_or(|(known, _)| *known != rate) {
                self.start = Some((rate, Cell::new(limit(rate)?)));
            }
            if let Some((_, cell)) = &self.start
                && let Err(refused) = cell.check(now, 1)
            {
                return Ok(Err(refused.retry_after().unwrap_or(Duration::MAX)));
            }
        }
        if let Some(learned) = &mut self.learned {
            // Requests that are on their way are not in the last answer's count.
            learned.remaining -= 1;
        }
        Ok(Ok(()))
    }

    fn learn(&mut self, window: Window, now: u64) {
        let ends = now.saturating_add(nanos(window.reset));
        match &mut self.learned {
            // An answer that overtook another, or the same window again: the smaller count is right.
            Some(learned) if ends <= learned.ends.saturating_add(SLACK) => {
                learned.remaining = learned.remaining.min(window.remaining);
            }
            learned => *learned = Some(Learned { remaining: window.remaining, ends }),
        }
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;
    const KEY: LimitKey = LimitKey(7);

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_manifest_is_the_start() {
        let limits = ProviderLimits::default();
        let rate = Some(Rate::per_minute(2));
        assert_eq!(limits.take(KEY, rate, SECOND).expect("a rate"), Ok(()));
        assert_eq!(limits.take(KEY, rate, SECOND).expect("a rate"), Ok(()));
        assert_eq!(limits.take(KEY, rate, SECOND).expect("a rate"), Err(seconds(30)));
        assert_eq!(limits.take(LimitKey(8), rate, SECOND).expect("a rate"), Ok(()), "another connection");
        assert!(limits.take(KEY, Some(Rate::new(1, Duration::ZERO)), SECOND).is_err());
    }

    #[test]
    fn answers_correct_it() {
        let limits = ProviderLimits::default();
        limits.learn(KEY, Window { remaining: 1, reset: seconds(10) }, SECOND);
        assert_eq!(limits.take(KEY, None, SECOND).expect("no rate"), Ok(()));
        assert_eq!(limits.take(KEY, None, 2 * SECOND).expect("no rate"), Err(seconds(9)));
        // An older answer of the same window arrives late: it gives nothing back.
        limits.learn(KEY, Window { remaining: 5, reset: seconds(9) }, 2 * SECOND);
        assert!(limits.take(KEY, None, 2 * SECOND).expect("no rate").is_err());
        assert_eq!(limits.take(KEY, None, 11 * SECOND).expect("no rate"), Ok(()), "the window is over");
    }

    #[test]
    fn a_new_window_replaces_the_old_one() {
        let limits = ProviderLimits::default();
        limits.learn(KEY, Window { remaining: 0, reset: seconds(10) }, SECOND);
        limits.learn(KEY, Window { remaining: 3, reset: seconds(60) }, 2 * SECOND);
        assert_eq!(limits.take(KEY, None, 2 * SECOND).expect("no rate"), Ok(()));
    }

    #[test]
    fn retry_after_closes_and_opens_again() {
        let limits = ProviderLimits::default();
        limits.close(KEY, seconds(5), SECOND);
        limits.close(KEY, seconds(1), SECOND);
        assert_eq!(limits.take(KEY, None, SECOND).expect("no rate"), Err(seconds(5)));
        assert_eq!(limits.take(KEY, None, 6 * SECOND).expect("no rate"), Ok(()));
    }

    #[test]
    fn idle_connections_are_forgotten() {
        let limits = ProviderLimits::default();
        let many = (SHARDS * MANY * 2) as u64;
        for key in 0..many {
            limits.with(LimitKey(key), 0, |_| ());
        }
        for key in many..many + SHARDS as u64 {
            limits.with(LimitKey(key), 2 * IDLE, |_| ());
        }
        let left: usize = limits.shards.iter().map(|shard| shard.lock().expect("not poisoned").len()).sum();
        assert_eq!(left, SHARDS);
    }
}
