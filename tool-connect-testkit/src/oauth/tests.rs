//! The emulator is as strict as it says: each rule has a request that breaks it.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use tool_connect_core::http::{RequestBody, Response, Transport as _, TransportLimits};
use tool_connect_core::{ErrorKind, Result};
use url::Url;

use super::jose::{encode, hashed};
use super::*;
use crate::ManualClock;

const ISSUER: &str = "https://auth.example";
const BACK: &str = "https://host.example/callback";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

struct House {
    clock: Arc<ManualClock>,
    emulator: OAuthEmulator,
    issuer: Issuer,
}

/// An answer: status, headers, body.
struct Got {
    status: u16,
    head: http::response::Parts,
    body: Value,
}

impl Got {
    fn text(&self, name: &str) -> String {
        self.body[name].as_str().unwrap_or_default().to_owned()
    }

    fn header(&self, name: &str) -> &str {
        self.head.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }
}

impl House {
    fn with(change: impl FnOnce(IssuerSettings) -> IssuerSettings) -> Self {
        let clock = Arc::new(ManualClock::new());
        let emulator = OAuthEmulator::with_clock(clock.clone());
        let settings = IssuerSettings::new(ISSUER)
            .client(EmulatedClient::public("app").redirect_uri(BACK).redirect_uri("http://127.0.0.1/back"))
            .client(EmulatedClient::secret_basic("ba sic", "se cret+1"))
            .client(EmulatedClient::secret_post("post", "the-secret"));
        let issuer = emulator.issuer(change(settings)).expect("a server");
        Self { clock, emulator, issuer }
    }

    fn new() -> Self {
        Self::with(|settings| settings)
    }

    async fn send(&self, request: http::request::Builder, body: String) -> Result<Got> {
        let request = request.body(RequestBody::Bytes(body.into())).expect("a request");
        let (head, body) = self.emulator.send(request, &TransportLimits::default()).await?.into_parts();
        let body = Response::new(head.clone(), body, 1 << 20).bytes().await?;
        let status = head.status.as_u16();
        Ok(Got { status, head, body: serde_json::from_slice(&body).unwrap_or_default() })
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> Got {
        self.post_with(path, form, |request| request).await
    }

    async fn post_with(
        &self,
        path: &str,
        form: &[(&str, &str)],
        change: impl FnOnce(http::request::Builder) -> http::request::Builder,
    ) -> Got {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = http::Request::post(self.issuer.url(path).as_str())
            .header("content-type", "application/x-www-form-urlencoded");
        self.send(change(request), body).await.expect("an answer")
    }

    async fn refresh(&self, token: &str) -> Got {
        let form = [("grant_type", "refresh_token"), ("client_id", "app"), ("refresh_token", token)];
        self.post("token", &form).await
    }

    async fn api(&self, path: &str, authorization: &str) -> Got {
        let request =
            http::Request::get(self.issuer.url(path).as_str()).header("authorization", authorization);
        self.send(request, String::new()).await.expect("an answer")
    }

    fn authorize(&self, change: &[(&str, &str)]) -> Result<Url> {
        let challenge = hashed(VERIFIER);
        let mut pairs = vec![
            ("response_type", "code"),
            ("client_id", "app"),
            ("redirect_uri", BACK),
            ("scope", "read write"),
            ("state", "s"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        pairs.retain(|(name, _)| change.iter().all(|(changed, _)| name != changed));
        pairs.extend(change.iter().filter(|(_, value)| !value.is_empty()));
        let url = Url::parse_with_params(self.issuer.url("authorize").as_str(), pairs).expect("a URL");
        self.issuer.visit(&url)
    }

    async fn exchange(&self, code: &str, change: &[(&str, &str)]) -> Got {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("client_id", "app"),
            ("code", code),
            ("redirect_uri", BACK),
            ("code_verifier", VERIFIER),
        ];
        form.retain(|(name, _)| change.iter().all(|(changed, _)| name != changed));
        form.extend(change);
        self.post("token", &form).await
    }
}

fn part(url: &Url, name: &str) -> String {
    url.query_pairs().find(|(key, _)| key == name).map_or_else(String::new, |(_, value)| value.into_owned())
}

#[tokio::test]
async fn a_code_becomes_tokens_that_the_api_takes() {
    let house = House::new();
    let back = house.authorize(&[]).expect("sent back");
    assert!(back.as_str().starts_with(BACK));
    assert_eq!((part(&back, "state").as_str(), part(&back, "iss").as_str()), ("s", ISSUER));
    let got = house.exchange(&part(&back, "code"), &[]).await;
    assert_eq!(
        (got.status, got.text("scope").as_str(), got.header("cache-control")),
        (200, "read write", "no-store")
    );
    let bearer = format!("Bearer {}", got.text("access_token"));
    assert_eq!(house.api("userinfo", &bearer).await.text("sub"), "sub-ada");
    assert_eq!(house.api("api/scope/read", &bearer).await.status, 200);
    let narrow = house.api("api/scope/admin", &bearer).await;
    assert_eq!(narrow.status, 403);
    assert!(narrow.header("www-authenticate").contains("insufficient_scope"));
    house.clock.advance(Duration::from_secs(3_600));
    let expired = house.api("api/echo", &bearer).await;
    assert_eq!(expired.status, 401);
    assert!(expired.header("www-authenticate").contains("invalid_token"));
}

#[tokio::test]
async fn the_code_flow_is_checked_to_the_letter() {
    let house = House::new();
    for (name, value, error) in [
        ("response_type", "token", "unsupported_response_type"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("code_challenge_method", "", "invalid_request"),
        ("code_challenge", "short", "invalid_request"),
        ("resource", "not a url", "invalid_target"),
    ] {
        let back = house.authorize(&[(name, value)]).expect("sent back");
        assert_eq!(part(&back, "error"), error, "{name}={value}");
        assert_eq!(part(&back, "iss"), ISSUER, "errors name the issuer too");
    }
    for (name, value) in
        [("redirect_uri", "https://host.example/callback/"), ("client_id", "other"), ("redirect_uri", "")]
    {
        assert!(house.authorize(&[(name, value)]).is_err(), "nobody is sent anywhere: {name}={value}");
    }
    assert!(house.authorize(&[("redirect_uri", "http://127.0.0.1:4711/back")]).is_ok(), "RFC 8252 §7.3");

    for (name, value) in [
        ("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXX"),
        ("code_verifier", "short"),
        ("redirect_uri", "http://127.0.0.1/back"),
        ("code", "unknown"),
    ] {
        let code = part(&house.authorize(&[]).expect("sent back"), "code");
        let got = house.exchange(&code, &[(name, value)]).await;
        assert_eq!((got.status, got.text("error").as_str()), (400, "invalid_grant"), "{name}={value}");
    }
    let late = part(&house.authorize(&[]).expect("sent back"), "code");
    house.clock.advance(Duration::from_secs(60));
    assert_eq!(house.exchange(&late, &[]).await.text("error"), "invalid_grant");

    // A code that comes twice ends what the first use gave.
    let code = part(&house.authorize(&[]).expect("sent back"), "code");
    let tokens = house.exchange(&code, &[]).await;
    assert_eq!(house.exchange(&code, &[]).await.text("error"), "invalid_grant");
    assert!(!house.issuer.accepts(&tokens.text("access_token")));
    assert_eq!(house.issuer.counters().code_replays, 1);
}

#[tokio::test]
async fn users_follow_the_script() {
    let house = House::new();
    house.issuer.next_user(Decision::Deny);
    house.issuer.next_user(Decision::Narrow(vec!["read".into()]));
    house.issuer.next_user(Decision::ApproveAs("bob".into()));
    assert_eq!(part(&house.authorize(&[]).expect("sent back"), "error"), "access_denied");
    let narrow = house.exchange(&part(&house.authorize(&[]).expect("back"), "code"), &[]).await;
    assert_eq!(narrow.text("scope"), "read");
    let other = house.exchange(&part(&house.authorize(&[]).expect("back"), "code"), &[]).await;
    let bearer = format!("Bearer {}", other.text("access_token"));
    assert_eq!(house.api("userinfo", &bearer).await.text("login"), "bob");
}

#[tokio::test]
async fn refresh_tokens_rotate_as_told() {
    let house = House::new();
    let first = house.issuer.grant("app", ["read"]).refresh_token.expect("one");
    let second = house.refresh(&first).await;
    let third = house.refresh(&second.text("refresh_token")).await;
    assert_eq!((second.status, third.status), (200, 200));
    let reuse = house.refresh(&first).await;
    assert_eq!((reuse.status, reuse.text("error").as_str()), (400, "invalid_grant"));
    assert!(!house.issuer.accepts(&third.text("access_token")), "the family is gone");
    assert_eq!(house.refresh(&third.text("refresh_token")).await.status, 400);
    let seen = house.issuer.counters();
    assert_eq!((seen.double_spends, seen.family_revocations, seen.refresh_requests), (1, 1, 4));

    house.issuer.set_rotation(Rotation::None);
    let token = house.issuer.grant("app", ["read"]).refresh_token.expect("one");
    for _ in 0..3 {
        let got = house.refresh(&token).await;
        assert_eq!((got.status, got.body.get("refresh_token")), (200, None));
    }
    house.issuer.set_rotation(Rotation::Tolerated(Duration::from_secs(30)));
    let token = house.issuer.grant("app", ["read"]).refresh_token.expect("one");
    assert_eq!(house.refresh(&token).await.status, 200);
    house.clock.advance(Duration::from_secs(29));
    assert_eq!(house.refresh(&token).await.status, 200);
    house.clock.advance(Duration::from_secs(1));
    assert_eq!(house.refresh(&token).await.status, 400);
    assert_eq!(house.issuer.counters().double_spends, 2);
}

#[tokio::test]
async fn clients_prove_who_they_are_in_their_own_way() {
    let house = House::new();
    let form = [("grant_type", "client_credentials")];
    let basic = |id: &str, secret: &str| {
        use base64::Engine as _;
        let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let id: String = url::form_urlencoded::byte_serialize(id.as_bytes()).collect();
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{id}:{encoded}")))
    };
    let good = basic("ba sic", "se cret+1");
    let got = house.post_with("token", &form, |r| r.header("authorization", &good)).await;
    assert_eq!((got.status, got.body.get("refresh_token")), (200, None));
    let wrong = basic("ba sic", "other");
    let got = house.post_with("token", &form, |r| r.header("authorization", &wrong)).await;
    assert_eq!((got.status, got.text("error").as_str()), (401, "invalid_client"));
    let twice = [form[0], ("client_secret", "se cret+1")];
    let got = house.post_with("token", &twice, |r| r.header("authorization", &good)).await;
    assert_eq!(got.text("error"), "invalid_request");
    for (id, secret, status) in
        [("post", "the-secret", 200), ("post", "other", 401), ("ba sic", "se cret+1", 401)]
    {
        let got = house.post("token", &[form[0], ("client_id", id), ("client_secret", secret)]).await;
        assert_eq!(got.status, status, "{id}");
    }
    let public = house.post("token", &[form[0], ("client_id", "app")]).await;
    assert_eq!(public.text("error"), "unauthorized_client");
    let token = house.issuer.grant("app", []).refresh_token.expect("one");
    let stolen = [
        ("grant_type", "refresh_token"),
        ("refresh_token", &token),
        ("client_id", "post"),
        ("client_secret", "the-secret"),
    ];
    assert_eq!(house.post("token", &stolen).await.text("error"), "invalid_grant");
}

struct Key(EcdsaKeyPair);

impl Key {
    fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key"))
    }

    fn jwk(&self) -> Value {
        let point = self.0.public_key().as_ref();
        json!({ "kty": "EC", "crv": "P-256", "x": encode(&point[1..33]), "y": encode(&point[33..]) })
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let text = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        let signature = self.0.sign(&SystemRandom::new(), text.as_bytes()).expect("signed");
        format!("{text}.{}", encode(signature))
    }
}

#[tokio::test]
async fn assertions_are_for_this_server_and_for_once() {
    let key = Key::new();
    let house = House::with(|settings| settings.client(EmulatedClient::private_key("robot", key.jwk())));
    let assertion = |change: &[(&str, Value)]| {
        let mut claims =
            json!({ "iss": "robot", "sub": "robot", "aud": ISSUER, "exp": 1_767_225_900_u64, "jti": "1" });
        change.iter().for_each(|(name, value)| claims[*name] = value.clone());
        key.sign(&json!({ "alg": "ES256" }), &claims)
    };
    let ask = async |assertion: &str| {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", assertion),
        ];
        house.post("token", &form).await.status
    };
    for wrong in [
        ("aud", json!([ISSUER])),
        ("aud", json!("https://auth.example/token")),
        ("iss", json!("other")),
        ("exp", json!(1_767_200_000_u64)),
        ("jti", json!("")),
    ] {
        assert_eq!(ask(&assertion(std::slice::from_ref(&wrong))).await, 401, "{wrong:?}");
    }
    assert_eq!(ask(&assertion(&[])).await, 200);
    assert_eq!(ask(&assertion(&[])).await, 401, "a second time");
    let bearer = assertion(&[("jti", json!("2"))]);
    let own = assertion(&[("jti", json!("3"))]);
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("assertion", &bearer),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", &own),
    ];
    assert_eq!(house.post("token", &form).await.status, 200);
}

#[tokio::test]
async fn proofs_bind_tokens_to_a_key() {
    let house = House::with(|settings| settings.dpop(Dpop::RequiredWithNonce));
    let key = Key::new();
    let proof = |method: &str, path: &str, more: Value| {
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": key.jwk() });
        let mut claims = json!({ "htm": method, "htu": house.issuer.url(path), "iat": 1_767_225_600_u64 });
        more.as_object().expect("an object").iter().for_each(|(name, value)| claims[name] = value.clone());
        key.sign(&header, &claims)
    };
    let token = house.issuer.grant("app", ["read"]).refresh_token.expect("one");
    let form = [("grant_type", "refresh_token"), ("client_id", "app"), ("refresh_token", &token)];
    let none = house.post("token", &form).await;
    assert_eq!(none.text("error"), "invalid_dpop_proof");
    let first = proof("POST", "token", json!({ "jti": "1" }));
    let asked = house.post_with("token", &form, |r| r.header("dpop", &first)).await;
    assert_eq!((asked.text("error").as_str(), asked.header("dpop-nonce")), ("use_dpop_nonce", "nonce-1"));
    let again = proof("POST", "token", json!({ "jti": "2", "nonce": "nonce-1" }));
    let got = house.post_with("token", &form, |r| r.header("dpop", &again)).await;
    assert_eq!((got.status, got.text("token_type").as_str()), (200, "DPoP"));

    let access = got.text("access_token");
    assert_eq!(house.api("api/echo", &format!("Bearer {access}")).await.status, 401);
    let call = async |proof: String| {
        let request = http::Request::get(house.issuer.url("api/echo").as_str())
            .header("authorization", format!("DPoP {access}"))
            .header("dpop", proof);
        house.send(request, String::new()).await.expect("an answer")
    };
    let with = |jti: &str, ath: String| json!({ "jti": jti, "ath": ath, "nonce": "nonce-1" });
    let good = proof("GET", "api/echo", with("3", hashed(&access)));
    assert_eq!(call(good.clone()).await.status, 200);
    assert_eq!(call(good).await.status, 401, "the same proof again");
    assert_eq!(call(proof("GET", "api/echo", with("4", hashed("other")))).await.status, 401);
    assert_eq!(call(proof("POST", "api/echo", with("5", hashed(&access)))).await.status, 401);
    house.issuer.rotate_dpop_nonce();
    let old = call(proof("GET", "api/echo", with("6", hashed(&access)))).await;
    assert_eq!(old.header("dpop-nonce"), "nonce-2");
}

#[tokio::test]
async fn devices_wait_for_the_user() {
    let house = House::new();
    let got = house.post("device", &[("client_id", "app"), ("scope", "read")]).await;
    let (device, user) = (got.text("device_code"), got.text("user_code"));
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("client_id", "app"),
        ("device_code", &device),
    ];
    let poll = async || house.post("token", &form).await;
    assert_eq!(poll().await.text("error"), "authorization_pending");
    house.clock.advance(Duration::from_secs(4));
    assert_eq!(poll().await.text("error"), "slow_down");
    house.clock.advance(Duration::from_secs(9));
    assert_eq!(poll().await.text("error"), "slow_down", "ten seconds by now");
    assert!(
        house.issuer.decide_device(&user, Decision::Approve)
            && !house.issuer.decide_device("no", Decision::Deny)
    );
    house.clock.advance(Duration::from_secs(15));
    assert_eq!(poll().await.status, 200);
    assert_eq!(poll().await.text("error"), "invalid_grant");

    let late = house.post("device", &[("client_id", "app")]).await.text("device_code");
    house.clock.advance(Duration::from_secs(600));
    let form = [form[0], form[1], ("device_code", &late)];
    assert_eq!(house.post("token", &form).await.text("error"), "expired_token");
}

#[tokio::test]
async fn pushed_requests_are_for_once() {
    let house = House::with(|mut settings| {
        settings.pushed_only = true;
        settings
    });
    assert!(house.authorize(&[]).is_err());
    let challenge = hashed(VERIFIER);
    let form = [
        ("client_id", "app"),
        ("response_type", "code"),
        ("redirect_uri", BACK),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    let pushed = house.post("par", &form).await;
    assert_eq!(pushed.status, 201);
    let uri = pushed.text("request_uri");
    let url = format!("{}?client_id=app&request_uri={uri}", house.issuer.url("authorize"));
    let url = Url::parse(&url).expect("a URL");
    assert!(!part(&house.issuer.visit(&url).expect("sent back"), "code").is_empty());
    assert!(house.issuer.visit(&url).is_err());
}

#[tokio::test]
async fn faults_happen_once_and_in_order() {
    let house = House::new();
    let token = house.issuer.grant("app", []).refresh_token.expect("one");
    for fault in [
        Fault::TooManyRequests(Some("3".into())),
        Fault::Html(502),
        Fault::Error("invalid_client"),
        Fault::Redirect("https://elsewhere.example/".into()),
        Fault::Broken,
        Fault::Truncated,
    ] {
        house.issuer.fault(Endpoint::Token, fault);
    }
    let busy = house.refresh(&token).await;
    assert_eq!((busy.status, busy.header("retry-after")), (429, "3"));
    assert_eq!(house.refresh(&token).await.status, 502);
    assert_eq!(house.refresh(&token).await.status, 401);
    assert_eq!(house.refresh(&token).await.header("location"), "https://elsewhere.example/");
    let send = async || {
        let form = format!("grant_type=refresh_token&client_id=app&refresh_token={token}");
        let request = http::Request::post(house.issuer.url("token").as_str())
            .header("content-type", "application/x-www-form-urlencoded");
        house.send(request, form).await.err().map(|error| error.kind())
    };
    assert_eq!(send().await, Some(ErrorKind::Transport));
    assert_eq!(house.issuer.counters().tokens_issued, 1, "nothing was served so far");
    assert_eq!(send().await, Some(ErrorKind::Transport));
    assert_eq!(house.issuer.counters().tokens_issued, 2, "served, and lost on the way");
    assert_eq!(house.refresh(&token).await.status, 400, "so the token is spent");
}

#[tokio::test(start_paused = true)]
async fn silence_ends_with_the_callers_patience() {
    let house = House::new();
    house.issuer.fault(Endpoint::Api, Fault::Silence);
    house.issuer.fault(Endpoint::Api, Fault::Slow(Duration::from_secs(3)));
    let ask = async || {
        let start = tokio::time::Instant::now();
        let request = http::Request::get(house.issuer.url("api/echo").as_str());
        let got = house.send(request, String::new()).await.map(|got| got.status).map_err(|e| e.kind());
        (got, start.elapsed().as_secs())
    };
    assert_eq!(ask().await, (Err(ErrorKind::Transport), 30));
    assert_eq!(ask().await, (Ok(401), 3));
}

#[tokio::test]
async fn several_servers_share_a_host() {
    let emulator = OAuthEmulator::new();
    let issuer =
        |name: &str| emulator.issuer(IssuerSettings::new(name)).map(|issuer| issuer.issuer().to_owned());
    issuer("https://auth.example").expect("a server");
    issuer("https://auth.example/two").expect("a server");
    assert!(issuer("https://auth.example").is_err() && issuer("https://auth.example/").is_err());
    for (url, expected) in [
        ("https://auth.example/.well-known/oauth-authorization-server", "https://auth.example"),
        ("https://auth.example/.well-known/openid-configuration/two", "https://auth.example/two"),
        ("https://auth.example/two/.well-known/openid-configuration", "https://auth.example/two"),
    ] {
        let request = http::Request::get(url).body(RequestBody::Empty).expect("a request");
        let response = emulator.send(request, &TransportLimits::default()).await.expect("an answer");
        let (head, body) = response.into_parts();
        let metadata: Value = Response::new(head, body, 1 << 20).json().await.expect("JSON");
        assert_eq!(metadata["issuer"], expected, "{url}");
    }
}

#[tokio::test]
async fn it_speaks_http_over_loopback() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let loopback = Loopback::bind().expect("a port");
    let origin = loopback.origin().to_owned();
    let emulator = OAuthEmulator::new();
    let issuer = emulator.issuer(IssuerSettings::new(origin.as_str())).expect("a server");
    let server = loopback.serve(&emulator).expect("it serves");
    let tokens = issuer.grant("app", []);
    let address = origin.trim_start_matches("http://");
    let mut stream = tokio::net::TcpStream::connect(address).await.expect("connected");
    let request = format!(
        "GET /userinfo HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\n\r\n",
        tokens.access_token
    );
    // Two requests in one write, and a third that loses its answer.
    issuer.fault(Endpoint::Userinfo, Fault::Slow(Duration::from_millis(1)));
    stream.write_all(format!("{request}{request}").as_bytes()).await.expect("written");
    let mut text = String::new();
    while text.matches("sub-ada").count() < 2 {
        let mut buffer = [0; 1024];
        let read = stream.read(&mut buffer).await.expect("read");
        assert!(read > 0);
        text.push_str(std::str::from_utf8(&buffer[..read]).expect("text"));
    }
    issuer.fault(Endpoint::Userinfo, Fault::Lost);
    stream.write_all(request.as_bytes()).await.expect("written");
    assert_eq!(stream.read(&mut [0; 8]).await.expect("an end"), 0);
    drop(server);
}
