//! Stands where the crate was built without the feature `reqwest` and the host gave no transport.

use async_trait::async_trait;
use tool_connect_core::http::{ByteStream, RequestBody, Transport, TransportLimits};
use tool_connect_core::{Error, ErrorKind, Result};

pub(super) struct Missing;

#[async_trait]
impl Transport for Missing {
    async fn send(
        &self,
        _request: http::Request<RequestBody>,
        _limits: &TransportLimits,
    ) -> Result<http::Response<ByteStream>> {
        Err(Error::new(
            ErrorKind::Config,
            "the Hub has no HTTP transport: switch the feature `reqwest` on, or give the builder one",
        ))
    }
}
