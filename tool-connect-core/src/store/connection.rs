//! Where connections are kept.

use async_trait::async_trait;

use crate::connection::{Connection, ConnectionStatus, Owner};
use crate::error::Result;
use crate::ids::{ConnectionId, InstanceId, TenantId};

/// Which connections to list; unset means any.
#[derive(Clone, Debug, Default)]
pub struct ConnectionFilter {
    /// Owned by this owner.
    pub owner: Option<Owner>,
    /// At this instance.
    pub instance: Option<InstanceId>,
    /// In this state.
    pub status: Option<ConnectionStatus>,
}

impl ConnectionFilter {
    /// Whether a connection is among those that are asked for.
    #[must_use]
    pub fn admits(&self, connection: &Connection) -> bool {
        self.owner.as_ref().is_none_or(|owner| *owner == connection.owner)
            && self.instance.as_ref().is_none_or(|instance| *instance == connection.instance)
            && self.status.is_none_or(|status| status == connection.status)
    }
}

/// Where connections are kept; never their secrets. Times are kept to the millisecond.
#[async_trait]
pub trait ConnectionStore: Send + Sync + 'static {
    /// Writes a connection.
    ///
    /// `connection.version` must be 0 for a new one, else the version that was read; the store
    /// raises it and returns the stored form. At most one connection per (tenant, owner, instance)
    /// is the default: writing one as default takes the mark from the others, atomically, and raises
    /// their versions. A new connection whose `created` is the Unix epoch (unset) gets the store's
    /// present time; later writes leave `created` as it was.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) where the version is not the stored
    /// one, or 0 and the id is taken, or the connection was deleted meanwhile.
    async fn put(&self, connection: Connection) -> Result<Connection>;

    /// Reads one; `None` where the tenant has none of that id.
    ///
    /// # Errors
    /// Where the store fails.
    async fn get(&self, tenant: &TenantId, id: &ConnectionId) -> Result<Option<Connection>>;

    /// Lists a tenant's connections, by id.
    ///
    /// # Errors
    /// Where the store fails.
    async fn list(&self, tenant: &TenantId, filter: &ConnectionFilter) -> Result<Vec<Connection>>;

    /// Removes one; returns whether it was there.
    ///
    /// # Errors
    /// Where the store fails.
    async fn delete(&self, tenant: &TenantId, id: &ConnectionId) -> Result<bool>;
}
