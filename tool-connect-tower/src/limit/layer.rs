//! The limiter in front of a tower service: a request that is over its limits is answered at once.

use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tower_layer::Layer;
use tower_service::Service;

use super::answer::Refused;
use super::keys::{Charges, ChargesOf};
use super::limiter::Limiter;
use super::wait::RateLimitWaitLayer;
use crate::answer::Answer;
use crate::clock::{Clock, Monotonic};
use crate::contract::{Refuse, ViaFrom};

/// Refuses requests that are over their limits, before the inner service sees them.
///
/// `K` finds the keys ([`ChargesOf`]), `P` points to the [`Limiter`] (an `Arc`, or a plain reference), `J` makes the
/// refusal ([`Refuse`]), `T` is the clock for requests that carry no reading.
///
/// ```
/// use std::convert::Infallible;
/// use http::{Request, Response, StatusCode};
/// use tool_connect_tower::{Limit, Limiter, RateLimitLayer, hash_key, limit::{In, Refused}};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let limiter = Limiter::shared();
/// let tenants = limiter.define("tenant", Limit::per_minute(1))?;
/// let by_tenant = |request: &Request<String>| request.headers().get("x-tenant").map(hash_key);
///
/// let service = ServiceBuilder::new()
///     .layer(RateLimitLayer::new(limiter, In(tenants, by_tenant)).refuse_with(|why: Refused| {
///         let mut response = Response::new(why.to_string());
///         *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
///         Ok::<_, Infallible>(response)
///     }))
///     .service(service_fn(|_: Request<String>| async { Ok(Response::new(String::from("done"))) }));
///
/// let request = || Request::get("/").header("x-tenant", "acme").body(String::new());
/// assert_eq!(service.clone().oneshot(request()?).await?.status(), StatusCode::OK);
/// assert_eq!(service.clone().oneshot(request()?).await?.status(), StatusCode::TOO_MANY_REQUESTS);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct RateLimitLayer<K, P = Arc<Limiter>, J = ViaFrom, T = Monotonic> {
    pub(super) limiter: P,
    pub(super) keys: K,
    pub(super) refuse: J,
    pub(super) clock: T,
}

impl<K, P> RateLimitLayer<K, P> {
    /// Limits what `keys` finds in each request by `limiter`.
    pub fn new(limiter: P, keys: K) -> Self {
        Self { limiter, keys, refuse: ViaFrom, clock: Monotonic }
    }
}

impl<K, P, J, T> RateLimitLayer<K, P, J, T> {
    /// Answers refused requests in another way than by `From<Refused>` of the service's error.
    pub fn refuse_with<J2>(self, refuse: J2) -> RateLimitLayer<K, P, J2, T> {
        RateLimitLayer { limiter: self.limiter, keys: self.keys, refuse, clock: self.clock }
    }

    /// Reads the time from `clock`.
    pub fn clock<T2>(self, clock: T2) -> RateLimitLayer<K, P, J, T2> {
        RateLimitLayer { limiter: self.limiter, keys: self.keys, refuse: self.refuse, clock }
    }

    /// Lets requests wait for their permits, each at most `budget`. The inner service must be `Clone` then.
    pub fn wait(self, budget: std::time::Duration) -> RateLimitWaitLayer<K, P, J, T> {
        RateLimitWaitLayer { layer: self, budget }
    }
}

impl<S, K: Clone, P: Clone, J: Clone, T: Clone> Layer<S> for RateLimitLayer<K, P, J, T> {
    type Service = RateLimit<S, K, P, J, T>;

    fn layer(&self, inner: S) -> Self::Service {
        RateLimit { inner, layer: self.clone() }
    }
}

/// The service that [`RateLimitLayer`] makes.
#[derive(Debug, Clone)]
pub struct RateLimit<S, K, P = Arc<Limiter>, J = ViaFrom, T = Monotonic> {
    inner: S,
    layer: RateLimitLayer<K, P, J, T>,
}

impl<S, R, K, P, J, T> Service<R> for RateLimit<S, K, P, J, T>
where
    S: Service<R>,
    K: ChargesOf<R>,
    P: Deref<Target = Limiter>,
    J: Refuse<Refused, S::Response, S::Error>,
    T: Clock,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = RateLimitFuture<S::Future, S::Response, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let RateLimitLayer { limiter, keys, refuse, clock } = &self.layer;
        let charges = Charges::of(keys, &request);
        let now = keys.now(&request).unwrap_or_else(|| clock.now());
        let answer = match limiter.check(now, charges.as_slice()) {
            Ok(_) => Answer::inner(self.inner.call(request)),
            Err(refused) => Answer::instead(refuse.refuse(refused)),
        };
        RateLimitFuture { answer }
    }
}

pin_project_lite::pin_project! {
    /// The answer of a [`RateLimit`] service.
    #[derive(Debug)]
    pub struct RateLimitFuture<F, Res, Err> {
        #[pin]
        answer: Answer<F, Result<Res, Err>>,
    }
}

impl<F: Future<Output = Result<Res, Err>>, Res, Err> Future for RateLimitFuture<F, Res, Err> {
    type Output = Result<Res, Err>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().answer.poll(cx)
    }
}
