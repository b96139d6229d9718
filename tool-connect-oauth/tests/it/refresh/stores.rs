//! Stores and transports that do what a test says, at the moment that it says.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tool_connect_core::http::{ByteStream, RequestBody, Transport, TransportLimits};
use tool_connect_core::store::{
    CredentialCursor, CredentialFilter, CredentialKey, CredentialStore, StoredCredential,
};
use tool_connect_core::{BoxFuture, Error, ErrorKind, Result, TenantId};

/// What happens before a write goes through.
pub(super) type Hook = Arc<dyn Fn(Write) -> BoxFuture<'static, Result<()>> + Send + Sync>;

/// Which write it is.
#[derive(Clone, Debug)]
pub(super) struct Write {
    pub(super) record: StoredCredential,
}

impl Write {
    pub(super) fn is_intent(&self) -> bool {
        self.record.intent.is_some()
    }
}

/// Counts reads and writes, and asks a hook before each write.
pub(super) struct Tapped {
    inner: Arc<dyn CredentialStore>,
    pub(super) reads: AtomicUsize,
    dies_at_intent: bool,
    hook: Option<Hook>,
}

impl Tapped {
    pub(super) fn new(inner: &Arc<dyn CredentialStore>, hook: Option<Hook>) -> Arc<Self> {
        let inner = Arc::clone(inner);
        Arc::new(Self { inner, reads: AtomicUsize::new(0), dies_at_intent: false, hook })
    }

    /// The store of a process that dies as soon as its intent is written.
    pub(super) fn dying_at_intent(inner: &Arc<dyn CredentialStore>) -> Arc<Self> {
        let inner = Arc::clone(inner);
        Arc::new(Self { inner, reads: AtomicUsize::new(0), dies_at_intent: true, hook: None })
    }
}

#[async_trait]
impl CredentialStore for Tapped {
    async fn put(&self, credential: StoredCredential) -> Result<StoredCredential> {
        let write = Write { record: credential.clone() };
        if let Some(hook) = &self.hook {
            hook(write.clone()).await?;
        }
        let written = self.inner.put(credential).await;
        if self.dies_at_intent && write.is_intent() {
            std::future::pending::<()>().await;
        }
        written
    }

    async fn get(&self, tenant: &TenantId, key: &CredentialKey) -> Result<Option<StoredCredential>> {
        self.reads.fetch_add(1, Ordering::SeqCst);
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

pub(super) fn storage_error() -> Error {
    Error::new(ErrorKind::Storage, "the test's store is down")
}

/// What happens before a token request goes out.
pub(super) type Before = Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

/// A transport that lets a test act before each request.
pub(super) struct Held {
    pub(super) inner: Arc<dyn Transport>,
    pub(super) before: Before,
}

#[async_trait]
impl Transport for Held {
    async fn send(
        &self,
        request: http::Request<RequestBody>,
        limits: &TransportLimits,
    ) -> Result<http::Response<ByteStream>> {
        (self.before)().await;
        self.inner.send(request, limits).await
    }
}

/// A transport that panics as often as it is told.
pub(super) struct Panicking {
    pub(super) inner: Arc<dyn Transport>,
    pub(super) left: Mutex<u32>,
}

#[async_trait]
impl Transport for Panicking {
    async fn send(
        &self,
        request: http::Request<RequestBody>,
        limits: &TransportLimits,
    ) -> Result<http::Response<ByteStream>> {
        let panics = {
            let mut left = self.left.lock().expect("not poisoned");
            let panics = *left > 0;
            *left = left.saturating_sub(1);
            panics
        };
        assert!(!panics, "the test's transport panics");
        self.inner.send(request, limits).await
    }
}
