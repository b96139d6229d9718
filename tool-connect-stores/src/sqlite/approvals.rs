//! Approvals on SQLite.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use rusqlite::{Connection, Row, named_params};
use tool_connect_core::store::{
    Approval, ApprovalStatus, ApprovalStore, CallHash, Decision, Fence, NewApproval, Reservation,
};
use tool_connect_core::{AgentId, ApprovalId, Error, ErrorKind, Result, TenantId, ToolId, UserId};

use super::db::Db;
use super::fault::Fault;
use super::values::{
    after, bytes32, decoded, integer, millis, named, natural, now, tenant_for_write, tenant_no, time,
};

/// [`ApprovalStore`] on SQLite.
pub(crate) struct SqliteApprovals(pub(crate) Arc<Db>);

const COLUMNS: &str = "id, user, agent, tool, reason, hash, expires, status, decided_by, fence, lease_end";

/// An approval with what its reservations need.
struct Stored {
    approval: Approval,
    fence: i64,
    lease_end: i64,
}

impl Stored {
    fn decode(tenant: &TenantId, row: &Row<'_>) -> Result<Self, Fault> {
        let text = |place: usize| row.get::<_, String>(place);
        let maybe = |place: usize| row.get::<_, Option<String>>(place);
        let request = NewApproval {
            id: decoded("id", ApprovalId::new(text(0)?))?,
            tenant: tenant.clone(),
            user: decoded("user", UserId::new(text(1)?))?,
            agent: decoded("agent", maybe(2)?.map(AgentId::new).transpose())?,
            tool: decoded("tool", ToolId::parse(&text(3)?))?,
            reason: text(4)?,
            hash: bytes32("hash", row.get_ref(5)?.as_blob().unwrap_or_default())?,
            expires: time(row.get(6)?),
        };
        let decided_by = decoded("decided_by", maybe(8)?.map(UserId::new).transpose())?;
        let approval = Approval { request, status: named("status", &text(7)?)?, decided_by };
        Ok(Self { approval, fence: row.get(9)?, lease_end: row.get(10)? })
    }

    fn read(conn: &Connection, tenant: &TenantId, id: &ApprovalId) -> Result<Option<Self>, Fault> {
        let Some(no) = tenant_no(conn, tenant)? else { return Ok(None) };
        let sql = format!("SELECT {COLUMNS} FROM tc_approvals WHERE tenant = ?1 AND id = ?2");
        let mut statement = conn.prepare_cached(&sql)?;
        let mut rows = statement.query((no, id.as_str()))?;
        rows.next()?.map(|row| Self::decode(tenant, row)).transpose()
    }

    /// The approval as it stands now: a reservation whose lease has ended counts as used.
    fn at(mut self, now: i64) -> Approval {
        if self.approval.status == ApprovalStatus::Reserved && self.lease_end <= now {
            self.approval.status = ApprovalStatus::Used;
        }
        self.approval
    }
}

fn create(conn: &Connection, new: &NewApproval) -> Result<(), Fault> {
    let tenant = tenant_for_write(conn, &new.tenant)?;
    let inserted = conn
        .prepare_cached(
            "INSERT INTO tc_approvals (tenant, id, user, agent, tool, reason, hash, expires, status)
             VALUES (:tenant, :id, :user, :agent, :tool, :reason, :hash, :expires, 'pending')
             ON CONFLICT (tenant, id) DO NOTHING",
        )?
        .execute(named_params! {
            ":tenant": tenant,
            ":id": new.id.as_str(),
            ":user": new.user.as_str(),
            ":agent": new.agent.as_ref().map(AgentId::as_str),
            ":tool": new.tool.as_str(),
            ":reason": new.reason,
            ":hash": &new.hash[..],
            ":expires": millis(new.expires),
        })?;
    if inserted == 0 {
        return Err(Fault::Refused(Error::new(
            ErrorKind::Conflict,
            "an approval of this id exists already; choose a fresh random id",
        )));
    }
    Ok(())
}

fn reserve(
    conn: &Connection,
    tenant: &TenantId,
    id: &ApprovalId,
    hash: &CallHash,
    lease: Duration,
    now: i64,
) -> Result<Reservation, Fault> {
    let Some(stored) = Stored::read(conn, tenant, id)? else { return Ok(Reservation::Unknown) };
    let request = &stored.approval.request;
    if request.hash != *hash {
        return Ok(Reservation::Mismatch);
    }
    match stored.approval.status {
        ApprovalStatus::Used | ApprovalStatus::Reserved => Ok(Reservation::Used),
        ApprovalStatus::Denied => Ok(Reservation::Denied),
        _ if millis(request.expires) <= now => Ok(Reservation::Expired),
        ApprovalStatus::Pending => Ok(Reservation::Pending),
        ApprovalStatus::Approved => {
            let fence = stored.fence + 1;
            conn.prepare_cached(
                "UPDATE tc_approvals SET status = 'reserved', fence = ?3, lease_end = ?4
                 WHERE tenant = (SELECT no FROM tc_tenants WHERE id = ?1) AND id = ?2",
            )?
            .execute((tenant.as_str(), id.as_str(), fence, after(now, lease)))?;
            Ok(Reservation::Reserved(natural(fence)))
        }
    }
}

impl SqliteApprovals {
    /// Ends the reservation that has this fence; one whose lease has ended only if `late_too`.
    async fn end(
        &self,
        tenant: &TenantId,
        id: &ApprovalId,
        fence: Fence,
        status: ApprovalStatus,
        late_too: bool,
    ) -> Result<bool> {
        let clock = self.0.clock();
        let (tenant, id) = (tenant.clone(), id.clone());
        self.0
            .write(move |conn| {
                let changed = conn
                    .prepare_cached(
                        "UPDATE tc_approvals SET status = ?4
                         WHERE tenant = (SELECT no FROM tc_tenants WHERE id = ?1) AND id = ?2
                         AND status = 'reserved' AND fence = ?3 AND lease_end > ?5",
                    )?
                    .execute((
                        tenant.as_str(),
                        id.as_str(),
                        integer(fence),
                        status.as_str(),
                        if late_too { i64::MIN } else { now(&*clock) },
                    ))?;
                Ok(changed > 0)
            })
            .await
    }
}

#[async_trait]
impl ApprovalStore for SqliteApprovals {
    async fn create(&self, approval: NewApproval) -> Result<()> {
        self.0.write(move |conn| create(conn, &approval)).await
    }

    async fn get(&self, tenant: &TenantId, id: &ApprovalId) -> Result<Option<Approval>> {
        let clock = self.0.clock();
        let (tenant, id) = (tenant.clone(), id.clone());
        self.0
            .read(move |conn| Ok(Stored::read(conn, &tenant, &id)?.map(|stored| stored.at(now(&*clock)))))
            .await
    }

    async fn pending(&self, tenant: &TenantId) -> Result<Vec<Approval>> {
        let clock = self.0.clock();
        let tenant = tenant.clone();
        self.0
            .read(move |conn| {
                let Some(no) = tenant_no(conn, &tenant)? else { return Ok(Vec::new()) };
                let sql = format!(
                    "SELECT {COLUMNS} FROM tc_approvals
                     WHERE tenant = ?1 AND status = 'pending' AND expires > ?2 ORDER BY expires, id"
                );
                let mut statement = conn.prepare_cached(&sql)?;
                let mut rows = statement.query((no, now(&*clock)))?;
                let mut pending = Vec::new();
                while let Some(row) = rows.next()? {
                    pending.push(Stored::decode(&tenant, row)?.approval);
                }
                Ok(pending)
            })
            .await
    }

    async fn decide(
        &self,
        tenant: &TenantId,
        id: &ApprovalId,
        decision: Decision,
        by: &UserId,
    ) -> Result<Approval> {
        let clock = self.0.clock();
        let (tenant, id, by) = (tenant.clone(), id.clone(), by.clone());
        let status = match decision {
            Decision::Approve => ApprovalStatus::Approved,
            Decision::Deny => ApprovalStatus::Denied,
        };
        self.0
            .write(move |conn| {
                let now = now(&*clock);
                conn.prepare_cached(
                    "UPDATE tc_approvals SET status = ?3, decided_by = ?4
                     WHERE tenant = (SELECT no FROM tc_tenants WHERE id = ?1) AND id = ?2
                     AND status = 'pending' AND expires > ?5",
                )?
                .execute((
                    tenant.as_str(),
                    id.as_str(),
                    status.as_str(),
                    by.as_str(),
                    now,
                ))?;
                match Stored::read(conn, &tenant, &id)? {
                    Some(stored) => Ok(stored.at(now)),
                    None => Err(Fault::Refused(Error::new(
                        ErrorKind::NotFound,
                        "the tenant has no approval of this id",
                    ))),
                }
            })
            .await
    }

    async fn reserve(
        &self,
        tenant: &TenantId,
        id: &ApprovalId,
        hash: &CallHash,
        lease: Duration,
    ) -> Result<Reservation> {
        let clock = self.0.clock();
        let (tenant, id, hash) = (tenant.clone(), id.clone(), *hash);
        self.0.write(move |conn| reserve(conn, &tenant, &id, &hash, lease, now(&*clock))).await
    }

    async fn commit(&self, tenant: &TenantId, id: &ApprovalId, fence: Fence) -> Result<bool> {
        self.end(tenant, id, fence, ApprovalStatus::Used, true).await
    }

    async fn release(&self, tenant: &TenantId, id: &ApprovalId, fence: Fence) -> Result<bool> {
        self.end(tenant, id, fence, ApprovalStatus::Approved, false).await
    }

    async fn purge(&self, before: SystemTime) -> Result<u64> {
        let clock = self.0.clock();
        self.0
            .write_in_slices(move |conn, most| {
                let before = millis(before).min(now(&*clock));
                let deleted = conn
                    .prepare_cached(
                        "DELETE FROM tc_approvals WHERE (tenant, id) IN
                         (SELECT tenant, id FROM tc_approvals WHERE expires <= ?1 LIMIT ?2)",
                    )?
                    .execute((before, most))?;
                Ok(deleted)
            })
            .await
    }
}
