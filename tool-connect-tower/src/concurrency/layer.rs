//! A bound on the requests in progress in a tower service: one too many is answered at once.

use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tower_layer::Layer;
use tower_service::Service;

use super::permits::{Busy, Concurrency, ConcurrencyPermit};
use super::wait::ConcurrencyWaitLayer;
use crate::answer::Answer;
use crate::contract::{Refuse, ViaFrom};

/// Refuses requests when too many are in progress. A place is free again when the answer is there or its future dropped.
///
/// ```
/// use std::convert::Infallible;
/// use std::sync::Arc;
/// use http::{Request, Response, StatusCode};
/// use tool_connect_tower::{Concurrency, ConcurrencyLayer, concurrency::Busy};
/// use tower::{Service, ServiceBuilder, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut service = ServiceBuilder::new()
///     .layer(ConcurrencyLayer::new(Arc::new(Concurrency::new(1))).refuse_with(|_: Busy| {
///         let mut response = Response::new(());
///         *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
///         Ok::<_, Infallible>(response)
///     }))
///     .service(service_fn(|_: Request<()>| async { Ok(Response::new(())) }));
///
/// let first = service.call(Request::new(()));
/// assert_eq!(service.call(Request::new(())).await?.status(), StatusCode::SERVICE_UNAVAILABLE);
/// assert_eq!(first.await?.status(), StatusCode::OK);
/// assert_eq!(service.call(Request::new(())).await?.status(), StatusCode::OK);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct ConcurrencyLayer<P = Arc<Concurrency>, J = ViaFrom> {
    pub(super) places: P,
    pub(super) refuse: J,
}

impl<P> ConcurrencyLayer<P> {
    /// Bounds the requests in progress by `places`, an `Arc` or a reference.
    pub fn new(places: P) -> Self {
        Self { places, refuse: ViaFrom }
    }
}

impl<P, J> ConcurrencyLayer<P, J> {
    /// Answers refused requests in another way than by `From<Busy>` of the service's error.
    pub fn refuse_with<J2>(self, refuse: J2) -> ConcurrencyLayer<P, J2> {
        ConcurrencyLayer { places: self.places, refuse }
    }

    /// Lets requests wait for a place, each at most `budget`. The inner service must be `Clone` then.
    pub fn wait(self, budget: Duration) -> ConcurrencyWaitLayer<P, J> {
        ConcurrencyWaitLayer { layer: self, budget }
    }
}

impl<S, P: Clone, J: Clone> Layer<S> for ConcurrencyLayer<P, J> {
    type Service = ConcurrencyService<S, P, J>;

    fn layer(&self, inner: S) -> Self::Service {
        ConcurrencyService { inner, layer: self.clone() }
    }
}

/// The service that [`ConcurrencyLayer`] makes.
#[derive(Debug, Clone)]
pub struct ConcurrencyService<S, P = Arc<Concurrency>, J = ViaFrom> {
    inner: S,
    layer: ConcurrencyLayer<P, J>,
}

impl<S, R, P, J> Service<R> for ConcurrencyService<S, P, J>
where
    S: Service<R>,
    P: Deref<Target = Concurrency> + Clone,
    J: Refuse<Busy, S::Response, S::Error>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ConcurrencyFuture<S::Future, S::Response, S::Error, P>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        match Concurrency::try_acquire_from(self.layer.places.clone()) {
            Ok(permit) => {
                ConcurrencyFuture { answer: Answer::inner(self.inner.call(request)), permit: Some(permit) }
            }
            Err(busy) => {
                ConcurrencyFuture { answer: Answer::instead(self.layer.refuse.refuse(busy)), permit: None }
            }
        }
    }
}

pin_project_lite::pin_project! {
    /// The answer of a [`ConcurrencyService`].
    #[derive(Debug)]
    pub struct ConcurrencyFuture<F, Res, Err, P>
    where
        P: Deref<Target = Concurrency>,
    {
        #[pin]
        answer: Answer<F, Result<Res, Err>>,
        permit: Option<ConcurrencyPermit<P>>,
    }
}

impl<F, Res, Err, P> Future for ConcurrencyFuture<F, Res, Err, P>
where
    F: Future<Output = Result<Res, Err>>,
    P: Deref<Target = Concurrency>,
{
    type Output = Result<Res, Err>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(this.answer.poll(cx));
        *this.permit = None;
        Poll::Ready(result)
    }
}
