//! Idempotency keys in memory, sharded: a call waits for another one only if both fall on one
//! shard, and each call does a bounded amount of clearing away.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;

use super::{lock, nanos, opaque_debug};
use crate::clock::Clock;
use crate::error::Result;
use crate::store::{Begin, Fence, Fingerprint, IdempotencyKey, IdempotencyStore, StoredOutcome};

const SHARDS: usize = 64;
/// How many ended records a `begin` clears: more than the one it adds, so the store shrinks.
const CLEARED_PER_BEGIN: usize = 2;
/// How many ended records a purge clears before it lets others have the shard.
const CLEARED_PER_LOCK: usize = 256;

enum State {
    InFlight { lease_end: u64 },
    Indeterminate,
    Done(StoredOutcome),
}

struct Record {
    fingerprint: Fingerprint,
    fence: Fence,
    expires: u64,
    state: State,
}

#[derive(Default)]
struct Shard {
    fence: Fence,
    records: HashMap<Arc<IdempotencyKey>, Record>,
    /// By end and fence, so that each end is its own.
    ends: BTreeMap<(u64, Fence), Arc<IdempotencyKey>>,
}

impl Shard {
    fn remove(&mut self, key: &IdempotencyKey) {
        if let Some(record) = self.records.remove(key) {
            self.ends.remove(&(record.expires, record.fence));
        }
    }

    fn clear_ended(&mut self, now: u64, most: usize) -> usize {
        for cleared in 0..most {
            match self.ends.first_entry() {
                Some(first) if first.key().0 <= now => {
                    let key = first.remove();
                    self.records.remove(&key);
                }
                _ => return cleared,
            }
        }
        most
    }

    /// The claim that this fence belongs to, if it has no end yet.
    fn claim(&mut self, key: &IdempotencyKey, fence: Fence, now: u64) -> Option<&mut Record> {
        self.records.get_mut(key).filter(|record| {
            record.fence == fence && record.expires > now && !matches!(record.state, State::Done(_))
        })
    }
}

/// [`IdempotencyStore`] in memory.
pub struct MemoryIdempotency {
    clock: Arc<dyn Clock>,
    shards: Box<[Mutex<Shard>]>,
}

opaque_debug!(MemoryIdempotency);

impl MemoryIdempotency {
    /// An empty store; the clock ends claims and records.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }

    /// Spreads by the end of the caller's key, where counters and random keys differ. Whoever
    /// chooses keys that fall on one shard slows only down to one lock.
    fn shard(&self, key: &IdempotencyKey) -> &Mutex<Shard> {
        let mut mixed = 0_u64;
        for byte in key.key.bytes().rev().take(8) {
            mixed = mixed << 8 | u64::from(byte);
        }
        let spread = mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58;
        // 64 shards and 6 bits: the place is always there.
        &self.shards[usize::try_from(spread).unwrap_or(0) % SHARDS]
    }
}

#[async_trait]
impl IdempotencyStore for MemoryIdempotency {
    async fn begin(
        &self,
        key: &IdempotencyKey,
        fingerprint: &Fingerprint,
        lease: Duration,
        keep: Duration,
    ) -> Result<Begin> {
        let now = self.clock.monotonic();
        let mut shard = lock(self.shard(key));
        if let Some(record) = shard.records.get(key).filter(|record| record.expires > now) {
            return Ok(match &record.state {
                _ if record.fingerprint != *fingerprint => Begin::Mismatch,
                State::Done(outcome) => Begin::Replay(outcome.clone()),
                State::InFlight { lease_end } if *lease_end > now => Begin::InFlight,
                State::InFlight { .. } | State::Indeterminate => Begin::Indeterminate,
            });
        }
        shard.remove(key);
        shard.clear_ended(now, CLEARED_PER_BEGIN);
        shard.fence += 1;
        let fence = shard.fence;
        let lease_end = now.saturating_add(nanos(lease));
        let expires = now.saturating_add(nanos(keep)).max(lease_end);
        let key = Arc::new(key.clone());
        shard.ends.insert((expires, fence), Arc::clone(&key));
        let state = State::InFlight { lease_end };
        shard.records.insert(key, Record { fingerprint: *fingerprint, fence, expires, state });
        Ok(Begin::Fresh(fence))
    }

    async fn complete(&self, key: &IdempotencyKey, fence: Fence, outcome: StoredOutcome) -> Result<bool> {
        let now = self.clock.monotonic();
        let mut shard = lock(self.shard(key));
        let Some(claim) = shard.claim(key, fence, now) else { return Ok(false) };
        claim.state = State::Done(outcome);
        Ok(true)
    }

    async fn release(&self, key: &IdempotencyKey, fence: Fence) -> Result<bool> {
        let now = self.clock.monotonic();
        let mut shard = lock(self.shard(key));
        let ours = shard.claim(key, fence, now).is_some();
        if ours {
            shard.remove(key);
        }
        Ok(ours)
    }

    async fn abandon(&self, key: &IdempotencyKey, fence: Fence) -> Result<bool> {
        let now = self.clock.monotonic();
        let mut shard = lock(self.shard(key));
        let Some(claim) = shard.claim(key, fence, now) else { return Ok(false) };
        claim.state = State::Indeterminate;
        Ok(true)
    }

    async fn purge(&self) -> Result<u64> {
        let now = self.clock.monotonic();
        let mut dropped = 0_u64;
        for shard in &self.shards {
            loop {
                let cleared = lock(shard).clear_ended(now, CLEARED_PER_LOCK);
                dropped += u64::try_from(cleared).unwrap_or(u64::MAX);
                if cleared < CLEARED_PER_LOCK {
                    break;
                }
            }
        }
        Ok(dropped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::ids::{TenantId, ToolId, UserId};

    fn key(text: &str) -> IdempotencyKey {
        IdempotencyKey {
            tenant: TenantId::new("t").unwrap(),
            user: UserId::new("u").unwrap(),
            tool: ToolId::parse("a.b").unwrap(),
            key: Arc::from(text),
        }
    }

    #[test]
    fn counted_keys_spread_over_the_shards() {
        let store = MemoryIdempotency::new(Arc::new(SystemClock));
        let mut hit = std::collections::HashSet::new();
        for n in 0..1000 {
            hit.insert(std::ptr::from_ref(store.shard(&key(&format!("call-{n}")))));
        }
        assert!(hit.len() > SHARDS / 2, "{} shards used", hit.len());
    }

    #[test]
    fn a_shard_clears_a_bounded_amount_and_its_two_maps_agree() {
        let mut shard = Shard::default();
        for n in 0..10 {
            let key = Arc::new(key(&n.to_string()));
            shard.ends.insert((n, n), Arc::clone(&key));
            let state = State::Indeterminate;
            shard.records.insert(key, Record { fingerprint: [0; 32], fence: n, expires: n, state });
        }
        assert_eq!(shard.clear_ended(7, 3), 3);
        shard.remove(&key("5"));
        assert_eq!(shard.clear_ended(7, 100), 4);
        assert_eq!((shard.records.len(), shard.ends.len()), (2, 2));
    }
}
