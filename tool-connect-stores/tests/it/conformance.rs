//! The stores keep to the rules of their traits, on a file and in memory.

use std::sync::Arc;

use tempfile::TempDir;
use tool_connect_core::store::Stores;
use tool_connect_stores::{SqliteOptions, SqliteStores, Synchronous};
use tool_connect_testkit::ManualClock;

use crate::support::folder;

fn on_file(clock: Arc<ManualClock>) -> (Stores, TempDir) {
    let (folder, path) = folder();
    // Nothing here cuts the power, so the tests need not wait for the disk.
    let options = SqliteOptions { synchronous: Synchronous::Normal, ..SqliteOptions::default() };
    (SqliteStores::open_with_clock(path, options, clock).expect("open").stores(), folder)
}

fn in_memory(clock: Arc<ManualClock>) -> (Stores, ()) {
    (SqliteStores::in_memory_with_clock(clock).expect("open").stores(), ())
}

macro_rules! every_suite {
    ($open:ident) => {
        mod $open {
            use std::sync::Arc;
            use tool_connect_testkit::{ManualClock, conformance};

            macro_rules! suite {
                ($suite:ident, $field:ident) => {
                    conformance!($suite, async |clock: Arc<ManualClock>| {
                        let (stores, guard) = crate::conformance::$open(clock);
                        (Arc::clone(&stores.$field), guard)
                    });
                };
            }
            suite!(approvals, approvals);
            suite!(audit, audit);
            suite!(authorizations, authorizations);
            suite!(connections, connections);
            suite!(credentials, credentials);
            suite!(grants, grants);
            suite!(idempotency, idempotency);
            suite!(leases, leases);
            suite!(quotas, quotas);
            suite!(results, results);
        }
    };
}

every_suite!(on_file);
every_suite!(in_memory);
