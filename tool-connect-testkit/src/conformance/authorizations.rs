//! Rules of [`AuthorizationStateStore`].

use std::sync::Arc;

use tool_connect_core::ErrorKind;
use tool_connect_core::store::{AuthorizationState, AuthorizationStateStore};

use super::{in_seconds, race, seconds, tenant, user};
use crate::ManualClock;

type Store = Arc<dyn AuthorizationStateStore>;

/// A state that ends in ten minutes.
fn new(clock: &ManualClock, id: &str) -> AuthorizationState {
    ending(clock, id, 600)
}

fn ending(clock: &ManualClock, id: &str, end: u64) -> AuthorizationState {
    let sealed = format!("sealed {id}").into_bytes();
    AuthorizationState::new(tenant("acme"), id, user("ada"), sealed, in_seconds(clock, end))
}

async fn put(store: &Store, state: AuthorizationState) {
    store.put(state).await.expect("put");
}

async fn refused(store: &Store, state: AuthorizationState) {
    let error = store.put(state).await.expect_err("a conflict");
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
}

async fn get(store: &Store, id: &str) -> Option<AuthorizationState> {
    store.get(&tenant("acme"), id).await.expect("get")
}

async fn consume(store: &Store, id: &str) -> Option<AuthorizationState> {
    store.consume(&tenant("acme"), id).await.expect("consume")
}

/// Every field survives, also bytes that are no text; reading uses nothing up.
pub async fn a_state_reads_back_as_written(store: Store, clock: Arc<ManualClock>) {
    let mut written = new(&clock, "s");
    written.sealed = (0..=255).cycle().take(5000).collect();
    put(&store, written.clone()).await;
    for _ in 0..2 {
        assert!(get(&store, "s").await.as_ref() == Some(&written), "it reads back as it was written");
    }
    assert!(consume(&store, "s").await == Some(written), "it is consumed as it was written");
    assert!(get(&store, "nobody").await.is_none());
    assert!(consume(&store, "nobody").await.is_none());
}

/// One use, whoever asks again.
pub async fn a_state_is_used_once(store: Store, clock: Arc<ManualClock>) {
    put(&store, new(&clock, "s")).await;
    put(&store, new(&clock, "other")).await;
    assert!(consume(&store, "s").await.is_some());
    assert!(consume(&store, "s").await.is_none());
    assert!(get(&store, "s").await.is_none());
    assert!(get(&store, "other").await.is_some());
}

/// Of many that would use it at once exactly one does.
pub async fn one_of_many_consumers_wins(store: Store, clock: Arc<ManualClock>) {
    for round in 0..20 {
        let id = format!("s{round}");
        put(&store, new(&clock, &id)).await;
        let answers = race(16, |_| {
            let (store, id) = (Arc::clone(&store), id.clone());
            async move { consume(&store, &id).await }
        })
        .await;
        let won: Vec<_> = answers.into_iter().flatten().collect();
        assert_eq!(won.len(), 1);
        assert!(won[0] == new(&clock, &id), "the winner gets all of it");
    }
}

/// At its end it is gone, whether or not somebody purges.
pub async fn an_ended_state_is_gone(store: Store, clock: Arc<ManualClock>) {
    put(&store, new(&clock, "s")).await;
    clock.advance(seconds(599));
    assert!(get(&store, "s").await.is_some());
    clock.advance(seconds(1));
    assert!(get(&store, "s").await.is_none());
    assert!(consume(&store, "s").await.is_none());
    put(&store, ending(&clock, "late", 0)).await;
    assert!(consume(&store, "late").await.is_none(), "one that ended before it began");
}

/// An id is given once, and the first one stays as it was.
pub async fn a_taken_id_is_refused(store: Store, clock: Arc<ManualClock>) {
    put(&store, new(&clock, "s")).await;
    let mut second = new(&clock, "s");
    second.user = user("eve");
    refused(&store, second).await;
    assert!(get(&store, "s").await == Some(new(&clock, "s")));
}

/// A used id cannot be brought back before its end, not even by a purge in between.
pub async fn a_used_id_stays_taken_until_its_end(store: Store, clock: Arc<ManualClock>) {
    let state = new(&clock, "s");
    put(&store, state.clone()).await;
    assert!(consume(&store, "s").await.is_some());
    refused(&store, state.clone()).await;
    clock.advance(seconds(599));
    assert_eq!(store.purge().await.expect("purge"), 0);
    refused(&store, state).await;
    assert!(consume(&store, "s").await.is_none());
    clock.advance(seconds(1));
    put(&store, new(&clock, "s")).await;
    assert!(consume(&store, "s").await.is_some(), "after its end it is free");
}

/// Of many that write one id one wins.
pub async fn one_of_many_writers_of_an_id_wins(store: Store, clock: Arc<ManualClock>) {
    let base = new(&clock, "s");
    let answers = race(8, |n| {
        let (store, mut mine) = (Arc::clone(&store), base.clone());
        mine.user = user(&format!("user {n}"));
        async move { store.put(mine.clone()).await.map(|()| mine) }
    })
    .await;
    let won: Vec<_> = answers.into_iter().flatten().collect();
    assert_eq!(won.len(), 1);
    assert!(get(&store, "s").await.as_ref() == won.first());
}

/// Another tenant neither sees it nor uses it up, and may use its id.
pub async fn tenants_do_not_meet(store: Store, clock: Arc<ManualClock>) {
    put(&store, new(&clock, "s")).await;
    let globex = tenant("globex");
    assert!(store.get(&globex, "s").await.expect("get").is_none());
    assert!(store.consume(&globex, "s").await.expect("consume").is_none());
    let mut theirs = new(&clock, "s");
    theirs.tenant = globex.clone();
    put(&store, theirs.clone()).await;
    assert!(consume(&store, "s").await == Some(new(&clock, "s")));
    assert!(store.consume(&globex, "s").await.expect("consume") == Some(theirs));
}

/// Ids are text without meaning: case and near likeness tell them apart.
pub async fn ids_are_compared_byte_for_byte(store: Store, clock: Arc<ManualClock>) {
    let ids = ["s", "S", "s ", "", "%", "_", "é", "e\u{301}", "0", "00"];
    for id in ids {
        put(&store, new(&clock, id)).await;
    }
    for id in ids {
        assert!(consume(&store, id).await == Some(new(&clock, id)), "{id:?} is its own");
    }
}

/// A purge forgets what ended, used or not, and nothing else.
pub async fn purge_drops_only_what_ended(store: Store, clock: Arc<ManualClock>) {
    for (id, end) in [("old", 10), ("used", 10), ("open", 1000), ("used_open", 1000)] {
        put(&store, ending(&clock, id, end)).await;
    }
    assert!(consume(&store, "used").await.is_some());
    assert!(consume(&store, "used_open").await.is_some());
    clock.advance(seconds(10));
    assert_eq!(store.purge().await.expect("purge"), 2);
    assert_eq!(store.purge().await.expect("purge"), 0);
    assert!(get(&store, "open").await.is_some());
    refused(&store, new(&clock, "used_open")).await;
}
