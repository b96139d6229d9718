//! How a service wants to be spoken to, and who may see the secret: schemes as data, credentials that nothing
//! prints, and the Authenticator, which alone brings the two together.

mod apply;
mod scheme;

use std::fmt;

use async_trait::async_trait;
use secrecy::SecretString;

pub use apply::apply;
pub use scheme::{
    AuthScheme, AwsSigV4, ExchangeAssertion, ExchangeEncoding, HmacAlgorithm, HmacScheme, JwtAlgorithm,
    OAuth2Scheme, OAuthGrant, TextEncoding, TokenExchange, TokenPlace,
};

use crate::connection::Connection;
use crate::error::Result;

/// The secret behind a connection; seen only by a vault and an [`Authenticator`].
///
/// Nothing prints it, and it does not serialise.
///
/// ```
/// use tool_connect_core::Credential;
/// let token = Credential::token("s3cret");
/// assert!(!format!("{token:?}").contains("s3cret"));
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub enum Credential {
    /// An API key or bearer token.
    Token(SecretString),
    /// A user name and a password.
    Basic {
        /// User name; not secret by itself.
        username: String,
        /// Password.
        password: SecretString,
    },
    /// A key pair that signs requests (AWS SigV4, HMAC).
    SigningKey {
        /// The key's public id.
        id: String,
        /// What signs.
        secret: SecretString,
        /// A session token that goes with temporary keys.
        session: Option<SecretString>,
    },
}

impl Credential {
    /// An API key or bearer token.
    #[must_use]
    pub fn token(secret: impl Into<String>) -> Self {
        Self::Token(SecretString::from(secret.into()))
    }

    /// A user name and a password.
    #[must_use]
    pub fn basic(username: impl Into<String>, password: impl Into<String>) -> Self {
        Self::Basic { username: username.into(), password: SecretString::from(password.into()) }
    }

    /// A key pair that signs requests.
    #[must_use]
    pub fn signing_key(id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self::SigningKey { id: id.into(), secret: SecretString::from(secret.into()), session: None }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token(_) => "Token([REDACTED])",
            Self::Basic { .. } => "Basic([REDACTED])",
            Self::SigningKey { .. } => "SigningKey([REDACTED])",
        })
    }
}

/// Which state of a credential a request was signed with; a refused one is invalidated by it.
pub type CredentialVersion = u64;

/// Signs requests for a connection: the only place outside the vault where a secret is in clear.
///
/// The Hub resolves one from the scheme and the connection.
#[async_trait]
pub trait Authenticator: Send + Sync + 'static {
    /// Adds the secret to a request that is about to be sent.
    ///
    /// `body` is what will be sent, for schemes that sign it; `None` where it is a stream.
    ///
    /// # Errors
    /// [`ErrorKind::NeedsReauth`](crate::ErrorKind::NeedsReauth) where there is no usable secret,
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) where it does not fit the scheme. Neither
    /// may repeat the secret.
    async fn sign(
        &self,
        connection: &Connection,
        scheme: &AuthScheme,
        request: &mut http::request::Parts,
        body: Option<&[u8]>,
    ) -> Result<CredentialVersion>;

    /// Hears that the provider refused (401) a request signed with this version. Returns whether a
    /// request signed anew may fare better.
    ///
    /// # Errors
    /// Where a store fails.
    async fn refused(&self, connection: &Connection, version: CredentialVersion) -> Result<bool>;

    /// Reads the head of an answer to a request that it signed. Returns whether the request, signed anew, is worth sending
    /// once more although the credential is good: a resource that wants its nonce in the proof of possession
    /// (RFC 9449 §9).
    ///
    /// Heard before [`refused`](Self::refused), on every answer; whoever needs none of it leaves it as it is.
    ///
    /// # Errors
    /// Where the answer cannot be judged.
    fn answered(
        &self,
        connection: &Connection,
        request: &http::Uri,
        answer: &http::response::Parts,
    ) -> Result<bool> {
        let _ = (connection, request, answer);
        Ok(false)
    }
}

/// Where a host keeps the secrets that it supplies itself.
#[async_trait]
pub trait CredentialSource: Send + Sync + 'static {
    /// The secret of a connection and its version; `None` where there is none.
    ///
    /// A changed secret must have another version.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`](crate::ErrorKind::Storage) where the look-up fails: that is not the
    /// same as "there is none".
    async fn credential(&self, connection: &Connection) -> Result<Option<(Credential, CredentialVersion)>>;
}
