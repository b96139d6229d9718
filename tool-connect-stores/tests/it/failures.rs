//! No room, a lock that stays, a caller that goes away: a typed error, and nothing half written.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use tool_connect_core::store::{NewResult, Stores, Subject};
use tool_connect_core::{Error, ErrorKind, Retry};
use tool_connect_stores::{SqliteOptions, SqliteStores};
use tool_connect_testkit::ManualClock;

use crate::support::{append, folder, grant, next_segment, open, tenant, user, whole_chain};

fn result(size: u64) -> NewResult {
    NewResult {
        tenant: tenant("acme"),
        user: user("ada"),
        media_type: "text/plain".to_owned(),
        name: None,
        keep: Duration::from_secs(60),
        max_bytes: size,
    }
}

async fn put(stores: &Stores, size: usize) -> Result<tool_connect_core::store::ResultMeta, Error> {
    let data = Bytes::from(vec![b'x'; size]);
    stores.results.put(result(size as u64), Box::pin(stream::iter([Ok(data)]))).await
}

fn small(path: &std::path::Path) -> Stores {
    let options = SqliteOptions { max_bytes: Some(600_000), ..SqliteOptions::default() };
    SqliteStores::open(path, options).expect("open").stores()
}

fn no_room(error: &Error) {
    assert_eq!((error.kind(), error.retry_advice()), (ErrorKind::Storage, Retry::Backoff), "{error}");
    assert!(
        error.to_string().contains("no room left for") && error.to_string().contains("max_bytes"),
        "{error}"
    );
}

#[tokio::test]
async fn a_full_disk_refuses_an_append_whole() {
    let (_folder, path) = folder();
    let stores = small(&path);
    let mut end = None;
    let error = loop {
        let segment = next_segment(end, 1, 200);
        let after = segment.end();
        match stores.audit.append(&[segment]).await {
            Ok(_) => end = Some(after),
            Err(error) => break error,
        }
    };
    no_room(&error);
    let acknowledged = end.expect("some fitted").sequence;
    assert_eq!(whole_chain(&*stores.audit).await, acknowledged);
    drop(stores);
    let stores = open(&path);
    assert_eq!(whole_chain(&*stores.audit).await, acknowledged, "also after reopening");
    append(&*stores.audit, end, 1).await;
    assert_eq!(whole_chain(&*stores.audit).await, acknowledged + 3, "with room again the chain goes on");
}

#[tokio::test]
async fn space_that_is_given_back_can_be_used_again() {
    let (_folder, path) = folder();
    let stores = small(&path);
    let first = put(&stores, 300_000).await.expect("fits");
    no_room(&put(&stores, 300_000).await.expect_err("does not fit beside it"));
    assert_eq!(
        stores
            .results
            .read(&tenant("acme"), &user("ada"), &first.handle, 0..9)
            .await
            .expect("read")
            .map(|b| b.len()),
        Some(9)
    );
    assert!(stores.results.delete(&tenant("acme"), &user("ada"), &first.handle).await.expect("delete"));
    for _ in 0..3 {
        let again = put(&stores, 300_000).await.expect("fits again");
        assert!(stores.results.delete(&tenant("acme"), &user("ada"), &again.handle).await.expect("delete"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_fit_does_not_take_the_others_with_it() {
    let (_folder, path) = folder();
    let stores = Arc::new(small(&path));
    put(&stores, 300_000).await.expect("fits");
    let tasks: Vec<_> = (0..40)
        .map(|n| {
            let stores = Arc::clone(&stores);
            tokio::spawn(async move {
                if n % 4 == 0 {
                    no_room(&put(&stores, 250_000).await.expect_err("does not fit"));
                } else {
                    stores.grants.put(grant(&format!("role {n}"))).await.expect("fits");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no panic");
    }
    let roles: Vec<_> = (0..40).map(|n| Subject::Role(format!("role {n}"))).collect();
    assert_eq!(stores.grants.list(&tenant("acme"), &roles).await.expect("list").len(), 30);
}

#[tokio::test]
async fn a_lock_that_stays_is_an_error_that_passes() {
    let (_folder, path) = folder();
    let options = SqliteOptions { busy_timeout: Duration::from_millis(30), ..SqliteOptions::default() };
    let stores = SqliteStores::open(&path, options).expect("open").stores();
    stores.grants.put(grant("before")).await.expect("put");
    let holder = rusqlite::Connection::open(&path).expect("open");
    holder.execute_batch("BEGIN IMMEDIATE").expect("lock");

    let error = stores.grants.put(grant("during")).await.expect_err("locked");
    assert_eq!((error.kind(), error.retry_advice()), (ErrorKind::Storage, Retry::Backoff), "{error}");
    assert!(error.to_string().contains("locked for longer than 30ms"), "{error}");
    let roles = ["before", "during", "after"].map(|role| Subject::Role(role.to_owned()));
    assert_eq!(stores.grants.list(&tenant("acme"), &roles).await.expect("readers do not wait").len(), 1);

    holder.execute_batch("COMMIT").expect("unlock");
    stores.grants.put(grant("after")).await.expect("put");
    assert_eq!(stores.grants.list(&tenant("acme"), &roles).await.expect("list").len(), 2);
}

#[tokio::test]
async fn a_stream_that_stalls_for_hours_is_given_up_by_a_purge() {
    let (_folder, path) = folder();
    let clock = Arc::new(ManualClock::new());
    let stores =
        SqliteStores::open_with_clock(&path, SqliteOptions::default(), clock.clone()).expect("open").stores();
    let purger = Arc::clone(&stores.results);
    let late = stream::once(async move {
        clock.advance(Duration::from_secs(3 * 3600));
        assert_eq!(purger.purge().await.expect("purge"), 0, "it was never visible");
        Ok(Bytes::from(vec![0; 600_000]))
    });
    let data = stream::iter([Ok(Bytes::from(vec![0; 600_000]))]).chain(late);
    let error = stores.results.put(result(2_000_000), Box::pin(data)).await.expect_err("given up");
    assert_eq!(error.kind(), ErrorKind::Storage, "{error}");
    assert!(error.to_string().contains("store it again"), "{error}");
}
