//! Tickets and states of consents on SQLite.

use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::{Connection, Row};
use tool_connect_core::store::{AuthorizationState, AuthorizationStateStore};
use tool_connect_core::{Error, ErrorKind, Result, TenantId, UserId};

use super::db::Db;
use super::fault::Fault;
use super::values::{decoded, millis, now, tenant_for_write, tenant_no, time};

/// [`AuthorizationStateStore`] on SQLite.
pub(crate) struct SqliteAuthorizations(pub(crate) Arc<Db>);

/// How many ended ones a `put` clears: more than the one it adds, so the table shrinks.
const CLEARED_PER_PUT: i64 = 2;

fn put(conn: &Connection, new: &AuthorizationState, now: i64) -> Result<(), Fault> {
    let tenant = tenant_for_write(conn, &new.tenant)?;
    clear_ended(conn, now, CLEARED_PER_PUT)?;
    // Of this name an ended one makes room, wherever it stands among those that are to be cleared.
    let written = conn
        .prepare_cached(
            "INSERT INTO tc_authorizations (tenant, id, user, sealed, expires) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (tenant, id) DO UPDATE SET user = ?3, sealed = ?4, expires = ?5, used = 0
             WHERE expires <= ?6",
        )?
        .execute((tenant, &new.id, new.user.as_str(), &new.sealed, millis(new.expires), now))?;
    if written == 0 {
        return Err(Fault::Refused(Error::new(
            ErrorKind::Conflict,
            "a ticket or state of this id exists already; choose a fresh random id",
        )));
    }
    Ok(())
}

fn get(
    conn: &Connection,
    tenant: &TenantId,
    id: &str,
    now: i64,
) -> Result<Option<AuthorizationState>, Fault> {
    let Some(no) = tenant_no(conn, tenant)? else { return Ok(None) };
    let mut statement = conn.prepare_cached(
        "SELECT user, sealed, expires FROM tc_authorizations
         WHERE tenant = ?1 AND id = ?2 AND used = 0 AND expires > ?3",
    )?;
    let mut rows = statement.query((no, id, now))?;
    let decode = |row: &Row<'_>| {
        let user = decoded("user", UserId::new(row.get::<_, String>(0)?))?;
        Ok(AuthorizationState::new(tenant.clone(), id, user, row.get(1)?, time(row.get(2)?)))
    };
    rows.next()?.map(decode).transpose()
}

fn clear_ended(conn: &Connection, now: i64, most: i64) -> Result<usize, Fault> {
    let deleted = conn
        .prepare_cached(
            "DELETE FROM tc_authorizations WHERE (tenant, id) IN
             (SELECT tenant, id FROM tc_authorizations WHERE expires <= ?1 LIMIT ?2)",
        )?
        .execute((now, most))?;
    Ok(deleted)
}

#[async_trait]
impl AuthorizationStateStore for SqliteAuthorizations {
    async fn put(&self, state: AuthorizationState) -> Result<()> {
        let clock = self.0.clock();
        self.0.write(move |conn| put(conn, &state, now(&*clock))).await
    }

    async fn get(&self, tenant: &TenantId, id: &str) -> Result<Option<AuthorizationState>> {
        let clock = self.0.clock();
        let (tenant, id) = (tenant.clone(), id.to_owned());
        self.0.read(move |conn| get(conn, &tenant, &id, now(&*clock))).await
    }

    async fn consume(&self, tenant: &TenantId, id: &str) -> Result<Option<AuthorizationState>> {
        let clock = self.0.clock();
        let (tenant, id) = (tenant.clone(), id.to_owned());
        // Durably: a power cut must not make a used one new.
        self.0
            .write_durably(move |conn| {
                let found = get(conn, &tenant, &id, now(&*clock))?;
                if found.is_some() {
                    conn.prepare_cached(
                        "UPDATE tc_authorizations SET used = 1, sealed = zeroblob(0)
                         WHERE tenant = (SELECT no FROM tc_tenants WHERE id = ?1) AND id = ?2",
                    )?
                    .execute((tenant.as_str(), &id))?;
                }
                Ok(found)
            })
            .await
    }

    async fn purge(&self) -> Result<u64> {
        let clock = self.0.clock();
        self.0.write_in_slices(move |conn, most| clear_ended(conn, now(&*clock), most)).await
    }
}
