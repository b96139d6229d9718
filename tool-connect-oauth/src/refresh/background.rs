//! Renewal of what nobody is using just now.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tool_connect_core::store::{CredentialFilter, CredentialKind, StoredCredential};
use tool_connect_core::{AuthScheme, Connection, ConnectionId, Result};

use super::manager::{Shared, TokenManager};
use super::renew::Job;

/// So many records are read at a time.
const PAGE: usize = 256;

/// Tells how a connection's instance authenticates. A function is one.
pub trait SchemeSource: Send + Sync + 'static {
    /// The scheme of the connection's instance; `None` where there is no such instance any more.
    fn scheme(&self, connection: &Connection) -> Option<AuthScheme>;
}

impl<F: Fn(&Connection) -> Option<AuthScheme> + Send + Sync + 'static> SchemeSource for F {
    fn scheme(&self, connection: &Connection) -> Option<AuthScheme> {
        self(connection)
    }
}

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sweep {
    /// Tokens that were renewed, here or elsewhere meanwhile.
    pub renewed: usize,
    /// Tokens that could not be renewed now.
    pub failed: usize,
    /// Secrets whose connection is gone, does not work, or has no instance.
    pub skipped: usize,
}

impl TokenManager {
    /// Starts a task that renews tokens ahead of their end, also those that no call needs just now. It stops with
    /// [`shutdown`](Self::shutdown).
    ///
    /// Every process may run one: they share the work, since whoever comes second finds the token renewed. Call it once.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn spawn_refresher(&self, schemes: impl SchemeSource) {
        let (manager, schemes) = (self.clone(), Arc::new(schemes));
        self.0.tasks.spawn(async move {
            let shared = &manager.0;
            loop {
                // Not all processes at the same moment.
                let wait = shared.settings.interval.mul_f64(0.5 + shared.jitter());
                if shared.stop.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
                    return;
                }
                match manager.sweep_with(&schemes).await {
                    Ok(sweep) => tracing::debug!(
                        target: "tool_connect::oauth",
                        renewed = sweep.renewed, failed = sweep.failed, skipped = sweep.skipped, "swept"
                    ),
                    Err(error) => {
                        tracing::warn!(target: "tool_connect::oauth", %error, "the refresher could not read the store");
                    }
                }
            }
        });
    }

    /// Renews every token that ends soon: one round of the [refresher](Self::spawn_refresher), for hosts with a scheduler of
    /// their own.
    ///
    /// # Errors
    /// Where the store cannot be read. What cannot be renewed is counted, and told as an event.
    pub async fn sweep(&self, schemes: impl SchemeSource) -> Result<Sweep> {
        self.sweep_with(&Arc::new(schemes)).await
    }

    async fn sweep_with(&self, schemes: &Arc<impl SchemeSource>) -> Result<Sweep> {
        let shared = &self.0;
        let soon = shared.clock.now() + shared.settings.ahead;
        let filter = CredentialFilter {
            kind: Some(CredentialKind::Connection),
            expires_before: Some(soon),
            ..CredentialFilter::default()
        };
        let mut sweep = Sweep::default();
        let mut after = None;
        let mut running = JoinSet::new();
        loop {
            let page = shared.in_time(shared.credentials.scan(&filter, after.as_ref(), PAGE)).await?;
            after = page.last().map(|record| (record.tenant.clone(), record.key.clone()));
            let full = page.len() == PAGE;
            for record in shuffled(shared, page) {
                if shared.stop.is_cancelled() {
                    break;
                }
                while running.len() >= shared.settings.parallel {
                    sweep.count(running.join_next().await);
                }
                let (manager, schemes) = (self.clone(), Arc::clone(schemes));
                running.spawn(async move { manager.renewed(&record, &*schemes).await });
            }
            if !full || shared.stop.is_cancelled() {
                break;
            }
        }
        while let Some(ended) = running.join_next().await {
            sweep.count(Some(ended));
        }
        Ok(sweep)
    }

    /// Whether the token was renewed; `None` where there is nothing to renew it for.
    async fn renewed(&self, record: &StoredCredential, schemes: &impl SchemeSource) -> Option<bool> {
        let shared = &self.0;
        let id = ConnectionId::new(&record.key.id).ok()?;
        let found = shared.in_time(shared.connections.get(&record.tenant, &id)).await;
        let Ok(found) = found else { return Some(false) };
        let connection = found.filter(|connection| connection.status.usable())?;
        let scheme = schemes.scheme(&connection)?;
        Some(shared.ahead(&connection, &scheme).await)
    }
}

impl Sweep {
    fn count(&mut self, ended: Option<Result<Option<bool>, tokio::task::JoinError>>) {
        match ended {
            Some(Ok(Some(true))) => self.renewed += 1,
            Some(Ok(None)) => self.skipped += 1,
            Some(Ok(Some(false)) | Err(_)) => self.failed += 1,
            None => {}
        }
    }
}

impl Shared {
    /// Renews what ends soon. Leaves alone what is being renewed, and a provider that wants to be left alone.
    async fn ahead(self: &Arc<Self>, connection: &Connection, scheme: &AuthScheme) -> bool {
        let slot = self.slot(connection);
        let Some(landing) = slot.try_start(self.clock.monotonic()) else { return false };
        let mut waiting = landing.waiting();
        self.start(landing, Job::ending_soon(connection, scheme));
        let most: Duration = self.settings.wait;
        let ended = tokio::time::timeout(most, waiting.wait_for(Option::is_some)).await;
        matches!(ended, Ok(Ok(outcome)) if matches!(&*outcome, Some(Ok(_))))
    }
}

/// In another order in each process, so that they do not meet at every record.
fn shuffled(shared: &Shared, page: Vec<StoredCredential>) -> Vec<StoredCredential> {
    let mut keyed: Vec<(f64, StoredCredential)> =
        page.into_iter().map(|record| (shared.jitter(), record)).collect();
    keyed.sort_by(|one, other| one.0.total_cmp(&other.0));
    keyed.into_iter().map(|(_, record)| record).collect()
}
