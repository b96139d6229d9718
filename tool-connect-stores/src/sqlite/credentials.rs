//! Sealed secrets on SQLite.

use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row, ToSql, named_params};
use tool_connect_core::store::{
    CredentialCursor, CredentialFilter, CredentialKey, CredentialKind, CredentialStore, RefreshIntent,
    StoredCredential,
};
use tool_connect_core::{Error, ErrorKind, Result, TenantId};

use super::db::Db;
use super::fault::Fault;
use super::values::{
    decoded, integer, millis, named, natural, owner, owner_columns, tenant_for_write, tenant_no, time,
};

/// [`CredentialStore`] on SQLite. Every write waits for the disk, whatever the options say.
pub(crate) struct SqliteCredentials(pub(crate) Arc<Db>);

const COLUMNS: &str = "t.id, c.kind, c.id, c.owner_kind, c.owner, c.issuer, c.sealed, c.key_id, c.expires,
    c.intent_fence, c.intent_since, c.version";

fn decode(row: &Row<'_>) -> Result<StoredCredential, Fault> {
    let text = |place: usize| row.get::<_, String>(place);
    let tenant = decoded("tenant", TenantId::new(text(0)?))?;
    let key = CredentialKey::new(named("kind", &text(1)?)?, text(2)?);
    let owner = owner(&text(3)?, &text(4)?)?;
    let mut stored = StoredCredential::new(tenant, key, owner, row.get(6)?, text(7)?);
    stored.issuer = row.get(5)?;
    stored.expires = row.get::<_, Option<i64>>(8)?.map(time);
    let intent = row.get::<_, Option<i64>>(9)?.zip(row.get::<_, Option<i64>>(10)?);
    stored.intent = intent.map(|(fence, since)| RefreshIntent { fence: natural(fence), since: time(since) });
    stored.version = natural(row.get(11)?);
    Ok(stored)
}

/// Writes it; returns its version.
fn put(conn: &Connection, new: &StoredCredential) -> Result<u64, Fault> {
    let tenant = tenant_for_write(conn, &new.tenant)?;
    let (kind, id) = (new.key.kind.as_str(), new.key.id.as_str());
    let stored: Option<i64> = conn
        .prepare_cached("SELECT version FROM tc_credentials WHERE tenant = ?1 AND kind = ?2 AND id = ?3")?
        .query_row((tenant, kind, id), |row| row.get(0))
        .optional()?;
    if stored.unwrap_or(0) != integer(new.version) {
        return Err(Fault::Refused(
            Error::new(
                ErrorKind::Conflict,
                "the credential changed meanwhile or exists already; read it again and repeat the change",
            )
            .with("credential", &new.key),
        ));
    }
    let version: i64 = conn
        .prepare_cached("UPDATE tc_fences SET last = last + 1 WHERE name = 'credentials' RETURNING last")?
        .query_row([], |row| row.get(0))?;
    let (owner_kind, owner) = owner_columns(&new.owner);
    conn.prepare_cached(
        "INSERT INTO tc_credentials (tenant, kind, id, owner_kind, owner, issuer, sealed, key_id, expires,
             intent_fence, intent_since, version)
         VALUES (:tenant, :kind, :id, :owner_kind, :owner, :issuer, :sealed, :key_id, :expires,
             :intent_fence, :intent_since, :version)
         ON CONFLICT (tenant, kind, id) DO UPDATE SET owner_kind = :owner_kind, owner = :owner, issuer = :issuer,
             sealed = :sealed, key_id = :key_id, expires = :expires, intent_fence = :intent_fence,
             intent_since = :intent_since, version = :version",
    )?
    .execute(named_params! {
        ":tenant": tenant,
        ":kind": kind,
        ":id": id,
        ":owner_kind": owner_kind,
        ":owner": owner,
        ":issuer": new.issuer,
        ":sealed": new.sealed,
        ":key_id": new.key_id,
        ":expires": new.expires.map(millis),
        ":intent_fence": new.intent.map(|intent| integer(intent.fence)),
        ":intent_since": new.intent.map(|intent| millis(intent.since)),
        ":version": version,
    })?;
    Ok(natural(version))
}

fn scan(
    conn: &Connection,
    filter: &CredentialFilter,
    after: Option<&CredentialCursor>,
    limit: usize,
) -> Result<Vec<StoredCredential>, Fault> {
    // The planner has no statistics to choose by. A key's index is in the order of the walk; what is due is few of many and
    // is sorted; else the table's own order serves.
    let index = if filter.key_id.is_some() {
        "INDEXED BY tc_credentials_key"
    } else if filter.expires_before.is_some() {
        "INDEXED BY tc_credentials_expires"
    } else {
        ""
    };
    let mut sql = format!(
        "SELECT {COLUMNS} FROM tc_credentials c {index} CROSS JOIN tc_tenants t ON t.no = c.tenant WHERE TRUE"
    );
    let mut values: Vec<(&str, Box<dyn ToSql + '_>)> = Vec::new();
    if let Some(tenant) = &filter.tenant {
        let Some(no) = tenant_no(conn, tenant)? else { return Ok(Vec::new()) };
        sql.push_str(" AND c.tenant = :tenant");
        values.push((":tenant", Box::new(no)));
    }
    if let Some(kind) = filter.kind {
        sql.push_str(" AND c.kind = :kind");
        values.push((":kind", Box::new(kind.as_str())));
    }
    if let Some((kind, id)) = filter.owner.as_ref().map(owner_columns) {
        sql.push_str(" AND c.owner_kind = :owner_kind AND c.owner = :owner");
        values.push((":owner_kind", Box::new(kind)));
        values.push((":owner", Box::new(id)));
    }
    if let Some(key_id) = &filter.key_id {
        sql.push_str(" AND c.key_id = :key_id");
        values.push((":key_id", Box::new(key_id)));
    }
    if let Some(end) = filter.expires_before {
        sql.push_str(" AND c.expires < :end");
        values.push((":end", Box::new(millis(end))));
    }
    if let Some((tenant, key)) = after {
        let no = tenant_no(conn, tenant)?.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "the place to go on from is not of this database; begin anew")
        })?;
        sql.push_str(" AND (c.tenant, c.kind, c.id) > (:after_tenant, :after_kind, :after_id)");
        values.push((":after_tenant", Box::new(no)));
        values.push((":after_kind", Box::new(key.kind.as_str())));
        values.push((":after_id", Box::new(&key.id)));
    }
    sql.push_str(" ORDER BY c.tenant, c.kind, c.id LIMIT :limit");
    values.push((":limit", Box::new(integer(u64::try_from(limit).unwrap_or(u64::MAX)))));
    let mut statement = conn.prepare_cached(&sql)?;
    let values: Vec<(&str, &dyn ToSql)> = values.iter().map(|(name, value)| (*name, &**value)).collect();
    let mut rows = statement.query(&values[..])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(decode(row)?);
    }
    Ok(found)
}

#[async_trait]
impl CredentialStore for SqliteCredentials {
    async fn put(&self, mut credential: StoredCredential) -> Result<StoredCredential> {
        let new = credential.clone();
        let replaces_a_key = new.key.kind == CredentialKind::SubjectKey && new.version != 0;
        credential.version = self.0.write_durably(move |conn| put(conn, &new)).await?;
        if replaces_a_key {
            // The write-ahead log may still hold the page as it was.
            self.0.fold_log().await?;
        }
        Ok(credential)
    }

    async fn get(&self, tenant: &TenantId, key: &CredentialKey) -> Result<Option<StoredCredential>> {
        let (tenant, key) = (tenant.clone(), key.clone());
        self.0
            .read(move |conn| {
                let sql = format!(
                    "SELECT {COLUMNS} FROM tc_credentials c JOIN tc_tenants t ON t.no = c.tenant
                     WHERE t.id = ?1 AND c.kind = ?2 AND c.id = ?3"
                );
                let mut statement = conn.prepare_cached(&sql)?;
                let mut rows = statement.query((tenant.as_str(), key.kind.as_str(), key.id.as_str()))?;
                rows.next()?.map(decode).transpose()
            })
            .await
    }

    async fn delete(&self, tenant: &TenantId, key: &CredentialKey) -> Result<bool> {
        let (tenant, key) = (tenant.clone(), key.clone());
        let deleted = self
            .0
            .write_durably(move |conn| {
                let Some(no) = tenant_no(conn, &tenant)? else { return Ok(false) };
                let deleted = conn
                    .prepare_cached("DELETE FROM tc_credentials WHERE tenant = ?1 AND kind = ?2 AND id = ?3")?
                    .execute((no, key.kind.as_str(), key.id.as_str()))?;
                Ok(deleted > 0)
            })
            .await?;
        if deleted {
            // What is deleted is overwritten in the file; the write-ahead log may still hold it.
            self.0.fold_log().await?;
        }
        Ok(deleted)
    }

    async fn scan(
        &self,
        filter: &CredentialFilter,
        after: Option<&CredentialCursor>,
        limit: usize,
    ) -> Result<Vec<StoredCredential>> {
        let (filter, after) = (filter.clone(), after.cloned());
        self.0.read(move |conn| scan(conn, &filter, after.as_ref(), limit)).await
    }
}
