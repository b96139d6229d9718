//! What a request is signed with.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, SystemTime};

use http::request::Parts;
use http::{HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use tool_connect_core::{
    AuthScheme, Clock, Connection, Credential, CredentialVersion, Error, ErrorKind, Result, TokenPlace, apply,
};

use crate::flow::{DpopKey, DpopNonces, DpopSigner, TokenSet, TokenType};
use crate::scheme::{place_token, sign_hmac, sign_sigv4};

/// So long before its end a token is not handed out any more: requests travel.
const TRAVEL: Duration = Duration::from_secs(5);

/// The secret of a connection, opened and ready for requests. Nothing prints it.
pub struct Access {
    version: CredentialVersion,
    material: Material,
    /// What it is for, so that it never goes out under another scheme.
    purpose: Purpose,
    times: Times,
    /// The version of the connection that it was read for: connected again since, it may be another account's.
    seen: u64,
    /// By the clock's monotonic reading, where this process got it from the provider.
    pub(super) minted: Option<u64>,
    /// Whether there is a way to a new one without the user.
    pub(super) renewable: bool,
    scopes: Option<Vec<String>>,
    extra: BTreeMap<String, String>,
}

enum Material {
    /// A header, ready.
    Header { name: HeaderName, value: HeaderValue, token: SecretString },
    /// A token that each request proves to have the key of.
    Dpop { signer: Box<DpopSigner>, token: SecretString },
    /// What the scheme itself says how to use.
    Raw(Credential),
}

/// What a secret may be used for.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Requests to a provider of the catalog.
    Provider(String),
    /// A token from this address.
    Exchange(String),
    /// Whatever the connection's instance says; there is only the one secret.
    Any,
}

impl Purpose {
    pub(super) fn of(scheme: &AuthScheme) -> Self {
        match scheme {
            AuthScheme::OAuth2(oauth) => Self::Provider(oauth.provider.clone()),
            AuthScheme::TokenExchange(exchange) => Self::Exchange(exchange.url.clone()),
            _ => Self::Any,
        }
    }

    fn fits(&self, scheme: &AuthScheme) -> bool {
        match (self, scheme) {
            (Self::Provider(provider), AuthScheme::OAuth2(oauth)) => *provider == oauth.provider,
            (Self::Exchange(url), AuthScheme::TokenExchange(exchange)) => *url == exchange.url,
            (Self::Any, AuthScheme::OAuth2(_) | AuthScheme::TokenExchange(_)) => false,
            (Self::Any, _) => true,
            _ => false,
        }
    }
}

/// When something becomes due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    /// The token's end as the provider said it.
    pub(super) ends: Option<SystemTime>,
    /// Until when it is handed out.
    usable_until: Option<SystemTime>,
    /// From when it is renewed ahead of its end.
    renew: Option<SystemTime>,
    /// From when a call starts a look at it in the background.
    due: SystemTime,
}

impl Times {
    /// `jitter` is between 0 and 1.
    pub(super) fn new(
        ends: Option<SystemTime>,
        now: SystemTime,
        ahead: Duration,
        recheck: Duration,
        jitter: f64,
    ) -> Self {
        let checked = now.checked_add(recheck).unwrap_or(now);
        let Some(end) = ends else { return Self { ends, usable_until: None, renew: None, due: checked } };
        let left = end.duration_since(now).unwrap_or_default();
        // A token that lives for a minute is not renewed all the time.
        let ahead = ahead.min(left / 5);
        let renew = end.checked_sub(ahead + (ahead / 2).mul_f64(jitter)).unwrap_or(now);
        let usable_until = end.checked_sub(TRAVEL.min(left / 20)).unwrap_or(end);
        Self { ends, usable_until: Some(usable_until), renew: Some(renew), due: renew.min(checked) }
    }

    pub(super) fn usable(&self, now: SystemTime) -> bool {
        self.usable_until.is_none_or(|until| now < until)
    }

    pub(super) fn due(&self, now: SystemTime) -> bool {
        now >= self.due
    }

    pub(super) fn ending(&self, now: SystemTime) -> bool {
        self.renew.is_some_and(|renew| now >= renew)
    }
}

impl Access {
    /// Tokens, presented as they want to be.
    pub(super) fn of_tokens(
        tokens: &TokenSet,
        version: CredentialVersion,
        scheme: &AuthScheme,
        place: &TokenPlace,
        nonces: &DpopNonces,
        times: Times,
        renewable: bool,
    ) -> Result<Self> {
        let token = tokens.access_token.clone();
        let material = match (tokens.token_type, &tokens.dpop_key) {
            (TokenType::Dpop, Some(key)) => {
                let signer = DpopSigner::new(DpopKey::from_secret(key)?, nonces.clone());
                Material::Dpop { signer: Box::new(signer), token }
            }
            (TokenType::Dpop, None) => {
                let message = "the token is bound to a key that was not stored; connect the account again";
                return Err(Error::new(ErrorKind::Vault, message));
            }
            _ => {
                // The header is made once: a warm call only copies it.
                let (mut parts, ()) = http::Request::new(()).into_parts();
                place_token(place, &token, &mut parts)?;
                let made = parts.headers.into_iter().find_map(|(name, value)| Some((name?, value)));
                let (name, value) =
                    made.ok_or_else(|| Error::new(ErrorKind::Internal, "a token was placed nowhere"))?;
                Material::Header { name, value, token }
            }
        };
        Ok(Self {
            version,
            material,
            purpose: Purpose::of(scheme),
            times,
            seen: 0,
            minted: None,
            renewable,
            scopes: tokens.scopes.clone(),
            extra: tokens.extra.clone(),
        })
    }

    /// A secret that stays as it is.
    pub(super) fn of_credential(
        credential: Credential,
        version: CredentialVersion,
        scheme: &AuthScheme,
        times: Times,
    ) -> Self {
        Self {
            version,
            material: Material::Raw(credential),
            purpose: Purpose::of(scheme),
            times,
            seen: 0,
            minted: None,
            renewable: false,
            scopes: None,
            extra: BTreeMap::new(),
        }
    }

    /// Which secret it is: what [`TokenManager::refused`](super::TokenManager::refused) is told. The same secret has the same
    /// version as long as the manager lives.
    #[must_use]
    pub fn version(&self) -> CredentialVersion {
        self.version
    }

    /// When the access token ends, as far as the provider said.
    #[must_use]
    pub fn ends(&self) -> Option<SystemTime> {
        self.times.ends
    }

    /// The access token, for clients that sign requests themselves; `None` for secrets of another kind.
    #[must_use]
    pub fn token(&self) -> Option<&SecretString> {
        match &self.material {
            Material::Header { token, .. }
            | Material::Dpop { token, .. }
            | Material::Raw(Credential::Token(token)) => Some(token),
            Material::Raw(_) => None,
        }
    }

    /// The scopes that were granted, as far as the provider said.
    #[must_use]
    pub fn scopes(&self) -> Option<&[String]> {
        self.scopes.as_deref()
    }

    /// What came with the token and is no secret: an instance's address, a team's id.
    #[must_use]
    pub fn extra(&self) -> &BTreeMap<String, String> {
        &self.extra
    }

    /// The same, read for this connection as it is now.
    pub(super) fn seen(mut self, connection: &Connection) -> Self {
        self.seen = connection.version;
        self
    }

    pub(super) fn usable(&self, connection: &Connection, scheme: &AuthScheme, now: SystemTime) -> bool {
        self.times.usable(now) && connection.version <= self.seen && self.purpose.fits(scheme)
    }

    pub(super) fn due(&self, now: SystemTime) -> bool {
        self.times.due(now)
    }

    /// The same, handed out also after its end.
    pub(super) fn without_end(mut self) -> Self {
        self.times.usable_until = None;
        self
    }

    /// Whether it is time to renew it ahead of its end.
    pub(super) fn ending(&self, now: SystemTime) -> bool {
        self.renewable && self.times.ending(now)
    }

    pub(super) fn is_exchanged(&self) -> bool {
        matches!(self.purpose, Purpose::Exchange(_))
    }

    pub(super) fn dpop(&self) -> Option<&DpopSigner> {
        match &self.material {
            Material::Dpop { signer, .. } => Some(signer),
            _ => None,
        }
    }

    /// Adds the secret to a request.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] where it does not fit the scheme; [`ErrorKind::Unsupported`] where a stream is to be signed.
    pub(super) fn sign(
        &self,
        connection: &Connection,
        scheme: &AuthScheme,
        request: &mut Parts,
        body: Option<&[u8]>,
        clock: &dyn Clock,
    ) -> Result<()> {
        let credential = match &self.material {
            Material::Header { name, value, .. } => {
                request.headers.insert(name.clone(), value.clone());
                return Ok(());
            }
            Material::Dpop { signer, token } => return signer.sign(request, token, clock.now()),
            Material::Raw(credential) => credential,
        };
        match scheme {
            AuthScheme::Hmac(hmac) => sign_hmac(hmac, credential, request, body, clock.now()),
            AuthScheme::AwsSigV4(aws) => {
                sign_sigv4(aws, credential, &connection.config, request, body, clock.now())
            }
            _ => apply(connection, scheme, credential, request),
        }
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("version", &self.version)
            .field("ends", &self.times.ends)
            .field("renewable", &self.renewable)
            .finish_non_exhaustive()
    }
}

/// What stands for a secret in memory and in logs: the same for the same secret, and told by nobody who has not the manager's
/// random key.
pub(super) fn version_of(
    marks: &std::hash::RandomState,
    kind: &str,
    parts: &[&SecretString],
) -> CredentialVersion {
    use std::hash::BuildHasher as _;
    let exposed: Vec<&str> = parts.iter().map(|part| part.expose_secret()).collect();
    // 0 stands for "none".
    marks.hash_one((kind, exposed)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn times(ends: Option<u64>, jitter: f64) -> Times {
        Times::new(ends.map(at), at(0), 5 * MINUTE, 60 * MINUTE, jitter)
    }

    #[test]
    fn renewal_comes_ahead_of_the_end_and_not_for_all_at_once() {
        let hour = times(Some(3_000), 0.0);
        assert!(!hour.due(at(2_699)) && hour.due(at(2_700)) && hour.usable(at(2_700)));
        assert!(times(Some(3_000), 1.0).due(at(2_550)));
        assert!(hour.usable(at(2_994)) && !hour.usable(at(2_995)));
    }

    #[test]
    fn a_short_life_is_not_spent_on_renewals() {
        let short = times(Some(50), 0.0);
        assert!(!short.due(at(39)) && short.due(at(40)));
        assert!(short.usable(at(47)) && !short.usable(at(48)));
        let over = Times::new(Some(at(5)), at(9), 5 * MINUTE, MINUTE, 0.0);
        assert!(!over.usable(at(9)));
    }

    #[test]
    fn without_an_end_only_the_store_is_looked_at_again() {
        let never = times(None, 0.5);
        assert!(never.usable(at(1_000_000)) && !never.due(at(3_599)) && never.due(at(3_600)));
    }
}
