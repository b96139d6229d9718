//! Each change by example.

use serde_json::{Value, json};

use super::support::{all, holds};
use crate::schema::dialect::{Dialect, How, ModelTool, RULES, gemini_tool, lint, lint_tool, normalise};

fn field(schema: Value) -> Value {
    json!({"type": "object", "properties": {"f": schema}, "required": ["f"], "additionalProperties": false})
}

/// What a field becomes.
fn becomes(schema: Value, dialect: Dialect) -> Value {
    normalise(&field(schema), dialect).schema()["properties"]["f"].clone()
}

#[test]
fn a_plain_schema_passes_unchanged() {
    let schema = json!({
        "type": "object",
        "properties": {"f": {"type": "string", "description": "A word."}},
        "required": ["f"],
        "additionalProperties": false,
    });
    for (dialect, normalised) in all(&schema) {
        if dialect != Dialect::Gemini {
            assert_eq!(normalised.schema(), &schema, "{dialect}");
            assert_eq!(normalised.loosened(), [], "{dialect}");
        }
        assert!(normalised.is_plain(), "{dialect}");
    }
}

#[test]
fn strict_asks_for_every_field_and_takes_the_nulls_back() {
    let schema = json!({
        "type": "object",
        "properties": {
            "a": {"type": "string"},
            "b": {"type": "string", "enum": ["x"]},
            "c": {"type": "object", "properties": {"d": {"type": "integer"}}, "additionalProperties": false},
        },
        "required": ["a"],
        "additionalProperties": false,
    });
    let strict = normalise(&schema, Dialect::OpenAiStrict);
    assert_eq!(strict.schema()["required"], json!(["a", "b", "c"]));
    assert_eq!(strict.schema()["properties"]["b"], json!({"type": ["string", "null"], "enum": ["x", null]}));
    assert_eq!(strict.schema()["properties"]["c"]["anyOf"][1], json!({"type": "null"}));
    let said = json!({"a": "1", "b": null, "c": {"d": null}});
    assert_eq!(strict.restore(said), json!({"a": "1", "c": {}}));
    assert_eq!(strict.restore(json!({"a": "1", "b": "x", "c": null})), json!({"a": "1", "b": "x"}));
    // A null that the original asks for stays.
    let nullable = field(json!({"type": ["string", "null"]}));
    assert_eq!(normalise(&nullable, Dialect::OpenAiStrict).restore(json!({"f": null})), json!({"f": null}));
}

#[test]
fn what_cannot_be_typed_travels_as_text() {
    for dialect in [Dialect::OpenAiStrict, Dialect::Gemini] {
        for (schema, value) in [
            (json!({}), json!({"any": ["thing"]})),
            (json!({"type": "object"}), json!({"k": null})),
            (json!({"type": "object", "additionalProperties": {"type": "integer"}}), json!({"k": 1})),
            (json!({"type": "array"}), json!([1, "a", null])),
        ] {
            let normalised = normalise(&field(schema.clone()), dialect);
            assert!(normalised.loosened().iter().any(|l| l.how == How::AsText), "{dialect} {schema}");
            holds(&field(schema), &json!({"f": value}));
        }
    }
    // A model that writes a word or the value itself is understood too.
    let any = normalise(&field(json!({})), Dialect::Gemini);
    assert_eq!(any.restore(json!({"f": "plain word"})), json!({"f": "plain word"}));
    assert_eq!(any.restore(json!({"f": {"k": 1}})), json!({"f": {"k": 1}}));
}

#[test]
fn undeclared_properties_have_a_place() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "integer"}});
    for dialect in [Dialect::OpenAiStrict, Dialect::Gemini] {
        let normalised = normalise(&schema, dialect);
        let said = json!({"a": "x", "additional_properties": "{\"b\": 2}"});
        assert_eq!(normalised.restore(said), json!({"a": "x", "b": 2}), "{dialect}");
        // What is no object is left for the tool to refuse.
        let wrong = json!({"a": "x", "additional_properties": "b=2"});
        assert_eq!(normalised.restore(wrong.clone()), wrong, "{dialect}");
    }
    holds(&schema, &json!({"a": "x", "b": 2, "c": 3}));
}

#[test]
fn names_that_an_api_refuses_are_others_for_the_model() {
    let schema = json!({
        "type": "object",
        "properties": {"filter[id]": {"type": "string"}, "filter_id_": {"type": "string"}, "$top": {"type": "integer"}},
        "required": ["$top"],
    });
    let anthropic = normalise(&schema, Dialect::Anthropic);
    let names: Vec<_> = anthropic.schema()["properties"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["filter_id__2", "filter_id_", "_top"]);
    assert_eq!(anthropic.schema()["required"], json!(["_top"]));
    let said = json!({"filter_id__2": "a", "filter_id_": "b", "_top": 3});
    assert_eq!(anthropic.restore(said), json!({"filter[id]": "a", "filter_id_": "b", "$top": 3}));
    assert_eq!(normalise(&schema, Dialect::OpenAi).schema()["properties"], schema["properties"]);
    holds(&schema, &json!({"filter[id]": "a", "filter_id_": "b", "$top": 3}));
}

#[test]
fn alternatives_at_the_root_become_one_object() {
    let schema = json!({
        "type": "object",
        "properties": {"project": {"type": "string"}},
        "required": ["project"],
        "oneOf": [
            {"properties": {"kind": {"const": "file"}, "path": {"type": "string"}}, "required": ["kind", "path"]},
            {"properties": {"kind": {"const": "url"}, "url": {"type": "string"}}, "required": ["kind", "url"]},
        ],
    });
    for (dialect, normalised) in all(&schema) {
        let properties = normalised.schema()["properties"].as_object().unwrap();
        assert_eq!(properties.keys().collect::<Vec<_>>(), ["project", "kind", "path", "url"], "{dialect}");
        assert!(normalised.schema()["description"].as_str().unwrap().contains("path; or url"), "{dialect}");
    }
    let anthropic = normalise(&schema, Dialect::Anthropic);
    assert_eq!(anthropic.schema()["properties"]["kind"], json!({"enum": ["file", "url"]}));
    assert_eq!(anthropic.schema()["required"], json!(["project", "kind"]));
    holds(&schema, &json!({"project": "p", "kind": "url", "url": "x"}));
}

#[test]
fn an_alternative_that_takes_any_property_takes_those_of_the_others() {
    let schema = json!({"anyOf": [
        {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
        {"type": "object", "properties": {"b": {"type": "string"}}, "required": ["b"], "additionalProperties": true},
    ]});
    holds(&schema, &json!({"a": 1}));
    holds(&schema, &json!({"b": "x", "a": "no number"}));
}

#[test]
fn a_string_beside_a_text_is_a_text_too() {
    let schema = field(json!({"anyOf": [{"type": "string"}, {"type": "object"}]}));
    holds(&schema, &json!({"f": "{\"a\":1}"}));
    holds(&schema, &json!({"f": {"a": 1}}));
}

#[test]
fn alternatives_that_would_be_mistaken_for_each_other_are_a_text() {
    let any = json!(true);
    let strings = json!({"type": "array", "items": {"type": "string"}});
    for (alternatives, values) in [
        (
            json!([strings, {"type": "array"}, {"type": "string"}]),
            vec![json!([null, {"k": 1}]), json!(["1", "x"]), json!([]), json!("[1]")],
        ),
        (json!([strings, {"type": "array"}]), vec![json!([1]), json!(["1"]), json!([[null]])]),
        (
            json!([
                {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
                {"type": "object", "properties": {"a": any}, "required": ["a"]},
            ]),
            vec![json!({"a": {"k": 1}}), json!({"a": "1"}), json!({"a": 1})],
        ),
        (
            json!([
                {"type": "object", "properties": {"a": any, "b": {"type": "string"}}, "required": ["a", "b"]},
                {"type": "object", "properties": {"a": {"type": "string"}, "b": any}, "required": ["a", "b"]},
            ]),
            vec![json!({"a": "x", "b": {"k": 1}}), json!({"a": [1], "b": "2"})],
        ),
        (
            json!([
                {"type": "array", "items": {"type": "array", "items": {"type": "string"}}},
                {"type": "array", "items": {"type": "array"}},
            ]),
            vec![json!([["1"]]), json!([[1], []])],
        ),
    ] {
        let schema = field(json!({"anyOf": alternatives}));
        for dialect in [Dialect::OpenAiStrict, Dialect::Gemini] {
            assert_eq!(
                becomes(json!({"anyOf": alternatives}), dialect)["type"],
                "string",
                "{dialect}: {schema}"
            );
        }
        for value in values {
            holds(&schema, &json!({"f": value}));
        }
    }
    // Null would be an absent field by the first, and null by the second.
    let nulls = json!({"anyOf": [
        {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": false},
        {"type": "object", "properties": {"a": {"type": ["string", "null"]}}, "required": ["a"], "additionalProperties": false},
    ]});
    assert_eq!(becomes(nulls.clone(), Dialect::OpenAiStrict)["type"], "string");
    assert!(becomes(nulls.clone(), Dialect::Gemini)["anyOf"].is_array());
    holds(&field(nulls.clone()), &json!({"f": {"a": null}}));
    holds(&field(nulls), &json!({"f": {}}));
}

#[test]
fn alternatives_that_can_be_told_apart_stay() {
    let object = |properties: Value, required: Value| json!({"type": "object", "properties": properties, "required": required});
    let some = |items: Value| json!({"type": "array", "items": items, "minItems": 1});
    for (alternatives, values) in [
        (
            // By the value of a property.
            json!([
                object(json!({"kind": {"const": "a"}, "f": true}), json!(["kind"])),
                object(json!({"kind": {"const": "b"}, "f": {"type": "string"}}), json!(["kind"])),
            ]),
            vec![json!({"kind": "a", "f": {"k": 1}}), json!({"kind": "b", "f": "1"}), json!({"kind": "b"})],
        ),
        (
            // By a property that only one has.
            json!([
                object(json!({"a": true, "f": {"type": "string"}}), json!(["a"])),
                object(json!({"b": {"type": "string"}, "f": true}), json!(["b"])),
            ]),
            vec![json!({"a": 1, "f": "1"}), json!({"b": "1", "f": 1})],
        ),
        (
            // By the type of an item.
            json!([some(json!({"type": "integer"})), some(json!({"type": "object"}))]),
            vec![json!([1]), json!([{"k": 1}])],
        ),
        (
            // The way back is the same: null is null.
            json!([
                object(json!({"a": {"type": ["integer", "null"]}, "f": true}), json!(["a"])),
                object(json!({"a": {"type": ["boolean", "null"]}, "f": true}), json!(["a"])),
            ]),
            vec![json!({"a": null, "f": 1}), json!({"a": true, "f": "1"})],
        ),
    ] {
        let union = json!({"anyOf": alternatives});
        for dialect in [Dialect::OpenAiStrict, Dialect::Gemini] {
            assert!(becomes(union.clone(), dialect)["anyOf"].is_array(), "{dialect}: {union}");
        }
        for value in values {
            holds(&field(union.clone()), &json!({"f": value}));
        }
    }
}

#[test]
fn an_alternative_is_chosen_by_the_properties_that_it_declares() {
    let union = |a: Value, b: Value| {
        let object = |properties| json!({"type": "object", "properties": properties});
        field(json!({"anyOf": [object(a), object(b)]}))
    };
    let text = normalise(&union(json!({"a": {"type": "string"}}), json!({"b": true})), Dialect::Gemini);
    assert_eq!(text.restore(json!({"f": {"b": "{\"k\":1}"}})), json!({"f": {"b": {"k": 1}}}));
    let integer = json!({"type": "integer"});
    let renamed = normalise(&union(json!({"a": integer}), json!({"b[]": integer})), Dialect::Anthropic);
    assert_eq!(renamed.restore(json!({"f": {"b__": 1}})), json!({"f": {"b[]": 1}}));
    // What stands beside alternatives does not declare all that they do.
    let open = json!({"type": "object", "properties": {}, "anyOf": [{"additionalProperties": true}]});
    let item = json!({"type": "object", "properties": {"c[]": open}, "additionalProperties": false});
    let strings = json!({"type": "array", "contains": {"type": "string"}});
    let parts = field(json!({"anyOf": [{"type": "array", "items": item}, strings.clone()]}));
    let said = normalise(&parts, Dialect::Anthropic).express(&json!({"f": [{"c[]": {"x": 1}}]}));
    assert_eq!(said, json!({"f": [{"c__": {"x": 1}}]}));
    // Nor does an array that only has to contain something, or an object of any properties, declare what is in it.
    let named =
        json!({"type": "object", "properties": {"c[]": {"type": "integer"}}, "additionalProperties": false});
    let parts =
        field(json!({"anyOf": [strings, {"type": "object"}, {"type": "array", "items": named}, named]}));
    let anthropic = normalise(&parts, Dialect::Anthropic);
    assert_eq!(anthropic.restore(json!({"f": [{"c__": 1}]})), json!({"f": [{"c[]": 1}]}));
    assert_eq!(anthropic.restore(json!({"f": {"c__": 1}})), json!({"f": {"c[]": 1}}));
    assert_eq!(anthropic.restore(json!({"f": {"other": 1}})), json!({"f": {"other": 1}}));
    holds(&parts, &json!({"f": [{"c[]": 1}]}));
}

#[test]
fn what_is_referred_to_is_written_out() {
    let schema = json!({
        "type": "object",
        "properties": {"f": {"$ref": "#/components/schemas/a~1b%20c", "description": "Mine."}},
        "components": {"schemas": {"a/b c": {"type": "string", "description": "Its."}}},
    });
    for (dialect, normalised) in all(&schema) {
        let f = &normalised.schema()["properties"]["f"];
        assert_eq!(f["description"], "Mine.", "{dialect}");
        assert!(f["type"] == "string" || f["type"] == json!(["string", "null"]), "{dialect}: {f}");
    }
    let nowhere = normalise(&field(json!({"$ref": "http://x/y"})), Dialect::Anthropic);
    assert!(nowhere.loosened().iter().any(|l| l.how == How::Dropped && l.pointer == "/properties/f"));
}

#[test]
fn each_keyword_where_it_is_taken_and_in_words_where_not() {
    let s = Dialect::OpenAiStrict;
    let g = Dialect::Gemini;
    for (schema, dialect, expected) in [
        (
            json!({"type": "string", "maxLength": 3}),
            s,
            json!({"type": "string", "description": "At most 3 characters."}),
        ),
        (json!({"type": "string", "maxLength": 3}), g, json!({"type": "string", "maxLength": 3})),
        (json!({"type": "string", "format": "uuid"}), s, json!({"type": "string", "format": "uuid"})),
        (
            json!({"type": "string", "format": "uuid"}),
            g,
            json!({"type": "string", "description": "Format: uuid."}),
        ),
        (json!({"type": "integer", "enum": [1, 2]}), s, json!({"type": "integer", "enum": [1, 2]})),
        (
            json!({"type": "integer", "enum": [1, 2]}),
            g,
            json!({"type": "integer", "description": "One of: 1, 2."}),
        ),
        (
            json!({"type": "integer", "format": "int64", "exclusiveMinimum": 0}),
            g,
            json!({"type": "integer", "format": "int64", "description": "More than 0."}),
        ),
        (json!({"type": ["string", "null"]}), s, json!({"type": ["string", "null"]})),
        (json!({"type": ["string", "null"]}), g, json!({"type": "string", "nullable": true})),
        (json!({"type": "string", "nullable": true}), s, json!({"type": ["string", "null"]})),
        (
            json!({"anyOf": [{"type": "string"}, {"type": "integer"}], "description": "D."}),
            g,
            json!({"anyOf": [{"type": "string", "description": "D."}, {"type": "integer"}]}),
        ),
        (json!({"const": "c"}), g, json!({"type": "string", "enum": ["c"]})),
        (
            json!({"type": "null"}),
            g,
            json!({"type": "string", "nullable": true, "description": "Always null."}),
        ),
        (
            json!({"allOf": [{"type": "string", "minLength": 1}, {"minLength": 2, "maxLength": 4}]}),
            g,
            json!({"type": "string", "minLength": 2, "maxLength": 4}),
        ),
        (
            json!({"type": "string", "title": "T", "default": "d"}),
            s,
            json!({"type": "string", "description": "T. Default: \"d\"."}),
        ),
        (
            json!({"type": "array", "items": [{"type": "string"}], "additionalItems": false}),
            s,
            json!({"type": "array", "items": {"type": "string"}, "maxItems": 1,
                "description": "JSON Schema `prefixItems`: [{\"type\":\"string\"}]"}),
        ),
        (
            json!({"type": "number", "minimum": 1, "exclusiveMinimum": true}),
            s,
            json!({"type": "number", "exclusiveMinimum": 1}),
        ),
        (
            json!({"type": "string", "pattern": "a(?=b)"}),
            s,
            json!({"type": "string", "description": "Matches the pattern a(?=b)"}),
        ),
    ] {
        let is = becomes(schema.clone(), dialect);
        assert_eq!(is, expected, "{dialect} of {schema}");
    }
}

#[test]
fn wide_dialects_keep_json_schema_below_the_root() {
    for schema in [
        json!({"oneOf": [{"type": "string"}, {"type": "integer"}]}),
        json!({"type": "string", "not": {"const": "x"}}),
        json!({"type": "array", "prefixItems": [{"type": "string"}], "items": {"type": "integer"}}),
        json!({"type": "object", "patternProperties": {"^a": {"type": "string"}}, "additionalProperties": false}),
        json!({"type": "object", "properties": {"a": {"type": "string"}}, "if": {"required": ["a"]}, "then": {"minProperties": 2}}),
        json!({"type": "object", "minProperties": 1, "additionalProperties": {"type": "string"}}),
    ] {
        let whole = field(schema.clone());
        let normalised = normalise(&whole, Dialect::OpenAi);
        assert_eq!(normalised.schema()["properties"]["f"], schema);
        assert_eq!(normalised.loosened(), []);
    }
    // Looser alternatives may overlap: `oneOf` would refuse what it accepted.
    let overlapping =
        json!({"oneOf": [{"type": "string", "pattern": "^(?=a)"}, {"type": "string", "pattern": "^b"}]});
    assert!(becomes(overlapping, Dialect::Anthropic).get("anyOf").is_some());
    // So would it where parts know only their own properties, and those of both are accepted.
    let closed = |properties: Value| json!({"type": "object", "properties": properties, "additionalProperties": false});
    let parts = json!({"allOf": [closed(json!({})), closed(json!({"b": {"type": "null"}}))]});
    let overlapping = json!({"oneOf": [{"type": "object", "required": ["b"]}, parts]});
    assert!(becomes(overlapping.clone(), Dialect::Anthropic).get("anyOf").is_some());
    holds(&field(overlapping), &json!({"f": {"b": null}}));
    // A looser condition would refuse more.
    let negated = json!({"type": "string", "not": {"pattern": "^(?=a)"}});
    assert!(becomes(negated, Dialect::Anthropic).get("not").is_none());
}

#[test]
fn the_lint_finds_each_rule() {
    let root = |properties: Value| json!({"type": "object", "properties": properties, "required": [], "additionalProperties": false});
    let a = Dialect::Anthropic;
    let o = Dialect::OpenAi;
    let s = Dialect::OpenAiStrict;
    let g = Dialect::Gemini;
    let deep = (0..11).fold(json!({"type": "string"}), |inner, _| {
        json!({"type": "object", "properties": {"a": inner}, "required": ["a"], "additionalProperties": false})
    });
    let wide: Vec<String> = (0..1001).map(|n| n.to_string()).collect();
    let long: Vec<String> = (0..251).map(|n| format!("{n}{}", "x".repeat(60))).collect();
    for (rule, dialect, schema) in [
        ("root-object", a, json!({"type": "string", "properties": {}})),
        ("root-object", g, json!({"type": "object"})),
        ("root-combinator", a, json!({"type": "object", "properties": {}, "anyOf": [{}]})),
        ("root-combinator", o, json!({"type": "object", "properties": {}, "not": {"required": ["a"]}})),
        ("reference", a, root(json!({"a": {"$ref": "#"}}))),
        ("reference", o, root(json!({"a": {"$ref": "#/nowhere"}}))),
        ("reference", g, root(json!({"a": {"$ref": "#"}}))),
        ("property-name", a, root(json!({"a[]": {"type": "string"}}))),
        ("property-name", g, root(json!({"a.b": {"type": "string"}}))),
        ("malformed", a, root(json!({"a": {"required": true}}))),
        ("malformed", s, root(json!({"a": true}))),
        ("type", a, root(json!({"a": {"type": null}}))),
        ("type", s, root(json!({"a": {}}))),
        ("type", g, root(json!({"a": {"type": ["string", "null"]}}))),
        ("keyword", s, root(json!({"a": {"type": "string", "minLength": 1}}))),
        ("keyword", g, json!({"type": "object", "properties": {}, "additionalProperties": false})),
        ("required", s, root(json!({"a": {"type": "string"}}))),
        ("required", g, json!({"type": "object", "properties": {}, "required": ["a"]})),
        ("closed", s, json!({"type": "object", "properties": {}})),
        ("items", o, root(json!({"a": {"type": ["array", "null"]}}))),
        ("items", g, root(json!({"a": {"type": "array"}}))),
        ("empty-object", g, root(json!({"a": {"type": "object"}}))),
        ("format", s, root(json!({"a": {"type": "string", "format": "uri"}}))),
        ("format", g, root(json!({"a": {"type": "string", "format": "email"}}))),
        ("enum", s, root(json!({"a": {"type": "string", "enum": wide}}))),
        ("enum", s, root(json!({"a": {"type": "string", "enum": long}}))),
        ("enum", g, root(json!({"a": {"type": "integer", "enum": [1]}}))),
        ("any-of-alone", g, root(json!({"a": {"anyOf": [{"type": "string"}], "description": "x"}}))),
        ("depth", s, root(json!({"a": deep}))),
        ("properties", s, root((0..5001).map(|n| (n.to_string(), json!({"type": "string"}))).collect())),
        ("strings", s, root(json!({"n".repeat(120_001): {"type": "string"}}))),
        ("size", a, root(json!({"a": {"description": "x".repeat(300_000)}}))),
    ] {
        let rules: Vec<_> = lint(&schema, dialect).into_iter().map(|f| f.rule).collect();
        assert!(rules.contains(&rule), "{dialect} {rule}: {rules:?}");
        assert!(
            rule == "size" || RULES.iter().any(|r| r.id == rule && r.dialects.contains(&dialect)),
            "{dialect} {rule}"
        );
    }
    let empty = json!({"type": "object", "properties": {}});
    assert_eq!(lint_tool("a b", "", &empty, a)[0].rule, "name");
    assert_eq!(lint_tool("9a", "", &empty, g)[0].rule, "name");
    assert_eq!(lint_tool("a", &"x".repeat(1025), &empty, o)[0].rule, "description");
    assert_eq!(lint_tool("a", &"x".repeat(1025), &empty, a), []);
}

#[test]
fn every_rule_names_its_page() {
    for rule in RULES {
        assert!(rule.page.starts_with("https://"), "{}", rule.id);
        assert!(!rule.dialects.is_empty() && !rule.says.is_empty(), "{}", rule.id);
    }
}

#[test]
fn tools_are_written_as_each_api_takes_them() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]});
    let tool = |dialect| ModelTool::new("files__read", "Reads.", &schema, dialect);
    let anthropic = tool(Dialect::Anthropic).to_json();
    assert_eq!(
        anthropic.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["name", "description", "input_schema"]
    );
    assert_eq!(tool(Dialect::OpenAi).to_json()["function"]["strict"], false);
    assert_eq!(
        tool(Dialect::OpenAiStrict).to_json()["function"]["parameters"]["additionalProperties"],
        false
    );
    let responses = tool(Dialect::OpenAiStrict).to_responses_json().unwrap();
    assert_eq!(
        responses.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["type", "name", "description", "parameters", "strict"]
    );
    assert!(tool(Dialect::Gemini).to_responses_json().is_none());
    let none = ModelTool::new("t__ping", "Pings.", &json!({"type": "object"}), Dialect::Gemini).to_json();
    assert!(none.get("parameters").is_none());
    assert_eq!(gemini_tool(vec![none])["functionDeclarations"][0]["name"], "t__ping");
    let long = ModelTool::new("t__a", &"ä".repeat(2000), &schema, Dialect::OpenAi);
    assert_eq!(long.description.chars().count(), 1024);
}
