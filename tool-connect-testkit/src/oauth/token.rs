//! The token endpoint: every grant (RFC 6749, 7523, 8628), and what token responses look like.

use std::time::Duration;

use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::answer::{Asked, Pairs, Refusal, Reply, value};
use super::client::unix;
use super::dpop::ProofFor;
use super::issuer::{EmulatedTokens, Inner};
use super::jose::{Jws, hashed};
use super::settings::{ClientAuthentication, EmulatedClient, ExpiresIn};
use super::state::{AccessToken, Grant, RefreshToken, State};

const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// What a token response is made of.
struct Granted {
    tokens: EmulatedTokens,
    scopes: Vec<String>,
    dpop: bool,
    id_token: Option<String>,
}

impl Inner {
    pub(super) fn token(&self, asked: &Asked) -> Reply {
        let answered = asked.form().and_then(|form| self.granted(asked, &form));
        match answered {
            Ok(granted) => self.response(asked, granted),
            Err(refusal) => {
                let reply = refusal.reply();
                if self.settings.quirks.errors_as_200 { Reply { status: 200, ..reply } } else { reply }
            }
        }
    }

    fn granted(&self, asked: &Asked, form: &Pairs) -> Result<Granted, Refusal> {
        let mut state = self.state();
        let state = &mut *state;
        let kind =
            value(form, "grant_type").ok_or(Refusal::new("invalid_request", "grant_type is missing"))?;
        state.counters.refresh_requests += u64::from(kind == "refresh_token");
        let client = self.client(state, asked, form)?;
        let key = self.proof(state, asked, ProofFor::Token)?;
        match kind {
            "authorization_code" => self.by_code(state, form, &client, key),
            "refresh_token" => self.by_refresh(state, form, &client, key),
            "client_credentials" => {
                if matches!(client.auth, ClientAuthentication::None) {
                    return Err(Refusal::new("unauthorized_client", "a public client cannot act for itself"));
                }
                self.for_itself(state, form, &client, key)
            }
            JWT_BEARER => {
                let jws = value(form, "assertion").and_then(Jws::parse);
                let jws =
                    jws.ok_or(Refusal::new("invalid_grant", "the assertion is missing or malformed"))?;
                let ClientAuthentication::Jwt(public) = &client.auth else {
                    return Err(Refusal::new("unauthorized_client", "the client has no key"));
                };
                self.assertion(state, &jws, public, &client.id)
                    .map_err(|refusal| Refusal::new("invalid_grant", refusal.description()))?;
                self.for_itself(state, form, &client, key)
            }
            DEVICE => self.by_device(state, form, &client, key),
            _ => Err(Refusal::new("unsupported_grant_type", "the grant type is not supported")),
        }
    }

    fn by_code(
        &self,
        state: &mut State,
        form: &Pairs,
        client: &EmulatedClient,
        key: Option<String>,
    ) -> Result<Granted, Refusal> {
        let invalid = |why| Refusal::new("invalid_grant", why);
        let code = value(form, "code").ok_or(Refusal::new("invalid_request", "code is missing"))?;
        let found = state.codes.get(code).ok_or(invalid("the code is not known"))?;
        if let Some(grant) = found.used {
            state.counters.code_replays += 1;
            state.end_grant(grant);
            return Err(invalid("the code was used before; the grant is revoked"));
        }
        if found.grant.client != client.id {
            return Err(invalid("the code is another client's"));
        }
        if found.expires <= self.now() {
            return Err(invalid("the code has expired"));
        }
        if value(form, "redirect_uri") != Some(&found.redirect_uri) {
            return Err(invalid("the redirect_uri is not the one of the authorization request"));
        }
        let verifier = value(form, "code_verifier").ok_or(invalid("code_verifier is missing"))?;
        let unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        if !(43..=128).contains(&verifier.len()) || !verifier.bytes().all(unreserved) {
            return Err(invalid("the code_verifier is malformed"));
        }
        if hashed(verifier) != found.challenge {
            return Err(invalid("the code_verifier does not fit the challenge"));
        }
        let mut grant = found.grant.clone();
        let nonce = found.nonce.clone();
        let resources = self.narrowed(form, &grant.resources)?;
        if matches!(client.auth, ClientAuthentication::None) {
            grant.key.clone_from(&key);
        }
        let id_token =
            grant.scopes.iter().any(|scope| scope == "openid").then(|| self.id_token(&grant, nonce));
        let scopes = grant.scopes.clone();
        let with_refresh = self.settings.refresh_scope.as_ref().is_none_or(|scope| scopes.contains(scope));
        let grant = state.add_grant(grant);
        if let Some(found) = state.codes.get_mut(code) {
            found.used = Some(grant);
        }
        let dpop = key.is_some();
        let tokens = self.mint(state, grant, Some(resources), key, with_refresh);
        Ok(Granted { tokens, scopes, dpop, id_token })
    }

    fn by_refresh(
        &self,
        state: &mut State,
        form: &Pairs,
        client: &EmulatedClient,
        key: Option<String>,
    ) -> Result<Granted, Refusal> {
        let token = value(form, "refresh_token")
            .ok_or(Refusal::new("invalid_request", "refresh_token is missing"))?;
        // What is wrong with the request spends nothing.
        let asked = self.scopes(form)?;
        if let Some(found) = state.refresh_tokens.get(token) {
            let grant = &state.grants[found.grant];
            if asked.iter().any(|scope| !grant.scopes.contains(scope)) {
                return Err(Refusal::new("invalid_scope", "more is asked for than was granted"));
            }
            if grant.key.is_some() && grant.key != key {
                return Err(Refusal::new("invalid_dpop_proof", "the refresh token is bound to another key"));
            }
            self.narrowed(form, &grant.resources)?;
        }
        let (grant, rotate) = state.spend(token, &client.id, self.now())?;
        let resources = self.narrowed(form, &state.grants[grant].resources)?;
        let scopes = if asked.is_empty() { state.grants[grant].scopes.clone() } else { asked };
        let dpop = key.is_some();
        let tokens = self.mint(state, grant, Some(resources), key, rotate);
        Ok(Granted { tokens, scopes, dpop, id_token: None })
    }

    /// A token without a user and without a refresh token (RFC 6749 §4.4.3).
    fn for_itself(
        &self,
        state: &mut State,
        form: &Pairs,
        client: &EmulatedClient,
        key: Option<String>,
    ) -> Result<Granted, Refusal> {
        let scopes = self.scopes(form)?;
        let resources = self.resources(form)?;
        let grant = state.add_grant(Grant {
            client: client.id.clone(),
            user: super::EmulatedUser { subject: client.id.clone(), login: client.id.clone() },
            scopes: scopes.clone(),
            resources,
            key: None,
            revoked: false,
        });
        let dpop = key.is_some();
        let tokens = self.mint(state, grant, None, key, false);
        Ok(Granted { tokens, scopes, dpop, id_token: None })
    }

    fn by_device(
        &self,
        state: &mut State,
        form: &Pairs,
        client: &EmulatedClient,
        key: Option<String>,
    ) -> Result<Granted, Refusal> {
        let code =
            value(form, "device_code").ok_or(Refusal::new("invalid_request", "device_code is missing"))?;
        let mut grant = self.polled(state, code, &client.id)?;
        if matches!(client.auth, ClientAuthentication::None) {
            grant.key.clone_from(&key);
        }
        let scopes = grant.scopes.clone();
        let with_refresh = self.settings.refresh_scope.as_ref().is_none_or(|scope| scopes.contains(scope));
        let grant = state.add_grant(grant);
        let dpop = key.is_some();
        let tokens = self.mint(state, grant, None, key, with_refresh);
        Ok(Granted { tokens, scopes, dpop, id_token: None })
    }

    /// The resources of one token: all of the grant's, or those of them that are asked for (RFC 8707 §2.2).
    fn narrowed(&self, form: &Pairs, granted: &[String]) -> Result<Vec<String>, Refusal> {
        let asked = self.resources(form)?;
        if asked.is_empty() {
            Ok(granted.to_vec())
        } else if granted.is_empty() || asked.iter().all(|resource| granted.contains(resource)) {
            Ok(asked)
        } else {
            Err(Refusal::new("invalid_target", "a resource was not granted"))
        }
    }

    /// New tokens of a grant.
    pub(super) fn mint(
        &self,
        state: &mut State,
        grant: usize,
        resources: Option<Vec<String>>,
        key: Option<String>,
        with_refresh: bool,
    ) -> EmulatedTokens {
        let now = self.now();
        let expires_in = state.access_lifetime;
        let access_token = state.secret("at");
        let of = &state.grants[grant];
        let resources = resources.unwrap_or_else(|| of.resources.clone());
        let token = AccessToken {
            grant,
            scopes: of.scopes.clone(),
            resources,
            expires: now + expires_in,
            key,
            revoked: false,
        };
        state.access_tokens.insert(access_token.clone(), token);
        state.counters.tokens_issued += 1;
        let refresh_token = with_refresh.then(|| {
            let token = state.secret("rt");
            let expires = self.settings.refresh_lifetime.map(|lifetime| now + lifetime);
            state.refresh_tokens.insert(token.clone(), RefreshToken { grant, expires, used: None });
            token
        });
        EmulatedTokens { access_token, refresh_token, expires_in }
    }

    /// OpenID Connect Core §2.
    fn id_token(&self, grant: &Grant, nonce: Option<String>) -> String {
        let now = unix(self.now());
        let mut claims = json!({
            "iss": self.settings.issuer, "sub": grant.user.subject, "aud": grant.client,
            "iat": now, "exp": now + 3_600, "preferred_username": grant.user.login,
        });
        if let Some(nonce) = nonce {
            claims["nonce"] = json!(nonce);
        }
        self.key.sign(&claims)
    }

    fn response(&self, asked: &Asked, granted: Granted) -> Reply {
        let quirks = &self.settings.quirks;
        let lifetime = granted.tokens.expires_in;
        let mut body = Map::new();
        body.insert("access_token".into(), json!(granted.tokens.access_token));
        body.insert("token_type".into(), json!(if granted.dpop { "DPoP" } else { "Bearer" }));
        if let Some(value) = expires_in(quirks.expires_in, lifetime) {
            body.insert("expires_in".into(), value);
        }
        if let Some(token) = granted.tokens.refresh_token {
            body.insert("refresh_token".into(), json!(token));
        }
        body.insert("scope".into(), json!(granted.scopes.join(" ")));
        if let Some(token) = granted.id_token {
            body.insert("id_token".into(), json!(token));
        }
        body.extend(quirks.extra.iter().cloned());
        let wants_json = asked.header("accept").is_some_and(|accept| accept.contains("application/json"));
        if quirks.form && !wants_json {
            let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let pairs = body.into_iter().map(|(name, value)| (name, text(value)));
            let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
            let kind = "application/x-www-form-urlencoded; charset=utf-8";
            return Reply::empty(200)
                .header("content-type", kind)
                .header("cache-control", "no-store")
                .body(form);
        }
        let body = match &quirks.nested {
            Some(name) => json!({ "ok": true, name: body }),
            None => Value::Object(body),
        };
        Reply::json(200, &body)
    }
}

fn expires_in(how: ExpiresIn, lifetime: Duration) -> Option<Value> {
    match how {
        ExpiresIn::Seconds => Some(json!(lifetime.as_secs())),
        ExpiresIn::Text => Some(json!(lifetime.as_secs().to_string())),
        ExpiresIn::Millis => Some(json!(u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX))),
        ExpiresIn::Missing => None,
    }
}
