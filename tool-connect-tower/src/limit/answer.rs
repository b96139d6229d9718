//! What a decision answers: where the tightest key stands, and why a request was refused.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::class::ClassId;
use super::gcra::Rate;

/// Where one key stands after a decision: what the `RateLimit` headers of a response say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    pub(crate) class: Option<ClassId>,
    pub(crate) interval: u64,
    pub(crate) burst: u64,
    pub(crate) tat: u64,
    pub(crate) now: u64,
}

impl Quota {
    pub(crate) fn new(class: Option<ClassId>, rate: &Rate, tat: u64, now: u64) -> Self {
        Self { class, interval: rate.interval, burst: rate.burst, tat, now }
    }

    /// Nothing was asked of any limit.
    pub(crate) fn unlimited(now: u64) -> Self {
        Self { class: None, interval: 0, burst: u64::MAX, tat: now, now }
    }

    /// The class of the key, `None` for a [`Cell`](super::Cell) or where no limit applied.
    #[must_use]
    pub fn class(&self) -> Option<ClassId> {
        self.class
    }

    /// The most permits that can be taken at once; `u64::MAX` where no limit applied.
    #[must_use]
    pub fn limit(&self) -> u64 {
        self.burst
    }

    /// The permits that can still be taken now.
    #[must_use]
    pub fn remaining(&self) -> u64 {
        if self.interval == 0 {
            return self.burst;
        }
        (self.headroom() / self.interval).min(self.burst)
    }

    /// How long until the full burst is back.
    #[must_use]
    pub fn reset(&self) -> Duration {
        Duration::from_nanos(self.tat.saturating_sub(self.now))
    }

    fn headroom(&self) -> u64 {
        (self.now + self.interval.saturating_mul(self.burst)).saturating_sub(self.tat)
    }

    /// Whether this key has fewer permits left than the other, without dividing.
    pub(crate) fn is_tighter_than(&self, other: &Self) -> bool {
        match (self.interval, other.interval) {
            (0, _) => false,
            (_, 0) => true,
            (mine, others) => {
                u128::from(self.headroom()) * u128::from(others)
                    < u128::from(other.headroom()) * u128::from(mine)
            }
        }
    }
}

/// Why a decision was no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// The key has used its permits up for the moment.
    Exhausted,
    /// The request costs more than the burst allows: it can never pass under this limit.
    CostAboveBurst,
    /// The limiter holds as many active keys of this class as it may, so it refuses new ones.
    TooManyKeys,
    /// The class belongs to another limiter.
    UnknownClass,
    /// A [`Cell`](super::Cell) was told to hold off for a while.
    HeldOff,
}

/// A refused request: which limit, how it stands, and how long to wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub(crate) cause: Cause,
    pub(crate) name: Option<Arc<str>>,
    pub(crate) key: u64,
    pub(crate) quota: Quota,
    pub(crate) wait: Option<u64>,
}

impl Refused {
    /// Why the answer was no.
    #[must_use]
    pub fn cause(&self) -> Cause {
        self.cause
    }

    /// The name of the class that refused, `None` for a [`Cell`](super::Cell) or an unknown class.
    #[must_use]
    pub fn class_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The key that refused.
    #[must_use]
    pub fn key(&self) -> u64 {
        self.key
    }

    /// Where the key that refused stands.
    #[must_use]
    pub fn quota(&self) -> Quota {
        self.quota
    }

    /// When the same request can pass if nobody else takes permits; `None` if it never can.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.wait.map(Duration::from_nanos)
    }

    /// Whether waiting for this refusal to end takes longer than for the other.
    pub(crate) fn outlasts(&self, other: &Self) -> bool {
        self.wait.unwrap_or(u64::MAX) > other.wait.unwrap_or(u64::MAX)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("rate limit")?;
        if let Some(name) = &self.name {
            write!(f, " `{name}`")?;
        }
        match (self.cause, self.wait) {
            (Cause::CostAboveBurst, _) if self.quota.burst == 0 => {
                f.write_str(" is closed: it gives no permits at all")
            }
            (Cause::CostAboveBurst, _) => {
                write!(
                    f,
                    ": the request costs more than the {} permits that can be taken at once; split it",
                    self.quota.burst
                )
            }
            (Cause::UnknownClass, _) => f.write_str(": the class was defined on another limiter"),
            (Cause::HeldOff, wait) => {
                f.write_str(": the other side has asked to be left alone for a while")?;
                after(f, wait)
            }
            (Cause::TooManyKeys, wait) => {
                f.write_str(" holds as many active keys as it may")?;
                after(f, wait)
            }
            (Cause::Exhausted, wait) => {
                f.write_str(" reached")?;
                after(f, wait)
            }
        }
    }
}

fn after(f: &mut fmt::Formatter<'_>, wait: Option<u64>) -> fmt::Result {
    match wait {
        Some(wait) => write!(f, "; retry after {:.3} s", Duration::from_nanos(wait).as_secs_f64()),
        None => Ok(()),
    }
}

impl std::error::Error for Refused {}
