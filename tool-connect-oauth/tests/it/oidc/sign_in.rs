//! Sign-in from the address to the identity.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tool_connect_core::{Clock as _, ErrorKind, Result, unix_millis};
use tool_connect_oauth::catalog::ClientConfig;
use tool_connect_oauth::oidc::{PendingSignIn, SignIn, SignedIn};
use tool_connect_testkit::ManualClock;
use tool_connect_testkit::leak::LeakCheck;

use super::{ISSUER, JWKS, Signer, b64, changed, forged, jwks, server};
use crate::discovery::world::World;

const ACCESS: &str = "canary-access-token";
const SECRET: &str = "canary-client-secret-of-many-bytes";

/// A host, an issuer, and a sign-in that is under way.
struct Desk {
    world: World,
    clock: Arc<ManualClock>,
    sign_in: SignIn,
    pending: PendingSignIn,
    state: String,
    nonce: String,
}

impl Desk {
    async fn new(keys: &[&Signer]) -> Self {
        let world = World::new();
        let clock = Arc::new(ManualClock::new());
        world.json(JWKS, &jwks(keys));
        let client = ClientConfig::confidential("app", SECRET);
        let sign_in = SignIn::new(world.http(), &server(), client, clock.clone()).unwrap();
        let redirect = "https://app.example/signed-in".parse().unwrap();
        let (url, pending) = sign_in.begin(redirect, ["email"]).await.unwrap();
        let query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
        assert_eq!(query["scope"], "openid email");
        assert_eq!(query["code_challenge_method"], "S256");
        // What was kept survives a session store.
        let pending = PendingSignIn::from_bytes(&pending.to_bytes()).unwrap();
        Self { world, clock, sign_in, pending, state: query["state"].clone(), nonce: query["nonce"].clone() }
    }

    fn now(&self) -> u64 {
        unix_millis(self.clock.now()) / 1000
    }

    fn claims(&self) -> Value {
        json!({
            "iss": ISSUER, "sub": "u-1", "aud": "app", "nonce": self.nonce,
            "iat": self.now(), "exp": self.now() + 600,
            "email": "ada@acme.example", "email_verified": true, "name": "Ada", "groups": ["ops"],
        })
    }

    /// What the issuer answers at its token endpoint.
    fn answers(&self, id_token: &str) {
        let answer = json!({
            "access_token": ACCESS, "token_type": "Bearer", "expires_in": 600, "id_token": id_token,
        });
        self.world.put("POST https://id.example/token", 200, answer.to_string());
    }

    async fn back(&self, query: &str) -> Result<SignedIn> {
        self.sign_in.finish(&self.pending, query).await
    }

    async fn finish(&self, id_token: &str) -> Result<SignedIn> {
        self.answers(id_token);
        self.back(&format!("code=c-1&state={}&iss={ISSUER}", self.state)).await
    }

    fn token_requests(&self) -> usize {
        self.world.asked().iter().filter(|asked| asked.starts_with("POST")).count()
    }
}

#[tokio::test]
async fn a_good_id_token_is_an_identity() {
    for key in [Signer::es256("k-1"), Signer::rs256("k-1"), Signer::eddsa("k-1")] {
        let desk = Desk::new(&[&key]).await;
        let signed_in = desk.finish(&key.sign(&desk.claims())).await.unwrap();
        let identity = &signed_in.identity;
        assert_eq!((identity.issuer.as_str(), identity.subject.as_str()), (ISSUER, "u-1"));
        assert_eq!(identity.email.as_deref(), Some("ada@acme.example"));
        assert!(identity.email_verified);
        assert_eq!(identity.claims["groups"], json!(["ops"]));
        assert_eq!(signed_in.tokens.access_token.expose_secret(), ACCESS);
        let printed = format!("{signed_in:?} {:?} {:?}", desk.pending, desk.sign_in);
        for hidden in [ACCESS, SECRET, "ada@acme.example", desk.state.as_str(), desk.nonce.as_str()] {
            assert!(!printed.contains(hidden), "{printed}");
        }
        let sent = String::from_utf8(
            desk.world.seen().iter().find(|seen| seen.method == "POST").unwrap().body.clone(),
        );
        assert!(sent.unwrap().contains("code_verifier="));
    }
}

#[tokio::test]
async fn oauth_client_33_id_tokens_are_checked_for_nonce_issuer_audience_and_time() {
    let key = Signer::es256("k-1");
    let stranger = Signer::es256("k-1");
    let desk = Desk::new(&[&key]).await;
    let now = desk.now();
    let claims = desk.claims();
    let with = |changes: Value| key.sign(&changed(&claims, &changes));
    let typed = |change: fn(&mut Header)| key.sign_as(&claims, change);
    let half = digest::digest(&digest::SHA256, b"another-access-token");

    let bad = [
        ("no nonce", with(json!({ "nonce": null }))),
        ("another nonce", with(json!({ "nonce": "n" }))),
        ("no issuer", with(json!({ "iss": null }))),
        ("another issuer", with(json!({ "iss": "https://evil.example" }))),
        ("the issuer with a slash", with(json!({ "iss": format!("{ISSUER}/") }))),
        ("no audience", with(json!({ "aud": null }))),
        ("another audience", with(json!({ "aud": "other" }))),
        ("a second audience", with(json!({ "aud": ["app", "other"], "azp": "app" }))),
        ("another party", with(json!({ "azp": "other" }))),
        ("no subject", with(json!({ "sub": null }))),
        ("an empty subject", with(json!({ "sub": "" }))),
        ("no end", with(json!({ "exp": null }))),
        ("ended", with(json!({ "exp": now - 301 }))),
        ("no beginning", with(json!({ "iat": null }))),
        ("from the future", with(json!({ "iat": now + 302 }))),
        ("another access token", with(json!({ "at_hash": b64(&half.as_ref()[..16]) }))),
        ("an access token", typed(|header| header.typ = Some("at+jwt".into()))),
        ("a key of its own", typed(|header| header.jku = Some("https://evil.example/jwks".into()))),
        ("something critical", typed(|header| header.crit = Some(vec!["exp".into()]))),
        ("an unknown key", typed(|header| header.kid = Some("k-2".into()))),
        ("a stranger's key under our name", stranger.sign(&claims)),
        ("unsigned", forged(&json!({ "alg": "none" }), &claims, b"")),
        ("unsigned, spelled otherwise", forged(&json!({ "alg": "nOnE", "kid": "k-1" }), &claims, b"")),
        ("no signature", forged(&json!({ "alg": "ES256", "kid": "k-1" }), &claims, b"")),
        (
            "signed with the client's secret",
            jsonwebtoken::encode(
                &Header::new(Algorithm::HS256),
                &claims,
                &EncodingKey::from_secret(SECRET.as_bytes()),
            )
            .unwrap(),
        ),
        (
            "signed with the public key as a secret",
            jsonwebtoken::encode(
                &Header::new(Algorithm::HS256),
                &claims,
                &EncodingKey::from_secret(key.jwk.to_string().as_bytes()),
            )
            .unwrap(),
        ),
        ("no parts", "canary".to_owned()),
        ("too many parts", format!("{}.x", key.sign(&claims))),
        ("too long", format!("{}.x.x", "x".repeat(20_000))),
    ];
    for (what, token) in bad {
        let error = desk.finish(&token).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied, "{what}: {error}");
        let leaks = LeakCheck::new().secret(ACCESS).secret(SECRET).secret(&desk.nonce);
        leaks.error(what, &error);
        leaks.assert_clean();
        assert!(!format!("{error:?}").contains("evil.example"), "{what}: {error:?}");
    }

    let ours = digest::digest(&digest::SHA256, ACCESS.as_bytes());
    for (what, token) in [
        ("the hash of the access token", with(json!({ "at_hash": b64(&ours.as_ref()[..16]) }))),
        ("we are the party", with(json!({ "azp": "app" }))),
        ("a list of one", with(json!({ "aud": ["app"] }))),
        ("ended by a clock that differs", with(json!({ "exp": now - 299 }))),
        ("issued by a clock that differs", with(json!({ "iat": now + 299 }))),
        ("no name of the key", typed(|header| header.kid = None)),
    ] {
        desk.finish(&token).await.unwrap_or_else(|error| panic!("{what}: {error}"));
    }
    // An hour later it has ended.
    desk.clock.advance(Duration::from_secs(3600));
    assert_eq!(desk.finish(&key.sign(&claims)).await.unwrap_err().kind(), ErrorKind::Denied);
}

#[tokio::test]
async fn an_answer_to_another_sign_in_spends_no_code() {
    let key = Signer::es256("k-1");
    let desk = Desk::new(&[&key]).await;
    desk.answers(&key.sign(&desk.claims()));
    let state = &desk.state;
    let long = "x".repeat(20_000);
    for query in [
        String::new(),
        format!("code=c&iss={ISSUER}"),
        format!("code=c&state=&iss={ISSUER}"),
        format!("code=c&state={state}x&iss={ISSUER}"),
        format!("code=c&state={state}"),
        format!("code=c&state={state}&iss={ISSUER}/"),
        format!("code=c&state={state}&iss=https://evil.example"),
        format!("code=c&code=d&state={state}&iss={ISSUER}"),
        format!("code=c&state={state}&state={state}&iss={ISSUER}"),
        format!("code=c&error=access_denied&state={state}&iss={ISSUER}"),
        format!("state={state}&iss={ISSUER}"),
        format!("code=&state={state}&iss={ISSUER}"),
        format!("error=access_denied&error_description=canary&state={state}&iss={ISSUER}"),
        format!("error=server_error&state={state}&iss={ISSUER}"),
        format!("code=c&state={state}&iss={ISSUER}&x={long}"),
    ] {
        let error = desk.back(&query).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied, "{query}");
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
    assert_eq!(desk.token_requests(), 0);

    // A sign-in that was begun elsewhere is not finished here.
    let mut elsewhere: Value = serde_json::from_slice(&desk.pending.to_bytes()).unwrap();
    elsewhere["issuer"] = json!("https://other.example");
    let elsewhere = PendingSignIn::from_bytes(elsewhere.to_string().as_bytes()).unwrap();
    let query = format!("code=c&state={state}&iss={ISSUER}");
    assert_eq!(desk.sign_in.finish(&elsewhere, &query).await.unwrap_err().kind(), ErrorKind::Denied);
    assert_eq!(desk.token_requests(), 0);
    for bytes in [&b""[..], b"{}", b"\xff", b"null"] {
        assert_eq!(PendingSignIn::from_bytes(bytes).unwrap_err().kind(), ErrorKind::Denied);
    }

    assert!(desk.back(&query).await.is_ok());
    // An issuer that forgets the ID token.
    desk.world.put(
        "POST https://id.example/token",
        200,
        json!({ "access_token": ACCESS, "token_type": "Bearer" }).to_string(),
    );
    assert_eq!(desk.back(&query).await.unwrap_err().kind(), ErrorKind::Provider);
}
