//! Keyrings: what is refused at start, which key seals and opens, tenants' own keys, files.

use std::sync::Arc;

use tool_connect_core::{ErrorKind, Vault};
use tool_connect_oauth::vault::{KeySet, Keyring};

use super::*;

const A: [u8; 32] = [1; 32];
const B: [u8; 32] = [2; 32];
const C: [u8; 32] = [3; 32];

fn refused(keys: &KeySet) -> String {
    let error = Keyring::new(keys).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    error.to_string()
}

#[test]
fn vault_10_a_missing_or_wrong_key_is_named() {
    let one = || KeySet::new().key("k1", 1, &A);
    for (keys, says) in [
        (KeySet::new(), "no key"),
        (one().current("k9"), "key `k9` is the current one by name and is missing"),
        (KeySet::new().key("k1", 1, &A[..31]), "key `k1` is 31 bytes long"),
        (KeySet::new().key("k1", 1, &[]), "key `k1` is 0 bytes long"),
        (KeySet::new().key("k1", 1, &[0; 32]), "key `k1` is all zero"),
        (one().key("k2", 2, &A), "keys `k1` and `k2` are the same bytes"),
        (one().key("k1", 2, &B), "key `k1` is there twice"),
        (one().key("k2", 1, &B), "keys `k1` and `k2` have the same version 1"),
        (one().tenant("acme", KeySet::new().key("own", 1, &A)), "keys `k1` and `own` are the same bytes"),
        (one().tenant("acme", KeySet::new().key("k1", 1, &B)), "key `k1` is there twice"),
        (one().tenant("acme", KeySet::new()), "tenant: acme"),
        (
            one().tenant(
                "acme",
                KeySet::new().key("own", 1, &B).tenant("deeper", KeySet::new().key("d", 1, &C)),
            ),
            "further tenants",
        ),
        (
            one().minimum_version(2),
            "key `k1` is the current one and of version 1, below the minimum version 2",
        ),
        (KeySet::new().key("two words", 1, &A), "key id `two words`"),
        (KeySet::new().key("", 1, &A), "key id ``"),
        (KeySet::from_list("k1=not*base64").unwrap(), "key `k1` is not base64"),
    ] {
        let message = refused(&keys);
        assert!(message.contains(says), "{message}");
    }
    let error = KeySet::from_list("k1").unwrap_err().to_string();
    assert!(error.contains("item 1"), "{error}");
    let error = Keyring::from_env("TOOL_CONNECT_TEST_NO_SUCH_VARIABLE").unwrap_err().to_string();
    assert!(error.contains("TOOL_CONNECT_TEST_NO_SUCH_VARIABLE is not set"), "{error}");
}

#[tokio::test]
async fn vault_10_a_check_at_start_names_the_keys_that_are_missing_or_wrong() {
    let store = store();
    let both = KeySet::new().key("k1", 1, &A).key("k2", 2, &B);
    let old = with_subjects(Arc::new(Keyring::new(&both.clone().current("k1")).unwrap()), Arc::clone(&store));
    let new = with_subjects(Arc::new(Keyring::new(&both).unwrap()), Arc::clone(&store));
    for n in 0..30 {
        put(&*store, if n < 20 { &old } else { &new }, &user("ada"), &format!("c{n:02}"), b"x").await;
    }
    old.erase(&tenant("acme"), &user("gone")).await.unwrap();

    let used = new.check(&*store).await.unwrap();
    let rows: Vec<_> = used.keys.iter().map(|key| (key.id.as_str(), key.standing, key.values)).collect();
    // Ada's own key is the 21st value on k1.
    assert_eq!(rows, [("k1", KeyStanding::Accepted, 21), ("k2", KeyStanding::Current, 10)]);
    assert_eq!(used.erased, 1);

    for (keys, says) in [
        (KeySet::new().key("k2", 2, &B), "key `k1` is missing, 21 values need it"),
        (KeySet::new().key("k1", 1, &A), "key `k2` is missing, 10 values need it"),
        (both.clone().minimum_version(2), "key `k1` is below the minimum version, 21 values still need it"),
        (KeySet::new().key("k1", 1, &C).key("k2", 2, &B), "key `k1` is not the key that sealed its values"),
    ] {
        let vault = with_subjects(Arc::new(Keyring::new(&keys).unwrap()), Arc::clone(&store));
        let error = vault.check(&*store).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(says), "{error}");
    }

    // One damaged row is no wrong key; a row that was never sealed is told.
    let mut row = store.get(&tenant("acme"), &connection("c00")).await.unwrap().unwrap();
    *row.sealed.get_mut(60).unwrap() ^= 1;
    store.put(row).await.unwrap();
    assert!(new.check(&*store).await.is_ok());
    let plain =
        StoredCredential::new(tenant("acme"), connection("plain"), user("ada"), b"token".to_vec(), "");
    store.put(plain).await.unwrap();
    let error = new.check(&*store).await.unwrap_err().to_string();
    assert!(error.contains("1 rows hold no sealed value"), "{error}");
}

#[tokio::test]
async fn vault_06_keys_below_the_minimum_version_are_refused() {
    let keys = KeySet::new().key("k1", 1, &A);
    let keyring = Arc::new(Keyring::new(&keys).unwrap());
    let vault = stateless(Arc::clone(&keyring) as Arc<dyn KeyProvider>);
    let old = vault.seal(&place(), b"old").await.unwrap();
    let keys = keys.key("k2", 2, &B);
    keyring.replace(&keys).unwrap();
    assert_eq!(open(&vault, &place(), &old).await.unwrap(), b"old");
    let new = vault.seal(&place(), b"new").await.unwrap();

    keyring.replace(&keys.clone().minimum_version(2)).unwrap();
    let error = open(&vault, &place(), &old).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Vault);
    assert!(error.to_string().contains("key `k1` is below the keyring's minimum version 2"), "{error}");
    assert!(vault.rewrap(&place(), &old).await.is_err(), "nor can it be carried over");
    assert_eq!(open(&vault, &place(), &new).await.unwrap(), b"new");
    // The same said by the name of the oldest key, as the environment does.
    assert!(keys.clone().oldest("k9").is_err());
    keyring.replace(&keys.oldest("k1").unwrap()).unwrap();
    assert_eq!(open(&vault, &place(), &old).await.unwrap(), b"old");
}

#[tokio::test]
async fn a_tenants_own_keys_come_before_the_shared_ones() {
    let shared = KeySet::new().key("k1", 1, &A);
    let keyring = Arc::new(Keyring::new(&shared).unwrap());
    let vault = stateless(Arc::clone(&keyring) as Arc<dyn KeyProvider>);
    let globex = SealedPlace { tenant: tenant("globex"), ..place() };
    let before = vault.seal(&place(), b"before").await.unwrap();

    let own = KeySet::new().key("acme-1", 1, &B);
    keyring.replace(&shared.clone().tenant("acme", own.clone())).unwrap();
    assert_eq!(vault.current_key_id(&tenant("acme")).await.unwrap(), "acme-1");
    assert_eq!(vault.current_key_id(&tenant("globex")).await.unwrap(), "k1");
    assert_eq!(keyring.standing(&tenant("acme"), "k1").await.unwrap(), KeyStanding::Accepted);
    assert_eq!(keyring.standing(&tenant("globex"), "k1").await.unwrap(), KeyStanding::Current);
    assert_eq!(keyring.standing(&tenant("globex"), "acme-1").await.unwrap(), KeyStanding::Missing);
    let sealed = vault.seal(&place(), b"own").await.unwrap();
    assert_eq!(vault.key_id(&sealed).unwrap(), "acme-1");
    assert_eq!(open(&vault, &place(), &before).await.unwrap(), b"before");
    // Another tenant has no use of them.
    assert!(
        open(&vault, &globex, &sealed).await.unwrap_err().to_string().contains("key `acme-1` is missing")
    );

    keyring.replace(&shared.tenant("acme", own.own_only())).unwrap();
    assert_eq!(open(&vault, &place(), &sealed).await.unwrap(), b"own");
    let error = open(&vault, &place(), &before).await.unwrap_err();
    assert!(error.to_string().contains("key `k1` is missing"), "{error}");
}

#[tokio::test]
async fn a_key_file_comes_back_as_it_was_saved() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.toml");
    let mut keys = KeySet::generate().unwrap();
    keys.add_generated().unwrap();
    let keys = keys
        .current("k1")
        .minimum_version(1)
        .tenant("a \"b\" & ü", KeySet::new().key("own", 7, &B).own_only());
    keys.save(&path).unwrap();
    let vault = stateless(Arc::new(Keyring::new(&keys).unwrap()));
    let odd = SealedPlace { tenant: tenant("a \"b\" & ü"), ..place() };
    let again = stateless(Arc::new(Keyring::from_file(&path).unwrap()));
    for place in [place(), odd] {
        let sealed = vault.seal(&place, b"x").await.unwrap();
        assert_eq!(open(&again, &place, &sealed).await.unwrap(), b"x");
        assert_eq!(
            again.current_key_id(&place.tenant).await.unwrap(),
            vault.current_key_id(&place.tenant).await.unwrap()
        );
    }
    // Saved over an older one, and nothing left beside it.
    KeySet::generate().unwrap().save(&path).unwrap();
    assert_eq!(Keyring::from_file(&path).unwrap().key_ids(), ["k1"]);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let error = KeySet::from_toml("curent = 'k1'").unwrap_err().to_string();
    assert!(error.contains("curent"), "{error}");
    let error = Keyring::from_file(folder.path().join("none.toml")).unwrap_err().to_string();
    assert!(error.contains("none.toml"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_key_file_that_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.toml");
    KeySet::generate().unwrap().save(&path).unwrap();
    let mode = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    for bad in [0o640, 0o604, 0o602, 0o660] {
        mode(bad);
        let error = Keyring::from_file(&path).unwrap_err().to_string();
        assert!(error.contains("chmod 600") && error.contains(&format!("{bad:o}")), "{error}");
    }
    for good in [0o600, 0o400] {
        mode(good);
        assert!(Keyring::from_file(&path).is_ok());
    }
}

#[tokio::test]
async fn a_list_of_keys_seals_with_the_last() {
    let text =
        |bytes: [u8; 32]| base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, bytes);
    let keys = KeySet::from_list(&format!("k1={}, k2={}\n", text(A), text(B))).unwrap();
    let keyring = Keyring::new(&keys).unwrap();
    assert_eq!(&*keyring.current(&tenant("acme")).await.unwrap(), "k2");
    assert_eq!(keyring.key_ids(), ["k1", "k2"]);
}

/// What the child process of the next test runs; without the variable it is no test.
#[tokio::test]
async fn environment_child() {
    if std::env::var_os("TOOL_CONNECT_TEST_KEYS").is_none() {
        return;
    }
    let keyring = Keyring::from_env("TOOL_CONNECT_TEST_KEYS").unwrap();
    assert_eq!(&*keyring.current(&tenant("acme")).await.unwrap(), "k2");
    assert_eq!(keyring.standing(&tenant("acme"), "k1").await.unwrap(), KeyStanding::Refused);
}

#[test]
fn keys_and_the_oldest_accepted_come_from_the_environment() {
    let text = |bytes: [u8; 32]| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes);
    let run = |oldest: &str| {
        std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "vault::keys::environment_child"])
            .env("TOOL_CONNECT_TEST_KEYS", format!("k1={},k2={}", text(A), text(B)))
            .env("TOOL_CONNECT_TEST_KEYS_MINIMUM", oldest)
            .output()
            .unwrap()
    };
    assert!(run("k2").status.success());
    assert!(!run("k9").status.success(), "an oldest key that is not there is refused");
}
