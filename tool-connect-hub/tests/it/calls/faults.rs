//! Stores that fail, panic or hang on demand, around the stores in memory.

use std::collections::HashMap;
use std::future::pending;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use tool_connect_core::http::ByteStream;
use tool_connect_core::store::{
    Approval, ApprovalStore, AuditAppend, AuditHead, AuditStore, Begin, CallHash, Checkpoint,
    ConnectionFilter, ConnectionStore, Decision, Fence, Fingerprint, Grant, GrantStore, IdempotencyKey,
    IdempotencyStore, NewApproval, NewResult, QuotaDecision, QuotaRequest, QuotaStore, Reservation,
    ResultMeta, ResultStore, SealedRecord, SealedSegment, Segment, StoredOutcome, Stores, Subject,
    SubjectKey, ToolPattern,
};
use tool_connect_core::{
    ApprovalId, Clock, Connection, ConnectionId, Error, ErrorKind, Result, ResultHandle, TenantId, UserId,
};

#[derive(Clone, Copy)]
enum Fault {
    Fails,
    Panics,
    Hangs,
    /// Does its work, and the answer never comes.
    HangsAfter,
}

/// What goes wrong at which step; steps are named `store.method`.
#[derive(Clone, Default)]
pub(crate) struct Faults(Arc<Mutex<HashMap<&'static str, (Fault, usize)>>>);

impl Faults {
    /// The next `times` calls of a step fail.
    pub(crate) fn fail(&self, step: &'static str, times: usize) {
        self.plan(step, Fault::Fails, times);
    }

    /// The next call of a step panics.
    pub(crate) fn panic(&self, step: &'static str) {
        self.plan(step, Fault::Panics, 1);
    }

    /// The next call of a step never ends, and has no effect.
    pub(crate) fn hang(&self, step: &'static str) {
        self.plan(step, Fault::Hangs, 1);
    }

    /// The next call of a step takes effect and never ends.
    pub(crate) fn hang_after(&self, step: &'static str) {
        self.plan(step, Fault::HangsAfter, 1);
    }

    pub(crate) fn mend(&self) {
        self.0.lock().unwrap().clear();
    }

    fn plan(&self, step: &'static str, fault: Fault, times: usize) {
        self.0.lock().unwrap().insert(step, (fault, times));
    }

    fn next(&self, step: &'static str) -> Option<Fault> {
        let mut plans = self.0.lock().unwrap();
        let (fault, times) = plans.get_mut(step)?;
        *times = times.checked_sub(1)?;
        Some(*fault)
    }

    async fn step<T>(&self, step: &'static str, work: impl Future<Output = Result<T>>) -> Result<T> {
        match self.next(step) {
            None => work.await,
            Some(Fault::Fails) => Err(Error::new(ErrorKind::Storage, "the disk is full")),
            Some(Fault::Panics) => panic!("the disk is on fire"),
            Some(Fault::Hangs) => pending().await,
            Some(Fault::HangsAfter) => {
                let _ = work.await;
                pending().await
            }
        }
    }

    /// Stores in memory with these faults.
    pub(crate) fn stores(&self, clock: Arc<dyn Clock>) -> Stores {
        let mut stores = Stores::in_memory_with(clock);
        stores.connections = self.around(stores.connections);
        stores.grants = self.around(stores.grants);
        stores.approvals = self.around(stores.approvals);
        stores.idempotency = self.around(stores.idempotency);
        stores.quotas = self.around(stores.quotas);
        stores.results = self.around(stores.results);
        stores.audit = self.around(stores.audit);
        stores
    }

    fn around<S: ?Sized>(&self, inner: Arc<S>) -> Arc<Faulty<S>> {
        Arc::new(Faulty { inner, faults: self.clone() })
    }
}

struct Faulty<S: ?Sized> {
    inner: Arc<S>,
    faults: Faults,
}

/// Passes methods on, each through its step.
macro_rules! faulty {
    ($store:ident as $name:literal { $($method:ident($($arg:ident: $ty:ty),*) -> $out:ty;)* }) => {
        #[async_trait]
        impl $store for Faulty<dyn $store> {
            $(async fn $method(&self, $($arg: $ty),*) -> Result<$out> {
                self.faults
                    .step(concat!($name, ".", stringify!($method)), self.inner.$method($($arg),*))
                    .await
            })*
        }
    };
}

faulty!(ConnectionStore as "connections" {
    put(connection: Connection) -> Connection;
    get(tenant: &TenantId, id: &ConnectionId) -> Option<Connection>;
    list(tenant: &TenantId, filter: &ConnectionFilter) -> Vec<Connection>;
    delete(tenant: &TenantId, id: &ConnectionId) -> bool;
});
faulty!(GrantStore as "grants" {
    put(grant: Grant) -> ();
    revoke(tenant: &TenantId, subject: &Subject, tools: &ToolPattern, connection: Option<&ConnectionId>) -> bool;
    list(tenant: &TenantId, subjects: &[Subject]) -> Vec<Grant>;
});
faulty!(ApprovalStore as "approvals" {
    create(approval: NewApproval) -> ();
    get(tenant: &TenantId, id: &ApprovalId) -> Option<Approval>;
    pending(tenant: &TenantId) -> Vec<Approval>;
    decide(tenant: &TenantId, id: &ApprovalId, decision: Decision, by: &UserId) -> Approval;
    reserve(tenant: &TenantId, id: &ApprovalId, hash: &CallHash, lease: Duration) -> Reservation;
    commit(tenant: &TenantId, id: &ApprovalId, fence: Fence) -> bool;
    release(tenant: &TenantId, id: &ApprovalId, fence: Fence) -> bool;
    purge(before: SystemTime) -> u64;
});
faulty!(IdempotencyStore as "idempotency" {
    begin(key: &IdempotencyKey, fingerprint: &Fingerprint, lease: Duration, keep: Duration) -> Begin;
    complete(key: &IdempotencyKey, fence: Fence, outcome: StoredOutcome) -> bool;
    release(key: &IdempotencyKey, fence: Fence) -> bool;
    abandon(key: &IdempotencyKey, fence: Fence) -> bool;
    purge() -> u64;
});
faulty!(QuotaStore as "quotas" {
    acquire(requests: &[QuotaRequest]) -> QuotaDecision;
    purge() -> u64;
});
faulty!(ResultStore as "results" {
    put(new: NewResult, data: ByteStream) -> ResultMeta;
    meta(tenant: &TenantId, user: &UserId, handle: &ResultHandle) -> Option<ResultMeta>;
    read(tenant: &TenantId, user: &UserId, handle: &ResultHandle, range: Range<u64>) -> Option<Bytes>;
    delete(tenant: &TenantId, user: &UserId, handle: &ResultHandle) -> bool;
    purge() -> u64;
});
faulty!(AuditStore as "audit" {
    head(tenant: &TenantId) -> Option<AuditHead>;
    append(segments: &[Segment]) -> Vec<AuditAppend>;
    scan(tenant: &TenantId, from: u64, limit: usize) -> Vec<SealedSegment>;
    scan_user(tenant: &TenantId, user: &UserId, from: u64, limit: usize) -> Vec<SealedRecord>;
    tenants() -> Vec<TenantId>;
    put_checkpoint(checkpoint: Checkpoint) -> ();
    checkpoints(tenant: &TenantId) -> Vec<Checkpoint>;
    prune(tenant: &TenantId, before: u64) -> u64;
    subject_key(tenant: &TenantId, user: &UserId, candidate: SubjectKey) -> Option<SubjectKey>;
    erase_subject(tenant: &TenantId, user: &UserId) -> bool;
});
