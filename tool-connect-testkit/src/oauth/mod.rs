//! Authorization servers that are strict, scripted and in this process: OAuth 2.1 as the RFCs have it, with rotation and
//! reuse detection, faults on demand, and a protected API behind each. For tests of whoever speaks OAuth.
//!
//! An [`OAuthEmulator`] is a [`Transport`]: give it to the code under test instead of the network. Or let it listen on
//! this machine with [`Loopback`]. It holds any number of [`Issuer`]s, told apart by origin and path:
//!
//! | below the issuer | what |
//! | --- | --- |
//! | `authorize`, `par`, `device` | consent, by a user who does what [`Issuer::next_user`] says |
//! | `token` | codes, refresh, device codes, client credentials, JWT bearer |
//! | `revoke`, `introspect`, `register`, `jwks` | RFC 7009, 7662, 7591, 7517 |
//! | `userinfo`, `api/..` | a service that checks tokens: `api/echo`, `api/scope/NAME`, `api/redirect?to=URL` |
//! | `exchange` | a name and a password for a token, without OAuth |
//!
//! Metadata is where RFC 8414, RFC 9728 and OpenID Connect discovery want it. Client authentication, redirect URIs and PKCE
//! are checked to the letter; what a client may get wrong is an error, never a warning. All secrets are the same in every
//! run, and [`Issuer::secrets`] lists them for a [leak check](crate::leak).
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//! use tool_connect_core::http::{RequestBody, Transport, TransportLimits};
//! use tool_connect_testkit::ManualClock;
//! use tool_connect_testkit::oauth::{EmulatedClient, Endpoint, Fault, IssuerSettings, OAuthEmulator, Rotation};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let clock = Arc::new(ManualClock::new());
//! let emulator = OAuthEmulator::with_clock(clock.clone());
//! let issuer = emulator.issuer(
//!     IssuerSettings::new("https://auth.example")
//!         .client(EmulatedClient::secret_post("app", "the-secret-of-app"))
//!         .rotation(Rotation::Strict),
//! )?;
//!
//! // A grant as after a consent, an hour later, and a server that is busy at first.
//! let tokens = issuer.grant("app", ["read"]);
//! clock.advance(Duration::from_secs(3_600));
//! assert!(!issuer.accepts(&tokens.access_token));
//! issuer.fault(Endpoint::Token, Fault::TooManyRequests(Some("7".into())));
//!
//! let refresh = || {
//!     let form = format!(
//!         "grant_type=refresh_token&client_id=app&client_secret=the-secret-of-app&refresh_token={}",
//!         tokens.refresh_token.as_deref().unwrap_or_default(),
//!     );
//!     http::Request::post("https://auth.example/token")
//!         .header("content-type", "application/x-www-form-urlencoded")
//!         .body(RequestBody::Bytes(form.into()))
//! };
//! let limits = TransportLimits::default();
//! assert_eq!(emulator.send(refresh()?, &limits).await?.status(), 429);
//! assert_eq!(emulator.send(refresh()?, &limits).await?.status(), 200);
//! // Used twice, the refresh token ends the grant.
//! assert_eq!(emulator.send(refresh()?, &limits).await?.status(), 400);
//! let seen = issuer.counters();
//! assert_eq!((seen.token_requests, seen.double_spends, seen.family_revocations), (3, 1, 1));
//! # Ok(()) }
//! ```

mod answer;
mod authorize;
mod client;
mod device;
mod dpop;
mod fault;
mod issuer;
mod jose;
mod resource;
mod settings;
mod state;
#[cfg(test)]
mod tests;
mod token;
mod wire;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::{HeaderName, HeaderValue, StatusCode};
use tool_connect_core::http::{ByteStream, RequestBody, Transport, TransportLimits};
use tool_connect_core::{Clock, Effect, Error, ErrorKind, Result, SystemClock};
use url::Url;

use self::answer::{Asked, Cut, Reply, Served};

pub use self::fault::{Counters, Endpoint, Fault};
pub use self::issuer::{Decision, EmulatedTokens, Issuer, SeenRequest};
pub use self::settings::{
    Dpop, EmulatedClient, EmulatedUser, ExpiresIn, IssParameter, IssuerSettings, Quirks, Rotation,
};
pub use self::wire::{Loopback, LoopbackServer};

/// Authorization servers in this process. A clone shares them.
#[derive(Clone)]
pub struct OAuthEmulator {
    clock: Arc<dyn Clock>,
    issuers: Arc<RwLock<Vec<Issuer>>>,
}

impl OAuthEmulator {
    /// Without servers yet, by the machine's clock.
    #[must_use]
    pub fn new() -> Self {
        Self::with_clock(Arc::new(SystemClock))
    }

    /// Without servers yet, by a clock of the caller's.
    #[must_use]
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self { clock, issuers: Arc::default() }
    }

    /// Sets up a server.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] where the issuer is not an absolute URL without query, fragment and trailing slash, or is taken.
    pub fn issuer(&self, settings: IssuerSettings) -> Result<Issuer> {
        let issuer = Issuer::new(settings, Arc::clone(&self.clock))?;
        let mut issuers = self.issuers.write().unwrap_or_else(PoisonError::into_inner);
        if issuers.iter().any(|known| known.issuer() == issuer.issuer()) {
            return Err(Error::new(ErrorKind::Config, format!("the issuer `{}` is taken", issuer.issuer())));
        }
        issuers.push(issuer.clone());
        Ok(issuer)
    }

    /// The server that a URL belongs to: on one origin the one with the longest path.
    fn owner(&self, url: &Url) -> Option<Issuer> {
        let issuers = self.issuers.read().unwrap_or_else(PoisonError::into_inner);
        let owned = issuers.iter().filter_map(|issuer| Some((issuer.owns(url)?, issuer)));
        owned.max_by_key(|(length, _)| *length).map(|(_, issuer)| issuer.clone())
    }

    fn serve(&self, asked: Asked) -> Served {
        match self.owner(&asked.url) {
            Some(issuer) => issuer.serve(asked),
            None => Reply::page(404, "There is nothing here.").into(),
        }
    }
}

impl Default for OAuthEmulator {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for OAuthEmulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let issuers = self.issuers.read().unwrap_or_else(PoisonError::into_inner);
        f.debug_list().entries(issuers.iter().map(Issuer::issuer)).finish()
    }
}

#[async_trait]
impl Transport for OAuthEmulator {
    async fn send(
        &self,
        request: http::Request<RequestBody>,
        limits: &TransportLimits,
    ) -> Result<http::Response<ByteStream>> {
        let (parts, body) = request.into_parts();
        let url = Url::parse(&parts.uri.to_string())
            .map_err(|_| Error::new(ErrorKind::Config, "a request without an absolute URL"))?;
        if self.owner(&url).is_none() {
            let host = url.host_str().unwrap_or_default();
            return Err(Error::new(ErrorKind::Transport, format!("there is no emulated server at `{host}`"))
                .effect(Effect::NotExecuted));
        }
        let asked = Asked { method: parts.method, url, headers: parts.headers, body: whole(body).await? };
        let served = self.serve(asked);
        let late = || Error::new(ErrorKind::Transport, "the emulated server did not answer in time");
        if let Some(after) = served.after {
            tokio::time::sleep(after.min(limits.head)).await;
            if after > limits.head {
                return Err(late());
            }
        }
        match served.cut {
            Cut::Broken => return Err(Error::new(ErrorKind::Transport, "the emulated connection broke")),
            Cut::Silent => {
                tokio::time::sleep(limits.head).await;
                return Err(late());
            }
            Cut::Whole | Cut::Half => {}
        }
        response(served)
    }
}

async fn whole(body: RequestBody) -> Result<Bytes> {
    match body {
        RequestBody::Bytes(bytes) => Ok(bytes),
        RequestBody::Stream(stream, _) => {
            let all = stream.try_fold(BytesMut::new(), |mut all, chunk| async move {
                all.extend_from_slice(&chunk);
                Ok(all)
            });
            Ok(all.await?.freeze())
        }
        _ => Ok(Bytes::new()),
    }
}

fn response(served: Served) -> Result<http::Response<ByteStream>> {
    let mut body = served.reply.body;
    let mut chunks = Vec::new();
    if served.cut == Cut::Half {
        body.truncate(body.len() / 2);
        chunks.push(Ok(body));
        chunks.push(Err(Error::new(ErrorKind::Transport, "the emulated connection broke in the body")));
    } else if !body.is_empty() {
        chunks.push(Ok(body));
    }
    let bad = || {
        Error::new(ErrorKind::Config, "an emulated answer has a status or header that HTTP does not allow")
    };
    let mut response = http::Response::new(stream::iter(chunks).boxed());
    *response.status_mut() = StatusCode::from_u16(served.reply.status).map_err(|_| bad())?;
    for (name, value) in served.reply.headers {
        let value = HeaderValue::try_from(value).map_err(|_| bad())?;
        response.headers_mut().append(HeaderName::from_static(name), value);
    }
    Ok(response)
}
