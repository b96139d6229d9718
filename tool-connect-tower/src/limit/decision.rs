//! One decision over the slots of its keys: take from all of them or from none.
//!
//! A single key is one compare-and-swap. Several are each held for a moment, so that nobody ever sees half a decision. What was
//! seen before decides if all can be held just so; otherwise they are waited for in an order that is the same for every
//! decision, so that two decisions never wait for each other.

use std::sync::atomic::Ordering;

use super::answer::{Cause, Quota, Refused};
use super::class::{Class, ClassId};
use super::gcra::{Rate, Step};
use super::keys::Charge;
use super::table::{Full, LOCKED, MOVED, Pause, Slot};

/// A key of the decision in progress.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'a> {
    class: &'a Class,
    id: ClassId,
    slot: &'a Slot,
    key: u64,
    cost: u64,
    /// The limit, read once: it may change while we decide.
    rate: Rate,
    /// The timestamp at which the slot is held, and the one to leave behind.
    tat: u64,
    next: u64,
}

/// Why a charge has no entry.
#[derive(Clone, Copy)]
pub(crate) enum NoSlot<'a> {
    UnknownClass,
    Full(&'a Class, Full),
}

impl NoSlot<'_> {
    #[cold]
    pub(crate) fn refused(self, charge: &Charge, now: u64) -> Refused {
        let Charge { class, key, .. } = *charge;
        match self {
            Self::UnknownClass => {
                let quota = Quota { burst: 0, ..Quota::unlimited(now) };
                Refused { cause: Cause::UnknownClass, name: None, key, quota, wait: None }
            }
            Self::Full(of, full) => Refused {
                cause: Cause::TooManyKeys,
                name: Some(of.name.clone()),
                key,
                quota: Quota::new(Some(class), &of.rate(), now, now),
                // The slot is free the moment after its bucket is full.
                wait: Some(full.earliest.saturating_sub(now) + 1),
            },
        }
    }
}

impl<'a> Entry<'a> {
    pub(crate) fn new(class: &'a Class, slot: &'a Slot, charge: &Charge) -> Self {
        let Charge { class: id, key, cost } = *charge;
        Self { class, id, slot, key, cost, rate: class.rate(), tat: 0, next: 0 }
    }

    /// Decides over this key alone. `None` if it is held or has another owner by now.
    #[inline]
    pub(crate) fn decide_alone(&self, now: u64) -> Option<Result<Quota, Refused>> {
        let tat = self.slot.tat.load(Ordering::Acquire);
        if tat & LOCKED != 0 || self.slot.key.load(Ordering::Acquire) != self.key {
            return None;
        }
        match self.rate.step(tat, now, self.cost) {
            Step::Admit(next) => self.replace(tat, next).then(|| Ok(self.quota(next, now))),
            Step::Refuse { tat: base, repaired, wait } => {
                if repaired {
                    self.replace(tat, base);
                }
                Some(Err(self.refused(base, now, wait)))
            }
        }
    }

    fn replace(&self, tat: u64, next: u64) -> bool {
        self.slot.tat.compare_exchange(tat, next, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    fn quota(&self, tat: u64, now: u64) -> Quota {
        Quota::new(Some(self.id), &self.rate, tat, now)
    }

    #[cold]
    fn refused(&self, tat: u64, now: u64, wait: Option<u64>) -> Refused {
        let cause = if wait.is_some() { Cause::Exhausted } else { Cause::CostAboveBurst };
        Refused {
            cause,
            name: Some(self.class.name.clone()),
            key: self.key,
            quota: self.quota(tat, now),
            wait,
        }
    }

    /// Holds the slot, waiting for it, and notes its timestamp; `false` if it has moved or belongs to another key by now.
    #[inline]
    fn hold(&mut self) -> bool {
        let mut pause = Pause::default();
        loop {
            let tat = self.slot.tat.load(Ordering::Relaxed);
            if tat == MOVED {
                return false;
            }
            if tat & LOCKED == 0 && self.replace(tat, tat | LOCKED) {
                self.tat = tat;
                if self.slot.key.load(Ordering::Relaxed) == self.key {
                    return true;
                }
                self.release(tat);
                return false;
            }
            pause.wait();
        }
    }

    fn release(&self, tat: u64) {
        self.slot.tat.store(tat, Ordering::Release);
    }
}

/// Takes from all entries or from none. `None` if one of them has another owner by now.
#[inline]
pub(crate) fn decide_together(entries: &mut [Option<Entry<'_>>], now: u64) -> Option<Result<Quota, Refused>> {
    match look(entries, now) {
        Look::Refused(refused) => return Some(Err(refused)),
        Look::Admitted(quota) if hold_as_seen(entries) => {
            entries.iter().flatten().for_each(|entry| entry.release(entry.next));
            return Some(Ok(quota));
        }
        Look::Admitted(_) | Look::Unsure => {}
    }
    decide_in_order(entries, now)
}

/// What the entries say without being touched.
enum Look {
    /// The longest refusal.
    Refused(Refused),
    /// Each admits, and knows its timestamps before and after.
    Admitted(Quota),
    /// One is held or has another owner.
    Unsure,
}

/// Decides without holding anything. A refusal touches nothing, so that those who are refused slow nobody down.
#[inline]
fn look(entries: &mut [Option<Entry<'_>>], now: u64) -> Look {
    let mut longest: Option<Refused> = None;
    let mut tightest = Quota::unlimited(now);
    let mut sure = true;
    for entry in entries.iter_mut().flatten() {
        let tat = entry.slot.tat.load(Ordering::Acquire);
        if tat == MOVED || entry.slot.key.load(Ordering::Acquire) != entry.key {
            sure = false;
            continue;
        }
        match entry.rate.step(tat & !LOCKED, now, entry.cost) {
            Step::Admit(next) => {
                sure &= tat & LOCKED == 0;
                (entry.tat, entry.next) = (tat, next);
                let quota = entry.quota(next, now);
                if quota.is_tighter_than(&tightest) {
                    tightest = quota;
                }
            }
            Step::Refuse { tat: base, repaired, wait } => {
                if repaired && tat & LOCKED == 0 {
                    entry.replace(tat, base);
                }
                keep_longest(&mut longest, entry.refused(base, now, wait));
            }
        }
    }
    match longest {
        Some(refused) => Look::Refused(refused),
        None if sure => Look::Admitted(tightest),
        None => Look::Unsure,
    }
}

/// Holds all entries with the timestamps that were seen, so that what these decided stands; `false`, holding none, if one
/// has changed or is named twice. It waits for nobody, so the order is of no importance.
#[inline]
fn hold_as_seen(entries: &[Option<Entry<'_>>]) -> bool {
    for (index, entry) in entries.iter().enumerate() {
        let held = entry.as_ref().is_none_or(|entry| entry.replace(entry.tat, entry.tat | LOCKED));
        if !held {
            entries[..index].iter().flatten().for_each(|entry| entry.release(entry.tat));
            return false;
        }
    }
    true
}

/// Waits for each entry in turn, and decides when all are held.
#[cold]
fn decide_in_order(entries: &mut [Option<Entry<'_>>], now: u64) -> Option<Result<Quota, Refused>> {
    if !entries.is_sorted_by(|a, b| order(a) < order(b)) && !merge(entries) {
        return None;
    }
    for index in 0..entries.len() {
        if !entries[index].as_mut().is_none_or(Entry::hold) {
            entries[..index].iter().flatten().for_each(|entry| entry.release(entry.tat));
            return None;
        }
    }
    Some(settle(entries, now))
}

/// The order in which entries are held.
fn order<'a>(entry: &Option<Entry<'a>>) -> Option<(ClassId, *const Slot)> {
    entry.as_ref().map(|entry| (entry.id, std::ptr::from_ref(entry.slot)))
}

#[cold]
fn keep_longest(longest: &mut Option<Refused>, refused: Refused) {
    if longest.as_ref().is_none_or(|other| refused.outlasts(other)) {
        *longest = Some(refused);
    }
}

/// Puts the entries into their order, and adds up those of one key. `false` if one has another owner by now.
#[cold]
fn merge(entries: &mut [Option<Entry<'_>>]) -> bool {
    entries.sort_unstable_by_key(order);
    for next in 1..entries.len() {
        let (before, rest) = entries.split_at_mut(next);
        let (Some(last), Some(next)) = (before.last_mut(), rest.first_mut()) else { continue };
        if order(last) != order(next) {
            continue;
        }
        let (Some(one), Some(same)) = (last.take(), next.as_mut()) else { continue };
        if one.key != same.key {
            // One slot under two keys: it changed hands between the two lookups. Holding it twice would never end.
            return false;
        }
        same.cost = same.cost.saturating_add(one.cost);
    }
    true
}

/// Decides over held entries and lets go of them.
#[inline]
fn settle(entries: &mut [Option<Entry<'_>>], now: u64) -> Result<Quota, Refused> {
    let mut tightest = Quota::unlimited(now);
    let mut longest: Option<Refused> = None;
    for entry in entries.iter_mut().flatten() {
        match entry.rate.step(entry.tat, now, entry.cost) {
            Step::Admit(next) => {
                entry.next = next;
                let quota = entry.quota(next, now);
                if quota.is_tighter_than(&tightest) {
                    tightest = quota;
                }
            }
            Step::Refuse { tat, wait, .. } => keep_longest(&mut longest, entry.refused(tat, now, wait)),
        }
    }
    if let Some(refused) = longest {
        entries.iter().flatten().for_each(|entry| entry.release(entry.tat));
        return Err(refused);
    }
    entries.iter().flatten().for_each(|entry| entry.release(entry.next));
    Ok(tightest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limit;

    #[test]
    fn a_slot_that_has_changed_hands_since_the_lookup_is_left_alone() {
        const NOW: u64 = 10_000_000_000;
        let class = Class::new("c".into(), Limit::per_second(10), 100, 1);
        let slot = class.table.slot(1, NOW).expect("room");
        let charge = Charge::new(ClassId(0), 1);
        let entry = || Entry::new(&class, slot, &charge);
        let before = slot.tat.load(Ordering::Relaxed);
        slot.key.store(2, Ordering::Relaxed);
        assert!(entry().decide_alone(NOW).is_none());
        assert!(decide_together(&mut [Some(entry()), Some(entry())], NOW).is_none());
        assert_eq!(slot.tat.load(Ordering::Relaxed), before, "neither charged nor still held");
        slot.key.store(1, Ordering::Relaxed);
        assert!(matches!(entry().decide_alone(NOW), Some(Ok(_))));
        slot.tat.store(MOVED, Ordering::Relaxed);
        assert!(entry().decide_alone(NOW).is_none());
        assert!(decide_together(&mut [Some(entry())], NOW).is_none());
    }

    #[test]
    fn two_keys_that_were_found_in_one_slot_are_looked_up_again() {
        let class = Class::new("c".into(), Limit::per_second(10), 100, 1);
        let slot = class.table.slot(1, 1).expect("room");
        let charges = [1, 2].map(|key| Charge::new(ClassId(0), key));
        for order in [[0, 1], [1, 0]] {
            let mut entries = order.map(|index| Some(Entry::new(&class, slot, &charges[index])));
            // Neither may one of the two go uncharged, nor may the slot be held for one and waited for by the other.
            assert!(decide_together(&mut entries, 1).is_none());
        }
    }
}
