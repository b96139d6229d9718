//! One breaker per key, made on first use and forgotten when idle.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;

use super::core::{Breaker, Permit};
use super::observe::{BreakerObserver, BreakerSnapshot, BreakerState, Open};
use super::settings::{BreakerSettings, InvalidBreaker, Rules};
use crate::clock::nanos;
use crate::key::{mix, random_seed};

const SHARDS: usize = 32;

/// Breakers by key, such as connector × host, all with the same settings.
///
/// Finding a breaker takes no lock; a new key copies one of 32 small tables. A breaker that nobody asked for `idle_after`
/// is dropped when another key comes in, and so is the least recently used one where the set is full. Forced breakers stay.
///
/// ```
/// use tool_connect_tower::{Verdict, hash_key};
/// use tool_connect_tower::breaker::{BreakerSet, BreakerSettings};
///
/// let breakers = BreakerSet::new(BreakerSettings::default())?;
/// let now = 1_000_000_000;
/// let permit = breakers.try_acquire(hash_key("api.example.com"), now)?;
/// permit.record(Verdict::Success, now + 5_000_000);
/// assert_eq!(breakers.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct BreakerSet {
    shards: Box<[Shard]>,
    rules: Rules,
    observer: Option<Arc<dyn BreakerObserver>>,
    idle_after: u64,
    most_per_shard: usize,
    seed: u64,
}

/// Sorted by key.
type Entries = Vec<(u64, Arc<Entry>)>;

#[derive(Default)]
struct Shard {
    entries: ArcSwap<Entries>,
    changing: Mutex<()>,
}

struct Entry {
    breaker: Arc<Breaker>,
    /// When it was last asked for, to a sixteenth of `idle_after`.
    used: AtomicU64,
}

/// Bounds and observer of a [`BreakerSet`].
#[derive(Clone)]
pub struct BreakerSetBuilder {
    settings: BreakerSettings,
    observer: Option<Arc<dyn BreakerObserver>>,
    idle_after: Duration,
    max_keys: usize,
}

impl fmt::Debug for BreakerSetBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { settings, idle_after, max_keys, .. } = self;
        let mut out = f.debug_struct("BreakerSetBuilder");
        out.field("settings", settings)
            .field("idle_after", idle_after)
            .field("max_keys", max_keys)
            .finish_non_exhaustive()
    }
}

impl BreakerSetBuilder {
    /// Hears the transitions of all breakers; each carries its key.
    #[must_use]
    pub fn observer(self, observer: Arc<dyn BreakerObserver>) -> Self {
        Self { observer: Some(observer), ..self }
    }

    /// How long a breaker is kept without being asked; an hour unless told, and never less than the longest open time.
    #[must_use]
    pub fn idle_after(self, idle_after: Duration) -> Self {
        Self { idle_after, ..self }
    }

    /// About how many breakers are kept, 16,384 unless told.
    #[must_use]
    pub fn max_keys(self, max_keys: usize) -> Self {
        Self { max_keys, ..self }
    }

    /// The set.
    ///
    /// # Errors
    /// [`InvalidBreaker`] names the setting that is out of range.
    pub fn build(self) -> Result<BreakerSet, InvalidBreaker> {
        Ok(BreakerSet {
            shards: (0..SHARDS).map(|_| Shard::default()).collect(),
            rules: self.settings.rules()?,
            observer: self.observer,
            idle_after: nanos(self.idle_after.max(self.settings.open_at_most)),
            most_per_shard: self.max_keys.div_ceil(SHARDS).max(1),
            seed: random_seed(),
        })
    }
}

impl BreakerSet {
    /// A set with the default bounds.
    ///
    /// # Errors
    /// [`InvalidBreaker`] names the setting that is out of range.
    pub fn new(settings: BreakerSettings) -> Result<Self, InvalidBreaker> {
        Self::builder(settings).build()
    }

    /// Sets bounds and observer.
    #[must_use]
    pub fn builder(settings: BreakerSettings) -> BreakerSetBuilder {
        BreakerSetBuilder {
            settings,
            observer: None,
            idle_after: Duration::from_secs(3600),
            max_keys: 16_384,
        }
    }

    /// Asks the breaker of `key` for a permit at `now`.
    ///
    /// # Errors
    /// [`Open`] when the call must not be made.
    pub fn try_acquire(&self, key: u64, now: u64) -> Result<Permit<Arc<Breaker>>, Open> {
        Breaker::acquire(self.get(key, now), now)
    }

    /// The breaker of `key`, made if it is new.
    #[must_use]
    pub fn get(&self, key: u64, now: u64) -> Arc<Breaker> {
        let shard = self.shard(key);
        match find(&shard.entries.load(), key) {
            Some(entry) => self.touch(entry, now),
            None => self.make(shard, key, now),
        }
    }

    /// State and counts of every breaker, by key.
    #[must_use]
    pub fn snapshots(&self, now: u64) -> Vec<(u64, BreakerSnapshot)> {
        let tables = self.shards.iter().map(|shard| shard.entries.load_full());
        tables
            .flat_map(|entries| {
                entries.iter().map(|(key, entry)| (*key, entry.breaker.snapshot(now))).collect::<Vec<_>>()
            })
            .collect()
    }

    /// How many breakers the set holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.entries.load().len()).sum()
    }

    /// Whether no key has been asked for yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn shard(&self, key: u64) -> &Shard {
        &self.shards[mix(key, self.seed) as usize % SHARDS]
    }

    fn touch(&self, entry: &Entry, now: u64) -> Arc<Breaker> {
        // Rarely written, so that the line stays shared between cores.
        if now.abs_diff(entry.used.load(Ordering::Relaxed)) > self.idle_after / 16 {
            entry.used.store(now, Ordering::Relaxed);
        }
        entry.breaker.clone()
    }

    #[cold]
    fn make(&self, shard: &Shard, key: u64, now: u64) -> Arc<Breaker> {
        let _guard = shard.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let current = shard.entries.load();
        if let Some(entry) = find(&current, key) {
            return self.touch(entry, now);
        }
        let mut breaker = Breaker::with_rules(self.rules.clone());
        if let Some(observer) = &self.observer {
            breaker = breaker.observed_by(observer.clone(), key);
        }
        let breaker = Arc::new(breaker);
        let mut next: Entries =
            current.iter().filter(|(_, entry)| !self.is_idle(entry, now)).cloned().collect();
        if next.len() >= self.most_per_shard {
            evict(&mut next);
        }
        let entry = Arc::new(Entry { breaker: breaker.clone(), used: AtomicU64::new(now) });
        let place = next.partition_point(|(other, _)| *other < key);
        next.insert(place, (key, entry));
        shard.entries.store(Arc::new(next));
        breaker
    }

    fn is_idle(&self, entry: &Entry, now: u64) -> bool {
        now.saturating_sub(entry.used.load(Ordering::Relaxed)) > self.idle_after && !is_forced(entry)
    }
}

fn is_forced(entry: &Entry) -> bool {
    matches!(entry.breaker.state(), BreakerState::ForcedOpen | BreakerState::ForcedClosed)
}

/// Makes room for one by dropping the breaker that was asked longest ago: a closed one if there is one, a forced one never.
fn evict(entries: &mut Entries) {
    let closed = |entry: &Entry| entry.breaker.state() == BreakerState::Closed;
    let candidates = entries.iter().enumerate().filter(|(_, (_, entry))| !is_forced(entry));
    let oldest =
        candidates.min_by_key(|(_, (_, entry))| (!closed(entry), entry.used.load(Ordering::Relaxed)));
    if let Some(index) = oldest.map(|(index, _)| index) {
        entries.remove(index);
    }
}

fn find(entries: &Entries, key: u64) -> Option<&Entry> {
    let index = entries.binary_search_by_key(&key, |(key, _)| *key).ok()?;
    entries.get(index).map(|(_, entry)| &**entry)
}

impl fmt::Debug for BreakerSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreakerSet")
            .field("len", &self.len())
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}
