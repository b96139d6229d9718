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
/// How far from its home a new key may be put while a table of slots side by side can grow: two cache lines.
const NEAR: usize = 8;
const SHARDS: usize = 16;
/// Homes of a shard's first level, as a power of two.
const FIRST_BITS: u32 = 5;
/// Each level has twice the homes of the one before.
const LEVELS: usize = 24;
/// How long an idle key keeps its slot while the table may grow, in nanoseconds.
const GRACE: u64 = 1_000_000_000;
/// Slots of a block, as a power of two.
const BLOCK_BITS: usize = 3;
/// Tags of a word.
const TAGS: usize = 8;
/// A one in each byte.
const EACH: u64 = 0x0101_0101_0101_0101;
/// The last level whose slots have a block each.
const LAST_APART: usize = 6;

/// A key and its timestamp.
#[derive(Debug, Default)]
#[repr(align(16))]
pub(crate) struct Slot {
    pub(crate) key: AtomicU64,
    pub(crate) tat: AtomicU64,
}

/// What processors hand to each other: a cache line, and the one beside it that is fetched along.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Block([Slot; 1 << BLOCK_BITS]);

/// The slots of a shard's table. While they are few, each has a block of its own, and searches read tags beside each other: threads
/// with keys of their own then take no cache line from each other, which costs more than a whole decision. Many slots lie side by
/// side: two threads seldom meet in a line then, and the memory counts.
#[derive(Debug)]
struct Level {
    slots: usize,
    /// How far it is from one slot to the next, as a power of two.
    apart: usize,
    blocks: Box<[Block]>,
    /// A byte of the hash of each slot's key, or 0, where slots lie apart. What the slot itself says counts.
    tags: Box<[AtomicU64]>,
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
    levels: [OnceLock<Level>; LEVELS],
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
        match slots.probe(hash, level, key) {
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
            match slots.probe(hash, level, key) {
                Probe::Hit(slot) => return Some(slot),
                // Without a tag of it, it may have been brought into a level that is newer than this one.
                Probe::Miss if shard.current().0 == level => return None,
                Probe::Miss => {}
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
        self.shards.iter().map(|shard| shard.current().1.slots).sum()
    }

    /// Finds or makes a place for `key` under the shard's lock, so that two threads never bring in the same key twice, and
    /// nobody looks into a level that is moving.
    #[cold]
    fn bring_in<'a>(&self, shard: &'a Shard, key: u64, hash: u64, now: u64) -> Result<&'a Slot, Full> {
        let _guard = shard.growing.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let (level, slots) = shard.current();
            let home = home(hash, level);
            if let Probe::Hit(slot) = slots.probe(hash, level, key) {
                return Ok(slot);
            }
            let can_grow = level < self.top_level;
            let (reach, idle_before) =
                if can_grow { (slots.near(), now.saturating_sub(GRACE)) } else { (WINDOW, now) };
            let taken = (home..home + reach).find(|index| slots.slot(*index).take_over(key, idle_before));
            if let Some(index) = taken {
                slots.tell(index, hash);
                return Ok(slots.slot(index));
            }
            if !can_grow {
                let until = |slot: &Slot| slot.tat.load(Ordering::Relaxed) & !LOCKED;
                return Err(Full { earliest: slots.window(home, reach).map(until).min().unwrap_or(now) });
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
    fn current(&self) -> (usize, &Level) {
        let level = self.level.load(Ordering::Acquire);
        (level, self.levels[level].get_or_init(|| Level::empty(level)))
    }

    /// Moves every key that was not idle before this time to the next level. Callers hold `growing`.
    fn grow(&self, level: usize, idle_before: u64, seed: u64) {
        let old = self.levels[level].get_or_init(|| Level::empty(level));
        let new = self.levels[level + 1].get_or_init(|| Level::empty(level + 1));
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
            let slot = new.slot(position);
            slot.key.store(key, Ordering::Relaxed);
            slot.tat.store(tat, Ordering::Relaxed);
            new.tell(position, mix(key, seed));
        }
        self.level.store(level + 1, Ordering::Release);
    }
}

/// What a search sees of a slot.
enum Looked {
    Ours,
    Other,
    Empty,
    Moved,
}

impl Slot {
    #[inline]
    fn looked_at(&self, key: u64) -> Looked {
        match self.tat.load(Ordering::Acquire) {
            EMPTY => Looked::Empty,
            MOVED => Looked::Moved,
            _ if self.key.load(Ordering::Relaxed) == key => Looked::Ours,
            _ => Looked::Other,
        }
    }

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

impl Level {
    fn empty(level: usize) -> Self {
        let apart = if level <= LAST_APART { BLOCK_BITS } else { 0 };
        // The last homes have a whole window behind them, so no search wraps around.
        let slots = (1_usize << (FIRST_BITS as usize + level)) + WINDOW - 1;
        let blocks = (slots << apart).div_ceil(1 << BLOCK_BITS);
        // One more, for the word behind the last one is read along.
        let tags = if apart > 0 { slots.div_ceil(TAGS) + 1 } else { 0 };
        Self {
            slots,
            apart,
            blocks: (0..blocks).map(|_| Block::default()).collect(),
            tags: (0..tags).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// How far from its home a new key may be put while the table can grow, so that searches stay short.
    fn near(&self) -> usize {
        if self.tags.is_empty() { NEAR } else { 2 * TAGS }
    }

    #[inline]
    fn slot(&self, index: usize) -> &Slot {
        let place = index << self.apart;
        &self.blocks[place >> BLOCK_BITS].0[place & ((1 << BLOCK_BITS) - 1)]
    }

    #[inline]
    fn window(&self, home: usize, reach: usize) -> impl Iterator<Item = &Slot> {
        (home..home + reach).map(|index| self.slot(index))
    }

    fn iter(&self) -> impl Iterator<Item = &Slot> {
        self.window(0, self.slots)
    }

    /// Looks for a key from its home on.
    #[inline]
    fn probe(&self, hash: u64, level: usize, key: u64) -> Probe<'_> {
        let home = home(hash, level);
        if self.tags.is_empty() {
            for slot in self.window(home, WINDOW) {
                match slot.looked_at(key) {
                    Looked::Ours => return Probe::Hit(slot),
                    Looked::Empty => return Probe::Miss,
                    Looked::Moved => return Probe::Moved,
                    Looked::Other => {}
                }
            }
            return Probe::Miss;
        }
        for from in (home..home + WINDOW).step_by(TAGS) {
            let tags = self.tags_from(from);
            let mut alike = zeros(tags ^ (EACH * u64::from(tag(hash))));
            while alike != 0 {
                let slot = self.slot(from + alike.trailing_zeros() as usize / 8);
                match slot.looked_at(key) {
                    Looked::Ours => return Probe::Hit(slot),
                    Looked::Moved => return Probe::Moved,
                    Looked::Empty | Looked::Other => alike &= alike - 1,
                }
            }
            if zeros(tags) != 0 {
                return Probe::Miss;
            }
        }
        Probe::Miss
    }

    /// The tags of the slots from this one on. They are compared together and no branch depends on one of them: the processor would
    /// guess it, and fetch the slot of another thread's key for nothing.
    #[inline]
    fn tags_from(&self, index: usize) -> u64 {
        let (word, shift) = (index / TAGS, index % TAGS * 8);
        let low = self.tags[word].load(Ordering::Acquire);
        let high = self.tags[word + 1].load(Ordering::Acquire);
        // Shifted in two steps, since a word is not shifted by all of its bits.
        low >> shift | high << 1 << (63 - shift)
    }

    /// Says which key a slot holds. The shard's lock is held, so nobody else writes.
    fn tell(&self, index: usize, hash: u64) {
        if let Some(word) = self.tags.get(index / TAGS) {
            let shift = index % TAGS * 8;
            let others = word.load(Ordering::Relaxed) & !(0xFF << shift);
            word.store(others | u64::from(tag(hash)) << shift, Ordering::Release);
        }
    }
}

/// A byte of a key's hash, never 0, of bits that choose neither the shard nor the home.
#[inline]
fn tag(hash: u64) -> u8 {
    ((hash >> 8) as u8).max(1)
}

/// The highest bit of each byte that is 0. A byte of 1 above one of 0 may be among them.
#[inline]
fn zeros(bytes: u64) -> u64 {
    bytes.wrapping_sub(EACH) & !bytes & (EACH << 7)
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
    fn few_keys_share_no_cache_lines_and_many_do() {
        let level = |level| Level::empty(level);
        let distance = |level: &Level| {
            let at = |index| std::ptr::from_ref(level.slot(index)).addr();
            (at(0) % 128, at(1) - at(0))
        };
        assert_eq!(distance(&level(0)), (0, 128));
        assert_eq!(distance(&level(LAST_APART)), (0, 128));
        assert_eq!(distance(&level(LAST_APART + 1)).1, 16);
    }

    #[test]
    fn keys_of_one_home_and_one_tag_are_told_apart_by_their_slots() {
        let table = Table::new(1 << 20, 0);
        let shard_and_tag = |hash| hash & 0xFF0F;
        let is_alike = |key: &u64| shard_and_tag(mix(*key, 0)) == 0x0100 && home(mix(*key, 0), 0) == 3;
        let alike: Vec<u64> = (1..).filter(is_alike).take(5).collect();
        for key in &alike {
            table.slot(*key, GRACE).expect("room").tat.store(GRACE + key, Ordering::Relaxed);
        }
        for key in &alike {
            let found = table.find(*key).expect("it is there");
            assert_eq!(found.tat.load(Ordering::Relaxed), GRACE + key);
        }
    }

    #[test]
    fn tags_are_read_from_any_place_of_a_word() {
        let level = Level::empty(0);
        for index in 0..20 {
            level.tell(index, (index as u64 + 1) << 8);
        }
        for from in 0..12 {
            let tags = level.tags_from(from).to_le_bytes();
            assert_eq!(tags.to_vec(), (from..from + 8).map(|i| i as u8 + 1).collect::<Vec<_>>());
        }
        assert_eq!((tag(0), tag(0x0200)), (1, 2), "0 is for slots without a key");
        assert_eq!(zeros(0x0180_7FFF_0203_0405), 0);
        assert_eq!(zeros(0x0180_7FFF_0003_0405), 0x80 << 24);
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
        // Of small tables, whose slots lie apart, and of large ones.
        for keys in [0..5_000, 5_000..50_000] {
            for key in keys.clone() {
                let slot = table.slot(key, GRACE).expect("below the cap");
                slot.tat.store(tat(key), Ordering::Relaxed);
            }
            for key in 0..keys.end {
                let slot = table.find(key).expect("still there");
                assert_eq!(slot.tat.load(Ordering::Relaxed), tat(key));
            }
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
