//! Short ways to what the tests need.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use tempfile::TempDir;
use tool_connect_core::store::{
    AuditAppend, AuditHead, AuditStore, Grant, SealedRecord, Segment, Stores, Subject, ToolPattern,
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

/// The next record of a chain; its payload is the hash before it, its hash depends on that.
pub(crate) fn next_record(after: Option<AuditHead>, writer: u8) -> SealedRecord {
    let (sequence, before) = after.map_or((0, [0; 32]), |head| (head.sequence, head.hash));
    let mut hash = before;
    hash.rotate_left(1);
    hash[0] ^= writer.wrapping_mul(31).wrapping_add(7);
    hash[24..].copy_from_slice(&(sequence + 1).to_be_bytes());
    SealedRecord {
        sequence: sequence + 1,
        user: user("ada"),
        millis: 1,
        payload: Bytes::copy_from_slice(&before),
        hash,
    }
}

pub(crate) fn next_segment(after: Option<AuditHead>, writer: u8, count: usize) -> Segment {
    let mut records: Vec<SealedRecord> = Vec::new();
    for _ in 0..count {
        let end = records.last().map(|last| AuditHead { sequence: last.sequence, hash: last.hash }).or(after);
        records.push(next_record(end, writer));
    }
    Segment { tenant: tenant("acme"), after, records: records.into() }
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
            [AuditAppend::Appended] => return end,
            [AuditAppend::Moved(head)] => after = head,
            ref other => panic!("one answer expected: {other:?}"),
        }
    }
}

/// Asserts that the chain is whole: numbers without holes, each record after the one before it, the
/// head at the last. Returns how long it is.
pub(crate) async fn whole_chain(store: &dyn AuditStore) -> u64 {
    let records = store.scan(&tenant("acme"), 0, usize::MAX).await.expect("scan");
    let mut before = [0; 32];
    for (record, number) in records.iter().zip(1..) {
        assert_eq!(record.sequence, number, "a hole");
        assert_eq!(record.payload[..], before, "record {number} follows another one than the one before it");
        before = record.hash;
    }
    let head = store.head(&tenant("acme")).await.expect("head");
    assert_eq!(head, records.last().map(|last| AuditHead { sequence: last.sequence, hash: last.hash }));
    records.len() as u64
}
