//! The end of a connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tool_connect_core::store::CredentialFilter;
use tool_connect_core::{ConnectionStatus, ErrorKind};
use tool_connect_testkit::oauth::{Endpoint, Fault};

use super::support::*;

impl House {
    async fn connected(&self) -> (tool_connect_core::Connection, String) {
        self.consent(&ada(), self.request(&[])).await;
        let connection = self.connection().await;
        let token = self.access_token(&connection).await;
        (connection, token)
    }

    async fn secrets_left(&self) -> usize {
        self.stores.credentials.scan(&CredentialFilter::default(), None, 99).await.expect("scan").len()
    }
}

#[tokio::test]
async fn oauth_client_28_disconnecting_revokes_and_destroys() {
    let house = House::new();
    let heard = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&heard);
    house.connect.on_change(Arc::new(move |tenant| {
        assert_eq!(tenant.as_str(), "acme");
        counter.fetch_add(1, Ordering::Relaxed);
    }));
    let (connection, token) = house.connected().await;
    let before = heard.load(Ordering::Relaxed);
    assert!(before > 0, "whoever remembers connections hears of a new one");
    assert!(house.issuer.accepts(&token));
    house.connect.disconnect(&ada(), &connection.id).await.expect("disconnect");
    assert!(!house.issuer.accepts(&token), "given back at the provider");
    assert_eq!(house.secrets_left().await, 0, "destroyed here");
    assert_eq!(house.connection().await.status, ConnectionStatus::Revoked);
    assert_eq!(heard.load(Ordering::Relaxed), before + 1);
    // Again is no error and asks nobody.
    let asked = house.issuer.counters().revocations;
    house.connect.disconnect(&ada(), &connection.id).await.expect("again");
    assert_eq!(house.issuer.counters().revocations, asked);
}

#[tokio::test]
async fn oauth_client_28_an_unknown_token_counts_as_revoked() {
    let house = House::new();
    let (connection, _) = house.connected().await;
    house.issuer.revoke_grants();
    house.connect.disconnect(&ada(), &connection.id).await.expect("disconnect");
    assert_eq!(house.secrets_left().await, 0);
}

#[tokio::test]
async fn oauth_client_28_a_provider_that_is_busy_is_asked_again_later() {
    let house = House::new();
    let (connection, token) = house.connected().await;
    house.issuer.faults(Endpoint::Revoke, &Fault::Status(503), 2);
    house.connect.disconnect(&ada(), &connection.id).await.expect("that is no error");
    assert_eq!(house.connection().await.status, ConnectionStatus::Revoked, "for us it has ended");
    assert!(house.stored(&connection).await.is_none(), "and its secret is not there any more");
    assert!(house.issuer.accepts(&token));
    assert_eq!(house.oauth.revoke_due().await.expect("nothing is due yet"), 0);

    house.clock.advance(Duration::from_secs(61));
    assert_eq!(house.oauth.revoke_due().await.expect("still busy"), 0);
    house.clock.advance(Duration::from_secs(299));
    assert_eq!(house.oauth.revoke_due().await.expect("it waits longer each time"), 0);
    assert!(house.issuer.accepts(&token));
    house.clock.advance(Duration::from_secs(60));
    assert_eq!(house.oauth.revoke_due().await.expect("at last"), 1);
    assert!(!house.issuer.accepts(&token));
    assert_eq!(house.secrets_left().await, 0);
}

#[tokio::test]
async fn a_revocation_that_never_succeeds_is_given_up() {
    let house = House::new();
    let (connection, _) = house.connected().await;
    house.issuer.faults(Endpoint::Revoke, &Fault::Status(503), 99);
    house.connect.disconnect(&ada(), &connection.id).await.expect("disconnect");
    let mut rounds = 0;
    while house.secrets_left().await > 0 {
        rounds += 1;
        assert!(rounds < 20, "it goes on for ever");
        house.clock.advance(Duration::from_secs(49 * 3600));
        house.oauth.revoke_due().await.expect("due");
    }
    assert!(rounds > 3, "it is tried for days");
}

#[tokio::test]
async fn many_processes_make_a_revocation_once() {
    let house = House::new();
    let (connection, _) = house.connected().await;
    house.issuer.fault(Endpoint::Revoke, Fault::Status(503));
    house.connect.disconnect(&ada(), &connection.id).await.expect("disconnect");
    house.clock.advance(Duration::from_secs(61));
    let before = house.issuer.counters().revocations;
    let (one, other) = tokio::join!(house.oauth.revoke_due(), house.oauth.revoke_due());
    assert_eq!(one.expect("due") + other.expect("due"), 1);
    assert!(house.issuer.counters().revocations - before <= 2, "one for each token");
}

#[tokio::test]
async fn only_who_may_disconnects() {
    let house = House::new();
    let (connection, token) = house.connected().await;
    let agent = ada().acting_through("bot").expect("valid");
    for (who, kind) in [
        (principal("acme", "bob"), ErrorKind::NotFound),
        (principal("globex", "ada"), ErrorKind::NotFound),
        (agent, ErrorKind::Denied),
    ] {
        let error = house.connect.disconnect(&who, &connection.id).await.expect_err("refused");
        assert_eq!(error.kind(), kind, "{error}");
    }
    assert!(house.issuer.accepts(&token));
    assert_eq!(house.connection().await.status, ConnectionStatus::Active);
}
