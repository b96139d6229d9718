//! Reading a schema that nobody vouches for: references, `allOf`, nullable, and what it costs to go on.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::measure::{measure, measure_map, text_length};
use super::merge;
use super::object::plain_pattern;
use super::rules::{property_name_allowed, well_formed};
use super::{Dialect, How, Loosened};
use crate::schema::MAX_BYTES;

/// A definition may stand inside itself so many times before it is cut.
const UNROLL: usize = 2;
/// Schemas of one result.
const NODES: usize = 2000;
/// Bytes of one result's names, descriptions and values; the rest of it is bounded by [`NODES`].
const BYTES: usize = 90_000;
/// Schemas that are looked at, and sixteenths of the bytes that are copied or reached through references, for one result.
const WORK: usize = 2_000_000;
/// Pairs of schemas that are compared for one result, to tell the alternatives of unions apart.
const COMPARISONS: usize = 200_000;
/// References and `allOf`s that follow each other without a property between them.
const CHAIN: usize = 24;
/// Entries of the report; a hostile schema needs no longer one.
const REPORT: usize = 500;
/// Deepest schema that is read at all, in levels of JSON.
const READABLE: usize = 400;

/// What only describes.
const ANNOTATIONS: &[&str] = &[
    "$anchor",
    "$comment",
    "$defs",
    "$id",
    "$schema",
    "default",
    "definitions",
    "deprecated",
    "description",
    "example",
    "examples",
    "externalDocs",
    "id",
    "readOnly",
    "title",
    "writeOnly",
    "xml",
];

/// Whether a keyword constrains nothing.
pub(super) fn annotates(key: &str) -> bool {
    ANNOTATIONS.contains(&key) || key.starts_with("x-")
}

/// A schema whose references and `allOf`s are gone.
pub(super) enum Flat<'x> {
    /// What it says. So many definitions were entered for it.
    Schema(Cow<'x, Map<String, Value>>, usize),
    /// Nothing is valid.
    Never,
    /// It stands inside itself, or is too much to go on; why.
    Cut(&'static str),
}

/// What a conversion knows and may still spend.
pub(super) struct Reader<'a> {
    pub(super) root: &'a Value,
    pub(super) dialect: Dialect,
    pub(super) loosened: Vec<Loosened>,
    nodes: usize,
    bytes: usize,
    work: usize,
    /// Definitions that enclose the present place.
    open: Vec<String>,
    /// Names that a property may not have here, and what they become.
    names: HashMap<String, String>,
    /// Names that a renamed property may not get; read when the first one is renamed.
    taken: Option<HashSet<String>>,
    /// Patterns that were looked at, and whether they may stand.
    patterns: HashMap<String, bool>,
    /// Values of all enums that a strict schema may still have.
    pub(super) enum_values: usize,
    /// Pairs of schemas that may still be compared.
    pub(super) comparisons: usize,
}

impl<'a> Reader<'a> {
    /// A reader; `None` where the schema is too large or too deep to be read.
    pub(super) fn new(root: &'a Value, dialect: Dialect) -> Option<Self> {
        let bytes = measure(root, READABLE)?;
        (bytes <= 8 * MAX_BYTES).then(|| Self {
            root,
            dialect,
            loosened: Vec::new(),
            nodes: NODES,
            bytes: BYTES,
            work: WORK,
            open: Vec::new(),
            names: HashMap::new(),
            taken: None,
            patterns: HashMap::new(),
            enum_values: super::rules::STRICT_ENUM_VALUES,
            comparisons: COMPARISONS,
        })
    }

    /// Notes a change.
    pub(super) fn note(&mut self, at: &str, how: How, what: impl Into<String>) {
        if self.loosened.len() < REPORT {
            self.loosened.push(Loosened { pointer: at.to_owned(), how, what: what.into() });
        }
    }

    /// Takes one schema from what may be made; false where nothing is left.
    pub(super) fn take_node(&mut self) -> bool {
        let left = self.nodes > 0 && self.bytes > 0 && self.work > 0;
        self.nodes = self.nodes.saturating_sub(1);
        left
    }

    /// Takes text from what may be written; false where it is more than is left.
    pub(super) fn take_text(&mut self, text: &str) -> bool {
        self.take_bytes(text_length(text))
    }

    /// As [`take_text`](Self::take_text), for values.
    pub(super) fn take_value(&mut self, value: &Value) -> bool {
        measure(value, 6).is_some_and(|bytes| self.take_bytes(bytes))
    }

    fn take_bytes(&mut self, bytes: usize) -> bool {
        let left = bytes <= self.bytes;
        if left {
            self.bytes -= bytes;
        }
        left
    }

    /// Counts a schema that is looked at; false where enough was.
    fn look(&mut self) -> bool {
        self.work = self.work.saturating_sub(1);
        self.work > 0
    }

    /// Counts what was copied, or is reached through a reference, by its size; false where enough was. What stands in it is
    /// then read without being counted again: measuring it at each level would cost more than reading it.
    fn work(&mut self, bytes: Option<usize>) -> bool {
        self.work = self.work.saturating_sub(1 + bytes.map_or(WORK, |bytes| bytes / 16));
        self.work > 0
    }

    /// Whether a pattern is one that every engine reads alike; others are said in words.
    pub(super) fn plain_pattern(&mut self, pattern: &str) -> bool {
        if let Some(known) = self.patterns.get(pattern) {
            return *known;
        }
        let plain = plain_pattern(pattern);
        self.patterns.insert(pattern.to_owned(), plain);
        plain
    }

    /// Leaves the definitions that were entered for a schema.
    pub(super) fn leave(&mut self, entered: usize) {
        self.open.truncate(self.open.len().saturating_sub(entered));
    }

    /// The name of a property as this dialect allows it; the same name always becomes the same.
    pub(super) fn name(&mut self, name: &str, at: &str) -> String {
        if property_name_allowed(self.dialect, name) {
            return name.to_owned();
        }
        if let Some(known) = self.names.get(name) {
            return known.clone();
        }
        let mut safe: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' })
            .take(56)
            .collect();
        if safe.starts_with(|c: char| c.is_ascii_digit()) || safe.is_empty() {
            safe.insert(0, '_');
        }
        let root = self.root;
        let taken = self.taken.get_or_insert_with(|| declared_names(root));
        let mut candidate = safe.clone();
        let mut number = 2_usize;
        while taken.contains(&candidate) {
            candidate = format!("{safe}_{number}");
            number += 1;
        }
        taken.insert(candidate.clone());
        self.names.insert(name.to_owned(), candidate.clone());
        self.note(at, How::Renamed, format!("the property is called `{candidate}` for the model"));
        candidate
    }

    /// A schema without references and `allOf`s.
    pub(super) fn flatten<'x>(&mut self, schema: &'x Value, at: &str) -> Flat<'x>
    where
        'a: 'x,
    {
        self.flatten_chain(schema, at, 0)
    }

    fn flatten_chain<'x>(&mut self, schema: &'x Value, at: &str, chain: usize) -> Flat<'x>
    where
        'a: 'x,
    {
        if chain > CHAIN {
            return Flat::Cut("the references lead on and on");
        }
        let map = match schema {
            Value::Object(map) => map,
            Value::Bool(false) => return Flat::Never,
            Value::Bool(true) => return Flat::Schema(Cow::Owned(Map::new()), 0),
            _ => {
                self.note(at, How::Dropped, "this is no schema; anything is accepted");
                return Flat::Schema(Cow::Owned(Map::new()), 0);
            }
        };
        if !self.look() {
            return Flat::Cut("the schema is too large");
        }
        if !map.keys().any(|key| key.starts_with('$') || key == "allOf") {
            return Flat::Schema(self.well_formed(Cow::Borrowed(map), at), 0);
        }
        let mut entered = 0;
        let mut flat: Cow<'x, Map<String, Value>> = Cow::Borrowed(map);
        let mut parts: Vec<&'x Value> = Vec::new();
        for key in ["$dynamicRef", "$recursiveRef"] {
            if map.contains_key(key) {
                self.note(at, How::Dropped, format!("`{key}` is not followed"));
            }
        }
        if let Some(reference) = map.get("$ref") {
            match reference.as_str().and_then(|target| Some((target, self.resolve(target)?))) {
                Some((target, found)) => {
                    if self.open.iter().filter(|open| *open == target).count() >= UNROLL {
                        return Flat::Cut("it stands inside itself");
                    }
                    if !self.work(measure(found, READABLE)) {
                        return Flat::Cut("the schema is too large");
                    }
                    self.open.push(target.to_owned());
                    entered += 1;
                    parts.push(found);
                }
                None => self.note(
                    at,
                    How::Dropped,
                    "a `$ref` leads nowhere in the document; anything is accepted",
                ),
            }
        }
        match map.get("allOf") {
            Some(Value::Array(all)) => parts.extend(all),
            Some(_) => self.note(at, How::Dropped, "`allOf` is malformed"),
            None => {}
        }
        if !parts.is_empty() || map.contains_key("$ref") || map.contains_key("allOf") {
            let mut own = map.clone();
            own.remove("$ref");
            own.remove("allOf");
            let only_words = own.keys().all(|key| annotates(key));
            let mut parts = parts.into_iter();
            let first = if only_words { parts.next() } else { None };
            if let Some(first) = first {
                match self.flatten_chain(first, at, chain + 1) {
                    Flat::Schema(found, more) => {
                        entered += more;
                        // Nothing to say of its own: the definition itself, not a copy.
                        flat = if own.is_empty() {
                            found
                        } else {
                            Cow::Owned(merge::words(found.into_owned(), own))
                        };
                    }
                    other => {
                        self.leave(entered);
                        return other;
                    }
                }
            } else {
                flat = Cow::Owned(own);
            }
            for part in parts {
                match self.flatten_chain(part, at, chain + 1) {
                    Flat::Schema(found, more) => {
                        entered += more;
                        let mut lost = Vec::new();
                        flat = Cow::Owned(merge::both(flat.into_owned(), &found, &mut lost));
                        for what in lost {
                            self.note(at, How::Dropped, what);
                        }
                    }
                    other => {
                        self.leave(entered);
                        return other;
                    }
                }
            }
        }
        if let Cow::Owned(map) = &flat
            && !self.work(measure_map(map, READABLE))
        {
            self.leave(entered);
            return Flat::Cut("the schema is too large");
        }
        Flat::Schema(self.well_formed(flat, at), entered)
    }

    /// Drops keywords with a value of the wrong kind, and reads what older drafts and OpenAPI 3.0 wrote differently.
    fn well_formed<'x>(
        &mut self,
        flat: Cow<'x, Map<String, Value>>,
        at: &str,
    ) -> Cow<'x, Map<String, Value>> {
        let older = |key: &str, value: &Value| match key {
            "exclusiveMinimum" | "exclusiveMaximum" => value.is_boolean(),
            "items" => value.is_array(),
            _ => false,
        };
        if flat.iter().all(|(key, value)| well_formed(key, value) && key != "additionalItems") {
            return flat;
        }
        let mut map = Map::new();
        for (key, value) in flat.as_ref() {
            if well_formed(key, value) && key != "additionalItems" {
                map.insert(key.clone(), value.clone());
            } else if !older(key, value) && key != "additionalItems" && !annotates(key) {
                self.note(at, How::Dropped, format!("`{}` is malformed", key.escape_debug()));
            }
        }
        for (exclusive, bound) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
            if flat.get(exclusive) == Some(&Value::Bool(true))
                && let Some(limit) = map.remove(bound)
            {
                map.insert(exclusive.to_owned(), limit);
            }
        }
        if let Some(tuple @ Value::Array(_)) = flat.get("items")
            && well_formed("prefixItems", tuple)
        {
            map.insert("prefixItems".to_owned(), tuple.clone());
            if let Some(rest) = flat.get("additionalItems").filter(|rest| well_formed("items", rest)) {
                map.insert("items".to_owned(), rest.clone());
            }
        }
        Cow::Owned(map)
    }

    fn resolve(&self, target: &str) -> Option<&'a Value> {
        let pointer = percent_decode_str(target.strip_prefix('#')?).decode_utf8().ok()?;
        self.root.pointer(&pointer)
    }
}

/// Every name under some `properties`.
fn declared_names(root: &Value) -> HashSet<String> {
    let mut names = HashSet::new();
    let mut left = vec![root];
    while let Some(value) = left.pop() {
        match value {
            Value::Object(map) => {
                if let Some(properties) = map.get("properties").and_then(Value::as_object) {
                    names.extend(properties.keys().cloned());
                }
                left.extend(map.values());
            }
            Value::Array(items) => left.extend(items),
            _ => {}
        }
    }
    names
}
