//! A host with a login, browsers with cookies, and emulated providers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use http::header::{COOKIE, LOCATION, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use secrecy::ExposeSecret as _;
use tool_connect_core::store::{CredentialKey, CredentialKind, StoredCredential, Stores};
use tool_connect_core::{
    AuthScheme, Connect, ConnectRequest, Connection, Event, EventKind, InstanceId, Principal, Result,
    SecretAccess, TenantId, Vault,
};
use tool_connect_oauth::catalog::{Catalog, ClientConfig, ProviderEntry, StaticClients};
use tool_connect_oauth::connect::{HostSession, OAuth, OAuthBuilder};
use tool_connect_oauth::flow::Secret;
use tool_connect_oauth::vault::{EnvelopeVault, Keyring, place_of};
use tool_connect_testkit::ManualClock;
use tool_connect_testkit::oauth::{EmulatedClient, Issuer, IssuerSettings, OAuthEmulator};
use tower::ServiceExt as _;
use url::Url;

pub(crate) const HOST: &str = "https://app.example/connect";
pub(crate) const BACK: &str = "https://app.example/settings";

/// A login that believes a header, as a host's middleware would have set it.
pub(crate) struct Login;

#[async_trait::async_trait]
impl HostSession for Login {
    async fn principal(&self, request: &Parts) -> Result<Option<Principal>> {
        Ok(request.extensions.get().cloned())
    }

    fn login(&self, back: &Url) -> Option<Url> {
        Url::parse_with_params("https://app.example/login", [("next", back.as_str())]).ok()
    }
}

pub(crate) fn principal(tenant: &str, user: &str) -> Principal {
    Principal::user(tenant, user).expect("valid ids")
}

pub(crate) fn ada() -> Principal {
    principal("acme", "ada")
}

pub(crate) fn instance(id: &str) -> InstanceId {
    InstanceId::new(id).expect("a valid instance id")
}

/// An emulated provider's entry; its address may hold `{site}`.
pub(crate) fn entry(id: &str, issuer: &str) -> ProviderEntry {
    let parameters = if issuer.contains("{site}") {
        "[parameters.site]\ndescription = 'The site.'\npattern = '[a-z]+'\nexample = 'one'\n"
    } else {
        ""
    };
    ProviderEntry::from_toml(&format!(
        "id = '{id}'\nname = 'Provider {id}'\nissuer = '{issuer}'\nclient_auth = ['post']\n\
         [documentation]\noauth = 'https://docs.example/oauth'\n\
         [endpoints]\nauthorize = '{issuer}/authorize'\ntoken = '{issuer}/token'\nrevoke = '{issuer}/revoke'\n\
         device = '{issuer}/device'\n\
         [probe]\nid = ['/sub']\nlabel = ['/login']\n[probe.request]\nurl = '{issuer}/userinfo'\n{parameters}"
    ))
    .expect("a fine entry")
}

pub(crate) fn client(id: &str) -> ClientConfig {
    let secret = format!("the-secret-of-{id}");
    ClientConfig::confidential(id, secret).auth(tool_connect_oauth::catalog::ClientAuth::Post)
}

pub(crate) fn emulated(id: &str, provider: &str) -> EmulatedClient {
    EmulatedClient::secret_post(id, format!("the-secret-of-{id}"))
        .redirect_uri(format!("{HOST}/callback/{provider}"))
}

pub(crate) struct House {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) emulator: OAuthEmulator,
    pub(crate) issuer: Issuer,
    pub(crate) stores: Stores,
    pub(crate) vault: Arc<dyn Vault>,
    pub(crate) oauth: OAuth,
    pub(crate) connect: Arc<dyn Connect>,
    pub(crate) events: Arc<Mutex<Vec<Event>>>,
}

impl House {
    pub(crate) fn new() -> Self {
        Self::with(|settings| settings, |builder| builder)
    }

    pub(crate) fn with(
        server: impl FnOnce(IssuerSettings) -> IssuerSettings,
        host: impl FnOnce(OAuthBuilder) -> OAuthBuilder,
    ) -> Self {
        let clock = Arc::new(ManualClock::new());
        let emulator = OAuthEmulator::with_clock(clock.clone());
        let settings = IssuerSettings::new("https://one.example").client(emulated("app", "acme"));
        let issuer = emulator.issuer(server(settings)).expect("a server");
        let stores = Stores::in_memory_with(clock.clone());
        let vault = vault();
        let events = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&events);
        let catalog = Catalog::empty().with_entry(entry("acme", "https://one.example")).expect("a catalog");
        let builder = OAuth::builder()
            .stores(stores.clone())
            .vault(Arc::clone(&vault))
            .transport(Arc::new(emulator.clone()))
            .catalog(catalog)
            .clients(StaticClients::new().with("acme", client("app")))
            .session(Login)
            .public_url(HOST.parse().expect("a URL"))
            .return_to(BACK)
            .clock(clock.clone())
            .on_event(move |event: &Event| heard.lock().expect("unpoisoned").push(event.clone()));
        let oauth = host(builder).build().expect("complete");
        let connect = oauth.connect();
        Self { clock, emulator, issuer, stores, vault, oauth, connect, events }
    }

    pub(crate) fn request(&self, scopes: &[&str]) -> ConnectRequest {
        let scheme = AuthScheme::oauth2("acme", ["read"]);
        let mut request = ConnectRequest::new(instance("work"), scheme);
        request.scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        request
    }

    pub(crate) async fn ticket(&self, principal: &Principal, request: ConnectRequest) -> Url {
        self.connect.ticket(principal, request).await.expect("a ticket").url
    }

    /// From a ticket to the provider's answer, in one browser.
    pub(crate) async fn to_provider_and_back(&self, browser: &mut Browser, ticket: &Url) -> Url {
        let sent = browser.open(&self.oauth, ticket).await;
        self.issuer.visit(&sent.location().expect("a way to the provider")).expect("an answer")
    }

    /// A whole consent.
    pub(crate) async fn consent(&self, principal: &Principal, request: ConnectRequest) -> Seen {
        let mut browser = Browser::of(principal);
        let ticket = self.ticket(principal, request).await;
        let answer = self.to_provider_and_back(&mut browser, &ticket).await;
        browser.open(&self.oauth, &answer).await
    }

    pub(crate) async fn connections(&self, tenant: &str) -> Vec<Connection> {
        let tenant = TenantId::new(tenant).expect("valid");
        self.stores.connections.list(&tenant, &Default::default()).await.expect("list")
    }

    /// The only connection of `acme`.
    pub(crate) async fn connection(&self) -> Connection {
        let mut all = self.connections("acme").await;
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    pub(crate) async fn stored(&self, connection: &Connection) -> Option<StoredCredential> {
        let key = CredentialKey::new(CredentialKind::Connection, connection.id.as_str());
        self.stores.credentials.get(&connection.tenant, &key).await.expect("get")
    }

    pub(crate) async fn secret(&self, connection: &Connection) -> Secret {
        let stored = self.stored(connection).await.expect("a secret");
        let access = SecretAccess::system("tests", "look");
        let plain = self.vault.open(&place_of(&stored), &stored.sealed, &access).await.expect("open");
        Secret::from_bytes(plain.expose_secret()).expect("a secret")
    }

    pub(crate) async fn access_token(&self, connection: &Connection) -> String {
        let secret = self.secret(connection).await;
        secret.tokens().expect("tokens").access_token.expose_secret().to_owned()
    }

    pub(crate) fn token_requests(&self) -> u64 {
        self.issuer.counters().token_requests
    }

    /// Why consents failed, in order.
    pub(crate) fn failures(&self) -> Vec<String> {
        let events = self.events.lock().expect("unpoisoned");
        let reasons = events.iter().filter_map(|event| match &event.what {
            EventKind::ConnectFailed { reason, .. } => Some(reason.clone()),
            _ => None,
        });
        reasons.collect()
    }
}

pub(crate) fn vault() -> Arc<dyn Vault> {
    let keyring = Keyring::generate().expect("a key");
    Arc::new(
        EnvelopeVault::builder(Arc::new(keyring)).stateless().without_access_log().build().expect("a vault"),
    )
}

/// A browser: who is logged in at the host with it, and its cookies.
#[derive(Clone, Default)]
pub(crate) struct Browser {
    pub(crate) principal: Option<Principal>,
    pub(crate) cookies: BTreeMap<String, String>,
}

/// What a browser sees.
pub(crate) struct Seen {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) html: String,
}

impl Seen {
    pub(crate) fn location(&self) -> Option<Url> {
        let location = self.headers.get(LOCATION)?.to_str().expect("text");
        Some(Url::parse(location).expect("a URL"))
    }

    pub(crate) fn says(&self, words: &str) {
        assert!(self.html.contains(words), "`{words}` is missing in: {}", self.html);
    }
}

impl Browser {
    pub(crate) fn of(principal: &Principal) -> Self {
        Self { principal: Some(principal.clone()), cookies: BTreeMap::new() }
    }

    /// Opens an address of the host's.
    pub(crate) async fn open(&mut self, oauth: &OAuth, url: &Url) -> Seen {
        self.send(oauth, "GET", url).await
    }

    pub(crate) async fn send(&mut self, oauth: &OAuth, method: &str, url: &Url) -> Seen {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = Request::builder().method(method).uri(url.as_str()).body(()).expect("a request");
        request.headers_mut().insert(COOKIE, cookies.join("; ").parse().expect("a header"));
        request.extensions_mut().extend(
            self.principal
                .clone()
                .map(|principal| {
                    let mut extensions = http::Extensions::new();
                    extensions.insert(principal);
                    extensions
                })
                .unwrap_or_default(),
        );
        let response = if url.path() == "/connect/start" {
            oauth.start_service().oneshot(request).await.expect("infallible")
        } else {
            assert!(url.path().starts_with("/connect/callback/"), "{url}");
            oauth.callback_service().oneshot(request).await.expect("infallible")
        };
        let (parts, body) = response.into_parts();
        for cookie in parts.headers.get_all(SET_COOKIE) {
            let text = cookie.to_str().expect("text");
            let (name, value) =
                text.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let html = body.collect().await.expect("a body").to_bytes();
        Seen {
            status: parts.status,
            headers: parts.headers,
            html: String::from_utf8(html.to_vec()).expect("text"),
        }
    }
}
