//! OpenID Connect: users who sign in with another server, and tokens that others bring to us.
//!
//! [`SignIn`] is the authorization code flow with a nonce; its end is an [`Identity`] from an ID token that was checked.
//! [`AccessTokenVerifier`] checks access tokens that a client brings to the host's own API (RFC 9068). What it returns does
//! not hold the token: an inbound token is for the host alone, and is never passed through to a provider.

mod callback;
mod id_token;
mod inbound;
mod keys;
mod pending;
mod sign_in;

pub use id_token::Identity;
pub use inbound::{AccessTokenVerifier, InboundToken, bearer_token};
pub use pending::PendingSignIn;
pub use sign_in::{SignIn, SignedIn};

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tool_connect_core::{Error, ErrorKind};

/// Clocks may differ by so much.
const SKEW: Duration = Duration::from_secs(300);

/// A token that is not good. For callers it is all the same; the message is for operators and repeats nothing of the token.
fn denied(what: &str, why: &str) -> Error {
    Error::new(ErrorKind::Denied, format!("the {what} is refused: {why}"))
}

fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
