//! Who holds the keys that data keys are wrapped with.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::aead::NONCE_LEN;
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use serde::{Serialize, Serializer};
use tool_connect_core::{Result, TenantId};
use zeroize::Zeroizing;

use super::fault::{internal, refused};

/// A data key: 32 random bytes that seal one value. Wiped when dropped; never printed.
///
/// ```
/// use tool_connect_oauth::vault::DataKey;
/// let key = DataKey::generate()?;
/// assert_eq!(format!("{key:?} {key}"), "DataKey([REDACTED]) [REDACTED]");
/// # Ok::<(), tool_connect_core::Error>(())
/// ```
pub struct DataKey {
    bytes: Zeroizing<[u8; 32]>,
    /// Drawn together with a fresh key, for its first wrap: asking the system twice costs twice.
    nonce: Option<[u8; NONCE_LEN]>,
}

impl DataKey {
    /// A fresh one from the system's randomness.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](tool_connect_core::ErrorKind::Internal) where there is none.
    pub fn generate() -> Result<Self> {
        let mut drawn = Zeroizing::new([0; 32 + NONCE_LEN]);
        SystemRandom::new()
            .fill(drawn.as_mut_slice())
            .map_err(|_| internal("the system gives no random bytes"))?;
        let mut key = Self::zeroed();
        if let Some((bytes, nonce)) = drawn.split_first_chunk::<32>() {
            *key.bytes = *bytes;
            key.nonce = nonce.try_into().ok();
        }
        Ok(key)
    }

    /// What a provider unwrapped.
    ///
    /// # Errors
    /// [`ErrorKind::Vault`](tool_connect_core::ErrorKind::Vault) where it is not 32 bytes long.
    pub fn from_slice(bytes: &[u8]) -> Result<Self> {
        let bytes = bytes.try_into().map_err(|_| {
            refused(format!(
                "what the key provider unwrapped is {} bytes long, a data key is 32",
                bytes.len()
            ))
        })?;
        Ok(Self { bytes: Zeroizing::new(bytes), nonce: None })
    }

    /// The bytes, for the provider to wrap.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.bytes
    }

    pub(super) fn zeroed() -> Self {
        Self { bytes: Zeroizing::new([0; 32]), nonce: None }
    }

    /// A random nonce for a wrap of this key.
    pub(super) fn nonce(&self) -> Result<[u8; NONCE_LEN]> {
        if let Some(nonce) = self.nonce {
            return Ok(nonce);
        }
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_| internal("the system gives no random bytes"))?;
        Ok(nonce)
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8; 32] {
        &mut self.bytes
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey([REDACTED])")
    }
}

impl fmt::Display for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

impl Serialize for DataKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("[REDACTED]")
    }
}

/// What a data key is wrapped for.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct WrapContext<'a> {
    /// The tenant whose value it seals.
    pub tenant: &'a TenantId,
    /// The key to wrap with, or that it was wrapped with.
    pub key_id: &'a str,
    /// The value's place and format in an unambiguous form, to be authenticated with the wrapped key (associated data). A key
    /// service that takes only text gets it encoded, or its SHA-256.
    pub aad: &'a [u8],
}

impl<'a> WrapContext<'a> {
    /// A context; hosts make one to test their provider.
    #[must_use]
    pub fn new(tenant: &'a TenantId, key_id: &'a str, aad: &'a [u8]) -> Self {
        Self { tenant, key_id, aad }
    }
}

/// Where a key stands with its provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyStanding {
    /// New values of the tenant are sealed with it.
    Current,
    /// It opens, and seals no more.
    Accepted,
    /// It is older than the minimum version.
    Refused,
    /// The provider does not have it.
    Missing,
}

/// Who holds the keys that data keys are wrapped with: [`Keyring`](super::Keyring), or a key management service behind this
/// trait (bring your own key).
///
/// A key id is 1 to 255 printable ASCII characters and stands in clear in each sealed value. An id means the same key for
/// ever. [`unwrap`](Self::unwrap) is called for each open and [`wrap`](Self::wrap) for each seal, the keys of subjects included
/// while they are cold.
///
/// ```
/// use std::sync::Arc;
///
/// use async_trait::async_trait;
/// use tool_connect_core::{Error, ErrorKind, Result, TenantId};
/// use tool_connect_oauth::vault::{DataKey, KeyProvider, KeyStanding, WrapContext};
///
/// # pub struct Blob(Vec<u8>);
/// # impl Blob { fn new(b: &[u8]) -> Self { Self(b.to_vec()) } }
/// # pub struct KmsClient;
/// # impl KmsClient {
/// #     async fn encrypt(&self, _key: &str, context: &str, plain: &[u8]) -> std::result::Result<Blob, std::io::Error> {
/// #         let mut sealed = plain.iter().rev().copied().collect::<Vec<u8>>();
/// #         sealed.extend_from_slice(context.as_bytes());
/// #         Ok(Blob(sealed))
/// #     }
/// #     async fn decrypt(&self, _key: &str, context: &str, blob: Blob) -> std::result::Result<Vec<u8>, std::io::Error> {
/// #         let end = blob.0.len().checked_sub(context.len()).filter(|n| blob.0.ends_with(context.as_bytes()) && *n == 32);
/// #         let end = end.ok_or_else(|| std::io::Error::other("the context is another one"))?;
/// #         Ok(blob.0[..end].iter().rev().copied().collect())
/// #     }
/// # }
/// /// Keys that stay inside a key management service.
/// pub struct Kms {
///     client: KmsClient,
///     current: Arc<str>,
///     accepted: Vec<String>,
/// }
///
/// impl Kms {
///     fn failed(error: impl std::error::Error + Send + Sync + 'static) -> Error {
///         Error::new(ErrorKind::Vault, "the key management service failed").caused_by(error)
///     }
/// }
///
/// #[async_trait]
/// impl KeyProvider for Kms {
///     async fn current(&self, _tenant: &TenantId) -> Result<Arc<str>> {
///         Ok(Arc::clone(&self.current))
///     }
///
///     async fn standing(&self, _tenant: &TenantId, key_id: &str) -> Result<KeyStanding> {
///         Ok(match key_id {
///             id if *id == *self.current => KeyStanding::Current,
///             id if self.accepted.iter().any(|known| known == id) => KeyStanding::Accepted,
///             _ => KeyStanding::Missing,
///         })
///     }
///
///     async fn wrap(&self, context: WrapContext<'_>, data_key: &DataKey) -> Result<Vec<u8>> {
///         // The service authenticates the context (AWS calls it encryption context, Google Cloud associated data).
///         let place = context.aad.escape_ascii().to_string();
///         Ok(self.client.encrypt(context.key_id, &place, data_key.expose()).await.map_err(Self::failed)?.0)
///     }
///
///     async fn unwrap(&self, context: WrapContext<'_>, wrapped: &[u8]) -> Result<DataKey> {
///         if self.standing(context.tenant, context.key_id).await? == KeyStanding::Missing {
///             let message = format!("the key management service has no key `{}`", context.key_id);
///             return Err(Error::new(ErrorKind::Vault, message));
///         }
///         let place = context.aad.escape_ascii().to_string();
///         let plain = self.client.decrypt(context.key_id, &place, Blob::new(wrapped)).await.map_err(Self::failed)?;
///         DataKey::from_slice(&plain)
///     }
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// # use tool_connect_core::{Owner, SealedPlace, SecretAccess, Vault};
/// # use tool_connect_oauth::vault::EnvelopeVault;
/// let kms = Kms { client: KmsClient, current: "key-7".into(), accepted: vec!["key-6".into()] };
/// let vault = EnvelopeVault::builder(Arc::new(kms)).stateless().without_access_log().build()?;
/// let place = SealedPlace::new(TenantId::new("acme")?, Owner::Tenant, "connection:c1", "secret");
/// let sealed = vault.seal(&place, b"a token").await?;
/// # use secrecy::ExposeSecret;
/// # let opened = vault.open(&place, &sealed, &SecretAccess::system("docs", "show")).await?;
/// # assert_eq!(opened.expose_secret(), b"a token");
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait KeyProvider: Send + Sync + 'static {
    /// The id of the key that new values of a tenant are sealed with.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](tool_connect_core::ErrorKind::Config) where the tenant has none.
    async fn current(&self, tenant: &TenantId) -> Result<Arc<str>>;

    /// Where a key stands: for checks at start, and before a remembered data key is used again, so that a raised minimum
    /// holds at once. Answer from memory.
    ///
    /// # Errors
    /// Where the provider fails; a key that it does not have is no error.
    async fn standing(&self, tenant: &TenantId, key_id: &str) -> Result<KeyStanding>;

    /// As [`standing`](Self::standing), without a future: for a provider that has its keys in memory. `None`, as by default, has
    /// the vault ask `standing`.
    fn standing_at_hand(&self, tenant: &TenantId, key_id: &str) -> Option<KeyStanding> {
        let _ = (tenant, key_id);
        None
    }

    /// Wraps a data key with the key that the context names; at most 4 KiB.
    ///
    /// # Errors
    /// Where the provider fails or does not have the key.
    async fn wrap(&self, context: WrapContext<'_>, data_key: &DataKey) -> Result<Vec<u8>>;

    /// Unwraps a data key. Must refuse a key below the minimum version, bytes that are not what
    /// [`wrap`](Self::wrap) gave, and another context than they were wrapped for.
    ///
    /// # Errors
    /// [`ErrorKind::Vault`](tool_connect_core::ErrorKind::Vault) that names the key id where the key is missing or refused, or
    /// the bytes are not its own.
    async fn unwrap(&self, context: WrapContext<'_>, wrapped: &[u8]) -> Result<DataKey>;
}
