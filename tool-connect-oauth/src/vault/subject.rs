//! The keys of subjects: made once, remembered for a while, destroyed for ever.

use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use quick_cache::Equivalent;
use quick_cache::sync::Cache;
use tool_connect_core::store::{CredentialStore, StoredCredential};
use tool_connect_core::{Clock, Error, ErrorKind, Owner, Result, TenantId};
use zeroize::Zeroizing;

use super::derive::SubjectPrk;
use super::engine::Engine;
use super::fault::{erased, refused};
use super::format::{Algorithm, Sealed};
use super::place::{credential_place, subject_key};
use super::provider::DataKey;

/// What stands where an erased subject's key stood, so that nobody makes a new one.
const TOMBSTONE: &[u8] = b"erased";
/// Other writers can come between so many times before the caller is told.
const TRIES: usize = 16;

/// Whether a row says that its subject was erased.
pub(super) fn is_tombstone(row: &StoredCredential) -> bool {
    row.sealed == TOMBSTONE
}

/// Subjects' keys, with those that were used lately.
pub(super) struct Subjects {
    store: Arc<dyn CredentialStore>,
    clock: Arc<dyn Clock>,
    warm: Cache<Subject, Arc<Warm>>,
    remember: u64,
    /// How many erasures there were here: a key that was read before one is not remembered after it.
    erasures: AtomicU64,
    /// Held while a key is remembered or forgotten.
    gate: Mutex<()>,
}

/// A subject's key, set up.
pub(super) struct Warm {
    pub(super) prk: SubjectPrk,
    /// When it was read, in monotonic nanoseconds.
    pub(super) since: u64,
}

#[derive(PartialEq, Eq, Hash)]
struct Subject(TenantId, Owner);

/// A look-up without a copy.
struct SubjectRef<'a>(&'a TenantId, &'a Owner);

impl Hash for SubjectRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
        self.1.hash(state);
    }
}

impl Equivalent<Subject> for SubjectRef<'_> {
    fn equivalent(&self, key: &Subject) -> bool {
        *self.0 == key.0 && *self.1 == key.1
    }
}

impl Subjects {
    pub(super) fn new(
        store: Arc<dyn CredentialStore>,
        clock: Arc<dyn Clock>,
        remember: Duration,
        capacity: usize,
    ) -> Self {
        Self {
            store,
            clock,
            warm: Cache::new(capacity),
            remember: u64::try_from(remember.as_nanos()).unwrap_or(u64::MAX),
            erasures: AtomicU64::new(0),
            gate: Mutex::new(()),
        }
    }

    /// A key that was used lately.
    pub(super) fn warm(&self, tenant: &TenantId, subject: &Owner, now: u64) -> Option<Arc<Warm>> {
        let warm = self.warm.get(&SubjectRef(tenant, subject))?;
        (now.saturating_sub(warm.since) < self.remember).then_some(warm)
    }

    /// The key from the store; a subject's first value makes it, where `make` says so.
    pub(super) async fn load(
        &self,
        engine: &Engine,
        tenant: &TenantId,
        subject: &Owner,
        make: bool,
    ) -> Result<Arc<Warm>> {
        let (before, since) = (self.erased_so_far(), self.clock.monotonic());
        let name = subject_key(subject);
        let place = credential_place(tenant, subject, &name);
        for _ in 0..TRIES {
            let key = match self.store.get(tenant, &name).await? {
                Some(row) if is_tombstone(&row) => return Err(erased()),
                Some(row) => {
                    let sealed = Sealed::parse(&row.sealed)?;
                    let plain = Zeroizing::new(engine.open(&SubjectPrk::none(), &place, &sealed).await?);
                    DataKey::from_slice(&plain)?
                }
                None if !make => {
                    return Err(refused(
                        "the subject's key is not in the credential store: is this the store that it was sealed with?",
                    )
                    .with("subject_key", &name));
                }
                None => {
                    let key = DataKey::generate()?;
                    let none = SubjectPrk::none();
                    let (sealed, key_id) =
                        engine.seal(Algorithm::Stateless, &none, &place, key.expose()).await?;
                    let row = StoredCredential::new(
                        tenant.clone(),
                        name.clone(),
                        subject.clone(),
                        sealed,
                        &*key_id,
                    );
                    match self.store.put(row).await {
                        Ok(_) => key,
                        // Somebody else made it meanwhile: theirs is the key.
                        Err(error) if error.kind() == ErrorKind::Conflict => continue,
                        Err(error) => return Err(error),
                    }
                }
            };
            let warm = Arc::new(Warm { prk: SubjectPrk::new(&key), since });
            self.keep(before, tenant, subject, &warm);
            return Ok(warm);
        }
        Err(contended(tenant))
    }

    /// Destroys a subject's key, also one that was never made. Returns whether it was there.
    pub(super) async fn erase(&self, tenant: &TenantId, subject: &Owner) -> Result<bool> {
        let name = subject_key(subject);
        for _ in 0..TRIES {
            let found = self.store.get(tenant, &name).await?;
            let was_there = found.is_some();
            let mut row = match found {
                Some(row) if is_tombstone(&row) => {
                    self.forget(tenant, subject);
                    return Ok(false);
                }
                Some(row) => row,
                None => StoredCredential::new(tenant.clone(), name.clone(), subject.clone(), Vec::new(), ""),
            };
            row.sealed = TOMBSTONE.to_vec();
            "erased".clone_into(&mut row.key_id);
            match self.store.put(row).await {
                Ok(_) => {
                    self.forget(tenant, subject);
                    return Ok(was_there);
                }
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                Err(error) => return Err(error),
            }
        }
        Err(contended(tenant))
    }

    /// How many erasures there were here.
    pub(super) fn erased_so_far(&self) -> u64 {
        self.erasures.load(SeqCst)
    }

    fn keep(&self, before: u64, tenant: &TenantId, subject: &Owner, warm: &Arc<Warm>) {
        // Held while inserting: an erasure either comes first and is seen, or removes what was inserted.
        let _gate = self.gate();
        if self.erased_so_far() == before {
            self.warm.insert(Subject(tenant.clone(), subject.clone()), Arc::clone(warm));
        }
    }

    fn forget(&self, tenant: &TenantId, subject: &Owner) {
        let _gate = self.gate();
        self.erasures.fetch_add(1, SeqCst);
        self.warm.remove(&SubjectRef(tenant, subject));
    }

    fn gate(&self) -> MutexGuard<'_, ()> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn contended(tenant: &TenantId) -> Error {
    Error::new(ErrorKind::Storage, "the subject's key is being written by too many at once")
        .with("tenant", tenant)
}
