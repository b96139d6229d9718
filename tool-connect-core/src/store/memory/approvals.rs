//! Approvals in memory.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use super::{lock, nanos, opaque_debug};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::{ApprovalId, TenantId, UserId};
use crate::store::{
    Approval, ApprovalStatus, ApprovalStore, CallHash, Decision, Fence, NewApproval, Reservation,
};

struct Row {
    approval: Approval,
    /// The last reservation's.
    fence: Fence,
    /// When that reservation counts as used, in monotonic nanoseconds.
    lease_end: u64,
}

impl Row {
    /// The approval as it stands at a moment: a reservation whose lease has ended counts as used.
    fn at(&self, monotonic: u64) -> Approval {
        let mut approval = self.approval.clone();
        if approval.status == ApprovalStatus::Reserved && self.lease_end <= monotonic {
            approval.status = ApprovalStatus::Used;
        }
        approval
    }
}

/// [`ApprovalStore`] in memory.
pub struct MemoryApprovals {
    clock: Arc<dyn Clock>,
    tenants: Mutex<HashMap<TenantId, HashMap<ApprovalId, Row>>>,
}

opaque_debug!(MemoryApprovals);

impl MemoryApprovals {
    /// An empty store; the clock ends approvals and reservations.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, tenants: Mutex::default() }
    }

    fn with_row<T>(&self, tenant: &TenantId, id: &ApprovalId, f: impl FnOnce(&mut Row) -> T) -> Option<T> {
        lock(&self.tenants).get_mut(tenant)?.get_mut(id).map(f)
    }
}

#[async_trait]
impl ApprovalStore for MemoryApprovals {
    async fn create(&self, approval: NewApproval) -> Result<()> {
        match lock(&self.tenants).entry(approval.tenant.clone()).or_default().entry(approval.id.clone()) {
            Entry::Occupied(_) => Err(Error::new(
                ErrorKind::Conflict,
                "an approval of this id exists already; choose a fresh random id",
            )),
            Entry::Vacant(place) => {
                let approval =
                    Approval { request: approval, status: ApprovalStatus::Pending, decided_by: None };
                place.insert(Row { approval, fence: 0, lease_end: 0 });
                Ok(())
            }
        }
    }

    async fn get(&self, tenant: &TenantId, id: &ApprovalId) -> Result<Option<Approval>> {
        let monotonic = self.clock.monotonic();
        Ok(self.with_row(tenant, id, |row| row.at(monotonic)))
    }

    async fn pending(&self, tenant: &TenantId) -> Result<Vec<Approval>> {
        let now = self.clock.now();
        let mut pending: Vec<Approval> = lock(&self.tenants)
            .get(tenant)
            .into_iter()
            .flat_map(HashMap::values)
            .map(|row| &row.approval)
            .filter(|approval| approval.status == ApprovalStatus::Pending && approval.request.expires > now)
            .cloned()
            .collect();
        pending.sort_by(|a, b| (a.request.expires, &a.request.id).cmp(&(b.request.expires, &b.request.id)));
        Ok(pending)
    }

    async fn decide(
        &self,
        tenant: &TenantId,
        id: &ApprovalId,
        decision: Decision,
        by: &UserId,
    ) -> Result<Approval> {
        let (now, monotonic) = (self.clock.now(), self.clock.monotonic());
        self.with_row(tenant, id, |row| {
            if row.approval.status == ApprovalStatus::Pending && row.approval.request.expires > now {
                row.approval.status = match decision {
                    Decision::Approve => ApprovalStatus::Approved,
                    Decision::Deny => ApprovalStatus::Denied,
                };
                row.approval.decided_by = Some(by.clone());
            }
            row.at(monotonic)
        })
        .ok_or_else(|| Error::new(ErrorKind::NotFound, "the tenant has no approval of this id"))
    }

    async fn reserve(
        &self,
        tenant: &TenantId,
        id: &ApprovalId,
        hash: &CallHash,
        lease: Duration,
    ) -> Result<Reservation> {
        let (now, monotonic) = (self.clock.now(), self.clock.monotonic());
        let reservation = self.with_row(tenant, id, |row| {
            if row.approval.request.hash != *hash {
                return Reservation::Mismatch;
            }
            match row.approval.status {
                ApprovalStatus::Used | ApprovalStatus::Reserved => Reservation::Used,
                ApprovalStatus::Denied => Reservation::Denied,
                _ if row.approval.request.expires <= now => Reservation::Expired,
                ApprovalStatus::Pending => Reservation::Pending,
                ApprovalStatus::Approved => {
                    row.fence += 1;
                    row.lease_end = monotonic.saturating_add(nanos(lease));
                    row.approval.status = ApprovalStatus::Reserved;
                    Reservation::Reserved(row.fence)
                }
            }
        });
        Ok(reservation.unwrap_or(Reservation::Unknown))
    }

    async fn commit(&self, tenant: &TenantId, id: &ApprovalId, fence: Fence) -> Result<bool> {
        let committed = self.with_row(tenant, id, |row| {
            let ours = row.approval.status == ApprovalStatus::Reserved && row.fence == fence;
            if ours {
                row.approval.status = ApprovalStatus::Used;
            }
            ours
        });
        Ok(committed.unwrap_or(false))
    }

    async fn release(&self, tenant: &TenantId, id: &ApprovalId, fence: Fence) -> Result<bool> {
        let monotonic = self.clock.monotonic();
        let released = self.with_row(tenant, id, |row| {
            let ours = row.approval.status == ApprovalStatus::Reserved
                && row.fence == fence
                && row.lease_end > monotonic;
            if ours {
                row.approval.status = ApprovalStatus::Approved;
            }
            ours
        });
        Ok(released.unwrap_or(false))
    }

    async fn purge(&self, before: SystemTime) -> Result<u64> {
        let before = before.min(self.clock.now());
        let mut dropped = 0;
        lock(&self.tenants).retain(|_, rows| {
            let held = rows.len();
            rows.retain(|_, row| row.approval.request.expires > before);
            dropped += held - rows.len();
            !rows.is_empty()
        });
        Ok(u64::try_from(dropped).unwrap_or(u64::MAX))
    }
}
