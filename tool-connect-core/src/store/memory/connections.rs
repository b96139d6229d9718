//! Connections in memory.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, RwLock};
use std::time::SystemTime;

use async_trait::async_trait;

use super::{opaque_debug, read, write};
use crate::clock::Clock;
use crate::connection::Connection;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::{ConnectionId, TenantId};
use crate::store::{ConnectionFilter, ConnectionStore};

/// [`ConnectionStore`] in memory.
pub struct MemoryConnections {
    clock: Arc<dyn Clock>,
    tenants: RwLock<HashMap<TenantId, BTreeMap<ConnectionId, Connection>>>,
}

opaque_debug!(MemoryConnections);

impl MemoryConnections {
    /// An empty store; the clock says when a connection was made.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, tenants: RwLock::default() }
    }
}

#[async_trait]
impl ConnectionStore for MemoryConnections {
    async fn put(&self, mut connection: Connection) -> Result<Connection> {
        let mut tenants = write(&self.tenants);
        let stored = tenants.get(&connection.tenant).and_then(|rows| rows.get(&connection.id));
        if stored.map_or(0, |row| row.version) != connection.version {
            return Err(Error::new(
                ErrorKind::Conflict,
                "the connection changed meanwhile or exists already; read it again and repeat the change",
            )
            .with("connection", &connection.id));
        }
        match stored {
            Some(row) => connection.created = row.created,
            None if connection.created == SystemTime::UNIX_EPOCH => connection.created = self.clock.now(),
            None => {}
        }
        connection.version += 1;
        let rows = tenants.entry(connection.tenant.clone()).or_default();
        if connection.is_default {
            let same_place = |row: &&mut Connection| {
                row.is_default && row.owner == connection.owner && row.instance == connection.instance
            };
            for row in rows.values_mut().filter(same_place) {
                row.is_default = false;
                row.version += 1;
            }
        }
        rows.insert(connection.id.clone(), connection.clone());
        Ok(connection)
    }

    async fn get(&self, tenant: &TenantId, id: &ConnectionId) -> Result<Option<Connection>> {
        Ok(read(&self.tenants).get(tenant).and_then(|rows| rows.get(id)).cloned())
    }

    async fn list(&self, tenant: &TenantId, filter: &ConnectionFilter) -> Result<Vec<Connection>> {
        let tenants = read(&self.tenants);
        let Some(rows) = tenants.get(tenant) else { return Ok(Vec::new()) };
        Ok(rows.values().filter(|row| filter.admits(row)).cloned().collect())
    }

    async fn delete(&self, tenant: &TenantId, id: &ConnectionId) -> Result<bool> {
        Ok(write(&self.tenants).get_mut(tenant).is_some_and(|rows| rows.remove(id).is_some()))
    }
}
