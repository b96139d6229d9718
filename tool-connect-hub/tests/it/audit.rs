//! What the calls of a Hub leave in its audit trail.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tool_connect_core::store::memory::MemoryAudit;
use tool_connect_core::store::{
    AuditAppend, AuditHead, AuditStore, Checkpoint, SealedRecord, SealedSegment, Segment, Stores, SubjectKey,
};
use tool_connect_core::{
    Connector, ConnectorManifest, Effect, Error, ErrorKind, Principal, Result, Run, TenantId, Tool,
    ToolContext, ToolSet, UserId,
};
use tool_connect_hub::audit::{
    ArgumentsHash, AuditMode, AuditRecord, CheckpointSigner, Ed25519Keys, Ed25519Signer, EntryKind, Outcome,
    verify_chain,
};
use tool_connect_hub::{Hub, RolePolicy};

static WRITTEN: AtomicU64 = AtomicU64::new(0);

/// Read something.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[tool(read_only)]
#[serde(deny_unknown_fields)]
struct Read {}

impl Run for Read {
    type Output = u64;
    async fn run(self, _cx: &ToolContext) -> Result<u64> {
        Ok(WRITTEN.load(Ordering::SeqCst))
    }
}

/// Write something.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false)]
#[serde(deny_unknown_fields)]
struct Write {
    /// To whom.
    to: String,
}

impl Run for Write {
    type Output = u64;
    async fn run(self, _cx: &ToolContext) -> Result<u64> {
        if self.to == "nobody" {
            return Err(Error::new(ErrorKind::Provider, "no such person"));
        }
        Ok(WRITTEN.fetch_add(1, Ordering::SeqCst))
    }
}

struct Desk(ConnectorManifest);

impl Desk {
    fn new() -> Self {
        Self(ConnectorManifest::new("desk", semver::Version::new(1, 0, 0), "Desk"))
    }
}

impl Connector for Desk {
    fn manifest(&self) -> &ConnectorManifest {
        &self.0
    }
    fn tools(&self, set: &mut ToolSet) {
        set.add::<Read>();
        set.add::<Write>();
    }
}

/// A store whose disk can be full, or stall.
#[derive(Default)]
struct Disk {
    inner: MemoryAudit,
    full: AtomicBool,
    stalls: AtomicBool,
}

#[async_trait]
impl AuditStore for Disk {
    async fn head(&self, tenant: &TenantId) -> Result<Option<AuditHead>> {
        self.inner.head(tenant).await
    }
    async fn append(&self, segments: &[Segment]) -> Result<Vec<AuditAppend>> {
        if self.stalls.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        if self.full.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::Storage, "the disk is full"));
        }
        self.inner.append(segments).await
    }
    async fn scan(&self, tenant: &TenantId, from: u64, limit: usize) -> Result<Vec<SealedSegment>> {
        self.inner.scan(tenant, from, limit).await
    }
    async fn scan_user(
        &self,
        tenant: &TenantId,
        user: &UserId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<SealedRecord>> {
        self.inner.scan_user(tenant, user, from, limit).await
    }
    async fn tenants(&self) -> Result<Vec<TenantId>> {
        self.inner.tenants().await
    }
    async fn put_checkpoint(&self, checkpoint: Checkpoint) -> Result<()> {
        self.inner.put_checkpoint(checkpoint).await
    }
    async fn checkpoints(&self, tenant: &TenantId) -> Result<Vec<Checkpoint>> {
        self.inner.checkpoints(tenant).await
    }
    async fn prune(&self, tenant: &TenantId, before: u64) -> Result<u64> {
        self.inner.prune(tenant, before).await
    }
    async fn subject_key(
        &self,
        tenant: &TenantId,
        user: &UserId,
        candidate: SubjectKey,
    ) -> Result<Option<SubjectKey>> {
        self.inner.subject_key(tenant, user, candidate).await
    }
    async fn erase_subject(&self, tenant: &TenantId, user: &UserId) -> Result<bool> {
        self.inner.erase_subject(tenant, user).await
    }
}

fn hub(mode: AuditMode, disk: &Arc<Disk>, signer: Ed25519Signer) -> Hub {
    let mut stores = Stores::in_memory();
    stores.audit = Arc::clone(disk) as Arc<dyn AuditStore>;
    Hub::builder()
        .stores(stores)
        .configure(|settings| settings.audit.mode = mode)
        .checkpoint_signer(Arc::new(signer))
        .connector(Desk::new())
        .build()
        .unwrap()
}

fn acme() -> TenantId {
    TenantId::new("acme").unwrap()
}

fn ada() -> Principal {
    Principal::user("acme", "ada").unwrap()
}

async fn records(hub: &Hub) -> Vec<AuditRecord> {
    hub.audit().records(&acme(), 1, 1_000).await.unwrap()
}

/// Tests that count what was written take turns.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

#[tokio::test]
async fn calls_leave_records_that_verify_also_without_the_hub() {
    let _turn = TURN.lock().await;
    let (disk, signer) = (Arc::new(Disk::default()), Ed25519Signer::generate("k").unwrap());
    let keys = Ed25519Keys::new().trust(signer.key_id(), signer.public_key());
    let hub = hub(AuditMode::FailClosed, &disk, signer);
    let session = hub.session(ada());
    session.call("desk.read", "{}").await.unwrap();
    session.call("desk.write", r#"{"to":"bob"}"#).await.unwrap();
    session.run(Write { to: "nobody".to_owned() }).await.unwrap_err();
    session.call("desk.write", r#"{"to":7}"#).await.unwrap_err();

    let seen = records(&hub).await;
    let ends: Vec<_> = seen.iter().map(|r| (r.kind, r.outcome)).collect();
    let (intent, outcome) = (EntryKind::Intent, EntryKind::Outcome);
    let refused = |kind| Some(Outcome::Error(kind));
    let invalid = refused(ErrorKind::InvalidArguments);
    assert_eq!(ends[..3], [(outcome, Some(Outcome::Ok)), (intent, None), (outcome, Some(Outcome::Ok))]);
    assert_eq!(ends[3..5], [(intent, None), (outcome, refused(ErrorKind::Provider))]);
    assert_eq!(ends.last(), Some(&(outcome, invalid)));
    assert_eq!(seen[1].call, seen[2].call);
    assert!(seen.iter().all(|r| r.user.as_str() == "ada" && r.definition.is_some()));
    for call in ["{}", r#"{"to":"bob"}"#, r#"{"to":"nobody"}"#, r#"{"to":7}"#] {
        let hash = hub.audit().arguments_hash(&acme(), &ada().user, &call.into()).await.unwrap();
        let hash = hash.map(ArgumentsHash::Keyed);
        assert_eq!(seen.iter().filter(|r| r.arguments == hash).count(), 1, "{call} is there once");
    }

    hub.shutdown().await.unwrap();
    let offline = verify_chain(&*disk, &keys, &acme(), &[]).await.unwrap().intact().unwrap();
    assert_eq!((offline.records, offline.checkpoints), (seen.len() as u64, 1));
}

#[tokio::test]
async fn a_write_does_not_run_when_its_intent_cannot_be_written() {
    let _turn = TURN.lock().await;
    let disk = Arc::new(Disk::default());
    let hub = hub(AuditMode::FailClosed, &disk, Ed25519Signer::generate("k").unwrap());
    let session = hub.session(ada());
    disk.full.store(true, Ordering::SeqCst);
    let before = WRITTEN.load(Ordering::SeqCst);
    let refused = session.call("desk.write", r#"{"to":"bob"}"#).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::AuditUnavailable);
    assert_eq!(refused.effect_on_provider(), Effect::NotExecuted);
    assert_eq!(WRITTEN.load(Ordering::SeqCst), before, "it ran without a trace");
    session.call("desk.read", "{}").await.expect("a read is queued");

    disk.full.store(false, Ordering::SeqCst);
    session.call("desk.write", r#"{"to":"bob"}"#).await.unwrap();
    assert_eq!(WRITTEN.load(Ordering::SeqCst), before + 1);
    let unavailable = Some(Outcome::Error(ErrorKind::AuditUnavailable));
    let seen = records(&hub).await;
    assert_eq!(
        seen.iter().filter(|r| r.outcome == unavailable).count(),
        1,
        "what was refused is told afterwards"
    );
    assert_eq!(seen.iter().filter(|r| r.outcome == Some(Outcome::Ok)).count(), 2);
}

#[tokio::test]
async fn fail_open_runs_writes_without_a_trail() {
    let _turn = TURN.lock().await;
    let disk = Arc::new(Disk::default());
    let hub = hub(AuditMode::FailOpen, &disk, Ed25519Signer::generate("k").unwrap());
    disk.full.store(true, Ordering::SeqCst);
    let session = hub.session(ada());
    session.call("desk.write", r#"{"to":"bob"}"#).await.unwrap();
    disk.full.store(false, Ordering::SeqCst);
    let seen = records(&hub).await;
    assert_eq!(seen.iter().map(|r| r.kind).collect::<Vec<_>>(), [EntryKind::Outcome]);
}

#[tokio::test]
async fn a_denial_is_recorded() {
    let hub = Hub::builder()
        .policy(RolePolicy::new().role("reader", ["desk.read"]).unwrap())
        .connector(Desk::new())
        .build()
        .unwrap();
    let bot = ada().with_role("reader").acting_through("bot").unwrap();
    let denied = hub.session(bot).call("desk.read", "{}").await.unwrap_err();
    assert_eq!(denied.kind(), ErrorKind::Denied);
    let record = records(&hub).await.remove(0);
    assert_eq!(record.outcome, Some(Outcome::Error(ErrorKind::Denied)));
    assert_eq!(record.agent.unwrap().as_str(), "bot");
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_goes_away_leaves_a_record_and_the_write_does_not_run() {
    let _turn = TURN.lock().await;
    let disk = Arc::new(Disk::default());
    let hub = hub(AuditMode::FailClosed, &disk, Ed25519Signer::generate("k").unwrap());
    let session = hub.session(ada());
    let before = WRITTEN.load(Ordering::SeqCst);
    disk.stalls.store(true, Ordering::SeqCst);
    let call = session.call("desk.write", r#"{"to":"bob"}"#);
    tokio::time::timeout(Duration::from_millis(1), call).await.expect_err("the intent waits for the store");
    disk.stalls.store(false, Ordering::SeqCst);
    let seen = records(&hub).await;
    let canceled = Some(Outcome::Error(ErrorKind::Canceled));
    let ends: Vec<_> = seen.iter().map(|r| (r.kind, r.outcome, r.effect)).collect();
    assert_eq!(
        ends,
        [(EntryKind::Intent, None, None), (EntryKind::Outcome, canceled, Some(Effect::NotExecuted))]
    );
    assert_eq!(WRITTEN.load(Ordering::SeqCst), before);
}
