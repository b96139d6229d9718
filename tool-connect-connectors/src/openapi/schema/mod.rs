//! Schemas of OpenAPI 2.0, 3.0 and 3.1 as JSON Schema 2020-12: `keywords` takes over what means something and is well formed,
//! `combine` merges `allOf`, `shape` leaves what is reachable, resolved, and within a budget.

mod combine;
mod keywords;
mod shape;
#[cfg(test)]
mod tests;
mod values;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::document::Document;
use super::documents::{Documents, Target};

/// So many schema objects and references are read for one operation; one with more is loosened.
const MAX_NODES: usize = 50_000;
/// How deep parts of parts are merged.
const MAX_PARTS_DEPTH: usize = 16;

/// A JSON object.
pub(super) type Object = Map<String, Value>;

/// Which way the values go that a schema describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// What is sent: without what is read-only.
    Request,
    /// What is answered: without what is write-only.
    Response,
}

/// Converts the schemas of one operation.
pub(super) struct Converter<'d> {
    documents: &'d Documents,
    direction: Direction,
    /// By what they are referred to: the names among the definitions.
    names: HashMap<String, String>,
    /// Those names, by the document and the text of a reference: what was resolved once.
    known: HashMap<(String, String), String>,
    taken: HashMap<String, usize>,
    waiting: VecDeque<(String, Target)>,
    defs: Object,
    nodes: usize,
    /// What is being merged, so that a circle ends.
    merging: Vec<String>,
    /// What had to be loosened.
    notes: Vec<String>,
}

impl<'d> Converter<'d> {
    pub(super) fn new(documents: &'d Documents, direction: Direction) -> Self {
        Self {
            documents,
            direction,
            names: HashMap::new(),
            known: HashMap::new(),
            taken: HashMap::new(),
            waiting: VecDeque::new(),
            defs: Map::new(),
            nodes: 0,
            merging: Vec::new(),
            notes: Vec::new(),
        }
    }

    pub(super) fn notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    pub(super) fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// A schema where it is used. What it refers to becomes a definition.
    pub(super) fn schema(&mut self, document: &Arc<Document>, schema: &Value) -> Value {
        let Value::Object(object) = schema else { return self.other(schema) };
        let Some(reference) = reference(object) else { return self.object(document, object) };
        let place = (document.name.clone(), reference.to_owned());
        let name = match self.known.get(&place) {
            Some(name) => name.clone(),
            None => {
                let Some(target) = self.resolve(document, reference) else { return json!({}) };
                let name = self.name(target);
                self.known.insert(place, name.clone());
                name
            }
        };
        let mut out = json!({ "$ref": format!("#/$defs/{name}") });
        if let Some(text) = object.get("description").and_then(Value::as_str)
            && let Some(text) = keywords::words(text)
        {
            out["description"] = text.into();
        }
        if keywords::nullable(object) { json!({ "anyOf": [out, { "type": "null" }] }) } else { out }
    }

    /// A schema whose keywords stand at the root: what it refers to is taken in.
    pub(super) fn root(&mut self, document: &Arc<Document>, schema: &Value) -> Value {
        match schema {
            Value::Object(object) => match self.part(document, object) {
                Some(part) => finish(part),
                None => json!({}),
            },
            other => self.other(other),
        }
    }

    /// The sets of names of which an object must have one whole, where its alternatives say nothing else; empty where they do, or
    /// there are none.
    pub(super) fn one_of_names(&mut self, document: &Arc<Document>, schema: &Value) -> Vec<Vec<String>> {
        let (mut document, mut schema) = (Arc::clone(document), schema.clone());
        for _ in 0..MAX_PARTS_DEPTH {
            let Some(target) = schema.as_object().and_then(reference) else { break };
            let Some(target) = self.resolve(&document, target) else { return Vec::new() };
            (document, schema) = (target.document, target.value);
        }
        let branches = ["anyOf", "oneOf"].into_iter().find_map(|key| schema.get(key)?.as_array());
        let names = |branch: &Value| {
            let branch = branch.as_object().filter(|branch| branch.len() == 1)?;
            let names = branch.get("required")?.as_array()?.iter();
            names.map(|name| name.as_str().map(str::to_owned)).collect::<Option<Vec<String>>>()
        };
        branches.into_iter().flatten().map(names).collect::<Option<Vec<_>>>().unwrap_or_default()
    }

    /// What a converted schema refers to, its keywords at the root; other schemas as they are.
    pub(super) fn look(&mut self, converted: &Value) -> Value {
        let name = converted.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix("#/$defs/"));
        let Some(name) = name else { return converted.clone() };
        let target = self.waiting.iter().find(|(known, _)| known == name).map(|(_, target)| target.clone());
        match target {
            Some(target) => self.root(&target.document, &target.value),
            None => converted.clone(),
        }
    }

    fn other(&mut self, schema: &Value) -> Value {
        match schema {
            Value::Bool(false) => json!({ "not": {} }),
            Value::Bool(true) => json!({}),
            _ => {
                self.note("a schema is neither an object nor a boolean; anything is accepted there");
                json!({})
            }
        }
    }

    /// The name of a definition; a new one is converted later, so that long chains need no stack.
    fn name(&mut self, target: Target) -> String {
        let key = target.key();
        if let Some(name) = self.names.get(&key) {
            return name.clone();
        }
        let name = self.free_name(&target.pointer);
        self.names.insert(key, name.clone());
        self.waiting.push_back((name.clone(), target));
        name
    }

    fn free_name(&mut self, pointer: &str) -> String {
        let last = pointer.rsplit('/').next().unwrap_or_default();
        let mut name: String =
            last.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(48).collect();
        if name.is_empty() {
            name.push_str("part");
        }
        let times = self.taken.entry(name.clone()).or_insert(0);
        *times += 1;
        if *times > 1 { format!("{name}_{times}") } else { name }
    }

    fn object(&mut self, document: &Arc<Document>, object: &Object) -> Value {
        finish(self.unfinished(document, object))
    }

    /// What a reference leads to. It is parsed as a whole each time, so that each counts.
    fn resolve(&mut self, document: &Arc<Document>, reference: &str) -> Option<Target> {
        if !self.count() {
            return None;
        }
        match self.documents.resolve(document, reference) {
            Ok(target) => Some(target),
            Err(why) => {
                self.note(format!("{why}; anything is accepted there"));
                None
            }
        }
    }

    /// Whether one more part may be read.
    fn count(&mut self) -> bool {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            self.note(format!("the schema has more than {MAX_NODES} parts; the rest accepts anything"));
        }
        self.nodes <= MAX_NODES
    }

    /// An object's keywords, before what they require is held against what there is.
    fn unfinished(&mut self, document: &Arc<Document>, object: &Object) -> Object {
        if !self.count() {
            return Map::new();
        }
        let parts = object.get("allOf").and_then(Value::as_array).filter(|parts| !parts.is_empty());
        let Some(parts) = parts else { return self.keywords(document, object) };
        let mut all = vec![self.keywords(document, object)];
        for part in parts {
            match part {
                Value::Object(part) => all.extend(self.part(document, part)),
                other => {
                    let _ = self.other(other);
                }
            }
        }
        combine::all(all)
    }

    /// A schema's keywords, with those of what it refers to; `None` where it leads back into itself or nowhere.
    fn part(&mut self, document: &Arc<Document>, object: &Object) -> Option<Object> {
        let Some(reference) = reference(object) else { return Some(self.unfinished(document, object)) };
        let target = self.resolve(document, reference)?;
        let key = target.key();
        if self.merging.contains(&key) || self.merging.len() >= MAX_PARTS_DEPTH {
            self.note(format!("`{}` is a part of itself", super::documents::shown(reference)));
            return None;
        }
        let Value::Object(inner) = &target.value else {
            let _ = self.other(&target.value);
            return None;
        };
        self.merging.push(key);
        let mut part = self.part(&target.document, inner);
        self.merging.pop();
        if let (Some(part), Some(text)) = (&mut part, object.get("description").and_then(Value::as_str))
            && let Some(text) = keywords::words(text)
        {
            part.insert("description".to_owned(), text.into());
        }
        part
    }

    /// Converts what is referred to, and puts it beside the root where it is used.
    pub(super) fn close(&mut self, root: Value, budget: usize) -> Value {
        while let Some((name, target)) = self.waiting.pop_front() {
            let converted = match &target.value {
                Value::Object(object) => self.schema_or_object(&target, object),
                other => self.other(other),
            };
            self.defs.insert(name, converted);
        }
        let defs = std::mem::take(&mut self.defs);
        let (schema, note) = shape::within(root, defs, budget);
        if let Some(note) = note {
            self.note(note);
        }
        schema
    }

    /// What a definition is: a reference with siblings is followed once more.
    fn schema_or_object(&mut self, target: &Target, object: &Object) -> Value {
        if reference(object).is_some() {
            self.schema(&target.document, &target.value)
        } else {
            self.object(&target.document, object)
        }
    }
}

/// What a schema refers to. A property may be called `$ref`: then its value is no text.
fn reference(object: &Object) -> Option<&str> {
    object.get("$ref").and_then(Value::as_str)
}

/// Names of what a schema left out because it goes the other way; never part of a finished schema.
const LEFT_OUT: &str = "\u{0}left out";

/// Holds `required` against the properties, and takes the marks out.
fn finish(mut object: Object) -> Value {
    let left_out: Vec<Value> = match object.remove(LEFT_OUT) {
        Some(Value::Array(names)) => names,
        _ => Vec::new(),
    };
    if let Some(Value::Array(mut required)) = object.remove("required") {
        required.retain(|name| !left_out.contains(name));
        let known = object.get("properties").and_then(Value::as_object);
        let missing: Vec<String> = required
            .iter()
            .filter_map(Value::as_str)
            .filter(|name| known.is_none_or(|known| !known.contains_key(*name)))
            .map(str::to_owned)
            .collect();
        let is_object = object.get("type").is_some_and(|t| t == "object");
        if missing.is_empty() || is_object {
            // What is required and not described may be anything.
            if !missing.is_empty()
                && let Some(properties) =
                    object.entry("properties").or_insert_with(|| json!({})).as_object_mut()
            {
                properties.extend(missing.into_iter().map(|name| (name, json!({}))));
            }
        } else {
            required.retain(|name| name.as_str().is_none_or(|name| !missing.iter().any(|m| m == name)));
        }
        if !required.is_empty() {
            object.insert("required".to_owned(), Value::Array(required));
        }
    }
    keywords::any_of(&mut object);
    Value::Object(object)
}
