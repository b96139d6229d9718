//! The audit trail in memory.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

use async_trait::async_trait;

use super::{lock, opaque_debug};
use crate::error::Result;
use crate::ids::{TenantId, UserId};
use crate::store::{
    AuditAppend, AuditHead, AuditStore, Checkpoint, SealedRecord, SealedSegment, Segment, SubjectKey,
};

#[derive(Default)]
struct Chain {
    head: Option<AuditHead>,
    /// As they were appended, without gaps.
    segments: VecDeque<SealedSegment>,
    checkpoints: Vec<Checkpoint>,
    /// `None` where the person was erased.
    subjects: HashMap<UserId, Option<SubjectKey>>,
}

impl Chain {
    /// The kept segments with records numbered `from` and on.
    fn from(&self, from: u64) -> impl Iterator<Item = &SealedSegment> {
        self.segments.range(self.before(from)..)
    }

    /// How many segments have no record numbered `sequence` and on.
    fn before(&self, sequence: u64) -> usize {
        self.segments.partition_point(|segment| segment.last < sequence)
    }
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
                if !chains.contains_key(&segment.tenant) {
                    chains.insert(segment.tenant.clone(), Chain::default());
                }
                if let Some(chain) = chains.get_mut(&segment.tenant) {
                    chain.segments.push_back(segment.sealed.clone());
                    chain.head = Some(segment.end());
                }
                AuditAppend::Appended
            })
            .collect())
    }

    async fn scan(&self, tenant: &TenantId, from: u64, limit: usize) -> Result<Vec<SealedSegment>> {
        let limit = u64::try_from(limit).unwrap_or(u64::MAX);
        Ok(self.with_chain(tenant, |chain| {
            let mut records = 0_u64;
            let wanted = chain.from(from).take_while(|segment| {
                let before = records;
                records = records.saturating_add(segment.count_from(from));
                before < limit
            });
            wanted.cloned().collect()
        }))
    }

    async fn scan_user(
        &self,
        tenant: &TenantId,
        user: &UserId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<SealedRecord>> {
        let segments: Vec<SealedSegment> =
            self.with_chain(tenant, |chain| chain.from(from).cloned().collect());
        let records = segments.iter().flat_map(SealedSegment::records);
        let theirs = records.filter(|record| {
            record.as_ref().map_or(true, |record| record.sequence >= from && record.user == *user)
        });
        theirs.take(limit).collect()
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
        let gone = chain.before(before);
        Ok(chain.segments.drain(..gone).map(|segment| segment.count()).sum())
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
