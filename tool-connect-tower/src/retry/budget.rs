//! A bound on all retries together, so that an outage is not answered with a storm.

use std::sync::atomic::{AtomicU64, Ordering};

/// A token bucket that calls fill and retries drain.
///
/// Each call puts in a fraction of a token, each retry takes one out. However many calls fail, there are at most
/// `calls × (1 + ratio) + reserve` attempts. Share one budget among all calls to one service.
///
/// ```
/// use tool_connect_tower::retry::RetryBudget;
///
/// let budget = RetryBudget::new(0.2, 1);
/// for _ in 0..5 {
///     budget.on_call();
/// }
/// assert!(budget.try_retry()); // the reserve
/// assert!(budget.try_retry()); // a fifth of five calls
/// assert!(!budget.try_retry());
/// ```
#[derive(Debug)]
pub struct RetryBudget {
    /// In millionths of a token.
    balance: AtomicU64,
    per_call: u64,
    most: u64,
}

const TOKEN: u64 = 1_000_000;
/// Calls whose unused share may pile up above the reserve, so that an hour of quiet does not pay for a storm.
const REMEMBERED_CALLS: u64 = 500;

impl Default for RetryBudget {
    /// One retry for five calls, and ten in reserve.
    fn default() -> Self {
        Self::new(0.2, 10)
    }
}

impl RetryBudget {
    /// At most `ratio` retries per call in the long run (0 to 10; anything else is taken to the nearest), and `reserve`
    /// retries for a service that is called rarely.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "clamped to 0..=10, NaN casts to 0"
    )]
    pub fn new(ratio: f64, reserve: u32) -> Self {
        // Rounded down: the promise is an upper bound.
        let per_call = (ratio.clamp(0.0, 10.0) * TOKEN as f64) as u64;
        let reserve = u64::from(reserve) * TOKEN;
        Self { balance: AtomicU64::new(reserve), per_call, most: reserve + per_call * REMEMBERED_CALLS }
    }

    /// A call begins: its first attempt, not a retry.
    pub fn on_call(&self) {
        let mut balance = self.balance.load(Ordering::Relaxed);
        // A full bucket, the usual case, is only read.
        while balance < self.most {
            let more = (balance + self.per_call).min(self.most);
            match self.balance.compare_exchange_weak(balance, more, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return,
                Err(current) => balance = current,
            }
        }
    }

    /// Takes leave for one retry.
    #[must_use]
    pub fn try_retry(&self) -> bool {
        self.balance
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |balance| balance.checked_sub(TOKEN))
            .is_ok()
    }

    /// Retries that could be made now.
    #[must_use]
    pub fn available(&self) -> u64 {
        self.balance.load(Ordering::Relaxed) / TOKEN
    }
}
