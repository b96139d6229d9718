//! The state machine of a breaker.
//!
//! State and number of transitions share one atomic, so a closed breaker is asked with one load, and a permit knows
//! whether the state that gave it still lasts. Transitions, and everything half-open, go through a lock.

use std::fmt;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::observe::{BreakerObserver, BreakerSnapshot, BreakerState, Counts, Open, Transition};
use super::probes::{Outlook, Probes};
use super::settings::{BreakerSettings, InvalidBreaker, Rules};
use super::window::{Call, Recent};
use crate::contract::Verdict;

/// A circuit breaker: closed while calls succeed, open when too many failed or were slow, half-open to try again.
///
/// Times are monotonic nanoseconds that the caller passes in. Asking a closed breaker and recording into it takes no lock.
///
/// ```
/// use tool_connect_tower::Verdict;
/// use tool_connect_tower::breaker::{Breaker, BreakerSettings, BreakerState, Window};
///
/// let settings = BreakerSettings { window: Window::Calls(4), minimum_calls: 2, half_open_permits: 1, ..Default::default() };
/// let breaker = Breaker::new(settings)?;
/// let second = 1_000_000_000;
///
/// for now in [second, 2 * second] {
///     breaker.try_acquire(now)?.record(Verdict::Failure, now + 1_000);
/// }
/// let open = breaker.try_acquire(3 * second).unwrap_err();
/// assert_eq!(open.retry_after.unwrap().as_secs(), 29);
///
/// let permit = breaker.try_acquire(40 * second)?; // half-open: one call tries
/// permit.record(Verdict::Success, 41 * second);
/// assert_eq!(breaker.state(), BreakerState::Closed);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Breaker {
    /// Transitions so far, above three bits of state.
    word: AtomicU64,
    /// When an open breaker lets calls try.
    until: AtomicU64,
    /// How long it stays open this time.
    open_for: AtomicU64,
    recent: Recent,
    rules: Rules,
    half_open: Mutex<Trial>,
    observer: Option<Arc<dyn BreakerObserver>>,
    key: u64,
}

/// What the lock guards.
#[derive(Debug, Default)]
struct Trial {
    probes: Probes,
    /// How often the breaker has opened since it was last closed.
    times_open: u32,
}

const STATE_BITS: u32 = 3;

fn state_of(word: u64) -> BreakerState {
    BreakerState::of(word & ((1 << STATE_BITS) - 1))
}

impl Breaker {
    /// A closed breaker.
    ///
    /// # Errors
    /// [`InvalidBreaker`] names the setting that is out of range.
    pub fn new(settings: BreakerSettings) -> Result<Self, InvalidBreaker> {
        Ok(Self::with_rules(settings.rules()?))
    }

    pub(crate) fn with_rules(rules: Rules) -> Self {
        Self {
            word: AtomicU64::new(0),
            until: AtomicU64::new(0),
            open_for: AtomicU64::new(0),
            recent: Recent::new(rules.window),
            rules,
            half_open: Mutex::default(),
            observer: None,
            key: 0,
        }
    }

    /// Tells `observer` about every transition, under the name `key`.
    #[must_use]
    pub fn observed_by(self, observer: Arc<dyn BreakerObserver>, key: u64) -> Self {
        Self { observer: Some(observer), key, ..self }
    }

    /// Asks for a permit at `now`.
    ///
    /// # Errors
    /// [`Open`] when the call must not be made.
    #[inline]
    pub fn try_acquire(&self, now: u64) -> Result<Permit<&Self>, Open> {
        Self::acquire(self, now)
    }

    /// Asks for a permit that keeps `breaker`, an `Arc` or a reference, with it.
    ///
    /// # Errors
    /// [`Open`] when the call must not be made.
    #[inline]
    pub fn acquire<P: Deref<Target = Self>>(breaker: P, now: u64) -> Result<Permit<P>, Open> {
        let word = breaker.word.load(Ordering::Acquire);
        let word = if state_of(word) == BreakerState::Closed {
            word
        } else {
            breaker.acquire_unless_open(word, now)?
        };
        Ok(Permit { breaker, word, start: now, settled: false })
    }

    /// The state. An open breaker whose time is over stays `Open` until somebody asks it for a permit.
    #[must_use]
    pub fn state(&self) -> BreakerState {
        state_of(self.word.load(Ordering::Acquire))
    }

    /// State and counts at `now`.
    #[must_use]
    pub fn snapshot(&self, now: u64) -> BreakerSnapshot {
        let trial = self.lock();
        let word = self.word.load(Ordering::Acquire);
        let state = state_of(word);
        let half_open = state == BreakerState::HalfOpen;
        let until = self.until.load(Ordering::Acquire);
        BreakerSnapshot {
            state,
            counts: match state {
                BreakerState::Closed => self.recent.counts(now),
                BreakerState::HalfOpen => trial.probes.seen,
                _ => Counts::default(),
            },
            retry_after: (state == BreakerState::Open)
                .then(|| Duration::from_nanos(until.saturating_sub(now))),
            permits_left: if half_open { trial.probes.left(&self.rules) } else { 0 },
            transitions: word >> STATE_BITS,
        }
    }

    /// Refuses every call until [`release`](Self::release).
    pub fn force_open(&self, now: u64) {
        self.force(BreakerState::ForcedOpen, now);
    }

    /// Lets every call pass, uncounted, until [`release`](Self::release).
    pub fn force_closed(&self, now: u64) {
        self.force(BreakerState::ForcedClosed, now);
    }

    /// Ends a forced state: closed, with nothing counted. Does nothing in any other state.
    pub fn release(&self, now: u64) {
        let mut trial = self.lock();
        if matches!(self.state(), BreakerState::ForcedOpen | BreakerState::ForcedClosed) {
            trial.times_open = 0;
            let change = self.change(&mut trial, BreakerState::Closed, Counts::default(), now);
            drop(trial);
            self.tell(change);
        }
    }

    fn force(&self, state: BreakerState, now: u64) {
        let mut trial = self.lock();
        if self.state() != state {
            let counts = self.counted(&trial, now);
            let change = self.change(&mut trial, state, counts, now);
            drop(trial);
            self.tell(change);
        }
    }

    /// The way of a call when the breaker is not closed.
    #[cold]
    fn acquire_unless_open(&self, word: u64, now: u64) -> Result<u64, Open> {
        if state_of(word) == BreakerState::Open {
            let until = self.until.load(Ordering::Acquire);
            let open_for = self.open_for.load(Ordering::Acquire);
            // Most calls on an open breaker end here, without the lock.
            if now < until && until - now <= open_for {
                return Err(open(BreakerState::Open, until - now));
            }
        }
        let mut trial = self.lock();
        let word = self.word.load(Ordering::Acquire);
        match state_of(word) {
            BreakerState::Closed | BreakerState::ForcedClosed => Ok(word),
            state @ BreakerState::ForcedOpen => Err(Open { state, retry_after: None }),
            state @ BreakerState::HalfOpen => {
                if trial.probes.take(&self.rules) {
                    Ok(word)
                } else {
                    Err(Open { state, retry_after: None })
                }
            }
            BreakerState::Open => {
                let open_for = self.open_for.load(Ordering::Relaxed);
                let until = self.until.load(Ordering::Relaxed);
                if now < until {
                    // Further off than the whole open time: the clock was set back, so it starts again.
                    let left = (until - now).min(open_for);
                    self.until.store(now.saturating_add(left), Ordering::Release);
                    return Err(open(BreakerState::Open, left));
                }
                let change = self.change(&mut trial, BreakerState::HalfOpen, Counts::default(), now);
                trial.probes.take(&self.rules);
                let word = self.word.load(Ordering::Relaxed);
                drop(trial);
                self.tell(change);
                Ok(word)
            }
        }
    }

    #[inline]
    fn record(&self, word: u64, verdict: Verdict, start: u64, end: u64) {
        let failed = match verdict {
            Verdict::Success => false,
            Verdict::Failure => true,
            Verdict::Ignore => return self.give_back(word),
        };
        let slow = end.saturating_sub(start) >= self.rules.slow_after;
        // A permit of a state that has ended says nothing about the present one.
        if self.word.load(Ordering::Acquire) != word {
            return;
        }
        match state_of(word) {
            BreakerState::Closed => {
                let Counts { calls, failures, slow } = self.recent.record(Call { failed, slow }, end);
                if self.rules.trips(calls, failures, slow) {
                    self.trip(word, end);
                }
            }
            BreakerState::HalfOpen => self.record_probe(word, failed, slow, end),
            _ => {}
        }
    }

    #[cold]
    fn trip(&self, word: u64, now: u64) {
        let mut trial = self.lock();
        let counts = self.recent.counts(now);
        // Again under the lock: another thread may have been first, or have recorded a success meanwhile.
        if self.word.load(Ordering::Acquire) == word
            && self.rules.trips(counts.calls, counts.failures, counts.slow)
        {
            let change = self.change(&mut trial, BreakerState::Open, counts, now);
            drop(trial);
            self.tell(change);
        }
    }

    #[cold]
    fn record_probe(&self, word: u64, failed: bool, slow: bool, now: u64) {
        let mut trial = self.lock();
        if self.word.load(Ordering::Acquire) != word {
            return;
        }
        let next = match trial.probes.record(failed, slow, &self.rules) {
            Outlook::Undecided => return,
            Outlook::Recovered => BreakerState::Closed,
            Outlook::Failing => BreakerState::Open,
        };
        if next == BreakerState::Closed {
            trial.times_open = 0;
        }
        let counts = trial.probes.seen;
        let change = self.change(&mut trial, next, counts, now);
        drop(trial);
        self.tell(change);
    }

    /// A call ended without a verdict.
    #[inline]
    fn give_back(&self, word: u64) {
        if state_of(word) == BreakerState::HalfOpen {
            let mut trial = self.lock();
            if self.word.load(Ordering::Acquire) == word {
                trial.probes.give_back();
            }
        }
    }

    fn counted(&self, trial: &Trial, now: u64) -> Counts {
        match self.state() {
            BreakerState::Closed => self.recent.counts(now),
            BreakerState::HalfOpen => trial.probes.seen,
            _ => Counts::default(),
        }
    }

    /// Changes the state. Callers hold the lock, and tell the observer when they no longer do.
    fn change(&self, trial: &mut Trial, to: BreakerState, counts: Counts, now: u64) -> Transition {
        let word = self.word.load(Ordering::Relaxed);
        let from = state_of(word);
        let number = (word >> STATE_BITS) + 1;
        let mut open_for = None;
        match to {
            BreakerState::Open => {
                trial.times_open = trial.times_open.saturating_add(1);
                let time = self.rules.open_time(trial.times_open);
                self.open_for.store(time, Ordering::Release);
                self.until.store(now.saturating_add(time), Ordering::Release);
                open_for = Some(Duration::from_nanos(time));
            }
            BreakerState::HalfOpen => trial.probes = Probes::default(),
            BreakerState::Closed => self.recent.clear(),
            BreakerState::ForcedOpen | BreakerState::ForcedClosed => {}
        }
        self.word.store(number << STATE_BITS | to.code(), Ordering::Release);
        Transition { key: self.key, from, to, counts, at: now, open_for, number }
    }

    fn tell(&self, change: Transition) {
        if let Some(observer) = &self.observer {
            observer.on_transition(&change);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Trial> {
        self.half_open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn open(state: BreakerState, wait: u64) -> Open {
    Open { state, retry_after: Some(Duration::from_nanos(wait)) }
}

impl fmt::Debug for Breaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Breaker")
            .field("state", &self.state())
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}

/// Leave to make one call. Record how it ended; dropping it, as when the call is cancelled, counts as nothing and gives a
/// half-open permit back.
#[must_use = "a permit that is dropped at once counts nothing"]
#[derive(Debug)]
pub struct Permit<P: Deref<Target = Breaker>> {
    breaker: P,
    word: u64,
    start: u64,
    settled: bool,
}

impl<P: Deref<Target = Breaker>> Permit<P> {
    /// The call has ended at `end`. Slowness is judged by the time since the permit was acquired.
    #[inline]
    pub fn record(mut self, verdict: Verdict, end: u64) {
        self.settled = true;
        self.breaker.record(self.word, verdict, self.start, end);
    }

    /// When the permit was acquired.
    #[must_use]
    pub fn start(&self) -> u64 {
        self.start
    }
}

impl<P: Deref<Target = Breaker>> Drop for Permit<P> {
    #[inline]
    fn drop(&mut self) {
        if !self.settled {
            self.breaker.give_back(self.word);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_calls_that_trip_it_at_once_one_opens_it() {
        let settings = BreakerSettings { minimum_calls: 1, ..BreakerSettings::default() };
        let breaker = Breaker::new(settings).expect("valid");
        let word = breaker.word.load(Ordering::Acquire);
        breaker.recent.record(Call { failed: true, slow: false }, 1);
        // Both have seen the closed state and the failures.
        breaker.trip(word, 1);
        breaker.trip(word, 1);
        assert_eq!(breaker.snapshot(1).transitions, 1);
    }
}
