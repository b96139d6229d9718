//! Rate limit, circuit breaker, retry, concurrency limit and deadline: mechanisms to call, and tower layers to stack.
//!
//! Each mechanism is a plain value with synchronous methods that take the time as a number, so that it can be called
//! from anywhere and tested without sleeping. Each layer wraps that very mechanism and can share it with other layers
//! and with code that is not a tower service at all.
//!
//! | to ... | mechanism | layer |
//! | --- | --- | --- |
//! | bound how often, per tenant, user, ... | [`Limiter`], [`limit::Cell`] | [`RateLimitLayer`], and [`wait`](RateLimitLayer::wait) |
//! | stop asking what is down | [`Breaker`], [`BreakerSet`] | [`BreakerLayer`], [`KeyedBreakerLayer`] |
//! | try again, safely and not too often | [`RetryPolicy`], [`RetryBudget`] | [`RetryLayer`] |
//! | bound how many at once | [`Concurrency`] | [`ConcurrencyLayer`], and [`wait`](ConcurrencyLayer::wait) |
//! | bound how long | [`Deadline`] | [`DeadlineLayer`] |
//!
//! # Layers
//!
//! The layers are generic over the request. What they need to know, a service tells them by a closure or a small type:
//! whose limit a request falls under ([`KeyOf`]), how a result counts ([`Classify`]), what to answer instead ([`Refuse`]).
//! The inner service's error type survives: a refusal becomes one of it by `From`, or whatever a closure makes of it, so a
//! server with `Error = Infallible` can answer 429. A layer holds its mechanism by any pointer: an `Arc`, or a plain
//! reference where the service does not outlive it. Layers pass `poll_ready` on and decide in `call`; permits are
//! released when the answer is there or the future is dropped.
//!
//! A client that is kind to a service that is not:
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//! use http::{Request, Response};
//! use tool_connect_tower::breaker::{BreakerSettings, Open};
//! use tool_connect_tower::deadline::Elapsed;
//! use tool_connect_tower::limit::{In, Refused};
//! use tool_connect_tower::retry::HttpRetry;
//! use tool_connect_tower::*;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! #[derive(Debug)]
//! enum Error {
//!     Limited(Refused),
//!     Down(Open),
//!     Late(Elapsed),
//! }
//! # impl From<Refused> for Error { fn from(why: Refused) -> Self { Self::Limited(why) } }
//! # impl From<Open> for Error { fn from(why: Open) -> Self { Self::Down(why) } }
//! # impl From<Elapsed> for Error { fn from(why: Elapsed) -> Self { Self::Late(why) } }
//! // and `From` for each of the three
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let limiter = Limiter::shared();
//! let service = limiter.define("service", Limit::per_second(50))?;
//! let breakers = Arc::new(BreakerSet::new(BreakerSettings::default())?);
//! let by_host = |request: &Request<String>| request.uri().host().map(hash_key);
//!
//! let client = ServiceBuilder::new()
//!     .layer(DeadlineLayer::new(Duration::from_secs(30))) // the whole call
//!     .layer(RetryLayer::new(HttpRetry::new()))
//!     .layer(KeyedBreakerLayer::new(breakers, by_host).classify_with(ServerErrors))
//!     .layer(RateLimitLayer::new(limiter, In(service, Everyone)).wait(Duration::from_secs(5)))
//!     .layer(DeadlineLayer::new(Duration::from_secs(10))) // each attempt
//!     .service(service_fn(|request: Request<String>| async { Ok::<_, Error>(Response::new(request.into_body())) }));
//!
//! let response = client.oneshot(Request::get("https://api.example.com/").body(String::from("hello"))?).await;
//! assert_eq!(response.unwrap().body(), "hello");
//! # Ok(())
//! # }
//! ```
//!
//! # Time
//!
//! Mechanisms take readings of a monotonic clock in nanoseconds; the epoch is of no importance, but all readings given to
//! one mechanism must come from one clock. Readings may arrive slightly out of order, as they do from threads. A clock
//! that is set back stalls nothing for longer than a period. Layers read [`Monotonic`] unless the request carries a
//! reading ([`KeyOf::now`]) or they are given another [`Clock`].
//!
//! # Features
//!
//! `serde`: settings ([`Limit`], [`BreakerSettings`], [`RetrySettings`]) deserialise.

mod answer;
pub mod breaker;
mod clock;
pub mod concurrency;
mod contract;
pub mod deadline;
#[cfg(feature = "serde")]
mod durations;
mod key;
pub mod limit;
pub mod retry;

pub use breaker::{Breaker, BreakerLayer, BreakerSet, BreakerSettings, KeyedBreakerLayer};
pub use clock::{Clock, Monotonic};
pub use concurrency::{Concurrency, ConcurrencyLayer};
pub use contract::{Classify, ErrIsFailure, Everyone, KeyOf, Refuse, ServerErrors, Verdict, ViaFrom};
pub use deadline::{Deadline, DeadlineLayer};
pub use key::hash_key;
pub use limit::{Limit, Limiter, RateLimitLayer};
pub use retry::{RetryBudget, RetryLayer, RetryPolicy, RetrySettings};
