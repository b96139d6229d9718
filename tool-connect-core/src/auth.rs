//! How a service wants to be spoken to, and who may see the secret.

use std::fmt;

use async_trait::async_trait;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::connection::Connection;
use crate::error::Result;

/// How a service wants requests to be authenticated: data, declared by the connector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum AuthScheme {
    /// Requests carry no secret and need no connection.
    None,
    /// A key in a header, with what stands before it (`"Token "`, say).
    ApiKeyHeader {
        /// Header name.
        header: String,
        /// What stands before the key.
        #[serde(default)]
        prefix: String,
    },
    /// A key in the query string; it may end up in the provider's logs, so prefer a header.
    ApiKeyQuery {
        /// Query parameter.
        parameter: String,
    },
    /// A bearer token (RFC 6750 §2.1): OAuth access tokens and personal tokens.
    Bearer,
    /// User name and password (RFC 7617).
    Basic,
}

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
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token(_) => "Token([REDACTED])",
            Self::Basic { .. } => "Basic([REDACTED])",
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
    /// # Errors
    /// [`ErrorKind::NeedsReauth`](crate::ErrorKind::NeedsReauth) where there is no usable secret,
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) where it does not fit the scheme. Neither
    /// may repeat the secret.
    async fn sign(
        &self,
        connection: &Connection,
        scheme: &AuthScheme,
        request: &mut http::request::Parts,
    ) -> Result<CredentialVersion>;

    /// Hears that the provider refused (401) a request signed with this version. Returns whether a
    /// request signed anew may fare better.
    ///
    /// # Errors
    /// Where a store fails.
    async fn refused(&self, connection: &Connection, version: CredentialVersion) -> Result<bool>;
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
