//! Rotation while others read and write.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use tool_connect_core::store::{CredentialFilter, RefreshIntent};
use tool_connect_core::{ErrorKind, Vault};
use tool_connect_oauth::vault::{KeySet, Keyring, Rotation, RotationSettings, rotate};

use super::*;

/// A store with `n` rows of four users under `k1`, and a vault whose current key is `k2` now.
async fn rotated(n: usize, store: &Arc<dyn CredentialStore>) -> (KeySet, EnvelopeVault) {
    let mut keys = KeySet::generate().unwrap();
    let keyring = Arc::new(Keyring::new(&keys).unwrap());
    let vault = with_subjects(Arc::clone(&keyring) as Arc<dyn KeyProvider>, Arc::clone(store));
    for row in 0..n {
        let owner = user(&format!("u{}", row % 4));
        put(&**store, &vault, &owner, &format!("c{row:04}"), format!("secret {row}").as_bytes()).await;
    }
    keys.add_generated().unwrap();
    keyring.replace(&keys).unwrap();
    (keys, vault)
}

async fn rows(store: &dyn CredentialStore) -> Vec<StoredCredential> {
    store.scan(&CredentialFilter::default(), None, 10_000).await.unwrap()
}

async fn assert_all_open(store: &dyn CredentialStore, vault: &dyn Vault, key: &str) {
    for row in rows(store).await {
        assert_eq!((row.key_id.as_str(), vault.key_id(&row.sealed).unwrap().as_str()), (key, key), "{row:?}");
        if row.key.kind == CredentialKind::Connection {
            let n: usize = row.key.id.trim_start_matches('c').parse().unwrap();
            let place = credential_place(&row.tenant, &row.owner, &row.key);
            assert_eq!(open(vault, &place, &row.sealed).await.unwrap(), format!("secret {n}").as_bytes());
        }
    }
}

#[tokio::test]
async fn everything_comes_under_the_current_key_subjects_keys_too() {
    let store = store();
    let (keys, vault) = rotated(50, &store).await;
    vault.erase(&tenant("acme"), &user("gone")).await.unwrap();
    let mut seen = Vec::new();
    let mut settings = RotationSettings::default();
    settings.page = 20;
    let report = Rotation::new(&*store, &vault, settings)
        .on_progress(|report| seen.push(report.rewrapped))
        .run()
        .await
        .unwrap();
    assert!(report.is_complete(), "{report}");
    assert_eq!((report.rewrapped, report.passes), (54, 2));
    assert!(seen.len() >= 3 && seen.is_sorted(), "{seen:?}");

    // The old key can go: a fresh process with the new one alone reads all, and so does the check at start.
    let new = with_subjects(Arc::new(Keyring::new(&keys.without("k1")).unwrap()), Arc::clone(&store));
    let used = new.check(&*store).await.unwrap();
    assert_eq!(used.keys.iter().map(|key| (key.id.as_str(), key.values)).collect::<Vec<_>>(), [("k2", 54)]);
    let tombstone = CredentialFilter { owner: Some(user("gone")), ..CredentialFilter::default() };
    let row = store.scan(&tombstone, None, 1).await.unwrap().remove(0);
    assert!(store.delete(&row.tenant, &row.key).await.unwrap());
    assert_all_open(&*store, &new, "k2").await;
    // Again: nothing to do.
    let report = rotate(&*store, &new, RotationSettings::default()).await.unwrap();
    assert_eq!((report.rewrapped, report.passes), (0, 1));
}

#[tokio::test]
async fn it_keeps_what_is_the_rows_own() {
    let store = store();
    let (_, vault) = rotated(1, &store).await;
    let name = (tenant("acme"), connection("c0000"));
    let mut row = store.get(&name.0, &name.1).await.unwrap().unwrap();
    row.issuer = Some("https://issuer.example".into());
    row.intent = Some(RefreshIntent { fence: 7, since: std::time::UNIX_EPOCH });
    row.expires = Some(std::time::UNIX_EPOCH + Duration::from_secs(60));
    let before = store.put(row).await.unwrap();
    rotate(&*store, &vault, RotationSettings::default()).await.unwrap();
    let after = store.get(&name.0, &name.1).await.unwrap().unwrap();
    assert_eq!((&after.issuer, after.intent, after.expires), (&before.issuer, before.intent, before.expires));
    assert_ne!(after.sealed, before.sealed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_and_writes_go_on_meanwhile_and_no_write_is_lost() {
    let store = store();
    let (_, vault) = rotated(400, &store).await;
    let (stop, reads, writes) =
        (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let reader = {
        let (store, vault, stop, reads) =
            (Arc::clone(&store), vault.clone(), Arc::clone(&stop), Arc::clone(&reads));
        tokio::spawn(async move {
            while !stop.load(SeqCst) {
                for row in rows(&*store).await {
                    if row.key.kind == CredentialKind::Connection {
                        let place = credential_place(&row.tenant, &row.owner, &row.key);
                        open(&vault, &place, &row.sealed).await.unwrap();
                        reads.fetch_add(1, SeqCst);
                    }
                }
                tokio::task::yield_now().await;
            }
        })
    };
    // A refresher: seals a new secret into each row again and again, by compare-and-swap, and counts what it stored.
    let writer = {
        let (store, vault, stop, writes) =
            (Arc::clone(&store), vault.clone(), Arc::clone(&stop), Arc::clone(&writes));
        tokio::spawn(async move {
            let mut last = std::collections::BTreeMap::new();
            let mut n = 0_u64;
            while !stop.load(SeqCst) {
                let key = connection(&format!("c{:04}", n * 7 % 400));
                n += 1;
                let mut row = store.get(&tenant("acme"), &key).await.unwrap().unwrap();
                let place = credential_place(&row.tenant, &row.owner, &row.key);
                row.sealed = vault.seal(&place, &n.to_le_bytes()).await.unwrap();
                row.key_id = vault.key_id(&row.sealed).unwrap();
                tokio::task::yield_now().await;
                match store.put(row).await {
                    Ok(_) => drop((last.insert(key, n), writes.fetch_add(1, SeqCst))),
                    Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict, "{error}"),
                }
            }
            last
        })
    };
    while reads.load(SeqCst) == 0 || writes.load(SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let report = rotate(&*store, &vault, RotationSettings::default()).await.unwrap();
    stop.store(true, SeqCst);
    reader.await.unwrap();
    let last = writer.await.unwrap();
    assert!(report.is_complete(), "{report}");
    for row in rows(&*store).await {
        assert_eq!(row.key_id, "k2");
        if let Some(n) = last.get(&row.key) {
            let place = credential_place(&row.tenant, &row.owner, &row.key);
            assert_eq!(open(&vault, &place, &row.sealed).await.unwrap(), n.to_le_bytes(), "a write was lost");
        }
    }
}

#[tokio::test]
async fn a_row_that_is_written_in_between_is_read_again() {
    /// Lets somebody else write each row once, just before the rotation does.
    struct Meddler {
        inner: Arc<dyn CredentialStore>,
        vault: EnvelopeVault,
        done: Mutex<std::collections::BTreeSet<CredentialKey>>,
    }

    #[async_trait]
    impl CredentialStore for Meddler {
        async fn put(&self, credential: StoredCredential) -> Result<StoredCredential> {
            let first = self.done.lock().unwrap().insert(credential.key.clone());
            if first && credential.key.kind == CredentialKind::Connection {
                let mut row = self.inner.get(&credential.tenant, &credential.key).await?.unwrap();
                let place = credential_place(&row.tenant, &row.owner, &row.key);
                row.sealed = self.vault.seal(&place, b"theirs").await?;
                row.key_id = self.vault.key_id(&row.sealed)?;
                self.inner.put(row).await?;
            }
            self.inner.put(credential).await
        }
        async fn get(&self, tenant: &TenantId, key: &CredentialKey) -> Result<Option<StoredCredential>> {
            self.inner.get(tenant, key).await
        }
        async fn delete(&self, tenant: &TenantId, key: &CredentialKey) -> Result<bool> {
            self.inner.delete(tenant, key).await
        }
        async fn scan(
            &self,
            filter: &CredentialFilter,
            after: Option<&tool_connect_core::store::CredentialCursor>,
            limit: usize,
        ) -> Result<Vec<StoredCredential>> {
            self.inner.scan(filter, after, limit).await
        }
    }

    let inner = store();
    let (keys, vault) = rotated(10, &inner).await;
    // The other writer has not heard of the new key yet.
    let behind = with_subjects(Arc::new(Keyring::new(&keys.current("k1")).unwrap()), Arc::clone(&inner));
    let meddler = Meddler { inner: Arc::clone(&inner), vault: behind, done: Mutex::default() };
    let report = rotate(&meddler, &vault, RotationSettings::default()).await.unwrap();
    assert!(report.is_complete(), "{report}");
    assert_eq!(report.conflicts, 10);
    for row in rows(&*inner).await {
        assert_eq!(row.key_id, "k2");
        if row.key.kind == CredentialKind::Connection {
            let place = credential_place(&row.tenant, &row.owner, &row.key);
            assert_eq!(open(&vault, &place, &row.sealed).await.unwrap(), b"theirs", "their write was lost");
        }
    }
}

#[tokio::test]
async fn a_damaged_row_is_named_and_holds_up_nothing() {
    let store = store();
    let (_, vault) = rotated(10, &store).await;
    let name = (tenant("acme"), connection("c0004"));
    let mut row = store.get(&name.0, &name.1).await.unwrap().unwrap();
    *row.sealed.get_mut(50).unwrap() ^= 1;
    store.put(row).await.unwrap();
    let report = rotate(&*store, &vault, RotationSettings::default()).await.unwrap();
    assert!(!report.is_complete());
    assert_eq!((report.rewrapped, report.failed), (13, 1));
    assert!(
        report.failures[0].contains("acme/connection:c0004") && report.failures[0].contains("k1"),
        "{report:?}"
    );
    assert!(report.to_string().contains("13 rewrapped, 0 left, 1 failed"), "{report}");
}

#[tokio::test]
async fn one_tenant_or_one_key_can_be_rotated_alone() {
    let store = store();
    let (_, vault) = rotated(8, &store).await;
    let mut settings = RotationSettings::default();
    settings.tenant = Some(tenant("globex"));
    assert_eq!(rotate(&*store, &vault, settings.clone()).await.unwrap().rewrapped, 0);
    settings.tenant = Some(tenant("acme"));
    settings.from = Some("k0".into());
    assert_eq!(rotate(&*store, &vault, settings.clone()).await.unwrap().rewrapped, 0);
    settings.from = Some("k1".into());
    assert_eq!(rotate(&*store, &vault, settings).await.unwrap().rewrapped, 12);
    assert_all_open(&*store, &vault, "k2").await;
}

#[tokio::test(start_paused = true)]
async fn it_keeps_to_its_rate_and_resumes_where_it_was_dropped() {
    let store = store();
    let (_, vault) = rotated(96, &store).await;
    let mut settings = RotationSettings::default();
    (settings.per_second, settings.in_flight) = (10, 5);
    let begin = tokio::time::Instant::now();
    // Given up after four seconds, as a deadline does.
    let four = Duration::from_secs(4);
    assert!(tokio::time::timeout(four, rotate(&*store, &vault, settings.clone())).await.is_err());
    let stale = CredentialFilter { key_id: Some("k1".into()), ..CredentialFilter::default() };
    let left = store.scan(&stale, None, 1000).await.unwrap().len();
    assert!((55..=60).contains(&left), "{left} left of 100");
    let report = rotate(&*store, &vault, settings).await.unwrap();
    assert_eq!(report.rewrapped as usize, left);
    let took = begin.elapsed();
    assert!(took >= Duration::from_millis(9_000) && took <= Duration::from_secs(11), "{took:?}");
    assert_all_open(&*store, &vault, "k2").await;
}

#[tokio::test]
async fn an_error_of_the_store_ends_it_and_it_can_begin_again() {
    let switch = Switch::new();
    let store: Arc<dyn CredentialStore> = Arc::clone(&switch) as Arc<dyn CredentialStore>;
    let (_, vault) = rotated(10, &store).await;
    switch.set_down(true);
    let error = rotate(&*store, &vault, RotationSettings::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Storage);
    switch.set_down(false);
    assert!(rotate(&*store, &vault, RotationSettings::default()).await.unwrap().is_complete());
}

#[tokio::test]
async fn a_row_that_names_the_wrong_key_is_found_and_put_right() {
    let store = store();
    let (_, vault) = rotated(2, &store).await;
    // One says `k2` and is sealed with `k1`, the other the other way round.
    let mut row = store.get(&tenant("acme"), &connection("c0000")).await.unwrap().unwrap();
    row.key_id = "k2".into();
    store.put(row).await.unwrap();
    let mut row = store.get(&tenant("acme"), &connection("c0001")).await.unwrap().unwrap();
    let place = credential_place(&row.tenant, &row.owner, &row.key);
    row.sealed = vault.seal(&place, b"secret 1").await.unwrap();
    store.put(row).await.unwrap();
    assert!(rotate(&*store, &vault, RotationSettings::default()).await.unwrap().is_complete());
    assert_all_open(&*store, &vault, "k2").await;
}
