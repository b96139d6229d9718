//! The token endpoint: one client at one provider.

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use secrecy::{ExposeSecret, SecretString};
use tool_connect_core::{Clock, Effect, ErrorKind, Result};
use url::Url;

use super::assertion::ServiceAccount;
use super::dpop::{self, DPOP, DpopKey};
use super::failure::{self, Sent};
use super::form::Form;
use super::http::{Answer, Asked, FORM, JSON, OAuthHttp};
use super::token::{TokenSet, TokenType};
use super::{answer, pkce};
use crate::catalog::{BodyEncoding, ClientConfig, Pkce, Provider};

/// `grant_type` of a signed assertion (RFC 7523 §2.1).
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// The step that goes to an endpoint of its own at some providers.
const REFRESH: &str = "refresh";

/// One client at one provider: asks for tokens and remembers nothing.
///
/// ```
/// # async fn example(
/// #     http: tool_connect_oauth::flow::OAuthHttp,
/// #     provider: tool_connect_oauth::catalog::Provider,
/// #     code: secrecy::SecretString,
/// # ) -> tool_connect_core::Result<()> {
/// use tool_connect_core::SystemClock;
/// use tool_connect_oauth::catalog::ClientConfig;
/// use tool_connect_oauth::flow::{Authorization, CodeExchange, TokenClient, Wanted};
///
/// let config = ClientConfig::confidential("Iv1.8a61f9b3a7aba766", "s3cret");
/// let client = TokenClient::new(&http, &provider, &config, &SystemClock);
/// let callback = "https://app.example/callback".parse().expect("a URL");
/// let request = client.authorize(&Authorization::new(callback).scopes(["repo"])).await?;
/// // The browser goes to `request.url`, and comes back with the code and `request.state`.
/// let wanted = Wanted { scopes: &request.scopes, ..Wanted::default() };
/// let (verifier, redirect_uri) = (&request.verifier, &request.redirect_uri);
/// let tokens = client.exchange(&CodeExchange { code: &code, verifier, redirect_uri, wanted }).await?;
/// let tokens = client.refresh(&tokens, &[]).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TokenClient<'a> {
    pub(super) http: &'a OAuthHttp,
    pub(super) provider: &'a Provider,
    pub(super) client: &'a ClientConfig,
    pub(super) clock: &'a dyn Clock,
}

/// What a token shall be good for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    /// Scopes.
    pub scopes: &'a [String],
    /// The resources it shall be accepted by (RFC 8707).
    pub resource: &'a [Url],
    /// The key that it shall be bound to (DPoP), as [`DpopKey::secret`](super::DpopKey::secret) has it.
    pub dpop_key: Option<&'a SecretString>,
}

/// A code and all that must be shown with it.
#[derive(Clone, Copy, Debug)]
pub struct CodeExchange<'a> {
    /// The code of the callback.
    pub code: &'a SecretString,
    /// The verifier of the authorization request.
    pub verifier: &'a SecretString,
    /// The redirect URI of the authorization request.
    pub redirect_uri: &'a Url,
    /// What was asked for: scopes, resource, key.
    pub wanted: Wanted<'a>,
}

impl<'a> TokenClient<'a> {
    /// A client at a provider.
    #[must_use]
    pub fn new(
        http: &'a OAuthHttp,
        provider: &'a Provider,
        client: &'a ClientConfig,
        clock: &'a dyn Clock,
    ) -> Self {
        Self { http, provider, client, clock }
    }

    /// Exchanges a code for tokens (RFC 6749 §4.1.3). The answer's scopes are those granted; where it names none, those
    /// that were asked for (§5.1).
    ///
    /// # Errors
    /// As [`refresh`](Self::refresh); [`ErrorKind::Config`] for a code verifier that RFC 7636 §4.1 does not allow.
    pub async fn exchange(&self, exchange: &CodeExchange<'_>) -> Result<TokenSet> {
        let step = "code exchange";
        if !pkce::is_verifier(exchange.verifier) {
            let what = "the code verifier must be 43 to 128 letters, digits, `-`, `.`, `_` or `~`";
            return Err(self.asked(step).error(ErrorKind::Config, what).effect(Effect::NotExecuted));
        }
        let form = Form::grant("authorization_code")
            .secret("code", exchange.code)
            .with("redirect_uri", exchange.redirect_uri.as_str())
            .resources(exchange.wanted.resource);
        let form = match self.provider.entry.pkce {
            Pkce::Refused => form,
            _ => form.secret("code_verifier", exchange.verifier),
        };
        self.granted(step, form, exchange.wanted).await
    }

    /// Renews tokens (RFC 6749 §6). What the answer leaves out is as it was: see [`TokenSet::merged_over`].
    ///
    /// # Errors
    /// [`ErrorKind::NeedsReauth`] for `invalid_grant` and its like, and where there is no refresh token; [`ErrorKind::Config`]
    /// for a client that the provider refuses, and for tokens of another issuer; else as [`OAuthHttp::get`]. An
    /// [`OAuthFailure`](super::OAuthFailure) tells the code.
    pub async fn refresh(&self, old: &TokenSet, resource: &[Url]) -> Result<TokenSet> {
        let asked = self.asked(REFRESH);
        let Some(refresh_token) = &old.refresh_token else {
            let what = "there is no refresh token; the user must consent again";
            return Err(asked.error(ErrorKind::NeedsReauth, what).effect(Effect::NotExecuted));
        };
        if let (Some(theirs), Some(ours)) = (&old.issuer, &self.provider.issuer)
            && theirs != ours
        {
            let what =
                "the tokens are another issuer's, which this one must not see; connect the account again";
            return Err(asked.error(ErrorKind::Config, what).effect(Effect::NotExecuted));
        }
        let mut form =
            Form::grant("refresh_token").secret("refresh_token", refresh_token).resources(resource);
        for (name, value) in &self.provider.entry.refresh_params {
            form.set(name, value);
        }
        let wanted = Wanted { dpop_key: old.dpop_key.as_ref(), ..Wanted::default() };
        let mut sent = Sent::default();
        // Not sent, but the server knows it and could name it.
        sent.hide(old.access_token.expose_secret());
        Ok(self.tokens(asked.step, form, wanted, sent).await?.merged_over(old))
    }

    /// Tokens for the client itself (RFC 6749 §4.4).
    ///
    /// # Errors
    /// As [`refresh`](Self::refresh).
    pub async fn client_credentials(&self, wanted: Wanted<'_>) -> Result<TokenSet> {
        let form = self.wanted(Form::grant("client_credentials"), wanted);
        self.granted("client credentials", form, wanted).await
    }

    /// Tokens for a service account (RFC 7523 §2.1).
    ///
    /// # Errors
    /// As [`refresh`](Self::refresh); [`ErrorKind::Config`] where its key cannot sign.
    pub async fn jwt_bearer(&self, account: &ServiceAccount, wanted: Wanted<'_>) -> Result<TokenSet> {
        let scope = wanted.scopes.join(&self.provider.entry.scopes.separator);
        let token_endpoint = self.provider.endpoints.token.as_str();
        let assertion = account.assertion(token_endpoint, &scope, self.clock.now())?;
        let form = self.wanted(Form::grant(JWT_BEARER).secret("assertion", &assertion), wanted);
        self.granted("service account", form, wanted).await
    }

    pub(super) fn asked(&self, step: &'static str) -> Asked<'a> {
        Asked::new(self.provider.id(), step)
    }

    pub(super) fn wanted(&self, form: Form, wanted: Wanted<'_>) -> Form {
        form.scopes("scope", &self.provider.entry.scopes.separator, wanted.scopes).resources(wanted.resource)
    }

    /// Asks for tokens with certain scopes: an answer that names none grants just those.
    pub(super) async fn granted(
        &self,
        step: &'static str,
        form: Form,
        wanted: Wanted<'_>,
    ) -> Result<TokenSet> {
        let mut tokens = self.tokens(step, form, wanted, Sent::default()).await?;
        if tokens.scopes.is_none() {
            tokens.scopes = Some(wanted.scopes.to_vec());
        }
        Ok(tokens)
    }

    /// Asks the token endpoint.
    async fn tokens(
        &self,
        step: &'static str,
        mut form: Form,
        wanted: Wanted<'_>,
        mut sent: Sent,
    ) -> Result<TokenSet> {
        let asked = self.asked(step);
        for (name, value) in &self.provider.entry.token_params {
            // What the grant itself says stands.
            if !form.has(name) {
                form.add(name, value);
            }
        }
        let key = wanted.dpop_key.map(DpopKey::from_secret).transpose()?;
        let sent_at = self.clock.now();
        let endpoints = &self.provider.endpoints;
        let url = match &endpoints.refresh {
            Some(refresh) if asked.step == REFRESH => refresh,
            _ => &endpoints.token,
        };
        let answer = self.ask_token_endpoint(asked, url, &form, key.as_ref(), &mut sent).await?;
        let mut tokens = answer::token_set(self.provider, asked, &answer, &sent, sent_at)?;
        let error = |what| Err(asked.error(ErrorKind::Provider, what).status(answer.status.as_u16()));
        match (tokens.token_type, key) {
            // RFC 9449 §5: a client that wants protection must not take a token without.
            (TokenType::Bearer, Some(_)) => {
                error("the token is not bound to the key that was offered (DPoP); do not ask for it here")
            }
            (TokenType::Dpop, None) => error("the token is bound to a key that was not offered (DPoP)"),
            (_, key) => {
                tokens.dpop_key = key.map(|key| key.secret().clone());
                Ok(tokens)
            }
        }
    }

    /// One request; one more where the server only wants its nonce in the proof (RFC 9449 §8), which it says before it looks
    /// at the grant.
    async fn ask_token_endpoint(
        &self,
        asked: Asked<'_>,
        url: &Url,
        form: &Form,
        key: Option<&DpopKey>,
        sent: &mut Sent,
    ) -> Result<Answer> {
        let nonces = self.http.dpop_nonces();
        let mut answer = self.ask_once(asked, url, form, key, sent).await?;
        if key.is_some() && nonces.learn(url, &answer.headers) && dpop::wants_nonce(&answer) {
            answer = self.ask_once(asked, url, form, key, sent).await?;
            nonces.learn(url, &answer.headers);
        }
        Ok(answer)
    }

    async fn ask_once(
        &self,
        asked: Asked<'_>,
        url: &Url,
        form: &Form,
        key: Option<&DpopKey>,
        sent: &mut Sent,
    ) -> Result<Answer> {
        let quirks = &self.provider.entry.token_request;
        // An assertion is good for one use, so the client proves itself anew each time.
        let (mut form, mut headers) = (form.clone(), HeaderMap::new());
        for (name, value) in &quirks.headers {
            headers.insert(header_name(asked, name)?, header_value(asked, name, value)?);
        }
        self.authenticate(asked, &mut form, &mut headers, sent)?;
        form.hide_in(sent);
        let form = form.renamed(&quirks.names);
        let method = if quirks.encoding == BodyEncoding::Query { Method::GET } else { Method::POST };
        if let Some(key) = key {
            let nonce = self.http.dpop_nonces().get(url);
            let proof = key.proof(&method, url, self.clock.now(), nonce.as_deref(), None)?;
            headers.insert(DPOP, dpop::sensitive(proof.expose_secret())?);
        }
        let body = match quirks.encoding {
            BodyEncoding::Query => {
                let mut url = url.clone();
                url.query_pairs_mut().extend_pairs(form.pairs());
                return self.http.send(asked, method, &url, headers, None).await;
            }
            BodyEncoding::Json => (JSON, form.json()),
            BodyEncoding::Form | BodyEncoding::Empty => (FORM, form.encoded()),
        };
        self.http.send(asked, method, url, headers, Some(body)).await
    }

    /// Sends a form to another of the server's endpoints, as the client. A failure comes back as an error.
    pub(super) async fn ask_endpoint(&self, asked: Asked<'_>, url: &Url, mut form: Form) -> Result<Answer> {
        let (mut headers, mut sent) = (HeaderMap::new(), Sent::default());
        self.authenticate(asked, &mut form, &mut headers, &mut sent)?;
        form.hide_in(&mut sent);
        let answer = self.http.send(asked, Method::POST, url, headers, Some((FORM, form.encoded()))).await?;
        if answer.status.is_success() {
            Ok(answer)
        } else {
            Err(failure::refused_hiding(asked, &answer, &sent))
        }
    }
}

/// A header's name from the catalog.
pub(super) fn header_name(asked: Asked<'_>, name: &str) -> Result<HeaderName> {
    HeaderName::try_from(name).map_err(|_| {
        asked.error(
            ErrorKind::Config,
            format_args!("`{}` of the catalog entry is no header name", name.escape_debug()),
        )
    })
}

/// A header's value from the catalog.
pub(super) fn header_value(asked: Asked<'_>, name: &str, value: &str) -> Result<HeaderValue> {
    HeaderValue::try_from(value).map_err(|_| {
        let what =
            format_args!("the value of header `{}` of the catalog entry does not fit", name.escape_debug());
        asked.error(ErrorKind::Config, what)
    })
}
