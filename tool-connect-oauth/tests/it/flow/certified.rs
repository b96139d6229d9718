//! Every grant against the certified server of `tests/counterparties/`, over the Hub's own transport.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tool_connect_core::http::{RequestBody, Response, Transport, TransportLimits};
use tool_connect_core::{ErrorKind, SystemClock};
use tool_connect_hub::transport::{HttpSettings, HttpTransport, NetworkAccess};
use tool_connect_oauth::catalog::{ClientAuth, ClientConfig, JwtAlgorithm, Provider, ProviderEntry};
use tool_connect_oauth::flow::{
    Authorization, AuthorizeRequest, CodeExchange, DevicePoll, OAuthFailure, OAuthHttp, Revoked, TokenClient,
    TokenSet, TokenType, Wanted,
};
use url::{Url, form_urlencoded};

use super::{scopes, url};
use crate::counterparty::{AuthorizationServer, authorization_server};

/// The server, one of its clients, and the way there.
struct World {
    server: AuthorizationServer,
    transport: Arc<HttpTransport>,
    http: OAuthHttp,
    provider: Provider,
    client: ClientConfig,
}

impl World {
    fn new(client: &str) -> Self {
        let server = authorization_server();
        let mut settings = HttpSettings::default();
        settings.access = NetworkAccess::public().allow_loopback();
        let transport = Arc::new(HttpTransport::new(&settings).expect("a transport"));
        let known = &server.clients[client];
        let client = match (&known.secret, client) {
            (Some(secret), "post") => ClientConfig::confidential(client, secret).auth(ClientAuth::Post),
            (Some(secret), _) => ClientConfig::confidential(client, secret),
            (None, "jwt") => {
                let key = &server.client_key;
                assert_eq!(key.alg, "ES256");
                let (pem, kid) = (key.pem.clone().into(), Some(key.kid.clone()));
                ClientConfig::public(client).auth(ClientAuth::PrivateKeyJwt {
                    key: pem,
                    alg: JwtAlgorithm::Es256,
                    kid,
                })
            }
            (None, _) => ClientConfig::public(client),
        };
        let http = OAuthHttp::new(transport.clone());
        let provider = provider(&server, |_| {});
        Self { server, transport, http, provider, client }
    }

    /// With pushed requests.
    fn pushing(client: &str) -> Self {
        let world = Self::new(client);
        let par = format!("{}/request", world.server.issuer);
        let provider = provider(&world.server, |entry| entry.endpoints.par = Some(par));
        Self { provider, ..world }
    }

    fn tokens(&self) -> TokenClient<'_> {
        TokenClient::new(&self.http, &self.provider, &self.client, &SystemClock)
    }

    fn wanted(&self) -> Authorization {
        Authorization::new(url(&self.server.redirect_uri)).scopes(["openid", "read", "write"])
    }

    async fn connect(&self, wanted: &Authorization) -> TokenSet {
        let request = self.tokens().authorize(wanted).await.expect("a request");
        let back = self.browse(&request, "allow", "").await;
        assert_eq!(back["iss"], self.server.issuer);
        let code = back["code"].clone().into();
        self.tokens().exchange(&exchange(&request, &code)).await.expect("tokens")
    }

    /// A browser with a user in front of it; returns what the callback is called with.
    async fn browse(
        &self,
        request: &AuthorizeRequest,
        decision: &str,
        more: &str,
    ) -> BTreeMap<String, String> {
        let mut cookies: BTreeMap<String, String> = BTreeMap::new();
        let (mut next, mut form) = (request.url.clone(), None);
        for _ in 0..12 {
            let mut headers = HeaderMap::new();
            let jar = cookies.iter().fold(String::new(), |mut jar, (name, value)| {
                write!(jar, "{}{name}={value}", if jar.is_empty() { "" } else { "; " }).expect("text");
                jar
            });
            if !jar.is_empty() {
                headers.insert(header::COOKIE, HeaderValue::try_from(jar).expect("a header"));
            }
            let (status, answer, _) = self.send(&next, headers, form.take()).await;
            for cookie in answer.get_all(header::SET_COOKIE) {
                let pair = cookie.to_str().expect("text").split(';').next().unwrap_or_default();
                let (name, value) = pair.split_once('=').expect("a cookie");
                cookies.insert(name.to_owned(), value.to_owned());
            }
            let to = answer.get(header::LOCATION).and_then(|to| to.to_str().ok());
            let to = to.unwrap_or_else(|| panic!("HTTP {status} at {} is no redirect", next.path()));
            next = next.join(to).expect("an address");
            if next.as_str().starts_with(&self.server.redirect_uri) {
                let back: BTreeMap<String, String> = next.query_pairs().into_owned().collect();
                assert_eq!(back["state"], request.state.expose_secret());
                return back;
            }
            if next.path().starts_with("/interaction/") {
                form = Some(format!("account=ada&decision={decision}{more}"));
            }
        }
        panic!("redirects without an end");
    }

    async fn send(&self, to: &Url, mut headers: HeaderMap, form: Option<String>) -> (u16, HeaderMap, Bytes) {
        let mut request = http::Request::new(RequestBody::Empty);
        *request.uri_mut() = to.as_str().parse().expect("an address");
        if let Some(form) = form {
            *request.method_mut() = Method::POST;
            headers
                .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
            *request.body_mut() = RequestBody::Bytes(form.into());
        }
        *request.headers_mut() = headers;
        let answer = self.transport.send(request, &TransportLimits::default()).await.expect("an answer");
        let (head, body) = answer.into_parts();
        let (status, headers) = (head.status.as_u16(), head.headers.clone());
        (status, headers, Response::new(head, body, 1 << 20).bytes().await.expect("a body"))
    }

    /// What the API says of a token.
    async fn who_am_i(&self, tokens: &TokenSet) -> Option<Value> {
        let mut headers = HeaderMap::new();
        let token = format!("Bearer {}", tokens.access_token.expose_secret());
        headers.insert(header::AUTHORIZATION, HeaderValue::try_from(token).expect("a header"));
        let api = url(&format!("{}/api/whoami", self.server.issuer));
        let (status, _, body) = self.send(&api, headers, None).await;
        (status == 200).then(|| serde_json::from_slice(&body).expect("JSON"))
    }
}

fn provider(server: &AuthorizationServer, change: impl FnOnce(&mut ProviderEntry)) -> Provider {
    let at = |path: &str| format!("{}{path}", server.issuer);
    let mut entry = ProviderEntry::new("certified", at("/token"));
    entry.issuer = Some(server.issuer.clone());
    entry.allow_loopback = true;
    entry.endpoints.authorize = Some(at("/auth"));
    entry.endpoints.device = Some(at("/device/auth"));
    entry.endpoints.revoke = Some(at("/token/revocation"));
    entry.endpoints.introspect = Some(at("/token/introspection"));
    change(&mut entry);
    entry.resolve(&BTreeMap::new()).expect("a provider")
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

#[tokio::test]
#[ignore = "needs a counterparty"]
async fn counterparty_code_with_pkce_and_rotation_in_every_way_to_authenticate() {
    for client in ["public", "basic", "post", "jwt"] {
        let world = World::new(client);
        let mut tokens = world.connect(&world.wanted()).await;
        let told = world.who_am_i(&tokens).await.expect("a good token");
        assert_eq!((&told["account"], &told["client"]), (&"ada".into(), &client.into()));
        assert_eq!(tokens.scopes, Some(scopes(["openid", "read", "write"])), "{client}");
        assert!(tokens.expires_at.is_some() && tokens.id_token.is_some());
        let first = tokens.clone();
        for _ in 0..3 {
            let renewed = world.tokens().refresh(&tokens, &[]).await.expect("tokens");
            let (old, new) =
                (tokens.refresh_token.expect("one"), renewed.refresh_token.clone().expect("one"));
            assert_ne!(old.expose_secret(), new.expose_secret(), "rotated");
            assert!(world.who_am_i(&renewed).await.is_some());
            tokens = renewed;
        }
        let error = world.tokens().refresh(&first, &[]).await.expect_err("a used refresh token");
        assert_eq!(error.kind(), ErrorKind::NeedsReauth, "{error}");
        assert_eq!(OAuthFailure::of(&error).map(OAuthFailure::code), Some("invalid_grant"));
        world.tokens().refresh(&tokens, &[]).await.expect_err("reuse ended the whole grant");
    }
}

#[tokio::test]
#[ignore = "needs a counterparty"]
async fn counterparty_a_users_no_and_a_narrower_yes() {
    let world = World::new("public");
    let request = world.tokens().authorize(&world.wanted()).await.expect("a request");
    assert_eq!(world.browse(&request, "deny", "").await["error"], "access_denied");
    let request = world.tokens().authorize(&world.wanted()).await.expect("a request");
    let code = world.browse(&request, "allow", "&scope=openid+read").await["code"].clone().into();
    let tokens = world.tokens().exchange(&exchange(&request, &code)).await.expect("tokens");
    assert_eq!(tokens.scopes, Some(scopes(["openid", "read"])));
    let error = world.tokens().exchange(&exchange(&request, &code)).await.expect_err("a used code");
    assert_eq!(OAuthFailure::of(&error).map(OAuthFailure::code), Some("invalid_grant"));
}

#[tokio::test]
#[ignore = "needs a counterparty"]
async fn counterparty_wrong_secrets_are_the_hosts_affair() {
    let mut world = World::new("basic");
    world.client = ClientConfig::confidential("basic", "not-the-secret");
    let old = TokenSet { refresh_token: Some("r".into()), ..TokenSet::bearer("a") };
    let error = world.tokens().refresh(&old, &[]).await.expect_err("a refusal");
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    assert!(!error.to_string().contains("not-the-secret"), "{error}");
}

#[tokio::test]
#[ignore = "needs a counterparty"]
async fn counterparty_a_device_and_its_user() {
    let world = World::new("device");
    let asked = scopes(["openid", "read"]);
    let wanted = Wanted { scopes: &asked, ..Wanted::default() };
    let mut device = world.tokens().device_authorize(wanted).await.expect("codes");
    assert!(matches!(world.tokens().device_poll(&mut device).await, Ok(DevicePoll::Pending)));
    let decide = async |code: &str, decision: &str| {
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("user_code", code), ("account", "grace"), ("decision", decision)])
            .finish();
        let at = url(&format!("{}/test/device", world.server.issuer));
        assert_eq!(world.send(&at, HeaderMap::new(), Some(form)).await.0, 200);
    };
    decide(&device.user_code, "allow").await;
    device.interval = Duration::from_millis(10);
    let tokens = world.tokens().device_wait(device).await.expect("tokens");
    assert_eq!(world.who_am_i(&tokens).await.expect("a good token")["account"], "grace");
    world.tokens().refresh(&tokens, &[]).await.expect("tokens");

    let mut denied = world.tokens().device_authorize(wanted).await.expect("codes");
    decide(&denied.user_code, "deny").await;
    assert!(matches!(world.tokens().device_poll(&mut denied).await, Ok(DevicePoll::Denied)));
}

#[tokio::test]
#[ignore = "needs a counterparty"]
async fn counterparty_pushed_requests() {
    for client in ["par", "basic", "jwt"] {
        let world = World::pushing(client);
        let wanted = world.wanted();
        let request = world.tokens().authorize(&wanted).await.expect("a request");
        assert_eq!(request.url.query_pairs().count(), 2, "{}", request.url.path());
        let tokens = world.connect(&wanted).await;
        assert!(world.who_am_i(&tokens).await.is_some(), "{client}");
    }
    let open = World::new("par");
    let request = open.tokens().authorize(&open.wanted()).await.expect("a request");
    assert_eq!(
        open.browse(&request, "allow", "").await["error"],
        "invalid_request",
        "it takes pushed ones only"
    );
}

#[tokio::test]
#[ignore = "needs a counterparty"]
async fn counterparty_tokens_bound_to_a_key() {
    let world = World::new("dpop");
    let tokens = world.connect(&world.wanted().dpop()).await;
    assert_eq!(tokens.token_type, TokenType::Dpop);
    assert!(tokens.dpop_key.is_some());
    let renewed = world.tokens().refresh(&tokens, &[]).await.expect("tokens");
    assert_eq!(renewed.token_type, TokenType::Dpop);
    let stolen = TokenSet { dpop_key: Some(super::dpop_key()), ..renewed.clone() };
    world.tokens().refresh(&stolen, &[]).await.expect_err("another key");
    // Without a proof the server gives none of its bound tokens.
    let bare = TokenSet { dpop_key: None, ..renewed };
    world.tokens().refresh(&bare, &[]).await.expect_err("no proof");
}

#[tokio::test]
#[ignore = "needs a counterparty"]
async fn counterparty_tokens_for_a_resource() {
    let world = World::new("public");
    let resource = url(&format!("{}things", world.server.resource));
    let tokens = world.connect(&world.wanted().resource(resource.clone())).await;
    let (_, claims) = super::script::jwt(tokens.access_token.expose_secret());
    assert_eq!(claims["aud"], resource.as_str());
    let renewed = world.tokens().refresh(&tokens, std::slice::from_ref(&resource)).await.expect("tokens");
    assert_eq!(super::script::jwt(renewed.access_token.expose_secret()).1["aud"], resource.as_str());
    let elsewhere = [url("https://elsewhere.example/")];
    let error = world.tokens().refresh(&renewed, &elsewhere).await.expect_err("not granted");
    assert_eq!(OAuthFailure::of(&error).map(OAuthFailure::code), Some("invalid_target"), "{error}");
}

#[tokio::test]
#[ignore = "needs a counterparty"]
async fn counterparty_a_client_for_itself() {
    let world = World::new("service");
    let asked = scopes(["read"]);
    let resource = [url(&world.server.resource)];
    let wanted = Wanted { scopes: &asked, resource: &resource, ..Wanted::default() };
    let tokens = world.tokens().client_credentials(wanted).await.expect("tokens");
    assert_eq!(tokens.scopes, Some(asked));
    assert!(tokens.refresh_token.is_none() && tokens.expires_at.is_some());
    let (_, claims) = super::script::jwt(tokens.access_token.expose_secret());
    assert_eq!((&claims["client_id"], &claims["scope"]), (&"service".into(), &"read".into()));
}

#[tokio::test]
#[ignore = "needs a counterparty"]
async fn counterparty_revocation_and_introspection() {
    let world = World::new("basic");
    let tokens = world.connect(&world.wanted()).await;
    let told = world.tokens().introspect(&tokens.access_token).await.expect("an answer");
    assert!(told.active && told.client_id.as_deref() == Some("basic") && told.expires_at.is_some());
    for _ in 0..2 {
        assert_eq!(world.tokens().revoke(&tokens).await.expect("revoked"), Revoked::Done);
    }
    assert!(world.who_am_i(&tokens).await.is_none());
    assert!(!world.tokens().introspect(&tokens.access_token).await.expect("an answer").active);
    let error = world.tokens().refresh(&tokens, &[]).await.expect_err("revoked");
    assert_eq!(error.kind(), ErrorKind::NeedsReauth);
}
