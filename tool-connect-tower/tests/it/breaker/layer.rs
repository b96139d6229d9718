//! The breaker in front of an ordinary HTTP service.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use http::{Request, Response, StatusCode};
use tool_connect_tower::breaker::{Breaker, BreakerSettings, BreakerState, Open, Window};
use tool_connect_tower::{BreakerLayer, BreakerSet, KeyedBreakerLayer, ServerErrors, hash_key};
use tower::{Layer, Service, ServiceExt};

use crate::support::{SECOND, server};

fn settings() -> BreakerSettings {
    BreakerSettings {
        window: Window::Calls(2),
        minimum_calls: 2,
        failure_rate: 1.0,
        open_for: Duration::from_secs(10),
        half_open_permits: 1,
        ..BreakerSettings::default()
    }
}

fn unavailable(why: Open) -> Result<Response<String>, Infallible> {
    let mut response = Response::new(why.to_string());
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    Ok(response)
}

fn get(path: &str) -> Request<String> {
    Request::get(path).body(String::new()).expect("valid")
}

#[tokio::test]
async fn it_opens_on_server_errors_tries_again_and_closes() {
    let breaker = Breaker::new(settings()).expect("valid");
    let (seen, clock) = (Arc::new(AtomicU32::new(0)), AtomicU64::new(SECOND));
    let layer = BreakerLayer::new(&breaker).classify_with(ServerErrors).refuse_with(unavailable);
    let service = layer.clock(|| clock.load(Ordering::Relaxed)).layer(server(seen.clone()));
    let ask = |path: &'static str| {
        let service = service.clone();
        async move { service.oneshot(get(path)).await.expect("infallible").status().as_u16() }
    };
    for path in ["/401", "/404", "/429"] {
        ask(path).await;
    }
    assert_eq!(breaker.state(), BreakerState::Closed, "a bad token opens nothing");
    assert_eq!([ask("/500").await, ask("/502").await], [500, 502]);
    assert_eq!(ask("/200").await, 503);
    assert_eq!(seen.load(Ordering::SeqCst), 5, "an open breaker sends nothing");
    clock.fetch_add(10 * SECOND, Ordering::Relaxed);
    assert_eq!(ask("/200").await, 200);
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[tokio::test]
async fn a_dropped_call_gives_its_permit_back() {
    let breaker = Arc::new(Breaker::new(settings()).expect("valid"));
    let now = Arc::new(AtomicU64::new(SECOND));
    let clock = now.clone();
    let inner = tower::service_fn(|fail: bool| async move {
        if fail {
            return Err::<(), _>(Failed::Itself);
        }
        std::future::pending().await
    });
    let mut service =
        BreakerLayer::new(breaker.clone()).clock(move || clock.load(Ordering::Relaxed)).layer(inner);
    for _ in 0..2 {
        assert_eq!(service.call(true).await, Err(Failed::Itself), "the inner error survives");
    }
    assert_eq!(service.call(true).await, Err(Failed::Refused(Some(Duration::from_secs(10)))));
    now.store(20 * SECOND, Ordering::Relaxed);
    let mut trial = Box::pin(service.call(false));
    assert!(crate::support::poll_once(&mut trial).is_pending());
    assert_eq!(service.call(false).await, Err(Failed::Refused(None)), "its one permit is held");
    drop(trial);
    assert_eq!(breaker.snapshot(20 * SECOND).permits_left, 1);
}

#[derive(Debug, PartialEq)]
enum Failed {
    Itself,
    Refused(Option<Duration>),
}

impl From<Open> for Failed {
    fn from(open: Open) -> Self {
        Self::Refused(open.retry_after)
    }
}

#[tokio::test]
async fn each_host_has_its_own() {
    let breakers = Arc::new(BreakerSet::new(settings()).expect("valid"));
    let seen = Arc::new(AtomicU32::new(0));
    let by_host = |request: &Request<String>| request.uri().host().map(hash_key);
    let layer = KeyedBreakerLayer::new(breakers.clone(), by_host)
        .classify_with(ServerErrors)
        .refuse_with(unavailable);
    let mut service = layer.clock(|| SECOND).layer(server(seen.clone()));
    let mut ask = async |url: &str| {
        service.ready().await.expect("infallible").call(get(url)).await.expect("infallible").status().as_u16()
    };
    for url in ["http://a.test/500", "http://b.test/200", "http://a.test/500", "http://b.test/200"] {
        ask(url).await;
    }
    assert_eq!([ask("http://a.test/200").await, ask("http://b.test/200").await], [503, 200]);
    for _ in 0..5 {
        assert_eq!(ask("/500").await, 500, "a request without a key has no breaker");
    }
    assert_eq!(breakers.len(), 2);
}
