//! The keys of one owner, set up.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM_SIV, LessSafeKey, UnboundKey};
use aws_lc_rs::digest;
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use tool_connect_core::Result;

use super::super::aead::{siv_unwrap, siv_wrap};
use super::super::fault::{config, internal, refused};
use super::super::format::check_key_id;
use super::super::provider::{DataKey, KeyStanding, WrapContext};
use super::set::KeySet;

const SALT: &[u8] = b"tool-connect vault v1";
const INFO: &[&[u8]] = &[b"wrap data keys"];

/// The keys of the host or of one tenant, in order of their versions.
pub(super) struct Ring {
    keys: Vec<RingKey>,
    current: Arc<str>,
    minimum: u32,
}

struct RingKey {
    id: Arc<str>,
    version: u32,
    wrap: LessSafeKey,
}

impl Ring {
    pub(super) fn new(set: &KeySet) -> Result<Self> {
        let mut keys = Vec::new();
        for entry in set.entries() {
            let id = check_key_id(entry.id())?;
            let secret = entry.bytes()?;
            let prk = Salt::new(HKDF_SHA256, SALT).extract(secret.as_slice());
            let okm =
                prk.expand(INFO, &AES_256_GCM_SIV).map_err(|_| internal("HKDF-SHA256 cannot be computed"))?;
            let wrap = LessSafeKey::new(UnboundKey::from(okm));
            keys.push(RingKey { id: Arc::from(id), version: entry.version(), wrap });
        }
        keys.sort_by_key(|key| key.version);
        let newest =
            keys.last().ok_or_else(|| config("the keyring has no key: `KeySet::generate()` makes one"))?;
        let current = match set.current_id() {
            None => newest,
            Some(id) => keys.iter().find(|key| *key.id == *id).ok_or_else(|| {
                config(format!("key `{}` is the current one by name and is missing", id.escape_debug()))
            })?,
        };
        let minimum = set.minimum();
        if current.version < minimum {
            return Err(config(format!(
                "key `{}` is the current one and of version {}, below the minimum version {minimum}",
                current.id, current.version
            )));
        }
        let current = Arc::clone(&current.id);
        Ok(Self { keys, current, minimum })
    }

    pub(super) fn current(&self) -> &Arc<str> {
        &self.current
    }

    pub(super) fn minimum(&self) -> u32 {
        self.minimum
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|key| &*key.id)
    }

    pub(super) fn has(&self, key_id: &str) -> bool {
        self.find(key_id).is_some()
    }

    pub(super) fn standing(&self, key_id: &str) -> KeyStanding {
        match self.find(key_id) {
            None => KeyStanding::Missing,
            Some(key) if key.version < self.minimum => KeyStanding::Refused,
            Some(key) if key.id == self.current => KeyStanding::Current,
            Some(_) => KeyStanding::Accepted,
        }
    }

    pub(super) fn wrap(&self, context: WrapContext<'_>, data_key: &DataKey) -> Result<Vec<u8>> {
        let key = self.find(context.key_id).ok_or_else(|| {
            config(format!("key `{}` is missing from the keyring", context.key_id.escape_debug()))
        })?;
        siv_wrap(&key.wrap, data_key.nonce()?, context.aad, data_key.expose())
            .map_err(|_| internal("AES-256-GCM-SIV cannot wrap"))
    }

    pub(super) fn unwrap(&self, context: WrapContext<'_>, wrapped: &[u8]) -> Result<DataKey> {
        let mut data_key = DataKey::zeroed();
        let opened = self
            .find(context.key_id)
            .map(|key| siv_unwrap(&key.wrap, context.aad, wrapped, data_key.bytes_mut()));
        match opened {
            Some(Ok(())) => Ok(data_key),
            _ => Err(refused(format!(
                "the data key cannot be unwrapped: the record is damaged or not at its place, or key `{}` is not the key that sealed it",
                context.key_id.escape_debug()
            ))),
        }
    }

    fn find(&self, key_id: &str) -> Option<&RingKey> {
        // A ring holds a handful: no map is faster.
        self.keys.iter().find(|key| *key.id == *key_id)
    }
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.ids()).finish()
    }
}

/// Refuses a set in which one key stands twice, under one id, one version of an owner or with the same bytes.
pub(super) fn distinct(set: &KeySet) -> Result<()> {
    let owners = std::iter::once(set).chain(set.tenants().map(|(_, own)| own));
    let mut secrets = HashMap::new();
    let mut ids = HashMap::new();
    for owner in owners {
        let mut versions = HashMap::new();
        for entry in owner.entries() {
            let id = entry.id().escape_debug().to_string();
            if ids.insert(entry.id(), ()).is_some() {
                return Err(config(format!("key `{id}` is there twice")));
            }
            if let Some(other) = versions.insert(entry.version(), entry.id()) {
                let version = entry.version();
                return Err(config(format!(
                    "keys `{}` and `{id}` have the same version {version}",
                    other.escape_debug()
                )));
            }
            // Hashes, so that no table of keys is left behind unwiped.
            let hash = digest::digest(&digest::SHA256, entry.bytes()?.as_slice());
            if let Some(other) = secrets.insert(hash.as_ref().to_vec(), entry.id()) {
                return Err(config(format!("keys `{}` and `{id}` are the same bytes", other.escape_debug())));
            }
        }
    }
    Ok(())
}
