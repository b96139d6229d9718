//! What a host registered at a provider.

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;
use secrecy::SecretString;
use tool_connect_core::{JwtAlgorithm, Result, TenantId};
use url::Url;

/// A client as it is registered at a provider. `Debug` prints no secret.
///
/// ```
/// use tool_connect_oauth::catalog::{ClientAuth, ClientConfig};
/// let client = ClientConfig::confidential("Iv1.8a61f9b3a7aba766", "s3cret");
/// assert!(matches!(client.auth, ClientAuth::Basic));
/// assert!(!format!("{client:?}").contains("s3cret"));
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct ClientConfig {
    /// `client_id`.
    pub id: String,
    /// `client_secret`; a public client has none.
    pub secret: Option<SecretString>,
    /// How the client authenticates at the token endpoint.
    pub auth: ClientAuth,
    /// The redirect URI that is registered, where it is not the host's usual one.
    pub redirect_uri: Option<Url>,
    /// What else the host wants added to authorization requests of this client (`hd`, `audience`); no secrets.
    pub extra: BTreeMap<String, String>,
}

impl ClientConfig {
    /// A client without a secret.
    #[must_use]
    pub fn public(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            secret: None,
            auth: ClientAuth::None,
            redirect_uri: None,
            extra: BTreeMap::new(),
        }
    }

    /// A client with a secret, which it sends by basic authentication.
    #[must_use]
    pub fn confidential(id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self { secret: Some(SecretString::from(secret.into())), auth: ClientAuth::Basic, ..Self::public(id) }
    }

    /// Sets how it authenticates.
    #[must_use]
    pub fn auth(mut self, auth: ClientAuth) -> Self {
        self.auth = auth;
        self
    }

    /// Sets the redirect URI.
    #[must_use]
    pub fn redirect_uri(mut self, uri: Url) -> Self {
        self.redirect_uri = Some(uri);
        self
    }

    /// Adds a parameter to the authorization requests.
    #[must_use]
    pub fn extra(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.extra.insert(name.into(), value.into());
        self
    }
}

impl fmt::Debug for ClientConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientConfig")
            .field("id", &self.id)
            .field("secret", &self.secret.as_ref().map(|_| "[REDACTED]"))
            .field("auth", &self.auth)
            .field("redirect_uri", &self.redirect_uri.as_ref().map(Url::as_str))
            .field("extra", &self.extra)
            .finish()
    }
}

/// How a client authenticates at the token endpoint (RFC 6749 §2.3, RFC 7523 §2.2). `Debug` prints no key.
#[derive(Clone)]
#[non_exhaustive]
pub enum ClientAuth {
    /// Not at all: a public client.
    None,
    /// `client_secret_basic`.
    Basic,
    /// `client_secret_post`.
    Post,
    /// `private_key_jwt`.
    PrivateKeyJwt {
        /// Private key, PEM (PKCS#8).
        key: SecretString,
        /// What it signs with.
        alg: JwtAlgorithm,
        /// `kid`: which of the client's keys it is.
        kid: Option<String>,
    },
}

impl fmt::Debug for ClientAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Basic => f.write_str("Basic"),
            Self::Post => f.write_str("Post"),
            Self::PrivateKeyJwt { alg, kid, .. } => {
                f.debug_struct("PrivateKeyJwt").field("alg", alg).field("kid", kid).finish_non_exhaustive()
            }
        }
    }
}

/// Where client configurations come from.
#[async_trait]
pub trait ClientSource: Send + Sync + 'static {
    /// The client that a tenant uses at a provider; `name` chooses among several, `None` is the default one. `Ok(None)`
    /// where this source has none.
    ///
    /// # Errors
    /// Where the look-up fails or what is configured is wrong: that is not the same as "there is none".
    async fn client(
        &self,
        tenant: &TenantId,
        provider: &str,
        name: Option<&str>,
    ) -> Result<Option<ClientConfig>>;
}
