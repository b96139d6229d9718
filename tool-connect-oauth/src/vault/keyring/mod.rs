//! Keys in the host's own hands: from a file, from the environment or from code.
//!
//! A [`KeySet`] is what is written down; a [`Keyring`] is the provider made of one, checked.

mod file;
mod ring;
mod set;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use tool_connect_core::{Result, TenantId};

use self::ring::{Ring, distinct};
pub use self::set::KeySet;
use super::fault::{config, refused};
use super::provider::{DataKey, KeyProvider, KeyStanding, WrapContext};

/// A [`KeyProvider`] with keys in the process' memory: several, one of which seals; old ones open until the minimum version
/// is above theirs. A tenant may have keys of its own.
///
/// Data keys are wrapped by AES-256-GCM-SIV (RFC 8452) under a key derived from each key by HKDF-SHA256.
///
/// ```
/// use tool_connect_oauth::vault::{KeySet, Keyring};
///
/// let keyring = Keyring::new(&KeySet::from_toml(r#"
///     current = "2026-11"
///     minimum_version = 1
///
///     [[key]]
///     id = "2026-05"
///     version = 1
///     secret = "2pOxSe8aBCQ3qZyK5m0eYb2gTtJx6Qf4VnLr1hUwIdM="
///
///     [[key]]
///     id = "2026-11"
///     version = 2
///     secret = "c1Qv8hJm3nXy0Lr7tZp5eWk2sUa9fGb4dRi6oEj8TqM="
/// "#)?)?;
/// assert_eq!(keyring.key_ids(), ["2026-05", "2026-11"]);
/// # Ok::<(), tool_connect_core::Error>(())
/// ```
pub struct Keyring(ArcSwap<Rings>);

struct Rings {
    shared: Ring,
    tenants: BTreeMap<TenantId, TenantRing>,
}

struct TenantRing {
    ring: Ring,
    /// Whether the shared keys open nothing of this tenant.
    own_only: bool,
}

impl Keyring {
    /// A provider with these keys.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](tool_connect_core::ErrorKind::Config) that names the key: without keys, without the current key,
    /// where a key is not 32 bytes, all zero, or there twice, by id, version or bytes.
    pub fn new(keys: &KeySet) -> Result<Self> {
        Ok(Self(ArcSwap::from_pointee(Rings::new(keys)?)))
    }

    /// Keys from a TOML file, see [`KeySet::load`].
    ///
    /// # Errors
    /// As [`KeySet::load`] and [`new`](Self::new).
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        KeySet::load(path).and_then(|keys| Self::new(&keys)).map_err(|e| e.with("file", path.display()))
    }

    /// Keys from an environment variable in the form of [`KeySet::from_list`]; where a variable `<name>_MINIMUM` is set, it
    /// names the oldest key that is still accepted.
    ///
    /// # Errors
    /// As [`KeySet::from_list`] and [`new`](Self::new), naming the variable.
    pub fn from_env(name: &str) -> Result<Self> {
        let read = |name: &str| match std::env::var(name) {
            Ok(text) => Ok(Some(zeroize::Zeroizing::new(text))),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => {
                Err(config(format!("the environment variable {name} is not Unicode")))
            }
        };
        let list =
            read(name)?.ok_or_else(|| config(format!("the environment variable {name} is not set")))?;
        let mut keys = KeySet::from_list(&list).map_err(|e| e.with("variable", name))?;
        if let Some(oldest) = read(&format!("{name}_MINIMUM"))? {
            keys = keys.oldest(&oldest).map_err(|e| e.with("variable", format!("{name}_MINIMUM")))?;
        }
        Self::new(&keys).map_err(|e| e.with("variable", name))
    }

    /// One fresh random key, `k1`, that nobody else has: what it seals is lost with it. To keep it, begin with
    /// [`KeySet::generate`] and [`KeySet::save`].
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](tool_connect_core::ErrorKind::Internal) where there is no randomness.
    pub fn generate() -> Result<Self> {
        Self::new(&KeySet::generate()?)
    }

    /// Takes other keys from now on, while calls go on: a step of a rotation.
    ///
    /// # Errors
    /// As [`new`](Self::new); the keys before stay then.
    pub fn replace(&self, keys: &KeySet) -> Result<()> {
        self.0.store(Arc::new(Rings::new(keys)?));
        Ok(())
    }

    /// Ids of the shared keys, the oldest first.
    #[must_use]
    pub fn key_ids(&self) -> Vec<String> {
        self.0.load().shared.ids().map(str::to_owned).collect()
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").field("keys", &self.key_ids()).finish_non_exhaustive()
    }
}

impl Rings {
    fn new(keys: &KeySet) -> Result<Self> {
        distinct(keys)?;
        let mut tenants = BTreeMap::new();
        for (name, own) in keys.tenants() {
            if own.tenants().next().is_some() {
                return Err(
                    config("a tenant's keys cannot hold keys of further tenants").with("tenant", name)
                );
            }
            let ring = Ring::new(own).map_err(|e| e.with("tenant", name))?;
            tenants.insert(TenantId::new(name)?, TenantRing { ring, own_only: own.is_own_only() });
        }
        Ok(Self { shared: Ring::new(keys)?, tenants })
    }

    /// The ring that seals for a tenant.
    fn sealing(&self, tenant: &TenantId) -> &Ring {
        self.tenants.get(tenant).map_or(&self.shared, |own| &own.ring)
    }

    /// The ring that holds a key for a tenant.
    fn opening(&self, tenant: &TenantId, key_id: &str) -> &Ring {
        match self.tenants.get(tenant) {
            Some(own) if own.own_only || own.ring.has(key_id) => &own.ring,
            _ => &self.shared,
        }
    }

    fn standing(&self, tenant: &TenantId, key_id: &str) -> KeyStanding {
        let (sealing, opening) = (self.sealing(tenant), self.opening(tenant, key_id));
        match opening.standing(key_id) {
            // The shared current key seals nothing for a tenant with keys of its own.
            KeyStanding::Current if !std::ptr::eq(sealing, opening) => KeyStanding::Accepted,
            standing => standing,
        }
    }
}

#[async_trait]
impl KeyProvider for Keyring {
    async fn current(&self, tenant: &TenantId) -> Result<Arc<str>> {
        Ok(Arc::clone(self.0.load().sealing(tenant).current()))
    }

    async fn standing(&self, tenant: &TenantId, key_id: &str) -> Result<KeyStanding> {
        Ok(self.0.load().standing(tenant, key_id))
    }

    fn standing_at_hand(&self, tenant: &TenantId, key_id: &str) -> Option<KeyStanding> {
        Some(self.0.load().standing(tenant, key_id))
    }

    async fn wrap(&self, context: WrapContext<'_>, data_key: &DataKey) -> Result<Vec<u8>> {
        self.0.load().sealing(context.tenant).wrap(context, data_key)
    }

    async fn unwrap(&self, context: WrapContext<'_>, wrapped: &[u8]) -> Result<DataKey> {
        let rings = self.0.load();
        let ring = rings.opening(context.tenant, context.key_id);
        match ring.standing(context.key_id) {
            KeyStanding::Missing => Err(refused(format!(
                "key `{}` is missing from the keyring; it has {}",
                context.key_id.escape_debug(),
                ring.ids().collect::<Vec<_>>().join(", ")
            ))),
            KeyStanding::Refused => Err(refused(format!(
                "key `{}` is below the keyring's minimum version {}",
                context.key_id.escape_debug(),
                ring.minimum()
            ))),
            _ => ring.unwrap(context, wrapped),
        }
    }
}
