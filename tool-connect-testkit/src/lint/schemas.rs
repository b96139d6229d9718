//! Schemas: valid, of an object, and with a word on every field.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use tool_connect_core::schema::dialect::{Dialect, lint, normalise};
use tool_connect_core::{SchemaSource, ToolDefinition, pointer_token, schema};

use super::Finding;

pub(super) fn findings(definition: &ToolDefinition) -> Vec<Finding> {
    let name = &definition.name;
    let mut findings = Vec::new();
    match definition.input.schema() {
        Ok(input) => {
            let mut problems = schema::problems_of_input(&input);
            problems.extend(broken(input.as_value()));
            findings
                .extend(problems.iter().map(|p| Finding::of(name, "schema", format!("input schema: {p}"))));
            findings.extend(undocumented(input.as_value()).into_iter().map(|place| {
                Finding::of(
                    name,
                    "fields",
                    format!("the field {place} has no description; a model guesses what it means"),
                )
            }));
        }
        Err(problem) => findings.push(Finding::of(name, "schema", format!("input schema: {problem}"))),
    }
    match definition.output.as_ref().map(SchemaSource::schema) {
        Some(Ok(output)) => {
            let mut problems = schema::problems_of(&output);
            problems.extend(broken(output.as_value()));
            findings.extend(problems.iter().map(|p| Finding::of(name, "schema", format!("output schema: {p}"))));
        }
        Some(Err(problem)) => findings.push(Finding::of(name, "schema", format!("output schema: {problem}"))),
        None => findings.push(Finding::of(
            name,
            "output",
            "the result has no schema; return a type with `JsonSchema`, or set one with `ToolDefinition::output`",
        )),
    }
    findings
}

/// What a model API would refuse although the schema was made acceptable to it: nothing, or the normaliser is wrong.
pub(super) fn dialects(definition: &ToolDefinition) -> Vec<Finding> {
    let Ok(input) = definition.input.schema() else { return Vec::new() };
    let of = |dialect| {
        let found = lint(normalise(input.as_value(), dialect).schema(), dialect);
        found.into_iter().map(move |finding| format!("for {dialect}: {finding}"))
    };
    Dialect::ALL
        .into_iter()
        .flat_map(of)
        .map(|found| Finding::of(&definition.name, "dialect", found))
        .collect()
}

/// What is loosened for each model API, and what of the description is cut.
pub(super) fn notes(definition: &ToolDefinition) -> Vec<Finding> {
    let Ok(input) = definition.input.schema() else { return Vec::new() };
    let mut notes = Vec::new();
    for dialect in Dialect::ALL {
        for loosened in normalise(input.as_value(), dialect).loosened() {
            notes.push(Finding::of(&definition.name, "loosened", format!("for {dialect}: {loosened}")));
        }
        // Of name and description, the description alone may be too long: the name is checked where it is registered.
        let plain = serde_json::json!({"type": "object", "properties": {}, "required": [], "additionalProperties": false});
        let words =
            tool_connect_core::schema::dialect::lint_tool("t__t", &definition.description, &plain, dialect);
        for finding in words.iter().filter(|finding| finding.rule == "description") {
            notes.push(Finding::of(
                &definition.name,
                "loosened",
                format!("for {dialect}: {}", finding.message),
            ));
        }
    }
    notes
}

/// Why a text is no JSON Schema; of draft 2020-12 where it names none.
fn broken(schema: &Value) -> Option<String> {
    let error = jsonschema::meta::validate(schema).err()?;
    Some(format!("at `{}` it is not JSON Schema: {}", error.instance_path(), error.kind().keyword()))
}

/// Fields without a description, by their JSON pointer in the arguments, each definition once.
fn undocumented(root: &Value) -> Vec<String> {
    let mut walk = Walk { root, seen: BTreeSet::new(), found: Vec::new() };
    walk.object(root, "", 0);
    walk.found
}

struct Walk<'a> {
    root: &'a Value,
    /// Definitions that were walked: they may refer to themselves.
    seen: BTreeSet<&'a str>,
    found: Vec<String>,
}

impl<'a> Walk<'a> {
    fn object(&mut self, schema: &'a Value, place: &str, depth: usize) {
        if depth > schema::MAX_DEPTH {
            return; // Reported as a problem of the schema itself.
        }
        let Some(map) = schema.as_object() else { return };
        for (name, field) in map.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let place = format!("{place}/{}", pointer_token(name));
            if !self.described(field) {
                self.found.push(place.clone());
            }
            self.inner(field, &place, depth + 1);
        }
        self.inner_of(map, place, depth);
    }

    /// What a field may hold: an item, an alternative, a named definition.
    fn inner(&mut self, schema: &'a Value, place: &str, depth: usize) {
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            if self.seen.insert(target)
                && let Some(definition) = self.resolve(target)
            {
                self.object(definition, place, depth + 1);
            }
            return;
        }
        self.object(schema, place, depth + 1);
    }

    fn inner_of(&mut self, map: &'a Map<String, Value>, place: &str, depth: usize) {
        for key in ["items", "additionalProperties"] {
            if let Some(inner) = map.get(key) {
                self.inner(inner, &format!("{place}/*"), depth + 1);
            }
        }
        for key in ["anyOf", "oneOf", "allOf", "prefixItems"] {
            for inner in map.get(key).and_then(Value::as_array).into_iter().flatten() {
                self.inner(inner, place, depth + 1);
            }
        }
    }

    /// Whether a field says what it is, itself or through its definition. A field of one possible
    /// value (the tag of an enum's variant) needs no words.
    fn described(&self, field: &Value) -> bool {
        let says = |schema: &Value| {
            schema.get("description").and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty())
        };
        says(field)
            || field.get("const").is_some()
            || self.targets(field).iter().any(|target| self.resolve(target).is_some_and(says))
    }

    /// The definitions that a field refers to, itself or as one of its alternatives.
    fn targets<'f>(&self, field: &'f Value) -> Vec<&'f str> {
        let alternatives =
            ["anyOf", "oneOf", "allOf"].iter().filter_map(|key| field.get(*key)?.as_array()).flatten();
        std::iter::once(field).chain(alternatives).filter_map(|schema| schema.get("$ref")?.as_str()).collect()
    }

    fn resolve(&self, target: &str) -> Option<&'a Value> {
        self.root.pointer(target.strip_prefix('#')?)
    }
}
