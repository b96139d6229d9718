//! What is remembered between the parts of a consent: tickets and states, each for one use.

use std::fmt;
use std::time::SystemTime;

use async_trait::async_trait;

use crate::error::Result;
use crate::ids::{TenantId, UserId};

/// A ticket or a state, sealed: it holds a PKCE verifier.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuthorizationState {
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// A hash of the random value that the browser carries, never the value.
    pub id: String,
    /// Who may use it.
    pub user: UserId,
    /// What it holds, sealed.
    pub sealed: Vec<u8>,
    /// When it ends.
    pub expires: SystemTime,
}

impl AuthorizationState {
    /// A ticket or a state of a user.
    #[must_use]
    pub fn new(
        tenant: TenantId,
        id: impl Into<String>,
        user: UserId,
        sealed: Vec<u8>,
        expires: SystemTime,
    ) -> Self {
        Self { tenant, id: id.into(), user, sealed, expires }
    }
}

impl fmt::Debug for AuthorizationState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationState")
            .field("tenant", &self.tenant)
            .field("user", &self.user)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// Where tickets and states are kept until they are used or end. Times are kept to the millisecond.
#[async_trait]
pub trait AuthorizationStateStore: Send + Sync + 'static {
    /// Writes a new one.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) where the id is taken, also by one that was used: an id is taken
    /// until its state's end.
    async fn put(&self, state: AuthorizationState) -> Result<()>;

    /// Reads one without using it; `None` where there is none, it was used, or it ended.
    ///
    /// # Errors
    /// Where the store fails.
    async fn get(&self, tenant: &TenantId, id: &str) -> Result<Option<AuthorizationState>>;

    /// Uses one up. Of any number of callers at once exactly one gets it; `None` as for [`get`](Self::get). What it held is
    /// forgotten at once, its id at its end.
    ///
    /// # Errors
    /// Where the store fails.
    async fn consume(&self, tenant: &TenantId, id: &str) -> Result<Option<AuthorizationState>>;

    /// Forgets those that ended; returns how many.
    ///
    /// # Errors
    /// Where the store fails.
    async fn purge(&self) -> Result<u64>;
}
