//! Dynamic client registration (RFC 7591): what is sent, and what comes back.

use std::fmt;
use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderValue, Method, header};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tool_connect_core::{Clock, Error, ErrorKind, Result};
use url::Url;

use super::json;
use super::server::{ServerMetadata, checked, is_loopback, shown};
use crate::catalog::{ClientAuth, ClientConfig};
use crate::flow::{Asked, OAuthHttp};

/// Longest client id and secret that are kept.
const MAX_TEXT: usize = 4096;

/// What kind of application a client is (OpenID Connect Dynamic Client Registration §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ApplicationType {
    /// Runs on a server: its redirect URIs are `https`.
    Web,
    /// Runs on the user's machine: its redirect URIs are on loopback or have a scheme of their own.
    Native,
}

/// What a client says of itself when it is registered (RFC 7591 §2); also what a [`ClientDocument`](super::ClientDocument)
/// holds.
///
/// ```
/// use tool_connect_oauth::discovery::{ApplicationType, ClientMetadata};
/// let metadata = ClientMetadata::new("Acme", ["https://app.example/oauth/callback".parse().expect("a URL")]);
/// assert_eq!(metadata.application_type, ApplicationType::Web);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ClientMetadata {
    /// What people see when they consent.
    pub client_name: String,
    /// Where authorization responses go, each exactly.
    pub redirect_uris: Vec<Url>,
    /// Follows from the redirect URIs unless set. Always sent: without it a server takes a client for a web client, and
    /// refuses loopback redirect URIs.
    pub application_type: ApplicationType,
    /// The client's page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<Url>,
    /// The client's picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<Url>,
    /// Whom to write to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<String>,
    /// All scopes that may ever be asked for, where the server wants to know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Grants; authorization code and refresh unless set.
    pub grant_types: Vec<String>,
    /// Response types; `code`.
    pub response_types: Vec<String>,
    /// Where the client's public keys are, for `private_key_jwt`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<Url>,
    /// Names the software, the same for all its registrations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_id: Option<String>,
}

impl ClientMetadata {
    /// A client with a name and the redirect URIs of the host.
    #[must_use]
    pub fn new(client_name: impl Into<String>, redirect_uris: impl IntoIterator<Item = Url>) -> Self {
        let redirect_uris: Vec<Url> = redirect_uris.into_iter().collect();
        let web = redirect_uris.iter().all(|uri| uri.scheme() == "https" && !is_loopback(uri));
        Self {
            client_name: client_name.into(),
            redirect_uris,
            application_type: if web { ApplicationType::Web } else { ApplicationType::Native },
            client_uri: None,
            logo_uri: None,
            contacts: Vec::new(),
            scope: None,
            grant_types: vec!["authorization_code".into(), "refresh_token".into()],
            response_types: vec!["code".into()],
            jwks_uri: None,
            software_id: None,
        }
    }

    /// The request's body for a server: with a way to authenticate that both sides know.
    fn request(&self, server: &ServerMetadata) -> Result<Value> {
        let methods = &server.token_endpoint_auth_methods_supported;
        // A client on a user's machine cannot keep a secret (RFC 8252 §8.5).
        let wanted: &[&str] = match self.application_type {
            ApplicationType::Web => &["client_secret_basic", "client_secret_post", "none"],
            ApplicationType::Native => &["none", "client_secret_basic", "client_secret_post"],
        };
        let method = wanted.iter().find(|wanted| methods.iter().any(|method| method == *wanted)).ok_or_else(|| {
            Error::new(
                ErrorKind::Unsupported,
                format!(
                    "authorization server `{}` takes no client that registers itself: it wants another client \
                     authentication; configure a client",
                    shown(&server.issuer)
                ),
            )
        })?;
        let mut body = serde_json::to_value(self)
            .map_err(|_| Error::new(ErrorKind::Internal, "a client's metadata cannot be written"))?;
        body["token_endpoint_auth_method"] = json!(method);
        Ok(body)
    }
}

/// A client that was registered. `Debug` prints no secret.
#[derive(Clone)]
#[non_exhaustive]
pub struct Registration {
    /// The issuer of the server that knows it.
    pub issuer: String,
    /// The client.
    pub client: ClientConfig,
    /// When its secret ends; `None` where it does not.
    pub secret_expires: Option<SystemTime>,
    /// Where the registration is managed (RFC 7592), and the token for that.
    pub management: Option<(Url, SecretString)>,
    /// The redirect URIs that it was registered with.
    pub redirect_uris: Vec<Url>,
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration")
            .field("issuer", &self.issuer)
            .field("client", &self.client)
            .field("secret_expires", &self.secret_expires)
            .finish_non_exhaustive()
    }
}

/// Registers a client at a server. `initial` is the token that some servers want for that (RFC 7591 §3).
pub(super) async fn register(
    http: &OAuthHttp,
    server: &ServerMetadata,
    metadata: &ClientMetadata,
    initial: Option<&SecretString>,
) -> Result<Registration> {
    let asked = Asked::new(&server.issuer, "client registration");
    let Some(endpoint) = &server.registration_endpoint else {
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "authorization server `{}` registers no clients by itself; configure a client that was registered by hand",
                shown(&server.issuer)
            ),
        ));
    };
    let mut headers = HeaderMap::new();
    if let Some(token) = initial {
        headers.insert(header::AUTHORIZATION, bearer(token)?);
    }
    let body = metadata.request(server)?;
    let answer = http.post_json(asked, endpoint, headers, &body).await?.success(asked)?;
    parse(&server.issuer, &answer.body, metadata, is_loopback(endpoint))
}

/// Gives a registration up (RFC 7592 §2.3). A server that does not know it any more is fine.
pub(super) async fn unregister(http: &OAuthHttp, registration: &Registration) -> Result<()> {
    let Some((address, token)) = &registration.management else { return Ok(()) };
    let asked = Asked::new(&registration.issuer, "client deletion");
    let mut headers = HeaderMap::new();
    headers.insert(header::AUTHORIZATION, bearer(token)?);
    let answer = http.send(asked, Method::DELETE, address, headers, None).await?;
    if matches!(answer.status.as_u16(), 401 | 404 | 405 | 410) {
        return Ok(());
    }
    answer.success(asked).map(|_| ())
}

fn bearer(token: &SecretString) -> Result<HeaderValue> {
    let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose_secret())).map_err(|_| {
        Error::new(ErrorKind::Config, "a registration token holds a character that a header cannot carry")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// The answer (RFC 7591 §3.2.1).
fn parse(issuer: &str, body: &[u8], metadata: &ClientMetadata, loopback: bool) -> Result<Registration> {
    let fail = |why: &str| {
        Error::new(
            ErrorKind::Provider,
            format!("the client registration at authorization server `{}` {why}", shown(issuer)),
        )
    };
    let map = json::object(body).map_err(fail)?;
    let text = |name| {
        let text = json::text(&map, name).map_err(|why| fail(&format!("is malformed: {why}")))?;
        match text {
            Some(text) if text.is_empty() || text.len() > MAX_TEXT || text.chars().any(char::is_control) => {
                Err(fail(&format!("is malformed: `{name}` is empty, too long or not printable")))
            }
            text => Ok(text),
        }
    };
    let id = text("client_id")?.ok_or_else(|| fail("brought no `client_id`"))?;
    let secret = text("client_secret")?;
    let auth = match (json::text(&map, "token_endpoint_auth_method").ok().flatten(), secret) {
        (Some("none"), _) | (None, None) => ClientAuth::None,
        (Some("client_secret_post"), Some(_)) => ClientAuth::Post,
        // RFC 7591 §2: basic where the answer does not say.
        (Some("client_secret_basic") | None, Some(_)) => ClientAuth::Basic,
        _ => return Err(fail("brought a way to authenticate that was not asked for, or no secret for it")),
    };
    let mut client = match (&auth, secret) {
        (ClientAuth::None, _) | (_, None) => ClientConfig::public(id),
        (_, Some(secret)) => ClientConfig::confidential(id, secret).auth(auth.clone()),
    };
    client.redirect_uri = metadata.redirect_uris.first().cloned();
    let management = match (text("registration_client_uri")?, text("registration_access_token")?) {
        (Some(address), Some(token)) => {
            let address = checked(address, loopback)
                .map_err(|why| fail(&format!("is malformed: `registration_client_uri`: {why}")))?;
            Some((address, SecretString::from(token.to_owned())))
        }
        _ => None,
    };
    Ok(Registration {
        issuer: issuer.to_owned(),
        secret_expires: client.secret.is_some().then(|| secret_end(&map)).flatten(),
        client,
        management,
        redirect_uris: metadata.redirect_uris.clone(),
    })
}

/// `client_secret_expires_at`, in seconds since 1970; 0 means never (RFC 7591 §3.2.1).
fn secret_end(map: &Map<String, Value>) -> Option<SystemTime> {
    let seconds = map.get("client_secret_expires_at")?.as_u64().filter(|seconds| *seconds > 0)?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

impl Registration {
    /// Whether its secret ends within `margin`.
    #[must_use]
    pub fn ends_within(&self, margin: Duration, clock: &dyn Clock) -> bool {
        let soon = clock.now().checked_add(margin);
        self.secret_expires.is_some_and(|end| soon.is_none_or(|soon| end <= soon))
    }
}
