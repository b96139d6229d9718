//! What an HTTP exchange says about trying again, RFC 9110.

use std::time::SystemTime;

use http::{HeaderMap, Method, Request, Response, StatusCode, header::RETRY_AFTER};

use super::layer::Retryable;
use super::policy::{Effect, Facts};
use super::retry_after::parse_retry_after;

/// Repeats HTTP requests whose body can be cloned, after a 408, 429, 502, 503 or 504 and after any error of the service.
///
/// Repeatable are the idempotent methods of RFC 9110 §9.2.2 and requests with an `Idempotency-Key`. Of every other request
/// it is assumed that it may have been executed, unless its status is one that [`not_executed`](Self::not_executed) names.
#[derive(Debug, Clone, Default)]
pub struct HttpRetry {
    not_executed: Vec<StatusCode>,
}

impl HttpRetry {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// This server sends `status` only if it executed nothing: many say so of their 429. Then writes are repeated too.
    #[must_use]
    pub fn not_executed(mut self, status: StatusCode) -> Self {
        self.not_executed.push(status);
        self
    }

    /// The facts of an answer with these parts; `None` if it needs no retry.
    #[must_use]
    pub fn facts_of(
        &self,
        repeatable: bool,
        status: StatusCode,
        headers: &HeaderMap,
        now: SystemTime,
    ) -> Option<Facts> {
        let transient = matches!(status.as_u16(), 408 | 429 | 502 | 503 | 504);
        if !transient {
            return None;
        }
        let effect = if self.not_executed.contains(&status) { Effect::NotExecuted } else { Effect::Unknown };
        let header = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = header.and_then(|value| parse_retry_after(value, now));
        Some(Facts { transient, repeatable, effect, retry_after, time_left: None })
    }

    /// Whether a request with this method and these headers can be repeated without harm.
    #[must_use]
    pub fn is_repeatable(method: &Method, headers: &HeaderMap) -> bool {
        method.is_idempotent() || headers.contains_key("idempotency-key")
    }
}

impl<B: Clone, ResBody, Err> Retryable<Request<B>, Response<ResBody>, Err> for HttpRetry {
    fn repeat(&self, request: &Request<B>) -> Option<Request<B>> {
        Some(request.clone())
    }

    fn facts(&self, request: &Request<B>, result: &Result<Response<ResBody>, Err>) -> Option<Facts> {
        let repeatable = Self::is_repeatable(request.method(), request.headers());
        match result {
            Ok(response) => {
                self.facts_of(repeatable, response.status(), response.headers(), SystemTime::now())
            }
            Err(_) => Some(Facts { repeatable, ..Facts::default() }),
        }
    }
}
