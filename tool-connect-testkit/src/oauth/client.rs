//! Clients: who they are (RFC 6749 §2.3, RFC 7523 §2.2), and how new ones come (RFC 7591).

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::answer::{Asked, Pairs, Refusal, Reply, value};
use super::issuer::Inner;
use super::jose::Jws;
use super::settings::{ClientAuthentication, EmulatedClient};
use super::state::State;

const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How far an assertion's times may be off.
const LEEWAY: Duration = Duration::from_secs(300);

impl Inner {
    /// The client of a request, once it has proved who it is: in one way, and in the way that it was registered with.
    pub(super) fn client(
        &self,
        state: &mut State,
        asked: &Asked,
        form: &Pairs,
    ) -> Result<EmulatedClient, Refusal> {
        let basic = match asked.header("authorization") {
            Some(header) => {
                Some(basic(header).ok_or_else(|| refused("the authorization header is malformed"))?)
            }
            None => None,
        };
        let (posted, assertion) = (value(form, "client_secret"), value(form, "client_assertion"));
        let ways =
            usize::from(basic.is_some()) + usize::from(posted.is_some()) + usize::from(assertion.is_some());
        if ways > 1 {
            return Err(Refusal::new("invalid_request", "the client is authenticated in more than one way"));
        }
        let claimed = assertion.and_then(Jws::parse);
        let id = match (&basic, &claimed, value(form, "client_id")) {
            (Some((id, _)), _, given) => {
                if given.is_some_and(|given| given != id) {
                    return Err(Refusal::new("invalid_request", "two clients are named"));
                }
                id.clone()
            }
            (None, Some(jws), given) => {
                let subject = jws.claims["sub"].as_str().unwrap_or_default();
                if given.is_some_and(|given| given != subject) {
                    return Err(Refusal::new("invalid_request", "two clients are named"));
                }
                subject.to_owned()
            }
            (None, None, Some(id)) => id.to_owned(),
            (None, None, None) => return Err(refused("no client is named")),
        };
        let client = state.clients.get(&id).cloned().ok_or_else(|| refused("the client is not known"))?;
        let proven = match &client.auth {
            ClientAuthentication::None => ways == 0,
            ClientAuthentication::Basic(secret) => basic.is_some_and(|(_, given)| given == *secret),
            ClientAuthentication::Post(secret) => posted == Some(secret),
            ClientAuthentication::Jwt(key) => {
                let typed = value(form, "client_assertion_type") == Some(ASSERTION);
                match claimed {
                    Some(jws) if typed => {
                        self.assertion(state, &jws, key, &client.id)?;
                        true
                    }
                    _ => false,
                }
            }
        };
        if proven { Ok(client) } else { Err(refused("the client did not authenticate as it was registered")) }
    }

    /// Checks an assertion that a client signed for this server (RFC 7523 §3): the audience is one value, the issuer.
    pub(super) fn assertion(
        &self,
        state: &mut State,
        jws: &Jws<'_>,
        key: &Value,
        issuer: &str,
    ) -> Result<(), Refusal> {
        let claims = &jws.claims;
        let now = unix(self.now());
        let leeway = LEEWAY.as_secs();
        let expires = claims["exp"].as_u64();
        let early = claims["nbf"].as_u64().or(claims["iat"].as_u64()).is_some_and(|from| from > now + leeway);
        let jti = claims["jti"].as_str().unwrap_or_default();
        let why = if !jws.verify(key) {
            "the assertion's signature is wrong"
        } else if claims["iss"] != issuer {
            "the assertion is not issued by the client"
        } else if claims["aud"] != self.settings.issuer.as_str() {
            "the assertion's audience must be the issuer and nothing else"
        } else if expires.is_none_or(|end| end + leeway <= now || end > now + 3_600 + leeway) {
            "the assertion has expired, or lives too long"
        } else if early {
            "the assertion is from the future"
        } else if jti.is_empty() {
            "the assertion has no jti"
        } else if !state.proof_is_new(issuer, jti) {
            "the assertion was used before"
        } else {
            return Ok(());
        };
        Err(refused(why))
    }

    /// Registers a client (RFC 7591); `application_type` is required.
    pub(super) fn register(&self, asked: &Asked) -> Result<Reply, Refusal> {
        let bad = |why| Refusal::new("invalid_client_metadata", why);
        let metadata: Value = serde_json::from_slice(&asked.body).map_err(|_| bad("the body is no JSON"))?;
        if !matches!(metadata["application_type"].as_str(), Some("web" | "native")) {
            return Err(bad("application_type must be web or native"));
        }
        let uris: Option<Vec<String>> = metadata["redirect_uris"]
            .as_array()
            .and_then(|uris| uris.iter().map(|uri| uri.as_str().map(str::to_owned)).collect());
        let uris = uris.filter(|uris| !uris.is_empty());
        let uris = uris.ok_or(Refusal::new("invalid_redirect_uri", "redirect_uris are required"))?;
        let mut state = self.state();
        let id = state.secret("client");
        let secret = state.secret("secret");
        let auth = match metadata["token_endpoint_auth_method"].as_str().unwrap_or("client_secret_basic") {
            "none" => ClientAuthentication::None,
            "client_secret_basic" => ClientAuthentication::Basic(secret.clone()),
            "client_secret_post" => ClientAuthentication::Post(secret.clone()),
            "private_key_jwt" => {
                let key = metadata["jwks"]["keys"].get(0).cloned();
                ClientAuthentication::Jwt(key.ok_or(bad("private_key_jwt needs jwks"))?)
            }
            _ => return Err(bad("token_endpoint_auth_method is not supported")),
        };
        let mut answer = metadata.clone();
        answer["client_id"] = json!(id);
        answer["client_id_issued_at"] = json!(unix(self.now()));
        if matches!(auth, ClientAuthentication::Basic(_) | ClientAuthentication::Post(_)) {
            answer["client_secret"] = json!(secret);
            answer["client_secret_expires_at"] = json!(0);
        }
        state.clients.insert(id.clone(), EmulatedClient { id, auth, redirect_uris: uris });
        Ok(Reply::json(201, &answer))
    }
}

fn refused(why: &'static str) -> Refusal {
    Refusal::new("invalid_client", why).header("www-authenticate", "Basic realm=\"emulator\"")
}

/// Id and secret of a Basic header; both are form-encoded (RFC 6749 §2.3.1).
fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, rest) = header.split_once(' ')?;
    let pair = String::from_utf8(STANDARD.decode(rest).ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    let decode = |text: &str| {
        percent_decode_str(&text.replace('+', " ")).decode_utf8().ok().map(std::borrow::Cow::into_owned)
    };
    if scheme.eq_ignore_ascii_case("basic") { Some((decode(id)?, decode(secret)?)) } else { None }
}

pub(super) fn unix(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
