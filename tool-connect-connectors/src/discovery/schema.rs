//! Schemas of a document as JSON Schema: references resolved, circles cut, what only the service writes left out.

use serde_json::{Map, Value, json};

use super::document::Document;
use super::words;

/// Largest schema of a body, in bytes; a larger one is made again less deep.
const BUDGET: usize = 32 * 1024;
/// Deepest nesting that is tried.
const DEPTH: usize = 6;
/// So many parts of a schema are read; one with more would not fit into the budget.
const NODES: usize = 20_000;
/// So deep schemas may stand in each other, references and arrays counted, which the nesting of objects does not count.
const LEVELS: usize = 32;

/// A schema by its name: a body. The second half says whether something had to be cut.
pub(super) fn body(document: &Document, name: &str) -> Result<(Value, bool), String> {
    let mut last = (json!({"type": "object"}), true);
    for depth in (1..=DEPTH).rev() {
        let mut walk = Walk::new(document);
        let schema = walk.named(name, depth)?;
        let size = schema.to_string().len();
        last = (schema, walk.cut);
        if size <= BUDGET {
            return Ok(last);
        }
    }
    let (mut schema, _) = last;
    if schema.to_string().len() > BUDGET {
        schema = json!({"type": "object"});
    }
    Ok((schema, true))
}

/// The schema of a parameter.
pub(super) fn parameter(document: &Document, parameter: &Value) -> Result<Value, String> {
    let mut walk = Walk::new(document);
    let one = walk.convert(parameter, 1)?;
    if parameter.get("repeated") != Some(&Value::Bool(true)) {
        return Ok(one);
    }
    let Value::Object(mut item) = one else { return Ok(one) };
    let description = item.remove("description");
    item.remove("default");
    let mut array = Map::new();
    array.insert("type".to_owned(), "array".into());
    array.insert("items".to_owned(), Value::Object(item));
    if let Some(description) = description {
        array.insert("description".to_owned(), description);
    }
    Ok(Value::Object(array))
}

/// The members of a named schema, as they are written.
pub(super) fn properties(document: &Document, name: &str) -> Option<Map<String, Value>> {
    let schema: Value = serde_json::from_str(document.schemas.get(name)?.get()).ok()?;
    schema.get("properties")?.as_object().cloned()
}

struct Walk<'d> {
    document: &'d Document,
    stack: Vec<String>,
    level: usize,
    nodes: usize,
    cut: bool,
}

impl<'d> Walk<'d> {
    fn new(document: &'d Document) -> Self {
        Self { document, stack: Vec::new(), level: 0, nodes: 0, cut: false }
    }

    fn named(&mut self, name: &str, depth: usize) -> Result<Value, String> {
        if self.stack.iter().any(|above| above == name) {
            self.cut = true;
            return Ok(json!({"type": "object", "description": format!("Another `{name}`.")}));
        }
        let raw = self
            .document
            .schemas
            .get(name)
            .ok_or_else(|| format!("`$ref` to `{}` leads nowhere", name.escape_debug()))?;
        // It is parsed as a whole, however little of it is taken.
        self.nodes += raw.get().len() / 1024;
        let schema: Value =
            serde_json::from_str(raw.get()).map_err(|_| format!("the schema `{name}` is not JSON"))?;
        self.stack.push(name.to_owned());
        let converted = self.convert(&schema, depth);
        self.stack.pop();
        converted
    }

    fn convert(&mut self, schema: &Value, depth: usize) -> Result<Value, String> {
        self.nodes += 1;
        if self.nodes > NODES || self.level >= LEVELS {
            self.cut = true;
            return Ok(json!({}));
        }
        self.level += 1;
        let converted = self.converted(schema, depth);
        self.level -= 1;
        converted
    }

    fn converted(&mut self, schema: &Value, depth: usize) -> Result<Value, String> {
        let Some(given) = schema.as_object() else { return Err("a schema is no object".to_owned()) };
        let text = |key: &str| given.get(key).and_then(Value::as_str);
        // The deeper, the shorter.
        let room = if depth + 1 >= DEPTH { 300 } else { 160 };
        if let Some(name) = text("$ref") {
            let mut resolved = self.named(name, depth)?;
            if let (Some(own), Some(object)) = (text("description"), resolved.as_object_mut()) {
                object.insert("description".to_owned(), words::cut(own, room).into());
            }
            return Ok(resolved);
        }
        let mut out = Map::new();
        let kind = text("type").unwrap_or("any");
        match kind {
            "string" | "integer" | "number" | "boolean" | "object" | "array" => {
                out.insert("type".to_owned(), kind.into());
            }
            "any" => {}
            "null" => {
                out.insert("type".to_owned(), "null".into());
            }
            other => return Err(format!("a schema has the type `{}`, which is none", other.escape_debug())),
        }
        let mut description = text("description").map(|text| words::cut(text, room)).unwrap_or_default();
        match (kind, text("format")) {
            ("string", Some("int64")) => pattern(&mut out, r"^-?\d+$"),
            ("string", Some("uint64")) => pattern(&mut out, r"^\d+$"),
            ("string", Some("byte")) => description.push_str(" (Base64)"),
            ("integer", Some("uint32")) => {
                out.insert("minimum".to_owned(), 0.into());
            }
            _ => {}
        }
        choices(given, &mut out, &mut description);
        if let Some(given) = text("pattern").filter(|given| self.document.is_pattern(given)) {
            pattern(&mut out, given);
        }
        for (from, to) in [("minimum", "minimum"), ("maximum", "maximum")] {
            let bound = text(from).and_then(|bound| bound.parse::<i64>().ok());
            if let Some(bound) = bound.filter(|_| matches!(kind, "integer" | "number")) {
                out.insert(to.to_owned(), bound.into());
            }
        }
        if let Some(default) = text("default").and_then(|default| default_of(kind, default)) {
            out.insert("default".to_owned(), default);
        }
        let description = description.trim();
        if !description.is_empty() {
            out.insert("description".to_owned(), description.into());
        }
        if kind == "array" {
            let items = match given.get("items") {
                Some(items) => self.inner(items, depth)?,
                None => json!({}),
            };
            out.insert("items".to_owned(), items);
        }
        if kind == "object" {
            self.object(given, &mut out, depth)?;
        }
        Ok(Value::Object(out))
    }

    fn object(
        &mut self,
        given: &Map<String, Value>,
        out: &mut Map<String, Value>,
        depth: usize,
    ) -> Result<(), String> {
        if let Some(members) = given.get("properties").and_then(Value::as_object) {
            if depth == 0 {
                self.cut |= !members.is_empty();
                return Ok(());
            }
            let mut properties = Map::new();
            for (name, member) in members {
                let marked = |key: &str| member.get(key) == Some(&Value::Bool(true));
                if marked("readOnly") || marked("deprecated") {
                    continue;
                }
                properties.insert(name.clone(), self.inner(member, depth)?);
            }
            out.insert("properties".to_owned(), Value::Object(properties));
        }
        if let Some(others) = given.get("additionalProperties").filter(|others| others.is_object()) {
            let others = self.inner(others, depth)?;
            out.insert("additionalProperties".to_owned(), others);
        }
        Ok(())
    }

    fn inner(&mut self, schema: &Value, depth: usize) -> Result<Value, String> {
        self.convert(schema, depth.saturating_sub(1))
    }
}

fn pattern(out: &mut Map<String, Value>, text: &str) {
    out.insert("pattern".to_owned(), text.into());
}

/// The values that may be chosen, without those that are out of use, and what each means.
fn choices(given: &Map<String, Value>, out: &mut Map<String, Value>, description: &mut String) {
    let Some(values) = given.get("enum").and_then(Value::as_array).filter(|values| !values.is_empty()) else {
        return;
    };
    let flag =
        |at: usize| given.get("enumDeprecated").and_then(|flags| flags.get(at)) == Some(&Value::Bool(true));
    let kept: Vec<(usize, &Value)> = values.iter().enumerate().filter(|(at, _)| !flag(*at)).collect();
    let kept = if kept.is_empty() { values.iter().enumerate().collect() } else { kept };
    let mut left = 400_usize;
    for (at, value) in &kept {
        let words = given.get("enumDescriptions").and_then(|texts| texts.get(*at)).and_then(Value::as_str);
        let (Some(words), Some(value)) = (words.filter(|words| !words.trim().is_empty()), value.as_str())
        else {
            continue;
        };
        let line = format!(" `{value}`: {}", super::words::cut(words, 80));
        let Some(rest) = left.checked_sub(line.len()) else { break };
        left = rest;
        description.push_str(&line);
    }
    let mut seen: Vec<Value> = Vec::with_capacity(kept.len());
    for (_, value) in kept {
        if !seen.contains(value) {
            seen.push(value.clone());
        }
    }
    out.insert("enum".to_owned(), Value::Array(seen));
}

fn default_of(kind: &str, text: &str) -> Option<Value> {
    match kind {
        "string" => Some(text.into()),
        "integer" => text.parse::<i64>().ok().map(Value::from),
        "number" => text.parse::<f64>().ok().map(Value::from),
        "boolean" => text.parse::<bool>().ok().map(Value::from),
        _ => None,
    }
}
