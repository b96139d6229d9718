//! Rules of [`IdempotencyStore`].

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tool_connect_core::store::{Begin, Fence, IdempotencyKey, IdempotencyStore, StoredOutcome};

use super::{race, seconds, tenant, tool, user};
use crate::ManualClock;

type Store = Arc<dyn IdempotencyStore>;

const LEASE: Duration = seconds(30);
const KEEP: Duration = seconds(3600);

fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey {
        tenant: tenant("acme"),
        user: user("ada"),
        tool: tool("files.write"),
        key: Arc::from(text),
    }
}

fn outcome(text: &'static str) -> StoredOutcome {
    StoredOutcome { body: Bytes::from_static(text.as_bytes()), content: Bytes::new(), trusted: true }
}

async fn begin_as(store: &Store, text: &str, call: u8) -> Begin {
    store.begin(&key(text), &[call; 32], LEASE, KEEP).await.expect("begin")
}

async fn begin(store: &Store, text: &str) -> Begin {
    begin_as(store, text, 1).await
}

async fn fresh(store: &Store, text: &str) -> Fence {
    match begin(store, text).await {
        Begin::Fresh(fence) => fence,
        other => panic!("expected a fresh key, not {other:?}"),
    }
}

async fn complete(store: &Store, text: &str, fence: Fence, with: &'static str) -> bool {
    store.complete(&key(text), fence, outcome(with)).await.expect("complete")
}

async fn release(store: &Store, text: &str, fence: Fence) -> bool {
    store.release(&key(text), fence).await.expect("release")
}

async fn abandon(store: &Store, text: &str, fence: Fence) -> bool {
    store.abandon(&key(text), fence).await.expect("abandon")
}

/// The first caller runs, the next one waits.
pub async fn a_new_key_is_fresh_and_then_in_flight(store: Store, _clock: Arc<ManualClock>) {
    fresh(&store, "k").await;
    assert_eq!(begin(&store, "k").await, Begin::InFlight);
    fresh(&store, "another").await;
}

/// Of many callers with a new key one runs.
pub async fn one_of_many_begins_wins(store: Store, _clock: Arc<ManualClock>) {
    for round in 0..20 {
        let answers = race(8, |_| {
            let store = Arc::clone(&store);
            async move { begin(&store, &format!("k{round}")).await }
        })
        .await;
        let won = answers.iter().filter(|answer| matches!(answer, Begin::Fresh(_))).count();
        let waits = answers.iter().filter(|answer| **answer == Begin::InFlight).count();
        assert_eq!((won, waits), (1, 7));
    }
}

/// What the call left behind comes back byte for byte, again and again, also after the lease.
pub async fn a_completed_call_is_replayed(store: Store, clock: Arc<ManualClock>) {
    let fence = fresh(&store, "k").await;
    let left = StoredOutcome {
        body: Bytes::from_static("{\"a\":\"\u{1F511}\\u0000\"}".as_bytes()),
        content: Bytes::from_static(&[0, 159, 146, 150]),
        trusted: false,
    };
    assert!(store.complete(&key("k"), fence, left.clone()).await.expect("complete"));
    for _ in 0..2 {
        assert_eq!(begin(&store, "k").await, Begin::Replay(left.clone()));
        clock.advance(LEASE);
    }
    let fence = fresh(&store, "empty").await;
    assert!(complete(&store, "empty", fence, "").await);
    assert_eq!(begin(&store, "empty").await, Begin::Replay(outcome("")));
}

/// A key belongs to one exact call, whatever became of it.
pub async fn another_call_with_the_key_is_a_mismatch(store: Store, clock: Arc<ManualClock>) {
    let fence = fresh(&store, "k").await;
    assert_eq!(begin_as(&store, "k", 2).await, Begin::Mismatch);
    clock.advance(LEASE);
    assert_eq!(begin_as(&store, "k", 2).await, Begin::Mismatch);
    assert!(complete(&store, "k", fence, "done").await);
    assert_eq!(begin_as(&store, "k", 2).await, Begin::Mismatch);
    assert_eq!(begin(&store, "k").await, Begin::Replay(outcome("done")));
}

/// A call that did not run frees its key, also for another call; the next fence is higher.
pub async fn a_released_key_is_fresh_again(store: Store, _clock: Arc<ManualClock>) {
    let first = fresh(&store, "k").await;
    assert!(release(&store, "k", first).await);
    match begin_as(&store, "k", 2).await {
        Begin::Fresh(second) => assert!(second > first, "{second} > {first}"),
        other => panic!("expected a fresh key, not {other:?}"),
    }
}

/// A fence from before the present claim, and one that was never given, end nothing.
pub async fn a_stale_fence_changes_nothing(store: Store, _clock: Arc<ManualClock>) {
    let stale = fresh(&store, "k").await;
    assert!(release(&store, "k", stale).await);
    assert!(!complete(&store, "k", stale, "late").await, "the key is free");
    let current = fresh(&store, "k").await;
    for wrong in [stale, current + 1] {
        assert!(!complete(&store, "k", wrong, "late").await);
        assert!(!release(&store, "k", wrong).await);
        assert!(!abandon(&store, "k", wrong).await);
        assert_eq!(begin(&store, "k").await, Begin::InFlight);
    }
    assert!(complete(&store, "k", current, "done").await);
    assert!(!complete(&store, "k", current, "twice").await);
    assert!(!release(&store, "k", current).await);
    assert!(!abandon(&store, "k", current).await);
    assert_eq!(begin(&store, "k").await, Begin::Replay(outcome("done")));
    assert!(!complete(&store, "never begun", 1, "late").await);
}

/// A claim that nobody ended in time may have run: nobody may run it again.
pub async fn a_claim_whose_lease_ended_is_indeterminate(store: Store, clock: Arc<ManualClock>) {
    fresh(&store, "k").await;
    clock.advance(LEASE - seconds(1));
    assert_eq!(begin(&store, "k").await, Begin::InFlight);
    clock.advance(seconds(1));
    for _ in 0..2 {
        assert_eq!(begin(&store, "k").await, Begin::Indeterminate);
        clock.advance(LEASE);
    }
}

/// The outcome of an indeterminate claim is taken from its own fence.
pub async fn a_late_end_is_still_the_end(store: Store, clock: Arc<ManualClock>) {
    let fence = fresh(&store, "k").await;
    clock.advance(LEASE * 2);
    assert_eq!(begin(&store, "k").await, Begin::Indeterminate);
    assert!(complete(&store, "k", fence, "late").await);
    assert_eq!(begin(&store, "k").await, Begin::Replay(outcome("late")));
}

/// A call that turns out not to have run frees its key even after the lease.
pub async fn a_late_release_frees_the_key(store: Store, clock: Arc<ManualClock>) {
    let fence = fresh(&store, "k").await;
    clock.advance(LEASE * 2);
    assert!(release(&store, "k", fence).await);
    fresh(&store, "k").await;
}

/// A caller that knows that it does not know says so before the lease ends.
pub async fn an_abandoned_claim_is_indeterminate_at_once(store: Store, _clock: Arc<ManualClock>) {
    let fence = fresh(&store, "k").await;
    assert!(abandon(&store, "k", fence).await);
    assert_eq!(begin(&store, "k").await, Begin::Indeterminate);
    assert!(complete(&store, "k", fence, "after all").await);
    assert_eq!(begin(&store, "k").await, Begin::Replay(outcome("after all")));
}

/// After `keep` a key is new, whatever it was, and its old fence is stale.
pub async fn an_old_record_counts_as_absent(store: Store, clock: Arc<ManualClock>) {
    let done = fresh(&store, "done").await;
    assert!(complete(&store, "done", done, "done").await);
    let open = fresh(&store, "open").await;
    clock.advance(KEEP - seconds(1));
    assert_eq!(begin(&store, "done").await, Begin::Replay(outcome("done")));
    assert_eq!(begin(&store, "open").await, Begin::Indeterminate);
    clock.advance(seconds(1));
    assert!(!complete(&store, "open", open, "too late").await);
    let again = fresh(&store, "open").await;
    assert!(again > open, "{again} > {open}");
    assert!(!complete(&store, "open", open, "too late").await);
    assert!(matches!(begin_as(&store, "done", 2).await, Begin::Fresh(_)));
}

/// A key is not forgotten while its call may still run.
pub async fn the_lease_outlasts_a_shorter_keep(store: Store, clock: Arc<ManualClock>) {
    let brief = async || store.begin(&key("k"), &[1; 32], LEASE, seconds(1)).await.expect("begin");
    assert!(matches!(brief().await, Begin::Fresh(_)));
    clock.advance(LEASE - seconds(1));
    assert_eq!(store.purge().await.expect("purge"), 0);
    assert_eq!(brief().await, Begin::InFlight);
}

/// The same text of another tenant, user or tool is another key.
pub async fn keys_of_others_do_not_meet(store: Store, _clock: Arc<ManualClock>) {
    let fence = fresh(&store, "k").await;
    let others = [
        IdempotencyKey { tenant: tenant("globex"), ..key("k") },
        IdempotencyKey { user: user("bob"), ..key("k") },
        IdempotencyKey { tool: tool("files.delete"), ..key("k") },
        key("K"),
        key("k "),
    ];
    for other in &others {
        assert!(!store.release(other, fence).await.expect("release"), "{other:?}");
        let begun = store.begin(other, &[2; 32], LEASE, KEEP).await.expect("begin");
        assert!(matches!(begun, Begin::Fresh(_)), "{other:?}: {begun:?}");
    }
    assert!(complete(&store, "k", fence, "mine").await);
    for other in &others {
        assert_eq!(store.begin(other, &[2; 32], LEASE, KEEP).await.expect("begin"), Begin::InFlight);
    }
}

/// A purge takes what is older than its `keep` and nothing else.
pub async fn purge_drops_only_what_ended(store: Store, clock: Arc<ManualClock>) {
    for n in 0..10 {
        let fence = fresh(&store, &format!("old{n}")).await;
        assert!(complete(&store, &format!("old{n}"), fence, "old").await);
    }
    clock.advance(KEEP - seconds(1));
    let fence = fresh(&store, "young").await;
    assert!(complete(&store, "young", fence, "young").await);
    assert_eq!(store.purge().await.expect("purge"), 0);
    clock.advance(seconds(1));
    assert_eq!(store.purge().await.expect("purge"), 10);
    assert_eq!(store.purge().await.expect("purge"), 0);
    assert_eq!(begin(&store, "young").await, Begin::Replay(outcome("young")));
}
