//! Forms that must stay as they are: they are in people's databases.

use tool_connect_core::{ApprovalId, ConnectionId, Effect, Served};

use super::super::decode::{hex_text, unhex, unhex_bytes};
use super::super::{ArgumentsHash, AuditRecord, Ed25519Keys, Finding, chain};
use super::*;

async fn payload(scene: &Scene) -> (String, SealedRecord) {
    scene.trail.flush().await.unwrap();
    let record = scene.store.stored("acme").await.pop().unwrap();
    (hex_text(&record.payload), record)
}

/// Hex of a field with a text.
fn field(tag: u8, text: &str) -> String {
    hex_text(&[&[tag, text.len() as u8], text.as_bytes()].concat())
}

/// Hex of a record with all that one can have.
fn canonical() -> String {
    [
        "0202",
        "01090000000000000001ff",
        &field(2, "tri\"age\\"),
        &field(3, "files.read"),
        &format!("0420{}", "ab".repeat(32)),
        &field(5, "c-1"),
        &field(6, "ä"),
        &field(7, "denied"),
        "080101",
        "090102",
        "0a08ffffffffffffffff",
        // 150 bytes: the length takes two.
        &format!("0b9601{}", hex_text("a\nb".repeat(50).as_bytes())),
        "0e20e2fa7eb09e263f137cd3f49d318cc51b76dbb02681526b0d7bbd23a35dbaeef2",
    ]
    .concat()
}

#[tokio::test]
async fn the_canonical_record() {
    let scene = scene(AuditMode::FailClosed);
    // A key that is known, for a hash that is known.
    let key = SubjectKey([9; 32]);
    scene.store.subject_key(&tenant_id("acme"), &user_id("ada"), key).await.unwrap();
    let bot = Arc::new(Principal::clone(&scene.ada).acting_through("tri\"age\\").unwrap());
    let (connection, approval) = (ConnectionId::new("c-1").unwrap(), ApprovalId::new("ä").unwrap());
    let arguments = text("{}");
    let trace = "a\nb".repeat(50);
    let entry = AuditEntry {
        arguments: Some(&arguments),
        connection: Some(&connection),
        approval: Some(&approval),
        outcome: Some(Outcome::Error(ErrorKind::Denied)),
        effect: Some(Effect::NotExecuted),
        served: Served::Cache,
        took: u64::MAX,
        trace: Some(&trace),
        ..scene.outcome(&bot, 255)
    };
    scene.trail.record(&entry).unwrap();
    let (written, record) = payload(&scene).await;
    assert_eq!(written, canonical());
    // The segment, from the documented parts.
    let segment = scene.store.segments("acme").await.remove(0);
    let millis = START.to_be_bytes();
    let length = (record.payload.len() as u32).to_be_bytes();
    let bytes = [&[3][..], &[0, 3], b"ada", &millis, &length, &record.payload].concat();
    assert_eq!((segment.first, segment.last, &segment.bytes[..]), (1, 1, &bytes[..]));
    let genesis = chain::sha256(b"tc-audit-genesis-1acme");
    let one = 1_u64.to_be_bytes();
    let hashed = [&[3][..], &genesis, &one, &one, blake3::hash(&bytes).as_bytes()].concat();
    assert_eq!(segment.hash, *blake3::hash(&hashed).as_bytes());
    assert_eq!(hex_text(&segment.hash), "fa77e3b81356483692bbfc185d0061c0aa264ce41cf395d1b9680655f340fb49");
    let read = AuditRecord::decode(&tenant_id("acme"), &record).unwrap();
    assert_eq!((read.trace, read.took_ns), (Some(trace), u64::MAX));
    assert_eq!(read.call.as_deref(), Some("0000000000000001-ff"));
    assert_eq!((read.effect, read.served), (Some(Effect::NotExecuted), Served::Cache));
}

/// A chain that an earlier version began with records of format 1.
#[tokio::test]
async fn records_of_the_first_format_are_read_and_verified() {
    let scene = scene(AuditMode::FailClosed);
    let payload = concat!(
        r#"{"v":1,"kind":"outcome","call":"0000000000000001-ff","agent":"tri\"age\\","tool":"files.read","#,
        r#""definition":"abababababababababababababababababababababababababababababababab","#,
        r#""arguments":"e2fa7eb09e263f137cd3f49d318cc51b76dbb02681526b0d7bbd23a35dbaeef2","#,
        r#""connection":"c-1","approval":"ä","outcome":"denied","effect":"not_executed","served":"cache","#,
        r#""took_ns":18446744073709551615,"trace":"a\u000ab"}"#,
    );
    let hash = unhex("5284a8ea545610228958272fe01525d2f045d1c316743b3837ebf818a221bd22").unwrap();
    let old = SealedRecord { sequence: 1, user: user_id("ada"), millis: START, payload: payload.into() };
    scene.store.replace("acme", &[SealedSegment::alone(&old, hash)], Vec::new()).await;
    scene.trail.commit(&scene.intent(2)).await.unwrap();
    scene.assert_intact("acme", 2).await;
    let read = scene.audit.records(&tenant_id("acme"), 1, 2).await.unwrap();
    assert_eq!((read[0].trace.as_deref(), read[0].took_ns), (Some("a\nb"), u64::MAX));
    assert_eq!(read[0].call.as_deref(), Some("0000000000000001-ff"));
    assert!(matches!(read[0].arguments, Some(ArgumentsHash::Keyed(hash)) if hash[0] == 0xe2));
    assert_eq!((read[1].kind, read[1].call.clone()), (EntryKind::Intent, Some(call(2))));
    // And an edit of such a record is found.
    let edited = SealedRecord { payload: payload.replace("denied", "ok").into(), ..old };
    scene.store.replace("acme", &[SealedSegment::alone(&edited, hash)], Vec::new()).await;
    let seen = scene.audit.verify(&tenant_id("acme"), &[]).await.unwrap();
    assert_eq!(seen.findings, [Finding::Altered { from: 1, to: 1 }]);
}

/// A chain that an earlier version began with records of format 2, each linked by itself.
#[tokio::test]
async fn records_that_were_linked_one_by_one_are_read_and_verified() {
    let scene = scene(AuditMode::FailClosed);
    let payloads = [canonical(), "020201090000000000000001010706".to_owned() + &hex_text(b"denied")];
    // As that version wrote them: the hash is SHA-256 over what the format's documentation says.
    let (mut records, mut segments) = (Vec::new(), Vec::new());
    let mut previous = chain::sha256(b"tc-audit-genesis-1acme");
    for (sequence, payload) in (1_u64..).zip(payloads) {
        let payload = unhex_bytes(&payload).unwrap();
        let (number, millis) = (sequence.to_be_bytes(), START.to_be_bytes());
        let hashed = [&[2][..], &previous, &number, &millis, &[0, 3], b"ada", &payload].concat();
        previous = chain::sha256(&hashed);
        let record = SealedRecord { sequence, user: user_id("ada"), millis: START, payload: payload.into() };
        segments.push(SealedSegment::alone(&record, previous));
        records.push(record);
    }
    // That version's own hash of the first one.
    let written = "1a60100f613ed0a2ed20e1505ea26d5a51590c6097083d3ce214a613d817dc10";
    assert_eq!(hex_text(&segments[0].hash), written);
    scene.store.replace("acme", &segments, Vec::new()).await;
    scene.trail.commit(&scene.intent(2)).await.unwrap();
    scene.assert_intact("acme", 3).await;
    let read = scene.audit.records(&tenant_id("acme"), 1, 9).await.unwrap();
    assert_eq!(read[0].call.as_deref(), Some("0000000000000001-ff"));
    assert_eq!(read[1].outcome, Some(Outcome::Error(ErrorKind::Denied)));
    // An edit, another order, and such a record that pretends to be a segment.
    let now = scene.store.segments("acme").await;
    let verified = async |segments: &[SealedSegment]| {
        scene.store.replace("acme", segments, Vec::new()).await;
        scene.audit.verify(&tenant_id("acme"), &[]).await.unwrap().findings
    };
    let mut edited = now.clone();
    let other = SealedRecord { millis: START + 1, ..records[0].clone() };
    edited[0] = SealedSegment::alone(&other, edited[0].hash);
    assert_eq!(verified(&edited).await, [Finding::Altered { from: 1, to: 1 }]);
    let mut dressed = now.clone();
    dressed[1] = doctored(&dressed[1], |_| {});
    assert_eq!(verified(&dressed).await, [Finding::Altered { from: 2, to: 2 }]);
    let mut joined = now;
    let second = joined.remove(1);
    joined[0] = SealedSegment { last: 2, hash: second.hash, ..joined[0].clone() };
    assert_eq!(verified(&joined).await, [Finding::Altered { from: 1, to: 2 }]);
}

#[tokio::test]
async fn the_hash_of_long_arguments() {
    let scene = scene(AuditMode::FailClosed);
    let key = SubjectKey([9; 32]);
    scene.store.subject_key(&tenant_id("acme"), &user_id("ada"), key).await.unwrap();
    for (length, hash) in [
        (4_096, "3361f1c50ea4c9ad932e3a9adf79e9dd81edb80d08623fa790e3d2f733bef8e3"),
        (4_097, "95681c64e28b03c849068d0c7562cd979b98f881dcb6ccfc0e85674feaff3608"),
    ] {
        let arguments = text(&format!("\"{}\"", "x".repeat(length - 2)));
        let entry = AuditEntry { arguments: Some(&arguments), ..scene.outcome(&scene.ada, 1) };
        scene.trail.record(&entry).unwrap();
        let written = payload(&scene).await.0;
        assert!(written.contains(hash), "{length}: {written}");
        let asked =
            scene.audit.arguments_hash(&tenant_id("acme"), &user_id("ada"), &arguments).await.unwrap();
        assert_eq!(asked.map(|h| hex_text(&h)).as_deref(), Some(hash));
    }
}

#[tokio::test]
async fn the_least_record_and_a_gap() {
    let scene = scene(AuditMode::FailClosed);
    scene.trail.record(&AuditEntry::new(EntryKind::Intent, CallId::new(1, 1), &scene.ada, 0)).unwrap();
    assert_eq!(payload(&scene).await.0, "02010109000000000000000101");
    scene.trail.shared().queue.lose(&scene.outcome(&scene.ada, 2));
    let since = hex_text(&START.to_be_bytes()[2..]);
    assert_eq!(payload(&scene).await.0, format!("02050c01010d06{since}"));
}

#[tokio::test]
async fn the_checkpoint() {
    let scene = scene(AuditMode::FailClosed);
    scene.trail.record(&AuditEntry::new(EntryKind::Intent, CallId::new(1, 1), &scene.ada, 0)).unwrap();
    let made = scene.audit.checkpoint(&tenant_id("acme")).await.unwrap();
    assert_eq!(
        hex_text(&made.signature),
        "feed31c94d319391c9ab0f824a5ba214cff4e5e2d1d23437e82529bbd3c15a999bd5a8c3f443df6b346d03f9b747db5950fefd3cf116740b90b6ecf59ddf9f0e"
    );
}

#[tokio::test]
async fn every_kind_and_outcome_is_read_back() {
    let scene = scene(AuditMode::FailClosed);
    let outcomes = [Outcome::Ok, Outcome::InputRequired, Outcome::Task].into_iter();
    let errors = ErrorKind::ALL.iter().filter(|k| !matches!(k, ErrorKind::InputRequired | ErrorKind::Task));
    let outcomes: Vec<_> = outcomes.chain(errors.map(|kind| Outcome::Error(*kind))).collect();
    let kinds =
        [EntryKind::Intent, EntryKind::Outcome, EntryKind::Approval, EntryKind::Erasure, EntryKind::Gap];
    for outcome in &outcomes {
        for kind in kinds {
            let entry = AuditEntry { kind, outcome: Some(*outcome), ..scene.outcome(&scene.ada, 1) };
            scene.trail.record(&entry).unwrap();
        }
    }
    let records = scene.audit.records(&tenant_id("acme"), 1, 1_000).await.unwrap();
    let read: Vec<_> = records.iter().map(|r| (r.outcome.unwrap(), r.kind)).collect();
    let made: Vec<_> = outcomes.iter().flat_map(|o| kinds.map(|k| (*o, k))).collect();
    assert_eq!(read, made);
}

#[test]
fn what_is_no_record_is_a_typed_error() {
    let sealed = |payload: &'static [u8]| SealedRecord {
        sequence: 3,
        user: user_id("ada"),
        millis: 0,
        payload: payload.into(),
    };
    for (payload, kind) in [
        (&b""[..], ErrorKind::Storage),
        (b"\x02", ErrorKind::Storage),
        (b"\x01\x02", ErrorKind::Storage),
        (b"\x02\x00", ErrorKind::Storage),
        (b"\x02\x07", ErrorKind::Storage),
        (b"\x02\x02\x07\x06SECRET", ErrorKind::Storage),
        (b"\x02\x02\x04\x06SECRET", ErrorKind::Storage),
        (b"\x02\x02\x0e\x06SECRET", ErrorKind::Storage),
        // A field of another length, cut off, unknown, twice, out of order; a number that is too long.
        (b"\x02\x02\x07\x03ok", ErrorKind::Storage),
        (b"\x02\x02\x07", ErrorKind::Storage),
        (b"\x02\x02\x0b\x81", ErrorKind::Storage),
        (b"\x02\x02\x14\x06SECRET", ErrorKind::Storage),
        (b"\x02\x02\x07\x02ok\x07\x02ok", ErrorKind::Storage),
        (b"\x02\x02\x07\x02ok\x05\x01c", ErrorKind::Storage),
        (b"\x02\x02\x0a\x09123456789", ErrorKind::Storage),
        (b"\x02\x02\x01\x01c", ErrorKind::Storage),
        (b"\x02\x02\x08\x01\x03", ErrorKind::Storage),
        (b"\x02\x02\x09\x01\x00", ErrorKind::Storage),
        (b"\x02\x02\x0b\x01\xff", ErrorKind::Storage),
        (b"\x03\x02", ErrorKind::Unsupported),
        (b"[1]", ErrorKind::Storage),
        (b"{", ErrorKind::Storage),
        (br#"{"v":1}"#, ErrorKind::Storage),
        (br#"{"v":1,"kind":"outcome","arguments":"SECRET"}"#, ErrorKind::Storage),
        (br#"{"v":1,"kind":"outcome","definition":"AB"}"#, ErrorKind::Storage),
        (br#"{"v":1,"kind":"outcome","outcome":"SECRET"}"#, ErrorKind::Storage),
        (br#"{"v":1,"kind":"outcome","other":1}"#, ErrorKind::Storage),
        (br#"{"v":2,"kind":"outcome","other":1}"#, ErrorKind::Unsupported),
    ] {
        let error = AuditRecord::decode(&tenant_id("acme"), &sealed(payload)).unwrap_err();
        assert_eq!(error.kind(), kind, "{payload:?}");
        assert!(!error.to_string().contains("SECRET"), "{error}");
    }
}

#[test]
fn settings_refuse_what_they_do_not_know() {
    let settings: AuditSettings = serde_json::from_str(r#"{"mode":"off","timeout":"1s"}"#).unwrap();
    assert_eq!((settings.mode, settings.timeout), (AuditMode::Off, Duration::from_secs(1)));
    assert!(serde_json::from_str::<AuditSettings>(r#"{"modes":"off"}"#).is_err());
    let text = serde_json::to_string(&AuditSettings::default()).unwrap();
    assert_eq!(serde_json::from_str::<AuditSettings>(&text).unwrap(), AuditSettings::default());
}

#[test]
fn a_signer_shows_no_secret_and_survives_its_seed() {
    let signer = Ed25519Signer::generate("k").unwrap();
    assert_eq!(format!("{signer:?}"), r#"Ed25519Signer { key_id: "k", key: "[REDACTED]" }"#);
    let again = Ed25519Signer::from_seed("k", &signer.seed().unwrap()).unwrap();
    assert_eq!(again.public_key(), signer.public_key());
    let keys = Ed25519Keys::new().trust("k", again.public_key());
    let signature = CheckpointSigner::sign(&signer, b"m").unwrap();
    use super::super::{CheckpointVerifier as _, SignatureCheck};
    assert_eq!(keys.verify("k", b"m", &signature), SignatureCheck::Valid);
    assert_eq!(keys.verify("k", b"n", &signature), SignatureCheck::Invalid);
    assert_eq!(keys.verify("j", b"m", &signature), SignatureCheck::UnknownKey);
    assert_eq!(Ed25519Signer::from_pkcs8("k", b"nonsense").unwrap_err().kind(), ErrorKind::Config);
    // RFC 8032, section 7.1, test 1.
    let seed =
        super::super::decode::unhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
            .unwrap();
    let known = Ed25519Signer::from_seed("k", &seed).unwrap();
    assert_eq!(
        hex_text(&known.public_key()),
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    );
}

#[tokio::test]
async fn a_long_trace_is_cut_between_characters() {
    let scene = scene(AuditMode::FailClosed);
    let trace = format!("a{}", "ä".repeat(300));
    scene.trail.record(&AuditEntry { trace: Some(&trace), ..scene.outcome(&scene.ada, 1) }).unwrap();
    let record = scene.audit.records(&tenant_id("acme"), 1, 1).await.unwrap().remove(0);
    assert_eq!(record.trace.unwrap(), format!("a{}", "ä".repeat(127)));
}
