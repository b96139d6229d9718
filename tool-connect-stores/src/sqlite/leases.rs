//! Leases on SQLite.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, named_params};
use tool_connect_core::store::{Fence, LeaseGrant, LeaseStore};
use tool_connect_core::{Result, TenantId};

use super::db::Db;
use super::fault::Fault;
use super::values::{after, integer, natural, now, tenant_for_write};

/// [`LeaseStore`] on SQLite, on the wall time that the processes of one machine share.
pub(crate) struct SqliteLeases(pub(crate) Arc<Db>);

/// The lease that a fence belongs to, if its time is not over.
const HELD: &str = "tenant = (SELECT no FROM tc_tenants WHERE id = :tenant) AND name = :name
    AND fence = :fence AND lease_end > :now";

fn acquire(
    conn: &Connection,
    tenant: &TenantId,
    name: &str,
    time: Duration,
    now: i64,
) -> Result<LeaseGrant, Fault> {
    let tenant = tenant_for_write(conn, tenant)?;
    // A clock that went back must not keep a lease for longer than it was granted for.
    conn.prepare_cached(
        "UPDATE tc_leases SET lease_end = ?3 + lasts WHERE tenant = ?1 AND name = ?2 AND lease_end > ?3 + lasts",
    )?
    .execute((tenant, name, now))?;
    let end: Option<i64> = conn
        .prepare_cached("SELECT lease_end FROM tc_leases WHERE tenant = ?1 AND name = ?2 AND lease_end > ?3")?
        .query_row((tenant, name, now), |row| row.get(0))
        .optional()?;
    if let Some(end) = end {
        return Ok(LeaseGrant::Held { remaining: Duration::from_millis(natural(end - now)) });
    }
    let fence: i64 = conn
        .prepare_cached("UPDATE tc_fences SET last = last + 1 WHERE name = 'leases' RETURNING last")?
        .query_row([], |row| row.get(0))?;
    let end = after(now, time);
    conn.prepare_cached(
        "INSERT OR REPLACE INTO tc_leases (tenant, name, fence, lease_end, lasts) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute((tenant, name, fence, end, end - now))?;
    Ok(LeaseGrant::Granted { fence: natural(fence) })
}

#[async_trait]
impl LeaseStore for SqliteLeases {
    async fn acquire(&self, tenant: &TenantId, name: &str, time: Duration) -> Result<LeaseGrant> {
        let clock = self.0.clock();
        let (tenant, name) = (tenant.clone(), name.to_owned());
        self.0.write(move |conn| acquire(conn, &tenant, &name, time, now(&*clock))).await
    }

    async fn renew(&self, tenant: &TenantId, name: &str, fence: Fence, time: Duration) -> Result<bool> {
        let clock = self.0.clock();
        let (tenant, name) = (tenant.clone(), name.to_owned());
        self.0
            .write(move |conn| {
                let now = now(&*clock);
                let end = after(now, time);
                let sql = format!("UPDATE tc_leases SET lease_end = :end, lasts = :lasts WHERE {HELD}");
                let renewed = conn.prepare_cached(&sql)?.execute(named_params! {
                    ":end": end,
                    ":lasts": end - now,
                    ":tenant": tenant.as_str(),
                    ":name": name,
                    ":fence": integer(fence),
                    ":now": now,
                })?;
                Ok(renewed > 0)
            })
            .await
    }

    async fn release(&self, tenant: &TenantId, name: &str, fence: Fence) -> Result<bool> {
        let clock = self.0.clock();
        let (tenant, name) = (tenant.clone(), name.to_owned());
        self.0
            .write(move |conn| {
                let sql = format!("DELETE FROM tc_leases WHERE {HELD}");
                let released = conn.prepare_cached(&sql)?.execute(named_params! {
                    ":tenant": tenant.as_str(),
                    ":name": name,
                    ":fence": integer(fence),
                    ":now": now(&*clock),
                })?;
                Ok(released > 0)
            })
            .await
    }

    async fn purge(&self, age: Duration) -> Result<u64> {
        let clock = self.0.clock();
        let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        self.0
            .write_in_slices(move |conn, most| {
                let deleted = conn
                    .prepare_cached(
                        "DELETE FROM tc_leases WHERE (tenant, name) IN
                         (SELECT tenant, name FROM tc_leases WHERE lease_end <= ?1 LIMIT ?2)",
                    )?
                    .execute((now(&*clock).saturating_sub(age), most))?;
                Ok(deleted)
            })
            .await
    }
}
