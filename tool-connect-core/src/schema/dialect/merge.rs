//! Two schemas that must both hold, as one. What cannot be said in one is left out and named, never made narrower.

use serde_json::{Map, Value, json};

use super::read::annotates;

/// Alternatives of a product of two unions.
const PRODUCT: usize = 16;

/// The definition with the words of the place that refers to it.
pub(super) fn words(mut definition: Map<String, Value>, own: Map<String, Value>) -> Map<String, Value> {
    for (key, value) in own {
        if !matches!(key.as_str(), "$defs" | "definitions" | "$schema" | "$id" | "id") {
            definition.insert(key, value);
        }
    }
    definition
}

/// Both schemas as one. Neither has a reference or an `allOf`.
pub(super) fn both(
    mut a: Map<String, Value>,
    b: &Map<String, Value>,
    lost: &mut Vec<String>,
) -> Map<String, Value> {
    let tuples = a.contains_key("prefixItems") && b.contains_key("prefixItems");
    if speaks_of(&a, b) || speaks_of(b, &a) {
        lost.push(
            "one part of an `allOf` knows only its own properties; those of the other are accepted"
                .to_owned(),
        );
    }
    // Keywords that mean something only together come from one side.
    let together: [&[&str]; 2] = [&["contains", "minContains", "maxContains"], &["if", "then", "else"]];
    let of_a: Vec<&[&str]> =
        together.into_iter().filter(|group| group.iter().any(|key| a.contains_key(*key))).collect();
    for (key, value) in b {
        if of_a.iter().any(|group| group.contains(&key.as_str())) {
            lost.push(format!("the second `{key}` of an `allOf`"));
            continue;
        }
        let Some(known) = a.get(key) else {
            if tuples && key == "items" {
                lost.push("`items` of two tuples".to_owned());
            } else {
                a.insert(key.clone(), value.clone());
            }
            continue;
        };
        if known == value {
            continue;
        }
        let merged = match (key.as_str(), known, value) {
            ("type", x, y) => types(x, y),
            ("properties" | "patternProperties", Value::Object(x), Value::Object(y)) => {
                let mut all = x.clone();
                for (name, schema) in y {
                    let merged = match x.get(name) {
                        Some(known) if known != schema => json!({"allOf": [known, schema]}),
                        _ => schema.clone(),
                    };
                    all.insert(name.clone(), merged);
                }
                Some(Value::Object(all))
            }
            ("required", Value::Array(x), Value::Array(y)) => {
                let more = y.iter().filter(|name| !x.contains(name));
                Some(Value::Array(x.iter().chain(more).cloned().collect()))
            }
            ("enum", Value::Array(x), Value::Array(y)) => {
                let shared: Vec<Value> = x.iter().filter(|value| y.contains(value)).cloned().collect();
                (!shared.is_empty()).then_some(Value::Array(shared))
            }
            ("minimum" | "exclusiveMinimum" | "minLength" | "minItems" | "minProperties", x, y) => {
                bound(x, y, true)
            }
            ("maximum" | "exclusiveMaximum" | "maxLength" | "maxItems" | "maxProperties", x, y) => {
                bound(x, y, false)
            }
            ("items", x, y) if !tuples => Some(json!({"allOf": [x, y]})),
            ("additionalProperties", x, y) => Some(match (x, y) {
                (Value::Bool(false), _) | (_, Value::Bool(false)) => Value::Bool(false),
                (Value::Bool(true), other) | (other, Value::Bool(true)) => other.clone(),
                (x, y) => json!({"allOf": [x, y]}),
            }),
            ("anyOf", Value::Array(x), Value::Array(y)) if x.len().saturating_mul(y.len()) <= PRODUCT => {
                let pairs = x.iter().flat_map(|x| y.iter().map(move |y| json!({"allOf": [x, y]})));
                Some(Value::Array(pairs.collect()))
            }
            ("uniqueItems" | "nullable", _, _) => Some(Value::Bool(true)),
            _ => None,
        };
        match merged {
            Some(merged) => {
                a.insert(key.clone(), merged);
            }
            None if annotates(key) => {}
            None => lost.push(format!("the second `{}` of an `allOf`", key.escape_debug())),
        }
    }
    a
}

/// The first asks something of properties that it does not declare, and the second declares such.
fn speaks_of(of: &Map<String, Value>, other: &Map<String, Value>) -> bool {
    of.get("additionalProperties").is_some_and(|asked| asked != &Value::Bool(true))
        && ["properties", "patternProperties"].iter().any(|key| {
            let declares = |name: &String| of.get(*key).and_then(|all| all.get(name)).is_some();
            other.get(*key).and_then(Value::as_object).is_some_and(|all| !all.keys().all(declares))
        })
}

/// The types that are in both; what is in neither is left as the first has it.
fn types(x: &Value, y: &Value) -> Option<Value> {
    let list = |v: &Value| match v {
        Value::Array(all) => all.clone(),
        one => vec![one.clone()],
    };
    let (x, y) = (list(x), list(y));
    let within = |of: &Value, all: &[Value]| {
        all.contains(of) || (of == "integer" && all.iter().any(|t| t == "number"))
    };
    let mut shared: Vec<Value> = x.iter().filter(|of| within(of, &y)).cloned().collect();
    for of in y.iter().filter(|of| within(of, &x)) {
        if !shared.contains(of) {
            shared.push(of.clone());
        }
    }
    match shared.len() {
        0 => None,
        1 => shared.pop(),
        _ => Some(Value::Array(shared)),
    }
}

fn bound(x: &Value, y: &Value, greater: bool) -> Option<Value> {
    let (a, b) = (x.as_f64()?, y.as_f64()?);
    Some(if (a >= b) == greater { x.clone() } else { y.clone() })
}
