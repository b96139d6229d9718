//! Signed checkpoints: what a chain had reached, so that nobody can cut its end off unnoticed.

use std::collections::BTreeMap;
use std::time::SystemTime;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tool_connect_core::store::{AuditHead, Checkpoint};
use tool_connect_core::{Error, ErrorKind, Result, TenantId, unix_millis};

use super::chain::length;
use super::decode::{hex_text, unhex, unhex_bytes};

/// What a verifier says of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureCheck {
    /// The key is known and the signature is its own.
    Valid,
    /// The key is known and the signature is not its own.
    Invalid,
    /// The key is not known.
    UnknownKey,
}

/// Knows the keys that may sign checkpoints.
pub trait CheckpointVerifier: Send + Sync + 'static {
    /// Checks a signature.
    fn verify(&self, key_id: &str, message: &[u8], signature: &[u8]) -> SignatureCheck;
}

/// Signs checkpoints. A host with a key service implements it; [`Ed25519Signer`] is the built-in.
///
/// Signing runs in the task that writes the trail; it must not wait for long.
pub trait CheckpointSigner: CheckpointVerifier {
    /// Names the key; it is written into each checkpoint.
    fn key_id(&self) -> &str;

    /// Signs.
    ///
    /// # Errors
    /// Where the key cannot be used; then this checkpoint is left out, which is told as an event.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>>;
}

/// Ed25519 public keys by their ids, for verification without the private key.
///
/// ```
/// use tool_connect_hub::audit::{CheckpointSigner, Ed25519Keys, Ed25519Signer};
/// let signer = Ed25519Signer::generate("2026")?;
/// let auditor = Ed25519Keys::new().trust(signer.key_id(), signer.public_key());
/// # Ok::<(), tool_connect_core::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Ed25519Keys(BTreeMap<String, [u8; 32]>);

impl Ed25519Keys {
    /// No keys.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a key.
    #[must_use]
    pub fn trust(mut self, key_id: impl Into<String>, public_key: [u8; 32]) -> Self {
        self.0.insert(key_id.into(), public_key);
        self
    }
}

impl CheckpointVerifier for Ed25519Keys {
    fn verify(&self, key_id: &str, message: &[u8], signature: &[u8]) -> SignatureCheck {
        match self.0.get(key_id) {
            None => SignatureCheck::UnknownKey,
            Some(key) => match UnparsedPublicKey::new(&ED25519, key).verify(message, signature) {
                Ok(()) => SignatureCheck::Valid,
                Err(_) => SignatureCheck::Invalid,
            },
        }
    }
}

/// Signs with an Ed25519 key (RFC 8032) that the host keeps.
///
/// Keep the seed or the PKCS #8 document where you keep other secrets, and not beside the trail:
/// who has both can rewrite the trail.
pub struct Ed25519Signer {
    key_id: String,
    pair: Ed25519KeyPair,
    keys: Ed25519Keys,
}

impl Ed25519Signer {
    /// A new key, gone with the process unless [`seed`](Self::seed) is kept.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] where the system has no randomness.
    pub fn generate(key_id: impl Into<String>) -> Result<Self> {
        // The system's randomness directly: a Hub is built faster than the library's own generator
        // gathers its first entropy.
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)
            .map_err(|_| Error::new(ErrorKind::Internal, "the system has no randomness for a signing key"))?;
        Self::from_seed(key_id, &seed)
    }

    /// The key of a seed of 32 bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] where no key can be made of it.
    pub fn from_seed(key_id: impl Into<String>, seed: &[u8; 32]) -> Result<Self> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed)
            .map_err(|_| Error::new(ErrorKind::Config, "the checkpoint key's seed is not usable"))?;
        Self::new(key_id.into(), pair)
    }

    /// The key of a PKCS #8 document (DER, versions 1 and 2).
    ///
    /// # Errors
    /// [`ErrorKind::Config`] where the document holds no Ed25519 key.
    pub fn from_pkcs8(key_id: impl Into<String>, document: &[u8]) -> Result<Self> {
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(document).map_err(|_| {
            Error::new(ErrorKind::Config, "the checkpoint key is not an Ed25519 key in PKCS #8 form (DER)")
        })?;
        Self::new(key_id.into(), pair)
    }

    fn new(key_id: String, pair: Ed25519KeyPair) -> Result<Self> {
        let public = <[u8; 32]>::try_from(pair.public_key().as_ref())
            .map_err(|_| Error::new(ErrorKind::Internal, "an Ed25519 public key has not 32 bytes"))?;
        let keys = Ed25519Keys::new().trust(key_id.clone(), public);
        Ok(Self { key_id, pair, keys })
    }

    /// Also accepts checkpoints of another key: an earlier one, after a rotation.
    #[must_use]
    pub fn trust(mut self, key_id: impl Into<String>, public_key: [u8; 32]) -> Self {
        let key_id = key_id.into();
        if key_id != self.key_id {
            self.keys = self.keys.trust(key_id, public_key);
        }
        self
    }

    /// The public key, for those who verify.
    #[must_use]
    pub fn public_key(&self) -> [u8; 32] {
        self.keys.0.get(&self.key_id).copied().unwrap_or_default()
    }

    /// The secret seed, to be kept by the host.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] where the key cannot be exported.
    pub fn seed(&self) -> Result<[u8; 32]> {
        let unusable = |_| Error::new(ErrorKind::Internal, "the checkpoint key cannot be exported");
        let seed = self.pair.seed().map_err(unusable)?;
        let bytes =
            aws_lc_rs::encoding::AsBigEndian::<aws_lc_rs::encoding::Curve25519SeedBin<'_>>::as_be_bytes(
                &seed,
            )
            .map_err(unusable)?;
        <[u8; 32]>::try_from(bytes.as_ref())
            .map_err(|_| Error::new(ErrorKind::Internal, "a seed has not 32 bytes"))
    }
}

impl std::fmt::Debug for Ed25519Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ed25519Signer").field("key_id", &self.key_id).field("key", &"[REDACTED]").finish()
    }
}

impl CheckpointVerifier for Ed25519Signer {
    fn verify(&self, key_id: &str, message: &[u8], signature: &[u8]) -> SignatureCheck {
        self.keys.verify(key_id, message, signature)
    }
}

impl CheckpointSigner for Ed25519Signer {
    fn key_id(&self) -> &str {
        &self.key_id
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        Ok(self.pair.sign(message).as_ref().to_vec())
    }
}

/// What is signed: a tag, then each field with its length before it.
fn message(tenant: &TenantId, head: AuditHead, millis: u64, key_id: &str) -> Vec<u8> {
    let mut out = b"tc-audit-checkpoint-1".to_vec();
    for field in [
        tenant.as_str().as_bytes(),
        &head.sequence.to_be_bytes(),
        &head.hash,
        &millis.to_be_bytes(),
        key_id.as_bytes(),
    ] {
        out.extend_from_slice(&length(field));
        out.extend_from_slice(field);
    }
    out
}

pub(super) fn sign(
    signer: &dyn CheckpointSigner,
    tenant: &TenantId,
    head: AuditHead,
    now: SystemTime,
) -> Result<Checkpoint> {
    let (millis, key_id) = (unix_millis(now), signer.key_id().to_owned());
    let signature = Bytes::from(signer.sign(&message(tenant, head, millis, &key_id))?);
    Ok(Checkpoint { tenant: tenant.clone(), head, millis, key_id, signature })
}

pub(super) fn check(verifier: &dyn CheckpointVerifier, checkpoint: &Checkpoint) -> SignatureCheck {
    let Checkpoint { tenant, head, millis, key_id, signature } = checkpoint;
    verifier.verify(key_id, &message(tenant, *head, *millis, key_id), signature)
}

/// A checkpoint as it is exported: one line of JSON, hashes and signature in hex. Keep such lines
/// where who can write the trail cannot.
///
/// ```
/// use tool_connect_core::store::Checkpoint;
/// use tool_connect_hub::audit::CheckpointLine;
/// # fn example(checkpoint: &Checkpoint) -> Result<(), Box<dyn std::error::Error>> {
/// let line = serde_json::to_string(&CheckpointLine::from(checkpoint))?;
/// let again = Checkpoint::try_from(serde_json::from_str::<CheckpointLine>(&line)?)?;
/// assert_eq!(&again, checkpoint);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointLine {
    /// Whose chain.
    pub tenant: TenantId,
    /// Number of the last record.
    pub sequence: u64,
    /// Its hash.
    pub hash: String,
    /// When, in milliseconds since the Unix epoch.
    pub millis: u64,
    /// Which key signed.
    pub key_id: String,
    /// The signature.
    pub signature: String,
}

impl From<&Checkpoint> for CheckpointLine {
    fn from(checkpoint: &Checkpoint) -> Self {
        Self {
            tenant: checkpoint.tenant.clone(),
            sequence: checkpoint.head.sequence,
            hash: hex_text(&checkpoint.head.hash),
            millis: checkpoint.millis,
            key_id: checkpoint.key_id.clone(),
            signature: hex_text(&checkpoint.signature),
        }
    }
}

impl TryFrom<CheckpointLine> for Checkpoint {
    type Error = Error;
    fn try_from(line: CheckpointLine) -> Result<Self> {
        let broken =
            |what| Error::new(ErrorKind::Config, format!("the checkpoint's {what} is not lowercase hex"));
        Ok(Self {
            tenant: line.tenant,
            head: AuditHead {
                sequence: line.sequence,
                hash: unhex(&line.hash).ok_or_else(|| broken("hash"))?,
            },
            millis: line.millis,
            key_id: line.key_id,
            signature: unhex_bytes(&line.signature).ok_or_else(|| broken("signature"))?.into(),
        })
    }
}
