//! Generated schemas: what a generator of OpenAPI or of types may write, and soup.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

use super::support::{Dice, accepts, all, declared, holds, sample};
use crate::schema::dialect::{Dialect, How, normalise};

const NAMES: &[&str] =
    &["a", "b", "kind", "filter[x]", "$top", "filter_x_", "9 lives", "additional_properties", "ä"];

fn leaf() -> impl Strategy<Value = Value> {
    select(vec![
        json!({"type": "string"}),
        json!({"type": "string", "minLength": 1, "maxLength": 3}),
        json!({"type": "string", "pattern": "^a"}),
        json!({"type": "string", "pattern": "^(?!x)a"}),
        json!({"type": "string", "format": "date-time", "description": "When."}),
        json!({"type": "string", "format": "uri"}),
        json!({"enum": ["a", "b", null]}),
        json!({"enum": [1, 2.5, "x", {"k": 1}, [1]]}),
        json!({"type": ["string", "null"], "enum": ["x", null]}),
        json!({"const": "c"}),
        json!({"const": 7}),
        json!({"type": "integer", "minimum": 0, "exclusiveMaximum": 9, "default": 3}),
        json!({"type": "number", "multipleOf": 0.5, "format": "double"}),
        json!({"type": "boolean"}),
        json!({"type": "null"}),
        json!({"type": ["integer", "string", "null"]}),
        json!({"type": "object"}),
        json!({"type": "object", "additionalProperties": false}),
        json!({"type": "object", "required": ["b"]}),
        json!({"type": "array"}),
        json!({"type": ["object", "array", "string"]}),
        json!({}),
        json!(true),
        json!({"$ref": "#/$defs/d0"}),
        json!({"$ref": "#/$defs/d1", "description": "One."}),
        json!({"not": {"type": "string"}}),
    ])
}

fn object(inner: impl Strategy<Value = Value> + Clone + 'static) -> impl Strategy<Value = Value> {
    let extra = prop_oneof![
        3 => Just(None),
        2 => Just(Some(json!(false))),
        1 => Just(Some(json!(true))),
        1 => inner.clone().prop_map(Some),
    ];
    (btree_map(select(NAMES), inner, 0..4), subsequence(NAMES, 0..3), extra).prop_map(
        |(properties, needed, extra)| {
            let required: Vec<&str> =
                needed.into_iter().filter(|name| properties.contains_key(name)).collect();
            let mut map = Map::new();
            map.insert("type".to_owned(), "object".into());
            map.insert(
                "properties".to_owned(),
                properties.into_iter().map(|(k, v)| (k.to_owned(), v)).collect(),
            );
            map.insert("required".to_owned(), required.into());
            map.extend(extra.map(|extra| ("additionalProperties".to_owned(), extra)));
            Value::Object(map)
        },
    )
}

fn schema() -> impl Strategy<Value = Value> + Clone {
    leaf().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            4 => object(inner.clone()),
            2 => (inner.clone(), 0_usize..3).prop_map(|(items, least)| json!({"type": "array", "items": items, "minItems": least})),
            1 => (vec(inner.clone(), 1..3), any::<bool>()).prop_map(|(all, open)| {
                json!({"type": "array", "prefixItems": all, "items": open})
            }),
            2 => vec(inner.clone(), 1..4).prop_map(|all| json!({"anyOf": all, "title": "Some"})),
            1 => vec(inner.clone(), 1..3).prop_map(|all| json!({"oneOf": all})),
            1 => (object(inner.clone()), object(inner.clone())).prop_map(|(a, b)| json!({"allOf": [a, b]})),
            1 => (object(inner.clone()), vec(object(inner.clone()), 1..3)).prop_map(|(mut base, all)| {
                if let Some(map) = base.as_object_mut() {
                    map.insert("anyOf".to_owned(), all.into());
                }
                base
            }),
            1 => inner.clone().prop_map(|inner| json!({"allOf": [inner], "description": "Wrapped."})),
            1 => inner.clone().prop_map(|inner| json!({"type": "array", "contains": inner, "uniqueItems": true})),
        ]
    })
    .boxed()
}

fn root() -> impl Strategy<Value = Value> {
    let alternatives = vec(object(schema()), 1..4).boxed();
    let base = prop_oneof![
        4 => object(schema()),
        1 => alternatives.clone().prop_map(|all| json!({"anyOf": all})),
        1 => alternatives.prop_map(|all| json!({"type": "object", "oneOf": all})),
        1 => (object(schema()), object(schema())).prop_map(|(a, b)| json!({"allOf": [a, b]})),
        1 => Just(json!({"$ref": "#/$defs/d0"})),
    ];
    (base, object(schema()), schema()).prop_map(|(mut base, d0, d1)| {
        if let Some(map) = base.as_object_mut() {
            map.insert("$defs".to_owned(), json!({"d0": d0, "d1": d1}));
        }
        base
    })
}

/// Whatever is written under the keywords.
fn soup() -> impl Strategy<Value = Value> {
    const KEYS: &[&str] = &[
        "type",
        "properties",
        "required",
        "items",
        "anyOf",
        "oneOf",
        "allOf",
        "$ref",
        "enum",
        "const",
        "not",
        "if",
        "then",
        "else",
        "additionalProperties",
        "patternProperties",
        "prefixItems",
        "nullable",
        "minimum",
        "maxLength",
        "exclusiveMinimum",
        "pattern",
        "format",
        "$defs",
        "default",
        "description",
        "title",
        "dependentRequired",
        "unevaluatedProperties",
        "contains",
        "propertyNames",
        "additionalItems",
        "multipleOf",
        "a",
        "x-y",
        "é[",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3_i64..9).prop_map(Value::from),
        select(vec![
            "object",
            "string",
            "array",
            "NULL",
            "file",
            "#/$defs/a",
            "#",
            "#/properties/a",
            "http://x/y",
            "(",
            "^a$"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 6, |inner| {
        prop_oneof![
            3 => btree_map(select(KEYS), inner.clone(), 0..6)
                .prop_map(|map| Value::Object(map.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())),
            1 => vec(inner, 0..4).prop_map(Value::Array),
        ]
    })
}

/// 200 cases, or as many as the variable `PROPTEST_CASES` says.
fn config() -> ProptestConfig {
    let said = ProptestConfig::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { said.cases } else { 200 };
    ProptestConfig { cases, failure_persistence: None, ..said }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_the_original_accepts_is_accepted_and_comes_back(schema in root(), seed in any::<u64>()) {
        let mut dice = Dice::new(seed);
        let read = declared(&schema);
        for _ in 0..6 {
            let Some(value) = sample(&schema, &schema, &mut dice, 0) else { continue };
            if value.is_object() && accepts(&schema, &value) == Some(true) && accepts(&read, &value) == Some(true) {
                holds(&schema, &value);
            }
        }
    }

    #[test]
    fn every_result_is_clean(schema in root()) {
        for (dialect, normalised) in all(&schema) {
            prop_assert!(normalised.loosened().iter().all(|l| l.how != How::Replaced), "{dialect}: {schema}");
            // What is clean for the vendor is JSON Schema for everybody.
            let judged = super::support::as_json_schema(normalised.schema());
            prop_assert!(accepts(&judged, &json!({})).is_some(), "{dialect}: {}", normalised.schema());
        }
    }

    #[test]
    fn soup_is_made_clean(schema in soup(), said in soup()) {
        for (dialect, normalised) in all(&schema) {
            prop_assert!(normalised.loosened().iter().all(|l| l.how != How::Replaced), "{dialect}: {schema}");
            // Whatever a model says, nothing breaks.
            let _ = normalised.restore(said.clone());
            let _ = normalised.express(&said);
        }
    }

    #[test]
    fn a_clean_schema_of_a_wide_dialect_stays_as_it_is(schema in root()) {
        for dialect in [Dialect::Anthropic, Dialect::OpenAi] {
            let once = normalise(&schema, dialect);
            let twice = normalise(once.schema(), dialect);
            prop_assert_eq!(once.schema(), twice.schema(), "{}", dialect);
            prop_assert!(twice.is_plain());
        }
    }
}
