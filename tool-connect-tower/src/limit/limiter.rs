//! The limiter: several keys, one decision, all or nothing.

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use super::answer::{Quota, Refused};
use super::class::{Class, ClassId, DefineError};
use super::decision::{Entry, NoSlot, decide_together};
use super::gcra::{Step, reading};
use super::keys::Charge;
use super::settings::Limit;
use super::table::{LOCKED, MOVED, Pause};
use crate::clock::{Clock, nanos};
use crate::key::random_seed;

/// Rate limits for any number of keys, in classes whose limit can change while they are used.
///
/// A decision names several keys (tenant, user, connector, ...) and takes from all of them or from none: a refusal by the
/// last leaves the others as they were, exactly, whatever other threads do meanwhile. Over any interval of length t no
/// key gives more than `burst + rate × t` permits.
///
/// A check takes no lock: a lookup and one compare-and-swap for one key. Keys of a larger decision are each held for some
/// tens of nanoseconds, in the order in which they are named, so name and define last what everybody shares. A key that is
/// not used needs no removal: once its bucket is full again, its place is free for another. Memory follows the largest
/// number of keys that were active within a second, about 100 bytes each, and stops at `max_keys` per class, where new keys are
/// refused rather than old ones forgotten.
///
/// ```
/// use tool_connect_tower::{Limit, Limiter, limit::Charge};
///
/// let limiter = Limiter::new();
/// let tenants = limiter.define("tenant", Limit::per_minute(2))?;
/// let everyone = limiter.define("service", Limit::per_second(100))?;
///
/// let now = 1_000_000_000; // monotonic nanoseconds
/// let request = [Charge::new(tenants, 7), Charge::new(everyone, 0)];
/// assert_eq!(limiter.check(now, &request).unwrap().remaining(), 1);
/// assert_eq!(limiter.check(now, &request).unwrap().remaining(), 0);
///
/// let refused = limiter.check(now, &request).unwrap_err();
/// assert_eq!(refused.class_name(), Some("tenant"));
/// assert_eq!(refused.retry_after().unwrap().as_secs(), 30);
///
/// limiter.define("tenant", Limit::per_minute(600))?; // a better plan, at once
/// assert!(limiter.check(now + 100_000_000, &request).is_ok());
/// # Ok::<(), tool_connect_tower::limit::DefineError>(())
/// ```
pub struct Limiter {
    classes: Box<[OnceLock<Box<Class>>]>,
    /// Held while a class is added.
    defining: Mutex<()>,
    max_keys: usize,
    seed: u64,
}

/// Bounds of a [`Limiter`].
#[derive(Debug, Clone)]
pub struct LimiterBuilder {
    max_classes: u16,
    max_keys: usize,
}

impl Default for LimiterBuilder {
    fn default() -> Self {
        Self { max_classes: 256, max_keys: 1 << 20 }
    }
}

impl LimiterBuilder {
    /// How many classes can be defined; 256 unless told.
    #[must_use]
    pub fn max_classes(self, max_classes: u16) -> Self {
        Self { max_classes, ..self }
    }

    /// About how many keys of one class can be active at once, 1,048,576 unless told. Further keys are refused with
    /// [`Cause::TooManyKeys`](super::Cause::TooManyKeys).
    #[must_use]
    pub fn max_keys(self, max_keys: usize) -> Self {
        Self { max_keys, ..self }
    }

    /// The limiter, without classes yet.
    #[must_use]
    pub fn build(self) -> Limiter {
        Limiter {
            classes: (0..self.max_classes).map(|_| OnceLock::new()).collect(),
            defining: Mutex::new(()),
            max_keys: self.max_keys,
            seed: random_seed(),
        }
    }
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limits =
            self.classes.iter().map_while(OnceLock::get).map(|class| (&*class.name, class.limit.get()));
        f.debug_map().entries(limits).finish()
    }
}

impl Default for Limiter {
    fn default() -> Self {
        Self::new()
    }
}

impl Limiter {
    /// A limiter with the default bounds.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// A limiter with the default bounds, ready to share between layers.
    #[must_use]
    pub fn shared() -> Arc<Self> {
        Arc::new(Self::new())
    }

    /// Sets the bounds.
    #[must_use]
    pub fn builder() -> LimiterBuilder {
        LimiterBuilder::default()
    }

    /// Defines the class `name`, or changes its limit if it exists. What the keys have used stays used.
    ///
    /// # Errors
    /// [`DefineError`] when the limiter has no room for another class.
    pub fn define(&self, name: &str, limit: Limit) -> Result<ClassId, DefineError> {
        let _guard = self.defining.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(id) = self.class(name) {
            if let Some(class) = self.get(id) {
                class.limit.set(limit);
            }
            return Ok(id);
        }
        let full = || DefineError { name: name.to_owned(), most: self.classes.len() };
        let free = self.classes.iter().position(|place| place.get().is_none()).ok_or_else(full)?;
        let id = ClassId(u16::try_from(free).map_err(|_| full())?);
        let place = self.classes.get(free).ok_or_else(full)?;
        place.get_or_init(|| Box::new(Class::new(name.into(), limit, self.max_keys, self.seed)));
        Ok(id)
    }

    /// The class of this name.
    #[must_use]
    pub fn class(&self, name: &str) -> Option<ClassId> {
        let known = self.classes.iter().map_while(OnceLock::get);
        let found = known.enumerate().find(|(_, class)| &*class.name == name);
        found.and_then(|(index, _)| u16::try_from(index).ok()).map(ClassId)
    }

    /// The limit of a class as it is now.
    #[must_use]
    pub fn limit(&self, class: ClassId) -> Option<Limit> {
        self.get(class).map(|class| class.limit.get())
    }

    /// Keys of a class that have taken permits which are not refilled yet. Reads the whole table.
    #[must_use]
    pub fn active_keys(&self, class: ClassId, now: u64) -> usize {
        self.get(class).map_or(0, |class| class.table.active(reading(now)))
    }

    /// Takes every charge at `now` (monotonic nanoseconds), or none of them. The answer is about the key with the fewest
    /// permits left.
    ///
    /// # Errors
    /// [`Refused`] by the key that has to wait longest.
    pub fn check(&self, now: u64, charges: &[Charge]) -> Result<Quota, Refused> {
        let now = reading(now);
        match charges {
            [] => Ok(Quota::unlimited(now)),
            [charge] => self.check_one(now, charge),
            _ => self.check_several(now, charges),
        }
    }

    /// Takes every charge or waits for it, at most `budget`. Each attempt is a [`check`](Self::check); nothing is held in
    /// between, so there is no queue, and dropping the future leaves no trace.
    ///
    /// # Errors
    /// [`Refused`], at once, if the wait would not fit into the budget.
    pub async fn acquire(
        &self,
        charges: &[Charge],
        budget: Duration,
        clock: &impl Clock,
    ) -> Result<Quota, Refused> {
        let mut now = clock.now();
        let end = now.saturating_add(nanos(budget));
        loop {
            match self.check(now, charges) {
                Ok(quota) => return Ok(quota),
                Err(refused) => match refused.wait {
                    Some(wait) if now.saturating_add(wait) <= end => {
                        tokio::time::sleep(Duration::from_nanos(wait)).await
                    }
                    _ => return Err(refused),
                },
            }
            now = clock.now();
        }
    }

    /// Where a key stands at `now`, without taking anything. `None` for a class of another limiter.
    #[must_use]
    pub fn peek(&self, now: u64, class: ClassId, key: u64) -> Option<Quota> {
        let now = reading(now);
        let of = self.get(class)?;
        let rate = of.rate();
        let tat = loop {
            let Some(slot) = of.table.find(key) else { break now };
            let tat = slot.tat.load(Ordering::Acquire);
            // Otherwise it has just moved or changed hands.
            if tat != MOVED && slot.key.load(Ordering::Relaxed) == key {
                break tat & !LOCKED;
            }
        };
        match rate.step(tat, now, 0) {
            Step::Admit(tat) | Step::Refuse { tat, .. } => Some(Quota::new(Some(class), &rate, tat, now)),
        }
    }

    /// Lowers what a key has left to `remaining`, as the other side reports it in its headers. Never raises it, and does
    /// nothing to a new key that the limiter has no room for: that one is refused anyway.
    pub fn tighten(&self, now: u64, class: ClassId, key: u64, remaining: u64) {
        let now = reading(now);
        let Some(of) = self.get(class) else { return };
        let lowered = of.rate().tat_for(now, remaining);
        let mut pause = Pause::default();
        while let Ok(slot) = of.table.slot(key, now) {
            let tat = slot.tat.load(Ordering::Acquire);
            if tat & LOCKED == 0 && slot.key.load(Ordering::Relaxed) == key {
                let tighter = tat.max(lowered);
                if slot.tat.compare_exchange(tat, tighter, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                    return;
                }
            }
            pause.wait();
        }
    }

    fn get(&self, class: ClassId) -> Option<&Class> {
        self.classes.get(usize::from(class.0)).and_then(OnceLock::get).map(|class| &**class)
    }

    /// The slot of a charge, brought into its class if it is new.
    #[inline(always)]
    fn entry(&self, now: u64, charge: &Charge) -> Result<Entry<'_>, NoSlot<'_>> {
        let class = self.get(charge.class).ok_or(NoSlot::UnknownClass)?;
        let slot = class.table.slot(charge.key, now).map_err(|full| NoSlot::Full(class, full))?;
        Ok(Entry::new(class, slot, charge))
    }

    #[inline]
    fn check_one(&self, now: u64, charge: &Charge) -> Result<Quota, Refused> {
        let mut pause = Pause::default();
        loop {
            let entry = self.entry(now, charge).map_err(|why| why.refused(charge, now))?;
            if let Some(answer) = entry.decide_alone(now) {
                return answer;
            }
            pause.wait();
        }
    }

    #[inline]
    fn check_several(&self, now: u64, charges: &[Charge]) -> Result<Quota, Refused> {
        if let Ok(two) = charges.try_into() {
            self.check_array::<2>(now, two)
        } else if let Ok(three) = charges.try_into() {
            self.check_array::<3>(now, three)
        } else if let Ok(four) = charges.try_into() {
            self.check_array::<4>(now, four)
        } else if let Ok(five) = charges.try_into() {
            self.check_array::<5>(now, five)
        } else if let Ok(six) = charges.try_into() {
            self.check_array::<6>(now, six)
        } else {
            self.check_slice(now, charges)
        }
    }

    /// Several keys; one instance per number of keys, so that the entries live in an array of the right size.
    #[inline(never)]
    fn check_array<const N: usize>(&self, now: u64, charges: &[Charge; N]) -> Result<Quota, Refused> {
        let mut pause = Pause::default();
        loop {
            // First all lookups, so that their cache misses overlap.
            let mut entries = [const { None }; N];
            for (entry, charge) in entries.iter_mut().zip(charges) {
                match self.entry(now, charge) {
                    Ok(found) => *entry = Some(found),
                    Err(_) => return self.check_slice(now, charges),
                }
            }
            if let Some(answer) = decide_together(&mut entries, now) {
                return answer;
            }
            pause.wait();
        }
    }

    /// Any number of keys, and any failure to find their slots.
    #[cold]
    fn check_slice(&self, now: u64, charges: &[Charge]) -> Result<Quota, Refused> {
        let mut pause = Pause::default();
        loop {
            let entry =
                |charge: &Charge| self.entry(now, charge).map(Some).map_err(|why| why.refused(charge, now));
            let mut entries = charges.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
            if let Some(answer) = decide_together(&mut entries, now) {
                return answer;
            }
            pause.wait();
        }
    }
}
