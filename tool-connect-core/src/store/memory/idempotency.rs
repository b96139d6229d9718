//! Idempotency keys in memory, sharded: a call waits for another one only if both fall on one
//! shard, and each call does a bounded amount of clearing away.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use foldhash::SharedSeed;
use foldhash::quality::SeedableRandomState;
use hashbrown::HashTable;

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
    key: IdempotencyKey,
    fingerprint: Fingerprint,
    fence: Fence,
    expires: u64,
    state: State,
}

#[derive(Default)]
struct Shard {
    fence: Fence,
    /// Each beside its key's hash: a table that grows reads none of the keys, and moves little.
    records: HashTable<(u64, Box<Record>)>,
    /// The hashes by end and fence, so that each end is its own.
    ends: BTreeMap<(u64, Fence), u64>,
}

impl Shard {
    fn get(&self, hash: u64, key: &IdempotencyKey) -> Option<&Record> {
        self.records.find(hash, |(_, record)| record.key == *key).map(|(_, record)| &**record)
    }

    fn insert(&mut self, hash: u64, record: Record) {
        self.ends.insert((record.expires, record.fence), hash);
        self.records.insert_unique(hash, (hash, Box::new(record)), |(hash, _)| *hash);
    }

    fn remove(&mut self, hash: u64, key: &IdempotencyKey) {
        if let Ok(found) = self.records.find_entry(hash, |(_, record)| record.key == *key) {
            let ((_, record), _) = found.remove();
            self.ends.remove(&(record.expires, record.fence));
        }
    }

    fn clear_ended(&mut self, now: u64, most: usize) -> usize {
        for cleared in 0..most {
            match self.ends.first_entry() {
                Some(first) if first.key().0 <= now => {
                    let ((_, fence), hash) = first.remove_entry();
                    if let Ok(ended) = self.records.find_entry(hash, |(_, record)| record.fence == fence) {
                        ended.remove();
                    }
                }
                _ => return cleared,
            }
        }
        most
    }

    /// The claim that this fence belongs to, if it has no end yet.
    fn claim(&mut self, hash: u64, key: &IdempotencyKey, fence: Fence, now: u64) -> Option<&mut Record> {
        let found = self.records.find_mut(hash, |(_, record)| record.fence == fence && record.key == *key);
        found
            .map(|(_, record)| &mut **record)
            .filter(|record| record.expires > now && !matches!(record.state, State::Done(_)))
    }
}

/// [`IdempotencyStore`] in memory.
pub struct MemoryIdempotency {
    clock: Arc<dyn Clock>,
    hasher: SeedableRandomState,
    shards: Box<[Mutex<Shard>]>,
}

opaque_debug!(MemoryIdempotency);

impl MemoryIdempotency {
    /// An empty store; the clock ends claims and records.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        // Callers choose keys, so the seed is the system's randomness and not an address.
        let hasher =
            SeedableRandomState::with_seed(RandomState::new().hash_one(0_u8), SharedSeed::global_random());
        Self { clock, hasher, shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }

    /// A key's hash, and the shard that it falls on: chosen by bits that the shard's own table does
    /// not look at first, which are the lowest and the highest.
    fn shard(&self, key: &IdempotencyKey) -> (u64, &Mutex<Shard>) {
        let hash = self.hasher.hash_one(key);
        (hash, &self.shards[usize::try_from(hash >> 32).unwrap_or(0) % SHARDS])
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
        let (hash, shard) = self.shard(key);
        let mut shard = lock(shard);
        let known = shard.get(hash, key);
        if let Some(record) = known.filter(|record| record.expires > now) {
            return Ok(match &record.state {
                _ if record.fingerprint != *fingerprint => Begin::Mismatch,
                State::Done(outcome) => Begin::Replay(outcome.clone()),
                State::InFlight { lease_end } if *lease_end > now => Begin::InFlight,
                State::InFlight { .. } | State::Indeterminate => Begin::Indeterminate,
            });
        }
        if known.is_some() {
            shard.remove(hash, key);
        }
        shard.clear_ended(now, CLEARED_PER_BEGIN);
        shard.fence += 1;
        let fence = shard.fence;
        let lease_end = now.saturating_add(nanos(lease));
        let expires = now.saturating_add(nanos(keep)).max(lease_end);
        let state = State::InFlight { lease_end };
        shard.insert(hash, Record { key: key.clone(), fingerprint: *fingerprint, fence, expires, state });
        Ok(Begin::Fresh(fence))
    }

    async fn complete(&self, key: &IdempotencyKey, fence: Fence, outcome: StoredOutcome) -> Result<bool> {
        let now = self.clock.monotonic();
        let (hash, shard) = self.shard(key);
        let mut shard = lock(shard);
        let Some(claim) = shard.claim(hash, key, fence, now) else { return Ok(false) };
        claim.state = State::Done(outcome);
        Ok(true)
    }

    async fn release(&self, key: &IdempotencyKey, fence: Fence) -> Result<bool> {
        let now = self.clock.monotonic();
        let (hash, shard) = self.shard(key);
        let mut shard = lock(shard);
        let ours = shard.claim(hash, key, fence, now).is_some();
        if ours {
            shard.remove(hash, key);
        }
        Ok(ours)
    }

    async fn abandon(&self, key: &IdempotencyKey, fence: Fence) -> Result<bool> {
        let now = self.clock.monotonic();
        let (hash, shard) = self.shard(key);
        let mut shard = lock(shard);
        let Some(claim) = shard.claim(hash, key, fence, now) else { return Ok(false) };
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
            hit.insert(std::ptr::from_ref(store.shard(&key(&format!("call-{n}"))).1));
        }
        assert!(hit.len() > SHARDS / 2, "{} shards used", hit.len());
    }

    #[test]
    fn a_shard_clears_a_bounded_amount_and_its_two_maps_agree() {
        let mut shard = Shard::default();
        for n in 0..10 {
            let key = key(&n.to_string());
            let state = State::Indeterminate;
            // One hash for all: what is alike is told apart by the keys.
            shard.insert(7, Record { key, fingerprint: [0; 32], fence: n, expires: n, state });
        }
        assert_eq!(shard.clear_ended(7, 3), 3);
        shard.remove(7, &key("5"));
        assert!(shard.get(7, &key("5")).is_none() && shard.get(7, &key("6")).is_some());
        assert_eq!(shard.clear_ended(7, 100), 4);
        assert_eq!((shard.records.len(), shard.ends.len()), (2, 2));
    }
}
