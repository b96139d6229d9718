//! Time limits: no timer before it is needed, no work after it is over.

use std::future::{pending, poll_fn, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use tool_connect_tower::deadline::Elapsed;
use tool_connect_tower::{Deadline, DeadlineLayer};
use tower::{Layer, ServiceExt};

use crate::support::poll_once;

#[test]
fn a_future_that_is_ready_arms_no_timer() {
    // Without a runtime, where arming one would panic.
    assert_eq!(
        poll_once(&mut Box::pin(Deadline::within(ready(1), Duration::from_secs(1)))),
        Poll::Ready(Ok(1))
    );
    let armed = std::panic::catch_unwind(|| {
        poll_once(&mut Box::pin(Deadline::within(pending::<()>(), Duration::from_secs(1)))).is_pending()
    });
    assert!(armed.is_err(), "and one that waits does arm it");
    assert!(poll_once(&mut Box::pin(Deadline::never(pending::<()>()))).is_pending());
}

#[tokio::test(start_paused = true)]
async fn the_limit_counts_from_the_first_wait_or_to_the_given_moment() {
    let start = tokio::time::Instant::now();
    let elapsed = Deadline::within(pending::<()>(), Duration::from_secs(3)).await;
    assert_eq!((elapsed, start.elapsed().as_secs()), (Err(Elapsed { limit: Duration::from_secs(3) }), 3));
    let end = start + Duration::from_secs(5);
    let elapsed = Deadline::at(pending::<()>(), end).await.expect_err("pending");
    assert_eq!((elapsed.limit.as_secs(), start.elapsed().as_secs()), (2, 5));
    assert!(Deadline::at(pending::<()>(), start).await.is_err(), "a moment that has passed");
    assert_eq!(Deadline::at(ready(7), start).await, Ok(7), "but a result that is there wins");
    assert!(elapsed.to_string().contains("2.000 s"), "{elapsed}");
}

#[tokio::test(start_paused = true)]
async fn a_result_that_comes_with_the_last_moment_wins() {
    let just = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        7
    };
    assert_eq!(Deadline::within(just, Duration::from_secs(1)).await, Ok(7));
}

struct Flag(Arc<AtomicBool>);

impl Drop for Flag {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn the_work_is_dropped_when_its_time_is_over_and_not_later() {
    let dropped = Arc::new(AtomicBool::new(false));
    let flag = Flag(dropped.clone());
    let work = async move {
        pending::<()>().await;
        drop(flag);
    };
    let mut limited = Box::pin(Deadline::within(work, Duration::from_secs(1)));
    assert!((&mut limited).await.is_err());
    assert!(dropped.load(Ordering::SeqCst), "the future of the deadline is still held");
    assert!(poll_once(&mut limited).is_pending(), "and says nothing more");
}

#[tokio::test(start_paused = true)]
async fn work_that_is_woken_often_keeps_its_first_limit() {
    let start = tokio::time::Instant::now();
    let mut ticks = tokio::time::interval(Duration::from_millis(300));
    let busy = poll_fn(move |cx| {
        while ticks.poll_tick(cx).is_ready() {}
        Poll::<()>::Pending
    });
    assert!(Deadline::within(busy, Duration::from_secs(1)).await.is_err());
    assert_eq!(start.elapsed().as_secs(), 1);
}

#[derive(Debug, PartialEq)]
enum Failed {
    Itself,
    Late(Duration),
}

impl From<Elapsed> for Failed {
    fn from(elapsed: Elapsed) -> Self {
        Self::Late(elapsed.limit)
    }
}

#[tokio::test(start_paused = true)]
async fn each_request_can_have_its_own_limit() {
    let inner = tower::service_fn(|seconds: u64| async move {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        Err::<(), _>(Failed::Itself)
    });
    let by_request = |seconds: &u64| (*seconds < 100).then_some(Duration::from_secs(5));
    let service = DeadlineLayer::new(by_request).layer(inner);
    assert_eq!(service.clone().oneshot(4).await, Err(Failed::Itself));
    assert_eq!(service.clone().oneshot(6).await, Err(Failed::Late(Duration::from_secs(5))));
    assert_eq!(service.oneshot(1_000).await, Err(Failed::Itself), "no limit for this one");
}
