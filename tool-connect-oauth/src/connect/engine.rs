//! What tickets, endpoints and grants share: the parts that the builder put together, and the checks that every way to an
//! account passes.

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tool_connect_core::store::Stores;
use tool_connect_core::{
    AuthScheme, Clock, ConnectRequest, Connection, ConnectionId, ConnectionStatus, Error, ErrorKind, Event,
    EventKind, EventSinks, InstanceId, OAuth2Scheme, OAuthGrant, Owner, Principal, Result, TenantId, Vault,
};
use url::Url;

use super::cookie::Cookies;
use super::host::{HostSession, OwnerRule};
use super::kept::Wanted;
use crate::catalog::{Catalog, ClientConfig, ClientSource, Provider};
use crate::flow::{OAuthHttp, TokenClient};
use crate::refresh::{RESOURCE, TokenManager};

/// What makes a consent safe, each by a name: unit tests switch one off to see that the attack matrix notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Defence {
    /// The one who is logged in is the one who asked.
    SamePrincipal,
    /// The browser that comes back is the one that went.
    Binding,
    /// A state is used once.
    SingleUse,
    /// The answer comes to the address of the provider that was asked.
    Context,
    /// The answer names the issuer that was asked.
    Issuer,
}

/// Who is told when connections of a tenant changed.
#[derive(Clone, Default)]
pub(super) struct Listeners(Arc<Mutex<Vec<Listener>>>);

type Listener = Arc<dyn Fn(&TenantId) + Send + Sync>;

impl Listeners {
    pub(super) fn add(&self, listener: Listener) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(listener);
    }

    pub(super) fn tell(&self, tenant: &TenantId) {
        // Cloned, so that a listener may come back here.
        let listeners = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        listeners.iter().for_each(|changed| changed(tenant));
    }
}

pub(crate) struct Engine {
    pub(super) stores: Stores,
    pub(super) vault: Arc<dyn Vault>,
    pub(super) catalog: Arc<Catalog>,
    pub(super) clients: Arc<dyn ClientSource>,
    pub(super) http: OAuthHttp,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) events: EventSinks,
    pub(super) session: Arc<dyn HostSession>,
    pub(super) owners: Arc<dyn OwnerRule>,
    /// Without a slash at its end.
    pub(super) public_url: Url,
    pub(super) cookies: Cookies,
    pub(super) return_to: BTreeSet<String>,
    /// Providers that promise `iss` in each answer.
    pub(super) iss_required: BTreeSet<String>,
    /// Providers whose tokens are bound to keys.
    pub(super) dpop: BTreeSet<String>,
    pub(super) ticket_time: Duration,
    pub(super) state_time: Duration,
    pub(super) changed: Listeners,
    pub(super) tokens: TokenManager,
    #[cfg(test)]
    pub(super) off: Option<Defence>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("public_url", &self.public_url.as_str()).finish_non_exhaustive()
    }
}

impl Engine {
    /// Whether a defence is on, as it always is outside of this crate's own tests.
    pub(super) fn on(&self, defence: Defence) -> bool {
        #[cfg(test)]
        return self.off != Some(defence);
        #[cfg(not(test))]
        {
            let _ = (self, defence);
            true
        }
    }

    pub(super) fn after(&self, time: Duration) -> SystemTime {
        let now = self.clock.now();
        now.checked_add(time).unwrap_or(now)
    }

    /// An address below the public one.
    pub(super) fn at(&self, path: &str) -> Url {
        let mut url = self.public_url.clone();
        url.set_path(&format!("{}/{path}", self.public_url.path().trim_end_matches('/')));
        url
    }

    pub(super) fn emit(&self, tenant: &TenantId, what: EventKind) {
        let event = Event { time: self.clock.now(), tenant: Some(tenant.clone()), what };
        for sink in &self.events {
            if catch_unwind(AssertUnwindSafe(|| sink.emit(&event))).is_err() {
                tracing::error!(target: "tool_connect", "an event sink panicked; this is a defect in the host");
            }
        }
    }

    /// Tells whoever remembers connections, and whoever listens to events.
    pub(super) fn announce(&self, connection: &Connection) {
        self.tokens.forget(&connection.tenant, &connection.id);
        self.changed.tell(&connection.tenant);
        self.emit(
            &connection.tenant,
            EventKind::ConnectionChanged { connection: connection.id.clone(), status: connection.status },
        );
    }

    /// Whether the principal may connect for an owner, and change and end what the owner has.
    pub(super) async fn may_own(&self, principal: &Principal, owner: &Owner) -> Result<()> {
        let may = match owner {
            Owner::User(user) => *user == principal.user,
            shared => shared.admits(principal) && self.owners.may_own(principal, shared).await?,
        };
        if may {
            return Ok(());
        }
        let (whose, who) = match owner {
            Owner::User(_) => ("another user", "that user"),
            Owner::Team(_) => ("this team", "a member whom the host's rule lets"),
            Owner::Tenant => {
                ("the whole tenant", "somebody whom the host's rule lets (by default the role `admin`)")
            }
        };
        let message = format!("the principal may not connect accounts for {whose}; {who} may");
        Err(Error::new(ErrorKind::Denied, message.clone()).public(message))
    }

    /// A connection that the principal may change.
    pub(super) async fn own_connection(
        &self,
        principal: &Principal,
        id: &ConnectionId,
    ) -> Result<Connection> {
        let found = self.stores.connections.get(&principal.tenant, id).await?;
        // What the principal may not even use is not there for them.
        let connection = found
            .filter(|connection| connection.owner.admits(principal))
            .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("the caller has no connection `{id}`")))?;
        self.may_own(principal, &connection.owner).await?;
        Ok(connection)
    }

    /// Checks a request, and says what is to be got where. For a connection that is there: all that it was granted, and its
    /// own configuration.
    pub(super) async fn wanted(
        &self,
        principal: &Principal,
        request: ConnectRequest,
        grant: OAuthGrant,
    ) -> Result<Wanted> {
        let scheme = oauth2(&request.scheme, &request.instance, grant)?;
        let mut wanted = Wanted {
            instance: request.instance,
            provider: scheme.provider.clone(),
            owner: request.owner.clone().unwrap_or_else(|| Owner::User(principal.user.clone())),
            connection: request.connection.clone(),
            scopes: Vec::new(),
            needed: request.scopes.clone(),
            client: request.client,
            config: request.config,
            return_to: request.return_to,
        };
        let mut granted = Vec::new();
        if let Some(id) = &request.connection {
            let connection = self.own_connection(principal, id).await?;
            wanted.adopt(&connection, request.owner.as_ref())?;
            granted = connection.scopes.unwrap_or_default();
        } else {
            self.may_own(principal, &wanted.owner).await?;
        }
        if let Some(to) = &wanted.return_to
            && !self.return_to.contains(to)
        {
            return Err(Error::new(
                ErrorKind::Denied,
                "the place to return to is none of those that the host allows, letter for letter",
            ));
        }
        // What was granted before and is asked for again is no step up, unless the record is wrong: then it must be counted, or
        // the user would be asked without end.
        if !request.refused {
            wanted.needed.retain(|scope| !granted.contains(scope));
        }
        wanted.scopes = union([&granted[..], &scheme.scopes, &request.scopes]);
        Ok(wanted)
    }

    /// The provider as the connection sees it, and the host's client there.
    pub(super) async fn side(&self, tenant: &TenantId, wanted: &Wanted) -> Result<(Provider, ClientConfig)> {
        let provider = self.catalog.resolve(&wanted.provider, &wanted.config)?;
        let client = self.clients.client(tenant, &wanted.provider, wanted.client.as_deref()).await?;
        let client = client.ok_or_else(|| {
            let named = wanted
                .client
                .as_deref()
                .map_or(String::new(), |name| format!(" named `{}`", name.escape_debug()));
            Error::new(
                ErrorKind::Config,
                format!(
                    "the host has no client{named} at provider `{}`: register one there and configure it",
                    wanted.provider
                ),
            )
        })?;
        Ok((provider, client))
    }

    pub(super) fn token_client<'a>(
        &'a self,
        provider: &'a Provider,
        client: &'a ClientConfig,
    ) -> TokenClient<'a> {
        TokenClient::new(&self.http, provider, client, &*self.clock)
    }

    /// Where the provider sends the browser back to: an address of this provider's own, so that an answer that another
    /// provider's request led to comes to the wrong place.
    pub(super) fn redirect_uri(&self, provider: &str, client: &ClientConfig) -> Result<Url> {
        let Some(own) = &client.redirect_uri else { return Ok(self.at(&format!("callback/{provider}"))) };
        if context_of(own.path()) == provider {
            return Ok(own.clone());
        }
        Err(Error::new(
            ErrorKind::Config,
            format!(
                "the client's redirect URI must end in `/{provider}`, so that no two providers share one (an answer of one \
                 could pass for the other's); register such an address at the provider"
            ),
        ))
    }
}

/// What the tokens shall be for (RFC 8707), as the connection's configuration says.
pub(super) fn resources(wanted: &Wanted) -> Result<Vec<Url>> {
    let named = wanted.config.get(RESOURCE).map(String::as_str).unwrap_or_default();
    let parse = |resource: &str| {
        Url::parse(resource).map_err(|_| {
            Error::new(
                ErrorKind::Config,
                format!("`{RESOURCE}` of the configuration is no list of URLs with spaces between"),
            )
        })
    };
    named.split(' ').filter(|resource| !resource.is_empty()).map(parse).collect()
}

/// Which provider a callback address belongs to: the last part of its path, whatever a router stripped before it.
pub(super) fn context_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// A connection works again, or for the first time.
pub(super) fn revive(connection: &mut Connection) {
    connection.status = ConnectionStatus::Active;
    connection.reason = None;
}

fn oauth2<'a>(scheme: &'a AuthScheme, instance: &InstanceId, grant: OAuthGrant) -> Result<&'a OAuth2Scheme> {
    let how = match scheme {
        AuthScheme::OAuth2(oauth) if oauth.grant == grant => return Ok(oauth),
        // Whoever may consent in a browser may also do so on another device.
        AuthScheme::OAuth2(oauth)
            if grant == OAuthGrant::DeviceCode && oauth.grant == OAuthGrant::AuthorizationCode =>
        {
            return Ok(oauth);
        }
        AuthScheme::None => "needs no account",
        AuthScheme::OAuth2(oauth) => match oauth.grant {
            OAuthGrant::DeviceCode => "is connected on another device: use `device_login`",
            OAuthGrant::ClientCredentials => "is connected by the host itself: use `connect_as_client`",
            OAuthGrant::JwtBearer => "is connected with a service account: use `connect_service_account`",
            _ => "is connected by a user's consent: use a ticket",
        },
        _ => "takes a secret instead of a consent: use `connect_with_secret`",
    };
    Err(Error::new(ErrorKind::Unsupported, format!("instance `{instance}` {how}")))
}

fn union<const N: usize>(lists: [&[String]; N]) -> Vec<String> {
    let mut seen = HashSet::new();
    lists.into_iter().flatten().filter(|scope| seen.insert(scope.as_str())).cloned().collect()
}
