//! The body of an answer: bounded silence, errors of ours.

use std::error::Error as StdError;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use tokio::time::{Instant, Sleep};
use tool_connect_core::{Effect, Error, ErrorKind, Result};

/// Ends with an error where the inner stream is silent for too long or breaks off.
pub(super) struct Watched<S> {
    inner: Pin<Box<S>>,
    idle: Duration,
    /// Armed only while waiting.
    timer: Option<Pin<Box<Sleep>>>,
    ended: bool,
}

impl<S> Watched<S> {
    pub(super) fn new(inner: S, idle: Duration) -> Self {
        Self { inner: Box::pin(inner), idle, timer: None, ended: false }
    }
}

impl<S: Stream<Item = reqwest::Result<Bytes>>> Stream for Watched<S> {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        let this = &mut *self;
        if this.ended {
            return Poll::Ready(None);
        }
        match this.inner.as_mut().poll_next(cx) {
            Poll::Ready(Some(Ok(chunk))) => {
                this.timer = None;
                Poll::Ready(Some(Ok(chunk)))
            }
            Poll::Ready(Some(Err(error))) => {
                this.ended = true;
                Poll::Ready(Some(Err(broken(error))))
            }
            Poll::Ready(None) => {
                this.ended = true;
                Poll::Ready(None)
            }
            Poll::Pending => {
                let idle = this.idle;
                let timer = this
                    .timer
                    .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + idle)));
                if timer.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                this.ended = true;
                Poll::Ready(Some(Err(stalled(idle))))
            }
        }
    }
}

fn stalled(idle: Duration) -> Error {
    Error::new(
        ErrorKind::Transport,
        format!(
            "the answer's body stalled for {:.1} s; raise `idle` if the service is that slow",
            idle.as_secs_f64()
        ),
    )
    .effect(Effect::Unknown)
}

fn broken(error: reqwest::Error) -> Error {
    Error::new(ErrorKind::Transport, "the answer's body broke off before its end")
        .effect(Effect::Unknown)
        .caused_by(error.without_url())
}

/// The first cause of this type in an error's chain.
pub(super) fn cause<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(current) = next {
        if let Some(found) = current.downcast_ref::<T>() {
            return Some(found);
        }
        next = current.source();
    }
    None
}
