//! Registrations kept: sealed, one for each issuer and owner.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tool_connect_core::store::{CredentialKey, CredentialKind, CredentialStore, StoredCredential};
use tool_connect_core::{
    Clock, Error, ErrorKind, Owner, Result, SecretAccess, TenantId, Vault, from_unix_millis, unix_millis,
};
use url::Url;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::registration::{ClientMetadata, Registration, register, unregister};
use super::server::ServerMetadata;
use crate::catalog::{ClientAuth, ClientConfig};
use crate::flow::OAuthHttp;
use crate::vault::credential_place;

/// A secret that ends so soon is renewed first: a consent in between should not fail.
const MARGIN: Duration = Duration::from_secs(15 * 60);

/// Clients that were registered at authorization servers by themselves.
///
/// Each belongs to one issuer and one owner of one tenant, and nobody else ever gets it: what one owner's client may do,
/// another's must not. The secret and the token that manages the registration are sealed for the owner, so that erasing the
/// owner makes them unreadable.
#[derive(Clone)]
pub struct Registrations {
    http: OAuthHttp,
    store: Arc<dyn CredentialStore>,
    vault: Arc<dyn Vault>,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for Registrations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Registrations")
    }
}

impl Registrations {
    /// Registrations in a store, sealed by a vault.
    #[must_use]
    pub fn new(
        http: OAuthHttp,
        store: Arc<dyn CredentialStore>,
        vault: Arc<dyn Vault>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { http, store, vault, clock }
    }

    /// The owner's registration at a server; `None` where there is none. One whose secret has ended is returned too:
    /// [`obtain`](Self::obtain) replaces it.
    ///
    /// # Errors
    /// Where store or vault fail.
    pub async fn find(&self, tenant: &TenantId, owner: &Owner, issuer: &str) -> Result<Option<Registration>> {
        Ok(self.read(tenant, owner, issuer).await?.map(|(registration, _)| registration))
    }

    /// The owner's registration at a server, made now where there is none, where its secret ends within a quarter of an
    /// hour, or where it was made for other redirect URIs.
    ///
    /// `initial` is the token that some servers want for that (RFC 7591 §3). Where two ask at once, one registration is kept
    /// and the other given up.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] where the server registers no clients, or none like this; [`ErrorKind::Provider`] where it
    /// refuses or its answer is malformed; where store, vault or transport fail.
    pub async fn obtain(
        &self,
        tenant: &TenantId,
        owner: &Owner,
        server: &ServerMetadata,
        metadata: &ClientMetadata,
        initial: Option<&SecretString>,
    ) -> Result<Registration> {
        let old = self.read(tenant, owner, &server.issuer).await?;
        let version = match old {
            Some((known, _))
                if !known.ends_within(MARGIN, &*self.clock)
                    && known.redirect_uris == metadata.redirect_uris =>
            {
                return Ok(known);
            }
            Some((_, version)) => version,
            None => 0,
        };
        let new = register(&self.http, server, metadata, initial).await?;
        match self.write(tenant, owner, &new, version).await {
            Ok(()) => Ok(new),
            Err(error) if error.kind() == ErrorKind::Conflict => {
                // Somebody else was faster: theirs counts. What we made is of no use to anybody.
                if let Err(error) = unregister(&self.http, &new).await {
                    tracing::debug!(target: "tool_connect::oauth", issuer = %new.issuer, %error, "a superfluous client stays registered");
                }
                self.find(tenant, owner, &server.issuer).await?.ok_or(error)
            }
            Err(error) => Err(error),
        }
    }

    /// Forgets the owner's registration at a server, and gives it up there (RFC 7592 §2.3); returns whether there was one.
    /// Connections that were made with it cannot be refreshed any more.
    ///
    /// # Errors
    /// Where store or vault fail. A server that does not answer is no error: the registration is forgotten here.
    pub async fn forget(&self, tenant: &TenantId, owner: &Owner, issuer: &str) -> Result<bool> {
        if let Some((registration, _)) = self.read(tenant, owner, issuer).await?
            && let Err(error) = unregister(&self.http, &registration).await
        {
            tracing::warn!(target: "tool_connect::oauth", issuer, %error, "a forgotten client stays registered");
        }
        self.store.delete(tenant, &key(owner, issuer)?).await
    }

    async fn read(
        &self,
        tenant: &TenantId,
        owner: &Owner,
        issuer: &str,
    ) -> Result<Option<(Registration, u64)>> {
        let key = key(owner, issuer)?;
        let Some(row) = self.store.get(tenant, &key).await? else { return Ok(None) };
        // The name is a hash of both; a row that says otherwise was changed by hand.
        if row.owner != *owner || row.issuer.as_deref() != Some(issuer) {
            return Err(Error::new(
                ErrorKind::Vault,
                format!(
                    "the stored client registration `{}` belongs to another owner or issuer; remove it",
                    row.key
                ),
            ));
        }
        let access = SecretAccess::system("registrations", "client");
        let plain = self.vault.open(&credential_place(tenant, owner, &key), &row.sealed, &access).await?;
        let registration = Stored::read(plain.expose_secret(), issuer, &key)?;
        Ok(Some((registration, row.version)))
    }

    async fn write(&self, tenant: &TenantId, owner: &Owner, new: &Registration, version: u64) -> Result<()> {
        let key = key(owner, &new.issuer)?;
        let plain = Stored::write(new)?;
        let sealed = self.vault.seal(&credential_place(tenant, owner, &key), &plain).await?;
        let key_id = self.vault.key_id(&sealed)?;
        let mut row = StoredCredential::new(tenant.clone(), key, owner.clone(), sealed, key_id);
        row.issuer = Some(new.issuer.clone());
        row.version = version;
        self.store.put(row).await.map(|_| ())
    }
}

/// One name for an owner and an issuer, of bounded length, whatever they hold.
fn key(owner: &Owner, issuer: &str) -> Result<CredentialKey> {
    let named = serde_json::to_vec(&(owner, issuer))
        .map_err(|_| Error::new(ErrorKind::Internal, "a registration's owner cannot be written"))?;
    let hash = digest::digest(&digest::SHA256, &named);
    Ok(CredentialKey::new(CredentialKind::Registration, URL_SAFE_NO_PAD.encode(hash)))
}

/// What is sealed, as JSON; wiped when it goes.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct Stored {
    id: String,
    secret: Option<String>,
    post: bool,
    secret_expires: Option<u64>,
    #[zeroize(skip)]
    management: Option<Url>,
    management_token: Option<String>,
    #[zeroize(skip)]
    redirect_uris: Vec<Url>,
}

impl Stored {
    fn write(registration: &Registration) -> Result<Zeroizing<Vec<u8>>> {
        let client = &registration.client;
        let stored = Self {
            id: client.id.clone(),
            secret: client.secret.as_ref().map(|secret| secret.expose_secret().to_owned()),
            post: matches!(client.auth, ClientAuth::Post),
            secret_expires: registration.secret_expires.map(unix_millis),
            management: registration.management.as_ref().map(|(address, _)| address.clone()),
            management_token: registration
                .management
                .as_ref()
                .map(|(_, token)| token.expose_secret().to_owned()),
            redirect_uris: registration.redirect_uris.clone(),
        };
        // One buffer that is large enough: a growing one would leave its older copies behind.
        let mut plain = Zeroizing::new(Vec::with_capacity(32 << 10));
        serde_json::to_writer(&mut *plain, &stored)
            .map_err(|_| Error::new(ErrorKind::Internal, "a registration cannot be written"))?;
        Ok(plain)
    }

    fn read(plain: &[u8], issuer: &str, key: &CredentialKey) -> Result<Registration> {
        // The cause is not kept: it may repeat what was read.
        let mut stored: Self = serde_json::from_slice(plain).map_err(|_| {
            Error::new(
                ErrorKind::Vault,
                format!("the stored client registration `{key}` was written in another form; remove it"),
            )
        })?;
        let id = std::mem::take(&mut stored.id);
        let mut client = match stored.secret.take() {
            Some(secret) => {
                let auth = if stored.post { ClientAuth::Post } else { ClientAuth::Basic };
                ClientConfig::confidential(id, secret).auth(auth)
            }
            None => ClientConfig::public(id),
        };
        client.redirect_uri = stored.redirect_uris.first().cloned();
        Ok(Registration {
            issuer: issuer.to_owned(),
            client,
            secret_expires: stored.secret_expires.map(from_unix_millis),
            management: stored.management.take().zip(stored.management_token.take().map(SecretString::from)),
            redirect_uris: std::mem::take(&mut stored.redirect_uris),
        })
    }
}
