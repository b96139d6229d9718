//! Accounts without a consent: a secret that somebody has, the host's own client, a service account.

use std::collections::BTreeMap;
use std::sync::Arc;

use tool_connect_core::{
    ConnectRequest, Connection, ConnectionId, Credential, Error, ErrorKind, InstanceId, OAuthGrant, Owner,
    Principal, Result,
};

use super::engine::{Engine, resources};
use super::keep::{Brought, GRANT, PROVIDER, issuer_of};
use super::kept::Wanted;
use super::probe::Account;
use crate::flow::{Secret, ServiceAccount, Wanted as Tokens};

/// A secret that is there already, and what it is for: an API key, a password, a personal token.
///
/// ```
/// use tool_connect_core::{Credential, InstanceId};
/// use tool_connect_oauth::connect::NewSecret;
///
/// let secret = NewSecret::new(InstanceId::new("weather")?, Credential::token("k-123")).label("production key");
/// assert!(!format!("{secret:?}").contains("k-123"));
/// # Ok::<(), tool_connect_core::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewSecret {
    /// The connector instance.
    pub instance: InstanceId,
    /// The secret.
    pub credential: Credential,
    /// Who shall own the connection; the user where unset.
    pub owner: Option<Owner>,
    /// A connection whose secret is replaced: it keeps its id and configuration.
    pub connection: Option<ConnectionId>,
    /// What people know the account by.
    pub label: Option<String>,
    /// The account's id, where the host knows it: of one account there is one connection.
    pub account: Option<String>,
    /// What the service's addresses need.
    pub config: BTreeMap<String, String>,
}

impl NewSecret {
    /// A secret for an instance.
    #[must_use]
    pub fn new(instance: InstanceId, credential: Credential) -> Self {
        let (owner, connection, label, account) = (None, None, None, None);
        Self { instance, credential, owner, connection, label, account, config: BTreeMap::new() }
    }

    /// Sets who shall own the connection.
    #[must_use]
    pub fn owner(mut self, owner: Owner) -> Self {
        self.owner = Some(owner);
        self
    }

    /// Replaces the secret of a connection that is there.
    #[must_use]
    pub fn replacing(mut self, connection: ConnectionId) -> Self {
        self.connection = Some(connection);
        self
    }

    /// Sets what people know the account by.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Sets the account's id.
    #[must_use]
    pub fn account(mut self, account: impl Into<String>) -> Self {
        self.account = Some(account.into());
        self
    }

    /// Sets a value that the service's addresses need.
    #[must_use]
    pub fn config(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.config.insert(name.into(), value.into());
        self
    }
}

impl Engine {
    pub(super) async fn connect_with_secret(
        &self,
        principal: &Principal,
        new: NewSecret,
    ) -> Result<Connection> {
        a_person(principal)?;
        let mut wanted = Wanted {
            instance: new.instance,
            provider: String::new(),
            owner: new.owner.clone().unwrap_or_else(|| Owner::User(principal.user.clone())),
            connection: new.connection,
            scopes: Vec::new(),
            needed: Vec::new(),
            client: None,
            config: new.config,
            return_to: None,
        };
        match &wanted.connection {
            Some(id) => {
                let connection = self.own_connection(principal, id).await?;
                wanted.adopt(&connection, new.owner.as_ref())?;
            }
            None => self.may_own(principal, &wanted.owner).await?,
        }
        let brought = Brought {
            secret: Secret::Static(new.credential),
            issuer: None,
            expires: None,
            scopes: None,
            account: Account { id: new.account, label: new.label },
        };
        self.keep(principal, &wanted, brought).await
    }

    pub(super) async fn connect_as_client(
        self: &Arc<Self>,
        principal: &Principal,
        request: ConnectRequest,
    ) -> Result<Connection> {
        a_person(principal)?;
        let wanted = self.wanted(principal, request, OAuthGrant::ClientCredentials).await?;
        let (provider, client) = self.side(&principal.tenant, &wanted).await?;
        let scopes = provider.scopes_to_request(wanted.scopes.iter().map(String::as_str));
        let resource = resources(&wanted)?;
        let ask = Tokens { scopes: &scopes, resource: &resource, dpop_key: None };
        let mut tokens = self.token_client(&provider, &client).client_credentials(ask).await?;
        tokens.extra.insert(GRANT.to_owned(), "client_credentials".to_owned());
        let account = Account { id: Some(client.id.clone()), label: Some(client.id.clone()) };
        self.keep(principal, &wanted, Brought::tokens(&provider, tokens, &scopes, account)).await
    }

    pub(super) async fn connect_service_account(
        self: &Arc<Self>,
        principal: &Principal,
        request: ConnectRequest,
        service: ServiceAccount,
    ) -> Result<Connection> {
        a_person(principal)?;
        let wanted = self.wanted(principal, request, OAuthGrant::JwtBearer).await?;
        let (provider, client) = self.side(&principal.tenant, &wanted).await?;
        let scopes = provider.scopes_to_request(wanted.scopes.iter().map(String::as_str));
        let resource = resources(&wanted)?;
        let ask = Tokens { scopes: &scopes, resource: &resource, dpop_key: None };
        // A key that does not work shows now, not at the first call.
        let mut tokens = self.token_client(&provider, &client).jwt_bearer(&service, ask).await?;
        tokens.extra.insert(PROVIDER.to_owned(), provider.entry.id.clone());
        let whose = service.subject.clone().unwrap_or_else(|| service.issuer.clone());
        let brought = Brought {
            issuer: tokens.issuer.clone().or_else(|| Some(issuer_of(&provider))),
            expires: tokens.expires_at,
            scopes: Some(tokens.scopes.clone().unwrap_or(scopes)),
            account: Account { id: Some(whose.clone()), label: Some(whose) },
            secret: Secret::ServiceAccount { account: service, tokens: Some(tokens) },
        };
        self.keep(principal, &wanted, brought).await
    }
}

pub(super) fn a_person(principal: &Principal) -> Result<()> {
    if principal.agent.is_none() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Denied, "an agent cannot connect an account; a person must"))
}
