//! What is gone is gone from the disk: looked at from outside, without the stores.

use std::path::Path;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use tool_connect_core::store::{
    AuditAppend, AuditHead, AuthorizationState, CredentialKey, CredentialKind, NewResult, SealedRecord,
    SealedSegment, SegmentBytes, StoredCredential, SubjectKey,
};
use tool_connect_core::{Clock as _, Error, ErrorKind, Owner, SystemClock};
use tool_connect_stores::{SqliteOptions, SqliteStores};
use tool_connect_testkit::ManualClock;

use crate::support::{folder, next_segment, open, sealed, tenant, user};

fn result() -> NewResult {
    NewResult {
        tenant: tenant("acme"),
        user: user("ada"),
        media_type: "text/plain".to_owned(),
        name: None,
        keep: Duration::from_secs(60),
        max_bytes: 10_000_000,
    }
}

fn rows(path: &Path, table: &str) -> i64 {
    let raw = rusqlite::Connection::open(path).expect("open");
    raw.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).expect("count")
}

/// Whether the bytes are anywhere in the file or its log.
fn on_disk(path: &Path, wanted: &[u8]) -> bool {
    ["tools.db", "tools.db-wal"].into_iter().any(|name| {
        std::fs::read(path.with_file_name(name))
            .is_ok_and(|bytes| bytes.windows(wanted.len()).any(|window| window == wanted))
    })
}

#[tokio::test]
async fn a_broken_or_dropped_put_leaves_no_chunk() {
    let (_folder, path) = folder();
    let stores = open(&path);
    let piece = || Ok(Bytes::from(vec![7; 600_000]));
    let broken = stream::iter([piece(), Err(Error::new(ErrorKind::Transport, "gone"))]);
    stores.results.put(result(), Box::pin(broken)).await.expect_err("broken");

    let mut put = stores.results.put(result(), Box::pin(stream::iter([piece()]).chain(stream::pending())));
    while rows(&path, "tc_result_chunks") < 2 {
        let polled = std::future::poll_fn(|cx| Poll::Ready(put.as_mut().poll(cx))).await;
        assert!(polled.is_pending());
        tokio::task::yield_now().await;
    }
    drop(put);
    drop(stores);
    assert_eq!((rows(&path, "tc_results"), rows(&path, "tc_result_chunks")), (0, 0));
}

#[tokio::test]
async fn an_expired_result_is_gone_from_the_disk_after_a_purge() {
    let (_folder, path) = folder();
    let clock = Arc::new(ManualClock::new());
    let stores =
        SqliteStores::open_with_clock(&path, SqliteOptions::default(), clock.clone()).expect("open").stores();
    let marker = b"what only ada may read";
    let data = Bytes::from(marker.repeat(40_000));
    stores.results.put(result(), Box::pin(stream::iter([Ok(data)]))).await.expect("put");
    assert!(on_disk(&path, marker));
    clock.advance(Duration::from_secs(60));
    assert_eq!(stores.results.purge().await.expect("purge"), 1);
    assert!(!on_disk(&path, marker));
    assert_eq!((rows(&path, "tc_results"), rows(&path, "tc_result_chunks")), (0, 0));
}

#[tokio::test]
async fn later_puts_clear_what_nobody_purged() {
    let (_folder, path) = folder();
    let clock = Arc::new(ManualClock::new());
    let stores =
        SqliteStores::open_with_clock(&path, SqliteOptions::default(), clock.clone()).expect("open").stores();
    for _ in 0..50 {
        for _ in 0..3 {
            let data = Bytes::from_static(b"small");
            stores.results.put(result(), Box::pin(stream::iter([Ok(data)]))).await.expect("put");
        }
        clock.advance(Duration::from_secs(60));
    }
    drop(stores);
    assert!(rows(&path, "tc_results") < 30, "{} rows are left of 150", rows(&path, "tc_results"));
}

#[tokio::test]
async fn a_destroyed_key_is_gone_from_the_disk() {
    let (_folder, path) = folder();
    let stores = open(&path);
    let key = *b"the key of ada, 32 bytes of it!!";
    stores.audit.subject_key(&tenant("acme"), &user("ada"), SubjectKey(key)).await.expect("key");
    assert!(on_disk(&path, &key));
    assert!(stores.audit.erase_subject(&tenant("acme"), &user("ada")).await.expect("erase"));
    assert!(!on_disk(&path, &key));
}

#[tokio::test]
async fn a_deleted_credential_and_a_replaced_key_are_gone_from_the_disk() {
    let (_folder, path) = folder();
    let stores = open(&path);
    let kinds = [CredentialKind::Connection, CredentialKind::SubjectKey];
    let markers = [*b"sealed, to be deleted, of one kind", *b"sealed, to be replaced, of another"];
    for (kind, marker) in kinds.into_iter().zip(markers) {
        let key = CredentialKey::new(kind, "c");
        let new = StoredCredential::new(tenant("acme"), key, Owner::Tenant, marker.to_vec(), "key-1");
        let mut stored = stores.credentials.put(new).await.expect("put");
        assert!(on_disk(&path, &marker));
        if kind == CredentialKind::SubjectKey {
            stored.sealed = vec![0; marker.len()];
            stores.credentials.put(stored).await.expect("put");
        } else {
            assert!(stores.credentials.delete(&tenant("acme"), &stored.key).await.expect("delete"));
        }
        assert!(!on_disk(&path, &marker), "{kind:?}");
    }
}

#[tokio::test]
async fn a_used_state_leaves_nothing_of_what_it_held_but_its_id() {
    let (_folder, path) = folder();
    let stores = open(&path);
    let end = SystemClock.now() + Duration::from_secs(600);
    let state = AuthorizationState::new(tenant("acme"), "s", user("ada"), b"a verifier".to_vec(), end);
    stores.authorizations.put(state).await.expect("put");
    stores.authorizations.consume(&tenant("acme"), "s").await.expect("consume").expect("it was there");
    drop(stores);
    assert_eq!(rows(&path, "tc_authorizations"), 1);
    assert!(!on_disk(&path, b"a verifier"));
}

#[tokio::test]
async fn pruned_records_are_gone_and_a_long_chain_is_searched_to_its_end() {
    let (_folder, path) = folder();
    let stores = open(&path);
    // Segments of 250 records, among them three of another person.
    let rare = [1, 12_001, 25_000];
    let mut after = None;
    for part in 1..=100 {
        let mut bytes = SegmentBytes::with_capacity(4_096);
        for number in part * 250 - 249..=part * 250 {
            let who = user(if rare.contains(&number) { "rare" } else { "ada" });
            bytes.push(&who, 1, |out| out.extend_from_slice(b"the record of a call"));
        }
        let segment = sealed(after, 1, part * 250, bytes);
        after = Some(segment.end());
        assert_eq!(stores.audit.append(&[segment]).await.expect("append"), [AuditAppend::Appended]);
    }
    let found = async |from, limit| {
        let records =
            stores.audit.scan_user(&tenant("acme"), &user("rare"), from, limit).await.expect("scan");
        records.iter().map(|record| record.sequence).collect::<Vec<_>>()
    };
    assert_eq!(found(0, 9).await, rare);
    assert_eq!(found(2, 1).await, [12_001]);
    assert_eq!(stores.audit.prune(&tenant("acme"), 24_000).await.expect("prune"), 23_750);
    assert_eq!(found(0, 9).await, [25_000]);
    drop(stores);
    assert_eq!(rows(&path, "tc_audit_segments"), 5);
}

/// What another process does to the file, past the stores.
fn meanwhile(path: &Path, sql: &str) {
    rusqlite::Connection::open(path).expect("open").execute_batch(sql).expect("execute");
}

#[tokio::test]
async fn a_prune_that_was_broken_off_holds_and_the_next_one_clears() {
    let (_folder, path) = folder();
    let stores = open(&path);
    let mut after = None;
    for _ in 0..10 {
        let segment = next_segment(after, 1, 1);
        after = Some(segment.end());
        stores.audit.append(&[segment]).await.expect("append");
    }
    meanwhile(&path, "UPDATE tc_audit_chains SET first = 8");
    let acme = tenant("acme");
    let kept = stores.audit.scan(&acme, 0, 99).await.expect("scan");
    assert_eq!(kept.iter().map(|segment| segment.last).collect::<Vec<_>>(), [8, 9, 10]);
    let theirs = stores.audit.scan_user(&acme, &user("ada"), 0, 99).await.expect("scan");
    assert_eq!(theirs.iter().map(|record| record.sequence).collect::<Vec<_>>(), [8, 9, 10]);
    assert_eq!(stores.audit.prune(&acme, 9).await.expect("prune"), 1);
    assert_eq!(rows(&path, "tc_audit_segments"), 2);
}

/// The rows of a chain that was begun before there were segments.
#[tokio::test]
async fn records_from_before_there_were_segments_are_read_and_pruned_in_the_same_chain() {
    let (_folder, path) = folder();
    let stores = open(&path);
    let (acme, ada) = (tenant("acme"), user("ada"));
    let rows_of = |n: i64| {
        let who = if n == 2 { "bob" } else { "ada" };
        let place = (7 << 40) + n;
        format!("INSERT INTO tc_audit_records VALUES ({place}, '{who}', {n}, x'{n:064x}', x'7b{n:02x}');")
    };
    let chain = format!(
        "INSERT INTO tc_tenants VALUES (7, 'acme'); INSERT INTO tc_audit_chains VALUES (7, 1, 3, x'{:064x}');",
        3
    );
    meanwhile(&path, &[chain, rows_of(1), rows_of(2), rows_of(3)].concat());
    let mut hash = [0; 32];
    hash[31] = 3;
    let head = Some(AuditHead { sequence: 3, hash });
    assert_eq!(stores.audit.head(&acme).await.expect("head"), head);
    let new = next_segment(head, 1, 2);
    assert_eq!(
        stores.audit.append(std::slice::from_ref(&new)).await.expect("append"),
        [AuditAppend::Appended]
    );
    let kept = stores.audit.scan(&acme, 0, 99).await.expect("scan");
    let numbers = |kept: &[SealedSegment]| kept.iter().map(|s| (s.first, s.last)).collect::<Vec<_>>();
    assert_eq!(numbers(&kept), [(1, 1), (2, 2), (3, 3), (4, 5)]);
    let third = SealedRecord { sequence: 3, user: ada.clone(), millis: 3, payload: vec![b'{', 3].into() };
    assert_eq!(kept[2..], [SealedSegment::alone(&third, hash), new.sealed.clone()]);
    assert_eq!(numbers(&stores.audit.scan(&acme, 2, 3).await.expect("scan")), [(2, 2), (3, 3), (4, 5)]);
    let theirs = stores.audit.scan_user(&acme, &ada, 0, 99).await.expect("scan");
    assert_eq!(theirs.iter().map(|record| record.sequence).collect::<Vec<_>>(), [1, 3, 4, 5]);
    assert_eq!(stores.audit.prune(&acme, 3).await.expect("prune"), 2);
    assert_eq!(stores.audit.prune(&acme, 5).await.expect("prune"), 1);
    assert_eq!(stores.audit.scan(&acme, 0, 99).await.expect("scan"), [new.sealed]);
    drop(stores);
    assert_eq!((rows(&path, "tc_audit_records"), rows(&path, "tc_audit_segments")), (0, 1));
}

#[tokio::test]
async fn a_put_that_a_purge_gave_up_adds_nothing_more() {
    let (_folder, path) = folder();
    let stores = open(&path);
    let piece = || Ok(Bytes::from(vec![7; 600_000]));
    let of = path.clone();
    let late = stream::once(async move {
        // A purge of another process, which got no further.
        meanwhile(&of, "UPDATE tc_results SET state = 2, expires = 0");
        piece()
    });
    let data = stream::iter([piece()]).chain(late);
    let error = stores.results.put(result(), Box::pin(data)).await.expect_err("given up");
    assert_eq!(error.kind(), ErrorKind::Storage, "{error}");
    assert_eq!(stores.results.purge().await.expect("purge"), 0, "it was never visible");
    assert_eq!((rows(&path, "tc_results"), rows(&path, "tc_result_chunks")), (0, 0));
}
