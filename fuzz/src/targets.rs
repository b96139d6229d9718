//! One function for each target. Each takes any bytes, and panics where a promise is broken. Also replayed over the corpus by a
//! test of `tool-connect-oauth`.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use bytes::Bytes;
use http::request::Parts;
use http_body_util::BodyExt as _;
use secrecy::ExposeSecret;
use tool_connect_core::http::{ByteStream, RequestBody, Transport, TransportLimits};
use tool_connect_core::store::{CredentialKey, CredentialKind, Stores};
use tool_connect_core::{
    Owner, Principal, Result, SealedPlace, SecretAccess, SystemClock, TenantId, Vault as _,
};
use tool_connect_oauth::catalog::{Catalog, ClientConfig, Provider, ProviderEntry, StaticClients};
use tool_connect_oauth::connect::{HostSession, OAuth};
use tool_connect_oauth::discovery::{
    ClientDocument, Profile, ResourceMetadata, ServerMetadata, parse_challenges,
};
use tool_connect_oauth::flow::{OAuthHttp, Secret, TokenClient, TokenSet};
use tool_connect_oauth::vault::{EnvelopeVault, KeySet, Keyring, credential_place};
use tower::ServiceExt as _;

/// What is done with an input.
pub type Target = fn(&[u8]);

/// Every target by its name, which is that of its folder in the corpus.
pub const TARGETS: [(&str, Target); 5] = [
    ("callback", callback),
    ("metadata", metadata),
    ("sealed", sealed),
    ("token_response", token_response),
    ("www_authenticate", www_authenticate),
];

const REFRESH_TOKEN: &str = "canary-refresh-token";
const CLIENT_SECRET: &str = "canary-client-secret";
const ISSUER: &str = "https://as.example";
const RESOURCE: &str = "https://api.example/mcp";
const DOCUMENT: &str = "https://app.example/client.json";

/// Sealed with [`VAULT`]'s key for [`place`]: the only input of `sealed` that may open.
const GENUINE: &[u8] = include_bytes!("../corpus/sealed/genuine");

/// The query of a callback. No sign-in is under way, so whatever it says, nobody is asked for a token.
pub fn callback(data: &[u8]) {
    let mut target = b"/connect/callback/acme?".to_vec();
    target.extend_from_slice(data);
    let Ok(uri) = http::Uri::try_from(target) else { return };
    let request = http::Request::builder().uri(uri).body(()).expect("a request");
    let (head, page) = run(async {
        let answer = OAUTH.callback_service().oneshot(request).await.expect("a service that cannot fail");
        let (head, body) = answer.into_parts();
        (head, body.collect().await.map(|body| body.to_bytes()).unwrap_or_default())
    });
    assert!(head.status.is_client_error(), "{}", head.status);
    assert!(!head.headers.contains_key("location"), "nobody is sent anywhere");
    let marker = b"fuzzcanary";
    assert!(!page.windows(marker.len()).any(|part| part == marker), "the page repeats what came");
}

/// The status (first byte) and body of a token endpoint's answer.
pub fn token_response(data: &[u8]) {
    let Some((first, body)) = data.split_first() else { return };
    let status = [200, 200, 400, 401, 403, 429, 500, 503][usize::from(*first % 8)];
    let http = OAuthHttp::new(Arc::new(Answers(status, Bytes::copy_from_slice(body))));
    let client = ClientConfig::confidential("app", CLIENT_SECRET);
    let old =
        TokenSet { refresh_token: Some(REFRESH_TOKEN.into()), ..TokenSet::bearer("canary-access-token") };
    for provider in &*PROVIDERS {
        match run(TokenClient::new(&http, provider, &client, &SystemClock).refresh(&old, &[])) {
            Ok(new) => {
                assert!(!new.access_token.expose_secret().is_empty(), "a success has a token");
                assert!(new.refresh_token.is_some(), "a refresh token that is not replaced stays");
                let again = TokenSet::from_bytes(&new.to_bytes()).expect("what is written can be read");
                assert_eq!(again.access_token.expose_secret(), new.access_token.expose_secret());
            }
            Err(error) => {
                let printed = format!("{error} {error:?} {}", error.public_message());
                assert!(!printed.contains(REFRESH_TOKEN) && !printed.contains(CLIENT_SECRET), "{printed}");
            }
        }
    }
}

/// Metadata of an authorization server, of a resource, and of a client.
pub fn metadata(data: &[u8]) {
    for profile in [Profile::OAuth, Profile::Mcp] {
        let Ok(server) = ServerMetadata::parse(ISSUER, data, profile, false) else { continue };
        assert_eq!(server.issuer, ISSUER);
        let entry = server.entry("theirs");
        // An address that could be misread is refused here; one that is accepted is https.
        if let Ok(provider) = entry.resolve(&BTreeMap::new()) {
            assert!(provider.endpoints.iter().all(|(_, endpoint)| endpoint.scheme() == "https"));
        }
    }
    if let Ok(resource) = ResourceMetadata::parse(&RESOURCE.parse().expect("an address"), data) {
        assert_eq!(resource.resource, RESOURCE);
        assert!(!resource.authorization_servers.is_empty());
    }
    let _ = ClientDocument::check(DOCUMENT, data);
}

/// A `WWW-Authenticate` header.
pub fn www_authenticate(data: &[u8]) {
    let Ok(header) = std::str::from_utf8(data) else { return };
    for challenge in parse_challenges(header).into_iter().flatten() {
        let mut text = challenge.scheme.clone();
        if let Some(token) = &challenge.token {
            text = format!("{text} {token}");
        }
        for (nth, (name, value)) in challenge.parameters.iter().enumerate() {
            let quoted = value.replace('\\', "\\\\").replace('"', "\\\"");
            let comma = if nth == 0 { "" } else { "," };
            text = format!("{text}{comma} {name}=\"{quoted}\"");
        }
        if text.len() <= header.len() {
            assert_eq!(parse_challenges(&text), Some(vec![challenge]), "{text}");
        }
    }
}

/// Sealed bytes, and what was sealed.
pub fn sealed(data: &[u8]) {
    let opened = run(VAULT.open(&place(), data, &SecretAccess::system("fuzz", "fuzz")));
    assert_eq!(opened.is_ok(), data == GENUINE, "only the genuine value opens");
    let _ = VAULT.key_id(data);
    let _ = run(VAULT.rewrap(&place(), data));
    if let Ok(secret) = Secret::from_bytes(data) {
        let bytes = secret.to_bytes().expect("what was read can be written");
        assert!(Secret::from_bytes(&bytes).is_ok());
    }
    let _ = TokenSet::from_bytes(data);
}

/// Where the genuine value belongs.
fn place() -> SealedPlace {
    let tenant = TenantId::new("acme").expect("an id");
    credential_place(&tenant, &Owner::Tenant, &CredentialKey::new(CredentialKind::Connection, "c-1"))
}

/// A vault whose key everybody knows.
static VAULT: LazyLock<EnvelopeVault> = LazyLock::new(|| {
    let keys = KeySet::new().key("fuzz", 1, &[7; 32]);
    EnvelopeVault::builder(Arc::new(Keyring::new(&keys).expect("keys")))
        .stateless()
        .without_access_log()
        .build()
        .expect("a vault")
});

/// One that follows the RFCs, and one with everything elsewhere.
static PROVIDERS: LazyLock<[Provider; 2]> = LazyLock::new(|| {
    let plain = ProviderEntry::new("acme", "https://as.example/token");
    let mut odd = plain.clone();
    odd.token_response.access_token = "/authed_user/access_token".into();
    odd.token_response.expires_in = "/authed_user/0/expires_in".into();
    odd.token_response.scope_separator = Some(",".into());
    odd.token_response.extra = BTreeMap::from([("team".to_owned(), "/team/id".to_owned())]);
    [plain, odd].map(|entry| entry.resolve(&BTreeMap::new()).expect("a provider"))
});

static OAUTH: LazyLock<OAuth> = LazyLock::new(|| {
    let mut entry = ProviderEntry::new("acme", "https://as.example/token");
    entry.endpoints.authorize = Some("https://as.example/authorize".into());
    OAuth::builder()
        .stores(Stores::in_memory())
        .vault(Arc::new(VAULT.clone()))
        .transport(Arc::new(Nobody))
        .catalog(Catalog::empty().with_entry(entry).expect("an entry"))
        .clients(StaticClients::new().with("acme", ClientConfig::confidential("app", CLIENT_SECRET)))
        .session(Ada)
        .public_url("https://app.example/connect".parse().expect("an address"))
        .build()
        .expect("all that is needed")
});

/// Always the same user.
struct Ada;

#[async_trait]
impl HostSession for Ada {
    async fn principal(&self, _: &Parts) -> Result<Option<Principal>> {
        Principal::user("acme", "ada").map(Some)
    }
}

/// A network that must not be asked.
struct Nobody;

#[async_trait]
impl Transport for Nobody {
    async fn send(
        &self,
        request: http::Request<RequestBody>,
        _: &TransportLimits,
    ) -> Result<http::Response<ByteStream>> {
        panic!("a request to {}", request.uri())
    }
}

/// A server that always says the same.
struct Answers(u16, Bytes);

#[async_trait]
impl Transport for Answers {
    async fn send(
        &self,
        _: http::Request<RequestBody>,
        _: &TransportLimits,
    ) -> Result<http::Response<ByteStream>> {
        let body: ByteStream = Box::pin(futures_util::stream::iter([Ok(self.1.clone())]));
        Ok(http::Response::builder().status(self.0).body(body).expect("a response"))
    }
}

fn run<T>(work: impl Future<Output = T>) -> T {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    }
    RUNTIME.with(|runtime| runtime.block_on(work))
}
