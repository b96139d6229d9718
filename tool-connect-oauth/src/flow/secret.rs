//! What is sealed for a connection.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tool_connect_core::{Credential, Error, ErrorKind, Result};
use zeroize::Zeroizing;

use super::assertion::ServiceAccount;
use super::sealed::to_json;
use super::token::{Stored as StoredTokens, StoredRef as StoredTokensRef, TokenSet};

/// The secret behind a connection, as it is sealed.
///
/// ```
/// use tool_connect_core::Credential;
/// use tool_connect_oauth::flow::Secret;
///
/// let secret = Secret::Static(Credential::token("key-1"));
/// let bytes = secret.to_bytes()?;
/// assert!(matches!(Secret::from_bytes(&bytes)?, Secret::Static(Credential::Token(_))));
/// assert!(!format!("{secret:?}").contains("key-1"));
/// # Ok::<(), tool_connect_core::Error>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub enum Secret {
    /// Tokens that a user's consent, or the client's own credentials, brought.
    Tokens(TokenSet),
    /// A secret that stays as it is: an API key, a password, a signing key.
    Static(Credential),
    /// A service account's key, and the tokens that it last brought.
    ServiceAccount {
        /// The account and its key.
        account: ServiceAccount,
        /// The last tokens.
        tokens: Option<TokenSet>,
    },
}

impl Secret {
    /// The tokens, where there are any.
    #[must_use]
    pub fn tokens(&self) -> Option<&TokenSet> {
        match self {
            Self::Tokens(tokens) | Self::ServiceAccount { tokens: Some(tokens), .. } => Some(tokens),
            Self::Static(_) | Self::ServiceAccount { tokens: None, .. } => None,
        }
    }

    /// The secret as bytes for a vault; nobody else may see them.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] for a kind of [`Credential`] that this version does not know.
    pub fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>> {
        let stored = match self {
            Self::Tokens(tokens) => StoredRef::Tokens(tokens.stored()),
            Self::Static(credential) => StoredRef::Static(CredentialRef::of(credential)?),
            Self::ServiceAccount { account, tokens } => StoredRef::ServiceAccount {
                account: account.stored(),
                tokens: tokens.as_ref().map(TokenSet::stored),
            },
        };
        Ok(to_json(&stored))
    }

    /// What [`to_bytes`](Self::to_bytes) made.
    ///
    /// # Errors
    /// [`ErrorKind::Vault`] where the bytes are something else. The error repeats none of them.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let stored: Stored = serde_json::from_slice(bytes).map_err(|_| {
            Error::new(
                ErrorKind::Vault,
                "a sealed credential is in a form that this version does not know; connect the account again, or run \
                 the version that wrote it",
            )
        })?;
        Ok(match stored {
            Stored::Tokens(tokens) => Self::Tokens(tokens.into()),
            Stored::Static(credential) => Self::Static(credential.into()),
            Stored::ServiceAccount { account, tokens } => {
                Self::ServiceAccount { account: account.into(), tokens: tokens.map(Into::into) }
            }
        })
    }
}

impl From<TokenSet> for Secret {
    fn from(tokens: TokenSet) -> Self {
        Self::Tokens(tokens)
    }
}

impl From<Credential> for Secret {
    fn from(credential: Credential) -> Self {
        Self::Static(credential)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tokens(tokens) => f.debug_tuple("Tokens").field(tokens).finish(),
            Self::Static(credential) => f.debug_tuple("Static").field(credential).finish(),
            Self::ServiceAccount { account, tokens } => {
                f.debug_struct("ServiceAccount").field("account", account).field("tokens", tokens).finish()
            }
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum StoredRef<'a> {
    Tokens(StoredTokensRef<'a>),
    Static(CredentialRef<'a>),
    ServiceAccount { account: super::assertion::StoredRef<'a>, tokens: Option<StoredTokensRef<'a>> },
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stored {
    Tokens(StoredTokens),
    Static(StoredCredential),
    ServiceAccount { account: super::assertion::Stored, tokens: Option<StoredTokens> },
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum CredentialRef<'a> {
    Token {
        token: &'a str,
    },
    Basic {
        username: &'a str,
        password: &'a str,
    },
    SigningKey {
        id: &'a str,
        secret: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        session: Option<&'a str>,
    },
}

impl<'a> CredentialRef<'a> {
    fn of(credential: &'a Credential) -> Result<Self> {
        Ok(match credential {
            Credential::Token(token) => Self::Token { token: token.expose_secret() },
            Credential::Basic { username, password } => {
                Self::Basic { username, password: password.expose_secret() }
            }
            Credential::SigningKey { id, secret, session } => Self::SigningKey {
                id,
                secret: secret.expose_secret(),
                session: session.as_ref().map(ExposeSecret::expose_secret),
            },
            _ => {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    "this kind of credential cannot be stored; use a token, a user name with a password, or a key pair",
                ));
            }
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredCredential {
    Token { token: SecretString },
    Basic { username: String, password: SecretString },
    SigningKey { id: String, secret: SecretString, session: Option<SecretString> },
}

impl From<StoredCredential> for Credential {
    fn from(stored: StoredCredential) -> Self {
        match stored {
            StoredCredential::Token { token } => Self::Token(token),
            StoredCredential::Basic { username, password } => Self::Basic { username, password },
            StoredCredential::SigningKey { id, secret, session } => Self::SigningKey { id, secret, session },
        }
    }
}
