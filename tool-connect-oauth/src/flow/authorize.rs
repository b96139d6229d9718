//! The request that a user's browser carries to the provider (RFC 6749 §4.1.1).

use std::fmt;

use secrecy::SecretString;
use serde::Deserialize;
use tool_connect_core::{ErrorKind, Result};
use url::Url;

use super::dpop::DpopKey;
use super::form::Form;
use super::grant::TokenClient;
use super::{pkce, random};
use crate::catalog::Pkce;

/// What a user shall be asked to consent to.
///
/// ```
/// use tool_connect_oauth::flow::Authorization;
/// let wanted = Authorization::new("https://app.example/callback".parse().expect("a URL")).scopes(["repo"]);
/// assert_eq!(wanted.scopes, ["repo"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Authorization {
    /// Where the browser comes back to; registered at the provider, letter for letter.
    pub redirect_uri: Url,
    /// Scopes, beside those that the provider's entry always asks for.
    pub scopes: Vec<String>,
    /// The resources that the tokens shall be accepted by (RFC 8707).
    pub resource: Vec<Url>,
    /// Further parameters: `prompt`, `login_hint`. Those of the protocol itself cannot be set here.
    pub params: Vec<(String, String)>,
    /// Whether the tokens shall be bound to a new key (DPoP).
    pub dpop: bool,
}

impl Authorization {
    /// No scopes yet.
    #[must_use]
    pub fn new(redirect_uri: Url) -> Self {
        Self { redirect_uri, scopes: Vec::new(), resource: Vec::new(), params: Vec::new(), dpop: false }
    }

    /// Sets the scopes.
    #[must_use]
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Adds a resource.
    #[must_use]
    pub fn resource(mut self, resource: Url) -> Self {
        self.resource.push(resource);
        self
    }

    /// Adds a parameter.
    #[must_use]
    pub fn param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.params.push((name.into(), value.into()));
        self
    }

    /// Binds the tokens to a new key.
    #[must_use]
    pub fn dpop(mut self) -> Self {
        self.dpop = true;
        self
    }
}

/// An authorization request, and what must be kept until the browser comes back: everything but the address, sealed.
///
/// `Debug` prints no secret; the address holds `state` and is not printed either.
#[derive(Clone)]
#[non_exhaustive]
pub struct AuthorizeRequest {
    /// Where the browser goes.
    pub url: Url,
    /// `state`: 256 random bits.
    pub state: SecretString,
    /// The code verifier (RFC 7636).
    pub verifier: SecretString,
    /// `nonce`, which the ID token must repeat; where an ID token was asked for.
    pub nonce: Option<SecretString>,
    /// The redirect URI, which the token request must repeat.
    pub redirect_uri: Url,
    /// All scopes that were asked for.
    pub scopes: Vec<String>,
    /// The resources that were named.
    pub resource: Vec<Url>,
    /// The key that the tokens will be bound to.
    pub dpop_key: Option<SecretString>,
}

impl fmt::Debug for AuthorizeRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizeRequest")
            .field("host", &self.url.host_str())
            .field("redirect_uri", &self.redirect_uri.as_str())
            .field("scopes", &self.scopes)
            .field("resource", &self.resource.iter().map(Url::as_str).collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

impl TokenClient<'_> {
    /// An authorization request: PKCE with S256 (unless the provider refuses that), a state, and a nonce where `openid` is asked for. Where the provider takes
    /// pushed requests (RFC 9126), it is pushed first, and the address holds nothing but a reference.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for an authorization endpoint that is neither https nor, where the entry allows it, on this
    /// machine, for a redirect URI that a browser must not be sent to, and for a parameter that is the protocol's own;
    /// [`ErrorKind::Unsupported`](tool_connect_core::ErrorKind::Unsupported) where there is no such endpoint; else those of the
    /// pushed request, as [`refresh`](Self::refresh).
    pub async fn authorize(&self, wanted: &Authorization) -> Result<AuthorizeRequest> {
        let asked = self.asked("authorization request");
        let entry = &self.provider.entry;
        let endpoint = self.provider.authorize_endpoint()?;
        if !may_open(endpoint, entry.allow_loopback) {
            let what = "a browser may be sent to https addresses only; correct `endpoints.authorize` of the catalog entry";
            return Err(asked.error(ErrorKind::Config, what));
        }
        if !may_return(&wanted.redirect_uri) {
            let what = "the redirect URI must be https, http on this machine, or a scheme of the app's own, without a fragment";
            return Err(asked.error(ErrorKind::Config, what));
        }
        let scopes = self.provider.scopes_to_request(wanted.scopes.iter().map(String::as_str));
        let state = random::text()?;
        let (verifier, challenge) = pkce::pair();
        let nonce = scopes.iter().any(|scope| scope == "openid").then(random::text).transpose()?;
        let key = wanted.dpop.then(DpopKey::generate).transpose()?;

        let mut form = Form::default()
            .with("response_type", "code")
            .with("client_id", &self.client.id)
            .with("redirect_uri", wanted.redirect_uri.as_str())
            .secret("state", &state);
        if entry.pkce != Pkce::Refused {
            form = form.with("code_challenge", &challenge).with("code_challenge_method", pkce::S256);
        }
        form = form.resources(&wanted.resource);
        if !entry.scopes.by_registration {
            form = form.scopes(&entry.scopes.parameter, &entry.scopes.separator, &scopes);
        }
        if let Some(nonce) = &nonce {
            form = form.secret("nonce", nonce);
        }
        if let Some(key) = &key {
            // RFC 9449 §10: the code too is bound to the key.
            form = form.with("dpop_jkt", key.thumbprint());
        }
        // The host knows better than the entry, the call better than both.
        let of_entry = entry.authorize_params.iter().chain(&self.client.extra);
        let of_call = wanted.params.iter().map(|(name, value)| (name, value));
        for (name, value) in of_entry.chain(of_call) {
            if RESERVED.contains(&name.as_str()) || *name == entry.scopes.parameter {
                let what = format_args!("parameter `{}` is the protocol's; take it out", name.escape_debug());
                return Err(asked.error(ErrorKind::Config, what));
            }
            form.set(name, value);
        }
        form = form.renamed(&entry.authorize_names);
        // RFC 6749 §3.1: no parameter twice, those in the endpoint's own query included.
        let clashes = |name: &str| RESERVED.contains(&name) || form.has(name);
        if let Some((name, _)) = endpoint.query_pairs().find(|(name, _)| clashes(name)) {
            let what =
                format_args!("`endpoints.authorize` holds parameter `{}`; take it out", name.escape_debug());
            return Err(asked.error(ErrorKind::Config, what));
        }
        if let Some(par) = &self.provider.endpoints.par {
            form = self.push(par, form).await?;
        }
        let mut url = endpoint.clone();
        url.query_pairs_mut().extend_pairs(form.pairs());
        Ok(AuthorizeRequest {
            url,
            state,
            verifier,
            nonce,
            redirect_uri: wanted.redirect_uri.clone(),
            scopes,
            resource: wanted.resource.clone(),
            dpop_key: key.map(|key| key.secret().clone()),
        })
    }

    /// Pushes a request (RFC 9126 §2) and leaves what stands for it.
    async fn push(&self, par: &Url, form: Form) -> Result<Form> {
        #[derive(Deserialize)]
        struct Pushed {
            request_uri: String,
        }
        let asked = self.asked("pushed authorization request");
        let answer = self.ask_endpoint(asked, par, form).await?;
        let pushed: Pushed = answer.json(asked)?;
        if pushed.request_uri.is_empty() {
            return Err(asked.error(ErrorKind::Provider, "the answer's `request_uri` is empty"));
        }
        Ok(Form::default().with("client_id", &self.client.id).with("request_uri", &pushed.request_uri))
    }
}

/// Parameters of the protocol: what decides which flow it is and who gets the code.
const RESERVED: &[&str] = &[
    "client_id",
    "code_challenge",
    "code_challenge_method",
    "dpop_jkt",
    "nonce",
    "redirect_uri",
    "request",
    "request_uri",
    "resource",
    "response_mode",
    "response_type",
    "state",
];

/// Whether a browser may be sent there. `javascript:`, `data:` and `file:` would run or show what somebody else wrote.
pub(super) fn may_open(url: &Url, allow_loopback: bool) -> bool {
    match url.scheme() {
        "https" => url.has_host(),
        "http" => allow_loopback && is_loopback(url),
        _ => false,
    }
}

/// Whether a code may be sent there: https, http on this machine (RFC 8252 §7.3), or a scheme that belongs to an app, which
/// has a dot (§7.1); no fragment (RFC 6749 §3.1.2).
fn may_return(url: &Url) -> bool {
    let may = match url.scheme() {
        "https" => url.has_host(),
        "http" => is_loopback(url),
        scheme => scheme.contains('.'),
    };
    may && url.fragment().is_none()
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
