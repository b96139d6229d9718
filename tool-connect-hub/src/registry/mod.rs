//! The registry: one global snapshot and an overlay per tenant.
//! Readers take a snapshot without a lock; writers copy, change and swap it, one at a time.

mod entry;
mod list;
mod snapshot;

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::{ArcSwap, Guard};
use tool_connect_core::{Error, ErrorKind, InstanceId, Result, TenantId, Tool, ToolId};

use entry::Texts;
pub(crate) use entry::{Entry, Instance};
pub(crate) use list::page;
pub use list::{ListRequest, ToolInfo, ToolPage};
pub(crate) use snapshot::Snapshot;

/// What registering a connector came to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Registration {
    /// The instance.
    pub instance: InstanceId,
    /// How many tools work, as far as it is known: schemas that are made on first use are not looked at.
    pub tools: usize,
    /// Tools that are switched off, and why.
    pub quarantined: Vec<Quarantined>,
}

/// A tool that is switched off because its definition is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quarantined {
    /// Which tool.
    pub tool: ToolId,
    /// Each thing to mend.
    pub problems: Vec<String>,
}

/// Where a call found its tool: a snapshot, and the tool's place in it.
///
/// Holding it keeps the snapshot alive without touching a counter that other calls share.
pub(crate) struct Found {
    snapshot: Guard<Arc<Snapshot>>,
    index: usize,
}

impl Found {
    pub(crate) fn entry(&self) -> &Entry {
        self.snapshot.entry(self.index)
    }

    /// The same place once more.
    pub(crate) fn again(&self) -> Self {
        Self { snapshot: Guard::from_inner(Arc::clone(&self.snapshot)), index: self.index }
    }

    pub(crate) fn entry_arc(&self) -> &Arc<Entry> {
        self.snapshot.entry(self.index)
    }
}

pub(crate) struct Registry {
    global: ArcSwap<Snapshot>,
    overlays: ArcSwap<HashMap<TenantId, Arc<ArcSwap<Snapshot>>>>,
    has_overlays: AtomicBool,
    texts: Texts,
    writing: Mutex<()>,
}

impl Registry {
    pub(crate) fn new() -> Self {
        Self {
            global: ArcSwap::from_pointee(Snapshot::default()),
            overlays: ArcSwap::from_pointee(HashMap::new()),
            has_overlays: AtomicBool::new(false),
            texts: Texts::default(),
            writing: Mutex::new(()),
        }
    }

    /// The tenant's overlay, if any tenant has one.
    #[inline]
    fn overlay(&self, tenant: &TenantId) -> Option<Guard<Arc<Snapshot>>> {
        if !self.has_overlays.load(Ordering::Acquire) {
            return None;
        }
        self.overlays.load().get(tenant).map(|overlay| overlay.load())
    }

    /// Finds a tool by id, model name, alias, or by a local name that only one instance has.
    #[inline]
    pub(crate) fn find(&self, tenant: &TenantId, tool: &str) -> Result<Found> {
        match self.get(tenant, tool) {
            Some(found) => Ok(found),
            None => self.find_otherwise(tenant, tool),
        }
    }

    /// As [`find`](Self::find), for who must not learn what else there is: nothing is suggested, and of several nothing found.
    pub(crate) fn known(&self, tenant: &TenantId, tool: &str) -> Option<Found> {
        let found = self.get(tenant, tool);
        if found.is_some() || tool.contains('.') || tool.contains("__") {
            return found;
        }
        match self.locals(tenant, tool).as_slice() {
            [id] => self.get(tenant, id.as_str()),
            _ => None,
        }
    }

    /// Looks into the text where it is no id: to do so first would cost as much as the lookup.
    #[cold]
    fn find_otherwise(&self, tenant: &TenantId, tool: &str) -> Result<Found> {
        if tool.contains('.') || tool.contains("__") {
            return Err(unknown(tool));
        }
        self.find_local(tenant, tool)
    }

    /// A tool by id, model name or alias: the tenant's own first.
    #[inline]
    fn get(&self, tenant: &TenantId, tool: &str) -> Option<Found> {
        if let Some(snapshot) = self.overlay(tenant) {
            if let Some(index) = snapshot.find(tool) {
                return Some(Found { snapshot, index });
            }
            // A tenant's own instance hides a global one of the same id, with all its tools.
            let instance =
                tool.split_once('.').or_else(|| tool.split_once("__")).map(|(instance, _)| instance);
            if instance.is_some_and(|id| snapshot.instance(id).is_some()) {
                return None;
            }
        }
        let snapshot = self.global.load();
        snapshot.find(tool).map(|index| Found { snapshot, index })
    }

    /// Finds the tool of a Rust type, at one instance or the only one that has it.
    pub(crate) fn find_type<T: Tool>(&self, tenant: &TenantId, instance: Option<&str>) -> Result<Found> {
        let overlay = self.overlay(tenant);
        let global = self.global.load();
        let mut ids: Vec<String> = Vec::new();
        let mut place = None;
        for (own, snapshot) in overlay.iter().map(|o| (true, o)).chain([(false, &global)]) {
            for index in snapshot.of_type(TypeId::of::<T>(), instance) {
                let entry = snapshot.entry(*index);
                if !own && hidden(overlay.as_deref(), entry) {
                    continue;
                }
                let id = entry.id.instance();
                if let Some((_, _, first)) = place.replace((own, *index, id)) {
                    ids.push(first.to_owned());
                }
            }
        }
        let Some((own, index, last)) = place else {
            let name = T::definition().name;
            return Err(Error::new(
                ErrorKind::UnknownTool,
                match instance {
                    Some(id) => format!("instance `{id}` has no tool `{name}`; register its connector"),
                    None => format!("no registered connector has the tool `{name}`"),
                },
            ));
        };
        if !ids.is_empty() {
            ids.push(last.to_owned());
            return Err(ambiguous(&T::definition().name, &ids));
        }
        let snapshot = match overlay {
            Some(overlay) if own => overlay,
            _ => global,
        };
        Ok(Found { snapshot, index })
    }

    /// Finds a tool by its local name, where only one instance has it.
    fn find_local(&self, tenant: &TenantId, name: &str) -> Result<Found> {
        let ids = self.locals(tenant, name);
        match ids.as_slice() {
            [] => Err(unknown(name)),
            [id] => self.get(tenant, id.as_str()).ok_or_else(|| unknown(name)),
            _ => {
                let instances: Vec<_> = ids.iter().map(|id| id.instance().to_owned()).collect();
                Err(ambiguous(name, &instances))
            }
        }
    }

    /// The tools that have this local name.
    fn locals(&self, tenant: &TenantId, name: &str) -> Vec<ToolId> {
        let (overlay, global) = (self.overlay(tenant), self.global.load());
        let own = overlay.iter().flat_map(|snapshot| snapshot.local(name));
        let shared = global.local(name).filter(|entry| !hidden(overlay.as_deref(), entry));
        let mut ids: Vec<ToolId> = own.chain(shared).map(|entry| entry.id.clone()).collect();
        ids.sort();
        ids
    }

    /// The tool whose name is nearest to one that there is not, of those that `may_see` lets through.
    pub(crate) fn nearest(
        &self,
        tenant: &TenantId,
        tool: &str,
        may_see: impl Fn(&Entry) -> bool,
    ) -> Option<ToolId> {
        let wanted = shortened(tool).replace("__", ".");
        let mut best: Option<(f64, ToolId)> = None;
        let (overlay, global) = (self.overlay(tenant), self.global.load());
        let own = overlay.iter().flat_map(|snapshot| snapshot.entries());
        for entry in own.chain(global.entries().iter().filter(|entry| !hidden(overlay.as_deref(), entry))) {
            let score = strsim::jaro_winkler(&wanted, entry.id.as_str());
            if score > 0.85 && best.as_ref().is_none_or(|(s, _)| score > *s) && may_see(entry) {
                best = Some((score, entry.id.clone()));
            }
        }
        best.map(|(_, id)| id)
    }

    /// What a tenant sees: its own instances, then the global ones that these do not hide.
    pub(crate) fn views(&self, tenant: &TenantId) -> (Option<Arc<Snapshot>>, Arc<Snapshot>) {
        (self.overlay(tenant).map(Guard::into_inner), self.global.load_full())
    }

    /// Adds or replaces instances of one tenant, or global ones, at once for readers.
    pub(crate) fn put(
        &self,
        tenant: Option<&TenantId>,
        instances: Vec<Instance>,
        replace: bool,
    ) -> Result<Vec<Registration>> {
        let built =
            instances.into_iter().map(|i| entry::build(i, &self.texts)).collect::<Result<Vec<_>>>()?;
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let place = tenant.map(|t| self.overlay_of(t));
        let target: &ArcSwap<Snapshot> = place.as_deref().unwrap_or(&self.global);
        let next = target.load().with(&built, replace)?;
        target.store(Arc::new(next));
        Ok(built.iter().map(|(instance, entries)| registration(instance, entries)).collect())
    }

    /// Removes an instance; calls that run go on with what they hold.
    pub(crate) fn remove(&self, tenant: Option<&TenantId>, id: &InstanceId) -> bool {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let place = tenant.map(|t| self.overlay_of(t));
        let target: &ArcSwap<Snapshot> = place.as_deref().unwrap_or(&self.global);
        let next = target.load().without(id);
        let removed = next.is_some();
        if let Some(next) = next {
            target.store(Arc::new(next));
        }
        removed
    }

    /// The cell of a tenant's overlay; made on first use. Called by writers only.
    fn overlay_of(&self, tenant: &TenantId) -> Arc<ArcSwap<Snapshot>> {
        let overlays = self.overlays.load();
        if let Some(place) = overlays.get(tenant) {
            return Arc::clone(place);
        }
        let place = Arc::new(ArcSwap::from_pointee(Snapshot::default()));
        let mut next = HashMap::clone(&overlays);
        next.insert(tenant.clone(), Arc::clone(&place));
        self.overlays.store(Arc::new(next));
        self.has_overlays.store(true, Ordering::Release);
        place
    }
}

/// Whether a tenant's own instance hides this global tool.
pub(crate) fn hidden(overlay: Option<&Arc<Snapshot>>, global: &Entry) -> bool {
    overlay.is_some_and(|own| own.instance(global.id.instance()).is_some())
}

fn registration(instance: &Instance, entries: &[Arc<Entry>]) -> Registration {
    Registration {
        instance: instance.id.clone(),
        tools: entries.iter().filter(|e| e.known_broken().is_empty()).count(),
        quarantined: entries
            .iter()
            .filter(|e| !e.known_broken().is_empty())
            .map(|e| Quarantined { tool: e.id.clone(), problems: e.known_broken().to_vec() })
            .collect(),
    }
}

fn unknown(tool: &str) -> Error {
    Error::new(ErrorKind::UnknownTool, format!("there is no tool `{}`", shortened(tool).escape_debug()))
}

/// As much of a name as is worth looking at.
fn shortened(tool: &str) -> String {
    tool.chars().take(80).collect()
}

fn ambiguous(name: &str, instances: &[String]) -> Error {
    Error::new(
        ErrorKind::AmbiguousInstance,
        format!(
            "several instances have `{name}`: {}; choose one with `session.on(..)`",
            instances.join(", ")
        ),
    )
    .public(format!("Several instances offer this tool: {}; name one.", instances.join(", ")))
}
