//! Where records wait: a few shards, each its own lock, chosen by thread.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest;
use tool_connect_core::{Arguments, Principal, TenantId, TypedArgs};

use super::encode;
use super::entry::AuditEntry;
use super::wait::{Candidate, Waiter};

/// Arguments up to this long are copied into the queue; of longer ones only a digest.
pub(super) const INLINE_ARGUMENTS: usize = 4_096;
/// Shards; more than this many threads share them.
const MAX_SHARDS: usize = 16;
/// Pointers that a batch finds again without a search.
const RECENT: usize = 64;
/// No place.
const NONE: u32 = u32::MAX;

/// What has to be known of arguments for their keyed hash.
#[derive(Clone, Copy, Default)]
enum QueuedArguments {
    #[default]
    None,
    /// So many bytes in the batch's text, to be hashed as they are.
    Text(u32),
    /// The SHA-256 of longer arguments, in the batch's text.
    Digest,
    /// A place among the batch's values, to be written by the writer.
    Typed(u32),
}

/// What is to be hashed of arguments.
#[derive(Clone, Copy)]
pub(super) enum ToHash<'a> {
    Nothing,
    Text(&'a [u8]),
    Digest(&'a [u8]),
    Typed(&'a dyn TypedArgs),
}

/// A record that waits. It lies in the batch's text, canonical but for the field of its arguments,
/// and what is to be hashed of these behind it.
#[derive(Default)]
pub(super) struct Queued {
    pub(super) at: u64,
    pub(super) waiter: Option<Waiter>,
    pub(super) principal: u32,
    start: u32,
    length: u32,
    arguments: QueuedArguments,
}

impl Queued {
    /// Whether something of its arguments is to be hashed.
    pub(super) fn has_arguments(&self) -> bool {
        !matches!(self.arguments, QueuedArguments::None)
    }

    /// How many bytes of it are written already.
    pub(super) fn size(&self) -> usize {
        self.length as usize
    }
}

/// Principals of a batch: each held once by many records, now and then twice.
pub(super) struct Principals {
    items: Vec<Arc<Principal>>,
    /// Where a pointer was seen last; checked before it is believed.
    recent: [u32; RECENT],
}

impl Default for Principals {
    fn default() -> Self {
        Self { items: Vec::new(), recent: [0; RECENT] }
    }
}

impl Principals {
    fn index(&mut self, item: &Arc<Principal>) -> u32 {
        // Spread by a multiplication: allocations of one kind lie at equal distances.
        let spread = (Arc::as_ptr(item).addr() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let place = &mut self.recent[(spread >> 32) as usize % RECENT];
        if self.items.get(*place as usize).is_some_and(|seen| Arc::ptr_eq(seen, item)) {
            return *place;
        }
        *place = u32::try_from(self.items.len()).unwrap_or(NONE);
        self.items.push(Arc::clone(item));
        *place
    }

    pub(super) fn items(&self) -> &[Arc<Principal>] {
        &self.items
    }
}

/// Records of one shard.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) entries: Vec<Queued>,
    pub(super) principals: Principals,
    /// Records that found no place, by tenant.
    pub(super) lost: BTreeMap<TenantId, Lost>,
    /// How many of the records somebody waits for.
    awaited: usize,
    text: Vec<u8>,
    /// Typed arguments of records, which few have.
    typed: Vec<Arc<dyn TypedArgs>>,
}

/// Records that found no place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lost {
    pub(super) records: u64,
    /// When the first of them was made, by the monotonic clock.
    pub(super) since: u64,
}

impl Lost {
    pub(super) fn merge(&mut self, other: Self) {
        self.records = self.records.saturating_add(other.records);
        self.since = self.since.min(other.since);
    }
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.lost.is_empty()
    }

    /// Empties it and keeps its memory, unless a rush has made that large.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.typed.clear();
        self.awaited = 0;
        self.principals.items.clear();
        self.lost.clear();
        self.text.clear();
        self.text.shrink_to(1 << 20);
    }

    /// The record but for the field of its arguments, and what is to be hashed of these.
    pub(super) fn texts(&self, entry: &Queued) -> (&[u8], ToHash<'_>) {
        let rest = self.text.get(entry.start as usize..).unwrap_or_default();
        let (record, rest) = rest.split_at_checked(entry.length as usize).unwrap_or_default();
        let text = |length: usize| rest.get(..length).unwrap_or_default();
        let hashed = match entry.arguments {
            QueuedArguments::None => ToHash::Nothing,
            QueuedArguments::Text(length) => ToHash::Text(text(length as usize)),
            QueuedArguments::Digest => ToHash::Digest(text(digest::SHA256_OUTPUT_LEN)),
            QueuedArguments::Typed(place) => {
                self.typed.get(place as usize).map_or(ToHash::Nothing, |value| ToHash::Typed(&**value))
            }
        };
        (record, hashed)
    }

    fn push(&mut self, entry: &AuditEntry<'_>, prepared: Prepared<'_>, waiter: Option<Waiter>) {
        let start = self.text.len();
        encode::entry(&mut self.text, entry);
        let length = self.text.len() - start;
        let arguments = match prepared {
            Prepared::None => QueuedArguments::None,
            Prepared::Typed(value) => {
                self.typed.push(value);
                QueuedArguments::Typed(self.typed.len() as u32 - 1) // Fewer than entries.
            }
            Prepared::Text(text) => {
                self.text.extend_from_slice(text);
                QueuedArguments::Text(text.len() as u32) // At most INLINE_ARGUMENTS.
            }
            Prepared::Digest(digest) => {
                self.text.extend_from_slice(digest.as_ref());
                QueuedArguments::Digest
            }
        };
        self.awaited += usize::from(waiter.is_some());
        let principal = self.principals.index(entry.principal);
        // Written where it lies: to be put together elsewhere and moved would cost as much as all of its text.
        self.entries.push(Queued::default());
        if let Some(queued) = self.entries.last_mut() {
            queued.at = entry.at;
            queued.waiter = waiter;
            queued.principal = principal;
            queued.start = u32::try_from(start).unwrap_or(NONE);
            queued.length = length as u32; // Ids and a cut trace: some hundred bytes.
            queued.arguments = arguments;
        }
    }

    fn lose(&mut self, entry: &AuditEntry<'_>) {
        let lost = Lost { records: 1, since: entry.at };
        match self.lost.get_mut(entry.principal.tenant.as_str()) {
            Some(earlier) => earlier.merge(lost),
            None => _ = self.lost.insert(entry.principal.tenant.clone(), lost),
        }
    }
}

/// Arguments made ready outside of the lock.
enum Prepared<'a> {
    None,
    Text(&'a [u8]),
    Digest(digest::Digest),
    Typed(Arc<dyn TypedArgs>),
}

impl<'a> Prepared<'a> {
    fn new(arguments: Option<&'a Arguments>) -> Self {
        match arguments {
            None => Self::None,
            Some(Arguments::Raw(text)) if text.len() <= INLINE_ARGUMENTS => Self::Text(text),
            Some(Arguments::Raw(text)) => Self::Digest(digest::digest(&digest::SHA256, text)),
            Some(Arguments::Typed(value)) => Self::Typed(Arc::clone(value)),
        }
    }
}

/// How much room a record may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// What the settings give.
    Queue,
    /// Twice that, for records whose caller cannot wait.
    Reserve,
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pushed {
    /// It waits.
    Queued,
    /// It waits, and a batch is complete.
    Complete,
    /// There is no room.
    Full,
}

// Padded to two cache lines: neighbours are fetched in pairs.
#[derive(Default)]
#[repr(align(128))]
struct Shard(Mutex<Batch>);

impl Shard {
    fn lock(&self) -> MutexGuard<'_, Batch> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The queue.
pub(super) struct Queue {
    shards: Box<[Shard]>,
    /// Records, and bytes of text, that one shard takes.
    entries: usize,
    text: usize,
    /// With so many records in a shard the writer need not linger on.
    complete: usize,
}

static NEXT_THREAD: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static THREAD: Cell<usize> = Cell::new(NEXT_THREAD.fetch_add(1, Ordering::Relaxed));
}

impl Queue {
    pub(super) fn new(records: usize, batch: usize) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let shards = threads.next_power_of_two().clamp(1, MAX_SHARDS);
        let entries = records.div_ceil(shards).clamp(1, 1 << 20);
        Self {
            shards: (0..shards).map(|_| Shard::default()).collect(),
            entries,
            text: entries.saturating_mul(512).clamp(2 * INLINE_ARGUMENTS, 1 << 30),
            complete: batch.clamp(1, entries),
        }
    }

    /// The shard of this thread.
    fn shard(&self) -> &Shard {
        // A thread that is being torn down has no number any more.
        let thread = THREAD.try_with(Cell::get).unwrap_or(0);
        &self.shards[thread & (self.shards.len() - 1)] // Their number is a power of two.
    }

    /// Puts a record into the queue, if there is room.
    pub(super) fn push(
        &self,
        entry: &AuditEntry<'_>,
        hash_arguments: bool,
        room: Room,
        waiter: &mut Option<Waiter>,
    ) -> Pushed {
        let prepared = Prepared::new(entry.arguments.filter(|_| hash_arguments));
        let factor = if room == Room::Reserve { 2 } else { 1 };
        let mut batch = self.shard().lock();
        if batch.entries.len() >= self.entries * factor || batch.text.len() >= self.text * factor {
            return Pushed::Full;
        }
        batch.push(entry, prepared, waiter.take());
        if batch.entries.len() == self.complete { Pushed::Complete } else { Pushed::Queued }
    }

    /// Counts a record that found no room.
    pub(super) fn lose(&self, entry: &AuditEntry<'_>) {
        self.shard().lock().lose(entry);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.shards.iter().all(|shard| shard.lock().is_empty())
    }

    /// Whether a batch is complete in some shard.
    pub(super) fn is_complete(&self) -> bool {
        self.shards.iter().any(|shard| shard.lock().entries.len() >= self.complete)
    }

    /// Whether what waits should be written at once: somebody waits for it, or a batch is complete.
    pub(super) fn is_pressing(&self) -> bool {
        self.shards.iter().any(|shard| {
            let batch = shard.lock();
            batch.awaited > 0 || batch.entries.len() >= self.complete
        })
    }

    /// How many wait for a record in it.
    pub(super) fn awaited(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().awaited).sum()
    }

    /// Somebody who waits for a record in it.
    pub(super) fn candidate(&self) -> Option<Candidate> {
        self.shards.iter().find_map(|shard| {
            let batch = shard.lock();
            batch.entries.iter().find_map(|entry| entry.waiter.as_ref()?.candidate())
        })
    }

    /// Takes what waits, leaving the spare batches in its place.
    pub(super) fn collect(&self, spare: &mut Vec<Batch>) -> Vec<Batch> {
        let mut taken = Vec::new();
        for shard in &self.shards {
            let mut batch = shard.lock();
            if !batch.is_empty() {
                taken.push(std::mem::replace(&mut *batch, spare.pop().unwrap_or_default()));
            }
        }
        taken
    }

    /// Takes the waiters of the records that wait, leaving the records; returns how many wait.
    pub(super) fn take_waiters(&self, waiters: &mut Vec<Waiter>) -> usize {
        let mut waiting = 0;
        for shard in &self.shards {
            let mut batch = shard.lock();
            waiting += batch.entries.len();
            waiters.extend(batch.entries.iter_mut().filter_map(|entry| entry.waiter.take()));
            batch.awaited = 0;
        }
        waiting
    }
}
