//! One statement, from its text to its rows.

use std::pin::pin;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use tokio_postgres::{Client, Row, RowStream, Statement as Prepared, Transaction};
use tool_connect_core::{Error, ErrorKind, Result};

use super::super::access::{Limits, Mode, Statement};
use super::super::collect::{Column, Table, counted};
use super::errors::{refused, unreachable};
use super::parameters::Parameter;
use super::text::{body, is_table, quoted};
use super::values::{Raw, expression};

/// Runs a statement in a READ ONLY transaction, which is rolled back.
pub(super) async fn read(
    client: &mut Option<Client>,
    statement: &Statement,
    limits: &Limits,
    time: Duration,
) -> Result<Table> {
    let transaction = begin(client, Mode::Read, time).await?;
    let failed = |e| refused(e, Mode::Read);
    let mut prepared = transaction.prepare(&statement.sql).await.map_err(failed)?;
    let columns = columns(&prepared);
    let parameters = parameters(statement, &prepared)?;
    if let Some(select) = readable(&prepared)? {
        if !is_table(&statement.sql) {
            return Err(unreadable());
        }
        let sql = format!(
            "SELECT {} FROM (\n{}\n) AS q ({})",
            select.expressions,
            body(&statement.sql),
            select.names
        );
        prepared = transaction.prepare(&sql).await.map_err(failed)?;
    }
    let mut table = Table::new(columns, statement.rows, limits);
    let portal = transaction.bind_raw(&prepared, &parameters).await.map_err(failed)?;
    // One more than is returned tells whether there are more.
    let most = i32::try_from(statement.rows.saturating_add(1)).unwrap_or(i32::MAX);
    let rows = transaction.query_portal_raw(&portal, most).await.map_err(failed)?;
    collect(rows, &prepared, &mut table, Mode::Read, limits).await?;
    transaction.rollback().await.map_err(failed)?;
    Ok(table)
}

/// Runs a statement that changes something, and commits it.
pub(super) async fn change(
    client: &mut Option<Client>,
    statement: &Statement,
    limits: &Limits,
    time: Duration,
) -> Result<Table> {
    let transaction = begin(client, statement.mode, time).await?;
    let failed = |e| refused(e, statement.mode);
    let mut prepared = transaction.prepare(&statement.sql).await.map_err(failed)?;
    let columns = columns(&prepared);
    let parameters = parameters(statement, &prepared)?;
    if let Some(select) = readable(&prepared)? {
        let Select { expressions, names } = select;
        let sql = format!("WITH q ({names}) AS (\n{}\n) SELECT {expressions} FROM q", body(&statement.sql));
        prepared = transaction.prepare(&sql).await.map_err(|_| unreadable())?;
    }
    let mut table = Table::new(columns, statement.rows, limits);
    let rows = transaction.query_raw(&prepared, &parameters).await.map_err(failed)?;
    let affected = collect(rows, &prepared, &mut table, statement.mode, limits).await?;
    // A change of the schema counts no rows.
    table.affected = affected.filter(|_| statement.mode == Mode::Rows);
    transaction.commit().await.map_err(failed)?;
    Ok(table)
}

/// A transaction with its time-outs, which the server keeps.
pub(super) async fn begin(
    client: &mut Option<Client>,
    mode: Mode,
    time: Duration,
) -> Result<Transaction<'_>> {
    let Some(client) = client else {
        return Err(Error::new(ErrorKind::Internal, "a connection was used after it was given back"));
    };
    let transaction =
        client.build_transaction().read_only(mode == Mode::Read).start().await.map_err(unreachable)?;
    let millis = time.as_millis().clamp(1, i32::MAX.unsigned_abs().into());
    let settings = format!(
        "SET LOCAL statement_timeout = {millis}; SET LOCAL lock_timeout = {millis}; \
         SET LOCAL idle_in_transaction_session_timeout = {}; SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO'; \
         SET LOCAL IntervalStyle = 'iso_8601'",
        millis.saturating_add(10_000).min(i32::MAX.unsigned_abs().into())
    );
    transaction.batch_execute(&settings).await.map_err(unreachable)?;
    Ok(transaction)
}

fn columns(prepared: &Prepared) -> Vec<Column> {
    prepared
        .columns()
        .iter()
        .map(|column| Column { name: column.name().to_owned(), kind: Some(column.type_().name().to_owned()) })
        .collect()
}

fn parameters(statement: &Statement, prepared: &Prepared) -> Result<Vec<Parameter>> {
    counted(statement.parameters.len(), prepared.params().len())?;
    let given = statement.parameters.iter().zip(prepared.params()).enumerate();
    given.map(|(index, (value, kind))| Parameter::new(index, value, kind)).collect()
}

/// A list of what to ask for instead of the columns themselves.
struct Select {
    expressions: String,
    names: String,
}

/// How to ask for columns whose types are not read in their binary form; `None` where all are.
fn readable(prepared: &Prepared) -> Result<Option<Select>> {
    let (mut names, mut expressions, mut plain) = (Vec::new(), Vec::new(), true);
    for (at, column) in prepared.columns().iter().enumerate() {
        let name = quoted(&format!("c{at}"));
        let expression = expression(column.type_(), &name);
        plain &= expression.is_none();
        expressions.push(expression.unwrap_or_else(|| name.clone()));
        names.push(name);
    }
    Ok((!plain).then(|| Select { expressions: expressions.join(", "), names: names.join(", ") }))
}

fn unreadable() -> Error {
    let message = "a column has a type that cannot be returned from this kind of statement; cast it to text in the statement";
    Error::invalid_argument("/sql", message).public(message)
}

/// Takes rows as far as the caps allow. A statement that reads may end early; one that changes something runs to its end.
async fn collect(
    rows: RowStream,
    prepared: &Prepared,
    table: &mut Table,
    mode: Mode,
    limits: &Limits,
) -> Result<Option<u64>> {
    let failed = |e| refused(e, mode);
    let mut rows = pin!(rows);
    while let Some(row) = rows.try_next().await.map_err(failed)? {
        if !table.push(cells(&row, prepared, limits)?) && mode == Mode::Read {
            break;
        }
    }
    Ok(rows.rows_affected())
}

fn cells(row: &Row, prepared: &Prepared, limits: &Limits) -> Result<Vec<super::super::collect::Cell>> {
    let broken = || Error::new(ErrorKind::Provider, "the database sent a value that its type does not have");
    let columns = prepared.columns().iter().enumerate();
    columns
        .map(|(at, column)| {
            let raw: Raw<'_> = row.try_get(at).map_err(|_| broken())?;
            raw.cell(column.type_(), limits).ok_or_else(broken)
        })
        .collect()
}
