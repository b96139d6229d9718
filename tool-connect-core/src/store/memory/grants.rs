//! Grants in memory.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, RwLock};
use std::time::SystemTime;

use async_trait::async_trait;

use super::{opaque_debug, read, write};
use crate::clock::Clock;
use crate::error::Result;
use crate::ids::{ConnectionId, TenantId};
use crate::store::{Grant, GrantStore, Subject, ToolPattern};

/// What is granted to one subject, with its end.
type Granted = BTreeMap<(ToolPattern, Option<ConnectionId>), Option<SystemTime>>;

/// [`GrantStore`] in memory.
pub struct MemoryGrants {
    clock: Arc<dyn Clock>,
    tenants: RwLock<HashMap<TenantId, HashMap<Subject, Granted>>>,
}

opaque_debug!(MemoryGrants);

impl MemoryGrants {
    /// An empty store; the clock says which grants have expired.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, tenants: RwLock::default() }
    }
}

fn holds(expires: Option<SystemTime>, now: SystemTime) -> bool {
    expires.is_none_or(|end| end > now)
}

#[async_trait]
impl GrantStore for MemoryGrants {
    async fn put(&self, grant: Grant) -> Result<()> {
        let now = self.clock.now();
        let mut tenants = write(&self.tenants);
        let granted = tenants.entry(grant.tenant).or_default().entry(grant.subject).or_default();
        granted.retain(|_, end| holds(*end, now));
        granted.insert((grant.tools, grant.connection), grant.expires);
        Ok(())
    }

    async fn revoke(
        &self,
        tenant: &TenantId,
        subject: &Subject,
        tools: &ToolPattern,
        connection: Option<&ConnectionId>,
    ) -> Result<bool> {
        let now = self.clock.now();
        let mut tenants = write(&self.tenants);
        let Some(subjects) = tenants.get_mut(tenant) else { return Ok(false) };
        let Some(granted) = subjects.get_mut(subject) else { return Ok(false) };
        let removed = granted.remove(&(tools.clone(), connection.cloned()));
        if granted.is_empty() {
            subjects.remove(subject);
        }
        Ok(removed.is_some_and(|end| holds(end, now)))
    }

    async fn list(&self, tenant: &TenantId, subjects: &[Subject]) -> Result<Vec<Grant>> {
        let now = self.clock.now();
        let mut wanted: Vec<&Subject> = subjects.iter().collect();
        wanted.sort_unstable();
        wanted.dedup();
        let tenants = read(&self.tenants);
        let Some(rows) = tenants.get(tenant) else { return Ok(Vec::new()) };
        let mut grants = Vec::new();
        for subject in wanted {
            let granted = rows.get(subject).into_iter().flatten();
            grants.extend(granted.filter(|(_, end)| holds(**end, now)).map(|((tools, connection), end)| {
                Grant {
                    tenant: tenant.clone(),
                    subject: subject.clone(),
                    tools: tools.clone(),
                    connection: connection.clone(),
                    expires: *end,
                }
            }));
        }
        Ok(grants)
    }
}
