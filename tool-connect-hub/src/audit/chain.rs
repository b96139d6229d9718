//! What links one record to the next.

use std::sync::Arc;

use aws_lc_rs::digest;
use tool_connect_core::TenantId;
use tool_connect_core::store::{AuditHead, SealedRecord, Segment};

use super::encode::VERSION;
use super::json;

const GENESIS: &[u8] = b"tc-audit-genesis-1";

/// What stands before a tenant's first record: a hash of the tenant's id, so that a chain cannot
/// pass for another tenant's.
pub(super) fn genesis(tenant: &TenantId) -> [u8; 32] {
    sha256(&[GENESIS, tenant.as_str().as_bytes()].concat())
}

/// The hash of a record that follows `previous`. The buffer is for reuse.
///
/// What is hashed begins with the format's version, so that nothing of one format passes for
/// something of another one.
pub(super) fn link(
    buffer: &mut Vec<u8>,
    previous: &[u8; 32],
    sequence: u64,
    record: &SealedRecord,
) -> [u8; 32] {
    buffer.clear();
    if json::is_one(&record.payload) {
        json::link(buffer, previous, sequence, record);
    } else {
        let user = record.user.as_str().as_bytes();
        buffer.push(VERSION);
        buffer.extend_from_slice(previous);
        buffer.extend_from_slice(&sequence.to_be_bytes());
        buffer.extend_from_slice(&record.millis.to_be_bytes());
        // An id has at most 256 bytes.
        buffer.extend_from_slice(&u16::try_from(user.len()).unwrap_or(u16::MAX).to_be_bytes());
        buffer.extend_from_slice(user);
        buffer.extend_from_slice(&record.payload);
    }
    sha256(buffer)
}

/// Numbers and links the segment's records, from `head` on.
pub(super) fn attach(buffer: &mut Vec<u8>, segment: &mut Segment, head: Option<AuditHead>) {
    segment.after = head;
    let (mut sequence, mut previous) = match head {
        Some(head) => (head.sequence, head.hash),
        None => (0, genesis(&segment.tenant)),
    };
    for record in Arc::make_mut(&mut segment.records) {
        sequence = sequence.saturating_add(1);
        previous = link(buffer, &previous, sequence, record);
        record.sequence = sequence;
        record.hash = previous;
    }
}

/// Whether the segment was linked to this head.
pub(super) fn is_attached(segment: &Segment, head: Option<AuditHead>) -> bool {
    segment.after == head && segment.records.first().is_none_or(|first| first.sequence > 0)
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
