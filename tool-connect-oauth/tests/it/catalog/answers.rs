//! What providers answer, as their pages show it, read with their entries: a token answer, a refresh token that is dead, and
//! whose account it is. `fixtures/<id>.json` for each entry.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream;
use http::{Request, Response};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use tool_connect_core::http::{ByteStream, RequestBody, Transport, TransportLimits};
use tool_connect_core::{Clock, ErrorKind, Result};
use tool_connect_oauth::catalog::{Catalog, ClientConfig, Provider};
use tool_connect_oauth::flow::{CodeExchange, OAuthFailure, OAuthHttp, TokenClient, TokenSet, Wanted};
use tool_connect_testkit::ManualClock;
use url::{Url, form_urlencoded};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fixture {
    /// The connection's configuration.
    config: BTreeMap<String, String>,
    sent: Sent,
    answer: Value,
    tokens: Tokens,
    refused: Refused,
    account: Account,
}

/// What the token request must be like.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    content_type: String,
    /// Whether the client's secret goes into the header.
    basic: bool,
    fields: BTreeMap<String, String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

/// What must be made of the answer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tokens {
    access_token: String,
    refresh_token: Option<String>,
    expires_in: Option<u64>,
    refresh_expires_in: Option<u64>,
    /// `null` where the answer does not name them.
    scopes: Option<Vec<String>>,
    extra: BTreeMap<String, String>,
}

/// How the provider says that a code or a refresh token is dead.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    status: u16,
    body: Value,
}

/// What the probe answers (`null` where the token answer tells), and what must be read from it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Account {
    answer: Option<Value>,
    id: String,
    label: String,
}

/// One answer, and the request that it was given to.
struct Once {
    status: u16,
    body: String,
    sent: Mutex<Option<(http::request::Parts, Bytes)>>,
}

#[async_trait]
impl Transport for Once {
    async fn send(&self, request: Request<RequestBody>, _: &TransportLimits) -> Result<Response<ByteStream>> {
        let (head, body) = request.into_parts();
        let body = match body {
            RequestBody::Bytes(bytes) => bytes,
            _ => Bytes::new(),
        };
        assert!(self.sent.lock().unwrap().replace((head, body)).is_none(), "one request");
        let body = Bytes::from(self.body.clone());
        let stream: ByteStream = Box::pin(stream::once(async move { Ok(body) }));
        let answer = Response::builder().status(self.status).header("content-type", "application/json");
        Ok(answer.body(stream).unwrap())
    }
}

struct Asked {
    outcome: Result<TokenSet>,
    head: http::request::Parts,
    body: Bytes,
    clock: ManualClock,
}

/// Exchanges a code with a provider that gives this answer.
async fn exchange(provider: &Provider, status: u16, answer: &Value) -> Asked {
    let transport = Arc::new(Once { status, body: answer.to_string(), sent: Mutex::new(None) });
    let http = OAuthHttp::new(transport.clone());
    let client = ClientConfig::confidential("client-id", "client-secret");
    let clock = ManualClock::new();
    let code = CodeExchange {
        code: &SecretString::from("the-code"),
        verifier: &SecretString::from("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
        redirect_uri: &Url::parse("https://app.example/callback").unwrap(),
        wanted: Wanted { scopes: &["asked-for".to_owned()], ..Wanted::default() },
    };
    let outcome = TokenClient::new(&http, provider, &client, &clock).exchange(&code).await;
    let (head, body) = transport.sent.lock().unwrap().take().expect("a request");
    Asked { outcome, head, body, clock }
}

fn fixture(id: &str) -> Fixture {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/it/catalog/fixtures/{id}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{id}: {error}"))
}

/// Every entry with its fixture, resolved as the fixture says.
fn all() -> Vec<(Provider, Fixture)> {
    let catalog = Catalog::builtin().unwrap();
    let each = catalog.iter().map(|entry| {
        let fixture = fixture(&entry.id);
        (catalog.resolve(&entry.id, &fixture.config).unwrap(), fixture)
    });
    each.collect()
}

#[tokio::test]
async fn every_providers_token_request_is_as_it_wants_it() {
    for (provider, fixture) in all() {
        let id = provider.id();
        let asked = exchange(&provider, 200, &fixture.answer).await;
        assert_eq!(asked.head.uri.to_string(), provider.endpoints.token.as_str(), "{id}");
        assert_eq!(asked.head.headers["content-type"].to_str().unwrap(), fixture.sent.content_type, "{id}");
        assert_eq!(asked.head.headers.contains_key("authorization"), fixture.sent.basic, "{id}");
        for (name, value) in &fixture.sent.headers {
            assert_eq!(asked.head.headers[name.as_str()].to_str().unwrap(), value, "{id}: {name}");
        }
        let fields: BTreeMap<String, String> = if fixture.sent.content_type.ends_with("json") {
            serde_json::from_slice(&asked.body).unwrap()
        } else {
            form_urlencoded::parse(&asked.body).into_owned().collect()
        };
        assert_eq!(fields["grant_type"], "authorization_code", "{id}");
        assert_eq!(fields["code"], "the-code", "{id}");
        assert!(fields.contains_key("code_verifier"), "{id}: PKCE is sent to everybody");
        assert_eq!(fields.contains_key("client_secret"), !fixture.sent.basic, "{id}");
        for (name, value) in &fixture.sent.fields {
            assert_eq!(fields.get(name), Some(value), "{id}: {name}");
        }
    }
}

#[tokio::test]
async fn every_providers_token_answer_is_understood() {
    for (provider, fixture) in all() {
        let id = provider.id();
        let asked = exchange(&provider, 200, &fixture.answer).await;
        let tokens = asked.outcome.unwrap_or_else(|error| panic!("{id}: {error}"));
        let expected = fixture.tokens;
        assert_eq!(tokens.access_token.expose_secret(), expected.access_token, "{id}");
        let refresh = tokens.refresh_token.as_ref().map(|token| token.expose_secret().to_owned());
        assert_eq!(refresh, expected.refresh_token, "{id}");
        let after = |seconds: Option<u64>| seconds.map(|s| asked.clock.now() + Duration::from_secs(s));
        assert_eq!(tokens.expires_at, after(expected.expires_in), "{id}");
        assert_eq!(tokens.refresh_expires_at, after(expected.refresh_expires_in), "{id}");
        let scopes = expected.scopes.unwrap_or_else(|| vec!["asked-for".to_owned()]);
        assert_eq!(tokens.scopes, Some(scopes), "{id}");
        assert_eq!(tokens.extra, expected.extra, "{id}");
    }
}

#[tokio::test]
async fn every_provider_is_understood_when_it_says_that_the_grant_is_dead() {
    for (provider, fixture) in all() {
        let id = provider.id();
        let asked = exchange(&provider, fixture.refused.status, &fixture.refused.body).await;
        let error = asked.outcome.expect_err(id);
        let failure = OAuthFailure::of(&error).unwrap_or_else(|| panic!("{id}: {error}"));
        assert_eq!(failure.code(), "invalid_grant", "{id}: {error}");
        assert_eq!(error.kind(), ErrorKind::NeedsReauth, "{id}: {error}");
    }
}

#[test]
fn every_providers_account_is_recognised() {
    for (provider, fixture) in all() {
        let (id, probe) = (provider.id(), provider.probe.as_ref().unwrap());
        assert_eq!(probe.request.is_some(), fixture.account.answer.is_some(), "{id}");
        let answer = fixture.account.answer.as_ref().unwrap_or(&fixture.answer);
        let text = |pointer: &String| match answer.pointer(pointer)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let parts: Option<Vec<String>> = probe.id.iter().map(text).collect();
        assert_eq!(
            parts.unwrap_or_else(|| panic!("{id}: {:?}", probe.id)).join("/"),
            fixture.account.id,
            "{id}"
        );
        assert_eq!(probe.label.iter().find_map(text), Some(fixture.account.label), "{id}");
    }
}

#[test]
fn every_fixture_has_its_entry() {
    let catalog = Catalog::builtin().unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/catalog/fixtures");
    for file in std::fs::read_dir(folder).unwrap() {
        let name = file.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned();
        catalog.get(&name).unwrap();
    }
}
