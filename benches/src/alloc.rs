//! A global allocator that counts, when asked: allocations of the calling thread, and live bytes of all.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed};

/// Counts while it is switched on; otherwise it costs one load.
pub(crate) struct Counting;

static ON: AtomicBool = AtomicBool::new(false);
static LIVE: AtomicI64 = AtomicI64::new(0);

thread_local! {
    static MADE: Cell<u64> = const { Cell::new(0) };
}

fn note(made: u64, bytes: i64) {
    if ON.load(Relaxed) {
        LIVE.fetch_add(bytes, Relaxed);
        // A thread that ends has no counter any more.
        let _ = MADE.try_with(|count| count.set(count.get() + made));
    }
}

#[allow(clippy::cast_possible_wrap)] // Layouts are smaller than isize::MAX.
fn bytes(size: usize) -> i64 {
    size as i64
}

// SAFETY: every call goes to the system's allocator unchanged; the counters do not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(1, bytes(layout.size()));
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(1, bytes(layout.size()));
        // SAFETY: as the caller promised.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(1, bytes(size) - bytes(layout.size()));
        // SAFETY: as the caller promised.
        unsafe { System.realloc(at, layout, size) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        note(0, -bytes(layout.size()));
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(at, layout) }
    }
}

/// Allocations that this thread makes in `work`.
pub(crate) fn allocations(work: impl FnOnce()) -> u64 {
    MADE.with(|count| count.set(0));
    ON.store(true, Relaxed);
    work();
    ON.store(false, Relaxed);
    MADE.with(Cell::get)
}

/// What `work` makes, and how many bytes it keeps. Nothing else may run meanwhile.
pub(crate) fn kept<T>(work: impl FnOnce() -> T) -> (T, i64) {
    LIVE.store(0, Relaxed);
    ON.store(true, Relaxed);
    let made = work();
    ON.store(false, Relaxed);
    (made, LIVE.load(Relaxed))
}
