//! Client configurations that tenants keep in the store, sealed.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tool_connect_core::store::{
    CredentialFilter, CredentialKey, CredentialKind, CredentialStore, StoredCredential,
};
use tool_connect_core::{Error, ErrorKind, Owner, Result, SecretAccess, TenantId, Vault, check_name};
use url::Url;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::JwtAlgorithm;
use super::client::{ClientAuth, ClientConfig, ClientSource};
use crate::vault::{credential_place, place_of};

/// Longest provider id and client name that are stored.
const MAX_NAME: usize = 64;
/// How many rows one step of a listing reads.
const PAGE: usize = 256;

/// Client configurations in a [`CredentialStore`], sealed by a [`Vault`]: each tenant has its own, several per provider.
///
/// The host's administration writes them; nobody but the vault and the one who uses it sees a secret again.
#[derive(Clone)]
pub struct StoredClients {
    store: Arc<dyn CredentialStore>,
    vault: Arc<dyn Vault>,
}

impl StoredClients {
    /// Clients in this store, sealed by this vault.
    #[must_use]
    pub fn new(store: Arc<dyn CredentialStore>, vault: Arc<dyn Vault>) -> Self {
        Self { store, vault }
    }

    /// Writes a tenant's client, in the place of the one of that provider and name where there is one.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] where the provider's id or the name is not as ids are (`[a-z][a-z0-9_]*`),
    /// [`ErrorKind::Conflict`] where somebody else writes it at the same time, and where the store or the vault fails.
    pub async fn put(
        &self,
        tenant: &TenantId,
        provider: &str,
        name: Option<&str>,
        client: &ClientConfig,
    ) -> Result<()> {
        let key = key(provider, name)?;
        let version = self.store.get(tenant, &key).await?.map_or(0, |old| old.version);
        let plain = Stored::write(client)?;
        let sealed = self.vault.seal(&credential_place(tenant, &Owner::Tenant, &key), &plain).await?;
        let key_id = self.vault.key_id(&sealed)?;
        let mut row = StoredCredential::new(tenant.clone(), key, Owner::Tenant, sealed, key_id);
        row.version = version;
        self.store.put(row).await.map(|_| ())
    }

    /// Removes a tenant's client; returns whether there was one. Connections that were made with it cannot be refreshed any
    /// more.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub async fn remove(&self, tenant: &TenantId, provider: &str, name: Option<&str>) -> Result<bool> {
        self.store.delete(tenant, &key(provider, name)?).await
    }

    /// Which clients a tenant has: provider and name, in order. Nothing is opened.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn list(&self, tenant: &TenantId) -> Result<Vec<(String, Option<String>)>> {
        let filter = CredentialFilter {
            tenant: Some(tenant.clone()),
            kind: Some(CredentialKind::Client),
            ..CredentialFilter::default()
        };
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let page = self.store.scan(&filter, after.as_ref(), PAGE).await?;
            found.extend(page.iter().map(|row| named(&row.key.id)));
            match page.last() {
                Some(last) if page.len() == PAGE => after = Some((last.tenant.clone(), last.key.clone())),
                _ => return Ok(found),
            }
        }
    }
}

#[async_trait]
impl ClientSource for StoredClients {
    async fn client(
        &self,
        tenant: &TenantId,
        provider: &str,
        name: Option<&str>,
    ) -> Result<Option<ClientConfig>> {
        // What cannot have been stored is not there.
        let Ok(key) = key(provider, name) else { return Ok(None) };
        let Some(row) = self.store.get(tenant, &key).await? else { return Ok(None) };
        let access = SecretAccess::system("clients", "client");
        let plain = self.vault.open(&place_of(&row), &row.sealed, &access).await?;
        Stored::read(plain.expose_secret(), &key).map(Some)
    }
}

impl fmt::Debug for StoredClients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoredClients")
    }
}

/// `slack` or `slack/work`; neither part may hold a slash.
fn key(provider: &str, name: Option<&str>) -> Result<CredentialKey> {
    check_name("the provider's id", provider, MAX_NAME)?;
    let id = match name {
        None => provider.to_owned(),
        Some(name) => {
            check_name("the client's name", name, MAX_NAME)?;
            format!("{provider}/{name}")
        }
    };
    Ok(CredentialKey::new(CredentialKind::Client, id))
}

fn named(id: &str) -> (String, Option<String>) {
    match id.split_once('/') {
        Some((provider, name)) => (provider.to_owned(), Some(name.to_owned())),
        None => (id.to_owned(), None),
    }
}

/// What is sealed, as JSON; wiped when it goes.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct Stored {
    id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    #[zeroize(skip)]
    auth: StoredAuth,
    /// The private key of `private_key_jwt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[zeroize(skip)]
    redirect_uri: Option<Url>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[zeroize(skip)]
    extra: BTreeMap<String, String>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum StoredAuth {
    #[default]
    None,
    Basic,
    Post,
    PrivateKeyJwt {
        alg: JwtAlgorithm,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kid: Option<String>,
    },
}

impl Stored {
    fn write(client: &ClientConfig) -> Result<Zeroizing<Vec<u8>>> {
        let mut stored = Self {
            id: client.id.clone(),
            secret: client.secret.as_ref().map(|secret| secret.expose_secret().to_owned()),
            redirect_uri: client.redirect_uri.clone(),
            extra: client.extra.clone(),
            auth: StoredAuth::None,
            key: None,
        };
        match &client.auth {
            ClientAuth::None => {}
            ClientAuth::Basic => stored.auth = StoredAuth::Basic,
            ClientAuth::Post => stored.auth = StoredAuth::Post,
            ClientAuth::PrivateKeyJwt { key, alg, kid } => {
                stored.key = Some(key.expose_secret().to_owned());
                stored.auth = StoredAuth::PrivateKeyJwt { alg: *alg, kid: kid.clone() };
            }
        }
        // One buffer that is large enough: a growing one would leave its older copies behind.
        let mut plain = Zeroizing::new(Vec::with_capacity(CAPACITY));
        serde_json::to_writer(&mut *plain, &stored).map_err(|error| {
            Error::new(ErrorKind::Internal, "a client cannot be written").caused_by(error)
        })?;
        Ok(plain)
    }

    fn read(plain: &[u8], key: &CredentialKey) -> Result<ClientConfig> {
        // The cause is not kept: it may repeat what was read.
        let broken = || {
            Error::new(
                ErrorKind::Vault,
                format!("the stored client `{}` was written in another form; store it again", key.id),
            )
        };
        let mut stored: Self = serde_json::from_slice(plain).map_err(|_| broken())?;
        let auth = match std::mem::take(&mut stored.auth) {
            StoredAuth::None => ClientAuth::None,
            StoredAuth::Basic => ClientAuth::Basic,
            StoredAuth::Post => ClientAuth::Post,
            StoredAuth::PrivateKeyJwt { alg, kid } => {
                let key = SecretString::from(stored.key.take().ok_or_else(broken)?);
                ClientAuth::PrivateKeyJwt { key, alg, kid }
            }
        };
        Ok(ClientConfig {
            id: std::mem::take(&mut stored.id),
            secret: stored.secret.take().map(SecretString::from),
            auth,
            redirect_uri: stored.redirect_uri.take(),
            extra: std::mem::take(&mut stored.extra),
        })
    }
}

/// More than any client needs: an RSA key of 4096 bits has 3.3 kB as text.
const CAPACITY: usize = 16 << 10;
