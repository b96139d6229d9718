//! The sealed form, byte for byte.
//!
//! ```text
//! "tcv"                magic
//! u8                   format version: 1
//! u8                   algorithm: 1 with the subject's key, 2 without
//! u8 + bytes           key id
//! 32 bytes             key commitment
//! u16 + bytes          the data key, wrapped
//! bytes + 16           the secret under the data key, with its tag
//! ```
//! Numbers are little-endian. The associated data is built of length-prefixed fields, so that no two places give the same.

use tool_connect_core::{Owner, Result, SealedPlace};

use super::fault::{config, refused};

const MAGIC: &[u8; 3] = b"tcv";
/// The only format there is.
const VERSION: u8 = 1;
/// Length of the AEAD's tag.
pub(super) const TAG: usize = 16;
/// Length of the key commitment.
pub(super) const COMMITMENT: usize = 32;
/// Longest key id, in bytes.
pub(super) const MAX_KEY_ID: usize = 255;
/// Longest wrapped data key, in bytes.
const MAX_WRAPPED: usize = 4096;

/// How a value is sealed: AES-256-GCM under keys from HKDF-SHA256, and what takes part in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Algorithm {
    /// The data key and the subject's key.
    WithSubject = 1,
    /// The data key alone: subjects' keys themselves, and all values of a vault without a store for them.
    Stateless = 2,
}

/// A sealed value in its parts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sealed<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) key_id: &'a str,
    pub(super) commitment: &'a [u8; COMMITMENT],
    pub(super) wrapped: &'a [u8],
    /// The ciphertext with its tag at the end.
    pub(super) payload: &'a [u8],
}

impl<'a> Sealed<'a> {
    /// Takes sealed bytes apart. Nothing is guessed: what is unknown is refused by name.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self> {
        let broken =
            || refused("these bytes are no sealed value: the record is damaged, or was never sealed");
        let rest = bytes.strip_prefix(MAGIC).ok_or_else(broken)?;
        let (&[version, algorithm, id_length], rest) = rest.split_first_chunk().ok_or_else(broken)?;
        if version != VERSION {
            return Err(refused(format!(
                "sealed in format version {version}, which this release does not know: a newer release wrote it"
            )));
        }
        let (id, rest) = rest.split_at_checked(usize::from(id_length)).ok_or_else(broken)?;
        let key_id = std::str::from_utf8(id).ok().filter(|id| is_key_id(id)).ok_or_else(broken)?;
        let algorithm = match algorithm {
            1 => Algorithm::WithSubject,
            2 => Algorithm::Stateless,
            other => {
                return Err(refused(format!(
                    "sealed with algorithm {other}, which this release does not know"
                ))
                .with("key_id", key_id));
            }
        };
        let (commitment, rest) = rest.split_first_chunk().ok_or_else(broken)?;
        let (length, rest) = rest.split_first_chunk().ok_or_else(broken)?;
        let length = usize::from(u16::from_le_bytes(*length));
        let (wrapped, payload) = rest.split_at_checked(length).ok_or_else(broken)?;
        if length > MAX_WRAPPED || payload.len() < TAG {
            return Err(broken());
        }
        Ok(Self { algorithm, key_id, commitment, wrapped, payload })
    }
}

/// The header of a value, with room for `payload` bytes after it.
pub(super) fn header(
    algorithm: Algorithm,
    key_id: &str,
    commitment: &[u8; COMMITMENT],
    wrapped: &[u8],
    payload: usize,
) -> Result<Vec<u8>> {
    let too_long = || {
        config("the key provider's wrapped key is longer than 4 KiB").with("key_id", key_id.escape_debug())
    };
    let length = u16::try_from(wrapped.len()).ok().filter(|_| wrapped.len() <= MAX_WRAPPED);
    let length = length.ok_or_else(too_long)?;
    let id_length = u8::try_from(check_key_id(key_id)?.len()).unwrap_or(u8::MAX);
    let mut bytes =
        Vec::with_capacity(MAGIC.len() + 3 + key_id.len() + COMMITMENT + 2 + wrapped.len() + payload);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&[VERSION, algorithm as u8, id_length]);
    bytes.extend_from_slice(key_id.as_bytes());
    bytes.extend_from_slice(commitment);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(wrapped);
    Ok(bytes)
}

/// The associated data of a value: the payload is bound to its place, the wrapped key also to the key that wraps it, so that
/// a rotation need not touch the payload.
pub(super) struct Aad {
    bytes: Vec<u8>,
    place: usize,
}

impl Aad {
    pub(super) fn new(algorithm: Algorithm, place: &SealedPlace, key_id: &str) -> Self {
        let (kind, subject) = match &place.subject {
            Owner::User(user) => (0, user.as_str()),
            Owner::Team(team) => (1, team.as_str()),
            Owner::Tenant => (2, ""),
        };
        let tenant = place.tenant.as_str();
        let fields = [tenant, subject, &place.record, &place.field];
        let length: usize = fields.iter().map(|field| field.len() + 8).sum();
        let mut bytes = Vec::with_capacity(3 + length + key_id.len() + 8);
        bytes.extend_from_slice(&[VERSION, algorithm as u8, kind]);
        for field in fields {
            push(&mut bytes, field);
        }
        let place = bytes.len();
        push(&mut bytes, key_id);
        Self { bytes, place }
    }

    /// For the payload: format, algorithm, tenant, subject, record, field.
    pub(super) fn of_payload(&self) -> &[u8] {
        self.bytes.get(..self.place).unwrap_or_default()
    }

    /// For the wrapped key: the same and the key id.
    pub(super) fn of_key(&self) -> &[u8] {
        &self.bytes
    }
}

fn push(bytes: &mut Vec<u8>, field: &str) {
    bytes.extend_from_slice(&(field.len() as u64).to_le_bytes());
    bytes.extend_from_slice(field.as_bytes());
}

fn is_key_id(id: &str) -> bool {
    (1..=MAX_KEY_ID).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic())
}

/// A key id as it may stand in a sealed value.
pub(super) fn check_key_id(id: &str) -> Result<&str> {
    if is_key_id(id) {
        return Ok(id);
    }
    let shown: String = id.chars().take(64).collect();
    Err(config(format!(
        "key id `{}` is not 1 to {MAX_KEY_ID} printable ASCII characters without a space",
        shown.escape_debug()
    )))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tool_connect_core::{TeamId, TenantId, UserId};

    use super::*;

    fn owner() -> impl Strategy<Value = Owner> {
        let id = "[a-c]{1,3}";
        prop_oneof![
            id.prop_map(|id| Owner::User(UserId::new(id).unwrap())),
            id.prop_map(|id| Owner::Team(TeamId::new(id).unwrap())),
            Just(Owner::Tenant),
        ]
    }

    fn place() -> impl Strategy<Value = (SealedPlace, String)> {
        ("[a-c]{1,3}", owner(), "[a-c]{0,3}", "[a-c]{0,3}", "[a-c]{1,3}").prop_map(
            |(tenant, subject, record, field, key)| {
                (SealedPlace::new(TenantId::new(tenant).unwrap(), subject, record, field), key)
            },
        )
    }

    proptest! {
        #[test]
        fn vault_01_no_two_places_have_the_same_associated_data(one in place(), other in place()) {
            let (a, b) = (Aad::new(Algorithm::WithSubject, &one.0, &one.1), Aad::new(Algorithm::WithSubject, &other.0, &other.1));
            prop_assert_eq!(one.0 == other.0, a.of_payload() == b.of_payload());
            prop_assert_eq!(one == other, a.of_key() == b.of_key());
        }

        #[test]
        fn vault_02_any_bytes_parse_or_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Sealed::parse(&bytes);
            let mut headed = b"tcv\x01\x01".to_vec();
            headed.extend_from_slice(&bytes);
            if let Ok(sealed) = Sealed::parse(&headed) {
                let again = header(sealed.algorithm, sealed.key_id, sealed.commitment, sealed.wrapped, 0).unwrap();
                prop_assert!(headed.starts_with(&again));
            }
        }
    }
}
