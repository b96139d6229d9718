//! From what waits to sealed segments: order, whose chain, canonical record.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use tool_connect_core::store::{SealedRecord, Segment};
use tool_connect_core::{Clock, Principal, TenantId, UserId, unix_millis};

use super::decode::SYSTEM_USER;
use super::encode::{self, Key};
use super::queue::{Batch, Lost, QueuedArguments, Waiter};

/// Whom a record is about.
struct Who {
    principal: Arc<Principal>,
    chain: u32,
    needs_key: bool,
    key: Key,
}

/// Names one entry: when it was made, then batch and place in the batch.
type Place = (u64, u32, u32);

/// A batch, and where its principals are in the work's list.
struct Taken {
    batch: Batch,
    who: Vec<u32>,
}

/// What was taken from the queue and is not sealed yet.
#[derive(Default)]
pub(super) struct Work {
    taken: Vec<Taken>,
    order: Vec<Place>,
    next: usize,
    who: Vec<Who>,
    tenants: Vec<TenantId>,
    lost: BTreeMap<TenantId, Lost>,
    ready: bool,
}

/// Finds what was seen before, by its address.
type Seen = HashMap<usize, u32, foldhash::fast::RandomState>;

/// Turns monotonic readings into wall time.
pub(super) struct WallTime {
    monotonic: u64,
    millis: u64,
}

impl WallTime {
    pub(super) fn now(clock: &dyn Clock) -> Self {
        Self { monotonic: clock.monotonic(), millis: unix_millis(clock.now()) }
    }

    fn at(&self, monotonic: u64) -> u64 {
        if monotonic <= self.monotonic {
            self.millis.saturating_sub((self.monotonic - monotonic) / 1_000_000)
        } else {
            self.millis.saturating_add((monotonic - self.monotonic) / 1_000_000)
        }
    }
}

impl Work {
    pub(super) fn is_done(&self) -> bool {
        self.next >= self.order.len() && self.lost.is_empty()
    }

    /// How many records are not sealed yet.
    pub(super) fn remaining(&self) -> usize {
        self.order.len().saturating_sub(self.next)
    }

    /// Records that were lost before this work was taken.
    pub(super) fn lost(&self) -> u64 {
        self.lost.values().fold(0, |sum, lost| sum.saturating_add(lost.records))
    }

    /// Empties it, its batches for reuse.
    pub(super) fn recycle(&mut self, spare: &mut Vec<Batch>) {
        for Taken { mut batch, .. } in self.taken.drain(..) {
            batch.clear();
            spare.push(batch);
        }
        self.order.clear();
        self.next = 0;
        self.who.clear();
        self.tenants.clear();
        self.ready = false;
    }

    /// Takes batches over; there must be nothing left of earlier ones.
    pub(super) fn load(&mut self, batches: Vec<Batch>) {
        let mut seen = Seen::default();
        let mut chains: HashMap<TenantId, u32, foldhash::fast::RandomState> = HashMap::default();
        for (number, mut batch) in (0_u32..).zip(batches) {
            for (tenant, lost) in std::mem::take(&mut batch.lost) {
                self.lost.entry(tenant).and_modify(|l| l.merge(lost)).or_insert(lost);
            }
            let whos = batch.principals.items().iter().map(|principal| {
                *seen.entry(Arc::as_ptr(principal).addr()).or_insert_with(|| {
                    let chain = chains.get(principal.tenant.as_str()).copied();
                    let chain = chain.unwrap_or_else(|| {
                        let chain = index(self.tenants.len());
                        chains.insert(principal.tenant.clone(), chain);
                        self.tenants.push(principal.tenant.clone());
                        chain
                    });
                    let principal = Arc::clone(principal);
                    self.who.push(Who { principal, chain, needs_key: false, key: Key::Unasked });
                    index(self.who.len() - 1)
                })
            });
            let whos: Vec<u32> = whos.collect();
            for (place, queued) in (0_u32..).zip(&batch.entries) {
                self.order.push((queued.at, number, place));
                if !matches!(queued.arguments, QueuedArguments::None) {
                    let who =
                        whos.get(queued.principal as usize).and_then(|who| self.who.get_mut(*who as usize));
                    if let Some(who) = who {
                        who.needs_key = true;
                    }
                }
            }
            self.taken.push(Taken { batch, who: whos });
        }
        self.order.sort(); // Runs of the shards, each nearly sorted: cheap for a merge sort.
    }

    /// Gives each person the key that is known; returns whose are not, with their places.
    pub(super) fn wanted(
        &mut self,
        mut known: impl FnMut(&Principal) -> Option<Key>,
    ) -> Vec<(usize, Arc<Principal>)> {
        if std::mem::replace(&mut self.ready, true) {
            return Vec::new();
        }
        let needing = self.who.iter_mut().enumerate().filter(|(_, who)| who.needs_key);
        let mut wanted = Vec::new();
        for (place, who) in needing {
            match known(&who.principal) {
                Some(key) => who.key = key,
                None => {
                    self.ready = false; // Until the last one is given.
                    wanted.push((place, Arc::clone(&who.principal)));
                }
            }
        }
        wanted
    }

    /// Gives a person their key.
    pub(super) fn give(&mut self, place: usize, key: Key) {
        if let Some(who) = self.who.get_mut(place) {
            who.key = key;
        }
    }

    /// Takes the waiters of all that is not sealed.
    pub(super) fn take_waiters(&mut self, waiters: &mut Vec<Waiter>) {
        waiters
            .extend(self.taken.iter_mut().flat_map(|t| &mut t.batch.entries).filter_map(|e| e.waiter.take()));
    }

    /// Makes the next records canonical, up to `limit` of them, in segments that are not linked
    /// yet.
    pub(super) fn seal(&mut self, limit: usize, time: &WallTime, waiters: &mut Vec<Waiter>) -> Vec<Segment> {
        let end = self.order.len().min(self.next.saturating_add(limit));
        let places = self.order.get(self.next..end).unwrap_or_default();
        let mut text = Vec::with_capacity(places.len() * 160);
        let mut records: Vec<Written> = Vec::with_capacity(places.len());
        for &(at, number, place) in places {
            let Some(taken) = self.taken.get_mut(number as usize) else { continue };
            let Some(queued) = taken.batch.entries.get_mut(place as usize) else { continue };
            waiters.extend(queued.waiter.take());
            let Taken { batch, who } = &*taken;
            let Some(queued) = batch.entries.get(place as usize) else { continue };
            let who = who.get(queued.principal as usize).and_then(|who| self.who.get(*who as usize));
            let Some(Who { principal, chain, key, .. }) = who else { continue };
            let (record, hashed) = batch.texts(queued);
            text.extend_from_slice(record);
            encode::arguments(&mut text, &queued.arguments, hashed, key);
            records.push(Written {
                chain: *chain as usize,
                user: principal.user.clone(),
                millis: time.at(at),
                end: text.len(),
            });
        }
        self.next = end;
        let gaps = self.seal_gaps(time, &mut text);
        segments(&self.tenants, records, gaps, Bytes::from(text))
    }

    fn seal_gaps(&mut self, time: &WallTime, text: &mut Vec<u8>) -> Vec<(TenantId, u64, usize)> {
        std::mem::take(&mut self.lost)
            .into_iter()
            .map(|(tenant, lost)| {
                encode::gap(text, lost.records, time.at(lost.since));
                (tenant, time.millis, text.len())
            })
            .collect()
    }
}

/// A record's place in the text ends here, and begins where the one before ends.
struct Written {
    chain: usize,
    user: UserId,
    millis: u64,
    end: usize,
}

/// Cuts the text into the records of each tenant.
fn segments(
    tenants: &[TenantId],
    records: Vec<Written>,
    gaps: Vec<(TenantId, u64, usize)>,
    text: Bytes,
) -> Vec<Segment> {
    let mut counts = vec![0; tenants.len()];
    for record in &records {
        if let Some(count) = counts.get_mut(record.chain) {
            *count += 1;
        }
    }
    let open = tenants.iter().zip(&counts);
    let mut open: Vec<(TenantId, Vec<SealedRecord>)> =
        open.map(|(tenant, count)| (tenant.clone(), Vec::with_capacity(*count))).collect();
    let mut start = 0;
    let mut next = |end: usize, user: UserId, millis: u64| {
        let payload = text.slice(start..end);
        start = end;
        SealedRecord { sequence: 0, user, millis, payload, hash: [0; 32] }
    };
    for Written { chain, user, millis, end } in records {
        let record = next(end, user, millis);
        if let Some((_, records)) = open.get_mut(chain) {
            records.push(record);
        }
    }
    if let (false, Ok(system)) = (gaps.is_empty(), UserId::new(SYSTEM_USER)) {
        for (tenant, millis, end) in gaps {
            let record = next(end, system.clone(), millis);
            match open.iter_mut().find(|(of, _)| *of == tenant) {
                Some((_, records)) => records.push(record),
                None => open.push((tenant, vec![record])),
            }
        }
    }
    let written = open.into_iter().filter(|(_, records)| !records.is_empty());
    written.map(|(tenant, records)| Segment { tenant, after: None, records: records.into() }).collect()
}

/// A place in a list of what a queue holds; there are fewer than 2^32.
fn index(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// Who may be waiting for work that failed.
pub(super) fn refuse(waiters: &mut Vec<Waiter>, why: &Arc<tool_connect_core::Error>) {
    for waiter in waiters.drain(..) {
        let _ = waiter.send(Err(Arc::clone(why))); // The caller may have gone.
    }
}
