//! The trail as the call stack sees it: put a record down and go on, or wait until it is durable.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::select;
use tokio::runtime::Handle;
use tokio::sync::{Mutex, MutexGuard, Notify};
use tool_connect_core::store::AuditStore;
use tool_connect_core::{Clock, Effect, Error, ErrorKind, Result};

use super::checkpoint::CheckpointSigner;
use super::entry::AuditEntry;
use super::queue::{Pushed, Queue, Room};
use super::wait::{self, Waiter, Waiting};
use super::writer::{Ahead, Events, Turn, Writer, jitter};
use super::{AuditMode, AuditSettings};

/// Pauses between tries while the store fails: from the first, doubled, up to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LAST_PAUSE: Duration = Duration::from_secs(5);
/// So often shutdown tries a store that fails.
const SHUTDOWN_TRIES: u32 = 4;

/// The queue has no room; wait with [`AuditTrail::record_slow`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QueueFull;

/// The audit trail of a Hub.
pub(crate) struct AuditTrail {
    shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) settings: AuditSettings,
    pub(super) store: Arc<dyn AuditStore>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) signer: Arc<dyn CheckpointSigner>,
    pub(super) queue: Queue,
    pub(super) writer: Mutex<Writer>,
    /// Whether a task is there that will write what waits.
    task: AtomicBool,
    /// Tells the task that a batch is complete.
    complete: Notify,
}

impl AuditTrail {
    /// A trail. It starts no task before the first record.
    pub(crate) fn new(
        settings: AuditSettings,
        store: Arc<dyn AuditStore>,
        clock: Arc<dyn Clock>,
        signer: Arc<dyn CheckpointSigner>,
        events: Events,
    ) -> Self {
        let queue = Queue::new(settings.queue, settings.batch);
        let writer =
            Writer::new(&settings, Arc::clone(&store), Arc::clone(&clock), Arc::clone(&signer), events);
        let writer = Mutex::new(writer);
        let (task, complete) = (AtomicBool::new(false), Notify::new());
        Self { shared: Arc::new(Shared { settings, store, clock, signer, queue, writer, task, complete }) }
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    fn is_off(&self) -> bool {
        self.shared.settings.mode == AuditMode::Off
    }

    /// Puts a record down, to be written soon. Never waits.
    ///
    /// # Errors
    /// [`QueueFull`] where records must not be lost and there is no room: then the caller awaits
    /// [`record_slow`](Self::record_slow). With [`AuditMode::FailOpen`] the record is counted as
    /// lost instead.
    pub(crate) fn record(&self, entry: &AuditEntry<'_>) -> Result<(), QueueFull> {
        if self.is_off() || self.shared.push(entry, Room::Queue, &mut None) {
            return Ok(());
        }
        self.shared.wake();
        match self.shared.settings.mode {
            AuditMode::FailClosed => Err(QueueFull),
            AuditMode::FailOpen | AuditMode::Off => {
                self.shared.queue.lose(entry);
                Ok(())
            }
        }
    }

    /// Puts a record down for a caller who cannot wait because they are being dropped: beyond the
    /// queue's size if need be. Where even that is full the record is counted as lost.
    pub(crate) fn record_on_drop(&self, entry: &AuditEntry<'_>) {
        if !self.is_off() && !self.shared.push(entry, Room::Reserve, &mut None) {
            self.shared.queue.lose(entry);
            self.shared.wake();
        }
    }

    /// Puts a record down as soon as there is room. Where its caller goes away meanwhile it is put down as by
    /// [`record_on_drop`](Self::record_on_drop).
    ///
    /// # Errors
    /// [`ErrorKind::AuditUnavailable`] where there is no room and the store fails; the record is
    /// counted as lost.
    pub(crate) async fn record_slow(&self, entry: &AuditEntry<'_>) -> Result<()> {
        if self.record(entry).is_ok() {
            return Ok(());
        }
        let mut pending = Pending { trail: self, entry: Some(entry) };
        loop {
            let _hand = Hand(&self.shared);
            let mut writer = self.shared.writer.lock().await;
            // Room may have been made while we waited.
            if self.record(entry).is_ok() {
                pending.entry = None;
                return Ok(());
            }
            if let Err(why) = self.shared.helping(writer.turn(&self.shared.queue, Ahead::Queue)).await {
                pending.entry = None;
                self.shared.queue.lose(entry);
                return Err(unavailable(why));
            }
        }
    }

    /// Makes a record durable, together with what waits anyway. With [`AuditMode::FailOpen`] it is
    /// only put down.
    ///
    /// # Errors
    /// [`ErrorKind::AuditUnavailable`] where the store fails. The record is written once the store
    /// works again.
    pub(crate) async fn commit(&self, entry: &AuditEntry<'_>) -> Result<()> {
        // Boxed, like the turn of who leads: many wait at a time, and few of their futures need room for more than that.
        if self.shared.settings.mode != AuditMode::FailClosed {
            return Box::pin(self.record_slow(entry)).await;
        }
        let (waiter, waiting) = wait::pair();
        let mut waiter = Some(waiter);
        let shared = &self.shared;
        if !shared.put(entry, Room::Queue, &mut waiter) {
            Box::pin(shared.put_later(entry, &mut waiter)).await?;
        }
        let rest = Rest(shared); // As in `helping`, which would hold what it is given twice.
        let durable = shared.lead(&waiting).await;
        std::mem::forget(rest);
        durable.map_err(not_run)
    }

    /// Writes all that was put down before.
    ///
    /// # Errors
    /// [`ErrorKind::AuditUnavailable`] where the store fails; the records stay.
    pub(crate) async fn flush(&self) -> Result<()> {
        self.shared.flush().await
    }

    /// Writes all that was put down before, trying several times, and signs a checkpoint of each
    /// chain that grew. What is put down afterwards is still written.
    ///
    /// # Errors
    /// [`ErrorKind::AuditUnavailable`] where the store keeps failing; the records stay, and
    /// another try may follow.
    pub(crate) async fn shutdown(&self) -> Result<()> {
        let mut pause = FIRST_PAUSE;
        let mut tries = 0;
        loop {
            let why = {
                let _hand = Hand(&self.shared);
                let mut writer = self.shared.writer.lock().await;
                match writer.drain(&self.shared.queue).await {
                    Ok(()) => match writer.sign_all().await {
                        Ok(()) => return Ok(()),
                        Err(why) => Arc::new(why),
                    },
                    Err(why) => why,
                }
            };
            tries += 1;
            if tries == SHUTDOWN_TRIES {
                return Err(unavailable(why));
            }
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2);
        }
    }
}

impl Shared {
    /// Puts a record into the queue and sees to it that a task writes it.
    fn push(self: &Arc<Self>, entry: &AuditEntry<'_>, room: Room, waiter: &mut Option<Waiter>) -> bool {
        let pushed = self.put(entry, room, waiter);
        if pushed {
            self.wake();
        }
        pushed
    }

    /// Puts a record into the queue.
    fn put(&self, entry: &AuditEntry<'_>, room: Room, waiter: &mut Option<Waiter>) -> bool {
        match self.queue.push(entry, self.settings.hash_arguments, room, waiter) {
            Pushed::Queued => true,
            Pushed::Complete => {
                self.complete.notify_one();
                true
            }
            Pushed::Full => false,
        }
    }

    /// Puts a record into the queue as soon as there is room.
    async fn put_later(self: &Arc<Self>, entry: &AuditEntry<'_>, waiter: &mut Option<Waiter>) -> Result<()> {
        loop {
            let _hand = Hand(self);
            let mut writer = self.writer.lock().await;
            // Room may have been made while we waited.
            if self.put(entry, Room::Queue, waiter) {
                return Ok(());
            }
            if let Err(why) = self.helping(writer.turn(&self.queue, Ahead::Queue)).await {
                return Err(not_run(why)); // It never ran and was never promised.
            }
        }
    }

    /// Starts the task, unless one is there. Outside of a runtime the next call that is inside of
    /// one does it.
    fn wake(self: &Arc<Self>) {
        // The load keeps the line shared between the callers' cores.
        if self.task.load(Ordering::Acquire) || self.task.swap(true, Ordering::AcqRel) {
            return;
        }
        let task = Task { shared: Arc::clone(self), ends: false };
        match Handle::try_current() {
            // A runtime that shuts down drops the task, also before its first poll.
            Ok(runtime) => drop(runtime.spawn(task.run())),
            Err(_) => drop(task),
        }
    }

    /// Waits for the answer, and leads where nobody does or when asked to. Those who wait do not queue for the writer: who
    /// lets go of it asks one of them, and the others are woken once, by their answer.
    async fn lead(&self, waiting: &Waiting) -> Result<(), Arc<Error>> {
        let _left = Left { shared: self, waiting };
        loop {
            if let Ok(writer) = self.writer.try_lock() {
                Box::pin(self.take_turn(writer, waiting)).await;
            }
            if let Some(answer) = waiting.next().await {
                return answer;
            }
        }
    }

    async fn take_turn(&self, writer: MutexGuard<'_, Writer>, waiting: &Waiting) {
        let _hand = Hand(self);
        let mut writer = writer; // Let go of before the hand.
        // Whoever wrote before us may have written our record.
        if waiting.answered().is_none() {
            writer.gather(&self.queue).await;
            // A failure is told through the answer.
            let _ = writer.turn(&self.queue, Ahead::Queue).await;
        }
    }

    /// Asks one of those who wait to lead, unless somebody does. A record is put down before its caller looks whether
    /// the writer is free, and here the writer is let go of before the queue is looked at: one of the two sees the other.
    fn hand_on(&self) {
        loop {
            let Ok(writer) = self.writer.try_lock() else { return };
            let candidate = writer.candidate();
            drop(writer);
            match candidate.or_else(|| self.queue.candidate()) {
                Some(candidate) if !candidate.ask() => {}
                _ => return,
            }
        }
    }

    pub(super) async fn flush(self: &Arc<Self>) -> Result<()> {
        let drain = async {
            let _hand = Hand(self);
            let mut writer = self.writer.lock().await;
            writer.drain(&self.queue).await
        };
        let drained = self.helping(drain).await;
        drained.map_err(unavailable)
    }

    /// Runs a turn for a caller; if the caller goes away in the middle, a task goes on.
    async fn helping<T>(self: &Arc<Self>, turn: impl Future<Output = T>) -> T {
        let rest = Rest(self);
        let value = turn.await;
        std::mem::forget(rest);
        value
    }
}

/// A record whose caller waits for room and may go away.
struct Pending<'a> {
    trail: &'a AuditTrail,
    entry: Option<&'a AuditEntry<'a>>,
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if let Some(entry) = self.entry {
            self.trail.record_on_drop(entry);
        }
    }
}

/// Made before the writer is locked, so that it is dropped behind that: somebody else leads on.
pub(super) struct Hand<'a>(pub(super) &'a Shared);

impl Drop for Hand<'_> {
    fn drop(&mut self) {
        self.0.hand_on();
    }
}

/// Somebody who waits and goes away, with the answer or without: they may have been asked to lead meanwhile.
struct Left<'a> {
    shared: &'a Shared,
    waiting: &'a Waiting,
}

impl Drop for Left<'_> {
    fn drop(&mut self) {
        if self.waiting.leave() {
            self.shared.hand_on();
        }
    }
}

struct Rest<'a>(&'a Arc<Shared>);

impl Drop for Rest<'_> {
    fn drop(&mut self) {
        self.0.wake();
    }
}

/// The task. Dropped with its runtime it gives way to another one.
struct Task {
    shared: Arc<Shared>,
    /// It has said already that it is no longer there.
    ends: bool,
}

impl Drop for Task {
    fn drop(&mut self) {
        if !self.ends {
            self.shared.task.store(false, Ordering::Release);
        }
    }
}

impl Task {
    async fn run(mut self) {
        let mut pause = FIRST_PAUSE;
        loop {
            self.linger().await;
            match self.write(&mut pause).await {
                Turn::Wrote => {}
                Turn::Idle if self.finish() => return,
                Turn::Idle => {}
            }
        }
    }

    /// Waits for company.
    async fn linger(&self) {
        let complete = pin!(self.shared.complete.notified());
        let linger = pin!(tokio::time::sleep(self.shared.settings.linger));
        select(complete, linger).await;
    }

    /// Writes until what is left may linger.
    async fn write(&self, pause: &mut Duration) -> Turn {
        let mut wrote = Turn::Idle;
        loop {
            let (turn, more) = {
                let _hand = Hand(&self.shared);
                let mut writer = self.shared.writer.lock().await;
                // So as not to come between those who are about to share an append.
                writer.gather(&self.shared.queue).await;
                (writer.turn(&self.shared.queue, Ahead::Queue).await, writer.has_work())
            };
            match turn {
                Ok(Turn::Idle) => return wrote,
                Ok(Turn::Wrote) => {
                    wrote = Turn::Wrote;
                    *pause = FIRST_PAUSE;
                    if !more && !self.shared.queue.is_complete() {
                        return wrote;
                    }
                    tokio::task::yield_now().await; // A store in memory never waits.
                }
                Err(_) => {
                    tokio::time::sleep(*pause + jitter(20)).await;
                    *pause = pause.saturating_mul(2).min(LAST_PAUSE);
                }
            }
        }
    }

    /// Whether the task ends. Whoever puts a record down after the second look sees that there is
    /// no task.
    fn finish(&mut self) -> bool {
        self.shared.task.store(false, Ordering::Release);
        self.ends = self.shared.queue.is_empty() || self.shared.task.swap(true, Ordering::AcqRel);
        self.ends
    }
}

pub(super) fn gone() -> Error {
    Error::new(ErrorKind::Internal, "the audit writer dropped a record that was waited for")
}

/// What a caller is told who has not run anything.
fn not_run(why: Arc<Error>) -> Error {
    unavailable(why).effect(Effect::NotExecuted)
}

/// What a caller is told whose call may have ended already.
pub(super) fn unavailable(why: Arc<Error>) -> Error {
    Error::new(
        ErrorKind::AuditUnavailable,
        "the audit trail could not be written; mend the audit store, see `cause`",
    )
    .with("cause", &why)
    .effect(Effect::Unknown)
    .caused_by(why)
}
