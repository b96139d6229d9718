//! Rules of [`QuotaStore`].

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tool_connect_core::store::{QuotaDecision, QuotaKey, QuotaRequest, QuotaStore};
use tool_connect_core::{Clock, ErrorKind};

use super::{race, seconds, tenant};
use crate::ManualClock;

type Store = Arc<dyn QuotaStore>;

const DAY: Duration = seconds(86_400);

fn wish(name: &str, cost: u64, limit: u64) -> QuotaRequest {
    let key = QuotaKey { tenant: tenant("acme"), name: name.to_owned() };
    QuotaRequest { key, cost, limit, window: DAY }
}

async fn acquire(store: &Store, wishes: &[QuotaRequest]) -> QuotaDecision {
    let decision = store.acquire(wishes).await.expect("acquire");
    assert_eq!(decision.remaining.len(), wishes.len());
    assert_eq!(decision.resets.len(), wishes.len());
    decision
}

async fn taken(store: &Store, wish: &QuotaRequest) -> bool {
    acquire(store, std::slice::from_ref(wish)).await.refused.is_none()
}

async fn remaining(store: &Store, name: &str, limit: u64) -> u64 {
    acquire(store, &[wish(name, 0, limit)]).await.remaining[0]
}

/// A window holds exactly its limit, and says what is left.
pub async fn a_window_holds_its_limit(store: Store, _clock: Arc<ManualClock>) {
    for left in [7, 4, 1] {
        let decision = acquire(&store, &[wish("user:ada", 3, 10)]).await;
        assert_eq!((decision.refused, decision.remaining), (None, vec![left]));
    }
    let decision = acquire(&store, &[wish("user:ada", 3, 10)]).await;
    assert_eq!((decision.refused, decision.remaining), (Some(0), vec![1]));
    assert!(taken(&store, &wish("user:ada", 1, 10)).await);
    assert!(!taken(&store, &wish("user:ada", 1, 10)).await);
    assert_eq!(acquire(&store, &[]).await.refused, None);
}

/// If one wish does not fit, none is taken; the answer names the first that did not.
pub async fn everything_or_nothing_is_taken(store: Store, _clock: Arc<ManualClock>) {
    let wishes = [wish("tenant", 1, 100), wish("user:ada", 5, 4), wish("plan", 1, 0)];
    let decision = acquire(&store, &wishes).await;
    assert_eq!((decision.refused, decision.remaining), (Some(1), vec![100, 4, 0]));
    assert_eq!(remaining(&store, "tenant", 100).await, 100);
    let decision = acquire(&store, &wishes[..1]).await;
    assert_eq!((decision.refused, decision.remaining), (None, vec![99]));
}

/// Two wishes for one counter add up; a wish that costs nothing is never refused.
pub async fn one_counter_can_be_named_twice(store: Store, _clock: Arc<ManualClock>) {
    let decision = acquire(&store, &[wish("tenant", 6, 10), wish("tenant", 5, 10)]).await;
    assert_eq!((decision.refused, decision.remaining), (Some(1), vec![10, 10]));
    let decision = acquire(&store, &[wish("tenant", 6, 10), wish("tenant", 4, 10)]).await;
    assert_eq!((decision.refused, decision.remaining), (None, vec![0, 0]));
    let decision = acquire(&store, &[wish("tenant", 0, 10)]).await;
    assert_eq!((decision.refused, decision.remaining), (None, vec![0]));
}

/// A day begins at midnight UTC, not at the first call; then the whole limit is there again.
pub async fn windows_begin_at_multiples_of_their_length(store: Store, clock: Arc<ManualClock>) {
    clock.advance(seconds(86_400 - 10));
    let midnight = clock.now() + seconds(10);
    let decision = acquire(&store, &[wish("user:ada", 10, 10)]).await;
    assert_eq!((decision.refused, decision.resets), (None, vec![midnight]));
    clock.advance(seconds(9));
    assert!(!taken(&store, &wish("user:ada", 1, 10)).await);
    clock.advance(seconds(1));
    let decision = acquire(&store, &[wish("user:ada", 10, 10)]).await;
    assert_eq!((decision.refused, decision.resets), (None, vec![midnight + DAY]));
}

/// One name may be counted over an hour and over a day.
pub async fn windows_of_different_lengths_count_apart(store: Store, clock: Arc<ManualClock>) {
    let both = [QuotaRequest { window: seconds(3600), ..wish("user:ada", 1, 2) }, wish("user:ada", 1, 3)];
    for left in [vec![1, 2], vec![0, 1]] {
        assert_eq!(acquire(&store, &both).await.remaining, left);
    }
    assert_eq!(acquire(&store, &both).await.refused, Some(0));
    clock.advance(seconds(3600));
    assert_eq!(acquire(&store, &both).await.remaining, [1, 0]);
    assert_eq!(acquire(&store, &both).await.refused, Some(1));
}

/// What one tenant or name uses, no other lacks.
pub async fn tenants_and_names_count_apart(store: Store, _clock: Arc<ManualClock>) {
    assert!(taken(&store, &wish("user:ada", 10, 10)).await);
    assert!(taken(&store, &wish("user:bob", 10, 10)).await);
    assert!(taken(&store, &wish("USER:ADA", 10, 10)).await);
    let mut other = wish("user:ada", 10, 10);
    other.key.tenant = tenant("globex");
    // In one decision with a tenant that has nothing left.
    let decision = acquire(&store, &[wish("user:ada", 0, 10), other]).await;
    assert_eq!((decision.refused, decision.remaining), (None, vec![0, 0]));
}

/// Many calls at once never take more than the limit, and never less.
pub async fn concurrent_calls_stay_within_the_limit(store: Store, _clock: Arc<ManualClock>) {
    let answers = race(32, |n| {
        let store = Arc::clone(&store);
        // In changing order, so that a store which locks as it goes would lock up.
        let mut wishes = vec![wish("tenant", 1, 20), wish("user:ada", 1, 25)];
        let mut globex = wish("tenant", 1, 1000);
        globex.key.tenant = tenant("globex");
        wishes.insert(n % 3, globex);
        async move { acquire(&store, &wishes).await.refused.is_none() }
    })
    .await;
    assert_eq!(answers.iter().filter(|taken| **taken).count(), 20);
    assert_eq!(remaining(&store, "tenant", 20).await, 0);
    assert_eq!(remaining(&store, "user:ada", 25).await, 5);
}

/// A limit belongs to the wish: a plan may change within a window.
pub async fn a_changed_limit_holds_at_once(store: Store, _clock: Arc<ManualClock>) {
    assert!(taken(&store, &wish("tenant", 5, 10)).await);
    let decision = acquire(&store, &[wish("tenant", 1, 3)]).await;
    assert_eq!((decision.refused, decision.remaining), (Some(0), vec![0]));
    assert_eq!(acquire(&store, &[wish("tenant", 7, 12)]).await.remaining, [0]);
}

/// The largest costs, limits and windows neither wrap around nor fail.
pub async fn extreme_numbers_do_not_overflow(store: Store, _clock: Arc<ManualClock>) {
    assert!(!taken(&store, &wish("tenant", u64::MAX, 10)).await);
    assert!(taken(&store, &wish("tenant", 1, u64::MAX)).await);
    assert!(!taken(&store, &wish("tenant", u64::MAX, u64::MAX)).await);
    assert_eq!(remaining(&store, "tenant", 10).await, 9);
    let endless = QuotaRequest { window: Duration::MAX, ..wish("tenant", 2, 3) };
    assert!(taken(&store, &endless).await);
    assert!(!taken(&store, &endless).await);
}

/// A window shorter than a millisecond is the host's mistake.
pub async fn a_window_without_length_is_refused(store: Store, _clock: Arc<ManualClock>) {
    for window in [Duration::ZERO, Duration::from_micros(999)] {
        let wishes = [wish("tenant", 1, 10), QuotaRequest { window, ..wish("user:ada", 1, 10) }];
        let error = store.acquire(&wishes).await.expect_err("no window");
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    }
    assert_eq!(remaining(&store, "tenant", 10).await, 10);
}

/// A wall clock that goes back into the window before and returns finds what was taken.
pub async fn a_clock_that_goes_back_refills_nothing(store: Store, clock: Arc<ManualClock>) {
    let here = clock.now();
    assert!(taken(&store, &wish("tenant", 10, 10)).await);
    clock.set_wall(here - seconds(3600));
    assert!(taken(&store, &wish("tenant", 4, 10)).await, "yesterday had room");
    clock.set_wall(here);
    assert!(!taken(&store, &wish("tenant", 1, 10)).await);
    clock.set_wall(SystemTime::UNIX_EPOCH);
    assert!(taken(&store, &wish("tenant", 1, 10)).await);
}

/// A purge takes counters whose window ended and nothing else.
pub async fn purge_drops_ended_windows(store: Store, clock: Arc<ManualClock>) {
    assert!(taken(&store, &QuotaRequest { window: seconds(60), ..wish("brief", 1, 10) }).await);
    assert!(taken(&store, &wish("tenant", 10, 10)).await);
    assert_eq!(store.purge().await.expect("purge"), 0);
    clock.advance(seconds(60));
    assert_eq!(store.purge().await.expect("purge"), 1);
    assert_eq!(store.purge().await.expect("purge"), 0);
    assert_eq!(remaining(&store, "tenant", 10).await, 0);
}
