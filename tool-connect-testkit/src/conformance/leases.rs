//! Rules of [`LeaseStore`].

use std::sync::Arc;
use std::time::Duration;

use tool_connect_core::Clock;
use tool_connect_core::store::{Fence, LeaseGrant, LeaseStore};

use super::{race, seconds, tenant};
use crate::ManualClock;

type Store = Arc<dyn LeaseStore>;

const TIME: Duration = seconds(10);

async fn acquire(store: &Store, name: &str) -> LeaseGrant {
    store.acquire(&tenant("acme"), name, TIME).await.expect("acquire")
}

async fn granted(store: &Store, name: &str) -> Fence {
    match acquire(store, name).await {
        LeaseGrant::Granted { fence } => fence,
        other => panic!("expected the lease, not {other:?}"),
    }
}

async fn remaining(store: &Store, name: &str) -> Duration {
    match acquire(store, name).await {
        LeaseGrant::Held { remaining } => remaining,
        other => panic!("expected that somebody holds it, not {other:?}"),
    }
}

async fn renew(store: &Store, name: &str, fence: Fence) -> bool {
    store.renew(&tenant("acme"), name, fence, TIME).await.expect("renew")
}

async fn release(store: &Store, name: &str, fence: Fence) -> bool {
    store.release(&tenant("acme"), name, fence).await.expect("release")
}

/// One caller gets it; the next ones, itself included, hear for how long at most.
pub async fn a_held_lease_says_how_long(store: Store, clock: Arc<ManualClock>) {
    granted(&store, "l").await;
    assert_eq!(remaining(&store, "l").await, TIME);
    clock.advance(seconds(4));
    assert_eq!(remaining(&store, "l").await, TIME - seconds(4));
    clock.advance(Duration::from_millis(5999));
    assert_eq!(remaining(&store, "l").await, Duration::from_millis(1));
}

/// Of many callers at once one gets it, again and again.
pub async fn one_of_many_acquirers_wins(store: Store, clock: Arc<ManualClock>) {
    for round in 0..20 {
        let answers = race(8, |_| {
            let store = Arc::clone(&store);
            async move { acquire(&store, "l").await }
        })
        .await;
        let won = answers.iter().filter(|answer| matches!(answer, LeaseGrant::Granted { .. })).count();
        assert_eq!(won, 1, "round {round}");
        clock.advance(TIME);
    }
}

/// When its time is over, to the millisecond, another one gets it.
pub async fn an_ended_lease_can_be_taken(store: Store, clock: Arc<ManualClock>) {
    let first = granted(&store, "l").await;
    clock.advance(TIME);
    let second = granted(&store, "l").await;
    assert!(second > first, "{second} > {first}");
    assert_eq!(remaining(&store, "l").await, TIME);
}

/// A released lease is free at once; it is released once.
pub async fn a_released_lease_is_free(store: Store, _clock: Arc<ManualClock>) {
    let first = granted(&store, "l").await;
    assert!(release(&store, "l", first).await);
    assert!(!release(&store, "l", first).await);
    let second = granted(&store, "l").await;
    assert!(second > first, "{second} > {first}");
}

/// A renewal begins the time anew, from the present moment.
pub async fn a_renewed_lease_begins_anew(store: Store, clock: Arc<ManualClock>) {
    let fence = granted(&store, "l").await;
    for _ in 0..3 {
        clock.advance(TIME - seconds(1));
        assert!(renew(&store, "l", fence).await);
    }
    assert_eq!(remaining(&store, "l").await, TIME);
    assert!(store.renew(&tenant("acme"), "l", fence, seconds(2)).await.expect("renew"), "also for less");
    assert_eq!(remaining(&store, "l").await, seconds(2));
}

/// Whoever comes after the end has lost it, even if nobody else took it.
pub async fn a_lapsed_holder_has_lost_it(store: Store, clock: Arc<ManualClock>) {
    let fence = granted(&store, "l").await;
    clock.advance(TIME);
    assert!(!renew(&store, "l", fence).await);
    assert!(!release(&store, "l", fence).await);
    granted(&store, "l").await;
}

/// A fence from before the present holder's, and one that was never given, change nothing.
pub async fn a_stale_fence_changes_nothing(store: Store, clock: Arc<ManualClock>) {
    let stale = granted(&store, "l").await;
    clock.advance(TIME);
    let current = granted(&store, "l").await;
    for wrong in [stale, current + 1, 0, u64::MAX] {
        assert!(!renew(&store, "l", wrong).await);
        assert!(!release(&store, "l", wrong).await);
    }
    assert_eq!(remaining(&store, "l").await, TIME);
    assert!(release(&store, "l", current).await);
    assert!(!renew(&store, "l", current).await, "released is released");
}

/// Fences of a name rise, whatever became of the leases before: also where nothing is left of them.
pub async fn fences_rise_for_ever(store: Store, clock: Arc<ManualClock>) {
    let mut last = 0;
    for round in 0..12 {
        let fence = granted(&store, "l").await;
        assert!(fence > last, "{fence} after {last}, round {round}");
        last = fence;
        match round % 3 {
            0 => assert!(release(&store, "l", fence).await),
            1 => clock.advance(TIME),
            _ => {
                clock.advance(TIME);
                assert_eq!(store.purge(Duration::ZERO).await.expect("purge"), 1);
            }
        }
    }
}

/// Names, and the same name in two tenants, are different leases.
pub async fn names_and_tenants_do_not_meet(store: Store, _clock: Arc<ManualClock>) {
    let fence = granted(&store, "l").await;
    for name in ["L", "l ", "", "%", "é", "e\u{301}"] {
        granted(&store, name).await;
    }
    let globex = tenant("globex");
    let theirs = match store.acquire(&globex, "l", TIME).await.expect("acquire") {
        LeaseGrant::Granted { fence } => fence,
        other => panic!("expected the lease, not {other:?}"),
    };
    if theirs != fence {
        assert!(!release(&store, "l", theirs).await);
        assert!(!store.release(&globex, "l", fence).await.expect("release"));
        assert!(!store.renew(&globex, "l", fence, TIME).await.expect("renew"));
    }
    assert!(store.release(&globex, "l", theirs).await.expect("release"));
    assert_eq!(remaining(&store, "l").await, TIME);
}

/// A purge forgets what ended so long ago, never what is held.
pub async fn purge_drops_only_what_ended_long_ago(store: Store, clock: Arc<ManualClock>) {
    granted(&store, "old").await;
    clock.advance(seconds(60));
    granted(&store, "recent").await;
    clock.advance(seconds(30));
    let held = granted(&store, "held").await;
    assert_eq!(store.purge(seconds(81)).await.expect("purge"), 0);
    assert_eq!(store.purge(seconds(30)).await.expect("purge"), 1);
    assert_eq!(store.purge(Duration::ZERO).await.expect("purge"), 1);
    assert_eq!(store.purge(Duration::ZERO).await.expect("purge"), 0);
    assert_eq!(remaining(&store, "held").await, TIME);
    assert!(renew(&store, "held", held).await);
}

/// A wall clock that goes back keeps a lease for its time once more, not until the old end comes again.
pub async fn a_clock_that_goes_back_stalls_nobody(store: Store, clock: Arc<ManualClock>) {
    granted(&store, "l").await;
    clock.set_wall(clock.now() - seconds(3600));
    assert!(remaining(&store, "l").await <= TIME);
    clock.advance(TIME);
    granted(&store, "l").await;
}

/// Times of any length are taken: none is over at once, and the longest does not wrap around.
pub async fn extreme_times_are_kept(store: Store, clock: Arc<ManualClock>) {
    let acme = tenant("acme");
    for time in [Duration::MAX, seconds(u64::MAX), Duration::from_secs(86_400 * 365 * 100)] {
        let name = format!("{time:?}");
        assert!(matches!(
            store.acquire(&acme, &name, time).await.expect("acquire"),
            LeaseGrant::Granted { .. }
        ));
        clock.advance(seconds(60));
        assert!(remaining(&store, &name).await > seconds(86_400));
    }
    assert_eq!(store.purge(Duration::MAX).await.expect("purge"), 0);
    for _ in 0..2 {
        let grant = store.acquire(&acme, "none", Duration::ZERO).await.expect("acquire");
        assert!(matches!(grant, LeaseGrant::Granted { .. }), "a lease of no time is over at once");
    }
}
