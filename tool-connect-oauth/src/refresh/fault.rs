//! Failures that many wait for, and how long to leave a provider alone after one.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tool_connect_core::{Effect, Error, ErrorKind, Retry};

/// A failure that is told to everybody who waited.
#[derive(Clone)]
pub(super) struct Failure(Arc<Error>);

impl Failure {
    pub(super) fn new(error: Error) -> Self {
        Self(Arc::new(error))
    }

    pub(super) fn error(&self) -> &Error {
        &self.0
    }

    /// The error for one of them, with the advice to come back not before the pause is over. Whatever was wanted was not done.
    pub(super) fn tell(&self, pause: Option<Duration>) -> Error {
        let of = &*self.0;
        let retry = pause.map_or(of.retry_advice(), Retry::After);
        let mut error = Error::new(of.kind(), of.message().to_owned())
            .retry(retry)
            .effect(Effect::NotExecuted)
            .public(of.public_message().into_owned())
            .caused_by(Shared(self.clone()));
        if let Some(status) = of.http_status() {
            error = error.with("token endpoint", status);
        }
        error
    }
}

/// The failure as the source of what is told.
struct Shared(Failure);

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.0.error(), f)
    }
}

impl fmt::Display for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.0.error(), f)
    }
}

impl std::error::Error for Shared {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(self.0.error())
    }
}

/// What an answer, or the lack of one, says about the refresh token that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The grant is gone: `invalid_grant`.
    Gone,
    /// The server said no to the request, or was not reached: the token is as it was.
    Unspent,
    /// Nobody knows: the answer was lost.
    Unknown,
}

impl Verdict {
    pub(super) fn of(error: &Error) -> Self {
        match (error.kind(), error.effect_on_provider(), error.http_status()) {
            (ErrorKind::NeedsReauth, ..) => Self::Gone,
            (_, Effect::NotExecuted, _) => Self::Unspent,
            // An answer that is no success: a server that fails before it has decided. Were it otherwise, the next try would
            // be told that the grant is gone.
            (_, _, Some(status)) if !(200..300).contains(&status) => Self::Unspent,
            _ => Self::Unknown,
        }
    }
}

/// The pause after so many failures in a row; what the provider asks for wins.
pub(super) fn pause(
    error: &Error,
    failures: u32,
    first: Duration,
    longest: Duration,
    jitter: f64,
) -> Duration {
    if let Retry::After(wait) = error.retry_advice() {
        return wait;
    }
    let factor = 1_u32.checked_shl(failures.saturating_sub(1).min(20)).unwrap_or(u32::MAX);
    // Between half of it and all of it.
    first.saturating_mul(factor).min(longest).mul_f64(0.5 + jitter / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_secs(1);
    const LONGEST: Duration = Duration::from_secs(300);

    #[test]
    fn pauses_grow_and_the_provider_is_obeyed() {
        let error = Error::new(ErrorKind::Provider, "x");
        let wait = |failures, jitter| pause(&error, failures, FIRST, LONGEST, jitter).as_millis();
        assert_eq!((wait(1, 1.0), wait(1, 0.0), wait(4, 1.0), wait(60, 1.0)), (1_000, 500, 8_000, 300_000));
        let told = Error::new(ErrorKind::RateLimited, "x").retry(Retry::After(Duration::from_secs(700)));
        assert_eq!(pause(&told, 1, FIRST, LONGEST, 0.0), Duration::from_secs(700));
    }

    #[test]
    fn only_a_lost_answer_leaves_doubt() {
        let provider = |status| Error::new(ErrorKind::Provider, "x").status(status);
        assert_eq!(Verdict::of(&Error::new(ErrorKind::NeedsReauth, "x")), Verdict::Gone);
        assert_eq!(Verdict::of(&Error::new(ErrorKind::RateLimited, "x").status(429)), Verdict::Unspent);
        assert_eq!(Verdict::of(&provider(503)), Verdict::Unspent);
        assert_eq!(Verdict::of(&provider(200)), Verdict::Unknown);
        assert_eq!(Verdict::of(&Error::new(ErrorKind::Transport, "x")), Verdict::Unknown);
        let unreached = Error::new(ErrorKind::Transport, "x").effect(Effect::NotExecuted);
        assert_eq!(Verdict::of(&unreached), Verdict::Unspent);
    }
}
