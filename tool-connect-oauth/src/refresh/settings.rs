//! How long things may take, and how careful to be.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tool_connect_core::{Error, ErrorKind, Result};

/// Shortest time that a lease can be configured to.
const SHORTEST_LEASE: Duration = Duration::from_millis(200);

/// How a [`TokenManager`](super::TokenManager) renews tokens. Durations are text such as `30s` or `5m`.
///
/// ```
/// use std::time::Duration;
/// use tool_connect_oauth::refresh::{Recovery, RefreshSettings};
///
/// let settings: RefreshSettings = toml::from_str("ahead = '2m'\nrecovery = 'needs_reauth'").unwrap();
/// assert_eq!((settings.ahead, settings.recovery), (Duration::from_secs(120), Recovery::NeedsReauth));
/// assert_eq!(settings.lease, Duration::from_secs(10));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct RefreshSettings {
    /// How long before its end a token is renewed, with up to half of this again as jitter. Of a token that lives shortly, a
    /// fifth of what is left counts instead. Default 5 minutes.
    #[serde(with = "tool_connect_core::duration")]
    pub ahead: Duration,
    /// For how long one process may hold a renewal before others look after it. Default 10 seconds, at least 200 ms.
    #[serde(with = "tool_connect_core::duration")]
    pub lease: Duration,
    /// How long a process that announced a token request is waited for before it counts as dead. It must be longer than a token
    /// request may take, else a slow answer looks like a death and a refresh token may be spent twice. Default 60 seconds.
    #[serde(with = "tool_connect_core::duration")]
    pub settle_after: Duration,
    /// What to do about a process that died while it may have spent a refresh token that rotates strictly.
    pub recovery: Recovery,
    /// How long a call waits for a renewal. Default 40 seconds; the call's own deadline may be shorter.
    #[serde(with = "tool_connect_core::duration")]
    pub wait: Duration,
    /// How long what was read from the store is believed before it is read again, beside the calls. Default 10 minutes.
    #[serde(with = "tool_connect_core::duration")]
    pub recheck: Duration,
    /// How long after a renewal a refused token (401) is not renewed again: a service that refuses everything must not cost a
    /// token request a call. Default 30 seconds.
    #[serde(with = "tool_connect_core::duration")]
    pub refused_pause: Duration,
    /// The first pause after a renewal that failed and may be tried again; doubled each time. A provider that says when to
    /// come back is obeyed instead. Default 1 second.
    #[serde(with = "tool_connect_core::duration")]
    pub backoff: Duration,
    /// The longest such pause. Default 5 minutes.
    #[serde(with = "tool_connect_core::duration")]
    pub longest_backoff: Duration,
    /// For how many connections tokens are kept in memory. Default 100,000.
    pub capacity: usize,
    /// How often the background refresher looks for tokens that end soon. Default 1 minute.
    #[serde(with = "tool_connect_core::duration")]
    pub interval: Duration,
    /// How many renewals the background refresher makes at a time. Default 8.
    pub parallel: usize,
}

/// What to do about a process that died while it may have spent a refresh token that rotates strictly.
///
/// Where the provider does not rotate, or tolerates that a token is used again, trying once more is harmless and always done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Recovery {
    /// Try the old token once. Where it was not spent, nothing is lost; where it was, the provider may end the whole grant.
    #[default]
    TryOnce,
    /// Ask the user to connect again. No token is ever used twice.
    NeedsReauth,
}

impl Default for RefreshSettings {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            ahead: seconds(300),
            lease: seconds(10),
            settle_after: seconds(60),
            recovery: Recovery::default(),
            wait: seconds(40),
            recheck: seconds(600),
            refused_pause: seconds(30),
            backoff: seconds(1),
            longest_backoff: seconds(300),
            capacity: 100_000,
            interval: seconds(60),
            parallel: 8,
        }
    }
}

impl RefreshSettings {
    pub(super) fn check(&self) -> Result<()> {
        let wrong = |what: &str| Err(Error::new(ErrorKind::Config, format!("refresh settings: {what}")));
        if self.lease < SHORTEST_LEASE {
            return wrong("`lease` must be at least 200 ms");
        }
        if self.backoff.is_zero() || self.longest_backoff < self.backoff {
            return wrong("`backoff` must be above zero and not above `longest_backoff`");
        }
        if self.capacity == 0 || self.parallel == 0 || self.interval.is_zero() || self.wait.is_zero() {
            return wrong("`capacity`, `parallel`, `interval` and `wait` must be above zero");
        }
        Ok(())
    }
}
