//! How core's values are kept in columns.

use std::time::{Duration, SystemTime};

use rusqlite::{Connection, OptionalExtension};
use tool_connect_core::{
    Clock, Error, ErrorKind, Owner, Result, TeamId, TenantId, UserId, from_unix_millis, unix_millis,
};

use super::fault::Fault;

/// The last millisecond of the year 9999: what never ends, ends there.
const LAST_MILLI: i64 = 253_402_300_799_999;

/// A time as milliseconds since the Unix epoch.
pub(crate) fn millis(time: SystemTime) -> i64 {
    i64::try_from(unix_millis(time)).unwrap_or(LAST_MILLI).min(LAST_MILLI)
}

pub(crate) fn time(millis: i64) -> SystemTime {
    from_unix_millis(u64::try_from(millis).unwrap_or(0))
}

pub(crate) fn now(clock: &dyn Clock) -> i64 {
    millis(clock.now())
}

/// When something that begins now and lasts so long ends.
pub(crate) fn after(now: i64, span: Duration) -> i64 {
    let span = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
    now.saturating_add(span).min(LAST_MILLI)
}

/// A count or number that a column must hold.
pub(crate) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number that a column holds, which was never negative when it was written.
pub(crate) fn natural(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// A tenant's small number; `None` for a tenant that never wrote.
pub(crate) fn tenant_no(conn: &Connection, tenant: &TenantId) -> rusqlite::Result<Option<i64>> {
    conn.prepare_cached("SELECT no FROM tc_tenants WHERE id = ?1")?
        .query_row([tenant.as_str()], |row| row.get(0))
        .optional()
}

/// A tenant's small number, given on its first write.
pub(crate) fn tenant_for_write(conn: &Connection, tenant: &TenantId) -> rusqlite::Result<i64> {
    if let Some(no) = tenant_no(conn, tenant)? {
        return Ok(no);
    }
    conn.prepare_cached("INSERT INTO tc_tenants (id) VALUES (?1)")?.execute([tenant.as_str()])?;
    Ok(conn.last_insert_rowid())
}

/// A stored text as the value that it was; a text that this version does not know is an error that
/// names the column.
pub(crate) fn decoded<T, E>(column: &'static str, value: Result<T, E>) -> Result<T, Fault> {
    value.map_err(|_| {
        Fault::Refused(
            Error::new(
                ErrorKind::Storage,
                "the database holds a value that this version does not know: it was damaged, or written by a newer version",
            )
            .retry(tool_connect_core::Retry::Never)
            .with("column", column),
        )
    })
}

/// An owner as two columns.
pub(crate) fn owner_columns(owner: &Owner) -> (&'static str, &str) {
    match owner {
        Owner::User(user) => ("user", user.as_str()),
        Owner::Team(team) => ("team", team.as_str()),
        Owner::Tenant => ("tenant", ""),
    }
}

/// An owner from its two columns.
pub(crate) fn owner(kind: &str, id: &str) -> Result<Owner, Fault> {
    match kind {
        "user" => Ok(Owner::User(decoded("owner", UserId::new(id))?)),
        "team" => Ok(Owner::Team(decoded("owner", TeamId::new(id))?)),
        "tenant" => Ok(Owner::Tenant),
        _ => decoded("owner_kind", Err(())),
    }
}

/// A value of a fieldless enum, from its stable name.
pub(crate) fn named<T: serde::de::DeserializeOwned>(column: &'static str, name: &str) -> Result<T, Fault> {
    use serde::de::IntoDeserializer as _;
    let name: serde::de::value::StrDeserializer<'_, serde::de::value::Error> = name.into_deserializer();
    decoded(column, T::deserialize(name))
}

/// A digest or key of 32 bytes.
pub(crate) fn bytes32(column: &'static str, bytes: &[u8]) -> Result<[u8; 32], Fault> {
    decoded(column, <[u8; 32]>::try_from(bytes))
}
