//! The audit trail in memory.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use super::{lock, opaque_debug};
use crate::error::Result;
use crate::ids::{TenantId, UserId};
use crate::store::{AuditAppend, AuditHead, AuditStore, Checkpoint, SealedRecord, Segment, SubjectKey};

#[derive(Default)]
struct Chain {
    head: Option<AuditHead>,
    /// As they were appended, without gaps and none empty.
    segments: VecDeque<Arc<[SealedRecord]>>,
    /// The oldest record that was not pruned; those before it may still lie in the first segment.
    first: u64,
    checkpoints: Vec<Checkpoint>,
    /// `None` where the person was erased.
    subjects: HashMap<UserId, Option<SubjectKey>>,
}

impl Chain {
    /// The kept records numbered `from` and on.
    fn from(&self, from: u64) -> impl Iterator<Item = &SealedRecord> {
        let from = from.max(self.first);
        let begins = self.segments.partition_point(|segment| ends_before(segment, from));
        let records = self.segments.range(begins..).flat_map(|segment| segment.iter());
        records.skip_while(move |record| record.sequence < from)
    }
}

fn ends_before(segment: &[SealedRecord], sequence: u64) -> bool {
    segment.last().is_none_or(|last| last.sequence < sequence)
}

/// [`AuditStore`] in memory: gone with the process, so for tests and for hosts that keep no trail.
#[derive(Default)]
pub struct MemoryAudit {
    chains: Mutex<HashMap<TenantId, Chain>>,
}

opaque_debug!(MemoryAudit);

impl MemoryAudit {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn with_chain<T: Default>(&self, tenant: &TenantId, f: impl FnOnce(&Chain) -> T) -> T {
        lock(&self.chains).get(tenant).map(f).unwrap_or_default()
    }
}

#[async_trait]
impl AuditStore for MemoryAudit {
    async fn head(&self, tenant: &TenantId) -> Result<Option<AuditHead>> {
        Ok(self.with_chain(tenant, |chain| chain.head))
    }

    async fn append(&self, segments: &[Segment]) -> Result<Vec<AuditAppend>> {
        segments.iter().try_for_each(Segment::check)?;
        let mut chains = lock(&self.chains);
        Ok(segments
            .iter()
            .map(|segment| {
                let head = chains.get(&segment.tenant).and_then(|chain| chain.head);
                if head != segment.after {
                    return AuditAppend::Moved(head);
                }
                if let Some(end) = segment.end() {
                    let chain = chains.entry(segment.tenant.clone()).or_default();
                    chain.segments.push_back(Arc::clone(&segment.records));
                    chain.head = Some(end);
                }
                AuditAppend::Appended
            })
            .collect())
    }

    async fn scan(&self, tenant: &TenantId, from: u64, limit: usize) -> Result<Vec<SealedRecord>> {
        Ok(self.with_chain(tenant, |chain| chain.from(from).take(limit).cloned().collect()))
    }

    async fn scan_user(
        &self,
        tenant: &TenantId,
        user: &UserId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<SealedRecord>> {
        Ok(self.with_chain(tenant, |chain| {
            chain.from(from).filter(|record| record.user == *user).take(limit).cloned().collect()
        }))
    }

    async fn tenants(&self) -> Result<Vec<TenantId>> {
        let chains = lock(&self.chains);
        let mut tenants: Vec<TenantId> = chains
            .iter()
            .filter(|(_, chain)| chain.head.is_some())
            .map(|(tenant, _)| tenant.clone())
            .collect();
        tenants.sort_unstable();
        Ok(tenants)
    }

    async fn put_checkpoint(&self, checkpoint: Checkpoint) -> Result<()> {
        let mut chains = lock(&self.chains);
        let kept = &mut chains.entry(checkpoint.tenant.clone()).or_default().checkpoints;
        let place = kept.partition_point(|older| older.head.sequence <= checkpoint.head.sequence);
        kept.insert(place, checkpoint);
        Ok(())
    }

    async fn checkpoints(&self, tenant: &TenantId) -> Result<Vec<Checkpoint>> {
        Ok(self.with_chain(tenant, |chain| chain.checkpoints.clone()))
    }

    async fn prune(&self, tenant: &TenantId, before: u64) -> Result<u64> {
        let mut chains = lock(&self.chains);
        let Some(chain) = chains.get_mut(tenant) else { return Ok(0) };
        let end = chain.head.map_or(0, |head| head.sequence).saturating_add(1);
        let (before, first) = (before.min(end), chain.first.max(1));
        if before <= first {
            return Ok(0);
        }
        chain.first = before;
        let gone = chain.segments.partition_point(|segment| ends_before(segment, before));
        chain.segments.drain(..gone);
        Ok(before - first)
    }

    async fn subject_key(
        &self,
        tenant: &TenantId,
        user: &UserId,
        candidate: SubjectKey,
    ) -> Result<Option<SubjectKey>> {
        let mut chains = lock(&self.chains);
        let subjects = &mut chains.entry(tenant.clone()).or_default().subjects;
        Ok(subjects.entry(user.clone()).or_insert(Some(candidate)).clone())
    }

    async fn erase_subject(&self, tenant: &TenantId, user: &UserId) -> Result<bool> {
        let mut chains = lock(&self.chains);
        let subjects = &mut chains.entry(tenant.clone()).or_default().subjects;
        Ok(subjects.insert(user.clone(), None).flatten().is_some())
    }
}
