//! Idempotency keys on SQLite.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use rusqlite::{Connection, named_params};
use tool_connect_core::Result;
use tool_connect_core::store::{Begin, Fence, Fingerprint, IdempotencyKey, IdempotencyStore, StoredOutcome};

use super::db::Db;
use super::fault::Fault;
use super::values::{after, bytes32, integer, natural, now, tenant_for_write};

/// [`IdempotencyStore`] on SQLite.
pub(crate) struct SqliteIdempotency(pub(crate) Arc<Db>);

/// How many ended records a `begin` clears: more than the one it adds, so the table shrinks.
const CLEARED_PER_BEGIN: i64 = 2;

/// The claim that a fence belongs to, if it has no end yet.
const CLAIM: &str =
    "tenant = (SELECT no FROM tc_tenants WHERE id = :tenant) AND user = :user AND tool = :tool
    AND key = :key AND fence = :fence AND done = 0 AND expires > :now";

fn begin(
    conn: &Connection,
    key: &IdempotencyKey,
    fingerprint: &Fingerprint,
    (lease, keep): (Duration, Duration),
    now: i64,
) -> Result<Begin, Fault> {
    let tenant = tenant_for_write(conn, &key.tenant)?;
    if let Some(known) = known(conn, tenant, key, fingerprint, now)? {
        return Ok(known);
    }
    clear_ended(conn, now, CLEARED_PER_BEGIN)?;
    let fence: i64 = conn
        .prepare_cached("UPDATE tc_fences SET last = last + 1 WHERE name = 'idempotency' RETURNING last")?
        .query_row([], |row| row.get(0))?;
    let lease_end = after(now, lease);
    conn.prepare_cached(
        "INSERT OR REPLACE INTO tc_idempotency (tenant, user, tool, key, fingerprint, fence, lease_end, expires)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute((
        tenant,
        key.user.as_str(),
        key.tool.as_str(),
        &*key.key,
        &fingerprint[..],
        fence,
        lease_end,
        after(now, keep).max(lease_end),
    ))?;
    Ok(Begin::Fresh(natural(fence)))
}

/// What became of an earlier call with the key, if it is remembered.
fn known(
    conn: &Connection,
    tenant: i64,
    key: &IdempotencyKey,
    fingerprint: &Fingerprint,
    now: i64,
) -> Result<Option<Begin>, Fault> {
    let mut statement = conn.prepare_cached(
        "SELECT fingerprint, lease_end, done, trusted, body, content FROM tc_idempotency
         WHERE tenant = ?1 AND user = ?2 AND tool = ?3 AND key = ?4 AND expires > ?5",
    )?;
    let mut rows = statement.query((tenant, key.user.as_str(), key.tool.as_str(), &*key.key, now))?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let bytes = |place: usize| row.get::<_, Option<Vec<u8>>>(place).map(Option::unwrap_or_default);
    let known = if bytes32("fingerprint", &bytes(0)?)? != *fingerprint {
        Begin::Mismatch
    } else if row.get(2)? {
        let (body, content) = (Bytes::from(bytes(4)?), Bytes::from(bytes(5)?));
        Begin::Replay(StoredOutcome { body, content, trusted: row.get(3)? })
    } else if row.get::<_, i64>(1)? > now {
        Begin::InFlight
    } else {
        Begin::Indeterminate
    };
    Ok(Some(known))
}

fn clear_ended(conn: &Connection, now: i64, most: i64) -> Result<usize, Fault> {
    let deleted = conn
        .prepare_cached(
            "DELETE FROM tc_idempotency WHERE (tenant, user, tool, key) IN
             (SELECT tenant, user, tool, key FROM tc_idempotency WHERE expires <= ?1 LIMIT ?2)",
        )?
        .execute((now, most))?;
    Ok(deleted)
}

impl SqliteIdempotency {
    /// Runs a statement on the claim that the fence belongs to; false where there is none.
    async fn on_claim(&self, key: &IdempotencyKey, fence: Fence, statement: &'static str) -> Result<bool> {
        let clock = self.0.clock();
        let key = key.clone();
        self.0
            .write(move |conn| {
                let changed =
                    conn.prepare_cached(&format!("{statement} WHERE {CLAIM}"))?.execute(named_params! {
                        ":tenant": key.tenant.as_str(),
                        ":user": key.user.as_str(),
                        ":tool": key.tool.as_str(),
                        ":key": &*key.key,
                        ":fence": integer(fence),
                        ":now": now(&*clock),
                    })?;
                Ok(changed > 0)
            })
            .await
    }
}

#[async_trait]
impl IdempotencyStore for SqliteIdempotency {
    async fn begin(
        &self,
        key: &IdempotencyKey,
        fingerprint: &Fingerprint,
        lease: Duration,
        keep: Duration,
    ) -> Result<Begin> {
        let clock = self.0.clock();
        let (key, fingerprint) = (key.clone(), *fingerprint);
        self.0.write(move |conn| begin(conn, &key, &fingerprint, (lease, keep), now(&*clock))).await
    }

    async fn complete(&self, key: &IdempotencyKey, fence: Fence, outcome: StoredOutcome) -> Result<bool> {
        let clock = self.0.clock();
        let key = key.clone();
        self.0
            .write(move |conn| {
                let sql = format!(
                    "UPDATE tc_idempotency SET done = 1, trusted = :trusted, body = :body, content = :content
                     WHERE {CLAIM}"
                );
                let changed = conn.prepare_cached(&sql)?.execute(named_params! {
                    ":trusted": outcome.trusted,
                    ":body": &outcome.body[..],
                    ":content": &outcome.content[..],
                    ":tenant": key.tenant.as_str(),
                    ":user": key.user.as_str(),
                    ":tool": key.tool.as_str(),
                    ":key": &*key.key,
                    ":fence": integer(fence),
                    ":now": now(&*clock),
                })?;
                Ok(changed > 0)
            })
            .await
    }

    async fn release(&self, key: &IdempotencyKey, fence: Fence) -> Result<bool> {
        self.on_claim(key, fence, "DELETE FROM tc_idempotency").await
    }

    async fn abandon(&self, key: &IdempotencyKey, fence: Fence) -> Result<bool> {
        self.on_claim(key, fence, "UPDATE tc_idempotency SET lease_end = 0").await
    }

    async fn purge(&self) -> Result<u64> {
        let clock = self.0.clock();
        self.0.write_in_slices(move |conn, most| clear_ended(conn, now(&*clock), most)).await
    }
}
