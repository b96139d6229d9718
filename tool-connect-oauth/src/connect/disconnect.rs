//! The end of a connection: its secret is destroyed here and given back at the provider.

use std::collections::BTreeMap;
use std::time::Duration;

use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use tool_connect_core::store::{CredentialFilter, CredentialKey, CredentialKind, StoredCredential};
use tool_connect_core::{
    Connection, ConnectionId, ConnectionStatus, Error, ErrorKind, Owner, Principal, Result, Retry,
    SecretAccess, TenantId,
};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::engine::Engine;
use super::keep::{PROVIDER, key_of};
use super::random;
use crate::catalog::Provider;
use crate::flow::{Secret, TokenSet};
use crate::vault::{credential_place, place_of};

/// What a revocation that is still to be made is named by.
const PREFIX: &str = "revoke:";
/// For how long nobody else tries one that is being made.
const CLAIM: Duration = Duration::from_secs(120);
/// How long until the next attempt; after the last one it is given up, as the tokens will have ended by themselves.
const WAITS: [Duration; 8] = [
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(15 * 60),
    Duration::from_secs(3600),
    Duration::from_secs(4 * 3600),
    Duration::from_secs(12 * 3600),
    Duration::from_secs(24 * 3600),
    Duration::from_secs(48 * 3600),
];
/// How many are looked at at a time.
const PAGE: usize = 64;

/// A revocation that is to be made, as it is sealed.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct ToRevoke {
    provider: String,
    client: Option<String>,
    #[zeroize(skip)]
    config: BTreeMap<String, String>,
    tokens: String,
    attempts: usize,
}

impl Engine {
    pub(super) async fn disconnect(&self, principal: &Principal, id: &ConnectionId) -> Result<()> {
        if principal.agent.is_some() {
            return Err(Error::new(ErrorKind::Denied, "an agent cannot end a connection; a person must"));
        }
        self.own_connection(principal, id).await?;
        // First of all no call uses it any more; and whatever happens next, it stays so.
        let connection = self
            .change(&principal.tenant, id, |connection| {
                connection.status = ConnectionStatus::Revoked;
                connection.reason = None;
                connection.is_default = false;
            })
            .await?;
        self.announce(&connection);
        let Some(stored) = self.stores.credentials.get(&principal.tenant, &key_of(id)).await? else {
            return Ok(());
        };
        let to_revoke = match self.tokens_of(principal, &stored).await {
            Ok(tokens) => tokens,
            Err(error) if error.kind() == ErrorKind::Vault => {
                // What cannot be opened cannot be given back either; it can still be destroyed.
                tracing::warn!(target: "tool_connect", %error, connection = %id, "tokens were not given back");
                None
            }
            Err(error) => return Err(error),
        };
        // Noted before the secret goes: a crash in between must not leave the tokens alive at the provider.
        let noted = match to_revoke {
            Some(tokens) => Some(self.note(&connection, tokens).await?),
            None => None,
        };
        self.stores.credentials.delete(&principal.tenant, &stored.key).await?;
        if let Some(noted) = noted {
            self.attempt(noted).await?;
        }
        Ok(())
    }

    /// Opens the secret; `None` where there is nothing to give back.
    async fn tokens_of(&self, principal: &Principal, stored: &StoredCredential) -> Result<Option<TokenSet>> {
        let access = SecretAccess::by(principal, "revoke");
        let plain = self.vault.open(&place_of(stored), &stored.sealed, &access).await?;
        let secret = Secret::from_bytes(plain.expose_secret())?;
        Ok(secret.tokens().filter(|tokens| tokens.extra.contains_key(PROVIDER)).cloned())
    }

    async fn note(&self, connection: &Connection, tokens: TokenSet) -> Result<StoredCredential> {
        let bytes = tokens.to_bytes();
        let text = std::str::from_utf8(&bytes).map_err(|_| {
            Error::new(ErrorKind::Internal, "tokens were written as something else than text")
        })?;
        let to_revoke = ToRevoke {
            provider: tokens.extra.get(PROVIDER).cloned().unwrap_or_default(),
            client: connection.client.clone(),
            config: connection.config.clone(),
            tokens: text.to_owned(),
            attempts: 0,
        };
        let key = CredentialKey::new(CredentialKind::Other, random::id(PREFIX)?);
        let (sealed, key_id) = self.seal_for(&connection.tenant, &connection.owner, &key, &to_revoke).await?;
        let (tenant, owner) = (connection.tenant.clone(), connection.owner.clone());
        let mut row = StoredCredential::new(tenant, key, owner, sealed, key_id);
        row.expires = Some(self.after(CLAIM));
        self.stores.credentials.put(row).await
    }

    async fn seal_for(
        &self,
        tenant: &TenantId,
        owner: &Owner,
        key: &CredentialKey,
        what: &ToRevoke,
    ) -> Result<(Vec<u8>, String)> {
        let mut plain = Zeroizing::new(Vec::with_capacity(what.tokens.len() * 2 + 1024));
        serde_json::to_writer(&mut *plain, what)
            .map_err(|e| Error::new(ErrorKind::Internal, "a revocation cannot be written").caused_by(e))?;
        let sealed = self.vault.seal(&credential_place(tenant, owner, key), &plain).await?;
        let key_id = self.vault.key_id(&sealed)?;
        Ok((sealed, key_id))
    }

    /// Makes the revocations that are due; returns how many are done with.
    pub(super) async fn revoke_due(&self) -> Result<u64> {
        let filter = CredentialFilter {
            kind: Some(CredentialKind::Other),
            expires_before: Some(self.clock.now()),
            ..CredentialFilter::default()
        };
        let (mut done, mut after) = (0, None);
        loop {
            let page = self.stores.credentials.scan(&filter, after.as_ref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(done) };
            after = Some((last.tenant.clone(), last.key.clone()));
            for mut row in page {
                if !row.key.id.starts_with(PREFIX) {
                    continue;
                }
                row.expires = Some(self.after(CLAIM));
                match self.stores.credentials.put(row).await {
                    Ok(row) => done += u64::from(self.attempt(row).await?),
                    // Another process makes it.
                    Err(error) if error.kind() == ErrorKind::Conflict => {}
                    Err(error) => return Err(error),
                }
            }
        }
    }

    /// Makes a revocation; true where it is done with: made, or given up.
    async fn attempt(&self, row: StoredCredential) -> Result<bool> {
        let access = SecretAccess::system("revocations", "revoke");
        let plain = match self.vault.open(&place_of(&row), &row.sealed, &access).await {
            Ok(plain) => plain,
            // Erased with its subject, or damaged: there is nothing left to give back.
            Err(error) if error.kind() == ErrorKind::Vault => return self.forget(&row).await,
            Err(error) => return Err(error),
        };
        let Ok(mut to_revoke) = serde_json::from_slice::<ToRevoke>(plain.expose_secret()) else {
            return self.forget(&row).await;
        };
        let Err(error) = self.revoke(&row, &to_revoke).await else { return self.forget(&row).await };
        let wait = WAITS.get(to_revoke.attempts).filter(|_| error.retry_advice() != Retry::Never);
        let Some(wait) = wait else {
            tracing::warn!(target: "tool_connect", %error, provider = %to_revoke.provider, "tokens were not given back");
            return self.forget(&row).await;
        };
        tracing::info!(target: "tool_connect", %error, provider = %to_revoke.provider, "tokens are given back later");
        to_revoke.attempts += 1;
        let (sealed, key_id) = self.seal_for(&row.tenant, &row.owner, &row.key, &to_revoke).await?;
        let at_least = match error.retry_advice() {
            Retry::After(asked) => asked.max(*wait),
            _ => *wait,
        };
        let mut row = row;
        (row.sealed, row.key_id, row.expires) = (sealed, key_id, Some(self.after(at_least)));
        match self.stores.credentials.put(row).await {
            Err(error) if error.kind() != ErrorKind::Conflict => Err(error),
            _ => Ok(false),
        }
    }

    async fn revoke(&self, row: &StoredCredential, to_revoke: &ToRevoke) -> Result<()> {
        let tokens = TokenSet::from_bytes(to_revoke.tokens.as_bytes())?;
        let provider: Provider = self.catalog.resolve(&to_revoke.provider, &to_revoke.config)?;
        let client =
            self.clients.client(&row.tenant, &to_revoke.provider, to_revoke.client.as_deref()).await?;
        let client = client.ok_or_else(|| {
            Error::new(ErrorKind::Config, "the client that the tokens belong to is not configured any more")
        })?;
        self.token_client(&provider, &client).revoke(&tokens).await.map(drop)
    }

    async fn forget(&self, row: &StoredCredential) -> Result<bool> {
        self.stores.credentials.delete(&row.tenant, &row.key).await?;
        Ok(true)
    }
}
