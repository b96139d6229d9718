//! The stores in memory keep to the rules of their traits.

use std::sync::Arc;

use tool_connect_core::store::memory::{
    MemoryApprovals, MemoryAudit, MemoryAuthorizations, MemoryConnections, MemoryCredentials, MemoryGrants,
    MemoryIdempotency, MemoryLeases, MemoryQuotas, MemoryResults,
};
use tool_connect_core::store::{
    ApprovalStore, AuditStore, AuthorizationStateStore, ConnectionStore, CredentialStore, GrantStore,
    IdempotencyStore, LeaseStore, QuotaStore, ResultStore,
};
use tool_connect_testkit::{ManualClock, conformance};

async fn my_approvals(clock: Arc<ManualClock>) -> Arc<dyn ApprovalStore> {
    Arc::new(MemoryApprovals::new(clock))
}

async fn my_audit(_: Arc<ManualClock>) -> Arc<dyn AuditStore> {
    Arc::new(MemoryAudit::new())
}

async fn my_authorizations(clock: Arc<ManualClock>) -> Arc<dyn AuthorizationStateStore> {
    Arc::new(MemoryAuthorizations::new(clock))
}

async fn my_connections(clock: Arc<ManualClock>) -> Arc<dyn ConnectionStore> {
    Arc::new(MemoryConnections::new(clock))
}

async fn my_credentials(_: Arc<ManualClock>) -> Arc<dyn CredentialStore> {
    Arc::new(MemoryCredentials::new())
}

async fn my_grants(clock: Arc<ManualClock>) -> Arc<dyn GrantStore> {
    Arc::new(MemoryGrants::new(clock))
}

async fn my_idempotency(clock: Arc<ManualClock>) -> Arc<dyn IdempotencyStore> {
    Arc::new(MemoryIdempotency::new(clock))
}

async fn my_leases(clock: Arc<ManualClock>) -> Arc<dyn LeaseStore> {
    Arc::new(MemoryLeases::new(clock))
}

async fn my_quotas(clock: Arc<ManualClock>) -> Arc<dyn QuotaStore> {
    Arc::new(MemoryQuotas::new(clock))
}

async fn my_results(clock: Arc<ManualClock>) -> Arc<dyn ResultStore> {
    Arc::new(MemoryResults::new(clock))
}

conformance!(approvals, my_approvals);
conformance!(audit, my_audit);
conformance!(authorizations, my_authorizations);
conformance!(connections, my_connections);
conformance!(credentials, my_credentials);
conformance!(grants, my_grants);
conformance!(idempotency, my_idempotency);
conformance!(leases, my_leases);
conformance!(quotas, my_quotas);
conformance!(results, my_results);
