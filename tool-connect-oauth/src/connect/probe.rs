//! Whose account it is that was connected.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use secrecy::ExposeSecret;
use serde_json::Value;
use tool_connect_core::{Error, ErrorKind, Result};
use url::Url;

use super::engine::Engine;
use crate::catalog::{Method as ProbeMethod, Probe, ProbeRequest, Provider};
use crate::flow::{Asked, DpopKey, DpopNonces, DpopSigner, TokenSet, TokenType};

/// Longest label and id that are kept, in characters.
const LONGEST: usize = 200;

/// An account at a provider, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Account {
    /// What stays where the label changes.
    pub(super) id: Option<String>,
    /// What people know it by.
    pub(super) label: Option<String>,
}

impl Engine {
    /// Asks the provider, the way its entry says. An account that cannot be recognised is connected nevertheless: only that
    /// it is the same one as another cannot be seen then.
    pub(super) async fn identify(&self, provider: &Provider, tokens: &TokenSet) -> Account {
        let Some(probe) = &provider.probe else { return Account::default() };
        let found = match &probe.request {
            Some(request) => {
                let answer = self.ask(provider, request, tokens).await;
                answer.map(|answer| account(probe, |pointer| text(answer.pointer(pointer)?)))
            }
            None => Ok(account(probe, |pointer| from_tokens(provider, tokens, pointer))),
        };
        found.unwrap_or_else(|error| {
            tracing::warn!(target: "tool_connect", %error, provider = %provider.entry.id, "an account was not recognised");
            Account::default()
        })
    }

    async fn ask(&self, provider: &Provider, request: &ProbeRequest, tokens: &TokenSet) -> Result<Value> {
        let asked = Asked::new(&provider.entry.id, "account look-up");
        let url = Url::parse(&request.url).map_err(|_| bad("its address is malformed"))?;
        let method = match request.method {
            ProbeMethod::Get => Method::GET,
            ProbeMethod::Post => Method::POST,
            _ => return Err(bad("its method is neither GET nor POST")),
        };
        let mut headers = HeaderMap::new();
        for (name, value) in &request.headers {
            let name = HeaderName::try_from(name).map_err(|_| bad("a header's name is malformed"))?;
            headers.insert(name, HeaderValue::try_from(value).map_err(|_| bad("a header is malformed"))?);
        }
        let body = request.json.as_ref().map(|json| ("application/json", Bytes::from(json.clone())));
        let send = |headers: HeaderMap| self.http.send(asked, method.clone(), &url, headers, body.clone());
        let answer = match (tokens.token_type, &tokens.dpop_key) {
            (TokenType::Dpop, Some(key)) => {
                let signer = DpopSigner::new(DpopKey::from_secret(key)?, DpopNonces::default());
                let signed = || -> Result<(http::request::Parts, HeaderMap)> {
                    let request = http::Request::builder().method(method.clone()).uri(url.as_str()).body(());
                    let (mut parts, ()) = request.map_err(|_| bad("its address is malformed"))?.into_parts();
                    parts.headers.extend(headers.clone());
                    signer.sign(&mut parts, &tokens.access_token, self.clock.now())?;
                    let headers = parts.headers.clone();
                    Ok((parts, headers))
                };
                let (parts, first) = signed()?;
                let answer = send(first).await?;
                let mut response = http::Response::new(());
                *response.status_mut() = answer.status;
                response.headers_mut().clone_from(&answer.headers);
                let (head, ()) = response.into_parts();
                if signer.answered(&parts.uri, &head)? { send(signed()?.1).await? } else { answer }
            }
            _ => {
                let place = &provider.entry.token_place;
                let name = HeaderName::try_from(&place.header)
                    .map_err(|_| bad("the token's header is malformed"))?;
                let value = format!("{}{}", place.prefix, tokens.access_token.expose_secret());
                let mut value =
                    HeaderValue::try_from(value).map_err(|_| bad("the token does not fit into a header"))?;
                value.set_sensitive(true);
                headers.insert(name, value);
                send(headers).await?
            }
        };
        answer.success(asked)?.json(asked)
    }
}

fn bad(what: &str) -> Error {
    Error::new(ErrorKind::Config, format!("the account look-up of the catalog entry cannot be made: {what}"))
}

fn account(probe: &Probe, at: impl Fn(&str) -> Option<String>) -> Account {
    let parts: Option<Vec<String>> = probe.id.iter().map(|pointer| at(pointer)).collect();
    let id = parts.filter(|parts| !parts.is_empty()).map(|parts| parts.join("/"));
    let label = probe.label.iter().find_map(|pointer| at(pointer));
    // A cut id could be another account's; a cut label is only shorter.
    let label = label.map(|label| label.chars().filter(|c| !c.is_control()).take(LONGEST).collect());
    Account { id: id.filter(|id| id.chars().count() <= LONGEST), label }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// What the token answer itself had at a pointer: it was kept under the name that the entry gives it.
fn from_tokens(provider: &Provider, tokens: &TokenSet, pointer: &str) -> Option<String> {
    let kept = &provider.entry.token_response.extra;
    let (name, _) = kept.iter().find(|(_, place)| *place == pointer)?;
    tokens.extra.get(name).filter(|value| !value.is_empty()).cloned()
}
