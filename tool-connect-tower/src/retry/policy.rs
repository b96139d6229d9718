//! Whether to try again, and when: a pure decision over facts.

use std::time::Duration;

use super::budget::RetryBudget;
use super::random::Random;
use crate::clock::nanos;

/// What the failed attempt may have done on the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// No byte of the request was sent.
    None,
    /// The other side has answered in a way that proves that it executed nothing.
    NotExecuted,
    /// Bytes were sent, and anything may have happened.
    Unknown,
}

/// A failed attempt, as far as trying again is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// The failure may pass by itself: a lost connection, a time-out, a 429 or 503.
    pub transient: bool,
    /// Doing it twice is as good as once: the request only reads, is idempotent, or carries an idempotency key.
    pub repeatable: bool,
    /// What the attempt may have done.
    pub effect: Effect,
    /// How long the other side asks to wait ([`parse_retry_after`](super::parse_retry_after)).
    pub retry_after: Option<Duration>,
    /// How much time the call has left; a wait that would not end before is not begun.
    pub time_left: Option<Duration>,
}

impl Default for Facts {
    /// Transient, but not safe to repeat: the careful assumption about a write whose connection broke.
    fn default() -> Self {
        Self {
            transient: true,
            repeatable: false,
            effect: Effect::Unknown,
            retry_after: None,
            time_left: None,
        }
    }
}

/// Why a failed attempt is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Stop {
    /// Trying again would fail in the same way.
    #[error("the failure is not transient")]
    Permanent,
    /// It is a write without an idempotency key, and may have been executed.
    #[error("the request may have been executed; repeat it only with an idempotency key")]
    MayHaveExecuted,
    /// All attempts are used.
    #[error("all {0} attempts are used")]
    Attempts(u32),
    /// The retry budget is empty: too large a share of all calls is failing.
    #[error("the retry budget is empty")]
    Budget,
    /// The other side asks to wait longer than a call should.
    #[error("the service asks to wait {0:?}, longer than a call may")]
    RetryAfter(Duration),
    /// The call's own time would be over before.
    #[error("the call has not enough time left to wait {0:?}")]
    Deadline(Duration),
}

/// What to do when the other side asks for a longer wait than [`RetrySettings::retry_after_cap`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum OverCap {
    /// Give up and let the caller see the answer: asking earlier would be refused again, and may be punished.
    #[default]
    GiveUp,
    /// Wait for the cap and try all the same.
    WaitCap,
}

/// The settings of a [`RetryPolicy`].
///
/// The defaults: three attempts, a wait of up to 200 ms, then up to 400 ms, never above 20 s; Retry-After up to 30 s.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(default, deny_unknown_fields))]
pub struct RetrySettings {
    /// Attempts in all, the first one included.
    pub max_attempts: u32,
    /// The longest wait before the second attempt; it doubles with each further one.
    #[cfg_attr(feature = "serde", serde(with = "crate::durations"))]
    pub base: Duration,
    /// The longest wait before any attempt.
    #[cfg_attr(feature = "serde", serde(with = "crate::durations"))]
    pub cap: Duration,
    /// The longest wait that the other side may ask for, jitter included.
    #[cfg_attr(feature = "serde", serde(with = "crate::durations"))]
    pub retry_after_cap: Duration,
    /// What to do when it asks for more.
    pub over_cap: OverCap,
}

impl Default for RetrySettings {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            base: Duration::from_millis(200),
            cap: Duration::from_secs(20),
            retry_after_cap: Duration::from_secs(30),
            over_cap: OverCap::GiveUp,
        }
    }
}

/// Settings that make no policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidRetry {
    /// Not even one attempt.
    #[error("`max_attempts` must be at least 1; 1 switches retries off")]
    NoAttempt,
    /// The first wait is longer than the longest.
    #[error("`base` must not be longer than `cap`")]
    BaseAboveCap,
}

/// Decides whether and when a failed attempt is repeated.
///
/// The wait is drawn evenly between zero and an exponentially growing bound (full jitter), or is what the other side asked
/// for plus such a draw. A request that may have been executed is only repeated if doing it twice is harmless.
///
/// ```
/// use std::time::Duration;
/// use tool_connect_tower::retry::{Effect, Facts, RetryBudget, RetryPolicy, Stop};
///
/// let policy = RetryPolicy::default();
/// let budget = RetryBudget::default();
/// let longest = || u64::MAX; // in place of random numbers
///
/// let read = Facts { repeatable: true, ..Facts::default() };
/// assert_eq!(policy.decide(1, &read, &budget, &longest), Ok(Duration::from_millis(200)));
/// assert_eq!(policy.decide(2, &read, &budget, &longest), Ok(Duration::from_millis(400)));
/// assert_eq!(policy.decide(3, &read, &budget, &longest), Err(Stop::Attempts(3)));
///
/// let write = Facts { repeatable: false, effect: Effect::Unknown, ..read };
/// assert_eq!(policy.decide(1, &write, &budget, &longest), Err(Stop::MayHaveExecuted));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RetryPolicy {
    settings: RetrySettings,
}

impl RetryPolicy {
    /// A policy by these settings.
    ///
    /// # Errors
    /// [`InvalidRetry`] names the setting that is out of range.
    pub fn new(settings: RetrySettings) -> Result<Self, InvalidRetry> {
        if settings.max_attempts == 0 {
            return Err(InvalidRetry::NoAttempt);
        }
        if settings.base > settings.cap {
            return Err(InvalidRetry::BaseAboveCap);
        }
        Ok(Self { settings })
    }

    /// A policy that never repeats anything.
    #[must_use]
    pub fn never() -> Self {
        Self { settings: RetrySettings { max_attempts: 1, ..RetrySettings::default() } }
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &RetrySettings {
        &self.settings
    }

    /// The wait before the next attempt, after `attempts` have been made (from 1) and the last one failed as `facts` say.
    /// Takes a retry from the budget if, and only if, the answer is a wait.
    ///
    /// # Errors
    /// [`Stop`] says why the failure stands.
    pub fn decide(
        &self,
        attempts: u32,
        facts: &Facts,
        budget: &RetryBudget,
        random: &impl Random,
    ) -> Result<Duration, Stop> {
        let most = self.settings.max_attempts;
        if !facts.transient {
            return Err(Stop::Permanent);
        }
        if !facts.repeatable && facts.effect == Effect::Unknown {
            return Err(Stop::MayHaveExecuted);
        }
        if attempts >= most {
            return Err(Stop::Attempts(most));
        }
        let wait = self.wait(attempts, facts.retry_after, random)?;
        if facts.time_left.is_some_and(|left| wait >= left) {
            return Err(Stop::Deadline(wait));
        }
        if budget.try_retry() { Ok(wait) } else { Err(Stop::Budget) }
    }

    fn wait(
        &self,
        attempts: u32,
        retry_after: Option<Duration>,
        random: &impl Random,
    ) -> Result<Duration, Stop> {
        let RetrySettings { base, cap, retry_after_cap, over_cap, .. } = self.settings;
        let doublings = attempts.saturating_sub(1).min(63);
        let bound = nanos(base).saturating_mul(1 << doublings).min(nanos(cap));
        let jitter = Duration::from_nanos(random.up_to(bound));
        let Some(asked) = retry_after else { return Ok(jitter) };
        if asked > retry_after_cap && over_cap == OverCap::GiveUp {
            return Err(Stop::RetryAfter(asked));
        }
        // Never before the other side is ready, so the jitter is added.
        Ok(asked.saturating_add(jitter).min(retry_after_cap))
    }
}
