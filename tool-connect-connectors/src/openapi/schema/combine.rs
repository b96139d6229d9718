//! `allOf` as one schema.

use serde_json::{Map, Value};

use super::{LEFT_OUT, Object};

/// Merges parts that all hold. Where two say different things of one property, both stand.
pub(super) fn all(parts: Vec<Object>) -> Object {
    let mut parts = parts.into_iter().filter(|part| !part.is_empty()).peekable();
    let Some(mut whole) = parts.next() else { return Map::new() };
    if parts.peek().is_none() {
        return whole;
    }
    // One part's "nothing else" would forbid what the others name; nobody means that.
    loosen(&mut whole);
    for mut part in parts {
        loosen(&mut part);
        for (key, value) in part {
            match whole.get_mut(&key) {
                None => {
                    whole.insert(key, value);
                }
                Some(known) => both(&key, known, value),
            }
        }
    }
    whole
}

fn loosen(part: &mut Object) {
    if part.get("additionalProperties").is_some_and(|value| *value == Value::Bool(false)) {
        part.remove("additionalProperties");
    }
}

fn both(key: &str, known: &mut Value, other: Value) {
    if *known == other {
        return;
    }
    match (key, known, other) {
        ("properties", Value::Object(known), Value::Object(other)) => {
            for (name, schema) in other {
                match known.get_mut(&name) {
                    None => {
                        known.insert(name, schema);
                    }
                    Some(before) => property(before, schema),
                }
            }
        }
        ("required" | LEFT_OUT | "allOf", Value::Array(known), Value::Array(other)) => {
            for name in other {
                if !known.contains(&name) {
                    known.push(name);
                }
            }
        }
        ("type", known, other) => {
            if let Some(both) = types_in_both(known, &other) {
                *known = both;
            }
        }
        ("enum", Value::Array(known), Value::Array(other)) => {
            let shared: Vec<Value> = known.iter().filter(|value| other.contains(value)).cloned().collect();
            if !shared.is_empty() {
                *known = shared;
            }
        }
        ("description", known, other) => *known = other,
        // Two sets of alternatives as one would need their product; the shorter says less, so it is dropped.
        ("anyOf", Value::Array(known), Value::Array(other)) if other.len() > known.len() => *known = other,
        // The first one stands; what it does not say is left to the service.
        _ => {}
    }
}

/// A property that two parts describe.
fn property(known: &mut Value, other: Value) {
    let says_little = |schema: &Value| {
        schema
            .as_object()
            .is_some_and(|schema| schema.keys().all(|key| key == "description" || key == "examples"))
    };
    if *known == other || says_little(&other) {
        return;
    }
    if says_little(known) {
        *known = other;
        return;
    }
    let plain = |schema: &Value| {
        schema.as_object().is_some_and(|schema| !schema.contains_key("$ref") && !schema.contains_key("anyOf"))
    };
    match (plain(known) && plain(&other), &mut *known, other) {
        (true, Value::Object(known), Value::Object(other)) => {
            for (key, value) in other {
                match known.get_mut(&key) {
                    None => {
                        known.insert(key, value);
                    }
                    Some(before) => both(&key, before, value),
                }
            }
        }
        // Of two descriptions that cannot be merged, the later one refines the earlier.
        (_, known, other) => *known = other,
    }
}

fn types_in_both(one: &Value, other: &Value) -> Option<Value> {
    let list = |value: &Value| match value {
        Value::Array(types) => types.clone(),
        one => vec![one.clone()],
    };
    let (one, other) = (list(one), list(other));
    let mut shared: Vec<Value> = one
        .iter()
        .filter(|t| other.contains(t) || (**t == "integer" && other.iter().any(|o| o == "number")))
        .cloned()
        .collect();
    if shared.len() > 1 { Some(Value::Array(shared)) } else { shared.pop() }
}
