//! The writer: one commit for many, and nobody pays for another's failure.

use std::sync::mpsc::channel;

use tool_connect_core::SystemClock;

use super::*;

type Queued<T> = Box<dyn FnMut(&Connection) -> Result<T, Fault> + Send>;

fn open(folder: &tempfile::TempDir) -> Arc<Db> {
    let path = folder.path().join("t.db");
    let db = Db::file(&path, &SqliteOptions::default(), Arc::new(SystemClock)).unwrap();
    Arc::new(db)
}

fn add(tenant: &'static str) -> impl FnMut(&Connection) -> Result<(), Fault> + Send + 'static {
    move |conn| {
        conn.execute("INSERT INTO tc_tenants (id) VALUES (?1)", [tenant])?;
        Ok(())
    }
}

fn tenants(conn: &Connection) -> Result<Vec<String>, Fault> {
    let mut statement = conn.prepare("SELECT id FROM tc_tenants ORDER BY id")?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Holds the writer up until the given work is queued, so that it becomes one batch.
async fn as_one_batch<T: Send + 'static>(db: &Arc<Db>, work: Vec<Queued<T>>) -> Vec<Result<T>> {
    let (held, is_held) = oneshot::channel();
    let (go, may_go) = channel::<()>();
    let may_go = Mutex::new(may_go);
    let mut held = Some(held);
    let gate = Arc::clone(db);
    let gate = tokio::spawn(async move {
        gate.write(move |_| {
            let _ = held.take().map(|held| held.send(()));
            let _ = may_go.lock().unwrap().recv();
            Ok(())
        })
        .await
    });
    is_held.await.unwrap();
    let mut waiting: Vec<_> = work.into_iter().map(|piece| Box::pin(db.write(piece))).collect();
    for piece in &mut waiting {
        // One poll queues it.
        let queued = std::future::poll_fn(|cx| std::task::Poll::Ready(piece.as_mut().poll(cx))).await;
        assert!(queued.is_pending());
    }
    go.send(()).unwrap();
    gate.await.unwrap().unwrap();
    let mut answers = Vec::new();
    for piece in waiting {
        answers.push(piece.await);
    }
    answers
}

#[tokio::test]
async fn pieces_that_wait_share_one_commit() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder);
    let outside = Connection::open(folder.path().join("t.db")).unwrap();
    let look: Queued<Vec<String>> = Box::new(move |inside| {
        assert_eq!(tenants(&outside)?, Vec::<String>::new(), "not committed yet");
        tenants(inside)
    });
    let mut first = add("a");
    let first: Queued<Vec<String>> = Box::new(move |conn| first(conn).map(|()| Vec::new()));
    let answers = as_one_batch(&db, vec![first, look]).await;
    assert_eq!(answers[1].as_ref().unwrap(), &["a"], "of the same transaction");
    assert_eq!(db.read(tenants).await.unwrap(), ["a"]);
}

#[tokio::test]
async fn a_refused_piece_and_a_panic_leave_the_others_whole() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder);
    let mut half = add("half");
    let mut refused = add("refused");
    let answers = as_one_batch(
        &db,
        vec![
            Box::new(add("first")),
            Box::new(move |conn| {
                half(conn)?;
                panic!("a defect in a store")
            }),
            Box::new(move |conn| {
                refused(conn)?;
                Err(Fault::Refused(Error::new(ErrorKind::Conflict, "no")))
            }),
            Box::new(add("last")),
        ],
    )
    .await;
    let kinds: Vec<_> = answers.iter().map(|answer| answer.as_ref().err().map(Error::kind)).collect();
    assert_eq!(kinds, [None, Some(ErrorKind::Internal), Some(ErrorKind::Conflict), None]);
    assert_eq!(db.read(tenants).await.unwrap(), ["first", "last"]);
    let mut alone = add("alone");
    let refused = db.write(move |conn| alone(conn).and(Err::<(), _>(stopped().into()))).await;
    assert!(refused.is_err());
    assert_eq!(db.read(tenants).await.unwrap(), ["first", "last"]);
}

#[tokio::test]
async fn a_lost_transaction_is_done_again_piece_by_piece() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder);
    let mut lost = add("lost");
    let answers = as_one_batch(
        &db,
        vec![
            Box::new(add("first")),
            // As SQLite does on its own when the disk is full in the middle of a statement.
            Box::new(move |conn| {
                lost(conn)?;
                conn.execute_batch("ROLLBACK")?;
                Err(Fault::Refused(Error::new(ErrorKind::Storage, "no room")))
            }),
            Box::new(add("last")),
        ],
    )
    .await;
    let done: Vec<_> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(done, [true, false, true]);
    assert_eq!(db.read(tenants).await.unwrap(), ["first", "last"]);
}

#[tokio::test]
async fn a_caller_that_went_away_before_its_turn_leaves_no_effect() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder);
    let inner = Arc::clone(&db);
    let mut queued = Box::pin(async move { inner.write(add("gone")).await });
    let (go, may_go) = channel::<()>();
    let may_go = Mutex::new(may_go);
    assert!(db.write_detached(move |_| {
        let _ = may_go.lock().unwrap().recv();
        Ok(())
    }));
    let first = std::future::poll_fn(|cx| std::task::Poll::Ready(queued.as_mut().poll(cx))).await;
    assert!(first.is_pending());
    drop(queued);
    go.send(()).unwrap();
    db.write(add("next")).await.unwrap();
    assert_eq!(db.read(tenants).await.unwrap(), ["next"]);
}

#[tokio::test]
async fn a_file_that_cannot_be_written_says_so_and_still_reads() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder);
    db.write(add("before")).await.unwrap();
    db.write(|conn| Ok(conn.pragma_update(None, "query_only", true)?)).await.unwrap();
    let error = db.write(add("after")).await.unwrap_err();
    assert_eq!((error.kind(), error.retry_advice()), (ErrorKind::Storage, Retry::Never));
    assert!(error.to_string().contains("t.db") && error.to_string().contains("writable"), "{error}");
    assert_eq!(db.read(tenants).await.unwrap(), ["before"]);
}

#[tokio::test]
async fn readers_cannot_write() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder);
    let error = db.read(|conn| Ok(conn.execute("DELETE FROM tc_tenants", [])?)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Storage, "{error}");
}

#[tokio::test]
async fn a_durable_piece_makes_its_commit_wait_for_the_disk_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions { synchronous: crate::Synchronous::Normal, ..SqliteOptions::default() };
    let db = Arc::new(Db::file(&folder.path().join("t.db"), &options, Arc::new(SystemClock)).unwrap());
    let mode = |conn: &Connection| Ok(synchronous(conn)?);
    assert_eq!(db.write(mode).await.unwrap(), 1);
    assert_eq!(db.write_durably(mode).await.unwrap(), FULL);
    assert_eq!(db.write(mode).await.unwrap(), 1, "the next one does not wait");
    let refused = db.write_durably(|_| Err::<(), _>(stopped().into())).await;
    assert!(refused.is_err());
    assert_eq!(db.write(mode).await.unwrap(), 1, "also after one that was refused");
}
