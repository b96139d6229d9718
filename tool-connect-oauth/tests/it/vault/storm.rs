//! A rotation in a process of its own on a SQLite file, killed at random points, while this process reads. The example
//! `rotate_keys --storm` does the same at full size.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use tool_connect_core::store::CredentialFilter;
use tool_connect_oauth::vault::{KeySet, Keyring, RotationSettings, place_of, rotate};
use tool_connect_stores::{SqliteOptions, SqliteStores};

use super::*;

const ROWS: usize = 2_000;
const KILLS: u32 = 5;
/// Tells the child process where to work.
const FOLDER: &str = "TOOL_CONNECT_TEST_ROTATION";

async fn vault_at(folder: &Path) -> (Arc<dyn CredentialStore>, EnvelopeVault) {
    let stores = SqliteStores::open(folder.join("stores.db"), SqliteOptions::default()).unwrap().stores();
    let keyring = Keyring::from_file(folder.join("keys.toml")).unwrap();
    let vault = with_subjects(Arc::new(keyring), Arc::clone(&stores.credentials));
    (stores.credentials, vault)
}

/// What the child process runs; without its folder it is no test.
#[tokio::test]
async fn rotation_child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let (store, vault) = vault_at(Path::new(&folder)).await;
    let mut settings = RotationSettings::default();
    settings.from = Some("k1".into());
    let report = rotate(&*store, &vault, settings).await.unwrap();
    assert!(report.is_complete(), "{report}");
}

fn spawn(folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "vault::storm::rotation_child"])
        .env(FOLDER, folder)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

async fn left(store: &dyn CredentialStore) -> usize {
    let stale = CredentialFilter { key_id: Some("k1".into()), ..CredentialFilter::default() };
    store.scan(&stale, None, ROWS * 2).await.unwrap().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_that_is_killed_again_and_again_ends_without_a_failed_read() {
    let folder = tempfile::tempdir().unwrap();
    let keys_file = folder.path().join("keys.toml");
    let mut keys = KeySet::generate().unwrap();
    keys.save(&keys_file).unwrap();
    {
        let (store, vault) = vault_at(folder.path()).await;
        let rows =
            (0..ROWS).map(|n| {
                let (store, vault) = (Arc::clone(&store), vault.clone());
                async move {
                    put(&*store, &vault, &user(&format!("u{}", n % 50)), &format!("c{n}"), b"a token").await
                }
            });
        futures_util::future::join_all(rows).await;
    }
    keys.add_generated().unwrap();
    keys.save(&keys_file).unwrap();

    let (store, vault) = vault_at(folder.path()).await;
    let begin = left(&*store).await;
    assert_eq!(begin, ROWS + 50);
    let (stop, reads) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let reader = {
        let (store, vault, stop, reads) =
            (Arc::clone(&store), vault.clone(), Arc::clone(&stop), Arc::clone(&reads));
        tokio::spawn(async move {
            for n in (0_usize..).map(|n| n * 7919 % ROWS) {
                if stop.load(SeqCst) {
                    return;
                }
                let row = store.get(&tenant("acme"), &connection(&format!("c{n}"))).await.unwrap().unwrap();
                assert_eq!(open(&vault, &place_of(&row), &row.sealed).await.unwrap(), b"a token");
                reads.fetch_add(1, SeqCst);
            }
        })
    };
    let mut kills = 0;
    let mut seed = 0x9e37_79b9_u32;
    while kills < KILLS {
        let before = left(&*store).await;
        assert!(before > 0, "the rotation ended before it was killed {KILLS} times");
        let mut child = spawn(folder.path());
        // At a point of its work, not of its start: after so many more rows, which the sequence makes up.
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let aim = before.saturating_sub(1 + (seed >> 16) as usize % (ROWS / 10));
        while left(&*store).await > aim && child.try_wait().unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        child.kill().unwrap();
        kills += u32::from(!child.wait().unwrap().success());
    }
    assert!(spawn(folder.path()).wait().unwrap().success());
    stop.store(true, SeqCst);
    reader.await.unwrap();
    assert!(reads.load(SeqCst) > 0);
    assert_eq!(left(&*store).await, 0, "rows are left on the old key");

    // The old key is thrown away, and everything opens.
    keys.without("k1").save(&keys_file).unwrap();
    let (store, vault) = vault_at(folder.path()).await;
    let used = vault.check(&*store).await.unwrap();
    assert_eq!(
        used.keys.iter().map(|key| (key.id.as_str(), key.values)).collect::<Vec<_>>(),
        [("k2", 2_050)]
    );
    for n in 0..ROWS {
        let row = store.get(&tenant("acme"), &connection(&format!("c{n}"))).await.unwrap().unwrap();
        assert_eq!(open(&vault, &place_of(&row), &row.sealed).await.unwrap(), b"a token");
    }
}
