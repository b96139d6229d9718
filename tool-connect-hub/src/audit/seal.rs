//! From what waits to sealed segments: order, whose chain, canonical record.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tool_connect_core::store::{SealedSegment, Segment, SegmentBytes};
use tool_connect_core::{Clock, Principal, TenantId, UserId, unix_millis};

use super::chain;
use super::decode::SYSTEM_USER;
use super::encode::{self, Key};
use super::queue::{Batch, Lost, Queued};
use super::wait::{Candidate, Waiter};

/// What a record takes in a segment beside what the caller wrote: its frame and the field of the arguments.
const BESIDE: usize = 48;

/// A segment whose place in the chain need not be known yet.
pub(super) struct Sealed {
    pub(super) segment: Segment,
    /// How many records it holds.
    pub(super) count: u64,
    /// The hash of its bytes.
    pub(super) content: [u8; 32],
}

impl Sealed {
    /// A segment of these records; `None` where there is none.
    pub(super) fn new(tenant: TenantId, bytes: SegmentBytes, count: u64) -> Option<Self> {
        if bytes.is_empty() {
            return None;
        }
        let bytes = bytes.finish();
        let content = chain::content(&bytes);
        let sealed = SealedSegment { first: 0, last: 0, hash: [0; 32], bytes };
        Some(Self { segment: Segment { tenant, after: None, sealed }, count, content })
    }
}

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
                if queued.has_arguments() {
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

    /// Somebody who waits for what is not sealed.
    pub(super) fn candidate(&self) -> Option<Candidate> {
        let mut entries = self.taken.iter().flat_map(|taken| &taken.batch.entries);
        entries.find_map(|entry| entry.waiter.as_ref()?.candidate())
    }

    /// Makes the next records canonical, up to `limit` of them, in a segment for each chain.
    pub(super) fn seal(&mut self, limit: usize, time: &WallTime, waiters: &mut Vec<Waiter>) -> Vec<Sealed> {
        let end = self.order.len().min(self.next.saturating_add(limit));
        let places = self.order.get(self.next..end).unwrap_or_default();
        let mut sizes = vec![0; self.tenants.len()];
        for (_, number, place) in places {
            let queued = self.taken.get_mut(*number as usize);
            let queued = queued.and_then(|taken| taken.batch.entries.get_mut(*place as usize));
            waiters.extend(queued.and_then(|queued| queued.waiter.take()));
            if let Some((_, queued, who)) = find(&self.taken, &self.who, (*number, *place))
                && let Some(size) = sizes.get_mut(who.chain as usize)
            {
                *size += queued.size() + who.principal.user.as_str().len() + BESIDE;
            }
        }
        let mut open: Vec<Open> = sizes.into_iter().map(Open::with_capacity).collect();
        for &(at, number, place) in places {
            let Some((batch, queued, who)) = find(&self.taken, &self.who, (number, place)) else { continue };
            let Some(open) = open.get_mut(who.chain as usize) else { continue };
            let (record, hashed) = batch.texts(queued);
            open.push(&who.principal.user, time.at(at), |out| {
                out.extend_from_slice(record);
                encode::arguments(out, hashed, &who.key);
            });
        }
        self.next = end;
        self.seal_gaps(time, &mut open);
        let sealed = self.tenants.iter().zip(open);
        sealed.filter_map(|(tenant, open)| Sealed::new(tenant.clone(), open.bytes, open.count)).collect()
    }

    fn seal_gaps(&mut self, time: &WallTime, open: &mut Vec<Open>) {
        let Ok(system) = UserId::new(SYSTEM_USER) else { return };
        for (tenant, lost) in std::mem::take(&mut self.lost) {
            let place = self.tenants.iter().position(|of| *of == tenant).unwrap_or_else(|| {
                self.tenants.push(tenant);
                self.tenants.len() - 1
            });
            if place >= open.len() {
                open.resize_with(place + 1, || Open::with_capacity(BESIDE));
            }
            if let Some(open) = open.get_mut(place) {
                open.push(&system, time.millis, |out| encode::gap(out, lost.records, time.at(lost.since)));
            }
        }
    }
}

/// A segment that is being written.
struct Open {
    bytes: SegmentBytes,
    count: u64,
}

impl Open {
    fn with_capacity(bytes: usize) -> Self {
        Self { bytes: SegmentBytes::with_capacity(bytes), count: 0 }
    }

    fn push(&mut self, user: &UserId, millis: u64, write: impl FnOnce(&mut Vec<u8>)) {
        self.bytes.push(user, millis, write);
        self.count += 1;
    }
}

/// An entry, its batch and whom it is about.
fn find<'a>(
    taken: &'a [Taken],
    whos: &'a [Who],
    (number, place): (u32, u32),
) -> Option<(&'a Batch, &'a Queued, &'a Who)> {
    let Taken { batch, who } = taken.get(number as usize)?;
    let queued = batch.entries.get(place as usize)?;
    let who = whos.get(*who.get(queued.principal as usize)? as usize)?;
    Some((batch, queued, who))
}

/// A place in a list of what a queue holds; there are fewer than 2^32.
fn index(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// Who may be waiting for work that failed.
pub(super) fn refuse(waiters: &mut Vec<Waiter>, why: &Arc<tool_connect_core::Error>) {
    for waiter in waiters.drain(..) {
        waiter.answer(Err(Arc::clone(why)));
    }
}
