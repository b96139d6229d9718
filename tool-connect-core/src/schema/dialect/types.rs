//! The types that a schema admits.

use serde_json::{Map, Value};

/// The types that a schema admits, and how that is known.
pub(super) enum Types {
    /// It says so, or its values do.
    Said(Vec<&'static str>),
    /// It does not say so: keywords that concern only these types do.
    Hinted(Vec<&'static str>),
    /// Anything.
    Any,
}

const HINTS: &[(&str, &[&str])] = &[
    (
        "object",
        &[
            "properties",
            "required",
            "additionalProperties",
            "patternProperties",
            "maxProperties",
            "minProperties",
        ],
    ),
    ("array", &["items", "prefixItems", "minItems", "maxItems", "uniqueItems"]),
    ("string", &["pattern", "minLength", "maxLength"]),
    ("number", &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]),
];

/// The types that a flat schema admits. What accepts null because of `nullable` has `null` among them.
pub(super) fn types(map: &Map<String, Value>) -> Types {
    let known =
        |name: &str| super::rules::TYPES.iter().copied().find(|known| known.eq_ignore_ascii_case(name));
    let mut said: Vec<&'static str> = match map.get("type") {
        Some(Value::String(one)) => known(one).into_iter().collect(),
        Some(Value::Array(all)) => all.iter().filter_map(|one| known(one.as_str()?)).collect(),
        _ => Vec::new(),
    };
    if let Some(values) = values(map) {
        let of_values = values.iter().map(|value| type_of(value));
        let declared = std::mem::take(&mut said);
        for of in of_values {
            let fits = declared.is_empty()
                || declared.contains(&of)
                || (of == "integer" && declared.contains(&"number"));
            if fits && !said.contains(&of) {
                said.push(of);
            }
        }
        if said.is_empty() {
            said = declared;
        }
    }
    if map.get("nullable") == Some(&Value::Bool(true)) && !said.is_empty() {
        said.push("null");
    }
    let mut unique = Vec::new();
    for of in said {
        if !unique.contains(&of) {
            unique.push(of);
        }
    }
    if unique.contains(&"number") {
        unique.retain(|of| *of != "integer");
    }
    if !unique.is_empty() {
        return Types::Said(unique);
    }
    let mut hinted: Vec<&'static str> = HINTS
        .iter()
        .filter(|(_, keys)| keys.iter().any(|key| map.contains_key(*key)))
        .map(|(of, _)| *of)
        .collect();
    if hinted.is_empty() {
        return Types::Any;
    }
    if map.get("nullable") == Some(&Value::Bool(true)) {
        hinted.push("null");
    }
    Types::Hinted(hinted)
}

/// The values that a schema lists: those of `enum` that `const` agrees with.
pub(super) fn values(map: &Map<String, Value>) -> Option<Vec<&Value>> {
    let listed = map.get("enum").and_then(Value::as_array);
    match (listed, map.get("const")) {
        (None, None) => None,
        (None, Some(constant)) => Some(vec![constant]),
        (Some(all), None) => Some(all.iter().collect()),
        (Some(all), Some(constant)) => Some(all.iter().filter(|value| *value == constant).collect()),
    }
}

/// The type of a value. A number without a fraction is an integer, however it is written.
pub(super) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(n) if n.is_f64() && n.as_f64().is_some_and(|n| n.fract() != 0.0) => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
