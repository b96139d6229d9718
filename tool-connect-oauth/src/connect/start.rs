//! The start endpoint: a ticket and a login become a way to the provider.

use http::request::Parts;
use http::{HeaderValue, Response, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use tool_connect_core::{ErrorKind, Principal};
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::engine::{Defence, Engine, resources};
use super::kept::{Pending, Purpose, Wanted};
use super::page::{self, PageBody};
use super::random;
use super::stop::Stop;
use crate::flow::Authorization;

impl Engine {
    pub(super) async fn start(&self, request: &Parts) -> Result<Response<PageBody>, Stop> {
        let value = ticket_of(request.uri.query()).ok_or_else(Stop::malformed)?;
        let Some(principal) = self.logged_in(request).await? else {
            let mut back = self.at("start");
            back.query_pairs_mut().append_pair("ticket", &value);
            return match self.session.login(&back) {
                Some(login) => Ok(page::redirect(login.as_str())?),
                None => Err(Stop::nobody()),
            };
        };
        let id = Purpose::Ticket.id(&value);
        let authorizations = &self.stores.authorizations;
        let ticket = authorizations.get(&principal.tenant, &id).await?.ok_or_else(Stop::gone)?;
        // Not used up by whoever else opens it: a program that looks at links, the one it was sent to.
        if ticket.user != principal.user && self.on(Defence::SamePrincipal) {
            return Err(Stop::not_yours());
        }
        let wanted: Wanted = self.recall(&principal, Purpose::Ticket, &ticket).await?;
        authorizations.consume(&principal.tenant, &id).await?.ok_or_else(Stop::gone)?;
        // Whoever remembers this ticket must not give it out again.
        self.changed.tell(&principal.tenant);
        let outcome = self.send_off(&principal, &wanted).await;
        outcome.map_err(|stop| self.stopped(&principal, &wanted, stop))
    }

    async fn send_off(&self, principal: &Principal, wanted: &Wanted) -> Result<Response<PageBody>, Stop> {
        // Roles, teams and connections may have changed since the ticket was made.
        if self.on(Defence::SamePrincipal) {
            self.may_own(principal, &wanted.owner).await?;
        }
        if let Some(id) = &wanted.connection {
            self.own_connection(principal, id).await?;
        }
        self.take_step_up(principal, wanted).await?;
        let (provider, client) = self.side(&principal.tenant, wanted).await?;
        let mut authorization = Authorization::new(self.redirect_uri(&wanted.provider, &client)?);
        authorization.scopes.clone_from(&wanted.scopes);
        authorization.resource = resources(wanted)?;
        authorization.dpop = self.dpop.contains(&wanted.provider);
        let request = self.token_client(&provider, &client).authorize(&authorization).await?;

        let binding = random::value()?;
        let state = Purpose::State.id(request.state.expose_secret());
        let secret = |text: &SecretString| text.expose_secret().to_owned();
        let pending = Pending {
            wanted: wanted.clone(),
            issuer: provider.issuer.clone(),
            client_id: client.id.clone(),
            binding: random::hash("binding", binding.expose_secret()),
            redirect_uri: request.redirect_uri.clone(),
            asked: request.scopes.clone(),
            resource: request.resource.clone(),
            verifier: secret(&request.verifier),
            dpop_key: request.dpop_key.as_ref().map(secret),
        };
        self.remember(principal, Purpose::State, state.clone(), &pending).await?;
        let mut response = page::redirect(request.url.as_str())?;
        let cookie = self.cookies.bind(&state, binding.expose_secret(), self.state_time)?;
        response.headers_mut().append(header::SET_COOKIE, cookie);
        Ok(response)
    }

    /// Who is logged in. An agent is nobody here: a person consents.
    pub(super) async fn logged_in(&self, request: &Parts) -> Result<Option<Principal>, Stop> {
        let principal = self.session.principal(request).await?;
        if principal.as_ref().is_some_and(|principal| principal.agent.is_some()) {
            return Err(Stop::new(
                ErrorKind::Denied,
                StatusCode::FORBIDDEN,
                "an agent opened the link",
                "A person must do this",
                "An agent cannot connect an account. Open the link yourself.",
            ));
        }
        Ok(principal)
    }
}

/// The ticket, where the query holds exactly one that can be one.
fn ticket_of(query: Option<&str>) -> Option<Zeroizing<String>> {
    let pairs = form_urlencoded::parse(query.filter(|query| query.len() <= 1024)?.as_bytes());
    let mut tickets = pairs.filter(|(name, _)| name == "ticket").map(|(_, value)| value.into_owned());
    let ticket = tickets.next().filter(|ticket| random::plausible(ticket))?;
    tickets.next().is_none().then(|| ticket.into())
}

/// For other methods than GET.
pub(super) fn get_only() -> Response<PageBody> {
    let stop = Stop::new(
        ErrorKind::InvalidArguments,
        StatusCode::METHOD_NOT_ALLOWED,
        "the method is not GET",
        "Something is wrong with this request",
        "Begin again where you wanted to connect the account.",
    );
    let mut response = stop.page.response();
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET"));
    response
}
