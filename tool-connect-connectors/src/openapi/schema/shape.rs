//! What is left of a schema: reachable definitions alone, those that are used once in their place, all within a budget.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::Object;

/// A definition this small is repeated instead of referred to, in bytes of its text.
const SMALL: usize = 160;
/// How deep definitions are put into their place, in levels of the text; core refuses 64.
const DEEP: usize = 40;

/// The schema with its definitions, in at most `budget` bytes of text, and what had to be given up for that.
pub(super) fn within(root: Value, defs: Object, budget: usize) -> (Value, Option<String>) {
    let mut shaped = Shaper::new(&root, defs).shape(root);
    if size(&shaped) <= budget {
        return (shaped, None);
    }
    shorten(&mut shaped, 0);
    if size(&shaped) <= budget {
        return (shaped, Some(format!("descriptions were shortened to fit the schema into {budget} bytes")));
    }
    let defs = match shaped.as_object_mut().and_then(|root| root.remove("$defs")) {
        Some(Value::Object(defs)) => defs,
        _ => Map::new(),
    };
    for levels in (1..=6).rev() {
        let mut left = budget;
        if let Some(cut) = cut(&shaped, &defs, levels, &mut left)
            && size(&cut) <= budget
        {
            let note = format!(
                "what is nested deeper than {levels} levels was loosened to fit the schema into {budget} bytes"
            );
            return (cut, Some(note));
        }
    }
    let mut bare = bare(&shaped, &defs);
    if let (Some(Value::Object(properties)), Value::Object(bare)) = (shaped.get("properties"), &mut bare) {
        let names = properties.iter().map(|(name, schema)| {
            let mut only = Map::new();
            if let Some(typed) = schema.get("type") {
                only.insert("type".to_owned(), typed.clone());
            }
            (name.clone(), Value::Object(only))
        });
        bare.insert("properties".to_owned(), Value::Object(names.collect()));
        if let Some(required) = shaped.get("required") {
            bare.insert("required".to_owned(), required.clone());
        }
    }
    (bare, Some(format!("only the names were kept to fit the schema into {budget} bytes")))
}

pub(super) fn size(value: &Value) -> usize {
    serde_json::to_string(value).map_or(usize::MAX, |text| text.len())
}

/// The definition that a reference names.
fn target(value: &Value) -> Option<&str> {
    value.get("$ref")?.as_str()?.strip_prefix("#/$defs/")
}

struct Shaper {
    defs: Object,
    /// How often each is used by what is reachable.
    uses: HashMap<String, usize>,
    small: HashSet<String>,
    /// What stays a definition, and what of that is still to be placed.
    kept: HashSet<String>,
    waiting: Vec<String>,
}

impl Shaper {
    fn new(root: &Value, defs: Object) -> Self {
        let mut uses: HashMap<String, usize> = HashMap::new();
        let mut queue = vec![root];
        while let Some(value) = queue.pop() {
            match value {
                Value::Object(object) => {
                    if let Some(name) = target(value) {
                        let times = uses.entry(name.to_owned()).or_insert(0);
                        *times += 1;
                        if *times == 1 {
                            queue.extend(defs.get(name));
                        }
                    }
                    queue.extend(object.values());
                }
                Value::Array(items) => queue.extend(items),
                _ => {}
            }
        }
        let small = defs
            .iter()
            .filter(|(_, schema)| size(schema) <= SMALL && !schema.to_string().contains("\"$ref\""))
            .map(|(name, _)| name.clone())
            .collect();
        Self { defs, uses, small, kept: HashSet::new(), waiting: Vec::new() }
    }

    fn shape(mut self, root: Value) -> Value {
        let mut shaped = self.place(root, 0);
        let mut out = Map::new();
        // What stays a definition may refer to others that do.
        while let Some(name) = self.waiting.pop() {
            let schema = self.defs.get(&name).cloned().unwrap_or_else(|| json!({}));
            let placed = self.place(schema, 1);
            out.insert(name, placed);
        }
        if !out.is_empty()
            && let Value::Object(root) = &mut shaped
        {
            let mut sorted: Vec<(String, Value)> = out.into_iter().collect();
            sorted.sort_by(|a, b| a.0.cmp(&b.0));
            root.insert("$defs".to_owned(), Value::Object(sorted.into_iter().collect()));
        }
        shaped
    }

    /// A schema with the definitions in their place that belong there.
    fn place(&mut self, value: Value, depth: usize) -> Value {
        match value {
            Value::Object(object) => {
                let name =
                    object.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix("#/$defs/"));
                if let Some(name) = name.map(str::to_owned) {
                    let here = self.small.contains(&name)
                        || (self.uses.get(&name) == Some(&1) && depth < DEEP && !self.kept.contains(&name));
                    if !here {
                        if self.kept.insert(name.clone()) {
                            self.waiting.push(name);
                        }
                        return Value::Object(object);
                    }
                    let schema = self.defs.get(&name).cloned().unwrap_or_else(|| json!({}));
                    let mut placed = self.place(schema, depth + 1);
                    if let (Value::Object(placed), Some(text)) = (&mut placed, object.get("description")) {
                        placed.insert("description".to_owned(), text.clone());
                    }
                    return placed;
                }
                let object = object.into_iter().map(|(key, value)| (key, self.place(value, depth + 1)));
                Value::Object(object.collect())
            }
            Value::Array(items) => {
                Value::Array(items.into_iter().map(|item| self.place(item, depth + 1)).collect())
            }
            other => other,
        }
    }
}

/// Shortens what is said of nested parts; the arguments themselves keep theirs.
fn shorten(value: &mut Value, depth: usize) {
    match value {
        Value::Object(object) => {
            // 0 root, 1 properties, 2 an argument.
            if depth > 2 && object.get("description").is_some_and(Value::is_string) {
                let text = object.get("description").and_then(Value::as_str).unwrap_or_default();
                let short = crate::openapi::words::sentence(text, 80);
                object.insert("description".to_owned(), short.into());
                object.remove("examples");
            }
            object.values_mut().for_each(|value| shorten(value, depth + 1));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| shorten(item, depth + 1)),
        _ => {}
    }
}

/// A copy to so many levels of schemas; `None` where it is larger than what is left.
fn cut(schema: &Value, defs: &Object, levels: usize, left: &mut usize) -> Option<Value> {
    let Value::Object(object) = schema else { return Some(schema.clone()) };
    if let Some(name) = target(schema) {
        let inner = defs.get(name).cloned().unwrap_or_else(|| json!({}));
        // A definition counts as a level, so that circles end.
        return if levels == 0 { Some(bare(&inner, defs)) } else { cut(&inner, defs, levels - 1, left) };
    }
    if levels == 0 {
        return Some(bare(schema, defs));
    }
    let mut out = Map::new();
    for (key, value) in object {
        let copy = match (key.as_str(), value) {
            ("properties", Value::Object(properties)) => {
                let mut kept = Map::new();
                for (name, schema) in properties {
                    *left = left.checked_sub(name.len() + 6)?;
                    kept.insert(name.clone(), cut(schema, defs, levels - 1, left)?);
                }
                Value::Object(kept)
            }
            ("anyOf" | "allOf", Value::Array(forms)) => {
                let mut kept = Vec::with_capacity(forms.len());
                for form in forms {
                    *left = left.checked_sub(3)?;
                    kept.push(cut(form, defs, levels - 1, left)?);
                }
                Value::Array(kept)
            }
            ("items" | "additionalProperties" | "not", schema) => cut(schema, defs, levels - 1, left)?,
            (_, value) => {
                *left = left.checked_sub(size(value) + key.len() + 4)?;
                value.clone()
            }
        };
        out.insert(key.clone(), copy);
    }
    Some(Value::Object(out))
}

/// What a schema says of itself and not of its parts.
fn bare(schema: &Value, defs: &Object) -> Value {
    let schema = target(schema).and_then(|name| defs.get(name)).unwrap_or(schema);
    let mut out = Map::new();
    for key in ["type", "description", "format"] {
        if let Some(value) = schema.get(key) {
            out.insert(key.to_owned(), value.clone());
        }
    }
    let is_array = out
        .get("type")
        .is_some_and(|t| t == "array" || t.as_array().is_some_and(|t| t.iter().any(|t| t == "array")));
    if is_array {
        out.insert("items".to_owned(), json!({}));
    }
    Value::Object(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_chain_of_references_needs_no_stack() {
        let link = |to: usize| json!({ "$ref": format!("#/$defs/a{to}"), "description": "A link." });
        let defs: Object = (0..100_000).map(|at| (format!("a{at}"), link(at + 1))).collect();
        let chain = move || within(link(0), defs, 1 << 14).0;
        let shaped = std::thread::Builder::new().stack_size(1 << 20).spawn(chain).unwrap().join().unwrap();
        assert!(size(&shaped) <= 1 << 14);
    }

    #[test]
    fn every_branch_is_charged_when_a_schema_is_cut() {
        let forms = |form: Value| json!({ "anyOf": vec![form; 100] });
        let schema = forms(forms(forms(json!({}))));
        let mut left = 1000;
        assert!(cut(&schema, &Map::new(), 6, &mut left).is_none());
        let mut left = 1000;
        assert!(cut(&forms(json!({})), &Map::new(), 6, &mut left).is_some());
    }
}
