//! SQLite: one file, opened read-only for reading calls; an authorizer decides what a statement may touch, a progress
//! handler ends it when its time is up.

mod catalog;
mod errors;
mod guard;
mod run;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};
use tool_connect_core::{Error, ErrorKind, Result, ToolContext};

use super::access::{Access, Mode, Statement};
use super::collect::Table;
use super::describe::TableDescription;
use super::list::TableName;

/// Largest text or blob that a statement may make, in bytes, and so what it may hold in memory at once.
const VALUE: i32 = 64 * 1024 * 1024;
/// How long a write waits for another one's lock.
const BUSY: Duration = Duration::from_secs(5);
/// Idle connections that are kept, per mode.
const IDLE: usize = 8;

/// A database file and its idle connections.
#[derive(Clone)]
pub(super) struct Sqlite(Arc<Inner>);

struct Inner {
    path: PathBuf,
    readers: Mutex<Vec<Connection>>,
    writers: Mutex<Vec<Connection>>,
}

impl Sqlite {
    pub(super) fn new(path: PathBuf) -> Self {
        Self(Arc::new(Inner { path, readers: Mutex::default(), writers: Mutex::default() }))
    }

    /// Opens the file once, so that a mistake shows before the first call.
    pub(super) fn check(path: &Path) -> Result<()> {
        let refused = |e: rusqlite::Error| {
            Error::new(ErrorKind::Config, "the file of a SQLite database cannot be opened, or is none")
                .caused_by(e)
        };
        let connection = open(path, Mode::Read).map_err(refused)?;
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(refused)
    }

    /// Runs blocking work on a connection of this mode, which goes back to the idle ones.
    async fn with<R: Send + 'static>(
        &self,
        cx: &ToolContext<Access>,
        mode: Mode,
        work: impl FnOnce(&Connection) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        let this = self.clone();
        cx.blocking(move || {
            let idle = match mode {
                Mode::Read => Some(&this.0.readers),
                Mode::Rows => Some(&this.0.writers),
                // Schemas change rarely, and one connection must not keep what the other may.
                Mode::Schema => None,
            };
            let waiting = idle.and_then(|idle| idle.lock().unwrap_or_else(PoisonError::into_inner).pop());
            let connection = match waiting {
                Some(connection) => connection,
                None => open(&this.0.path, mode).map_err(|e| errors::refused(e, mode))?,
            };
            let result = work(&connection);
            if let Some(idle) = idle {
                let mut idle = idle.lock().unwrap_or_else(PoisonError::into_inner);
                // One that a statement left inside of a transaction is closed, which rolls it back.
                if idle.len() < IDLE && connection.is_autocommit() {
                    idle.push(connection);
                }
            }
            result
        })
        .await
    }

    pub(super) async fn run(&self, cx: &ToolContext<Access>, statement: Statement) -> Result<Table> {
        let access = cx.state()?.clone();
        let (call, time) = (cx.clone(), access.time(cx));
        self.with(cx, statement.mode, move |connection| {
            let stop = run::Stop::arm(connection, &call, time)?;
            run::run(connection, &statement, access.limits()).map_err(|e| stop.explain(e))
        })
        .await
    }

    pub(super) async fn tables(
        &self,
        cx: &ToolContext<Access>,
        schema: Option<String>,
    ) -> Result<Vec<TableName>> {
        self.with(cx, Mode::Read, move |connection| catalog::tables(connection, schema.as_deref())).await
    }

    pub(super) async fn describe(
        &self,
        cx: &ToolContext<Access>,
        schema: Option<String>,
        table: String,
    ) -> Result<TableDescription> {
        self.with(cx, Mode::Read, move |connection| catalog::describe(connection, schema.as_deref(), &table))
            .await
    }
}

/// A connection that can do no more than its mode allows, whatever the statement says.
fn open(path: &Path, mode: Mode) -> rusqlite::Result<Connection> {
    let access = match mode {
        Mode::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
        Mode::Rows | Mode::Schema => OpenFlags::SQLITE_OPEN_READ_WRITE,
    };
    // Without SQLITE_OPEN_URI: a name is a name.
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, VALUE)?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    // What stands in the file is not ours: views and triggers may call harmless functions only.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true)?;
    connection.authorizer(Some(move |context: rusqlite::hooks::AuthContext<'_>| {
        guard::decide(mode, &context.action)
    }))?;
    Ok(connection)
}
