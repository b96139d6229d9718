//! Approvals: a person's yes to one exact call, used once.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::ids::{AgentId, ApprovalId, TenantId, ToolId, UserId};

/// Digest of the exact call: tool, definition, canonical arguments, principal, connection,
/// idempotency key.
pub type CallHash = [u8; 32];

/// What a person is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewApproval {
    /// Its id, unguessable, chosen by the caller.
    pub id: ApprovalId,
    /// Tenant.
    pub tenant: TenantId,
    /// On whose behalf the call was to be made.
    pub user: UserId,
    /// Through which agent.
    pub agent: Option<AgentId>,
    /// Which tool.
    pub tool: ToolId,
    /// Why it is asked for.
    pub reason: String,
    /// The call that it is bound to.
    pub hash: CallHash,
    /// When it ends, decided or not.
    pub expires: SystemTime,
}

/// Where an approval stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalStatus {
    /// Nobody decided yet.
    Pending,
    /// Given, not used.
    Approved,
    /// Refused.
    Denied,
    /// Taken by a running call; given back if that call does not reach its tool.
    Reserved,
    /// Used; it cannot be used again.
    Used,
}

impl ApprovalStatus {
    /// The status' stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Reserved => "reserved",
            Self::Used => "used",
        }
    }
}

/// An approval as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// What was asked.
    pub request: NewApproval,
    /// Where it stands.
    pub status: ApprovalStatus,
    /// Who decided.
    pub decided_by: Option<UserId>,
}

/// What a person says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Yes.
    Approve,
    /// No.
    Deny,
}

/// Whether a call may use an approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reservation {
    /// It may; commit with this fence at dispatch, or release.
    Reserved(super::Fence),
    /// Nobody decided yet.
    Pending,
    /// It was refused.
    Denied,
    /// It was given for another call.
    Mismatch,
    /// Its time is over.
    Expired,
    /// It was used, or another call holds it.
    Used,
    /// The tenant has no such approval.
    Unknown,
}

/// Where approvals are kept.
///
/// Guarantees: of N concurrent reservations exactly one wins; a reservation that is neither
/// committed nor released within its lease counts as used, since its call may have run. Times are
/// kept to the millisecond.
#[async_trait]
pub trait ApprovalStore: Send + Sync + 'static {
    /// Writes a pending approval.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) where the tenant has that id already.
    async fn create(&self, approval: NewApproval) -> Result<()>;

    /// Reads one.
    ///
    /// # Errors
    /// Where the store fails.
    async fn get(&self, tenant: &TenantId, id: &ApprovalId) -> Result<Option<Approval>>;

    /// Lists a tenant's unexpired pending approvals, oldest expiry first.
    ///
    /// # Errors
    /// Where the store fails.
    async fn pending(&self, tenant: &TenantId) -> Result<Vec<Approval>>;

    /// Decides a pending, unexpired approval; returns it as it stands then. One that is decided
    /// already, or expired, is returned unchanged.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) where the tenant has no such approval.
    async fn decide(
        &self,
        tenant: &TenantId,
        id: &ApprovalId,
        decision: Decision,
        by: &UserId,
    ) -> Result<Approval>;

    /// Takes an approved one for a call with this hash. Where several answers fit, the first of
    /// `Unknown`, `Mismatch`, `Used` or `Denied`, `Expired`, `Pending` is given.
    ///
    /// # Errors
    /// Where the store fails.
    async fn reserve(
        &self,
        tenant: &TenantId,
        id: &ApprovalId,
        hash: &CallHash,
        lease: Duration,
    ) -> Result<Reservation>;

    /// Uses it up; false where the fence is stale. A reservation whose lease ended can still be
    /// committed, once: nobody else can get it any more.
    ///
    /// # Errors
    /// Where the store fails.
    async fn commit(&self, tenant: &TenantId, id: &ApprovalId, fence: super::Fence) -> Result<bool>;

    /// Gives it back; false where the fence is stale or the lease has ended.
    ///
    /// # Errors
    /// Where the store fails.
    async fn release(&self, tenant: &TenantId, id: &ApprovalId, fence: super::Fence) -> Result<bool>;

    /// Drops approvals of all tenants whose `expires` is neither after `before` nor in the future,
    /// decided or not; returns how many.
    ///
    /// # Errors
    /// Where the store fails.
    async fn purge(&self, before: SystemTime) -> Result<u64>;
}
