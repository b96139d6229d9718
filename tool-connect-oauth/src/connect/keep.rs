//! Storing what was brought: the secret sealed, then the connection that it works for.

use std::time::{Duration, SystemTime};

use tool_connect_core::store::{
    ConnectionFilter, CredentialKey, CredentialKind, LeaseGrant, StoredCredential,
};
use tool_connect_core::{
    Connection, ConnectionId, ConnectionStatus, Error, ErrorKind, Principal, Result, TenantId,
};

use super::engine::{Engine, revive};
use super::kept::Wanted;
use super::probe::Account;
use super::random;
use crate::catalog::Provider;
use crate::flow::{Secret, TokenSet};
use crate::vault::credential_place;

/// The name under which [`TokenSet::extra`] holds the provider's id in the catalog, for tasks that know a connection and not
/// its instance.
pub const PROVIDER: &str = "tool_connect/provider";
/// The name under which [`TokenSet::extra`] holds the grant by which new tokens are got without a refresh token:
/// `client_credentials`.
pub const GRANT: &str = "tool_connect/grant";

/// So often a write is tried again after somebody else's.
const ATTEMPTS: usize = 8;
/// So long one process at most keeps the others from storing accounts of an owner at an instance.
const LEASE: Duration = Duration::from_secs(30);
/// How long until it is looked again whether it is done.
const LOOK: Duration = Duration::from_millis(50);
/// How often it is looked.
const LOOKS: u32 = 100;

/// What a consent, or another grant, brought.
pub(super) struct Brought {
    pub(super) secret: Secret,
    pub(super) issuer: Option<String>,
    /// When it must be renewed, where it can be.
    pub(super) expires: Option<SystemTime>,
    pub(super) scopes: Option<Vec<String>>,
    pub(super) account: Account,
}

impl Brought {
    /// Tokens of a provider; those that it names no scopes for got all that were asked for (RFC 6749 §5.1).
    pub(super) fn tokens(
        provider: &Provider,
        mut tokens: TokenSet,
        asked: &[String],
        account: Account,
    ) -> Self {
        tokens.extra.insert(PROVIDER.to_owned(), provider.entry.id.clone());
        let scopes = tokens.scopes.clone().unwrap_or_else(|| asked.to_vec());
        let issuer = tokens.issuer.clone().or_else(|| Some(issuer_of(provider)));
        let renewable = tokens.refresh_token.is_some() || tokens.extra.contains_key(GRANT);
        Self {
            expires: tokens.expires_at.filter(|_| renewable),
            secret: Secret::Tokens(tokens),
            issuer,
            scopes: Some(scopes),
            account,
        }
    }
}

/// Who issues a provider's tokens: where it has no name for itself, the origin of its token endpoint.
pub(super) fn issuer_of(provider: &Provider) -> String {
    let origin = || provider.endpoints.token.origin().ascii_serialization();
    provider.issuer.clone().unwrap_or_else(origin)
}

/// The name of a connection's secret.
pub(super) fn key_of(connection: &ConnectionId) -> CredentialKey {
    CredentialKey::new(CredentialKind::Connection, connection.as_str())
}

impl Engine {
    /// Stores what was brought: into the connection that was meant, into one of the same account, or into a new one.
    pub(super) async fn keep(
        &self,
        principal: &Principal,
        wanted: &Wanted,
        brought: Brought,
    ) -> Result<Connection> {
        // Two consents of one account at once must find each other.
        let owner = serde_json::to_string(&wanted.owner).unwrap_or_default();
        let name = format!("connect/{}/{}", wanted.instance, random::hash("owner", &owner));
        let fence = self.wait_for(&principal.tenant, &name).await?;
        let kept = self.keep_alone(principal, wanted, brought).await;
        if let Some(fence) = fence {
            // Where this fails the lease ends by itself.
            let _ = self.stores.leases.release(&principal.tenant, &name, fence).await;
        }
        kept.inspect(|connection| self.announce(connection))
    }

    /// Waits for whoever stores at the same place; not for ever: then two connections of one account are the lesser evil.
    async fn wait_for(&self, tenant: &TenantId, name: &str) -> Result<Option<u64>> {
        for _ in 0..LOOKS {
            match self.stores.leases.acquire(tenant, name, LEASE).await? {
                LeaseGrant::Granted { fence } => return Ok(Some(fence)),
                _ => tokio::time::sleep(LOOK).await,
            }
        }
        Ok(None)
    }

    async fn keep_alone(
        &self,
        principal: &Principal,
        wanted: &Wanted,
        brought: Brought,
    ) -> Result<Connection> {
        let connection = match &wanted.connection {
            Some(id) => {
                let connection = self.own_connection(principal, id).await?;
                self.check_same(&connection, &brought).await?;
                connection
            }
            None => self.place_for(principal, wanted, &brought).await?,
        };
        let id = connection.id.clone();
        self.put_secret(&connection, &brought).await?;
        let Brought { scopes, account, .. } = brought;
        self.change(&principal.tenant, &id, |connection| {
            revive(connection);
            connection.scopes.clone_from(&scopes);
            if account.id.is_some() {
                connection.account.clone_from(&account.id);
            }
            if account.label.is_some() {
                connection.label.clone_from(&account.label);
            }
        })
        .await
    }

    /// A connection stays with its account and its issuer: what other calls rely on must not become somebody else's.
    async fn check_same(&self, connection: &Connection, brought: &Brought) -> Result<()> {
        if let (Some(old), Some(new)) = (&connection.account, &brought.account.id)
            && old != new
        {
            let message = "another account consented than the one that is connected";
            return Err(Error::new(ErrorKind::Conflict, message).with("connection", &connection.id).public(
                "You are logged in there with another account than the one that was connected. Log in with that one and \
                 begin again, or connect the other one as a new account.",
            ));
        }
        let stored = self.stores.credentials.get(&connection.tenant, &key_of(&connection.id)).await?;
        let issuer = stored.and_then(|stored| stored.issuer);
        if let (Some(old), Some(new)) = (&issuer, &brought.issuer)
            && old != new
        {
            let message =
                "the connection's secret is another issuer's; disconnect it and connect the account anew";
            return Err(Error::new(ErrorKind::Conflict, message).with("connection", &connection.id));
        }
        Ok(())
    }

    /// The owner's connection of the same account, or a new one that is not finished yet.
    async fn place_for(
        &self,
        principal: &Principal,
        wanted: &Wanted,
        brought: &Brought,
    ) -> Result<Connection> {
        let filter = ConnectionFilter {
            owner: Some(wanted.owner.clone()),
            instance: Some(wanted.instance.clone()),
            status: None,
        };
        let others = self.stores.connections.list(&principal.tenant, &filter).await?;
        for other in &others {
            let same_account = brought.account.id.is_some() && other.account == brought.account.id;
            if same_account && other.config == wanted.config && other.client == wanted.client {
                let stored = self.stores.credentials.get(&other.tenant, &key_of(&other.id)).await?;
                if stored.is_none_or(|stored| stored.issuer == brought.issuer) {
                    return Ok(other.clone());
                }
            }
        }
        let id = ConnectionId::new(random::id("con_")?)?;
        let (owner, instance) = (wanted.owner.clone(), wanted.instance.clone());
        let mut new = Connection::new(id, principal.tenant.clone(), owner, instance);
        new.status = ConnectionStatus::Pending;
        new.client.clone_from(&wanted.client);
        new.config.clone_from(&wanted.config);
        new.is_default = !others.iter().any(|other| other.status.usable());
        self.stores.connections.put(new).await
    }

    /// Writes the secret over whatever is stored; a refresh that runs meanwhile finds its version gone.
    async fn put_secret(&self, connection: &Connection, brought: &Brought) -> Result<()> {
        let key = key_of(&connection.id);
        let place = credential_place(&connection.tenant, &connection.owner, &key);
        let sealed = self.vault.seal(&place, &brought.secret.to_bytes()?).await?;
        let key_id = self.vault.key_id(&sealed)?;
        let (tenant, owner) = (connection.tenant.clone(), connection.owner.clone());
        let mut new = StoredCredential::new(tenant, key, owner, sealed, key_id);
        new.issuer.clone_from(&brought.issuer);
        new.expires = brought.expires;
        let mut left = ATTEMPTS;
        loop {
            let stored = self.stores.credentials.get(&new.tenant, &new.key).await?;
            new.version = stored.map_or(0, |stored| stored.version);
            match self.stores.credentials.put(new.clone()).await {
                Err(error) if error.kind() == ErrorKind::Conflict && left > 0 => left -= 1,
                other => return other.map(drop),
            }
        }
    }

    /// Changes a connection, over others' changes.
    pub(super) async fn change(
        &self,
        tenant: &TenantId,
        id: &ConnectionId,
        change: impl Fn(&mut Connection),
    ) -> Result<Connection> {
        let mut left = ATTEMPTS;
        loop {
            let stored = self.stores.connections.get(tenant, id).await?;
            let mut connection = stored.ok_or_else(|| {
                Error::new(ErrorKind::NotFound, "the connection was removed meanwhile").with("connection", id)
            })?;
            change(&mut connection);
            match self.stores.connections.put(connection).await {
                Err(error) if error.kind() == ErrorKind::Conflict && left > 0 => left -= 1,
                other => return other,
            }
        }
    }
}
