//! A few connections that are kept between calls. How many calls run at once is the Hub's to say.

use std::sync::{Arc, Mutex, PoisonError};

use tokio_postgres::{Client, NoTls};
use tool_connect_core::{Error, ErrorKind, Result};

use super::errors::unreachable;
use super::options::PostgresOptions;
use super::tls::Tls;

/// Leaves nothing of a call behind for the next one.
const CLEAN: &str = "RESET SESSION AUTHORIZATION; RESET ALL; CLOSE ALL; UNLISTEN *; \
                     SELECT pg_catalog.pg_advisory_unlock_all(); DISCARD TEMP";

/// Whether the role can do what no transaction holds back, or become one that can: also where the session began as another role.
const MIGHTY: &str = "SELECT current_setting('is_superuser') = 'on' OR EXISTS (SELECT FROM pg_catalog.pg_roles r \
    WHERE (r.rolsuper OR r.rolname IN ('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program')) \
    AND (pg_catalog.pg_has_role(session_user, r.oid, 'member') OR pg_catalog.pg_has_role(current_user, r.oid, 'member')))";

pub(super) struct Pool(Arc<Inner>);

struct Inner {
    options: PostgresOptions,
    idle: Mutex<Vec<Client>>,
}

/// A connection in use. Dropped before it was given back, its statement is cancelled and it is closed.
pub(super) struct Lease {
    pool: Arc<Inner>,
    client: Option<Client>,
}

impl Pool {
    pub(super) fn new(options: PostgresOptions) -> Self {
        Self(Arc::new(Inner { options, idle: Mutex::default() }))
    }

    /// An idle connection that answers, or a new one.
    pub(super) async fn lease(&self) -> Result<Lease> {
        loop {
            let waiting = self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(client) = waiting else { break };
            // The server may have ended it meanwhile: nothing is lost yet.
            if !client.is_closed() && client.check_connection().await.is_ok() {
                return Ok(Lease { pool: Arc::clone(&self.0), client: Some(client) });
            }
        }
        let client = connect(&self.0.options).await?;
        Ok(Lease { pool: Arc::clone(&self.0), client: Some(client) })
    }
}

impl Lease {
    pub(super) fn client(&mut self) -> &mut Option<Client> {
        &mut self.client
    }

    /// Keeps the connection for the next call, unless the database was lost.
    pub(super) async fn give_back<T>(mut self, result: &Result<T>) {
        let lost = matches!(result, Err(error) if error.kind() == ErrorKind::Transport);
        if lost || self.client.as_ref().is_none_or(Client::is_closed) {
            self.client = None;
            return;
        }
        let cleaned = match &self.client {
            Some(client) => client.batch_execute(CLEAN).await.is_ok(),
            None => false,
        };
        let client = self.client.take().filter(|_| cleaned);
        let mut idle = self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.pool.options.max_idle {
            idle.extend(client);
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(client) = self.client.take() else { return };
        let (Ok(runtime), Ok(tls)) = (tokio::runtime::Handle::try_current(), self.pool.options.tls()) else {
            return;
        };
        let token = client.cancel_token();
        // The server goes on with a statement whose client is gone, until it wants to answer.
        runtime.spawn(async move {
            let _ = match tls {
                Some(tls) => token.cancel_query(tls).await,
                None => token.cancel_query(NoTls).await,
            };
            drop(client);
        });
    }
}

async fn connect(options: &PostgresOptions) -> Result<Client> {
    let client = match options.tls()? {
        Some(tls) => begin::<Tls>(options, tls).await?,
        None => begin(options, NoTls).await?,
    };
    if !options.allow_superuser {
        let mighty: bool =
            client.query_one(MIGHTY, &[]).await.and_then(|row| row.try_get(0)).map_err(unreachable)?;
        if mighty {
            return Err(Error::new(
                ErrorKind::Config,
                "the database's role is a superuser, or may use the server's files and programs: give the tools a role that may do \
                 only what they shall, or allow it with `PostgresOptions::allow_superuser`",
            ));
        }
    }
    Ok(client)
}

async fn begin<T>(options: &PostgresOptions, tls: T) -> Result<Client>
where
    T: tokio_postgres::tls::MakeTlsConnect<tokio_postgres::Socket>,
    T::Stream: Send + 'static,
{
    let (client, connection) = options.config.connect(tls).await.map_err(unreachable)?;
    // Ends when the client is dropped; what it ends with is told to whoever waits for an answer.
    tokio::spawn(async move {
        let _ = connection.await;
    });
    Ok(client)
}
