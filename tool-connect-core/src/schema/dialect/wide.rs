//! For APIs that take JSON Schema whole but for its root: what is understood passes through.

use serde_json::{Map, Value, json};

use super::back::Back;
use super::measure::measure;
use super::object::{DEPTH, Out, disjoint, field, say};
use super::read::{Flat, Reader};
use super::types::{Types, types};
use super::{Dialect, How};
use crate::problem::pointer_token;

/// Largest default that is worth its tokens, in bytes.
const DEFAULT: usize = 200;

/// Keywords that pass as they are.
const PASS: &[&str] = &[
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "uniqueItems",
];

pub(super) fn root(reader: &mut Reader<'_>, map: &Map<String, Value>) -> (Value, Back) {
    let out = flat(reader, map, "", 0).unwrap_or_else(|| Out::of(Map::new()));
    let mut schema = Map::from_iter([("type".to_owned(), Value::from("object"))]);
    schema.extend(out.map);
    schema.entry("properties").or_insert_with(|| json!({}));
    (Value::Object(schema), out.back)
}

/// A converted schema; `None` where nothing is valid.
fn node(reader: &mut Reader<'_>, schema: &Value, at: &str, depth: usize) -> Option<Out> {
    if depth > DEPTH || !reader.take_node() {
        return Some(cut(reader, at, "the schema is too large"));
    }
    match reader.flatten(schema, at) {
        Flat::Schema(map, entered) => {
            let out = flat(reader, &map, at, depth);
            reader.leave(entered);
            out
        }
        Flat::Never => None,
        Flat::Cut(why) => Some(cut(reader, at, why)),
    }
}

fn cut(reader: &mut Reader<'_>, at: &str, why: &str) -> Out {
    reader.note(at, How::Dropped, format!("{why}; anything is accepted"));
    Out::of(Map::new())
}

/// As [`node`], with whether it says exactly what the original says.
fn exact(reader: &mut Reader<'_>, schema: &Value, at: &str, depth: usize) -> (Option<Out>, bool) {
    let noted = reader.loosened.len();
    let out = node(reader, schema, at, depth);
    let plain = out.as_ref().is_none_or(|out| out.back.is_plain());
    (out, plain && reader.loosened.len() == noted)
}

fn flat(reader: &mut Reader<'_>, map: &Map<String, Value>, at: &str, depth: usize) -> Option<Out> {
    let mut out = Out::of(Map::new());
    let mut words = String::new();
    if let Some(of) = declared_types(reader, map, at) {
        out.map.insert("type".to_owned(), of);
    }
    for (key, value) in map {
        match key.as_str() {
            "title" | "description" if reader.take_text(value.as_str().unwrap_or_default()) => {
                out.map.insert(key.clone(), value.clone());
            }
            "default"
                if measure(value, 4).is_some_and(|bytes| bytes <= DEFAULT) && reader.take_value(value) =>
            {
                out.map.insert(key.clone(), value.clone());
            }
            "enum" | "const" => listed(reader, map, key, value, at, &mut out),
            "pattern" if !value.as_str().is_some_and(|text| reader.plain_pattern(text)) => {
                say(reader, &mut words, at, key, value);
            }
            "pattern" => {
                if reader.take_value(value) {
                    out.map.insert(key.clone(), value.clone());
                } else {
                    reader.note(at, How::Dropped, "`pattern`: the schema is too large");
                }
            }
            key if PASS.contains(&key) => {
                out.map.insert(key.to_owned(), value.clone());
            }
            _ => {}
        }
    }
    properties(reader, map, at, depth, &mut out);
    items(reader, map, at, depth, &mut out);
    if !unions(reader, map, at, depth, &mut out) {
        return None;
    }
    conditions(reader, map, at, depth, &mut out, &mut words);
    if !words.is_empty() {
        let known = out.map.get("description").and_then(Value::as_str).unwrap_or_default();
        let text = super::object::join(known, &words);
        if reader.take_text(&words) {
            out.map.insert("description".to_owned(), text.into());
        }
    }
    Some(out)
}

/// The declared types, null among them where the schema is nullable.
fn declared_types(reader: &mut Reader<'_>, map: &Map<String, Value>, at: &str) -> Option<Value> {
    let declared = map.get("type")?;
    // Types alone: those of the values are said by the values.
    let alone: Map<String, Value> = map
        .iter()
        .filter(|(key, _)| matches!(key.as_str(), "type" | "nullable"))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    match types(&alone) {
        Types::Said(of) => {
            let known = |of: &Value| {
                of.as_str().is_some_and(|of| super::rules::TYPES.iter().any(|t| t.eq_ignore_ascii_case(of)))
            };
            let unknown = match declared {
                Value::Array(all) => all.iter().any(|of| !known(of)),
                one => !known(one),
            };
            if unknown {
                // A type that nobody knows would refuse everything else.
                reader.note(at, How::Dropped, "`type` is malformed");
                return None;
            }
            match of.as_slice() {
                [one] => Some(Value::from(*one)),
                all => Some(Value::from(all.to_vec())),
            }
        }
        _ => {
            reader.note(at, How::Dropped, "`type` is malformed");
            None
        }
    }
}

fn listed(
    reader: &mut Reader<'_>,
    map: &Map<String, Value>,
    key: &str,
    value: &Value,
    at: &str,
    out: &mut Out,
) {
    if measure(value, 4).is_none() || !reader.take_value(value) {
        reader.note(at, How::Dropped, format!("`{key}` is too large"));
        return;
    }
    let nullable = map.get("nullable") == Some(&Value::Bool(true));
    match (nullable, value) {
        (true, Value::Array(all)) if key == "enum" && !all.contains(&Value::Null) => {
            let all: Vec<Value> = all.iter().cloned().chain([Value::Null]).collect();
            out.map.insert("enum".to_owned(), Value::Array(all));
        }
        (true, constant) if key == "const" && !map.contains_key("enum") => {
            out.map.insert("enum".to_owned(), json!([constant, null]));
        }
        (true, _) if key == "const" => reader.note(at, How::Dropped, "`const` beside `enum`"),
        _ => {
            out.map.insert(key.to_owned(), value.clone());
        }
    }
}

fn properties(reader: &mut Reader<'_>, map: &Map<String, Value>, at: &str, depth: usize, out: &mut Out) {
    if let Some(all) = map.get("properties").and_then(Value::as_object) {
        let mut properties = Map::new();
        for (name, schema) in all {
            let place = format!("{at}/properties/{}", pointer_token(name));
            if !reader.take_text(name) {
                reader.note(&place, How::Dropped, "the schema is too large; the property is not declared");
                open(out);
                continue;
            }
            match node(reader, schema, &place, depth + 1) {
                Some(child) => {
                    let shown = reader.name(name, &place);
                    properties.insert(shown.clone(), Value::Object(child.map));
                    out.back.fields.push(field(name, shown, false, child.back));
                }
                None => {
                    reader.note(&place, How::Dropped, "no value is accepted; the property is not declared")
                }
            }
        }
        out.map.insert("properties".to_owned(), Value::Object(properties));
    }
    if map.contains_key("required") {
        let names: Vec<Value> =
            super::object::required(map).into_iter().map(|name| Value::from(reader.name(name, at))).collect();
        if !names.is_empty() {
            // A name that nothing declares may be another for the model too.
            for name in super::object::required(map) {
                if !out.back.fields.iter().any(|field| field.name == name) {
                    let shown = reader.name(name, at);
                    out.back.fields.push(field(name, shown, false, Back::default()));
                }
            }
            out.map.insert("required".to_owned(), Value::Array(names));
        }
    }
    let mut patterns = true;
    if let Some(all) = map.get("patternProperties").and_then(Value::as_object) {
        let mut kept = Map::new();
        for (pattern, schema) in all {
            let place = format!("{at}/patternProperties/{}", pointer_token(pattern));
            let known = reader.plain_pattern(pattern) && reader.take_text(pattern);
            match known.then(|| exact(reader, schema, &place, depth + 1)) {
                Some((Some(child), true)) => {
                    kept.insert(pattern.clone(), Value::Object(child.map));
                }
                _ => {
                    reader.note(&place, How::Dropped, "properties of this pattern are not checked");
                    patterns = false;
                }
            }
        }
        if !kept.is_empty() {
            out.map.insert("patternProperties".to_owned(), Value::Object(kept));
        }
    }
    match map.get("additionalProperties") {
        None => {}
        Some(_) if !patterns || out.map.get("additionalProperties").is_some() => open(out),
        Some(Value::Bool(open)) => {
            out.map.insert("additionalProperties".to_owned(), Value::Bool(*open));
        }
        Some(schema) => match node(reader, schema, &format!("{at}/additionalProperties"), depth + 1) {
            Some(child) => {
                let plain = child.back.is_plain();
                out.map.insert("additionalProperties".to_owned(), Value::Object(child.map));
                out.back.extra = (!plain).then(|| Box::new(child.back));
            }
            None => {
                out.map.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
        },
    }
    if let Some(names) = map.get("propertyNames") {
        let renames = out.back.fields.iter().any(|field| field.name != field.shown);
        match exact(reader, names, &format!("{at}/propertyNames"), depth + 1) {
            (Some(child), _) if !renames => {
                out.map.insert("propertyNames".to_owned(), Value::Object(child.map));
            }
            _ => reader.note(at, How::Dropped, "`propertyNames`"),
        }
    }
}

/// Undeclared properties are accepted.
fn open(out: &mut Out) {
    out.map.insert("additionalProperties".to_owned(), Value::Bool(true));
}

fn items(reader: &mut Reader<'_>, map: &Map<String, Value>, at: &str, depth: usize, out: &mut Out) {
    let mut tuple = 0_usize;
    if let Some(all) = map.get("prefixItems").and_then(Value::as_array) {
        tuple = all.len();
        let mut prefix = Vec::new();
        for (index, schema) in all.iter().enumerate() {
            let place = format!("{at}/prefixItems/{index}");
            let child = node(reader, schema, &place, depth + 1).unwrap_or_else(|| {
                reader.note(&place, How::Dropped, "no value is accepted here; any is");
                Out::of(Map::new())
            });
            prefix.push(Value::Object(child.map));
            out.back.prefix.push(child.back);
        }
        out.map.insert("prefixItems".to_owned(), Value::Array(prefix));
    }
    if let Some(schema) = map.get("items") {
        match node(reader, schema, &format!("{at}/items"), depth + 1) {
            Some(child) => {
                out.map.insert("items".to_owned(), Value::Object(child.map));
                out.back.items = Some(Box::new(child.back));
            }
            None => {
                // As many as the tuple has, and no more.
                let most = map
                    .get("maxItems")
                    .and_then(Value::as_f64)
                    .map_or(tuple as f64, |most| most.min(tuple as f64));
                out.map.insert("maxItems".to_owned(), Value::from(most as u64));
                out.map.insert("items".to_owned(), json!({}));
            }
        }
    }
    let array = match out.map.get("type") {
        Some(Value::String(one)) => one == "array",
        Some(Value::Array(all)) => all.iter().any(|of| of == "array"),
        _ => false,
    };
    if array && reader.dialect == Dialect::OpenAi {
        out.map.entry("items").or_insert_with(|| json!({}));
    }
}

/// The alternatives; false where there is none that accepts anything.
fn unions(reader: &mut Reader<'_>, map: &Map<String, Value>, at: &str, depth: usize, out: &mut Out) -> bool {
    let mut done = false;
    for key in ["anyOf", "oneOf"] {
        let Some(branches) = map.get(key).and_then(Value::as_array) else { continue };
        if done {
            reader.note(at, How::Dropped, "`oneOf` beside `anyOf`");
            continue;
        }
        done = true;
        let mut all_exact = true;
        let mut kept = Vec::new();
        for (index, branch) in branches.iter().enumerate() {
            let (child, is_exact) = exact(reader, branch, &format!("{at}/{key}/{index}"), depth + 1);
            all_exact &= is_exact;
            if let Some(child) = child {
                kept.push(Value::Object(child.map));
                out.back.any.push(child.back);
            }
        }
        if kept.is_empty() {
            return false;
        }
        // Looser alternatives may overlap, and then `oneOf` would refuse what it accepted.
        let shown = if all_exact { key } else { "anyOf" };
        if key == "oneOf" && !all_exact && !disjoint(reader, branches, at) {
            reader.note(at, How::Dropped, "a value may fit more than one alternative of `oneOf`");
        }
        out.map.insert(shown.to_owned(), Value::Array(kept));
    }
    true
}

/// What must be said exactly or not at all: a looser condition would make the whole narrower.
fn conditions(
    reader: &mut Reader<'_>,
    map: &Map<String, Value>,
    at: &str,
    depth: usize,
    out: &mut Out,
    words: &mut String,
) {
    let groups: [&[&str]; 3] = [&["not"], &["if", "then", "else"], &["contains"]];
    let mut dropped = false;
    for group in groups {
        let mut kept = Map::new();
        let mut is_exact = true;
        for key in group.iter().filter(|key| map.contains_key(**key)) {
            let Some(schema) = map.get(*key) else { continue };
            match exact(reader, schema, &format!("{at}/{key}"), depth + 1) {
                (Some(child), true) => {
                    kept.insert((*key).to_owned(), Value::Object(child.map));
                }
                _ => is_exact = false,
            }
        }
        if is_exact {
            if group == ["contains"] && !kept.is_empty() {
                for key in ["minContains", "maxContains"] {
                    kept.extend(map.get(key).map(|value| (key.to_owned(), value.clone())));
                }
            }
            out.map.extend(kept);
        } else {
            dropped = true;
            for key in group.iter().filter(|key| map.contains_key(**key)) {
                say(reader, words, at, key, map.get(*key).unwrap_or(&Value::Null));
            }
        }
    }
    if let Some(all) = map.get("dependentRequired").and_then(Value::as_object) {
        let shown = all.iter().map(|(name, needs)| {
            let needs: Vec<Value> = needs
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(|need| Value::from(reader.name(need, at)))
                .collect();
            (reader.name(name, at), Value::Array(needs))
        });
        let shown: Map<String, Value> = shown.collect();
        let declared =
            |name: &String| out.back.fields.iter().any(|field| field.shown == *name || field.name == *name);
        // A name that only stands here is not turned back: say it.
        let all_declared = shown.iter().all(|(name, needs)| {
            declared(name)
                && needs
                    .as_array()
                    .into_iter()
                    .flatten()
                    .all(|n| n.as_str().is_some_and(|n| declared(&n.to_owned())))
        });
        if all_declared {
            out.map.insert("dependentRequired".to_owned(), Value::Object(shown));
        } else {
            say(reader, words, at, "dependentRequired", &Value::Object(all.clone()));
        }
    }
    for key in ["dependentSchemas", "dependencies"] {
        if let Some(value) = map.get(key) {
            dropped = true;
            say(reader, words, at, key, value);
        }
    }
    for key in ["unevaluatedProperties", "unevaluatedItems"] {
        match map.get(key) {
            Some(Value::Bool(false))
                if !(dropped || map.contains_key("anyOf") && map.contains_key("oneOf")) =>
            {
                out.map.insert(key.to_owned(), Value::Bool(false));
            }
            Some(Value::Bool(true)) | None => {}
            Some(value) => say(reader, words, at, key, value),
        }
    }
}
