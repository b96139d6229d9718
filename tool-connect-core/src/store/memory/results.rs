//! Large values and files in memory.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeSet, HashMap};
use std::future::poll_fn;
use std::hash::BuildHasher;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};

use super::{ends_after, lock, opaque_debug};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::http::ByteStream;
use crate::ids::{ResultHandle, TenantId, UserId};
use crate::store::{NewResult, ResultMeta, ResultStore};

/// How many expired entries a `put` clears.
const CLEARED_PER_PUT: usize = 2;
/// How many a purge clears before it lets others have the store.
const CLEARED_PER_LOCK: usize = 256;

type Place = (TenantId, ResultHandle);

#[derive(Default)]
struct Entries {
    by_place: HashMap<Place, (ResultMeta, Bytes)>,
    ends: BTreeSet<(SystemTime, Place)>,
}

impl Entries {
    fn clear_expired(&mut self, now: SystemTime, most: usize) -> usize {
        for cleared in 0..most {
            match self.ends.pop_first() {
                Some((end, place)) if end <= now => {
                    self.by_place.remove(&place);
                }
                Some(later) => {
                    self.ends.insert(later);
                    return cleared;
                }
                None => return cleared,
            }
        }
        most
    }
}

/// [`ResultStore`] in memory. An entry is held whole, so its cap bounds what one `put` may take.
pub struct MemoryResults {
    clock: Arc<dyn Clock>,
    entries: Mutex<Entries>,
    // A handle is unguessable because the hashers' keys come from the operating system and never
    // leave the process; whoever guessed one would still need to be its user.
    keyed: [RandomState; 2],
    count: AtomicU64,
}

opaque_debug!(MemoryResults);

impl MemoryResults {
    /// An empty store; the clock ends entries.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            entries: Mutex::default(),
            keyed: [RandomState::new(), RandomState::new()],
            count: AtomicU64::new(0),
        }
    }

    fn fresh_handle(&self) -> Result<ResultHandle> {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let [high, low] = &self.keyed;
        ResultHandle::new(format!("{:016x}{:016x}", high.hash_one(count), low.hash_one(count)))
    }

    fn entry<T>(
        &self,
        tenant: &TenantId,
        user: &UserId,
        handle: &ResultHandle,
        f: impl FnOnce(&ResultMeta, &Bytes) -> T,
    ) -> Option<T> {
        let now = self.clock.now();
        let entries = lock(&self.entries);
        let (meta, data) = entries.by_place.get(&(tenant.clone(), handle.clone()))?;
        (meta.user == *user && meta.expires > now).then(|| f(meta, data))
    }
}

/// Reads the stream to its end, at most `most` bytes.
async fn collect(mut data: ByteStream, most: u64) -> Result<Bytes> {
    let mut whole = BytesMut::new();
    while let Some(piece) = poll_fn(|cx| data.as_mut().poll_next(cx)).await {
        let piece = piece?;
        let size = whole.len().saturating_add(piece.len());
        if u64::try_from(size).unwrap_or(u64::MAX) > most {
            return Err(Error::new(
                ErrorKind::TooLarge,
                format!("the data is longer than {most} bytes, which is the cap for a stored result"),
            ));
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}

#[async_trait]
impl ResultStore for MemoryResults {
    async fn put(&self, new: NewResult, data: ByteStream) -> Result<ResultMeta> {
        let data = collect(data, new.max_bytes).await?;
        let now = self.clock.now();
        let meta = ResultMeta {
            handle: self.fresh_handle()?,
            user: new.user,
            media_type: new.media_type,
            name: new.name,
            size: u64::try_from(data.len()).unwrap_or(u64::MAX),
            expires: ends_after(now, new.keep),
        };
        let place = (new.tenant, meta.handle.clone());
        let mut entries = lock(&self.entries);
        entries.clear_expired(now, CLEARED_PER_PUT);
        entries.ends.insert((meta.expires, place.clone()));
        entries.by_place.insert(place, (meta.clone(), data));
        Ok(meta)
    }

    async fn meta(
        &self,
        tenant: &TenantId,
        user: &UserId,
        handle: &ResultHandle,
    ) -> Result<Option<ResultMeta>> {
        Ok(self.entry(tenant, user, handle, |meta, _| meta.clone()))
    }

    async fn read(
        &self,
        tenant: &TenantId,
        user: &UserId,
        handle: &ResultHandle,
        range: Range<u64>,
    ) -> Result<Option<Bytes>> {
        Ok(self.entry(tenant, user, handle, |_, data| {
            let cut = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(data.len());
            let (start, end) = (cut(range.start), cut(range.end));
            data.slice(start..end.max(start))
        }))
    }

    async fn delete(&self, tenant: &TenantId, user: &UserId, handle: &ResultHandle) -> Result<bool> {
        let Some(end) = self.entry(tenant, user, handle, |meta, _| meta.expires) else { return Ok(false) };
        let place = (tenant.clone(), handle.clone());
        let mut entries = lock(&self.entries);
        let removed = entries.by_place.remove(&place).is_some();
        entries.ends.remove(&(end, place));
        Ok(removed)
    }

    async fn purge(&self) -> Result<u64> {
        let now = self.clock.now();
        let mut dropped = 0_u64;
        loop {
            let cleared = lock(&self.entries).clear_expired(now, CLEARED_PER_LOCK);
            dropped += u64::try_from(cleared).unwrap_or(u64::MAX);
            if cleared < CLEARED_PER_LOCK {
                return Ok(dropped);
            }
        }
    }
}
