//! What this process knows of one connection: its secret, and the one renewal that may be under way.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::sync::watch;
use tool_connect_core::{Connection, ConnectionId, CredentialVersion, TenantId};

use super::access::Access;
use super::fault::Failure;

/// How a renewal ended.
pub(super) type Outcome = Result<Arc<Access>, Failure>;

/// Hears how a renewal ends; closed without a word where it was cut off.
pub(super) type Waiting = watch::Receiver<Option<Outcome>>;

/// One connection. Readers take no lock; a renewal holds none while it waits for anything.
#[derive(Default)]
pub(super) struct Slot {
    /// Whose it is: which manager's, and which connection's.
    of: Option<(u64, TenantId, ConnectionId)>,
    /// Set when the manager has let go of it: whoever has kept it beside a connection must look the slot up again.
    retired: AtomicBool,
    pub(super) current: ArcSwapOption<Access>,
    /// The version that the provider refused last; 0 where there is none.
    refused: AtomicU64,
    flight: Mutex<Flight>,
}

#[derive(Default)]
struct Flight {
    running: Option<Running>,
    blocked: Option<Blocked>,
    failures: u32,
}

struct Running {
    waiting: Waiting,
    forced: bool,
}

/// A failure that is told at once until its time is over.
struct Blocked {
    failure: Failure,
    /// On the clock's monotonic reading, in nanoseconds.
    until: u64,
}

/// What a caller finds.
pub(super) enum Joined {
    /// A renewal is under way.
    Waiting { waiting: Waiting, forced: bool },
    /// The provider is left alone for so long.
    Blocked(Failure, Duration),
    /// The caller starts one: whoever has this must end it.
    Start(Landing),
}

impl Slot {
    /// The slot of a manager for a connection.
    pub(super) fn new(manager: u64, tenant: TenantId, connection: ConnectionId) -> Self {
        Self { of: Some((manager, tenant, connection)), ..Self::default() }
    }

    /// Whether this is what the manager would find for the connection now.
    pub(super) fn stands_for(&self, manager: u64, connection: &Connection) -> bool {
        let is_it = |(whose, tenant, id): &(u64, TenantId, ConnectionId)| {
            *whose == manager
                && same(id.as_str(), connection.id.as_str())
                && same(tenant.as_str(), connection.tenant.as_str())
        };
        !self.retired.load(Ordering::Acquire) && self.of.as_ref().is_some_and(is_it)
    }

    /// The manager lets go of it: from now on nobody is given what it holds.
    pub(super) fn retire(&self) {
        self.retired.store(true, Ordering::SeqCst);
        self.current.store(None);
    }

    fn flight(&self) -> MutexGuard<'_, Flight> {
        self.flight.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn refused(&self) -> CredentialVersion {
        self.refused.load(Ordering::Acquire)
    }

    /// Stops handing out a version, once. Returns whether it was the one that was handed out.
    pub(super) fn refuse(&self, version: CredentialVersion) -> bool {
        let current = self.current.load();
        let Some(known) = current.as_ref().filter(|access| access.version() == version) else { return false };
        self.refused.store(version, Ordering::Release);
        // Another one may have come meanwhile; that stays.
        let before = self.current.compare_and_swap(known, None);
        before.as_ref().is_some_and(|access| access.version() == version)
    }

    /// As [`refuse`](Self::refuse), where the slot holds nothing.
    pub(super) fn note_refused(&self, version: CredentialVersion) {
        self.refused.store(version, Ordering::Release);
    }

    /// Joins the renewal that is under way, or becomes the one that makes it.
    pub(super) fn join(self: &Arc<Self>, forced: bool, now: u64) -> Joined {
        let mut flight = self.flight();
        if let Some(running) = &flight.running {
            return Joined::Waiting { waiting: running.waiting.clone(), forced: running.forced };
        }
        if let Some(blocked) = &flight.blocked {
            if blocked.until > now {
                let pause = Duration::from_nanos(blocked.until - now);
                return Joined::Blocked(blocked.failure.clone(), pause);
            }
            flight.blocked = None;
        }
        let (tell, waiting) = watch::channel(None);
        flight.running = Some(Running { waiting, forced });
        Joined::Start(Landing { slot: Arc::clone(self), tell })
    }

    /// As [`join`](Self::join) for a look in the background: nothing where somebody is at it.
    pub(super) fn try_start(self: &Arc<Self>, now: u64) -> Option<Landing> {
        // A call with a good token waits for nobody.
        let busy = self.flight.try_lock().map_or(true, |flight| flight.running.is_some());
        if busy {
            return None;
        }
        match self.join(false, now) {
            Joined::Start(landing) => Some(landing),
            Joined::Waiting { .. } | Joined::Blocked(..) => None,
        }
    }
}

/// Whether two ids are the same. Those of a connection and of its copies are the same text in memory, so that mostly the
/// address tells.
#[inline]
fn same(one: &str, other: &str) -> bool {
    std::ptr::eq(one, other) || one == other
}

/// The end of a renewal. Dropped without one (a panic, a runtime that stops), it lets those who wait begin anew.
pub(super) struct Landing {
    slot: Arc<Slot>,
    tell: watch::Sender<Option<Outcome>>,
}

impl Landing {
    pub(super) fn slot(&self) -> &Arc<Slot> {
        &self.slot
    }

    pub(super) fn waiting(&self) -> Waiting {
        self.tell.subscribe()
    }

    /// How many renewals failed in a row before this one.
    pub(super) fn failures(&self) -> u32 {
        self.slot.flight().failures
    }

    /// A new secret.
    pub(super) fn succeed(self, access: Arc<Access>) {
        self.slot.current.store(Some(Arc::clone(&access)));
        if self.slot.retired.load(Ordering::SeqCst) {
            // Nobody will be given it from here; it should not stay in memory.
            self.slot.current.store(None);
        }
        {
            let mut flight = self.slot.flight();
            flight.blocked = None;
            flight.failures = 0;
        }
        self.end(Ok(access));
    }

    /// A failure, and until when (monotonic nanoseconds) the provider is left alone.
    pub(super) fn fail(self, failure: Failure, until: Option<u64>) {
        {
            let mut flight = self.slot.flight();
            flight.failures = flight.failures.saturating_add(1);
            flight.blocked = until.map(|until| Blocked { failure: failure.clone(), until });
        }
        self.end(Err(failure));
    }

    fn end(self, outcome: Outcome) {
        // First the end of the flight, then the word of it: who hears it and asks again finds nothing running.
        self.slot.flight().running = None;
        let _ = self.tell.send(Some(outcome));
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        let mut flight = self.slot.flight();
        let ours = flight
            .running
            .as_ref()
            .is_some_and(|running| running.waiting.same_channel(&self.tell.subscribe()));
        if ours {
            flight.running = None;
        }
    }
}
