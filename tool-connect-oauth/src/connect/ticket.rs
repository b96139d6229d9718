//! Tickets: single-use links to a page of the host, never to the provider.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::ExposeSecret;
use tool_connect_core::store::AuthorizationState;
use tool_connect_core::{
    Connect, ConnectRequest, ConnectTicket, ConnectionId, Error, ErrorKind, OAuthGrant, Principal, Result,
    TenantId,
};

use super::engine::{Engine, resources};
use super::kept::{Purpose, Wanted};
use super::random;

/// How often a user is asked for the same scopes.
const STEP_UPS: u8 = 3;
/// Within how long.
const STEP_UPS_WITHIN: std::time::Duration = std::time::Duration::from_secs(3600);

/// [`Connect`] for a Hub: tickets for consents, and the end of connections.
#[derive(Clone, Debug)]
pub struct ConnectFlow(pub(super) Arc<Engine>);

#[async_trait]
impl Connect for ConnectFlow {
    async fn ticket(&self, principal: &Principal, request: ConnectRequest) -> Result<ConnectTicket> {
        self.0.ticket(principal, request).await
    }

    async fn disconnect(&self, principal: &Principal, connection: &ConnectionId) -> Result<()> {
        self.0.disconnect(principal, connection).await
    }

    fn on_change(&self, changed: Arc<dyn Fn(&TenantId) + Send + Sync>) {
        self.0.changed.add(changed);
    }
}

impl Engine {
    pub(super) async fn ticket(
        &self,
        principal: &Principal,
        request: ConnectRequest,
    ) -> Result<ConnectTicket> {
        let wanted = self.wanted(principal, request, OAuthGrant::AuthorizationCode).await?;
        // What is wrong with the configuration shows now, not when the user has clicked.
        let (provider, client) = self.side(&principal.tenant, &wanted).await?;
        provider.authorize_endpoint()?;
        self.redirect_uri(&wanted.provider, &client)?;
        resources(&wanted)?;
        if !self.step_ups_left(principal, &wanted).await? {
            return Err(asked_enough(&wanted));
        }
        let value = random::value()?;
        let id = Purpose::Ticket.id(value.expose_secret());
        let kept = self.remember(principal, Purpose::Ticket, id, &wanted).await?;
        let mut url = self.at("start");
        url.query_pairs_mut().append_pair("ticket", value.expose_secret());
        Ok(ConnectTicket::new(url, kept.expires))
    }

    async fn step_ups_left(&self, principal: &Principal, wanted: &Wanted) -> Result<bool> {
        // Attempts are taken in order, so the last one tells.
        let Some(last) = attempt(wanted, STEP_UPS) else { return Ok(true) };
        Ok(self.stores.authorizations.get(&principal.tenant, &last).await?.is_none())
    }

    /// Takes one of the attempts to get scopes that were not granted before.
    pub(super) async fn take_step_up(&self, principal: &Principal, wanted: &Wanted) -> Result<()> {
        for number in 1..=STEP_UPS {
            let Some(id) = attempt(wanted, number) else { return Ok(()) };
            let (tenant, user) = (principal.tenant.clone(), principal.user.clone());
            let taken = AuthorizationState::new(tenant, id, user, Vec::new(), self.after(STEP_UPS_WITHIN));
            match self.stores.authorizations.put(taken).await {
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                other => return other,
            }
        }
        Err(asked_enough(wanted))
    }
}

/// The name of an attempt to get these scopes for this connection; `None` where none are lacking.
fn attempt(wanted: &Wanted, number: u8) -> Option<String> {
    let connection = wanted.connection.as_ref().filter(|_| !wanted.needed.is_empty())?;
    let mut scopes = wanted.needed.clone();
    scopes.sort();
    Some(random::hash("step-up", &format!("{connection}\n{}\n{number}", scopes.join(" "))))
}

fn asked_enough(wanted: &Wanted) -> Error {
    let message = format!(
        "the user was asked {STEP_UPS} times for the scopes {} and they were not granted; ask again in an hour, or let the \
         provider's administrator allow them",
        wanted.needed.join(", ")
    );
    Error::new(ErrorKind::Forbidden, message).public(
        "The account was asked for these permissions several times and did not get them. Try again in an hour.",
    )
}
