//! Names to numbers: the `u64` under which a limiter or a breaker set keeps its state.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::OnceLock;

use foldhash::SharedSeed;
use foldhash::quality::SeedableRandomState;

/// Hashes a name, or several parts of one as a tuple, into a key.
///
/// The hash is seeded from the system's randomness once per process, so that nobody who cannot read its values can choose
/// a name that falls on another's key. It is fast, not cryptographic: keep its values to yourself. It is not stable and
/// must not be stored. Two names share a key with probability 2⁻⁶⁴ and would then share a limit. A host that has interned
/// its tenants into ids passes those ids as keys instead.
///
/// ```
/// use tool_connect_tower::hash_key;
///
/// assert_eq!(hash_key("acme"), hash_key(&String::from("acme")));
/// assert_ne!(hash_key(("acme", "ada")), hash_key(("acme", "grace")));
/// ```
#[inline]
pub fn hash_key<T: Hash>(name: T) -> u64 {
    static SHARED: OnceLock<SharedSeed> = OnceLock::new();
    static OWN: OnceLock<SeedableRandomState> = OnceLock::new();
    // The crate's own seeds come from addresses and the time; these come from where `RandomState` gets its own.
    let state = || {
        let shared = SHARED.get_or_init(|| SharedSeed::from_u64(random_seed()));
        SeedableRandomState::with_seed(random_seed(), shared)
    };
    OWN.get_or_init(state).hash_one(name)
}

/// A number that differs per process and per call, to seed tables and jitter.
pub(crate) fn random_seed() -> u64 {
    RandomState::new().hash_one(0_u8)
}

/// Multiplies to 128 bits and folds: every bit of the input reaches every bit of the result.
pub(crate) fn mix(value: u64, seed: u64) -> u64 {
    const ODD: u128 = 0x9E37_79B9_7F4A_7C15;
    let product = u128::from(value ^ seed) * ODD;
    #[expect(clippy::cast_possible_truncation, reason = "the two halves of the product are what is wanted")]
    let (low, high) = (product as u64, (product >> 64) as u64);
    low ^ high
}
