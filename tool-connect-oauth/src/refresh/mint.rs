//! Tokens that cost nothing but a request: for the client itself, for a service account, for a secret that is exchanged. And
//! what is told when a token is refused.

use std::sync::Arc;
use std::time::Duration;

use tool_connect_core::{
    AuthScheme, Connection, Credential, CredentialVersion, Error, ErrorKind, Result, TokenExchange,
};

use super::access::Access;
use super::manager::Shared;
use super::plan::{Grant, resources};
use super::record::Loaded;
use super::renew::{Job, Turn};
use crate::catalog::Provider;
use crate::flow::{Secret, TokenClient, Wanted};
use crate::scheme;

/// How often a record is tried to be written against others.
const TRIES: usize = 8;

impl Shared {
    /// Asks for a token that nothing is spent for, and shares it through the store.
    pub(super) async fn mint(
        &self,
        job: &mut Job,
        loaded: Option<Loaded>,
        grant: Grant,
        provider: &Provider,
    ) -> Result<Turn> {
        let client = self.client(&job.connection, provider).await?;
        let resources = resources(&job.connection)?;
        let scopes = match &job.scheme {
            AuthScheme::OAuth2(oauth) => {
                let granted = job.connection.scopes.as_ref();
                granted.filter(|scopes| !scopes.is_empty()).unwrap_or(&oauth.scopes).clone()
            }
            _ => Vec::new(),
        };
        let wanted = Wanted { scopes: &scopes, resource: &resources, ..Wanted::default() };
        let ask = TokenClient::new(&self.http, provider, &client, &*self.clock);
        job.asked = true;
        let (tokens, secret) = match grant {
            Grant::Account(account) => {
                let tokens = ask.jwt_bearer(&account, wanted).await?;
                let secret = Secret::ServiceAccount { account: *account, tokens: Some(tokens.clone()) };
                (tokens, secret)
            }
            _ => {
                let tokens = ask.client_credentials(wanted).await?;
                let secret = Secret::Tokens(tokens.clone());
                (tokens, secret)
            }
        };
        let record = loaded.map(|loaded| loaded.record);
        let record = self.resealed(&job.connection, record, &secret, tokens.expires_at).await?;
        match self.put(record).await? {
            Some(_) => self.done(job, &tokens, provider).map(Turn::Done),
            // Others have a token too, or a new key came: theirs is looked at.
            None => Ok(Turn::Again),
        }
    }

    /// Exchanges the secret for a token, which stays in memory.
    pub(super) async fn exchange(
        &self,
        job: &mut Job,
        exchange: &TokenExchange,
        credential: &Credential,
    ) -> Result<Arc<Access>> {
        self.still_connected(&job.connection).await?;
        job.asked = true;
        let config = &job.connection.config;
        let tokens = scheme::exchange(&self.http, exchange, credential, config, &*self.clock).await?;
        let mut access = self.usable(job, &tokens, None, true)?;
        access.minted = Some(self.clock.monotonic());
        Ok(Arc::new(access))
    }

    pub(super) async fn refused(
        self: &Arc<Self>,
        connection: &Connection,
        version: CredentialVersion,
    ) -> Result<bool> {
        let slot = self.slot(connection);
        let Some(access) = slot.current.load_full() else {
            // Being renewed, or not remembered any more.
            slot.note_refused(version);
            return Ok(true);
        };
        if access.version() != version {
            return Ok(true);
        }
        let age =
            access.minted.map(|minted| Duration::from_nanos(self.clock.monotonic().saturating_sub(minted)));
        let new = age.is_some_and(|age| age < self.settings.refused_pause);
        if access.renewable && !new {
            slot.refuse(version);
            return Ok(true);
        }
        // There is no other, or this one is quite new: unless somebody else has stored another one.
        let stored = self.load(connection, None, "call").await?;
        let stored = stored.as_ref().and_then(|loaded| self.version_of(&loaded.secret));
        let changed = stored.is_some_and(|stored| stored != version) && !access.is_exchanged();
        if changed {
            slot.refuse(version);
        }
        Ok(changed)
    }

    pub(super) async fn save(&self, connection: &Connection, secret: &Secret) -> Result<()> {
        let expires = match secret {
            Secret::Tokens(tokens) => tokens.refresh_token.as_ref().and(tokens.expires_at),
            secret => secret.tokens().and_then(|tokens| tokens.expires_at),
        };
        for _ in 0..TRIES {
            let mut record = self.record(connection).await?;
            if let Some(record) = &mut record {
                // Reconnected, it may belong to somebody else than before.
                record.owner = connection.owner.clone();
                record.issuer = None;
            }
            let record = self.resealed(connection, record, secret, expires).await?;
            if self.put(record).await?.is_some() {
                self.slot(connection).current.store(None);
                return Ok(());
            }
        }
        Err(Error::new(
            ErrorKind::Conflict,
            format!("the secret of connection `{}` is being written by others all the time", connection.id),
        ))
    }
}
