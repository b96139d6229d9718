//! What a data key becomes: the key of the payload and the commitment to it, both by HKDF-SHA256 (RFC 5869).
//!
//! `HKDF-Expand(PRK = subject's key, info = label || data key, L = 32)`: with `L` one hash long, that is
//! `HMAC(PRK, info || 0x01)`. The subject's key is set up once and serves all its values; the data key is the fresh part. Either
//! of the two unknown makes the output unpredictable: HMAC-SHA256 is a PRF in its key, and in its message for keys of fixed
//! length (Backendal, Bellare, Günther, Scarlata: "When Messages are Keys", CRYPTO 2023).

use aws_lc_rs::aead::{AES_256_GCM, LessSafeKey, NONCE_LEN, UnboundKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use tool_connect_core::Result;
use zeroize::Zeroize;

use super::aead;
use super::fault::{internal, refused};
use super::format::COMMITMENT;
use super::provider::DataKey;

/// Both labels are equally long, and the data key after them is too: no info is a part of another. With them the info fits
/// into one block of SHA-256.
const ENCRYPT: &[u8; LABEL] = b"tc vault1 enc : ";
const COMMIT: &[u8; LABEL] = b"tc vault1 commit";
const LABEL: usize = 16;
/// In place of a subject's key where none takes part.
const NO_SUBJECT: &[u8; 32] = b"tool-connect vault1 no subject..";
/// Each payload key seals one payload, so that its nonce need not vary (NIST SP 800-38D section 8: unique per key).
const NONCE: [u8; NONCE_LEN] = [0; NONCE_LEN];

/// A subject's key, set up: HMAC's inner and outer states. Wiped when dropped, by the library.
pub(super) struct SubjectPrk(hmac::Key);

impl SubjectPrk {
    pub(super) fn new(key: &DataKey) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key.expose()))
    }

    pub(super) fn none() -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, NO_SUBJECT))
    }

    fn expand(&self, label: &[u8; LABEL], data_key: &DataKey) -> Result<Okm> {
        let mut info = [0; LABEL + 32 + 1];
        if let Some((head, tail)) = info.split_first_chunk_mut::<LABEL>() {
            *head = *label;
            if let Some((key, last)) = tail.split_first_chunk_mut::<32>() {
                *key = *data_key.expose();
                last.fill(1);
            }
        }
        let mut okm = Okm([0; 32]);
        let signed = hmac::sign_to_buffer(&self.0, &info, &mut okm.0).map(|_| ());
        info.zeroize();
        signed.map_err(|_| internal("HMAC-SHA256 cannot be computed"))?;
        Ok(okm)
    }

    /// What binds a sealed value to this one pair of keys.
    pub(super) fn commitment(&self, data_key: &DataKey) -> Result<[u8; COMMITMENT]> {
        self.expand(COMMIT, data_key).map(|okm| okm.0)
    }

    /// The key of the payload, after the commitment was found to be its own.
    pub(super) fn open_with(&self, data_key: &DataKey, commitment: &[u8; COMMITMENT]) -> Result<PayloadKey> {
        if verify_slices_are_equal(&self.commitment(data_key)?, commitment).is_err() {
            return Err(refused(
                "the key commitment does not fit: the record is damaged, or was sealed with another key of this id",
            ));
        }
        self.payload_key(data_key)
    }

    /// The key of the payload.
    pub(super) fn payload_key(&self, data_key: &DataKey) -> Result<PayloadKey> {
        let okm = self.expand(ENCRYPT, data_key)?;
        let key =
            UnboundKey::new(&AES_256_GCM, &okm.0).map_err(|_| internal("AES-256-GCM cannot be set up"))?;
        Ok(PayloadKey(LessSafeKey::new(key)))
    }
}

/// Output that is wiped when dropped.
struct Okm([u8; 32]);

impl Drop for Okm {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// The key of one payload.
pub(super) struct PayloadKey(LessSafeKey);

impl PayloadKey {
    /// Appends the sealed secret to `out`. By value: a payload key seals once.
    pub(super) fn seal_once(self, aad: &[u8], secret: &[u8], out: &mut Vec<u8>) -> Result<()> {
        aead::gcm_seal(&self.0, NONCE, aad, secret, out).map_err(|_| internal("AES-256-GCM cannot seal"))
    }

    /// The secret of a payload.
    pub(super) fn open(&self, aad: &[u8], payload: &[u8]) -> Result<Vec<u8>> {
        aead::gcm_open(&self.0, NONCE, aad, payload)
            .map_err(|_| refused("the sealed value is damaged, or belongs to another place"))
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::hkdf::{self, HKDF_SHA256, KeyType, Prk};

    use super::*;

    struct Length;

    impl KeyType for Length {
        fn len(&self) -> usize {
            32
        }
    }

    #[test]
    fn vault_04_the_commitment_is_hkdf_expand_of_rfc_5869() {
        let (subject, data) = (DataKey::generate().unwrap(), DataKey::generate().unwrap());
        let prk: Prk = Prk::new_less_safe(HKDF_SHA256, subject.expose());
        let mut expected = [0; 32];
        let info: [&[u8]; 2] = [COMMIT, data.expose()];
        let okm: hkdf::Okm<'_, Length> = prk.expand(&info, Length).unwrap();
        okm.fill(&mut expected).unwrap();
        assert_eq!(SubjectPrk::new(&subject).commitment(&data).unwrap(), expected);
    }
}
