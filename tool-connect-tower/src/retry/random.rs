//! Randomness for jitter: injected, so that tests repeat.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::key::random_seed;

/// A source of random numbers for jitter; not for secrets.
///
/// A closure is one, so a test can say `|| u64::MAX` for the longest wait.
pub trait Random {
    /// Sixty-four random bits.
    fn next(&self) -> u64;

    /// A number in `0..=most`.
    fn up_to(&self, most: u64) -> u64 {
        let spread = (u128::from(self.next()) * (u128::from(most) + 1)) >> 64;
        u64::try_from(spread).unwrap_or(most)
    }
}

impl<F: Fn() -> u64> Random for F {
    fn next(&self) -> u64 {
        self()
    }
}

/// SplitMix64 on one atomic, for any number of threads.
#[derive(Debug)]
pub struct SplitMix(AtomicU64);

impl SplitMix {
    /// The same numbers for the same seed.
    #[must_use]
    pub const fn seeded(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }
}

impl Default for SplitMix {
    /// Seeded by the operating system.
    fn default() -> Self {
        Self::seeded(random_seed())
    }
}

impl Random for SplitMix {
    fn next(&self) -> u64 {
        const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
        let state = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeded_numbers_are_those_of_the_published_generator() {
        // First outputs of SplitMix64 for the seed 1234567, as in Vigna's reference and its ports.
        let random = SplitMix::seeded(1_234_567);
        let numbers = [random.next(), random.next(), random.next()];
        assert_eq!(
            numbers,
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn up_to_reaches_both_ends_and_nothing_beyond() {
        assert_eq!((|| 0).up_to(10), 0);
        assert_eq!((|| u64::MAX).up_to(10), 10);
        assert_eq!((|| u64::MAX).up_to(u64::MAX), u64::MAX);
        assert_eq!((|| u64::MAX).up_to(0), 0);
    }
}
