//! Where providers depart from the RFCs, as data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tool_connect_core::{HmacAlgorithm, Rate, TextEncoding};

/// How token requests are written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TokenRequest {
    /// How the body is written.
    #[serde(default)]
    pub encoding: BodyEncoding,
    /// Headers that are added.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// How id and secret go into basic authentication.
    #[serde(default)]
    pub basic: BasicEncoding,
    /// Fields that have another name there: the one of the RFCs, and the provider's (`client_id = "client_key"`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub names: BTreeMap<String, String>,
}

/// How a body is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BodyEncoding {
    /// `application/x-www-form-urlencoded`, as RFC 6749 has it.
    #[default]
    Form,
    /// `application/json`.
    Json,
    /// There is no body.
    Empty,
    /// There is no body: the fields stand in the address, and the method is `GET`. Only for providers that take nothing
    /// else, because secrets in addresses end up in logs.
    Query,
}

/// How id and secret go into basic authentication.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BasicEncoding {
    /// Form-encoded first, as RFC 6749 §2.3.1 has it.
    #[default]
    Form,
    /// As they are.
    Raw,
}

/// Where things are in token answers: JSON pointers (RFC 6901), the defaults as RFC 6749 §5.1 has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct TokenResponse {
    /// The access token.
    pub access_token: String,
    /// The refresh token.
    pub refresh_token: String,
    /// The access token's lifetime, as a number or as text that is one.
    pub expires_in: Lifetime,
    /// When the access token ends, where the answer says that and no lifetime: seconds since 1970, or text as RFC 3339 has
    /// it, in UTC. A lifetime that is there counts first: it does not depend on whose clock is right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// The refresh token's lifetime, where the answer says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_expires_in: Option<Lifetime>,
    /// The granted scopes: text, or an array of texts.
    pub scope: String,
    /// What stands between granted scopes, where it is not what stands between those asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope_separator: Option<String>,
    /// Whether the answer names the granted scopes. Where it does not, those asked for count as granted.
    pub names_scopes: bool,
    /// An error's code, text or a number: where it is there, and is not 0, the answer is a failure whatever its status says.
    pub error: String,
    /// Codes that mean `invalid_grant` here, the user must consent again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub invalid_grant: Vec<String>,
    /// What else is kept: a name, and where it is. Never a secret: it is shown to connectors.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub extra: BTreeMap<String, String>,
}

impl Default for TokenResponse {
    fn default() -> Self {
        Self {
            access_token: "/access_token".into(),
            refresh_token: "/refresh_token".into(),
            expires_in: "/expires_in".into(),
            expires_at: None,
            refresh_expires_in: None,
            scope: "/scope".into(),
            scope_separator: None,
            names_scopes: true,
            error: "/error".into(),
            invalid_grant: Vec::new(),
            extra: BTreeMap::new(),
        }
    }
}

/// Where a lifetime is, and what it counts. In a file a pointer alone for seconds, else a table:
/// `expires_in = { at = "/data/ttl", unit = "milliseconds" }`.
///
/// ```
/// use tool_connect_oauth::catalog::{Lifetime, TimeUnit};
/// assert_eq!(Lifetime::from("/data/ttl"), Lifetime::new("/data/ttl", TimeUnit::Seconds));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "WrittenLifetime", into = "WrittenLifetime")]
#[non_exhaustive]
pub struct Lifetime {
    /// JSON pointer.
    pub at: String,
    /// What it counts.
    pub unit: TimeUnit,
}

impl Lifetime {
    /// A lifetime at this pointer.
    #[must_use]
    pub fn new(at: impl Into<String>, unit: TimeUnit) -> Self {
        Self { at: at.into(), unit }
    }
}

impl From<&str> for Lifetime {
    fn from(at: &str) -> Self {
        Self::new(at, TimeUnit::Seconds)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "a JSON pointer, or a table with `at` and `unit`")]
enum WrittenLifetime {
    Seconds(String),
    Counted(CountedLifetime),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CountedLifetime {
    at: String,
    unit: TimeUnit,
}

impl From<WrittenLifetime> for Lifetime {
    fn from(written: WrittenLifetime) -> Self {
        match written {
            WrittenLifetime::Seconds(at) => Self::new(at, TimeUnit::Seconds),
            WrittenLifetime::Counted(CountedLifetime { at, unit }) => Self::new(at, unit),
        }
    }
}

impl From<Lifetime> for WrittenLifetime {
    fn from(lifetime: Lifetime) -> Self {
        let Lifetime { at, unit } = lifetime;
        match unit {
            TimeUnit::Seconds => Self::Seconds(at),
            TimeUnit::Milliseconds => Self::Counted(CountedLifetime { at, unit }),
        }
    }
}

/// What a lifetime counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TimeUnit {
    /// Seconds.
    #[default]
    Seconds,
    /// Milliseconds.
    Milliseconds,
}

/// Method of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[non_exhaustive]
pub enum Method {
    /// `GET`.
    #[default]
    Get,
    /// `POST`.
    Post,
    /// `DELETE`.
    Delete,
}

/// How access is given up where the provider does not follow RFC 7009.
///
/// In `fields` and `headers`, `{token}` stands for the token, `{client_id}` and `{client_secret}` for the client's, and
/// `{extra.name}` for what the token answer had under that name; in `url`, `{client_id}` and the entry's parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Revocation {
    /// Method.
    pub method: Method,
    /// Where to.
    pub url: String,
    /// Who authenticates, and how.
    pub auth: RevocationAuth,
    /// How `fields` are written.
    #[serde(default)]
    pub encoding: BodyEncoding,
    /// What is sent.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
    /// Headers that are added.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Whether `{token}` is the refresh token, where there is one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refresh_token: bool,
}

/// Who authenticates a revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RevocationAuth {
    /// The client, with basic authentication.
    ClientBasic,
    /// The client's secret alone, as a bearer token.
    ClientSecretBearer,
    /// The access token, where API requests have it.
    AccessToken,
    /// Nobody beside what the fields say.
    Fields,
}

/// A published rate limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Limit {
    /// What it counts, for whom, in a few words: `requests, per user and app`.
    pub counts: String,
    /// How many in how long.
    pub rate: Rate,
}

/// How a provider signs its webhooks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Webhook {
    /// The header that holds the signature or the shared token; for [`WebhookSignature::BodyField`] the JSON pointer.
    pub place: String,
    /// What it is.
    pub signature: WebhookSignature,
    /// What is signed: `{body}`, `{timestamp}`, `{method}` and `{url}` are replaced.
    #[serde(default = "body")]
    pub template: String,
    /// The header that holds the time, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp_header: Option<String>,
    /// How the signature is written.
    #[serde(default)]
    pub encoding: TextEncoding,
    /// What stands before the signature.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// Where the secret comes from, and what else a person should know.
    pub note: String,
}

fn body() -> String {
    "{body}".into()
}

/// What proves that a webhook is the provider's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WebhookSignature {
    /// An HMAC of the template with this hash.
    Hmac(HmacAlgorithm),
    /// An HMAC with SHA-1, which is still sound in an HMAC.
    HmacSha1,
    /// A secret in a header, in clear.
    SharedToken,
    /// A secret in the body, in clear.
    BodyField,
}
