//! What the tools of one instance share: the database and the caps.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tool_connect_core::{Result, ToolContext};

use super::collect::Table;
use super::describe::TableDescription;
use super::list::TableName;
#[cfg(feature = "database-postgres")]
use super::postgres::Postgres;
#[cfg(feature = "database-sqlite")]
use super::sqlite::Sqlite;

/// The database of a [`Database`](super::Database) instance and its caps: the state of its tools. A clone is one counter.
#[derive(Clone)]
pub struct Access(Arc<Inner>);

struct Inner {
    backend: Backend,
    limits: Limits,
}

/// Which database it is.
pub(super) enum Backend {
    #[cfg(feature = "database-sqlite")]
    Sqlite(Sqlite),
    #[cfg(feature = "database-postgres")]
    Postgres(Box<Postgres>),
}

/// Caps of one instance; sizes in bytes.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    /// Rows that one call returns.
    pub(super) rows: u32,
    /// Size of all values that one call returns in place.
    pub(super) bytes: u64,
    /// Largest value that is returned in place; larger ones come by handle.
    pub(super) value_bytes: u64,
    /// Size of the larger ones of one call together, which are held until the statement is done.
    pub(super) held: u64,
    /// How long a statement may run.
    pub(super) time: Duration,
    /// How long a handle stays good.
    pub(super) keep: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            rows: 1000,
            bytes: 1024 * 1024,
            value_bytes: 64 * 1024,
            held: 64 * 1024 * 1024,
            time: Duration::from_secs(30),
            keep: Duration::from_secs(60 * 60),
        }
    }
}

/// What a statement may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Read.
    Read,
    /// Insert, update and delete rows.
    Rows,
    /// Change the schema, too.
    Schema,
}

/// A statement to run.
pub(super) struct Statement {
    pub(super) sql: String,
    pub(super) parameters: Vec<Value>,
    /// Rows that are returned; at most the instance's cap.
    pub(super) rows: u32,
    pub(super) mode: Mode,
}

impl Access {
    pub(super) fn new(backend: Backend, limits: Limits) -> Self {
        Self(Arc::new(Inner { backend, limits }))
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// How long a statement of this call may run.
    pub(super) fn time(&self, cx: &ToolContext<Self>) -> Duration {
        cx.remaining().map_or(self.0.limits.time, |left| left.min(self.0.limits.time))
    }

    pub(super) async fn run(&self, cx: &ToolContext<Self>, statement: Statement) -> Result<Table> {
        match &self.0.backend {
            #[cfg(feature = "database-sqlite")]
            Backend::Sqlite(database) => database.run(cx, statement).await,
            #[cfg(feature = "database-postgres")]
            Backend::Postgres(database) => database.run(cx, statement).await,
        }
    }

    pub(super) async fn tables(
        &self,
        cx: &ToolContext<Self>,
        schema: Option<String>,
    ) -> Result<Vec<TableName>> {
        match &self.0.backend {
            #[cfg(feature = "database-sqlite")]
            Backend::Sqlite(database) => database.tables(cx, schema).await,
            #[cfg(feature = "database-postgres")]
            Backend::Postgres(database) => database.tables(cx, schema).await,
        }
    }

    pub(super) async fn describe(
        &self,
        cx: &ToolContext<Self>,
        schema: Option<String>,
        table: String,
    ) -> Result<TableDescription> {
        match &self.0.backend {
            #[cfg(feature = "database-sqlite")]
            Backend::Sqlite(database) => database.describe(cx, schema, table).await,
            #[cfg(feature = "database-postgres")]
            Backend::Postgres(database) => database.describe(cx, schema, table).await,
        }
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").field("limits", &self.0.limits).finish_non_exhaustive()
    }
}
