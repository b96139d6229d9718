//! Sealed values: their place, header, keys and every bit of them.

use std::collections::HashSet;
use std::sync::Arc;

use tool_connect_core::{ErrorKind, Rewrapped, SealedPlace, TeamId, Vault};
use tool_connect_oauth::vault::{KeySet, Keyring};

use super::*;

#[tokio::test]
async fn vault_01_a_value_opens_at_its_own_place_only() {
    for vault in [stateless(keyring()), with_subjects(keyring(), store())] {
        let here = place();
        let sealed = vault.seal(&here, b"ghs_token").await.unwrap();
        assert_eq!(open(&vault, &here, &sealed).await.unwrap(), b"ghs_token");
        let elsewhere = [
            SealedPlace { tenant: tenant("globex"), ..here.clone() },
            SealedPlace { subject: user("bob"), ..here.clone() },
            SealedPlace { subject: Owner::Team(TeamId::new("ada").unwrap()), ..here.clone() },
            SealedPlace { subject: Owner::Tenant, ..here.clone() },
            SealedPlace { record: "connection:c2".into(), ..here.clone() },
            SealedPlace { field: "other".into(), ..here.clone() },
            SealedPlace { record: "connection:c1s".into(), field: "ecret".into(), ..here.clone() },
        ];
        for place in elsewhere {
            // Where the other place has values of its own, so that nothing but the place is wrong.
            vault.seal(&place, b"other").await.unwrap();
            let error = open(&vault, &place, &sealed).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Vault, "{error}");
            assert!(error.to_string().contains("k1"), "{error}");
        }
    }
}

/// A provider may ignore what it is told of the place: the payload is bound to it all the same.
#[tokio::test]
async fn vault_01_the_payload_is_bound_to_its_place_whatever_the_provider_does() {
    struct Careless(Keyring);

    #[async_trait]
    impl KeyProvider for Careless {
        async fn current(&self, tenant: &TenantId) -> Result<Arc<str>> {
            self.0.current(tenant).await
        }
        async fn standing(&self, tenant: &TenantId, key_id: &str) -> Result<KeyStanding> {
            self.0.standing(tenant, key_id).await
        }
        async fn wrap(&self, context: WrapContext<'_>, data_key: &DataKey) -> Result<Vec<u8>> {
            self.0.wrap(WrapContext::new(context.tenant, context.key_id, b""), data_key).await
        }
        async fn unwrap(&self, context: WrapContext<'_>, wrapped: &[u8]) -> Result<DataKey> {
            self.0.unwrap(WrapContext::new(context.tenant, context.key_id, b""), wrapped).await
        }
    }

    let vault = stateless(Arc::new(Careless(Keyring::generate().unwrap())));
    let (here, there) = (place(), SealedPlace { record: "connection:c2".into(), ..place() });
    let (one, two) = (vault.seal(&here, b"one").await.unwrap(), vault.seal(&there, b"two").await.unwrap());
    assert_eq!(open(&vault, &here, &one).await.unwrap(), b"one");
    assert!(open(&vault, &there, &one).await.is_err() && open(&vault, &here, &two).await.is_err());
}

#[tokio::test]
async fn vault_01_the_key_id_is_bound_to_the_data_key() {
    // Two ids, so that the other one exists; a value that names it must not open.
    let mut keys = KeySet::generate().unwrap();
    keys.add_generated().unwrap();
    let vault = stateless(Arc::new(Keyring::new(&keys).unwrap()));
    let sealed = vault.seal(&place(), b"x").await.unwrap();
    assert_eq!(vault.key_id(&sealed).unwrap(), "k2");
    let mut renamed = sealed.clone();
    *renamed.iter_mut().find(|byte| **byte == b'2').unwrap() = b'1';
    assert_eq!(vault.key_id(&renamed).unwrap(), "k1");
    assert_eq!(open(&vault, &place(), &renamed).await.unwrap_err().kind(), ErrorKind::Vault);
}

#[tokio::test]
async fn vault_02_what_is_unknown_is_named_and_nothing_is_tried() {
    let mut keys = KeySet::generate().unwrap();
    keys.add_generated().unwrap();
    let recorder = Arc::new(Recorder::new(&keys));
    let vault = stateless(Arc::clone(&recorder) as Arc<dyn KeyProvider>);
    let sealed = vault.seal(&place(), b"x").await.unwrap();
    let with = |at: usize, byte: u8| {
        let mut other = sealed.clone();
        *other.get_mut(at).unwrap() = byte;
        other
    };
    // Magic, format version, algorithm: refused before anybody is asked for a key.
    for (bytes, says) in [
        (with(0, b'x'), "no sealed value"),
        (with(3, 2), "format version 2"),
        (with(4, 9), "algorithm 9"),
        (b"plain text that was never sealed".to_vec(), "no sealed value"),
        (Vec::new(), "no sealed value"),
    ] {
        let error = open(&vault, &place(), &bytes).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Vault);
        assert!(error.to_string().contains(says), "{error}");
    }
    assert_eq!(recorder.asked(), [""; 0]);
    // An unknown key: only that one is asked for.
    let error = open(&vault, &place(), &with(7, b'7')).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Vault);
    assert!(
        error.to_string().contains("key `k7` is missing") && error.to_string().contains("connection:c1"),
        "{error}"
    );
    assert_eq!(recorder.asked(), ["k7"]);
}

#[tokio::test]
async fn vault_02_a_vault_without_subjects_keys_says_what_it_lacks() {
    let keyring = keyring();
    let sealed = with_subjects(Arc::clone(&keyring), store()).seal(&place(), b"x").await.unwrap();
    let error = open(&stateless(keyring), &place(), &sealed).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("no store for them"), "{error}");
}

#[tokio::test]
async fn vault_03_each_value_has_a_data_key_of_its_own() {
    let recorder = Arc::new(Recorder::new(&KeySet::generate().unwrap()));
    let vault = stateless(Arc::clone(&recorder) as Arc<dyn KeyProvider>);
    let mut payloads = HashSet::new();
    for _ in 0..200 {
        let sealed = vault.seal(&place(), b"the same secret").await.unwrap();
        payloads.insert(sealed.get(sealed.len() - 31..).unwrap().to_vec());
    }
    let keys: HashSet<[u8; 32]> = recorder.wrapped.lock().unwrap().iter().copied().collect();
    assert_eq!((keys.len(), payloads.len()), (200, 200));
}

#[tokio::test]
async fn vault_04_the_commitment_is_checked_before_anything_is_decrypted() {
    let keys = KeySet::generate().unwrap();
    let honest = stateless(Arc::new(Keyring::new(&keys).unwrap()));
    let sealed = honest.seal(&place(), b"secret").await.unwrap();
    // Of the whole value only the commitment is wrong: nothing else would notice.
    let mut forged = sealed.clone();
    *forged.get_mut(8).unwrap() ^= 1;
    let error = open(&honest, &place(), &forged).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Vault);
    assert!(error.to_string().contains("commitment"), "{error}");
    // A provider that gives out another key than it wrapped is found by the commitment, not by the cipher.
    let liar = Recorder { lie: Some([7; 32]), ..Recorder::new(&keys) };
    let error = open(&stateless(Arc::new(liar)), &place(), &sealed).await.unwrap_err();
    assert!(error.to_string().contains("commitment"), "{error}");
}

#[tokio::test]
async fn vault_05_a_rewrap_needs_no_subject_key_and_leaves_the_payload() {
    let keys = KeySet::generate().unwrap();
    let (keyring, switch) = (Arc::new(Keyring::new(&keys).unwrap()), Switch::new());
    let log = Arc::new(super::access::Log::default());
    let vault = EnvelopeVault::builder(Arc::clone(&keyring) as Arc<dyn KeyProvider>)
        .subject_keys(Arc::clone(&switch) as Arc<dyn CredentialStore>)
        .access_log(Arc::clone(&log) as Arc<dyn tool_connect_core::SecretAccessLog>)
        .build()
        .unwrap();
    let sealed = vault.seal(&place(), b"ghs_plaintext_of_the_token").await.unwrap();
    assert_eq!(vault.rewrap(&place(), &sealed).await.unwrap(), Rewrapped::Current);

    let mut next = keys.clone();
    next.add_generated().unwrap();
    keyring.replace(&next).unwrap();
    // A vault that never saw the subject's key and cannot get it can rewrap, so it cannot have seen the secret.
    switch.set_down(true);
    let cold = with_subjects(
        Arc::clone(&keyring) as Arc<dyn KeyProvider>,
        Arc::clone(&switch) as Arc<dyn CredentialStore>,
    );
    let Rewrapped::Changed(moved) = cold.rewrap(&place(), &sealed).await.unwrap() else {
        panic!("not rewrapped")
    };
    assert!(open(&cold, &place(), &moved).await.is_err(), "the store is down");
    assert!(!moved.windows(9).any(|part| part == b"plaintext"));
    let payload = "ghs_plaintext_of_the_token".len() + 16;
    assert_eq!(moved.get(moved.len() - payload..), sealed.get(sealed.len() - payload..));
    assert_eq!(cold.key_id(&moved).unwrap(), "k2");
    assert_eq!(log.count(), 0, "a rewrap opens nothing");
    // Moved to another place, it is refused: nobody can launder a row through a rotation.
    let elsewhere = SealedPlace { record: "connection:c2".into(), ..place() };
    assert_eq!(cold.rewrap(&elsewhere, &sealed).await.unwrap_err().kind(), ErrorKind::Vault);

    switch.set_down(false);
    assert_eq!(open(&vault, &place(), &moved).await.unwrap(), b"ghs_plaintext_of_the_token");
}

#[tokio::test]
async fn a_remembered_data_key_serves_its_value_alone_and_for_its_time() {
    let recorder = Arc::new(Recorder::new(&KeySet::generate().unwrap()));
    let clock = Arc::new(tool_connect_testkit::ManualClock::new());
    let vault = EnvelopeVault::builder(Arc::clone(&recorder) as Arc<dyn KeyProvider>)
        .stateless()
        .without_access_log()
        .clock(Arc::clone(&clock) as Arc<dyn tool_connect_core::Clock>)
        .build()
        .unwrap();
    let (one, two) =
        (vault.seal(&place(), b"one").await.unwrap(), vault.seal(&place(), b"two").await.unwrap());
    for _ in 0..3 {
        assert_eq!(open(&vault, &place(), &one).await.unwrap(), b"one");
    }
    assert_eq!(recorder.asked().len(), 1);
    assert_eq!(open(&vault, &place(), &two).await.unwrap(), b"two");
    assert_eq!(recorder.asked().len(), 2);
    // The same keys at another place, or with another wrapped key, are not the value that was opened.
    let elsewhere = SealedPlace { record: "connection:c2".into(), ..place() };
    assert!(open(&vault, &elsewhere, &one).await.is_err());
    let mut damaged = one.clone();
    *damaged.get_mut(50).unwrap() ^= 1;
    assert!(open(&vault, &place(), &damaged).await.is_err());
    let asked = recorder.asked().len();
    clock.advance(std::time::Duration::from_secs(30));
    assert_eq!(open(&vault, &place(), &one).await.unwrap(), b"one");
    assert_eq!(recorder.asked().len(), asked + 1, "asked again after its time");
}

/// Of each of 1,000 values every single bit is flipped once, and the value cut short at every length.
#[test]
fn vault_09_every_bit_flip_of_1000_values_is_refused() {
    let mut keys = KeySet::generate().unwrap();
    // All ids that a flip of a bit of `k8` can make are there, so that no flip fails for want of the key alone.
    for version in 2..10 {
        assert_eq!(keys.add_generated().unwrap(), format!("k{version}"));
    }
    let keyring: Arc<dyn KeyProvider> = Arc::new(Keyring::new(&keys.current("k8")).unwrap());
    let (vault, threads) = (with_subjects(keyring, store()), 2);
    let each = |thread: usize| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            for n in (0..1000).filter(|n| n % threads == thread) {
                let secret: Vec<u8> = (0..n % 40).map(|k| (n * 31 + k * 7) as u8).collect();
                let place = SealedPlace { record: format!("connection:{n}"), ..place() };
                let mut sealed = vault.seal(&place, &secret).await.unwrap();
                // Half of them with their data key remembered, half without.
                if n % 4 < 2 {
                    vault.open(&place, &sealed, &access()).await.unwrap();
                }
                for bit in 0..sealed.len() * 8 {
                    *sealed.get_mut(bit / 8).unwrap() ^= 1 << (bit % 8);
                    assert!(vault.open(&place, &sealed, &access()).await.is_err(), "value {n}, bit {bit}");
                    *sealed.get_mut(bit / 8).unwrap() ^= 1 << (bit % 8);
                }
                for length in 0..sealed.len() {
                    assert!(vault.open(&place, sealed.get(..length).unwrap(), &access()).await.is_err());
                }
                assert_eq!(open(&vault, &place, &sealed).await.unwrap(), secret);
            }
        });
    };
    std::thread::scope(|scope| {
        (0..threads).for_each(|thread| drop(scope.spawn(move || each(thread))));
    });
}

#[tokio::test]
async fn a_secret_has_a_largest_length_and_may_be_empty() {
    let vault = stateless(keyring());
    let sealed = vault.seal(&place(), b"").await.unwrap();
    assert_eq!(open(&vault, &place(), &sealed).await.unwrap(), b"");
    let error = vault.seal(&place(), &vec![1; 16 * 1024 * 1024 + 1]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}

pub(super) fn keyring() -> Arc<dyn KeyProvider> {
    Arc::new(Keyring::generate().unwrap())
}
