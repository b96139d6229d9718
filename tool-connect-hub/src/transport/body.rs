//! The body of an answer: bounded silence, errors of ours.

use std::error::Error as StdError;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use http_body::Body;
use tokio::time::{Instant, Sleep};
use tool_connect_core::{Effect, Error, ErrorKind, Result};

/// The bytes of a body; ends with an error where it is silent for too long or breaks off.
pub(super) struct Watched<B> {
    body: B,
    idle: Duration,
    /// Armed only while waiting.
    timer: Option<Pin<Box<Sleep>>>,
    ended: bool,
}

impl<B> Watched<B> {
    pub(super) fn new(body: B, idle: Duration) -> Self {
        Self { body, idle, timer: None, ended: false }
    }
}

impl<B> Stream for Watched<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: StdError + Send + Sync + 'static,
{
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        let this = &mut *self;
        while !this.ended {
            let item = match Pin::new(&mut this.body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(chunk) => {
                        this.timer = None;
                        return Poll::Ready(Some(Ok(chunk)));
                    }
                    // Trailers, which nobody asked for.
                    Err(_) => continue,
                },
                Poll::Ready(Some(Err(error))) => Some(Err(broken(error))),
                Poll::Ready(None) => None,
                Poll::Pending => {
                    let idle = this.idle;
                    let timer = this
                        .timer
                        .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + idle)));
                    if timer.as_mut().poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                    Some(Err(stalled(idle)))
                }
            };
            this.ended = true;
            return Poll::Ready(item);
        }
        Poll::Ready(None)
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

fn broken(error: impl StdError + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::Transport, "the answer's body broke off before its end")
        .effect(Effect::Unknown)
        .caused_by(error)
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
