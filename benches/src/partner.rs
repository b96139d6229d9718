//! A second thread for samples of two.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

const ASLEEP: usize = 0;
const AWAKE: usize = 1;
const SHARING: usize = 2;
const GONE: usize = usize::MAX;
/// What a thread takes at a time of work that both share.
const PORTION: usize = 256;

/// It sleeps between its samples and is awake on a core of its own when one begins: some kernels leave a thread that was
/// just started on its parent's core for longer than a sample takes.
pub(crate) struct Partner<'a> {
    state: &'a AtomicUsize,
    /// What is left of the work that both share.
    left: &'a AtomicUsize,
    thread: Thread,
}

impl Partner<'_> {
    /// Runs `body` with a partner that does `work(n)` on demand.
    pub(crate) fn with<R>(work: impl Fn(usize) + Send, body: impl FnOnce(&Partner<'_>) -> R) -> R {
        let (state, left) = (&AtomicUsize::new(ASLEEP), &AtomicUsize::new(0));
        thread::scope(|scope| {
            let thread = scope.spawn(move || {
                loop {
                    match state.load(Ordering::Acquire) {
                        ASLEEP => thread::park(),
                        AWAKE => spin_loop(),
                        GONE => return,
                        SHARING => {
                            portions(left, &work);
                            state.store(AWAKE, Ordering::Release);
                        }
                        n => {
                            work(n - 3);
                            state.store(AWAKE, Ordering::Release);
                        }
                    }
                }
            });
            let partner = Partner { state, left, thread: thread.thread().clone() };
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

    /// Both do `n` each; returns when both are done.
    pub(crate) fn together(&self, n: usize, own: impl FnOnce()) {
        self.state.store(n + 3, Ordering::Release);
        own();
        self.wait();
    }

    /// Both do `2 * n` between them, in portions, so that neither is idle while a third thread holds the other one up.
    pub(crate) fn share(&self, n: usize, own: impl Fn(usize)) {
        self.left.store(2 * n, Ordering::Relaxed);
        self.state.store(SHARING, Ordering::Release);
        portions(self.left, own);
        self.wait();
    }

    fn wait(&self) {
        while self.state.load(Ordering::Acquire) != AWAKE {
            spin_loop();
        }
    }
}

/// Takes portions of what is left and works on them, until nothing is left.
fn portions(left: &AtomicUsize, work: impl Fn(usize)) {
    let take = || {
        left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            (left > 0).then(|| left.saturating_sub(PORTION))
        })
    };
    while let Ok(before) = take() {
        work(before.min(PORTION));
    }
}
