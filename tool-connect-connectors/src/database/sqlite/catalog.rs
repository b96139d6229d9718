//! Tables, columns, keys and indexes, out of SQLite's own pragmas.

use rusqlite::{Connection, OptionalExtension as _, params};
use tool_connect_core::{Error, ErrorKind, Result};

use super::super::access::Mode;
use super::super::describe::{ColumnDescription, ForeignKey, Index, TableDescription};
use super::super::list::{TableKind, TableName};
use super::errors::refused;

pub(super) fn tables(connection: &Connection, schema: Option<&str>) -> Result<Vec<TableName>> {
    let read = || {
        let mut statement = connection.prepare(
            "SELECT schema, name, type FROM pragma_table_list \
             WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND type <> 'shadow' AND (?1 IS NULL OR schema = ?1)",
        )?;
        let rows = statement.query_map(params![schema], |row| {
            Ok(TableName {
                schema: row.get(0)?,
                name: row.get(1)?,
                kind: kind(&row.get::<_, String>(2)?),
                rows: None,
                comment: None,
            })
        })?;
        rows.collect::<rusqlite::Result<Vec<_>>>()
    };
    read().map_err(|e| refused(e, Mode::Read))
}

fn kind(word: &str) -> TableKind {
    match word {
        "view" => TableKind::View,
        "virtual" => TableKind::Virtual,
        _ => TableKind::Table,
    }
}

pub(super) fn describe(
    connection: &Connection,
    schema: Option<&str>,
    table: &str,
) -> Result<TableDescription> {
    let found = connection
        .query_row(
            "SELECT schema, name, type FROM pragma_table_list WHERE name = ?1 COLLATE NOCASE AND (?2 IS NULL OR schema = ?2) \
             ORDER BY schema = 'main' DESC",
            params![table, schema],
            |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?)),
        )
        .optional()
        .map_err(|e| refused(e, Mode::Read))?;
    let Some((schema, name, word)) = found else {
        let message = "there is no such table or view; `list_tables` shows what there is";
        return Err(Error::new(ErrorKind::NotFound, message).public(message));
    };
    let read = || {
        let (columns, primary_key) = columns(connection, &schema, &name)?;
        Ok(TableDescription {
            columns,
            primary_key,
            foreign_keys: foreign_keys(connection, &schema, &name)?,
            indexes: indexes(connection, &schema, &name)?,
            kind: kind(&word),
            comment: None,
            schema,
            name,
        })
    };
    read().map_err(|e| refused(e, Mode::Read))
}

fn columns(
    connection: &Connection,
    schema: &str,
    table: &str,
) -> rusqlite::Result<(Vec<ColumnDescription>, Vec<String>)> {
    let mut statement = connection.prepare(
        "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?2, ?1) WHERE hidden <> 1",
    )?;
    let mut rows = statement.query(params![schema, table])?;
    let (mut columns, mut key) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        let place: i64 = row.get(4)?;
        if place > 0 {
            key.push((place, name.clone()));
        }
        columns.push(ColumnDescription {
            name,
            kind: row.get(1)?,
            nullable: !row.get::<_, bool>(2)? && place == 0,
            default: row.get(3)?,
            generated: row.get::<_, i64>(5)? >= 2,
            values: Vec::new(),
            comment: None,
        });
    }
    key.sort();
    Ok((columns, key.into_iter().map(|(_, name)| name).collect()))
}

fn foreign_keys(connection: &Connection, schema: &str, table: &str) -> rusqlite::Result<Vec<ForeignKey>> {
    let mut statement = connection.prepare(
        "SELECT id, \"table\", \"from\", \"to\" FROM pragma_foreign_key_list(?2, ?1) ORDER BY id, seq",
    )?;
    let mut rows = statement.query(params![schema, table])?;
    let mut keys: Vec<(i64, ForeignKey)> = Vec::new();
    while let Some(row) = rows.next()? {
        let id = row.get(0)?;
        if keys.last().is_none_or(|(last, _)| *last != id) {
            keys.push((id, ForeignKey { columns: Vec::new(), table: row.get(1)?, references: Vec::new() }));
        }
        if let Some((_, key)) = keys.last_mut() {
            key.columns.push(row.get(2)?);
            // Without a name it is the other table's primary key.
            key.references.extend(row.get::<_, Option<String>>(3)?);
        }
    }
    Ok(keys.into_iter().map(|(_, key)| key).collect())
}

fn indexes(connection: &Connection, schema: &str, table: &str) -> rusqlite::Result<Vec<Index>> {
    let mut statement =
        connection.prepare("SELECT name, \"unique\" FROM pragma_index_list(?2, ?1) ORDER BY name")?;
    let mut within = connection
        .prepare("SELECT coalesce(name, '(expression)') FROM pragma_index_info(?2, ?1) ORDER BY seqno")?;
    let found = statement
        .query_map(params![schema, table], |row| Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?)))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    found
        .into_iter()
        .map(|(name, unique)| {
            let columns = within
                .query_map(params![schema, name], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            Ok(Index { name, columns, unique })
        })
        .collect()
}
