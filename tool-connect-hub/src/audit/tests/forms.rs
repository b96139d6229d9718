//! Forms that must stay as they are: they are in people's databases.

use tool_connect_core::{ApprovalId, ConnectionId, Effect, Served};

use super::super::decode::hex_text;
use super::super::{AuditRecord, Ed25519Keys};
use super::*;

async fn payload(scene: &Scene) -> (String, SealedRecord) {
    scene.trail.flush().await.unwrap();
    let record = scene.store.stored("acme").await.pop().unwrap();
    (String::from_utf8(record.payload.to_vec()).unwrap(), record)
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
    let entry = AuditEntry {
        arguments: Some(&arguments),
        connection: Some(&connection),
        approval: Some(&approval),
        outcome: Some(Outcome::Error(ErrorKind::Denied)),
        effect: Some(Effect::NotExecuted),
        served: Served::Cache,
        took: u64::MAX,
        trace: Some("a\nb"),
        ..scene.outcome(&bot, 255)
    };
    scene.trail.record(&entry).unwrap();
    let (text, record) = payload(&scene).await;
    assert_eq!(
        text,
        concat!(
            r#"{"v":1,"kind":"outcome","call":"0000000000000001-ff","agent":"tri\"age\\","tool":"files.read","#,
            r#""definition":"abababababababababababababababababababababababababababababababab","#,
            r#""arguments":"e2fa7eb09e263f137cd3f49d318cc51b76dbb02681526b0d7bbd23a35dbaeef2","#,
            r#""connection":"c-1","approval":"ä","outcome":"denied","effect":"not_executed","served":"cache","#,
            r#""took_ns":18446744073709551615,"trace":"a\u000ab"}"#,
        )
    );
    assert_eq!(hex_text(&record.hash), "5284a8ea545610228958272fe01525d2f045d1c316743b3837ebf818a221bd22");
    let read = AuditRecord::decode(&tenant_id("acme"), &record).unwrap();
    assert_eq!((read.trace.as_deref(), read.took_ns), (Some("a\nb"), u64::MAX));
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
    assert_eq!(payload(&scene).await.0, r#"{"v":1,"kind":"intent","call":"0000000000000001-1"}"#);
    scene.trail.shared().queue.lose(&scene.outcome(&scene.ada, 2));
    assert_eq!(payload(&scene).await.0, format!(r#"{{"v":1,"kind":"gap","lost":1,"since":{START}}}"#));
}

#[tokio::test]
async fn the_checkpoint() {
    let scene = scene(AuditMode::FailClosed);
    scene.trail.record(&AuditEntry::new(EntryKind::Intent, CallId::new(1, 1), &scene.ada, 0)).unwrap();
    let made = scene.audit.checkpoint(&tenant_id("acme")).await.unwrap();
    assert_eq!(
        hex_text(&made.signature),
        "733ee13ef142b73c2991037e544c7711fc41f13b6a1bd1a0abc578c7e59f504249d2ba686607a763ae02ea1652bfde9051a9d6c738db5e79d8cdec3522159602"
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
    let sealed = |payload: &'static str| SealedRecord {
        sequence: 3,
        user: user_id("ada"),
        millis: 0,
        payload: payload.into(),
        hash: [0; 32],
    };
    for (payload, kind) in [
        ("", ErrorKind::Storage),
        ("{", ErrorKind::Storage),
        ("[1]", ErrorKind::Storage),
        (r#"{"v":1}"#, ErrorKind::Storage),
        (r#"{"v":1,"kind":"outcome","arguments":"SECRET"}"#, ErrorKind::Storage),
        (r#"{"v":1,"kind":"outcome","definition":"AB"}"#, ErrorKind::Storage),
        (r#"{"v":1,"kind":"outcome","outcome":"SECRET"}"#, ErrorKind::Storage),
        (r#"{"v":1,"kind":"outcome","other":1}"#, ErrorKind::Storage),
        (r#"{"v":2,"kind":"outcome","other":1}"#, ErrorKind::Unsupported),
    ] {
        let error = AuditRecord::decode(&tenant_id("acme"), &sealed(payload)).unwrap_err();
        assert_eq!(error.kind(), kind, "{payload}");
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
