//! Access tokens that clients bring to the host's own API: JWTs as RFC 9068 has them.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderMap;
use http::header::AUTHORIZATION;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use tool_connect_core::{Clock, Error, ErrorKind, Result};

use super::keys::Keys;
use super::{SKEW, denied, unix_seconds};
use crate::discovery::ServerMetadata;
use crate::flow::OAuthHttp;

const WHAT: &str = "access token";

/// Checks access tokens that clients bring to the host's own API.
///
/// A token must be signed by the issuer, of the type `at+jwt`, and be meant for this API: its audience must hold the
/// identifier that was given here (RFC 9068 §4, RFC 8707). What is returned is what the token says, never the token: it is
/// good for this API alone, and passing it on to a provider would let whoever can bring one act there (the confused deputy).
/// Calls to providers carry the secret of a connection and nothing else.
///
/// ```
/// # async fn example(http: tool_connect_oauth::flow::OAuthHttp, headers: http::HeaderMap) -> tool_connect_core::Result<()> {
/// use std::sync::Arc;
/// use tool_connect_core::{Principal, SystemClock};
/// use tool_connect_oauth::discovery::Discovery;
/// use tool_connect_oauth::oidc::{AccessTokenVerifier, bearer_token};
///
/// let clock = Arc::new(SystemClock);
/// let issuer = Discovery::new(http.clone(), clock.clone()).server("https://id.example").await?;
/// let verifier = AccessTokenVerifier::new(http, &issuer, "https://api.acme.example", clock)?;
///
/// let token = verifier.verify(&bearer_token(&headers)?).await?;
/// let principal = Principal::user("acme", &token.subject)?;
/// # let _ = principal;
/// # Ok(())
/// # }
/// ```
pub struct AccessTokenVerifier {
    keys: Keys,
    clock: Arc<dyn Clock>,
    issuer: String,
    audience: String,
}

impl fmt::Debug for AccessTokenVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessTokenVerifier")
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}

/// What a token says that was checked. It does not hold the token.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct InboundToken {
    /// The issuer.
    pub issuer: String,
    /// Whom it stands for; for a client that acts for itself, the client.
    pub subject: String,
    /// The client that brought it.
    pub client_id: String,
    /// The token's own id.
    pub id: String,
    /// What it may be used for.
    pub scopes: Vec<String>,
    /// When it ends.
    pub expires: SystemTime,
    /// Everything that it claims.
    pub claims: Map<String, Value>,
}

impl fmt::Debug for InboundToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The rest may be personal data, which does not belong into a log.
        f.debug_struct("InboundToken")
            .field("issuer", &self.issuer)
            .field("subject", &self.subject)
            .field("client_id", &self.client_id)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

impl AccessTokenVerifier {
    /// Accepts tokens of an issuer that are meant for `audience`, the host's own identifier there.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] where the issuer publishes no keys, [`ErrorKind::Config`] for an empty audience.
    pub fn new(
        http: OAuthHttp,
        server: &ServerMetadata,
        audience: impl Into<String>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        let audience = audience.into();
        if audience.is_empty() {
            return Err(Error::new(
                ErrorKind::Config,
                "an audience is needed: the identifier that this API has at the issuer",
            ));
        }
        let keys = Keys::new(http, Arc::clone(&clock), server)?;
        Ok(Self { keys, clock, issuer: server.issuer.clone(), audience })
    }

    /// Checks a token.
    ///
    /// # Errors
    /// [`ErrorKind::Denied`] where it is not good, whatever the reason: answer with 401. Others where the issuer's keys cannot
    /// be fetched: answer with 503. Neither repeats anything of the token.
    pub async fn verify(&self, token: &SecretString) -> Result<InboundToken> {
        let text = token.expose_secret();
        let (header, key) = self.keys.of(WHAT, text).await?;
        // RFC 9068 §2.1, §4: an ID token is no access token.
        let of_type = header.typ.as_deref().map(|of| of.to_ascii_lowercase());
        if !matches!(of_type.as_deref(), Some("at+jwt" | "application/at+jwt")) {
            return Err(denied(WHAT, "it is a token of another type (typ)"));
        }
        let verifying =
            DecodingKey::from_jwk(&key.jwk).map_err(|_| denied(WHAT, "the issuer's key cannot be used"))?;
        let claims = decode::<Map<String, Value>>(text, &verifying, &signature_only(header.alg))
            .map_err(|_| denied(WHAT, "its signature is not the issuer's"))?
            .claims;
        self.check(claims)
    }

    fn check(&self, claims: Map<String, Value>) -> Result<InboundToken> {
        let text = |name: &str| {
            let text = claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
            text.map(str::to_owned)
                .ok_or_else(|| denied(WHAT, "it lacks a claim that RFC 9068 §2.2 requires"))
        };
        let time = |name: &str| {
            let seconds =
                claims.get(name).and_then(Value::as_f64).filter(|seconds| (0.0..1e12).contains(seconds));
            seconds.map(|seconds| Duration::from_secs_f64(seconds).as_secs())
        };
        let issuer = text("iss")?;
        if issuer != self.issuer {
            return Err(denied(WHAT, "it is from another issuer (iss)"));
        }
        let for_us = match claims.get("aud") {
            Some(Value::String(audience)) => *audience == self.audience,
            Some(Value::Array(all)) => all.iter().any(|audience| audience.as_str() == Some(&self.audience)),
            _ => false,
        };
        if !for_us {
            return Err(denied(WHAT, "it is meant for another API (aud)"));
        }
        let now = unix_seconds(self.clock.now());
        let expires =
            time("exp").ok_or_else(|| denied(WHAT, "it lacks a claim that RFC 9068 §2.2 requires"))?;
        if expires.saturating_add(SKEW.as_secs()) <= now {
            return Err(denied(WHAT, "it has ended (exp)"));
        }
        let issued =
            time("iat").ok_or_else(|| denied(WHAT, "it lacks a claim that RFC 9068 §2.2 requires"))?;
        let begins = claims.get("nbf").map_or(Some(0), |_| time("nbf"));
        if begins.is_none_or(|begins| begins.max(issued) > now.saturating_add(SKEW.as_secs())) {
            return Err(denied(WHAT, "it is from the future (iat, nbf)"));
        }
        let scopes = match claims.get("scope") {
            Some(Value::String(scopes)) => {
                scopes.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect()
            }
            _ => Vec::new(),
        };
        // A token that is bound to a key proves nothing without that proof (RFC 9449 §6, RFC 8705 §3).
        if claims.contains_key("cnf") {
            return Err(denied(WHAT, "it is bound to a key whose proof is not checked here (cnf)"));
        }
        Ok(InboundToken {
            subject: text("sub")?,
            client_id: text("client_id")?,
            id: text("jti")?,
            issuer,
            scopes,
            expires: UNIX_EPOCH + Duration::from_secs(expires),
            claims,
        })
    }
}

/// The signature alone: what the claims must be is checked by our own clock.
fn signature_only(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}

/// The bearer token of a request to the host's own API (RFC 6750 §2.1). Tokens in the query or in a body are not taken.
///
/// # Errors
/// [`ErrorKind::Denied`] where there is none, more than one, or one that is malformed.
pub fn bearer_token(headers: &HeaderMap) -> Result<SecretString> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (all.next(), all.next()) else {
        return Err(denied("request", "it has no `Authorization` header, or several"));
    };
    let token = value
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim_matches(' '))
        .filter(|token| !token.is_empty() && !token.contains(' '));
    token
        .map(|token| SecretString::from(token.to_owned()))
        .ok_or_else(|| denied("request", "its `Authorization` header holds no bearer token"))
}
