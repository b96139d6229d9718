//! A provider as data, as it stands in its TOML file.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tool_connect_core::TokenPlace;

use super::quirks::{Limit, Method, Revocation, TokenRequest, TokenResponse, Webhook};

/// All that is known of a provider: where its endpoints are and how it departs from the RFCs.
///
/// Addresses may hold `{name}` for a declared [`Parameter`]; [`resolve`](ProviderEntry::resolve) fills them in.
///
/// ```
/// use std::collections::BTreeMap;
/// use tool_connect_oauth::catalog::ProviderEntry;
///
/// let entry = ProviderEntry::from_toml(r#"
///     id = "acme"
///     name = "Acme"
///     [documentation]
///     oauth = "https://acme.example/docs/oauth"
///     [endpoints]
///     authorize = "https://{region}.acme.example/oauth/authorize"
///     token = "https://{region}.acme.example/oauth/token"
///     [parameters.region]
///     description = "The region of the account: `eu` or `us`."
///     pattern = "eu|us"
///     example = "eu"
/// "#)?;
/// let provider = entry.resolve(&BTreeMap::from([("region".to_owned(), "us".to_owned())]))?;
/// assert_eq!(provider.endpoints.token.as_str(), "https://us.acme.example/oauth/token");
/// assert!(entry.resolve(&BTreeMap::from([("region".to_owned(), "evil.example/".to_owned())])).is_err());
/// # Ok::<(), tool_connect_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ProviderEntry {
    /// The id by which connectors refer to it: `[a-z][a-z0-9_]*`.
    pub id: String,
    /// The provider's name, for people.
    pub name: String,
    /// The authorization server's issuer (RFC 8414), where it has one: what `iss` in its answers must be, and where its
    /// metadata is. May hold parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The provider's own pages that say what stands here.
    pub documentation: Documentation,
    /// Where requests go.
    pub endpoints: Endpoints,
    /// The root of the provider's API, where it is the same for every connector of it. May hold parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<String>,
    /// What addresses need to know of a connection: a site, a shop.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, Parameter>,
    /// Scopes and how they are asked for.
    #[serde(default)]
    pub scopes: Scopes,
    /// Parameters that are added to the authorization request.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub authorize_params: BTreeMap<String, String>,
    /// Parameters of the authorization request that have another name there: the one of the RFCs, and the provider's
    /// (`client_id = "client_key"`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub authorize_names: BTreeMap<String, String>,
    /// Parameters that are added to every token request.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub token_params: BTreeMap<String, String>,
    /// Parameters that are added to refresh requests, before those of `token_params`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refresh_params: BTreeMap<String, String>,
    /// How token requests are written.
    #[serde(default)]
    pub token_request: TokenRequest,
    /// Where things are in token answers.
    #[serde(default)]
    pub token_response: TokenResponse,
    /// Refresh tokens: what yields one and what using one does.
    #[serde(default)]
    pub refresh: Refresh,
    /// How clients may authenticate. A client's configuration chooses among them; a secret goes into the header or the body
    /// as it says, unless the provider takes only the other.
    #[serde(default = "default_client_auth")]
    pub client_auth: Vec<ClientAuthMethod>,
    /// What the provider makes of PKCE (RFC 7636). S256 is sent unless it refuses that.
    #[serde(default)]
    pub pkce: Pkce,
    /// How to find out which account was connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<Probe>,
    /// How access is given up, where it is not as RFC 7009 has it at `endpoints.revoke`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocation: Option<Revocation>,
    /// Published rate limits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<Limit>,
    /// Where the access token goes in API requests.
    #[serde(default)]
    pub token_place: TokenPlace,
    /// How the provider signs webhooks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<Webhook>,
    /// Where independent sources name other endpoints: the endpoint's name, and why this entry is right nevertheless.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub disagreement: BTreeMap<String, String>,
    /// Whether `http` is accepted for addresses on this machine (`127.0.0.1`, `[::1]`, `localhost`): for development.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_loopback: bool,
}

fn default_client_auth() -> Vec<ClientAuthMethod> {
    vec![ClientAuthMethod::Basic, ClientAuthMethod::Post]
}

impl ProviderEntry {
    /// An entry with a token endpoint and the defaults of the RFCs.
    #[must_use]
    pub fn new(id: impl Into<String>, token_endpoint: impl Into<String>) -> Self {
        let id = id.into();
        Self {
            name: id.clone(),
            id,
            issuer: None,
            documentation: Documentation::default(),
            endpoints: Endpoints::new(token_endpoint.into()),
            api: None,
            parameters: BTreeMap::new(),
            scopes: Scopes::default(),
            authorize_params: BTreeMap::new(),
            authorize_names: BTreeMap::new(),
            token_params: BTreeMap::new(),
            refresh_params: BTreeMap::new(),
            token_request: TokenRequest::default(),
            token_response: TokenResponse::default(),
            refresh: Refresh::default(),
            client_auth: default_client_auth(),
            pkce: Pkce::default(),
            probe: None,
            revocation: None,
            limits: Vec::new(),
            token_place: TokenPlace::default(),
            webhook: None,
            disagreement: BTreeMap::new(),
            allow_loopback: false,
        }
    }
}

/// The provider's own pages that say what an entry says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Documentation {
    /// How authorization works there.
    pub oauth: String,
    /// What scopes there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<String>,
    /// How refresh tokens behave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<String>,
    /// How access is revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocation: Option<String>,
    /// What the identity probe answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<String>,
    /// The rate limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<String>,
    /// How webhooks are signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<String>,
    /// The day on which the entry was last gone through with these pages at hand, `2026-11-23`; they may say more by now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked: Option<String>,
}

/// Where requests go: text with parameters in an entry, addresses in a resolved provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Endpoints<T = String> {
    /// Authorization endpoint (RFC 6749 §3.1); a browser is sent there.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub authorize: Option<T>,
    /// Token endpoint (RFC 6749 §3.2).
    pub token: T,
    /// Where refresh tokens are used, where that is not the token endpoint.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub refresh: Option<T>,
    /// Device authorization endpoint (RFC 8628 §3.1).
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub device: Option<T>,
    /// Revocation endpoint (RFC 7009).
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub revoke: Option<T>,
    /// Pushed authorization request endpoint (RFC 9126).
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub par: Option<T>,
    /// Introspection endpoint (RFC 7662).
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub introspect: Option<T>,
    /// OpenID Connect's userinfo endpoint.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub userinfo: Option<T>,
    /// Client registration endpoint (RFC 7591).
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub registration: Option<T>,
}

fn none<T>() -> Option<T> {
    None
}

impl<T> Endpoints<T> {
    /// A token endpoint alone.
    #[must_use]
    pub fn new(token: T) -> Self {
        Self {
            authorize: None,
            token,
            refresh: None,
            device: None,
            revoke: None,
            par: None,
            introspect: None,
            userinfo: None,
            registration: None,
        }
    }

    /// The endpoints that are there, each with its name in the file.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &T)> {
        [
            ("authorize", self.authorize.as_ref()),
            ("token", Some(&self.token)),
            ("refresh", self.refresh.as_ref()),
            ("device", self.device.as_ref()),
            ("revoke", self.revoke.as_ref()),
            ("par", self.par.as_ref()),
            ("introspect", self.introspect.as_ref()),
            ("userinfo", self.userinfo.as_ref()),
            ("registration", self.registration.as_ref()),
        ]
        .into_iter()
        .filter_map(|(name, endpoint)| Some((name, endpoint?)))
    }
}

/// A value of the connection's configuration that addresses hold as `{name}`.
///
/// Beside its pattern, a value may hold only letters, digits, `.`, `-`, `_` and `~`; in a host, only what a host name may.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// What to enter, for the person who connects the account.
    pub description: String,
    /// Regular expression that the whole value must match.
    pub pattern: String,
    /// A value that matches.
    pub example: String,
    /// What is taken where the connection has no such value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
}

/// Scopes and how they are asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Scopes {
    /// What stands between two scopes in a request.
    #[serde(default = "space")]
    pub separator: String,
    /// Name of the parameter of the authorization request that holds them.
    #[serde(default = "scope")]
    pub parameter: String,
    /// Whether the provider has no use for the parameter: scopes are chosen where the client is registered, or there are none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_registration: bool,
    /// Scopes that are asked for whatever the tools need.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub always: Vec<String>,
    /// What the scopes allow that connectors are likely to ask for. Others may be asked for too.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub known: BTreeMap<String, String>,
}

impl Default for Scopes {
    fn default() -> Self {
        Self {
            separator: space(),
            parameter: scope(),
            by_registration: false,
            always: Vec::new(),
            known: BTreeMap::new(),
        }
    }
}

fn space() -> String {
    " ".into()
}

fn scope() -> String {
    "scope".into()
}

/// Refresh tokens: what yields one and what using one does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Refresh {
    /// What must be done to get one.
    #[serde(default)]
    pub granted_by: RefreshTokenBy,
    /// What becomes of the old one when it is used.
    #[serde(default)]
    pub rotation: Rotation,
    /// How long an access token lives, for answers that do not say.
    #[serde(default, with = "tool_connect_core::duration::option", skip_serializing_if = "Option::is_none")]
    pub access_lifetime: Option<Duration>,
    /// How long an unused refresh token lives.
    #[serde(default, with = "tool_connect_core::duration::option", skip_serializing_if = "Option::is_none")]
    pub refresh_lifetime: Option<Duration>,
    /// What else a person should know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What must be done to get a refresh token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RefreshTokenBy {
    /// Nothing: every code is exchanged for one.
    #[default]
    Always,
    /// This scope must be asked for.
    Scope(String),
    /// The entry's `authorize_params` ask for it.
    Parameters,
    /// A setting where the client is registered, described here.
    Setting(String),
    /// There are none: access tokens do not end, or end for good.
    Never,
}

/// What becomes of a refresh token when it is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Rotation {
    /// It stays as it is.
    None,
    /// A new one is issued, and the old one may be used again for this long, for an answer that got lost.
    #[serde(with = "tool_connect_core::duration")]
    Tolerated(Duration),
    /// A new one is issued and the old one is dead at once; using it again may end the whole grant. The cautious guess where
    /// nothing is known.
    #[default]
    Strict,
}

/// How a client may authenticate at the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClientAuthMethod {
    /// Not at all: a public client, which PKCE protects.
    None,
    /// `client_secret_basic`.
    Basic,
    /// `client_secret_post`.
    Post,
    /// `private_key_jwt` (RFC 7523 §2.2).
    PrivateKeyJwt,
}

/// What a provider makes of PKCE (RFC 7636).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Pkce {
    /// It refuses requests without.
    Required,
    /// It checks the verifier where a challenge was sent.
    #[default]
    Supported,
    /// It ignores the parameters, as far as its pages say.
    Ignored,
    /// It refuses requests that have them: none are sent, and `state` alone guards the code.
    Refused,
}

/// How to find out which account was connected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Probe {
    /// The request that tells; without one the token answer itself does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<ProbeRequest>,
    /// JSON pointers (RFC 6901) to the account's id, which never changes; several are joined with `/`.
    pub id: Vec<String>,
    /// JSON pointers to what people know the account by; the first that is there counts.
    pub label: Vec<String>,
    /// Scopes that the request needs; they are asked for with the others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
}

/// A request that tells whose token it is. It carries the access token as API requests do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ProbeRequest {
    /// Method.
    #[serde(default)]
    pub method: Method,
    /// Where to; may hold parameters.
    pub url: String,
    /// Headers beside the token's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// JSON body, as text, for `POST`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<String>,
}
