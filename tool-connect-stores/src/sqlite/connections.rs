//! Connections on SQLite.

use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use rusqlite::{Connection as Sql, OptionalExtension, Row, named_params};
use tool_connect_core::store::{ConnectionFilter, ConnectionStore};
use tool_connect_core::{Connection, ConnectionId, Error, ErrorKind, InstanceId, Result, TenantId};

use super::db::Db;
use super::fault::Fault;
use super::values::{
    decoded, integer, millis, named, natural, now, owner, owner_columns, tenant_for_write, tenant_no, time,
};

/// [`ConnectionStore`] on SQLite.
pub(crate) struct SqliteConnections(pub(crate) Arc<Db>);

const COLUMNS: &str = "id, owner_kind, owner, instance, status, scopes, label, is_default, created, version,
    account, reason, client, config";

fn connection(tenant: &TenantId, row: &Row<'_>) -> Result<Connection, Fault> {
    let text = |place: usize| row.get::<_, String>(place);
    let owner = owner(&text(1)?, &text(2)?)?;
    let id = decoded("id", ConnectionId::new(text(0)?))?;
    let instance = decoded("instance", InstanceId::new(text(3)?))?;
    let mut connection = Connection::new(id, tenant.clone(), owner, instance);
    connection.status = named("status", &text(4)?)?;
    let scopes: Option<String> = row.get(5)?;
    connection.scopes = scopes.map(|json| decoded("scopes", serde_json::from_str(&json))).transpose()?;
    connection.label = row.get(6)?;
    connection.is_default = row.get(7)?;
    connection.created = time(row.get(8)?);
    connection.version = natural(row.get(9)?);
    connection.account = row.get(10)?;
    connection.reason = row.get(11)?;
    connection.client = row.get(12)?;
    connection.config = decoded("config", serde_json::from_str(&text(13)?))?;
    Ok(connection)
}

fn put(conn: &Sql, mut new: Connection, now: i64) -> Result<Connection, Fault> {
    let tenant = tenant_for_write(conn, &new.tenant)?;
    let stored: Option<(i64, i64)> = conn
        .prepare_cached("SELECT version, created FROM tc_connections WHERE tenant = ?1 AND id = ?2")?
        .query_row((tenant, new.id.as_str()), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let version = stored.map_or(0, |(version, _)| version);
    if version != integer(new.version) {
        return Err(Fault::Refused(
            Error::new(
                ErrorKind::Conflict,
                "the connection changed meanwhile or exists already; read it again and repeat the change",
            )
            .with("connection", &new.id),
        ));
    }
    let created = match stored {
        Some((_, created)) => created,
        None if new.created == SystemTime::UNIX_EPOCH => now,
        None => millis(new.created),
    };
    new.created = time(created);
    new.version = natural(version + 1);
    let (owner_kind, owner) = owner_columns(&new.owner);
    if new.is_default {
        conn.prepare_cached(
            "UPDATE tc_connections SET is_default = 0, version = version + 1
             WHERE tenant = ?1 AND owner_kind = ?2 AND owner = ?3 AND instance = ?4 AND is_default = 1 AND id <> ?5",
        )?
        .execute((tenant, owner_kind, owner, new.instance.as_str(), new.id.as_str()))?;
    }
    let scopes = decoded("scopes", new.scopes.as_ref().map(serde_json::to_string).transpose())?;
    let config = decoded("config", serde_json::to_string(&new.config))?;
    conn.prepare_cached(
        "INSERT INTO tc_connections (tenant, id, owner_kind, owner, instance, status, scopes, label, is_default,
             created, version, account, reason, client, config)
         VALUES (:tenant, :id, :owner_kind, :owner, :instance, :status, :scopes, :label, :is_default,
             :created, :version, :account, :reason, :client, :config)
         ON CONFLICT (tenant, id) DO UPDATE SET
             owner_kind = :owner_kind, owner = :owner, instance = :instance, status = :status, scopes = :scopes,
             label = :label, is_default = :is_default, version = :version, account = :account, reason = :reason,
             client = :client, config = :config",
    )?
    .execute(named_params! {
        ":tenant": tenant,
        ":id": new.id.as_str(),
        ":owner_kind": owner_kind,
        ":owner": owner,
        ":instance": new.instance.as_str(),
        ":status": new.status.as_str(),
        ":scopes": scopes,
        ":label": new.label,
        ":is_default": new.is_default,
        ":created": created,
        ":version": version + 1,
        ":account": new.account,
        ":reason": new.reason,
        ":client": new.client,
        ":config": config,
    })?;
    Ok(new)
}

#[async_trait]
impl ConnectionStore for SqliteConnections {
    async fn put(&self, connection: Connection) -> Result<Connection> {
        let clock = self.0.clock();
        self.0.write(move |conn| put(conn, connection.clone(), now(&*clock))).await
    }

    async fn get(&self, tenant: &TenantId, id: &ConnectionId) -> Result<Option<Connection>> {
        let (tenant, id) = (tenant.clone(), id.clone());
        self.0
            .read(move |conn| {
                let Some(no) = tenant_no(conn, &tenant)? else { return Ok(None) };
                let sql = format!("SELECT {COLUMNS} FROM tc_connections WHERE tenant = ?1 AND id = ?2");
                let mut statement = conn.prepare_cached(&sql)?;
                let mut rows = statement.query((no, id.as_str()))?;
                rows.next()?.map(|row| connection(&tenant, row)).transpose()
            })
            .await
    }

    async fn list(&self, tenant: &TenantId, filter: &ConnectionFilter) -> Result<Vec<Connection>> {
        let (tenant, filter) = (tenant.clone(), filter.clone());
        self.0
            .read(move |conn| {
                let Some(no) = tenant_no(conn, &tenant)? else { return Ok(Vec::new()) };
                let sql = format!(
                    "SELECT {COLUMNS} FROM tc_connections WHERE tenant = ?1
                     AND (?2 IS NULL OR (owner_kind = ?2 AND owner = ?3))
                     AND (?4 IS NULL OR instance = ?4) AND (?5 IS NULL OR status = ?5) ORDER BY id"
                );
                let mut statement = conn.prepare_cached(&sql)?;
                let (kind, owner) = filter.owner.as_ref().map(owner_columns).unzip();
                let instance = filter.instance.as_ref().map(InstanceId::as_str);
                let status = filter.status.map(|status| status.as_str());
                let mut rows = statement.query((no, kind, owner, instance, status))?;
                let mut found = Vec::new();
                while let Some(row) = rows.next()? {
                    found.push(connection(&tenant, row)?);
                }
                Ok(found)
            })
            .await
    }

    async fn delete(&self, tenant: &TenantId, id: &ConnectionId) -> Result<bool> {
        let (tenant, id) = (tenant.clone(), id.clone());
        self.0
            .write(move |conn| {
                let Some(no) = tenant_no(conn, &tenant)? else { return Ok(false) };
                let deleted = conn
                    .prepare_cached("DELETE FROM tc_connections WHERE tenant = ?1 AND id = ?2")?
                    .execute((no, id.as_str()))?;
                Ok(deleted > 0)
            })
            .await
    }
}
