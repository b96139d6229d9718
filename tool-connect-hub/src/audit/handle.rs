//! The trail as the host sees it.

use std::sync::Arc;

use tool_connect_core::store::{AuditHead, Checkpoint, SealedRecord, SealedSegment};
use tool_connect_core::{Arguments, CallId, Error, ErrorKind, Principal, Result, TenantId, UserId};

use super::checkpoint::{self, SignatureCheck};
use super::decode::AuditRecord;
use super::encode::{Hashed, Key};
use super::entry::{AuditEntry, EntryKind, Outcome};
use super::keys::subject_key;
use super::trail::{AuditTrail, Hand, Shared};
use super::verify::{Verification, verify_chain, verify_range};
use super::writer::within;

/// Records that are read at once.
const PAGE: usize = 1_024;

/// Reads, verifies and tends the audit trail. What was recorded before a call of these is seen by
/// it.
///
/// All methods fail with the store's error where it cannot be read or written.
#[derive(Clone)]
pub struct Audit {
    trail: Arc<AuditTrail>,
}

impl std::fmt::Debug for Audit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Audit").field("settings", &self.shared().settings).finish_non_exhaustive()
    }
}

impl Audit {
    pub(crate) fn new(trail: Arc<AuditTrail>) -> Self {
        Self { trail }
    }

    fn shared(&self) -> &Arc<Shared> {
        self.trail.shared()
    }

    /// Verifies a tenant's chain, also against checkpoints that were kept elsewhere.
    ///
    /// # Errors
    /// Where the store fails. What is wrong with the chain is in the answer.
    pub async fn verify(&self, tenant: &TenantId, trusted: &[Checkpoint]) -> Result<Verification> {
        self.trail.flush().await?;
        let shared = self.shared();
        verify_chain(&*shared.store, &*shared.signer, tenant, trusted).await
    }

    /// Signs where a tenant's chain stands now, after a look whether it still verifies from the
    /// checkpoint before. Keep it elsewhere, see [`CheckpointLine`](super::CheckpointLine).
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] where the tenant has no chain, [`ErrorKind::Conflict`] where it does
    /// not verify, or the store's.
    pub async fn checkpoint(&self, tenant: &TenantId) -> Result<Checkpoint> {
        self.trail.flush().await?;
        let shared = self.shared();
        let head = self.head(tenant).await?;
        let earlier = within(shared.settings.timeout, shared.store.checkpoints(tenant)).await?;
        let last = earlier
            .into_iter()
            .filter(|c| checkpoint::check(&*shared.signer, c) == SignatureCheck::Valid)
            .max_by_key(|c| c.head.sequence);
        let range = match last {
            Some(last) if last.head == head => return Ok(last),
            Some(last) if last.head.sequence < head.sequence => last.head.sequence + 1..=head.sequence,
            // Cut off or rewritten below a checkpoint: let the verification say so.
            Some(last) => 1..=last.head.sequence,
            None => 1..=head.sequence,
        };
        let _seen = verify_range(&*shared.store, &*shared.signer, tenant, &[], range).await?.intact()?;
        self.sign(tenant, head).await
    }

    async fn sign(&self, tenant: &TenantId, head: AuditHead) -> Result<Checkpoint> {
        let shared = self.shared();
        let made = checkpoint::sign(&*shared.signer, tenant, head, shared.clock.now())?;
        within(shared.settings.timeout, shared.store.put_checkpoint(made.clone())).await?;
        Ok(made)
    }

    async fn head(&self, tenant: &TenantId) -> Result<AuditHead> {
        let shared = self.shared();
        within(shared.settings.timeout, shared.store.head(tenant)).await?.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "the tenant has no audit records").with("tenant", tenant)
        })
    }

    /// Up to `limit` records of a tenant numbered `from` and on, decoded.
    ///
    /// # Errors
    /// Where the store fails or a record cannot be read.
    pub async fn records(&self, tenant: &TenantId, from: u64, limit: usize) -> Result<Vec<AuditRecord>> {
        self.trail.flush().await?;
        let segments = self.shared().store.scan(tenant, from, limit).await?;
        let records = segments.iter().flat_map(SealedSegment::records);
        // The first segment may begin before.
        let wanted = records.filter(|record| record.as_ref().map_or(true, |record| record.sequence >= from));
        wanted.take(limit).map(|record| AuditRecord::decode(tenant, &record?)).collect()
    }

    /// Every record about a person, and none about another, for their right of access.
    ///
    /// # Errors
    /// Where the store fails, a record cannot be read, or the store gives out another person's.
    pub async fn export_user(&self, tenant: &TenantId, user: &UserId) -> Result<Vec<AuditRecord>> {
        self.trail.flush().await?;
        let mut records = Vec::new();
        let mut from = 1;
        loop {
            let page = self.shared().store.scan_user(tenant, user, from, PAGE).await?;
            if page.iter().any(|record| record.user != *user) {
                return Err(Error::new(
                    ErrorKind::Storage,
                    "the audit store gave out another person's records; run its conformance suite",
                ));
            }
            for record in &page {
                records.push(AuditRecord::decode(tenant, record)?);
            }
            match next(&page, from) {
                Some(next) => from = next,
                None => return Ok(records),
            }
        }
    }

    /// The keyed hash that a record of these arguments would hold, to find out whether a person
    /// made a certain call; `None` after their erasure.
    ///
    /// It is HMAC-SHA256 under the person's key over the arguments' bytes; over a zero byte and
    /// their SHA-256 where they are longer than 4,096 bytes.
    ///
    /// # Errors
    /// Where the store fails or the arguments cannot be written as JSON.
    pub async fn arguments_hash(
        &self,
        tenant: &TenantId,
        user: &UserId,
        arguments: &Arguments,
    ) -> Result<Option<[u8; 32]>> {
        let shared = self.shared();
        let text = arguments.to_json()?;
        let Key::Known(key) = subject_key(&*shared.store, shared.settings.timeout, tenant, user).await?
        else {
            return Ok(None);
        };
        let mut digest = [0; 32];
        Ok(Some(Hashed::text(&text, &mut digest).tag(&key)))
    }

    /// Destroys a person's key: the hashes of their arguments mean nothing from then on, and new
    /// calls of theirs leave none. The chain still verifies. The erasure is recorded. Other
    /// processes that hold the key in memory forget it within a minute.
    ///
    /// Returns whether there was a key.
    ///
    /// # Errors
    /// Where the store fails; repeat it then.
    pub async fn erase(&self, tenant: &TenantId, user: &UserId) -> Result<bool> {
        let shared = self.shared();
        let existed = {
            let _hand = Hand(shared);
            let mut writer = shared.writer.lock().await;
            // What waits was recorded before the erasure and is sealed under the key.
            writer.drain(&shared.queue).await.map_err(super::trail::unavailable)?;
            writer.forget(tenant, user);
            within(shared.settings.timeout, shared.store.erase_subject(tenant, user)).await?
        };
        let principal = Arc::new(Principal::user(tenant, user)?);
        let mut entry =
            AuditEntry::new(EntryKind::Erasure, CallId::new(0, 0), &principal, shared.clock.monotonic());
        entry.outcome = Some(Outcome::Ok);
        self.trail.record_slow(&entry).await?;
        self.trail.flush().await?;
        Ok(existed)
    }

    /// Drops records numbered below `before`, for retention, after a look whether they verify: the
    /// segments that they fill, so that a few of them may stay. A checkpoint is signed first, from which verification
    /// goes on. The last segment stays in any case. Returns how many records were dropped.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] where they do not verify, or the store's.
    pub async fn prune(&self, tenant: &TenantId, before: u64) -> Result<u64> {
        self.trail.flush().await?;
        let shared = self.shared();
        let head = self.head(tenant).await?;
        let before = before.min(head.sequence);
        let first = within(shared.settings.timeout, shared.store.scan(tenant, 1, 1)).await?;
        if first.first().is_none_or(|first| first.last >= before) {
            return Ok(0);
        }
        let range = 1..=before.saturating_sub(1);
        let seen = verify_range(&*shared.store, &*shared.signer, tenant, &[], range).await?.intact()?;
        let Some(end) = seen.head else { return Ok(0) };
        self.sign(tenant, end).await?;
        shared.store.prune(tenant, end.sequence.saturating_add(1)).await
    }
}

/// Where the next page begins; `None` after the last one.
fn next(page: &[SealedRecord], from: u64) -> Option<u64> {
    let next = page.last()?.sequence.checked_add(1)?;
    (next > from && page.len() >= PAGE).then_some(next)
}
