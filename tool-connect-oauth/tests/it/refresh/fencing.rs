//! Processes that stall and die at the worst moment, and what the others do.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;
use tool_connect_core::store::StoredCredential;
use tool_connect_core::{BoxFuture, ConnectionStatus, ErrorKind, Result, Vault as _};
use tool_connect_oauth::refresh::{Recovery, TokenManager};
use tool_connect_testkit::oauth::{Endpoint, Fault, Rotation};

use super::stores::{Held, Hook, Tapped, Write};
use super::{HOUR, House, is_reauth, token};

/// A manager whose writes pass a hook.
fn hooked(
    house: &House,
    hook: impl Fn(Write) -> BoxFuture<'static, Result<()>> + Send + Sync + 'static,
) -> TokenManager {
    let mut stores = house.stores.clone();
    let hook: Hook = Arc::new(hook);
    stores.credentials = Tapped::new(&house.stores.credentials, Some(hook));
    house.manager_on(&stores, house.transport())
}

/// A process that dies when it should store what the provider gave.
fn dies_before_storing(house: &House) -> TokenManager {
    hooked(house, |write| {
        Box::pin(async move { if write.is_intent() { Ok(()) } else { std::future::pending().await } })
    })
}

/// A process that dies after it wrote its intent, before it asks.
fn dies_before_asking(house: &House) -> TokenManager {
    let mut stores = house.stores.clone();
    stores.credentials = Tapped::dying_at_intent(&house.stores.credentials);
    house.manager_on(&stores, house.transport())
}

/// Lets a process begin a renewal that never ends.
async fn dies(house: &House, manager: &TokenManager, requests: u64) {
    let call = {
        let (manager, connection, scheme) = (manager.clone(), house.connection.clone(), house.scheme.clone());
        tokio::spawn(async move { manager.access(&connection, &scheme).await.map(drop) })
    };
    while house.record().await.intent.is_none() || house.requests() < requests {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    call.abort();
}

/// Lets the clock of the house run with the runtime's paused one.
fn running(house: &House) -> JoinHandle<()> {
    let clock = Arc::clone(&house.clock);
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            clock.advance(Duration::from_millis(100));
        }
    })
}

/// Asks until there is a token, or only the user can help.
async fn until_settled(house: &House, manager: &TokenManager) -> Result<String> {
    for _ in 0..20 {
        match manager.access(&house.connection, &house.scheme).await {
            Ok(access) => return Ok(token(&access)),
            Err(error) if error.kind() == ErrorKind::NeedsReauth => return Err(error),
            Err(error) => assert_eq!(error.kind(), ErrorKind::DeadlineExceeded, "{error}"),
        }
    }
    panic!("it never settled");
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_stalls_beyond_its_lease_is_waited_for() {
    let mut house = House::new();
    house.settings.lease = Duration::from_millis(200);
    house.connect().await;
    house.clock.advance(HOUR);
    // Its answer takes a hundred leases.
    house.issuer.fault(Endpoint::Token, Fault::Slow(Duration::from_secs(19)));
    let time = running(&house);
    let (slow, other) = (house.manager(), house.manager());
    let (one, two) = tokio::join!(slow.access(&house.connection, &house.scheme), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        other.access(&house.connection, &house.scheme).await
    });
    assert_eq!(token(&one.expect("a token")), token(&two.expect("the same")));
    assert_eq!((house.requests(), house.issuer.counters().double_spends), (1, 0));
    time.abort();
}

#[tokio::test]
async fn a_holder_that_stalls_before_it_asks_does_not_ask() {
    let house = House::new();
    house.connect().await;
    house.clock.advance(HOUR);
    // Between the intent and the request lie eleven seconds: its lease is over, and another may be at it.
    let clock = Arc::clone(&house.clock);
    let stalls = AtomicUsize::new(0);
    let manager = hooked(&house, move |write| {
        if write.is_intent() && stalls.fetch_add(1, Ordering::SeqCst) == 0 {
            clock.advance(Duration::from_secs(11));
        }
        Box::pin(std::future::ready(Ok(())))
    });
    manager.access(&house.connection, &house.scheme).await.expect("with the next lease");
    assert_eq!((house.requests(), house.issuer.counters().double_spends), (1, 0));
    // intent, withdrawn, intent, tokens: after the one that was saved.
    assert_eq!(house.record().await.version, 5);
}

#[tokio::test(start_paused = true)]
async fn a_death_before_the_request_costs_nothing() {
    let house = House::new();
    house.connect().await;
    house.clock.advance(HOUR);
    dies(&house, &dies_before_asking(&house), 0).await;
    let time = running(&house);
    let start = tokio::time::Instant::now();
    let token = until_settled(&house, &house.manager()).await.expect("one more try");
    assert!(house.issuer.accepts(&token));
    assert!(start.elapsed() >= Duration::from_secs(60), "nobody asks before the dead one is surely dead");
    assert_eq!((house.requests(), house.issuer.counters().double_spends), (1, 0));
    time.abort();
}

#[tokio::test(start_paused = true)]
async fn a_death_between_answer_and_store_ends_with_the_user_and_no_loop() {
    let house = House::new();
    house.connect().await;
    house.clock.advance(HOUR);
    dies(&house, &dies_before_storing(&house), 1).await;
    let time = running(&house);
    let managers = [house.manager(), house.manager()];
    for manager in managers.iter().cycle().take(10) {
        assert_eq!(until_settled(&house, manager).await.expect_err("spent").kind(), ErrorKind::NeedsReauth);
    }
    assert_eq!(house.requests(), 2, "one try, and no loop");
    assert_eq!((house.status().await, house.count(is_reauth)), (ConnectionStatus::NeedsReauth, 1));
    time.abort();
}

#[tokio::test(start_paused = true)]
async fn a_death_costs_nothing_where_tokens_may_be_used_again() {
    for rotation in [Rotation::None, Rotation::Tolerated(Duration::from_secs(300))] {
        let house = House::with(rotation, |settings| settings);
        house.connect().await;
        house.clock.advance(HOUR);
        dies(&house, &dies_before_storing(&house), 1).await;
        let time = running(&house);
        let token = until_settled(&house, &house.manager()).await.expect("one more try");
        assert!(house.issuer.accepts(&token));
        assert_eq!((house.requests(), house.issuer.counters().double_spends), (2, 0));
        time.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn who_wants_no_second_try_gets_none() {
    let mut house = House::new();
    house.settings.recovery = Recovery::NeedsReauth;
    house.connect().await;
    house.clock.advance(HOUR);
    dies(&house, &dies_before_asking(&house), 0).await;
    let time = running(&house);
    let error = until_settled(&house, &house.manager()).await.expect_err("not tried");
    assert_eq!(error.kind(), ErrorKind::NeedsReauth);
    assert_eq!((house.requests(), house.count(is_reauth)), (0, 1));
    time.abort();
}

#[tokio::test(start_paused = true)]
async fn a_second_death_at_the_second_try_is_the_last() {
    let house = House::new();
    house.connect().await;
    house.clock.advance(HOUR);
    dies(&house, &dies_before_asking(&house), 0).await;
    let first = house.record().await.intent;
    let time = running(&house);
    let second = dies_before_asking(&house);
    let call = {
        let (manager, connection, scheme) = (second.clone(), house.connection.clone(), house.scheme.clone());
        tokio::spawn(async move { manager.access(&connection, &scheme).await.map(drop) })
    };
    while house.record().await.intent == first {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    call.abort();
    let error = until_settled(&house, &house.manager()).await.expect_err("no third");
    assert_eq!(error.kind(), ErrorKind::NeedsReauth);
    assert_eq!((house.requests(), house.count(is_reauth)), (0, 1));
    time.abort();
}

#[tokio::test]
async fn of_two_intents_one_is_written() {
    let house = Arc::new(House::new());
    house.connect().await;
    house.clock.advance(HOUR);
    // Whatever the leases say: between the read and the intent somebody else renews.
    let once = AtomicUsize::new(0);
    let shared = Arc::clone(&house);
    let manager = hooked(&house, move |write| {
        let first = write.is_intent() && once.fetch_add(1, Ordering::SeqCst) == 0;
        let house = Arc::clone(&shared);
        Box::pin(async move {
            if first {
                // Its lease is over by then.
                house.clock.advance(Duration::from_secs(11));
                house.manager().access(&house.connection, &house.scheme).await.expect("faster");
            }
            Ok(())
        })
    });
    let access = manager.access(&house.connection, &house.scheme).await.expect("theirs");
    assert!(house.issuer.accepts(&token(&access)));
    assert_eq!((house.requests(), house.issuer.counters().double_spends), (1, 0));
}

#[tokio::test]
async fn a_rewrap_in_between_loses_nothing() {
    let house = Arc::new(House::new());
    house.connect().await;
    house.clock.advance(HOUR);
    let shared = Arc::clone(&house);
    let before = Arc::new(move || {
        let house = Arc::clone(&shared);
        Box::pin(async move {
            // Key rotation writes the row while the provider thinks.
            let mut record = house.record().await;
            let place = tool_connect_oauth::vault::place_of(&record);
            let secret = house.stored_tokens().await;
            let bytes = tool_connect_oauth::flow::Secret::Tokens(secret).to_bytes().expect("bytes");
            record.sealed = house.vault.seal(&place, &bytes).await.expect("sealed");
            house.stores.credentials.put(record).await.expect("rewritten");
        }) as BoxFuture<'static, ()>
    });
    let manager = house.manager_on(&house.stores, Arc::new(Held { inner: house.transport(), before }));
    let access = manager.access(&house.connection, &house.scheme).await.expect("a token");
    use secrecy::ExposeSecret as _;
    assert_eq!(house.stored_tokens().await.access_token.expose_secret(), token(&access));
    assert!(house.record().await.intent.is_none());
    assert_eq!(house.requests(), 1);
}

#[tokio::test]
async fn a_disconnect_in_between_stays_one() {
    let house = Arc::new(House::new());
    house.connect().await;
    house.clock.advance(HOUR);
    let shared = Arc::clone(&house);
    let before = Arc::new(move || {
        let house = Arc::clone(&shared);
        Box::pin(async move {
            let StoredCredential { tenant, key, .. } = house.record().await;
            house.stores.credentials.delete(&tenant, &key).await.expect("deleted");
        }) as BoxFuture<'static, ()>
    });
    let manager = house.manager_on(&house.stores, Arc::new(Held { inner: house.transport(), before }));
    let error = manager.access(&house.connection, &house.scheme).await.expect_err("disconnected");
    assert_eq!(error.kind(), ErrorKind::NeedsReauth);
    let error = manager.access(&house.connection, &house.scheme).await.expect_err("nothing there");
    assert_eq!(error.kind(), ErrorKind::NeedsReauth);
    assert_eq!(house.requests(), 1);
}

#[tokio::test]
async fn a_demotion_that_was_cut_off_is_finished_by_the_next() {
    let house = House::new();
    house.connect().await;
    house.issuer.revoke_grants();
    house.clock.advance(HOUR);
    // Killed after the mark was written, before the connection was.
    struct Dead(Arc<dyn tool_connect_core::store::ConnectionStore>);
    #[async_trait::async_trait]
    impl tool_connect_core::store::ConnectionStore for Dead {
        async fn put(&self, _: tool_connect_core::Connection) -> Result<tool_connect_core::Connection> {
            Err(super::stores::storage_error())
        }
        async fn get(
            &self,
            tenant: &tool_connect_core::TenantId,
            id: &tool_connect_core::ConnectionId,
        ) -> Result<Option<tool_connect_core::Connection>> {
            self.0.get(tenant, id).await
        }
        async fn list(
            &self,
            tenant: &tool_connect_core::TenantId,
            filter: &tool_connect_core::store::ConnectionFilter,
        ) -> Result<Vec<tool_connect_core::Connection>> {
            self.0.list(tenant, filter).await
        }
        async fn delete(
            &self,
            tenant: &tool_connect_core::TenantId,
            id: &tool_connect_core::ConnectionId,
        ) -> Result<bool> {
            self.0.delete(tenant, id).await
        }
    }
    let mut stores = house.stores.clone();
    stores.connections = Arc::new(Dead(Arc::clone(&house.stores.connections)));
    let dead = house.manager_on(&stores, house.transport());
    assert_eq!(
        dead.access(&house.connection, &house.scheme).await.expect_err("down").kind(),
        ErrorKind::Storage
    );
    assert_eq!(house.status().await, ConnectionStatus::Active);
    let error = house.manager().access(&house.connection, &house.scheme).await.expect_err("gone");
    assert_eq!(error.kind(), ErrorKind::NeedsReauth);
    assert_eq!((house.status().await, house.count(is_reauth)), (ConnectionStatus::NeedsReauth, 1));
    assert_eq!(house.requests(), 1);
}
