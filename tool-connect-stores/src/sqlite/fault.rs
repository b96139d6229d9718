//! What went wrong at the database, in words that say what to do.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::ErrorCode;
use tool_connect_core::{Error, ErrorKind, Retry};

/// Why a piece of work did not succeed.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The database failed.
    Sqlite(rusqlite::Error),
    /// A store said no.
    Refused(Error),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

/// What errors are explained with.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    path: Option<PathBuf>,
    busy_timeout: Duration,
}

impl Place {
    pub(crate) fn file(path: &Path, busy_timeout: Duration) -> Self {
        Self { path: Some(path.to_owned()), busy_timeout }
    }

    pub(crate) fn memory() -> Self {
        Self { path: None, busy_timeout: Duration::ZERO }
    }

    pub(crate) fn name(&self) -> String {
        self.path
            .as_deref()
            .map_or_else(|| "the database in memory".to_owned(), |path| format!("`{}`", path.display()))
    }

    pub(crate) fn busy_timeout(&self) -> Duration {
        self.busy_timeout
    }

    pub(crate) fn explain(&self, fault: Fault) -> Error {
        match fault {
            Fault::Sqlite(error) => self.explain_sqlite(&error),
            Fault::Refused(error) => error,
        }
    }

    /// SQLite's own text names tables, columns and statements, never values.
    pub(crate) fn explain_sqlite(&self, error: &rusqlite::Error) -> Error {
        let name = self.name();
        let (kind, message, retry) = match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => (
                ErrorKind::Storage,
                format!(
                    "there is no room left for {name}: free space on its disk, purge what has expired, or raise `max_bytes`"
                ),
                Retry::Backoff,
            ),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (
                ErrorKind::Storage,
                format!(
                    "another process kept {name} locked for longer than {:?}: find the one that holds it, or raise `busy_timeout`",
                    self.busy_timeout
                ),
                Retry::Backoff,
            ),
            Some(ErrorCode::ReadOnly) => (
                ErrorKind::Storage,
                format!("{name} cannot be written: make the file and its folder writable for this process"),
                Retry::Never,
            ),
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => (
                ErrorKind::Storage,
                format!("{name} cannot be opened: let this process read and write the file and its folder"),
                Retry::Never,
            ),
            Some(ErrorCode::NotADatabase) => (
                ErrorKind::Config,
                format!("{name} is not a SQLite database: name another file, or restore it from a backup"),
                Retry::Never,
            ),
            Some(ErrorCode::DatabaseCorrupt) => (
                ErrorKind::Storage,
                format!("{name} is damaged: stop every process that uses it and restore it from a backup"),
                Retry::Never,
            ),
            Some(ErrorCode::SystemIoFailure) => (
                ErrorKind::Storage,
                format!("the disk failed under {name}: check the disk and the system's log"),
                Retry::Backoff,
            ),
            _ => (ErrorKind::Storage, format!("{name} refused a statement; this is a defect"), Retry::Never),
        };
        Error::new(kind, message).retry(retry).with("sqlite", error)
    }
}
