//! Short ways to what the tests need.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tool_connect_core::store::{
    AuditAppend, AuditHead, AuditStore, Grant, SealedSegment, Segment, SegmentBytes, Stores, Subject,
    ToolPattern,
};
use tool_connect_core::{TenantId, UserId};
use tool_connect_stores::{SqliteOptions, SqliteStores};

pub(crate) fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("tools.db");
    (folder, path)
}

pub(crate) fn open(path: &Path) -> Stores {
    SqliteStores::open(path, SqliteOptions::default()).expect("open").stores()
}

pub(crate) fn tenant(name: &str) -> TenantId {
    TenantId::new(name).expect("a valid tenant id")
}

pub(crate) fn user(name: &str) -> UserId {
    UserId::new(name).expect("a valid user id")
}

pub(crate) fn grant(role: &str) -> Grant {
    Grant {
        tenant: tenant("acme"),
        subject: Subject::Role(role.to_owned()),
        tools: ToolPattern::new("files.*").expect("a valid pattern"),
        connection: None,
        expires: None,
    }
}

/// The next segment of a chain; the payload of its records is the hash before it, its hash depends on that.
pub(crate) fn next_segment(after: Option<AuditHead>, writer: u8, count: usize) -> Segment {
    let (sequence, before) = after.map_or((0, [0; 32]), |head| (head.sequence, head.hash));
    let mut bytes = SegmentBytes::with_capacity(count * 64);
    for _ in 0..count {
        bytes.push(&user("ada"), 1, |out| out.extend_from_slice(&before));
    }
    sealed(after, writer, sequence + count as u64, bytes)
}

/// A segment of such bytes.
pub(crate) fn sealed(after: Option<AuditHead>, writer: u8, last: u64, bytes: SegmentBytes) -> Segment {
    let (sequence, mut hash) = after.map_or((0, [0; 32]), |head| (head.sequence, head.hash));
    hash.rotate_left(1);
    hash[0] ^= writer.wrapping_mul(31).wrapping_add(7);
    hash[24..].copy_from_slice(&last.to_be_bytes());
    let sealed = SealedSegment { first: sequence + 1, last, hash, bytes: bytes.finish() };
    Segment { tenant: tenant("acme"), after, sealed }
}

/// Appends to wherever the chain ends; returns its new end.
pub(crate) async fn append(
    store: &dyn AuditStore,
    mut after: Option<AuditHead>,
    writer: u8,
) -> Option<AuditHead> {
    loop {
        let segment = next_segment(after, writer, 3);
        let end = segment.end();
        match store.append(&[segment]).await.expect("append")[..] {
            [AuditAppend::Appended] => return Some(end),
            [AuditAppend::Moved(head)] => after = head,
            ref other => panic!("one answer expected: {other:?}"),
        }
    }
}

/// Asserts that the chain is whole: numbers without holes, each segment after the one before it, the
/// head at the last. Returns how many records it has.
pub(crate) async fn whole_chain(store: &dyn AuditStore) -> u64 {
    let segments = store.scan(&tenant("acme"), 0, usize::MAX).await.expect("scan");
    let (mut before, mut last) = ([0; 32], 0);
    for segment in &segments {
        assert_eq!(segment.first, last + 1, "a hole");
        for record in segment.records() {
            let record = record.expect("a record");
            assert_eq!(record.payload[..], before, "record {} follows another one", record.sequence);
        }
        (before, last) = (segment.hash, segment.last);
    }
    let head = store.head(&tenant("acme")).await.expect("head");
    assert_eq!(head, segments.last().map(SealedSegment::end));
    last
}
