//! Idempotency keys: a call with a key runs once; a repetition gets the first one's result.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::error::Result;
use crate::ids::{TenantId, ToolId, UserId};

/// Whose key for what; keys of different users or tools never meet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey {
    /// Tenant.
    pub tenant: TenantId,
    /// The user on whose behalf the call is made.
    pub user: UserId,
    /// The tool.
    pub tool: ToolId,
    /// The caller's key.
    pub key: Arc<str>,
}

/// A keyed or plain digest of the exact call; equal means the same call.
pub type Fingerprint = [u8; 32];

/// Raised with each claim; a write with an older one changes nothing.
pub type Fence = u64;

/// What a completed call left behind: the outcome as JSON text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredOutcome {
    /// The structured value as JSON text.
    pub body: Bytes,
    /// The content blocks as JSON text; empty for none.
    pub content: Bytes,
    /// Whether the result was trusted.
    pub trusted: bool,
}

/// What a call with a key may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begin {
    /// Run: nobody did before. The key is claimed until the lease ends.
    Fresh(Fence),
    /// Wait: another call with the key runs.
    InFlight,
    /// Serve this again.
    Replay(StoredOutcome),
    /// Refuse: the key was used for another call.
    Mismatch,
    /// Refuse: a call with the key was begun and its end is unknown (its lease ended).
    Indeterminate,
}

/// Where idempotency keys are kept.
///
/// Guarantees: of N concurrent `begin`s of a new key exactly one gets `Fresh`; `complete` and
/// `release` with a stale fence change nothing; a claim whose lease ended becomes `Indeterminate`
/// and stays so until it expires. A fence is stale as soon as its claim was completed or released,
/// or its record expired; a later claim of the key has a higher one.
#[async_trait]
pub trait IdempotencyStore: Send + Sync + 'static {
    /// Claims a key for a call, or says what became of it.
    ///
    /// `lease`: how long the claim stands without an end. `keep`: how long the key is remembered,
    /// from now, and never shorter than the lease; a record older than that counts as absent.
    ///
    /// # Errors
    /// Where the store fails.
    async fn begin(
        &self,
        key: &IdempotencyKey,
        fingerprint: &Fingerprint,
        lease: Duration,
        keep: Duration,
    ) -> Result<Begin>;

    /// Stores the outcome of the claimed call; returns false, changing nothing, where the fence is
    /// stale. A claim that became indeterminate takes the outcome of its own fence: a late end is
    /// still the end.
    ///
    /// # Errors
    /// Where the store fails.
    async fn complete(&self, key: &IdempotencyKey, fence: Fence, outcome: StoredOutcome) -> Result<bool>;

    /// Gives the key back: the call was proven not to have run. Returns false where the fence is
    /// stale.
    ///
    /// # Errors
    /// Where the store fails.
    async fn release(&self, key: &IdempotencyKey, fence: Fence) -> Result<bool>;

    /// Ends the claim as indeterminate at once: what the call did is not known. Returns false where
    /// the fence is stale.
    ///
    /// # Errors
    /// Where the store fails.
    async fn abandon(&self, key: &IdempotencyKey, fence: Fence) -> Result<bool>;

    /// Drops what is older than its `keep`; returns how many.
    ///
    /// # Errors
    /// Where the store fails.
    async fn purge(&self) -> Result<u64>;
}
