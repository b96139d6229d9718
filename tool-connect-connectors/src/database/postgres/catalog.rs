//! Tables, columns, keys and indexes, out of Postgres's own catalog.

use std::time::Duration;

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Transaction};
use tool_connect_core::{Error, ErrorKind, Result};

use super::super::access::Mode;
use super::super::describe::{ColumnDescription, ForeignKey, Index, TableDescription};
use super::super::list::{TableKind, TableName};
use super::errors::refused;
use super::run::begin;

/// Relations that are tables to a statement, without those of the system.
const RELATIONS: &str = "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'";

type Parameter<'a> = &'a (dyn ToSql + Sync);

async fn rows(transaction: &Transaction<'_>, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>> {
    transaction.query(sql, parameters).await.map_err(|e| refused(e, Mode::Read))
}

fn get<'r, T: tokio_postgres::types::FromSql<'r>>(row: &'r Row, at: usize) -> Result<T> {
    row.try_get(at).map_err(|e| {
        Error::new(ErrorKind::Provider, "the database's catalog has another form than expected").caused_by(e)
    })
}

fn kind(letter: &str) -> TableKind {
    match letter {
        "v" => TableKind::View,
        "m" => TableKind::MaterializedView,
        "f" => TableKind::ForeignTable,
        _ => TableKind::Table,
    }
}

pub(super) async fn tables(
    client: &mut Option<Client>,
    schema: Option<&str>,
    time: Duration,
) -> Result<Vec<TableName>> {
    let transaction = begin(client, Mode::Read, time).await?;
    let sql = format!(
        "SELECT n.nspname, c.relname, c.relkind::text, CASE WHEN c.reltuples >= 0 THEN c.reltuples::int8 END, \
         pg_catalog.obj_description(c.oid, 'pg_class') {RELATIONS} AND NOT c.relispartition \
         AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') \
         AND pg_catalog.has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE') \
         AND ($1::text IS NULL OR n.nspname = $1)"
    );
    let found = rows(&transaction, &sql, &[&schema]).await?;
    let tables = found.iter().map(|row| {
        Ok(TableName {
            schema: get(row, 0)?,
            name: get(row, 1)?,
            kind: kind(get(row, 2)?),
            rows: get(row, 3)?,
            comment: get(row, 4)?,
        })
    });
    tables.collect()
}

pub(super) async fn describe(
    client: &mut Option<Client>,
    schema: Option<&str>,
    table: &str,
    time: Duration,
) -> Result<TableDescription> {
    let transaction = begin(client, Mode::Read, time).await?;
    let sql = format!(
        "SELECT c.oid, n.nspname, c.relname, c.relkind::text, pg_catalog.obj_description(c.oid, 'pg_class') {RELATIONS} \
         AND c.relname = $1 AND (n.nspname = $2 OR ($2::text IS NULL AND pg_catalog.pg_table_is_visible(c.oid))) \
         AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')"
    );
    let found = rows(&transaction, &sql, &[&table, &schema]).await?;
    let Some(row) = found.first() else {
        let message = "there is no such table or view, or it lies in a schema that must be named; `list_tables` shows what there is";
        return Err(Error::new(ErrorKind::NotFound, message).public(message));
    };
    let oid: u32 = get(row, 0)?;
    let (columns, primary_key) = (columns(&transaction, oid).await?, primary_key(&transaction, oid).await?);
    Ok(TableDescription {
        schema: get(row, 1)?,
        name: get(row, 2)?,
        kind: kind(get(row, 3)?),
        comment: get(row, 4)?,
        columns,
        primary_key,
        foreign_keys: foreign_keys(&transaction, oid).await?,
        indexes: indexes(&transaction, oid).await?,
    })
}

async fn columns(transaction: &Transaction<'_>, oid: u32) -> Result<Vec<ColumnDescription>> {
    let sql = "SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), NOT a.attnotnull, \
         pg_catalog.pg_get_expr(d.adbin, d.adrelid), a.attgenerated <> '' OR a.attidentity = 'a', \
         ARRAY(SELECT e.enumlabel::text FROM pg_catalog.pg_enum e WHERE e.enumtypid = a.atttypid ORDER BY e.enumsortorder), \
         pg_catalog.col_description(a.attrelid, a.attnum) \
         FROM pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
         WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";
    let found = rows(transaction, sql, &[&oid]).await?;
    let columns = found.iter().map(|row| {
        Ok(ColumnDescription {
            name: get(row, 0)?,
            kind: get(row, 1)?,
            nullable: get(row, 2)?,
            default: get(row, 3)?,
            generated: get(row, 4)?,
            values: get(row, 5)?,
            comment: get(row, 6)?,
        })
    });
    columns.collect()
}

/// Names of a constraint's columns, in its order.
const NAMES: &str = "ARRAY(SELECT a.attname::text FROM unnest(KEYS) WITH ORDINALITY k(num, at) \
     JOIN pg_catalog.pg_attribute a ON a.attrelid = REL AND a.attnum = k.num ORDER BY k.at)";

fn names(relation: &str, keys: &str) -> String {
    NAMES.replace("KEYS", keys).replace("REL", relation)
}

async fn primary_key(transaction: &Transaction<'_>, oid: u32) -> Result<Vec<String>> {
    let sql = format!(
        "SELECT {} FROM pg_catalog.pg_constraint c WHERE c.conrelid = $1 AND c.contype = 'p'",
        names("c.conrelid", "c.conkey")
    );
    rows(transaction, &sql, &[&oid]).await?.first().map_or(Ok(Vec::new()), |row| get(row, 0))
}

async fn foreign_keys(transaction: &Transaction<'_>, oid: u32) -> Result<Vec<ForeignKey>> {
    let sql = format!(
        "SELECT {}, c.confrelid::regclass::text, {} FROM pg_catalog.pg_constraint c \
         WHERE c.conrelid = $1 AND c.contype = 'f' ORDER BY c.conname",
        names("c.conrelid", "c.conkey"),
        names("c.confrelid", "c.confkey")
    );
    let found = rows(transaction, &sql, &[&oid]).await?;
    let keys = found
        .iter()
        .map(|row| Ok(ForeignKey { columns: get(row, 0)?, table: get(row, 1)?, references: get(row, 2)? }));
    keys.collect()
}

async fn indexes(transaction: &Transaction<'_>, oid: u32) -> Result<Vec<Index>> {
    let sql = "SELECT c.relname, ARRAY(SELECT pg_catalog.pg_get_indexdef(i.indexrelid, at, true) \
         FROM generate_series(1, i.indnkeyatts) at), i.indisunique \
         FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = $1 ORDER BY c.relname";
    let found = rows(transaction, sql, &[&oid]).await?;
    found
        .iter()
        .map(|row| Ok(Index { name: get(row, 0)?, columns: get(row, 1)?, unique: get(row, 2)? }))
        .collect()
}
