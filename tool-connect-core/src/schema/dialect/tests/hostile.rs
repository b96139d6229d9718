//! Schemas that somebody made to hurt: bounded, and said so.

use serde_json::{Map, Value, json};

use super::support::all;
use crate::schema::dialect::{Dialect, How, lint, normalise};

#[test]
fn a_schema_inside_itself_is_cut() {
    let schema = json!({
        "type": "object",
        "properties": {"tree": {"$ref": "#/$defs/node"}},
        "$defs": {"node": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#/$defs/node"}}},
            "required": ["name"],
        }},
    });
    for (dialect, normalised) in all(&schema) {
        let cut: Vec<_> =
            normalised.loosened().iter().filter(|l| l.what.contains("stands inside itself")).collect();
        assert_eq!(cut.len(), 1, "{dialect}");
        assert_eq!(cut[0].pointer, "/properties/tree/properties/children/items/properties/children/items");
        // Three levels travel whole in every dialect: as text where the schema was cut.
        let value = json!({"tree": {"name": "1", "children": [{"name": "2", "children": [{"name": "3", "children": [{"name": "4"}]}]}]}});
        assert_eq!(normalised.restore(normalised.express(&value)), value, "{dialect}");
    }
}

#[test]
fn references_that_lead_to_themselves_end() {
    for schema in [
        json!({"$ref": "#"}),
        json!({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}),
        json!({"allOf": [{"$ref": "#"}], "type": "object"}),
        json!({"anyOf": [{"$ref": "#"}, {"$ref": "#"}]}),
        json!({"type": "object", "properties": {"a": {"anyOf": [{"$ref": "#/properties/a"}, {"type": "string"}]}}}),
        json!({"type": "object", "properties": {"a": {"not": {"$ref": "#"}}}}),
    ] {
        all(&schema);
    }
}

#[test]
fn doubling_definitions_are_bounded() {
    for key in ["allOf", "anyOf", "oneOf"] {
        let mut defs = Map::new();
        for level in 0..60 {
            let next = format!("#/$defs/d{}", level + 1);
            defs.insert(format!("d{level}"), json!({key: [{"$ref": next}, {"$ref": next}]}));
        }
        defs.insert("d60".to_owned(), json!({"type": "object", "properties": {"a": {"type": "string"}}}));
        all(&json!({"type": "object", "properties": {"a": {"$ref": "#/$defs/d0"}}, "$defs": defs}));
        let mut root = json!({"$ref": "#/$defs/d0"});
        root["$defs"] = Value::Object(defs);
        all(&root);
    }
}

#[test]
fn doubling_properties_are_bounded() {
    let mut defs = Map::new();
    for level in 0..60 {
        let next = json!({"$ref": format!("#/$defs/d{}", level + 1)});
        defs.insert(format!("d{level}"), json!({"type": "object", "properties": {"a": next, "b": next, "c": {"type": "array", "items": next}}}));
    }
    let schema = json!({"type": "object", "properties": {"a": {"$ref": "#/$defs/d0"}}, "$defs": defs});
    for (dialect, normalised) in all(&schema) {
        assert!(!normalised.loosened().is_empty(), "{dialect}");
    }
}

#[test]
fn depth_is_bounded() {
    for levels in [20, 64, 120] {
        let mut schema = json!({"type": "string"});
        for level in 0..levels {
            schema = match level % 3 {
                0 => json!({"type": "object", "properties": {"a": schema}, "required": ["a"]}),
                1 => json!({"type": "array", "items": schema}),
                _ => json!({"anyOf": [schema, {"type": "integer"}]}),
            };
        }
        for (dialect, normalised) in all(&json!({"type": "object", "properties": {"a": schema}})) {
            assert!(normalised.loosened().iter().all(|l| l.how != How::Replaced), "{dialect}: {levels}");
        }
    }
}

#[test]
fn deeper_than_can_be_read_is_replaced() {
    let mut schema = json!({"type": "string"});
    for _ in 0..450 {
        schema = json!({"items": schema});
    }
    for (dialect, normalised) in all(&schema) {
        assert_eq!(normalised.loosened()[0].how, How::Replaced, "{dialect}");
        let value = json!({"x": [1]});
        assert_eq!(normalised.restore(normalised.express(&value)), value, "{dialect}");
        assert_eq!(normalised.restore(normalised.express(&json!({}))), json!({}), "{dialect}");
    }
    assert_eq!(lint(&schema, Dialect::Anthropic)[0].rule, "depth");
}

#[test]
fn width_is_bounded_and_what_is_left_out_still_travels() {
    let properties: Map<String, Value> = (0..9000)
        .map(|n| (format!("property_{n}"), json!({"type": "string", "description": "Words ".repeat(8)})))
        .collect();
    let schema = json!({"type": "object", "properties": properties});
    for (dialect, normalised) in all(&schema) {
        assert!(normalised.loosened().iter().any(|l| l.what.contains("too large")), "{dialect}");
        let value = json!({"property_1": "a", "property_8999": "z"});
        assert_eq!(normalised.restore(normalised.express(&value)), value, "{dialect}");
    }
}

#[test]
fn long_lists_of_values_are_bounded() {
    let many: Vec<String> = (0..1200).map(|n| format!("value-{n}")).collect();
    let long: Vec<String> = (0..300).map(|n| format!("{n}-{}", "x".repeat(60))).collect();
    for (values, kept) in [(many, false), (long, false), ((0..200).map(|n| n.to_string()).collect(), true)] {
        let schema = json!({"type": "object", "properties": {"v": {"type": "string", "enum": values}}, "required": ["v"]});
        let strict = normalise(&schema, Dialect::OpenAiStrict);
        assert_eq!(strict.schema()["properties"]["v"].get("enum").is_some(), kept);
        all(&schema);
    }
}

#[test]
fn large_text_is_bounded() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "string", "description": "x".repeat(1_000_000)}}});
    for (dialect, normalised) in all(&schema) {
        assert!(normalised.schema()["properties"]["a"].get("description").is_none(), "{dialect}");
    }
    let name = "n".repeat(200_000);
    all(&json!({"type": "object", "properties": {name: {"type": "string"}}}));
}
