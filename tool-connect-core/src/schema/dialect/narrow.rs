//! For APIs that take a part of JSON Schema: every schema has one type or is a union of such, and what cannot be typed
//! travels as JSON text.

use serde_json::{Map, Value, json};

use super::alternatives::{combine, nullable, union};
use super::back::Back;
use super::measure::measure;
use super::object::{DEPTH, Out, field, join, required, say};
use super::read::{Flat, Reader, annotates};
use super::rules::{STRICT_LEVELS, STRICT_LONG_ENUM, STRICT_LONG_ENUM_CHARS, format_allowed};
use super::types::{Types, type_of, types, values};
use super::{Dialect, How};
use crate::problem::pointer_token;

/// Longest schema that is shown to the model for a value that travels as text, in bytes.
const SHOWN: usize = 300;
/// Largest default that is worth its tokens, in bytes.
const DEFAULT: usize = 80;
/// The property that carries undeclared ones.
const REST: &str = "additional_properties";

/// Constraints by the type that they concern.
const OF_STRINGS: &[&str] = &["minLength", "maxLength", "pattern", "format"];
const OF_NUMBERS: &[&str] = &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"];
const OF_ARRAYS: &[&str] = &["minItems", "maxItems", "uniqueItems", "contains", "minContains", "maxContains"];
const OF_OBJECTS: &[&str] =
    &["minProperties", "maxProperties", "propertyNames", "patternProperties", "dependentRequired"];
/// Constraints of any type.
const OF_ALL: &[&str] = &["not", "if", "then", "else", "dependentSchemas", "dependencies"];

pub(super) fn root(reader: &mut Reader<'_>, map: &Map<String, Value>) -> (Value, Back) {
    let mut words = own_words(map);
    for key in OF_ALL {
        if let Some(value) = map.get(*key) {
            say(reader, &mut words, "", key, value);
        }
    }
    let mut out = object(reader, map, &Place { at: "", level: 1, depth: 0 });
    out.describe(reader, &words);
    (Value::Object(out.map), out.back)
}

/// Where a schema stands.
pub(super) struct Place<'p> {
    pub(super) at: &'p str,
    /// Objects and arrays around it, itself included where it is one.
    pub(super) level: usize,
    /// Schemas around it.
    pub(super) depth: usize,
}

/// A converted schema in its final form; `None` where nothing is valid.
fn node(reader: &mut Reader<'_>, schema: &Value, place: &Place<'_>) -> Option<Out> {
    let mut out = part(reader, schema, place)?;
    if is_null(&out) && reader.dialect == Dialect::Gemini {
        reader.note(place.at, How::Described, "null alone is said in the description");
        out.map.insert("type".to_owned(), "string".into());
        out.map.insert("nullable".to_owned(), true.into());
        out.describe(reader, "Always null.");
    }
    Some(out)
}

pub(super) fn is_null(out: &Out) -> bool {
    out.map.get("type").and_then(Value::as_str) == Some("null")
}

/// As [`node`], where null alone is still a type.
pub(super) fn part(reader: &mut Reader<'_>, schema: &Value, place: &Place<'_>) -> Option<Out> {
    if !reader.take_node() || place.depth > DEPTH {
        return Some(text(reader, place, None, "the schema is too large"));
    }
    match reader.flatten(schema, place.at) {
        Flat::Schema(map, entered) => {
            let out = flat(reader, &map, place);
            reader.leave(entered);
            out
        }
        Flat::Never => None,
        Flat::Cut(why) => Some(text(reader, place, None, why)),
    }
}

/// A value that travels as JSON text.
pub(super) fn text(
    reader: &mut Reader<'_>,
    place: &Place<'_>,
    shown: Option<&Map<String, Value>>,
    why: &str,
) -> Out {
    reader.note(place.at, How::AsText, format!("{why}; the value travels as JSON text"));
    let mut out = Out::of(Map::from_iter([("type".to_owned(), Value::from("string"))]));
    out.back.text = true;
    let shown = shown.map(|map| {
        Value::Object(
            map.iter().filter(|(key, _)| !annotates(key)).map(|(k, v)| (k.clone(), v.clone())).collect(),
        )
    });
    let words = match shown {
        Some(shown) if shown != json!({}) && measure(&shown, 16).is_some_and(|bytes| bytes <= SHOWN) => {
            format!("JSON text that fits this JSON Schema: {shown}")
        }
        _ => "Any value, as JSON text.".to_owned(),
    };
    out.describe(reader, &words);
    out
}

fn own_words(map: &Map<String, Value>) -> String {
    let word = |key: &str| map.get(key).and_then(Value::as_str).unwrap_or_default();
    let mut words =
        if word("description").is_empty() { word("title") } else { word("description") }.to_owned();
    if let Some(default) = map.get("default").filter(|d| !d.is_null())
        && measure(default, 3).is_some_and(|bytes| bytes <= DEFAULT)
    {
        words = join(&words, &format!("Default: {default}."));
    }
    words
}

fn flat(reader: &mut Reader<'_>, map: &Map<String, Value>, place: &Place<'_>) -> Option<Out> {
    let mut words = own_words(map);
    if let Some(key) = ["anyOf", "oneOf"].into_iter().find(|key| map.get(*key).is_some_and(Value::is_array)) {
        let alternatives = union(reader, map, key, place);
        return combine(reader, alternatives, &words, map, place);
    }
    for key in OF_ALL {
        if let Some(value) = map.get(*key) {
            say(reader, &mut words, place.at, key, value);
        }
    }
    let of = match types(map) {
        Types::Said(of) => of,
        Types::Hinted(of) => {
            reader.note(
                place.at,
                How::Declared,
                format!("there is no `type`; it is read as {}", of.join(" or ")),
            );
            of
        }
        Types::Any => {
            let mut out = text(reader, place, Some(map), "it may be anything");
            out.describe(reader, &words);
            return Some(out);
        }
    };
    let alternatives = of.into_iter().filter_map(|of| typed(reader, of, map, place)).collect();
    combine(reader, alternatives, &words, map, place)
}

fn typed(
    reader: &mut Reader<'_>,
    of: &'static str,
    map: &Map<String, Value>,
    place: &Place<'_>,
) -> Option<Out> {
    let listed: Option<Vec<&Value>> = values(map).map(|all| {
        let is = |value: &&Value| type_of(value) == of || (of == "number" && type_of(value) == "integer");
        all.into_iter().filter(is).collect()
    });
    if listed.as_ref().is_some_and(Vec::is_empty) && of != "null" {
        return None;
    }
    match of {
        "object" | "array" if listed.is_some() => {
            Some(text(reader, place, Some(map), "its values are objects or arrays"))
        }
        "object" | "array" if reader.dialect == Dialect::OpenAiStrict && place.level > STRICT_LEVELS => {
            Some(text(reader, place, Some(map), "it is nested too deep"))
        }
        "object" => Some(object(reader, map, place)),
        "array" => Some(array(reader, map, place)),
        _ => Some(scalar(reader, of, map, listed, place.at)),
    }
}

fn scalar(
    reader: &mut Reader<'_>,
    of: &'static str,
    map: &Map<String, Value>,
    listed: Option<Vec<&Value>>,
    at: &str,
) -> Out {
    let mut out = Out::of(Map::from_iter([("type".to_owned(), Value::from(of))]));
    let mut words = String::new();
    let gemini = reader.dialect == Dialect::Gemini;
    if let Some(listed) = listed.filter(|_| of != "null") {
        let all = Value::Array(listed.into_iter().cloned().collect());
        if enum_allowed(reader, of, &all) {
            out.map.insert("enum".to_owned(), all);
        } else {
            say(reader, &mut words, at, "enum", &all);
        }
    }
    let constraints = match of {
        "string" => OF_STRINGS,
        "number" | "integer" => OF_NUMBERS,
        _ => &[],
    };
    for key in constraints.iter().filter(|key| map.contains_key(**key)) {
        let Some(value) = map.get(*key) else { continue };
        let kept = match *key {
            "pattern" => {
                value.as_str().is_some_and(|text| reader.plain_pattern(text)) && reader.take_value(value)
            }
            "format" => value.as_str().is_some_and(|format| format_allowed(reader.dialect, of, format)),
            "minLength" | "maxLength" => gemini,
            "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" => !gemini,
            _ => true,
        };
        if kept {
            out.map.insert((*key).to_owned(), value.clone());
        } else {
            say(reader, &mut words, at, key, value);
        }
    }
    // Formats of numbers only describe.
    if gemini
        && of != "string"
        && let Some(format) =
            map.get("format").filter(|f| f.as_str().is_some_and(|f| format_allowed(Dialect::Gemini, of, f)))
    {
        out.map.insert("format".to_owned(), format.clone());
    }
    out.describe(reader, &words);
    out
}

/// Whether a list of values may stand in the schema.
fn enum_allowed(reader: &mut Reader<'_>, of: &str, all: &Value) -> bool {
    let values = all.as_array().map_or(&[][..], Vec::as_slice);
    if reader.dialect == Dialect::Gemini {
        return of == "string" && reader.take_value(all);
    }
    let chars: usize = values.iter().filter_map(Value::as_str).map(|text| text.chars().count()).sum();
    // One more for null, which an optional property adds.
    let count = values.len() + 1;
    let allowed = count <= reader.enum_values
        && !(count > STRICT_LONG_ENUM && chars > STRICT_LONG_ENUM_CHARS)
        && reader.take_value(all);
    if allowed {
        reader.enum_values -= count;
    }
    allowed
}

fn array(reader: &mut Reader<'_>, map: &Map<String, Value>, place: &Place<'_>) -> Out {
    let mut out = Out::of(Map::from_iter([("type".to_owned(), Value::from("array"))]));
    let mut words = String::new();
    let prefix = map.get("prefixItems").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let rest = map.get("items");
    let inner = Place { at: &format!("{}/items", place.at), level: place.level + 1, depth: place.depth + 1 };
    let item = if prefix.is_empty() {
        node(reader, rest.unwrap_or(&Value::Bool(true)), &inner)
    } else {
        let mut forms: Vec<Value> = Vec::new();
        for form in prefix.iter().chain([rest.unwrap_or(&Value::Bool(true))]) {
            if !forms.contains(form) {
                forms.push(form.clone());
            }
        }
        say(reader, &mut words, place.at, "prefixItems", &Value::Array(prefix.to_vec()));
        node(reader, &json!({"anyOf": forms}), &inner)
    };
    let closed = rest == Some(&Value::Bool(false));
    let most = map.get("maxItems").and_then(Value::as_u64);
    match item {
        Some(item) => {
            out.map.insert("items".to_owned(), Value::Object(item.map));
            out.back.items = Some(Box::new(item.back));
        }
        None => {
            out.map.insert("items".to_owned(), json!({"type": "string"}));
        }
    }
    let bound = if closed || out.back.items.is_none() {
        let tuple = prefix.len() as u64;
        Some(most.map_or(tuple, |most| most.min(tuple)))
    } else {
        most
    };
    for key in OF_ARRAYS {
        match (*key, map.get(*key)) {
            ("minItems", Some(value)) => {
                out.map.insert("minItems".to_owned(), value.clone());
            }
            ("maxItems", _) => {
                out.map.extend(bound.map(|most| ("maxItems".to_owned(), Value::from(most))));
            }
            ("uniqueItems", Some(Value::Bool(false))) | (_, None) => {}
            (key, Some(value)) => say(reader, &mut words, place.at, key, value),
        }
    }
    if let Some(value) = map.get("unevaluatedItems") {
        say(reader, &mut words, place.at, "unevaluatedItems", value);
    }
    out.describe(reader, &words);
    out
}

/// What an object says of properties that it does not declare.
enum Undeclared<'m> {
    /// Nothing: they are no arguments.
    Unsaid,
    Refused,
    /// They may be there, and this is known of them.
    Accepted(Option<&'m Value>),
}

fn undeclared(map: &Map<String, Value>) -> Undeclared<'_> {
    if map.contains_key("patternProperties") {
        return Undeclared::Accepted(None);
    }
    match map.get("additionalProperties").or_else(|| map.get("unevaluatedProperties")) {
        None => Undeclared::Unsaid,
        Some(Value::Bool(false)) => Undeclared::Refused,
        Some(Value::Bool(true)) => Undeclared::Accepted(None),
        Some(schema) => Undeclared::Accepted(Some(schema)),
    }
}

fn object(reader: &mut Reader<'_>, map: &Map<String, Value>, place: &Place<'_>) -> Out {
    let is_root = place.at.is_empty();
    let strict = reader.dialect == Dialect::OpenAiStrict;
    let undeclared = undeclared(map);
    let any = Value::Bool(true);
    let of_rest = match undeclared {
        Undeclared::Accepted(Some(schema)) => schema,
        _ => &any,
    };
    let empty = Map::new();
    let properties = map.get("properties").and_then(Value::as_object).unwrap_or(&empty);
    let needed = required(map);
    let mut names: Vec<(&str, &Value)> =
        properties.iter().map(|(name, schema)| (name.as_str(), schema)).collect();
    if !matches!(undeclared, Undeclared::Refused) {
        for name in &needed {
            if !names.iter().any(|(known, _)| known == name) {
                names.push((name, of_rest));
            }
        }
    }
    if names.is_empty() && !is_root {
        match undeclared {
            Undeclared::Refused if strict => {}
            Undeclared::Refused => return text(reader, place, Some(map), "an object without properties"),
            _ => return text(reader, place, Some(map), "an object of any properties"),
        }
    }
    let mut out = Out::of(Map::from_iter([("type".to_owned(), Value::from("object"))]));
    let mut words = String::new();
    let mut shown_properties = Map::new();
    let mut shown_required: Vec<Value> = Vec::new();
    let mut rest = matches!(undeclared, Undeclared::Accepted(_));
    for (name, schema) in names {
        let at = format!("{}/properties/{}", place.at, pointer_token(name));
        // Once as a property, once as required.
        if !reader.take_text(name) || !reader.take_text(name) {
            reader.note(
                &at,
                How::Dropped,
                "the schema is too large; the property travels with the undeclared ones",
            );
            rest = true;
            continue;
        }
        let inner = Place { at: &at, level: place.level + 1, depth: place.depth + 1 };
        let Some(mut child) = node(reader, schema, &inner) else {
            reader.note(&at, How::Dropped, "no value is accepted; the property is not declared");
            continue;
        };
        let optional = !needed.contains(&name);
        if optional && strict {
            child = nullable(reader.dialect, child);
        }
        let shown = reader.name(name, &at);
        if strict || !optional {
            shown_required.push(shown.clone().into());
        }
        shown_properties.insert(shown.clone(), Value::Object(child.map));
        out.back.fields.push(field(name, shown, optional && strict, child.back));
    }
    let mut extra = String::new();
    for key in OF_OBJECTS {
        if let Some(value) = map.get(*key) {
            let target = if *key == "patternProperties" { &mut extra } else { &mut words };
            say(reader, target, place.at, key, value);
        }
    }
    if !rest && shown_properties.is_empty() && !is_root && !strict {
        return text(reader, place, Some(map), "an object without properties");
    }
    if rest {
        undeclared_as_text(reader, place, of_rest, &extra, properties, &mut shown_properties, &mut out);
        if strict {
            shown_required.extend(out.back.rest.clone().map(Value::from));
        }
    } else if matches!(undeclared, Undeclared::Unsaid) && strict {
        reader.note(place.at, How::Declared, "properties that are not declared cannot be said");
    } else if matches!(undeclared, Undeclared::Refused) && !strict {
        reader.note(place.at, How::Dropped, "properties that are not declared are not refused by the API");
    }
    out.map.insert("properties".to_owned(), Value::Object(shown_properties));
    if strict || !shown_required.is_empty() {
        out.map.insert("required".to_owned(), Value::Array(shown_required));
    }
    if strict {
        out.map.insert("additionalProperties".to_owned(), false.into());
    }
    out.describe(reader, &words);
    out
}

/// One more property, which carries those that are not declared.
fn undeclared_as_text(
    reader: &mut Reader<'_>,
    place: &Place<'_>,
    of_rest: &Value,
    extra: &str,
    properties: &Map<String, Value>,
    shown: &mut Map<String, Value>,
    out: &mut Out,
) {
    let mut name = REST.to_owned();
    while shown.contains_key(&name) || properties.contains_key(&name) {
        name.push('_');
    }
    reader.note(
        place.at,
        How::AsText,
        format!("properties that are not declared travel as JSON text in `{name}`"),
    );
    let of = measure(of_rest, 12)
        .filter(|bytes| *bytes <= SHOWN && of_rest.as_object().is_some_and(|map| !map.is_empty()));
    let words = match of {
        Some(_) => format!(
            "More properties, as the JSON text of one object whose values fit this JSON Schema: {of_rest}"
        ),
        None => "More properties, as the JSON text of one object.".to_owned(),
    };
    let mut child = Out::of(Map::from_iter([("type".to_owned(), Value::from("string"))]));
    child.describe(reader, &join(&words, extra));
    if reader.dialect == Dialect::OpenAiStrict {
        child = nullable(reader.dialect, child);
    }
    shown.insert(name.clone(), Value::Object(child.map));
    out.back.rest = Some(name);
}
