use http::request::Parts;
use tool_connect_core::{AuthScheme, Authenticator, CredentialVersion, Effect, ErrorKind};

use super::*;
use crate::request::RequestEnd;

#[tokio::test(start_paused = true)]
async fn the_credential_goes_to_the_base_urls_origin_only() {
    let options = BenchOptions {
        allowed: NetworkAccess::public().credentials_for("https://uploads.example".parse().expect("a URL")),
        ..BenchOptions::default()
    };
    let bench = Bench::with(options, []);
    let bearer = format!("Bearer {SECRET}");
    for (target, signed) in [
        ("/a", true),
        ("https://api.example/other", true),
        ("https://api.example:443/other", true),
        ("https://uploads.example/file", true),
        ("https://api.example:8443/a", false),
        ("https://api.example.evil.example/a", false),
        ("https://evil.example/a", false),
    ] {
        bench.get(target).await.expect("an answer");
        let seen = bench.script.seen();
        assert_eq!(seen[0].authorization(), signed.then_some(bearer.as_str()), "{target}");
    }
    bench.send(built("GET", "/a", |builder| builder.anonymous())).await.expect("an answer");
    assert_eq!(bench.script.seen()[0].authorization(), None);
}

#[tokio::test(start_paused = true)]
async fn a_refused_credential_gets_one_more_try_if_it_has_changed() {
    for method in ["GET", "POST"] {
        let bench = Bench::new([]);
        bench.script.add([bench.refuses_and_rotates("fresh")]);
        bench.send(request(method, "/a")).await.expect("the fresh credential is taken");
        let seen = bench.script.seen();
        let sent: Vec<_> = seen.iter().filter_map(script::Seen::authorization).collect();
        assert_eq!(sent, [&format!("Bearer {SECRET}"), "Bearer fresh"], "{method}");
        assert_eq!(seen[1].body, seen[0].body);
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_refusal_stands() {
    let bench = Bench::new([]);
    bench.script.add([
        bench.refuses_and_rotates("second"),
        bench.refuses_and_rotates("third"),
        Step::status(200),
    ]);
    let error = bench.get("/a").await.expect_err("refused twice");
    assert_eq!(error.kind(), ErrorKind::NeedsReauth);
    assert_eq!(bench.script.seen().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_unchanged_credential_is_not_tried_again() {
    let bench = Bench::new([Step::status(401)]);
    let error = bench.post("/a").await.expect_err("refused");
    assert_eq!((error.kind(), error.effect_on_provider()), (ErrorKind::NeedsReauth, Effect::NotExecuted));
    assert_eq!(bench.script.seen().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn without_a_secret_nothing_is_sent() {
    let mut bench = Bench::new([]);
    bench.connection = Some(connection("unknown"));
    let error = bench.get("/a").await.expect_err("no secret");
    assert_eq!(error.kind(), ErrorKind::NeedsReauth);
    assert!(bench.script.seen().is_empty());
}

#[tokio::test(start_paused = true)]
async fn errors_never_hold_the_secret() {
    let options = BenchOptions {
        scheme: AuthScheme::ApiKeyQuery { parameter: "key".into() },
        ..BenchOptions::default()
    };
    let steps = [Step::status(400).body(&["you sent canary-4b1d"]), Step::Breaks, Step::status(401)];
    let bench = Bench::with(options, steps);
    for _ in 0..3 {
        let error = bench.post("/a?x=1").await.expect_err("a failure");
        let mut text = format!("{error} {error:?} {}", error.public_message());
        let mut cause = std::error::Error::source(&error);
        while let Some(next) = cause {
            text.push_str(&format!("{next} {next:?}"));
            cause = next.source();
        }
        assert!(!text.contains(SECRET), "{text}");
    }
    let seen = bench.script.seen();
    assert_eq!(seen[0].url, format!("https://api.example/a?x=1&key={SECRET}"));
}

#[tokio::test(start_paused = true)]
async fn a_host_layer_comes_before_the_credential_and_is_guarded() {
    let bench = Bench::new([]).with_layer(Moves("https://10.0.0.1/a"));
    let error = bench.get("/a").await.expect_err("led inwards");
    assert_eq!(error.kind(), ErrorKind::Blocked);
    assert!(bench.script.seen().is_empty());

    let bench = Bench::new([]).with_layer(Moves("https://elsewhere.example/a"));
    bench.get("/a").await.expect("an answer");
    let seen = bench.script.seen();
    assert_eq!((seen[0].url.as_str(), seen[0].authorization()), ("https://elsewhere.example/a", None));
}

#[tokio::test(start_paused = true)]
async fn a_host_layer_hears_the_end() {
    #[derive(Clone, Default)]
    struct Hears(Arc<Mutex<Vec<String>>>);
    impl PerRequest for Hears {
        fn after(&self, end: &RequestEnd<'_>) {
            let line =
                format!("{} {} {:?} {:?} {:?}", end.method, end.host, end.template, end.status, end.error);
            self.0.lock().expect("not poisoned").push(line);
        }
    }
    let hears = Hears::default();
    let bench = Bench::new([]).with_layer(hears.clone());
    bench.script.add([Step::status(404), Step::Breaks]);
    let one = built("GET", "/repos/{owner}", |builder| builder.path("owner", "ada"));
    bench.send(one).await.expect_err("404");
    bench.post("https://other.example:8443/x").await.expect_err("broken");
    let heard = hears.0.lock().expect("not poisoned").clone();
    assert_eq!(
        heard,
        [
            r#"GET api.example Some("/repos/{owner}") Some(404) None"#,
            "POST other.example:8443 None None Some(Transport)",
        ]
    );
}

impl Bench {
    pub(super) fn with_layer(mut self, layer: impl PerRequest) -> Self {
        self.stack.layers.push(Arc::new(layer));
        self
    }

    /// A 401, given after somebody else has changed the secret.
    pub(super) fn refuses_and_rotates(&self, secret: &'static str) -> Step {
        let secrets = Arc::clone(&self.secrets);
        let rotate = move || {
            let id = ConnectionId::new("c1").expect("an id");
            secrets.set(TenantId::new("acme").expect("an id"), id, Credential::token(secret));
        };
        Step::Doing(Box::new(rotate), Box::new(Step::status(401)))
    }
}

/// Sends every request elsewhere.
struct Moves(&'static str);

impl PerRequest for Moves {
    fn before(&self, request: &mut Parts) -> Result<()> {
        assert!(!request.headers.contains_key("authorization"), "a layer sees no secret");
        request.uri = self.0.parse().expect("a URI");
        Ok(())
    }
}

/// Signs with the nonce that it last heard, as a proof of possession does.
struct Nonces {
    secrets: SchemeAuthenticator,
    last: Mutex<String>,
}

#[async_trait::async_trait]
impl tool_connect_core::Authenticator for Nonces {
    async fn sign(
        &self,
        connection: &Connection,
        scheme: &AuthScheme,
        request: &mut Parts,
        body: Option<&[u8]>,
    ) -> Result<u64> {
        let nonce = self.last.lock().expect("not poisoned").parse().expect("a header");
        request.headers.insert("nonce", nonce);
        self.secrets.sign(connection, scheme, request, body).await
    }

    async fn refused(&self, connection: &Connection, version: u64) -> Result<bool> {
        self.secrets.refused(connection, version).await
    }

    fn answered(&self, _: &Connection, request: &http::Uri, answer: &http::response::Parts) -> Result<bool> {
        assert_eq!(request.host(), Some("api.example"));
        let Some(nonce) = answer.headers.get("nonce").and_then(|nonce| nonce.to_str().ok()) else {
            return Ok(false);
        };
        nonce.clone_into(&mut self.last.lock().expect("not poisoned"));
        Ok(true)
    }
}

fn with_nonces(steps: impl IntoIterator<Item = Step>) -> Bench {
    let mut bench = Bench::new(steps);
    let secrets = SchemeAuthenticator::new(Arc::clone(&bench.secrets) as _);
    bench.stack.authenticator = Arc::new(Nonces { secrets, last: Mutex::new("none".into()) });
    bench
}

fn nonces(bench: &Bench) -> Vec<String> {
    let seen = bench.script.seen();
    seen.iter().map(|seen| seen.headers["nonce"].to_str().expect("text").to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn oauth_client_30_a_request_is_signed_anew_once_where_the_answer_asks_for_it() {
    for method in ["GET", "POST"] {
        let bench = with_nonces([Step::status(401).with("nonce", "n1")]);
        bench.send(request(method, "/a")).await.expect("an answer");
        assert_eq!(nonces(&bench), ["none", "n1"], "{method}");
    }
    let bench = with_nonces([Step::status(401).with("nonce", "n1"), Step::status(401).with("nonce", "n2")]);
    bench.post("/a").await.expect_err("asked for twice");
    assert_eq!(nonces(&bench), ["none", "n1"]);
}

#[tokio::test(start_paused = true)]
async fn oauth_client_30_only_a_refusal_is_a_reason_to_send_again() {
    for status in [200, 400, 403, 503] {
        let bench = with_nonces([Step::status(status).with("nonce", "n1")]);
        let _ = bench.post("/a").await;
        assert_eq!(nonces(&bench), ["none"], "{status}");
        bench.post("/a").await.expect("an answer");
        assert_eq!(nonces(&bench), ["n1"], "what was learned is used");
    }
}

#[tokio::test(start_paused = true)]
async fn a_fresh_credential_is_tried_after_a_request_was_signed_anew() {
    let bench = with_nonces([Step::status(401).with("nonce", "n1")]);
    bench.script.add([bench.refuses_and_rotates("fresh")]);
    bench.post("/a").await.expect("the fresh credential is taken");
    let sent: Vec<_> =
        bench.script.seen().iter().filter_map(|seen| seen.authorization().map(str::to_owned)).collect();
    let old = format!("Bearer {SECRET}");
    assert_eq!(sent, [&old, &old, "Bearer fresh"]);
}

/// An authenticator that sends every request to this address.
struct Elsewhere(&'static str);

#[async_trait::async_trait]
impl Authenticator for Elsewhere {
    async fn sign(
        &self,
        _: &Connection,
        _: &AuthScheme,
        request: &mut http::request::Parts,
        _: Option<&[u8]>,
    ) -> Result<CredentialVersion> {
        request.uri = http::Uri::from_static(self.0);
        Ok(1)
    }

    async fn refused(&self, _: &Connection, _: CredentialVersion) -> Result<bool> {
        Ok(false)
    }
}

#[tokio::test(start_paused = true)]
async fn an_authenticator_sends_a_request_nowhere_else() {
    for (address, sent) in [
        ("https://api.example/v1/a?key=1", true),
        ("https://evil.example/v1/a", false),
        ("https://api.example:443/v1/a", true),
        ("https://api.example:444/v1/a", false),
        ("https://api.example:99999/v1/a", false),
        ("http://api.example/v1/a", false),
        ("https://me@api.example/v1/a", false),
    ] {
        let mut bench = Bench::new([]);
        bench.stack.authenticator = Arc::new(Elsewhere(address));
        let answer = bench.get("/a").await;
        assert_eq!(bench.script.seen().len(), usize::from(sent), "{address}");
        if !sent {
            let error = answer.expect_err("refused");
            let seen = (error.kind(), error.effect_on_provider());
            assert_eq!(seen, (ErrorKind::Internal, Effect::NotExecuted), "{address}");
        }
    }
}
