//! When a breaker opens, for how long, and how it tries again.

use std::time::Duration;

use super::window::MOST_CALLS;
use crate::clock::nanos;

/// The recent calls that a breaker judges by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Window {
    /// The last so many calls, at most 65,536.
    Calls(u32),
    /// The calls of the last so long, kept in sixteen steps.
    Time(#[cfg_attr(feature = "serde", serde(with = "crate::durations"))] Duration),
}

/// The settings of a [`Breaker`](super::Breaker).
///
/// The defaults: over the last 100 calls, once there were 20, open at 50 % failures for 30 s, then let 3 calls try.
///
/// ```
/// use std::time::Duration;
/// use tool_connect_tower::breaker::{Breaker, BreakerSettings, Window};
///
/// let settings = BreakerSettings {
///     window: Window::Time(Duration::from_secs(60)),
///     slow_call: Some(Duration::from_secs(5)),
///     open_growth: 2.0,
///     ..BreakerSettings::default()
/// };
/// let breaker = Breaker::new(settings)?;
/// # Ok::<(), tool_connect_tower::breaker::InvalidBreaker>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(default, deny_unknown_fields))]
pub struct BreakerSettings {
    /// The calls to judge by.
    pub window: Window,
    /// Judge only when the window holds at least this many calls.
    pub minimum_calls: u32,
    /// Open when this share of calls failed, above 0 and up to 1.
    pub failure_rate: f64,
    /// A call that takes at least this long is slow; `None` counts no call as slow.
    #[cfg_attr(feature = "serde", serde(with = "crate::durations::optional"))]
    pub slow_call: Option<Duration>,
    /// Open when this share of calls was slow, above 0 and up to 1.
    pub slow_rate: f64,
    /// How long to stay open before trying again.
    #[cfg_attr(feature = "serde", serde(with = "crate::durations"))]
    pub open_for: Duration,
    /// Each time that trying again fails, stay open this many times longer; 1 keeps it constant.
    pub open_growth: f64,
    /// But never longer than this.
    #[cfg_attr(feature = "serde", serde(with = "crate::durations"))]
    pub open_at_most: Duration,
    /// How many calls may try before it is decided whether to close.
    pub half_open_permits: u32,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self {
            window: Window::Calls(100),
            minimum_calls: 20,
            failure_rate: 0.5,
            slow_call: None,
            slow_rate: 0.8,
            open_for: Duration::from_secs(30),
            open_growth: 1.0,
            open_at_most: Duration::from_secs(600),
            half_open_permits: 3,
        }
    }
}

/// Settings that make no breaker. The message names the field.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidBreaker {
    /// A window of no calls or of too many, or of no time.
    #[error("`window` must hold 1 to 65536 calls, or last at least 16 ns and at most a century")]
    Window,
    /// The window can never hold the minimum of calls.
    #[error("`minimum_calls` is {minimum}, but must be at least 1 and at most the window's {window} calls")]
    MinimumCalls {
        /// The minimum asked for.
        minimum: u32,
        /// The size of the window.
        window: u32,
    },
    /// A rate that is not above 0 and at most 1.
    #[error("`{field}` must be above 0 and at most 1")]
    Rate {
        /// `failure_rate` or `slow_rate`.
        field: &'static str,
    },
    /// An open time of zero, growth below 1, or an upper bound below the open time.
    #[error(
        "`open_for` must be above zero, `open_growth` at least 1 and finite, `open_at_most` at least `open_for`"
    )]
    Open,
    /// No permit to try again.
    #[error("`half_open_permits` must be at least 1 and at most 65536, or an open breaker could never close")]
    HalfOpenPermits,
}

/// Settings in the units that the breaker computes with.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) window: Window,
    minimum_calls: u64,
    failure_parts: u64,
    slow_parts: u64,
    pub(crate) slow_after: u64,
    open_for: u64,
    open_growth: f64,
    open_at_most: u64,
    pub(crate) permits: u64,
}

/// Rates are compared in parts of this.
const WHOLE: u64 = 1_000_000;
const CENTURY: u64 = 100 * 366 * 86_400_000_000_000;

impl BreakerSettings {
    pub(crate) fn rules(&self) -> Result<Rules, InvalidBreaker> {
        match self.window {
            Window::Calls(calls) if calls == 0 || calls > MOST_CALLS => return Err(InvalidBreaker::Window),
            Window::Calls(calls) if self.minimum_calls > calls => {
                return Err(InvalidBreaker::MinimumCalls { minimum: self.minimum_calls, window: calls });
            }
            Window::Time(time) if !(16..=CENTURY).contains(&nanos(time)) => {
                return Err(InvalidBreaker::Window);
            }
            _ => {}
        }
        if self.minimum_calls == 0 {
            let window = if let Window::Calls(calls) = self.window { calls } else { u32::MAX };
            return Err(InvalidBreaker::MinimumCalls { minimum: 0, window });
        }
        let growth_fits = self.open_growth >= 1.0 && self.open_growth.is_finite();
        if self.open_for.is_zero() || !growth_fits || self.open_at_most < self.open_for {
            return Err(InvalidBreaker::Open);
        }
        if self.half_open_permits == 0 || self.half_open_permits > MOST_CALLS {
            return Err(InvalidBreaker::HalfOpenPermits);
        }
        Ok(Rules {
            window: self.window,
            minimum_calls: u64::from(self.minimum_calls),
            failure_parts: parts(self.failure_rate, "failure_rate")?,
            slow_parts: parts(self.slow_rate, "slow_rate")?,
            slow_after: self.slow_call.map_or(u64::MAX, nanos),
            open_for: nanos(self.open_for).min(CENTURY),
            open_growth: self.open_growth,
            open_at_most: nanos(self.open_at_most).min(CENTURY),
            permits: u64::from(self.half_open_permits),
        })
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "between 1 and WHOLE"
)]
fn parts(rate: f64, field: &'static str) -> Result<u64, InvalidBreaker> {
    if rate > 0.0 && rate <= 1.0 {
        Ok((rate * WHOLE as f64).round().max(1.0) as u64)
    } else {
        Err(InvalidBreaker::Rate { field })
    }
}

impl Rules {
    /// Whether these counts open a closed breaker.
    pub(crate) fn trips(&self, calls: u64, failures: u64, slow: u64) -> bool {
        calls >= self.minimum_calls && self.too_many(calls, failures, slow)
    }

    /// Whether the share of failures or of slow calls has reached its rate.
    pub(crate) fn too_many(&self, calls: u64, failures: u64, slow: u64) -> bool {
        failures.saturating_mul(WHOLE) >= self.failure_parts.saturating_mul(calls)
            || slow.saturating_mul(WHOLE) >= self.slow_parts.saturating_mul(calls)
    }

    /// How long to stay open the `times`-th time in a row (from 1).
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a float to integer cast saturates"
    )]
    pub(crate) fn open_time(&self, times: u32) -> u64 {
        let power = i32::try_from(times.saturating_sub(1)).unwrap_or(i32::MAX);
        let grown = self.open_for as f64 * self.open_growth.powi(power);
        if grown >= self.open_at_most as f64 { self.open_at_most } else { grown as u64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_make_no_breaker_are_named() {
        let default = BreakerSettings::default;
        let broken = [
            (BreakerSettings { window: Window::Calls(0), ..default() }, "window"),
            (BreakerSettings { window: Window::Calls(100_000), ..default() }, "window"),
            (BreakerSettings { window: Window::Time(Duration::ZERO), ..default() }, "window"),
            (BreakerSettings { window: Window::Calls(10), ..default() }, "minimum_calls"),
            (BreakerSettings { minimum_calls: 0, ..default() }, "minimum_calls"),
            (BreakerSettings { failure_rate: 0.0, ..default() }, "failure_rate"),
            (BreakerSettings { failure_rate: f64::NAN, ..default() }, "failure_rate"),
            (BreakerSettings { slow_rate: 1.5, ..default() }, "slow_rate"),
            (BreakerSettings { open_for: Duration::ZERO, ..default() }, "open_for"),
            (BreakerSettings { open_growth: f64::INFINITY, ..default() }, "open_growth"),
            (BreakerSettings { open_at_most: Duration::from_secs(1), ..default() }, "open_at_most"),
            (BreakerSettings { half_open_permits: 0, ..default() }, "half_open_permits"),
        ];
        for (settings, field) in broken {
            let error = settings.rules().map(|_| ()).expect_err(field);
            assert!(error.to_string().contains(field), "{error} should name {field}");
        }
        assert!(default().rules().is_ok());
    }

    #[test]
    fn the_open_time_grows_to_its_bound() {
        let settings = BreakerSettings {
            open_growth: 2.0,
            open_at_most: Duration::from_secs(100),
            ..BreakerSettings::default()
        };
        let rules = settings.rules().expect("valid settings");
        let seconds = [1, 2, 3, u32::MAX].map(|times| rules.open_time(times) / 1_000_000_000);
        assert_eq!(seconds, [30, 60, 100, 100]);
    }
}
