//! One breaker in front of a tower service.

use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tower_layer::Layer;
use tower_service::Service;

use super::core::{Breaker, Permit};
use super::observe::Open;
use crate::answer::Answer;
use crate::clock::{Clock, Monotonic};
use crate::contract::{Classify, ErrIsFailure, Refuse, ViaFrom};

/// Keeps requests from a service that fails.
///
/// `P` points to the [`Breaker`] (an `Arc`, or a plain reference), `C` judges results ([`Classify`]), `J` makes the refusal
/// ([`Refuse`]). A request whose future is dropped counts as nothing.
///
/// ```
/// use std::sync::Arc;
/// use http::{Request, Response, StatusCode};
/// use tool_connect_tower::ServerErrors;
/// use tool_connect_tower::breaker::{Breaker, BreakerLayer, BreakerSettings, Open, Window};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let settings = BreakerSettings { window: Window::Calls(2), minimum_calls: 2, ..Default::default() };
/// let service = ServiceBuilder::new()
///     .layer(BreakerLayer::new(Arc::new(Breaker::new(settings)?)).classify_with(ServerErrors))
///     .service(service_fn(|_: Request<()>| async {
///         let mut response = Response::new(());
///         *response.status_mut() = StatusCode::BAD_GATEWAY;
///         Ok::<_, Open>(response)
///     }));
///
/// for _ in 0..2 {
///     assert_eq!(service.clone().oneshot(Request::new(())).await?.status(), StatusCode::BAD_GATEWAY);
/// }
/// assert!(service.clone().oneshot(Request::new(())).await.is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct BreakerLayer<P = Arc<Breaker>, C = ErrIsFailure, J = ViaFrom, T = Monotonic> {
    breaker: P,
    classify: C,
    refuse: J,
    clock: T,
}

impl<P> BreakerLayer<P> {
    /// Puts `breaker` in front of the service.
    pub fn new(breaker: P) -> Self {
        Self { breaker, classify: ErrIsFailure, refuse: ViaFrom, clock: Monotonic }
    }
}

impl<P, C, J, T> BreakerLayer<P, C, J, T> {
    /// Judges results in another way than by `Ok` and `Err`.
    pub fn classify_with<C2>(self, classify: C2) -> BreakerLayer<P, C2, J, T> {
        BreakerLayer { breaker: self.breaker, classify, refuse: self.refuse, clock: self.clock }
    }

    /// Answers refused requests in another way than by `From<Open>` of the service's error.
    pub fn refuse_with<J2>(self, refuse: J2) -> BreakerLayer<P, C, J2, T> {
        BreakerLayer { breaker: self.breaker, classify: self.classify, refuse, clock: self.clock }
    }

    /// Reads the time from `clock`.
    pub fn clock<T2>(self, clock: T2) -> BreakerLayer<P, C, J, T2> {
        BreakerLayer { breaker: self.breaker, classify: self.classify, refuse: self.refuse, clock }
    }
}

impl<S, P: Clone, C: Clone, J: Clone, T: Clone> Layer<S> for BreakerLayer<P, C, J, T> {
    type Service = BreakerService<S, P, C, J, T>;

    fn layer(&self, inner: S) -> Self::Service {
        BreakerService { inner, layer: self.clone() }
    }
}

/// The service that [`BreakerLayer`] makes.
#[derive(Debug, Clone)]
pub struct BreakerService<S, P = Arc<Breaker>, C = ErrIsFailure, J = ViaFrom, T = Monotonic> {
    inner: S,
    layer: BreakerLayer<P, C, J, T>,
}

impl<S, R, P, C, J, T> Service<R> for BreakerService<S, P, C, J, T>
where
    S: Service<R>,
    P: Deref<Target = Breaker> + Clone,
    C: Classify<S::Response, S::Error> + Clone,
    J: Refuse<Open, S::Response, S::Error>,
    T: Clock + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BreakerFuture<S::Future, S::Response, S::Error, P, C, T>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let BreakerLayer { breaker, classify, refuse, clock } = &self.layer;
        match Breaker::acquire(breaker.clone(), clock.now()) {
            Ok(permit) => {
                BreakerFuture::run(self.inner.call(request), permit, classify.clone(), clock.clone())
            }
            Err(open) => BreakerFuture::refused(refuse.refuse(open)),
        }
    }
}

pin_project_lite::pin_project! {
    /// The answer of a breaker's service.
    pub struct BreakerFuture<F, Res, Err, P, C, T>
    where
        P: Deref<Target = Breaker>,
    {
        #[pin]
        answer: Answer<F, Result<Res, Err>>,
        watch: Option<Watch<P, C, T>>,
    }
}

/// What is needed to record the result. Dropped with the future, which gives the permit back.
struct Watch<P: Deref<Target = Breaker>, C, T> {
    permit: Permit<P>,
    classify: C,
    clock: T,
}

impl<F, Res, Err, P: Deref<Target = Breaker>, C, T> BreakerFuture<F, Res, Err, P, C, T> {
    pub(super) fn run(future: F, permit: Permit<P>, classify: C, clock: T) -> Self {
        Self { answer: Answer::inner(future), watch: Some(Watch { permit, classify, clock }) }
    }

    /// Passes without a breaker.
    pub(super) fn pass(future: F) -> Self {
        Self { answer: Answer::inner(future), watch: None }
    }

    pub(super) fn refused(answer: Result<Res, Err>) -> Self {
        Self { answer: Answer::instead(answer), watch: None }
    }
}

impl<F, Res, Err, P, C, T> Future for BreakerFuture<F, Res, Err, P, C, T>
where
    F: Future<Output = Result<Res, Err>>,
    P: Deref<Target = Breaker>,
    C: Classify<Res, Err>,
    T: Clock,
{
    type Output = Result<Res, Err>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(this.answer.poll(cx));
        if let Some(Watch { permit, classify, clock }) = this.watch.take() {
            permit.record(classify.classify(&result), clock.now());
        }
        Poll::Ready(result)
    }
}
