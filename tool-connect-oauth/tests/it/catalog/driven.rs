//! Every entry from consent to refresh, and how often each kind of quirk is met on the way.
//!
//! Behind the provider's own addresses stands testkit's strict authorization server. A front turns what the provider wants into
//! what the RFCs have, and the server's answer into the one that the provider's pages show, both by the entry's fixture: none of
//! it by the code under test.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::{HeaderMap, Method, Request, Response};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use tool_connect_core::http::{ByteStream, RequestBody, Transport, TransportLimits};
use tool_connect_core::store::{CredentialKey, CredentialKind, Stores};
use tool_connect_core::{
    AuthScheme, Clock, ConnectRequest, ConnectionStatus, ErrorKind, Result, SecretAccess, TenantId,
};
use tool_connect_oauth::catalog::{Catalog, ClientConfig, Provider, ProviderEntry, StaticClients};
use tool_connect_oauth::connect::OAuth;
use tool_connect_oauth::flow::{OAuthHttp, Secret, TokenClient, TokenSet};
use tool_connect_oauth::vault::place_of;
use tool_connect_testkit::ManualClock;
use tool_connect_testkit::oauth::{
    EmulatedClient, IssParameter, Issuer, IssuerSettings, OAuthEmulator, Quirks, Rotation,
};
use url::{Url, form_urlencoded};

use super::answers::{Fixture, fixture, timed, written};
use crate::connect::support::{BACK, Browser, HOST, Login, ada, instance, vault};

const SERVER: &str = "https://as.example";
const ID: &str = "client-id";
const SECRET: &str = "client-secret";

/// A provider as its pages describe it, over a server as the RFCs describe it.
struct Front {
    emulator: OAuthEmulator,
    issuer: Issuer,
    clock: Arc<ManualClock>,
    provider: Provider,
    fixture: Fixture,
}

impl Front {
    fn new(entry: &Arc<ProviderEntry>, clock: Arc<ManualClock>) -> Self {
        let fixture = fixture(&entry.id);
        let provider =
            Provider::resolve(Arc::clone(entry), &fixture.config).expect("the fixture's configuration");
        let client = match (fixture.sent.public, fixture.sent.basic) {
            (true, _) => EmulatedClient::public(ID),
            (false, true) => EmulatedClient::secret_basic(ID, SECRET),
            (false, false) => EmulatedClient::secret_post(ID, SECRET),
        };
        let mut settings = IssuerSettings::new(SERVER)
            .client(client.redirect_uri(format!("{HOST}/callback/{}", entry.id)))
            .quirks(Quirks { iss: IssParameter::Absent, ..Quirks::default() })
            .access_lifetime(Duration::from_secs(fixture.tokens.expires_in.unwrap_or(3_600)));
        let lasts = fixture.refreshed.as_ref().is_some_and(|answer| !holds(answer, "refresh-"));
        if lasts {
            settings = settings.rotation(Rotation::None);
        }
        let emulator = OAuthEmulator::with_clock(clock.clone());
        let issuer = emulator.issuer(settings).expect("a server");
        Self { emulator, issuer, clock, provider, fixture }
    }

    /// What the user's browser is sent to, as the server behind reads it; consents.
    fn consent(&self, sent: &Url) -> Url {
        let id = self.provider.id();
        let (address, query) = sent.as_str().split_once('?').expect("a query");
        assert_eq!(address, self.provider.endpoints.authorize.as_ref().expect("one").as_str(), "{id}");
        let wire = &self.fixture.wire;
        let unknown = form_urlencoded::parse(query.as_bytes())
            .find(|(name, _)| wire.consent.values().any(|standard| standard == name));
        assert!(unknown.is_none(), "{id}: {unknown:?} is called differently there");
        let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
            .map(|(name, value)| {
                let standard = wire.consent.get(&*name).cloned().unwrap_or_else(|| name.into_owned());
                let value = match (standard.as_str(), &wire.separator) {
                    ("scope", Some(separator)) => value.replace(separator.as_str(), " "),
                    _ => value.into_owned(),
                };
                (standard, value)
            })
            .collect();
        let asked = Url::parse_with_params(&format!("{SERVER}/authorize"), pairs).expect("a URL");
        self.issuer.visit(&asked).unwrap_or_else(|error| panic!("{id}: {error}"))
    }

    /// The fields of a token request under the RFCs' names.
    fn fields(&self, head: &http::request::Parts, body: &Bytes) -> Vec<(String, String)> {
        let id = self.provider.id();
        let content_type =
            head.headers.get("content-type").map(|kind| kind.to_str().expect("text").to_owned());
        assert_eq!(content_type, self.fixture.sent.content_type, "{id}");
        let fields: Vec<(String, String)> = match content_type.as_deref() {
            None => {
                assert_eq!(head.method, Method::GET, "{id}");
                form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()).into_owned().collect()
            }
            Some("application/json") => {
                let fields: BTreeMap<String, String> =
                    serde_json::from_slice(body).expect("an object of texts");
                fields.into_iter().collect()
            }
            Some(_) => form_urlencoded::parse(body).into_owned().collect(),
        };
        for (name, value) in &self.fixture.sent.headers {
            assert_eq!(head.headers[name.as_str()].to_str().expect("text"), value, "{id}: {name}");
        }
        let names = &self.fixture.wire.names;
        let unknown = fields.iter().find(|(name, _)| names.values().any(|standard| standard == name));
        assert!(unknown.is_none(), "{id}: {unknown:?} is called differently there");
        fields.into_iter().map(|(name, value)| (names.get(&name).cloned().unwrap_or(name), value)).collect()
    }

    /// Answers a token request.
    async fn token(
        &self,
        head: http::request::Parts,
        body: Bytes,
        limits: &TransportLimits,
    ) -> Result<(u16, String)> {
        let id = self.provider.id();
        let fields = self.fields(&head, &body);
        let field = |name: &str| fields.iter().find(|(have, _)| have == name).map(|(_, value)| value.clone());
        let refreshing = field("grant_type").as_deref() == Some("refresh_token");
        let address = head.uri.to_string();
        let address = address.split('?').next().unwrap_or_default();
        let own = self.fixture.wire.refresh.as_deref().filter(|_| refreshing);
        assert_eq!(address, own.unwrap_or(self.provider.endpoints.token.as_str()), "{id}");
        for (name, value) in self.fixture.wire.refresh_fields.iter().filter(|_| refreshing) {
            assert_eq!(field(name).as_ref(), Some(value), "{id}: {name}");
        }

        let mut request = Request::post(format!("{SERVER}/token"))
            .header("content-type", "application/x-www-form-urlencoded");
        if let Some(basic) = head.headers.get("authorization") {
            request = request.header("authorization", basic);
        }
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
        let request = request.body(RequestBody::Bytes(form.into())).expect("a request");
        let (answer, body) = self.emulator.send(request, limits).await?.into_parts();
        let body: Vec<u8> = body.map_ok(|bytes| bytes.to_vec()).try_concat().await?;
        let body: Value = serde_json::from_slice(&body).expect("the server answers JSON");
        if !answer.status.is_success() {
            assert_eq!(body["error"], "invalid_grant", "{id}: {body}");
            let refused = self.fixture.refused.as_ref().expect("asked only where it is known");
            return Ok((refused.status, refused.body.to_string()));
        }
        let documented =
            self.fixture.refreshed.as_ref().filter(|_| refreshing).unwrap_or(&self.fixture.answer);
        let access = body["access_token"].as_str().expect("a token");
        let refresh = body["refresh_token"].as_str().map(str::to_owned).or_else(|| field("refresh_token"));
        let tokens = &self.fixture.tokens;
        let new = |text: &str| {
            if text == tokens.access_token || text == "access-2" {
                Some(access.to_owned())
            } else if tokens.refresh_token.as_deref() == Some(text) {
                refresh.clone()
            } else {
                None
            }
        };
        let answer = replaced(&timed(documented, self.clock.now()), &new);
        Ok((200, written(&answer, self.fixture.form)))
    }

    /// Answers the account look-up.
    fn account(&self, headers: &HeaderMap) -> (u16, String) {
        let id = self.provider.id();
        let account = self.fixture.account.as_ref().expect("only entries with a probe ask");
        let bearer = ("Authorization".to_owned(), "Bearer ".to_owned());
        let (header, prefix) = account.presented.as_ref().unwrap_or(&bearer);
        let shown = headers.get(header.as_str()).unwrap_or_else(|| panic!("{id}: no {header}"));
        let token = shown.to_str().expect("text").strip_prefix(prefix.as_str());
        assert!(token.is_some_and(|token| self.issuer.accepts(token)), "{id}: a live token after `{prefix}`");
        (200, account.answer.as_ref().expect("an answer").to_string())
    }
}

#[async_trait]
impl Transport for Front {
    async fn send(
        &self,
        request: Request<RequestBody>,
        limits: &TransportLimits,
    ) -> Result<Response<ByteStream>> {
        let (head, body) = request.into_parts();
        let body = match body {
            RequestBody::Bytes(bytes) => bytes,
            _ => Bytes::new(),
        };
        let probe = self.provider.probe.as_ref().and_then(|probe| probe.request.as_ref());
        let ((status, body), form) = if probe.is_some_and(|probe| head.uri == probe.url.as_str()) {
            (self.account(&head.headers), false)
        } else {
            (self.token(head, body, limits).await?, self.fixture.form)
        };
        let kind = if form { "text/html; charset=utf-8" } else { "application/json" };
        let answer = Response::builder().status(status).header("content-type", kind);
        let body: ByteStream = stream::once(async move { Ok(Bytes::from(body)) }).boxed();
        Ok(answer.body(body).expect("an answer"))
    }
}

/// Whether a text that begins so is somewhere in the value.
fn holds(value: &Value, beginning: &str) -> bool {
    match value {
        Value::String(text) => text.starts_with(beginning),
        Value::Array(values) => values.iter().any(|value| holds(value, beginning)),
        Value::Object(members) => members.values().any(|value| holds(value, beginning)),
        _ => false,
    }
}

/// The documented answer with the tokens of this server.
fn replaced(value: &Value, new: &impl Fn(&str) -> Option<String>) -> Value {
    match value {
        Value::String(text) => new(text).map_or_else(|| value.clone(), Value::String),
        Value::Array(values) => values.iter().map(|value| replaced(value, new)).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), replaced(value, new))).collect()
        }
        _ => value.clone(),
    }
}

/// Connects an account, looks at what is kept, refreshes, and refreshes with a dead token.
async fn drive(entry: &Arc<ProviderEntry>) {
    let id = entry.id.as_str();
    let clock = Arc::new(ManualClock::new());
    let front = Arc::new(Front::new(entry, clock.clone()));
    let client = match front.fixture.sent.public {
        true => ClientConfig::public(ID),
        false => ClientConfig::confidential(ID, SECRET),
    };
    let stores = Stores::in_memory_with(clock.clone());
    let vault = vault();
    let oauth = OAuth::builder()
        .stores(stores.clone())
        .vault(Arc::clone(&vault))
        .transport(front.clone())
        .catalog(Catalog::empty().with_entry((**entry).clone()).expect("a fine entry"))
        .clients(StaticClients::new().with(id, client.clone()))
        .session(Login)
        .public_url(HOST.parse().expect("a URL"))
        .return_to(BACK)
        .clock(clock.clone())
        .build()
        .expect("complete");

    let mut request = ConnectRequest::new(instance("work"), AuthScheme::oauth2(id, Vec::<String>::new()));
    request.config.clone_from(&front.fixture.config);
    request.scopes = entry.scopes.known.keys().take(2).cloned().collect();
    let ticket = oauth.connect().ticket(&ada(), request).await.expect("a ticket").url;
    let mut browser = Browser::of(&ada());
    let sent = browser.open(&oauth, &ticket).await.location().expect("a way to the provider");
    let seen = browser.open(&oauth, &front.consent(&sent)).await;
    assert_eq!(seen.status, 200, "{id}: {}", seen.html);

    let tenant = TenantId::new("acme").expect("valid");
    let connections = stores.connections.list(&tenant, &Default::default()).await.expect("a list");
    let [connection] = connections.as_slice() else { panic!("{id}: {connections:?}") };
    assert_eq!(connection.status, ConnectionStatus::Active, "{id}");
    let account = front.fixture.account.as_ref();
    assert_eq!(connection.account.as_ref(), account.map(|account| &account.id), "{id}");
    assert_eq!(connection.label.as_ref(), account.map(|account| &account.label), "{id}");

    let key = CredentialKey::new(CredentialKind::Connection, connection.id.as_str());
    let stored = stores.credentials.get(&tenant, &key).await.expect("a row").expect("a secret");
    let access = SecretAccess::system("tests", "look");
    let plain = vault.open(&place_of(&stored), &stored.sealed, &access).await.expect("opened");
    let secret = Secret::from_bytes(plain.expose_secret()).expect("a secret");
    let tokens = secret.tokens().expect("tokens");
    expected(&front, tokens);

    let http = OAuthHttp::new(front.clone()).clock(clock.clone());
    let at_provider = TokenClient::new(&http, &front.provider, &client, &*clock);
    if tokens.refresh_token.is_none() {
        let error = at_provider.refresh(tokens, &[]).await.expect_err(id);
        assert_eq!(error.kind(), ErrorKind::NeedsReauth, "{id}: {error}");
        return;
    }
    clock.advance(Duration::from_secs(60));
    let renewed = at_provider.refresh(tokens, &[]).await.unwrap_or_else(|error| panic!("{id}: {error}"));
    assert_ne!(renewed.access_token.expose_secret(), tokens.access_token.expose_secret(), "{id}");
    expected(&front, &renewed);
    if front.fixture.refused.is_some() {
        front.issuer.revoke_grants();
        let error = at_provider.refresh(&renewed, &[]).await.expect_err(id);
        assert_eq!(error.kind(), ErrorKind::NeedsReauth, "{id}: {error}");
    }
}

/// Whether tokens are what the fixture says, but for the texts of the tokens, which are the server's.
fn expected(front: &Front, tokens: &TokenSet) {
    let (id, wanted, now) = (front.provider.id(), &front.fixture.tokens, front.clock.now());
    assert!(front.issuer.accepts(tokens.access_token.expose_secret()), "{id}");
    assert_eq!(tokens.refresh_token.is_some(), wanted.refresh_token.is_some(), "{id}");
    assert_eq!(
        tokens.expires_at,
        wanted.expires_in.map(|seconds| now + Duration::from_secs(seconds)),
        "{id}"
    );
    if let Some(scopes) = &wanted.scopes {
        assert_eq!(tokens.scopes.as_ref(), Some(scopes), "{id}");
    }
    // The connect flow keeps a few fields of its own beside them.
    let kept: BTreeMap<_, _> =
        tokens.extra.clone().into_iter().filter(|(name, _)| !name.starts_with("tool_connect/")).collect();
    assert_eq!(kept, wanted.extra, "{id}");
}

#[tokio::test]
async fn every_entry_works_from_consent_to_refresh() {
    let mut wrong = Vec::new();
    for entry in Catalog::builtin().unwrap().iter() {
        let driven = Arc::clone(entry);
        // Each in a task, so that one that fails does not hide the others.
        if tokio::spawn(async move { drive(&driven).await }).await.is_err() {
            wrong.push(entry.id.clone());
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// The kinds of quirks of token answers that the format knows: the keys of `[token_response]`, as the parser names them.
fn kinds() -> BTreeSet<String> {
    let error = ProviderEntry::from_toml(&super::toml("token_response = { unheard_of = 1 }")).unwrap_err();
    let (_, list) = error.message().split_once("expected one of ").expect("serde names them");
    let kinds: BTreeSet<String> =
        list.split(',').map(|name| name.trim().trim_matches('`').to_owned()).collect();
    assert!(kinds.contains("access_token") && kinds.len() >= 10, "{}", error.message());
    kinds
}

#[test]
fn each_kind_of_quirk_is_met_by_three_entries() {
    let standard = serde_json::to_value(ProviderEntry::new("acme", "https://acme.example/token")).unwrap();
    let mut met: BTreeMap<String, Vec<String>> = kinds().into_iter().map(|kind| (kind, Vec::new())).collect();
    for entry in Catalog::builtin().unwrap().iter() {
        let entry = serde_json::to_value(&**entry).unwrap();
        for (kind, value) in entry["token_response"].as_object().unwrap() {
            if standard["token_response"].get(kind) != Some(value) {
                met.get_mut(kind).expect("a kind that the parser knows").push(entry["id"].to_string());
            }
        }
    }
    for (kind, entries) in &met {
        assert!(entries.len() >= 3, "{kind}: {entries:?}");
    }
}
