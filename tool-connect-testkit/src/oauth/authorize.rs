//! The authorization endpoint: OAuth 2.1's code flow and nothing else, with a user who follows the script.

use std::time::Duration;

use serde_json::json;
use url::Url;

use super::answer::{Asked, Pairs, Refusal, Reply, value, values};
use super::issuer::{Decision, Inner};
use super::settings::{EmulatedClient, EmulatedUser, IssParameter};
use super::state::{Code, Grant, Pushed, State};

/// How long a pushed request can be used.
const PUSHED: Duration = Duration::from_secs(60);

impl Inner {
    pub(super) fn authorize(&self, asked: &Asked) -> Reply {
        match self.authorized(asked) {
            Ok(reply) => reply,
            Err(refusal) => Reply::page(400, &format!("{}: {}", refusal.code, refusal.description())),
        }
    }

    fn authorized(&self, asked: &Asked) -> Result<Reply, Refusal> {
        let bad = |why| Refusal::new("invalid_request", why);
        let query = asked.query()?;
        let mut state = self.state();
        let id = value(&query, "client_id").ok_or(bad("client_id is missing"))?;
        let client = state.clients.get(id).cloned().ok_or(bad("the client is not known"))?;
        let parameters = match value(&query, "request_uri") {
            Some(uri) => {
                let pushed = state.pushed.remove(uri).ok_or(bad("the request_uri is not known"))?;
                if pushed.client != client.id || pushed.expires <= self.now() {
                    return Err(bad("the request_uri is another client's, or it expired"));
                }
                pushed.parameters
            }
            None if self.settings.pushed_only => return Err(bad("authorization requests must be pushed")),
            None => query,
        };
        // Without a proven place to return to, nobody is sent anywhere.
        let redirect_uri = value(&parameters, "redirect_uri").ok_or(bad("redirect_uri is missing"))?;
        if !client.returns_to(redirect_uri) {
            return Err(bad("the redirect_uri is not registered"));
        }
        let mut to = Url::parse(redirect_uri).map_err(|_| bad("the redirect_uri is no URL"))?;
        let answer = self.decided(&mut state, &client, &parameters, redirect_uri);
        {
            let mut pairs = to.query_pairs_mut();
            match &answer {
                Ok(code) => pairs.append_pair("code", code),
                Err(refusal) => pairs
                    .append_pair("error", refusal.code)
                    .append_pair("error_description", refusal.description()),
            };
            if let Some(state) = value(&parameters, "state") {
                pairs.append_pair("state", state);
            }
            match &self.settings.quirks.iss {
                IssParameter::Sent => {
                    pairs.append_pair("iss", &self.settings.issuer);
                }
                IssParameter::Other(other) => {
                    pairs.append_pair("iss", other);
                }
                IssParameter::Absent | IssParameter::Withheld => {}
            }
        }
        Ok(Reply::redirect(302, to))
    }

    /// Checks what is asked for and asks the user; returns the code.
    fn decided(
        &self,
        state: &mut State,
        client: &EmulatedClient,
        parameters: &Pairs,
        redirect_uri: &str,
    ) -> Result<String, Refusal> {
        let challenge = self.checked(parameters)?;
        let scopes = self.scopes(parameters)?;
        let resources = self.resources(parameters)?;
        let decision = state.decisions.pop_front().unwrap_or_default();
        let (user, scopes) = self.consent(decision, scopes)?;
        let code = state.secret("code");
        let grant = Grant { client: client.id.clone(), user, scopes, resources, key: None, revoked: false };
        let code_of = Code {
            grant,
            redirect_uri: redirect_uri.to_owned(),
            challenge,
            nonce: value(parameters, "nonce").map(str::to_owned),
            expires: self.now() + self.settings.code_lifetime,
            used: None,
        };
        state.codes.insert(code.clone(), code_of);
        Ok(code)
    }

    /// The code flow with PKCE S256 (RFC 7636); returns the challenge.
    fn checked(&self, parameters: &Pairs) -> Result<String, Refusal> {
        if value(parameters, "response_type") != Some("code") {
            return Err(Refusal::new("unsupported_response_type", "only `code` is supported"));
        }
        if value(parameters, "code_challenge_method") != Some("S256") {
            return Err(Refusal::new("invalid_request", "PKCE with S256 is required"));
        }
        let challenge = value(parameters, "code_challenge").unwrap_or_default();
        let fits = challenge.len() == 43
            && challenge.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        if fits {
            Ok(challenge.to_owned())
        } else {
            Err(Refusal::new("invalid_request", "the code_challenge is no SHA-256 in base64url"))
        }
    }

    /// What a decision makes of the scopes that were asked for.
    pub(super) fn consent(
        &self,
        decision: Decision,
        scopes: Vec<String>,
    ) -> Result<(EmulatedUser, Vec<String>), Refusal> {
        let user = self.settings.user.clone();
        match decision {
            Decision::Approve => Ok((user, scopes)),
            Decision::ApproveAs(login) => Ok((EmulatedUser::new(login), scopes)),
            Decision::Narrow(to) => {
                Ok((user, scopes.into_iter().filter(|scope| to.contains(scope)).collect()))
            }
            Decision::Deny => Err(Refusal::new("access_denied", "the user said no")),
        }
    }

    pub(super) fn scopes(&self, parameters: &Pairs) -> Result<Vec<String>, Refusal> {
        let text = value(parameters, "scope").unwrap_or_default();
        let scopes: Vec<String> = text.split(' ').filter(|s| !s.is_empty()).map(str::to_owned).collect();
        let known = &self.settings.scopes;
        if !known.is_empty() && scopes.iter().any(|scope| !known.contains(scope)) {
            return Err(Refusal::new("invalid_scope", "a scope is not known"));
        }
        Ok(scopes)
    }

    /// The resources that are asked for (RFC 8707 §2): absolute, without fragment, and known.
    pub(super) fn resources(&self, parameters: &Pairs) -> Result<Vec<String>, Refusal> {
        let resources = values(parameters, "resource");
        let known = &self.settings.resources;
        let fine = |resource: &String| {
            Url::parse(resource).is_ok_and(|url| url.fragment().is_none())
                && (known.is_empty() || known.contains(resource) || *resource == self.at("api"))
        };
        if resources.iter().all(fine) {
            Ok(resources)
        } else {
            Err(Refusal::new("invalid_target", "a resource is not known"))
        }
    }

    /// Takes a pushed authorization request (RFC 9126).
    pub(super) fn push(&self, asked: &Asked) -> Result<Reply, Refusal> {
        let form = asked.form()?;
        let mut state = self.state();
        let client = self.client(&mut state, asked, &form)?;
        let bad = |why| Refusal::new("invalid_request", why);
        if value(&form, "request_uri").is_some() {
            return Err(bad("request_uri must not be pushed"));
        }
        let redirect_uri = value(&form, "redirect_uri").ok_or(bad("redirect_uri is missing"))?;
        if !client.returns_to(redirect_uri) {
            return Err(bad("the redirect_uri is not registered"));
        }
        self.checked(&form)?;
        self.scopes(&form)?;
        self.resources(&form)?;
        let uri = format!("urn:ietf:params:oauth:request_uri:{}", state.secret("pushed"));
        let pushed = Pushed { client: client.id, parameters: form, expires: self.now() + PUSHED };
        state.pushed.insert(uri.clone(), pushed);
        Ok(Reply::json(201, &json!({ "request_uri": uri, "expires_in": PUSHED.as_secs() })))
    }
}
