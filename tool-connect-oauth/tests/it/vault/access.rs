//! The log of accesses, and what prints.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use tool_connect_core::{
    ErrorKind, Event, EventKind, Principal, SecretAccessLog, SecretActor, SecretOpened, Vault,
};
use tool_connect_oauth::vault::{KeySet, Keyring, LogFailure, VaultSettings};
use tool_connect_testkit::ManualClock;
use tool_connect_testkit::leak::LeakCheck;

use super::*;

/// A log that can be switched off.
#[derive(Default)]
pub(super) struct Log {
    entries: Mutex<Vec<serde_json::Value>>,
    down: AtomicBool,
}

impl Log {
    pub(super) fn count(&self) -> usize {
        self.entries.lock().unwrap().len()
    }
}

#[async_trait]
impl SecretAccessLog for Log {
    async fn opened(&self, opened: &SecretOpened<'_>) -> Result<()> {
        if self.down.load(SeqCst) {
            return Err(Error::new(ErrorKind::Storage, "the disk is full"));
        }
        self.entries.lock().unwrap().push(serde_json::to_value(opened).unwrap());
        Ok(())
    }
}

#[tokio::test]
async fn vault_08_every_open_is_written_down_with_who_what_for_and_which_key() {
    let log = Arc::new(Log::default());
    let clock = Arc::new(ManualClock::new());
    let vault = EnvelopeVault::builder(super::sealed::keyring())
        .subject_keys(store())
        .access_log(Arc::clone(&log) as Arc<dyn SecretAccessLog>)
        .clock(clock)
        .build()
        .unwrap();
    let sealed = vault.seal(&place(), b"x").await.unwrap();
    assert_eq!(log.count(), 0, "sealing opens nothing");
    let ada = Principal::user("acme", "ada").unwrap().acting_through("triage").unwrap();
    vault.open(&place(), &sealed, &SecretAccess::by(&ada, "call")).await.unwrap();
    vault.open(&place(), &sealed, &SecretAccess::system("refresher", "refresh")).await.unwrap();
    let entries = log.entries.lock().unwrap().clone();
    let [by_ada, by_task] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!(by_ada["access"]["actor"]["principal"]["agent"], "triage");
    assert_eq!((&by_ada["access"]["purpose"], &by_ada["key_id"]), (&"call".into(), &"k1".into()));
    assert_eq!((&by_ada["record"], &by_ada["field"]), (&"connection:c1".into(), &"secret".into()));
    assert_eq!((&by_ada["tenant"], &by_ada["subject"]["id"]), (&"acme".into(), &"ada".into()));
    assert_eq!(by_ada["time"]["secs_since_epoch"], 1_767_225_600);
    let actor: SecretActor = serde_json::from_value(by_task["access"]["actor"].clone()).unwrap();
    assert_eq!(actor, SecretActor::System("refresher".into()));
}

#[tokio::test]
async fn vault_08_without_the_log_nothing_is_opened_unless_the_host_says_so() {
    let recorder = Arc::new(Recorder::new(&KeySet::generate().unwrap()));
    let log = Arc::new(Log::default());
    let events: Arc<Mutex<Vec<EventKind>>> = Arc::default();
    let build = |settings: VaultSettings| {
        let heard = Arc::clone(&events);
        EnvelopeVault::builder(Arc::clone(&recorder) as Arc<dyn KeyProvider>)
            .stateless()
            .access_log(Arc::clone(&log) as Arc<dyn SecretAccessLog>)
            .events(Arc::new(move |event: &Event| heard.lock().unwrap().push(event.what.clone())))
            .settings(settings)
            .build()
            .unwrap()
    };
    let strict = build(VaultSettings::default());
    let sealed = strict.seal(&place(), b"x").await.unwrap();
    log.down.store(true, SeqCst);
    let error = open(&strict, &place(), &sealed).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AuditUnavailable);
    assert!(error.to_string().contains("connection:c1"), "{error}");
    assert_eq!(recorder.asked(), [""; 0], "not even the data key was asked for");

    let mut settings = VaultSettings::default();
    settings.log_failure = LogFailure::Ignore;
    let lenient = build(settings);
    assert_eq!(open(&lenient, &place(), &sealed).await.unwrap(), b"x");
    let heard = events.lock().unwrap().clone();
    assert_eq!(heard, [EventKind::AuditFailed { kind: ErrorKind::Storage, records: 1 }]);
}

#[test]
fn a_vault_is_not_built_without_a_word_on_subjects_and_log() {
    let builder = || EnvelopeVault::builder(super::sealed::keyring());
    let error = builder().without_access_log().build().unwrap_err();
    assert!(error.to_string().contains("subject_keys"), "{error}");
    let error = builder().stateless().build().unwrap_err();
    assert!(error.to_string().contains("access_log"), "{error}");
}

#[tokio::test]
async fn vault_07_nothing_prints_a_secret() {
    let canary = "canary-vault-8e41f7c2";
    let raw = *b"canary-key-bytes-0123456789abcde";
    let keys = KeySet::new().key("k1", 1, &raw);
    let leaks = LeakCheck::new().secret(canary).secret(std::str::from_utf8(&raw).unwrap());
    let text = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, raw);
    let leaks = leaks.secret(&text);
    let _logs = leaks.capture();

    let keyring = Keyring::new(&keys).unwrap();
    let data_key = DataKey::from_slice(&raw).unwrap();
    leaks.text("keys", format!("{keys:?} {keyring:?} {data_key:?} {data_key}"));
    leaks.text("keys as JSON", serde_json::to_string(&(&keys, &data_key)).unwrap());
    assert!(format!("{keys:?}").contains("[REDACTED]"));
    assert!(serde_json::to_string(&keys).unwrap().contains("[REDACTED]"));
    assert_eq!(serde_json::to_string(&data_key).unwrap(), "\"[REDACTED]\"");

    let store = store();
    let vault = with_subjects(Arc::new(keyring), Arc::clone(&store));
    put(&*store, &vault, &user("ada"), "c1", canary.as_bytes()).await;
    let row = store.get(&tenant("acme"), &connection("c1")).await.unwrap().unwrap();
    let secret = vault.open(&place(), &row.sealed, &access()).await.unwrap();
    assert!(format!("{secret:?}").contains("[REDACTED]"));
    leaks.text("vault", format!("{vault:?} {row:?} {secret:?}"));
    leaks.bytes("row", &row.sealed);
    let mut damaged = row.sealed.clone();
    *damaged.last_mut().unwrap() ^= 1;
    leaks.error("damaged", &vault.open(&place(), &damaged, &access()).await.unwrap_err());
    // What cannot be read as keys is not quoted either.
    for line in ["secret = \"@\" and more", "secret = \"@", "version = \"@\"", "secret = [\"@\"]", "@"] {
        let broken = format!("[[key]]\nid = \"k1\"\n{}\n", line.replace('@', canary));
        let error = KeySet::from_toml(&broken).unwrap_err();
        assert!(error.to_string().contains("line 3"), "{error}");
        leaks.error(line, &error);
    }
    leaks.error("a key alone", &KeySet::from_toml(&format!("key = \"{canary}\"")).unwrap_err());
    leaks.error("broken list", &KeySet::from_list(canary).unwrap_err());
    leaks
        .error("no base64", &Keyring::new(&KeySet::from_list(&format!("k1={canary}")).unwrap()).unwrap_err());
    leaks.assert_clean();
}
