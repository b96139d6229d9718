//! What a closed breaker remembers of recent calls, counted without a lock.
//!
//! Each window keeps its parts (calls, or steps of time) and their sum. Every change is applied to both exactly once, in
//! whatever order threads run, so the sum is right again as soon as they are done.

use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering, fence};
use std::sync::{Mutex, PoisonError};

use super::observe::Counts;
use super::settings::Window;
use crate::clock::nanos;

pub(crate) const MOST_CALLS: u32 = 1 << 16;

/// One finished call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call {
    pub(crate) failed: bool,
    pub(crate) slow: bool,
}

#[derive(Debug)]
pub(crate) enum Recent {
    Calls(LastCalls),
    Time(LastTime),
}

impl Recent {
    pub(crate) fn new(window: Window) -> Self {
        match window {
            Window::Calls(calls) => Self::Calls(LastCalls::new(calls as usize)),
            Window::Time(time) => Self::Time(LastTime::new(nanos(time))),
        }
    }

    pub(crate) fn record(&self, call: Call, now: u64) -> Counts {
        match self {
            Self::Calls(calls) => calls.record(call),
            Self::Time(time) => time.record(call, now),
        }
    }

    /// The counts at `now`.
    pub(crate) fn counts(&self, now: u64) -> Counts {
        match self {
            Self::Calls(calls) => unpack(calls.sum.load(Ordering::Relaxed)),
            Self::Time(time) => {
                time.turn_to(now);
                time.read()
            }
        }
    }

    pub(crate) fn clear(&self) {
        match self {
            Self::Calls(calls) => calls.clear(),
            Self::Time(time) => time.clear(),
        }
    }
}

/// A ring of the last calls, one byte each; their sum is one number of three fields.
#[derive(Debug)]
pub(crate) struct LastCalls {
    ring: Box<[AtomicU8]>,
    next: AtomicUsize,
    sum: AtomicU64,
}

const PRESENT: u8 = 1;
const FAILED: u8 = 2;
const SLOW: u8 = 4;
const FIELD: u32 = 21;
/// Threads apply their changes in any order, so a field may be below its true value, by the number of threads, for a
/// moment. Fields start here so that it does not borrow from its neighbour.
const BIAS: u64 = 1 << 17;
const START: u64 = BIAS | BIAS << FIELD | BIAS << (2 * FIELD);

fn pack(call: u8) -> u64 {
    u64::from(call & PRESENT)
        | u64::from((call & FAILED) >> 1) << FIELD
        | u64::from((call & SLOW) >> 2) << (2 * FIELD)
}

fn unpack(sum: u64) -> Counts {
    let field = |number: u32| (sum >> (number * FIELD) & ((1 << FIELD) - 1)).saturating_sub(BIAS);
    Counts { calls: field(0), failures: field(1), slow: field(2) }
}

impl LastCalls {
    fn new(calls: usize) -> Self {
        Self {
            ring: (0..calls).map(|_| AtomicU8::new(0)).collect(),
            next: AtomicUsize::new(0),
            sum: AtomicU64::new(START),
        }
    }

    fn record(&self, call: Call) -> Counts {
        let new = PRESENT | if call.failed { FAILED } else { 0 } | if call.slow { SLOW } else { 0 };
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let Some(place) = self.ring.get(turn % self.ring.len()) else { return Counts::default() };
        let old = place.swap(new, Ordering::Relaxed);
        if old == new {
            return unpack(self.sum.load(Ordering::Relaxed));
        }
        let change = pack(new).wrapping_sub(pack(old));
        unpack(self.sum.fetch_add(change, Ordering::Relaxed).wrapping_add(change))
    }

    fn clear(&self) {
        for place in &self.ring {
            let old = place.swap(0, Ordering::Relaxed);
            self.sum.fetch_sub(pack(old), Ordering::Relaxed);
        }
    }
}

/// Sixteen steps of time and their sum.
#[derive(Debug)]
pub(crate) struct LastTime {
    steps: Box<[Tally]>,
    sum: Tally,
    /// The number of the current step, counted from the clock's zero.
    step: AtomicU64,
    /// The time at which the current step ends.
    edge: AtomicU64,
    width: u64,
    turning: Mutex<()>,
    /// Odd while steps are being forgotten: a sum that was read meanwhile may lack calls whose failures it still has.
    turns: AtomicU64,
}

const STEPS: usize = 16;

#[derive(Debug, Default)]
struct Tally {
    calls: AtomicU64,
    /// Failures in the high half, slow calls in the low half.
    bad: AtomicU64,
}

impl Tally {
    /// Failures are read before the calls that they belong to, as calls are added before their failures.
    fn counts(&self) -> Counts {
        let bad = self.bad.load(Ordering::Acquire);
        Counts {
            calls: self.calls.load(Ordering::Relaxed),
            failures: bad >> 32,
            slow: bad & u64::from(u32::MAX),
        }
    }
}

impl LastTime {
    fn new(time: u64) -> Self {
        Self {
            steps: (0..STEPS).map(|_| Tally::default()).collect(),
            sum: Tally::default(),
            step: AtomicU64::new(0),
            edge: AtomicU64::new(0),
            width: (time / STEPS as u64).max(1),
            turning: Mutex::new(()),
            turns: AtomicU64::new(0),
        }
    }

    fn record(&self, call: Call, now: u64) -> Counts {
        let step = self.turn_to(now);
        let bad = u64::from(call.failed) << 32 | u64::from(call.slow);
        let Some(part) = self.steps.get(step as usize % STEPS) else { return Counts::default() };
        // The sum first: what a step holds is always in the sum already, so taking a step out never goes below zero.
        self.sum.calls.fetch_add(1, Ordering::Relaxed);
        if bad != 0 {
            self.sum.bad.fetch_add(bad, Ordering::Release);
        }
        // In the step the failure first: whoever forgets the call has then seen its failure, too.
        if bad != 0 {
            part.bad.fetch_add(bad, Ordering::Relaxed);
        }
        part.calls.fetch_add(1, Ordering::Release);
        self.read()
    }

    /// The counts of one moment: never a failure without its call, for that would open a breaker that has no reason to.
    fn read(&self) -> Counts {
        let turns = self.turns.load(Ordering::Acquire);
        let counts = self.sum.counts();
        fence(Ordering::Acquire);
        if turns.is_multiple_of(2) && self.turns.load(Ordering::Relaxed) == turns {
            return counts;
        }
        let _guard = self.turning.lock().unwrap_or_else(PoisonError::into_inner);
        self.sum.counts()
    }

    /// Makes the step of `now` the current one and forgets those that fall out of the window. Returns the current step.
    fn turn_to(&self, now: u64) -> u64 {
        let edge = self.edge.load(Ordering::Acquire);
        if now < edge && edge - now <= self.width {
            return self.step.load(Ordering::Relaxed);
        }
        self.turn(now)
    }

    #[cold]
    fn turn(&self, now: u64) -> u64 {
        let _guard = self.turning.lock().unwrap_or_else(PoisonError::into_inner);
        let (current, wanted) = (self.step.load(Ordering::Relaxed), now / self.width);
        let steps = STEPS as u64;
        // A reading that is a little old counts into the current step; one from before the window means that the clock
        // was set back, and starts afresh.
        if wanted <= current && wanted + steps > current && self.edge.load(Ordering::Relaxed) != 0 {
            return current;
        }
        let stale = if wanted > current { (wanted - current).min(steps) } else { steps };
        self.forget((0..stale).map(|back| (wanted.wrapping_sub(back) % steps) as usize));
        self.step.store(wanted, Ordering::Relaxed);
        self.edge.store((wanted + 1).saturating_mul(self.width), Ordering::Release);
        wanted
    }

    /// Takes these steps out of the sum. Only for who holds `turning`.
    fn forget(&self, steps: impl Iterator<Item = usize>) {
        self.turns.fetch_add(1, Ordering::Relaxed);
        fence(Ordering::Release);
        for part in steps.filter_map(|index| self.steps.get(index)) {
            let calls = part.calls.swap(0, Ordering::Acquire);
            let bad = part.bad.swap(0, Ordering::Acquire);
            self.sum.calls.fetch_sub(calls, Ordering::Relaxed);
            self.sum.bad.fetch_sub(bad, Ordering::Relaxed);
        }
        self.turns.fetch_add(1, Ordering::Release);
    }

    fn clear(&self) {
        let _guard = self.turning.lock().unwrap_or_else(PoisonError::into_inner);
        self.forget(0..STEPS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: Call = Call { failed: false, slow: false };
    const BAD: Call = Call { failed: true, slow: false };
    const SLOW_CALL: Call = Call { failed: false, slow: true };

    #[test]
    fn the_ring_forgets_the_oldest_call() {
        let window = Recent::new(Window::Calls(3));
        window.record(BAD, 0);
        window.record(GOOD, 0);
        assert_eq!(window.record(SLOW_CALL, 0), Counts { calls: 3, failures: 1, slow: 1 });
        assert_eq!(window.record(GOOD, 0), Counts { calls: 3, failures: 0, slow: 1 });
        window.clear();
        assert_eq!(window.counts(0), Counts::default());
    }

    #[test]
    fn steps_fall_out_of_the_window_one_by_one() {
        let window = Recent::new(Window::Time(std::time::Duration::from_nanos(160)));
        for step in 0..16 {
            window.record(BAD, 1_000 + step * 10);
        }
        assert_eq!(window.counts(1_150).calls, 16);
        assert_eq!(window.counts(1_160).calls, 15);
        assert_eq!(window.counts(1_309).calls, 1);
        assert_eq!(window.counts(1_310), Counts::default());
    }

    #[test]
    fn a_clock_set_back_starts_the_window_afresh() {
        let window = Recent::new(Window::Time(std::time::Duration::from_nanos(160)));
        window.record(BAD, 10_000);
        assert_eq!(window.record(GOOD, 9_990).calls, 2);
        assert_eq!(window.record(GOOD, 1_000), Counts { calls: 1, failures: 0, slow: 0 });
    }

    #[test]
    fn sums_are_exact_after_many_threads() {
        for window in [Window::Calls(64), Window::Time(std::time::Duration::from_nanos(1_600))] {
            let recent = Recent::new(window);
            std::thread::scope(|scope| {
                for thread in 0..4_u64 {
                    let recent = &recent;
                    scope.spawn(move || {
                        for round in 0..20_000 {
                            let call = Call { failed: (round + thread) % 3 == 0, slow: round % 5 == 0 };
                            let counts = recent.record(call, round);
                            // The ring's sum is out by the calls in flight; the sum of steps never is.
                            let in_flight = if matches!(window, Window::Calls(_)) { 4 } else { 0 };
                            assert!(counts.failures <= counts.calls + in_flight, "{window:?}: {counts:?}");
                            if round % 1_000 == 0 {
                                recent.clear();
                            }
                        }
                    });
                }
            });
            let parts = match &recent {
                Recent::Calls(calls) => calls.ring.iter().fold(Counts::default(), |sum, place| {
                    let Counts { calls, failures, slow } =
                        unpack(START + pack(place.load(Ordering::Relaxed)));
                    Counts {
                        calls: sum.calls + calls,
                        failures: sum.failures + failures,
                        slow: sum.slow + slow,
                    }
                }),
                Recent::Time(time) => {
                    time.steps.iter().map(Tally::counts).fold(Counts::default(), |sum, part| Counts {
                        calls: sum.calls + part.calls,
                        failures: sum.failures + part.failures,
                        slow: sum.slow + part.slow,
                    })
                }
            };
            assert_eq!(recent.counts(20_000 - 1), parts);
        }
    }
}
