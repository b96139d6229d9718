//! The tool's arguments: one flat object, each name once, whatever the description calls its parts.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::schema::Object;

/// Longest name of an argument: what the strictest model API takes, in bytes.
const LONGEST: usize = 64;

/// The arguments so far.
#[derive(Debug, Default)]
pub(super) struct Arguments {
    properties: Object,
    required: Vec<Value>,
    /// Sets of arguments, of which one must be given whole.
    one_of: Vec<Vec<String>>,
    taken: HashSet<String>,
}

impl Arguments {
    /// Keeps a name for something that is no argument of the service's.
    pub(super) fn reserve(&mut self, name: &str) {
        self.taken.insert(name.to_ascii_lowercase());
    }

    /// A free name for something that is called so in the request; where it is taken, where it goes tells it apart.
    pub(super) fn name(&mut self, wire: &str, place: &str) -> String {
        let plain = sanitized(wire);
        let told_apart = std::iter::once(clip(&format!("{place}_{plain}")));
        let counted = (2..).map(|n| clip(&format!("{place}{n}_{plain}")));
        for candidate in std::iter::once(plain.clone()).chain(told_apart.chain(counted).take(1000)) {
            // By case alone a model does not tell names apart.
            if self.taken.insert(candidate.to_ascii_lowercase()) {
                return candidate;
            }
        }
        plain
    }

    /// Adds an argument under a name of [`name`](Self::name).
    pub(super) fn add(&mut self, name: &str, schema: Value, required: bool) {
        self.properties.insert(name.to_owned(), schema);
        if required {
            self.required.push(name.into());
        }
    }

    /// Requires one of these sets of arguments. Where there is but one, all of it is required.
    ///
    /// Model APIs refuse alternatives at the root of a schema, so it says them in words, and the operation checks them.
    pub(super) fn one_of(&mut self, mut sets: Vec<Vec<String>>) {
        match (sets.pop(), sets.is_empty()) {
            (Some(only), true) => {
                let new = only.into_iter().map(Value::from).filter(|name| !self.required.contains(name));
                let new: Vec<Value> = new.collect();
                self.required.extend(new);
            }
            (Some(last), false) => {
                sets.push(last);
                self.one_of = sets;
            }
            (None, _) => {}
        }
    }

    /// The sets of which one must be given.
    pub(super) fn sets(&self) -> Vec<Vec<String>> {
        self.one_of.clone()
    }

    /// The schema of all of them.
    pub(super) fn into_schema(self) -> Value {
        let mut schema = Map::new();
        schema.insert("type".to_owned(), "object".into());
        schema.insert("properties".to_owned(), Value::Object(self.properties));
        if !self.required.is_empty() {
            schema.insert("required".to_owned(), Value::Array(self.required));
        }
        schema.insert("additionalProperties".to_owned(), Value::Bool(false));
        if !self.one_of.is_empty() {
            let sets = crate::operation::alternatives(&self.one_of);
            schema.insert("description".to_owned(), format!("Give {sets}.").into());
        }
        Value::Object(schema)
    }
}

/// A name that every model API takes: `filter[name]` as `filter_name`, `$top` as `top`.
fn sanitized(wire: &str) -> String {
    let mut name = String::with_capacity(wire.len());
    for c in wire.chars() {
        if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') {
            name.push(c);
        } else if !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
    }
    name.truncate(name.trim_end_matches('_').len());
    if name.is_empty() { "argument".to_owned() } else { clip(&name) }
}

fn clip(name: &str) -> String {
    name.get(..LONGEST).unwrap_or(name).to_owned()
}

/// The schema of a file: by handle of an earlier result, or in Base64.
pub(super) fn file(description: Option<&str>) -> Value {
    let what = "A file: `handle` of an earlier result, or its bytes as `base64`.";
    let description = match description {
        Some(text) if !text.is_empty() => format!("{text} {what}"),
        _ => what.to_owned(),
    };
    json!({
        "type": "object",
        "description": description,
        "properties": {
            "handle": { "type": "string", "description": "Handle of a stored result." },
            "base64": { "type": "string", "description": "The bytes in Base64 (RFC 4648)." },
            "name": { "type": "string", "description": "File name." },
            "media_type": { "type": "string", "description": "Media type, `image/png` say." },
        },
        "additionalProperties": false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_and_unique() {
        let mut arguments = Arguments::default();
        for (wire, place, expected) in [
            ("id", "path", "id"),
            ("id", "query", "query_id"),
            ("ID", "body", "body_ID"),
            ("id", "query", "query2_id"),
            ("filter[name]", "query", "filter_name"),
            ("$top", "query", "top"),
            ("日", "query", "argument"),
            ("X-Rate", "header", "X-Rate"),
        ] {
            assert_eq!(arguments.name(wire, place), expected, "{wire}");
        }
        assert_eq!(arguments.name(&"a".repeat(100), "query").len(), 64);
    }
}
