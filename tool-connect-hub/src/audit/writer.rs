//! The one that writes. Whoever needs something durable locks it and takes a turn; so it depends
//! on no task and on no runtime. A turn may be dropped at any await: what is not durable stays.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use tool_connect_core::store::{AuditAppend, AuditHead, AuditStore, Segment};
use tool_connect_core::{BoxFuture, Clock, Error, ErrorKind, EventKind, Result, TenantId, UserId};

use super::AuditSettings;
use super::chain;
use super::checkpoint::{self, CheckpointSigner};
use super::keys::{Keys, subject_key};
use super::queue::{Batch, Queue};
use super::seal::{Sealed, WallTime, Work, refuse};
use super::wait::{Candidate, Company, Waiter};

/// So many questions to the store at a time, so that it can answer them together.
const CONCURRENT: usize = 64;
/// Other processes may overtake us so often in one turn.
const MAX_MOVES: u32 = 64;
/// So many chains are kept at hand.
const MAX_CHAINS: usize = 65_536;

/// Hears of failures.
pub(super) type Events = Arc<dyn Fn(EventKind) + Send + Sync>;

/// What a turn did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Nothing waited.
    Idle,
    /// Something was written; more may wait.
    Wrote,
}

/// What a turn that ends begins to append, so that the store has work while those who are done go
/// on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ahead {
    /// What was taken from the queue, and what waits there if somebody waits for it.
    Queue,
    /// What was taken from the queue; what came later is for later.
    Work,
}

/// An append that was begun.
type Append = BoxFuture<'static, Result<Vec<AuditAppend>>>;

struct Chain {
    head: Option<AuditHead>,
    /// Up to where a checkpoint was signed, or this process knew the chain at first.
    signed: u64,
}

/// The writer's state.
pub(super) struct Writer {
    store: Arc<dyn AuditStore>,
    clock: Arc<dyn Clock>,
    signer: Arc<dyn CheckpointSigner>,
    events: Events,
    timeout: Duration,
    batch: usize,
    checkpoint_every: u64,
    work: Work,
    /// Sealed, and not known to be durable.
    pending: Vec<Sealed>,
    /// The append of `pending` that the turn before this one began; whoever leads next goes on with
    /// it.
    underway: Option<Append>,
    /// The append of `ready`, begun while that of `pending` is under way: a store that keeps their order finds it when it is
    /// done with that.
    next: Option<Append>,
    /// Since when the store is busy with `pending`, by the monotonic clock.
    began: u64,
    /// Sealed while the store was busy with `pending`, and linked as if that will be durable.
    ready: Vec<Sealed>,
    ready_waiters: Vec<Waiter>,
    /// Whether the store may have taken `pending` without our having heard of it.
    uncertain: bool,
    waiters: Vec<Waiter>,
    company: Company,
    chains: HashMap<TenantId, Chain, foldhash::fast::RandomState>,
    keys: Keys,
    due: Vec<TenantId>,
    spare: Vec<Batch>,
}

impl Writer {
    pub(super) fn new(
        settings: &AuditSettings,
        store: Arc<dyn AuditStore>,
        clock: Arc<dyn Clock>,
        signer: Arc<dyn CheckpointSigner>,
        events: Events,
    ) -> Self {
        Self {
            store,
            clock,
            signer,
            events,
            timeout: settings.timeout,
            batch: settings.batch.max(1),
            checkpoint_every: settings.checkpoint_every,
            work: Work::default(),
            pending: Vec::new(),
            underway: None,
            next: None,
            began: 0,
            ready: Vec::new(),
            ready_waiters: Vec::new(),
            uncertain: false,
            waiters: Vec::new(),
            company: Company::default(),
            chains: HashMap::default(),
            keys: Keys::default(),
            due: Vec::new(),
            spare: Vec::new(),
        }
    }

    /// Whether something was taken from the queue and is not durable yet.
    pub(super) fn has_work(&self) -> bool {
        !self.pending.is_empty() || !self.ready.is_empty() || !self.work.is_done()
    }

    /// Waits a moment for those who are about to come, see [`Company`].
    pub(super) async fn gather(&mut self, queue: &Queue) {
        if !self.has_work() {
            self.company.gather(queue, &*self.clock, self.store.appends_in_order()).await;
        }
    }

    /// Somebody who waits for what was taken from the queue.
    pub(super) fn candidate(&self) -> Option<Candidate> {
        let mut waiters = self.waiters.iter().chain(&self.ready_waiters);
        waiters.find_map(Waiter::candidate).or_else(|| self.work.candidate())
    }

    /// Writes one batch, and begins the next one if that is asked for.
    ///
    /// # Errors
    /// Why the store failed; then all who wait have been told, and the records stay for the next
    /// turn.
    pub(super) async fn turn(&mut self, queue: &Queue, ahead: Ahead) -> Result<Turn, Arc<Error>> {
        match self.attempt(queue, ahead).await {
            Ok(turn) => {
                self.sign_due().await;
                Ok(turn)
            }
            Err(why) => {
                let why = Arc::new(why);
                self.waiters.append(&mut self.ready_waiters);
                self.work.take_waiters(&mut self.waiters);
                let waiting = queue.take_waiters(&mut self.waiters);
                refuse(&mut self.waiters, &why);
                self.failed(&why, waiting + self.unwritten());
                Err(why)
            }
        }
    }

    /// Writes all that waits now.
    pub(super) async fn drain(&mut self, queue: &Queue) -> Result<(), Arc<Error>> {
        while self.has_work() {
            self.turn(queue, Ahead::Work).await?;
        }
        // One more collects what came meanwhile; later records are for later.
        self.turn(queue, Ahead::Work).await?;
        while self.has_work() {
            self.turn(queue, Ahead::Work).await?;
        }
        Ok(())
    }

    fn unwritten(&self) -> usize {
        let sealed = self.pending.iter().chain(&self.ready).map(|sealed| sealed.count).sum::<u64>();
        usize::try_from(sealed).unwrap_or(usize::MAX).saturating_add(self.work.remaining())
    }

    async fn attempt(&mut self, queue: &Queue, ahead: Ahead) -> Result<Turn> {
        if self.underway.is_none() {
            self.next = None; // Begun behind an append of which nothing was heard.
            if self.uncertain {
                self.reconcile().await?;
            }
            if self.pending.is_empty() {
                self.take_ready();
            }
            if self.pending.is_empty() {
                if self.work.is_done() {
                    self.collect(queue);
                }
                if !self.work.is_done() {
                    self.ask_keys().await?;
                    self.seal();
                    self.take_ready();
                } else if self.waiters.is_empty() {
                    return Ok(Turn::Idle);
                }
            }
            self.ask_heads().await?;
            self.attach();
        }
        self.append(queue, ahead).await?;
        let mut durable = std::mem::take(&mut self.waiters);
        self.company.let_go(durable.len(), queue.awaited());
        self.begin_next(queue, ahead);
        for waiter in durable.drain(..) {
            waiter.answer(Ok(()));
        }
        if self.waiters.is_empty() {
            self.waiters = durable;
        }
        Ok(Turn::Wrote)
    }

    /// Begins the next append where everything it needs is known.
    fn begin_next(&mut self, queue: &Queue, ahead: Ahead) {
        if self.ready.is_empty() {
            let now = ahead == Ahead::Queue && !self.company.is_expected();
            if self.work.is_done() && now && queue.is_pressing() {
                self.collect(queue);
            }
            self.seal_ready();
        }
        self.take_ready();
        if let Some(next) = self.next.take() {
            self.underway = Some(next);
            self.began = self.clock.monotonic();
            self.uncertain = true;
        } else if !self.pending.is_empty() && self.knows_heads(&self.pending) {
            self.attach();
            self.begin();
        }
    }

    /// Takes those who come back while the store is busy, and begins their append behind the one that is under way.
    async fn begin_behind(&mut self, queue: &Queue, ahead: Ahead) {
        if self.ready.is_empty()
            && self.work.is_done()
            && ahead == Ahead::Queue
            && !self.company.is_expected()
        {
            self.company.follow(queue, &*self.clock).await;
            if queue.is_pressing() {
                self.collect(queue);
                self.seal_ready();
            }
        }
        if !self.ready.is_empty() && self.knows_heads(&self.ready) {
            self.attach_ready();
            self.next = Some(begun(&self.store, &self.ready));
        }
    }

    /// Seals the next records, if there are any and their keys are at hand.
    fn seal_ready(&mut self) {
        if self.ready.is_empty() && !self.work.is_done() && self.has_keys() {
            self.seal();
        }
    }

    fn seal(&mut self) {
        let time = WallTime::now(&*self.clock);
        self.ready = self.work.seal(self.batch, &time, &mut self.ready_waiters);
    }

    fn take_ready(&mut self) {
        self.pending.append(&mut self.ready);
        self.waiters.append(&mut self.ready_waiters);
    }

    fn knows_heads(&self, of: &[Sealed]) -> bool {
        of.iter().all(|sealed| self.chains.contains_key(&sealed.segment.tenant))
    }

    fn collect(&mut self, queue: &Queue) {
        self.work.recycle(&mut self.spare);
        let batches = queue.collect(&mut self.spare);
        self.work.load(batches);
        let lost = self.work.lost();
        if lost > 0 {
            (self.events)(EventKind::AuditFailed { kind: ErrorKind::Overloaded, records: lost });
            tracing::error!(target: "tool_connect::audit", lost, "audit records were lost: the queue was full");
        }
    }

    /// Gives the persons in the work the keys that are at hand; whether none is missing.
    fn has_keys(&mut self) -> bool {
        let now = self.clock.monotonic();
        self.work.wanted(|who| self.keys.get(&who.tenant, &who.user, now)).is_empty()
    }

    /// Asks for the keys of all persons in the work.
    async fn ask_keys(&mut self) -> Result<()> {
        let now = self.clock.monotonic();
        let wanted = self.work.wanted(|who| self.keys.get(&who.tenant, &who.user, now));
        let (store, timeout) = (&*self.store, self.timeout);
        let mut answers = stream::iter(wanted)
            .map(|(place, who)| async move {
                let key = subject_key(store, timeout, &who.tenant, &who.user).await?;
                Ok::<_, Error>((place, who, key))
            })
            .buffer_unordered(CONCURRENT);
        while let Some((place, who, key)) = answers.try_next().await? {
            self.keys.insert(&who.tenant, &who.user, key.clone(), now);
            self.work.give(place, key);
        }
        Ok(())
    }

    /// Forgets a person's key.
    pub(super) fn forget(&mut self, tenant: &TenantId, user: &UserId) {
        self.keys.forget(tenant, user);
    }

    /// Finds out where the chains of what is pending end.
    async fn ask_heads(&mut self) -> Result<()> {
        if self.chains.len() > MAX_CHAINS {
            self.chains.retain(|_, chain| chain.head.is_some_and(|head| head.sequence > chain.signed));
            if self.chains.len() > MAX_CHAINS / 2 {
                self.chains.clear();
            }
        }
        let unknown: Vec<TenantId> = self
            .pending
            .iter()
            .map(|sealed| &sealed.segment.tenant)
            .filter(|tenant| !self.chains.contains_key(*tenant))
            .cloned()
            .collect();
        let (store, timeout) = (&*self.store, self.timeout);
        let mut answers = stream::iter(unknown)
            .map(|tenant| async move {
                let head = within(timeout, store.head(&tenant)).await?;
                Ok::<_, Error>((tenant, head))
            })
            .buffer_unordered(CONCURRENT);
        while let Some((tenant, head)) = answers.try_next().await? {
            self.chains.insert(tenant, Chain { head, signed: head.map_or(0, |head| head.sequence) });
        }
        Ok(())
    }

    /// Links what is pending to the chains.
    fn attach(&mut self) {
        for sealed in &mut self.pending {
            let head = self.chains.get(&sealed.segment.tenant).and_then(|chain| chain.head);
            if !chain::is_attached(sealed, head) {
                chain::attach(sealed, head);
            }
        }
    }

    /// Links what is ready to what is pending.
    fn attach_ready(&mut self) {
        for sealed in &mut self.ready {
            let tenant = &sealed.segment.tenant;
            let before = self.pending.iter().rfind(|pending| pending.segment.tenant == *tenant);
            let known = self.chains.get(tenant).and_then(|chain| chain.head);
            chain::attach(sealed, before.map(|before| before.segment.end()).or(known));
        }
    }

    /// Begins to append what is pending.
    fn begin(&mut self) {
        self.began = self.clock.monotonic();
        self.uncertain = true;
        self.underway = Some(begun(&self.store, &self.pending));
    }

    async fn append(&mut self, queue: &Queue, ahead: Ahead) -> Result<()> {
        let mut moves = 0;
        while !self.pending.is_empty() {
            if self.underway.is_none() {
                self.begin();
            }
            // While the store is busy.
            self.seal_ready();
            self.attach_ready();
            if moves == 0 && self.store.appends_in_order() {
                self.begin_behind(queue, ahead).await;
            }
            let Some(append) = self.underway.take() else { break };
            // Whoever goes away here takes the append along; it is found out what became of it.
            let answers = answered(self.timeout, append, self.pending.len()).await?;
            self.company.appended(self.clock.monotonic().saturating_sub(self.began));
            self.uncertain = false;
            let mut moved = Vec::new();
            for (sealed, answer) in std::mem::take(&mut self.pending).into_iter().zip(answers) {
                match answer {
                    AuditAppend::Appended => self.appended(&sealed.segment),
                    AuditAppend::Moved(head) => moved.push((sealed, head)),
                }
            }
            let tenants: Vec<_> =
                moved.iter().map(|(sealed, head)| (sealed.segment.tenant.clone(), *head)).collect();
            self.pending = moved.into_iter().map(|(sealed, _)| sealed).collect();
            if !self.pending.is_empty() {
                self.next = None; // Overtaken as well.
                // The store may have gone on with an append that somebody took along, or with that one's other chains.
                self.reconcile().await?;
            }
            if self.pending.is_empty() {
                break;
            }
            for (tenant, head) in tenants {
                self.moved(&tenant, head).await?;
            }
            moves += 1;
            if moves == MAX_MOVES {
                return Err(Error::new(
                    ErrorKind::Conflict,
                    "other processes append to the audit trail all the time; give them larger batches",
                ));
            }
            if moves > 2 {
                tokio::time::sleep(jitter(moves)).await;
            }
        }
        Ok(())
    }

    fn appended(&mut self, segment: &Segment) {
        let end = segment.end();
        let before = segment.after.map_or(0, |head| head.sequence);
        let crossed = |every| before / every != end.sequence / every;
        if self.checkpoint_every > 0 && crossed(self.checkpoint_every) && !self.due.contains(&segment.tenant)
        {
            self.due.push(segment.tenant.clone());
        }
        let chain = self.chains.entry(segment.tenant.clone()).or_insert(Chain { head: None, signed: before });
        chain.head = Some(end);
    }

    /// Goes on behind another process, after a look whether the chain still holds what we knew.
    async fn moved(&mut self, tenant: &TenantId, head: Option<AuditHead>) -> Result<()> {
        let known = self.chains.get(tenant).and_then(|chain| chain.head);
        if let Some(known) = known {
            let found = within(self.timeout, self.store.scan(tenant, known.sequence, 1)).await?;
            let gone = head.is_none_or(|head| head.sequence < known.sequence);
            let other = found.first().is_some_and(|s| s.first <= known.sequence && s.end() != known);
            if gone || other {
                let records = known.sequence.saturating_sub(head.map_or(0, |head| head.sequence)).max(1);
                (self.events)(EventKind::AuditFailed { kind: ErrorKind::Conflict, records });
                tracing::error!(
                    target: "tool_connect::audit", %tenant, sequence = known.sequence,
                    "the audit chain lost or changed a record that was durable: it was restored from a backup or tampered with"
                );
            }
        }
        let chain = self.chains.entry(tenant.clone()).or_insert(Chain { head, signed: 0 });
        chain.head = head;
        for sealed in self.pending.iter_mut().filter(|sealed| sealed.segment.tenant == *tenant) {
            chain::attach(sealed, head);
        }
        Ok(())
    }

    /// Finds out which segments the store took although we did not hear of it.
    async fn reconcile(&mut self) -> Result<()> {
        self.uncertain = true;
        let mut stored = Vec::new();
        for sealed in self.pending.iter().chain(&self.ready) {
            stored.push(is_stored(&*self.store, self.timeout, &sealed.segment).await?);
        }
        let (mut stored, mut found) = (stored.into_iter(), Vec::new());
        for list in [&mut self.pending, &mut self.ready] {
            let (there, missing): (Vec<_>, Vec<_>) =
                std::mem::take(list).into_iter().partition(|_| stored.next() == Some(true));
            found.extend(there);
            *list = missing;
        }
        for sealed in &found {
            self.appended(&sealed.segment);
        }
        self.uncertain = false;
        Ok(())
    }

    /// Signs the checkpoints that are due. One that fails is left out: the next one of its chain
    /// vouches for as much.
    async fn sign_due(&mut self) {
        if self.due.is_empty() {
            return;
        }
        let heads = self.due.iter().filter_map(|tenant| {
            let head = self.chains.get(tenant)?.head?;
            Some((tenant.clone(), head))
        });
        let signed = self.sign(heads.collect()).await;
        self.due.clear();
        if let Err(why) = signed {
            self.failed(&why, 0);
        }
    }

    /// Signs a checkpoint for each chain that this process added to since the last one.
    pub(super) async fn sign_all(&mut self) -> Result<()> {
        let heads = self.chains.iter().filter_map(|(tenant, chain)| {
            let head = chain.head.filter(|head| head.sequence > chain.signed)?;
            Some((tenant.clone(), head))
        });
        self.sign(heads.collect()).await
    }

    /// Signs and keeps checkpoints.
    async fn sign(&mut self, heads: Vec<(TenantId, AuditHead)>) -> Result<()> {
        let (store, signer, timeout, now) = (&*self.store, &*self.signer, self.timeout, self.clock.now());
        let mut signed = stream::iter(heads)
            .map(|(tenant, head)| async move {
                let made = checkpoint::sign(signer, &tenant, head, now)?;
                within(timeout, store.put_checkpoint(made)).await?;
                Ok::<_, Error>((tenant, head))
            })
            .buffer_unordered(CONCURRENT);
        while let Some((tenant, head)) = signed.try_next().await? {
            if let Some(chain) = self.chains.get_mut(&tenant) {
                chain.signed = chain.signed.max(head.sequence);
            }
        }
        Ok(())
    }

    fn failed(&self, why: &Error, records: usize) {
        tracing::error!(target: "tool_connect::audit", error = %why, records, "the audit trail could not be written");
        let records = u64::try_from(records).unwrap_or(u64::MAX);
        (self.events)(EventKind::AuditFailed { kind: why.kind(), records });
    }
}

/// An append of these; the first poll hands it to the store, and an answer that is there already is kept.
fn begun(store: &Arc<dyn AuditStore>, sealed: &[Sealed]) -> Append {
    let segments: Vec<Segment> = sealed.iter().map(|sealed| sealed.segment.clone()).collect();
    let store = Arc::clone(store);
    let mut append: Append = Box::pin(async move { store.append(&segments).await });
    match append.as_mut().now_or_never() {
        Some(answer) => Box::pin(std::future::ready(answer)),
        None => append,
    }
}

/// Whether the store took a segment.
async fn is_stored(store: &dyn AuditStore, timeout: Duration, segment: &Segment) -> Result<bool> {
    let mine = &segment.sealed;
    let found = within(timeout, store.scan(&segment.tenant, mine.first, 1)).await?;
    Ok(found.first().is_some_and(|found| found.first == mine.first && found.hash == mine.hash))
}

/// The answers of an append, one for each segment.
async fn answered(timeout: Duration, append: Append, segments: usize) -> Result<Vec<AuditAppend>> {
    let answers = within(timeout, append).await?;
    if answers.len() == segments {
        return Ok(answers);
    }
    Err(Error::new(ErrorKind::Storage, "the audit store did not answer for every segment")
        .with("segments", segments)
        .with("answers", answers.len()))
}

/// Bounds a step of the store's.
pub(super) async fn within<T>(timeout: Duration, step: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(timeout, step).await.unwrap_or_else(|_| {
        Err(Error::new(ErrorKind::Storage, "the audit store did not answer in time")
            .with("seconds", timeout.as_secs_f32()))
    })
}

/// Some milliseconds, so that processes do not keep meeting.
pub(super) fn jitter(most: u32) -> Duration {
    let mut random = [0];
    let random = getrandom::fill(&mut random).map_or(0, |()| u32::from(random[0]));
    Duration::from_millis(u64::from(random % most.max(1) + 1))
}
