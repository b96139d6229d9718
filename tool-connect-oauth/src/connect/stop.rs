//! Why a consent went no further: a page for the user, a reason for the host.

use http::StatusCode;
use tool_connect_core::{Error, ErrorKind};

use super::page::Page;

/// Why a consent went no further.
#[derive(Debug)]
pub(super) struct Stop {
    pub(super) page: Page,
    pub(super) kind: ErrorKind,
    /// The same words each time, for events.
    pub(super) reason: &'static str,
}

impl Stop {
    pub(super) fn new(
        kind: ErrorKind,
        status: StatusCode,
        reason: &'static str,
        title: &'static str,
        text: impl Into<String>,
    ) -> Self {
        Self { page: Page::new(status, title, text), kind, reason }
    }

    /// Nobody is logged in.
    pub(super) fn nobody() -> Self {
        Self::new(
            ErrorKind::Denied,
            StatusCode::UNAUTHORIZED,
            "nobody is logged in",
            "Please log in",
            "Log in first, then begin again where you wanted to connect the account.",
        )
    }

    /// It ended, was used, or never was: which of these is nobody's business.
    pub(super) fn gone() -> Self {
        Self::new(
            ErrorKind::NotFound,
            StatusCode::GONE,
            "the link has ended or was used",
            "This link no longer works",
            "It has ended or was used already. Begin again where you wanted to connect the account.",
        )
    }

    /// Somebody else's.
    pub(super) fn not_yours() -> Self {
        Self::new(
            ErrorKind::Denied,
            StatusCode::FORBIDDEN,
            "the link is another user's",
            "This link is not yours",
            "It was made for another user. If somebody sent it to you, do not go on. \
             To connect an account of your own, begin in your own account.",
        )
    }

    /// An answer that cannot be trusted; nothing of it is shown.
    pub(super) fn distrusted(reason: &'static str) -> Self {
        Self::new(
            ErrorKind::Denied,
            StatusCode::FORBIDDEN,
            reason,
            "The account was not connected",
            "The answer did not come the way it was asked for, so it was not used. \
             Begin again in this browser where you wanted to connect the account.",
        )
    }

    /// No request that a provider's page or ours leads to.
    pub(super) fn malformed() -> Self {
        Self::new(
            ErrorKind::InvalidArguments,
            StatusCode::BAD_REQUEST,
            "the request is malformed",
            "Something is wrong with this address",
            "It is not complete. Begin again where you wanted to connect the account.",
        )
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        tracing::warn!(target: "tool_connect", %error, "a consent went no further");
        let (status, text) = match error.kind() {
            ErrorKind::Denied | ErrorKind::Forbidden => (StatusCode::FORBIDDEN, None),
            ErrorKind::NotFound | ErrorKind::Conflict => (StatusCode::CONFLICT, None),
            ErrorKind::RateLimited | ErrorKind::Provider | ErrorKind::Transport => {
                let text = "The service did not answer as it should. Try again in a few minutes.";
                (StatusCode::BAD_GATEWAY, Some(text))
            }
            ErrorKind::NeedsReauth => {
                let text = "The service did not accept its own answer: it came too late or was used before. Begin again.";
                (StatusCode::BAD_GATEWAY, Some(text))
            }
            ErrorKind::Storage => (
                StatusCode::SERVICE_UNAVAILABLE,
                Some("Something is out of order here. Try again in a few minutes."),
            ),
            _ => {
                let text = "Something is not set up correctly here. Tell the people who run this site.";
                (StatusCode::INTERNAL_SERVER_ERROR, Some(text))
            }
        };
        let text = text.map_or_else(|| error.public_message().to_string(), str::to_owned);
        Self::new(error.kind(), status, "an error", "The account was not connected", text)
    }
}
