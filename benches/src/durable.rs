//! Calls with a durable audit on the SQLite default, beside a hand-written batched insert loop that writes rows of the same
//! size with the same safety (WAL, `synchronous = FULL`).

use std::cell::Cell;
use std::path::Path;

use bytes::Bytes;
use rusqlite::Connection;
use tokio::runtime::Runtime;
use tool_connect_core::store::SealedSegment;
use tool_connect_core::{Arguments, Connector};
use tool_connect_hub::Hub;
use tool_connect_stores::{SqliteOptions, SqliteStores};

use crate::dispatch::caller;
use crate::race::{Contender, race};
use crate::subject::{Numbers, TEXT, name};
use crate::table::{Table, Target, rate};

const CALLS: usize = 6_400;

struct Durable {
    hub: Hub,
    runtime: Runtime,
    /// How many call at the same time.
    callers: usize,
}

impl Durable {
    fn new(path: &Path, connector: impl Connector, callers: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.expect("a runtime starts");
        let stores = SqliteStores::open(path, SqliteOptions::default()).expect("the database opens");
        // The audit's default: fail closed.
        let hub =
            Hub::builder().stores(stores.stores()).connector(connector).build().expect("the hub is built");
        Self { hub, runtime, callers }
    }

    /// So many calls, and all of their records on disk.
    fn calls(&self, n: usize) {
        self.runtime.block_on(async {
            let callers = (0..self.callers.min(n)).map(|caller_no| {
                let session = self.hub.session(caller());
                let calls = n / self.callers.min(n);
                tokio::spawn(async move {
                    let id = format!("tracker.{}", name(caller_no % 10));
                    for _ in 0..calls {
                        let text = Arguments::Raw(Bytes::from_static(TEXT.as_bytes()));
                        session.call(&id, text).await.expect("the tool answers");
                    }
                })
            });
            for caller in callers.collect::<Vec<_>>() {
                caller.await.expect("no caller panics");
            }
            let flushed = self.hub.audit().records(&caller().tenant, u64::MAX, 1).await;
            drop(flushed.expect("the trail is written"));
        });
    }

    /// How many records a call leaves, and the mean size of their payloads.
    fn footprint(&self) -> (usize, usize) {
        self.calls(self.callers);
        let records =
            self.runtime.block_on(self.hub.stores().audit.scan(&caller().tenant, 1, 10 * self.callers));
        let segments = records.expect("the trail is read");
        let records = segments.iter().flat_map(SealedSegment::records);
        let sizes: Vec<usize> = records.map(|record| record.expect("a record").payload.len()).collect();
        (sizes.len() / self.callers, sizes.iter().sum::<usize>() / sizes.len().max(1))
    }
}

/// What one would write by hand: a prepared statement, a transaction for so many rows.
struct ByHand {
    connection: Connection,
    payload: Vec<u8>,
    per_call: usize,
    batch: usize,
    next: Cell<i64>,
}

impl ByHand {
    fn new(path: &Path, payload: usize, per_call: usize, batch: usize) -> Self {
        let connection = Connection::open(path).expect("the database opens");
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
                 CREATE TABLE records (place INTEGER PRIMARY KEY, user TEXT NOT NULL, millis INTEGER NOT NULL,
                                       hash BLOB NOT NULL, payload BLOB NOT NULL) STRICT;",
            )
            .expect("the table is made");
        Self { connection, payload: vec![b'x'; payload], per_call, batch, next: Cell::new(1) }
    }

    fn calls(&self, n: usize) {
        let mut left = n * self.per_call;
        while left > 0 {
            let rows = left.min(self.batch);
            self.commit(rows).expect("the rows are written");
            left -= rows;
        }
    }

    fn commit(&self, rows: usize) -> rusqlite::Result<()> {
        self.connection.execute_batch("BEGIN IMMEDIATE")?;
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO records (place, user, millis, hash, payload) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        for _ in 0..rows {
            let place = self.next.replace(self.next.get() + 1);
            insert.execute((place, "ada", 1_800_000_000_000_i64, &[7_u8; 32][..], &self.payload[..]))?;
        }
        self.connection.execute_batch("COMMIT")
    }
}

fn contest(
    table: &mut Table,
    rounds: usize,
    what: &str,
    connector: Numbers,
    (callers, batch): (usize, usize),
    target: Target,
) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let ours = Durable::new(&folder.path().join("tools.db"), connector, callers);
    let (per_call, payload) = ours.footprint();
    let same = ByHand::new(&folder.path().join("hand.db"), payload, per_call, batch);
    let [ours, same] =
        race(rounds, CALLS, [Contender::new(|n| ours.calls(n)), Contender::new(|n| same.calls(n))]);
    let what =
        format!("{what}, {callers} callers: calls/s / loop of {per_call} rows a call, {batch} a commit");
    table.row(&what, rate(ours.ns()), rate(same.ns()), 1.0 / ours.over(&same), target);
}

pub(crate) fn run(table: &mut Table, rounds: usize) {
    // A write waits for its intent, so the callers fill a commit with their intents and as many outcomes of those before.
    for callers in [64, 256] {
        let sizes = (callers, 2 * callers);
        contest(table, rounds, "SQLite, writes", Numbers::new(10), sizes, Target::AtLeast(0.8));
    }
    // A read does not wait; its records go in the audit's own batches.
    contest(table, rounds, "SQLite, reads", Numbers::reading(10), (64, 1_024), Target::AtLeast(0.8));
}
