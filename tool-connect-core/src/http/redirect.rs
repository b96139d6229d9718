//! Where a redirect may lead, beyond what the address guard allows.

use std::fmt;
use std::sync::Arc;

use url::Url;

use super::RequestOptions;
use crate::error::Result;

/// Says whether a redirect may be followed to a URL.
///
/// A connector that keeps to certain hosts sets one with
/// [`RequestBuilder::redirect_guard`](super::RequestBuilder::redirect_guard). The request stack asks
/// it before each hop, and the address guard after it.
///
/// ```
/// use tool_connect_core::http::RedirectGuard;
/// use tool_connect_core::{Error, ErrorKind};
///
/// let guard = RedirectGuard::new(|url| match url.host_str() {
///     Some("api.example.com") => Ok(()),
///     _ => Err(Error::new(ErrorKind::Blocked, "a redirect leaves api.example.com")),
/// });
/// assert!(guard.check(&"https://api.example.com/v2".parse().unwrap()).is_ok());
/// assert!(guard.check(&"https://elsewhere.example/".parse().unwrap()).is_err());
/// ```
#[derive(Clone)]
pub struct RedirectGuard(Arc<Check>);

type Check = dyn Fn(&Url) -> Result<()> + Send + Sync;

impl RedirectGuard {
    /// A guard from a function that refuses with an error, best of kind
    /// [`ErrorKind::Blocked`](crate::ErrorKind::Blocked).
    #[must_use]
    pub fn new(check: impl Fn(&Url) -> Result<()> + Send + Sync + 'static) -> Self {
        Self(Arc::new(check))
    }

    /// Asks it.
    ///
    /// # Errors
    /// The refusal.
    pub fn check(&self, next: &Url) -> Result<()> {
        (self.0)(next)
    }
}

impl fmt::Debug for RedirectGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedirectGuard(..)")
    }
}

impl RequestOptions {
    /// Whether a redirect of this request may be followed to a URL; for the request stack.
    ///
    /// # Errors
    /// The guard's refusal; none without a guard.
    pub fn check_redirect(&self, next: &Url) -> Result<()> {
        self.redirect_guard.as_ref().map_or(Ok(()), |guard| guard.check(next))
    }
}
