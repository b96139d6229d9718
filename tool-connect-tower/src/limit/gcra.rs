//! The generic cell rate algorithm on one number: the theoretical arrival time (TAT), at which the bucket is full again.
//!
//! A TAT at or before now is a full bucket, and so is a missing one: that is what lets a table forget idle keys.

/// Clock readings are brought into `1..=LATEST`, which leaves room for the longest window and for the table's marks.
const LATEST: u64 = 1 << 62;

/// A clock that jumps back by less than this is only waited out, whatever the period.
const LEAST_SLACK: u64 = 1_000_000_000;

/// A limit in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    /// Time between two permits.
    pub(crate) interval: u64,
    /// Permits at once.
    pub(crate) burst: u64,
    /// The period of the limit, which bounds how long a clock set back can hold up a key.
    pub(crate) period: u64,
}

/// What one decision does to a TAT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Enough permits: the TAT becomes this.
    Admit(u64),
    /// Too few. `repaired` is set where the clock has gone back, and is what the TAT must become.
    Refuse { tat: u64, repaired: bool, wait: Option<u64> },
}

impl Rate {
    /// Time that a whole burst takes to refill.
    pub(crate) fn window(&self) -> u64 {
        self.interval.saturating_mul(self.burst)
    }

    /// The TAT of a bucket with `remaining` permits left at `now`.
    pub(crate) fn tat_for(&self, now: u64, remaining: u64) -> u64 {
        now.saturating_add(self.burst.saturating_sub(remaining).saturating_mul(self.interval))
    }

    /// Decides over `cost` permits at `now`.
    #[inline]
    pub(crate) fn step(&self, tat: u64, now: u64, cost: u64) -> Step {
        let ceiling = now + self.window();
        // No admission leaves a TAT above its own ceiling, so one far above this ceiling was left by a later clock (or by
        // a wider limit). Such a bucket counts as just emptied. The slack keeps a thread that carries a slightly old
        // reading from undoing what others took since.
        let repaired = tat > ceiling.saturating_add(self.period.max(LEAST_SLACK));
        let base = if repaired { ceiling } else { tat.max(now) };
        if cost == 0 {
            return Step::Admit(base);
        }
        let next = base.saturating_add(cost.saturating_mul(self.interval));
        if next <= ceiling {
            Step::Admit(next)
        } else if cost > self.burst {
            Step::Refuse { tat: base, repaired, wait: None }
        } else {
            Step::Refuse { tat: base, repaired, wait: Some(next - ceiling) }
        }
    }
}

/// Brings a clock reading into the range that the arithmetic works in.
pub(crate) fn reading(now: u64) -> u64 {
    now.clamp(1, LATEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { interval: 100, burst: 5, period: 500 };

    #[test]
    fn a_full_bucket_gives_its_burst_then_one_per_interval() {
        let mut tat = 0;
        for _ in 0..5 {
            let Step::Admit(next) = RATE.step(tat, 1_000, 1) else { panic!("the burst is not used up") };
            tat = next;
        }
        assert_eq!(RATE.step(tat, 1_000, 1), Step::Refuse { tat: 1_500, repaired: false, wait: Some(100) });
        assert_eq!(RATE.step(tat, 1_099, 1), Step::Refuse { tat: 1_500, repaired: false, wait: Some(1) });
        assert_eq!(RATE.step(tat, 1_100, 1), Step::Admit(1_600));
    }

    #[test]
    fn a_cost_above_the_burst_can_never_pass() {
        assert_eq!(RATE.step(0, 1_000, 6), Step::Refuse { tat: 1_000, repaired: false, wait: None });
        assert_eq!(RATE.step(0, 1_000, u64::MAX), Step::Refuse { tat: 1_000, repaired: false, wait: None });
        assert_eq!(RATE.step(0, 1_000, 5), Step::Admit(1_500));
    }

    #[test]
    fn a_clock_set_back_an_hour_counts_as_a_bucket_just_emptied() {
        let hour = 3_600_000_000_000;
        let late = RATE.step(hour + 500, 1, 1);
        assert_eq!(late, Step::Refuse { tat: 501, repaired: true, wait: Some(100) });
        assert_eq!(RATE.step(501, 101, 1), Step::Admit(601));
    }

    #[test]
    fn a_slightly_old_reading_repairs_nothing() {
        assert!(matches!(
            RATE.step(10_500, 9_000, 1),
            Step::Refuse { repaired: false, wait: Some(1_100), .. }
        ));
    }

    #[test]
    fn extreme_readings_do_not_overflow() {
        let widest = Rate { interval: 1 << 61, burst: 1, period: 1 << 61 };
        assert_eq!(widest.step(0, reading(u64::MAX), 1), Step::Admit(LATEST + (1 << 61)));
        assert_eq!(reading(0), 1);
    }
}
