//! Long-window counters in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use super::{lock, opaque_debug};
use crate::clock::{Clock, from_unix_millis, unix_millis};
use crate::error::{Error, ErrorKind, Result};
use crate::ids::TenantId;
use crate::store::{QuotaDecision, QuotaKey, QuotaRequest, QuotaStore};

const SHARDS: usize = 16;
/// Below this many keys a shard is not swept.
const SWEPT_FROM: usize = 256;

struct Counter {
    /// Length of the window in milliseconds.
    window: u64,
    /// When it ends, in milliseconds since the Unix epoch.
    end: u64,
    used: u64,
}

#[derive(Default)]
struct Shard {
    /// A key has one counter per window length that it is used with.
    counters: HashMap<QuotaKey, Vec<Counter>>,
    swept_at: usize,
}

impl Shard {
    fn used(&self, wish: &Wish<'_>) -> u64 {
        self.counters
            .get(&wish.request.key)
            .into_iter()
            .flatten()
            .find(|counter| counter.window == wish.window && counter.end == wish.end)
            .map_or(0, |counter| counter.used)
    }

    fn take(&mut self, wish: &Wish<'_>, now: u64) {
        if let Some(counters) = self.counters.get_mut(&wish.request.key) {
            counters.retain(|counter| counter.end > now);
            match counters.iter_mut().find(|c| c.window == wish.window && c.end == wish.end) {
                Some(counter) => counter.used = counter.used.saturating_add(wish.request.cost),
                None => counters.push(wish.counter()),
            }
            return;
        }
        // A sweep costs as much as the keys that came since the last one: constant per key.
        if self.counters.len() >= self.swept_at.max(SWEPT_FROM) {
            self.sweep(now);
            self.swept_at = self.counters.len().saturating_mul(2);
        }
        self.counters.insert(wish.request.key.clone(), vec![wish.counter()]);
    }

    fn sweep(&mut self, now: u64) -> usize {
        let mut dropped = 0;
        self.counters.retain(|_, counters| {
            let held = counters.len();
            counters.retain(|counter| counter.end > now);
            dropped += held - counters.len();
            !counters.is_empty()
        });
        dropped
    }
}

/// A request with its window at hand.
struct Wish<'a> {
    request: &'a QuotaRequest,
    shard: usize,
    window: u64,
    end: u64,
}

impl<'a> Wish<'a> {
    fn new(request: &'a QuotaRequest, now: u64) -> Result<Self> {
        let window = window_millis(request.window)?;
        let end = (now / window).saturating_add(1).saturating_mul(window);
        Ok(Self { request, shard: shard_of(&request.key.tenant), window, end })
    }

    fn counter(&self) -> Counter {
        Counter { window: self.window, end: self.end, used: self.request.cost }
    }
}

fn window_millis(window: Duration) -> Result<u64> {
    match u64::try_from(window.as_millis()).unwrap_or(u64::MAX) {
        0 => Err(Error::new(ErrorKind::Config, "a quota's window must be at least one millisecond")),
        millis => Ok(millis),
    }
}

/// All counters of a tenant are on one shard, so a decision locks one as a rule.
fn shard_of(tenant: &TenantId) -> usize {
    let mixed = tenant.as_str().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    usize::try_from(mixed >> 32).unwrap_or(0) % SHARDS
}

/// [`QuotaStore`] in memory: for one process.
pub struct MemoryQuotas {
    clock: Arc<dyn Clock>,
    shards: Box<[Mutex<Shard>]>,
}

opaque_debug!(MemoryQuotas);

impl MemoryQuotas {
    /// An empty store; the clock's wall time chooses the windows.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }

    /// Locks the shards of these wishes, always in ascending order, so that two calls never wait
    /// for each other; the others stay `None`.
    fn lock_shards(&self, wishes: &[Wish<'_>]) -> [Option<MutexGuard<'_, Shard>>; SHARDS] {
        let mut wanted = [false; SHARDS];
        for wish in wishes {
            wanted[wish.shard] = true;
        }
        let mut shards = self.shards.iter();
        wanted.map(|wanted| shards.next().filter(|_| wanted).map(lock))
    }
}

#[async_trait]
impl QuotaStore for MemoryQuotas {
    async fn acquire(&self, requests: &[QuotaRequest]) -> Result<QuotaDecision> {
        let now = unix_millis(self.clock.now());
        let wishes = requests.iter().map(|request| Wish::new(request, now)).collect::<Result<Vec<_>>>()?;
        let mut shards = self.lock_shards(&wishes);
        let used = |shards: &[Option<MutexGuard<'_, Shard>>; SHARDS], wish: &Wish<'_>| {
            shards[wish.shard].as_ref().map_or(0, |shard| shard.used(wish))
        };

        let mut refused = None;
        for (index, wish) in wishes.iter().enumerate() {
            // Earlier wishes for the same counter come off first.
            let earlier = wishes[..index]
                .iter()
                .filter(|w| w.window == wish.window && w.request.key == wish.request.key)
                .fold(0, |sum: u64, w| sum.saturating_add(w.request.cost));
            let after =
                used(&shards, wish).checked_add(earlier).and_then(|sum| sum.checked_add(wish.request.cost));
            if wish.request.cost > 0 && after.is_none_or(|after| after > wish.request.limit) {
                refused = Some(index);
                break;
            }
        }
        if refused.is_none() {
            for wish in wishes.iter().filter(|wish| wish.request.cost > 0) {
                if let Some(shard) = &mut shards[wish.shard] {
                    shard.take(wish, now);
                }
            }
        }
        let remaining = wishes.iter().map(|w| w.request.limit.saturating_sub(used(&shards, w))).collect();
        let resets: Vec<SystemTime> = wishes.iter().map(|w| from_unix_millis(w.end)).collect();
        Ok(QuotaDecision { refused, remaining, resets })
    }

    async fn purge(&self) -> Result<u64> {
        let now = unix_millis(self.clock.now());
        let dropped: usize = self.shards.iter().map(|shard| lock(shard).sweep(now)).sum();
        Ok(u64::try_from(dropped).unwrap_or(u64::MAX))
    }
}
