//! How many calls are in progress: counted under threads, waited for, given back.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use http::{Request, Response, StatusCode};
use tool_connect_tower::concurrency::Busy;
use tool_connect_tower::{Concurrency, ConcurrencyLayer};
use tower::{Layer, Service, ServiceExt};

use crate::support::{poll_once, server};

#[test]
fn threads_never_hold_more_permits_than_there_are() {
    let places = Concurrency::new(3);
    let (inside, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..5_000 {
                    if let Ok(permit) = places.try_acquire() {
                        most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        std::hint::spin_loop();
                        inside.fetch_sub(1, Ordering::SeqCst);
                        drop(permit);
                    }
                }
            });
        }
    });
    assert!((1..=3).contains(&most.load(Ordering::SeqCst)));
    assert_eq!((places.available(), places.limit()), (3, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_waiter_gets_its_turn_however_releases_and_arrivals_interleave() {
    let places = Arc::new(Concurrency::new(2));
    let inside = Arc::new(AtomicUsize::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..200 {
        let (places, inside) = (places.clone(), inside.clone());
        tasks.spawn(async move {
            for round in 0..50 {
                let permit = Concurrency::acquire_from(places.clone(), Duration::from_secs(60))
                    .await
                    .expect("a lost wake-up");
                assert!(inside.fetch_add(1, Ordering::SeqCst) < 2);
                if (task + round) % 3 == 0 {
                    tokio::task::yield_now().await;
                }
                inside.fetch_sub(1, Ordering::SeqCst);
                drop(permit);
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(places.available(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_waiter_that_gives_up_after_being_woken_wakes_the_next() {
    let places = Concurrency::new(1);
    let held = places.try_acquire().expect("free");
    let mut first = Box::pin(places.acquire(Duration::from_secs(9)));
    let mut second = Box::pin(places.acquire(Duration::from_secs(9)));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(
        first.as_mut().poll(&mut context).is_pending() && second.as_mut().poll(&mut context).is_pending()
    );
    // The first in line is woken by this, and goes away without looking.
    drop(held);
    drop(first);
    let start = tokio::time::Instant::now();
    let _permit = second.await.expect("the place is free");
    assert_eq!(start.elapsed(), Duration::ZERO, "woken, not timed out");
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_with_the_budget() {
    let places = Concurrency::new(1);
    let held = places.try_acquire().expect("free");
    let start = tokio::time::Instant::now();
    let busy = places.acquire(Duration::from_secs(2)).await.map(|_| ()).expect_err("held all the time");
    assert_eq!((busy, start.elapsed().as_secs()), (Busy { limit: 1, waited: Duration::from_secs(2) }, 2));
    assert!(busy.to_string().contains("all 1 places") && busy.to_string().contains("2.000 s"), "{busy}");
    drop(held);
    assert!(places.acquire(Duration::ZERO).await.is_ok());
    assert!(Concurrency::new(0).try_acquire().is_err());
}

fn busy(_: Busy) -> Result<Response<String>, Infallible> {
    let mut response = Response::new(String::new());
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    Ok(response)
}

#[tokio::test]
async fn the_layer_counts_what_is_in_progress_and_a_dropped_call_is_not() {
    let places = Concurrency::new(1);
    let seen = Arc::new(AtomicU32::new(0));
    let mut service = ConcurrencyLayer::new(&places).refuse_with(busy).layer(server(seen.clone()));
    let first = service.call(Request::new(String::new()));
    let refused = service.call(Request::new(String::new())).await.expect("infallible");
    assert_eq!((refused.status().as_u16(), seen.load(Ordering::SeqCst)), (503, 1));
    drop(first);
    assert_eq!(places.available(), 1);
    assert_eq!(service.call(Request::new(String::new())).await.expect("infallible").status(), StatusCode::OK);
}

#[tokio::test]
async fn the_place_is_free_once_the_answer_is_there_even_if_its_future_is_kept() {
    let places = Arc::new(Concurrency::new(1));
    let mut service = ConcurrencyLayer::new(places.clone())
        .layer(tower::service_fn(|_: ()| std::future::ready(Ok::<_, Busy>(()))));
    let mut call = service.call(());
    assert!(poll_once(&mut call).is_ready());
    assert_eq!(places.available(), 1);
    drop(call);
    assert_eq!(places.available(), 1);
}

#[tokio::test(start_paused = true)]
async fn waiting_calls_follow_each_other() {
    let places = Arc::new(Concurrency::new(2));
    let inner = tower::service_fn(|_: u32| async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok::<_, Busy>(())
    });
    let service = ConcurrencyLayer::new(places.clone()).wait(Duration::from_millis(2_500)).layer(inner);
    let start = tokio::time::Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for call in 0..8 {
        tasks.spawn(service.clone().oneshot(call));
    }
    let results = tasks.join_all().await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 6, "two in each of three seconds");
    assert_eq!(start.elapsed().as_secs(), 3);
    assert_eq!(places.available(), 2);
}
