//! Keys as they are written down.

use std::collections::BTreeMap;
use std::fmt;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use tool_connect_core::Result;
use zeroize::Zeroizing;

use super::super::aead::KEY_BYTES;
use super::super::fault::{config, internal};

/// Keys as they are written down: in a file, in an environment variable, or put together in code. A [`Keyring`](super::Keyring)
/// is made of one. Neither `Debug` nor `Serialize` shows a key's bytes.
///
/// ```
/// use tool_connect_oauth::vault::{KeySet, Keyring};
///
/// let mut keys = KeySet::generate()?;
/// let fresh = keys.add_generated()?;
/// assert_eq!(fresh, "k2");
/// let keys = keys.current("k1").minimum_version(1);
/// let keyring = Keyring::new(&keys)?;
/// assert_eq!(keyring.key_ids(), ["k1", "k2"]);
/// # Ok::<(), tool_connect_core::Error>(())
/// ```
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct KeySet {
    #[serde(default)]
    current: Option<String>,
    #[serde(default)]
    minimum_version: u32,
    #[serde(default, rename = "key")]
    keys: Vec<KeyEntry>,
    /// Of a tenant's keys: that the shared ones open nothing of the tenant.
    #[serde(default)]
    own_only: bool,
    #[serde(default)]
    tenants: BTreeMap<String, KeySet>,
}

/// One key.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyEntry {
    id: String,
    version: u32,
    #[serde(serialize_with = "redacted")]
    secret: SecretString,
}

fn redacted<S: Serializer>(_: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str("[REDACTED]")
}

impl KeyEntry {
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn version(&self) -> u32 {
        self.version
    }

    pub(super) fn text(&self) -> &SecretString {
        &self.secret
    }

    /// The key's bytes.
    pub(super) fn bytes(&self) -> Result<Zeroizing<[u8; KEY_BYTES]>> {
        let id = self.id.escape_debug();
        let text = self.secret.expose_secret().trim();
        let decoded = [STANDARD, URL_SAFE, STANDARD_NO_PAD, URL_SAFE_NO_PAD]
            .iter()
            .find_map(|form| form.decode(text).ok())
            .map(Zeroizing::new)
            .ok_or_else(|| config(format!("key `{id}` is not base64")))?;
        let bytes: [u8; KEY_BYTES] = decoded.as_slice().try_into().map_err(|_| {
            config(format!("key `{id}` is {} bytes long, it must be {KEY_BYTES}", decoded.len()))
        })?;
        let bytes = Zeroizing::new(bytes);
        if bytes.iter().all(|byte| *byte == 0) {
            return Err(config(format!("key `{id}` is all zero: generate one")));
        }
        Ok(bytes)
    }
}

impl KeySet {
    /// No keys yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One fresh random key: `k1` of version 1.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](tool_connect_core::ErrorKind::Internal) where there is no randomness.
    pub fn generate() -> Result<Self> {
        let mut keys = Self::new();
        keys.add_generated()?;
        Ok(keys)
    }

    /// Adds a fresh random key, one version above the newest, and returns its id: `k<version>`. Unless
    /// [`current`](Self::current) names another, it is the one that seals.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](tool_connect_core::ErrorKind::Internal) where there is no randomness.
    pub fn add_generated(&mut self) -> Result<String> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        SystemRandom::new()
            .fill(bytes.as_mut_slice())
            .map_err(|_| internal("the system gives no random bytes"))?;
        let version = self.keys.iter().map(|key| key.version).max().unwrap_or(0).saturating_add(1);
        let id = format!("k{version}");
        self.push(id.clone(), version, bytes.as_slice());
        Ok(id)
    }

    /// Adds a key: its id, which stands in clear in what it seals, its version, and 32 bytes.
    #[must_use]
    pub fn key(mut self, id: impl Into<String>, version: u32, secret: &[u8]) -> Self {
        self.push(id.into(), version, secret);
        self
    }

    /// Names the key that seals; without, it is the one of the highest version.
    #[must_use]
    pub fn current(mut self, id: impl Into<String>) -> Self {
        self.current = Some(id.into());
        self
    }

    /// Refuses keys of lower versions from now on, for opening too.
    #[must_use]
    pub fn minimum_version(mut self, version: u32) -> Self {
        self.minimum_version = version;
        self
    }

    /// Refuses keys older than this one from now on.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](tool_connect_core::ErrorKind::Config) where there is no such key.
    pub fn oldest(self, id: &str) -> Result<Self> {
        let version = self.keys.iter().find(|key| key.id == id).map(|key| key.version);
        let version = version.ok_or_else(|| {
            config(format!("key `{}` is the oldest accepted by name and is missing", id.escape_debug()))
        })?;
        Ok(self.minimum_version(version))
    }

    /// Removes a key. What is still sealed with it cannot be opened then.
    #[must_use]
    pub fn without(mut self, id: &str) -> Self {
        self.keys.retain(|key| key.id != id);
        self
    }

    /// Gives a tenant keys of its own. They seal all that is the tenant's; the shared keys go on opening what they sealed
    /// before, unless [`own_only`](Self::own_only) was said of the tenant's keys.
    #[must_use]
    pub fn tenant(mut self, tenant: impl Into<String>, keys: Self) -> Self {
        self.tenants.insert(tenant.into(), keys);
        self
    }

    /// Of a tenant's keys: the shared keys open nothing of this tenant.
    #[must_use]
    pub fn own_only(mut self) -> Self {
        self.own_only = true;
        self
    }

    /// Reads a key file's text: `current`, `minimum_version` and `[[key]]` tables with `id`, `version` and `secret` (32 bytes in
    /// base64), the same below `[tenants.<id>]`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](tool_connect_core::ErrorKind::Config) that says what is wrong, without showing the text.
    pub fn from_toml(text: &str) -> Result<Self> {
        toml::from_str(text).map_err(|e| {
            let start = e.span().map_or(0, |span| span.start);
            let line = 1 + text.bytes().take(start).filter(|byte| *byte == b'\n').count();
            // The parser's own text would quote the line, and a type error the value: either may be a key.
            let what = match e.message() {
                quoting if quoting.contains("string \"") => "a text stands where something else belongs",
                message => message,
            };
            config(format!("the keys cannot be read: line {line}: {what}"))
        })
    }

    /// Reads `id=secret` pairs, separated by commas or white space, the oldest first: the last one seals. For environment
    /// variables.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](tool_connect_core::ErrorKind::Config) where an item has another form; its text is not shown.
    pub fn from_list(text: &str) -> Result<Self> {
        let mut keys = Self::new();
        let items = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|item| !item.is_empty());
        for (version, item) in (1..).zip(items) {
            let (id, secret) = item.split_once('=').filter(|(id, _)| !id.is_empty()).ok_or_else(|| {
                config(format!("item {version} of the list of keys does not have the form `id=secret`"))
            })?;
            keys.keys.push(KeyEntry { id: id.to_owned(), version, secret: SecretString::from(secret) });
        }
        Ok(keys)
    }

    fn push(&mut self, id: String, version: u32, secret: &[u8]) {
        let secret = SecretString::from(STANDARD.encode(secret));
        self.keys.push(KeyEntry { id, version, secret });
    }

    pub(super) fn entries(&self) -> &[KeyEntry] {
        &self.keys
    }

    pub(super) fn current_id(&self) -> Option<&str> {
        self.current.as_deref()
    }

    pub(super) fn minimum(&self) -> u32 {
        self.minimum_version
    }

    pub(super) fn is_own_only(&self) -> bool {
        self.own_only
    }

    pub(super) fn tenants(&self) -> impl Iterator<Item = (&str, &Self)> {
        self.tenants.iter().map(|(name, keys)| (name.as_str(), keys))
    }
}

impl fmt::Debug for KeyEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (version {}): [REDACTED]", self.id.escape_debug(), self.version)
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySet")
            .field("keys", &self.keys)
            .field("current", &self.current)
            .field("minimum_version", &self.minimum_version)
            .field("tenants", &self.tenants)
            .finish_non_exhaustive()
    }
}
