//! A breaker per key in front of a tower service.

use std::ops::Deref;
use std::sync::Arc;
use std::task::{Context, Poll};

use tower_layer::Layer;
use tower_service::Service;

use super::core::Breaker;
use super::layer::BreakerFuture;
use super::observe::Open;
use super::set::BreakerSet;
use crate::clock::{Clock, Monotonic};
use crate::contract::{Classify, ErrIsFailure, KeyOf, Refuse, ViaFrom};

/// Keeps requests from those of many services that fail: [`BreakerLayer`](super::BreakerLayer) with a breaker per key.
///
/// `K` finds the key ([`KeyOf`]; a request without one passes), `P` points to the [`BreakerSet`].
///
/// ```
/// use std::sync::Arc;
/// use http::{Request, Response};
/// use tool_connect_tower::hash_key;
/// use tool_connect_tower::breaker::{BreakerSet, BreakerSettings, KeyedBreakerLayer, Open};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let breakers = Arc::new(BreakerSet::new(BreakerSettings::default())?);
/// let by_host = |request: &Request<()>| request.uri().host().map(hash_key);
/// let service = ServiceBuilder::new()
///     .layer(KeyedBreakerLayer::new(breakers.clone(), by_host))
///     .service(service_fn(|_: Request<()>| async { Ok::<_, Open>(Response::new(())) }));
///
/// service.oneshot(Request::get("https://api.example.com/").body(())?).await?;
/// assert_eq!(breakers.len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct KeyedBreakerLayer<K, P = Arc<BreakerSet>, C = ErrIsFailure, J = ViaFrom, T = Monotonic> {
    breakers: P,
    keys: K,
    classify: C,
    refuse: J,
    clock: T,
}

impl<K, P> KeyedBreakerLayer<K, P> {
    /// Puts the breaker that `keys` finds in `breakers` in front of each request.
    pub fn new(breakers: P, keys: K) -> Self {
        Self { breakers, keys, classify: ErrIsFailure, refuse: ViaFrom, clock: Monotonic }
    }
}

impl<K, P, C, J, T> KeyedBreakerLayer<K, P, C, J, T> {
    /// Judges results in another way than by `Ok` and `Err`.
    pub fn classify_with<C2>(self, classify: C2) -> KeyedBreakerLayer<K, P, C2, J, T> {
        let Self { breakers, keys, refuse, clock, .. } = self;
        KeyedBreakerLayer { breakers, keys, classify, refuse, clock }
    }

    /// Answers refused requests in another way than by `From<Open>` of the service's error.
    pub fn refuse_with<J2>(self, refuse: J2) -> KeyedBreakerLayer<K, P, C, J2, T> {
        let Self { breakers, keys, classify, clock, .. } = self;
        KeyedBreakerLayer { breakers, keys, classify, refuse, clock }
    }

    /// Reads the time from `clock`.
    pub fn clock<T2>(self, clock: T2) -> KeyedBreakerLayer<K, P, C, J, T2> {
        let Self { breakers, keys, classify, refuse, .. } = self;
        KeyedBreakerLayer { breakers, keys, classify, refuse, clock }
    }
}

impl<S, K: Clone, P: Clone, C: Clone, J: Clone, T: Clone> Layer<S> for KeyedBreakerLayer<K, P, C, J, T> {
    type Service = KeyedBreaker<S, K, P, C, J, T>;

    fn layer(&self, inner: S) -> Self::Service {
        KeyedBreaker { inner, layer: self.clone() }
    }
}

/// The service that [`KeyedBreakerLayer`] makes.
#[derive(Debug, Clone)]
pub struct KeyedBreaker<S, K, P = Arc<BreakerSet>, C = ErrIsFailure, J = ViaFrom, T = Monotonic> {
    inner: S,
    layer: KeyedBreakerLayer<K, P, C, J, T>,
}

impl<S, R, K, P, C, J, T> Service<R> for KeyedBreaker<S, K, P, C, J, T>
where
    S: Service<R>,
    K: KeyOf<R>,
    P: Deref<Target = BreakerSet>,
    C: Classify<S::Response, S::Error> + Clone,
    J: Refuse<Open, S::Response, S::Error>,
    T: Clock + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BreakerFuture<S::Future, S::Response, S::Error, Arc<Breaker>, C, T>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let KeyedBreakerLayer { breakers, keys, classify, refuse, clock } = &self.layer;
        let Some(key) = keys.key(&request) else { return BreakerFuture::pass(self.inner.call(request)) };
        let now = keys.now(&request).unwrap_or_else(|| clock.now());
        match breakers.try_acquire(key, now) {
            Ok(permit) => {
                BreakerFuture::run(self.inner.call(request), permit, classify.clone(), clock.clone())
            }
            Err(open) => BreakerFuture::refused(refuse.refuse(open)),
        }
    }
}
