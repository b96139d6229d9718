//! Where a process stops or dies: stores and a transport that do it on the way.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tool_connect::http::{ByteStream, RequestBody, Transport, TransportLimits};
use tool_connect::store::{
    CredentialCursor, CredentialFilter, CredentialKey, CredentialStore, LeaseGrant, LeaseStore,
    StoredCredential,
};
use tool_connect::{Result, TenantId};

use super::process::{say, signal};

/// What a process does at certain points of a renewal.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// Nothing.
    None,
    /// Stops itself, at another point each time; somebody else wakes it. Once at a time: a second signal that comes after the
    /// waking would stop it for good.
    Stops { turns: AtomicU64, one: Mutex<()> },
    /// Dies after the intent is written, before the provider is asked.
    DiesBeforeAsking,
    /// Dies with the provider's answer, before it is stored.
    DiesBeforeStoring,
}

/// The points, in the order in which a renewal passes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Point {
    Leased,
    Intended,
    Asking,
    Answered,
    Storing,
    Stored,
}

impl Trouble {
    pub(crate) fn at(&self, point: Point) {
        match (self, point) {
            (Self::Stops { turns, one }, point) => {
                let Ok(_one) = one.try_lock() else { return };
                // 7 and 6 have no common divisor: every point has its turn.
                let turn = turns.fetch_add(1, Ordering::Relaxed);
                if turn % 7 == point as u64 {
                    let begun = Instant::now();
                    say("stopping");
                    signal("STOP", std::process::id());
                    until_stopped();
                    say(&format!("stopped {}", begun.elapsed().as_millis()));
                }
            }
            (Self::DiesBeforeAsking, Point::Asking) | (Self::DiesBeforeStoring, Point::Storing) => {
                signal("KILL", std::process::id());
                // The signal is on its way; nothing else may happen.
                loop {
                    std::thread::sleep(Duration::from_secs(1));
                }
            }
            _ => {}
        }
    }
}

/// A signal takes its time: goes on only once this thread has stood still for longer than any pause of its own.
fn until_stopped() {
    for _ in 0..200 {
        let begun = Instant::now();
        std::thread::sleep(Duration::from_millis(5));
        if begun.elapsed() > Duration::from_millis(150) {
            return;
        }
    }
}

/// A store or a transport with trouble.
pub(crate) struct Troubled<T: ?Sized> {
    pub(crate) inner: Arc<T>,
    pub(crate) trouble: Arc<Trouble>,
}

#[async_trait]
impl LeaseStore for Troubled<dyn LeaseStore> {
    async fn acquire(&self, tenant: &TenantId, name: &str, time: Duration) -> Result<LeaseGrant> {
        let grant = self.inner.acquire(tenant, name, time).await?;
        if matches!(grant, LeaseGrant::Granted { .. }) {
            self.trouble.at(Point::Leased);
        }
        Ok(grant)
    }

    async fn renew(&self, tenant: &TenantId, name: &str, fence: u64, time: Duration) -> Result<bool> {
        self.inner.renew(tenant, name, fence, time).await
    }

    async fn release(&self, tenant: &TenantId, name: &str, fence: u64) -> Result<bool> {
        self.inner.release(tenant, name, fence).await
    }

    async fn purge(&self, age: Duration) -> Result<u64> {
        self.inner.purge(age).await
    }
}

#[async_trait]
impl CredentialStore for Troubled<dyn CredentialStore> {
    async fn put(&self, credential: StoredCredential) -> Result<StoredCredential> {
        let intends = credential.intent.is_some();
        if !intends {
            self.trouble.at(Point::Storing);
        }
        let written = self.inner.put(credential).await?;
        self.trouble.at(if intends { Point::Intended } else { Point::Stored });
        Ok(written)
    }

    async fn get(&self, tenant: &TenantId, key: &CredentialKey) -> Result<Option<StoredCredential>> {
        self.inner.get(tenant, key).await
    }

    async fn delete(&self, tenant: &TenantId, key: &CredentialKey) -> Result<bool> {
        self.inner.delete(tenant, key).await
    }

    async fn scan(
        &self,
        filter: &CredentialFilter,
        after: Option<&CredentialCursor>,
        limit: usize,
    ) -> Result<Vec<StoredCredential>> {
        self.inner.scan(filter, after, limit).await
    }
}

#[async_trait]
impl Transport for Troubled<dyn Transport> {
    async fn send(
        &self,
        request: http::Request<RequestBody>,
        limits: &TransportLimits,
    ) -> Result<http::Response<ByteStream>> {
        self.trouble.at(Point::Asking);
        let answer = self.inner.send(request, limits).await;
        self.trouble.at(Point::Answered);
        answer
    }
}

/// The fence taken away: everybody gets every lease.
pub(crate) struct Unfenced(pub(crate) Arc<dyn LeaseStore>);

#[async_trait]
impl LeaseStore for Unfenced {
    async fn acquire(&self, tenant: &TenantId, name: &str, time: Duration) -> Result<LeaseGrant> {
        // A name of its own each time, so that nobody else holds it.
        let name = format!("{name}/{}/{:?}", std::process::id(), Instant::now());
        self.0.acquire(tenant, &name, time).await
    }

    async fn renew(&self, _: &TenantId, _: &str, _: u64, _: Duration) -> Result<bool> {
        Ok(true)
    }

    async fn release(&self, _: &TenantId, _: &str, _: u64) -> Result<bool> {
        Ok(true)
    }

    async fn purge(&self, age: Duration) -> Result<u64> {
        self.0.purge(age).await
    }
}
