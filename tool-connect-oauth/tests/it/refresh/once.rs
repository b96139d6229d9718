//! One renewal, whoever asks, and whatever becomes of those who ask.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::Notify;
use tool_connect_core::ErrorKind;
use tool_connect_testkit::oauth::{Endpoint, Fault};

use super::stores::{Held, Panicking};
use super::{HOUR, House, token};

#[tokio::test]
async fn many_callers_cost_one_token_request() {
    let house = House::new();
    house.connect().await;
    let manager = house.manager();
    house.clock.advance(HOUR);
    let all = join_all((0..5_000).map(|_| manager.access(&house.connection, &house.scheme))).await;
    let tokens: Vec<String> = all.into_iter().map(|access| token(&access.expect("a token"))).collect();
    assert!(tokens.iter().all(|one| *one == tokens[0]) && house.issuer.accepts(&tokens[0]));
    assert_eq!(house.requests(), 1);
}

#[tokio::test]
async fn several_processes_cost_one_token_request() {
    let house = House::new();
    house.connect().await;
    house.clock.advance(HOUR);
    let managers: Vec<_> = (0..8).map(|_| house.manager()).collect();
    let calls =
        managers.iter().flat_map(|manager| (0..50).map(|_| manager.access(&house.connection, &house.scheme)));
    for access in join_all(calls).await {
        assert!(house.issuer.accepts(&token(&access.expect("a token"))));
    }
    assert_eq!((house.requests(), house.issuer.counters().double_spends), (1, 0));
}

#[tokio::test]
async fn the_caller_who_began_may_go_away() {
    let house = House::new();
    house.connect().await;
    house.clock.advance(HOUR);
    let (asked, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let before = {
        let (asked, go) = (Arc::clone(&asked), Arc::clone(&go));
        Arc::new(move || {
            let (asked, go) = (Arc::clone(&asked), Arc::clone(&go));
            Box::pin(async move {
                asked.notify_one();
                go.notified().await;
            }) as tool_connect_core::BoxFuture<'static, ()>
        })
    };
    let manager = house.manager_on(&house.stores, Arc::new(Held { inner: house.transport(), before }));
    let leader = tokio::spawn({
        let (manager, connection, scheme) = (manager.clone(), house.connection.clone(), house.scheme.clone());
        async move { manager.access(&connection, &scheme).await.map(drop) }
    });
    asked.notified().await;
    let follower = tokio::spawn({
        let (manager, connection, scheme) = (manager.clone(), house.connection.clone(), house.scheme.clone());
        async move { manager.access(&connection, &scheme).await.map(|access| token(&access)) }
    });
    tokio::task::yield_now().await;
    leader.abort();
    assert!(leader.await.expect_err("gone").is_cancelled());
    go.notify_one();
    let token = follower.await.expect("no panic").expect("the renewal went on");
    assert!(house.issuer.accepts(&token));
    assert_eq!(house.requests(), 1);
    manager.shutdown().await;
}

#[tokio::test]
async fn a_renewal_that_panics_leaves_nobody_waiting() {
    let mut house = House::new();
    house.settings.settle_after = Duration::ZERO;
    house.connect().await;
    house.clock.advance(HOUR);
    let transport = Panicking { inner: house.transport(), left: Mutex::new(1) };
    let manager = house.manager_on(&house.stores, Arc::new(transport));
    // The lease of the one that panicked is waited out.
    let clock = Arc::clone(&house.clock);
    let time = tokio::spawn(async move {
        loop {
            clock.advance(Duration::from_secs(1));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    let all = join_all((0..10).map(|_| manager.access(&house.connection, &house.scheme))).await;
    for access in all {
        assert!(house.issuer.accepts(&token(&access.expect("the next one works"))));
    }
    assert_eq!((house.requests(), house.issuer.counters().double_spends), (1, 0));
    time.abort();
}

#[tokio::test(start_paused = true)]
async fn a_caller_waits_for_so_long_and_no_longer() {
    let mut house = House::new();
    house.settings.wait = Duration::from_secs(5);
    house.connect().await;
    house.clock.advance(HOUR);
    house.issuer.fault(Endpoint::Token, Fault::Slow(Duration::from_secs(12)));
    let manager = house.manager();
    let start = tokio::time::Instant::now();
    let error = manager.access(&house.connection, &house.scheme).await.expect_err("too slow");
    assert_eq!((error.kind(), start.elapsed().as_secs()), (ErrorKind::DeadlineExceeded, 5));
    // The renewal goes on nevertheless, and nobody begins another.
    tokio::time::sleep(Duration::from_secs(8)).await;
    let access = manager.access(&house.connection, &house.scheme).await.expect("renewed meanwhile");
    assert!(house.issuer.accepts(&token(&access)));
    assert_eq!(house.requests(), 1);
}

#[test]
fn without_a_runtime_it_says_so() {
    let house = House::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(house.connect());
    let manager = house.manager();
    let call = manager.access(&house.connection, &house.scheme);
    let error = futures_util::FutureExt::now_or_never(call).expect("at once").expect_err("refused");
    assert!(error.message().contains("tokio runtime"));
}

#[tokio::test]
async fn shutdown_waits_for_what_a_provider_is_granting() {
    let house = House::new();
    house.connect().await;
    house.clock.advance(HOUR);
    house.issuer.fault(Endpoint::Token, Fault::Slow(Duration::from_millis(50)));
    let manager = house.manager();
    let call = tokio::spawn({
        let (manager, connection, scheme) = (manager.clone(), house.connection.clone(), house.scheme.clone());
        async move { manager.access(&connection, &scheme).await.map(drop) }
    });
    while house.requests() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    call.abort();
    manager.shutdown().await;
    use secrecy::ExposeSecret as _;
    let stored = house.stored_tokens().await;
    assert!(house.issuer.accepts(stored.access_token.expose_secret()), "stored before the process goes");
}
