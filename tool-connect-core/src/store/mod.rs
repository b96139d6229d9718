//! Storage that a host may implement: one small trait per meaning, every key begins with the
//! tenant, each with a form in memory. `tool-connect-testkit` has a conformance suite for each.
//! All methods may be canceled at any await; then either all of their effect is there or none (a
//! purge may have cleared a part, and the next one clears the rest).

mod approval;
mod audit;
mod authorization;
mod connection;
mod credential;
mod grant;
mod idempotency;
mod lease;
pub mod memory;
mod quota;
mod result;

use std::sync::Arc;

pub use approval::{Approval, ApprovalStatus, ApprovalStore, CallHash, Decision, NewApproval, Reservation};
pub use audit::{
    AuditAppend, AuditHead, AuditStore, Checkpoint, SealedRecord, SealedSegment, Segment, SegmentBytes,
    SubjectKey,
};
pub use authorization::{AuthorizationState, AuthorizationStateStore};
pub use connection::{ConnectionFilter, ConnectionStore};
pub use credential::{
    CredentialCursor, CredentialFilter, CredentialKey, CredentialKind, CredentialStore, RefreshIntent,
    StoredCredential,
};
pub use grant::{Grant, GrantStore, Subject, ToolPattern};
pub use idempotency::{Begin, Fence, Fingerprint, IdempotencyKey, IdempotencyStore, StoredOutcome};
pub use lease::{LeaseGrant, LeaseStore};
pub use quota::{QuotaDecision, QuotaKey, QuotaRequest, QuotaStore};
pub use result::{NewResult, ResultMeta, ResultStore};

use crate::clock::{Clock, SystemClock};

/// The stores of a Hub. A host can keep some of them in its own tables and take the rest from
/// ours.
#[derive(Clone)]
#[non_exhaustive]
pub struct Stores {
    /// Accounts.
    pub connections: Arc<dyn ConnectionStore>,
    /// What principals were granted.
    pub grants: Arc<dyn GrantStore>,
    /// Approvals.
    pub approvals: Arc<dyn ApprovalStore>,
    /// Idempotency keys and what their calls returned.
    pub idempotency: Arc<dyn IdempotencyStore>,
    /// Long-window counters.
    pub quotas: Arc<dyn QuotaStore>,
    /// Large values and files.
    pub results: Arc<dyn ResultStore>,
    /// The audit trail.
    pub audit: Arc<dyn AuditStore>,
    /// Sealed secrets.
    pub credentials: Arc<dyn CredentialStore>,
    /// Leases, for what one of many processes does at a time.
    pub leases: Arc<dyn LeaseStore>,
    /// Tickets and states of consents under way.
    pub authorizations: Arc<dyn AuthorizationStateStore>,
}

impl Stores {
    /// Everything in memory: for tests and for hosts that need nothing to survive the process.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::in_memory_with(Arc::new(SystemClock))
    }

    /// Everything in memory, with a clock of the caller's.
    #[must_use]
    pub fn in_memory_with(clock: Arc<dyn Clock>) -> Self {
        Self {
            connections: Arc::new(memory::MemoryConnections::new(Arc::clone(&clock))),
            grants: Arc::new(memory::MemoryGrants::new(Arc::clone(&clock))),
            approvals: Arc::new(memory::MemoryApprovals::new(Arc::clone(&clock))),
            idempotency: Arc::new(memory::MemoryIdempotency::new(Arc::clone(&clock))),
            quotas: Arc::new(memory::MemoryQuotas::new(Arc::clone(&clock))),
            results: Arc::new(memory::MemoryResults::new(Arc::clone(&clock))),
            audit: Arc::new(memory::MemoryAudit::new()),
            credentials: Arc::new(memory::MemoryCredentials::new()),
            leases: Arc::new(memory::MemoryLeases::new(Arc::clone(&clock))),
            authorizations: Arc::new(memory::MemoryAuthorizations::new(clock)),
        }
    }
}

impl std::fmt::Debug for Stores {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stores")
    }
}
