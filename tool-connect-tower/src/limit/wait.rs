//! The limiter in front of a tower service: a request that is over its limits waits, within a budget.

use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep};
use tower_layer::Layer;
use tower_service::Service;

use super::answer::Refused;
use super::keys::{Charges, ChargesOf};
use super::layer::RateLimitLayer;
use super::limiter::Limiter;
use crate::answer::{Answer, AnswerOf};
use crate::clock::{Clock, Monotonic, nanos};
use crate::contract::{Refuse, ViaFrom};

/// Lets requests wait for their permits; made by [`RateLimitLayer::wait`].
///
/// A request that would have to wait longer than the budget is refused at once. A wait costs one allocation, a request
/// that passes costs none. Dropping the future of a waiting request gives nothing back because nothing was taken.
///
/// ```
/// use std::time::Duration;
/// use http::{Request, Response};
/// use tool_connect_tower::{Everyone, Limit, Limiter, RateLimitLayer, limit::{In, Refused}};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let limiter = Limiter::shared();
/// let all = limiter.define("all", Limit::per_second(1))?;
/// let service = ServiceBuilder::new()
///     .layer(RateLimitLayer::new(limiter, In(all, Everyone)).wait(Duration::from_secs(2)))
///     .service(service_fn(|_: Request<()>| async { Ok::<_, Refused>(Response::new(())) }));
///
/// service.clone().oneshot(Request::new(())).await?;
/// service.clone().oneshot(Request::new(())).await?; // a second later
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct RateLimitWaitLayer<K, P = Arc<Limiter>, J = ViaFrom, T = Monotonic> {
    pub(super) layer: RateLimitLayer<K, P, J, T>,
    pub(super) budget: Duration,
}

impl<S, K: Clone, P: Clone, J: Clone, T: Clone> Layer<S> for RateLimitWaitLayer<K, P, J, T> {
    type Service = RateLimitWait<S, K, P, J, T>;

    fn layer(&self, inner: S) -> Self::Service {
        RateLimitWait { inner, layer: self.clone() }
    }
}

/// The service that [`RateLimitWaitLayer`] makes.
#[derive(Debug, Clone)]
pub struct RateLimitWait<S, K, P = Arc<Limiter>, J = ViaFrom, T = Monotonic> {
    inner: S,
    layer: RateLimitWaitLayer<K, P, J, T>,
}

impl<S, R, K, P, J, T> Service<R> for RateLimitWait<S, K, P, J, T>
where
    S: Service<R> + Clone,
    K: ChargesOf<R>,
    P: Deref<Target = Limiter> + Clone,
    J: Refuse<Refused, S::Response, S::Error> + Clone,
    T: Clock + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = RateLimitWaitFuture<S, R, P, J, T>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let RateLimitLayer { limiter, keys, refuse, clock } = &self.layer.layer;
        let charges = Charges::of(keys, &request);
        let now = keys.now(&request).unwrap_or_else(|| clock.now());
        let refused = match limiter.check(now, charges.as_slice()) {
            Ok(_) => {
                return RateLimitWaitFuture {
                    state: State::Answer { answer: Answer::inner(self.inner.call(request)) },
                };
            }
            Err(refused) => refused,
        };
        let end = now.saturating_add(nanos(self.layer.budget));
        let Some(wait) = fits(&refused, now, end) else {
            return RateLimitWaitFuture {
                state: State::Answer { answer: Answer::instead(refuse.refuse(refused)) },
            };
        };
        let waiting = Waiting {
            sleep: tokio::time::sleep(wait),
            // A clone, made ready when the permit is there: readiness is not held while waiting.
            inner: self.inner.clone(),
            request: Some(request),
            charges,
            granted: false,
            end,
            limiter: limiter.clone(),
            refuse: refuse.clone(),
            clock: clock.clone(),
        };
        RateLimitWaitFuture { state: State::Waiting { waiting: Box::pin(waiting) } }
    }
}

/// The wait after which the request can be tried again, if it ends in time.
fn fits(refused: &Refused, now: u64, end: u64) -> Option<Duration> {
    refused.wait.filter(|wait| now.saturating_add(*wait) <= end).map(Duration::from_nanos)
}

pin_project_lite::pin_project! {
    /// The answer of a [`RateLimitWait`] service.
    pub struct RateLimitWaitFuture<S, R, P, J, T>
    where
        S: Service<R>,
    {
        #[pin]
        state: State<S, R, P, J, T>,
    }
}

pin_project_lite::pin_project! {
    #[project = StateProjection]
    enum State<S, R, P, J, T>
    where
        S: Service<R>,
    {
        Answer { #[pin] answer: AnswerOf<S, R> },
        Waiting { waiting: Pin<Box<Waiting<S, R, P, J, T>>> },
    }
}

pin_project_lite::pin_project! {
    struct Waiting<S, R, P, J, T> {
        #[pin]
        sleep: Sleep,
        inner: S,
        request: Option<R>,
        charges: Charges,
        granted: bool,
        end: u64,
        limiter: P,
        refuse: J,
        clock: T,
    }
}

impl<S, R, P, J, T> Waiting<S, R, P, J, T>
where
    S: Service<R>,
    P: Deref<Target = Limiter>,
    J: Refuse<Refused, S::Response, S::Error>,
    T: Clock,
{
    /// Sleeps until the permits are there and the inner service is ready.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<AnswerOf<S, R>> {
        let mut this = self.project();
        while !*this.granted {
            ready!(this.sleep.as_mut().poll(cx));
            let now = this.clock.now();
            match this.limiter.check(now, this.charges.as_slice()) {
                Ok(_) => *this.granted = true,
                Err(refused) => match fits(&refused, now, *this.end) {
                    Some(wait) => this.sleep.as_mut().reset(Instant::now() + wait),
                    None => return Poll::Ready(Answer::instead(this.refuse.refuse(refused))),
                },
            }
        }
        if let Err(error) = ready!(this.inner.poll_ready(cx)) {
            return Poll::Ready(Answer::instead(Err(error)));
        }
        match this.request.take() {
            Some(request) => Poll::Ready(Answer::inner(this.inner.call(request))),
            None => Poll::Pending,
        }
    }
}

impl<S, R, P, J, T> Future for RateLimitWaitFuture<S, R, P, J, T>
where
    S: Service<R>,
    P: Deref<Target = Limiter>,
    J: Refuse<Refused, S::Response, S::Error>,
    T: Clock,
{
    type Output = Result<S::Response, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let answer = match state.as_mut().project() {
                StateProjection::Answer { answer } => return answer.poll(cx),
                StateProjection::Waiting { waiting } => ready!(waiting.as_mut().poll(cx)),
            };
            state.set(State::Answer { answer });
        }
    }
}
