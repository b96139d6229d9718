//! One authorization server with its API: what a test does with it, and which endpoint serves what.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, Method};
use tool_connect_core::{Clock, Error, ErrorKind, Result};
use url::{Url, form_urlencoded};

use super::answer::{Asked, Cut, Refusal, Reply, Served};
use super::fault::{Counters, Endpoint, Fault};
use super::jose::ServerKey;
use super::settings::{IssuerSettings, Rotation};
use super::state::{Grant, State};

/// What the user at the consent page does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Decision {
    /// Consents to everything.
    #[default]
    Approve,
    /// Consents to these scopes only.
    Narrow(Vec<String>),
    /// Another user, with this login, consents to everything.
    ApproveAs(String),
    /// Says no.
    Deny,
}

/// A request that an endpoint got. `Debug` prints no value: forms and headers hold secrets.
#[derive(Clone)]
#[non_exhaustive]
pub struct SeenRequest {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// The method.
    pub method: Method,
    /// The address, with its query.
    pub url: Url,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl SeenRequest {
    /// A parameter of the form or, in a request without one, of the query.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.parameters(name).into_iter().next()
    }

    /// Every value of a parameter.
    #[must_use]
    pub fn parameters(&self, name: &str) -> Vec<String> {
        let query = self.url.query().unwrap_or_default().as_bytes();
        let text = if self.method == Method::POST { &self.body[..] } else { query };
        form_urlencoded::parse(text)
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
            .collect()
    }
}

impl fmt::Debug for SeenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.method, self.endpoint)
    }
}

/// Tokens as a client holds them after an exchange. `Debug` prints none.
#[derive(Clone)]
#[non_exhaustive]
pub struct EmulatedTokens {
    /// The access token.
    pub access_token: String,
    /// The refresh token.
    pub refresh_token: Option<String>,
    /// How long the access token lives.
    pub expires_in: Duration,
}

impl fmt::Debug for EmulatedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmulatedTokens").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}

/// One authorization server and the API behind it. A clone is the same server.
#[derive(Clone)]
pub struct Issuer(Arc<Inner>);

pub(super) struct Inner {
    pub(super) settings: IssuerSettings,
    pub(super) base: Url,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) key: ServerKey,
    pub(super) state: Mutex<State>,
}

impl Inner {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// The address of an endpoint, as text.
    pub(super) fn at(&self, path: &str) -> String {
        format!("{}/{path}", self.settings.issuer)
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer").field("issuer", &self.0.settings.issuer).finish_non_exhaustive()
    }
}

impl Issuer {
    pub(super) fn new(settings: IssuerSettings, clock: Arc<dyn Clock>) -> Result<Self> {
        let wrong = |why: &str| {
            Error::new(ErrorKind::Config, format!("the issuer `{}` {why}", settings.issuer.escape_debug()))
        };
        let base = Url::parse(&settings.issuer).map_err(|_| wrong("is no absolute URL"))?;
        if base.query().is_some() || base.fragment().is_some() || settings.issuer.ends_with('/') {
            return Err(wrong("has a query, a fragment or a slash at its end"));
        }
        let state =
            State::new(&settings.issuer, &settings.clients, settings.rotation, settings.access_lifetime);
        Ok(Self(Arc::new(Inner {
            base,
            clock,
            key: ServerKey::generate(),
            state: Mutex::new(state),
            settings,
        })))
    }

    /// The issuer identifier.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.0.settings.issuer
    }

    /// The address below the issuer: `token`, `authorize`, `api/echo`.
    ///
    /// # Panics
    /// Where the text is no path.
    #[must_use]
    pub fn url(&self, path: &str) -> Url {
        Url::parse(&self.0.at(path)).expect("a path below the issuer")
    }

    /// What the user does at the next consent; after all that was said so, the user consents to everything.
    pub fn next_user(&self, decision: Decision) {
        self.0.state().decisions.push_back(decision);
    }

    /// Lets the next request to an endpoint go wrong, after those that were told to before.
    pub fn fault(&self, endpoint: Endpoint, fault: Fault) {
        self.0.state().add_fault(endpoint, fault);
    }

    /// Lets so many requests go wrong.
    pub fn faults(&self, endpoint: Endpoint, fault: &Fault, times: usize) {
        for _ in 0..times {
            self.fault(endpoint, fault.clone());
        }
    }

    /// Forgets all faults that did not happen yet.
    pub fn clear_faults(&self) {
        self.0.state().clear_faults();
    }

    /// What happened so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.0.state().counters
    }

    /// The last requests to an endpoint, oldest first; a thousand of all endpoints are remembered.
    #[must_use]
    pub fn requests(&self, endpoint: Endpoint) -> Vec<SeenRequest> {
        self.0.state().noted(endpoint)
    }

    /// Every code and token that was ever handed out: what a leak check looks for.
    #[must_use]
    pub fn secrets(&self) -> Vec<String> {
        self.0.state().issued()
    }

    /// A grant without a consent page: tokens as after an exchange, for tests that begin there.
    #[must_use]
    pub fn grant<'a>(&self, client: &str, scopes: impl IntoIterator<Item = &'a str>) -> EmulatedTokens {
        let settings = &self.0.settings;
        let grant = Grant {
            client: client.to_owned(),
            user: settings.user.clone(),
            scopes: scopes.into_iter().map(str::to_owned).collect(),
            resources: Vec::new(),
            key: None,
            revoked: false,
        };
        let mut state = self.0.state();
        let grant = state.add_grant(grant);
        self.0.mint(&mut state, grant, None, None, true)
    }

    /// Makes every access token invalid before its time, as an operator or a new password does. Grants live on.
    pub fn revoke_access_tokens(&self) {
        self.0.state().access_tokens.values_mut().for_each(|token| token.revoked = true);
    }

    /// Ends every grant, as users do who withdraw their consent.
    pub fn revoke_grants(&self) {
        self.0.state().grants.iter_mut().for_each(|grant| grant.revoked = true);
    }

    /// Sets the API's clock ahead of the authorization server's: tokens end earlier than was said.
    pub fn api_clock_ahead(&self, by: Duration) {
        let mut state = self.0.state();
        (state.ahead, state.behind) = (by, Duration::ZERO);
    }

    /// Sets the API's clock behind the authorization server's.
    pub fn api_clock_behind(&self, by: Duration) {
        let mut state = self.0.state();
        (state.ahead, state.behind) = (Duration::ZERO, by);
    }

    /// Changes what becomes of used refresh tokens.
    pub fn set_rotation(&self, rotation: Rotation) {
        self.0.state().rotation = rotation;
    }

    /// Changes how long new access tokens live.
    pub fn set_access_lifetime(&self, lifetime: Duration) {
        self.0.state().access_lifetime = lifetime;
    }

    /// Takes a new DPoP nonce: proofs with the old one are refused from now on.
    pub fn rotate_dpop_nonce(&self) {
        self.0.state().nonce += 1;
    }

    /// What the user does with the code that a device shows. Returns whether there is such a code.
    pub fn decide_device(&self, user_code: &str, decision: Decision) -> bool {
        let mut state = self.0.state();
        let device = state.devices.values_mut().find(|device| device.user_code == user_code);
        device.map(|device| device.decision = Some(decision)).is_some()
    }

    /// Whether the API would take this access token as a bearer token now.
    #[must_use]
    pub fn accepts(&self, access_token: &str) -> bool {
        let state = self.0.state();
        self.0.live(&state, access_token).is_some_and(|token| token.key.is_none())
    }

    /// Goes to an authorize URL as a browser does; returns where the browser is sent.
    ///
    /// # Errors
    /// Where the server shows an error page instead; the message is what it says.
    pub fn visit(&self, authorize: &Url) -> Result<Url> {
        let asked = Asked {
            method: Method::GET,
            url: authorize.clone(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        };
        let reply = self.serve(asked).reply;
        let to = reply.headers.iter().find(|(name, _)| *name == "location");
        to.and_then(|(_, to)| Url::parse(to).ok()).ok_or_else(|| {
            let page = String::from_utf8_lossy(&reply.body).into_owned();
            Error::new(ErrorKind::Provider, format!("the server shows a page: {page}")).status(reply.status)
        })
    }

    /// Whether a URL is this server's; the length of its path tells the closest of several on one host.
    pub(super) fn owns(&self, url: &Url) -> Option<usize> {
        let base = &self.0.base;
        if url.origin() != base.origin() {
            return None;
        }
        let root = base.path().trim_end_matches('/');
        let below =
            |path: &str| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let well_known =
            url.path().strip_prefix("/.well-known/").and_then(|rest| rest.find('/').map(|at| &rest[at..]));
        let mine = below(url.path())
            || well_known.is_some_and(below)
            || (root.is_empty() && url.path().starts_with("/.well-known/"));
        mine.then_some(root.len())
    }

    pub(super) fn serve(&self, asked: Asked) -> Served {
        let inner = &*self.0;
        let Some((endpoint, rest)) = inner.endpoint(asked.url.path()) else {
            return Reply::page(404, "There is nothing here.").into();
        };
        let fault = {
            let mut state = inner.state();
            match endpoint {
                Endpoint::Token => state.counters.token_requests += 1,
                Endpoint::Api | Endpoint::Userinfo => state.counters.api_requests += 1,
                Endpoint::Revoke => state.counters.revocations += 1,
                _ => {}
            }
            state.note(SeenRequest {
                endpoint,
                method: asked.method.clone(),
                url: asked.url.clone(),
                headers: asked.headers.clone(),
                body: asked.body.clone(),
            });
            state.next_fault(endpoint)
        };
        let answer = || inner.answer(endpoint, &rest, &asked);
        let cut = |cut| Served { reply: Reply::empty(200), after: None, cut };
        match fault {
            None => answer().into(),
            Some(Fault::TooManyRequests(wait)) => {
                let reply = Reply::empty(429);
                wait.map_or(reply.clone(), |wait| reply.header("retry-after", wait)).into()
            }
            Some(Fault::Status(status)) => Reply::empty(status).into(),
            Some(Fault::Html(status)) => Reply::page(status, "Something went wrong.").into(),
            Some(Fault::Error(code)) => Refusal::new(code, "as the test says").reply().into(),
            Some(Fault::Redirect(to)) => Reply::redirect(307, to).into(),
            Some(Fault::Truncated) => Served { cut: Cut::Half, ..answer().into() },
            Some(Fault::Slow(after)) => Served { after: Some(after), ..answer().into() },
            Some(Fault::Lost) => {
                answer();
                cut(Cut::Broken)
            }
            Some(Fault::Broken) => cut(Cut::Broken),
            Some(Fault::Silence) => cut(Cut::Silent),
            Some(Fault::Body(body)) => Reply { body: body.into(), ..answer() }.into(),
        }
    }
}

impl Inner {
    fn endpoint(&self, path: &str) -> Option<(Endpoint, String)> {
        let root = self.base.path().trim_end_matches('/');
        if let Some(name) = path.strip_prefix("/.well-known/") {
            return Some((Endpoint::Metadata, name.to_owned()));
        }
        let path = path.strip_prefix(root)?.strip_prefix('/')?;
        let (head, rest) = path.split_once('/').unwrap_or((path, ""));
        let endpoint = match head {
            "authorize" => Endpoint::Authorize,
            "token" => Endpoint::Token,
            "device" => Endpoint::Device,
            "par" => Endpoint::Par,
            "revoke" => Endpoint::Revoke,
            "introspect" => Endpoint::Introspect,
            "register" => Endpoint::Register,
            "jwks" => Endpoint::Jwks,
            "exchange" => Endpoint::Exchange,
            "userinfo" => Endpoint::Userinfo,
            "api" => Endpoint::Api,
            ".well-known" => return Some((Endpoint::Metadata, rest.to_owned())),
            _ => return None,
        };
        (rest.is_empty() || endpoint == Endpoint::Api).then(|| (endpoint, rest.to_owned()))
    }

    fn answer(&self, endpoint: Endpoint, rest: &str, asked: &Asked) -> Reply {
        let reply = match endpoint {
            Endpoint::Authorize => return self.authorize(asked),
            Endpoint::Token => return self.token(asked),
            Endpoint::Metadata => return self.metadata(rest),
            Endpoint::Jwks => return self.jwks(),
            Endpoint::Exchange => return self.exchange(asked),
            Endpoint::Userinfo => return self.userinfo(asked),
            Endpoint::Api => return self.api(rest, asked),
            Endpoint::Device => self.device(asked),
            Endpoint::Par => self.push(asked),
            Endpoint::Revoke => self.revoke(asked),
            Endpoint::Introspect => self.introspect(asked),
            Endpoint::Register => self.register(asked),
        };
        reply.unwrap_or_else(Refusal::reply)
    }
}
