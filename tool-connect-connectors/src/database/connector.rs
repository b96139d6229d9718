//! The connector: its manifest, its options and which tools an instance offers.

#[cfg(feature = "database-sqlite")]
use std::path::Path;
use std::time::Duration;

use semver::Version;
use tool_connect_core::{Connector, ConnectorLimits, ConnectorManifest, Result, ToolSet};

use super::access::{Access, Backend, Limits, Mode};
#[cfg(feature = "database-postgres")]
use super::postgres::Postgres;
#[cfg(feature = "database-postgres")]
pub use super::postgres::PostgresOptions;
#[cfg(feature = "database-sqlite")]
use super::sqlite::Sqlite;
use super::{ChangeSchema, DescribeTable, Execute, ListTables, Query};

/// How many calls of an instance run at once, unless the host says otherwise.
const CALLS: u32 = 8;

/// Tools for one database: tables, columns, and SQL that reads. The tools that change something are offered only where the host
/// allows it.
///
/// ```
/// # #[cfg(feature = "database-sqlite")] {
/// use tool_connect_connectors::database::Database;
/// use tool_connect_core::{Connector, ToolSet};
///
/// # let dir = tempfile::tempdir().unwrap();
/// # let path = dir.path().join("shop.db");
/// # rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE item (name TEXT)").unwrap();
/// let database = Database::sqlite(&path)?.id("shop").max_rows(500);
/// let mut set = ToolSet::default();
/// database.tools(&mut set);
/// let names: Vec<_> = set.tools().iter().map(|tool| tool.definition().name.to_string()).collect();
/// assert_eq!(names, ["list_tables", "describe_table", "query"]);
/// # }
/// # Ok::<(), tool_connect_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Database {
    manifest: ConnectorManifest,
    source: Source,
    limits: Limits,
    writes: Mode,
}

#[derive(Debug)]
enum Source {
    #[cfg(feature = "database-sqlite")]
    Sqlite(std::path::PathBuf),
    #[cfg(feature = "database-postgres")]
    Postgres(Box<PostgresOptions>),
}

impl Database {
    /// The SQLite database in a file, which must exist. Reading calls open it read-only; nobody can attach another file.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](tool_connect_core::ErrorKind::Config) where the file cannot be opened, or is no database.
    #[cfg(feature = "database-sqlite")]
    pub fn sqlite(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        Sqlite::check(path)?;
        Ok(Self::new(Source::Sqlite(path.to_owned())))
    }

    /// The Postgres database behind a connection string, `postgres://reader@db.example/shop`, or `host=.. user=.. dbname=..`. Nothing
    /// is connected yet.
    ///
    /// Give it a role that may only read, or only what the tools shall do: that is the one guard that cannot be talked around.
    /// Reading calls run in a READ ONLY transaction beside it. The connection is encrypted and the server's certificate checked,
    /// unless the server is on this machine or the string says `sslmode=disable`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](tool_connect_core::ErrorKind::Config) where the string is malformed; it is not repeated.
    #[cfg(feature = "database-postgres")]
    pub fn postgres(connection_string: &str) -> Result<Self> {
        Self::postgres_with(PostgresOptions::new(connection_string)?)
    }

    /// The Postgres database of these options.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](tool_connect_core::ErrorKind::Config) where a root certificate cannot be read.
    #[cfg(feature = "database-postgres")]
    pub fn postgres_with(options: PostgresOptions) -> Result<Self> {
        options.check()?;
        Ok(Self::new(Source::Postgres(Box::new(options))))
    }

    fn new(source: Source) -> Self {
        let manifest = ConnectorManifest::new("database", Version::new(1, 0, 0), "Database")
            .description("Shows the tables of one database and runs SQL on it.")
            .limits(ConnectorLimits::default().concurrency(CALLS))
            .category("data");
        Self { manifest, source, limits: Limits::default(), writes: Mode::Read }
    }

    /// Sets the connector's id, which is the default instance id; `database` by default.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.manifest.id = id.into();
        self
    }

    /// Sets name and description for people.
    #[must_use]
    pub fn about(mut self, name: impl Into<String>, description: impl Into<String>) -> Self {
        self.manifest.name = name.into();
        self.manifest.description = description.into();
        self
    }

    /// Whether `execute` is offered, which inserts, updates and deletes rows; it is not by default.
    #[must_use]
    pub fn allow_writes(mut self, allow: bool) -> Self {
        self.writes = if allow { Mode::Rows } else { Mode::Read };
        self
    }

    /// Whether `change_schema` is offered, and `execute` with it; it is not by default.
    #[must_use]
    pub fn allow_schema_changes(mut self, allow: bool) -> Self {
        self.writes = if allow { Mode::Schema } else { Mode::Read };
        self
    }

    /// Most rows that one call returns; 1,000 by default.
    #[must_use]
    pub fn max_rows(mut self, rows: u32) -> Self {
        self.limits.rows = rows.max(1);
        self
    }

    /// Most bytes of values that one call returns in place; 1 MiB by default.
    #[must_use]
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.limits.bytes = bytes.max(1);
        self
    }

    /// Largest value that is returned in place, in bytes; 64 KiB by default. Larger ones come by handle.
    #[must_use]
    pub fn max_value_bytes(mut self, bytes: u64) -> Self {
        self.limits.value_bytes = bytes;
        self
    }

    /// How long a statement may run, where the call has not less time; 30 seconds by default.
    #[must_use]
    pub fn statement_timeout(mut self, time: Duration) -> Self {
        self.limits.time = time.max(Duration::from_millis(1));
        self
    }

    /// How long a handle stays good; one hour by default.
    #[must_use]
    pub fn keep_handles(mut self, keep: Duration) -> Self {
        self.limits.keep = keep;
        self
    }

    fn backend(&self) -> Backend {
        match &self.source {
            #[cfg(feature = "database-sqlite")]
            Source::Sqlite(path) => Backend::Sqlite(Sqlite::new(path.clone())),
            #[cfg(feature = "database-postgres")]
            Source::Postgres(options) => Backend::Postgres(Box::new(Postgres::new((**options).clone()))),
        }
    }
}

impl Connector for Database {
    fn manifest(&self) -> &ConnectorManifest {
        &self.manifest
    }

    fn tools(&self, set: &mut ToolSet) {
        let mut tools = set.with(Access::new(self.backend(), self.limits.clone()));
        tools.add::<ListTables>().add::<DescribeTable>().add::<Query>();
        match self.writes {
            Mode::Read => {}
            Mode::Rows => {
                tools.add::<Execute>();
            }
            Mode::Schema => {
                tools.add::<Execute>().add::<ChangeSchema>();
            }
        }
    }
}
