//! Schemas of arguments and results: how they are made and what makes one unusable. [`dialect`] holds the rules of the
//! model APIs for tool schemas, a lint and a normaliser.

pub mod dialect;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::Value;

/// Deepest nesting of a schema, in levels.
pub const MAX_DEPTH: usize = 64;
/// Largest schema, in bytes of its compact text.
pub const MAX_BYTES: usize = 256 * 1024;

/// The schema of arguments: what `T` accepts when deserialized (JSON Schema 2020-12).
#[must_use]
pub fn input<T: JsonSchema>() -> Schema {
    tidy(SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>())
}

/// The schema of a result: what `T` looks like when serialized (JSON Schema 2020-12).
#[must_use]
pub fn output<T: JsonSchema>() -> Schema {
    tidy(SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>())
}

/// Drops what only costs tokens: `$schema`, and the title and description that repeat the tool's.
fn tidy(mut schema: Schema) -> Schema {
    for key in ["$schema", "title", "description"] {
        schema.remove(key);
    }
    // A struct without fields has no `properties`; model APIs want them.
    if schema.get("type").and_then(Value::as_str) == Some("object") && schema.get("properties").is_none() {
        schema.insert("properties".to_owned(), Value::Object(serde_json::Map::new()));
    }
    schema
}

/// Says why a schema cannot be used for a tool's arguments; empty means that it can.
///
/// Refused are: a root that is no object (model APIs take named arguments), `$ref`s that leave the
/// document or lead nowhere, and schemas that are too deep or too large.
#[must_use]
pub fn problems_of_input(schema: &Schema) -> Vec<String> {
    let mut problems = problems_of(schema);
    let value = schema.as_value();
    match value.get("type") {
        Some(Value::String(t)) if t == "object" => {}
        Some(_) => problems.push("the root must have `type: object`: arguments are named".to_owned()),
        None => problems.push(
            "the root has no `type: object`: an enum or a top-level anyOf cannot be a tool's arguments"
                .to_owned(),
        ),
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        if value.get(key).is_some() {
            problems.push(format!(
                "the root has `{key}`, which model APIs refuse; use a struct with named fields"
            ));
        }
    }
    problems
}

/// Says why a schema cannot be used at all; empty means that it can.
#[must_use]
pub fn problems_of(schema: &Schema) -> Vec<String> {
    let root = schema.as_value();
    let mut problems = Vec::new();
    let size = serde_json::to_string(root).map_or(usize::MAX, |text| text.len());
    if size > MAX_BYTES {
        problems.push(format!("the schema is larger than {MAX_BYTES} bytes"));
    }
    walk(root, root, 0, &mut problems);
    problems
}

fn walk(root: &Value, value: &Value, depth: usize, problems: &mut Vec<String>) {
    if depth > MAX_DEPTH {
        problems.push(format!("the schema is nested deeper than {MAX_DEPTH} levels"));
        return;
    }
    match value {
        Value::Object(map) => {
            if let Some(Value::String(target)) = map.get("$ref") {
                match target.strip_prefix('#') {
                    None => problems.push(format!("`$ref` to `{target}` leaves the document; inline it")),
                    Some(pointer) if root.pointer(pointer).is_none() => {
                        problems.push(format!("`$ref` to `{target}` leads nowhere"));
                    }
                    Some(_) => {}
                }
            }
            if map.get("type").is_some_and(Value::is_null) {
                problems.push("`type` is null".to_owned());
            }
            for child in map.values() {
                walk(root, child, depth + 1, problems);
            }
        }
        Value::Array(items) => {
            for child in items {
                walk(root, child, depth + 1, problems);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(text: &str) -> Schema {
        Schema::try_from(serde_json::from_str::<Value>(text).unwrap()).unwrap()
    }

    #[test]
    fn a_plain_struct_is_fine() {
        #[derive(JsonSchema)]
        #[allow(dead_code)]
        struct Args {
            name: String,
        }
        assert_eq!(problems_of_input(&input::<Args>()), Vec::<String>::new());
        assert!(input::<Args>().get("$schema").is_none());
    }

    #[test]
    fn broken_schemas_are_named() {
        for (text, word) in [
            (r#"{"type":"string"}"#, "type: object"),
            (r#"{"anyOf":[]}"#, "anyOf"),
            (r#"{"type":"object","properties":{"a":{"$ref":"http://x/y"}}}"#, "leaves the document"),
            (r##"{"type":"object","properties":{"a":{"$ref":"#/$defs/b"}}}"##, "leads nowhere"),
            (r#"{"type":"object","properties":{"a":{"type":null}}}"#, "is null"),
        ] {
            let found = problems_of_input(&schema(text)).join("; ");
            assert!(found.contains(word), "{text}: {found}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let mut text = String::from(r#"{"type":"object"}"#);
        for _ in 0..40 {
            text = format!(r#"{{"type":"object","properties":{{"a":{text}}}}}"#);
        }
        assert!(problems_of_input(&schema(&text)).iter().any(|p| p.contains("deeper")));
    }
}
