//! The way back: what a model writes for a normalised schema, as the original schema wants it; and the way there.

use serde_json::{Map, Value};

/// How the values of a normalised schema differ from those of the original. It has the shape of the normalised schema.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Back {
    /// The value travels as JSON text.
    pub(super) text: bool,
    pub(super) fields: Vec<Field>,
    /// The property that carries all undeclared ones, as the JSON text of an object.
    pub(super) rest: Option<String>,
    /// Values of undeclared properties.
    pub(super) extra: Option<Box<Back>>,
    pub(super) items: Option<Box<Back>>,
    pub(super) prefix: Vec<Back>,
    /// Of `anyOf` or `oneOf`, one for each.
    pub(super) any: Vec<Back>,
}

/// A property.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Field {
    pub(super) name: String,
    /// Its name for the model.
    pub(super) shown: String,
    /// It must be there, and null stands for its absence.
    pub(super) null_is_absent: bool,
    pub(super) back: Back,
}

impl Back {
    /// Everything travels as it is.
    pub(super) fn is_plain(&self) -> bool {
        !self.text
            && self.rest.is_none()
            && self.fields.iter().all(|f| f.name == f.shown && !f.null_is_absent && f.back.is_plain())
            && self.extra.as_ref().is_none_or(|back| back.is_plain())
            && self.items.as_ref().is_none_or(|back| back.is_plain())
            && self.prefix.iter().chain(&self.any).all(Self::is_plain)
    }
}

fn alternatives(schema: &Value) -> &[Value] {
    ["anyOf", "oneOf"].iter().find_map(|key| schema.get(*key)?.as_array()).map_or(&[], Vec::as_slice)
}

fn property<'s>(schema: &'s Value, name: &str) -> &'s Value {
    schema.get("properties").and_then(|all| all.get(name)).unwrap_or(&Value::Null)
}

fn item_schema(schema: &Value, index: usize) -> &Value {
    let at = schema.get("prefixItems").and_then(|all| all.get(index));
    at.or_else(|| schema.get("items")).unwrap_or(&Value::Null)
}

/// What the original schema accepts, from what the normalised one does.
pub(super) fn restore(schema: &Value, back: &Back, value: Value) -> Value {
    if back.is_plain() {
        return value;
    }
    if back.text {
        return match value {
            // A model that writes a plain word means the word.
            Value::String(text) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
            other => other,
        };
    }
    let find = |closed| alternatives(schema).iter().zip(&back.any).find(|(of, _)| fits(of, &value, closed));
    let chosen = find(true).or_else(|| find(false));
    let value = match value {
        Value::Object(map) => Value::Object(restore_object(schema, back, map)),
        Value::Array(items) => Value::Array(
            items
                .into_iter()
                .enumerate()
                .map(|(index, item)| match back.prefix.get(index).or(back.items.as_deref()) {
                    Some(back) => restore(item_schema(schema, index), back, item),
                    None => item,
                })
                .collect(),
        ),
        other => other,
    };
    match chosen {
        Some((schema, back)) => restore(schema, back, value),
        None => value,
    }
}

fn restore_object(schema: &Value, back: &Back, map: Map<String, Value>) -> Map<String, Value> {
    let mut restored = Map::new();
    let mut rest = None;
    for (key, value) in map {
        if let Some(field) = back.fields.iter().find(|field| field.shown == key) {
            if !(field.null_is_absent && value.is_null()) {
                restored.insert(field.name.clone(), restore(property(schema, &key), &field.back, value));
            }
        } else if back.rest.as_ref() == Some(&key) {
            rest = Some(value);
        } else {
            let value = match &back.extra {
                Some(back) => {
                    restore(schema.get("additionalProperties").unwrap_or(&Value::Null), back, value)
                }
                None => value,
            };
            restored.insert(key, value);
        }
    }
    match rest {
        Some(Value::String(text)) => match serde_json::from_str(&text) {
            Ok(Value::Object(more)) => more.into_iter().for_each(|(key, value)| {
                restored.entry(key).or_insert(value);
            }),
            // It is refused by the tool's own check, by its name.
            _ => {
                if let Some(name) = &back.rest {
                    restored.insert(name.clone(), Value::String(text));
                }
            }
        },
        Some(Value::Object(more)) => more.into_iter().for_each(|(key, value)| {
            restored.entry(key).or_insert(value);
        }),
        _ => {}
    }
    restored
}

/// What the normalised schema accepts, from what the original one does.
pub(super) fn express(schema: &Value, back: &Back, value: &Value) -> Value {
    if back.is_plain() {
        return value.clone();
    }
    if back.text {
        return Value::String(value.to_string());
    }
    let written = match value {
        Value::Object(map) if !back.fields.is_empty() || back.rest.is_some() || back.extra.is_some() => {
            Value::Object(express_object(schema, back, map))
        }
        Value::Array(items) => Value::Array(
            items
                .iter()
                .enumerate()
                .map(|(index, item)| match back.prefix.get(index).or(back.items.as_deref()) {
                    Some(back) => express(item_schema(schema, index), back, item),
                    None => item.clone(),
                })
                .collect(),
        ),
        other => other.clone(),
    };
    let all: Vec<(&Value, Value)> = alternatives(schema)
        .iter()
        .zip(&back.any)
        .map(|(schema, back)| (schema, express(schema, back, &written)))
        .collect();
    let find = |closed| all.iter().position(|(schema, written)| fits(schema, written, closed));
    find(true)
        .or_else(|| find(false))
        .and_then(|chosen| all.into_iter().nth(chosen))
        .map_or(written, |(_, written)| written)
}

fn express_object(schema: &Value, back: &Back, map: &Map<String, Value>) -> Map<String, Value> {
    let mut written = Map::new();
    let mut rest = Map::new();
    for (key, value) in map {
        if let Some(field) = back.fields.iter().find(|field| field.name == *key) {
            written.insert(field.shown.clone(), express(property(schema, &field.shown), &field.back, value));
        } else if back.rest.is_some() {
            rest.insert(key.clone(), value.clone());
        } else {
            let value = match &back.extra {
                Some(back) => {
                    express(schema.get("additionalProperties").unwrap_or(&Value::Null), back, value)
                }
                None => value.clone(),
            };
            written.insert(key.clone(), value);
        }
    }
    for field in back.fields.iter().filter(|field| field.null_is_absent) {
        written.entry(field.shown.clone()).or_insert(Value::Null);
    }
    if let Some(name) = &back.rest
        && !rest.is_empty()
    {
        written.insert(name.clone(), Value::String(Value::Object(rest).to_string()));
    } else if let Some(name) = &back.rest
        && schema.get("additionalProperties") == Some(&Value::Bool(false))
    {
        written.insert(name.clone(), Value::Null);
    }
    written
}

/// Whether a value has the shape of a normalised schema: enough to choose among alternatives. `closed`: an object has no
/// properties, and an array no items, that its schema does not speak of.
fn fits(schema: &Value, value: &Value, closed: bool) -> bool {
    match schema {
        Value::Object(map) => fits_map(map, value, closed),
        _ => schema.as_bool().unwrap_or(true),
    }
}

/// As [`fits`].
pub(super) fn fits_map(map: &Map<String, Value>, value: &Value, closed: bool) -> bool {
    // What stands beside alternatives does not know the properties that they declare, nor they those beside them.
    let declares = map.contains_key("properties");
    let parts = ["anyOf", "oneOf", "if", "dependentSchemas"].iter().any(|key| map.contains_key(*key));
    let (of_parts, closed_here) = (closed && !declares, closed && !parts);
    if value.is_null() && map.get("nullable") == Some(&Value::Bool(true)) {
        return true;
    }
    let is = |name: &str| {
        let of = super::types::type_of(value);
        name == of || (name == "number" && of == "integer")
    };
    let of_type = match map.get("type") {
        Some(Value::String(one)) => is(one),
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).any(is),
        _ => true,
    };
    let listed = map
        .get("enum")
        .and_then(Value::as_array)
        .is_none_or(|all| all.iter().any(|known| same(known, value)))
        && map.get("const").is_none_or(|known| same(known, value));
    let among = ["anyOf", "oneOf"].iter().all(|key| {
        map.get(*key)
            .and_then(Value::as_array)
            .is_none_or(|all| all.iter().any(|of| fits(of, value, of_parts)))
    });
    of_type
        && listed
        && among
        && match value {
            Value::Object(fields) => fits_object(map, fields, closed, closed_here),
            Value::Array(items) => fits_array(map, items, closed),
            Value::String(text) => fits_text(map, text),
            Value::Number(number) => fits_number(map, number.as_f64().unwrap_or_default()),
            _ => true,
        }
}

fn fits_object(
    map: &Map<String, Value>,
    fields: &Map<String, Value>,
    closed: bool,
    closed_here: bool,
) -> bool {
    let properties = map.get("properties").and_then(Value::as_object);
    let required = map.get("required").and_then(Value::as_array);
    let has_all =
        required.into_iter().flatten().filter_map(Value::as_str).all(|name| fields.contains_key(name));
    let extra = map.get("additionalProperties");
    has_all
        && fields.iter().all(|(name, value)| match (properties.and_then(|all| all.get(name)), extra) {
            (Some(schema), _) => fits(schema, value, closed),
            // Patterns are not looked at.
            _ if map.contains_key("patternProperties") => true,
            (None, Some(schema)) => fits(schema, value, closed),
            (None, None) => !closed_here,
        })
}

fn fits_array(map: &Map<String, Value>, items: &[Value], closed: bool) -> bool {
    let count = |key: &str| map.get(key).and_then(Value::as_f64);
    let length = items.len() as f64;
    count("minItems").is_none_or(|least| length >= least)
        && count("maxItems").is_none_or(|most| length <= most)
        && map.get("contains").is_none_or(|of| {
            count("minContains") == Some(0.0) || items.iter().any(|item| fits(of, item, false))
        })
        && items.iter().enumerate().all(|(index, item)| {
            let at = map.get("prefixItems").and_then(|all| all.get(index)).or_else(|| map.get("items"));
            at.map_or(!closed, |schema| fits(schema, item, closed))
        })
}

fn fits_text(map: &Map<String, Value>, text: &str) -> bool {
    let count = |key: &str| map.get(key).and_then(Value::as_f64);
    let length = text.chars().count() as f64;
    count("minLength").is_none_or(|least| length >= least)
        && count("maxLength").is_none_or(|most| length <= most)
        && map
            .get("pattern")
            .and_then(Value::as_str)
            .is_none_or(|pattern| regex_lite::Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(text)))
}

fn fits_number(map: &Map<String, Value>, number: f64) -> bool {
    let bound = |key: &str| map.get(key).and_then(Value::as_f64);
    bound("minimum").is_none_or(|least| number >= least)
        && bound("maximum").is_none_or(|most| number <= most)
        && bound("exclusiveMinimum").is_none_or(|least| number > least)
        && bound("exclusiveMaximum").is_none_or(|most| number < most)
        && bound("multipleOf").is_none_or(|step| {
            let times = number / step;
            (times - times.round()).abs() < 1e-9
        })
}

/// Equal as JSON Schema counts: 1 and 1.0 are the same number.
fn same(a: &Value, b: &Value) -> bool {
    a == b || matches!((a, b), (Value::Number(x), Value::Number(y)) if x.as_f64() == y.as_f64())
}
