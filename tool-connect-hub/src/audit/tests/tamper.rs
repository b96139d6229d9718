//! Each way to tamper with a chain, and what verification says.

use super::super::{CheckpointLine, Finding, chain, verify_chain};
use super::*;

/// Gives out what somebody with a pen in hand left of a chain.
struct Doctored {
    segments: Vec<SealedSegment>,
    checkpoints: Vec<Checkpoint>,
    head: Option<AuditHead>,
}

#[async_trait]
impl AuditStore for Doctored {
    async fn head(&self, _: &TenantId) -> Result<Option<AuditHead>> {
        Ok(self.head)
    }
    async fn scan(&self, _: &TenantId, from: u64, _: usize) -> Result<Vec<SealedSegment>> {
        Ok(self.segments.iter().skip_while(|segment| segment.last < from).cloned().collect())
    }
    async fn checkpoints(&self, _: &TenantId) -> Result<Vec<Checkpoint>> {
        Ok(self.checkpoints.clone())
    }
    async fn append(&self, _: &[Segment]) -> Result<Vec<AuditAppend>> {
        unreachable!()
    }
    async fn scan_user(&self, _: &TenantId, _: &UserId, _: u64, _: usize) -> Result<Vec<SealedRecord>> {
        unreachable!()
    }
    async fn tenants(&self) -> Result<Vec<TenantId>> {
        unreachable!()
    }
    async fn put_checkpoint(&self, _: Checkpoint) -> Result<()> {
        unreachable!()
    }
    async fn prune(&self, _: &TenantId, _: u64) -> Result<u64> {
        unreachable!()
    }
    async fn subject_key(&self, _: &TenantId, _: &UserId, _: SubjectKey) -> Result<Option<SubjectKey>> {
        unreachable!()
    }
    async fn erase_subject(&self, _: &TenantId, _: &UserId) -> Result<bool> {
        unreachable!()
    }
}

/// Ten records, so many a segment, and a checkpoint at the tenth that was kept elsewhere.
async fn ten_in(together: u64) -> (Vec<SealedSegment>, Checkpoint) {
    let scene = scene(AuditMode::FailClosed);
    for number in 1..=10 {
        scene.clock.advance(Duration::from_millis(5));
        scene.record(&scene.ada, number);
        if number % together == 0 {
            scene.trail.flush().await.unwrap();
        }
    }
    let checkpoint = scene.audit.checkpoint(&tenant_id("acme")).await.unwrap();
    (scene.store.segments("acme").await, checkpoint)
}

/// Each in a segment of its own.
async fn ten() -> (Vec<SealedSegment>, Checkpoint) {
    ten_in(1).await
}

async fn findings_of(store: &Doctored, tenant: &str, trusted: &[Checkpoint]) -> Vec<Finding> {
    verify_chain(store, &*signer(), &tenant_id(tenant), trusted).await.unwrap().findings
}

/// What verification says with no checkpoint at all.
async fn bare(doctor: impl FnOnce(&mut Vec<SealedSegment>)) -> Vec<Finding> {
    let (mut segments, _) = ten().await;
    doctor(&mut segments);
    let head = segments.last().map(SealedSegment::end);
    findings_of(&Doctored { segments, checkpoints: Vec::new(), head }, "acme", &[]).await
}

/// What it says with the checkpoint that was kept elsewhere.
async fn trusting(doctor: impl FnOnce(&mut Vec<SealedSegment>)) -> Vec<Finding> {
    let (mut segments, checkpoint) = ten().await;
    doctor(&mut segments);
    let head = segments.last().map(SealedSegment::end);
    findings_of(&Doctored { segments, checkpoints: Vec::new(), head }, "acme", &[checkpoint]).await
}

/// The hash that makes a segment fit behind another one.
fn fitting(previous: &[u8; 32], segment: &SealedSegment) -> [u8; 32] {
    chain::link(previous, segment.first, segment).unwrap()
}

/// Numbers and links the segments anew, as one does who knows the format.
fn reseal(segments: &mut [SealedSegment]) {
    let (mut last, mut previous) = (0, chain::genesis(&tenant_id("acme")));
    for segment in segments {
        let count = segment.count();
        (segment.first, segment.last) = (last + 1, last + count);
        segment.hash = fitting(&previous, segment);
        (last, previous) = (segment.last, segment.hash);
    }
}

fn denied(record: &mut SealedRecord) {
    let (mut payload, ok) = (record.payload.to_vec(), b"\x07\x02ok");
    let place = payload.windows(ok.len()).position(|bytes| bytes == ok).expect("the outcome");
    payload.splice(place..place + ok.len(), *b"\x07\x06denied");
    record.payload = payload.into();
}

fn edited(segment: &SealedSegment) -> SealedSegment {
    doctored(segment, |records| denied(&mut records[0]))
}

fn renumber(segments: &mut [SealedSegment], from: u64) {
    for (segment, number) in segments.iter_mut().zip(from..) {
        (segment.first, segment.last) = (number, number);
    }
}

/// Each way to tamper inside of a segment, with its numbers and its hash left as they were.
#[tokio::test]
async fn whatever_is_done_inside_of_a_segment_is_found() {
    type Doctor = fn(&mut Vec<SealedRecord>);
    let doctors: [(&str, Doctor); 9] = [
        ("a payload", |r| denied(&mut r[1])),
        ("a time", |r| r[1].millis += 1),
        ("a user", |r| r[1].user = user_id("eve")),
        ("a record removed", |r| _ = r.remove(2)),
        ("the last one removed", |r| _ = r.pop()),
        ("a record inserted", |r| r.insert(1, r[0].clone())),
        ("a record added", |r| r.push(r[4].clone())),
        ("another order", |r| r.swap(1, 3)),
        ("one record for another", |r| r[1] = r[3].clone()),
    ];
    for (what, doctor) in doctors {
        let (mut segments, checkpoint) = ten_in(5).await;
        segments[1] = doctored(&segments[1], doctor);
        let head = Some(checkpoint.head);
        let store = Doctored { segments: segments.clone(), checkpoints: Vec::new(), head };
        let altered = [Finding::Altered { from: 6, to: 10 }];
        assert_eq!(findings_of(&store, "acme", &[]).await, altered, "{what}");
        // With its hash made to fit, the checkpoint that was kept elsewhere still knows.
        segments[1].hash = fitting(&segments[0].hash, &segments[1]);
        let head = Some(segments[1].end());
        let store = Doctored { segments, checkpoints: Vec::new(), head };
        let found = findings_of(&store, "acme", &[checkpoint]).await;
        assert_eq!(found, [Finding::Rewritten { sequence: 10 }], "{what}");
    }
}

#[tokio::test]
async fn other_bounds_of_a_segment_are_found() {
    let (segments, checkpoint) = ten_in(5).await;
    let found = async |segments: Vec<SealedSegment>| {
        let head = segments.last().map(SealedSegment::end);
        let store = Doctored { segments, checkpoints: Vec::new(), head };
        findings_of(&store, "acme", std::slice::from_ref(&checkpoint)).await
    };
    assert_eq!(found(segments.clone()).await, []);
    // Cut short together with its number: the end is missing for who knows that there was one.
    let mut short = segments.clone();
    short[1] = doctored(&short[1], |records| records.truncate(3));
    short[1].last = 8;
    let cut = [Finding::Altered { from: 6, to: 8 }, Finding::Truncated { last: 8, reached: 10 }];
    assert_eq!(found(short).await, cut);
    // Two made one, with a hash that fits: a checkpoint inside is none that agrees.
    let mut one = doctored(&segments[0], |records| {
        records.extend(segments[1].records().map(Result::unwrap));
        records.push(records[0].clone());
    });
    one.last = 11;
    one.hash = fitting(&chain::genesis(&tenant_id("acme")), &one);
    assert_eq!(found(vec![one]).await, [Finding::Rewritten { sequence: 10 }]);
    // A segment that says that it is of no format that there is.
    let mut strange = segments.clone();
    strange[1].bytes = [&[9][..], &strange[1].bytes[1..]].concat().into();
    assert_eq!(found(strange).await, [Finding::Altered { from: 6, to: 10 }]);
}

#[tokio::test]
async fn an_untouched_chain_verifies() {
    assert_eq!(bare(|_| {}).await, []);
    assert_eq!(trusting(|_| {}).await, []);
}

#[tokio::test]
async fn an_edit_of_any_field_is_found() {
    let altered = [Finding::Altered { from: 4, to: 4 }];
    assert_eq!(bare(|r| r[3] = edited(&r[3])).await, altered);
    assert_eq!(bare(|r| r[3].hash[0] ^= 1).await.len(), 2);
    // With the hash made to fit, the next record's link breaks.
    let found = bare(|r| {
        r[3] = edited(&r[3]);
        r[3].hash = fitting(&r[2].hash, &r[3]);
    });
    assert_eq!(found.await, [Finding::Altered { from: 5, to: 5 }]);
    // The last record's hash, with nothing behind it, is held by the checkpoint.
    let last = |r: &mut Vec<SealedSegment>| {
        r[9] = edited(&r[9]);
        r[9].hash = fitting(&r[8].hash, &r[9]);
    };
    assert_eq!(trusting(last).await, [Finding::Rewritten { sequence: 10 }]);
}

#[tokio::test]
async fn a_removal_is_found() {
    assert_eq!(bare(|r| _ = r.remove(3)).await, [Finding::Missing { from: 4, to: 4 }]);
    assert_eq!(bare(|r| _ = r.drain(3..6)).await, [Finding::Missing { from: 4, to: 6 }]);
    assert_eq!(bare(|r| _ = r.drain(..2)).await, [Finding::BeginningLost { sequence: 3 }]);
    let renumbered = bare(|r| {
        r.remove(3);
        renumber(&mut r[3..], 4);
    });
    let renumbered = renumbered.await;
    assert_eq!(renumbered.len(), 6, "{renumbered:?}");
    assert_eq!(renumbered[0], Finding::Altered { from: 4, to: 4 });
}

#[tokio::test]
async fn an_insertion_is_found() {
    let twice = bare(|r| r.insert(4, r[3].clone())).await;
    assert_eq!(twice, [Finding::OutOfOrder { sequence: 4, after: 4 }]);
    let found = bare(|r| {
        r.insert(4, edited(&r[3]));
        renumber(&mut r[4..], 5);
    });
    assert!(found.await.contains(&Finding::Altered { from: 5, to: 5 }));
    // Added behind the end with a hash that fits: only who has the writer's head or a later
    // checkpoint sees that, and neither was asked to vouch for it yet.
    let appended = |r: &mut Vec<SealedSegment>| {
        r.push(edited(&r[9]));
        reseal(r);
    };
    assert_eq!(trusting(appended).await, []);
}

#[tokio::test]
async fn another_order_is_found() {
    let neighbours = bare(|r| {
        r.swap(3, 4);
        renumber(r, 1);
    });
    let neighbours = neighbours.await;
    assert!(neighbours.contains(&Finding::Reordered { sequence: 4, sealed_as: 5 }), "{neighbours:?}");
    let apart = bare(|r| {
        r.swap(2, 7);
        renumber(r, 1);
    });
    let apart = apart.await;
    assert!(apart.contains(&Finding::Reordered { sequence: 3, sealed_as: 8 }), "{apart:?}");
    assert!(apart.contains(&Finding::Reordered { sequence: 8, sealed_as: 3 }), "{apart:?}");
    let contents = bare(|r| {
        (r[3].bytes, r[6].bytes) = (r[6].bytes.clone(), r[3].bytes.clone());
    });
    let exchanged =
        [Finding::Reordered { sequence: 4, sealed_as: 7 }, Finding::Reordered { sequence: 7, sealed_as: 4 }];
    assert_eq!(contents.await, exchanged);
    let as_is = bare(|r| r.swap(3, 4)).await;
    assert!(as_is.contains(&Finding::OutOfOrder { sequence: 4, after: 5 }), "{as_is:?}");
}

#[tokio::test]
async fn truncation_is_found_by_a_checkpoint_and_only_by_it() {
    assert_eq!(bare(|r| r.truncate(7)).await, [], "which is why checkpoints are exported");
    assert_eq!(trusting(|r| r.truncate(7)).await, [Finding::Truncated { last: 7, reached: 10 }]);
    assert_eq!(trusting(Vec::clear).await, [Finding::Truncated { last: 0, reached: 10 }]);
}

#[tokio::test]
async fn a_chain_written_anew_from_an_edit_on_is_found_by_a_checkpoint() {
    let rewrite = |r: &mut Vec<SealedSegment>| {
        r[3] = edited(&r[3]);
        reseal(r);
    };
    assert_eq!(bare(rewrite).await, []);
    assert_eq!(trusting(rewrite).await, [Finding::Rewritten { sequence: 10 }]);
}

#[tokio::test]
async fn a_store_that_names_another_end_is_found() {
    let (segments, _) = ten().await;
    let head = |sequence| Some(AuditHead { sequence, hash: [0; 32] });
    let lies = |head, segments: &[SealedSegment]| Doctored {
        segments: segments.to_vec(),
        checkpoints: Vec::new(),
        head,
    };
    let cut = findings_of(&lies(head(11), &segments), "acme", &[]).await;
    assert_eq!(cut, [Finding::Truncated { last: 10, reached: 11 }]);
    let other = findings_of(&lies(head(10), &segments), "acme", &[]).await;
    assert_eq!(other, [Finding::Altered { from: 10, to: 10 }]);
}

#[tokio::test]
async fn a_chain_does_not_pass_for_another_tenants() {
    let (segments, checkpoint) = ten().await;
    let store = Doctored { segments, checkpoints: Vec::new(), head: None };
    let found = findings_of(&store, "other", &[checkpoint]).await;
    let unusable = Finding::UnusableCheckpoint { sequence: 10, key_id: "test".to_owned() };
    assert_eq!(found, [Finding::Altered { from: 1, to: 1 }, unusable]);
}

#[tokio::test]
async fn a_forged_checkpoint_is_found() {
    let (segments, checkpoint) = ten().await;
    let head = Some(checkpoint.head);
    type Forge = fn(&mut Checkpoint);
    let forgeries: [Forge; 5] = [
        |c| c.head.sequence = 9,
        |c| c.head.hash[0] ^= 1,
        |c| c.millis += 1,
        |c| c.signature = vec![0; 64].into(),
        |c| c.signature = bytes::Bytes::new(),
    ];
    for forge in forgeries {
        let mut forged = checkpoint.clone();
        forge(&mut forged);
        let finding = Finding::ForgedCheckpoint { sequence: forged.head.sequence, key_id: "test".to_owned() };
        let store = Doctored { segments: segments.clone(), checkpoints: vec![forged.clone()], head };
        assert_eq!(findings_of(&store, "acme", &[]).await.as_slice(), std::slice::from_ref(&finding));
        let store = Doctored { checkpoints: Vec::new(), ..store };
        assert_eq!(findings_of(&store, "acme", &[forged]).await, [finding]);
    }
}

#[tokio::test]
async fn an_unknown_key_proves_nothing() {
    let (segments, checkpoint) = ten().await;
    let stranger = Ed25519Signer::from_seed("stranger", &[8; 32]).unwrap();
    let foreign =
        super::super::checkpoint::sign(&stranger, &tenant_id("acme"), checkpoint.head, SystemTime::now())
            .unwrap();
    let store = Doctored { segments, checkpoints: vec![foreign.clone()], head: Some(checkpoint.head) };
    let seen = verify_chain(&store, &*signer(), &tenant_id("acme"), &[]).await.unwrap();
    assert_eq!((seen.checkpoints, seen.unknown_keys, seen.is_intact()), (0, 1, true));
    let found = findings_of(&store, "acme", std::slice::from_ref(&foreign)).await;
    assert_eq!(found, [Finding::UnusableCheckpoint { sequence: 10, key_id: "stranger".to_owned() }]);
    // Once its key is trusted, it counts.
    let keys = Ed25519Signer::from_seed("test", &[7; 32]).unwrap().trust("stranger", stranger.public_key());
    let seen = verify_chain(&store, &keys, &tenant_id("acme"), &[foreign]).await.unwrap().intact().unwrap();
    assert_eq!(seen.unknown_keys, 0);
}

#[tokio::test]
async fn findings_are_bounded_and_the_rest_is_counted() {
    let (segments, _) = ten().await;
    let mut all = Vec::new();
    for _ in 0..40 {
        all.extend(segments.iter().cloned());
    }
    renumber(&mut all, 1);
    let store = Doctored { segments: all, checkpoints: Vec::new(), head: None };
    let seen = verify_chain(&store, &*signer(), &tenant_id("acme"), &[]).await.unwrap();
    assert_eq!((seen.records, seen.findings.len(), seen.further_findings), (400, 100, 290));
    assert_eq!(seen.intact().unwrap_err().kind(), ErrorKind::Conflict);
}

#[tokio::test]
async fn a_checkpoint_survives_its_export() {
    let (_, checkpoint) = ten().await;
    let line = serde_json::to_string(&CheckpointLine::from(&checkpoint)).unwrap();
    assert!(!line.contains('\n'));
    let again: CheckpointLine = serde_json::from_str(&line).unwrap();
    assert_eq!(Checkpoint::try_from(again.clone()).unwrap(), checkpoint);
    let broken = CheckpointLine { hash: "zz".to_owned(), ..again };
    assert_eq!(Checkpoint::try_from(broken).unwrap_err().kind(), ErrorKind::Config);
}
