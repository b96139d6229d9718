//! Schemas before and after.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Converter, Direction};
use crate::openapi::document::Document;
use crate::openapi::documents::{Caps, Documents};

fn convert(version: &str, schemas: Value, schema: Value, budget: usize) -> (Value, Vec<String>) {
    let text = json!({ "openapi": version, "components": { "schemas": schemas } }).to_string();
    let documents =
        Documents::new(Document::index(String::new(), None, text).unwrap(), None, Caps::default());
    let main = Arc::clone(&documents.main);
    let mut converter = Converter::new(&documents, Direction::Request);
    let root = converter.root(&main, &schema);
    let schema = converter.close(root, budget);
    (schema, converter.notes())
}

fn converted(schema: Value) -> Value {
    convert("3.0.3", json!({}), schema, 1 << 16).0
}

#[test]
fn the_words_of_3_0_and_2_0_become_those_of_2020_12() {
    for (before, after) in [
        (json!({"type": "string", "nullable": true}), json!({"type": ["string", "null"]})),
        (
            json!({"type": "string", "x-nullable": true, "enum": ["a"]}),
            json!({"type": ["string", "null"], "enum": ["a", null]}),
        ),
        (
            json!({"type": "integer", "minimum": 1, "exclusiveMinimum": true, "maximum": "9"}),
            json!({"type": "integer", "exclusiveMinimum": 1, "maximum": 9}),
        ),
        (
            json!({"type": "string", "example": "x", "format": "date"}),
            json!({"type": "string", "examples": ["x"], "format": "date"}),
        ),
        (json!({"type": "int", "default": "3"}), json!({"type": "integer", "default": 3})),
        (json!({"type": "string", "enum": [1, true, 1]}), json!({"type": "string", "enum": ["1", "true"]})),
        (json!({"type": "array"}), json!({"type": "array", "items": {}})),
        (
            json!({"oneOf": [{"type": "string"}, {"type": "integer"}]}),
            json!({"anyOf": [{"type": "string"}, {"type": "integer"}]}),
        ),
        (json!({"type": "string", "pattern": "(?i)x"}), json!({"type": "string"})),
        (json!({"type": "file"}), json!({"type": "string", "format": "binary"})),
        (
            json!({"type": "string", "minLength": -1, "xml": {"name": "x"}, "discriminator": {}}),
            json!({"type": "string"}),
        ),
        (json!({"type": null, "title": "T"}), json!({})),
        (json!(true), json!({})),
    ] {
        assert_eq!(converted(before.clone()), after, "{before}");
    }
}

#[test]
fn what_goes_the_other_way_is_left_out_and_required_names_exist() {
    let schema = json!({"type": "object", "required": ["id", "name", "ghost"], "properties": {
        "id": {"type": "integer", "readOnly": true}, "name": {"type": "string"}, "own": {"type": "string", "required": true},
        "never": false}});
    let found = converted(schema);
    assert_eq!(found["required"], json!(["name", "ghost", "own"]));
    let names: Vec<&String> = found["properties"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["name", "own", "ghost"]);
}

#[test]
fn parts_are_merged_and_alternatives_that_say_nothing_are_dropped() {
    let schemas = json!({
        "Base": {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}}, "additionalProperties": false},
        "Self": {"allOf": [{"$ref": "#/components/schemas/Self"}, {"type": "object", "properties": {"a": {"type": "string"}}}]},
    });
    let schema = json!({"allOf": [{"$ref": "#/components/schemas/Base"},
        {"properties": {"kind": {"enum": ["x"]}, "size": {"type": "integer"}}, "anyOf": [{"required": ["size"]}, {"required": ["kind"]}]}]});
    let (found, _) = convert("3.0.3", schemas.clone(), schema, 1 << 16);
    let expected = json!({"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string", "enum": ["x"]}, "size": {"type": "integer"}}});
    assert_eq!(found, expected);
    let (found, notes) = convert("3.0.3", schemas, json!({"$ref": "#/components/schemas/Self"}), 1 << 16);
    assert_eq!(found["properties"]["a"]["type"], "string");
    assert!(notes[0].contains("part of itself"), "{notes:?}");
}

#[test]
fn circles_become_definitions_and_everything_else_stands_in_its_place() {
    let schemas = json!({
        "Node": {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Node"}, "leaf": {"$ref": "#/components/schemas/Leaf"}}},
        "Leaf": {"type": "object", "properties": {"text": {"type": "string"}}},
        "Unused": {"type": "string"},
    });
    let schema = json!({"type": "object", "properties": {"root": {"$ref": "#/components/schemas/Node"}}});
    let (found, notes) = convert("3.1.0", schemas, schema, 1 << 16);
    assert_eq!(notes, Vec::<String>::new());
    let defs = found["$defs"].as_object().unwrap();
    assert_eq!(defs.keys().collect::<Vec<_>>(), ["Node"]);
    assert_eq!(defs["Node"]["properties"]["next"], json!({"$ref": "#/$defs/Node"}));
    assert_eq!(defs["Node"]["properties"]["leaf"]["properties"]["text"]["type"], "string");
    let schema = schemars::Schema::try_from(found).unwrap();
    assert_eq!(tool_connect_core::schema::problems_of_input(&schema), Vec::<String>::new());
}

#[test]
fn references_that_lead_nowhere_loosen_a_schema_and_are_noted() {
    let schema = json!({"type": "object", "properties": {"a": {"$ref": "#/components/schemas/Gone"}, "b": {"$ref": "other.yaml#/X"}}});
    let (found, notes) = convert("3.0.3", json!({}), schema, 1 << 16);
    assert_eq!(found["properties"], json!({"a": {}, "b": {}}));
    assert!(notes[0].contains("leads nowhere") && notes[1].contains("supply it"), "{notes:?}");
}

#[test]
fn a_schema_keeps_to_its_budget_and_loses_words_before_depth() {
    let mut inner = json!({"type": "string", "description": "word ".repeat(60)});
    for level in 0..9 {
        inner = json!({"type": "object", "description": "word ".repeat(60), "properties": {
            format!("level{level}"): inner, "same": {"type": "string", "description": "word ".repeat(60)}}});
    }
    let root = json!({"type": "object", "required": ["top"], "properties": {"top": inner}});
    let (whole, _) = convert("3.0.3", json!({}), root.clone(), 1 << 20);
    let mut last = whole.to_string().len();
    for budget in [4000, 1500, 500, 120] {
        let (found, notes) = convert("3.0.3", json!({}), root.clone(), budget);
        let size = found.to_string().len();
        assert!(size <= budget && size < last, "{budget}: {size}");
        assert_eq!(
            (notes.len(), &found["required"], &found["type"]),
            (1, &json!(["top"]), &json!("object")),
            "{notes:?}"
        );
        last = size;
    }
}

#[test]
fn a_chain_of_ten_thousand_needs_no_stack_and_a_fan_of_them_ends() {
    let link = |n: usize| json!({"type": "object", "properties": {"a": {"$ref": format!("#/components/schemas/S{}", n + 1)}, "b": {"$ref": format!("#/components/schemas/S{}", n + 1)}}});
    let mut schemas: serde_json::Map<String, Value> =
        (0..10_000).map(|n| (format!("S{n}"), link(n))).collect();
    schemas.insert("S10000".to_owned(), json!({"type": "string"}));
    let (found, notes) =
        convert("3.0.3", Value::Object(schemas), json!({"$ref": "#/components/schemas/S0"}), 32 * 1024);
    assert!(found.to_string().len() <= 32 * 1024);
    assert!(!notes.is_empty());
}

#[test]
fn references_count_as_parts() {
    let many = |to: &str| vec![json!({ "$ref": format!("#/components/schemas/{to}") }); 60_000];
    for schema in [json!({ "allOf": many("Any") }), json!({ "anyOf": many("Nowhere") })] {
        let (_, notes) = convert("3.1.0", json!({ "Any": true }), schema, 1 << 14);
        assert!(notes.iter().any(|note| note.contains("more than 50000 parts")), "{notes:?}");
    }
    // What is referred to again is not read again.
    let (schema, notes) = convert("3.1.0", json!({ "Any": true }), json!({ "anyOf": many("Any") }), 1 << 22);
    assert!(notes.is_empty(), "{schema} {notes:?}");
}
