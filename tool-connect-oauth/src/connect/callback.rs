//! The callback endpoint: what the provider sends the browser back with becomes a connection, or nothing at all.

use std::sync::Arc;

use http::request::Parts;
use http::{Response, StatusCode, header};
use secrecy::SecretString;
use tool_connect_core::store::AuthorizationState;
use tool_connect_core::{Connection, ErrorKind, EventKind, Principal};

use super::answer::{Answer, End};
use super::engine::{Defence, Engine, context_of};
use super::keep::Brought;
use super::kept::{Pending, Purpose, Wanted};
use super::page::{self, Page, PageBody};
use super::random;
use super::stop::Stop;
use crate::catalog::Provider;
use crate::flow::{CodeExchange, Wanted as Tokens};

impl Engine {
    pub(super) async fn callback(self: &Arc<Self>, request: &Parts) -> Result<Response<PageBody>, Stop> {
        let answer = Answer::parse(request.uri.query()).ok_or_else(Stop::malformed)?;
        let principal = self.logged_in(request).await?.ok_or_else(Stop::nobody)?;
        let id = Purpose::State.id(&answer.state);
        let (state, pending) = self.recognise(&principal, request, &id).await?;
        let wanted = pending.wanted.clone();
        let outcome = self.settle(request, &principal, state, pending, answer).await;
        let mut response = outcome.map_err(|stop| self.stopped(&principal, &wanted, stop))?;
        response.headers_mut().append(header::SET_COOKIE, self.cookies.unbind(&id)?);
        Ok(response)
    }

    /// Finds what the state stands for, and makes sure that it is this user in this browser who went.
    async fn recognise(
        &self,
        principal: &Principal,
        request: &Parts,
        id: &str,
    ) -> Result<(AuthorizationState, Pending), Stop> {
        let found = self.stores.authorizations.get(&principal.tenant, id).await?;
        let state = found.ok_or_else(Stop::gone)?;
        if state.user != principal.user && self.on(Defence::SamePrincipal) {
            return Err(Stop::not_yours());
        }
        let pending: Pending = self.recall(principal, Purpose::State, &state).await?;
        let bound = self
            .cookies
            .read(&request.headers, id)
            .is_some_and(|cookie| random::same(&random::hash("binding", &cookie), &pending.binding));
        if !bound && self.on(Defence::Binding) {
            return Err(Stop::distrusted("the answer came to another browser"));
        }
        Ok((state, pending))
    }

    async fn settle(
        self: &Arc<Self>,
        request: &Parts,
        principal: &Principal,
        state: AuthorizationState,
        pending: Pending,
        answer: Answer,
    ) -> Result<Response<PageBody>, Stop> {
        if self.on(Defence::SingleUse) {
            let won = self.stores.authorizations.consume(&principal.tenant, &state.id).await?;
            won.ok_or_else(Stop::gone)?;
        }
        let wanted = &pending.wanted;
        if context_of(request.uri.path()) != wanted.provider && self.on(Defence::Context) {
            return Err(Stop::distrusted("the answer came to another provider's address"));
        }
        // Roles, teams and connections may have changed while the user was away.
        if self.on(Defence::SamePrincipal) {
            self.may_own(principal, &wanted.owner).await?;
        }
        if let Some(id) = &wanted.connection {
            self.own_connection(principal, id).await?;
        }
        let (provider, client) = self.side(&principal.tenant, wanted).await?;
        if provider.issuer != pending.issuer || client.id != pending.client_id {
            return Err(Stop::distrusted("the provider or the client was changed meanwhile"));
        }
        if self.on(Defence::Issuer) {
            let promised = self.iss_required.contains(&wanted.provider);
            check_issuer(provider.issuer.as_deref(), promised, answer.iss.as_deref())?;
        }
        let code = match answer.end {
            End::Code(code) => code,
            End::Error(code) => return Err(refused(&provider, &code)),
        };
        // A browser that goes away must not leave tokens behind that nobody stored.
        let (engine, principal, return_to) = (Arc::clone(self), principal.clone(), wanted.return_to.clone());
        let work = async move {
            let connection = engine.exchange(&principal, &pending, &provider, &client, &code).await?;
            Ok::<_, Stop>((connection, pending, provider))
        };
        let (connection, pending, provider) = tokio::spawn(work).await.map_err(|_| {
            Stop::from(tool_connect_core::Error::new(ErrorKind::Internal, "the exchange of a code panicked"))
        })??;
        match return_to {
            Some(to) => Ok(page::redirect(&to)?),
            None => Ok(connected(&provider, &connection, &pending).response()),
        }
    }

    async fn exchange(
        &self,
        principal: &Principal,
        pending: &Pending,
        provider: &Provider,
        client: &crate::catalog::ClientConfig,
        code: &SecretString,
    ) -> Result<Connection, Stop> {
        let dpop_key = pending.dpop_key.as_ref().map(|key| SecretString::from(key.as_str()));
        let exchange = CodeExchange {
            code,
            verifier: &SecretString::from(pending.verifier.as_str()),
            redirect_uri: &pending.redirect_uri,
            wanted: Tokens {
                scopes: &pending.asked,
                resource: &pending.resource,
                dpop_key: dpop_key.as_ref(),
            },
        };
        let tokens = self.token_client(provider, client).exchange(&exchange).await?;
        let account = self.identify(provider, &tokens).await;
        let brought = Brought::tokens(provider, tokens, &pending.asked, account);
        Ok(self.keep(principal, &pending.wanted, brought).await?)
    }

    /// Says so to whoever listens, and leaves the user a way back.
    pub(super) fn stopped(&self, principal: &Principal, wanted: &Wanted, mut stop: Stop) -> Stop {
        self.emit(
            &principal.tenant,
            EventKind::ConnectFailed {
                instance: wanted.instance.clone(),
                user: principal.user.clone(),
                kind: stop.kind,
                reason: stop.reason.to_owned(),
            },
        );
        stop.page.link.clone_from(&wanted.return_to);
        stop
    }
}

/// RFC 9207 §2.4, all four rows: promised and there, promised and missing, there without promise, neither. Compared as text:
/// nothing is normalised. Where our side knows no issuer, one that is named cannot be checked and is refused.
fn check_issuer(issuer: Option<&str>, promised: bool, iss: Option<&str>) -> Result<(), Stop> {
    match (promised, iss) {
        (_, Some(iss)) if issuer == Some(iss) => Ok(()),
        (_, Some(_)) => Err(Stop::distrusted("the answer is another issuer's")),
        (true, None) => {
            Err(Stop::distrusted("the answer does not name its issuer, which this provider promises"))
        }
        (false, None) => Ok(()),
    }
}

/// What the provider, or the user there, said instead of a code.
fn refused(provider: &Provider, code: &str) -> Stop {
    let name = &provider.entry.name;
    match code {
        "access_denied" => Stop::new(
            ErrorKind::Denied,
            StatusCode::OK,
            "the user said no",
            "No account was connected",
            format!(
                "You did not give access at {name}, so nothing changed. You can begin again at any time."
            ),
        ),
        "temporarily_unavailable" | "server_error" => Stop::new(
            ErrorKind::Provider,
            StatusCode::BAD_GATEWAY,
            "the provider failed",
            "No account was connected",
            format!("{name} is out of order at the moment. Try again in a few minutes."),
        ),
        code => {
            tracing::warn!(target: "tool_connect", provider = %provider.entry.id, code, "a provider refused a consent");
            Stop::new(
                ErrorKind::Provider,
                StatusCode::BAD_GATEWAY,
                "the provider refused",
                "No account was connected",
                format!("{name} refused ({code}). Tell the people who run this site."),
            )
        }
    }
}

fn connected(provider: &Provider, connection: &Connection, pending: &Pending) -> Page {
    let whose = connection.label.as_deref().map_or(String::new(), |label| format!(" ({label})"));
    let title = format!("{} is connected", provider.entry.name);
    let page = Page::new(
        StatusCode::OK,
        title,
        format!("The account{whose} can be used now. You may close this page."),
    );
    let missing = connection.missing(pending.wanted.scopes.iter().map(String::as_str));
    if missing.is_empty() {
        return page;
    }
    page.and(format!(
        "You did not give all permissions. What needs these will ask again: {}.",
        missing.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oauth_client_03_all_four_rows_of_rfc_9207() {
        const ISSUER: &str = "https://as.example";
        let check = |issuer, promised, iss| check_issuer(issuer, promised, iss).is_ok();
        for promised in [true, false] {
            assert!(check(Some(ISSUER), promised, Some(ISSUER)));
            assert!(!check(Some(ISSUER), promised, Some("https://evil.example")));
            assert_eq!(check(Some(ISSUER), promised, None), !promised);
            for near in [
                "https://as.example/",
                "HTTPS://as.example",
                "https://AS.example",
                "https://as.example:443",
                "",
            ] {
                assert!(!check(Some(ISSUER), promised, Some(near)), "{near}: nothing is normalised");
            }
        }
        assert!(!check(None, false, Some(ISSUER)), "what cannot be checked is refused");
        assert!(check(None, false, None));
    }
}
