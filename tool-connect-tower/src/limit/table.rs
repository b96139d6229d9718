//! One timestamp per key, read and changed without a lock.
//!
//! Open addressing over pairs of atomics. A key's timestamp that lies in the past means the same as no entry, so an idle
//! slot is taken over in place and nothing needs sweeping. Only a new key takes a lock, that of its shard. A slot that has
//! been idle for less than a second is left alone while the table may still grow: its key is probably about to return.
//!
//! Why a plain read, a key comparison and one compare-and-swap are enough: a slot changes hands only between two different
//! timestamps (the new owner's is higher), and a timestamp never goes down while the clock does not. So if the timestamp
//! is still the one that was read before the key was compared, the key is still the same.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::key::mix;

/// Set in a timestamp while a decision over several keys, or a change of owner, holds the slot: some tens of nanoseconds.
pub(crate) const LOCKED: u64 = 1 << 63;
/// The slot has moved to the next, larger level.
pub(crate) const MOVED: u64 = u64::MAX;
/// The slot has never been used; a search ends here.
const EMPTY: u64 = 0;

/// How far from its home a key may live.
const WINDOW: usize = 32;
/// How far from its home a new key may be put while the table can grow: two cache lines, so that searches stay short.
const NEAR: usize = 8;
const SHARDS: usize = 16;
/// Homes of a shard's first level, as a power of two.
const FIRST_BITS: u32 = 5;
/// Each level has twice the homes of the one before.
const LEVELS: usize = 24;
/// How long an idle key keeps its slot while the table may grow, in nanoseconds.
const GRACE: u64 = 1_000_000_000;

/// A key and its timestamp.
#[derive(Debug, Default)]
#[repr(align(16))]
pub(crate) struct Slot {
    pub(crate) key: AtomicU64,
    pub(crate) tat: AtomicU64,
}

/// All keys of a class.
#[derive(Debug)]
pub(crate) struct Table {
    shards: Box<[Shard]>,
    seed: u64,
    top_level: usize,
}

/// No room for a new key. `earliest` is the time at which the next slot falls idle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full {
    pub(crate) earliest: u64,
}

#[derive(Debug)]
#[repr(align(128))]
struct Shard {
    /// The level in use; those below have moved.
    level: AtomicUsize,
    levels: [OnceLock<Box<[Slot]>>; LEVELS],
    /// Held to bring in a key or to move to the next level.
    growing: Mutex<()>,
}

enum Probe<'a> {
    Hit(&'a Slot),
    Miss,
    Moved,
}

impl Table {
    /// A table for about `max_keys` keys at a time; memory is taken as keys arrive.
    pub(crate) fn new(max_keys: usize, seed: u64) -> Self {
        let per_shard = max_keys.div_ceil(SHARDS).max(1);
        // Three quarters full at the cap: beyond that windows begin to overflow by chance.
        let homes = (per_shard + per_shard / 3).next_power_of_two();
        let top_level = homes.trailing_zeros().saturating_sub(FIRST_BITS) as usize;
        let shards = (0..SHARDS).map(|_| Shard::new()).collect();
        Self { shards, seed, top_level: top_level.min(LEVELS - 1) }
    }

    /// The slot of `key`, brought in if it is new. By the time the caller looks, it may belong to another key again.
    #[inline(always)]
    pub(crate) fn slot(&self, key: u64, now: u64) -> Result<&Slot, Full> {
        let hash = mix(key, self.seed);
        let shard = self.shard(hash);
        let (level, slots) = shard.current();
        match probe(slots, home(hash, level), key) {
            Probe::Hit(slot) => Ok(slot),
            Probe::Miss | Probe::Moved => self.bring_in(shard, key, hash, now),
        }
    }

    /// The slot of `key`, if it has one.
    pub(crate) fn find(&self, key: u64) -> Option<&Slot> {
        let hash = mix(key, self.seed);
        let shard = self.shard(hash);
        loop {
            let (level, slots) = shard.current();
            match probe(slots, home(hash, level), key) {
                Probe::Hit(slot) => return Some(slot),
                Probe::Miss => return None,
                Probe::Moved => drop(shard.growing.lock().unwrap_or_else(PoisonError::into_inner)),
            }
        }
    }

    /// Keys whose bucket is not full at `now`.
    pub(crate) fn active(&self, now: u64) -> usize {
        let active = |slot: &&Slot| {
            let tat = slot.tat.load(Ordering::Relaxed);
            tat != MOVED && tat & !LOCKED > now
        };
        self.shards.iter().map(|shard| shard.current().1.iter().filter(active).count()).sum()
    }

    /// Slots that the tables in use hold.
    #[cfg(test)]
    pub(crate) fn slots(&self) -> usize {
        self.shards.iter().map(|shard| shard.current().1.len()).sum()
    }

    /// Finds or makes a place for `key` under the shard's lock, so that two threads never bring in the same key twice, and
    /// nobody looks into a level that is moving.
    #[cold]
    fn bring_in<'a>(&self, shard: &'a Shard, key: u64, hash: u64, now: u64) -> Result<&'a Slot, Full> {
        let _guard = shard.growing.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let (level, slots) = shard.current();
            let home = home(hash, level);
            if let Probe::Hit(slot) = probe(slots, home, key) {
                return Ok(slot);
            }
            let can_grow = level < self.top_level;
            let (reach, idle_before) =
                if can_grow { (NEAR, now.saturating_sub(GRACE)) } else { (WINDOW, now) };
            let window = &slots[home..home + reach];
            if let Some(slot) = window.iter().find(|slot| slot.take_over(key, idle_before)) {
                return Ok(slot);
            }
            if !can_grow {
                let until = |slot: &Slot| slot.tat.load(Ordering::Relaxed) & !LOCKED;
                return Err(Full { earliest: window.iter().map(until).min().unwrap_or(now) });
            }
            shard.grow(level, idle_before, self.seed);
        }
    }

    #[inline]
    fn shard(&self, hash: u64) -> &Shard {
        // The low bits choose the shard, the high bits the home, so that neither repeats the other.
        &self.shards[(hash as usize) & (SHARDS - 1)]
    }
}

impl Shard {
    fn new() -> Self {
        Self {
            level: AtomicUsize::new(0),
            levels: [const { OnceLock::new() }; LEVELS],
            growing: Mutex::new(()),
        }
    }

    #[inline]
    fn current(&self) -> (usize, &[Slot]) {
        let level = self.level.load(Ordering::Acquire);
        (level, self.levels[level].get_or_init(|| empty_level(level)))
    }

    /// Moves every key that was not idle before this time to the next level. Callers hold `growing`.
    fn grow(&self, level: usize, idle_before: u64, seed: u64) {
        let old = self.levels[level].get_or_init(|| empty_level(level));
        let new = self.levels[level + 1].get_or_init(|| empty_level(level + 1));
        let mut active: Vec<_> = old
            .iter()
            .map(|slot| (slot.seize(), slot))
            .filter(|&(tat, _)| tat >= idle_before.max(1))
            .map(|(tat, slot)| {
                let key = slot.key.load(Ordering::Relaxed);
                (home(mix(key, seed), level + 1), key, tat)
            })
            .collect();
        // Placed in the order of their homes, no key ends further from home than the window reaches: any n homes of the
        // old level held at most n + WINDOW - 1 keys, and the same keys now have 2 n homes.
        active.sort_unstable_by_key(|&(home, ..)| home);
        let mut free = 0;
        for (home, key, tat) in active {
            let position = home.max(free);
            free = position + 1;
            debug_assert!(position - home < WINDOW, "a key left its window");
            new[position].key.store(key, Ordering::Relaxed);
            new[position].tat.store(tat, Ordering::Relaxed);
        }
        self.level.store(level + 1, Ordering::Release);
    }
}

impl Slot {
    /// Gives an unused slot, or one that was idle before this time, to `key`. Callers hold the shard's lock.
    fn take_over(&self, key: u64, idle_before: u64) -> bool {
        let tat = self.tat.load(Ordering::Acquire);
        if tat == EMPTY {
            self.key.store(key, Ordering::Relaxed);
            self.tat.store(1, Ordering::Release);
            return true;
        }
        // Strictly before, so that the higher timestamp of the new owner lies in the past too. A held slot reads as busy.
        // If the exchange fails, its key has come back at this moment.
        if tat >= idle_before
            || self.tat.compare_exchange(tat, tat | LOCKED, Ordering::AcqRel, Ordering::Relaxed).is_err()
        {
            return false;
        }
        self.key.store(key, Ordering::Relaxed);
        self.tat.store(tat + 1, Ordering::Release);
        true
    }

    /// Marks the slot as moved and returns its last timestamp.
    fn seize(&self) -> u64 {
        let mut pause = Pause::default();
        loop {
            let tat = self.tat.load(Ordering::Relaxed);
            if tat & LOCKED == 0
                && self.tat.compare_exchange_weak(tat, MOVED, Ordering::AcqRel, Ordering::Relaxed).is_ok()
            {
                return tat;
            }
            pause.wait();
        }
    }
}

#[inline]
fn home(hash: u64, level: usize) -> usize {
    (hash >> (64 - FIRST_BITS as usize - level)) as usize
}

fn empty_level(level: usize) -> Box<[Slot]> {
    // The last homes have a whole window behind them, so no search wraps around.
    let slots = (1_usize << (FIRST_BITS as usize + level)) + WINDOW - 1;
    (0..slots).map(|_| Slot::default()).collect()
}

#[inline]
fn probe(slots: &[Slot], home: usize, key: u64) -> Probe<'_> {
    for slot in &slots[home..home + WINDOW] {
        match slot.tat.load(Ordering::Acquire) {
            EMPTY => return Probe::Miss,
            MOVED => return Probe::Moved,
            _ if slot.key.load(Ordering::Relaxed) == key => return Probe::Hit(slot),
            _ => {}
        }
    }
    Probe::Miss
}

/// Waiting for a slot that another thread holds for some tens of nanoseconds: spins, then lets that thread run.
#[derive(Debug, Default)]
pub(crate) struct Pause {
    turns: u32,
}

impl Pause {
    pub(crate) fn wait(&mut self) {
        self.turns += 1;
        if self.turns.is_multiple_of(64) {
            std::thread::yield_now();
        } else {
            std::hint::spin_loop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn use_once(table: &Table, key: u64, now: u64) {
        let slot = table.slot(key, now).expect("below the cap");
        slot.tat.fetch_max(now + 1, Ordering::Relaxed);
    }

    #[test]
    fn keys_that_are_used_once_take_no_more_room_than_a_second_of_them() {
        let table = Table::new(1 << 20, 1);
        // A million keys, a thousand a second.
        for key in 0..1_000_000 {
            use_once(&table, key, GRACE + key * GRACE / 1_000);
        }
        assert!(table.slots() < 16 * 1_024, "{} slots for some thousand keys at a time", table.slots());
    }

    #[test]
    fn a_flood_of_keys_stops_at_the_cap() {
        let table = Table::new(10_000, 1);
        for key in 0..1_000_000 {
            use_once(&table, key, GRACE + key * 10);
        }
        assert!(table.slots() < 4 * 10_000, "{} slots", table.slots());
    }

    #[test]
    fn no_active_key_is_lost_however_often_the_table_grows() {
        let table = Table::new(1 << 20, 7);
        let tat = |key: u64| 10 * GRACE + key;
        for key in 0..50_000 {
            let slot = table.slot(key, GRACE).expect("below the cap");
            slot.tat.store(tat(key), Ordering::Relaxed);
        }
        for key in 0..50_000 {
            let slot = table.find(key).expect("still there");
            assert_eq!(slot.tat.load(Ordering::Relaxed), tat(key));
        }
        assert_eq!(table.active(GRACE), 50_000);
        assert!(table.find(50_000).is_none());
    }

    #[test]
    fn a_slot_that_changes_hands_gets_a_higher_timestamp_that_has_passed() {
        let slot = Slot::default();
        assert!(slot.take_over(1, 100));
        slot.tat.store(50, Ordering::Relaxed);
        assert!(!slot.take_over(2, 50), "not yet idle");
        assert!(slot.take_over(2, 51));
        assert_eq!((slot.key.load(Ordering::Relaxed), slot.tat.load(Ordering::Relaxed)), (2, 51));
        slot.tat.store(51 | LOCKED, Ordering::Relaxed);
        assert!(!slot.take_over(3, 1_000), "held by a decision");
    }
}
