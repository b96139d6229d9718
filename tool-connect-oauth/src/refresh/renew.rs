//! One renewal, fenced against every other process.
//!
//! A refresh token may be good for one use only, and a process may stop at any line. So: take the lease; read again; write
//! down the intent to spend the token, by compare-and-swap; look whether the lease's time is still running; ask once; store
//! what came; hand it out. Whoever gets the lease later and finds an intent waits for its owner, who may only be slow. The
//! lease keeps the others from trying; the intent is what makes it safe.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tool_connect_core::store::{LeaseGrant, RefreshIntent, StoredCredential};
use tool_connect_core::{
    AuthScheme, Connection, CredentialVersion, Error, ErrorKind, EventKind, Result, Retry,
};

use super::access::Access;
use super::demote;
use super::fault::{Failure, Verdict, pause};
use super::manager::Shared;
use super::plan::{Grant, Plan, resources};
use super::record::Loaded;
use super::settings::Recovery;
use super::slot::{Landing, Slot};
use crate::catalog::{Provider, Rotation};
use crate::flow::{Secret, TokenClient, TokenSet};

/// Stands in an intent's fence, beside the number: the token may have been spent by somebody who died, and this is the one
/// attempt to use it nevertheless. Fences are counters; they never get here.
const RECOVERY: u64 = 1 << 62;
/// Stands in an intent's fence: the provider said that the grant is gone.
pub(super) const GONE: u64 = 1 << 61;

/// How far the clocks of two machines may be apart.
const CLOCKS: Duration = Duration::from_secs(300);
/// Pauses between two looks at what another process does.
const FIRST_LOOK: Duration = Duration::from_millis(20);
const LONGEST_LOOK: Duration = Duration::from_millis(250);

/// A renewal to be made.
pub(super) struct Job {
    pub(super) connection: Connection,
    pub(super) scheme: AuthScheme,
    pub(super) slot: Arc<Slot>,
    /// A version that shall be renewed although it is good.
    unwanted: Option<CredentialVersion>,
    /// The first version that is found shall be renewed.
    forced: bool,
    /// Only where it ends soon.
    only_ending: bool,
    /// Whether a provider was asked.
    pub(super) asked: bool,
    /// Whether the grant is gone, and that is written down.
    settled: bool,
    known: Option<Loaded>,
    /// An intent of somebody else's, and since when (monotonic nanoseconds) it is watched.
    watched: Option<(RefreshIntent, u64)>,
}

impl Job {
    pub(super) fn new(
        connection: &Connection,
        scheme: &AuthScheme,
        unwanted: Option<CredentialVersion>,
        forced: bool,
    ) -> Self {
        Self {
            connection: connection.clone(),
            scheme: scheme.clone(),
            slot: Arc::default(),
            unwanted,
            forced,
            only_ending: false,
            asked: false,
            settled: false,
            known: None,
            watched: None,
        }
    }

    /// Renews the first version that is found, if it ends soon.
    pub(super) fn ending_soon(connection: &Connection, scheme: &AuthScheme) -> Self {
        Self { only_ending: true, ..Self::new(connection, scheme, None, true) }
    }

    /// Whether a token must be renewed although it has not ended.
    pub(super) fn unwanted(&self, version: CredentialVersion) -> bool {
        self.unwanted == Some(version) || self.slot.refused() == version
    }
}

/// What a turn with the lease came to.
pub(super) enum Turn {
    Done(Arc<Access>),
    /// Somebody else has changed something: look again.
    Again,
    /// Somebody else is at it: look again after so long at most.
    Wait(Duration),
}

impl Shared {
    /// Makes the renewal and tells everybody who waits.
    pub(super) async fn fly(self: &Arc<Self>, landing: Landing, mut job: Job) {
        job.slot = Arc::clone(landing.slot());
        match self.renew(&mut job).await {
            Ok(access) => landing.succeed(access),
            Err(error) => {
                let failures = landing.failures() + 1;
                let settings = &self.settings;
                // What did not cost a request need not wait; what is settled costs none any more.
                let pause = (job.asked && !job.settled).then(|| {
                    pause(&error, failures, settings.backoff, settings.longest_backoff, self.jitter())
                });
                let error = match pause {
                    Some(pause) => error.retry(Retry::After(pause)),
                    None => error,
                };
                self.tell_failure(&job, &error);
                let until = pause.map(|pause| self.clock.monotonic().saturating_add(nanos(pause)));
                landing.fail(Failure::new(error), until);
            }
        }
    }

    fn tell_failure(&self, job: &Job, error: &Error) {
        tracing::debug!(
            target: "tool_connect::oauth",
            tenant = job.connection.tenant.as_str(), connection = job.connection.id.as_str(),
            kind = error.kind().as_str(), asked = job.asked,
            "a secret could not be had"
        );
        // What ends with the user is told where it is decided, once.
        if job.asked && !job.settled {
            let what = EventKind::RefreshFailed {
                connection: job.connection.id.clone(),
                kind: error.kind(),
                reason: error.message().to_owned(),
            };
            self.emit(&job.connection.tenant, what);
        }
    }

    async fn renew(&self, job: &mut Job) -> Result<Arc<Access>> {
        let ends =
            Instant::now() + self.settings.wait + self.settings.settle_after + self.http.total_timeout();
        let provider = self.provider(&job.connection, &job.scheme)?;
        let mut look = FIRST_LOOK;
        loop {
            let loaded = self.load(&job.connection, job.known.as_ref(), "call").await?;
            job.known.clone_from(&loaded);
            if let Some(Loaded { record, secret }) = &loaded {
                let soon = self.clock.now() + self.settings.ahead;
                let ending =
                    secret.tokens().and_then(|tokens| tokens.expires_at).is_some_and(|end| end < soon);
                if std::mem::take(&mut job.forced) && (ending || !job.only_ending) {
                    job.unwanted = self.version_of(secret);
                }
                self.finish_demotion(&job.connection, record).await?;
            }
            let grant = match self.plan(job, loaded.as_ref(), provider.as_ref())? {
                Plan::Use(access) => return Ok(access),
                Plan::Renew(Grant::Exchange(of)) => {
                    return self.exchange(job, &of.0, &of.1).await;
                }
                Plan::Renew(grant) => grant,
            };
            let Some(provider) = &provider else {
                return Err(Error::new(ErrorKind::Internal, "a token is to be renewed without a provider"));
            };
            self.still_connected(&job.connection).await?;
            match self.turn(job, loaded, grant, provider).await? {
                Turn::Done(access) => return Ok(access),
                Turn::Again => look = FIRST_LOOK,
                Turn::Wait(most) => {
                    let jittered = look.mul_f64(0.5 + self.jitter() / 2.0);
                    tokio::time::sleep(jittered.min(most)).await;
                    look = (look * 2).min(LONGEST_LOOK);
                }
            }
            if Instant::now() >= ends {
                return Err(Error::new(
                    ErrorKind::DeadlineExceeded,
                    format!(
                        "another process has been renewing the tokens of connection `{}` for too long; try again later",
                        job.connection.id
                    ),
                ));
            }
        }
    }

    /// One attempt with the lease.
    async fn turn(
        &self,
        job: &mut Job,
        loaded: Option<Loaded>,
        grant: Grant,
        provider: &Provider,
    ) -> Result<Turn> {
        let name = format!("refresh/{}", job.connection.id);
        let (tenant, time) = (job.connection.tenant.clone(), self.settings.lease);
        // Read before the request for the lease: by this reading it ends earlier than by the store's.
        let begun = self.clock.monotonic();
        let fence = match self.in_time(self.leases.acquire(&tenant, &name, time)).await? {
            LeaseGrant::Granted { fence } => fence,
            LeaseGrant::Held { remaining } => return Ok(Turn::Wait(remaining)),
            _ => return Ok(Turn::Wait(LONGEST_LOOK)),
        };
        let lease = Lease { fence, ends: begun.saturating_add(nanos(time)) };
        let turn = self.with_lease(job, loaded, grant, provider, lease).await;
        // Where this fails the lease ends by itself.
        let released = self.in_time(self.leases.release(&tenant, &name, fence)).await;
        if let Err(error) = released {
            tracing::debug!(target: "tool_connect::oauth", %error, "a lease was not given back");
        }
        turn
    }

    async fn with_lease(
        &self,
        job: &mut Job,
        loaded: Option<Loaded>,
        grant: Grant,
        provider: &Provider,
        lease: Lease,
    ) -> Result<Turn> {
        let now = self.record(&job.connection).await?;
        if now.as_ref().map(|record| record.version) != loaded.as_ref().map(|loaded| loaded.record.version) {
            return Ok(Turn::Again);
        }
        match (grant, loaded) {
            (Grant::Refresh(secret), Some(loaded)) => {
                self.spend(job, loaded.record, &secret, provider, lease).await
            }
            (grant, loaded) => self.mint(job, loaded, grant, provider).await,
        }
    }

    /// Uses the refresh token.
    async fn spend(
        &self,
        job: &mut Job,
        mut record: StoredCredential,
        secret: &Secret,
        provider: &Provider,
        lease: Lease,
    ) -> Result<Turn> {
        let Some(old) = secret.tokens() else { return Ok(Turn::Again) };
        let client = self.client(&job.connection, provider).await?;
        let resources = resources(&job.connection)?;
        let mut fence = lease.fence;
        if let Some(intent) = record.intent {
            let left = self.unsettled(job, intent);
            if !left.is_zero() {
                return Ok(Turn::Wait(left));
            }
            if !self.may_recover(intent, provider) {
                let reason = "A process died while it was renewing the access, and the service does not allow a second try; \
                              connect the account again.";
                return self.gone(job, record, reason).await;
            }
            fence |= RECOVERY;
        }
        record.intent = Some(RefreshIntent { fence, since: self.clock.now() });
        let Some(record) = self.put(record).await? else { return Ok(Turn::Again) };
        if self.clock.monotonic() >= lease.ends {
            // Stalled on the way: others may be at it by now.
            self.withdraw(record).await;
            return Ok(Turn::Wait(LONGEST_LOOK));
        }
        job.asked = true;
        let ask = TokenClient::new(&self.http, provider, &client, &*self.clock);
        match ask.refresh(old, &resources).await {
            Ok(tokens) => self.keep(job, record, old, tokens, provider).await,
            Err(error) => self.answered(job, record, old, provider, error).await,
        }
    }

    /// How long the owner of an intent is still waited for. By this process' own watch, or by what is written down, as far
    /// as the clocks of two machines can be trusted.
    fn unsettled(&self, job: &mut Job, intent: RefreshIntent) -> Duration {
        let now = self.clock.monotonic();
        let since = match job.watched {
            Some((watched, since)) if watched == intent => since,
            _ => {
                job.watched = Some((intent, now));
                now
            }
        };
        let settle = self.settings.settle_after;
        let watched = Duration::from_nanos(now.saturating_sub(since));
        let age = self.clock.now().duration_since(intent.since).unwrap_or_default();
        settle.saturating_sub(watched).min((settle + CLOCKS).saturating_sub(age))
    }

    /// Whether a token that may have been spent can be tried once more.
    fn may_recover(&self, intent: RefreshIntent, provider: &Provider) -> bool {
        let age = self.clock.now().duration_since(intent.since).unwrap_or_default();
        match provider.entry.refresh.rotation {
            Rotation::None => true,
            Rotation::Tolerated(grace) if age < grace => true,
            // Who tried and died as well leaves nobody to try again.
            _ => intent.fence & RECOVERY == 0 && self.settings.recovery == Recovery::TryOnce,
        }
    }

    /// Takes an intent back that came to nothing.
    async fn withdraw(&self, mut record: StoredCredential) {
        record.intent = None;
        if let Err(error) = self.put(record).await {
            // Others wait until it counts as dead, and then try.
            tracing::warn!(target: "tool_connect::oauth", %error, "an intent could not be taken back");
        }
    }

    /// Stores new tokens before anybody uses them. What a provider has granted is not given up because a store fails for a
    /// moment.
    async fn keep(
        &self,
        job: &Job,
        mut record: StoredCredential,
        old: &TokenSet,
        tokens: TokenSet,
        provider: &Provider,
    ) -> Result<Turn> {
        let ours = record.intent;
        let secret = Secret::Tokens(tokens.clone());
        let begun = self.clock.monotonic();
        let mut pause = FIRST_LOOK;
        loop {
            let stored = async {
                let expires = tokens.refresh_token.as_ref().and(tokens.expires_at);
                let record = self.resealed(&job.connection, Some(record.clone()), &secret, expires).await?;
                self.put(record).await
            };
            match stored.await {
                Ok(Some(_)) => return self.done(job, &tokens, provider).map(Turn::Done),
                Ok(None) => {
                    let Some(now) = self.load(&job.connection, None, "refresh").await? else {
                        // Disconnected meanwhile: it stays so.
                        return Err(demote::gone(&job.connection));
                    };
                    // The same secret, sealed anew or taken over by somebody who believes us dead: ours is newer. Another
                    // one is what others got.
                    let same = now.secret.tokens().is_some_and(|tokens| same_refresh_token(tokens, old));
                    if now.record.intent != ours && !same {
                        return Ok(Turn::Again);
                    }
                    record = now.record;
                }
                Err(error) => {
                    let spent = Duration::from_nanos(self.clock.monotonic().saturating_sub(begun));
                    if spent + pause >= self.settings.settle_after {
                        return Err(error.with("what", "the renewed tokens could not be stored"));
                    }
                    tracing::warn!(target: "tool_connect::oauth", %error, "renewed tokens are not stored yet; trying again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(2));
                }
            }
        }
    }

    /// New tokens, stored.
    pub(super) fn done(&self, job: &Job, tokens: &TokenSet, provider: &Provider) -> Result<Arc<Access>> {
        let mut access = self.usable(job, tokens, Some(provider), true)?;
        access.minted = Some(self.clock.monotonic());
        self.emit(
            &job.connection.tenant,
            EventKind::CredentialRefreshed { connection: job.connection.id.clone() },
        );
        Ok(Arc::new(access))
    }

    /// An answer that is no success.
    async fn answered(
        &self,
        job: &mut Job,
        mut record: StoredCredential,
        old: &TokenSet,
        provider: &Provider,
        error: Error,
    ) -> Result<Turn> {
        let verdict = Verdict::of(&error);
        if verdict == Verdict::Gone {
            // Somebody else may have spent it, and stored what came.
            let Some(now) = self.load(&job.connection, None, "refresh").await? else {
                return Err(demote::gone(&job.connection));
            };
            let same = now.secret.tokens().is_some_and(|tokens| same_refresh_token(tokens, old));
            if !same || now.record.intent != record.intent {
                return Ok(Turn::Again);
            }
            let reason = "The service has withdrawn its consent, or the access was not used for too long; connect the account \
                          again.";
            return self.gone(job, now.record, reason).await;
        }
        match provider.entry.refresh.rotation {
            Rotation::Strict if verdict == Verdict::Unknown => {
                // It stays until it counts as settled; then comes one more try. That this one was a second try is no matter
                // any more: it was not its process that died.
                if let Some(intent) = record.intent.as_mut().filter(|intent| intent.fence & RECOVERY != 0) {
                    intent.fence &= !RECOVERY;
                    self.put(record).await?;
                }
            }
            _ => self.withdraw(record).await,
        }
        Err(error)
    }

    async fn gone(&self, job: &mut Job, record: StoredCredential, reason: &str) -> Result<Turn> {
        if self.give_up(&job.connection, record, reason).await? {
            job.settled = true;
            Err(demote::gone(&job.connection).public(reason.to_owned()))
        } else {
            Ok(Turn::Again)
        }
    }
}

/// A lease that was granted.
#[derive(Clone, Copy)]
struct Lease {
    fence: u64,
    /// On the clock's monotonic reading, in nanoseconds.
    ends: u64,
}

fn same_refresh_token(one: &TokenSet, other: &TokenSet) -> bool {
    use secrecy::ExposeSecret as _;
    match (&one.refresh_token, &other.refresh_token) {
        (Some(one), Some(other)) => aws_lc_rs::constant_time::verify_slices_are_equal(
            one.expose_secret().as_bytes(),
            other.expose_secret().as_bytes(),
        )
        .is_ok(),
        _ => false,
    }
}

pub(super) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
