//! The audit trail: one chain of sealed records per tenant, append only.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::error::{Error, ErrorKind, Result};
use crate::ids::{TenantId, UserId};

/// Where a chain ends: the last record's number and hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditHead {
    /// The last record's number; the first record has number 1.
    pub sequence: u64,
    /// The last record's hash.
    pub hash: [u8; 32],
}

/// One sealed record. The store keeps it byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedRecord {
    /// Number in the tenant's chain, without gaps.
    pub sequence: u64,
    /// The user it is about, for exports of a person's rows.
    pub user: UserId,
    /// When, in milliseconds since the Unix epoch.
    pub millis: u64,
    /// The canonical record, as hashed.
    pub payload: Bytes,
    /// Hash over the previous record's hash, the number, the user, the time and the payload.
    pub hash: [u8; 32],
}

/// Records to append to one tenant's chain; cheap to clone.
#[derive(Clone, Debug)]
pub struct Segment {
    /// Whose chain.
    pub tenant: TenantId,
    /// Where the writer believes it to end; `None` for an empty chain.
    pub after: Option<AuditHead>,
    /// The records, numbered on from there.
    pub records: Arc<[SealedRecord]>,
}

impl Segment {
    /// Checks that the records are numbered on from `after` without a gap. Stores call it before
    /// they write.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`]: whoever sealed the segment has a defect.
    pub fn check(&self) -> Result<()> {
        let mut last = self.after.map_or(0, |head| head.sequence);
        for record in &*self.records {
            if last.checked_add(1) != Some(record.sequence) {
                return Err(Error::new(
                    ErrorKind::Internal,
                    "an audit segment is not numbered on from the head that it names",
                )
                .with("after", last)
                .with("found", record.sequence));
            }
            last = record.sequence;
        }
        Ok(())
    }

    /// Where the chain ends once the segment is appended; `None` for a segment without records.
    #[must_use]
    pub fn end(&self) -> Option<AuditHead> {
        self.records.last().map(|record| AuditHead { sequence: record.sequence, hash: record.hash })
    }
}

/// What became of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditAppend {
    /// It is durable.
    Appended,
    /// Another process appended meanwhile; the chain ends here now. Nothing was written.
    Moved(Option<AuditHead>),
}

/// A signed statement that a chain had reached a head; kept and exported, it proves truncation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Whose chain.
    pub tenant: TenantId,
    /// What it had reached.
    pub head: AuditHead,
    /// When, in milliseconds since the Unix epoch.
    pub millis: u64,
    /// Which key signed.
    pub key_id: String,
    /// The signature over all of the above.
    pub signature: Bytes,
}

/// The key under which a person's arguments are hashed; destroying it makes the hashes meaningless.
#[derive(Clone, PartialEq, Eq)]
pub struct SubjectKey(pub [u8; 32]);

impl std::fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SubjectKey([REDACTED])")
    }
}

/// Where the audit trail is kept.
///
/// Guarantees: a segment is appended whole or not at all, and only where the chain ends at
/// `after`; so a chain never forks. When `append` returns, what it says it appended is durable.
#[async_trait]
pub trait AuditStore: Send + Sync + 'static {
    /// Where a tenant's chain ends.
    ///
    /// # Errors
    /// Where the store fails.
    async fn head(&self, tenant: &TenantId) -> Result<Option<AuditHead>>;

    /// Appends segments; each stands for itself, in order, and sees what those before it appended.
    /// Returns one answer per segment.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] for a segment that [`Segment::check`] refuses; where the store fails.
    /// No segment was appended then.
    async fn append(&self, segments: &[Segment]) -> Result<Vec<AuditAppend>>;

    /// Reads up to `limit` records numbered `from` and on.
    ///
    /// # Errors
    /// Where the store fails.
    async fn scan(&self, tenant: &TenantId, from: u64, limit: usize) -> Result<Vec<SealedRecord>>;

    /// Reads up to `limit` records of one person numbered `from` and on.
    ///
    /// # Errors
    /// Where the store fails.
    async fn scan_user(
        &self,
        tenant: &TenantId,
        user: &UserId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<SealedRecord>>;

    /// Tenants that have a chain, in order of their ids.
    ///
    /// # Errors
    /// Where the store fails.
    async fn tenants(&self) -> Result<Vec<TenantId>>;

    /// Keeps a checkpoint.
    ///
    /// # Errors
    /// Where the store fails.
    async fn put_checkpoint(&self, checkpoint: Checkpoint) -> Result<()>;

    /// A tenant's checkpoints, by the number that they vouch for, and those of one number in the order
    /// in which they were put.
    ///
    /// # Errors
    /// Where the store fails.
    async fn checkpoints(&self, tenant: &TenantId) -> Result<Vec<Checkpoint>>;

    /// Drops records numbered below `before`, for retention; checkpoints stay. Returns how many.
    ///
    /// The record before the first kept one is what its hash is verified against, so a prune
    /// without a checkpoint at `before - 1` leaves the chain unverifiable: the Hub makes one first.
    ///
    /// # Errors
    /// Where the store fails.
    async fn prune(&self, tenant: &TenantId, before: u64) -> Result<u64>;

    /// A person's key; `candidate` becomes it if there is none and the person was not erased: of N
    /// concurrent callers all get the same. `None` after an erasure.
    ///
    /// # Errors
    /// Where the store fails.
    async fn subject_key(
        &self,
        tenant: &TenantId,
        user: &UserId,
        candidate: SubjectKey,
    ) -> Result<Option<SubjectKey>>;

    /// Destroys a person's key for ever, also one that was never made; returns whether there was one.
    ///
    /// # Errors
    /// Where the store fails.
    async fn erase_subject(&self, tenant: &TenantId, user: &UserId) -> Result<bool>;
}
