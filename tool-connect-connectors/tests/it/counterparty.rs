//! Tool definitions for models, judged by the packages that the model vendors publish.

use http::Method;
use serde_json::{Map, Value, json};
use tool_connect_connectors::filesystem::Filesystem;
use tool_connect_connectors::http::Http;
use tool_connect_core::{AuthScheme, Connector, ToolSet};

use crate::vendors::{assert_accepted, forms, judged};

fn tools_of(connector: &dyn Connector) -> Vec<Value> {
    let mut set = ToolSet::default();
    connector.tools(&mut set);
    let id = &connector.manifest().id;
    set.tools()
        .iter()
        .flat_map(|tool| {
            let definition = tool.definition();
            let schema = definition.input.schema().unwrap();
            forms(&format!("{id}__{}", definition.name), &definition.description, schema.as_value())
        })
        .collect()
}

#[test]
#[ignore = "needs a counterparty"]
fn counterparty_types_of_the_vendors_accept_every_tool_of_ours() {
    let temp = tempfile::tempdir().unwrap();
    let mut entries = tools_of(&Filesystem::new(temp.path()).unwrap());
    let http = Http::builder()
        .allow_host("files.example")
        .allow_methods([Method::GET, Method::POST])
        .auth(AuthScheme::Bearer)
        .build()
        .unwrap();
    entries.extend(tools_of(&http));
    assert!(entries.len() > 40, "{}", entries.len());
    #[cfg(feature = "github")]
    entries.extend(tools_of(&tool_connect_connectors::github::GitHub::new()));
    #[cfg(feature = "gmail")]
    entries.extend(tools_of(&tool_connect_connectors::gmail::Gmail::new()));
    #[cfg(feature = "google_calendar")]
    entries.extend(tools_of(&tool_connect_connectors::google_calendar::GoogleCalendar::new()));
    #[cfg(feature = "google_drive")]
    entries.extend(tools_of(&tool_connect_connectors::google_drive::GoogleDrive::new()));
    #[cfg(feature = "linear")]
    entries.extend(tools_of(&tool_connect_connectors::linear::Linear::new()));
    #[cfg(feature = "notion")]
    entries.extend(tools_of(&tool_connect_connectors::notion::Notion::new()));
    #[cfg(feature = "slack")]
    entries.extend(tools_of(&tool_connect_connectors::slack::Slack::new()));
    #[cfg(feature = "slack")]
    entries.extend(tools_of(&tool_connect_connectors::slack::SlackUser::new()));
    #[cfg(feature = "declarative")]
    entries.extend(crate::declarative::builtin::all().flat_map(|(_, file)| tools_of(&file)));
    assert_accepted(&entries);
}

#[test]
#[ignore = "needs a counterparty"]
fn counterparty_types_of_the_vendors_accept_every_nasty_schema() {
    let deep = (0..30)
        .fold(json!({"type": "string"}), |inner, _| json!({"type": "object", "properties": {"a": inner}}));
    let wide: Map<String, Value> = (0..3000).map(|n| (format!("p{n}"), json!({"type": "integer"}))).collect();
    let nasty = [
        json!(true),
        json!(false),
        json!(null),
        json!({}),
        json!({"type": null}),
        json!({"type": "string"}),
        json!({"$ref": "#"}),
        json!({"anyOf": [{"required": ["a"]}, {"required": ["b"]}], "properties": {"a": {}, "b": true}}),
        json!({"oneOf": [{"type": "object", "properties": {"k": {"const": 1}}}, {"type": "object", "properties": {"k": {"const": "x"}}}]}),
        json!({"properties": {"a[]": {"$ref": "http://x/y"}, "": {}, "9": false, "ä b": {"type": "file"}}}),
        json!({"type": "object", "properties": {"a": {"enum": [null, 1, "x", [2], {"b": 3}]}, "b": {"enum": []}, "c": {"const": null}}}),
        json!({"type": "object", "properties": {"a": {"type": ["array", "object", "null", "string"]}, "b": {"items": [{"type": "string"}, true]}}}),
        json!({"type": "object", "additionalProperties": {"$ref": "#"}, "patternProperties": {"^(?=x)": {}}}),
        json!({"type": "object", "properties": {"a": {"allOf": [{"type": "integer"}, {"type": "string"}], "not": {}, "if": true, "then": false}}}),
        json!({"type": "object", "properties": {"n": {"type": "number", "minimum": "3", "exclusiveMaximum": true, "maximum": 4}}, "required": true}),
        json!({"type": "object", "properties": {"t": {"type": "string", "nullable": true, "format": "uuid", "minLength": 2}}, "required": ["t", "u"]}),
        json!({"type": "object", "properties": {"node": {"$ref": "#/$defs/n"}}, "$defs": {"n": {"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#/$defs/n"}, {"type": "null"}]}}}}}),
        deep,
        json!({"type": "object", "properties": wide}),
    ];
    let entries: Vec<Value> = nasty
        .iter()
        .enumerate()
        .flat_map(|(n, schema)| forms(&format!("nasty__n{n}"), "Is nasty.", schema))
        .collect();
    assert_accepted(&entries);
}

#[test]
#[ignore = "needs a counterparty"]
fn counterparty_types_of_the_vendors_accept_generated_schemas() {
    let mut dice = Dice(7);
    let entries: Vec<Value> = (0..400)
        .flat_map(|n| {
            let schema = dice.object(4);
            forms(&format!("made__n{n}"), "Is generated.", &schema)
        })
        .collect();
    assert_accepted(&entries);
}

#[test]
#[ignore = "needs a counterparty"]
fn counterparty_types_of_the_vendors_refuse_what_is_not_normalised() {
    let raw =
        json!({"type": "object", "properties": {"a": {"oneOf": [{"type": "string"}]}, "b": {"$ref": "#/x"}}});
    let root = json!({"type": "string"});
    let entries = [
        json!({"form": "anthropic", "tool": {"name": "t", "input_schema": root}}),
        json!({"form": "anthropic", "tool": {"name": "t", "parameters": raw}}),
        json!({"form": "openai-chat", "tool": {"type": "function", "function": {"name": "t", "strict": true, "parameters": raw}}}),
        json!({"form": "openai-responses", "tool": {"type": "function", "name": "t", "strict": true, "parameters": raw}}),
        json!({"form": "openai-responses", "tool": {"type": "function", "function": {"name": "t"}}}),
        json!({"form": "gemini", "tool": {"name": "t", "parameters": raw}}),
        json!({"form": "gemini", "tool": {"name": "t", "parameters": {"type": "object", "properties": {"a": {"type": "integer", "enum": [1]}}}}}),
    ];
    for (entry, verdict) in entries.iter().zip(judged(&entries)) {
        assert!(verdict.is_string(), "accepted: {entry}");
    }
}

/// Schemas that are the same on every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn object(&mut self, depth: u64) -> Value {
        let names = ["a", "b", "filter[x]", "$top", "kind"];
        let count = self.roll(5) as usize;
        let properties: Map<String, Value> = names
            .iter()
            .take(count)
            .map(|name| ((*name).to_owned(), self.schema(depth.saturating_sub(1))))
            .collect();
        let required: Vec<String> = properties.keys().filter(|_| self.roll(2) == 0).cloned().collect();
        let mut schema = json!({"type": "object", "properties": properties, "required": required});
        match self.roll(4) {
            0 => schema["additionalProperties"] = json!(false),
            1 => schema["additionalProperties"] = self.schema(depth.saturating_sub(2)),
            _ => {}
        }
        schema
    }

    fn schema(&mut self, depth: u64) -> Value {
        match self.roll(if depth == 0 { 6 } else { 11 }) {
            0 => json!({"type": "string", "maxLength": 9, "format": "email"}),
            1 => json!({"type": "integer", "enum": [1, 2], "description": "A number."}),
            2 => json!({"type": ["string", "null"], "default": "x"}),
            3 => json!({"type": "object"}),
            4 => json!({"const": "c"}),
            5 => json!({"type": "boolean", "nullable": true}),
            6 => json!({"type": "array", "items": self.schema(depth - 1), "uniqueItems": true}),
            7 => {
                json!({"anyOf": [self.schema(depth - 1), self.schema(depth - 1), {"type": "null"}], "title": "T"})
            }
            8 => json!({"oneOf": [self.object(depth - 1), self.schema(depth - 1)]}),
            9 => json!({"allOf": [self.object(depth - 1), self.object(depth - 1)]}),
            _ => self.object(depth - 1),
        }
    }
}
