//! Keys that come and go.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Value, json};
use tool_connect_core::{Clock as _, ErrorKind, Result, unix_millis};
use tool_connect_oauth::oidc::{AccessTokenVerifier, InboundToken};
use tool_connect_testkit::ManualClock;

use super::inbound::{API, claims};
use super::{JWKS, Signer, jwks, server};
use crate::discovery::world::World;

struct Desk {
    world: World,
    clock: Arc<ManualClock>,
    verifier: AccessTokenVerifier,
}

impl Desk {
    fn new(keys: &Value) -> Self {
        let world = World::new();
        let clock = Arc::new(ManualClock::new());
        world.json(JWKS, keys);
        let verifier = AccessTokenVerifier::new(world.http(), &server(), API, clock.clone()).unwrap();
        Self { world, clock, verifier }
    }

    async fn verify(&self, key: &Signer) -> Result<InboundToken> {
        let now = unix_millis(self.clock.now()) / 1000;
        let token = key.sign_as(&claims(now), |header| header.typ = Some("at+jwt".into()));
        self.verifier.verify(&SecretString::from(token)).await
    }

    fn fetched(&self) -> usize {
        self.world.asked().len()
    }
}

#[tokio::test]
async fn a_new_key_is_fetched_and_unknown_ones_are_not_fetched_for_ever() {
    let (old, new) = (Signer::es256("old"), Signer::es256("new"));
    let desk = Desk::new(&jwks(&[&old]));
    desk.verify(&old).await.unwrap();
    desk.verify(&old).await.unwrap();
    assert_eq!(desk.fetched(), 1);

    // Tokens with keys that do not exist: one request a minute, however many come.
    desk.clock.advance(Duration::from_secs(61));
    for nth in 0..50 {
        let error = desk.verify(&Signer::eddsa(&format!("k-{nth}"))).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied);
    }
    assert_eq!(desk.fetched(), 2);
    // The issuer signs with a new key.
    desk.world.json(JWKS, &jwks(&[&old, &new]));
    desk.clock.advance(Duration::from_secs(61));
    desk.verify(&new).await.unwrap();
    desk.verify(&old).await.unwrap();
    assert_eq!(desk.fetched(), 3);
    // The old one is gone an hour later.
    desk.world.json(JWKS, &jwks(&[&new]));
    desk.clock.advance(Duration::from_secs(3601));
    desk.verify(&new).await.unwrap();
    assert_eq!(desk.verify(&old).await.unwrap_err().kind(), ErrorKind::Denied);
}

#[tokio::test]
async fn an_issuer_that_does_not_answer_keeps_its_keys_for_a_day() {
    let key = Signer::es256("k");
    let desk = Desk::new(&jwks(&[&key]));
    desk.verify(&key).await.unwrap();
    desk.world.down(true);
    desk.clock.advance(Duration::from_secs(23 * 3600));
    for _ in 0..20 {
        desk.verify(&key).await.unwrap();
    }
    assert_eq!(desk.fetched(), 2, "it is not asked for each token");
    desk.clock.advance(Duration::from_secs(2 * 3600));
    let error = desk.verify(&key).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport, "not the client's fault, so no 401");
    desk.world.down(false);
    assert_eq!(desk.verify(&key).await.unwrap_err().kind(), ErrorKind::Transport);
    assert_eq!(desk.fetched(), 3, "nor is it asked at once again");
    desk.clock.advance(Duration::from_secs(6));
    desk.verify(&key).await.unwrap();
}

#[tokio::test]
async fn only_keys_that_may_sign_are_used() {
    let key = Signer::es256("k");
    let with = |changes: Value| {
        let mut set = jwks(&[&key]);
        for (name, value) in changes.as_object().unwrap() {
            set["keys"][0][name] = value.clone();
        }
        Desk::new(&set)
    };
    assert!(with(json!({})).verify(&key).await.is_ok());
    assert!(with(json!({ "use": null, "alg": null })).verify(&key).await.is_ok());
    for changes in [
        json!({ "use": "enc" }),
        json!({ "alg": "ES384" }),
        json!({ "alg": "HS256" }),
        json!({ "kty": "oct", "k": "AAAA" }),
        json!({ "kty": "unheard of" }),
        json!({ "x": "AAAA" }),
        json!({ "kid": "other" }),
    ] {
        assert_eq!(
            with(changes.clone()).verify(&key).await.unwrap_err().kind(),
            ErrorKind::Denied,
            "{changes}"
        );
    }
    // Two keys of one name: which one counts would be anybody's guess.
    let twice = Desk::new(&jwks(&[&key, &Signer::es256("k")]));
    assert_eq!(twice.verify(&key).await.unwrap_err().kind(), ErrorKind::Denied);
    // Of others than ours nothing is taken amiss.
    let mut odd = jwks(&[&key]);
    odd["keys"].as_array_mut().unwrap().extend([json!(7), json!({}), json!({ "kty": "EC" })]);
    assert!(Desk::new(&odd).verify(&key).await.is_ok());
    for broken in [json!([]), json!({}), json!({ "keys": {} })] {
        assert_eq!(
            Desk::new(&broken).verify(&key).await.unwrap_err().kind(),
            ErrorKind::Provider,
            "{broken}"
        );
    }
}

#[tokio::test]
async fn many_who_wait_share_one_fetch() {
    let key = Signer::es256("k");
    let desk = Desk::new(&jwks(&[&key]));
    let all = futures_util::future::join_all((0..50).map(|_| desk.verify(&key))).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(desk.fetched(), 1);
}
