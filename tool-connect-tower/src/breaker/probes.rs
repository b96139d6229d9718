//! The calls that try whether an open breaker can close.

use super::observe::Counts;
use super::settings::Rules;

/// Permits given out and results seen since the breaker became half-open.
#[derive(Debug, Default)]
pub(crate) struct Probes {
    /// Held by calls in progress.
    held: u64,
    /// Finished calls.
    pub(crate) seen: Counts,
}

/// What the results so far say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outlook {
    Undecided,
    Recovered,
    Failing,
}

impl Probes {
    /// Takes a permit if one of `rules.permits` is left.
    pub(crate) fn take(&mut self, rules: &Rules) -> bool {
        let free = self.left(rules) > 0;
        self.held += u64::from(free);
        free
    }

    pub(crate) fn left(&self, rules: &Rules) -> u64 {
        rules.permits.saturating_sub(self.held + self.seen.calls)
    }

    /// A call ended without saying anything: its permit is free again.
    pub(crate) fn give_back(&mut self) {
        self.held = self.held.saturating_sub(1);
    }

    pub(crate) fn record(&mut self, failed: bool, slow: bool, rules: &Rules) -> Outlook {
        self.give_back();
        self.seen.calls += 1;
        self.seen.failures += u64::from(failed);
        self.seen.slow += u64::from(slow);
        // Judged over all permits, as soon as the calls still to come can change nothing.
        let to_come = rules.permits.saturating_sub(self.seen.calls);
        if rules.too_many(rules.permits, self.seen.failures, self.seen.slow) {
            Outlook::Failing
        } else if rules.too_many(rules.permits, self.seen.failures + to_come, self.seen.slow + to_come) {
            Outlook::Undecided
        } else {
            Outlook::Recovered
        }
    }
}
