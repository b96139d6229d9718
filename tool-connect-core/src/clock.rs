//! Time is injected, so that nothing sleeps in a test.

use std::fmt::Debug;
use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime};

/// A source of time: a monotonic reading for durations and a wall clock for records.
///
/// ```
/// use tool_connect_core::{Clock, SystemClock};
/// let before = SystemClock.monotonic();
/// assert!(SystemClock.monotonic() >= before);
/// ```
pub trait Clock: Debug + Send + Sync + 'static {
    /// Nanoseconds since an epoch of the clock's own; never goes back.
    fn monotonic(&self) -> u64;

    /// The wall clock; may jump.
    fn now(&self) -> SystemTime;

    /// The wall clock as it was some milliseconds ago at most, for what is counted in seconds. Costs a tenth of [`now`](Self::now)
    /// where the platform keeps such a reading.
    fn recently(&self) -> SystemTime {
        self.now()
    }
}

/// The machine's clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);

impl Clock for SystemClock {
    fn monotonic(&self) -> u64 {
        let since = Instant::now().duration_since(*EPOCH);
        // In 64 bits, which hold 584 years.
        since.as_secs().saturating_mul(1_000_000_000).saturating_add(u64::from(since.subsec_nanos()))
    }

    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    /// Linux: `CLOCK_REALTIME_COARSE`, clock_gettime(2), as old as the kernel's last tick: 10 ms at most.
    #[cfg(all(target_os = "linux", feature = "coarse-clock"))]
    fn recently(&self) -> SystemTime {
        use rustix::time::{ClockId, clock_gettime};
        let read = clock_gettime(ClockId::RealtimeCoarse);
        let since = match (u64::try_from(read.tv_sec), u32::try_from(read.tv_nsec)) {
            (Ok(seconds), Ok(nanos)) => Duration::new(seconds, nanos),
            // Set to a time before 1970.
            _ => return self.now(),
        };
        SystemTime::UNIX_EPOCH.checked_add(since).unwrap_or_else(|| self.now())
    }
}

/// Milliseconds since the Unix epoch; 0 before it.
#[must_use]
pub fn unix_millis(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
}

/// The time that many milliseconds after the Unix epoch, held within what the platform can say.
#[must_use]
pub fn from_unix_millis(millis: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(millis)).unwrap_or(SystemTime::UNIX_EPOCH)
}

/// RFC 3339 text in UTC with milliseconds.
#[must_use]
pub fn rfc3339(time: SystemTime) -> String {
    // humantime refuses years past 9999; such a time has no RFC 3339 form.
    let end = from_unix_millis(253_402_300_799_999);
    humantime::format_rfc3339_millis(time.clamp(SystemTime::UNIX_EPOCH, end)).to_string()
}

/// The time that RFC 3339 text in UTC names; `None` where it is none.
///
/// ```
/// use tool_connect_core::{from_rfc3339, from_unix_millis};
/// assert_eq!(from_rfc3339("1970-01-01T00:00:02Z"), Some(from_unix_millis(2_000)));
/// assert_eq!(from_rfc3339("tomorrow"), None);
/// ```
#[must_use]
pub fn from_rfc3339(text: &str) -> Option<SystemTime> {
    humantime::parse_rfc3339(text.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recent_reading_is_a_reading_of_the_same_clock() {
        let before = SystemClock.now();
        let recent = SystemClock.recently();
        let apart = match before.duration_since(recent) {
            Ok(behind) => behind,
            Err(ahead) => ahead.duration(),
        };
        // Behind by a tick of the kernel; ahead by what passed between the two readings.
        assert!(apart < Duration::from_secs(5), "{apart:?}");
    }
}
