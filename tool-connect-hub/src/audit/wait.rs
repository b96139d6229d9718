//! Whoever waits until a record is durable. They hear of it, or are asked to lead: to write what waits, for all.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::Poll;

use futures_util::task::AtomicWaker;
use tool_connect_core::{Clock, Error};

use super::queue::Queue;
use super::trail::gone;

/// So many nanoseconds a turn waits for company at most: fifty microseconds.
const GATHER: u64 = 50_000;
/// After so many nanoseconds in which nobody came it waits no longer: ten microseconds.
const QUIET: u64 = 10_000;
/// So often it looks who has come, also where the clock stands still.
const LOOKS: u32 = 128;
/// Where nobody came so soon, it is tried again after so many turns at most.
const MAX_PAUSE: u32 = 63;

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
/// wait, and where nobody comes back so soon (their tools take long) it is tried more and more rarely.
#[derive(Default)]
pub(super) struct Company {
    /// How many heard of the last append.
    answered: usize,
    /// For so many turns nobody is waited for, and for how many it was the last time.
    pause: u32,
    last_pause: u32,
}

impl Company {
    /// So many went on.
    pub(super) fn let_go(&mut self, answered: usize) {
        self.answered = answered;
        self.pause = self.pause.saturating_sub(1);
    }

    /// Whether the next turn will wait for somebody.
    pub(super) fn is_expected(&self) -> bool {
        self.answered >= 2 && self.pause == 0
    }

    /// Lets other tasks run until as many wait as went on, or nobody comes any more.
    pub(super) async fn gather(&mut self, queue: &Queue, clock: &dyn Clock) {
        if !self.is_expected() {
            return;
        }
        let (before, start) = (queue.awaited(), clock.monotonic());
        let (mut came, mut last) = (before, start);
        for _ in 0..LOOKS {
            if came >= self.answered {
                break;
            }
            tokio::task::yield_now().await;
            let (now, time) = (queue.awaited(), clock.monotonic());
            if now > came {
                (came, last) = (now, time);
            }
            if time.saturating_sub(last) > QUIET || time.saturating_sub(start) > GATHER {
                break;
            }
        }
        let fruitful = came >= self.answered || came.saturating_sub(before) >= self.answered / 4;
        self.last_pause = if fruitful { 0 } else { (self.last_pause * 2 + 1).min(MAX_PAUSE) };
        self.pause = self.last_pause;
    }
}
