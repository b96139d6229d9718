//! A counter of free places, and the permits that take one each.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use super::acquire::Acquire;

/// At most so many calls at once. Taking and releasing a permit is one atomic each while nobody waits.
///
/// ```
/// use tool_connect_tower::Concurrency;
///
/// let places = Concurrency::new(1);
/// let permit = places.try_acquire()?;
/// assert_eq!(places.try_acquire().unwrap_err().limit, 1);
/// drop(permit);
/// assert!(places.try_acquire().is_ok());
/// # Ok::<(), tool_connect_tower::concurrency::Busy>(())
/// ```
#[derive(Debug)]
pub struct Concurrency {
    limit: usize,
    free: AtomicUsize,
    waiting: AtomicUsize,
    freed: Arc<Notify>,
}

/// All places are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("all {limit} places for calls at once are taken{}; try again when one of them has ended", after(*waited))]
pub struct Busy {
    /// How many calls are let in at once.
    pub limit: usize,
    /// How long the call was ready to wait for a place.
    pub waited: Duration,
}

fn after(waited: Duration) -> String {
    if waited.is_zero() {
        String::new()
    } else {
        format!(" and none became free within {:.3} s", waited.as_secs_f64())
    }
}

impl Concurrency {
    /// Lets `limit` calls in at once; zero lets none in.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit, free: AtomicUsize::new(limit), waiting: AtomicUsize::new(0), freed: Arc::default() }
    }

    /// Takes a place if one is free.
    ///
    /// # Errors
    /// [`Busy`] if none is.
    pub fn try_acquire(&self) -> Result<ConcurrencyPermit<&Self>, Busy> {
        Self::try_acquire_from(self)
    }

    /// Takes a place with a permit that keeps `places`, an `Arc` or a reference, with it.
    ///
    /// # Errors
    /// [`Busy`] if none is free.
    pub fn try_acquire_from<P: Deref<Target = Self>>(places: P) -> Result<ConcurrencyPermit<P>, Busy> {
        if places.take() { Ok(ConcurrencyPermit { places }) } else { Err(places.busy(Duration::ZERO)) }
    }

    /// Takes a place, waiting at most `budget` for one. Waiters are woken in order, but a call that arrives just as a place
    /// becomes free may be faster.
    pub fn acquire(&self, budget: Duration) -> Acquire<&Self> {
        Acquire::new(self, budget)
    }

    /// Waits like [`acquire`](Self::acquire), with a permit that keeps `places` with it.
    pub fn acquire_from<P: Deref<Target = Self> + Clone>(places: P, budget: Duration) -> Acquire<P> {
        Acquire::new(places, budget)
    }

    /// How many calls are let in at once.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// How many more could come in now.
    #[must_use]
    pub fn available(&self) -> usize {
        self.free.load(Ordering::Relaxed)
    }

    pub(super) fn take(&self) -> bool {
        self.free.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |free| free.checked_sub(1)).is_ok()
    }

    pub(super) fn busy(&self, waited: Duration) -> Busy {
        Busy { limit: self.limit, waited }
    }

    pub(super) fn freed(&self) -> &Arc<Notify> {
        &self.freed
    }

    // A waiter counts itself before it looks for a place, and a place is freed before the waiters are looked at, all
    // sequentially consistent: one of the two always sees the other.
    pub(super) fn begin_waiting(&self) {
        self.waiting.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn end_waiting(&self) {
        self.waiting.fetch_sub(1, Ordering::SeqCst);
    }

    fn release(&self) {
        self.free.fetch_add(1, Ordering::SeqCst);
        if self.waiting.load(Ordering::SeqCst) > 0 {
            self.freed.notify_one();
        }
    }
}

/// A place for one call, free again when dropped.
#[must_use = "a permit that is dropped at once limits nothing"]
#[derive(Debug)]
pub struct ConcurrencyPermit<P: Deref<Target = Concurrency>> {
    places: P,
}

impl<P: Deref<Target = Concurrency>> ConcurrencyPermit<P> {
    pub(super) fn new(places: P) -> Self {
        Self { places }
    }
}

impl<P: Deref<Target = Concurrency>> Drop for ConcurrencyPermit<P> {
    fn drop(&mut self) {
        self.places.release();
    }
}
