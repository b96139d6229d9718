//! What links one record to the next.

use aws_lc_rs::digest;
use tool_connect_core::TenantId;
use tool_connect_core::store::{AuditHead, SealedRecord, Segment};

const RECORD: &[u8] = b"tc-audit-1";
const GENESIS: &[u8] = b"tc-audit-genesis-1";

/// What stands before a tenant's first record: a hash of the tenant's id, so that a chain cannot
/// pass for another tenant's.
pub(super) fn genesis(tenant: &TenantId) -> [u8; 32] {
    sha256(&[GENESIS, tenant.as_str().as_bytes()].concat())
}

/// The hash of a record that follows `previous`. The buffer is for reuse.
pub(super) fn link(
    buffer: &mut Vec<u8>,
    previous: &[u8; 32],
    sequence: u64,
    record: &SealedRecord,
) -> [u8; 32] {
    let user = record.user.as_str().as_bytes();
    buffer.clear();
    buffer.extend_from_slice(RECORD);
    buffer.extend_from_slice(previous);
    buffer.extend_from_slice(&sequence.to_be_bytes());
    buffer.extend_from_slice(&length(user));
    buffer.extend_from_slice(user);
    buffer.extend_from_slice(&record.millis.to_be_bytes());
    buffer.extend_from_slice(&length(&record.payload));
    buffer.extend_from_slice(&record.payload);
    sha256(buffer)
}

/// Numbers and links the segment's records, from `head` on.
pub(super) fn attach(buffer: &mut Vec<u8>, segment: &mut Segment, head: Option<AuditHead>) {
    segment.after = head;
    let (mut sequence, mut previous) = match head {
        Some(head) => (head.sequence, head.hash),
        None => (0, genesis(&segment.tenant)),
    };
    for record in &mut segment.records {
        sequence = sequence.saturating_add(1);
        previous = link(buffer, &previous, sequence, record);
        record.sequence = sequence;
        record.hash = previous;
    }
}

/// A text's length, as hashed: eight bytes, big endian.
pub(super) fn length(bytes: &[u8]) -> [u8; 8] {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes()
}

pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}
