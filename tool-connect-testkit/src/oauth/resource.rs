//! The protected service behind a server, and what tells about tokens: metadata, introspection, revocation.

use serde_json::{Value, json};

use super::answer::{Asked, Refusal, Reply, value};
use super::client::unix;
use super::dpop::ProofFor;
use super::issuer::Inner;
use super::settings::{Dpop, IssParameter};
use super::state::{AccessToken, State};

impl Inner {
    /// The token, where it is in force by the API's clock.
    pub(super) fn live<'a>(&self, state: &'a State, token: &str) -> Option<&'a AccessToken> {
        let now = self.now() + state.ahead;
        let found = state.access_tokens.get(token)?;
        let in_force =
            !found.revoked && !state.grants[found.grant].revoked && now < found.expires + state.behind;
        in_force.then_some(found)
    }

    /// Who calls the API: the access token's grant and what it may do.
    fn caller(&self, state: &mut State, asked: &Asked) -> Result<(usize, Vec<String>), Reply> {
        let metadata = format!(", resource_metadata=\"{}\"", self.resource_metadata_url());
        let outside = asked.url.query_pairs().any(|(name, _)| name == "access_token")
            || asked.body.starts_with(b"access_token=");
        state.counters.tokens_outside_headers += u64::from(outside);
        let Some((scheme, token)) = asked.header("authorization").and_then(|header| header.split_once(' '))
        else {
            return Err(Refusal::new("", "").challenge("Bearer", &metadata));
        };
        let dpop = scheme.eq_ignore_ascii_case("dpop");
        let (scheme, known) =
            if dpop { ("DPoP", true) } else { ("Bearer", scheme.eq_ignore_ascii_case("bearer")) };
        let refuse = |why: Refusal| why.challenge(scheme, &metadata);
        let invalid = |why| refuse(Refusal::new("invalid_token", why));
        let found = self.live(state, token).filter(|_| known);
        let Some(found) = found else {
            return Err(invalid("the token is not known, expired or revoked"));
        };
        let (grant, scopes, key) = (found.grant, found.scopes.clone(), found.key.clone());
        if self.settings.audience_required && !found.resources.contains(&self.at("api")) {
            return Err(invalid("the token is meant for another resource"));
        }
        match key {
            None if dpop => return Err(invalid("the token is not bound to a key")),
            None if self.settings.dpop != Dpop::Accepted => {
                return Err(invalid("a token that is bound to a key is needed"));
            }
            None => {}
            Some(_) if !dpop => return Err(invalid("the token is bound to a key; prove that you have it")),
            Some(key) => {
                let proof = self.proof(state, asked, ProofFor::Api(token)).map_err(refuse)?;
                if proof.as_ref() != Some(&key) {
                    return Err(invalid("the proof is made with another key"));
                }
            }
        }
        Ok((grant, scopes))
    }

    /// Serves a caller, and counts those who are refused.
    fn guarded(&self, asked: &Asked, serve: impl FnOnce(&State, usize, &[String]) -> Reply) -> Reply {
        let mut state = self.state();
        match self.caller(&mut state, asked) {
            Ok((grant, scopes)) => serve(&state, grant, &scopes),
            Err(reply) => {
                state.counters.api_refusals += u64::from(reply.status == 401);
                reply
            }
        }
    }

    pub(super) fn userinfo(&self, asked: &Asked) -> Reply {
        self.guarded(asked, |state, grant, scopes| {
            let user = &state.grants[grant].user;
            let body = json!({
                "sub": user.subject, "login": user.login, "name": user.login, "email": format!("{}@example.org", user.login),
            });
            Reply::json(200, &body).header("x-oauth-scopes", scopes.join(", "))
        })
    }

    /// `api/echo` says what was asked; `api/scope/NAME` needs that scope; `api/redirect?to=URL` sends elsewhere.
    pub(super) fn api(&self, path: &str, asked: &Asked) -> Reply {
        self.guarded(asked, |state, grant, scopes| {
            let user = &state.grants[grant].user.login;
            if let Some(needed) = path.strip_prefix("scope/")
                && !scopes.iter().any(|scope| scope == needed)
            {
                return Refusal::new("insufficient_scope", "a scope is missing")
                    .challenge("Bearer", &format!(", scope=\"{needed}\""));
            }
            if path == "redirect" {
                let to = asked.url.query_pairs().find(|(name, _)| name == "to");
                return to.map_or(Reply::empty(400), |(_, to)| Reply::redirect(302, to));
            }
            let body = String::from_utf8_lossy(&asked.body);
            Reply::json(
                200,
                &json!({ "path": path, "method": asked.method.as_str(), "user": user, "body": body }),
            )
        })
    }

    /// A token without OAuth: JSON or a form with `username` and `password`, the answer is `{"data": {"token", "ttl"}}`.
    pub(super) fn exchange(&self, asked: &Asked) -> Reply {
        let fields: Value = serde_json::from_slice(&asked.body).unwrap_or_else(|_| {
            url::form_urlencoded::parse(&asked.body)
                .map(|(name, value)| (name.into_owned(), json!(value)))
                .collect()
        });
        let mut state = self.state();
        let name = fields["username"].as_str().unwrap_or_default();
        let known = state.clients.get(name).is_some_and(|client| {
            let secret = fields["password"].as_str().unwrap_or_default();
            matches!(&client.auth, super::settings::ClientAuthentication::Post(known) if known == secret)
        });
        if !known {
            return Reply::json(403, &json!({ "error": "name or password is wrong" }));
        }
        let grant = state.add_grant(super::state::Grant {
            client: name.to_owned(),
            user: super::EmulatedUser { subject: name.to_owned(), login: name.to_owned() },
            scopes: Vec::new(),
            resources: Vec::new(),
            key: None,
            revoked: false,
        });
        let tokens = self.mint(&mut state, grant, None, None, false);
        let body = json!({ "data": { "token": tokens.access_token, "ttl": tokens.expires_in.as_secs() } });
        Reply::json(200, &body)
    }

    /// RFC 7009: a token that is not known is revoked already. A refresh token takes its grant with it.
    pub(super) fn revoke(&self, asked: &Asked) -> Result<Reply, Refusal> {
        let form = asked.form()?;
        let mut state = self.state();
        let client = self.client(&mut state, asked, &form)?;
        let token = value(&form, "token").ok_or(Refusal::new("invalid_request", "token is missing"))?;
        let refresh = state.refresh_tokens.get(token).map(|found| found.grant);
        let access = state.access_tokens.get(token).map(|found| found.grant);
        if let Some(grant) = refresh.or(access) {
            if state.grants[grant].client != client.id {
                return Err(Refusal::new("invalid_client", "the token is another client's"));
            }
            if refresh.is_some() {
                state.grants[grant].revoked = true;
            } else if let Some(found) = state.access_tokens.get_mut(token) {
                found.revoked = true;
            }
        }
        Ok(Reply::empty(200))
    }

    /// RFC 7662.
    pub(super) fn introspect(&self, asked: &Asked) -> Result<Reply, Refusal> {
        let form = asked.form()?;
        let mut state = self.state();
        self.client(&mut state, asked, &form)?;
        let token = value(&form, "token").unwrap_or_default();
        let body = match self.live(&state, token) {
            None => json!({ "active": false }),
            Some(found) => {
                let grant = &state.grants[found.grant];
                let mut body = json!({
                    "active": true, "iss": self.settings.issuer, "sub": grant.user.subject, "client_id": grant.client,
                    "username": grant.user.login, "scope": found.scopes.join(" "), "exp": unix(found.expires),
                });
                if !found.resources.is_empty() {
                    body["aud"] = json!(found.resources);
                }
                body
            }
        };
        Ok(Reply::json(200, &body))
    }

    pub(super) fn jwks(&self) -> Reply {
        Reply::json(200, &json!({ "keys": [self.key.public()] }))
    }

    fn resource_metadata_url(&self) -> String {
        let mut url = self.base.clone();
        url.set_path(&format!(
            "/.well-known/oauth-protected-resource{}/api",
            self.base.path().trim_end_matches('/')
        ));
        url.to_string()
    }

    /// RFC 8414, OpenID Connect discovery, and RFC 9728 for the API.
    pub(super) fn metadata(&self, name: &str) -> Reply {
        let root = self.base.path().trim_end_matches('/');
        let (document, path) = name
            .split_once('/')
            .map_or((name, String::new()), |(document, rest)| (document, format!("/{rest}")));
        let settings = &self.settings;
        match document {
            "oauth-protected-resource" if path == format!("{root}/api") => Reply::json(
                200,
                &json!({
                    "resource": self.at("api"), "authorization_servers": [settings.issuer],
                    "bearer_methods_supported": ["header"], "scopes_supported": settings.scopes,
                }),
            ),
            "oauth-authorization-server" | "openid-configuration" if path == root || path.is_empty() => {
                Reply::json(
                    200,
                    &json!({
                        "issuer": settings.issuer,
                        "authorization_endpoint": self.at("authorize"),
                        "token_endpoint": self.at("token"),
                        "device_authorization_endpoint": self.at("device"),
                        "pushed_authorization_request_endpoint": self.at("par"),
                        "require_pushed_authorization_requests": settings.pushed_only,
                        "revocation_endpoint": self.at("revoke"),
                        "introspection_endpoint": self.at("introspect"),
                        "registration_endpoint": self.at("register"),
                        "userinfo_endpoint": self.at("userinfo"),
                        "jwks_uri": self.at("jwks"),
                        "scopes_supported": settings.scopes,
                        "response_types_supported": ["code"],
                        "response_modes_supported": ["query"],
                        "grant_types_supported": [
                            "authorization_code", "refresh_token", "client_credentials",
                            "urn:ietf:params:oauth:grant-type:device_code", "urn:ietf:params:oauth:grant-type:jwt-bearer",
                        ],
                        "subject_types_supported": ["public"],
                        "id_token_signing_alg_values_supported": ["ES256"],
                        "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"],
                        "token_endpoint_auth_signing_alg_values_supported": ["ES256", "EdDSA", "RS256"],
                        "code_challenge_methods_supported": ["S256"],
                        "dpop_signing_alg_values_supported": ["ES256", "EdDSA", "RS256"],
                        "authorization_response_iss_parameter_supported": settings.quirks.iss != IssParameter::Absent,
                    }),
                )
            }
            _ => Reply::page(404, "There is nothing here."),
        }
    }
}
