//! A host keeps connections in its own table and takes every other store from ours. The conformance
//! suite says whether its store keeps to the rules.
//!
//! Run it with `cargo run --example host_storage`; `cargo test --example host_storage` runs the
//! suite as a host's tests do, one test per rule.
#![allow(clippy::print_stdout, reason = "an example speaks to its reader")]
#![cfg_attr(test, allow(dead_code, reason = "the tests run the store, not the demonstration"))]

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use async_trait::async_trait;
use rusqlite::{Connection as Database, OptionalExtension, params};
use schemars::JsonSchema;
use semver::Version;
use serde::{Deserialize, Serialize};
use tool_connect::store::{ConnectionFilter, ConnectionStore};
use tool_connect::stores::{SqliteOptions, SqliteStores};
use tool_connect::testkit::{ManualClock, conformance};
use tool_connect::{
    AuthScheme, Clock, Connection, ConnectionId, Connector, ConnectorManifest, Error, ErrorKind, Hub,
    InstanceId, Owner, Principal, Result, Run, SystemClock, TenantId, Tool, ToolContext, ToolSet,
};

/// The host's table: its own names, and a column of its own that tool-connect knows nothing of.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS customer_accounts (
    customer TEXT NOT NULL,
    account  TEXT NOT NULL,
    version  INTEGER NOT NULL,
    state    TEXT NOT NULL, -- the connection as JSON
    crm_note TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (customer, account)
) WITHOUT ROWID";

/// Connections in the host's own table.
#[derive(Clone)]
struct CustomerAccounts {
    database: Arc<Mutex<Database>>,
    clock: Arc<dyn Clock>,
}

impl CustomerAccounts {
    fn new(database: Database, clock: Arc<dyn Clock>) -> Result<Self> {
        database.execute_batch(TABLE).map_err(failed)?;
        Ok(Self { database: Arc::new(Mutex::new(database)), clock })
    }

    /// Runs work on the database where it may block. It runs to its end even if nobody waits for it
    /// any more, so a call that is given up leaves all of its effect or none.
    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Database) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let database = Arc::clone(&self.database);
        let task = tokio::task::spawn_blocking(move || {
            work(&mut database.lock().unwrap_or_else(PoisonError::into_inner))
        });
        task.await.map_err(|e| {
            Error::new(ErrorKind::Storage, "the work on the database was given up").caused_by(e)
        })?
    }
}

fn failed(error: rusqlite::Error) -> Error {
    Error::new(ErrorKind::Storage, "the table of customer accounts cannot be used").caused_by(error)
}

fn read(state: &str) -> Result<Connection> {
    serde_json::from_str(state)
        .map_err(|e| Error::new(ErrorKind::Storage, "a row of customer accounts cannot be read").caused_by(e))
}

fn rows(database: &Database, customer: &TenantId) -> Result<Vec<Connection>> {
    let mut statement = database
        .prepare_cached("SELECT state FROM customer_accounts WHERE customer = ?1 ORDER BY account")
        .map_err(failed)?;
    let rows = statement.query_map([customer.as_str()], |row| row.get::<_, String>(0)).map_err(failed)?;
    rows.map(|row| read(&row.map_err(failed)?)).collect()
}

/// Writes a row and leaves the host's own columns as they are.
fn write(database: &Database, connection: &Connection) -> Result<()> {
    let state = serde_json::to_string(connection)
        .map_err(|e| Error::new(ErrorKind::Storage, "a connection cannot be written").caused_by(e))?;
    let sql = "INSERT INTO customer_accounts (customer, account, version, state) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (customer, account) DO UPDATE SET version = ?3, state = ?4";
    let version = i64::try_from(connection.version).unwrap_or(i64::MAX);
    database
        .execute(sql, params![connection.tenant.as_str(), connection.id.as_str(), version, state])
        .map_err(failed)?;
    Ok(())
}

#[async_trait]
impl ConnectionStore for CustomerAccounts {
    async fn put(&self, mut new: Connection) -> Result<Connection> {
        let now = self.clock.now();
        self.with(move |database| {
            let transaction = database.transaction().map_err(failed)?;
            let stored = rows(&transaction, &new.tenant)?;
            let before = stored.iter().find(|row| row.id == new.id);
            if before.map_or(0, |row| row.version) != new.version {
                return Err(Error::new(ErrorKind::Conflict, "the account changed meanwhile; read it again"));
            }
            new.created = match before {
                Some(row) => row.created,
                None if new.created == SystemTime::UNIX_EPOCH => now,
                None => new.created,
            };
            new.version += 1;
            if new.is_default {
                let same_place = |row: &&Connection| {
                    row.is_default
                        && row.id != new.id
                        && row.owner == new.owner
                        && row.instance == new.instance
                };
                for row in stored.iter().filter(same_place) {
                    let mut row = row.clone();
                    row.is_default = false;
                    row.version += 1;
                    write(&transaction, &row)?;
                }
            }
            write(&transaction, &new)?;
            transaction.commit().map_err(failed)?;
            Ok(new)
        })
        .await
    }

    async fn get(&self, tenant: &TenantId, id: &ConnectionId) -> Result<Option<Connection>> {
        let (tenant, id) = (tenant.clone(), id.clone());
        self.with(move |database| {
            let sql = "SELECT state FROM customer_accounts WHERE customer = ?1 AND account = ?2";
            let state: Option<String> = database
                .query_row(sql, [tenant.as_str(), id.as_str()], |row| row.get(0))
                .optional()
                .map_err(failed)?;
            state.as_deref().map(read).transpose()
        })
        .await
    }

    async fn list(&self, tenant: &TenantId, filter: &ConnectionFilter) -> Result<Vec<Connection>> {
        let (tenant, filter) = (tenant.clone(), filter.clone());
        self.with(move |database| {
            let mut found = rows(database, &tenant)?;
            found.retain(|connection| filter.admits(connection));
            Ok(found)
        })
        .await
    }

    async fn delete(&self, tenant: &TenantId, id: &ConnectionId) -> Result<bool> {
        let (tenant, id) = (tenant.clone(), id.clone());
        self.with(move |database| {
            let sql = "DELETE FROM customer_accounts WHERE customer = ?1 AND account = ?2";
            Ok(database.execute(sql, [tenant.as_str(), id.as_str()]).map_err(failed)? > 0)
        })
        .await
    }
}

/// A fresh store for each rule of the suite.
async fn fresh(clock: Arc<ManualClock>) -> Arc<dyn ConnectionStore> {
    let database = Database::open_in_memory().expect("a database in memory");
    Arc::new(CustomerAccounts::new(database, clock).expect("the host's table"))
}

// This line is all that a host's tests need.
conformance!(connections, fresh);

/// Says which account a call is made on.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[tool(read_only, open_world = false)]
#[serde(deny_unknown_fields)]
struct WhichAccount {}

impl Run for WhichAccount {
    type Output = String;

    async fn run(self, cx: &ToolContext) -> Result<String> {
        Ok(cx.connection().and_then(|connection| connection.label.clone()).unwrap_or_default())
    }
}

struct Notes(ConnectorManifest);

impl Connector for Notes {
    fn manifest(&self) -> &ConnectorManifest {
        &self.0
    }

    fn tools(&self, set: &mut ToolSet) {
        set.add::<WhichAccount>();
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let database = Database::open(folder.path().join("host.db"))?;
    let accounts = CustomerAccounts::new(database, Arc::new(SystemClock))?;

    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(host(&accounts, folder.path()))?;

    println!("\nThe conformance suite over the host's table:");
    // `run` fails with the reason where the store breaks a rule.
    macro_rules! rules {
        ($($rule:ident)*) => {$(
            conformance::run(fresh, conformance::connections::$rule);
            println!("  kept: {}", stringify!($rule).replace('_', " "));
        )*};
    }
    rules! {
        a_connection_reads_back_as_written
        a_stale_version_is_refused
        one_of_many_writers_wins
        there_is_one_default_per_owner_and_instance
        tenants_do_not_meet
    }
    println!("  and so on: `cargo test --example host_storage` runs every rule as a test");
    Ok(())
}

async fn host(accounts: &CustomerAccounts, folder: &std::path::Path) -> Result<()> {
    // Connections from the host's table; grants, approvals, keys, results and the audit trail ours.
    let mut stores = SqliteStores::open(folder.join("tool-connect.db"), SqliteOptions::default())?.stores();
    stores.connections = Arc::new(accounts.clone());
    let manifest = ConnectorManifest::new("notes", Version::new(1, 0, 0), "Notes").auth(AuthScheme::Bearer);
    let hub = Hub::builder().stores(stores).connector(Notes(manifest)).build()?;

    let ada = Principal::user("acme", "ada")?;
    let session = hub.session(ada.clone());
    println!("A hub over the host's own table:");
    let Err(error) = session.run(WhichAccount {}).await else {
        return Err(Error::new(ErrorKind::Internal, "a call without a connection went through"));
    };
    println!(
        "  before: {}",
        error.input_required().map_or_else(|| error.to_string(), |r| r.message().into_owned())
    );

    let (id, owner) = (ConnectionId::new("ada_notes")?, Owner::User(ada.user.clone()));
    let connection = Connection::new(id, ada.tenant.clone(), owner, InstanceId::new("notes")?);
    hub.put_connection(connection.label("ada@acme.example")).await?;
    println!("  after:  the call runs as {}", session.run(WhichAccount {}).await?);

    // The host's own code goes on using its table.
    let row = accounts.with(|database| {
        database.execute("UPDATE customer_accounts SET crm_note = 'renews in May'", []).map_err(failed)?;
        let sql = "SELECT customer, account, crm_note FROM customer_accounts";
        let text = |row: &rusqlite::Row<'_>, n: usize| row.get::<_, String>(n);
        let all = |row: &rusqlite::Row<'_>| Ok([text(row, 0)?, text(row, 1)?, text(row, 2)?].join(" | "));
        database.query_row(sql, [], all).map_err(failed)
    });
    println!("  the row in the host's table: {}", row.await?);
    hub.shutdown().await
}
