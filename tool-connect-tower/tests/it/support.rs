//! Services and numbers that several tests use.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};

use http::{Request, Response, StatusCode};
use tool_connect_tower::retry::{Random, SplitMix};
use tower::util::service_fn;

pub(crate) const SECOND: u64 = 1_000_000_000;

/// A number in `0..below`.
pub(crate) fn pick(random: &SplitMix, below: u64) -> u64 {
    random.up_to(below - 1)
}

/// An ordinary server: counts what reaches it, and answers each request with the status in its path.
pub(crate) fn server(
    seen: Arc<AtomicU32>,
) -> impl tower::Service<Request<String>, Response = Response<String>, Error = Infallible, Future: Send> + Clone
{
    service_fn(move |request: Request<String>| {
        seen.fetch_add(1, Ordering::SeqCst);
        async move {
            let mut response = Response::new(String::new());
            let status = request.uri().path().trim_start_matches('/').parse::<u16>().ok();
            *response.status_mut() =
                status.and_then(|code| StatusCode::from_u16(code).ok()).unwrap_or(StatusCode::OK);
            Ok(response)
        }
    })
}

/// Polls once, without a runtime.
pub(crate) fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    std::pin::Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}
