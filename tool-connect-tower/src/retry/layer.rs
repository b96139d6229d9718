//! Retries in front of a tower service whose requests can be cloned.

use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::time::Sleep;
use tower_layer::Layer;
use tower_service::Service;

use super::budget::RetryBudget;
use super::policy::{Facts, RetryPolicy};
use super::random::{Random, SplitMix};

/// Knows how to repeat a request and what a result says about trying again.
///
/// [`HttpRetry`](super::HttpRetry) knows it for HTTP.
pub trait Retryable<Req, Res, Err> {
    /// A copy for a later attempt, made before the request is sent; `None` if it can be sent only once.
    fn repeat(&self, request: &Req) -> Option<Req>;

    /// The facts of a failed attempt; `None` if the result stands.
    fn facts(&self, request: &Req, result: &Result<Res, Err>) -> Option<Facts>;
}

/// Repeats failed requests as its [`RetryPolicy`] and [`RetryBudget`] allow. The last result stands, whatever it is.
///
/// `A` reads the facts ([`Retryable`]), `P` and `B` point to policy and budget. Put it outside of a breaker and of an
/// attempt time-out, so that each attempt is counted and bounded by itself, and inside of the deadline of the whole call.
///
/// ```
/// use std::sync::atomic::{AtomicU32, Ordering};
/// use std::convert::Infallible;
/// use http::{Request, Response, StatusCode};
/// use tool_connect_tower::RetryLayer;
/// use tool_connect_tower::retry::HttpRetry;
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// static ATTEMPTS: AtomicU32 = AtomicU32::new(0);
/// let service = ServiceBuilder::new()
///     .layer(RetryLayer::new(HttpRetry::new()))
///     .service(service_fn(|_: Request<()>| async {
///         let mut response = Response::new(());
///         if ATTEMPTS.fetch_add(1, Ordering::Relaxed) == 0 {
///             *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
///         }
///         Ok::<_, Infallible>(response)
///     }));
///
/// assert_eq!(service.oneshot(Request::new(())).await?.status(), StatusCode::OK);
/// assert_eq!(ATTEMPTS.load(Ordering::Relaxed), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct RetryLayer<A, P = Arc<RetryPolicy>, B = Arc<RetryBudget>, G = SplitMix> {
    attempts: A,
    policy: P,
    budget: B,
    random: Arc<G>,
}

impl<A> RetryLayer<A> {
    /// The default policy and a budget of its own.
    pub fn new(attempts: A) -> Self {
        Self { attempts, policy: Arc::default(), budget: Arc::default(), random: Arc::default() }
    }
}

impl<A, P, B, G> RetryLayer<A, P, B, G> {
    /// Decides by `policy`.
    pub fn policy<P2>(self, policy: P2) -> RetryLayer<A, P2, B, G> {
        RetryLayer { attempts: self.attempts, policy, budget: self.budget, random: self.random }
    }

    /// Takes retries from `budget`, which other layers may share.
    pub fn budget<B2>(self, budget: B2) -> RetryLayer<A, P, B2, G> {
        RetryLayer { attempts: self.attempts, policy: self.policy, budget, random: self.random }
    }

    /// Draws the jitter from `random`.
    pub fn random<G2>(self, random: G2) -> RetryLayer<A, P, B, G2> {
        RetryLayer {
            attempts: self.attempts,
            policy: self.policy,
            budget: self.budget,
            random: Arc::new(random),
        }
    }
}

impl<A: Clone, P: Clone, B: Clone, G> Clone for RetryLayer<A, P, B, G> {
    fn clone(&self) -> Self {
        let Self { attempts, policy, budget, random } = self;
        Self {
            attempts: attempts.clone(),
            policy: policy.clone(),
            budget: budget.clone(),
            random: random.clone(),
        }
    }
}

impl<S, A: Clone, P: Clone, B: Clone, G> Layer<S> for RetryLayer<A, P, B, G> {
    type Service = Retry<S, A, P, B, G>;

    fn layer(&self, inner: S) -> Self::Service {
        Retry { inner, layer: self.clone() }
    }
}

/// The service that [`RetryLayer`] makes.
#[derive(Debug)]
pub struct Retry<S, A, P = Arc<RetryPolicy>, B = Arc<RetryBudget>, G = SplitMix> {
    inner: S,
    layer: RetryLayer<A, P, B, G>,
}

impl<S: Clone, A: Clone, P: Clone, B: Clone, G> Clone for Retry<S, A, P, B, G> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), layer: self.layer.clone() }
    }
}

impl<S, R, A, P, B, G> Service<R> for Retry<S, A, P, B, G>
where
    S: Service<R> + Clone,
    A: Retryable<R, S::Response, S::Error> + Clone,
    P: Deref<Target = RetryPolicy> + Clone,
    B: Deref<Target = RetryBudget> + Clone,
    G: Random,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = RetryFuture<S, R, A, P, B, G>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        self.layer.budget.on_call();
        let copy = self.layer.attempts.repeat(&request);
        let future = self.inner.call(request);
        RetryFuture {
            step: Step::Calling { future },
            inner: self.inner.clone(),
            layer: self.layer.clone(),
            copy,
            made: 1,
        }
    }
}

pin_project_lite::pin_project! {
    /// The answer of a [`Retry`] service.
    pub struct RetryFuture<S, R, A, P, B, G>
    where
        S: Service<R>,
    {
        #[pin]
        step: Step<S::Future>,
        inner: S,
        layer: RetryLayer<A, P, B, G>,
        copy: Option<R>,
        made: u32,
    }
}

pin_project_lite::pin_project! {
    #[project = StepProjection]
    enum Step<F> {
        Calling { #[pin] future: F },
        Sleeping { #[pin] sleep: Sleep },
        Readying,
    }
}

impl<S, R, A, P, B, G> Future for RetryFuture<S, R, A, P, B, G>
where
    S: Service<R>,
    A: Retryable<R, S::Response, S::Error>,
    P: Deref<Target = RetryPolicy>,
    B: Deref<Target = RetryBudget>,
    G: Random,
{
    type Output = Result<S::Response, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.step.as_mut().project() {
                StepProjection::Calling { future } => {
                    let result = ready!(future.poll(cx));
                    let RetryLayer { attempts, policy, budget, random } = &*this.layer;
                    let Some(copy) = this.copy.as_ref() else { return Poll::Ready(result) };
                    let Some(facts) = attempts.facts(copy, &result) else { return Poll::Ready(result) };
                    match policy.decide(*this.made, &facts, budget, &**random) {
                        Ok(wait) => Step::Sleeping { sleep: tokio::time::sleep(wait) },
                        Err(_) => return Poll::Ready(result),
                    }
                }
                StepProjection::Sleeping { sleep } => {
                    ready!(sleep.poll(cx));
                    Step::Readying
                }
                StepProjection::Readying => {
                    if let Err(error) = ready!(this.inner.poll_ready(cx)) {
                        return Poll::Ready(Err(error));
                    }
                    let Some(request) = this.copy.take() else { return Poll::Pending };
                    *this.copy = this.layer.attempts.repeat(&request);
                    *this.made += 1;
                    Step::Calling { future: this.inner.call(request) }
                }
            };
            this.step.set(next);
        }
    }
}
