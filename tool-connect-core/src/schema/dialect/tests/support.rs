//! Judging with a validator of somebody else's, and values that fit a schema.

use serde_json::{Map, Value, json};

use crate::schema::dialect::{Dialect, How, Normalised, lint, normalise};

/// Whether a value fits a schema, by the crate `jsonschema`; `None` where it cannot read the schema.
pub(super) fn accepts(schema: &Value, value: &Value) -> Option<bool> {
    jsonschema::draft202012::new(schema).ok().map(|validator| validator.is_valid(value))
}

/// The schema as it is read where it says nothing of undeclared properties: they are no arguments.
pub(super) fn declared(schema: &Value) -> Value {
    close(schema, true)
}

fn close(schema: &Value, whole: bool) -> Value {
    let Value::Object(map) = schema else { return schema.clone() };
    let mut out = Map::new();
    // What stands beside parts knows their properties too; a part alone does not know those of the others.
    let base = map.contains_key("properties") || map.contains_key("allOf");
    for (key, value) in map {
        let closed = match (key.as_str(), value) {
            ("properties" | "$defs", Value::Object(all)) => {
                Value::Object(all.iter().map(|(name, schema)| (name.clone(), close(schema, true))).collect())
            }
            ("allOf", Value::Array(all)) => all.iter().map(|part| close(part, false)).collect(),
            ("anyOf" | "oneOf", Value::Array(all)) => {
                all.iter().map(|part| close(part, whole && !base)).collect()
            }
            ("prefixItems", Value::Array(all)) => all.iter().map(|part| close(part, true)).collect(),
            ("items" | "additionalProperties", inner) => close(inner, true),
            _ => value.clone(),
        };
        out.insert(key.clone(), closed);
    }
    let only_required = !base && map.contains_key("required") && map.get("type") == Some(&"object".into());
    if only_required && let Some(Value::Array(all)) = map.get("required") {
        // What an object requires is declared.
        let names = all.iter().filter_map(Value::as_str).map(|name| (name.to_owned(), Value::Bool(true)));
        out.insert("properties".to_owned(), Value::Object(names.collect()));
    }
    if whole && (base || only_required) && !map.contains_key("additionalProperties") {
        out.insert("unevaluatedProperties".to_owned(), false.into());
    }
    Value::Object(out)
}

/// A Gemini schema as JSON Schema: `nullable` is OpenAPI's.
pub(super) fn as_json_schema(schema: &Value) -> Value {
    match schema {
        Value::Object(map) => {
            let mut out: Map<String, Value> = map
                .iter()
                .filter(|(key, _)| *key != "nullable")
                .map(|(k, v)| (k.clone(), as_json_schema(v)))
                .collect();
            if map.get("nullable") == Some(&Value::Bool(true)) {
                return json!({"anyOf": [Value::Object(out), {"type": "null"}]});
            }
            if map.contains_key("enum") {
                out.remove("format");
            }
            Value::Object(out)
        }
        Value::Array(all) => Value::Array(all.iter().map(as_json_schema).collect()),
        other => other.clone(),
    }
}

/// The schema in every dialect, lint-clean and not given up.
pub(super) fn all(schema: &Value) -> Vec<(Dialect, Normalised)> {
    Dialect::ALL
        .into_iter()
        .map(|dialect| {
            let normalised = normalise(schema, dialect);
            let findings = lint(normalised.schema(), dialect);
            assert!(findings.is_empty(), "{dialect}: {findings:?}\nof {schema}\nis {}", normalised.schema());
            (dialect, normalised)
        })
        .collect()
}

/// The promise: what the original accepts is accepted as it is expressed, and what comes back is what was meant.
pub(super) fn holds(original: &Value, value: &Value) {
    for (dialect, normalised) in all(original) {
        assert!(normalised.loosened().iter().all(|l| l.how != How::Replaced), "{dialect} gave {original} up");
        let written = normalised.express(value);
        let judged = as_json_schema(normalised.schema());
        assert_eq!(
            accepts(&judged, &written),
            Some(true),
            "{dialect} refuses {written}\nfor {value}\nof {original}\nis {}",
            normalised.schema()
        );
        let restored = normalised.restore(written.clone());
        // Without its null a value may fit a second alternative of a `oneOf`, which refuses it; it fits nonetheless. At
        // the root it may miss what only one alternative requires.
        let alternatives = ["anyOf", "oneOf"].iter().any(|key| original.get(*key).is_some());
        let judge = match &restored == value {
            true => original.clone(),
            false if alternatives => Value::Bool(true),
            false => one_or_more(original),
        };
        assert_eq!(
            accepts(&judge, &restored),
            Some(true),
            "{dialect} restores {written}\nas {restored}\nfrom {value}\nof {original}"
        );
        if dialect != Dialect::OpenAiStrict {
            assert_eq!(&restored, value, "{dialect}: {written}\nof {original}\nis {}", normalised.schema());
        } else {
            assert!(same_but_nulls(value, &restored), "{value} came back as {restored}\nof {original}");
        }
    }
}

/// The schema with each `oneOf` as an `anyOf`.
fn one_or_more(schema: &Value) -> Value {
    match schema {
        Value::Object(map) => {
            let renamed = |key: &String| if key == "oneOf" { "anyOf".to_owned() } else { key.clone() };
            map.iter().map(|(key, value)| (renamed(key), one_or_more(value))).collect::<Map<_, _>>().into()
        }
        Value::Array(all) => all.iter().map(one_or_more).collect(),
        other => other.clone(),
    }
}

/// The same, but for fields that were null and are absent.
fn same_but_nulls(was: &Value, is: &Value) -> bool {
    match (was, is) {
        (Value::Object(was), Value::Object(is)) => {
            is.keys().all(|key| was.contains_key(key))
                && was.iter().all(|(key, value)| match is.get(key) {
                    Some(now) => same_but_nulls(value, now),
                    None => value.is_null(),
                })
        }
        (Value::Array(was), Value::Array(is)) => {
            was.len() == is.len() && was.iter().zip(is).all(|(was, is)| same_but_nulls(was, is))
        }
        _ => was == is,
    }
}

/// Numbers that are the same for the same seed.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % sides.max(1)
    }
}

/// A value that probably fits; only declared properties, and others where the schema speaks of them.
pub(super) fn sample(root: &Value, schema: &Value, dice: &mut Dice, depth: usize) -> Option<Value> {
    if depth > 12 {
        return None;
    }
    let map = match schema {
        Value::Bool(true) => return Some(anything(dice)),
        Value::Object(map) => map,
        _ => return None,
    };
    if let Some(target) = map.get("$ref").and_then(Value::as_str) {
        return sample(root, root.pointer(target.strip_prefix('#')?)?, dice, depth + 1);
    }
    for key in ["anyOf", "oneOf"] {
        if let Some(all) = map.get(key).and_then(Value::as_array) {
            let mut base = map.clone();
            base.remove(key);
            let one = sample(root, all.get(dice.roll(all.len()))?, dice, depth + 1)?;
            if !base.contains_key("type") {
                return Some(one);
            }
            return Some(match (sample(root, &Value::Object(base), dice, depth + 1), one) {
                (Some(Value::Object(mut a)), Value::Object(b)) => {
                    a.extend(b);
                    Value::Object(a)
                }
                (_, one) => one,
            });
        }
    }
    if let Some(all) = map.get("allOf").and_then(Value::as_array) {
        let mut base = map.clone();
        base.remove("allOf");
        let mut parts = all.iter();
        let mut whole = if base.contains_key("type") {
            sample(root, &Value::Object(base), dice, depth + 1)?
        } else {
            sample(root, parts.next()?, dice, depth + 1)?
        };
        for part in parts {
            match (&mut whole, sample(root, part, dice, depth + 1)?) {
                (Value::Object(whole), Value::Object(part)) => whole.extend(part),
                (whole, part) => *whole = part,
            }
        }
        return Some(whole);
    }
    if let Some(constant) = map.get("const") {
        return Some(constant.clone());
    }
    if let Some(all) = map.get("enum").and_then(Value::as_array) {
        return all.get(dice.roll(all.len())).cloned();
    }
    let of = match map.get("type") {
        Some(Value::Array(all)) => all.get(dice.roll(all.len()))?.as_str()?,
        Some(Value::String(one)) => one,
        _ => return Some(anything(dice)),
    };
    Some(match of {
        "object" => return object(root, map, dice, depth),
        "array" => {
            let count =
                map.get("minItems").and_then(Value::as_u64).unwrap_or_default() as usize + dice.roll(3);
            let any = Value::Bool(true);
            let items = (0..count).map(|index| {
                let at = map.get("prefixItems").and_then(|all| all.get(index)).or_else(|| map.get("items"));
                sample(root, at.unwrap_or(&any), dice, depth + 1)
            });
            Value::Array(items.collect::<Option<_>>()?)
        }
        "string" => ["", "ab", "abc", "{\"a\":1}", "7", "null"].map(Value::from).swap_remove_at(dice.roll(6)),
        "integer" => Value::from(i64::try_from(dice.roll(24)).ok()? - 4),
        "number" => Value::from(dice.roll(40) as f64 / 4.0),
        "boolean" => Value::from(dice.roll(2) == 0),
        _ => Value::Null,
    })
}

/// One of an array.
trait Pick {
    fn swap_remove_at(self, index: usize) -> Value;
}

impl<const N: usize> Pick for [Value; N] {
    fn swap_remove_at(self, index: usize) -> Value {
        self.into_iter().nth(index).unwrap_or(Value::Null)
    }
}

fn object(root: &Value, map: &Map<String, Value>, dice: &mut Dice, depth: usize) -> Option<Value> {
    let required: Vec<&str> = map
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut out = Map::new();
    for (name, schema) in map.get("properties").and_then(Value::as_object).into_iter().flatten() {
        if required.contains(&name.as_str()) || dice.roll(2) == 0 {
            match sample(root, schema, dice, depth + 1) {
                Some(value) => {
                    out.insert(name.clone(), value);
                }
                None if required.contains(&name.as_str()) => return None,
                None => {}
            }
        }
    }
    for name in required {
        if !out.contains_key(name) {
            out.insert(name.to_owned(), anything(dice));
        }
    }
    if let Some(extra) = map.get("additionalProperties").filter(|extra| **extra != Value::Bool(false))
        && dice.roll(2) == 0
        && let Some(value) = sample(root, extra, dice, depth + 1)
    {
        out.insert("un declared".to_owned(), value);
    }
    Some(Value::Object(out))
}

fn anything(dice: &mut Dice) -> Value {
    [
        json!(null),
        json!(1),
        json!("x"),
        json!("[1]"),
        json!([1, "a"]),
        json!({"k": {"l": null}}),
        json!(false),
    ]
    .swap_remove_at(dice.roll(7))
}
