//! Waiting for a place.

use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::futures::OwnedNotified;
use tokio::time::Sleep;

use super::permits::{Busy, Concurrency, ConcurrencyPermit};

pin_project_lite::pin_project! {
    /// Waits for a place, made by [`Concurrency::acquire`]. Dropping it takes nothing.
    #[must_use = "a future does nothing unless it is awaited"]
    pub struct Acquire<P>
    where
        P: Deref<Target = Concurrency>,
    {
        places: P,
        budget: Duration,
        // Before `waiting`: a wake-up that comes to nothing goes on to the next waiter while we are still counted.
        #[pin]
        freed: Option<OwnedNotified>,
        waiting: Option<Waiting<P>>,
        #[pin]
        timer: Option<Sleep>,
    }
}

/// Counts as a waiter until dropped.
struct Waiting<P: Deref<Target = Concurrency>>(P);

impl<P: Deref<Target = Concurrency>> Drop for Waiting<P> {
    fn drop(&mut self) {
        self.0.end_waiting();
    }
}

impl<P: Deref<Target = Concurrency> + Clone> Acquire<P> {
    pub(super) fn new(places: P, budget: Duration) -> Self {
        Self { places, budget, freed: None, waiting: None, timer: None }
    }
}

impl<P: Deref<Target = Concurrency> + Clone> Future for Acquire<P> {
    type Output = Result<ConcurrencyPermit<P>, Busy>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if this.waiting.is_none() {
            if this.places.take() {
                return Poll::Ready(Ok(ConcurrencyPermit::new(this.places.clone())));
            }
            if this.budget.is_zero() {
                return Poll::Ready(Err(this.places.busy(Duration::ZERO)));
            }
            this.places.begin_waiting();
            *this.waiting = Some(Waiting(this.places.clone()));
        }
        loop {
            if this.freed.is_none() {
                this.freed.set(Some(this.places.freed().clone().notified_owned()));
            }
            let Some(mut freed) = this.freed.as_mut().as_pin_mut() else { return Poll::Pending };
            // In line first, then look: a place freed in between wakes us.
            freed.as_mut().enable();
            if this.places.take() {
                this.freed.set(None);
                *this.waiting = None;
                return Poll::Ready(Ok(ConcurrencyPermit::new(this.places.clone())));
            }
            if freed.poll(cx).is_pending() {
                break;
            }
            this.freed.set(None);
        }
        if this.timer.is_none() {
            this.timer.set(Some(tokio::time::sleep(*this.budget)));
        }
        match this.timer.as_mut().as_pin_mut().map(|timer| timer.poll(cx)) {
            Some(Poll::Ready(())) => {
                this.freed.set(None);
                *this.waiting = None;
                Poll::Ready(Err(this.places.busy(*this.budget)))
            }
            _ => Poll::Pending,
        }
    }
}
