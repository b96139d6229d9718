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
    AuthScheme, Clock, Connect, ConnectRequest, ConnectTicket, Connection, ConnectionId, Error, ErrorKind,
    InputRequest, InputRequired, InstanceId, Owner, Principal, Result,
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
    fn is_fresh(&self, now: u64, generation: u64, keep: Duration) -> bool {
        let age = now.saturating_sub(self.read);
        self.generation == generation && u128::from(age) < keep.as_nanos()
    }

    fn fresh(&self, now: u64, generation: u64, keep: Duration) -> Option<Arc<T>> {
        self.is_fresh(now, generation, keep).then(|| Arc::clone(&self.value))
    }
}

/// The connections that a principal may use, by instance.
type Connections = HashMap<InstanceId, Remembered<Vec<Arc<Connection>>>, foldhash::fast::RandomState>;

/// A principal as the Hub knows it; shared by the sessions of equal principals.
pub(crate) struct Caller {
    pub(crate) principal: Arc<Principal>,
    pub(crate) keys: LimitKeys,
    grants: Mutex<Option<Remembered<Vec<Grant>>>>,
    connections: Mutex<Connections>,
    tickets: Mutex<HashMap<InstanceId, Remembered<(Lack, ConnectTicket)>>>,
}

/// For how long calls that fail are given the same ticket, instead of one each.
const TICKET: Duration = Duration::from_secs(180);

/// What the user must connect before a call can go on.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Lack {
    /// A connection that is there and does not suffice.
    connection: Option<ConnectionId>,
    /// Scopes that it lacks; empty where it does not work at all.
    scopes: Vec<String>,
    /// Whether the provider says so, and not the record.
    refused: bool,
}

/// Why a call has no connection.
enum Without {
    /// The user must act.
    Lack(Lack, Option<&'static str>),
    /// Something else.
    Error(Error),
}

/// Where grants and connections are read, and how long they are remembered.
pub(crate) struct Memory<'a> {
    pub(crate) stores: &'a Stores,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) generation: &'a Generation,
    pub(crate) keep: Duration,
    pub(crate) patience: Patience,
    /// Whoever can bring users to consent.
    pub(crate) connect: Option<&'a Arc<dyn Connect>>,
}

impl Caller {
    pub(crate) fn new(principal: Principal) -> Self {
        Self {
            keys: LimitKeys::of(&principal),
            principal: Arc::new(principal),
            grants: Mutex::default(),
            connections: Mutex::default(),
            tickets: Mutex::default(),
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

    /// The connection that a call uses, where it is remembered and has the scopes that the tool needs.
    /// `now`: the clock's reading, where the call has one already.
    pub(crate) fn remembered(
        &self,
        memory: &Memory<'_>,
        now: Option<u64>,
        entry: &Entry,
        chosen: Option<&ConnectionId>,
    ) -> Option<Arc<Connection>> {
        let now = now.unwrap_or_else(|| memory.clock.monotonic());
        let generation = memory.generation.now();
        let remembered = lock(&self.connections);
        let known = remembered.get(&entry.instance.id)?;
        if !known.is_fresh(now, generation, memory.keep) {
            return None;
        }
        let connection = choose(&known.value, entry, chosen).ok()?;
        let scopes = entry.tool.definition().scopes.iter().map(AsRef::as_ref);
        connection.missing(scopes).is_empty().then(|| Arc::clone(connection))
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
        let known = {
            let remembered = lock(&self.connections);
            let fresh = remembered.get(instance).filter(|r| r.is_fresh(now, generation, memory.keep));
            // Chosen where they lie: the list is the principal's own, and short.
            fresh.map(|known| choose(&known.value, entry, chosen).cloned())
        };
        let found = match known {
            Some(chosen) => chosen,
            None => choose(&self.read_connections(memory, instance, now).await?, entry, chosen).cloned(),
        };
        let lack = match found {
            Ok(connection) => {
                let definition = entry.tool.definition();
                let missing = connection.missing(definition.scopes.iter().map(AsRef::as_ref));
                if missing.is_empty() {
                    return Ok(connection);
                }
                Without::Lack(
                    Lack { connection: Some(connection.id.clone()), scopes: missing, refused: false },
                    None,
                )
            }
            Err(without) => without,
        };
        match lack {
            Without::Error(error) => Err(error),
            // Boxed: few calls come here.
            Without::Lack(lack, status) => Err(Box::pin(self.ask(memory, entry, lack, status)).await),
        }
    }

    /// Asks the user for scopes that the provider says the connection lacks, whatever is recorded of it.
    pub(crate) async fn ask_for_scopes(
        &self,
        memory: &Memory<'_>,
        entry: &Entry,
        connection: &ConnectionId,
        scopes: &[String],
    ) -> Error {
        let lack = Lack { connection: Some(connection.clone()), scopes: scopes.to_vec(), refused: true };
        self.ask(memory, entry, lack, None).await
    }

    /// Asks the user to connect, with a ticket where there is somebody who makes them.
    async fn ask(
        &self,
        memory: &Memory<'_>,
        entry: &Entry,
        lack: Lack,
        status: Option<&'static str>,
    ) -> Error {
        let instance = &entry.instance.id;
        let (mut url, mut expires, mut why) = (None, None, None);
        if let Some(connect) = memory.connect {
            match self.ticket(memory, connect, entry, &lack).await {
                Ok(ticket) => (url, expires) = (Some(ticket.url.to_string()), Some(ticket.expires)),
                // Asking once more would not help.
                Err(error) if error.kind() == ErrorKind::Forbidden => return error,
                Err(error) => {
                    tracing::debug!(target: "tool_connect", %instance, %error, "there is no ticket to connect with");
                    why = Some(error);
                }
            }
        }
        let Lack { connection, scopes, .. } = lack;
        let request = InputRequest::Connect { instance: instance.clone(), scopes, url };
        let mut required = InputRequired::new(request);
        required.expires = expires;
        let mut error = Error::needs_input(required);
        // A connection that is there and does not work: the same request to the user, and the reason for the developer.
        if let (Some(connection), Some(status)) = (connection, status) {
            error = error.with("connection", connection).with("status", status);
        }
        if let Some(why) = why {
            error = error.with("no ticket", why);
        }
        error
    }

    async fn ticket(
        &self,
        memory: &Memory<'_>,
        connect: &Arc<dyn Connect>,
        entry: &Entry,
        lack: &Lack,
    ) -> Result<ConnectTicket> {
        let instance = &entry.instance.id;
        let (now, generation) = (memory.clock.monotonic(), memory.generation.now());
        let known = lock(&self.tickets).get(instance).and_then(|known| known.fresh(now, generation, TICKET));
        if let Some(known) = known.filter(|known| known.0 == *lack && known.1.expires > memory.clock.now()) {
            return Ok(known.1.clone());
        }
        let mut request = ConnectRequest::new(instance.clone(), entry.instance.endpoint.scheme.clone());
        request.connection.clone_from(&lack.connection);
        request.scopes = lack.scopes.clone();
        request.refused = lack.refused;
        if lack.scopes.is_empty() {
            // The first consent shall do for the tool that is wanted.
            let anyway = match &entry.instance.endpoint.scheme {
                AuthScheme::OAuth2(oauth) => &oauth.scopes[..],
                _ => &[],
            };
            request.scopes = entry.tool.definition().scopes_beside(anyway).map(str::to_owned).collect();
        }
        let ticket = memory.patience.with("tickets", connect.ticket(&self.principal, request)).await?;
        let value = Arc::new((lack.clone(), ticket.clone()));
        lock(&self.tickets).insert(instance.clone(), Remembered { value, read: now, generation });
        Ok(ticket)
    }

    /// Reads the principal's connections at an instance, and remembers them.
    async fn read_connections(
        &self,
        memory: &Memory<'_>,
        instance: &InstanceId,
        now: u64,
    ) -> Result<Arc<Vec<Arc<Connection>>>> {
        // Asked for before they are read, so that a change meanwhile is noticed.
        let generation = memory.generation.now();
        let filter = ConnectionFilter { instance: Some(instance.clone()), ..ConnectionFilter::default() };
        let list = memory.stores.connections.list(&self.principal.tenant, &filter);
        let mut found = memory.patience.with("connections", list).await?;
        found.retain(|c| c.owner.admits(&self.principal));
        let value: Arc<Vec<_>> = Arc::new(found.into_iter().map(Arc::new).collect());
        let remembered = Remembered { value: Arc::clone(&value), read: now, generation };
        lock(&self.connections).insert(instance.clone(), remembered);
        Ok(value)
    }
}

fn choose<'a>(
    connections: &'a [Arc<Connection>],
    entry: &Entry,
    chosen: Option<&ConnectionId>,
) -> std::result::Result<&'a Arc<Connection>, Without> {
    let instance = &entry.instance.id;
    if let Some(id) = chosen {
        let connection = connections.iter().find(|c| c.id == *id).ok_or_else(|| {
            let what = format!("the caller has no connection `{id}` at `{instance}`");
            let error = Error::new(ErrorKind::NotFound, what);
            Without::Error(error.effect(tool_connect_core::Effect::NotExecuted))
        })?;
        return if connection.status.usable() { Ok(connection) } else { Err(reconnect(connection)) };
    }
    if let [only] = connections
        && only.status.usable()
    {
        return Ok(only);
    }
    let mut usable: Vec<&Arc<Connection>> = connections.iter().filter(|c| c.status.usable()).collect();
    // The user's own come before a team's, and these before the tenant's; then the default.
    usable.sort_by_key(|c| (rank(&c.owner), !c.is_default));
    match usable.as_slice() {
        [] => match connections.first() {
            Some(broken) => Err(reconnect(broken)),
            None => Err(Without::Lack(Lack { connection: None, scopes: Vec::new(), refused: false }, None)),
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
            Err(Without::Error(
                Error::new(
                    ErrorKind::AmbiguousInstance,
                    format!(
                        "several accounts are connected at `{instance}`: {}; choose one or mark a default",
                        names.join(", ")
                    ),
                )
                .public(format!("Several accounts are connected: {}; name one.", names.join(", "))),
            ))
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

/// A connection that is there and does not work.
fn reconnect(connection: &Connection) -> Without {
    let lack = Lack { connection: Some(connection.id.clone()), scopes: Vec::new(), refused: false };
    Without::Lack(lack, Some(connection.status.as_str()))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
