//! A value handed from a thread to a future, once. `None` where the thread ended without one.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

struct Shared<T> {
    value: Option<T>,
    ended: bool,
    waker: Option<Waker>,
}

type Slot<T> = Arc<Mutex<Shared<T>>>;

/// The thread's end.
pub(crate) struct Giver<T>(Slot<T>);

/// The future's end.
pub(crate) struct Taker<T>(Slot<T>);

pub(crate) fn handover<T>() -> (Giver<T>, Taker<T>) {
    let slot = Arc::new(Mutex::new(Shared { value: None, ended: false, waker: None }));
    (Giver(Arc::clone(&slot)), Taker(slot))
}

impl<T> Giver<T> {
    /// Hands it over; it is dropped where nobody waits any more.
    pub(crate) fn give(self, value: T) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).value = Some(value);
    }
}

impl<T> Drop for Giver<T> {
    fn drop(&mut self) {
        let waker = {
            let mut shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            shared.ended = true;
            shared.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Future for Taker<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let mut shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if shared.ended {
            return Poll::Ready(shared.value.take());
        }
        shared.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poll<T>(taker: &mut Taker<T>) -> Poll<Option<T>> {
        Pin::new(taker).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn a_value_crosses_once() {
        let (giver, mut taker) = handover();
        assert_eq!(poll(&mut taker), Poll::Pending);
        std::thread::spawn(move || giver.give(7)).join().expect("the thread ends");
        assert_eq!(poll(&mut taker), Poll::Ready(Some(7)));
    }

    #[test]
    fn a_giver_that_ends_without_giving_ends_the_wait() {
        let (giver, mut taker) = handover::<u8>();
        drop(giver);
        assert_eq!(poll(&mut taker), Poll::Ready(None));
    }

    #[test]
    fn the_one_who_waits_is_woken() {
        struct Count(std::sync::atomic::AtomicU32);
        impl std::task::Wake for Count {
            fn wake(self: Arc<Self>) {
                self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            }
        }
        let woken = Arc::new(Count(std::sync::atomic::AtomicU32::new(0)));
        let (giver, mut taker) = handover();
        let waker = Waker::from(Arc::clone(&woken));
        assert_eq!(Pin::new(&mut taker).poll(&mut Context::from_waker(&waker)), Poll::Pending);
        giver.give("done");
        assert_eq!(woken.0.load(std::sync::atomic::Ordering::SeqCst), 1);
    }
}
