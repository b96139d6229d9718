//! The audit trail on SQLite. A segment has one integer key, made of its tenant's small number and
//! its last record's number, so that appending writes at one place of one tree.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use rusqlite::{Connection, Row, named_params};
use tool_connect_core::store::{
    AuditAppend, AuditHead, AuditStore, Checkpoint, SealedRecord, SealedSegment, Segment, SubjectKey,
};
use tool_connect_core::{Error, ErrorKind, Result, Retry, TenantId, UserId};

use super::db::Db;
use super::fault::Fault;
use super::values::{bytes32, decoded, integer, natural, tenant_for_write, tenant_no};

/// [`AuditStore`] on SQLite.
pub(crate) struct SqliteAudit(pub(crate) Arc<Db>);

/// How many bits of a key the number of a record takes; the tenant has the others.
const SEQUENCE_BITS: u32 = 40;
const LAST_SEQUENCE: i64 = (1 << SEQUENCE_BITS) - 1;
const LAST_TENANT: i64 = (1 << (62 - SEQUENCE_BITS)) - 1;
/// How many records of a chain one read looks through for a person's, so that a long export neither
/// occupies a reader nor holds the write-ahead log.
const LOOKED_THROUGH: u64 = 10_000;

/// The key of what ends with a record.
fn place(tenant: i64, sequence: i64) -> Result<i64, Fault> {
    if tenant <= LAST_TENANT && (0..=LAST_SEQUENCE).contains(&sequence) {
        return Ok((tenant << SEQUENCE_BITS) + sequence);
    }
    let full = "the audit tables hold 2^40 records for each of 2^22 tenants; begin a new database";
    Err(Fault::Refused(Error::new(ErrorKind::Storage, full).retry(Retry::Never)))
}

/// Where a chain begins and ends.
struct Chain {
    tenant: i64,
    first: i64,
    head: AuditHead,
}

impl Chain {
    fn read(conn: &Connection, tenant: i64) -> Result<Option<Self>, Fault> {
        let mut statement =
            conn.prepare_cached("SELECT first, sequence, hash FROM tc_audit_chains WHERE tenant = ?1")?;
        let mut rows = statement.query([tenant])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let hash = bytes32("hash", decoded("hash", row.get_ref(2)?.as_blob())?)?;
        let head = AuditHead { sequence: natural(row.get(1)?), hash };
        Ok(Some(Self { tenant, first: row.get(0)?, head }))
    }

    fn of(conn: &Connection, tenant: &TenantId) -> Result<Option<Self>, Fault> {
        tenant_no(conn, tenant)?.map_or(Ok(None), |no| Self::read(conn, no))
    }
}

fn append(conn: &Connection, segment: &Segment) -> Result<AuditAppend, Fault> {
    let chain = Chain::of(conn, &segment.tenant)?;
    let head = chain.as_ref().map(|chain| chain.head);
    if head != segment.after {
        return Ok(AuditAppend::Moved(head));
    }
    let tenant = chain.map_or_else(|| tenant_for_write(conn, &segment.tenant), |chain| Ok(chain.tenant))?;
    let (sealed, end) = (&segment.sealed, segment.end());
    conn.prepare_cached("INSERT INTO tc_audit_segments (place, count, hash, bytes) VALUES (?1, ?2, ?3, ?4)")?
        .execute((
            place(tenant, integer(sealed.last))?,
            integer(sealed.count()),
            &sealed.hash[..],
            &sealed.bytes[..],
        ))?;
    conn.prepare_cached(
        "INSERT INTO tc_audit_chains (tenant, first, sequence, hash) VALUES (?1, 1, ?2, ?3)
         ON CONFLICT (tenant) DO UPDATE SET sequence = ?2, hash = ?3",
    )?
    .execute((tenant, integer(end.sequence), &end.hash[..]))?;
    Ok(AuditAppend::Appended)
}

fn segment(row: &Row<'_>) -> Result<SealedSegment, Fault> {
    let last = natural(row.get::<_, i64>(0)? & LAST_SEQUENCE);
    let hash = bytes32("hash", decoded("hash", row.get_ref(2)?.as_blob())?)?;
    let bytes = Bytes::from(row.get::<_, Vec<u8>>(3)?);
    let Some(user) = row.get::<_, Option<String>>(4)? else {
        let first = natural(row.get(1)?).checked_sub(1).and_then(|others| last.checked_sub(others));
        let first = first.ok_or_else(|| {
            Fault::Refused(Error::new(
                ErrorKind::Storage,
                "a row of the audit trail says that it holds no record: it was damaged or altered; restore a backup",
            ))
        })?;
        return Ok(SealedSegment { first, last, hash, bytes });
    };
    let user = decoded("user", UserId::new(user))?;
    let record = SealedRecord { sequence: last, user, millis: natural(row.get(5)?), payload: bytes };
    Ok(SealedSegment::alone(&record, hash))
}

/// Hands over the segments with records numbered `from` to `to`, in order, until one is not wanted any more.
fn scan(
    conn: &Connection,
    tenant: i64,
    from: i64,
    to: i64,
    mut wanted: impl FnMut(SealedSegment) -> Result<bool, Fault>,
) -> Result<(), Fault> {
    let mut statement = conn.prepare_cached(
        "SELECT place, count, hash, bytes, NULL, NULL FROM tc_audit_segments WHERE place BETWEEN ?1 AND ?2
         UNION ALL
         SELECT place, 1, hash, payload, user, millis FROM tc_audit_records WHERE place BETWEEN ?1 AND ?2
         ORDER BY place",
    )?;
    let mut rows = statement.query((place(tenant, from)?, place(tenant, to)?))?;
    while let Some(row) = rows.next()? {
        if !wanted(segment(row)?)? {
            break;
        }
    }
    Ok(())
}

/// The segments that hold `limit` records numbered `from` and on.
fn page(conn: &Connection, tenant: &TenantId, from: u64, limit: usize) -> Result<Vec<SealedSegment>, Fault> {
    let mut segments = Vec::new();
    let Some(chain) = Chain::of(conn, tenant)? else { return Ok(segments) };
    let (start, last) = (integer(from).max(chain.first), integer(chain.head.sequence));
    if start > last || limit == 0 {
        return Ok(segments);
    }
    let (limit, mut records) = (u64::try_from(limit).unwrap_or(u64::MAX), 0_u64);
    scan(conn, chain.tenant, start, last, |segment| {
        records = records.saturating_add(segment.count_from(from));
        segments.push(segment);
        Ok(records < limit)
    })?;
    Ok(segments)
}

/// Where a look-through of a chain goes on.
struct Page {
    records: Vec<SealedRecord>,
    next: Option<u64>,
}

fn page_of_user(
    conn: &Connection,
    tenant: &TenantId,
    user: &UserId,
    from: u64,
    limit: usize,
) -> Result<Page, Fault> {
    let mut page = Page { records: Vec::new(), next: None };
    let Some(chain) = Chain::of(conn, tenant)? else { return Ok(page) };
    let (start, last) = (integer(from).max(chain.first), integer(chain.head.sequence));
    if start > last {
        return Ok(page);
    }
    let mut seen = 0_u64;
    scan(conn, chain.tenant, start, last, |segment| {
        for record in segment.records() {
            let record = record.map_err(Fault::Refused)?;
            if record.sequence >= from && record.user == *user && page.records.len() < limit {
                page.records.push(record);
            }
        }
        seen = seen.saturating_add(segment.count());
        page.next = (segment.last < natural(last)).then(|| segment.last.saturating_add(1));
        Ok(seen < LOOKED_THROUGH && page.records.len() < limit)
    })?;
    Ok(page)
}

/// Moves the beginning of a chain to that of a segment; returns how many records are before it that were not.
fn prune(conn: &Connection, tenant: &TenantId, before: u64) -> Result<u64, Fault> {
    let Some(chain) = Chain::of(conn, tenant)? else { return Ok(0) };
    let before = integer(before).min(integer(chain.head.sequence).saturating_add(1));
    if before <= chain.first {
        return Ok(0);
    }
    let dropped: Option<i64> = conn
        .prepare_cached(
            "SELECT max(place) FROM (
                 SELECT max(place) AS place FROM tc_audit_segments WHERE place BETWEEN ?1 AND ?2
                 UNION ALL
                 SELECT max(place) AS place FROM tc_audit_records WHERE place BETWEEN ?1 AND ?2)",
        )?
        .query_row((place(chain.tenant, chain.first)?, place(chain.tenant, before - 1)?), |row| row.get(0))?;
    let Some(dropped) = dropped else { return Ok(0) };
    let first = (dropped & LAST_SEQUENCE).saturating_add(1);
    conn.prepare_cached("UPDATE tc_audit_chains SET first = ?2 WHERE tenant = ?1")?
        .execute((chain.tenant, first))?;
    Ok(natural(first - chain.first))
}

/// Deletes up to so many rows from before the beginning of a chain.
fn clear_pruned(conn: &Connection, tenant: &TenantId, most: i64) -> Result<usize, Fault> {
    let Some(chain) = Chain::of(conn, tenant)? else { return Ok(0) };
    let (from, to) = (place(chain.tenant, 0)?, place(chain.tenant, chain.first - 1)?);
    let mut left = most;
    let mut deleted = 0;
    for delete in [
        "DELETE FROM tc_audit_records WHERE place IN
         (SELECT place FROM tc_audit_records WHERE place BETWEEN ?1 AND ?2 LIMIT ?3)",
        "DELETE FROM tc_audit_segments WHERE place IN
         (SELECT place FROM tc_audit_segments WHERE place BETWEEN ?1 AND ?2 LIMIT ?3)",
    ] {
        let rows = conn.prepare_cached(delete)?.execute((from, to, left))?;
        left -= i64::try_from(rows).unwrap_or(left);
        deleted += rows;
    }
    Ok(deleted)
}

/// What is known of a person's key: nothing, the key, or that it was destroyed.
fn known_key(
    conn: &Connection,
    tenant: &TenantId,
    user: &UserId,
) -> Result<Option<Option<SubjectKey>>, Fault> {
    let mut statement = conn.prepare_cached(
        "SELECT erased, key FROM tc_audit_subjects
         WHERE tenant = (SELECT no FROM tc_tenants WHERE id = ?1) AND user = ?2",
    )?;
    let mut rows = statement.query((tenant.as_str(), user.as_str()))?;
    let Some(row) = rows.next()? else { return Ok(None) };
    if row.get(0)? {
        return Ok(Some(None));
    }
    let key = bytes32("key", decoded("key", row.get_ref(1)?.as_blob())?)?;
    Ok(Some(Some(SubjectKey(key))))
}

#[async_trait]
impl AuditStore for SqliteAudit {
    async fn head(&self, tenant: &TenantId) -> Result<Option<AuditHead>> {
        let tenant = tenant.clone();
        self.0.read(move |conn| Ok(Chain::of(conn, &tenant)?.map(|chain| chain.head))).await
    }

    async fn append(&self, segments: &[Segment]) -> Result<Vec<AuditAppend>> {
        segments.iter().try_for_each(Segment::check)?;
        let segments = segments.to_vec();
        self.0.write(move |conn| segments.iter().map(|segment| append(conn, segment)).collect()).await
    }

    /// One thread writes, what came first first.
    fn appends_in_order(&self) -> bool {
        true
    }

    async fn scan(&self, tenant: &TenantId, from: u64, limit: usize) -> Result<Vec<SealedSegment>> {
        let tenant = tenant.clone();
        self.0.read(move |conn| page(conn, &tenant, from, limit)).await
    }

    async fn scan_user(
        &self,
        tenant: &TenantId,
        user: &UserId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<SealedRecord>> {
        let mut found = Vec::new();
        let mut next = Some(from);
        while let Some(from) = next.filter(|_| found.len() < limit) {
            let (tenant, user, left) = (tenant.clone(), user.clone(), limit - found.len());
            let page = self.0.read(move |conn| page_of_user(conn, &tenant, &user, from, left)).await?;
            found.extend(page.records);
            next = page.next;
        }
        Ok(found)
    }

    async fn tenants(&self) -> Result<Vec<TenantId>> {
        self.0
            .read(|conn| {
                let mut statement = conn.prepare_cached(
                    "SELECT id FROM tc_audit_chains JOIN tc_tenants ON no = tenant ORDER BY id",
                )?;
                let mut rows = statement.query([])?;
                let mut tenants = Vec::new();
                while let Some(row) = rows.next()? {
                    tenants.push(decoded("id", TenantId::new(row.get::<_, String>(0)?))?);
                }
                Ok(tenants)
            })
            .await
    }

    async fn put_checkpoint(&self, checkpoint: Checkpoint) -> Result<()> {
        self.0
            .write(move |conn| {
                conn.prepare_cached(
                    "INSERT INTO tc_audit_checkpoints (tenant, sequence, hash, millis, key_id, signature)
                     VALUES (:tenant, :sequence, :hash, :millis, :key_id, :signature)",
                )?
                .execute(named_params! {
                    ":tenant": tenant_for_write(conn, &checkpoint.tenant)?,
                    ":sequence": integer(checkpoint.head.sequence),
                    ":hash": &checkpoint.head.hash[..],
                    ":millis": integer(checkpoint.millis),
                    ":key_id": checkpoint.key_id,
                    ":signature": &checkpoint.signature[..],
                })?;
                Ok(())
            })
            .await
    }

    async fn checkpoints(&self, tenant: &TenantId) -> Result<Vec<Checkpoint>> {
        let tenant = tenant.clone();
        self.0
            .read(move |conn| {
                let mut statement = conn.prepare_cached(
                    "SELECT sequence, hash, millis, key_id, signature FROM tc_audit_checkpoints
                     WHERE tenant = (SELECT no FROM tc_tenants WHERE id = ?1) ORDER BY sequence, no",
                )?;
                let mut rows = statement.query([tenant.as_str()])?;
                let mut checkpoints = Vec::new();
                while let Some(row) = rows.next()? {
                    let hash = bytes32("hash", decoded("hash", row.get_ref(1)?.as_blob())?)?;
                    checkpoints.push(Checkpoint {
                        tenant: tenant.clone(),
                        head: AuditHead { sequence: natural(row.get(0)?), hash },
                        millis: natural(row.get(2)?),
                        key_id: row.get(3)?,
                        signature: Bytes::from(row.get::<_, Vec<u8>>(4)?),
                    });
                }
                Ok(checkpoints)
            })
            .await
    }

    async fn prune(&self, tenant: &TenantId, before: u64) -> Result<u64> {
        // One commit makes the records unreachable, whoever goes away meanwhile; the space is then
        // won back in pieces, by the next prune if not by this one.
        let of = tenant.clone();
        let pruned = self.0.write(move |conn| prune(conn, &of, before)).await?;
        let of = tenant.clone();
        self.0.write_in_slices(move |conn, most| clear_pruned(conn, &of, most)).await?;
        Ok(pruned)
    }

    async fn subject_key(
        &self,
        tenant: &TenantId,
        user: &UserId,
        candidate: SubjectKey,
    ) -> Result<Option<SubjectKey>> {
        let (of, who) = (tenant.clone(), user.clone());
        if let Some(known) = self.0.read(move |conn| known_key(conn, &of, &who)).await? {
            return Ok(known);
        }
        let (of, who) = (tenant.clone(), user.clone());
        self.0
            .write(move |conn| {
                if let Some(known) = known_key(conn, &of, &who)? {
                    return Ok(known);
                }
                conn.prepare_cached(
                    "INSERT INTO tc_audit_subjects (tenant, user, erased, key) VALUES (?1, ?2, 0, ?3)",
                )?
                .execute((tenant_for_write(conn, &of)?, who.as_str(), &candidate.0[..]))?;
                Ok(Some(candidate.clone()))
            })
            .await
    }

    async fn erase_subject(&self, tenant: &TenantId, user: &UserId) -> Result<bool> {
        let (tenant, user) = (tenant.clone(), user.clone());
        let erased = self
            .0
            .write(move |conn| {
                let known = known_key(conn, &tenant, &user)?.flatten().is_some();
                conn.prepare_cached(
                    "INSERT INTO tc_audit_subjects (tenant, user, erased, key) VALUES (?1, ?2, 1, zeroblob(32))
                     ON CONFLICT (tenant, user) DO UPDATE SET erased = 1, key = zeroblob(32)",
                )?
                .execute((tenant_for_write(conn, &tenant)?, user.as_str()))?;
                Ok(known)
            })
            .await?;
        // The write-ahead log may still hold the page as it was.
        self.0.fold_log().await?;
        Ok(erased)
    }
}
