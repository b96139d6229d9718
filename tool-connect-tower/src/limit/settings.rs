//! What a limit says: so many permits per period, so many at once.

use std::time::Duration;

use super::gcra::Rate;
use crate::clock::nanos;

/// The longest window (burst over rate) that a limit may have: 73 years in nanoseconds.
const LONGEST_WINDOW: u64 = 1 << 61;

/// A rate and a burst: on average `permits` per `period`, at most `burst` at once.
///
/// Over any interval of length t at most `burst + permits × t / period` permits are given. The time between two permits is
/// kept in whole nanoseconds, rounded up, so a rate of 1,000,000 a second is met to 0.1 % from below.
///
/// ```
/// use std::time::Duration;
/// use tool_connect_tower::Limit;
///
/// let plan = Limit::per_minute(600).with_burst(50)?;
/// assert_eq!((plan.permits(), plan.period(), plan.burst()), (600, Duration::from_secs(60), 50));
/// # Ok::<(), tool_connect_tower::limit::InvalidLimit>(())
/// ```
///
/// With the feature `serde` it deserialises from `{ permits, per, burst }`, where `per` is `"1s"`, `"5m"` or a number of
/// seconds, and `burst` may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(try_from = "Written"))]
pub struct Limit {
    permits: u32,
    period: Duration,
    burst: u32,
}

/// A limit that cannot be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidLimit {
    /// The period is zero.
    #[error("the period of a limit must be longer than zero")]
    ZeroPeriod,
    /// The burst takes more than 73 years to refill.
    #[error(
        "a burst of {burst} at {permits} per {period:?} would take more than 73 years to refill: lower the burst or raise the rate"
    )]
    WindowTooLong {
        /// Permits per period.
        permits: u32,
        /// The period.
        period: Duration,
        /// Permits at once.
        burst: u32,
    },
}

impl Limit {
    /// `permits` per `period`, with a burst of the same size. Zero permits close the limit: nothing passes.
    ///
    /// # Errors
    /// [`InvalidLimit`] for a period of zero or of more than 73 years.
    pub fn new(permits: u32, period: Duration) -> Result<Self, InvalidLimit> {
        Self { permits, period, burst: permits }.checked()
    }

    /// `permits` per second, with a burst of the same size.
    #[must_use]
    pub const fn per_second(permits: u32) -> Self {
        Self { permits, period: Duration::from_secs(1), burst: permits }
    }

    /// `permits` per minute, with a burst of the same size.
    #[must_use]
    pub const fn per_minute(permits: u32) -> Self {
        Self { permits, period: Duration::from_secs(60), burst: permits }
    }

    /// `permits` per hour, with a burst of the same size.
    #[must_use]
    pub const fn per_hour(permits: u32) -> Self {
        Self { permits, period: Duration::from_secs(3600), burst: permits }
    }

    /// The same rate with at most `burst` permits at once. A burst of zero closes the limit: nothing passes.
    ///
    /// # Errors
    /// [`InvalidLimit::WindowTooLong`] if the burst would take more than 73 years to refill.
    pub fn with_burst(self, burst: u32) -> Result<Self, InvalidLimit> {
        Self { burst, ..self }.checked()
    }

    /// Permits per period.
    #[must_use]
    pub const fn permits(&self) -> u32 {
        self.permits
    }

    /// The period that `permits` refers to.
    #[must_use]
    pub const fn period(&self) -> Duration {
        self.period
    }

    /// Permits that can be taken at once after a quiet time.
    #[must_use]
    pub const fn burst(&self) -> u32 {
        self.burst
    }

    fn checked(self) -> Result<Self, InvalidLimit> {
        if self.period.is_zero() {
            return Err(InvalidLimit::ZeroPeriod);
        }
        let rate = self.rate();
        let window = u128::from(rate.interval) * u128::from(rate.burst);
        if window > u128::from(LONGEST_WINDOW) || nanos(self.period) > LONGEST_WINDOW {
            let Self { permits, period, burst } = self;
            return Err(InvalidLimit::WindowTooLong { permits, period, burst });
        }
        Ok(self)
    }

    /// The same limit in the units of the arithmetic.
    pub(crate) fn rate(&self) -> Rate {
        let period = nanos(self.period);
        // Zero permits would never refill, so they leave nothing to take either.
        let burst = if self.permits == 0 { 0 } else { u64::from(self.burst) };
        Rate { interval: period.div_ceil(u64::from(self.permits.max(1))).max(1), burst, period }
    }
}

#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, rename = "Limit")]
struct Written {
    permits: u32,
    #[serde(with = "crate::durations")]
    per: Duration,
    burst: Option<u32>,
}

#[cfg(feature = "serde")]
impl TryFrom<Written> for Limit {
    type Error = InvalidLimit;

    fn try_from(written: Written) -> Result<Self, InvalidLimit> {
        let Written { permits, per: period, burst } = written;
        Self { permits, period, burst: burst.unwrap_or(permits) }.checked()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_that_cannot_be_kept_are_refused() {
        assert_eq!(Limit::new(5, Duration::ZERO), Err(InvalidLimit::ZeroPeriod));
        assert!(matches!(Limit::new(1, Duration::MAX), Err(InvalidLimit::WindowTooLong { .. })));
        assert!(matches!(Limit::per_hour(1).with_burst(u32::MAX), Err(InvalidLimit::WindowTooLong { .. })));
        assert!(Limit::per_second(u32::MAX).with_burst(u32::MAX).is_ok());
    }

    #[test]
    fn the_interval_is_rounded_up_so_that_the_rate_is_never_exceeded() {
        assert_eq!(Limit::per_second(3).rate().interval, 333_333_334);
        assert_eq!(Limit::per_second(u32::MAX).rate().interval, 1);
    }

    #[test]
    fn zero_permits_close_the_limit() {
        assert_eq!(Limit::per_second(0).with_burst(10).map(|limit| limit.rate().burst), Ok(0));
    }
}
