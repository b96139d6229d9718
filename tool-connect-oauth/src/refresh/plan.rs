//! What to do for a connection: use what is there, or ask for something new, and how.

use std::sync::Arc;

use tool_connect_core::{
    AuthScheme, Connection, Credential, CredentialVersion, Error, ErrorKind, OAuthGrant, Result,
    TokenExchange, TokenPlace,
};
use url::Url;

use super::access::{Access, Times, version_of};
use super::manager::Shared;
use super::record::Loaded;
use super::renew::{GONE, Job};
use crate::catalog::{ClientConfig, Provider};
use crate::flow::{Secret, ServiceAccount, TokenSet};

/// What a stored secret is good for.
pub(super) enum Plan {
    /// It is fine as it is.
    Use(Arc<Access>),
    /// Something new is needed, and this is how to get it.
    Renew(Grant),
}

/// How to get a token.
pub(super) enum Grant {
    /// By the refresh token, which may be good for one use only.
    Refresh(Arc<Secret>),
    /// By the client's own credentials.
    Client,
    /// By a service account's key.
    Account(Box<ServiceAccount>),
    /// By an exchange of the secret, kept in memory only.
    Exchange(Box<(TokenExchange, Credential)>),
}

impl Shared {
    /// The provider, filled in for the connection, where the scheme names one.
    pub(super) fn provider(&self, connection: &Connection, scheme: &AuthScheme) -> Result<Option<Provider>> {
        match scheme {
            AuthScheme::OAuth2(oauth) => self.catalog.resolve(&oauth.provider, &connection.config).map(Some),
            _ => Ok(None),
        }
    }

    /// The client that the connection was made with.
    pub(super) async fn client(&self, connection: &Connection, provider: &Provider) -> Result<ClientConfig> {
        let name = connection.client.as_deref();
        let found = self.in_time(self.clients.client(&connection.tenant, provider.id(), name)).await?;
        found.ok_or_else(|| {
            let which = name.map_or_else(|| "no client".to_owned(), |name| format!("no client `{name}`"));
            Error::new(
                ErrorKind::Config,
                format!(
                    "{which} is configured at provider `{}`, so that the tokens of connection `{}` cannot be renewed",
                    provider.id(),
                    connection.id
                ),
            )
        })
    }

    pub(super) fn plan(
        &self,
        job: &Job,
        loaded: Option<&Loaded>,
        provider: Option<&Provider>,
    ) -> Result<Plan> {
        let scheme = &job.scheme;
        let grant = match scheme {
            AuthScheme::OAuth2(oauth) => Some(oauth.grant),
            _ => None,
        };
        let Some(Loaded { record, secret }) = loaded else {
            return match grant {
                Some(OAuthGrant::ClientCredentials) => Ok(Plan::Renew(Grant::Client)),
                _ => Err(nothing_stored(&job.connection)),
            };
        };
        let gone = record.intent.is_some_and(|intent| intent.fence & GONE != 0);
        match (&**secret, scheme) {
            (Secret::Static(credential), AuthScheme::TokenExchange(exchange)) => {
                Ok(Plan::Renew(Grant::Exchange(Box::new((exchange.clone(), credential.clone())))))
            }
            (Secret::Static(Credential::Token(token)), AuthScheme::OAuth2(_)) => {
                // A personal token that the user entered instead of a consent.
                let tokens = TokenSet::bearer(token.clone());
                self.usable(job, &tokens, provider, false).map(|access| Plan::Use(access.into()))
            }
            (Secret::Static(credential), scheme) if provider.is_none() => {
                Ok(Plan::Use(Arc::new(self.raw(job, credential, scheme))))
            }
            (Secret::Tokens(tokens), AuthScheme::OAuth2(_)) => {
                fits(&job.connection, tokens, provider)?;
                let how = match (&tokens.refresh_token, grant) {
                    _ if gone => None,
                    (Some(_), _) => Some(Grant::Refresh(Arc::clone(secret))),
                    (None, Some(OAuthGrant::ClientCredentials)) => Some(Grant::Client),
                    (None, _) => None,
                };
                self.choose(job, Some(tokens), how, gone, provider)
            }
            (Secret::ServiceAccount { account, tokens }, AuthScheme::OAuth2(_)) => {
                let how = Some(Grant::Account(Box::new(account.clone())));
                self.choose(job, tokens.as_ref(), how, gone, provider)
            }
            _ => Err(Error::new(
                ErrorKind::Config,
                format!(
                    "what is stored for connection `{}` does not fit how its instance authenticates; connect the account \
                     again",
                    job.connection.id
                ),
            )),
        }
    }

    /// The tokens, while they are good; else the way to new ones.
    fn choose(
        &self,
        job: &Job,
        tokens: Option<&TokenSet>,
        how: Option<Grant>,
        gone: bool,
        provider: Option<&Provider>,
    ) -> Result<Plan> {
        let Some(tokens) = tokens else {
            return how.map(Plan::Renew).ok_or_else(|| nothing_stored(&job.connection));
        };
        let access = self.usable(job, tokens, provider, how.is_some())?;
        let good =
            access.usable(&job.connection, &job.scheme, self.clock.now()) && !job.unwanted(access.version());
        match how {
            Some(how) if !good => Ok(Plan::Renew(how)),
            None if gone && !good => Err(super::demote::gone(&job.connection)),
            // Ended by our clock and without a way to another: only the provider can say that it is over.
            None => Ok(Plan::Use(Arc::new(access.without_end()))),
            Some(_) => Ok(Plan::Use(access.into())),
        }
    }

    fn times(&self, ends: Option<std::time::SystemTime>) -> Times {
        let settings = &self.settings;
        Times::new(ends, self.clock.now(), settings.ahead, settings.recheck, self.jitter())
    }

    /// Tokens for requests.
    pub(super) fn usable(
        &self,
        job: &Job,
        tokens: &TokenSet,
        provider: Option<&Provider>,
        renewable: bool,
    ) -> Result<Access> {
        let place = match (&job.scheme, provider) {
            (AuthScheme::TokenExchange(exchange), _) => exchange.place.clone(),
            (_, Some(provider)) => provider.entry.token_place.clone(),
            _ => TokenPlace::default(),
        };
        let version = version_of(&self.marks, "token", &[&tokens.access_token]);
        let times = self.times(tokens.expires_at);
        let mut access =
            Access::of_tokens(tokens, version, &job.scheme, &place, &self.nonces, times, renewable)?;
        // Read again, it is as old as it was.
        let known = job.slot.current.load();
        access.minted =
            known.as_ref().filter(|known| known.version() == version).and_then(|known| known.minted);
        Ok(access.seen(&job.connection))
    }

    fn raw(&self, job: &Job, credential: &Credential, scheme: &AuthScheme) -> Access {
        let version = self.version_of_credential(credential);
        Access::of_credential(credential.clone(), version, scheme, self.times(None)).seen(&job.connection)
    }

    fn version_of_credential(&self, credential: &Credential) -> CredentialVersion {
        match credential {
            Credential::Token(token) => version_of(&self.marks, "token", &[token]),
            Credential::Basic { username, password } => {
                version_of(&self.marks, "basic", &[&username.clone().into(), password])
            }
            Credential::SigningKey { id, secret, session } => {
                let none = "".into();
                version_of(
                    &self.marks,
                    "key",
                    &[&id.clone().into(), secret, session.as_ref().unwrap_or(&none)],
                )
            }
            _ => 1,
        }
    }

    /// The version that requests signed with this secret would have; `None` where it is not what signs.
    pub(super) fn version_of(&self, secret: &Secret) -> Option<CredentialVersion> {
        match secret {
            Secret::Static(credential) => Some(self.version_of_credential(credential)),
            secret => {
                let tokens = secret.tokens()?;
                Some(version_of(&self.marks, "token", &[&tokens.access_token]))
            }
        }
    }
}

/// A credential is never used with another issuer than its own.
fn fits(connection: &Connection, tokens: &TokenSet, provider: Option<&Provider>) -> Result<()> {
    let ours = provider.and_then(|provider| provider.issuer.as_ref());
    match (&tokens.issuer, ours) {
        (Some(theirs), Some(ours)) if theirs != ours => Err(Error::new(
            ErrorKind::NeedsReauth,
            format!(
                "the tokens of connection `{}` were issued by another authorization server than the one that its instance \
                 names; connect the account again",
                connection.id
            ),
        )),
        _ => Ok(()),
    }
}

fn nothing_stored(connection: &Connection) -> Error {
    Error::new(
        ErrorKind::NeedsReauth,
        format!("there is no secret for connection `{}`; connect the account", connection.id),
    )
}

/// The resources that the connection's tokens are for (RFC 8707), from its configuration.
pub(super) fn resources(connection: &Connection) -> Result<Vec<Url>> {
    let text = connection.config.get(super::RESOURCE).map(String::as_str).unwrap_or_default();
    let parse = |resource: &str| {
        Url::parse(resource).map_err(|_| {
            let what = format!("`{}` of connection `{}` is no list of URLs", super::RESOURCE, connection.id);
            Error::new(ErrorKind::Config, what)
        })
    };
    text.split(' ').filter(|resource| !resource.is_empty()).map(parse).collect()
}
