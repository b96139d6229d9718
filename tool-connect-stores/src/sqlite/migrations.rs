//! The tables, step by step. A step that was released is never edited: its checksum is recorded, and
//! a difference stops the library from opening the file.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use tool_connect_core::{Error, ErrorKind};

use super::fault::{Fault, Place};

/// The steps; the first one has number 1.
const STEPS: &[&str] = &[
    include_str!("migrations/0001_stores.sql"),
    include_str!("migrations/0002_connecting.sql"),
    include_str!("migrations/0003_audit_segments.sql"),
];

/// 64-bit FNV-1a: it tells an edited step from the released one, nothing more.
fn checksum(sql: &str) -> String {
    let hash = sql.bytes().filter(|byte| *byte != b'\r').fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{hash:016x}")
}

/// Brings the tables up to date. Processes that start at once wait for each other: one applies a
/// step, the others find it applied.
pub(crate) fn migrate(conn: &mut Connection, now: i64, place: &Place) -> Result<(), Fault> {
    migrate_to(STEPS, conn, now, place)
}

fn migrate_to(steps: &[&str], conn: &mut Connection, now: i64, place: &Place) -> Result<(), Fault> {
    if applied(conn, place)? >= steps.len() {
        return Ok(());
    }
    let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(
        "CREATE TABLE IF NOT EXISTS tool_connect_migrations (
             version INTEGER PRIMARY KEY, applied_at INTEGER NOT NULL, checksum TEXT NOT NULL
         ) STRICT",
    )?;
    let from = applied(&transaction, place)?;
    for (step, version) in steps.iter().zip(1_i64..).skip(from) {
        transaction.execute_batch(step)?;
        transaction.execute(
            "INSERT INTO tool_connect_migrations (version, applied_at, checksum) VALUES (?1, ?2, ?3)",
            params![version, now, checksum(step)],
        )?;
    }
    transaction.commit()?;
    Ok(())
}

/// How many steps were applied, each as it is known here.
fn applied(conn: &Connection, place: &Place) -> Result<usize, Fault> {
    let table = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'tool_connect_migrations'";
    if conn.query_row(table, [], |_| Ok(())).optional()?.is_none() {
        return Ok(0);
    }
    let mut statement =
        conn.prepare("SELECT version, checksum FROM tool_connect_migrations ORDER BY version")?;
    let mut rows = statement.query([])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        let (version, recorded): (i64, String) = (row.get(0)?, row.get(1)?);
        let step = usize::try_from(version).ok().and_then(|version| STEPS.get(version.checked_sub(1)?));
        let Some(step) = step else {
            return Err(Fault::Refused(
                Error::new(
                    ErrorKind::Config,
                    format!(
                        "{} was written by a newer version of tool-connect: use that version or a later one, or name another file",
                        place.name()
                    ),
                )
                .with("found", version)
                .with("known", STEPS.len()),
            ));
        };
        if checksum(step) != recorded {
            return Err(Fault::Refused(Error::new(
                ErrorKind::Config,
                format!(
                    "the tables of {} were made by another edition of migration {version}: open it with the version that made it",
                    place.name()
                ),
            )));
        }
        count += 1;
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_the_first_step_keeps_what_it_holds() {
        let place = Place::memory();
        let mut conn = Connection::open_in_memory().unwrap();
        migrate_to(&STEPS[..1], &mut conn, 1, &place).unwrap();
        conn.execute_batch(
            "INSERT INTO tc_tenants (no, id) VALUES (1, 'acme');
             INSERT INTO tc_connections VALUES (1, 'c', 'user', 'ada', 'github', 'active', NULL, 'ada', 1, 5, 3);
             UPDATE tc_fences SET last = 7 WHERE name = 'idempotency'",
        )
        .unwrap();
        migrate(&mut conn, 2, &place).unwrap();
        migrate(&mut conn, 3, &place).unwrap();
        let kept = "SELECT label || version || config || coalesce(account, '-') FROM tc_connections";
        assert_eq!(conn.query_row(kept, [], |row| row.get::<_, String>(0)).unwrap(), "ada3{}-");
        let fence = "SELECT last FROM tc_fences WHERE name = 'idempotency'";
        assert_eq!(conn.query_row(fence, [], |row| row.get::<_, i64>(0)).unwrap(), 7);
        assert_eq!(applied(&conn, &place).unwrap(), STEPS.len());
    }
}
