//! Host layers around each request.

use std::time::Duration;

use http::request::Parts;
use http::{Method, StatusCode};
use tool_connect_core::{ErrorKind, InstanceId, Result};

/// A host layer around each request on the wire, just before the credential is attached: it never
/// sees a secret.
///
/// ```
/// use http::{HeaderValue, request::Parts};
/// use tool_connect_core::Result;
/// use tool_connect_hub::PerRequest;
///
/// struct Traced;
///
/// impl PerRequest for Traced {
///     fn before(&self, request: &mut Parts) -> Result<()> {
///         request.headers.insert("x-request-source", HeaderValue::from_static("tool-connect"));
///         Ok(())
///     }
/// }
/// # let _: &dyn PerRequest = &Traced;
/// ```
pub trait PerRequest: Send + Sync + 'static {
    /// Sees an attempt or a redirect's hop; may change it or refuse it. A changed address is guarded
    /// like any other.
    ///
    /// # Errors
    /// A refusal; nothing is sent, and the request is not repeated unless the error advises it.
    fn before(&self, request: &mut Parts) -> Result<()> {
        let _ = request;
        Ok(())
    }

    /// Hears how it ended; must not block.
    fn after(&self, end: &RequestEnd<'_>) {
        let _ = end;
    }
}

/// How a request on the wire ended. Never its path's values, query, headers or body.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RequestEnd<'a> {
    /// Through which connector instance.
    pub instance: &'a InstanceId,
    /// Method.
    pub method: &'a Method,
    /// Which host was asked.
    pub host: &'a str,
    /// The path as the tool wrote it, with its placeholders; `None` for an absolute URL.
    pub template: Option<&'a str>,
    /// The answer's status, where there was one.
    pub status: Option<StatusCode>,
    /// What went wrong where there was no answer.
    pub error: Option<ErrorKind>,
    /// From before the credential was attached to the answer's head.
    pub took: Duration,
}
