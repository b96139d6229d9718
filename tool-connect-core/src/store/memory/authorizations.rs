//! Tickets and states of consents in memory.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use async_trait::async_trait;

use super::{lock, opaque_debug};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::TenantId;
use crate::store::{AuthorizationState, AuthorizationStateStore};

/// How many ended ones a `put` clears: more than the one it adds, so the store shrinks.
const CLEARED_PER_PUT: usize = 2;

type Key = (TenantId, String);

struct Row {
    expires: SystemTime,
    /// `None` once it was used.
    unused: Option<AuthorizationState>,
}

#[derive(Default)]
struct State {
    rows: HashMap<Key, Row>,
    ends: BTreeSet<(SystemTime, Key)>,
}

impl State {
    fn clear_ended(&mut self, now: SystemTime, most: usize) -> usize {
        for cleared in 0..most {
            match self.ends.first() {
                Some((end, _)) if *end <= now => {
                    if let Some((_, key)) = self.ends.pop_first() {
                        self.rows.remove(&key);
                    }
                }
                _ => return cleared,
            }
        }
        most
    }
}

/// [`AuthorizationStateStore`] in memory.
pub struct MemoryAuthorizations {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

opaque_debug!(MemoryAuthorizations);

impl MemoryAuthorizations {
    /// An empty store; the clock ends tickets and states.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Mutex::default() }
    }
}

#[async_trait]
impl AuthorizationStateStore for MemoryAuthorizations {
    async fn put(&self, new: AuthorizationState) -> Result<()> {
        let now = self.clock.now();
        let mut state = lock(&self.state);
        state.clear_ended(now, CLEARED_PER_PUT);
        let key = (new.tenant.clone(), new.id.clone());
        if let Some(row) = state.rows.get(&key) {
            if row.expires > now {
                return Err(Error::new(
                    ErrorKind::Conflict,
                    "a ticket or state of this id exists already; choose a fresh random id",
                ));
            }
            let ended = (row.expires, key.clone());
            state.ends.remove(&ended);
        }
        state.ends.insert((new.expires, key.clone()));
        state.rows.insert(key, Row { expires: new.expires, unused: Some(new) });
        Ok(())
    }

    async fn get(&self, tenant: &TenantId, id: &str) -> Result<Option<AuthorizationState>> {
        let now = self.clock.now();
        let state = lock(&self.state);
        let row = state.rows.get(&(tenant.clone(), id.to_owned())).filter(|row| row.expires > now);
        Ok(row.and_then(|row| row.unused.clone()))
    }

    async fn consume(&self, tenant: &TenantId, id: &str) -> Result<Option<AuthorizationState>> {
        let now = self.clock.now();
        let mut state = lock(&self.state);
        let row = state.rows.get_mut(&(tenant.clone(), id.to_owned())).filter(|row| row.expires > now);
        Ok(row.and_then(|row| row.unused.take()))
    }

    async fn purge(&self) -> Result<u64> {
        let now = self.clock.now();
        let cleared = lock(&self.state).clear_ended(now, usize::MAX);
        Ok(u64::try_from(cleared).unwrap_or(u64::MAX))
    }
}
