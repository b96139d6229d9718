//! Contenders measured in turns, so that the machine's noise falls on all of them.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use crate::alloc;

/// So many operations come before each sample, outside of its time.
const WARM: usize = 1_000;

/// One way to do the work.
pub(crate) struct Contender<'a> {
    run: Box<dyn FnMut(usize) + 'a>,
    before: Box<dyn FnMut() + 'a>,
    after: Box<dyn FnMut() + 'a>,
}

impl<'a> Contender<'a> {
    /// `run(n)` does the work `n` times.
    pub(crate) fn new(run: impl FnMut(usize) + 'a) -> Self {
        Self { run: Box::new(run), before: Box::new(|| ()), after: Box::new(|| ()) }
    }

    /// Prepares a sample, outside of its time.
    pub(crate) fn before(mut self, before: impl FnMut() + 'a) -> Self {
        self.before = Box::new(before);
        self
    }

    /// Tidies up after a sample, outside of its time.
    pub(crate) fn after(mut self, after: impl FnMut() + 'a) -> Self {
        self.after = Box::new(after);
        self
    }

    fn sample(&mut self, ops: usize) -> f64 {
        (self.before)();
        // Who ran before has other things in the caches; a sample is about the steady state.
        (self.run)(ops.min(WARM));
        let start = Instant::now();
        (self.run)(ops);
        let took = start.elapsed().as_nanos() as f64 / ops as f64;
        (self.after)();
        took
    }
}

/// How a contender did.
pub(crate) struct Measured {
    /// Nanoseconds of each round's sample, per operation.
    pub(crate) samples: Vec<f64>,
    /// Allocations per operation, on the thread that calls.
    pub(crate) allocations: f64,
}

impl Measured {
    /// The median, in nanoseconds per operation.
    pub(crate) fn ns(&self) -> f64 {
        median(self.samples.clone())
    }

    /// The median over the rounds of this one's time by the other's in the same round.
    pub(crate) fn over(&self, other: &Self) -> f64 {
        median(self.samples.iter().zip(&other.samples).map(|(a, b)| a / b).collect())
    }
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Runs all contenders in every round, each round beginning with another one.
pub(crate) fn race<const N: usize>(rounds: usize, ops: usize, mut all: [Contender<'_>; N]) -> [Measured; N] {
    let mut results = [(); N].map(|()| Measured { samples: Vec::new(), allocations: 0.0 });
    for (contender, result) in all.iter_mut().zip(&mut results) {
        contender.sample(ops);
        (contender.before)();
        let counted = ops.clamp(1, 1_000);
        let run = &mut contender.run;
        result.allocations = alloc::allocations(|| run(counted)) as f64 / counted as f64;
        (contender.after)();
    }
    for round in 0..rounds {
        for turn in 0..N {
            let place = (round + turn) % N;
            results[place].samples.push(all[place].sample(ops));
        }
    }
    results
}

/// The value of a future that needs no waiting. Polled directly: entering a runtime for each call would cost more than the
/// call.
pub(crate) fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the call waits for something; nothing here should"),
    }
}
