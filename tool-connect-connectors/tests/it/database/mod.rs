//! The database connector on real databases: a SQLite file, and a Postgres server that is brought.

mod postgres;
mod sqlite;

use serde_json::Value;

/// Rows without their columns.
fn rows(answer: &Value) -> &Value {
    &answer["rows"]
}
