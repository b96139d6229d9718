//! Giving tokens back (RFC 7009), and asking about them (RFC 7662).

use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tool_connect_core::{Effect, ErrorKind, Result, from_unix_millis};
use url::Url;
use zeroize::Zeroizing;

use super::client_auth::{basic_header, secret_of};
use super::dpop::sensitive;
use super::failure::{self, OAuthFailure, Sent};
use super::form::Form;
use super::grant::{TokenClient, header_name};
use super::http::{Asked, FORM, JSON};
use super::token::TokenSet;
use crate::catalog::{self, BodyEncoding, Revocation, RevocationAuth};

/// What became of a revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Revoked {
    /// The provider does not know the tokens any more.
    Done,
    /// The provider offers no revocation; the tokens end by themselves.
    NotOffered,
}

/// What a provider says of a token (RFC 7662 §2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Introspection {
    /// Whether the token is good; of one that is not, nothing else is said.
    pub active: bool,
    /// Its scopes.
    pub scopes: Option<Vec<String>>,
    /// The client that it was issued to.
    pub client_id: Option<String>,
    /// Whose it is, by the provider's own id.
    pub subject: Option<String>,
    /// When it ends, by the provider's clock.
    pub expires_at: Option<SystemTime>,
}

impl TokenClient<'_> {
    /// Revokes tokens: the refresh token, where there is one, and the access token. A token that the provider does not know
    /// counts as revoked (RFC 7009 §2.2). May be called again.
    ///
    /// # Errors
    /// As [`refresh`](Self::refresh); with advice to try again where the provider is busy or fails (§2.2.1).
    pub async fn revoke(&self, tokens: &TokenSet) -> Result<Revoked> {
        let asked = self.asked("revocation");
        if let Some(revocation) = &self.provider.revocation {
            return self.revoke_their_way(asked, revocation, tokens).await;
        }
        let Some(endpoint) = &self.provider.endpoints.revoke else { return Ok(Revoked::NotOffered) };
        // The refresh token first: what fails halfway must not leave the part behind that makes new ones.
        if let Some(refresh_token) = &tokens.refresh_token {
            self.revoke_one(asked, endpoint, refresh_token, "refresh_token").await?;
        }
        self.revoke_one(asked, endpoint, &tokens.access_token, "access_token").await?;
        Ok(Revoked::Done)
    }

    async fn revoke_one(
        &self,
        asked: Asked<'_>,
        endpoint: &Url,
        token: &SecretString,
        hint: &str,
    ) -> Result<()> {
        let form = Form::default().secret("token", token).with("token_type_hint", hint);
        let Err(error) = self.ask_endpoint(asked, endpoint, form).await else { return Ok(()) };
        // Some providers name a token that they do not know, where RFC 7009 wants a 200; some revoke only refresh tokens,
        // and what those made ends with them (§2.1).
        let gone = ["invalid_token", "invalid_grant", "unsupported_token_type"];
        let refused = error.http_status().is_some_and(|status| (400..500).contains(&status) && status != 429);
        match OAuthFailure::of(&error) {
            Some(failure) if refused && gone.contains(&failure.code()) => Ok(()),
            _ => Err(error),
        }
    }

    /// Where the provider does not follow RFC 7009.
    async fn revoke_their_way(
        &self,
        asked: Asked<'_>,
        revocation: &Revocation,
        tokens: &TokenSet,
    ) -> Result<Revoked> {
        let mut url = self.provider.revocation_url(&self.client.id)?;
        let token = match &tokens.refresh_token {
            Some(refresh_token) if revocation.refresh_token => refresh_token,
            _ => &tokens.access_token,
        };
        let mut sent = Sent::default();
        sent.hide(token.expose_secret());
        sent.hide(tokens.access_token.expose_secret());
        if let Some(secret) = &self.client.secret {
            sent.hide(secret.expose_secret());
        }
        let mut headers = HeaderMap::new();
        for (name, template) in &revocation.headers {
            headers
                .insert(header_name(asked, name)?, sensitive(&self.fill(asked, template, token, tokens)?)?);
        }
        match revocation.auth {
            RevocationAuth::ClientBasic => {
                let value = basic_header(&self.client.id, secret_of(self, asked)?)?;
                headers.insert(header::AUTHORIZATION, value);
            }
            RevocationAuth::ClientSecretBearer => {
                let text = Zeroizing::new(format!("Bearer {}", secret_of(self, asked)?.expose_secret()));
                headers.insert(header::AUTHORIZATION, sensitive(&text)?);
            }
            RevocationAuth::AccessToken => {
                let place = &self.provider.entry.token_place;
                let text = Zeroizing::new(format!("{}{}", place.prefix, tokens.access_token.expose_secret()));
                headers.insert(header_name(asked, &place.header)?, sensitive(&text)?);
            }
            RevocationAuth::Fields => {}
        }
        let mut form = Form::default();
        for (name, template) in &revocation.fields {
            form.add(name, &self.fill(asked, template, token, tokens)?);
        }
        let body: Option<(&'static str, Bytes)> = match revocation.encoding {
            BodyEncoding::Query => {
                url.query_pairs_mut().extend_pairs(form.pairs());
                None
            }
            BodyEncoding::Empty => None,
            BodyEncoding::Json => Some((JSON, form.json())),
            BodyEncoding::Form => Some((FORM, form.encoded())),
        };
        let method = match revocation.method {
            catalog::Method::Get => Method::GET,
            catalog::Method::Post => Method::POST,
            catalog::Method::Delete => Method::DELETE,
        };
        let answer = self.http.send(asked, method, &url, headers, body).await?;
        // A token that may not even ask for its own end has found it.
        let ended =
            revocation.auth == RevocationAuth::AccessToken && answer.status == StatusCode::UNAUTHORIZED;
        let unknown = matches!(answer.status, StatusCode::NOT_FOUND | StatusCode::GONE);
        if answer.status.is_success() || ended || unknown {
            Ok(Revoked::Done)
        } else {
            Err(failure::refused_hiding(asked, &answer, &sent))
        }
    }

    /// Fills `{token}`, `{client_id}`, `{client_secret}` and `{extra.name}`, in one walk: a value is never read as a template.
    fn fill(
        &self,
        asked: Asked<'_>,
        template: &str,
        token: &SecretString,
        tokens: &TokenSet,
    ) -> Result<Zeroizing<String>> {
        let mut filled = Zeroizing::new(String::new());
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let Some((name, behind)) = after.split_once('}') else {
                filled.push('{');
                rest = after;
                break;
            };
            let value = match name {
                "token" => token.expose_secret(),
                "client_id" => &self.client.id,
                "client_secret" => secret_of(self, asked)?.expose_secret(),
                _ => {
                    name.strip_prefix("extra.").and_then(|name| tokens.extra.get(name)).ok_or_else(|| {
                        let name = name.escape_debug();
                        let what =
                            format_args!("the revocation wants `{name}`, which the tokens do not have");
                        asked.error(ErrorKind::Config, what).effect(Effect::NotExecuted)
                    })?
                }
            };
            filled.push_str(value);
            rest = behind;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    /// Asks what a token is good for (RFC 7662).
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] where the provider has no such endpoint; else as [`refresh`](Self::refresh).
    pub async fn introspect(&self, token: &SecretString) -> Result<Introspection> {
        let asked = self.asked("introspection");
        let endpoint = self.provider.endpoints.introspect.as_ref().ok_or_else(|| {
            let what = "the provider has no introspection endpoint";
            asked.error(ErrorKind::Unsupported, what).effect(Effect::NotExecuted)
        })?;
        let form = Form::default().secret("token", token);
        let told: Told = self.ask_endpoint(asked, endpoint, form).await?.json(asked)?;
        let scopes = told.scope.map(|text| text.split_whitespace().map(str::to_owned).collect());
        let told = Introspection {
            active: told.active,
            scopes,
            client_id: told.client_id,
            subject: told.sub,
            expires_at: told.exp.map(|seconds| from_unix_millis(seconds.saturating_mul(1000))),
        };
        // RFC 7662 §2.2: what else is said of a token that is not active means nothing.
        let nothing =
            Introspection { active: false, scopes: None, client_id: None, subject: None, expires_at: None };
        Ok(if told.active { told } else { nothing })
    }
}

#[derive(Deserialize)]
struct Told {
    active: bool,
    scope: Option<String>,
    client_id: Option<String>,
    sub: Option<String>,
    exp: Option<u64>,
}
