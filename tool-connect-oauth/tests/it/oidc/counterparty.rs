//! Discovery, registration, sign-in and inbound tokens against the certified server of `tests/counterparties/`.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::{HeaderValue, Method, header};
use secrecy::ExposeSecret;
use tool_connect_core::http::{RequestBody, Transport, TransportLimits};
use tool_connect_core::store::memory::MemoryCredentials;
use tool_connect_core::{ErrorKind, Owner, SystemClock, TenantId, UserId};
use tool_connect_hub::transport::{HttpSettings, HttpTransport, NetworkAccess};
use tool_connect_oauth::catalog::ClientConfig;
use tool_connect_oauth::discovery::{
    ApplicationType, ClientMetadata, Discovery, DiscoverySettings, Profile, Registrations, ServerMetadata,
};
use tool_connect_oauth::flow::{Authorization, CodeExchange, OAuthHttp, TokenClient, Wanted};
use tool_connect_oauth::oidc::{AccessTokenVerifier, SignIn};
use tool_connect_oauth::vault::{EnvelopeVault, Keyring};
use url::Url;

use crate::counterparty::{AuthorizationServer, authorization_server};

struct World {
    told: AuthorizationServer,
    transport: Arc<HttpTransport>,
    http: OAuthHttp,
    server: Arc<ServerMetadata>,
}

impl World {
    async fn new() -> Self {
        let told = authorization_server();
        let mut http = HttpSettings::default();
        http.access = NetworkAccess::public().allow_loopback();
        let transport = Arc::new(HttpTransport::new(&http).unwrap());
        let http = OAuthHttp::new(transport.clone());
        let mut settings = DiscoverySettings::default();
        settings.profile = Profile::Mcp;
        settings.allow_loopback = true;
        let discovery = Discovery::with_settings(http.clone(), Arc::new(SystemClock), settings);
        let server = discovery.server(&told.issuer).await.unwrap();
        Self { told, transport, http, server }
    }

    fn redirect(&self) -> Url {
        self.told.redirect_uri.parse().unwrap()
    }

    /// A browser with `ada` in front of it, who says yes; returns the query that it comes back with.
    async fn browse(&self, start: &Url) -> String {
        let mut cookies: BTreeMap<String, String> = BTreeMap::new();
        let (mut next, mut asks) = (start.clone(), false);
        for _ in 0..12 {
            let mut request = http::Request::new(RequestBody::Empty);
            *request.uri_mut() = next.as_str().parse().unwrap();
            let jar: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request.headers_mut().insert(header::COOKIE, HeaderValue::try_from(jar.join("; ")).unwrap());
            if asks {
                *request.method_mut() = Method::POST;
                let form = HeaderValue::from_static("application/x-www-form-urlencoded");
                request.headers_mut().insert(header::CONTENT_TYPE, form);
                *request.body_mut() = RequestBody::Bytes("account=ada&decision=allow".into());
            }
            let answer = self.transport.send(request, &TransportLimits::default()).await.unwrap();
            for cookie in answer.headers().get_all(header::SET_COOKIE) {
                let (name, value) =
                    cookie.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
                cookies.insert(name.to_owned(), value.to_owned());
            }
            let to = answer.headers().get(header::LOCATION).expect("a redirect").to_str().unwrap();
            next = next.join(to).unwrap();
            if next.as_str().starts_with(&self.told.redirect_uri) {
                return next.query().unwrap().to_owned();
            }
            asks = next.path().starts_with("/interaction/");
        }
        panic!("redirects without an end");
    }
}

#[tokio::test]
#[ignore = "needs a counterparty"]
async fn counterparty_metadata_becomes_an_entry() {
    let world = World::new().await;
    assert_eq!(world.server.issuer, world.told.issuer);
    assert!(world.server.authorization_response_iss_parameter_supported);
    let provider = world.server.entry("theirs").resolve(&BTreeMap::new()).unwrap();
    for (name, endpoint) in provider.endpoints.iter() {
        assert!(endpoint.as_str().starts_with(&world.told.issuer), "{name}: {endpoint}");
    }
    assert_eq!(provider.endpoints.iter().count(), 8, "all that an entry can hold");
}

#[tokio::test]
#[ignore = "needs a counterparty"]
async fn counterparty_a_client_registers_itself_signs_a_user_in_and_goes() {
    let world = World::new().await;
    let store = Arc::new(MemoryCredentials::new());
    let vault = EnvelopeVault::builder(Arc::new(Keyring::generate().unwrap()))
        .subject_keys(store.clone())
        .without_access_log()
        .build()
        .unwrap();
    let clock = Arc::new(SystemClock);
    let registrations = Registrations::new(world.http.clone(), store, Arc::new(vault), clock.clone());
    let tenant = TenantId::new("acme").unwrap();
    for (redirect, kind) in [
        (world.redirect(), ApplicationType::Native),
        ("https://app.example/cb".parse().unwrap(), ApplicationType::Web),
    ] {
        let metadata = ClientMetadata::new("Acme", [redirect]);
        assert_eq!(metadata.application_type, kind);
        let owner = if kind == ApplicationType::Native {
            Owner::Tenant
        } else {
            Owner::User(UserId::new("ada").unwrap())
        };
        let made = registrations.obtain(&tenant, &owner, &world.server, &metadata, None).await.unwrap();
        assert_eq!(made.client.secret.is_some(), kind == ApplicationType::Web);
        assert!(made.management.is_some());
        if kind == ApplicationType::Native {
            let sign_in =
                SignIn::new(world.http.clone(), &world.server, made.client.clone(), clock.clone()).unwrap();
            let (url, pending) = sign_in.begin(world.redirect(), Vec::<String>::new()).await.unwrap();
            let signed_in = sign_in.finish(&pending, &world.browse(&url).await).await.unwrap();
            assert_eq!(signed_in.identity.subject, "ada");
        }
        // What is given up is not known there any more.
        assert!(registrations.forget(&tenant, &owner, &world.told.issuer).await.unwrap());
        let (address, token) = made.management.unwrap();
        let bearer = HeaderValue::try_from(format!("Bearer {}", token.expose_secret())).unwrap();
        let request = http::Request::get(address.as_str()).header(header::AUTHORIZATION, bearer);
        let answer = world
            .transport
            .send(request.body(RequestBody::Empty).unwrap(), &TransportLimits::default())
            .await
            .unwrap();
        assert_eq!(answer.status(), 401);
    }
}

#[tokio::test]
#[ignore = "needs a counterparty"]
async fn counterparty_id_tokens_are_good_for_their_own_sign_in_alone() {
    let world = World::new().await;
    let secret = world.told.clients["basic"].secret.clone().unwrap();
    let clock = Arc::new(SystemClock);
    let client = ClientConfig::confidential("basic", secret);
    let sign_in = SignIn::new(world.http.clone(), &world.server, client, clock.clone()).unwrap();
    let (url, pending) = sign_in.begin(world.redirect(), ["email", "profile"]).await.unwrap();
    let query = world.browse(&url).await;
    let identity = sign_in.finish(&pending, &query).await.unwrap().identity;
    assert_eq!((identity.issuer.as_str(), identity.subject.as_str()), (world.told.issuer.as_str(), "ada"));
    assert_eq!((identity.email.as_deref(), identity.email_verified), (Some("ada@example.com"), true));

    // The answer to one sign-in does not end another one.
    let (_, another) = sign_in.begin(world.redirect(), ["email"]).await.unwrap();
    let (url, _) = sign_in.begin(world.redirect(), ["email"]).await.unwrap();
    let error = sign_in.finish(&another, &world.browse(&url).await).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
}

#[tokio::test]
#[ignore = "needs a counterparty"]
async fn counterparty_access_tokens_are_good_for_their_own_api_alone() {
    let world = World::new().await;
    let clock = Arc::new(SystemClock);
    let provider = world.server.entry("theirs").resolve(&BTreeMap::new()).unwrap();
    let client = ClientConfig::public("public");
    let tokens = TokenClient::new(&world.http, &provider, &client, &SystemClock);
    let api: Url = format!("{}tools", world.told.resource).parse().unwrap();
    let wanted = Authorization::new(world.redirect()).scopes(["read"]).resource(api.clone());
    let request = tokens.authorize(&wanted).await.unwrap();
    let query = world.browse(&request.url).await;
    let code = url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "code")
        .unwrap()
        .1
        .into_owned();
    let exchange = CodeExchange {
        code: &code.into(),
        verifier: &request.verifier,
        redirect_uri: &request.redirect_uri,
        wanted: Wanted { scopes: &request.scopes, resource: &request.resource, dpop_key: None },
    };
    let brought = tokens.exchange(&exchange).await.unwrap().access_token;

    let verifier = |audience: &str| {
        AccessTokenVerifier::new(world.http.clone(), &world.server, audience, clock.clone()).unwrap()
    };
    let token = verifier(api.as_str()).verify(&brought).await.unwrap();
    assert_eq!((token.subject.as_str(), token.client_id.as_str()), ("ada", "public"));
    assert_eq!(token.scopes, ["read"]);
    let error = verifier("https://api.example/other").verify(&brought).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
}
