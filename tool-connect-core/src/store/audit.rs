//! The audit trail: one chain of sealed segments per tenant, append only.

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

/// A record, read back from the segment that holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedRecord {
    /// Number in the tenant's chain, without gaps.
    pub sequence: u64,
    /// The user it is about, for exports of a person's rows.
    pub user: UserId,
    /// When, in milliseconds since the Unix epoch.
    pub millis: u64,
    /// The canonical record.
    pub payload: Bytes,
}

/// Records that were sealed together, under one hash: what a chain is made of. The store keeps it
/// as it is.
///
/// # Bytes
/// The first byte says what links the segment to the one before: [`LINKED`](Self::LINKED), or
/// [`ALONE`](Self::ALONE) for one record of a format in which each record was linked by itself. Then the records, one
/// behind the other: the length of the user in two bytes, the user, the time in eight bytes, the length of the payload in
/// four bytes, the payload; numbers are big endian.
///
/// ```
/// use tool_connect_core::{UserId, store::{SealedSegment, SegmentBytes}};
/// let mut bytes = SegmentBytes::with_capacity(64);
/// bytes.push(&UserId::new("ada")?, 1_795_392_000_000, |out| out.extend_from_slice(b"payload"));
/// let segment = SealedSegment { first: 5, last: 5, hash: [7; 32], bytes: bytes.finish() };
/// let records = segment.records().collect::<Result<Vec<_>, _>>()?;
/// assert_eq!((records[0].sequence, &records[0].payload[..]), (5, &b"payload"[..]));
/// # Ok::<(), tool_connect_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedSegment {
    /// The first record's number.
    pub first: u64,
    /// The last record's number.
    pub last: u64,
    /// Hash over the previous segment's hash, the numbers and the bytes.
    pub hash: [u8; 32],
    /// The records, see above.
    pub bytes: Bytes,
}

impl SealedSegment {
    /// The first byte of a segment that is linked as a whole.
    pub const LINKED: u8 = 3;
    /// The first byte of a segment of one record that is linked by itself.
    pub const ALONE: u8 = 2;

    /// A segment of one record that was linked by itself, as stores kept them before there were segments.
    #[must_use]
    pub fn alone(record: &SealedRecord, hash: [u8; 32]) -> Self {
        let mut bytes = vec![Self::ALONE];
        frame(&mut bytes, &record.user, record.millis, |out| out.extend_from_slice(&record.payload));
        Self { first: record.sequence, last: record.sequence, hash, bytes: bytes.into() }
    }

    /// How many records it holds.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count_from(self.first)
    }

    /// How many of its records are numbered `from` and on.
    #[must_use]
    pub fn count_from(&self, from: u64) -> u64 {
        let first = self.first.max(from);
        if first > self.last { 0 } else { (self.last - first).saturating_add(1) }
    }

    /// Where the chain ends with this segment.
    #[must_use]
    pub fn end(&self) -> AuditHead {
        AuditHead { sequence: self.last, hash: self.hash }
    }

    /// Its records, in order. Ends after the first error: [`ErrorKind::Storage`] where the bytes are not those of so many
    /// records. This does not verify them.
    pub fn records(&self) -> impl Iterator<Item = Result<SealedRecord>> + '_ {
        let known = matches!(self.bytes.first(), Some(&(Self::LINKED | Self::ALONE)));
        let mut next = known.then_some((self.first, 1));
        let mut failed = false;
        std::iter::from_fn(move || {
            if failed {
                return None;
            }
            let read = match next {
                Some((sequence, at)) if sequence > self.last && at == self.bytes.len() => return None,
                Some((sequence, at)) if sequence <= self.last => unframe(&self.bytes, sequence, at),
                _ => None,
            };
            failed = read.is_none();
            Some(match read {
                Some((record, at)) => {
                    next = record.sequence.checked_add(1).map(|sequence| (sequence, at));
                    Ok(record)
                }
                None => Err(Error::new(
                    ErrorKind::Storage,
                    "an audit segment cannot be read; verify the chain, it may have been altered",
                )
                .with("first", self.first)
                .with("last", self.last)),
            })
        })
    }
}

/// Writes the bytes of a [`SealedSegment`] that is linked as a whole.
#[derive(Clone, Debug)]
pub struct SegmentBytes(Vec<u8>);

impl SegmentBytes {
    /// None yet, with room for so many bytes.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        let mut out = Vec::with_capacity(bytes.saturating_add(1));
        out.push(SealedSegment::LINKED);
        Self(out)
    }

    /// Adds a record, whose payload `write` appends.
    pub fn push(&mut self, user: &UserId, millis: u64, write: impl FnOnce(&mut Vec<u8>)) {
        frame(&mut self.0, user, millis, write);
    }

    /// Whether it holds no record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.len() <= 1
    }

    /// The bytes.
    #[must_use]
    pub fn finish(mut self) -> Bytes {
        // Kept for long; what is left of a good guess is not worth a copy.
        if self.0.capacity() - self.0.len() > self.0.len() / 8 {
            self.0.shrink_to_fit();
        }
        self.0.into()
    }
}

fn frame(out: &mut Vec<u8>, user: &UserId, millis: u64, write: impl FnOnce(&mut Vec<u8>)) {
    let user = user.as_str().as_bytes();
    // An id has at most 256 bytes.
    out.extend_from_slice(&u16::try_from(user.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend_from_slice(user);
    out.extend_from_slice(&millis.to_be_bytes());
    let place = out.len();
    out.extend_from_slice(&[0; 4]);
    let start = out.len();
    write(out);
    let length = u32::try_from(out.len().saturating_sub(start)).unwrap_or(u32::MAX);
    if let Some(slot) = out.get_mut(place..start) {
        slot.copy_from_slice(&length.to_be_bytes());
    }
}

/// The record that begins there, and where the next one does.
fn unframe(bytes: &Bytes, sequence: u64, at: usize) -> Option<(SealedRecord, usize)> {
    let (length, rest) = bytes.get(at..)?.split_first_chunk()?;
    let (user, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
    let user = UserId::new(std::str::from_utf8(user).ok()?).ok()?;
    let (millis, rest) = rest.split_first_chunk()?;
    let (length, rest) = rest.split_first_chunk()?;
    let start = bytes.len() - rest.len();
    let end = start.checked_add(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    bytes.get(start..end)?;
    let payload = bytes.slice(start..end);
    Some((SealedRecord { sequence, user, millis: u64::from_be_bytes(*millis), payload }, end))
}

/// A segment to append to one tenant's chain; cheap to clone.
#[derive(Clone, Debug)]
pub struct Segment {
    /// Whose chain.
    pub tenant: TenantId,
    /// Where the writer believes it to end; `None` for an empty chain.
    pub after: Option<AuditHead>,
    /// The records, numbered on from there.
    pub sealed: SealedSegment,
}

impl Segment {
    /// Checks that the records are numbered on from `after` and that there is one. Stores call it before
    /// they write.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`]: whoever sealed the segment has a defect.
    pub fn check(&self) -> Result<()> {
        let last = self.after.map_or(0, |head| head.sequence);
        let SealedSegment { first, last: end, .. } = self.sealed;
        if last.checked_add(1) != Some(first) || end < first {
            return Err(Error::new(
                ErrorKind::Internal,
                "an audit segment is not numbered on from the head that it names",
            )
            .with("after", last)
            .with("first", first)
            .with("last", end));
        }
        Ok(())
    }

    /// Where the chain ends once the segment is appended.
    #[must_use]
    pub fn end(&self) -> AuditHead {
        self.sealed.end()
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

    /// Whether appends are carried out in the order in which their futures were first polled, however many are under way. The
    /// Hub then begins the next append before the one before it has ended, so that the store need not wait for the callers.
    /// False by default: a store that answers over several connections cannot say so.
    fn appends_in_order(&self) -> bool {
        false
    }

    /// Reads the segments that hold records numbered `from` and on, whole and in order, until they
    /// hold `limit` records or more. So the first one may begin before `from`.
    ///
    /// # Errors
    /// Where the store fails.
    async fn scan(&self, tenant: &TenantId, from: u64, limit: usize) -> Result<Vec<SealedSegment>>;

    /// Reads up to `limit` records of one person numbered `from` and on.
    ///
    /// # Errors
    /// Where the store fails or a segment cannot be read.
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

    /// Drops the segments all of whose records are numbered below `before`, for retention; checkpoints
    /// stay. Returns how many records were dropped.
    ///
    /// The segment before the first kept one is what its hash is verified against, so a prune
    /// without a checkpoint at its end leaves the chain unverifiable: the Hub makes one first.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn segment() -> SealedSegment {
        let mut bytes = SegmentBytes::with_capacity(0);
        for (user, payload) in [("ada", &b"one"[..]), ("bob", b"")] {
            bytes.push(&UserId::new(user).unwrap(), 7, |out| out.extend_from_slice(payload));
        }
        SealedSegment { first: 4, last: 5, hash: [1; 32], bytes: bytes.finish() }
    }

    fn read(segment: &SealedSegment) -> Result<Vec<SealedRecord>> {
        segment.records().collect()
    }

    #[test]
    fn records_come_back_with_their_numbers() {
        let records = read(&segment()).unwrap();
        let seen = records.iter().map(|r| (r.sequence, r.user.as_str(), r.millis, &r.payload[..]));
        assert_eq!(seen.collect::<Vec<_>>(), [(4, "ada", 7, &b"one"[..]), (5, "bob", 7, b"")]);
        let alone = SealedSegment::alone(&records[0], [2; 32]);
        assert_eq!((alone.first, alone.last, alone.hash), (4, 4, [2; 32]));
        assert_eq!(read(&alone).unwrap(), records[..1]);
        assert_eq!([0, 4, 5, 6].map(|from| segment().count_from(from)), [2, 2, 1, 0]);
    }

    #[test]
    fn bytes_that_are_not_so_many_records_are_a_typed_error() {
        let whole = segment();
        let broken = |change: &dyn Fn(&mut SealedSegment)| {
            let mut segment = whole.clone();
            change(&mut segment);
            let error = read(&segment).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Storage);
            assert!(segment.records().filter(Result::is_err).count() == 1, "it ends with the error");
        };
        for length in 0..whole.bytes.len() {
            broken(&|segment| segment.bytes.truncate(length));
        }
        broken(&|segment| segment.last = 4);
        broken(&|segment| segment.last = 6);
        broken(&|segment| segment.last = u64::MAX);
        broken(&|segment| segment.bytes = [&whole.bytes[..], b"x"].concat().into());
        for (place, byte) in [(0, 4), (1, 255), (2, 0), (3, 255), (14, 255)] {
            broken(&|segment| {
                let mut bytes = whole.bytes.to_vec();
                bytes[place] = byte;
                segment.bytes = bytes.into();
            });
        }
    }

    #[test]
    fn a_segment_is_numbered_on_from_its_head() {
        let head = |sequence| Some(AuditHead { sequence, hash: [0; 32] });
        let at = |after, first, last| {
            let sealed = SealedSegment { first, last, ..segment() };
            Segment { tenant: TenantId::new("acme").unwrap(), after, sealed }.check()
        };
        at(None, 1, 1).unwrap();
        at(head(3), 4, 9).unwrap();
        for (after, first, last) in
            [(None, 0, 0), (None, 2, 2), (head(3), 5, 5), (head(3), 4, 3), (head(u64::MAX), 0, 0)]
        {
            assert_eq!(at(after, first, last).unwrap_err().kind(), ErrorKind::Internal);
        }
    }
}
