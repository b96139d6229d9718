//! The public keys of an issuer: fetched when needed, kept for a while, fetched again when a new key appears, but not each
//! time that a stranger names one.

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, Header, decode_header};
use serde_json::Value;
use tokio::sync::Mutex;
use tool_connect_core::{Clock, Error, ErrorKind, Result};
use url::Url;

use super::denied;
use crate::discovery::{ServerMetadata, object};
use crate::flow::{Asked, OAuthHttp};

/// Keys are fetched again after this long.
const TTL: Duration = Duration::from_secs(3600);
/// A server that does not answer does not make its old keys useless for this long.
const STALE: Duration = Duration::from_secs(86_400);
/// Between two fetches, whatever tokens come.
const PAUSE: Duration = Duration::from_secs(60);
/// The same while there are no keys at all: those who wait should not wait for each other's failures.
const SHORT_PAUSE: Duration = Duration::from_secs(5);
/// Longest token that is looked at, and most keys.
const MAX_TOKEN: usize = 16 * 1024;
const MAX_KEYS: usize = 64;

/// A key that may verify signatures, in both forms that are needed.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) jwk: Jwk,
    pub(super) json: Value,
}

impl Key {
    fn read(json: &Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(json.clone()).ok()?;
        let signs = jwk.common.public_key_use.as_ref().is_none_or(|of| *of == PublicKeyUse::Signature);
        // A symmetric key in a public document is no secret.
        let public = matches!(
            jwk.algorithm,
            AlgorithmParameters::RSA(_)
                | AlgorithmParameters::EllipticCurve(_)
                | AlgorithmParameters::OctetKeyPair(_)
        );
        (signs && public).then(|| Self { jwk, json: json.clone() })
    }

    /// Whether it fits a signature's algorithm: by its kind, and by its `alg` where it has one. This is the list of what is
    /// accepted: only what needs a public key.
    fn fits(&self, algorithm: Algorithm) -> bool {
        use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
        let of_kind = match self.jwk.algorithm {
            AlgorithmParameters::RSA(_) => {
                matches!(algorithm, RS256 | RS384 | RS512 | PS256 | PS384 | PS512)
            }
            AlgorithmParameters::EllipticCurve(_) => matches!(algorithm, ES256 | ES384),
            AlgorithmParameters::OctetKeyPair(_) => algorithm == EdDSA,
            _ => false,
        };
        let named = self.json.get("alg").and_then(Value::as_str);
        of_kind && named.is_none_or(|named| format!("{algorithm:?}") == named)
    }
}

#[derive(Default)]
struct Known {
    keys: Arc<[Key]>,
    fetched: Option<u64>,
    tried: Option<u64>,
    failed: Option<ErrorKind>,
}

/// An issuer's keys.
pub(super) struct Keys {
    http: OAuthHttp,
    clock: Arc<dyn Clock>,
    issuer: String,
    address: Url,
    known: Mutex<Known>,
}

impl Keys {
    pub(super) fn new(http: OAuthHttp, clock: Arc<dyn Clock>, server: &ServerMetadata) -> Result<Self> {
        let address = server.jwks_uri.clone().ok_or_else(|| {
            Error::new(
                ErrorKind::Unsupported,
                format!(
                    "issuer `{}` publishes no keys (`jwks_uri`): its tokens cannot be checked",
                    server.issuer.escape_debug()
                ),
            )
        })?;
        Ok(Self { http, clock, issuer: server.issuer.clone(), address, known: Mutex::default() })
    }

    /// The key that a token names, after its header was looked at: an algorithm that is accepted, nothing critical that we
    /// do not know (RFC 7515 §4.1.11), no key that it brings itself.
    pub(super) async fn of(&self, what: &str, token: &str) -> Result<(Header, Key)> {
        let header = header(what, token)?;
        if let Some(key) = self.find(&header, false).await? {
            return Ok((header, key));
        }
        match self.find(&header, true).await? {
            Some(key) => Ok((header, key)),
            None => Err(denied(what, "the issuer has no such key")),
        }
    }

    /// The one key that fits; `anew` where what is known does not have it.
    async fn find(&self, header: &Header, anew: bool) -> Result<Option<Key>> {
        let keys = self.keys(anew).await?;
        let mut fitting = keys.iter().filter(|key| {
            key.fits(header.alg)
                && header.kid.as_ref().is_none_or(|kid| key.jwk.common.key_id.as_ref() == Some(kid))
        });
        // Where several fit, the token must say which (OpenID Connect Core §10.1).
        Ok(fitting.next().filter(|_| fitting.next().is_none()).cloned())
    }

    async fn keys(&self, anew: bool) -> Result<Arc<[Key]>> {
        // Held while fetching: all who wait share one request.
        let mut known = self.known.lock().await;
        let now = self.clock.monotonic();
        let within = |since: Option<u64>, span: Duration| {
            since.is_some_and(|since| u128::from(now.saturating_sub(since)) < span.as_nanos())
        };
        if !anew && within(known.fetched, TTL) {
            return Ok(Arc::clone(&known.keys));
        }
        let stale = within(known.fetched, STALE);
        if stale && within(known.tried, PAUSE) {
            return Ok(Arc::clone(&known.keys));
        }
        if let Some(kind) = known.failed.filter(|_| !stale && within(known.tried, SHORT_PAUSE)) {
            let why = format!(
                "the keys of issuer `{}` could not be fetched a moment ago",
                self.issuer.escape_debug()
            );
            return Err(Error::new(kind, why));
        }
        known.tried = Some(now);
        let fetched = self.fetch().await;
        known.failed = fetched.as_ref().err().map(Error::kind);
        match fetched {
            Ok(keys) => {
                known.keys = keys;
                known.fetched = Some(now);
            }
            Err(error) if stale => {
                tracing::warn!(target: "tool_connect::oauth", issuer = %self.issuer, %error, "an issuer's keys cannot be fetched again");
            }
            Err(error) => return Err(error),
        }
        Ok(Arc::clone(&known.keys))
    }

    async fn fetch(&self) -> Result<Arc<[Key]>> {
        let asked = Asked::new(&self.issuer, "public keys");
        let answer = self.http.get(asked, &self.address).await?.success(asked)?;
        let malformed = |why: &str| {
            asked.error(ErrorKind::Provider, format_args!("the document of its public keys {why}"))
        };
        let map = object(&answer.body).map_err(malformed)?;
        let keys = map.get("keys").and_then(Value::as_array).ok_or_else(|| malformed("has no `keys`"))?;
        // Keys of a kind that we do not know are for others (RFC 7517 §5).
        Ok(keys.iter().take(MAX_KEYS).filter_map(Key::read).collect())
    }
}

fn header(what: &str, token: &str) -> Result<Header> {
    if token.len() > MAX_TOKEN {
        return Err(denied(what, "it is too long"));
    }
    // `none`, and every algorithm that is unknown, does not even parse; which of the others is accepted, the key says.
    let header =
        decode_header(token).map_err(|_| denied(what, "it is no signed JWT with a known algorithm"))?;
    let foreign =
        header.jwk.is_some() || header.jku.is_some() || header.x5u.is_some() || header.x5c.is_some();
    if foreign {
        return Err(denied(what, "it brings its own key"));
    }
    if header.crit.is_some() || header.enc.is_some() || header.zip.is_some() {
        return Err(denied(what, "its header asks for something that is not supported"));
    }
    Ok(header)
}
