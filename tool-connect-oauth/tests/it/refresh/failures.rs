//! What a provider may say, and what becomes of the connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tool_connect_core::{BoxFuture, ConnectionStatus, ErrorKind, EventKind, Retry};
use tool_connect_testkit::oauth::{Endpoint, Fault, Rotation};

use super::stores::Held;
use super::{HOUR, House, is_reauth, token};

#[tokio::test]
async fn oauth_client_19_invalid_grant_ends_with_the_user_and_costs_no_more_requests() {
    let house = House::new();
    let tokens = house.connect().await;
    house.issuer.revoke_grants();
    house.clock.advance(HOUR);
    let managers = [house.manager(), house.manager()];
    let error = managers[0].access(&house.connection, &house.scheme).await.expect_err("gone");
    assert_eq!((error.kind(), error.retry_advice()), (ErrorKind::NeedsReauth, Retry::Never));
    assert_eq!(house.requests(), 1);

    let connection = house.stored_connection().await;
    assert_eq!(connection.status, ConnectionStatus::NeedsReauth);
    assert!(connection.reason.expect("a reason").contains("connect the account again"));
    assert_eq!(house.count(is_reauth), 1);
    assert_eq!(
        house.count(|what| matches!(what, EventKind::RefreshFailed { kind: ErrorKind::NeedsReauth, .. })),
        1
    );
    // Never deleted.
    use secrecy::ExposeSecret as _;
    let stored = house.stored_tokens().await.refresh_token.expect("kept");
    assert_eq!(Some(stored.expose_secret()), tokens.refresh_token.as_deref());

    // Then nothing is asked any more: not by those who hold an old picture of the connection, not on demand, not by the sweep.
    for manager in managers.iter().cycle().take(50) {
        let error = manager.access(&house.connection, &house.scheme).await.expect_err("gone");
        assert_eq!(error.kind(), ErrorKind::NeedsReauth);
        assert!(manager.refresh_now(&house.connection, &house.scheme).await.is_err());
    }
    let scheme = house.scheme.clone();
    let sweep = managers[1].sweep(move |_: &_| Some(scheme.clone())).await.expect("swept");
    assert_eq!(sweep.renewed + sweep.failed, 0);
    assert_eq!((house.requests(), house.count(is_reauth)), (1, 1));

    // Nor where somebody sets the connection's status without a new secret.
    let mut connection = house.stored_connection().await;
    connection.status = ConnectionStatus::Active;
    house.stores.connections.put(connection).await.expect("stored");
    let error = house.manager().access(&house.connection, &house.scheme).await.expect_err("gone");
    assert_eq!(error.kind(), ErrorKind::NeedsReauth);
    assert_eq!((house.requests(), house.status().await), (1, ConnectionStatus::NeedsReauth));

    // Until the user has connected again.
    let again = house.issuer.grant("app", ["read"]);
    managers[1].save(&house.connection, &house.secret(&again)).await.expect("saved");
    let mut connection = house.stored_connection().await;
    connection.status = ConnectionStatus::Active;
    house.stores.connections.put(connection).await.expect("stored");
    for manager in &managers {
        let access = manager.access(&house.connection, &house.scheme).await.expect("works again");
        assert_eq!(token(&access), again.access_token);
    }
    house.clock.advance(HOUR);
    managers[0].access(&house.connection, &house.scheme).await.expect("and is renewed again");
}

#[tokio::test]
async fn oauth_client_19_what_somebody_else_stored_meanwhile_wins() {
    let house = Arc::new(House::new());
    house.connect().await;
    house.clock.advance(HOUR);
    let done = Arc::new(AtomicBool::new(false));
    let before = {
        let house = Arc::clone(&house);
        Arc::new(move || {
            let (house, done) = (Arc::clone(&house), Arc::clone(&done));
            Box::pin(async move {
                if !done.swap(true, Ordering::SeqCst) {
                    // While the request is on its way, the user connects again.
                    let tokens = house.issuer.grant("app", ["read"]);
                    house.manager().save(&house.connection, &house.secret(&tokens)).await.expect("saved");
                    house.issuer.fault(Endpoint::Token, Fault::Error("invalid_grant"));
                }
            }) as BoxFuture<'static, ()>
        })
    };
    let manager = house.manager_on(&house.stores, Arc::new(Held { inner: house.transport(), before }));
    let access = manager.access(&house.connection, &house.scheme).await.expect("theirs");
    assert!(house.issuer.accepts(&token(&access)));
    assert_eq!((house.requests(), house.count(is_reauth)), (1, 0));
    assert_eq!(house.status().await, ConnectionStatus::Active);
}

#[tokio::test]
async fn oauth_client_19_a_secret_that_is_marked_as_gone_is_not_spent() {
    let house = House::new();
    house.connect().await;
    house.issuer.revoke_grants();
    house.clock.advance(HOUR);
    assert!(house.manager().access(&house.connection, &house.scheme).await.is_err());
    // Whatever becomes of the connection's row: the secret itself says so.
    let (tenant, id) = (&house.connection.tenant, &house.connection.id);
    assert!(house.stores.connections.delete(tenant, id).await.expect("deleted"));
    let error = house.manager().access(&house.connection, &house.scheme).await.expect_err("gone");
    assert_eq!((error.kind(), house.requests()), (ErrorKind::NeedsReauth, 1));
}

#[tokio::test]
async fn oauth_client_19_a_connection_that_was_given_up_is_not_renewed() {
    for status in [ConnectionStatus::Revoked, ConnectionStatus::NeedsReauth, ConnectionStatus::Error] {
        let house = House::new();
        house.connect().await;
        let mut connection = house.stored_connection().await;
        connection.status = status;
        house.stores.connections.put(connection).await.expect("stored");
        house.clock.advance(HOUR);
        let error = house.manager().access(&house.connection, &house.scheme).await.expect_err("given up");
        assert_eq!((error.kind(), house.requests()), (ErrorKind::NeedsReauth, 0), "{status:?}");
    }
}

#[tokio::test]
async fn oauth_client_20_a_provider_that_is_busy_or_down_demotes_nobody() {
    for (fault, kind, pause) in [
        (Fault::TooManyRequests(Some("7".into())), ErrorKind::RateLimited, 7),
        (Fault::TooManyRequests(None), ErrorKind::RateLimited, 1),
        (Fault::Status(500), ErrorKind::Provider, 1),
        (Fault::Status(503), ErrorKind::Provider, 1),
        (Fault::Html(502), ErrorKind::Provider, 1),
        (Fault::Error("temporarily_unavailable"), ErrorKind::Provider, 1),
        (Fault::Error("invalid_client"), ErrorKind::Config, 1),
        (Fault::Error("unauthorized_client"), ErrorKind::Config, 1),
    ] {
        let house = House::new();
        house.connect().await;
        house.clock.advance(HOUR);
        house.issuer.fault(Endpoint::Token, fault.clone());
        let manager = house.manager();
        let error = manager.access(&house.connection, &house.scheme).await.expect_err("refused for now");
        assert_eq!(error.kind(), kind, "{fault:?}: {error}");
        // Who comes meanwhile is told at once, with the time that is left, and costs nothing.
        for _ in 0..20 {
            let error = manager.access(&house.connection, &house.scheme).await.expect_err("left alone");
            let Retry::After(wait) = error.retry_advice() else { panic!("{fault:?}: {error:?}") };
            assert!(wait <= Duration::from_secs(pause) && !wait.is_zero(), "{fault:?}: {wait:?}");
            assert_eq!(error.kind(), kind);
        }
        assert_eq!(house.requests(), 1, "{fault:?}");
        assert_eq!(
            (house.status().await, house.count(is_reauth)),
            (ConnectionStatus::Active, 0),
            "{fault:?}"
        );
        assert_eq!(house.count(|what| matches!(what, EventKind::RefreshFailed { .. })), 1, "{fault:?}");
        assert!(
            house.record().await.intent.is_none(),
            "{fault:?}: the token was not spent, and nobody need wait"
        );
        house.clock.advance(Duration::from_secs(pause));
        let access = manager.access(&house.connection, &house.scheme).await.expect("and then it works");
        assert!(house.issuer.accepts(&token(&access)), "{fault:?}");
        assert_eq!((house.requests(), house.issuer.counters().double_spends), (2, 0), "{fault:?}");
    }
}

#[tokio::test]
async fn pauses_grow_while_a_provider_stays_down() {
    let house = House::new();
    house.connect().await;
    house.clock.advance(HOUR);
    house.issuer.faults(Endpoint::Token, &Fault::Status(503), 10_000);
    let manager = house.manager();
    for _ in 0..1_800 {
        assert!(manager.access(&house.connection, &house.scheme).await.is_err());
        house.clock.advance(Duration::from_secs(1));
    }
    // Half an hour: 1, 2, 4 .. 256 seconds, then five minutes each, and half of that at least.
    let requests = house.requests();
    assert!((12..=26).contains(&requests), "{requests}");
    assert_eq!((house.status().await, house.count(is_reauth)), (ConnectionStatus::Active, 0));
    house.issuer.clear_faults();
    house.clock.advance(Duration::from_secs(301));
    manager.access(&house.connection, &house.scheme).await.expect("it has recovered");
}

#[tokio::test]
async fn a_token_that_is_good_still_is_used_while_the_provider_is_down() {
    let house = House::new();
    let tokens = house.connect().await;
    let manager = house.manager();
    manager.access(&house.connection, &house.scheme).await.expect("warm");
    house.issuer.faults(Endpoint::Token, &Fault::Status(503), 1_000);
    house.clock.advance(HOUR - Duration::from_secs(60));
    for _ in 0..50 {
        let access = manager.access(&house.connection, &house.scheme).await.expect("good still");
        assert_eq!(token(&access), tokens.access_token);
        tokio::task::yield_now().await;
        house.clock.advance(Duration::from_millis(500));
    }
    assert!((1..10).contains(&house.requests()), "{}", house.requests());
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_waited_out_and_tried_once_more() {
    // Strict rotation, the request was not served: the second try works.
    for (fault, spent) in
        [(Fault::Broken, false), (Fault::Silence, false), (Fault::Lost, true), (Fault::Truncated, true)]
    {
        let house = House::new();
        house.connect().await;
        house.clock.advance(HOUR);
        house.issuer.fault(Endpoint::Token, fault.clone());
        let manager = house.manager();
        let error = manager.access(&house.connection, &house.scheme).await.expect_err("lost");
        assert!(!matches!(error.kind(), ErrorKind::NeedsReauth | ErrorKind::Config), "{fault:?}: {error}");
        assert!(house.record().await.intent.is_some(), "{fault:?}: nobody knows whether the token was spent");
        // The clock of the house moves with the runtime's.
        let clock = Arc::clone(&house.clock);
        let time = tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_millis(500)).await;
                clock.advance(Duration::from_millis(500));
            }
        });
        let mut ended = None;
        for _ in 0..10 {
            match manager.access(&house.connection, &house.scheme).await {
                Ok(access) => {
                    ended = Some(Ok(token(&access)));
                    break;
                }
                Err(error) if error.kind() == ErrorKind::NeedsReauth => {
                    ended = Some(Err(()));
                    break;
                }
                Err(_) => tokio::time::sleep(Duration::from_secs(10)).await,
            }
        }
        time.abort();
        match ended.expect("an end") {
            Ok(token) => assert!(!spent && house.issuer.accepts(&token), "{fault:?}"),
            Err(()) => {
                assert!(spent, "{fault:?}");
                assert_eq!(
                    (house.status().await, house.count(is_reauth)),
                    (ConnectionStatus::NeedsReauth, 1)
                );
            }
        }
        assert_eq!(house.requests(), 2, "{fault:?}: one more, and no loop");
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_hangs_for_hours_demotes_nobody() {
    let house = House::new();
    house.connect().await;
    house.clock.advance(HOUR);
    house.issuer.faults(Endpoint::Token, &Fault::Broken, 100_000);
    let manager = house.manager();
    for _ in 0..720 {
        let outcome = manager.access(&house.connection, &house.scheme).await;
        assert_ne!(outcome.expect_err("down").kind(), ErrorKind::NeedsReauth);
        house.clock.advance(Duration::from_secs(10));
        tokio::time::sleep(Duration::from_secs(10)).await;
    }
    assert_eq!((house.status().await, house.count(is_reauth)), (ConnectionStatus::Active, 0));
    let requests = house.requests();
    assert!((10..=125).contains(&requests), "two hours, at most one a minute: {requests}");
    house.issuer.clear_faults();
    house.clock.advance(Duration::from_secs(600));
    let mut access = manager.access(&house.connection, &house.scheme).await;
    for _ in 0..20 {
        if access.is_ok() {
            break;
        }
        house.clock.advance(Duration::from_secs(30));
        tokio::time::sleep(Duration::from_secs(30)).await;
        access = manager.access(&house.connection, &house.scheme).await;
    }
    assert!(house.issuer.accepts(&token(&access.expect("it has recovered"))));
}

#[tokio::test]
async fn where_nothing_rotates_a_lost_answer_holds_nobody_up() {
    for rotation in [Rotation::None, Rotation::Tolerated(Duration::from_secs(60))] {
        let house = House::with(rotation, |settings| settings);
        house.connect().await;
        house.clock.advance(HOUR);
        house.issuer.fault(Endpoint::Token, Fault::Lost);
        let manager = house.manager();
        let error = manager.access(&house.connection, &house.scheme).await.expect_err("lost");
        assert_eq!(error.kind(), ErrorKind::Transport);
        house.clock.advance(Duration::from_secs(1));
        let access = manager.access(&house.connection, &house.scheme).await.expect("once more");
        assert!(house.issuer.accepts(&token(&access)));
        assert_eq!((house.requests(), house.issuer.counters().double_spends), (2, 0));
    }
}

#[tokio::test]
async fn oauth_client_22_a_token_request_follows_no_redirect() {
    let house = House::new();
    house.connect().await;
    house.clock.advance(HOUR);
    let elsewhere = house
        .emulator
        .issuer(tool_connect_testkit::oauth::IssuerSettings::new("https://elsewhere.example"))
        .expect("a server");
    house.issuer.fault(Endpoint::Token, Fault::Redirect("https://elsewhere.example/token".into()));
    let error = house.manager().access(&house.connection, &house.scheme).await.expect_err("not followed");
    assert_eq!(error.kind(), ErrorKind::Provider);
    assert_eq!(elsewhere.counters().token_requests, 0);
    assert_eq!(house.status().await, ConnectionStatus::Active);
}

#[tokio::test]
async fn oauth_client_25_tokens_of_another_issuer_are_not_used() {
    let house = House::new();
    let tokens = house.issuer.grant("app", ["read"]);
    house.stores.connections.put(house.connection.clone()).await.expect("stored");
    let mut secret = house.secret(&tokens).tokens().expect("tokens").clone();
    secret.issuer = Some("https://other.example".into());
    let manager = house.manager();
    manager.save(&house.connection, &secret.into()).await.expect("saved");
    assert_eq!(house.record().await.issuer.as_deref(), Some("https://other.example"));
    for advance in [Duration::ZERO, HOUR] {
        house.clock.advance(advance);
        let error = manager.access(&house.connection, &house.scheme).await.expect_err("another's");
        assert_eq!(error.kind(), ErrorKind::NeedsReauth);
        assert!(error.message().contains("another authorization server"));
    }
    assert_eq!(house.requests(), 0);

    // Nor is a warm token used where the instance speaks to another provider by now.
    let house = House::new();
    house.connect().await;
    let manager = house.manager();
    manager.access(&house.connection, &house.scheme).await.expect("warm");
    let other = tool_connect_core::AuthScheme::oauth2("other", ["read"]);
    assert_eq!(
        manager.access(&house.connection, &other).await.expect_err("unknown").kind(),
        ErrorKind::NotFound
    );
}

#[tokio::test]
async fn look_up_failed_and_not_connected_are_two_errors() {
    use super::stores::storage_error;
    let house = House::new();
    let manager = house.manager();
    let error = manager.access(&house.connection, &house.scheme).await.expect_err("nothing there");
    assert_eq!(error.kind(), ErrorKind::NeedsReauth);

    struct Down;
    #[async_trait::async_trait]
    impl tool_connect_core::store::CredentialStore for Down {
        async fn put(
            &self,
            _: tool_connect_core::store::StoredCredential,
        ) -> tool_connect_core::Result<tool_connect_core::store::StoredCredential> {
            Err(storage_error())
        }
        async fn get(
            &self,
            _: &tool_connect_core::TenantId,
            _: &tool_connect_core::store::CredentialKey,
        ) -> tool_connect_core::Result<Option<tool_connect_core::store::StoredCredential>> {
            Err(storage_error())
        }
        async fn delete(
            &self,
            _: &tool_connect_core::TenantId,
            _: &tool_connect_core::store::CredentialKey,
        ) -> tool_connect_core::Result<bool> {
            Err(storage_error())
        }
        async fn scan(
            &self,
            _: &tool_connect_core::store::CredentialFilter,
            _: Option<&tool_connect_core::store::CredentialCursor>,
            _: usize,
        ) -> tool_connect_core::Result<Vec<tool_connect_core::store::StoredCredential>> {
            Err(storage_error())
        }
    }
    let mut stores = house.stores.clone();
    stores.credentials = Arc::new(Down);
    let manager = house.manager_on(&stores, house.transport());
    let error = manager.access(&house.connection, &house.scheme).await.expect_err("down");
    assert_eq!(error.kind(), ErrorKind::Storage);
}
