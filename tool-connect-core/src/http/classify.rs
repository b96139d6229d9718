//! What the error answers of one request mean.

use std::fmt;
use std::sync::Arc;

use super::RequestOptions;
use crate::error::Error;

/// Turns an error answer to one request into an error of ours, where the operation is known better than the connector as
/// a whole: set with [`RequestBuilder::classify`](super::RequestBuilder::classify).
///
/// The request stack asks it before [`Connector::classify`](crate::Connector::classify). The body is capped and may hold
/// secrets of the user, so only what is safe may enter the error.
///
/// ```
/// use tool_connect_core::http::Classify;
/// use tool_connect_core::{Error, ErrorKind};
///
/// let classify = Classify::new(|parts, _body| {
///     (parts.status == 410).then(|| Error::new(ErrorKind::Conflict, "the draft was sent meanwhile"))
/// });
/// # drop(classify);
/// ```
#[derive(Clone)]
pub struct Classify(Arc<Read>);

type Read = dyn Fn(&http::response::Parts, &[u8]) -> Option<Error> + Send + Sync;

impl Classify {
    /// From a function of the answer's head and the beginning of its body; `None` where it has nothing to say.
    #[must_use]
    pub fn new(
        read: impl Fn(&http::response::Parts, &[u8]) -> Option<Error> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(read))
    }
}

impl fmt::Debug for Classify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Classify(..)")
    }
}

impl RequestOptions {
    /// What an error answer to this request means; for the request stack.
    #[must_use]
    pub fn read_error(&self, parts: &http::response::Parts, body: &[u8]) -> Option<Error> {
        self.classify.as_ref().and_then(|classify| (classify.0)(parts, body))
    }
}
