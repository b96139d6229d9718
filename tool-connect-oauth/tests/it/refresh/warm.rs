//! A call with a warm token: no store, no vault, no provider.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tool_connect_core::{Authenticator as _, TenantId};

use super::stores::Tapped;
use super::{HOUR, House, connection, token};

#[tokio::test]
async fn a_warm_call_reads_nothing() {
    let house = House::new();
    house.connect().await;
    let tapped = Tapped::new(&house.stores.credentials, None);
    let mut stores = house.stores.clone();
    stores.credentials = tapped.clone();
    let manager = house.manager_on(&stores, house.transport());
    manager.access(&house.connection, &house.scheme).await.expect("read once");
    assert_eq!(tapped.reads.load(Ordering::SeqCst), 1);
    for _ in 0..1_000 {
        let (mut parts, ()) =
            http::Request::get("https://api.example/").body(()).expect("a request").into_parts();
        manager.sign(&house.connection, &house.scheme, &mut parts, None).await.expect("signed");
        assert!(parts.headers["authorization"].is_sensitive());
    }
    assert_eq!(tapped.reads.load(Ordering::SeqCst), 1);
    assert_eq!(house.requests(), 0);
}

#[tokio::test]
async fn a_token_that_ends_soon_is_used_while_another_is_fetched() {
    let house = House::new();
    let tokens = house.connect().await;
    let manager = house.manager();
    manager.access(&house.connection, &house.scheme).await.expect("warm");
    house.clock.advance(HOUR - Duration::from_secs(60));
    let access = manager.access(&house.connection, &house.scheme).await.expect("still good");
    assert_eq!(token(&access), tokens.access_token, "nobody waits");
    let mut renewed = token(&access);
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
        renewed = token(&manager.access(&house.connection, &house.scheme).await.expect("a token"));
        if renewed != tokens.access_token {
            break;
        }
    }
    assert_ne!(renewed, tokens.access_token);
    assert_eq!(house.requests(), 1);
}

#[tokio::test]
async fn what_another_process_stored_is_seen_after_a_while() {
    let house = House::new();
    house.connect().await;
    let (one, other) = (house.manager(), house.manager());
    let before = token(&one.access(&house.connection, &house.scheme).await.expect("warm"));
    // Connected anew, elsewhere: the token here is good still.
    let tokens = house.issuer.grant("app", ["read"]);
    other.save(&house.connection, &house.secret(&tokens)).await.expect("saved");
    assert_eq!(
        token(&other.access(&house.connection, &house.scheme).await.expect("new")),
        tokens.access_token
    );
    house.clock.advance(Duration::from_secs(601));
    let mut seen = before.clone();
    for _ in 0..1_000 {
        seen = token(&one.access(&house.connection, &house.scheme).await.expect("a token"));
        if seen != before {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(seen, tokens.access_token);
    assert_eq!(house.requests(), 0);
}

#[tokio::test]
async fn another_account_is_used_at_once_wherever_the_connection_is_known_to_have_changed() {
    let house = House::new();
    house.connect().await;
    let (one, other) = (house.manager(), house.manager());
    let before = house.stored_connection().await;
    one.access(&before, &house.scheme).await.expect("warm");
    // Connected again, elsewhere, with another account: first the secret, then the connection.
    let tokens = house.issuer.grant("app", ["read"]);
    other.save(&before, &house.secret(&tokens)).await.expect("saved");
    let after = house.stores.connections.put(before.label("bob")).await.expect("stored");
    let seen = one.access(&after, &house.scheme).await.expect("a token");
    assert_eq!(token(&seen), tokens.access_token);
    assert_eq!(house.requests(), 0);
}

#[tokio::test]
async fn memory_is_bounded() {
    let mut house = House::new();
    house.settings.capacity = 10;
    let manager = house.manager();
    for n in 0..100 {
        let connection = connection(&format!("c{n}"));
        house.connect_as(&connection).await;
        manager.access(&connection, &house.scheme).await.expect("a token");
    }
    let shown = format!("{manager:?}");
    let held: usize = shown
        .split("connections: ")
        .nth(1)
        .and_then(|t| t.split([' ', ',']).next()?.parse().ok())
        .expect("told");
    assert!(held <= 32, "{shown}");
    // What was dropped is read again.
    manager.access(&connection("c0"), &house.scheme).await.expect("a token");
}

#[tokio::test]
async fn what_a_connection_carries_is_no_other_connections() {
    let house = House::new();
    let manager = house.manager();
    let (one, two) = (connection("c1"), connection("c2"));
    let (first, second) = (house.connect_as(&one).await, house.connect_as(&two).await);
    // Twice: the second time it is carried.
    for _ in 0..2 {
        let access = manager.access(&one, &house.scheme).await.expect("a token");
        assert_eq!(token(&access), first.access_token);
    }
    // A copy carries the same, and is changed into another.
    let mut changed = one.clone();
    changed.id = two.id.clone();
    let access = manager.access(&changed, &house.scheme).await.expect("a token");
    assert_eq!(token(&access), second.access_token);
    let mut elsewhere = one.clone();
    elsewhere.tenant = TenantId::new("another").expect("an id");
    assert!(manager.access(&elsewhere, &house.scheme).await.is_err(), "that tenant has no such secret");
}

#[tokio::test]
async fn what_a_connection_carries_is_no_other_managers() {
    let house = House::new();
    house.connect().await;
    let (one, other) = (house.manager(), house.manager());
    let before = token(&one.access(&house.connection, &house.scheme).await.expect("warm"));
    one.access(&house.connection, &house.scheme).await.expect("carried");
    let tokens = house.issuer.grant("app", ["read"]);
    other.save(&house.connection, &house.secret(&tokens)).await.expect("saved");
    let seen = token(&other.access(&house.connection, &house.scheme).await.expect("a token"));
    assert_eq!((before == seen, seen), (false, tokens.access_token));
}

#[tokio::test]
async fn what_a_connection_carries_ends_where_the_manager_forgets_it() {
    let house = House::new();
    house.connect().await;
    let (manager, other) = (house.manager(), house.manager());
    for _ in 0..2 {
        manager.access(&house.connection, &house.scheme).await.expect("warm");
    }
    let tokens = house.issuer.grant("app", ["read"]);
    other.save(&house.connection, &house.secret(&tokens)).await.expect("saved");
    manager.forget(&house.connection.tenant, &house.connection.id);
    let access = manager.access(&house.connection, &house.scheme).await.expect("read anew");
    assert_eq!(token(&access), tokens.access_token);
}

#[tokio::test]
async fn what_a_connection_carries_ends_where_its_place_is_needed() {
    let mut house = House::new();
    house.settings.capacity = 10;
    house.connect().await;
    let (manager, other) = (house.manager(), house.manager());
    for _ in 0..2 {
        manager.access(&house.connection, &house.scheme).await.expect("warm");
    }
    let tokens = house.issuer.grant("app", ["read"]);
    other.save(&house.connection, &house.secret(&tokens)).await.expect("saved");
    for n in 0..200 {
        let name = format!("d{n}");
        house.connect_as(&connection(&name)).await;
        // Read anew each time, so that it is searched for, and worth more than one that is not.
        for _ in 0..4 {
            manager.access(&connection(&name), &house.scheme).await.expect("a token");
        }
    }
    // Put out to make room: were it handed out still, a refusal by the provider would not reach it any more.
    let access = manager.access(&house.connection, &house.scheme).await.expect("read anew");
    assert_eq!(token(&access), tokens.access_token);
}
