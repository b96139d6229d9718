//! The limiter in front of an ordinary HTTP service.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use http::{Request, Response, StatusCode};
use tool_connect_tower::limit::{Charge, ChargesOf, In, Refused};
use tool_connect_tower::{Everyone, KeyOf, Limit, Limiter, RateLimitLayer, hash_key};
use tower::{Layer, Service, ServiceExt};

use crate::support::{SECOND, server};

fn too_many(why: Refused) -> Result<Response<String>, Infallible> {
    let mut response = Response::new(why.to_string());
    *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    Ok(response)
}

fn request(tenant: &str) -> Request<String> {
    Request::get("/200").header("x-tenant", tenant).body(String::new()).expect("valid")
}

fn tenant(request: &Request<String>) -> Option<u64> {
    request.headers().get("x-tenant").map(hash_key)
}

#[tokio::test]
async fn a_server_that_cannot_fail_answers_429_and_the_request_stops_there() {
    let limiter = Limiter::new();
    let tenants = limiter.define("tenant", Limit::per_second(2)).expect("room");
    let all = limiter.define("all", Limit::per_second(3)).expect("room");
    let (seen, clock) = (Arc::new(AtomicU32::new(0)), AtomicU64::new(SECOND));
    // Over borrowed state: a plain reference is a pointer too.
    let layer = RateLimitLayer::new(&limiter, (In(tenants, tenant), In(all, Everyone)));
    let mut service =
        layer.refuse_with(too_many).clock(|| clock.load(Ordering::Relaxed)).layer(server(seen.clone()));
    let mut statuses = Vec::new();
    for tenant in ["acme", "acme", "acme", "other", "other"] {
        let response =
            service.ready().await.expect("infallible").call(request(tenant)).await.expect("infallible");
        statuses.push(response.status().as_u16());
    }
    assert_eq!(
        statuses,
        [200, 200, 429, 200, 429],
        "acme's own limit, then the one of all; acme's refusal took nothing from it"
    );
    assert_eq!(seen.load(Ordering::SeqCst), 3);
    clock.fetch_add(SECOND, Ordering::Relaxed);
    assert_eq!(service.call(request("acme")).await.expect("infallible").status(), StatusCode::OK);
}

/// An error that an application has anyway.
#[derive(Debug, PartialEq)]
enum AppError {
    Limited(Option<Duration>),
    Broken,
}

impl From<Refused> for AppError {
    fn from(why: Refused) -> Self {
        Self::Limited(why.retry_after())
    }
}

#[tokio::test]
async fn the_inner_error_survives_and_refusals_become_one_of_it() {
    let limiter = Limiter::shared();
    let all = limiter.define("all", Limit::per_minute(1)).expect("room");
    let inner = tower::service_fn(|_: Request<()>| async { Err::<Response<()>, _>(AppError::Broken) });
    let mut service = RateLimitLayer::new(limiter, In(all, Everyone)).clock(|| SECOND).layer(inner);
    assert_eq!(service.call(Request::new(())).await.unwrap_err(), AppError::Broken);
    assert_eq!(
        service.call(Request::new(())).await.unwrap_err(),
        AppError::Limited(Some(Duration::from_secs(60)))
    );
}

/// A request that knows its cost and when it came in.
struct Priced {
    cost: u64,
    at: u64,
}

#[derive(Clone)]
struct ByPrice;

impl KeyOf<Priced> for ByPrice {
    fn key(&self, _: &Priced) -> Option<u64> {
        Some(1)
    }

    fn cost(&self, request: &Priced) -> u64 {
        request.cost
    }

    fn now(&self, request: &Priced) -> Option<u64> {
        Some(request.at)
    }
}

#[tokio::test]
async fn cost_and_time_come_from_the_request_if_it_has_them() {
    let limiter = Limiter::shared();
    let all = limiter.define("all", Limit::per_second(10)).expect("room");
    let inner = tower::service_fn(|_: Priced| async { Ok::<_, Refused>(()) });
    let clock = || -> u64 { panic!("the request has the time") };
    let mut service = RateLimitLayer::new(limiter, (In(all, ByPrice),)).clock(clock).layer(inner);
    assert!(service.call(Priced { cost: 9, at: SECOND }).await.is_ok());
    assert!(service.call(Priced { cost: 2, at: SECOND }).await.is_err());
    assert!(service.call(Priced { cost: 2, at: SECOND + SECOND / 10 }).await.is_ok());
}

#[tokio::test]
async fn a_request_without_a_key_passes_and_many_keys_are_no_problem() {
    #[derive(Clone)]
    struct Twelve(tool_connect_tower::limit::ClassId);
    impl ChargesOf<u64> for Twelve {
        fn charges(&self, keys: &u64, add: &mut dyn FnMut(Charge)) {
            (0..*keys).for_each(|key| add(Charge::new(self.0, key)));
        }
    }
    let limiter = Limiter::shared();
    let class = limiter.define("each", Limit::per_hour(1)).expect("room");
    let inner = tower::service_fn(|_: u64| async { Ok::<_, Refused>(()) });
    let mut service = RateLimitLayer::new(limiter.clone(), Twelve(class)).clock(|| SECOND).layer(inner);
    assert!(service.call(0).await.is_ok());
    assert!(service.call(12).await.is_ok());
    assert_eq!(limiter.active_keys(class, SECOND), 12);
    assert_eq!(
        service.call(12).await.map_err(|why| why.cause()),
        Err(tool_connect_tower::limit::Cause::Exhausted)
    );
}

#[tokio::test(start_paused = true)]
async fn waiting_requests_pass_in_time_or_are_refused_at_once() {
    let limiter = Limiter::shared();
    let all = limiter.define("all", Limit::per_second(1)).expect("room");
    let seen = Arc::new(AtomicU32::new(0));
    let layer = RateLimitLayer::new(limiter, In(all, Everyone))
        .refuse_with(too_many)
        .wait(Duration::from_millis(2_500));
    let service = layer.layer(server(seen.clone()));
    let start = tokio::time::Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..5 {
        tasks.spawn(service.clone().oneshot(request("acme")));
    }
    let mut statuses: Vec<_> = tasks
        .join_all()
        .await
        .into_iter()
        .map(|response| response.expect("infallible").status().as_u16())
        .collect();
    statuses.sort_unstable();
    assert_eq!(
        statuses,
        [200, 200, 200, 429, 429],
        "one at once, one after a second, one after two; three would be too long"
    );
    assert_eq!(start.elapsed().as_secs(), 2);
    assert_eq!(seen.load(Ordering::SeqCst), 3);
}

#[tokio::test(start_paused = true)]
async fn a_waiting_request_that_is_dropped_takes_nothing() {
    let limiter = Limiter::shared();
    let all = limiter.define("all", Limit::per_second(1)).expect("room");
    let seen = Arc::new(AtomicU32::new(0));
    let service = RateLimitLayer::new(limiter, In(all, Everyone))
        .refuse_with(too_many)
        .wait(Duration::from_secs(9))
        .layer(server(seen.clone()));
    service.clone().oneshot(request("acme")).await.expect("infallible");
    let gave_up =
        tokio::time::timeout(Duration::from_millis(500), service.clone().oneshot(request("acme"))).await;
    assert!(gave_up.is_err());
    tokio::time::advance(Duration::from_millis(500)).await;
    let start = tokio::time::Instant::now();
    service.oneshot(request("acme")).await.expect("infallible");
    assert_eq!(start.elapsed(), Duration::ZERO, "the permit of this second is still there");
    assert_eq!(seen.load(Ordering::SeqCst), 2);
}
