//! A bound on the requests in progress in a tower service: one too many waits, within a budget.

use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tower_layer::Layer;
use tower_service::Service;

use super::acquire::Acquire;
use super::layer::ConcurrencyLayer;
use super::permits::{Busy, Concurrency, ConcurrencyPermit};
use crate::answer::{Answer, AnswerOf};
use crate::contract::{Refuse, ViaFrom};

/// Lets requests wait for a place; made by [`ConcurrencyLayer::wait`].
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use http::{Request, Response};
/// use tool_connect_tower::{Concurrency, ConcurrencyLayer, concurrency::Busy};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let service = ServiceBuilder::new()
///     .layer(ConcurrencyLayer::new(Arc::new(Concurrency::new(1))).wait(Duration::from_secs(5)))
///     .service(service_fn(|_: Request<()>| async {
///         tokio::time::sleep(Duration::from_secs(3)).await;
///         Ok::<_, Busy>(Response::new(()))
///     }));
///
/// let (first, second) = tokio::join!(
///     service.clone().oneshot(Request::new(())),
///     service.clone().oneshot(Request::new(())), // three seconds later
/// );
/// assert!(first.is_ok() && second.is_ok());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct ConcurrencyWaitLayer<P = Arc<Concurrency>, J = ViaFrom> {
    pub(super) layer: ConcurrencyLayer<P, J>,
    pub(super) budget: Duration,
}

impl<S, P: Clone, J: Clone> Layer<S> for ConcurrencyWaitLayer<P, J> {
    type Service = ConcurrencyWait<S, P, J>;

    fn layer(&self, inner: S) -> Self::Service {
        ConcurrencyWait { inner, layer: self.clone() }
    }
}

/// The service that [`ConcurrencyWaitLayer`] makes.
#[derive(Debug, Clone)]
pub struct ConcurrencyWait<S, P = Arc<Concurrency>, J = ViaFrom> {
    inner: S,
    layer: ConcurrencyWaitLayer<P, J>,
}

impl<S, R, P, J> Service<R> for ConcurrencyWait<S, P, J>
where
    S: Service<R> + Clone,
    P: Deref<Target = Concurrency> + Clone,
    J: Refuse<Busy, S::Response, S::Error> + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ConcurrencyWaitFuture<S, R, P, J>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let ConcurrencyLayer { places, refuse } = &self.layer.layer;
        let (state, permit) = match Concurrency::try_acquire_from(places.clone()) {
            Ok(permit) => (State::Answer { answer: Answer::inner(self.inner.call(request)) }, Some(permit)),
            Err(_) => {
                let waiting = Waiting {
                    place: Concurrency::acquire_from(places.clone(), self.layer.budget),
                    // A clone, made ready when the place is there: readiness is not held while waiting.
                    inner: self.inner.clone(),
                    request: Some(request),
                    refuse: refuse.clone(),
                };
                (State::Waiting { waiting: Box::pin(waiting) }, None)
            }
        };
        ConcurrencyWaitFuture { state, permit }
    }
}

pin_project_lite::pin_project! {
    /// The answer of a [`ConcurrencyWait`] service.
    pub struct ConcurrencyWaitFuture<S, R, P, J>
    where
        S: Service<R>,
        P: Deref<Target = Concurrency>,
    {
        #[pin]
        state: State<S, R, P, J>,
        permit: Option<ConcurrencyPermit<P>>,
    }
}

pin_project_lite::pin_project! {
    #[project = StateProjection]
    enum State<S, R, P, J>
    where
        S: Service<R>,
        P: Deref<Target = Concurrency>,
    {
        Answer { #[pin] answer: AnswerOf<S, R> },
        Waiting { waiting: Pin<Box<Waiting<S, R, P, J>>> },
    }
}

pin_project_lite::pin_project! {
    struct Waiting<S, R, P, J>
    where
        P: Deref<Target = Concurrency>,
    {
        #[pin]
        place: Acquire<P>,
        inner: S,
        request: Option<R>,
        refuse: J,
    }
}

impl<S, R, P, J> Future for ConcurrencyWaitFuture<S, R, P, J>
where
    S: Service<R>,
    P: Deref<Target = Concurrency> + Clone,
    J: Refuse<Busy, S::Response, S::Error>,
{
    type Output = Result<S::Response, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let answer = match this.state.as_mut().project() {
                StateProjection::Answer { answer } => {
                    let result = ready!(answer.poll(cx));
                    *this.permit = None;
                    return Poll::Ready(result);
                }
                StateProjection::Waiting { waiting } => {
                    let waiting = waiting.as_mut().project();
                    if this.permit.is_none() {
                        match ready!(waiting.place.poll(cx)) {
                            Ok(permit) => *this.permit = Some(permit),
                            Err(busy) => {
                                let answer = Answer::instead(waiting.refuse.refuse(busy));
                                this.state.set(State::Answer { answer });
                                continue;
                            }
                        }
                    }
                    match ready!(waiting.inner.poll_ready(cx)) {
                        Ok(()) => match waiting.request.take() {
                            Some(request) => Answer::inner(waiting.inner.call(request)),
                            None => return Poll::Pending,
                        },
                        Err(error) => Answer::instead(Err(error)),
                    }
                }
            };
            this.state.set(State::Answer { answer });
        }
    }
}
