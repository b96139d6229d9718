//! The vault: each guard of the checklist, keys, erasure, rotation.

mod access;
mod erasure;
mod keys;
mod rotation;
mod sealed;
mod storm;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use secrecy::ExposeSecret;
use tool_connect_core::store::memory::MemoryCredentials;
use tool_connect_core::store::{CredentialKey, CredentialKind, CredentialStore, StoredCredential};
use tool_connect_core::{Error, Owner, Result, SealedPlace, SecretAccess, TenantId, UserId, Vault};
use tool_connect_oauth::vault::{
    DataKey, EnvelopeVault, KeyProvider, KeySet, KeyStanding, Keyring, WrapContext, credential_place,
};

fn tenant(id: &str) -> TenantId {
    TenantId::new(id).unwrap()
}

fn user(id: &str) -> Owner {
    Owner::User(UserId::new(id).unwrap())
}

fn connection(id: &str) -> CredentialKey {
    CredentialKey::new(CredentialKind::Connection, id)
}

/// Ada's first connection at acme.
fn place() -> SealedPlace {
    credential_place(&tenant("acme"), &user("ada"), &connection("c1"))
}

fn access() -> SecretAccess {
    SecretAccess::system("test", "look")
}

fn stateless(provider: Arc<dyn KeyProvider>) -> EnvelopeVault {
    EnvelopeVault::builder(provider).stateless().without_access_log().build().unwrap()
}

fn with_subjects(provider: Arc<dyn KeyProvider>, store: Arc<dyn CredentialStore>) -> EnvelopeVault {
    EnvelopeVault::builder(provider).subject_keys(store).without_access_log().build().unwrap()
}

fn store() -> Arc<dyn CredentialStore> {
    Arc::new(MemoryCredentials::new())
}

async fn open(vault: &dyn Vault, place: &SealedPlace, sealed: &[u8]) -> Result<Vec<u8>> {
    vault.open(place, sealed, &access()).await.map(|secret| secret.expose_secret().to_vec())
}

/// Seals a secret and stores it.
async fn put(store: &dyn CredentialStore, vault: &dyn Vault, owner: &Owner, id: &str, secret: &[u8]) {
    let (tenant, key) = (tenant("acme"), connection(id));
    let sealed = vault.seal(&credential_place(&tenant, owner, &key), secret).await.unwrap();
    let key_id = vault.key_id(&sealed).unwrap();
    store.put(StoredCredential::new(tenant, key, owner.clone(), sealed, key_id)).await.unwrap();
}

/// A provider that notes what it is asked, and can lie.
struct Recorder {
    inner: Keyring,
    wrapped: Mutex<Vec<[u8; 32]>>,
    unwrapped: Mutex<Vec<String>>,
    /// What it hands out in place of the key that was wrapped.
    lie: Option<[u8; 32]>,
}

impl Recorder {
    fn new(keys: &KeySet) -> Self {
        let (wrapped, unwrapped) = (Mutex::default(), Mutex::default());
        Self { inner: Keyring::new(keys).unwrap(), wrapped, unwrapped, lie: None }
    }

    fn asked(&self) -> Vec<String> {
        self.unwrapped.lock().unwrap().clone()
    }
}

#[async_trait]
impl KeyProvider for Recorder {
    async fn current(&self, tenant: &TenantId) -> Result<Arc<str>> {
        self.inner.current(tenant).await
    }

    async fn standing(&self, tenant: &TenantId, key_id: &str) -> Result<KeyStanding> {
        self.inner.standing(tenant, key_id).await
    }

    async fn wrap(&self, context: WrapContext<'_>, data_key: &DataKey) -> Result<Vec<u8>> {
        self.wrapped.lock().unwrap().push(*data_key.expose());
        self.inner.wrap(context, data_key).await
    }

    async fn unwrap(&self, context: WrapContext<'_>, wrapped: &[u8]) -> Result<DataKey> {
        self.unwrapped.lock().unwrap().push(context.key_id.to_owned());
        let data_key = self.inner.unwrap(context, wrapped).await?;
        self.lie.map_or(Ok(data_key), |lie| DataKey::from_slice(&lie))
    }
}

/// A store that can be switched off.
struct Switch {
    inner: MemoryCredentials,
    down: std::sync::atomic::AtomicBool,
}

impl Switch {
    fn new() -> Arc<Self> {
        Arc::new(Self { inner: MemoryCredentials::new(), down: false.into() })
    }

    fn set_down(&self, down: bool) {
        self.down.store(down, std::sync::atomic::Ordering::SeqCst);
    }

    fn check(&self) -> Result<()> {
        if self.down.load(std::sync::atomic::Ordering::SeqCst) {
            return Err(Error::new(tool_connect_core::ErrorKind::Storage, "the store is down"));
        }
        Ok(())
    }
}

#[async_trait]
impl CredentialStore for Switch {
    async fn put(&self, credential: StoredCredential) -> Result<StoredCredential> {
        self.check()?;
        self.inner.put(credential).await
    }

    async fn get(&self, tenant: &TenantId, key: &CredentialKey) -> Result<Option<StoredCredential>> {
        self.check()?;
        self.inner.get(tenant, key).await
    }

    async fn delete(&self, tenant: &TenantId, key: &CredentialKey) -> Result<bool> {
        self.check()?;
        self.inner.delete(tenant, key).await
    }

    async fn scan(
        &self,
        filter: &tool_connect_core::store::CredentialFilter,
        after: Option<&tool_connect_core::store::CredentialCursor>,
        limit: usize,
    ) -> Result<Vec<StoredCredential>> {
        self.check()?;
        self.inner.scan(filter, after, limit).await
    }
}
