//! What the Hub remembers of a principal between calls: grants and connections, briefly.
//!
//! A change made through this Hub is seen at once; one made by another process after the memory's
//! time at the latest.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tool_connect_core::store::{ConnectionFilter, Grant, Stores, Subject};
use tool_connect_core::{
    Clock, Connection, ConnectionId, Error, ErrorKind, InputRequest, InputRequired, InstanceId, Owner,
    Principal, Result,
};

use crate::limits::LimitKeys;
use crate::patience::Patience;
use crate::registry::Entry;

/// Raised when grants or connections are changed through this Hub.
#[derive(Debug, Default)]
pub(crate) struct Generation(AtomicU64);

impl Generation {
    pub(crate) fn raise(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }

    fn now(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// A value, when it was read, and in which generation.
struct Remembered<T> {
    value: Arc<T>,
    read: u64,
    generation: u64,
}

impl<T> Remembered<T> {
    fn fresh(&self, now: u64, generation: u64, keep: Duration) -> Option<Arc<T>> {
        let age = now.saturating_sub(self.read);
        (self.generation == generation && u128::from(age) < keep.as_nanos()).then(|| Arc::clone(&self.value))
    }
}

/// A principal as the Hub knows it; shared by the sessions of equal principals.
pub(crate) struct Caller {
    pub(crate) principal: Arc<Principal>,
    pub(crate) keys: LimitKeys,
    grants: Mutex<Option<Remembered<Vec<Grant>>>>,
    connections: Mutex<HashMap<InstanceId, Remembered<Vec<Arc<Connection>>>>>,
}

/// Where grants and connections are read, and how long they are remembered.
pub(crate) struct Memory<'a> {
    pub(crate) stores: &'a Stores,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) generation: &'a Generation,
    pub(crate) keep: Duration,
    pub(crate) patience: Patience,
}

impl Caller {
    pub(crate) fn new(principal: Principal) -> Self {
        Self {
            keys: LimitKeys::of(&principal),
            principal: Arc::new(principal),
            grants: Mutex::default(),
            connections: Mutex::default(),
        }
    }

    /// The principal's grants: remembered, or read.
    pub(crate) async fn grants(&self, memory: &Memory<'_>) -> Result<Arc<Vec<Grant>>> {
        let (now, generation) = (memory.clock.monotonic(), memory.generation.now());
        let known = lock(&self.grants).as_ref().and_then(|r| r.fresh(now, generation, memory.keep));
        if let Some(grants) = known {
            return Ok(grants);
        }
        let subjects = Subject::of(&self.principal);
        let grants = memory
            .patience
            .with("grants", memory.stores.grants.list(&self.principal.tenant, &subjects))
            .await?;
        let value = Arc::new(grants);
        *lock(&self.grants) = Some(Remembered { value: Arc::clone(&value), read: now, generation });
        Ok(value)
    }

    /// The connection that a call uses, or what the user must do first.
    pub(crate) async fn connection(
        &self,
        memory: &Memory<'_>,
        entry: &Entry,
        chosen: Option<&ConnectionId>,
    ) -> Result<Arc<Connection>> {
        let (now, generation) = (memory.clock.monotonic(), memory.generation.now());
        let instance = &entry.instance.id;
        let known = lock(&self.connections).get(instance).and_then(|r| r.fresh(now, generation, memory.keep));
        let connections = match known {
            Some(connections) => connections,
            None => {
                let filter =
                    ConnectionFilter { instance: Some(instance.clone()), ..ConnectionFilter::default() };
                let list = memory.stores.connections.list(&self.principal.tenant, &filter);
                let mut found = memory.patience.with("connections", list).await?;
                found.retain(|c| c.owner.admits(&self.principal));
                let value: Arc<Vec<_>> = Arc::new(found.into_iter().map(Arc::new).collect());
                lock(&self.connections).insert(
                    instance.clone(),
                    Remembered { value: Arc::clone(&value), read: now, generation },
                );
                value
            }
        };
        let connection = choose(&connections, entry, chosen)?;
        let definition = entry.tool.definition();
        let missing = connection.missing(definition.scopes.iter().map(AsRef::as_ref));
        if missing.is_empty() {
            return Ok(Arc::clone(connection));
        }
        Err(connect(instance, missing))
    }
}

fn choose<'a>(
    connections: &'a [Arc<Connection>],
    entry: &Entry,
    chosen: Option<&ConnectionId>,
) -> Result<&'a Arc<Connection>> {
    let instance = &entry.instance.id;
    if let Some(id) = chosen {
        let connection = connections.iter().find(|c| c.id == *id).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("the caller has no connection `{id}` at `{instance}`"))
                .effect(tool_connect_core::Effect::NotExecuted)
        })?;
        return if connection.status.usable() { Ok(connection) } else { Err(reconnect(connection)) };
    }
    let mut usable: Vec<&Arc<Connection>> = connections.iter().filter(|c| c.status.usable()).collect();
    // The user's own come before a team's, and these before the tenant's; then the default.
    usable.sort_by_key(|c| (rank(&c.owner), !c.is_default));
    match usable.as_slice() {
        [] => match connections.first() {
            Some(broken) => Err(reconnect(broken)),
            None => Err(connect(instance, Vec::new())),
        },
        [only] => Ok(only),
        [first, second, ..] if rank(&first.owner) < rank(&second.owner) || first.is_default => Ok(first),
        several => {
            let names: Vec<String> = several
                .iter()
                .map(|c| match &c.label {
                    Some(label) => format!("{} ({label})", c.id),
                    None => c.id.to_string(),
                })
                .collect();
            Err(Error::new(
                ErrorKind::AmbiguousInstance,
                format!(
                    "several accounts are connected at `{instance}`: {}; choose one or mark a default",
                    names.join(", ")
                ),
            )
            .public(format!("Several accounts are connected: {}; name one.", names.join(", "))))
        }
    }
}

fn rank(owner: &Owner) -> u8 {
    match owner {
        Owner::User(_) => 0,
        Owner::Team(_) => 1,
        Owner::Tenant => 2,
    }
}

fn connect(instance: &InstanceId, scopes: Vec<String>) -> Error {
    Error::needs_input(InputRequired::new(InputRequest::Connect {
        instance: instance.clone(),
        scopes,
        url: None,
    }))
}

/// A connection that is there and does not work: the same request to the user, and the reason for
/// the developer.
fn reconnect(connection: &Connection) -> Error {
    connect(&connection.instance, Vec::new())
        .with("connection", &connection.id)
        .with("status", connection.status.as_str())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
