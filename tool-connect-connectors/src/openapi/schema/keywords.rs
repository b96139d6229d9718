//! The keywords of one schema object: what means something to who fills in arguments, and is well formed.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::values::{count, fitting, number, usable};
use super::{Converter, Direction, LEFT_OUT, Object};
use crate::openapi::document::Document;
use crate::openapi::words::sentence;

/// Longest description of a part, in bytes.
const WORDS: usize = 300;
/// Longest example, in bytes of its text.
const EXAMPLE: usize = 60;

/// A description as it is kept.
pub(super) fn words(text: &str) -> Option<String> {
    let text = sentence(text, WORDS);
    (!text.is_empty()).then_some(text)
}

/// Whether null is a value too, in the words of 3.0 and of common extensions.
pub(super) fn nullable(object: &Object) -> bool {
    ["nullable", "x-nullable"].iter().any(|key| object.get(*key) == Some(&Value::Bool(true)))
}

impl Converter<'_> {
    /// What a schema object says, without its `allOf`.
    pub(super) fn keywords(&mut self, document: &Arc<Document>, object: &Object) -> Object {
        let mut out = Map::new();
        let types = self.types(object);
        let has = |name: &str| types.is_empty() || types.contains(&name);
        if let Some(text) = object.get("description").and_then(Value::as_str).and_then(words) {
            out.insert("description".to_owned(), text.into());
        }
        self.properties(document, object, &mut out);
        if has("array") {
            self.items(document, object, &mut out);
        }
        self.alternatives(document, object, &mut out);
        // The type stands first, for who reads.
        let typed = self.typed(object, types, &out);
        let mut whole = Map::new();
        if let Some(typed) = typed {
            whole.insert("type".to_owned(), typed);
        }
        whole.extend(out);
        self.values(object, &mut whole);
        self.bounds(object, &mut whole);
        whole
    }

    /// The types that are named; the common misspellings mean something, others are dropped.
    fn types(&mut self, object: &Object) -> Vec<&'static str> {
        let named: Vec<&str> = match object.get("type") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let mut types = Vec::new();
        for name in named {
            let known = match name.to_ascii_lowercase().as_str() {
                "string" | "str" | "text" | "date" | "datetime" | "date-time" | "uuid" | "file"
                | "binary" | "byte" | "password" | "email" | "uri" | "url" | "enum" => "string",
                "integer" | "int" | "int32" | "int64" | "long" => "integer",
                "number" | "float" | "double" | "decimal" => "number",
                "boolean" | "bool" => "boolean",
                "array" | "list" => "array",
                "object" | "map" | "dict" => "object",
                "null" => "null",
                _ => {
                    self.note(format!("the type `{}` is not known", crate::openapi::documents::shown(name)));
                    continue;
                }
            };
            if !types.contains(&known) {
                types.push(known);
            }
        }
        types
    }

    /// The `type` as it is written: what follows from the other keywords where none is named.
    fn typed(&self, object: &Object, mut types: Vec<&'static str>, out: &Object) -> Option<Value> {
        if types.is_empty() {
            if out.contains_key("anyOf") {
                return None;
            }
            if out.contains_key("properties") || out.get("additionalProperties").is_some_and(Value::is_object)
            {
                types.push("object");
            } else if object.contains_key("items") {
                types.push("array");
            } else if let Some(Value::Array(values)) = object.get("enum")
                && values.iter().all(Value::is_string)
            {
                types.push("string");
            } else if object.contains_key("pattern") || object.contains_key("minLength") {
                types.push("string");
            }
        }
        if nullable(object) && !types.is_empty() && !types.contains(&"null") {
            types.push("null");
        }
        match types.as_slice() {
            [] => None,
            [one] => Some((*one).into()),
            many => Some(json!(many)),
        }
    }

    fn properties(&mut self, document: &Arc<Document>, object: &Object, out: &mut Object) {
        let mut left_out = Vec::new();
        let mut required: Vec<Value> = match object.get("required") {
            Some(Value::Array(names)) => names.iter().filter(|name| name.is_string()).cloned().collect(),
            _ => Vec::new(),
        };
        if let Some(Value::Object(properties)) = object.get("properties") {
            let mut kept = Map::new();
            for (name, schema) in properties {
                if self.goes_the_other_way(schema) || *schema == Value::Bool(false) {
                    left_out.push(Value::from(name.as_str()));
                    continue;
                }
                // A mistake that many make: the property says itself that it is required.
                if schema.get("required") == Some(&Value::Bool(true)) {
                    required.push(name.as_str().into());
                }
                kept.insert(name.clone(), self.schema(document, schema));
            }
            out.insert("properties".to_owned(), Value::Object(kept));
        }
        if !required.is_empty() {
            let mut names: Vec<Value> = Vec::new();
            for name in required {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            out.insert("required".to_owned(), Value::Array(names));
        }
        if !left_out.is_empty() {
            out.insert(LEFT_OUT.to_owned(), Value::Array(left_out));
        }
        match object.get("additionalProperties") {
            Some(Value::Bool(any)) => {
                // `true` is what holds without it, and says that more names are meant.
                out.insert("additionalProperties".to_owned(), Value::Bool(*any));
            }
            Some(schema @ Value::Object(_)) => {
                let schema = self.schema(document, schema);
                out.insert("additionalProperties".to_owned(), schema);
            }
            _ => {}
        }
    }

    fn goes_the_other_way(&self, schema: &Value) -> bool {
        let mark = match self.direction {
            Direction::Request => "readOnly",
            Direction::Response => "writeOnly",
        };
        schema.get(mark) == Some(&Value::Bool(true))
    }

    fn items(&mut self, document: &Arc<Document>, object: &Object, out: &mut Object) {
        match object.get("items") {
            Some(Value::Array(many)) => {
                let items: Vec<Value> = many.iter().map(|item| self.schema(document, item)).collect();
                if !items.is_empty() {
                    out.insert("items".to_owned(), json!({ "anyOf": items }));
                }
            }
            Some(one) => {
                let items = self.schema(document, one);
                out.insert("items".to_owned(), items);
            }
            None => {
                // Positions of a tuple, as alternatives: models are not told of positions.
                if let Some(Value::Array(many)) = object.get("prefixItems") {
                    let items: Vec<Value> = many.iter().map(|item| self.schema(document, item)).collect();
                    if !items.is_empty() {
                        out.insert("items".to_owned(), json!({ "anyOf": items }));
                    }
                } else if object.get("type").is_some_and(|t| t == "array") {
                    out.insert("items".to_owned(), json!({}));
                }
            }
        }
    }

    /// `oneOf` as `anyOf`: descriptions overlap where they should not, and a service takes what fits two of its forms.
    fn alternatives(&mut self, document: &Arc<Document>, object: &Object, out: &mut Object) {
        for key in ["anyOf", "oneOf"] {
            let Some(Value::Array(branches)) = object.get(key) else { continue };
            let mut forms: Vec<Value> = Vec::new();
            for branch in branches {
                let form = self.schema(document, branch);
                if !forms.contains(&form) {
                    forms.push(form);
                }
            }
            if forms.is_empty() {
                continue;
            }
            if nullable(object) && !forms.iter().any(|form| form.get("type").is_some_and(|t| t == "null")) {
                forms.push(json!({ "type": "null" }));
            }
            out.insert("anyOf".to_owned(), Value::Array(forms));
        }
    }

    /// `enum`, `const`, `default` and an example.
    fn values(&mut self, object: &Object, out: &mut Object) {
        let typed = out.get("type").cloned();
        let types: Vec<&str> = match &typed {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        if let Some(Value::Array(values)) = object.get("enum") {
            let mut kept: Vec<Value> = Vec::new();
            for value in values.iter().filter_map(|value| fitting(value, &types)) {
                if !kept.contains(&value) {
                    kept.push(value);
                }
            }
            if nullable(object) && !kept.contains(&Value::Null) {
                kept.push(Value::Null);
            }
            if kept.iter().any(|value| !value.is_null())
                && !types.contains(&"array")
                && !types.contains(&"object")
            {
                out.insert("enum".to_owned(), Value::Array(kept));
            }
        }
        if let Some(value) = object.get("const").and_then(|value| fitting(value, &types)) {
            out.insert("const".to_owned(), value);
        }
        if let Some(value) = object.get("default").and_then(|value| fitting(value, &types))
            && !value.is_null()
            && value.to_string().len() <= WORDS
        {
            out.insert("default".to_owned(), value);
        }
        if !out.contains_key("enum") && !out.contains_key("default") && !out.contains_key("const") {
            let first = object.get("examples").and_then(|all| all.get(0));
            let example = object.get("example").or(first).and_then(|value| fitting(value, &types));
            if let Some(value) = example.filter(|value| value.is_string() || value.is_number())
                && value.to_string().len() <= EXAMPLE
                && !types.is_empty()
            {
                out.insert("examples".to_owned(), json!([value]));
            }
        }
        if object.get("deprecated") == Some(&Value::Bool(true)) {
            out.insert("deprecated".to_owned(), Value::Bool(true));
        }
    }

    fn bounds(&mut self, object: &Object, out: &mut Object) {
        let has = |name: &str| match out.get("type") {
            None => true,
            Some(Value::Array(many)) => many.iter().any(|one| one == name),
            Some(one) => one == name,
        };
        let mut bounds = Map::new();
        if has("number") || has("integer") {
            for (key, exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
                let bound = object.get(key).and_then(number);
                match (object.get(exclusive), bound) {
                    (Some(Value::Bool(true)), Some(bound)) => {
                        bounds.insert(exclusive.to_owned(), bound.into());
                    }
                    (other, bound) => {
                        if let Some(bound) = bound {
                            bounds.insert(key.to_owned(), bound.into());
                        }
                        if let Some(bound) = other.and_then(number) {
                            bounds.insert(exclusive.to_owned(), bound.into());
                        }
                    }
                }
            }
            if let Some(step) = object.get("multipleOf").and_then(number)
                && step.as_f64().is_some_and(|step| step > 0.0)
            {
                bounds.insert("multipleOf".to_owned(), step.into());
            }
        }
        for (key, of) in [
            ("minLength", "string"),
            ("maxLength", "string"),
            ("minItems", "array"),
            ("maxItems", "array"),
            ("minProperties", "object"),
            ("maxProperties", "object"),
        ] {
            if has(of)
                && let Some(bound) = object.get(key).and_then(count)
            {
                bounds.insert(key.to_owned(), bound.into());
            }
        }
        if has("array") && object.get("uniqueItems") == Some(&Value::Bool(true)) {
            bounds.insert("uniqueItems".to_owned(), Value::Bool(true));
        }
        if has("string") {
            if let Some(pattern) = object.get("pattern").and_then(Value::as_str) {
                match usable(pattern) {
                    Some(pattern) => {
                        bounds.insert("pattern".to_owned(), pattern.into());
                    }
                    None => self.note("a pattern is no regular expression of ECMA-262 that runs in linear time; it is left out"),
                }
            }
            // 3.1 says it of bytes, 2.0 with a type of its own.
            let is_bytes = object.get("type").is_some_and(|t| t == "file")
                || (object.contains_key("contentMediaType") && !object.contains_key("contentEncoding"));
            let format = if is_bytes { Some("binary") } else { object.get("format").and_then(Value::as_str) };
            if let Some(format) = format.filter(|format| format.len() <= 32 && out.contains_key("type")) {
                bounds.insert("format".to_owned(), format.into());
            }
        } else if let Some(format) = object.get("format").and_then(Value::as_str)
            && ["int32", "int64", "float", "double"].contains(&format)
        {
            bounds.insert("format".to_owned(), format.into());
        }
        out.extend(bounds);
    }
}

/// What a schema's `anyOf` is once its branches are known: a branch that accepts everything, or only requires what stands beside
/// it, makes it say nothing.
pub(super) fn any_of(object: &mut Object) {
    let Some(Value::Array(branches)) = object.get("anyOf") else { return };
    let says_nothing = |branch: &Value| {
        branch.as_object().is_some_and(|branch| {
            branch.keys().all(|key| {
                ["description", "required", "examples", "default", "deprecated"].contains(&key.as_str())
                    || (key == "type" && branch.get("type") == object.get("type"))
            })
        })
    };
    let is_plain = object.keys().all(|key| key == "anyOf" || key == "description");
    match branches.as_slice() {
        branches if branches.iter().any(says_nothing) => {
            object.remove("anyOf");
        }
        [Value::Object(only)] if is_plain => {
            let only = only.clone();
            object.remove("anyOf");
            for (key, value) in only {
                object.entry(key).or_insert(value);
            }
        }
        _ => {}
    }
}
