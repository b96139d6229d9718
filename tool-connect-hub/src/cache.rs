//! Results of reads that may be served again: in memory, bounded, and never across principals.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use tool_connect_core::{
    Arguments, Body, ConnectionId, Content, Principal, Provenance, Result, Served, ToolOutput,
};

use crate::registry::Entry;

/// The cache of reads.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct CacheSettings {
    /// How many bytes of results are kept; 0 switches the cache off.
    pub max_bytes: u64,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self { max_bytes: 16 * 1024 * 1024 }
    }
}

/// Everything that may make two results differ; compared whole, not by a digest.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct CacheKey {
    principal: Arc<Principal>,
    instance: u64,
    definition: [u8; 32],
    connection: Option<ConnectionId>,
    arguments: Bytes,
}

#[derive(Clone)]
struct Cached {
    /// JSON text; none for an empty body.
    body: Bytes,
    content: Vec<Content>,
    provenance: Provenance,
    expires: u64,
}

#[derive(Clone)]
struct Size;

impl Weighter<CacheKey, Cached> for Size {
    fn weight(&self, key: &CacheKey, value: &Cached) -> u64 {
        u64::try_from(key.arguments.len() + value.body.len() + 256 * (1 + value.content.len()))
            .unwrap_or(u64::MAX)
    }
}

pub(crate) struct ReadCache(Option<Cache<CacheKey, Cached, Size>>);

impl ReadCache {
    pub(crate) fn new(settings: &CacheSettings) -> Self {
        if settings.max_bytes == 0 {
            return Self(None);
        }
        let items = usize::try_from(settings.max_bytes / 1024).unwrap_or(usize::MAX).clamp(16, 1 << 16);
        Self(Some(Cache::with_weighter(items, settings.max_bytes, Size)))
    }

    /// The key of a call, if its tool's results may be served again.
    pub(crate) fn key(
        &self,
        principal: &Arc<Principal>,
        entry: &Entry,
        connection: Option<&ConnectionId>,
        arguments: &Arguments,
    ) -> Result<Option<(CacheKey, Duration)>> {
        let (Some(_), Some(ttl)) = (&self.0, entry.tool.definition().cache) else { return Ok(None) };
        Ok(Some((
            CacheKey {
                principal: Arc::clone(principal),
                instance: entry.instance.serial,
                definition: *entry.definition_hash(),
                connection: connection.cloned(),
                arguments: arguments.to_json()?,
            },
            ttl,
        )))
    }

    pub(crate) fn get(&self, key: &CacheKey, now: u64) -> Option<ToolOutput> {
        let cache = self.0.as_ref()?;
        let cached = cache.get(key)?;
        if cached.expires <= now {
            cache.remove(key);
            return None;
        }
        let body = if cached.body.is_empty() { Body::Empty } else { Body::Json(cached.body) };
        let mut output = ToolOutput::new(body).provenance(cached.provenance);
        output.content = cached.content;
        output.served = Served::Cache;
        Some(output)
    }

    pub(crate) fn put(&self, key: CacheKey, output: &ToolOutput, now: u64, ttl: Duration) {
        let Some(cache) = &self.0 else { return };
        if ttl.is_zero() {
            return;
        }
        let body = match &output.body {
            Body::Empty => Bytes::new(),
            _ => match output.to_json() {
                Ok(text) => text,
                Err(_) => return,
            },
        };
        let expires = now.saturating_add(u64::try_from(ttl.as_nanos()).unwrap_or(u64::MAX));
        cache.insert(
            key,
            Cached { body, content: output.content.clone(), provenance: output.provenance, expires },
        );
    }
}
