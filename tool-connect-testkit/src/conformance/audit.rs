//! Rules of [`AuditStore`]. The hashes here are made up: a store keeps them and compares heads.
//! A store that also holds records from before there were segments tests itself how it reads those.

use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use tool_connect_core::store::{
    AuditAppend, AuditHead, AuditStore, Checkpoint, SealedRecord, SealedSegment, Segment, SegmentBytes,
    SubjectKey,
};
use tool_connect_core::{ErrorKind, TenantId};

use super::{race, tenant, user};
use crate::ManualClock;

type Store = Arc<dyn AuditStore>;

fn record(sequence: u64, mark: u8) -> SealedRecord {
    SealedRecord {
        sequence,
        user: user(if sequence.is_multiple_of(2) { "bob" } else { "ada" }),
        millis: 1_767_225_600_000 + sequence,
        payload: Bytes::from(format!("{{\"n\":{sequence},\"mark\":{mark}}}")),
    }
}

/// A segment of these records; the first one's number is `first`.
fn sealed(first: u64, records: &[SealedRecord], mark: u8) -> SealedSegment {
    let mut bytes = SegmentBytes::with_capacity(0);
    for record in records {
        bytes.push(&record.user, record.millis, |out| out.extend_from_slice(&record.payload));
    }
    let last = first + records.len() as u64 - 1;
    let mut hash = [mark; 32];
    hash[..8].copy_from_slice(&last.to_be_bytes());
    SealedSegment { first, last, hash, bytes: bytes.finish() }
}

/// `count` records of one writer after a head.
fn segment(of: &str, after: Option<AuditHead>, count: u64, mark: u8) -> Segment {
    let first = after.map_or(1, |head| head.sequence + 1);
    let records: Vec<_> = (first..first + count).map(|n| record(n, mark)).collect();
    Segment { tenant: tenant(of), after, sealed: sealed(first, &records, mark) }
}

async fn append(store: &Store, segment: Segment) -> AuditAppend {
    let answers = store.append(&[segment]).await.expect("append");
    assert_eq!(answers.len(), 1);
    answers[0]
}

async fn head(store: &Store, of: &str) -> Option<AuditHead> {
    store.head(&tenant(of)).await.expect("head")
}

async fn all(store: &Store, of: &str) -> Vec<SealedSegment> {
    store.scan(&tenant(of), 0, usize::MAX).await.expect("scan")
}

fn records(segments: &[SealedSegment]) -> Vec<SealedRecord> {
    segments.iter().flat_map(SealedSegment::records).collect::<Result<_, _>>().expect("records")
}

fn numbers(segments: &[SealedSegment]) -> Vec<u64> {
    records(segments).iter().map(|record| record.sequence).collect()
}

/// Appends `count` records to `of`, each a segment of its own, and returns the head before the last one.
async fn filled(store: &Store, of: &str, count: u64) -> Option<AuditHead> {
    let (mut before, mut after) = (None, None);
    for _ in 0..count {
        let mine = segment(of, after, 1, 1);
        (before, after) = (after, Some(mine.end()));
        assert_eq!(append(store, mine).await, AuditAppend::Appended);
    }
    before
}

/// What was sealed comes back unchanged, also bytes that are no text, and the head is its end.
pub async fn segments_read_back_byte_for_byte(store: Store, _clock: Arc<ManualClock>) {
    assert_eq!(head(&store, "acme").await, None);
    assert_eq!(all(&store, "acme").await, []);
    let mut odd: Vec<_> = (1..=3).map(|n| record(n, 1)).collect();
    odd[1].payload = Bytes::from_static(&[0, 255, 10, 13, 39]);
    odd[2].payload = Bytes::new();
    let first = Segment { tenant: tenant("acme"), after: None, sealed: sealed(1, &odd, 1) };
    assert_eq!(append(&store, first.clone()).await, AuditAppend::Appended);
    assert_eq!(head(&store, "acme").await, Some(first.end()));
    let second = segment("acme", Some(first.end()), 2, 2);
    assert_eq!(append(&store, second.clone()).await, AuditAppend::Appended);
    // A segment that spans many pages of whatever the store keeps it in.
    let third = segment("acme", Some(second.end()), 5_000, 3);
    assert_eq!(append(&store, third.clone()).await, AuditAppend::Appended);
    assert_eq!(head(&store, "acme").await, Some(third.end()));
    let kept = all(&store, "acme").await;
    assert_eq!(records(&kept[..1]), odd);
    assert_eq!(kept, [first.sealed, second.sealed, third.sealed]);
}

/// An append at any other place than the end writes nothing and names the end.
pub async fn a_segment_that_starts_elsewhere_is_told_where_the_chain_ends(
    store: Store,
    _clock: Arc<ManualClock>,
) {
    let empty_chain = segment("acme", Some(AuditHead { sequence: 3, hash: [1; 32] }), 1, 1);
    assert_eq!(append(&store, empty_chain).await, AuditAppend::Moved(None));
    let earlier = filled(&store, "acme", 3).await.expect("a head");
    let end = head(&store, "acme").await.expect("a head");
    let forged = AuditHead { hash: [9; 32], ..end };
    let ahead = AuditHead { sequence: 9, ..end };
    for after in [None, Some(earlier), Some(forged), Some(ahead)] {
        assert_eq!(append(&store, segment("acme", after, 2, 2)).await, AuditAppend::Moved(Some(end)));
    }
    assert_eq!(numbers(&all(&store, "acme").await), [1, 2, 3]);
}

/// A gap, a wrong start or no record at all is a defect of the writer; nothing at all is appended.
pub async fn a_misnumbered_segment_stops_the_whole_append(store: Store, _clock: Arc<ManualClock>) {
    filled(&store, "acme", 2).await;
    let end = head(&store, "acme").await;
    for (first, last) in [(4, 5), (2, 3), (1, 1), (3, 2)] {
        let mut bad = segment("acme", end, 2, 2);
        (bad.sealed.first, bad.sealed.last) = (first, last);
        for segments in
            [vec![bad.clone(), segment("globex", None, 1, 1)], vec![segment("globex", None, 1, 1), bad]]
        {
            let error = store.append(&segments).await.expect_err("misnumbered");
            assert_eq!(error.kind(), ErrorKind::Internal, "{error}");
        }
    }
    assert_eq!(head(&store, "acme").await, end);
    assert_eq!(head(&store, "globex").await, None);
    assert_eq!(all(&store, "globex").await, []);
    assert_eq!(store.tenants().await.expect("tenants"), [tenant("acme")]);
}

/// One refused segment does not stop the others, and a later one sees the earlier ones.
pub async fn segments_stand_each_for_itself(store: Store, _clock: Arc<ManualClock>) {
    filled(&store, "acme", 1).await;
    let acme_end = head(&store, "acme").await;
    let first = segment("globex", None, 2, 1);
    let second = segment("globex", Some(first.end()), 1, 1);
    let answers = store
        .append(&[first, segment("acme", None, 5, 2), second, segment("acme", acme_end, 1, 1)])
        .await
        .expect("append");
    let expected =
        [AuditAppend::Appended, AuditAppend::Moved(acme_end), AuditAppend::Appended, AuditAppend::Appended];
    assert_eq!(answers, expected);
    assert_eq!(numbers(&all(&store, "globex").await), [1, 2, 3]);
    assert_eq!(numbers(&all(&store, "acme").await), [1, 2]);
    assert_eq!(store.append(&[]).await.expect("append"), []);
}

/// Of many writers at one head one appends; the others learn the new head.
pub async fn one_of_many_appends_at_a_head_wins(store: Store, _clock: Arc<ManualClock>) {
    filled(&store, "acme", 1).await;
    let before = head(&store, "acme").await;
    let answers = race(16, |n| {
        let store = Arc::clone(&store);
        let mine = segment("acme", before, 2, u8::try_from(n).unwrap_or(0) + 10);
        async move { append(&store, mine).await }
    })
    .await;
    let end = head(&store, "acme").await;
    let won = answers.iter().filter(|answer| **answer == AuditAppend::Appended).count();
    let moved = answers.iter().filter(|answer| **answer == AuditAppend::Moved(end)).count();
    assert_eq!((won, moved), (1, 15));
    assert_eq!(numbers(&all(&store, "acme").await), [1, 2, 3]);
}

/// Many writers that follow the head make one chain without gaps, with every record once.
pub async fn appending_at_once_makes_one_chain(store: Store, _clock: Arc<ManualClock>) {
    let rounds = 10;
    race(4, |n| {
        let store = Arc::clone(&store);
        let mark = u8::try_from(n).unwrap_or(0) + 1;
        async move {
            let mut after = None;
            for _ in 0..rounds {
                loop {
                    let mine = segment("acme", after, 2, mark);
                    let end = Some(mine.end());
                    match append(&store, mine).await {
                        AuditAppend::Appended => {
                            after = end;
                            break;
                        }
                        AuditAppend::Moved(head) => after = head,
                    }
                }
            }
        }
    })
    .await;
    let kept = all(&store, "acme").await;
    assert_eq!(numbers(&kept), (1..=80).collect::<Vec<_>>());
    assert!(kept.iter().all(|segment| segment.count() == 2), "a segment stays together");
    for mark in 1..=4_u8 {
        let of_writer = kept.iter().filter(|segment| segment.hash[31] == mark).count();
        assert_eq!(of_writer, 10, "writer {mark}");
    }
}

/// A store that says that it appends in order does so also where nobody waits for the first append before the next ones begin.
pub async fn appends_that_are_in_order_need_not_be_waited_for(store: Store, _clock: Arc<ManualClock>) {
    if !store.appends_in_order() {
        return;
    }
    let mut after = None;
    let segments: Vec<Segment> = (1..=20)
        .map(|mark| {
            let next = segment("acme", after, 2, mark);
            after = Some(next.end());
            next
        })
        .collect();
    let mut appends: Vec<_> =
        segments.iter().map(|segment| store.append(std::slice::from_ref(segment))).collect();
    let mut answers = vec![None; appends.len()];
    // The first poll of each counts; then the last one is asked first.
    std::future::poll_fn(|context| {
        for (place, append) in appends.iter_mut().enumerate() {
            if let Poll::Ready(answer) = append.as_mut().poll(context) {
                answers[place] = Some(answer.expect("append"));
            }
        }
        Poll::Ready(())
    })
    .await;
    for (append, answer) in appends.into_iter().zip(&mut answers).rev() {
        let answer = match answer.take() {
            Some(answer) => answer,
            None => append.await.expect("append"),
        };
        assert_eq!(answer, [AuditAppend::Appended]);
    }
    assert_eq!(head(&store, "acme").await, after);
}

/// Chains of different tenants do not know of each other.
pub async fn tenants_have_chains_of_their_own(store: Store, _clock: Arc<ManualClock>) {
    filled(&store, "globex", 1).await;
    filled(&store, "acme", 3).await;
    assert_eq!(head(&store, "globex").await.map(|head| head.sequence), Some(1));
    assert_eq!(numbers(&all(&store, "globex").await), [1]);
    assert_eq!(store.tenants().await.expect("tenants"), [tenant("acme"), tenant("globex")]);
    assert_eq!(store.prune(&tenant("globex"), 9).await.expect("prune"), 1);
    assert_eq!(numbers(&all(&store, "acme").await), [1, 2, 3]);
}

/// Pages follow on each other and end; they are made of whole segments.
pub async fn scan_pages_through_the_chain(store: Store, _clock: Arc<ManualClock>) {
    let mut after = None;
    for count in [1, 3, 1, 4, 1] {
        let mine = segment("acme", after, count, 1);
        after = Some(mine.end());
        assert_eq!(append(&store, mine).await, AuditAppend::Appended);
    }
    let page = async |from, limit| {
        let page = store.scan(&tenant("acme"), from, limit).await.expect("scan");
        page.iter().map(|segment| (segment.first, segment.last)).collect::<Vec<_>>()
    };
    let whole = [(1, 1), (2, 4), (5, 5), (6, 9), (10, 10)];
    assert_eq!(page(0, usize::MAX).await, whole);
    assert_eq!(page(1, 1).await, whole[..1]);
    assert_eq!(page(0, 2).await, whole[..2], "the second record's segment comes whole");
    assert_eq!(page(0, 4).await, whole[..2]);
    assert_eq!(page(0, 5).await, whole[..3]);
    assert_eq!(page(3, 1).await, whole[1..2], "a segment that begins before");
    assert_eq!(page(4, 2).await, whole[1..3], "of which only what was asked for counts");
    assert_eq!(page(5, 1).await, whole[2..3]);
    assert_eq!(page(9, 100).await, whole[3..]);
    assert!(page(11, 5).await.is_empty());
    assert!(page(u64::MAX, usize::MAX).await.is_empty());
    assert!(page(1, 0).await.is_empty());
}

/// An export of a person holds all of theirs and nothing of anybody else.
pub async fn a_persons_rows_are_theirs_alone(store: Store, _clock: Arc<ManualClock>) {
    for (of, count) in [("acme", 7), ("globex", 4)] {
        assert_eq!(append(&store, segment(of, None, count, 1)).await, AuditAppend::Appended);
    }
    let end = head(&store, "acme").await;
    assert_eq!(append(&store, segment("acme", end, 3, 1)).await, AuditAppend::Appended);
    let page = async |who: &str, from, limit| {
        let records = store.scan_user(&tenant("acme"), &user(who), from, limit).await.expect("scan");
        assert!(records.iter().all(|found| *found == record(found.sequence, 1)), "{records:?}");
        records.iter().map(|record| record.sequence).collect::<Vec<_>>()
    };
    assert_eq!(page("ada", 0, usize::MAX).await, [1, 3, 5, 7, 9]);
    assert_eq!(page("bob", 3, 2).await, [4, 6]);
    assert_eq!(page("bob", 6, 9).await, [6, 8, 10]);
    assert!(page("ada", 0, 0).await.is_empty());
    assert!(page("Ada", 0, 9).await.is_empty());
    assert!(page("nobody", 0, 9).await.is_empty());
}

/// Checkpoints come back whole, by number and then in the order in which they were put.
pub async fn checkpoints_are_kept_in_order(store: Store, _clock: Arc<ManualClock>) {
    let of = |name: &str, sequence: u64, key: &str| Checkpoint {
        tenant: tenant(name),
        head: AuditHead { sequence, hash: [3; 32] },
        millis: 1_767_225_600_000,
        key_id: key.to_owned(),
        signature: Bytes::from_static(&[0, 1, 255]),
    };
    let put = [of("acme", 20, "k1"), of("globex", 5, "k1"), of("acme", 10, "k2"), of("acme", 10, "k1")];
    for checkpoint in &put {
        store.put_checkpoint(checkpoint.clone()).await.expect("put");
    }
    let kept = async |name: &str| -> Vec<Checkpoint> {
        store.checkpoints(&tenant(name)).await.expect("checkpoints")
    };
    assert_eq!(kept("acme").await, [put[2].clone(), put[3].clone(), put[0].clone()]);
    assert_eq!(kept("globex").await, [put[1].clone()]);
    assert_eq!(kept("nobody").await, []);
}

/// Retention drops from the front; the chain goes on where it was, and checkpoints stay.
pub async fn prune_drops_the_oldest_and_keeps_the_head(store: Store, _clock: Arc<ManualClock>) {
    filled(&store, "acme", 10).await;
    let end = head(&store, "acme").await;
    let checkpoint = Checkpoint {
        tenant: tenant("acme"),
        head: end.expect("a head"),
        millis: 1,
        key_id: "k".to_owned(),
        signature: Bytes::from_static(b"s"),
    };
    store.put_checkpoint(checkpoint.clone()).await.expect("put");
    let prune = async |before| store.prune(&tenant("acme"), before).await.expect("prune");
    assert_eq!(prune(0).await, 0);
    assert_eq!(prune(1).await, 0);
    assert_eq!(prune(5).await, 4);
    assert_eq!(prune(5).await, 0);
    assert_eq!(numbers(&all(&store, "acme").await), [5, 6, 7, 8, 9, 10]);
    assert_eq!(numbers(&store.scan(&tenant("acme"), 2, 3).await.expect("scan")), [5, 6, 7]);
    assert_eq!(prune(u64::MAX).await, 6);
    assert_eq!(head(&store, "acme").await, end);
    assert_eq!(store.tenants().await.expect("tenants"), [tenant("acme")]);
    assert_eq!(store.checkpoints(&tenant("acme")).await.expect("checkpoints"), [checkpoint]);
    assert_eq!(append(&store, segment("acme", None, 1, 2)).await, AuditAppend::Moved(end));
    assert_eq!(append(&store, segment("acme", end, 1, 2)).await, AuditAppend::Appended);
    assert_eq!(numbers(&all(&store, "acme").await), [11]);
}

/// A segment goes when its last record goes.
pub async fn prune_leaves_a_segment_whole(store: Store, _clock: Arc<ManualClock>) {
    let first = segment("acme", None, 4, 1);
    let second = segment("acme", Some(first.end()), 2, 1);
    assert_eq!(append(&store, first.clone()).await, AuditAppend::Appended);
    assert_eq!(append(&store, second.clone()).await, AuditAppend::Appended);
    let prune = async |before| store.prune(&tenant("acme"), before).await.expect("prune");
    assert_eq!(prune(4).await, 0);
    assert_eq!(all(&store, "acme").await, [first.sealed, second.sealed.clone()]);
    assert_eq!(prune(6).await, 4);
    assert_eq!(all(&store, "acme").await, [second.sealed]);
    let of_bob = store.scan_user(&tenant("acme"), &user("bob"), 0, 9).await.expect("scan");
    assert_eq!(of_bob.iter().map(|record| record.sequence).collect::<Vec<_>>(), [6]);
}

async fn subject_key(store: &Store, of: &TenantId, who: &str, candidate: u8) -> Option<u8> {
    let key = store.subject_key(of, &user(who), SubjectKey([candidate; 32])).await.expect("subject_key");
    key.map(|key| {
        assert!(key.0.iter().all(|byte| *byte == key.0[0]), "a key comes back whole");
        key.0[0]
    })
}

/// A person has one key per tenant, from the first time on.
pub async fn the_first_subject_key_stays(store: Store, _clock: Arc<ManualClock>) {
    let (acme, globex) = (tenant("acme"), tenant("globex"));
    assert_eq!(subject_key(&store, &acme, "ada", 1).await, Some(1));
    assert_eq!(subject_key(&store, &acme, "ada", 2).await, Some(1));
    assert_eq!(subject_key(&store, &acme, "bob", 3).await, Some(3));
    assert_eq!(subject_key(&store, &globex, "ada", 4).await, Some(4));
    assert_eq!(store.tenants().await.expect("tenants"), [], "a key is not a chain");
}

/// Of many callers with a candidate each, all get the same key.
pub async fn many_callers_get_one_subject_key(store: Store, _clock: Arc<ManualClock>) {
    let answers = race(16, |n| {
        let store = Arc::clone(&store);
        async move { subject_key(&store, &tenant("acme"), "ada", u8::try_from(n).unwrap_or(0)).await }
    })
    .await;
    assert!(answers[0].is_some());
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
}

/// An erasure is for ever, also for a person who had no key; others keep theirs.
pub async fn an_erased_subject_never_gets_a_key_again(store: Store, _clock: Arc<ManualClock>) {
    let (acme, globex) = (tenant("acme"), tenant("globex"));
    for of in [&acme, &globex] {
        assert_eq!(subject_key(&store, of, "ada", 1).await, Some(1));
    }
    assert_eq!(subject_key(&store, &acme, "bob", 2).await, Some(2));
    let erase = async |who: &str| store.erase_subject(&acme, &user(who)).await.expect("erase");
    assert!(erase("ada").await);
    assert!(!erase("ada").await);
    assert!(!erase("never seen").await);
    assert_eq!(subject_key(&store, &acme, "ada", 3).await, None);
    assert_eq!(subject_key(&store, &acme, "never seen", 3).await, None);
    assert_eq!(subject_key(&store, &globex, "ada", 3).await, Some(1));
    assert_eq!(subject_key(&store, &acme, "bob", 3).await, Some(2));
}
