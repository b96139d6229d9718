//! Subjects' keys: made once, destroyed for ever.

use std::sync::Arc;
use std::time::Duration;

use tool_connect_core::{ErrorKind, Event, EventKind, Vault};
use tool_connect_oauth::vault::{Keyring, subject_key};
use tool_connect_testkit::ManualClock;

use super::*;

fn assert_erased(error: &Error) {
    assert_eq!(error.kind(), ErrorKind::Vault, "{error}");
    assert!(error.to_string().contains("was erased"), "{error}");
}

#[tokio::test]
async fn an_erased_subject_can_neither_open_nor_seal_again() {
    let (keyring, store) = (super::sealed::keyring(), store());
    let heard: Arc<Mutex<Vec<Event>>> = Arc::default();
    let sink = Arc::clone(&heard);
    let vault = EnvelopeVault::builder(Arc::clone(&keyring))
        .subject_keys(Arc::clone(&store))
        .without_access_log()
        .events(Arc::new(move |event: &Event| sink.lock().unwrap().push(event.clone())))
        .build()
        .unwrap();
    let bobs = credential_place(&tenant("acme"), &user("bob"), &connection("c2"));
    let adas = vault.seal(&place(), b"ada's").await.unwrap();
    let other = vault.seal(&bobs, b"bob's").await.unwrap();
    assert_eq!(open(&vault, &place(), &adas).await.unwrap(), b"ada's");

    // Warm in this vault's memory, and gone from it at once.
    vault.erase(&tenant("acme"), &user("ada")).await.unwrap();
    assert_erased(&open(&vault, &place(), &adas).await.unwrap_err());
    assert_erased(&vault.seal(&place(), b"again").await.unwrap_err());
    // A vault that begins afterwards, with the same keys and the same store.
    let later = with_subjects(Arc::clone(&keyring), Arc::clone(&store));
    assert_erased(&open(&later, &place(), &adas).await.unwrap_err());
    assert_erased(&later.seal(&place(), b"again").await.unwrap_err());
    // Others are not touched.
    assert_eq!(open(&vault, &bobs, &other).await.unwrap(), b"bob's");
    // The key's bytes are gone from the store.
    let row = store.get(&tenant("acme"), &subject_key(&user("ada"))).await.unwrap().unwrap();
    assert_eq!(row.sealed, b"erased");
    // Erased again: nothing happens. Erased before the first value: neither is there one afterwards.
    vault.erase(&tenant("acme"), &user("ada")).await.unwrap();
    vault.erase(&tenant("acme"), &user("eve")).await.unwrap();
    let eves = credential_place(&tenant("acme"), &user("eve"), &connection("c3"));
    assert_erased(&vault.seal(&eves, b"x").await.unwrap_err());
    // Of the same name in another tenant: another subject.
    let namesake = credential_place(&tenant("globex"), &user("ada"), &connection("c1"));
    assert!(vault.seal(&namesake, b"x").await.is_ok());

    let heard = heard.lock().unwrap().clone();
    assert_eq!(heard.first().unwrap().what, EventKind::SubjectErased { subject: user("ada") });
    assert_eq!(heard.first().unwrap().tenant, Some(tenant("acme")));
}

#[tokio::test]
async fn another_process_notices_an_erasure_within_the_stated_time() {
    let (keyring, store, clock) = (super::sealed::keyring(), store(), Arc::new(ManualClock::new()));
    let elsewhere = EnvelopeVault::builder(Arc::clone(&keyring))
        .subject_keys(Arc::clone(&store))
        .without_access_log()
        .clock(Arc::clone(&clock) as Arc<dyn tool_connect_core::Clock>)
        .build()
        .unwrap();
    let sealed = elsewhere.seal(&place(), b"x").await.unwrap();
    with_subjects(keyring, store).erase(&tenant("acme"), &user("ada")).await.unwrap();
    clock.advance(Duration::from_secs(29));
    // It still remembers the key: this is what the time is for.
    assert!(open(&elsewhere, &place(), &sealed).await.is_ok());
    // Each use does not begin the time anew, and a clock on the wall set back does not prolong it.
    clock.set_wall(std::time::SystemTime::UNIX_EPOCH);
    clock.advance(Duration::from_secs(1));
    assert_erased(&open(&elsewhere, &place(), &sealed).await.unwrap_err());
}

#[tokio::test]
async fn values_from_before_there_were_subjects_keys_are_refused_after_an_erasure() {
    let (keyring, store) = (super::sealed::keyring(), store());
    let old = stateless(Arc::clone(&keyring)).seal(&place(), b"old").await.unwrap();
    let vault = with_subjects(keyring, store);
    assert_eq!(open(&vault, &place(), &old).await.unwrap(), b"old");
    vault.erase(&tenant("acme"), &user("ada")).await.unwrap();
    assert_erased(&open(&vault, &place(), &old).await.unwrap_err());
}

#[tokio::test]
async fn a_vault_without_subjects_keys_refuses_to_pretend() {
    let error = stateless(super::sealed::keyring()).erase(&tenant("acme"), &user("ada")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[tokio::test]
async fn a_store_that_is_down_is_not_an_erasure() {
    let switch = Switch::new();
    let keyring = super::sealed::keyring();
    let vault = with_subjects(Arc::clone(&keyring), Arc::clone(&switch) as Arc<dyn CredentialStore>);
    let sealed = vault.seal(&place(), b"x").await.unwrap();
    switch.set_down(true);
    assert!(open(&vault, &place(), &sealed).await.is_ok(), "warm keys outlive a short outage");
    let cold = with_subjects(keyring, Arc::clone(&switch) as Arc<dyn CredentialStore>);
    assert_eq!(open(&cold, &place(), &sealed).await.unwrap_err().kind(), ErrorKind::Storage);
    assert_eq!(cold.erase(&tenant("acme"), &user("ada")).await.unwrap_err().kind(), ErrorKind::Storage);
    switch.set_down(false);
    assert_eq!(open(&cold, &place(), &sealed).await.unwrap(), b"x");
}

#[tokio::test]
async fn a_subjects_key_that_is_lost_is_said_to_be() {
    let keyring = super::sealed::keyring();
    let sealed = with_subjects(Arc::clone(&keyring), store()).seal(&place(), b"x").await.unwrap();
    let error = open(&with_subjects(keyring, store()), &place(), &sealed).await.unwrap_err();
    assert!(error.to_string().contains("is not in the credential store"), "{error}");
}

/// Four vaults, as of four processes, seal a new subject's first values at the same time: one key is made.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subjects_key_is_made_once() {
    for round in 0..20 {
        let (keyring, store) = (super::sealed::keyring(), store());
        let vaults: Vec<_> =
            (0..4).map(|_| with_subjects(Arc::clone(&keyring), Arc::clone(&store))).collect();
        let tasks: Vec<_> = (0..16)
            .map(|n| {
                let vault = vaults[n % 4].clone();
                tokio::spawn(async move { vault.seal(&place(), &[n as u8]).await.unwrap() })
            })
            .collect();
        for (n, task) in tasks.into_iter().enumerate() {
            let sealed = task.await.unwrap();
            for vault in &vaults {
                assert_eq!(open(vault, &place(), &sealed).await.unwrap(), [n as u8], "round {round}");
            }
        }
    }
}

/// A key that is being read while its subject is erased is not remembered after the erasure.
#[tokio::test]
async fn an_erasure_wins_over_a_read_that_is_under_way() {
    struct Slow {
        inner: MemoryCredentials,
        hold: tokio::sync::Semaphore,
        reached: tokio::sync::Notify,
        slow: std::sync::atomic::AtomicBool,
    }

    #[async_trait]
    impl CredentialStore for Slow {
        async fn put(&self, credential: StoredCredential) -> Result<StoredCredential> {
            self.inner.put(credential).await
        }
        async fn get(&self, tenant: &TenantId, key: &CredentialKey) -> Result<Option<StoredCredential>> {
            let found = self.inner.get(tenant, key).await;
            if self.slow.swap(false, std::sync::atomic::Ordering::SeqCst) {
                self.reached.notify_one();
                self.hold.acquire().await.unwrap().forget();
            }
            found
        }
        async fn delete(&self, tenant: &TenantId, key: &CredentialKey) -> Result<bool> {
            self.inner.delete(tenant, key).await
        }
        async fn scan(
            &self,
            filter: &tool_connect_core::store::CredentialFilter,
            after: Option<&tool_connect_core::store::CredentialCursor>,
            limit: usize,
        ) -> Result<Vec<StoredCredential>> {
            self.inner.scan(filter, after, limit).await
        }
    }

    let store = Arc::new(Slow {
        inner: MemoryCredentials::new(),
        hold: tokio::sync::Semaphore::new(0),
        reached: tokio::sync::Notify::new(),
        slow: false.into(),
    });
    let keyring: Arc<dyn KeyProvider> = Arc::new(Keyring::generate().unwrap());
    let sealed = {
        let first = with_subjects(Arc::clone(&keyring), Arc::clone(&store) as Arc<dyn CredentialStore>);
        first.seal(&place(), b"x").await.unwrap()
    };
    let vault = with_subjects(keyring, Arc::clone(&store) as Arc<dyn CredentialStore>);
    store.slow.store(true, std::sync::atomic::Ordering::SeqCst);
    let reader = {
        let (vault, sealed) = (vault.clone(), sealed.clone());
        tokio::spawn(async move { open(&vault, &place(), &sealed).await })
    };
    store.reached.notified().await;
    vault.erase(&tenant("acme"), &user("ada")).await.unwrap();
    store.hold.add_permits(1);
    // It began before the erasure, so it may still end well; what it read is not there for anybody after it.
    let _ = reader.await.unwrap();
    assert_erased(&open(&vault, &place(), &sealed).await.unwrap_err());
}
