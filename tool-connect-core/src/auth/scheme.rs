//! Authentication schemes as data.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How a service wants requests to be authenticated: data, declared by the connector.
///
/// ```
/// use tool_connect_core::AuthScheme;
/// let scheme: AuthScheme = serde_json::from_value(serde_json::json!({
///     "type": "oauth2", "provider": "github", "scopes": ["repo"]
/// }))?;
/// assert_eq!(scheme, AuthScheme::oauth2("github", ["repo"]));
/// # Ok::<(), serde_json::Error>(())
/// ```
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
    /// OAuth 2 (RFC 6749) with a provider of the catalog.
    #[serde(rename = "oauth2")]
    OAuth2(OAuth2Scheme),
    /// A secret that is exchanged for a token with an end.
    TokenExchange(TokenExchange),
    /// Requests signed with an HMAC (RFC 2104).
    Hmac(HmacScheme),
    /// Requests signed as AWS wants it (Signature Version 4).
    #[serde(rename = "aws_sigv4")]
    AwsSigV4(AwsSigV4),
}

impl AuthScheme {
    /// The authorization code grant with a provider of the catalog.
    #[must_use]
    pub fn oauth2<S: Into<String>>(provider: impl Into<String>, scopes: impl IntoIterator<Item = S>) -> Self {
        Self::OAuth2(OAuth2Scheme {
            provider: provider.into(),
            scopes: scopes.into_iter().map(Into::into).collect(),
            grant: OAuthGrant::AuthorizationCode,
        })
    }
}

/// OAuth 2 with a provider of the catalog, where its endpoints and habits stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuth2Scheme {
    /// The catalog entry.
    pub provider: String,
    /// Scopes that are asked for when an account is connected, beside those of the tools in question.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// How the first token is got.
    #[serde(default)]
    pub grant: OAuthGrant,
}

/// How the first token is got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OAuthGrant {
    /// A user consents in a browser (RFC 6749 §4.1).
    #[default]
    AuthorizationCode,
    /// A user consents on another device (RFC 8628).
    DeviceCode,
    /// The client acts for itself (RFC 6749 §4.4).
    ClientCredentials,
    /// A signed assertion, as service accounts have it (RFC 7523 §2.1).
    JwtBearer,
}

/// Where a token goes in a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenPlace {
    /// Header name.
    #[serde(default = "authorization")]
    pub header: String,
    /// What stands before the token, its space included.
    #[serde(default = "bearer")]
    pub prefix: String,
}

fn authorization() -> String {
    "authorization".into()
}

fn bearer() -> String {
    "Bearer ".into()
}

impl Default for TokenPlace {
    fn default() -> Self {
        Self { header: authorization(), prefix: bearer() }
    }
}

/// A secret that is exchanged for a token: one request, whose answer holds the token and how long it lives.
///
/// In `fields` and `headers`, `{username}`, `{password}` and `{token}` stand for the parts of the credential, `{assertion}` for a
/// token that is signed with it, and `{name}` for a value of the connection's configuration.
///
/// A GitHub App's installation, whose credential is the app's client id and its private key:
///
/// ```
/// use tool_connect_core::{AuthScheme, TokenExchange};
/// let scheme: AuthScheme = serde_json::from_value(serde_json::json!({
///     "type": "token_exchange",
///     "url": "https://api.github.com/app/installations/{installation}/access_tokens",
///     "headers": { "authorization": "Bearer {assertion}" },
///     "assertion": { "algorithm": "RS256", "lifetime": "9m" },
///     "token": "/token",
///     "expires_at": "/expires_at"
/// }))?;
/// assert!(matches!(scheme, AuthScheme::TokenExchange(TokenExchange { assertion: Some(_), .. })));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenExchange {
    /// Where the secret is sent (POST); `{name}` stands for a value of the connection's configuration.
    pub url: String,
    /// How `fields` are written.
    #[serde(default)]
    pub encoding: ExchangeEncoding,
    /// What is sent; no body where there are none.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
    /// The token that `{assertion}` stands for.
    #[serde(default)]
    pub assertion: Option<Box<ExchangeAssertion>>,
    /// Headers that are sent, with the same placeholders.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// JSON pointer (RFC 6901) to the token in the answer.
    pub token: String,
    /// JSON pointer to its lifetime in seconds, where the answer has one.
    #[serde(default)]
    pub expires_in: Option<String>,
    /// JSON pointer to the moment when it ends, as RFC 3339 text, where the answer has that.
    #[serde(default)]
    pub expires_at: Option<String>,
    /// Its lifetime where the answer does not say; text such as `1h`.
    #[serde(default, with = "crate::duration::option")]
    pub lifetime: Option<Duration>,
    /// Where the token goes in requests.
    #[serde(default)]
    pub place: TokenPlace,
}

/// A JWT (RFC 7519) that proves possession of a private key: signed with the credential's password as the key (PEM), with the
/// credential's user name as `iss`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExchangeAssertion {
    /// What the key signs with.
    pub algorithm: JwtAlgorithm,
    /// How long it is good for; text such as `9m`.
    #[serde(with = "crate::duration")]
    pub lifetime: Duration,
    /// `aud`, where the service wants one.
    #[serde(default)]
    pub audience: Option<String>,
    /// `sub`, where the service wants one; placeholders as in `fields`.
    #[serde(default)]
    pub subject: Option<String>,
}

/// What a private key signs with (RFC 7518 §3.1, RFC 8037).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum JwtAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    #[serde(rename = "RS256")]
    Rs256,
    /// RSASSA-PSS with SHA-256.
    #[serde(rename = "PS256")]
    Ps256,
    /// ECDSA on P-256 with SHA-256.
    #[serde(rename = "ES256")]
    Es256,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
}

/// How the fields of a token exchange are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ExchangeEncoding {
    /// `application/json`.
    #[default]
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
}

/// Requests signed with an HMAC (RFC 2104) over a text made from the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HmacScheme {
    /// The hash.
    #[serde(default)]
    pub algorithm: HmacAlgorithm,
    /// What is signed: `{method}`, `{path}`, `{query}`, `{path_and_query}`, `{host}`, `{timestamp}` (Unix seconds),
    /// `{timestamp_millis}`, `{nonce}`, `{key_id}`, `{body}` and `{body_sha256}` (hexadecimal) are replaced.
    pub template: String,
    /// How the signature is written.
    #[serde(default)]
    pub encoding: TextEncoding,
    /// Headers that are set; beside the names above, `{signature}` is replaced.
    pub headers: BTreeMap<String, String>,
}

/// The hash of an HMAC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum HmacAlgorithm {
    /// SHA-256.
    #[default]
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// How bytes are written as text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TextEncoding {
    /// Hexadecimal, lower case.
    #[default]
    Hex,
    /// Base64 with padding (RFC 4648 §4).
    Base64,
}

/// What AWS Signature Version 4 needs beside the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AwsSigV4 {
    /// The service's signing name, `s3` say.
    pub service: String,
    /// The region, `eu-central-1` say; `{name}` stands for a value of the connection's configuration.
    pub region: String,
}
