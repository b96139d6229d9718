//! Large values and files by handle, until they expire.

use std::ops::Range;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;

use crate::error::Result;
use crate::http::ByteStream;
use crate::ids::{ResultHandle, TenantId, UserId};

/// What a new entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewResult {
    /// Tenant.
    pub tenant: TenantId,
    /// The user who may read it.
    pub user: UserId,
    /// Media type.
    pub media_type: String,
    /// File name, where there is one.
    pub name: Option<String>,
    /// How long it is kept.
    pub keep: Duration,
    /// Cap in bytes; a longer stream is refused and nothing kept.
    pub max_bytes: u64,
}

/// A stored entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultMeta {
    /// Its handle, unguessable.
    pub handle: ResultHandle,
    /// The user who may read it.
    pub user: UserId,
    /// Media type.
    pub media_type: String,
    /// File name, where there is one.
    pub name: Option<String>,
    /// Size in bytes.
    pub size: u64,
    /// When it is gone.
    pub expires: SystemTime,
}

/// Where large values and files are kept.
///
/// Guarantees: an entry is visible only when it is whole; only the same tenant and user can read
/// it; an expired one is gone for readers at once, from the disk after `purge`. Times are kept to
/// the millisecond.
#[async_trait]
pub trait ResultStore: Send + Sync + 'static {
    /// Stores a stream; memory use is bounded by its chunks where the store can.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge) above the cap; the stream's own error.
    /// Nothing is kept then.
    async fn put(&self, new: NewResult, data: ByteStream) -> Result<ResultMeta>;

    /// Reads what is known of an entry.
    ///
    /// # Errors
    /// Where the store fails.
    async fn meta(
        &self,
        tenant: &TenantId,
        user: &UserId,
        handle: &ResultHandle,
    ) -> Result<Option<ResultMeta>>;

    /// Reads a range of bytes, cut at the entry's end and empty where it lies behind it; `None` where there is no such entry for this
    /// user.
    ///
    /// # Errors
    /// Where the store fails.
    async fn read(
        &self,
        tenant: &TenantId,
        user: &UserId,
        handle: &ResultHandle,
        range: Range<u64>,
    ) -> Result<Option<Bytes>>;

    /// Removes an entry; returns whether it was there.
    ///
    /// # Errors
    /// Where the store fails.
    async fn delete(&self, tenant: &TenantId, user: &UserId, handle: &ResultHandle) -> Result<bool>;

    /// Drops what has expired and what a broken-off `put` may have left; returns how many entries
    /// had expired.
    ///
    /// # Errors
    /// Where the store fails.
    async fn purge(&self) -> Result<u64>;
}
