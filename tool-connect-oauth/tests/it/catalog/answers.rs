//! What providers answer, as their pages show it, read with their entries: a token answer, a refresh token that is dead, and
//! whose account it is. `fixtures/<id>.json` for each entry.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

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
pub(super) struct Fixture {
    /// The connection's configuration.
    pub(super) config: BTreeMap<String, String>,
    pub(super) sent: Sent,
    /// How a server must read the requests, where that is not as the RFCs have it.
    #[serde(default)]
    pub(super) wire: Wire,
    /// `"@unix+60"` and `"@rfc3339+60"` stand for a time so many seconds from now.
    pub(super) answer: Value,
    /// Whether the answer is a form.
    #[serde(default)]
    pub(super) form: bool,
    /// The answer to a refresh, where it is not like the first one.
    pub(super) refreshed: Option<Value>,
    pub(super) tokens: Tokens,
    /// `null` where the provider's pages do not say.
    pub(super) refused: Option<Refused>,
    /// `null` where the entry cannot recognise an account.
    pub(super) account: Option<Account>,
}

/// The provider's own names, and the RFCs' for them.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Wire {
    /// Of token requests.
    pub(super) names: BTreeMap<String, String>,
    /// Of the authorization request.
    pub(super) consent: BTreeMap<String, String>,
    /// What stands between scopes there.
    pub(super) separator: Option<String>,
    /// Where refresh tokens are used.
    pub(super) refresh: Option<String>,
    /// What a refresh must hold beside the RFCs' fields.
    pub(super) refresh_fields: BTreeMap<String, String>,
}

/// What the token request must be like.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sent {
    /// `null` where the fields stand in the address.
    pub(super) content_type: Option<String>,
    /// Whether the client's secret goes into the header.
    pub(super) basic: bool,
    /// Whether no secret is sent at all.
    #[serde(default)]
    pub(super) public: bool,
    pub(super) fields: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
}

/// What must be made of the answer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tokens {
    pub(super) access_token: String,
    pub(super) refresh_token: Option<String>,
    pub(super) expires_in: Option<u64>,
    pub(super) refresh_expires_in: Option<u64>,
    /// `null` where the answer does not name them.
    pub(super) scopes: Option<Vec<String>>,
    pub(super) extra: BTreeMap<String, String>,
}

/// How the provider says that a code or a refresh token is dead.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Refused {
    pub(super) status: u16,
    pub(super) body: Value,
}

/// What the probe answers (`null` where the token answer tells), and what must be read from it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Account {
    pub(super) answer: Option<Value>,
    pub(super) id: String,
    pub(super) label: String,
    /// The header in which the token is presented, and what stands before it; as RFC 6750 has it where unset.
    pub(super) presented: Option<(String, String)>,
}

/// One answer, and the request that it was given to.
struct Once {
    status: u16,
    form: bool,
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
        let kind = if self.form { "application/x-www-form-urlencoded" } else { "application/json" };
        let answer = Response::builder().status(self.status).header("content-type", kind);
        Ok(answer.body(stream).unwrap())
    }
}

struct Asked {
    outcome: Result<TokenSet>,
    head: http::request::Parts,
    body: Bytes,
    clock: ManualClock,
}

/// The answer with the times that it names.
pub(super) fn timed(answer: &Value, now: SystemTime) -> Value {
    match answer {
        Value::String(text) => {
            let Some((kind, after)) = text.strip_prefix('@').and_then(|text| text.split_once('+')) else {
                return answer.clone();
            };
            let then = now + Duration::from_secs(after.parse().expect("seconds"));
            match kind {
                "unix" => then.duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs().into(),
                "rfc3339" => tool_connect_core::rfc3339(then).into(),
                _ => panic!("{text}"),
            }
        }
        Value::Array(values) => values.iter().map(|value| timed(value, now)).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), timed(value, now))).collect()
        }
        _ => answer.clone(),
    }
}

/// An answer as it is sent: JSON, or a form.
pub(super) fn written(answer: &Value, form: bool) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if form {
        let members = answer.as_object().expect("an object");
        let pairs = members.iter().map(|(name, value)| (name, text(value)));
        form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
    } else {
        answer.to_string()
    }
}

/// Exchanges a code with a provider that gives this answer.
async fn exchange(provider: &Provider, status: u16, answer: &Value, form: bool) -> Asked {
    let clock = ManualClock::new();
    let body = written(&timed(answer, clock.now()), form);
    let transport = Arc::new(Once { status, form, body, sent: Mutex::new(None) });
    let http = OAuthHttp::new(transport.clone());
    let client = ClientConfig::confidential("client-id", "client-secret");
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

pub(super) fn fixture(id: &str) -> Fixture {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/it/catalog/fixtures/{id}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{id}: {error}"))
}

/// Every entry with its fixture, resolved as the fixture says.
pub(super) fn all() -> Vec<(Provider, Fixture)> {
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
        let asked = exchange(&provider, 200, &fixture.answer, fixture.form).await;
        let address = asked.head.uri.to_string();
        let query = address.split_once('?').map(|(_, query)| query.to_owned());
        assert_eq!(address.split('?').next(), Some(provider.endpoints.token.as_str()), "{id}");
        let content_type =
            asked.head.headers.get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
        assert_eq!(content_type, fixture.sent.content_type, "{id}");
        assert_eq!(content_type.is_some(), query.is_none(), "{id}: fields in the body or in the address");
        assert_eq!(asked.head.method == "GET", query.is_some(), "{id}");
        assert_eq!(asked.head.headers.contains_key("authorization"), fixture.sent.basic, "{id}");
        for (name, value) in &fixture.sent.headers {
            assert_eq!(asked.head.headers[name.as_str()].to_str().unwrap(), value, "{id}: {name}");
        }
        let fields: BTreeMap<String, String> = match (&content_type, &query) {
            (Some(kind), _) if kind.ends_with("json") => serde_json::from_slice(&asked.body).unwrap(),
            (_, Some(query)) => form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            _ => form_urlencoded::parse(&asked.body).into_owned().collect(),
        };
        let theirs = |name: &str| {
            let own = fixture.wire.names.iter().find(|(_, standard)| *standard == name);
            own.map_or(name.to_owned(), |(own, _)| own.clone())
        };
        assert_eq!(fields[&theirs("grant_type")], "authorization_code", "{id}");
        assert_eq!(fields[&theirs("code")], "the-code", "{id}");
        assert!(fields.contains_key(&theirs("code_verifier")), "{id}: PKCE is sent to everybody");
        let secret = fields.get(&theirs("client_secret")).is_some_and(|secret| secret == "client-secret");
        assert_eq!(secret, !fixture.sent.basic && !fixture.sent.public, "{id}");
        for standard in fixture.wire.names.values() {
            assert!(!fields.contains_key(standard), "{id}: {standard} has another name");
        }
        for (name, value) in &fixture.sent.fields {
            assert_eq!(fields.get(name), Some(value), "{id}: {name}");
        }
    }
}

#[tokio::test]
async fn every_providers_token_answer_is_understood() {
    for (provider, fixture) in all() {
        let id = provider.id();
        let asked = exchange(&provider, 200, &fixture.answer, fixture.form).await;
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
        let Some(refused) = fixture.refused else { continue };
        let asked = exchange(&provider, refused.status, &refused.body, false).await;
        let error = asked.outcome.expect_err(id);
        let failure = OAuthFailure::of(&error).unwrap_or_else(|| panic!("{id}: {error}"));
        assert_eq!(failure.code(), "invalid_grant", "{id}: {error}");
        assert_eq!(error.kind(), ErrorKind::NeedsReauth, "{id}: {error}");
    }
}

#[test]
fn every_providers_account_is_recognised() {
    for (provider, fixture) in all() {
        let id = provider.id();
        let (Some(probe), Some(account)) = (&provider.probe, fixture.account) else {
            assert!(provider.probe.is_none(), "{id}: the fixture has no account");
            continue;
        };
        assert_eq!(probe.request.is_some(), account.answer.is_some(), "{id}");
        let answer = account.answer.as_ref().unwrap_or(&fixture.answer);
        let text = |pointer: &String| match answer.pointer(pointer)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let parts: Option<Vec<String>> = probe.id.iter().map(text).collect();
        assert_eq!(parts.unwrap_or_else(|| panic!("{id}: {:?}", probe.id)).join("/"), account.id, "{id}");
        assert_eq!(probe.label.iter().find_map(text), Some(account.label), "{id}");
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
