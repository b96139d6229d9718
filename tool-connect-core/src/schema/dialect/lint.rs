//! What a model API would refuse in a schema.

use serde_json::{Map, Value};

use super::rules::{
    GEMINI_KEYWORDS, OPENAI_DESCRIPTION, STRICT_ENUM_VALUES, STRICT_KEYWORDS, STRICT_LEVELS,
    STRICT_LONG_ENUM, STRICT_LONG_ENUM_CHARS, STRICT_PROPERTIES, STRICT_STRINGS, TYPES, format_allowed,
    property_name_allowed, tool_name_allowed, well_formed,
};
use super::{Dialect, Finding};
use crate::problem::pointer_token;
use crate::schema::{MAX_BYTES, MAX_DEPTH};

/// So many findings say enough.
const MOST: usize = 200;

/// What a model API would refuse in the schema of a tool's arguments; empty means nothing.
///
/// ```
/// use serde_json::json;
/// use tool_connect_core::schema::dialect::{Dialect, lint};
///
/// let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}});
/// assert!(lint(&schema, Dialect::Anthropic).is_empty());
/// let rules: Vec<_> = lint(&schema, Dialect::OpenAiStrict).iter().map(|f| f.rule).collect();
/// assert_eq!(rules, ["closed", "required"]);
/// ```
#[must_use]
pub fn lint(schema: &Value, dialect: Dialect) -> Vec<Finding> {
    let mut lint = Lint { root: schema, dialect, found: Vec::new(), properties: 0, values: 0, strings: 0 };
    match super::measure::measure(schema, MAX_DEPTH) {
        None => lint.find("depth", "", format!("it is nested deeper than {MAX_DEPTH} levels; flatten it")),
        Some(bytes) if bytes > MAX_BYTES => {
            lint.find("size", "", format!("it is larger than {MAX_BYTES} bytes; leave fields out"));
        }
        Some(_) => {
            lint.root();
            lint.schema(schema, &mut String::new(), 0);
            lint.totals();
        }
    }
    lint.found
}

/// What a model API would refuse in a tool: its name as the model sees it, its description, its schema.
///
/// ```
/// use serde_json::json;
/// use tool_connect_core::schema::dialect::{Dialect, lint_tool};
///
/// let schema = json!({"type": "object", "properties": {}});
/// assert_eq!(lint_tool("files.read", "Reads.", &schema, Dialect::Anthropic)[0].rule, "name");
/// assert!(lint_tool("files__read", "Reads.", &schema, Dialect::Anthropic).is_empty());
/// ```
#[must_use]
pub fn lint_tool(name: &str, description: &str, schema: &Value, dialect: Dialect) -> Vec<Finding> {
    let mut found = Vec::new();
    if !tool_name_allowed(dialect, name) {
        found.push(Finding {
            rule: "name",
            pointer: String::new(),
            message:
                "the name may hold letters, digits, `_` and `-`, 64 at most; `ToolId::model_name` makes one"
                    .to_owned(),
        });
    }
    if dialect.is_openai() && description.chars().count() > OPENAI_DESCRIPTION {
        found.push(Finding {
            rule: "description",
            pointer: String::new(),
            message: format!("the description is longer than {OPENAI_DESCRIPTION} characters; cut it"),
        });
    }
    found.extend(lint(schema, dialect));
    found
}

struct Lint<'a> {
    root: &'a Value,
    dialect: Dialect,
    found: Vec<Finding>,
    properties: usize,
    values: usize,
    strings: usize,
}

impl<'a> Lint<'a> {
    fn find(&mut self, rule: &'static str, at: &str, message: impl Into<String>) {
        if self.found.len() < MOST {
            self.found.push(Finding { rule, pointer: at.to_owned(), message: message.into() });
        }
    }

    fn root(&mut self) {
        if self.root.get("type").and_then(Value::as_str) != Some("object") {
            self.find("root-object", "", "write `type: object` at the root: arguments are named");
        }
        if !self.root.get("properties").is_some_and(Value::is_object) {
            self.find("root-object", "", "write `properties` at the root, empty where there are none");
        }
        let refused: &[&str] = if self.dialect.is_openai() {
            &["anyOf", "oneOf", "allOf", "enum", "const", "not"]
        } else {
            &["anyOf", "oneOf", "allOf"]
        };
        for key in refused {
            if self.root.get(*key).is_some() {
                self.find(
                    "root-combinator",
                    "",
                    format!("take `{key}` from the root: merge what it says into one object"),
                );
            }
        }
    }

    fn totals(&mut self) {
        if self.dialect != Dialect::OpenAiStrict {
            return;
        }
        if self.properties > STRICT_PROPERTIES {
            self.find(
                "properties",
                "",
                format!("it has more than {STRICT_PROPERTIES} properties; leave some out"),
            );
        }
        if self.values > STRICT_ENUM_VALUES {
            self.find(
                "enum",
                "",
                format!("it has more than {STRICT_ENUM_VALUES} enum values; describe some instead"),
            );
        }
        if self.strings > STRICT_STRINGS {
            self.find(
                "strings",
                "",
                format!("its names and values have more than {STRICT_STRINGS} characters"),
            );
        }
    }

    fn schema(&mut self, schema: &'a Value, at: &mut String, levels: usize) {
        let Some(map) = schema.as_object() else {
            let message =
                if schema.is_boolean() { "a boolean schema; write an object" } else { "this is no schema" };
            if !schema.is_boolean() || self.dialect.is_narrow() {
                self.find("malformed", at, message);
            }
            return;
        };
        for (key, value) in map {
            if !well_formed(key, value) {
                self.find(
                    "malformed",
                    at,
                    format!("`{key}` has a value of the wrong kind; correct it or leave it out"),
                );
            }
        }
        self.reference(map, at);
        self.types(map, at);
        self.keywords(map, at);
        self.values(map, at);
        let nested = map.contains_key("properties") || map.contains_key("items");
        let levels = levels + usize::from(nested);
        if self.dialect == Dialect::OpenAiStrict && levels > STRICT_LEVELS {
            self.find("depth", at, format!("it is nested deeper than {STRICT_LEVELS} levels; flatten it"));
            return;
        }
        self.object(map, at);
        self.children(map, at, levels);
    }

    fn reference(&mut self, map: &'a Map<String, Value>, at: &str) {
        if !map.keys().any(|key| key.starts_with('$')) {
            return;
        }
        let refuses = matches!(self.dialect, Dialect::Anthropic | Dialect::Gemini);
        for key in ["$ref", "$dynamicRef", "$recursiveRef"] {
            let Some(target) = map.get(key).and_then(Value::as_str) else { continue };
            let resolved =
                key == "$ref" && target.strip_prefix('#').is_some_and(|p| self.root.pointer(p).is_some());
            if refuses {
                self.find(
                    "reference",
                    at,
                    format!("`{key}` is refused; write what it refers to in its place"),
                );
            } else if !resolved {
                self.find(
                    "reference",
                    at,
                    format!("`{key}` leads nowhere in this document; write it in its place"),
                );
            }
        }
    }

    fn types(&mut self, map: &'a Map<String, Value>, at: &str) {
        let known = |v: &Value| v.as_str().is_some_and(|t| TYPES.contains(&t));
        let (valid, single) = match map.get("type") {
            None => (true, false),
            Some(Value::Array(all)) => (!all.is_empty() && all.iter().all(known), false),
            Some(one) => (known(one), true),
        };
        if !valid {
            self.find("type", at, "`type` names no type of JSON Schema; correct it or leave it out");
        }
        let union = map.contains_key("anyOf");
        match self.dialect {
            Dialect::OpenAiStrict if !union && !map.contains_key("type") && !map.contains_key("$ref") => {
                self.find("type", at, "write a `type`, or an `anyOf` of schemas that have one");
            }
            Dialect::Gemini if !union && !single => {
                self.find("type", at, "write exactly one `type`, or an `anyOf`")
            }
            _ => {}
        }
        let is_array = map.get("type").is_some_and(|t| mentions(t, "array"));
        if is_array && !map.contains_key("items") && self.dialect != Dialect::Anthropic {
            self.find("items", at, "write `items`: what the array holds");
        }
    }

    fn keywords(&mut self, map: &'a Map<String, Value>, at: &str) {
        let known = match self.dialect {
            Dialect::Anthropic | Dialect::OpenAi => return,
            Dialect::OpenAiStrict => STRICT_KEYWORDS,
            Dialect::Gemini => GEMINI_KEYWORDS,
        };
        for key in map.keys().filter(|key| !known.contains(&key.as_str()) && *key != "$ref") {
            self.find("keyword", at, format!("`{key}` is not supported; say it in the description"));
        }
        if self.dialect == Dialect::Gemini && map.contains_key("anyOf") && map.len() > 1 {
            self.find("any-of-alone", at, "move what stands beside `anyOf` into its alternatives");
        }
        if let Some(format) = map.get("format").and_then(Value::as_str) {
            let of = map.get("type").map(main_type).unwrap_or_default();
            if !format_allowed(self.dialect, of, format) {
                self.find(
                    "format",
                    at,
                    format!(
                        "the format `{}` is not supported; say it in the description",
                        format.escape_debug()
                    ),
                );
            }
        }
    }

    fn values(&mut self, map: &'a Map<String, Value>, at: &str) {
        let chars = |v: &Value| v.as_str().map_or(0, |text| text.chars().count());
        if let Some(constant) = map.get("const") {
            self.strings += chars(constant);
        }
        let Some(values) = map.get("enum").and_then(Value::as_array) else { return };
        let length = values.iter().map(chars).sum::<usize>();
        self.values += values.len();
        self.strings += length;
        match self.dialect {
            Dialect::OpenAiStrict if values.len() > STRICT_LONG_ENUM && length > STRICT_LONG_ENUM_CHARS => {
                self.find("enum", at, format!("more than {STRICT_LONG_ENUM} values may have {STRICT_LONG_ENUM_CHARS} characters in all; shorten them"));
            }
            Dialect::Gemini
                if !values.iter().all(Value::is_string)
                    || map.get("type").and_then(Value::as_str) != Some("string") =>
            {
                self.find("enum", at, "an enum holds strings, beside `type: string`");
            }
            _ => {}
        }
    }

    fn object(&mut self, map: &'a Map<String, Value>, at: &str) {
        let properties = map.get("properties").and_then(Value::as_object);
        let required: Vec<&str> = map
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        for name in properties.into_iter().flat_map(|all| all.keys()) {
            self.properties += 1;
            self.strings += name.chars().count();
            if !property_name_allowed(self.dialect, name) {
                let place = format!("{at}/properties/{}", pointer_token(name));
                self.find(
                    "property-name",
                    &place,
                    "give the property a name of letters, digits and `_`, 64 at most",
                );
            }
        }
        let is_object = map.get("type").is_some_and(|t| mentions(t, "object"));
        let declared = |name: &str| properties.is_some_and(|all| all.contains_key(name));
        match self.dialect {
            Dialect::OpenAiStrict if is_object => {
                if map.get("additionalProperties") != Some(&Value::Bool(false)) {
                    self.find("closed", at, "write `additionalProperties: false`");
                }
                let all = properties.into_iter().flat_map(|all| all.keys());
                let required: std::collections::HashSet<&str> = required.iter().copied().collect();
                if all.clone().any(|name| !required.contains(name.as_str()))
                    || required.iter().any(|name| !declared(name))
                {
                    self.find(
                        "required",
                        at,
                        "list every property in `required`; an optional one may be null",
                    );
                }
            }
            Dialect::Gemini => {
                if required.iter().any(|name| !declared(name)) {
                    self.find("required", at, "declare what is required under `properties`");
                }
                if is_object && !at.is_empty() && properties.is_none_or(Map::is_empty) {
                    self.find(
                        "empty-object",
                        at,
                        "name the object's properties, or take a string that holds JSON",
                    );
                }
            }
            _ => {}
        }
    }

    fn children(&mut self, map: &'a Map<String, Value>, at: &mut String, levels: usize) {
        let length = at.len();
        for (key, value) in map {
            match (key.as_str(), value) {
                (
                    "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas",
                    Value::Object(all),
                ) => {
                    // A definition's levels count where it stands.
                    let levels = if key.contains("def") { 0 } else { levels };
                    step(at, key);
                    let beneath = at.len();
                    for (name, child) in all {
                        step(at, &pointer_token(name));
                        self.schema(child, at, levels);
                        at.truncate(beneath);
                    }
                }
                ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(all)) => {
                    step(at, key);
                    let beneath = at.len();
                    for (index, child) in all.iter().enumerate() {
                        step(at, &index.to_string());
                        self.schema(child, at, levels);
                        at.truncate(beneath);
                    }
                }
                ("additionalProperties", Value::Bool(_)) => {}
                (
                    "items"
                    | "additionalProperties"
                    | "not"
                    | "if"
                    | "then"
                    | "else"
                    | "contains"
                    | "propertyNames",
                    child,
                ) => {
                    step(at, key);
                    self.schema(child, at, levels);
                }
                _ => {}
            }
            at.truncate(length);
        }
    }
}

/// Goes one step down.
fn step(at: &mut String, token: &str) {
    at.push('/');
    at.push_str(token);
}

/// Whether a `type` is this one, or has it among others.
fn mentions(of: &Value, name: &str) -> bool {
    match of {
        Value::Array(all) => all.iter().any(|t| t == name),
        one => one == name,
    }
}

/// The type beside null.
fn main_type(of: &Value) -> &str {
    match of {
        Value::Array(all) => all.iter().filter_map(Value::as_str).find(|t| *t != "null").unwrap_or_default(),
        one => one.as_str().unwrap_or_default(),
    }
}
