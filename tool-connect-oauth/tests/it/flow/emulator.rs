//! Every grant against testkit's strict authorization server, in this process.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tool_connect_core::{Clock, ErrorKind};
use tool_connect_oauth::catalog::{
    ClientAuth, ClientConfig, JwtAlgorithm, Provider, ProviderEntry, TimeUnit,
};
use tool_connect_oauth::flow::{
    Authorization, AuthorizeRequest, CodeExchange, DevicePoll, DpopKey, DpopNonces, DpopSigner, OAuthFailure,
    OAuthHttp, Revoked, ServiceAccount, TokenClient, TokenSet, TokenType, Wanted,
};
use tool_connect_testkit::ManualClock;
use tool_connect_testkit::oauth::{
    Decision, Dpop, EmulatedClient, Endpoint, ExpiresIn, Issuer, IssuerSettings, OAuthEmulator, Quirks,
};
use url::Url;

use super::assertion::Key;
use super::{scopes, url};

const REDIRECT: &str = "https://app.example/callback";
/// What form encoding changes.
const SECRET: &str = "s+c/r=t %of the app";

struct World {
    emulator: OAuthEmulator,
    issuer: Issuer,
    http: OAuthHttp,
    provider: Provider,
    client: ClientConfig,
    clock: Arc<ManualClock>,
}

impl World {
    fn new(settings: IssuerSettings, client: ClientConfig) -> Self {
        Self::with(settings, client, |_| {})
    }

    fn with(settings: IssuerSettings, client: ClientConfig, change: impl FnOnce(&mut ProviderEntry)) -> Self {
        let clock = Arc::new(ManualClock::new());
        let emulator = OAuthEmulator::with_clock(clock.clone());
        let issuer = emulator.issuer(settings).expect("an issuer");
        let mut entry = ProviderEntry::new("emulated", "https://as.example/token");
        entry.issuer = Some("https://as.example".into());
        let at = |path: &str| Some(format!("https://as.example/{path}"));
        entry.endpoints.authorize = at("authorize");
        entry.endpoints.device = at("device");
        entry.endpoints.revoke = at("revoke");
        entry.endpoints.introspect = at("introspect");
        change(&mut entry);
        let provider = entry.resolve(&BTreeMap::new()).expect("a provider");
        let http = OAuthHttp::new(Arc::new(emulator.clone())).clock(clock.clone());
        Self { emulator, issuer, http, provider, client, clock }
    }

    fn tokens(&self) -> TokenClient<'_> {
        TokenClient::new(&self.http, &self.provider, &self.client, &*self.clock)
    }

    /// A consent, up to the code.
    async fn consent(&self, wanted: Authorization) -> (AuthorizeRequest, SecretString) {
        let request = self.tokens().authorize(&wanted).await.expect("a request");
        let back = self.issuer.visit(&request.url).expect("a redirect");
        let query: BTreeMap<_, _> = back.query_pairs().into_owned().collect();
        assert_eq!(query["state"], request.state.expose_secret());
        (request, query["code"].clone().into())
    }

    async fn connect(&self, wanted: Authorization) -> TokenSet {
        let (request, code) = self.consent(wanted).await;
        self.tokens().exchange(&exchange(&request, &code)).await.expect("tokens")
    }

    fn accepts(&self, tokens: &TokenSet) -> bool {
        self.issuer.accepts(tokens.access_token.expose_secret())
    }
}

fn exchange<'a>(request: &'a AuthorizeRequest, code: &'a SecretString) -> CodeExchange<'a> {
    CodeExchange {
        code,
        verifier: &request.verifier,
        redirect_uri: &request.redirect_uri,
        wanted: Wanted {
            scopes: &request.scopes,
            resource: &request.resource,
            dpop_key: request.dpop_key.as_ref(),
        },
    }
}

fn settings(client: EmulatedClient) -> IssuerSettings {
    IssuerSettings::new("https://as.example").client(client.redirect_uri(REDIRECT))
}

fn wanted() -> Authorization {
    Authorization::new(url(REDIRECT)).scopes(["read", "write"])
}

fn public() -> World {
    World::new(settings(EmulatedClient::public("app")), ClientConfig::public("app"))
}

#[tokio::test]
async fn a_code_is_exchanged_in_every_way_to_authenticate() {
    let key = Key::new(JwtAlgorithm::Es256);
    let private =
        ClientAuth::PrivateKeyJwt { key: key.pem.clone().into(), alg: JwtAlgorithm::Es256, kid: None };
    for (theirs, ours) in [
        (EmulatedClient::public("app"), ClientConfig::public("app")),
        (EmulatedClient::secret_basic("app", SECRET), ClientConfig::confidential("app", SECRET)),
        (
            EmulatedClient::secret_post("app", SECRET),
            ClientConfig::confidential("app", SECRET).auth(ClientAuth::Post),
        ),
        (EmulatedClient::private_key("app", key.jwk()), ClientConfig::public("app").auth(private)),
    ] {
        let world = World::new(settings(theirs), ours);
        let tokens = world.connect(wanted()).await;
        assert!(world.accepts(&tokens), "{:?}", world.client);
        assert_eq!(tokens.scopes, Some(scopes(["read", "write"])));
        assert_eq!(tokens.expires_at, Some(world.clock.now() + Duration::from_secs(3600)));
        let again = world.tokens().refresh(&tokens, &[]).await.expect("tokens");
        assert!(world.accepts(&again));
        let (old, new) = (tokens.refresh_token.expect("one"), again.refresh_token.expect("one"));
        assert_ne!(old.expose_secret(), new.expose_secret(), "rotated");
        assert_eq!(world.issuer.counters().tokens_outside_headers, 0);
    }
}

#[tokio::test]
async fn oauth_client_01_a_code_is_good_only_with_its_verifier() {
    let world = public();
    let (mine, code) = world.consent(wanted()).await;
    let (other, _) = world.consent(wanted()).await;
    let stolen = CodeExchange { verifier: &other.verifier, ..exchange(&mine, &code) };
    let error = world.tokens().exchange(&stolen).await.expect_err("a refusal");
    assert_eq!(OAuthFailure::of(&error).map(OAuthFailure::code), Some("invalid_grant"));
}

#[tokio::test]
async fn oauth_client_06_a_token_is_for_the_named_resource() {
    let mut settings = settings(EmulatedClient::public("app"));
    settings.resources = vec!["https://mcp.example/a".into(), "https://mcp.example/b".into()];
    let world = World::new(settings, ClientConfig::public("app"));
    let tokens = world.connect(wanted().resource(url("https://mcp.example/a"))).await;
    world.tokens().refresh(&tokens, &[url("https://mcp.example/a")]).await.expect("tokens");
    let tokens = world.connect(wanted().resource(url("https://mcp.example/a"))).await;
    let error =
        world.tokens().refresh(&tokens, &[url("https://mcp.example/b")]).await.expect_err("not granted");
    assert_eq!(error.kind(), ErrorKind::Config);
    let named: BTreeSet<_> =
        world.issuer.requests(Endpoint::Token).iter().flat_map(|seen| seen.parameters("resource")).collect();
    assert_eq!(named.len(), 2);
}

#[tokio::test]
async fn oauth_client_15_a_narrower_grant_is_what_counts() {
    let world = public();
    world.issuer.next_user(Decision::Narrow(scopes(["read"])));
    assert_eq!(world.connect(wanted()).await.scopes, Some(scopes(["read"])));
}

#[tokio::test]
async fn oauth_client_18_a_server_that_does_not_rotate() {
    let settings =
        settings(EmulatedClient::public("app")).rotation(tool_connect_testkit::oauth::Rotation::None);
    let world = World::new(settings, ClientConfig::public("app"));
    let tokens = world.connect(wanted()).await;
    let mut renewed = tokens.clone();
    for _ in 0..3 {
        world.clock.advance(Duration::from_secs(3600));
        assert!(!world.accepts(&renewed) && renewed.expired(world.clock.now(), Duration::ZERO));
        renewed = world.tokens().refresh(&renewed, &[]).await.expect("tokens");
        assert!(world.accepts(&renewed));
        let (old, kept) = (&tokens.refresh_token, &renewed.refresh_token);
        assert_eq!(
            old.as_ref().map(ExposeSecret::expose_secret),
            kept.as_ref().map(ExposeSecret::expose_secret)
        );
    }
}

#[tokio::test]
async fn oauth_client_19_a_reused_refresh_token_is_invalid_grant() {
    let world = public();
    let tokens = world.connect(wanted()).await;
    world.tokens().refresh(&tokens, &[]).await.expect("tokens");
    let error = world.tokens().refresh(&tokens, &[]).await.expect_err("reuse");
    assert_eq!(error.kind(), ErrorKind::NeedsReauth);
    assert_eq!(world.issuer.counters().double_spends, 1);
}

#[tokio::test]
async fn habits_of_real_providers() {
    let quirks = Quirks {
        nested: Some("authed_user".into()),
        expires_in: ExpiresIn::Millis,
        form: false,
        errors_as_200: true,
        extra: vec![("team".into(), json!({ "id": "T1" }))],
        ..Quirks::default()
    };
    let settings = settings(EmulatedClient::public("app")).quirks(quirks);
    let world = World::with(settings, ClientConfig::public("app"), |entry| {
        let places = &mut entry.token_response;
        places.expires_in.unit = TimeUnit::Milliseconds;
        for place in [
            &mut places.access_token,
            &mut places.refresh_token,
            &mut places.expires_in.at,
            &mut places.scope,
        ] {
            *place = format!("/authed_user{place}");
        }
        places.extra.insert("team".into(), "/authed_user/team/id".into());
    });
    let tokens = world.connect(wanted()).await;
    assert!(world.accepts(&tokens));
    assert_eq!(tokens.expires_at, Some(world.clock.now() + Duration::from_secs(3600)));
    assert_eq!(tokens.extra["team"], "T1");
    world.issuer.revoke_grants();
    let error = world.tokens().refresh(&tokens, &[]).await.expect_err("revoked, with status 200");
    assert_eq!((error.kind(), error.http_status()), (ErrorKind::NeedsReauth, Some(200)));
}

#[tokio::test]
async fn an_issuer_is_asked_as_a_form_and_may_answer_as_one() {
    let quirks = Quirks { form: true, expires_in: ExpiresIn::Text, ..Quirks::default() };
    let world = World::with(
        settings(EmulatedClient::public("app")).quirks(quirks),
        ClientConfig::public("app"),
        // It answers JSON to those who ask for it; this one is asked for something else.
        |entry| drop(entry.token_request.headers.insert("accept".into(), "*/*".into())),
    );
    let tokens = world.connect(wanted()).await;
    assert!(world.accepts(&tokens));
    assert_eq!(tokens.expires_at, Some(world.clock.now() + Duration::from_secs(3600)));
}

#[tokio::test]
async fn a_client_and_a_service_account_act_for_themselves() {
    let client = EmulatedClient::secret_basic("app", SECRET);
    let world = World::new(settings(client), ClientConfig::confidential("app", SECRET));
    let asked = scopes(["read"]);
    let wanted = Wanted { scopes: &asked, ..Wanted::default() };
    let tokens = world.tokens().client_credentials(wanted).await.expect("tokens");
    assert!(world.accepts(&tokens) && tokens.refresh_token.is_none());
    assert_eq!(tokens.scopes, Some(asked.clone()));

    for alg in [JwtAlgorithm::Rs256, JwtAlgorithm::Es256, JwtAlgorithm::EdDsa] {
        let key = Key::new(alg);
        let auth = ClientAuth::PrivateKeyJwt { key: key.pem.clone().into(), alg, kid: None };
        let client = EmulatedClient::private_key("robot", key.jwk());
        let world = World::new(settings(client), ClientConfig::public("robot").auth(auth));
        let account = ServiceAccount::new("robot", key.pem.clone(), alg).audience("https://as.example");
        for _ in 0..2 {
            let tokens = world.tokens().jwt_bearer(&account, wanted).await.expect("tokens");
            assert!(
                world.accepts(&tokens),
                "each assertion is good for one use, and there is a new one each time"
            );
        }
        let elsewhere = account.audience("https://other.example");
        let error = world.tokens().jwt_bearer(&elsewhere, wanted).await.expect_err("another audience");
        assert_eq!(error.kind(), ErrorKind::NeedsReauth);
    }
}

#[tokio::test]
async fn oauth_client_28_what_is_revoked_is_refused() {
    let world = public();
    let tokens = world.connect(wanted()).await;
    assert!(world.tokens().introspect(&tokens.access_token).await.expect("an answer").active);
    for _ in 0..2 {
        assert_eq!(world.tokens().revoke(&tokens).await.expect("revoked"), Revoked::Done);
        assert!(!world.accepts(&tokens));
    }
    assert!(!world.tokens().introspect(&tokens.access_token).await.expect("an answer").active);
    assert!(world.tokens().refresh(&tokens, &[]).await.is_err());
}

#[tokio::test]
async fn oauth_client_29_a_device_gets_its_tokens_once_the_user_decided() {
    let world = public();
    let asked = scopes(["read"]);
    let wanted = Wanted { scopes: &asked, ..Wanted::default() };
    let mut device = world.tokens().device_authorize(wanted).await.expect("codes");
    let wait = |world: &World, seconds| world.clock.advance(Duration::from_secs(seconds));
    wait(&world, 5);
    assert!(matches!(world.tokens().device_poll(&mut device).await, Ok(DevicePoll::Pending)));
    // Too soon: the server says slow_down.
    wait(&world, 1);
    assert!(matches!(world.tokens().device_poll(&mut device).await, Ok(DevicePoll::Pending)));
    assert_eq!(device.interval, Duration::from_secs(10));
    assert!(world.issuer.decide_device(&device.user_code, Decision::Approve));
    wait(&world, 10);
    let Ok(DevicePoll::Granted(tokens)) = world.tokens().device_poll(&mut device).await else {
        panic!("tokens")
    };
    assert!(world.accepts(&tokens) && tokens.refresh_token.is_some());

    let mut denied = world.tokens().device_authorize(wanted).await.expect("codes");
    assert!(world.issuer.decide_device(&denied.user_code, Decision::Deny));
    wait(&world, 5);
    assert!(matches!(world.tokens().device_poll(&mut denied).await, Ok(DevicePoll::Denied)));
    let mut ended = world.tokens().device_authorize(wanted).await.expect("codes");
    wait(&world, 600);
    assert!(matches!(world.tokens().device_poll(&mut ended).await, Ok(DevicePoll::Expired)));
}

#[tokio::test]
async fn oauth_client_30_bound_tokens_work_with_their_key_only() {
    let settings = settings(EmulatedClient::public("app")).dpop(Dpop::RequiredWithNonce);
    let world = World::new(settings, ClientConfig::public("app"));
    let mut tokens = world.connect(wanted().dpop()).await;
    assert_eq!(world.issuer.counters().token_requests, 2, "once without the nonce, once with it");
    assert_eq!(tokens.token_type, TokenType::Dpop);
    world.issuer.rotate_dpop_nonce();
    tokens = world.tokens().refresh(&tokens, &[]).await.expect("tokens");
    assert_eq!(world.issuer.counters().token_requests, 4, "the nonce had changed");
    tokens = world.tokens().refresh(&tokens, &[]).await.expect("tokens");
    assert_eq!(world.issuer.counters().token_requests, 5, "the nonce is known");
    assert_eq!(world.issuer.counters().replayed_proofs, 0);
    assert!(!world.accepts(&tokens), "not as a bearer token");

    let key = DpopKey::from_secret(tokens.dpop_key.as_ref().expect("a key")).expect("a key");
    let signer = DpopSigner::new(key, DpopNonces::default());
    assert_eq!(echo(&world, &signer, &tokens).await, (200, 2), "one more request, for the nonce");
    assert_eq!(echo(&world, &signer, &tokens).await, (200, 1));
    let other = DpopSigner::new(DpopKey::generate().expect("a key"), DpopNonces::default());
    assert_eq!(echo(&world, &other, &tokens).await.0, 401, "another key");
    let stolen = TokenSet { dpop_key: Some(super::dpop_key()), ..tokens };
    assert!(world.tokens().refresh(&stolen, &[]).await.is_err(), "the refresh token is bound too");
}

/// A request to the API, and one more where it wants its nonce. Returns the status and the number of requests.
async fn echo(world: &World, signer: &DpopSigner, tokens: &TokenSet) -> (u16, u32) {
    use tool_connect_core::http::{RequestBody, Transport as _, TransportLimits};
    for sent in 1..=2 {
        let request = http::Request::get("https://as.example/api/echo?x=1").body(()).expect("a request");
        let (mut parts, ()) = request.into_parts();
        signer.sign(&mut parts, &tokens.access_token, world.clock.now()).expect("signed");
        let address = parts.uri.clone();
        let request = http::Request::from_parts(parts, RequestBody::Empty);
        let answer = world.emulator.send(request, &TransportLimits::default()).await.expect("an answer");
        let (head, _) = answer.into_parts();
        let again = signer.answered(&address, &head).expect("an address");
        if !again || sent == 2 {
            return (head.status.as_u16(), sent);
        }
    }
    unreachable!("two requests at most");
}

#[tokio::test]
async fn oauth_client_31_a_server_that_takes_pushed_requests_only() {
    let mut settings = settings(EmulatedClient::secret_basic("app", SECRET));
    settings.pushed_only = true;
    let client = || ClientConfig::confidential("app", SECRET);
    let pushing = |entry: &mut ProviderEntry| entry.endpoints.par = Some("https://as.example/par".into());
    let world = World::with(settings.clone(), client(), pushing);
    assert!(world.accepts(&world.connect(wanted()).await));
    assert_eq!(world.issuer.requests(Endpoint::Par).len(), 1);

    let world = World::new(settings, client());
    let request = world.tokens().authorize(&wanted()).await.expect("a request");
    let refused = world.issuer.visit(&request.url);
    assert!(refused.map_or(true, |back: Url| back.query_pairs().any(|(name, _)| name == "error")));
}

#[tokio::test]
async fn oauth_client_32_only_these_grants_are_sent() {
    let world = public();
    let (request, code) = world.consent(wanted()).await;
    let client = world.tokens();
    let tokens = client.exchange(&exchange(&request, &code)).await.expect("tokens");
    let _ = client.refresh(&tokens, &[]).await;
    let _ = client.client_credentials(Wanted::default()).await;
    let (account, _) = super::assertion::es256_account();
    let _ = client.jwt_bearer(&account, Wanted::default()).await;
    let mut device = client.device_authorize(Wanted::default()).await.expect("codes");
    let _ = client.device_poll(&mut device).await;
    let _ = client.revoke(&tokens).await;
    let _ = client.introspect(&tokens.access_token).await;

    // Every method that asks for a token was called: these are all the grants there are, and a code is all that an
    // authorization request asks for.
    let sent: BTreeSet<_> = world
        .issuer
        .requests(Endpoint::Token)
        .iter()
        .filter_map(|seen| seen.parameter("grant_type"))
        .collect();
    let known = [
        "authorization_code",
        "client_credentials",
        "refresh_token",
        "urn:ietf:params:oauth:grant-type:device_code",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
    ];
    assert_eq!(sent, known.map(str::to_owned).into());
    let kinds = world.issuer.requests(Endpoint::Authorize);
    assert!(kinds.iter().all(|seen| seen.parameter("response_type").as_deref() == Some("code")));
    assert!(!kinds.is_empty());
}

#[test]
fn a_public_jwk_is_one() {
    let jwk: Value = Key::new(JwtAlgorithm::Es256).jwk();
    assert!(jwk.get("d").is_none() && jwk["kty"] == "EC");
}
