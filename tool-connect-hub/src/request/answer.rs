//! What an answer other than 2xx means: the connector's word first, then the status code's.

use std::future::poll_fn;
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use http::response::Parts;
use http::{HeaderMap, StatusCode};
use tool_connect_core::http::ByteStream;
use tool_connect_core::{Effect, Error, ErrorKind, Retry};
use tool_connect_tower::Deadline;

use super::rate_headers;

/// So much of an error's body is shown to the connector, in bytes.
const MOST: usize = 64 << 10;

/// The beginning of an error's body, as much as comes within `bound`.
pub(super) async fn beginning(body: &mut ByteStream, bound: Duration) -> Bytes {
    let mut all = BytesMut::new();
    let reading = async {
        // A body that breaks off is judged by what is there: the status is known.
        while let Some(Ok(chunk)) = poll_fn(|cx| body.as_mut().poll_next(cx)).await {
            let room = MOST - all.len();
            all.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
            if all.len() >= MOST {
                break;
            }
        }
    };
    // Out of time is the same as broken off.
    let _ = Deadline::within(reading, bound).await;
    all.freeze()
}

/// The error that an answer stands for where the connector has nothing to say. `reads` says that
/// the request could change nothing.
pub(super) fn by_status(parts: &Parts, reads: bool, signed: bool, now: SystemTime) -> Error {
    let status = parts.status;
    let limited = limited_for(&parts.headers, now);
    // Some providers say "too many" with a 403 and name the time.
    let too_many = status == StatusCode::FORBIDDEN && limited.is_some();
    let what = match status.as_u16() {
        401 if signed => "refused the credential; connect the account again",
        401 => "wants a credential, and the request carried none",
        403 if too_many => "says that its rate limit is used up",
        403 => "does not let this account do that",
        404 | 410 => "does not have that",
        409 | 412 => "says that it conflicts with what is there",
        413 => "says that the request is too large",
        408 => "gave up waiting for the request",
        425 => "wants the request later",
        429 => "says that its rate limit is used up",
        300..=399 => "redirects, and that cannot be followed",
        400..=499 => "refused the request",
        _ => "failed",
    };
    let reason = status.canonical_reason().unwrap_or("an unregistered status");
    let message = format!("the service {what} ({reason})");
    let error = if too_many {
        Error::new(ErrorKind::RateLimited, message)
            .status(status.as_u16())
            .retry(Retry::Backoff)
            .effect(Effect::Unknown)
    } else {
        Error::of_status(status.as_u16(), message)
    };
    let error = completed(error, parts, now);
    if reads { error.effect(Effect::None) } else { error }
}

/// What a connector said of an answer, with what the answer says beside it: its status, and how long to wait.
pub(super) fn completed(error: Error, parts: &Parts, now: SystemTime) -> Error {
    let error = if error.http_status().is_none() { error.status(parts.status.as_u16()) } else { error };
    let wait = match (error.kind(), error.retry_advice()) {
        (ErrorKind::RateLimited, Retry::Backoff) => limited_for(&parts.headers, now),
        (ErrorKind::Provider, Retry::Backoff) => rate_headers::retry_after(&parts.headers, now),
        _ => None,
    };
    match wait {
        Some(wait) => error.retry(Retry::After(wait)),
        None => error,
    }
}

/// How long to wait if the answer says so: Retry-After, or the end of a window that is used up.
fn limited_for(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    rate_headers::retry_after(headers, now).or_else(|| {
        let window = rate_headers::window(headers, now)?;
        (window.remaining == 0).then_some(window.reset)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(status: u16, headers: &[(&'static str, &'static str)], reads: bool) -> Error {
        let mut response = http::Response::new(());
        *response.status_mut() = StatusCode::from_u16(status).expect("a status");
        for (name, value) in headers {
            response.headers_mut().insert(*name, http::HeaderValue::from_static(value));
        }
        by_status(&response.into_parts().0, reads, true, SystemTime::UNIX_EPOCH)
    }

    #[test]
    fn the_status_says_who_can_act() {
        for (status, kind) in [
            (304, ErrorKind::Provider),
            (400, ErrorKind::Provider),
            (401, ErrorKind::NeedsReauth),
            (403, ErrorKind::Forbidden),
            (404, ErrorKind::NotFound),
            (408, ErrorKind::RateLimited),
            (409, ErrorKind::Conflict),
            (412, ErrorKind::Conflict),
            (413, ErrorKind::TooLarge),
            (422, ErrorKind::Provider),
            (425, ErrorKind::RateLimited),
            (429, ErrorKind::RateLimited),
            (500, ErrorKind::Provider),
            (599, ErrorKind::Provider),
        ] {
            let error = error(status, &[], false);
            assert_eq!((error.kind(), error.http_status()), (kind, Some(status)));
        }
    }

    #[test]
    fn only_proof_counts_as_not_executed() {
        for status in [401, 421, 425] {
            assert_eq!(error(status, &[], false).effect_on_provider(), Effect::NotExecuted, "{status}");
        }
        for status in [400, 403, 404, 408, 409, 429, 500, 502, 503, 504] {
            assert_eq!(error(status, &[], false).effect_on_provider(), Effect::Unknown, "{status}");
            assert_eq!(error(status, &[], true).effect_on_provider(), Effect::None, "{status}");
        }
    }

    #[test]
    fn what_a_connector_says_keeps_the_wait_that_the_answer_names() {
        let head = |status: u16, headers: &[(&'static str, &'static str)]| {
            let mut response = http::Response::new(());
            *response.status_mut() = StatusCode::from_u16(status).expect("a status");
            for (name, value) in headers {
                response.headers_mut().insert(*name, http::HeaderValue::from_static(value));
            }
            response.into_parts().0
        };
        let said = |kind, parts: &Parts| completed(Error::new(kind, "said"), parts, SystemTime::UNIX_EPOCH);
        let limited = said(ErrorKind::RateLimited, &head(400, &[("retry-after", "7")]));
        assert_eq!(limited.retry_advice(), Retry::After(Duration::from_secs(7)));
        assert_eq!(limited.http_status(), Some(400));
        assert_eq!(said(ErrorKind::RateLimited, &head(429, &[])).retry_advice(), Retry::Backoff);
        assert_eq!(
            said(ErrorKind::Conflict, &head(409, &[("retry-after", "7")])).retry_advice(),
            Retry::Never
        );
    }

    #[test]
    fn waits_are_taken_from_the_answer() {
        let after = |seconds| Retry::After(Duration::from_secs(seconds));
        assert_eq!(error(429, &[("retry-after", "7")], true).retry_advice(), after(7));
        assert_eq!(
            error(429, &[("retry-after", "Thu, 01 Jan 1970 00:00:09 GMT")], true).retry_advice(),
            after(9)
        );
        assert_eq!(error(429, &[], true).retry_advice(), Retry::Backoff);
        let used_up = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "3")];
        assert_eq!(error(429, &used_up, true).retry_advice(), after(3));
        let forbidden = error(403, &used_up, true);
        assert_eq!((forbidden.kind(), forbidden.retry_advice()), (ErrorKind::RateLimited, after(3)));
        assert_eq!(error(503, &[("retry-after", "4")], true).retry_advice(), after(4));
        assert_eq!(error(500, &[], true).retry_advice(), Retry::Backoff);
        assert_eq!(error(501, &[], true).retry_advice(), Retry::Never);
        assert_eq!(error(400, &[("retry-after", "4")], true).retry_advice(), Retry::Never);
    }
}
