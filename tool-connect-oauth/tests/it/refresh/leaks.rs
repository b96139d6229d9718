//! Canaries through success, error, panic, retry, debug and the database file.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::ExposeSecret as _;
use tool_connect_core::{Authenticator as _, Credential, Event};
use tool_connect_oauth::flow::Secret;
use tool_connect_stores::{SqliteOptions, SqliteStores};
use tool_connect_testkit::leak::LeakCheck;
use tool_connect_testkit::oauth::{Endpoint, Fault, Rotation};

use super::stores::Panicking;
use super::{CLIENT_SECRET, HOUR, House, connection, token};

/// Everything that the house and its manager do with a token, and what came out.
async fn everything(house: &House, shown: &LeakCheck) {
    let transport = Panicking { inner: house.transport(), left: Mutex::new(0) };
    let transport = Arc::new(transport);
    let manager = house.manager_on(&house.stores, transport.clone());
    let look = |place: &str, outcome: tool_connect_core::Result<Arc<tool_connect_oauth::refresh::Access>>| {
        match outcome {
            Ok(access) => shown.text(place, format!("{access:?} {:#?}", access.extra())),
            Err(error) => shown.error(place, &error),
        }
    };
    look("success", manager.access(&house.connection, &house.scheme).await);
    let (mut parts, ()) =
        http::Request::get("https://api.example/").body(()).expect("a request").into_parts();
    manager.sign(&house.connection, &house.scheme, &mut parts, None).await.expect("signed");
    shown.text("a signed request", format!("{parts:?}"));
    for fault in [
        Fault::TooManyRequests(Some("1".into())),
        Fault::Html(500),
        Fault::Error("invalid_client"),
        Fault::Body(format!("{{\"error\":\"odd\",\"error_description\":\"{CLIENT_SECRET}\"}}")),
    ] {
        house.clock.advance(HOUR);
        house.issuer.fault(Endpoint::Token, fault);
        look("an error", manager.access(&house.connection, &house.scheme).await);
        look("told again", manager.access(&house.connection, &house.scheme).await);
        house.clock.advance(Duration::from_secs(10));
        look("a retry", manager.access(&house.connection, &house.scheme).await);
    }
    let access = manager.access(&house.connection, &house.scheme).await.expect("a token");
    house.clock.advance(Duration::from_secs(60));
    manager.refused(&house.connection, access.version()).await.expect("told");
    look("after a 401", manager.access(&house.connection, &house.scheme).await);
    house.clock.advance(HOUR);
    *transport.left.lock().expect("not poisoned") = 10;
    let panicking = tokio::spawn({
        let (manager, connection, scheme) = (manager.clone(), house.connection.clone(), house.scheme.clone());
        async move { manager.access(&connection, &scheme).await }
    });
    for _ in 0..200 {
        house.clock.advance(Duration::from_secs(1));
        tokio::time::sleep(Duration::from_millis(2)).await;
        if panicking.is_finished() {
            break;
        }
    }
    look("a panic", panicking.await.expect("only the renewal panics"));
    *transport.left.lock().expect("not poisoned") = 0;
    shown
        .text("debug", format!("{manager:?} {:#?} {:?}", house.builder(&house.stores), house.record().await));
    shown.text("the connection", format!("{:?}", house.stored_connection().await));
    let events: Vec<Event> = house.events.lock().expect("events").clone();
    shown.value("events", &events);
}

/// Looks for every token that was ever given out, and for more.
fn with_secrets(check: LeakCheck, house: &House, more: &[&str]) -> LeakCheck {
    let all = house.issuer.secrets();
    let known = all.iter().map(String::as_str).chain([CLIENT_SECRET]).chain(more.iter().copied());
    known.fold(check, LeakCheck::secret)
}

#[tokio::test]
async fn no_secret_comes_out_of_anything() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut house = House::with(Rotation::None, |settings| settings);
    let sqlite =
        SqliteStores::open(folder.path().join("tools.db"), SqliteOptions::default()).expect("a database");
    // The leases' time is the house's.
    let leases = Arc::clone(&house.stores.leases);
    house.stores = sqlite.stores();
    house.stores.leases = leases;
    house.connect().await;
    // Names of secrets are known only at the end, so what comes out is kept until then.
    let texts = LeakCheck::new();
    {
        let _logs = texts.capture();
        everything(&house, &texts).await;
    }
    let more = connection("static");
    house
        .manager()
        .save(&more, &Secret::Static(Credential::token("canary-static-77aa")))
        .await
        .expect("saved");
    let texts = with_secrets(texts, &house, &["canary-static-77aa"]);
    texts.path(folder.path()).expect("the database");
    assert!(house.issuer.secrets().len() > 5, "there was something to find");
    texts.assert_clean();
}

#[tokio::test]
async fn what_is_not_redacted_is_found() {
    let house = House::new();
    house.connect().await;
    let manager = house.manager();
    let access = manager.access(&house.connection, &house.scheme).await.expect("a token");
    let leaks = with_secrets(LeakCheck::new(), &house, &[]);
    leaks.text("a careless log line", format!("token={}", access.token().expect("one").expose_secret()));
    let stored = house.stored_tokens().await;
    leaks.bytes("an unsealed row", Secret::Tokens(stored).to_bytes().expect("bytes").as_slice());
    let places: Vec<String> = leaks.findings().into_iter().map(|leak| leak.place).collect();
    assert!(places.iter().any(|place| place == "a careless log line"));
    assert!(places.iter().filter(|place| *place == "an unsealed row").count() >= 2, "both tokens");
    drop(token(&access));
}
