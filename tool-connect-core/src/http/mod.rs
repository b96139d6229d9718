//! The HTTP client that tools see: requests are described here and sent by the host's request
//! stack (retries, breaker, limits, credentials, address guard). No HTTP library is named.

mod classify;
mod redirect;
mod request;
mod response;

pub use classify::Classify;
pub use redirect::RedirectGuard;
pub use request::{HttpClient, OutboundRequest, RequestBody, RequestBuilder, RequestOptions};
pub use response::{ByteStream, Response};

use async_trait::async_trait;

use crate::error::Result;

/// Sends one request and nothing more: no redirect is followed, and nothing is sent again that the
/// peer may have processed.
///
/// The last room of the request stack. Tests record and replay here; a host may bring its own
/// client, and then answers for the address guard itself.
#[async_trait]
pub trait Transport: Send + Sync + 'static {
    /// Sends the request and returns as soon as the head of the answer is there.
    ///
    /// The body of the answer must fail, not block, where its peer stalls beyond `limits`.
    ///
    /// # Errors
    /// [`ErrorKind::Transport`](crate::ErrorKind::Transport) where the peer cannot be reached, with
    /// [`Effect::NotExecuted`](crate::Effect::NotExecuted) if it is certain that no byte of the
    /// request was sent; [`ErrorKind::Blocked`](crate::ErrorKind::Blocked) where the address is
    /// refused.
    async fn send(
        &self,
        request: http::Request<RequestBody>,
        limits: &TransportLimits,
    ) -> Result<http::Response<ByteStream>>;
}

/// Bounds on one request, each per phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransportLimits {
    /// Name look-up, connect and TLS handshake.
    pub connect: std::time::Duration,
    /// From the request sent to the answer's head.
    pub head: std::time::Duration,
    /// Between two chunks of the body.
    pub idle: std::time::Duration,
}

impl Default for TransportLimits {
    fn default() -> Self {
        let seconds = std::time::Duration::from_secs;
        Self { connect: seconds(10), head: seconds(30), idle: seconds(30) }
    }
}
