//! Tests of the trail against stores that fail, wait, lie and are shared.

mod behind;
mod forms;
mod handle;
mod restart;
mod secret;
mod shared;
mod tamper;
mod trail;

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use tokio::sync::Semaphore;
use tool_connect_core::store::memory::MemoryAudit;
use tool_connect_core::store::{
    AuditAppend, AuditHead, AuditStore, Checkpoint, SealedRecord, SealedSegment, Segment, SegmentBytes,
    SubjectKey,
};
use tool_connect_core::{
    Arguments, CallId, Clock, Error, ErrorKind, EventKind, Principal, Result, TenantId, ToolId, UserId,
    from_unix_millis,
};

use super::chain;
use super::seal::Sealed;
use super::trail::AuditTrail;
use super::{
    Audit, AuditEntry, AuditMode, AuditSettings, AuditedTool, CheckpointSigner, Ed25519Signer, EntryKind,
    Outcome,
};

/// 2026-11-23T00:00:00Z.
const START: u64 = 1_795_392_000_000;

/// A clock that stands still unless it is moved.
#[derive(Debug, Default)]
struct StillClock(AtomicU64);

impl StillClock {
    fn advance(&self, by: Duration) {
        self.0.fetch_add(by.as_nanos() as u64, Ordering::Relaxed);
    }
}

impl Clock for StillClock {
    fn monotonic(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn now(&self) -> SystemTime {
        from_unix_millis(START + self.monotonic() / 1_000_000)
    }
}

/// A store that can be told to fail, to wait and to forget to answer.
#[derive(Default)]
struct Wayward {
    inner: Mutex<Arc<MemoryAudit>>,
    fails: AtomicBool,
    /// Fails after it has appended, as when the line breaks behind a commit.
    fails_after: AtomicBool,
    fails_checkpoints: AtomicBool,
    /// Appends wait for a permit of it.
    gate: Option<Arc<Semaphore>>,
    /// Says that it appends in order, as it does.
    ordered: bool,
    /// Goes on with an append that nobody waits for any more, as a thread of a store's own does.
    detached: bool,
    appends: AtomicUsize,
}

impl Wayward {
    fn gated() -> Self {
        Self { gate: Some(Arc::new(Semaphore::new(0))), ..Self::default() }
    }

    fn inner(&self) -> Arc<MemoryAudit> {
        Arc::clone(&self.inner.lock().unwrap())
    }

    /// Puts another chain in the place of all that is there, as a backup or an intruder does.
    async fn replace(&self, tenant: &str, segments: &[SealedSegment], checkpoints: Vec<Checkpoint>) {
        let other = Arc::new(MemoryAudit::new());
        let mut after = None;
        for sealed in segments {
            let segment = Segment { tenant: tenant_id(tenant), after, sealed: sealed.clone() };
            after = Some(segment.end());
            assert_eq!(other.append(&[segment]).await.unwrap(), [AuditAppend::Appended]);
        }
        for checkpoint in checkpoints {
            other.put_checkpoint(checkpoint).await.unwrap();
        }
        *self.inner.lock().unwrap() = other;
    }

    fn check(&self) -> Result<()> {
        if self.fails.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::Storage, "the disk is full"));
        }
        Ok(())
    }

    fn set_failing(&self, fails: bool) {
        self.fails.store(fails, Ordering::SeqCst);
    }

    async fn segments(&self, tenant: &str) -> Vec<SealedSegment> {
        self.inner().scan(&tenant_id(tenant), 1, usize::MAX).await.unwrap()
    }

    async fn stored(&self, tenant: &str) -> Vec<SealedRecord> {
        let segments = self.segments(tenant).await;
        segments.iter().flat_map(SealedSegment::records).collect::<Result<_>>().unwrap()
    }
}

#[async_trait]
impl AuditStore for Wayward {
    async fn head(&self, tenant: &TenantId) -> Result<Option<AuditHead>> {
        self.check()?;
        self.inner().head(tenant).await
    }

    async fn append(&self, segments: &[Segment]) -> Result<Vec<AuditAppend>> {
        self.appends.fetch_add(1, Ordering::SeqCst);
        if let (true, Some(gate)) = (self.detached, &self.gate) {
            let (gate, inner, segments) = (Arc::clone(gate), self.inner(), segments.to_vec());
            let task = tokio::spawn(async move {
                gate.acquire().await.unwrap().forget();
                inner.append(&segments).await
            });
            return task.await.unwrap();
        }
        if let Some(gate) = &self.gate {
            gate.acquire().await.unwrap().forget();
        }
        self.check()?;
        let answers = self.inner().append(segments).await?;
        if self.fails_after.swap(false, Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::Storage, "the line broke"));
        }
        Ok(answers)
    }

    fn appends_in_order(&self) -> bool {
        self.ordered
    }

    async fn scan(&self, tenant: &TenantId, from: u64, limit: usize) -> Result<Vec<SealedSegment>> {
        self.check()?;
        self.inner().scan(tenant, from, limit).await
    }

    async fn scan_user(
        &self,
        tenant: &TenantId,
        user: &UserId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<SealedRecord>> {
        self.inner().scan_user(tenant, user, from, limit).await
    }

    async fn tenants(&self) -> Result<Vec<TenantId>> {
        self.inner().tenants().await
    }

    async fn put_checkpoint(&self, checkpoint: Checkpoint) -> Result<()> {
        self.check()?;
        if self.fails_checkpoints.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::Storage, "no room for checkpoints"));
        }
        self.inner().put_checkpoint(checkpoint).await
    }

    async fn checkpoints(&self, tenant: &TenantId) -> Result<Vec<Checkpoint>> {
        self.inner().checkpoints(tenant).await
    }

    async fn prune(&self, tenant: &TenantId, before: u64) -> Result<u64> {
        self.inner().prune(tenant, before).await
    }

    async fn subject_key(
        &self,
        tenant: &TenantId,
        user: &UserId,
        candidate: SubjectKey,
    ) -> Result<Option<SubjectKey>> {
        self.check()?;
        self.inner().subject_key(tenant, user, candidate).await
    }

    async fn erase_subject(&self, tenant: &TenantId, user: &UserId) -> Result<bool> {
        self.inner().erase_subject(tenant, user).await
    }
}

/// A trail with all that belongs to it.
struct Scene {
    store: Arc<Wayward>,
    clock: Arc<StillClock>,
    events: Arc<Mutex<Vec<EventKind>>>,
    trail: Arc<AuditTrail>,
    audit: Audit,
    ada: Arc<Principal>,
    tool: Arc<AuditedTool>,
}

fn scene(mode: AuditMode) -> Scene {
    Scene::on(Arc::default(), AuditSettings { mode, ..AuditSettings::default() })
}

fn signer() -> Arc<dyn CheckpointSigner> {
    Arc::new(Ed25519Signer::from_seed("test", &[7; 32]).unwrap())
}

impl Scene {
    fn on(store: Arc<Wayward>, settings: AuditSettings) -> Self {
        let clock = Arc::new(StillClock::default());
        let events: Arc<Mutex<Vec<EventKind>>> = Arc::default();
        let sink = Arc::clone(&events);
        let trail = Arc::new(AuditTrail::new(
            settings,
            Arc::clone(&store) as Arc<dyn AuditStore>,
            Arc::clone(&clock) as Arc<dyn Clock>,
            signer(),
            Arc::new(move |event| sink.lock().unwrap().push(event)),
        ));
        let tool = AuditedTool { id: ToolId::parse("files.read").unwrap(), definition: [0xab; 32] };
        Self {
            store,
            clock,
            events,
            audit: Audit::new(Arc::clone(&trail)),
            trail,
            ada: person("acme", "ada"),
            tool: Arc::new(tool),
        }
    }

    fn outcome<'a>(&'a self, principal: &'a Arc<Principal>, number: u64) -> AuditEntry<'a> {
        let mut entry =
            AuditEntry::new(EntryKind::Outcome, CallId::new(1, number), principal, self.clock.monotonic());
        entry.tool = Some(&self.tool);
        entry.outcome = Some(Outcome::Ok);
        entry
    }

    fn record(&self, principal: &Arc<Principal>, number: u64) {
        self.trail.record(&self.outcome(principal, number)).unwrap();
    }

    fn intent<'a>(&'a self, number: u64) -> AuditEntry<'a> {
        AuditEntry { kind: EntryKind::Intent, outcome: None, ..self.outcome(&self.ada, number) }
    }

    /// Kinds and counts of the failures that were told.
    fn failures(&self) -> Vec<(ErrorKind, u64)> {
        let events = self.events.lock().unwrap();
        events
            .iter()
            .filter_map(|event| match event {
                EventKind::AuditFailed { kind, records } => Some((*kind, *records)),
                _ => None,
            })
            .collect()
    }

    async fn calls(&self, tenant: &str) -> Vec<String> {
        let records = self.audit.records(&tenant_id(tenant), 1, usize::MAX).await.unwrap();
        records.into_iter().filter_map(|record| record.call).collect()
    }

    async fn assert_intact(&self, tenant: &str, records: u64) {
        let seen = self.audit.verify(&tenant_id(tenant), &[]).await.unwrap().intact().unwrap();
        assert_eq!(seen.records, records);
    }
}

/// A segment of another process, with a record of the chain's once more.
async fn foreign(store: &Wayward, tenant: &str) -> Segment {
    let head = store.inner().head(&tenant_id(tenant)).await.unwrap();
    let mut bytes = SegmentBytes::with_capacity(0);
    let payload = store.stored(tenant).await[0].payload.clone();
    bytes.push(&user_id("ada"), START, |out| out.extend_from_slice(&payload));
    let mut foreign = Sealed::new(tenant_id(tenant), bytes, 1).unwrap();
    chain::attach(&mut foreign, head);
    foreign.segment
}

/// Polls a commit once.
fn poll<F: Future + ?Sized>(commit: std::pin::Pin<&mut F>) -> std::task::Poll<F::Output> {
    commit.poll(&mut std::task::Context::from_waker(std::task::Waker::noop()))
}

/// The segment with other records, under its numbers and its hash.
fn doctored(segment: &SealedSegment, doctor: impl FnOnce(&mut Vec<SealedRecord>)) -> SealedSegment {
    let mut records: Vec<SealedRecord> = segment.records().collect::<Result<_>>().unwrap();
    doctor(&mut records);
    let mut bytes = SegmentBytes::with_capacity(segment.bytes.len());
    for record in records {
        bytes.push(&record.user, record.millis, |out| out.extend_from_slice(&record.payload));
    }
    SealedSegment { bytes: bytes.finish(), ..segment.clone() }
}

fn person(tenant: &str, user: &str) -> Arc<Principal> {
    Arc::new(Principal::user(tenant, user).unwrap())
}

fn tenant_id(tenant: &str) -> TenantId {
    TenantId::new(tenant).unwrap()
}

fn user_id(user: &str) -> UserId {
    UserId::new(user).unwrap()
}

fn call(number: u64) -> String {
    CallId::new(1, number).to_string()
}

fn text(arguments: &str) -> Arguments {
    arguments.to_owned().into()
}
