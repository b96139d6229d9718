//! What is indexed of a registry: with each instance its index, with each snapshot what joins them. Both are made on the first search
//! that wants them and go with what they belong to, so nothing has to be told when connectors come and go.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::embed::Vectors;
use super::rank::Found;
use super::segment::{Document, Segment};
use super::view::View;
use crate::registry::{Entry, Instance, Snapshot};

/// How deep into the arguments' schema names are looked for.
const DEEPEST: usize = 3;
/// So many places of a tool's schema are looked at.
const MOST_PLACES: usize = 5_000;
/// So many values of one enumeration.
const MOST_VALUES: usize = 1_000;
/// Names of parameters, and values, beyond these are not indexed.
const MOST_NAMES: usize = 60;

/// What an instance has of the search.
#[derive(Default)]
pub(crate) struct Indexed {
    segment: OnceLock<Arc<Segment>>,
    /// Where the host embeds texts: each tool's vector.
    pub(super) vectors: OnceLock<Arc<Vectors>>,
    /// Whether somebody makes the vectors.
    pub(super) embedding: AtomicBool,
}

/// The indexes of a snapshot's instances, joined.
pub(crate) struct Joined {
    pub(super) view: View,
    /// For each segment its instance, and the place of its first tool among the snapshot's.
    pub(super) instances: Vec<(Arc<Instance>, usize)>,
}

impl Joined {
    /// What is indexed of a snapshot, if it is.
    pub(crate) fn known(snapshot: &Snapshot) -> Option<&Arc<Self>> {
        snapshot.search.get()
    }

    /// What is indexed of a snapshot; made now if it is not. Takes some 30 µs a tool of an instance that is new, and little of one
    /// that is known.
    pub(crate) fn of(snapshot: &Snapshot) -> &Arc<Self> {
        snapshot.search.get_or_init(|| Arc::new(Self::new(snapshot)))
    }

    fn new(snapshot: &Snapshot) -> Self {
        let mut instances = Vec::new();
        let mut first = 0;
        // Tools are in the order of their ids: those of an instance stand together.
        for tools in snapshot.entries().chunk_by(|a, b| Arc::ptr_eq(&a.instance, &b.instance)) {
            if let Some(tool) = tools.first() {
                let segment =
                    tool.instance.search.segment.get_or_init(|| Arc::new(index(&tool.instance, tools)));
                instances.push((Arc::clone(&tool.instance), first, Arc::clone(segment)));
            }
            first += tools.len();
        }
        let view = View::new(instances.iter().map(|(.., segment)| Arc::clone(segment)).collect());
        Self {
            view,
            instances: instances.into_iter().map(|(instance, first, _)| (instance, first)).collect(),
        }
    }

    /// The tool that was found.
    pub(super) fn entry<'s>(&self, snapshot: &'s Snapshot, found: &Found) -> Option<&'s Arc<Entry>> {
        let (_, first) = self.instances.get(found.segment)?;
        snapshot.entries().get(first + found.tool)
    }

    /// Bytes on the heap, about, of the indexes and what joins them.
    pub(super) fn bytes(&self) -> usize {
        self.view.bytes()
    }
}

fn index(instance: &Instance, tools: &[Arc<Entry>]) -> Segment {
    let name = &instance.manifest().name;
    Segment::new(&[instance.id.as_str(), name], tools.iter().map(|tool| document(tool)))
}

fn document(entry: &Entry) -> Document<'_> {
    let definition = entry.tool.definition();
    let (mut parameters, mut values) = (Vec::new(), Vec::new());
    let mut left = MOST_PLACES;
    // A tool that is switched off is not found, so nothing of its schema is needed.
    if entry.broken().is_empty()
        && let Ok(schema) = serde_json::from_str::<Value>(entry.input_schema())
    {
        walk(&schema, &schema, DEEPEST, &mut left, &mut parameters, &mut values);
    }
    Document {
        name: &definition.name,
        aliases: definition.aliases.iter().map(AsRef::as_ref).collect(),
        title: &definition.title,
        description: &definition.description,
        parameters,
        values,
        read_only: definition.annotations.read_only,
        destructive: definition.annotations.destructive,
        deprecated: definition.deprecated.is_some(),
    }
}

/// Names of properties and values of enumerations, those of nested objects and of local definitions included, as long as places
/// are left: a definition may be named many times.
fn walk(
    root: &Value,
    schema: &Value,
    deep: usize,
    left: &mut usize,
    names: &mut Vec<String>,
    values: &mut Vec<String>,
) {
    if *left == 0 {
        return;
    }
    *left -= 1;
    if let Some(place) = schema.get("$ref").and_then(Value::as_str).and_then(|to| to.strip_prefix('#'))
        && let (Some(target), true) = (root.pointer(place), deep > 0)
    {
        walk(root, target, deep - 1, left, names, values);
    }
    let known = schema.get("enum").and_then(Value::as_array);
    let texts = known.into_iter().flatten().take(MOST_VALUES).filter_map(Value::as_str);
    values.extend(texts.take(MOST_NAMES.saturating_sub(values.len())).map(str::to_owned));
    if deep == 0 {
        return;
    }
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        for (name, property) in properties {
            if *left == 0 {
                return;
            }
            if names.len() < MOST_NAMES {
                names.push(name.clone());
            }
            walk(root, property, deep - 1, left, names, values);
        }
    }
    for inner in ["items", "anyOf", "oneOf", "allOf"] {
        match schema.get(inner) {
            Some(Value::Array(several)) => {
                for one in several {
                    if *left == 0 {
                        return;
                    }
                    walk(root, one, deep - 1, left, names, values);
                }
            }
            Some(one @ Value::Object(_)) => walk(root, one, deep - 1, left, names, values),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_that_names_itself_again_and_again_is_looked_at_to_a_bound() {
        let many: serde_json::Map<String, Value> =
            (0..3_000).map(|n| (format!("p{n}"), serde_json::json!({ "$ref": "#" }))).collect();
        let schema = serde_json::json!({ "properties": many });
        let (mut left, mut names, mut values) = (MOST_PLACES, Vec::new(), Vec::new());
        walk(&schema, &schema, DEEPEST, &mut left, &mut names, &mut values);
        assert_eq!((left, names.len()), (0, MOST_NAMES));
        // What people write is looked at in full.
        let schema = serde_json::json!({ "properties": { "state": { "enum": [1, "open", "closed"] } } });
        let (mut left, mut names) = (MOST_PLACES, Vec::new());
        walk(&schema, &schema, DEEPEST, &mut left, &mut names, &mut values);
        assert_eq!(
            (MOST_PLACES - left, &*names, &*values),
            (2, &["state".to_owned()][..], &["open".to_owned(), "closed".to_owned()][..])
        );
    }
}
