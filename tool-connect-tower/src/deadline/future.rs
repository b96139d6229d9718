//! A future with a time limit that costs nothing if the future is ready at once.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// The time was over before the future was ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the time limit of {:.3} s was reached before the work was done", limit.as_secs_f64())]
pub struct Elapsed {
    /// How long the future was allowed to take; from the moment of the first wait for a limit set by [`Deadline::at`].
    pub limit: Duration,
}

pin_project_lite::pin_project! {
    /// Runs a future until its time is over, then drops it.
    ///
    /// The future is polled first and the timer armed only when it has to wait, so a future that is ready at once pays
    /// nothing, and a result that is there always wins over the clock. A future that never yields cannot be stopped.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tool_connect_tower::Deadline;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let done = Deadline::within(async { 7 }, Duration::from_secs(1)).await;
    /// assert_eq!(done, Ok(7));
    ///
    /// let never = Deadline::within(std::future::pending::<()>(), Duration::from_secs(1)).await;
    /// assert_eq!(never.unwrap_err().limit, Duration::from_secs(1));
    /// # }
    /// ```
    #[derive(Debug)]
    #[must_use = "a future does nothing unless it is awaited"]
    pub struct Deadline<F> {
        #[pin]
        future: Option<F>,
        limit: Limit,
        // Boxed: it is large, futures are moved before they are polled, and most that need a timer wait for long.
        timer: Option<Pin<Box<Sleep>>>,
    }
}

#[derive(Debug, Clone, Copy)]
enum Limit {
    Within(Duration),
    At(Instant),
    Never,
}

impl<F> Deadline<F> {
    /// Stops the future `limit` after it first had to wait. What it computes before that is not counted, which saves a
    /// reading of the clock.
    pub fn within(future: F, limit: Duration) -> Self {
        Self { future: Some(future), limit: Limit::Within(limit), timer: None }
    }

    /// Stops the future at `end`.
    pub fn at(future: F, end: Instant) -> Self {
        Self { future: Some(future), limit: Limit::At(end), timer: None }
    }

    /// Never stops the future: for limits that are optional.
    pub fn never(future: F) -> Self {
        Self { future: Some(future), limit: Limit::Never, timer: None }
    }

    /// Stops the future after `limit` if there is one.
    pub fn maybe(future: F, limit: Option<Duration>) -> Self {
        match limit {
            Some(limit) => Self::within(future, limit),
            None => Self::never(future),
        }
    }
}

impl<F: Future> Future for Deadline<F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        // Gone once the deadline has answered.
        let Some(future) = this.future.as_mut().as_pin_mut() else { return Poll::Pending };
        if let Poll::Ready(output) = future.poll(cx) {
            this.future.set(None);
            return Poll::Ready(Ok(output));
        }
        if this.timer.is_none() {
            match *this.limit {
                Limit::Within(limit) => *this.timer = Some(Box::pin(tokio::time::sleep(limit))),
                Limit::At(end) => {
                    *this.limit = Limit::Within(end.saturating_duration_since(Instant::now()));
                    *this.timer = Some(Box::pin(tokio::time::sleep_until(end)));
                }
                Limit::Never => return Poll::Pending,
            }
        }
        let over = this.timer.as_mut().is_some_and(|timer| timer.as_mut().poll(cx).is_ready());
        if !over {
            return Poll::Pending;
        }
        // At once, not when the caller lets go of us: the work, down to its socket, ends here.
        this.future.set(None);
        *this.timer = None;
        let limit = if let Limit::Within(limit) = *this.limit { limit } else { Duration::ZERO };
        Poll::Ready(Err(Elapsed { limit }))
    }
}
