//! The vault itself.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretSlice;
use tool_connect_core::store::CredentialStore;
use tool_connect_core::{
    Clock, Error, ErrorKind, Event, EventKind, EventSink, EventSinks, Owner, Result, Rewrapped, SealedPlace,
    SecretAccess, SecretAccessLog, SecretOpened, SystemClock, TenantId, Vault,
};

use super::derive::SubjectPrk;
use super::engine::Engine;
use super::fault::{at, config};
use super::format::{Aad, Algorithm, Sealed};
use super::provider::{KeyProvider, KeyStanding};
use super::ready::ReadyKeys;
use super::settings::{LogFailure, VaultSettings};
use super::subject::Subjects;

/// The largest secret, in bytes.
const MAX_SECRET: usize = 16 * 1024 * 1024;

/// Seals each value under a data key of its own (AES-256-GCM), the data key wrapped by the key that a [`KeyProvider`] holds
/// for the tenant, with a commitment to the keys that is checked before anything is decrypted. What takes part of the place
/// (tenant, subject, record, field) is authenticated, so that no value opens at another's place.
///
/// With a store for subjects' keys, the subject's key takes part as well, and [`erase`](Vault::erase) makes all that the
/// subject ever sealed unreadable. A clone is the same vault.
///
/// ```
/// use std::sync::Arc;
///
/// use secrecy::ExposeSecret;
/// use tool_connect_core::{Owner, SealedPlace, SecretAccess, TenantId, UserId, Vault};
/// use tool_connect_oauth::vault::{EnvelopeVault, Keyring};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> tool_connect_core::Result<()> {
/// let keyring = Keyring::generate()?; // from_file or from_env where values shall outlive the process
/// let vault = EnvelopeVault::builder(Arc::new(keyring)).stateless().without_access_log().build()?;
///
/// let ada = Owner::User(UserId::new("ada")?);
/// let place = SealedPlace::new(TenantId::new("acme")?, ada, "connection:c-17", "secret");
/// let sealed = vault.seal(&place, b"gho_16C7e42F292c6912E7").await?;
/// let opened = vault.open(&place, &sealed, &SecretAccess::system("docs", "show")).await?;
/// assert_eq!(opened.expose_secret(), b"gho_16C7e42F292c6912E7");
///
/// let elsewhere = SealedPlace { record: "connection:c-18".into(), ..place };
/// assert!(vault.open(&elsewhere, &sealed, &SecretAccess::system("docs", "show")).await.is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct EnvelopeVault(Arc<Inner>);

struct Inner {
    engine: Engine,
    /// `None` in a vault without subjects' keys.
    subjects: Option<Subjects>,
    no_subject: SubjectPrk,
    /// `None` where none are remembered.
    ready: Option<ReadyKeys>,
    log: Option<Arc<dyn SecretAccessLog>>,
    log_failure: LogFailure,
    clock: Arc<dyn Clock>,
    events: EventSinks,
}

/// Builds an [`EnvelopeVault`]. Whether subjects have keys and where opened secrets are written down must be said, one way or
/// the other.
#[must_use]
pub struct EnvelopeVaultBuilder {
    provider: Arc<dyn KeyProvider>,
    subjects: Option<Option<Arc<dyn CredentialStore>>>,
    log: Option<Option<Arc<dyn SecretAccessLog>>>,
    clock: Arc<dyn Clock>,
    events: EventSinks,
    settings: VaultSettings,
}

impl EnvelopeVaultBuilder {
    /// Gives each subject a key of its own, kept wrapped in this store, so that a subject can be erased. The store must be
    /// the same for all processes that share sealed values.
    pub fn subject_keys(mut self, store: Arc<dyn CredentialStore>) -> Self {
        self.subjects = Some(Some(store));
        self
    }

    /// Without subjects' keys: nothing but the provider's keys is needed to open a value, and [`Vault::erase`] is refused.
    pub fn stateless(mut self) -> Self {
        self.subjects = Some(None);
        self
    }

    /// Writes each access down before the secret is handed out.
    pub fn access_log(mut self, log: Arc<dyn SecretAccessLog>) -> Self {
        self.log = Some(Some(log));
        self
    }

    /// Writes no access down.
    pub fn without_access_log(mut self) -> Self {
        self.log = Some(None);
        self
    }

    /// The clock: times of accesses, and how long keys are remembered.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Hears of erasures and of accesses that could not be written down.
    pub fn events(mut self, sink: Arc<dyn EventSink>) -> Self {
        self.events.push(sink);
        self
    }

    /// Settings; the defaults fit most.
    pub fn settings(mut self, settings: VaultSettings) -> Self {
        self.settings = settings;
        self
    }

    /// The vault.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] where neither [`subject_keys`](Self::subject_keys) nor [`stateless`](Self::stateless), or neither
    /// [`access_log`](Self::access_log) nor [`without_access_log`](Self::without_access_log) was said.
    pub fn build(self) -> Result<EnvelopeVault> {
        let subjects = self.subjects.ok_or_else(|| {
            config("say where subjects' keys are kept: `.subject_keys(store)`, or `.stateless()` for none")
        })?;
        let log = self.log.ok_or_else(|| {
            config(
                "say where opened secrets are written down: `.access_log(log)`, or `.without_access_log()`",
            )
        })?;
        let VaultSettings { remember, subjects: capacity, data_keys, log_failure } = self.settings;
        let clock = self.clock;
        Ok(EnvelopeVault(Arc::new(Inner {
            engine: Engine { provider: self.provider },
            subjects: subjects.map(|store| Subjects::new(store, Arc::clone(&clock), remember, capacity)),
            no_subject: SubjectPrk::none(),
            ready: (data_keys > 0).then(|| ReadyKeys::new(data_keys, remember)),
            log,
            log_failure,
            clock,
            events: self.events,
        })))
    }
}

impl fmt::Debug for EnvelopeVaultBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvelopeVaultBuilder").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl EnvelopeVault {
    /// A vault on a provider's keys.
    pub fn builder(provider: Arc<dyn KeyProvider>) -> EnvelopeVaultBuilder {
        EnvelopeVaultBuilder {
            provider,
            subjects: None,
            log: None,
            clock: Arc::new(SystemClock),
            events: Vec::new(),
            settings: VaultSettings::default(),
        }
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.0.engine
    }
}

impl fmt::Debug for EnvelopeVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvelopeVault")
            .field("subject_keys", &self.0.subjects.is_some())
            .finish_non_exhaustive()
    }
}

impl Inner {
    fn emit(&self, tenant: &TenantId, what: EventKind) {
        let event = Event { time: self.clock.now(), tenant: Some(tenant.clone()), what };
        self.events.iter().for_each(|sink| sink.emit(&event));
    }

    /// The secret, with the key that is remembered of this very value.
    async fn remembered(
        &self,
        place: &SealedPlace,
        sealed: &Sealed<'_>,
        now: u64,
    ) -> Option<Result<Vec<u8>>> {
        let ready = self.ready.as_ref()?.get(place, sealed, now)?;
        match self.is_accepted(place, sealed).await {
            Ok(true) => {
                let aad = Aad::new(sealed.algorithm, place, sealed.key_id);
                Some(ready.key.open(aad.of_payload(), sealed.payload))
            }
            Ok(false) => None,
            Err(error) => Some(Err(error)),
        }
    }

    /// The secret, with a key that is unwrapped and then remembered from when on what it was derived with was known.
    async fn plain(
        &self,
        prk: &SubjectPrk,
        place: &SealedPlace,
        sealed: &Sealed<'_>,
        since: u64,
    ) -> Result<Vec<u8>> {
        let Some(remembered) = &self.ready else { return self.engine.open(prk, place, sealed).await };
        let aad = Aad::new(sealed.algorithm, place, sealed.key_id);
        let key = self.engine.key(prk, place, sealed, &aad).await?;
        let plain = key.open(aad.of_payload(), sealed.payload);
        if plain.is_ok() {
            remembered.put(place, sealed, key, since);
        }
        plain.map_err(|e| at(e, place, sealed.key_id))
    }

    /// Whether the provider still opens with the key; if not, it says why where it is asked to.
    async fn is_accepted(&self, place: &SealedPlace, sealed: &Sealed<'_>) -> Result<bool> {
        let provider = &self.engine.provider;
        let standing = match provider.standing_at_hand(&place.tenant, sealed.key_id) {
            Some(standing) => standing,
            None => provider.standing(&place.tenant, sealed.key_id).await?,
        };
        Ok(matches!(standing, KeyStanding::Current | KeyStanding::Accepted))
    }

    /// Writes an access down; nothing is decrypted before.
    async fn record(&self, place: &SealedPlace, key_id: &str, access: &SecretAccess) -> Result<()> {
        let Some(log) = &self.log else { return Ok(()) };
        let opened = SecretOpened {
            time: self.clock.recently(),
            tenant: &place.tenant,
            subject: &place.subject,
            record: &place.record,
            field: &place.field,
            key_id,
            access,
        };
        let Err(error) = log.opened(&opened).await else { return Ok(()) };
        if self.log_failure == LogFailure::Refuse {
            let message = "the log of accesses cannot be written, so the secret was not opened";
            let refused = Error::new(ErrorKind::AuditUnavailable, message).caused_by(error);
            return Err(at(refused, place, key_id));
        }
        tracing::warn!(target: "tool_connect::vault", record = %place.record, key_id, %error, "an access was not written down");
        self.emit(&place.tenant, EventKind::AuditFailed { kind: error.kind(), records: 1 });
        Ok(())
    }
}

#[async_trait]
impl Vault for EnvelopeVault {
    async fn seal(&self, place: &SealedPlace, secret: &[u8]) -> Result<Vec<u8>> {
        let inner = &*self.0;
        if secret.len() > MAX_SECRET {
            return Err(Error::new(ErrorKind::TooLarge, "a secret is at most 16 MiB long")
                .with("record", place.record.escape_debug()));
        }
        let sealed = match &inner.subjects {
            None => inner.engine.seal(Algorithm::Stateless, &inner.no_subject, place, secret).await?,
            Some(subjects) => {
                let now = inner.clock.monotonic();
                let subject = match subjects.warm(&place.tenant, &place.subject, now) {
                    Some(warm) => warm,
                    None => subjects.load(&inner.engine, &place.tenant, &place.subject, true).await.map_err(
                        |e| e.with("tenant", &place.tenant).with("record", place.record.escape_debug()),
                    )?,
                };
                inner.engine.seal(Algorithm::WithSubject, &subject.prk, place, secret).await?
            }
        };
        Ok(sealed.0)
    }

    async fn open(
        &self,
        place: &SealedPlace,
        sealed: &[u8],
        access: &SecretAccess,
    ) -> Result<SecretSlice<u8>> {
        let inner = &*self.0;
        let sealed = Sealed::parse(sealed).map_err(|e| e.with("record", place.record.escape_debug()))?;
        inner.record(place, sealed.key_id, access).await?;
        let now = inner.clock.monotonic();
        // Only what this vault opened is remembered, and no longer than its subject's key: that needs not be asked for again.
        if let Some(plain) = inner.remembered(place, &sealed, now).await {
            return plain.map(SecretSlice::from).map_err(|e| at(e, place, sealed.key_id));
        }
        let plain = match (&inner.subjects, sealed.algorithm) {
            (None, Algorithm::Stateless) => inner.plain(&inner.no_subject, place, &sealed, now).await?,
            (None, Algorithm::WithSubject) => {
                let error = config("sealed with a subject's key, and this vault has no store for them");
                return Err(at(error, place, sealed.key_id));
            }
            (Some(subjects), algorithm) => {
                // Values from before there were subjects' keys are refused after an erasure too.
                let make = algorithm == Algorithm::Stateless;
                let before = subjects.erased_so_far();
                let subject = match subjects.warm(&place.tenant, &place.subject, now) {
                    Some(warm) => warm,
                    None => subjects
                        .load(&inner.engine, &place.tenant, &place.subject, make)
                        .await
                        .map_err(|e| at(e, place, sealed.key_id))?,
                };
                let prk = if make { &inner.no_subject } else { &subject.prk };
                let plain = inner.plain(prk, place, &sealed, subject.since).await?;
                // What was remembered while somebody erased the subject is forgotten again.
                if let (Some(ready), true) = (&inner.ready, subjects.erased_so_far() != before) {
                    ready.forget(&place.tenant, &place.subject);
                }
                plain
            }
        };
        Ok(SecretSlice::from(plain))
    }

    async fn rewrap(&self, place: &SealedPlace, sealed: &[u8]) -> Result<Rewrapped> {
        let sealed = Sealed::parse(sealed).map_err(|e| e.with("record", place.record.escape_debug()))?;
        self.0.engine.rewrap(place, &sealed).await
    }

    fn key_id(&self, sealed: &[u8]) -> Result<String> {
        Ok(Sealed::parse(sealed)?.key_id.to_owned())
    }

    async fn current_key_id(&self, tenant: &TenantId) -> Result<String> {
        Ok(self.0.engine.provider.current(tenant).await?.as_ref().to_owned())
    }

    async fn erase(&self, tenant: &TenantId, subject: &Owner) -> Result<()> {
        let Some(subjects) = &self.0.subjects else {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "this vault has no subjects' keys, so a subject cannot be erased: build it with `.subject_keys(store)`",
            ));
        };
        subjects.erase(tenant, subject).await?;
        if let Some(ready) = &self.0.ready {
            ready.forget(tenant, subject);
        }
        tracing::info!(target: "tool_connect::vault", %tenant, "a subject's key was destroyed");
        self.0.emit(tenant, EventKind::SubjectErased { subject: subject.clone() });
        Ok(())
    }
}
