//! Postgres: a few connections, made when they are needed. A reading statement runs in a READ ONLY transaction that is
//! rolled back, with a time-out that the server keeps; a role that may do little is the guard beneath.

mod catalog;
mod errors;
mod options;
mod parameters;
mod pool;
mod run;
mod text;
mod tls;
mod values;

use tool_connect_core::{Result, ToolContext};

use super::access::{Access, Mode, Statement};
use super::collect::Table;
use super::describe::TableDescription;
use super::list::TableName;
pub use options::PostgresOptions;
use pool::Pool;

/// A database and its idle connections.
pub(super) struct Postgres {
    pool: Pool,
}

impl Postgres {
    pub(super) fn new(options: PostgresOptions) -> Self {
        Self { pool: Pool::new(options) }
    }

    pub(super) async fn run(&self, cx: &ToolContext<Access>, statement: Statement) -> Result<Table> {
        text::check(&statement.sql, statement.mode)?;
        let access = cx.state()?;
        let mut lease = self.pool.lease().await?;
        let table = match statement.mode {
            Mode::Read => run::read(lease.client(), &statement, access.limits(), access.time(cx)).await,
            Mode::Rows | Mode::Schema => {
                run::change(lease.client(), &statement, access.limits(), access.time(cx)).await
            }
        };
        lease.give_back(&table).await;
        table
    }

    pub(super) async fn tables(
        &self,
        cx: &ToolContext<Access>,
        schema: Option<String>,
    ) -> Result<Vec<TableName>> {
        let mut lease = self.pool.lease().await?;
        let tables = catalog::tables(lease.client(), schema.as_deref(), cx.state()?.time(cx)).await;
        lease.give_back(&tables).await;
        tables
    }

    pub(super) async fn describe(
        &self,
        cx: &ToolContext<Access>,
        schema: Option<String>,
        table: String,
    ) -> Result<TableDescription> {
        let mut lease = self.pool.lease().await?;
        let found = catalog::describe(lease.client(), schema.as_deref(), &table, cx.state()?.time(cx)).await;
        lease.give_back(&found).await;
        found
    }
}
