//! What both conversions share: a converted schema, words for constraints, schemas that accept anything.

use serde_json::{Map, Value, json};

use super::back::{Back, Field};
use super::read::{Flat, Reader};
use super::types::{Types, types, values};
use super::{Dialect, How};

/// Schemas within schemas, of whatever kind; each is at most two levels of JSON.
pub(super) const DEPTH: usize = 28;
/// Longest sentence that a constraint becomes, in bytes.
const SENTENCE: usize = 240;
/// Longest pattern.
const PATTERN: usize = 1000;

/// A converted schema.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Out {
    pub(super) map: Map<String, Value>,
    pub(super) back: Back,
}

impl Out {
    pub(super) fn of(map: Map<String, Value>) -> Self {
        Self { map, back: Back::default() }
    }

    /// Puts words before those that are there.
    pub(super) fn describe(&mut self, reader: &mut Reader<'_>, words: &str) {
        let words = words.trim();
        let known = self.map.get("description").and_then(Value::as_str).unwrap_or_default();
        if words.is_empty() || known == words || !reader.take_text(words) {
            return;
        }
        let text = if known.is_empty() { words.to_owned() } else { join(words, known) };
        self.map.insert("description".to_owned(), text.into());
    }
}

/// Two sentences after each other.
pub(super) fn join(a: &str, b: &str) -> String {
    match (a.trim(), b.trim()) {
        ("", b) => b.to_owned(),
        (a, "") => a.to_owned(),
        (a, b) if a.ends_with(['.', '!', '?', ':', ';']) => format!("{a} {b}"),
        (a, b) => format!("{a}. {b}"),
    }
}

/// A schema of any object, and how its properties travel.
pub(super) fn anything(dialect: Dialect) -> (Value, Back) {
    let name = "arguments".to_owned();
    let words = "All arguments, as the JSON text of one object.";
    match dialect {
        Dialect::Anthropic | Dialect::OpenAi => {
            (json!({"type": "object", "properties": {}}), Back::default())
        }
        Dialect::OpenAiStrict => (
            json!({
                "type": "object",
                "properties": {"arguments": {"type": ["string", "null"], "description": words}},
                "required": ["arguments"],
                "additionalProperties": false,
            }),
            Back { rest: Some(name), ..Back::default() },
        ),
        Dialect::Gemini => (
            json!({"type": "object", "properties": {"arguments": {"type": "string", "description": words}}}),
            Back { rest: Some(name), ..Back::default() },
        ),
    }
}

/// Says a constraint in words, or drops it, and notes which.
pub(super) fn say(reader: &mut Reader<'_>, words: &mut String, at: &str, key: &str, value: &Value) {
    match sentence(key, value) {
        Some(sentence) => {
            *words = join(words, &sentence);
            reader.note(at, How::Described, format!("`{key}` is said in the description"));
        }
        None => reader.note(at, How::Dropped, format!("`{}` is too long to be said", key.escape_debug())),
    }
}

fn sentence(key: &str, value: &Value) -> Option<String> {
    // Nothing that is written out below is longer than what is measured here.
    if super::measure::measure(value, 12)? > SENTENCE {
        return None;
    }
    Some(match key {
        "minLength" => format!("At least {value} characters."),
        "maxLength" => format!("At most {value} characters."),
        "minimum" => format!("At least {value}."),
        "maximum" => format!("At most {value}."),
        "exclusiveMinimum" => format!("More than {value}."),
        "exclusiveMaximum" => format!("Less than {value}."),
        "multipleOf" => format!("A multiple of {value}."),
        "minItems" => format!("At least {value} items."),
        "maxItems" => format!("At most {value} items."),
        "uniqueItems" => "No item twice.".to_owned(),
        "minProperties" => format!("At least {value} properties."),
        "maxProperties" => format!("At most {value} properties."),
        "format" => format!("Format: {}.", value.as_str().unwrap_or_default()),
        "pattern" => format!("Matches the pattern {}", value.as_str().unwrap_or_default()),
        "enum" => {
            let all: Vec<String> = value.as_array()?.iter().map(Value::to_string).collect();
            format!("One of: {}.", all.join(", "))
        }
        "const" => format!("Always {value}."),
        "default" => format!("Default: {value}."),
        "not" => format!("Not what fits this JSON Schema: {value}"),
        _ => format!("JSON Schema `{key}`: {value}"),
    })
}

/// Whether a pattern is one that every engine reads alike. Compiles it: see [`Reader::plain_pattern`].
pub(super) fn plain_pattern(pattern: &str) -> bool {
    pattern.len() <= PATTERN && regex_lite::Regex::new(pattern).is_ok()
}

/// Whether no value fits two of these schemas, as far as types and constant properties tell.
pub(super) fn disjoint(reader: &mut Reader<'_>, branches: &[Value], at: &str) -> bool {
    /// More than so many are not compared.
    const MOST: usize = 40;
    if branches.len() > MOST {
        return false;
    }
    let noted = reader.loosened.len();
    let mut flat = Vec::new();
    for branch in branches {
        match reader.flatten(branch, at) {
            Flat::Schema(map, entered) => {
                reader.leave(entered);
                flat.push(map.into_owned());
            }
            Flat::Never => {}
            Flat::Cut(_) => return false,
        }
    }
    // What a look finds is noted by the conversion.
    reader.loosened.truncate(noted);
    let apart = |a, b| types_apart(a, b) || values_apart(a, b) || tags_apart(a, b);
    flat.iter().enumerate().all(|(index, a)| flat.iter().skip(index + 1).all(|b| apart(a, b)))
}

fn types_apart(a: &Map<String, Value>, b: &Map<String, Value>) -> bool {
    let (Types::Said(a), Types::Said(b)) = (types(a), types(b)) else { return false };
    let number = |of: &&str| matches!(*of, "number" | "integer");
    !a.iter().any(|of| b.contains(of) || (number(of) && b.iter().any(&number)))
}

fn values_apart(a: &Map<String, Value>, b: &Map<String, Value>) -> bool {
    matches!((values(a), values(b)), (Some(a), Some(b)) if !a.iter().any(|value| b.contains(value)))
}

/// A property that both require and whose values are listed and differ.
fn tags_apart(a: &Map<String, Value>, b: &Map<String, Value>) -> bool {
    let requires = |map: &Map<String, Value>, name: &str| {
        map.get("required").and_then(Value::as_array).is_some_and(|all| all.iter().any(|known| known == name))
    };
    let tag = |map: &Map<String, Value>, name: &str| map.get("properties")?.get(name)?.as_object().cloned();
    let objects = |map| matches!(types(map), Types::Said(of) if of == ["object"]);
    objects(a)
        && objects(b)
        && a.get("properties").and_then(Value::as_object).into_iter().flat_map(|all| all.keys()).any(|name| {
            requires(a, name)
                && requires(b, name)
                && matches!((tag(a, name), tag(b, name)), (Some(a), Some(b)) if values_apart(&a, &b))
        })
}

/// A property whose name may be another for the model.
pub(super) fn field(name: &str, shown: String, null_is_absent: bool, back: Back) -> Field {
    Field { name: name.to_owned(), shown, null_is_absent, back }
}

/// The names under `required`.
pub(super) fn required(map: &Map<String, Value>) -> Vec<&str> {
    map.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}
