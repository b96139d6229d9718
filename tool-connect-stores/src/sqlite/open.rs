//! Opens connections: checks the path, sets every connection up alike, migrates.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags};
use tool_connect_core::{Error, ErrorKind, Result};

use super::fault::{Fault, Place};
use super::migrations::migrate;
use super::options::{SqliteOptions, Synchronous};

/// More statements than all stores have.
const STATEMENTS: usize = 128;

/// Checks the path before SQLite does, whose one answer to everything is "unable to open".
pub(crate) fn check_path(path: &Path) -> Result<()> {
    let refuse = |what: &str| Err(Error::new(ErrorKind::Config, format!("`{}` {what}", path.display())));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if folder.is_some_and(|folder| !folder.is_dir()) {
        return refuse("lies in a folder that does not exist: make the folder, or correct the path");
    }
    if path.is_dir() {
        return refuse("is a folder: name a file in it");
    }
    Ok(())
}

/// Makes a missing file readable for its owner alone; SQLite gives its helper files the same mode.
fn make_private(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        // Where this fails, SQLite fails next and says why.
        let _ = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    }
    #[cfg(not(unix))]
    let _ = path;
}

/// The connection that writes, with the tables up to date.
pub(crate) fn writer(
    path: &Path,
    options: &SqliteOptions,
    now: i64,
    place: &Place,
) -> Result<Connection, Fault> {
    make_private(path);
    let mut conn = connect(path, options)?;
    to_wal(&conn, options.busy_timeout)?;
    conn.pragma_update(
        None,
        "synchronous",
        match options.synchronous {
            Synchronous::Full => "FULL",
            Synchronous::Normal => "NORMAL",
        },
    )?;
    // What is deleted is overwritten: expired results and destroyed keys are gone, not just hidden.
    conn.pragma_update(None, "secure_delete", true)?;
    let limit = i64::try_from(options.journal_size_limit).unwrap_or(i64::MAX);
    conn.pragma_update_and_check(None, "journal_size_limit", limit, |_| Ok(()))?;
    migrate(&mut conn, now, place)?;
    if let Some(bytes) = options.max_bytes {
        let page: i64 = conn.pragma_query_value(None, "page_size", |row| row.get(0))?;
        let pages =
            (i64::try_from(bytes).unwrap_or(i64::MAX) / page.max(1)).clamp(1, i64::from(u32::MAX - 1));
        conn.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
    }
    Ok(conn)
}

/// A connection that only reads.
pub(crate) fn reader(path: &Path, options: &SqliteOptions) -> Result<Connection, Fault> {
    let conn = connect(path, options)?;
    conn.pragma_update(None, "query_only", true)?;
    Ok(conn)
}

/// The one connection of a database in memory.
pub(crate) fn memory(now: i64, place: &Place) -> Result<Connection, Fault> {
    let mut conn = Connection::open_in_memory()?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    conn.pragma_update(None, "foreign_keys", true)?;
    migrate(&mut conn, now, place)?;
    Ok(conn)
}

fn connect(path: &Path, options: &SqliteOptions) -> Result<Connection, Fault> {
    // Each connection stays on one thread. The path is absolute, so that SQLite never takes it for
    // a URI.
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(options.busy_timeout)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    conn.pragma_update(None, "foreign_keys", true)?;
    conn.pragma_update(None, "trusted_schema", false)?;
    Ok(conn)
}

/// Turns the write-ahead log on. Processes that open a new file at once get "busy" here without the
/// busy time-out, so this waits by itself.
fn to_wal(conn: &Connection, patience: Duration) -> Result<(), Fault> {
    let start = Instant::now();
    loop {
        let mode = conn.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0));
        match mode {
            Ok(mode) if mode.eq_ignore_ascii_case("wal") => return Ok(()),
            Ok(mode) => {
                return Err(Fault::Refused(
                    Error::new(
                        ErrorKind::Storage,
                        "the file system has no shared memory for SQLite's write-ahead log: use a local disk",
                    )
                    .with("journal_mode", mode),
                ));
            }
            Err(error)
                if matches!(
                    error.sqlite_error_code(),
                    Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
                ) && start.elapsed() < patience =>
            {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(error) => return Err(error.into()),
        }
    }
}
