//! What a breaker tells: its refusals, its transitions, its state.

use std::time::Duration;

/// The state of a breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BreakerState {
    /// Calls pass and are counted.
    Closed,
    /// Calls are refused until the open time is over.
    Open,
    /// A few calls try.
    HalfOpen,
    /// Calls are refused until [`release`](super::Breaker::release).
    ForcedOpen,
    /// Calls pass and are not counted until [`release`](super::Breaker::release).
    ForcedClosed,
}

impl BreakerState {
    pub(crate) const fn code(self) -> u64 {
        match self {
            Self::Closed => 0,
            Self::Open => 1,
            Self::HalfOpen => 2,
            Self::ForcedOpen => 3,
            Self::ForcedClosed => 4,
        }
    }

    pub(crate) const fn of(code: u64) -> Self {
        match code {
            0 => Self::Closed,
            1 => Self::Open,
            2 => Self::HalfOpen,
            3 => Self::ForcedOpen,
            _ => Self::ForcedClosed,
        }
    }

    /// A stable lower-case name, for logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
            Self::ForcedOpen => "forced_open",
            Self::ForcedClosed => "forced_closed",
        }
    }
}

/// What a breaker has counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Counts {
    /// Calls that counted.
    pub calls: u64,
    /// Those that failed.
    pub failures: u64,
    /// Those that were slow, whether they failed or not.
    pub slow: u64,
}

/// A breaker refused the call; nothing was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("circuit breaker is {}: the service behind it is not being asked{}", state.as_str(), again(*retry_after))]
pub struct Open {
    /// `Open`, `HalfOpen` (all permits are taken) or `ForcedOpen`.
    pub state: BreakerState,
    /// When the breaker lets calls try again; `None` where that depends on calls in progress or on an operator.
    pub retry_after: Option<Duration>,
}

fn again(retry_after: Option<Duration>) -> String {
    retry_after.map_or_else(String::new, |wait| format!("; retry after {:.3} s", wait.as_secs_f64()))
}

/// A change of state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    /// The key under which a [`BreakerSet`](super::BreakerSet) holds the breaker, else the one given to the breaker.
    pub key: u64,
    /// The state before.
    pub from: BreakerState,
    /// The state after.
    pub to: BreakerState,
    /// What had been counted in the state before: the window, or the calls that tried.
    pub counts: Counts,
    /// The clock reading that the change was made at.
    pub at: u64,
    /// How long the breaker stays open, where it has opened.
    pub open_for: Option<Duration>,
    /// Counts the changes of one breaker from 1. Threads may report out of order; this puts them into order.
    pub number: u64,
}

/// Hears every transition. Called after the change, outside all locks, on the thread of the call that caused it.
///
/// A closure is an observer:
///
/// ```
/// use tool_connect_tower::breaker::{BreakerObserver, Transition};
///
/// let observer = |change: &Transition| eprintln!("{} -> {}", change.from.as_str(), change.to.as_str());
/// fn check(_: impl BreakerObserver) {}
/// check(observer);
/// ```
pub trait BreakerObserver: Send + Sync {
    /// A breaker has changed its state.
    fn on_transition(&self, transition: &Transition);
}

impl<F: Fn(&Transition) + Send + Sync> BreakerObserver for F {
    fn on_transition(&self, transition: &Transition) {
        self(transition);
    }
}

/// A breaker at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerSnapshot {
    /// The state.
    pub state: BreakerState,
    /// The window of a closed breaker, the calls that tried in a half-open one.
    pub counts: Counts,
    /// Time until an open breaker lets calls try; zero if the next call may.
    pub retry_after: Option<Duration>,
    /// Permits of a half-open breaker that nobody holds.
    pub permits_left: u64,
    /// Transitions so far.
    pub transitions: u64,
}
