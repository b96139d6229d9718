//! Unions for APIs that take a part of JSON Schema: alternatives of one type each, which cannot be mistaken for each other.

use serde_json::{Map, Value, json};

use super::ambiguous::ambiguous;
use super::back::Back;
use super::narrow::{Place, is_null, part, text};
use super::object::{Out, disjoint};
use super::read::{Reader, annotates};
use super::{Dialect, How};

/// The alternatives of a union, those of inner unions among them.
pub(super) fn union(
    reader: &mut Reader<'_>,
    map: &Map<String, Value>,
    key: &str,
    place: &Place<'_>,
) -> Vec<Out> {
    let branches = map.get(key).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if key == "oneOf" && !disjoint(reader, branches, place.at) {
        reader.note(place.at, How::Dropped, "a value may fit more than one alternative of `oneOf`");
    }
    let base: Map<String, Value> = map
        .iter()
        .filter(|(name, _)| *name != key && !annotates(name))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    let mut alternatives = Vec::new();
    for (index, branch) in branches.iter().enumerate() {
        let at = format!("{}/{key}/{index}", place.at);
        let inner = Place { at: &at, level: place.level, depth: place.depth + 1 };
        let out = if base.is_empty() {
            part(reader, branch, &inner)
        } else {
            let whole = json!({"allOf": [base, branch]});
            part(reader, &whole, &inner)
        };
        let Some(mut out) = out else { continue };
        match out.map.remove("anyOf") {
            Some(Value::Array(inner)) => {
                let backs = std::mem::take(&mut out.back.any);
                alternatives.extend(inner.into_iter().zip(backs).filter_map(|(schema, back)| match schema {
                    Value::Object(map) => Some(Out { map, back }),
                    _ => None,
                }));
            }
            _ => alternatives.push(out),
        }
    }
    alternatives
}

/// Alternatives of one type each as one schema.
pub(super) fn combine(
    reader: &mut Reader<'_>,
    alternatives: Vec<Out>,
    words: &str,
    map: &Map<String, Value>,
    place: &Place<'_>,
) -> Option<Out> {
    let (nulls, others): (Vec<Out>, Vec<Out>) = alternatives.into_iter().partition(is_null);
    let mut kept: Vec<Out> = Vec::new();
    let mut as_text = None;
    for other in others {
        if other.back.text {
            as_text.get_or_insert(other);
        } else if !kept.contains(&other) {
            kept.push(other);
        }
    }
    // Another string could not be told from a text.
    let string = |out: &Out| match out.map.get("type") {
        Some(Value::Array(all)) => all.iter().any(|of| of == "string"),
        of => of.and_then(Value::as_str) == Some("string"),
    };
    let why = if as_text.is_some() && kept.iter().any(string) {
        Some("a string beside a value that travels as text")
    } else if ambiguous(&kept, &mut reader.comparisons) {
        Some("what fits more than one alternative would be read in the wrong way")
    } else {
        None
    };
    if let Some(why) = why {
        let mut out = text(reader, place, Some(map), why);
        out.describe(reader, words);
        return Some(out);
    }
    kept.extend(as_text);
    let mut out = match kept.len() {
        0 if nulls.is_empty() => return None,
        0 => Out::of(Map::from_iter([("type".to_owned(), Value::from("null"))])),
        1 => kept.swap_remove(0),
        _ => {
            let mut first = words;
            let mut schemas = Vec::new();
            let mut backs = Vec::new();
            for mut out in kept {
                if reader.dialect == Dialect::Gemini {
                    // Beside anyOf nothing may stand.
                    out.describe(reader, std::mem::take(&mut first));
                }
                schemas.push(Value::Object(out.map));
                backs.push(out.back);
            }
            let mut out = Out::of(Map::from_iter([("anyOf".to_owned(), Value::Array(schemas))]));
            out.back.any = backs;
            out
        }
    };
    if !nulls.is_empty() && !is_null(&out) {
        out = nullable(reader.dialect, out);
    }
    if reader.dialect != Dialect::Gemini || !out.map.contains_key("anyOf") {
        out.describe(reader, words);
    }
    Some(out)
}

/// The schema, or null.
pub(super) fn nullable(dialect: Dialect, mut out: Out) -> Out {
    if dialect == Dialect::Gemini {
        let target = match out.map.get_mut("anyOf") {
            Some(Value::Array(all)) => all.first_mut().and_then(Value::as_object_mut),
            _ => Some(&mut out.map),
        };
        if let Some(target) = target {
            target.insert("nullable".to_owned(), true.into());
        }
        return out;
    }
    if let Some(Value::Array(all)) = out.map.get_mut("anyOf") {
        if !all.iter().any(|schema| schema.get("type").is_some_and(|of| of == "null")) {
            all.push(json!({"type": "null"}));
            out.back.any.push(Back::default());
        }
        return out;
    }
    match out.map.get("type").and_then(Value::as_str) {
        // It accepts null already.
        None | Some("null") => out,
        Some("object" | "array") => {
            let description = out.map.remove("description");
            let mut union = Out::of(Map::from_iter([(
                "anyOf".to_owned(),
                json!([Value::Object(out.map), {"type": "null"}]),
            )]));
            union.back.any = vec![out.back, Back::default()];
            union.map.extend(description.map(|words| ("description".to_owned(), words)));
            union
        }
        Some(of) => {
            let both = json!([of, "null"]);
            out.map.insert("type".to_owned(), both);
            if let Some(Value::Array(all)) = out.map.get_mut("enum") {
                all.push(Value::Null);
            }
            out
        }
    }
}
