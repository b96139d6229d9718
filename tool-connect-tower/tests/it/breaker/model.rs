//! The breaker does what a state machine written in the plainest way does, over a million random events.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tool_connect_tower::Verdict;
use tool_connect_tower::breaker::{Breaker, BreakerSettings, BreakerState, Permit, Transition, Window};
use tool_connect_tower::retry::{Random, SplitMix};

use crate::support::{SECOND, pick};

use BreakerState::{Closed, ForcedClosed, ForcedOpen, HalfOpen, Open};

/// Every finished call is kept, every question answered by going through them.
struct Model {
    settings: BreakerSettings,
    state: BreakerState,
    /// Grows with each change of state; a permit is only good for the one that gave it.
    epoch: u64,
    /// When it ended, whether it failed, whether it was slow.
    calls: Vec<(u64, bool, bool)>,
    until: u64,
    times_open: i32,
    held: u32,
    changes: Vec<(BreakerState, BreakerState)>,
}

impl Model {
    fn new(settings: BreakerSettings) -> Self {
        let changes = Vec::new();
        Self {
            settings,
            state: Closed,
            epoch: 0,
            calls: Vec::new(),
            until: 0,
            times_open: 0,
            held: 0,
            changes,
        }
    }

    fn go(&mut self, to: BreakerState, now: u64) {
        self.changes.push((self.state, to));
        match to {
            Open => {
                self.times_open += 1;
                let grown = self.settings.open_for.as_secs_f64()
                    * self.settings.open_growth.powi(self.times_open - 1);
                let time = Duration::from_secs_f64(grown.min(self.settings.open_at_most.as_secs_f64()));
                self.until = now + u64::try_from(time.as_nanos()).expect("short");
            }
            HalfOpen => self.held = 0,
            _ => {}
        }
        self.calls.clear();
        self.state = to;
        self.epoch += 1;
    }

    fn acquire(&mut self, now: u64) -> bool {
        if self.state == Open && now >= self.until {
            self.go(HalfOpen, now);
        }
        let permits = self.settings.half_open_permits as usize;
        match self.state {
            Closed | ForcedClosed => true,
            Open | ForcedOpen => false,
            HalfOpen => {
                let free = self.held as usize + self.calls.len() < permits;
                self.held += u32::from(free);
                free
            }
        }
    }

    fn end(&mut self, epoch: u64, verdict: Verdict, start: u64, now: u64) {
        if epoch != self.epoch {
            return;
        }
        if self.state == HalfOpen {
            self.held -= 1;
        }
        if verdict == Verdict::Ignore || !matches!(self.state, Closed | HalfOpen) {
            return;
        }
        let slow = self.settings.slow_call.is_some_and(|least| u128::from(now - start) >= least.as_nanos());
        self.calls.push((now, verdict == Verdict::Failure, slow));
        if self.state == Closed {
            let (calls, failures, slow) = self.window(now);
            if calls >= u64::from(self.settings.minimum_calls) && self.too_many(calls, failures, slow) {
                self.go(Open, now);
            }
        } else {
            let (calls, failures, slow) = self.count(self.calls.iter());
            let permits = u64::from(self.settings.half_open_permits);
            let to_come = permits - calls;
            if self.too_many(permits, failures, slow) {
                self.go(Open, now);
            } else if !self.too_many(permits, failures + to_come, slow + to_come) {
                self.times_open = 0;
                self.go(Closed, now);
            }
        }
    }

    fn too_many(&self, calls: u64, failures: u64, slow: u64) -> bool {
        // Rates of the settings below are exact in percent.
        let percent = |rate: f64| (rate * 100.0).round() as u64;
        failures * 100 >= calls * percent(self.settings.failure_rate)
            || slow * 100 >= calls * percent(self.settings.slow_rate)
    }

    fn window(&self, now: u64) -> (u64, u64, u64) {
        match self.settings.window {
            Window::Calls(size) => self.count(self.calls.iter().rev().take(size as usize)),
            Window::Time(time) => {
                let step = u64::try_from(time.as_nanos()).expect("short") / 16;
                self.count(self.calls.iter().filter(|(at, ..)| at / step + 16 > now / step))
            }
        }
    }

    fn count<'a>(&self, calls: impl Iterator<Item = &'a (u64, bool, bool)>) -> (u64, u64, u64) {
        calls.fold((0, 0, 0), |(calls, failures, slow), call| {
            (calls + 1, failures + u64::from(call.1), slow + u64::from(call.2))
        })
    }
}

/// Runs `events` random events over breaker and model and compares all there is to see.
fn compare(settings: BreakerSettings, events: u32, seed: u64) -> usize {
    let heard: Arc<Mutex<Vec<Transition>>> = Arc::default();
    let ear = heard.clone();
    let observer = move |change: &Transition| ear.lock().expect("no panic").push(*change);
    let breaker = Breaker::new(settings.clone()).expect("valid").observed_by(Arc::new(observer), 42);
    let mut model = Model::new(settings);
    let random = SplitMix::seeded(seed);
    let mut now = SECOND;
    let mut permits: Vec<(Permit<&Breaker>, u64, u64)> = Vec::new();
    // Phases of health, so that the breaker opens and closes rather than hovers.
    let mut failing = 10;
    for event in 0..events {
        if pick(&random, 200) == 0 {
            failing = [2, 10, 45, 70, 95][usize::try_from(pick(&random, 5)).expect("small")];
        }
        now += match pick(&random, 20) {
            0 => pick(&random, 2 * SECOND),
            1..5 => 0,
            _ => pick(&random, SECOND / 50),
        };
        match pick(&random, 100) {
            0..=44 => {
                let granted = breaker.try_acquire(now);
                assert_eq!(granted.is_ok(), model.acquire(now), "event {event}: {granted:?}");
                if let Ok(permit) = granted {
                    permits.push((permit, model.epoch, now));
                }
            }
            45..=96 if !permits.is_empty() => {
                let index = usize::try_from(pick(&random, permits.len() as u64)).expect("few");
                let (permit, epoch, start) = permits.swap_remove(index);
                let verdict = match pick(&random, 100) {
                    0..6 => Verdict::Ignore,
                    roll if roll < 6 + failing => Verdict::Failure,
                    _ => Verdict::Success,
                };
                if verdict == Verdict::Ignore && pick(&random, 2) == 0 {
                    drop(permit);
                } else {
                    permit.record(verdict, now);
                }
                model.end(epoch, verdict, start, now);
            }
            99 if random.up_to(99) == 0 => {
                let (to, force): (_, fn(&Breaker, u64)) = if pick(&random, 2) == 0 {
                    (ForcedOpen, Breaker::force_open)
                } else {
                    (ForcedClosed, Breaker::force_closed)
                };
                force(&breaker, now);
                if model.state != to {
                    model.go(to, now);
                }
            }
            98 => {
                breaker.release(now);
                if matches!(model.state, ForcedOpen | ForcedClosed) {
                    model.times_open = 0;
                    model.go(Closed, now);
                }
            }
            _ => {}
        }
        let seen = breaker.snapshot(now);
        assert_eq!(seen.state, model.state, "event {event}");
        let (calls, failures, slow) = match model.state {
            Closed => model.window(now),
            _ => model.count(model.calls.iter()),
        };
        assert_eq!(
            (seen.counts.calls, seen.counts.failures, seen.counts.slow),
            (calls, failures, slow),
            "event {event}"
        );
        let wait = (model.state == Open).then(|| Duration::from_nanos(model.until.saturating_sub(now)));
        assert_eq!(seen.retry_after, wait, "event {event}");
        if model.calls.len() > 10_000 {
            model.calls.drain(..5_000);
        }
    }
    let heard = heard.lock().expect("no panic");
    assert_eq!(
        heard.iter().map(|change| (change.from, change.to)).collect::<Vec<_>>(),
        model.changes,
        "one event per transition"
    );
    assert!(
        heard.iter().enumerate().all(|(index, change)| change.number == index as u64 + 1 && change.key == 42)
    );
    model.changes.len()
}

#[test]
fn a_million_random_events_give_what_the_model_gives() {
    let base = BreakerSettings {
        open_for: Duration::from_secs(2),
        open_at_most: Duration::from_secs(20),
        minimum_calls: 5,
        slow_call: Some(Duration::from_millis(400)),
        ..BreakerSettings::default()
    };
    let kinds = [
        BreakerSettings { window: Window::Calls(20), ..base.clone() },
        BreakerSettings {
            window: Window::Calls(7),
            minimum_calls: 7,
            half_open_permits: 1,
            failure_rate: 1.0,
            ..base.clone()
        },
        BreakerSettings { window: Window::Time(Duration::from_secs(4)), open_growth: 2.0, ..base.clone() },
        BreakerSettings {
            window: Window::Time(Duration::from_millis(160)),
            minimum_calls: 1,
            half_open_permits: 10,
            failure_rate: 0.3,
            slow_call: None,
            ..base
        },
    ];
    for (seed, settings) in kinds.into_iter().enumerate() {
        let transitions = compare(settings, 250_000, seed as u64);
        assert!(transitions > 500, "only {transitions} transitions: the events exercise too little");
    }
}
