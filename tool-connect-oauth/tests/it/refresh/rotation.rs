//! Refresh tokens that change, and those that stay.

use std::sync::{Arc, Mutex};

use futures_util::future::{join_all, poll_immediate};
use secrecy::ExposeSecret as _;
use tokio::sync::Notify;
use tool_connect_core::BoxFuture;
use tool_connect_testkit::oauth::Rotation;

use super::stores::{Tapped, Write, storage_error};
use super::{HOUR, House, token};

#[tokio::test]
async fn oauth_client_17_a_rotated_token_is_stored_before_it_is_used() {
    let house = House::new();
    let before = house.connect().await;
    house.clock.advance(HOUR);
    let (reached, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let hook = {
        let (reached, go) = (Arc::clone(&reached), Arc::clone(&go));
        Arc::new(move |write: Write| {
            let (reached, go) = (Arc::clone(&reached), Arc::clone(&go));
            Box::pin(async move {
                if !write.is_intent() {
                    reached.notify_one();
                    go.notified().await;
                }
                Ok(())
            }) as BoxFuture<'static, _>
        })
    };
    let mut stores = house.stores.clone();
    stores.credentials = Tapped::new(&house.stores.credentials, Some(hook));
    let manager = house.manager_on(&stores, house.transport());
    let mut call = Box::pin(manager.access(&house.connection, &house.scheme));
    assert!(poll_immediate(&mut call).await.is_none());
    let written = tokio::time::timeout(std::time::Duration::from_secs(10), reached.notified()).await;
    written.expect("the store is written to");
    // The provider has answered, the store has not: nobody gets the token.
    assert_eq!(house.requests(), 1);
    assert!(poll_immediate(&mut call).await.is_none());
    let stored = house.stored_tokens().await;
    assert_eq!(stored.access_token.expose_secret(), before.access_token);
    go.notify_one();
    let access = call.await.expect("a token");
    assert_eq!(house.stored_tokens().await.access_token.expose_secret(), token(&access));
}

#[tokio::test(start_paused = true)]
async fn oauth_client_17_a_store_that_fails_for_a_moment_costs_no_grant() {
    let house = House::new();
    house.connect().await;
    house.clock.advance(HOUR);
    let left = Arc::new(Mutex::new(3));
    let hook = {
        let left = Arc::clone(&left);
        Arc::new(move |write: Write| {
            let mut left = left.lock().expect("not poisoned");
            let fails = !write.is_intent() && *left > 0;
            *left -= i32::from(fails);
            let answer = if fails { Err(storage_error()) } else { Ok(()) };
            Box::pin(std::future::ready(answer)) as BoxFuture<'static, _>
        })
    };
    let mut stores = house.stores.clone();
    stores.credentials = Tapped::new(&house.stores.credentials, Some(hook));
    let manager = house.manager_on(&stores, house.transport());
    let access = manager.access(&house.connection, &house.scheme).await.expect("a token");
    assert_eq!(*left.lock().expect("not poisoned"), 0);
    assert_eq!(house.stored_tokens().await.access_token.expose_secret(), token(&access));
    assert_eq!(house.requests(), 1);
}

#[tokio::test]
async fn oauth_client_18_without_a_new_refresh_token_the_old_one_stays() {
    let house = House::with(Rotation::None, |settings| settings);
    let before = house.connect().await;
    let manager = house.manager();
    for round in 1..=3 {
        house.clock.advance(HOUR);
        let access = manager.access(&house.connection, &house.scheme).await.expect("a token");
        assert!(house.issuer.accepts(&token(&access)));
        let stored = house.stored_tokens().await;
        let kept = stored.refresh_token.as_ref().map(|token| token.expose_secret().to_owned());
        assert_eq!(kept, before.refresh_token, "round {round}");
        assert_eq!(stored.scopes.as_deref(), Some(&["read".to_owned()][..]));
    }
    assert_eq!(house.requests(), 3);
}

#[tokio::test]
async fn rotations_in_a_row_through_several_processes() {
    let house = House::new();
    house.connect().await;
    let managers = [house.manager(), house.manager(), house.manager()];
    for round in 1..=6_u64 {
        house.clock.advance(HOUR);
        let first = &managers[usize::try_from(round).expect("small") % 3];
        let access = first.access(&house.connection, &house.scheme).await.expect("a token");
        for other in &managers {
            let same = other.access(&house.connection, &house.scheme).await.expect("a token");
            assert_eq!(token(&same), token(&access));
        }
        assert_eq!(house.requests(), round);
    }
    assert_eq!(house.issuer.counters().double_spends, 0);
    assert!(house.record().await.intent.is_none());
}

#[tokio::test]
async fn a_renewal_on_demand_is_one_for_all_who_demand_it() {
    let house = House::new();
    let before = house.connect().await;
    let manager = house.manager();
    let all = join_all((0..20).map(|_| manager.refresh_now(&house.connection, &house.scheme))).await;
    for access in all {
        let token = token(&access.expect("renewed"));
        assert!(token != before.access_token && house.issuer.accepts(&token));
    }
    assert_eq!(house.requests(), 1);
    assert_eq!(house.status().await, tool_connect_core::ConnectionStatus::Active);
}
