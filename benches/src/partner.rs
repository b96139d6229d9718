//! A second thread for samples of two.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

const ASLEEP: usize = 0;
const AWAKE: usize = 1;
const GONE: usize = usize::MAX;

/// It sleeps between its samples and is awake on a core of its own when one begins: some kernels leave a thread that was
/// just started on its parent's core for longer than a sample takes.
pub(crate) struct Partner<'a> {
    state: &'a AtomicUsize,
    thread: Thread,
}

impl Partner<'_> {
    /// Runs `body` with a partner that does `work(n)` on demand.
    pub(crate) fn with<R>(work: impl Fn(usize) + Send, body: impl FnOnce(&Partner<'_>) -> R) -> R {
        let state = &AtomicUsize::new(ASLEEP);
        thread::scope(|scope| {
            let thread = scope.spawn(move || {
                loop {
                    match state.load(Ordering::Acquire) {
                        ASLEEP => thread::park(),
                        AWAKE => spin_loop(),
                        GONE => return,
                        n => {
                            work(n - 2);
                            state.store(AWAKE, Ordering::Release);
                        }
                    }
                }
            });
            let partner = Partner { state, thread: thread.thread().clone() };
            let result = body(&partner);
            partner.set(GONE);
            result
        })
    }

    fn set(&self, state: usize) {
        self.state.store(state, Ordering::Release);
        self.thread.unpark();
    }

    /// Wakes it and keeps both threads busy until the kernel has spread them.
    pub(crate) fn wake(&self) {
        self.set(AWAKE);
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(20) {
            spin_loop();
        }
    }

    /// Lets it sleep, so that the core is free.
    pub(crate) fn sleep(&self) {
        self.set(ASLEEP);
    }

    /// Both work; returns when both are done.
    pub(crate) fn together(&self, n: usize, own: impl FnOnce()) {
        self.state.store(n + 2, Ordering::Release);
        own();
        while self.state.load(Ordering::Acquire) != AWAKE {
            spin_loop();
        }
    }
}
