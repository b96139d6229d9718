//! What links one segment to the next.

use aws_lc_rs::digest;
use tool_connect_core::TenantId;
use tool_connect_core::store::{AuditHead, SealedRecord, SealedSegment};

use super::encode::VERSION;
use super::json;
use super::seal::Sealed;

const GENESIS: &[u8] = b"tc-audit-genesis-1";

/// What stands before a tenant's first record: a hash of the tenant's id, so that a chain cannot
/// pass for another tenant's.
pub(super) fn genesis(tenant: &TenantId) -> [u8; 32] {
    sha256(&[GENESIS, tenant.as_str().as_bytes()].concat())
}

/// The hash of a segment's bytes. It needs no place in the chain, so it is taken while the store is
/// busy, and once.
pub(super) fn content(bytes: &[u8]) -> [u8; 32] {
    blake3::hash(bytes).into()
}

/// The hash of a segment with these bytes and numbers that follows `previous`.
fn join(previous: &[u8; 32], first: u64, last: u64, content: &[u8; 32]) -> [u8; 32] {
    let numbers = [first.to_be_bytes(), last.to_be_bytes()];
    let parts = [&[SealedSegment::LINKED][..], previous, numbers.as_flattened(), content];
    blake3::hash(&parts.concat()).into()
}

/// The hash that a segment would have behind `previous`, with its records numbered from `first` on; `None` where it is
/// none at all.
pub(super) fn link(previous: &[u8; 32], first: u64, segment: &SealedSegment) -> Option<[u8; 32]> {
    match *segment.bytes.first()? {
        SealedSegment::LINKED => {
            let last = first.checked_add(segment.last.checked_sub(segment.first)?)?;
            Some(join(previous, first, last, &content(&segment.bytes)))
        }
        SealedSegment::ALONE if segment.first == segment.last => {
            let record = segment.records().next()?.ok()?;
            Some(link_alone(previous, first, &record))
        }
        _ => None,
    }
}

/// The hash of a record of an earlier format, each of which is linked by itself. What is hashed begins with the
/// format's version, so that nothing of one format passes for something of another one.
fn link_alone(previous: &[u8; 32], sequence: u64, record: &SealedRecord) -> [u8; 32] {
    let mut buffer = Vec::with_capacity(512);
    if json::is_one(&record.payload) {
        json::link(&mut buffer, previous, sequence, record);
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
    sha256(&buffer)
}

/// Numbers and links the segment behind `head`.
pub(super) fn attach(sealed: &mut Sealed, head: Option<AuditHead>) {
    let segment = &mut sealed.segment;
    let (sequence, previous) = match head {
        Some(head) => (head.sequence, head.hash),
        None => (0, genesis(&segment.tenant)),
    };
    segment.after = head;
    segment.sealed.first = sequence.saturating_add(1);
    segment.sealed.last = sequence.saturating_add(sealed.count);
    segment.sealed.hash = join(&previous, segment.sealed.first, segment.sealed.last, &sealed.content);
}

/// Whether the segment was linked to this head.
pub(super) fn is_attached(sealed: &Sealed, head: Option<AuditHead>) -> bool {
    sealed.segment.after == head && sealed.segment.sealed.first > 0
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
