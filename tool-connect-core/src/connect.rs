//! Connecting an account: what a Hub asks of whoever can bring a user to consent.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use url::Url;

use crate::auth::AuthScheme;
use crate::connection::Owner;
use crate::error::Result;
use crate::ids::{ConnectionId, InstanceId, TenantId};
use crate::principal::Principal;

/// What shall be connected.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ConnectRequest {
    /// The connector instance; the Hub fills it in.
    pub instance: InstanceId,
    /// How the instance wants to be spoken to; the Hub fills it in.
    pub scheme: AuthScheme,
    /// Who shall own the connection; the user where unset.
    pub owner: Option<Owner>,
    /// A connection that shall be connected again, or given more scopes: it keeps its id and configuration.
    pub connection: Option<ConnectionId>,
    /// Scopes that are needed, beside what the scheme asks for anyway and what was granted before.
    pub scopes: Vec<String>,
    /// Whether the provider said that these scopes are lacking, whatever is recorded of the connection.
    pub refused: bool,
    /// Which of the host's client configurations; the default where unset.
    pub client: Option<String>,
    /// What the provider's addresses need: a shop's domain, a site.
    pub config: BTreeMap<String, String>,
    /// Where the user's browser goes when all is done; one of those that the host allows.
    pub return_to: Option<String>,
}

impl ConnectRequest {
    /// Connects an account at an instance.
    #[must_use]
    pub fn new(instance: InstanceId, scheme: AuthScheme) -> Self {
        Self {
            instance,
            scheme,
            owner: None,
            connection: None,
            scopes: Vec::new(),
            refused: false,
            client: None,
            config: BTreeMap::new(),
            return_to: None,
        }
    }
}

/// A single-use ticket: a page of the host where the same principal, logged in, goes to consent. It is no authorize URL:
/// whoever else opens it gets nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectTicket {
    /// The page.
    pub url: Url,
    /// When it ends.
    pub expires: SystemTime,
}

impl ConnectTicket {
    /// A ticket at a page.
    #[must_use]
    pub fn new(url: Url, expires: SystemTime) -> Self {
        Self { url, expires }
    }
}

/// Brings users to consent, and gives consent back. `tool-connect-oauth` has one for every scheme.
#[async_trait]
pub trait Connect: Send + Sync + 'static {
    /// A ticket for the principal.
    ///
    /// # Errors
    /// Where the principal may not connect for that owner, the provider is unknown or not configured, or the place to
    /// return to is not allowed.
    async fn ticket(&self, principal: &Principal, request: ConnectRequest) -> Result<ConnectTicket>;

    /// Ends a connection: the provider is asked to revoke its tokens, the secret is destroyed.
    ///
    /// # Errors
    /// Where the principal may not, there is no such connection, or a store fails. A provider that does not answer is asked
    /// again later; that is no error.
    async fn disconnect(&self, principal: &Principal, connection: &ConnectionId) -> Result<()>;

    /// Calls `changed` whenever connections of a tenant changed, so that a Hub forgets what it remembers of them.
    fn on_change(&self, changed: Arc<dyn Fn(&TenantId) + Send + Sync>);
}
