//! A clock that stands still until a test moves it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tool_connect_core::Clock;

/// A clock that stands still until a test moves it. It begins on 1 January 2026, 00:00 UTC, with a
/// monotonic reading of one second.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use tool_connect_core::Clock;
/// use tool_connect_testkit::ManualClock;
///
/// let clock = ManualClock::new();
/// let reading = clock.monotonic();
/// clock.advance(Duration::from_millis(5));
/// assert_eq!(clock.monotonic() - reading, 5_000_000);
///
/// // The wall clock may jump; the monotonic reading does not follow.
/// clock.set_wall(SystemTime::UNIX_EPOCH);
/// assert_eq!(clock.now(), SystemTime::UNIX_EPOCH);
/// assert_eq!(clock.monotonic() - reading, 5_000_000);
/// ```
#[derive(Debug)]
pub struct ManualClock(Mutex<Reading>);

#[derive(Debug)]
struct Reading {
    monotonic: u64,
    wall: SystemTime,
}

impl ManualClock {
    /// A clock at its beginning.
    #[must_use]
    pub fn new() -> Self {
        Self::starting_at(SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600))
    }

    /// A clock whose wall time begins at a moment of the caller's.
    #[must_use]
    pub fn starting_at(wall: SystemTime) -> Self {
        Self(Mutex::new(Reading { monotonic: 1_000_000_000, wall }))
    }

    /// Lets time pass, on the wall and on the monotonic reading alike. What would be past the end of
    /// time stops there.
    pub fn advance(&self, by: Duration) {
        let mut reading = self.reading();
        let nanos = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        reading.monotonic = reading.monotonic.saturating_add(nanos);
        reading.wall = reading.wall.checked_add(by).unwrap_or(reading.wall);
    }

    /// Lets the wall clock jump, also back, as an operator or a time server does.
    pub fn set_wall(&self, wall: SystemTime) {
        self.reading().wall = wall;
    }

    fn reading(&self) -> MutexGuard<'_, Reading> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn monotonic(&self) -> u64 {
        self.reading().monotonic
    }

    fn now(&self) -> SystemTime {
        self.reading().wall
    }
}
