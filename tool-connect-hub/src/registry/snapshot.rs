//! An unchanging view of the registry.

use std::any::TypeId;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use tool_connect_core::{Error, ErrorKind, InstanceId, Result};

use super::entry::{Entry, Instance};

/// Ids share their text with their entries.
type Names = HashMap<Arc<str>, u32, foldhash::fast::RandomState>;

/// Tools by id and alias, by Rust type, and in the order of their ids.
#[derive(Default)]
pub(crate) struct Snapshot {
    names: Names,
    types: HashMap<TypeId, Vec<usize>, foldhash::fast::RandomState>,
    entries: Vec<Arc<Entry>>,
    instances: BTreeMap<InstanceId, Arc<Instance>>,
    /// What the search knows of it, once somebody has searched.
    pub(crate) search: OnceLock<Arc<crate::search::Joined>>,
}

impl Snapshot {
    fn new(entries: Vec<Arc<Entry>>, instances: BTreeMap<InstanceId, Arc<Instance>>) -> Result<Self> {
        let mut names = Names::with_capacity_and_hasher(entries.len(), Default::default());
        let mut types: HashMap<TypeId, Vec<usize>, foldhash::fast::RandomState> = HashMap::default();
        for (index, entry) in entries.iter().enumerate() {
            let place = u32::try_from(index)
                .map_err(|_| Error::new(ErrorKind::Config, "the registry holds at most 2^32 tools"))?;
            names.insert(entry.id.shared(), place);
            for alias in &entry.tool.definition().aliases {
                names.insert(format!("{}.{alias}", entry.id.instance()).into(), place);
            }
            if let Some(rust_type) = entry.tool.rust_type() {
                types.entry(rust_type).or_default().push(index);
            }
        }
        Ok(Self { names, types, entries, instances, search: OnceLock::new() })
    }

    #[inline]
    pub(crate) fn find(&self, tool: &str) -> Option<usize> {
        match self.names.get(tool) {
            Some(index) => usize::try_from(*index).ok(),
            None => self.find_model_form(tool),
        }
    }

    #[cold]
    fn find_model_form(&self, tool: &str) -> Option<usize> {
        // The form of model APIs; instance ids hold no `__`, so the first one is the dot.
        let (instance, name) = tool.split_once("__")?;
        let index = self.names.get(format!("{instance}.{name}").as_str())?;
        usize::try_from(*index).ok()
    }

    /// The places of a Rust type's tools, at one instance or at all.
    pub(crate) fn of_type(&self, rust_type: TypeId, instance: Option<&str>) -> &[usize] {
        let places = self.types.get(&rust_type).map_or(&[][..], Vec::as_slice);
        let Some(wanted) = instance else { return places };
        // Entries are in the order of their ids, so those of an instance stand together.
        let order = |place: &usize| self.entry(*place).id.instance().cmp(wanted);
        let from = places.partition_point(|p| order(p).is_lt());
        let to = places.partition_point(|p| order(p).is_le());
        places.get(from..to).unwrap_or_default()
    }

    /// Entries whose local name or alias this is.
    pub(crate) fn local<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Arc<Entry>> {
        self.instances
            .keys()
            .filter_map(move |id| self.names.get(format!("{id}.{name}").as_str()))
            .filter_map(|index| self.entries.get(usize::try_from(*index).ok()?))
    }

    /// The entry at a place that [`find`](Self::find) returned.
    pub(crate) fn entry(&self, index: usize) -> &Arc<Entry> {
        // Places come from this very snapshot, which never changes.
        &self.entries[index]
    }

    pub(crate) fn entries(&self) -> &[Arc<Entry>] {
        &self.entries
    }

    pub(crate) fn instance(&self, id: &str) -> Option<&Arc<Instance>> {
        self.instances.get(id)
    }

    pub(crate) fn instances(&self) -> impl Iterator<Item = &Arc<Instance>> {
        self.instances.values()
    }

    /// A copy with more instances, or others in their place.
    pub(super) fn with(&self, new: &[(Arc<Instance>, Vec<Arc<Entry>>)], replace: bool) -> Result<Self> {
        let mut instances = self.instances.clone();
        for (instance, _) in new {
            if instances.insert(instance.id.clone(), Arc::clone(instance)).is_some() && !replace {
                return Err(Error::new(
                    ErrorKind::Conflict,
                    format!(
                        "instance `{}` is registered already; choose another id, or replace it on purpose",
                        instance.id
                    ),
                ));
            }
        }
        let current = |entry: &&Arc<Entry>| {
            instances.get(&entry.instance.id).is_some_and(|i| Arc::ptr_eq(i, &entry.instance))
        };
        let added = new.iter().flat_map(|(_, entries)| entries);
        let mut entries: Vec<_> = self.entries.iter().chain(added).filter(current).cloned().collect();
        entries.sort_by(|a, b| a.id.cmp(&b.id));
        Self::new(entries, instances)
    }

    /// A copy without an instance; `None` where there is none of that id.
    pub(super) fn without(&self, id: &InstanceId) -> Option<Self> {
        let mut instances = self.instances.clone();
        instances.remove(id)?;
        let entries = self.entries.iter().filter(|e| e.instance.id != *id).cloned().collect();
        // Fewer entries than before: the only error, too many, cannot happen.
        Self::new(entries, instances).ok()
    }
}
