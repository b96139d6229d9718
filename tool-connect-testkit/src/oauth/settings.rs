//! What an emulated authorization server is like, as data.

use std::fmt;
use std::time::Duration;

use serde_json::Value;
use url::Url;

/// What becomes of a refresh token that was used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rotation {
    /// It stays, and no new one is given.
    None,
    /// A new one is given; the old one may be used again for so long after its first use.
    Tolerated(Duration),
    /// A new one is given. The old one, used again, ends the whole grant (RFC 9700 §4.14.2).
    #[default]
    Strict,
}

/// How `expires_in` is written in token responses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExpiresIn {
    /// A number of seconds (RFC 6749 §5.1).
    #[default]
    Seconds,
    /// Seconds as text, which some providers send.
    Text,
    /// A number of milliseconds, which some providers send.
    Millis,
    /// Not at all.
    Missing,
}

/// The `iss` parameter of authorization responses (RFC 9207).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum IssParameter {
    /// Sent, and announced in the metadata.
    #[default]
    Sent,
    /// Neither sent nor announced.
    Absent,
    /// Announced, and not sent.
    Withheld,
    /// Another one: what a mix-up attack looks like.
    Other(String),
}

/// Habits of real providers that the RFCs do not know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quirks {
    /// Token responses hold the token inside an object of this name.
    pub nested: Option<String>,
    /// How the lifetime is written.
    pub expires_in: ExpiresIn,
    /// Token responses are `application/x-www-form-urlencoded`, unless the request asks for JSON.
    pub form: bool,
    /// Errors of the token endpoint come with status 200.
    pub errors_as_200: bool,
    /// More members of token responses: an instance's URL, a team's id.
    pub extra: Vec<(String, Value)>,
    /// The `iss` parameter.
    pub iss: IssParameter,
}

/// How far DPoP (RFC 9449) goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dpop {
    /// A proof binds the token; without one it is a bearer token.
    #[default]
    Accepted,
    /// A proof is required.
    Required,
    /// A proof with a nonce of the server's is required (RFC 9449 §8, §9).
    RequiredWithNonce,
}

/// A client that is known to the server.
///
/// ```
/// use tool_connect_testkit::oauth::EmulatedClient;
///
/// let app = EmulatedClient::secret_basic("app", "s3cret-of-app").redirect_uri("https://host.example/callback");
/// assert!(!format!("{app:?}").contains("s3cret"));
/// ```
#[derive(Clone)]
pub struct EmulatedClient {
    pub(super) id: String,
    pub(super) auth: ClientAuthentication,
    pub(super) redirect_uris: Vec<String>,
}

/// How a client proves who it is.
#[derive(Clone)]
pub(super) enum ClientAuthentication {
    None,
    Basic(String),
    Post(String),
    Jwt(Value),
}

impl EmulatedClient {
    fn new(id: impl Into<String>, auth: ClientAuthentication) -> Self {
        Self { id: id.into(), auth, redirect_uris: Vec::new() }
    }

    /// A public client: `token_endpoint_auth_method` is `none`.
    #[must_use]
    pub fn public(id: impl Into<String>) -> Self {
        Self::new(id, ClientAuthentication::None)
    }

    /// A client with `client_secret_basic`.
    #[must_use]
    pub fn secret_basic(id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self::new(id, ClientAuthentication::Basic(secret.into()))
    }

    /// A client with `client_secret_post`.
    #[must_use]
    pub fn secret_post(id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self::new(id, ClientAuthentication::Post(secret.into()))
    }

    /// A client with `private_key_jwt` (RFC 7523 §2.2); the key is a public JWK: EC P-256, OKP Ed25519 or RSA. The same key
    /// verifies the assertions of the JWT bearer grant (RFC 7523 §2.1).
    #[must_use]
    pub fn private_key(id: impl Into<String>, public_jwk: Value) -> Self {
        Self::new(id, ClientAuthentication::Jwt(public_jwk))
    }

    /// Registers a place to return to. It must match exactly; only the port of a loopback address is free (RFC 8252 §7.3).
    #[must_use]
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.redirect_uris.push(uri.into());
        self
    }

    pub(super) fn method(&self) -> &'static str {
        match self.auth {
            ClientAuthentication::None => "none",
            ClientAuthentication::Basic(_) => "client_secret_basic",
            ClientAuthentication::Post(_) => "client_secret_post",
            ClientAuthentication::Jwt(_) => "private_key_jwt",
        }
    }

    pub(super) fn returns_to(&self, uri: &str) -> bool {
        self.redirect_uris.iter().any(|known| known == uri || same_but_port(known, uri))
    }
}

impl fmt::Debug for EmulatedClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmulatedClient")
            .field("id", &self.id)
            .field("method", &self.method())
            .finish_non_exhaustive()
    }
}

fn same_but_port(known: &str, given: &str) -> bool {
    let (Ok(known), Ok(mut given)) = (Url::parse(known), Url::parse(given)) else { return false };
    let loopback = matches!(known.host_str(), Some("127.0.0.1" | "[::1]"));
    loopback && given.set_port(known.port()).is_ok() && known == given
}

/// A person at the authorization server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmulatedUser {
    /// The id that stays: `sub`.
    pub subject: String,
    /// What people see.
    pub login: String,
}

impl EmulatedUser {
    /// A person with a login, whose subject is `sub-` and the login.
    #[must_use]
    pub fn new(login: impl Into<String>) -> Self {
        let login = login.into();
        Self { subject: format!("sub-{login}"), login }
    }
}

/// An authorization server before it is set up.
///
/// All durations are what real servers use, unless changed: codes live 60 s, access tokens an hour, refresh tokens without
/// end, device codes ten minutes at an interval of 5 s.
#[derive(Clone, Debug)]
pub struct IssuerSettings {
    pub(super) issuer: String,
    /// Clients that are known from the start.
    pub clients: Vec<EmulatedClient>,
    /// Who approves where the script does not say.
    pub user: EmulatedUser,
    /// What becomes of used refresh tokens.
    pub rotation: Rotation,
    /// How long access tokens live.
    pub access_lifetime: Duration,
    /// How long refresh tokens live; without end where unset.
    pub refresh_lifetime: Option<Duration>,
    /// How long codes live.
    pub code_lifetime: Duration,
    /// How long device codes live.
    pub device_lifetime: Duration,
    /// How often a device may ask.
    pub device_interval: Duration,
    /// A refresh token is given only where this scope was granted (`offline_access`); always where unset.
    pub refresh_scope: Option<String>,
    /// Scopes there are; any where empty.
    pub scopes: Vec<String>,
    /// Resources that tokens can be meant for (RFC 8707), beside the issuer's own API; any where empty.
    pub resources: Vec<String>,
    /// Whether the API refuses tokens that do not name it as their resource.
    pub audience_required: bool,
    /// Whether authorization requests must be pushed (RFC 9126).
    pub pushed_only: bool,
    /// How far DPoP goes.
    pub dpop: Dpop,
    /// Habits.
    pub quirks: Quirks,
}

impl IssuerSettings {
    /// A server with this issuer identifier: an absolute URL without query, fragment and trailing slash.
    #[must_use]
    pub fn new(issuer: impl Into<String>) -> Self {
        let seconds = Duration::from_secs;
        Self {
            issuer: issuer.into(),
            clients: Vec::new(),
            user: EmulatedUser::new("ada"),
            rotation: Rotation::default(),
            access_lifetime: seconds(3_600),
            refresh_lifetime: None,
            code_lifetime: seconds(60),
            device_lifetime: seconds(600),
            device_interval: seconds(5),
            refresh_scope: None,
            scopes: Vec::new(),
            resources: Vec::new(),
            audience_required: false,
            pushed_only: false,
            dpop: Dpop::default(),
            quirks: Quirks::default(),
        }
    }

    /// Adds a client.
    #[must_use]
    pub fn client(mut self, client: EmulatedClient) -> Self {
        self.clients.push(client);
        self
    }

    /// Sets what becomes of used refresh tokens.
    #[must_use]
    pub fn rotation(mut self, rotation: Rotation) -> Self {
        self.rotation = rotation;
        self
    }

    /// Sets how long access tokens live.
    #[must_use]
    pub fn access_lifetime(mut self, lifetime: Duration) -> Self {
        self.access_lifetime = lifetime;
        self
    }

    /// Sets the habits.
    #[must_use]
    pub fn quirks(mut self, quirks: Quirks) -> Self {
        self.quirks = quirks;
        self
    }

    /// Sets how far DPoP goes.
    #[must_use]
    pub fn dpop(mut self, dpop: Dpop) -> Self {
        self.dpop = dpop;
        self
    }
}
