//! One statement, from its text to its rows.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::types::{Value as SqlValue, ValueRef};
use rusqlite::{Connection, Rows};
use serde_json::Value;
use tool_connect_core::{Effect, Error, ErrorKind, Result, ToolContext};

use super::super::access::{Access, Limits, Mode, Statement};
use super::super::collect::{Cell, Column, Table, base64_of, counted, unfit};
use super::errors::refused;

/// Instructions of SQLite's machine between two looks at the clock: some ten microseconds.
const LOOK: i32 = 1000;

/// Columns of a result: each of its values is held at once. As a limit of the connection it would refuse files with wider tables.
const COLUMNS: usize = 256;

/// Ends a statement whose time is up or whose caller is gone; taken off the connection when dropped.
pub(super) struct Stop<'c> {
    connection: &'c Connection,
    late: Arc<AtomicBool>,
    time: Duration,
}

impl<'c> Stop<'c> {
    pub(super) fn arm(connection: &'c Connection, cx: &ToolContext<Access>, time: Duration) -> Result<Self> {
        let late = Arc::new(AtomicBool::new(false));
        let (cx, out) = (cx.clone(), Arc::clone(&late));
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let end = cx.clock().monotonic().saturating_add(nanos);
        let look = move || {
            if cx.clock().monotonic() >= end {
                out.store(true, Ordering::Relaxed);
                return true;
            }
            cx.is_canceled()
        };
        connection.progress_handler(LOOK, Some(look)).map_err(|e| refused(e, Mode::Read))?;
        Ok(Self { connection, late, time })
    }

    /// Says why a statement was interrupted.
    pub(super) fn explain(&self, error: Error) -> Error {
        if error.kind() != ErrorKind::Canceled || !self.late.load(Ordering::Relaxed) {
            return error;
        }
        let message = format!(
            "the statement ran longer than {:?} and was stopped, without effect; ask for less, or use an index",
            self.time
        );
        Error::new(ErrorKind::DeadlineExceeded, message.clone()).public(message).effect(Effect::NotExecuted)
    }
}

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        // It only fails for a connection that is not our own.
        let _ = self.connection.progress_handler(0, None::<fn() -> bool>);
    }
}

pub(super) fn run(connection: &Connection, statement: &Statement, limits: &Limits) -> Result<Table> {
    let refused = |e| refused(e, statement.mode);
    let mut prepared = connection.prepare(&statement.sql).map_err(refused)?;
    if statement.mode == Mode::Read && !prepared.readonly() {
        return Err(super::errors::denied(statement.mode));
    }
    counted(statement.parameters.len(), prepared.parameter_count())?;
    for (index, value) in statement.parameters.iter().enumerate() {
        prepared.raw_bind_parameter(index + 1, parameter(index, value)?).map_err(refused)?;
    }
    let columns = prepared
        .columns()
        .iter()
        .map(|column| Column { name: column.name().to_owned(), kind: column.decl_type().map(str::to_owned) })
        .collect::<Vec<_>>();
    let width = columns.len();
    if width > COLUMNS {
        let message = format!("returns {width} columns and may return {COLUMNS}; name those that matter");
        return Err(Error::invalid_argument("/sql", message));
    }
    let mut table = Table::new(columns, statement.rows, limits);
    let before = connection.total_changes();
    let mut rows = prepared.raw_query();
    collect(&mut rows, width, &mut table, statement.mode, limits).map_err(refused)?;
    drop(rows);
    if statement.mode == Mode::Rows {
        table.affected = Some(connection.total_changes().saturating_sub(before));
    }
    Ok(table)
}

/// A statement that reads may end early; one that changes something runs to its end.
fn collect(
    rows: &mut Rows<'_>,
    width: usize,
    table: &mut Table,
    mode: Mode,
    limits: &Limits,
) -> rusqlite::Result<()> {
    while let Some(row) = rows.next()? {
        let cells =
            (0..width).map(|at| Ok(cell(row.get_ref(at)?, limits))).collect::<rusqlite::Result<_>>()?;
        if !table.push(cells) && mode == Mode::Read {
            break;
        }
    }
    Ok(())
}

fn cell(value: ValueRef<'_>, limits: &Limits) -> Cell {
    match value {
        ValueRef::Null => Cell::Value(Value::Null),
        ValueRef::Integer(number) => Cell::Value(number.into()),
        ValueRef::Real(number) => Cell::float(number),
        ValueRef::Text(text) => match std::str::from_utf8(text) {
            Ok(text) => Cell::text(text, limits),
            Err(_) => Cell::bytes(text, limits),
        },
        ValueRef::Blob(bytes) => Cell::bytes(bytes, limits),
    }
}

fn parameter(index: usize, value: &Value) -> Result<SqlValue> {
    Ok(match value {
        Value::Null => SqlValue::Null,
        Value::Bool(yes) => SqlValue::Integer((*yes).into()),
        Value::String(text) => SqlValue::Text(text.clone()),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => SqlValue::Integer(number),
            (None, Some(real)) if !number.is_u64() => SqlValue::Real(real),
            _ => {
                return Err(unfit(
                    index,
                    "is a number that SQLite cannot hold: integers have 64 bits with a sign",
                ));
            }
        },
        Value::Array(_) | Value::Object(_) => match base64_of(value) {
            Some(Ok(bytes)) => SqlValue::Blob(bytes),
            Some(Err(())) => return Err(unfit(index, "is not Base64 (RFC 4648 §4, with padding)")),
            None => {
                return Err(unfit(
                    index,
                    "must be null, a boolean, a number, a text, or bytes as {\"base64\": \"..\"}; give JSON as text",
                ));
            }
        },
    })
}
