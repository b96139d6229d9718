//! A time limit for every request of a tower service.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tower_layer::Layer;
use tower_service::Service;

use super::future::{Deadline, Elapsed};
use crate::contract::{Refuse, ViaFrom};

/// How long a request may take.
///
/// A [`Duration`] is the same for all; a closure from the request decides by request.
pub trait Within<R: ?Sized> {
    /// The time limit; `None` for none.
    fn within(&self, request: &R) -> Option<Duration>;
}

impl<R: ?Sized> Within<R> for Duration {
    fn within(&self, _request: &R) -> Option<Duration> {
        Some(*self)
    }
}

impl<R: ?Sized, F: Fn(&R) -> Option<Duration>> Within<R> for F {
    fn within(&self, request: &R) -> Option<Duration> {
        self(request)
    }
}

/// Stops requests that take too long. Outside of [`RetryLayer`](crate::RetryLayer) it is the deadline of the call, inside
/// of it the time-out of each attempt.
///
/// ```
/// use std::convert::Infallible;
/// use std::time::Duration;
/// use http::{Request, Response, StatusCode};
/// use tool_connect_tower::{DeadlineLayer, deadline::Elapsed};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let service = ServiceBuilder::new()
///     .layer(DeadlineLayer::new(Duration::from_secs(10)).refuse_with(|why: Elapsed| {
///         let mut response = Response::new(why.to_string());
///         *response.status_mut() = StatusCode::GATEWAY_TIMEOUT;
///         Ok::<_, Infallible>(response)
///     }))
///     .service(service_fn(|_: Request<()>| std::future::pending()));
///
/// assert_eq!(service.oneshot(Request::new(())).await?.status(), StatusCode::GATEWAY_TIMEOUT);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct DeadlineLayer<W = Duration, J = ViaFrom> {
    within: W,
    refuse: J,
}

impl<W> DeadlineLayer<W> {
    /// Stops a request after what `within` says.
    pub fn new(within: W) -> Self {
        Self { within, refuse: ViaFrom }
    }
}

impl<W, J> DeadlineLayer<W, J> {
    /// Answers stopped requests in another way than by `From<Elapsed>` of the service's error.
    pub fn refuse_with<J2>(self, refuse: J2) -> DeadlineLayer<W, J2> {
        DeadlineLayer { within: self.within, refuse }
    }
}

impl<S, W: Clone, J: Clone> Layer<S> for DeadlineLayer<W, J> {
    type Service = DeadlineService<S, W, J>;

    fn layer(&self, inner: S) -> Self::Service {
        DeadlineService { inner, layer: self.clone() }
    }
}

/// The service that [`DeadlineLayer`] makes.
#[derive(Debug, Clone)]
pub struct DeadlineService<S, W = Duration, J = ViaFrom> {
    inner: S,
    layer: DeadlineLayer<W, J>,
}

impl<S, R, W, J> Service<R> for DeadlineService<S, W, J>
where
    S: Service<R>,
    W: Within<R>,
    J: Refuse<Elapsed, S::Response, S::Error> + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = DeadlineFuture<S::Future, J>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let limit = self.layer.within.within(&request);
        DeadlineFuture {
            deadline: Deadline::maybe(self.inner.call(request), limit),
            refuse: self.layer.refuse.clone(),
        }
    }
}

pin_project_lite::pin_project! {
    /// The answer of a [`DeadlineService`].
    #[derive(Debug)]
    pub struct DeadlineFuture<F, J> {
        #[pin]
        deadline: Deadline<F>,
        refuse: J,
    }
}

impl<F, Res, Err, J> Future for DeadlineFuture<F, J>
where
    F: Future<Output = Result<Res, Err>>,
    J: Refuse<Elapsed, Res, Err>,
{
    type Output = Result<Res, Err>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        match ready!(this.deadline.poll(cx)) {
            Ok(result) => Poll::Ready(result),
            Err(elapsed) => Poll::Ready(this.refuse.refuse(elapsed)),
        }
    }
}
