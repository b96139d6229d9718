//! Rules of [`ApprovalStore`].

use std::sync::Arc;
use std::time::Duration;

use tool_connect_core::store::{
    Approval, ApprovalStatus, ApprovalStore, CallHash, Decision, Fence, NewApproval, Reservation,
};
use tool_connect_core::{AgentId, ApprovalId, Clock, ErrorKind};

use super::{in_seconds, race, seconds, tenant, tool, user};
use crate::ManualClock;

type Store = Arc<dyn ApprovalStore>;

const HASH: CallHash = [7; 32];
const LEASE: Duration = seconds(30);

fn id(text: &str) -> ApprovalId {
    ApprovalId::new(text).expect("a valid approval id")
}

/// An approval that ends in ten minutes.
fn new(clock: &ManualClock, text: &str) -> NewApproval {
    NewApproval {
        id: id(text),
        tenant: tenant("acme"),
        user: user("ada"),
        agent: None,
        tool: tool("files.delete"),
        reason: "it deletes".to_owned(),
        hash: HASH,
        expires: in_seconds(clock, 600),
    }
}

async fn create(store: &Store, approval: NewApproval) {
    store.create(approval).await.expect("create");
}

async fn decide(store: &Store, text: &str, decision: Decision) -> Approval {
    store.decide(&tenant("acme"), &id(text), decision, &user("boss")).await.expect("decide")
}

async fn approved(store: &Store, clock: &ManualClock, text: &str) {
    create(store, new(clock, text)).await;
    assert_eq!(decide(store, text, Decision::Approve).await.status, ApprovalStatus::Approved);
}

async fn status(store: &Store, text: &str) -> Option<ApprovalStatus> {
    store.get(&tenant("acme"), &id(text)).await.expect("get").map(|approval| approval.status)
}

async fn reserve(store: &Store, text: &str) -> Reservation {
    store.reserve(&tenant("acme"), &id(text), &HASH, LEASE).await.expect("reserve")
}

async fn reserved(store: &Store, text: &str) -> Fence {
    match reserve(store, text).await {
        Reservation::Reserved(fence) => fence,
        other => panic!("expected a reservation, not {other:?}"),
    }
}

async fn commit(store: &Store, text: &str, fence: Fence) -> bool {
    store.commit(&tenant("acme"), &id(text), fence).await.expect("commit")
}

async fn release(store: &Store, text: &str, fence: Fence) -> bool {
    store.release(&tenant("acme"), &id(text), fence).await.expect("release")
}

/// Every field survives; nobody has decided.
pub async fn an_approval_reads_back_as_pending(store: Store, clock: Arc<ManualClock>) {
    let mut request = new(&clock, "a");
    request.agent = Some(AgentId::new("bot").expect("valid"));
    create(&store, request.clone()).await;
    let expected = Approval { request, status: ApprovalStatus::Pending, decided_by: None };
    assert_eq!(store.get(&tenant("acme"), &id("a")).await.expect("get"), Some(expected));
    assert_eq!(status(&store, "nobody").await, None);
}

/// An id is given once, and the first one stays as it was.
pub async fn a_taken_id_is_refused(store: Store, clock: Arc<ManualClock>) {
    approved(&store, &clock, "a").await;
    let mut again = new(&clock, "a");
    again.hash = [9; 32];
    let error = store.create(again).await.expect_err("a conflict");
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    assert_eq!(status(&store, "a").await, Some(ApprovalStatus::Approved));
    reserved(&store, "a").await;
}

/// Another tenant neither sees an approval nor can act on it, and may use its id.
pub async fn tenants_do_not_meet(store: Store, clock: Arc<ManualClock>) {
    approved(&store, &clock, "a").await;
    let globex = tenant("globex");
    assert_eq!(store.get(&globex, &id("a")).await.expect("get"), None);
    assert_eq!(store.reserve(&globex, &id("a"), &HASH, LEASE).await.expect("reserve"), Reservation::Unknown);
    let error = store.decide(&globex, &id("a"), Decision::Deny, &user("eve")).await.expect_err("unknown");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let fence = reserved(&store, "a").await;
    assert!(!store.commit(&globex, &id("a"), fence).await.expect("commit"));
    assert!(!store.release(&globex, &id("a"), fence).await.expect("release"));
    create(&store, NewApproval { tenant: globex.clone(), ..new(&clock, "a") }).await;
    assert_eq!(store.pending(&globex).await.expect("pending").len(), 1);
    assert_eq!(store.pending(&tenant("acme")).await.expect("pending"), []);
    assert!(commit(&store, "a", fence).await);
}

/// The first decision holds; a second one is answered with the first.
pub async fn a_decision_stands(store: Store, clock: Arc<ManualClock>) {
    for (text, first, second, expected) in [
        ("yes", Decision::Approve, Decision::Deny, ApprovalStatus::Approved),
        ("no", Decision::Deny, Decision::Approve, ApprovalStatus::Denied),
    ] {
        create(&store, new(&clock, text)).await;
        let decided = decide(&store, text, first).await;
        assert_eq!(decided.status, expected);
        assert_eq!(decided.decided_by, Some(user("boss")));
        let late = store.decide(&tenant("acme"), &id(text), second, &user("other")).await.expect("decide");
        assert_eq!(late, decided);
        assert_eq!(store.get(&tenant("acme"), &id(text)).await.expect("get"), Some(decided));
    }
}

/// After its end nobody can say yes any more.
pub async fn an_expired_approval_cannot_be_decided(store: Store, clock: Arc<ManualClock>) {
    create(&store, new(&clock, "a")).await;
    clock.advance(seconds(600));
    let late = decide(&store, "a", Decision::Approve).await;
    assert_eq!((late.status, late.decided_by), (ApprovalStatus::Pending, None));
    assert_eq!(reserve(&store, "a").await, Reservation::Expired);
}

/// A decision on what does not exist is an error, not a new approval.
pub async fn deciding_an_unknown_one_is_not_found(store: Store, _clock: Arc<ManualClock>) {
    let error =
        store.decide(&tenant("acme"), &id("a"), Decision::Approve, &user("boss")).await.expect_err("unknown");
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    assert_eq!(status(&store, "a").await, None);
}

/// The list holds what is undecided and unexpired; what ends first comes first.
pub async fn pending_lists_the_open_ones_by_their_end(store: Store, clock: Arc<ManualClock>) {
    for (text, end) in [("late", 900), ("early", 300), ("gone", 10), ("decided", 600), ("same_end", 300)] {
        create(&store, NewApproval { expires: in_seconds(&clock, end), ..new(&clock, text) }).await;
    }
    decide(&store, "decided", Decision::Approve).await;
    clock.advance(seconds(10));
    let open = store.pending(&tenant("acme")).await.expect("pending");
    let ids: Vec<&str> = open.iter().map(|approval| approval.request.id.as_str()).collect();
    assert_eq!(ids, ["early", "same_end", "late"]);
}

/// Of many calls that want one approval one gets it.
pub async fn one_of_many_reservations_wins(store: Store, clock: Arc<ManualClock>) {
    approved(&store, &clock, "a").await;
    let answers = race(16, |_| {
        let store = Arc::clone(&store);
        async move { reserve(&store, "a").await }
    })
    .await;
    let won = answers.iter().filter(|answer| matches!(answer, Reservation::Reserved(_))).count();
    let lost = answers.iter().filter(|answer| **answer == Reservation::Used).count();
    assert_eq!((won, lost), (1, 15));
}

/// Unknown, then another call's, then used or denied, then expired, then pending.
pub async fn a_reservation_answers_in_the_documented_order(store: Store, clock: Arc<ManualClock>) {
    let other =
        async |text: &str| store.reserve(&tenant("acme"), &id(text), &[8; 32], LEASE).await.expect("reserve");
    assert_eq!(reserve(&store, "nobody").await, Reservation::Unknown);
    for text in ["pending", "denied", "approved", "used", "reserved"] {
        create(&store, new(&clock, text)).await;
    }
    decide(&store, "denied", Decision::Deny).await;
    for text in ["approved", "used", "reserved"] {
        decide(&store, text, Decision::Approve).await;
    }
    let fence = reserved(&store, "used").await;
    assert!(commit(&store, "used", fence).await);
    reserved(&store, "reserved").await;

    for text in ["pending", "denied", "approved", "used", "reserved"] {
        assert_eq!(other(text).await, Reservation::Mismatch, "{text}");
    }
    assert_eq!(status(&store, "approved").await, Some(ApprovalStatus::Approved), "a mismatch takes nothing");
    assert_eq!(reserve(&store, "pending").await, Reservation::Pending);
    assert_eq!(reserve(&store, "denied").await, Reservation::Denied);
    assert_eq!(reserve(&store, "used").await, Reservation::Used);
    assert_eq!(reserve(&store, "reserved").await, Reservation::Used);

    clock.advance(seconds(600));
    assert_eq!(other("approved").await, Reservation::Mismatch);
    assert_eq!(reserve(&store, "pending").await, Reservation::Expired);
    assert_eq!(reserve(&store, "approved").await, Reservation::Expired);
    assert_eq!(reserve(&store, "denied").await, Reservation::Denied);
    assert_eq!(reserve(&store, "used").await, Reservation::Used);
}

/// One approval, one call.
pub async fn a_committed_approval_is_used_up(store: Store, clock: Arc<ManualClock>) {
    approved(&store, &clock, "a").await;
    let fence = reserved(&store, "a").await;
    assert_eq!(status(&store, "a").await, Some(ApprovalStatus::Reserved));
    assert!(commit(&store, "a", fence).await);
    assert_eq!(status(&store, "a").await, Some(ApprovalStatus::Used));
    assert!(!commit(&store, "a", fence).await);
    assert!(!release(&store, "a", fence).await);
    assert_eq!(reserve(&store, "a").await, Reservation::Used);
}

/// A call that did not reach its tool gives the approval back, even if it ends meanwhile.
pub async fn a_released_approval_can_be_reserved_again(store: Store, clock: Arc<ManualClock>) {
    approved(&store, &clock, "a").await;
    let first = reserved(&store, "a").await;
    assert!(release(&store, "a", first).await);
    assert_eq!(status(&store, "a").await, Some(ApprovalStatus::Approved));
    let second = reserved(&store, "a").await;
    assert!(second > first, "{second} > {first}");
    assert!(commit(&store, "a", second).await);
}

/// Whoever holds an older fence can neither use an approval up nor give it back.
pub async fn a_stale_fence_changes_nothing(store: Store, clock: Arc<ManualClock>) {
    approved(&store, &clock, "a").await;
    let stale = reserved(&store, "a").await;
    assert!(release(&store, "a", stale).await);
    assert!(!commit(&store, "a", stale).await);
    let current = reserved(&store, "a").await;
    for wrong in [stale, current + 1] {
        assert!(!commit(&store, "a", wrong).await);
        assert!(!release(&store, "a", wrong).await);
    }
    assert_eq!(status(&store, "a").await, Some(ApprovalStatus::Reserved));
    assert!(commit(&store, "a", current).await);
}

/// A reservation that nobody ended in time may have run: nobody gets the approval again.
pub async fn a_lapsed_reservation_counts_as_used(store: Store, clock: Arc<ManualClock>) {
    approved(&store, &clock, "a").await;
    let fence = reserved(&store, "a").await;
    clock.advance(LEASE - seconds(1));
    assert_eq!(status(&store, "a").await, Some(ApprovalStatus::Reserved));
    clock.advance(seconds(1));
    assert_eq!(status(&store, "a").await, Some(ApprovalStatus::Used));
    assert_eq!(reserve(&store, "a").await, Reservation::Used);
    assert!(!release(&store, "a", fence).await);
    assert_eq!(decide(&store, "a", Decision::Deny).await.status, ApprovalStatus::Used);
}

/// The holder of a lapsed reservation can still record its use, once.
pub async fn a_lapsed_reservation_commits_once(store: Store, clock: Arc<ManualClock>) {
    approved(&store, &clock, "a").await;
    let fence = reserved(&store, "a").await;
    clock.advance(LEASE * 2);
    assert!(commit(&store, "a", fence).await);
    assert!(!commit(&store, "a", fence).await);
}

/// A purge takes what ended before the given time, never what has not ended.
pub async fn purge_drops_what_ended_long_ago(store: Store, clock: Arc<ManualClock>) {
    for (text, end) in [("old", 10), ("recent", 100), ("open", 1000)] {
        create(&store, NewApproval { expires: in_seconds(&clock, end), ..new(&clock, text) }).await;
    }
    clock.advance(seconds(200));
    let long_ago = clock.now() - seconds(150);
    assert_eq!(store.purge(long_ago).await.expect("purge"), 1);
    assert_eq!(status(&store, "old").await, None);
    assert_eq!(store.purge(in_seconds(&clock, 10_000)).await.expect("purge"), 1);
    assert_eq!(status(&store, "recent").await, None);
    assert_eq!(status(&store, "open").await, Some(ApprovalStatus::Pending));
}
