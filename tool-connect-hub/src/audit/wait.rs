//! Whoever waits until a record is durable. They hear of it, or are asked to lead: to write what waits, for all.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::Poll;

use futures_util::task::AtomicWaker;
use tool_connect_core::{Clock, Error};

use super::queue::Queue;
use super::trail::gone;

/// So many nanoseconds a turn waits for company at most: a hundred and fifty microseconds.
const GATHER: u64 = 150_000;
/// After so many nanoseconds in which nobody came it waits no longer: fifteen microseconds.
const QUIET: u64 = 15_000;
/// So often it looks who has come, also where the clock stands still.
const LOOKS: u32 = 128;
/// Where nobody came so soon, it is tried again after so many turns at most.
const MAX_PAUSE: u32 = 31;

type Answer = Result<(), Arc<Error>>;

#[derive(Default)]
struct Wait {
    waker: AtomicWaker,
    answer: OnceLock<Answer>,
    asked: AtomicBool,
    left: AtomicBool,
}

/// Two ends: one stays with the record, one with its caller.
pub(super) fn pair() -> (Waiter, Waiting) {
    let wait = Arc::new(Wait::default());
    (Waiter(Arc::clone(&wait)), Waiting(wait))
}

/// Told when a record is durable, or why it is not.
pub(super) struct Waiter(Arc<Wait>);

impl Waiter {
    pub(super) fn answer(self, answer: Answer) {
        // Set once: this takes the only one who answers.
        let _ = self.0.answer.set(answer);
        self.0.waker.wake();
    }

    /// Who could lead, if they still wait.
    pub(super) fn candidate(&self) -> Option<Candidate> {
        (!self.0.left.load(Ordering::SeqCst)).then(|| Candidate(Arc::clone(&self.0)))
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        if self.0.answer.get().is_none() {
            let _ = self.0.answer.set(Err(Arc::new(gone())));
            self.0.waker.wake();
        }
    }
}

/// Somebody who waits and could lead.
pub(super) struct Candidate(Arc<Wait>);

impl Candidate {
    /// Asks them to; false where they have left meanwhile.
    pub(super) fn ask(&self) -> bool {
        self.0.asked.store(true, Ordering::SeqCst);
        self.0.waker.wake();
        // Who leaves looks in the other order, so that one of the two sees the other.
        !self.0.left.load(Ordering::SeqCst)
    }
}

/// The caller's end.
pub(super) struct Waiting(Arc<Wait>);

impl Waiting {
    pub(super) fn answered(&self) -> Option<Answer> {
        self.0.answer.get().cloned()
    }

    /// The answer, or `None` when it is asked to lead.
    pub(super) async fn next(&self) -> Option<Answer> {
        poll_fn(|context| {
            self.0.waker.register(context.waker());
            match self.answered() {
                Some(answer) => Poll::Ready(Some(answer)),
                None if self.0.asked.swap(false, Ordering::SeqCst) => Poll::Ready(None),
                None => Poll::Pending,
            }
        })
        .await
    }

    /// Goes away; whether it was asked to lead and did not hear of it.
    pub(super) fn leave(&self) -> bool {
        self.0.left.store(true, Ordering::SeqCst);
        self.0.asked.load(Ordering::SeqCst)
    }
}

/// Whether it is worth a moment to wait for company. Where an append let several go on, they are about to come back with
/// their next records, which then share an append instead of making two halves that take turns. Whoever is alone does not
/// wait. Nor does anybody where nobody comes back so soon, or where two halves are quicker: one comes back while the
/// other one is appended, which pays where coming back takes more than three fifths of an append. It is tried again, more and more rarely.
#[derive(Default)]
pub(super) struct Company {
    /// How many heard of the last append, and how many waited for the next one already.
    answered: usize,
    others: usize,
    /// How many nanoseconds an append takes, as the last ones did.
    append: u64,
    /// How many nanoseconds all take to come back, as the last ones did.
    back: u64,
    /// For so many turns nobody is waited for, and for how many it was the last time.
    pause: u32,
    last_pause: u32,
    /// The same for those who are followed.
    follow_pause: u32,
    last_follow_pause: u32,
}

/// Who came.
struct Arrivals {
    before: usize,
    now: usize,
    /// How many nanoseconds it took until the last one was there.
    took: u64,
}

impl Company {
    /// An append took so many nanoseconds.
    pub(super) fn appended(&mut self, took: u64) {
        self.append = average(self.append, took, 8);
    }

    /// So many go on, and so many wait for the next append already.
    pub(super) fn let_go(&mut self, answered: usize, others: usize) {
        (self.answered, self.others) = (answered, others);
        self.pause = self.pause.saturating_sub(1);
    }

    /// Whether the next turn will wait for somebody.
    pub(super) fn is_expected(&self) -> bool {
        self.answered >= 2 && self.pause == 0
    }

    /// Lets other tasks run, before an append, until all wait who went on, or nobody comes any more. `in_halves`: whether
    /// the store can be given an append while it is busy with another one.
    pub(super) async fn gather(&mut self, queue: &Queue, clock: &dyn Clock, in_halves: bool) {
        if !self.is_expected() {
            return;
        }
        let all = self.answered + self.others;
        let Arrivals { before, now, took } = arrivals(queue, clock, all, QUIET, GATHER).await;
        let many = now * 4 >= all * 3 || now.saturating_sub(before) * 4 >= self.answered;
        if now > before {
            // Of those who came to all of them.
            let (all, came) = (all as u64, (now - before) as u64);
            self.back = average(self.back, took.saturating_mul(all) / came, 4);
        }
        let quick = !in_halves || self.back / 3 <= self.append / 5;
        self.last_pause = if many && quick { 0 } else { (self.last_pause * 2 + 1).min(MAX_PAUSE) };
        self.pause = self.last_pause;
    }

    /// Lets other tasks run, while the store is busy, until all wait whom the append before let go on, or nobody comes any
    /// more, or the store is about to be done.
    pub(super) async fn follow(&mut self, queue: &Queue, clock: &dyn Clock) {
        self.follow_pause = self.follow_pause.saturating_sub(1);
        if self.answered == 0 || self.follow_pause > 0 {
            return;
        }
        // Longer than one looks for company: nobody waits for it.
        let limit = self.append / 2;
        let all = self.answered + self.others;
        let Arrivals { before, now, .. } = arrivals(queue, clock, all, limit, limit).await;
        let came = now >= all || now.saturating_sub(before) >= self.answered.div_ceil(4);
        self.last_follow_pause = if came { 0 } else { (self.last_follow_pause * 2 + 1).min(MAX_PAUSE) };
        self.follow_pause = self.last_follow_pause;
    }
}

/// A moving average over about so many values; 0 is none yet.
fn average(so_far: u64, value: u64, over: u64) -> u64 {
    if so_far == 0 { value } else { so_far - so_far / over + value / over }
}

/// Lets other tasks run until so many wait, or nobody came for `quiet` or none of them within `limit` nanoseconds.
async fn arrivals(queue: &Queue, clock: &dyn Clock, all: usize, quiet: u64, limit: u64) -> Arrivals {
    let (before, start) = (queue.awaited(), clock.monotonic());
    let (mut now, mut last) = (before, start);
    for _ in 0..LOOKS {
        if now >= all {
            break;
        }
        tokio::task::yield_now().await;
        let (came, time) = (queue.awaited(), clock.monotonic());
        if came > now {
            (now, last) = (came, time);
        }
        if time.saturating_sub(last) > quiet || time.saturating_sub(start) > limit {
            break;
        }
    }
    Arrivals { before, now, took: last.saturating_sub(start) }
}
