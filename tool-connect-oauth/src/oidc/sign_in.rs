//! Sign-in with an OpenID provider: authorization code, PKCE, nonce.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use secrecy::SecretString;
use tool_connect_core::{Clock, Error, ErrorKind, Result};
use url::Url;

use super::id_token::{Expected, Identity, check};
use super::keys::Keys;
use super::pending::PendingSignIn;
use super::{callback, denied};
use crate::catalog::{ClientConfig, Provider};
use crate::discovery::ServerMetadata;
use crate::flow::{Authorization, CodeExchange, OAuthHttp, TokenClient, TokenSet, Wanted};

/// Signs users in at one issuer with one client.
///
/// ```
/// # async fn example(http: tool_connect_oauth::flow::OAuthHttp, query: &str) -> tool_connect_core::Result<()> {
/// use std::sync::Arc;
/// use tool_connect_core::SystemClock;
/// use tool_connect_oauth::catalog::ClientConfig;
/// use tool_connect_oauth::discovery::Discovery;
/// use tool_connect_oauth::oidc::SignIn;
///
/// let clock = Arc::new(SystemClock);
/// let issuer = Discovery::new(http.clone(), clock.clone()).server("https://id.example").await?;
/// let client = ClientConfig::confidential("app", "s3cret");
/// let sign_in = SignIn::new(http, &issuer, client, clock)?;
///
/// let (url, pending) = sign_in.begin("https://app.example/signed-in".parse().expect("a URL"), ["email"]).await?;
/// // Keep `pending` in this browser's session, send it to `url`; when it is back with a query:
/// let signed_in = sign_in.finish(&pending, query).await?;
/// println!("{} of {}", signed_in.identity.subject, signed_in.identity.issuer);
/// # let _ = url;
/// # Ok(())
/// # }
/// ```
pub struct SignIn {
    http: OAuthHttp,
    provider: Provider,
    client: ClientConfig,
    keys: Keys,
    clock: Arc<dyn Clock>,
    issuer: String,
    names_itself: bool,
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIn")
            .field("issuer", &self.issuer)
            .field("client", &self.client.id)
            .finish_non_exhaustive()
    }
}

/// A user who signed in. `Debug` prints no token.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SignedIn {
    /// Who.
    pub identity: Identity,
    /// The tokens that came along.
    pub tokens: TokenSet,
}

impl SignIn {
    /// Sign-in at an issuer whose metadata was discovered.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] where the issuer has no authorization endpoint or publishes no keys.
    pub fn new(
        http: OAuthHttp,
        server: &ServerMetadata,
        client: ClientConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        let provider = server.entry("sign_in").resolve(&BTreeMap::new())?;
        provider.authorize_endpoint()?;
        Ok(Self {
            keys: Keys::new(http.clone(), Arc::clone(&clock), server)?,
            http,
            provider,
            client,
            clock,
            issuer: server.issuer.clone(),
            names_itself: server.authorization_response_iss_parameter_supported,
        })
    }

    /// The address where the browser goes, and what must be kept for it. `scopes` are those beside `openid`.
    ///
    /// # Errors
    /// As [`TokenClient::authorize`].
    pub async fn begin<S: Into<String>>(
        &self,
        redirect_uri: Url,
        scopes: impl IntoIterator<Item = S>,
    ) -> Result<(Url, PendingSignIn)> {
        let scopes = std::iter::once("openid".to_owned()).chain(scopes.into_iter().map(Into::into));
        let request = self.tokens().authorize(&Authorization::new(redirect_uri).scopes(scopes)).await?;
        let nonce = request.nonce.ok_or_else(|| {
            Error::new(ErrorKind::Internal, "an authorization request for `openid` has no nonce")
        })?;
        let pending = PendingSignIn {
            issuer: self.issuer.clone(),
            state: request.state,
            verifier: request.verifier,
            nonce,
            redirect_uri: request.redirect_uri,
        };
        Ok((request.url, pending))
    }

    /// Ends a sign-in: `query` is what the browser brought back. The caller takes `pending` out of the browser's session
    /// first, so that it serves once.
    ///
    /// # Errors
    /// [`ErrorKind::Denied`] where the user or the issuer said no, where the answer belongs to another sign-in or issuer,
    /// and where the ID token is not good; those of [`TokenClient::exchange`]. None repeats a secret.
    pub async fn finish(&self, pending: &PendingSignIn, query: &str) -> Result<SignedIn> {
        if pending.issuer != self.issuer {
            return Err(denied("sign-in", "it was begun at another issuer"));
        }
        let code = callback::code(query, &pending.state, &self.issuer, self.names_itself)?;
        let exchange = CodeExchange {
            code: &code,
            verifier: &pending.verifier,
            redirect_uri: &pending.redirect_uri,
            wanted: Wanted::default(),
        };
        let tokens = self.tokens().exchange(&exchange).await?;
        let Some(id_token) = &tokens.id_token else {
            return Err(Error::new(
                ErrorKind::Provider,
                format!("issuer `{}` sent no ID token", self.issuer.escape_debug()),
            ));
        };
        let identity = self.identity(id_token, pending, &tokens.access_token).await?;
        Ok(SignedIn { identity, tokens })
    }

    async fn identity(
        &self,
        id_token: &SecretString,
        pending: &PendingSignIn,
        access_token: &SecretString,
    ) -> Result<Identity> {
        use secrecy::ExposeSecret as _;
        let (_, key) = self.keys.of("ID token", id_token.expose_secret()).await?;
        let expected = Expected {
            issuer: &self.issuer,
            client_id: &self.client.id,
            nonce: &pending.nonce,
            access_token,
            now: self.clock.now(),
        };
        check(id_token, &key, &expected)
    }

    fn tokens(&self) -> TokenClient<'_> {
        TokenClient::new(&self.http, &self.provider, &self.client, &*self.clock)
    }
}
