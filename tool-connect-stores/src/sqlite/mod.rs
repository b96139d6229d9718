//! The storage traits on one SQLite file, safe under several processes: one writer thread that
//! commits whatever has queued up at once, a few reader threads, and one file per trait.
//! `db` runs the threads, `open` makes and migrates the file, `fault` words its errors.

mod approvals;
mod audit;
mod authorizations;
mod connections;
mod credentials;
mod db;
mod fault;
mod grants;
mod idempotency;
mod leases;
mod migrations;
mod open;
mod options;
mod quotas;
mod results;
mod values;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use tool_connect_core::store::Stores;
use tool_connect_core::{Clock, Result, SystemClock};

pub use self::options::{SqliteOptions, Synchronous};

use self::db::Db;

/// All stores on one SQLite file.
///
/// The handle and the stores it gives out share the database's threads. When the last of them is
/// dropped, what was queued is written, and that drop waits for it.
///
/// Several processes may open the same file on one machine (not over a network file system). Leases
/// and expiries go by the wall time of the clock that is passed in, to the millisecond; processes of
/// one machine share it. A call waits for the disk, not for a runtime: any executor will do.
///
/// ```
/// use tool_connect_core::{TenantId, UserId, store::{Grant, Subject, ToolPattern}};
/// use tool_connect_stores::SqliteStores;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> tool_connect_core::Result<()> {
/// let stores = SqliteStores::in_memory()?.stores();
/// let (tenant, ada) = (TenantId::new("acme")?, Subject::User(UserId::new("ada")?));
/// let tools = ToolPattern::new("files.*")?;
/// stores.grants.put(Grant { tenant: tenant.clone(), subject: ada.clone(), tools, connection: None, expires: None }).await?;
/// assert_eq!(stores.grants.list(&tenant, &[ada]).await?.len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SqliteStores {
    db: Arc<Db>,
}

impl fmt::Debug for SqliteStores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStores").field("database", &self.db.name()).finish_non_exhaustive()
    }
}

impl SqliteStores {
    /// Opens the file, makes it where it is missing (for its owner alone, where the platform has
    /// file modes), and brings its tables up to date. Blocks while it does; call it at start.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](tool_connect_core::ErrorKind::Config) where the folder is missing (it is
    /// not made, since it may be misspelt), the path is not a file, the file is not a database, or a
    /// newer version of this library wrote it; [`ErrorKind::Storage`](tool_connect_core::ErrorKind::Storage)
    /// where the file cannot be read or written, is damaged, or stays locked.
    pub fn open(path: impl AsRef<Path>, options: SqliteOptions) -> Result<Self> {
        Self::open_with_clock(path, options, Arc::new(SystemClock))
    }

    /// [`open`](Self::open) with a clock of the caller's for leases and expiries.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with_clock(
        path: impl AsRef<Path>,
        options: SqliteOptions,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        Ok(Self { db: Arc::new(Db::file(path.as_ref(), &options, clock)?) })
    }

    /// A database in memory that is gone with its last handle, for tests.
    ///
    /// # Errors
    /// Where no memory or thread can be had.
    pub fn in_memory() -> Result<Self> {
        Self::in_memory_with_clock(Arc::new(SystemClock))
    }

    /// [`in_memory`](Self::in_memory) with a clock of the caller's.
    ///
    /// # Errors
    /// As [`in_memory`](Self::in_memory).
    pub fn in_memory_with_clock(clock: Arc<dyn Clock>) -> Result<Self> {
        Ok(Self { db: Arc::new(Db::memory(clock)?) })
    }

    /// The stores, as a Hub takes them. Each may be exchanged for another one.
    #[must_use]
    pub fn stores(&self) -> Stores {
        let db = || Arc::clone(&self.db);
        let mut stores = Stores::in_memory_with(self.db.clock());
        stores.connections = Arc::new(connections::SqliteConnections(db()));
        stores.grants = Arc::new(grants::SqliteGrants(db()));
        stores.approvals = Arc::new(approvals::SqliteApprovals(db()));
        stores.idempotency = Arc::new(idempotency::SqliteIdempotency(db()));
        stores.quotas = Arc::new(quotas::SqliteQuotas(db()));
        stores.results = Arc::new(results::SqliteResults(db()));
        stores.audit = Arc::new(audit::SqliteAudit(db()));
        stores.credentials = Arc::new(credentials::SqliteCredentials(db()));
        stores.leases = Arc::new(leases::SqliteLeases(db()));
        stores.authorizations = Arc::new(authorizations::SqliteAuthorizations(db()));
        stores
    }
}
