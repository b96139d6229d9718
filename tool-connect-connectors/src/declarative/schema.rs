//! The short form of an argument as JSON Schema.

use serde_json::{Map, Value, json};
use tool_connect_core::Result;

use super::file::{Arg, Type};
use super::load::{self, wrong};

/// Deepest nesting of `items` and `properties`.
const MAX_DEPTH: usize = 8;

/// The schema of an argument, or of what one holds.
pub(super) fn of(place: &str, arg: &Arg, depth: usize) -> Result<Value> {
    if depth > MAX_DEPTH {
        return Err(wrong(
            place,
            format_args!("is nested deeper than {MAX_DEPTH} levels; give it a `schema`"),
        ));
    }
    if depth > 0 {
        let of_a_request = arg.place.is_some()
            || arg.name.is_some()
            || arg.style.is_some()
            || arg.explode.is_some()
            || arg.value.is_some()
            || arg.media_type.is_some()
            || arg.allow_reserved
            || arg.allow_empty
            || arg.at.is_some()
            || arg.template.is_some()
            || arg.kind == Some(Type::File);
        if of_a_request {
            return Err(wrong(
                place,
                "stands within another argument; only the outer one says how it is sent",
            ));
        }
    }
    let mut schema = match &arg.schema {
        Some(raw) => raw_schema(place, arg, raw)?,
        None => short(place, arg, depth)?,
    };
    if let Some(description) = arg.description.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        schema.insert("description".to_owned(), description.into());
    } else if depth == 0 && !schema.contains_key("description") {
        return Err(wrong(&format!("{place}.description"), "is missing; say what a model shall write there"));
    }
    if let Some(default) = &arg.default {
        schema.insert("default".to_owned(), load::json(&format!("{place}.default"), default)?);
    }
    Ok(Value::Object(schema))
}

/// JSON Schema as it is written: a table, or JSON text.
fn raw_schema(place: &str, arg: &Arg, raw: &toml::Value) -> Result<Map<String, Value>> {
    let short = arg.kind.is_some()
        || arg.choices.is_some()
        || arg.min.is_some()
        || arg.max.is_some()
        || arg.pattern.is_some()
        || arg.format.is_some()
        || arg.items.is_some()
        || !arg.properties.is_empty();
    if short {
        return Err(wrong(place, "has a `schema` and keys of the short form; use one of them"));
    }
    match parse(&format!("{place}.schema"), raw)? {
        Value::Object(schema) => Ok(schema),
        _ => Err(wrong(&format!("{place}.schema"), "must be a table, or the text of a JSON object")),
    }
}

/// A JSON Schema from a table or from JSON text.
pub(super) fn parse(place: &str, raw: &toml::Value) -> Result<Value> {
    match raw {
        toml::Value::String(text) => serde_json::from_str(text).map_err(|error| {
            wrong(place, format_args!("is not JSON (line {}, column {})", error.line(), error.column()))
        }),
        other => load::json(place, other),
    }
}

fn short(place: &str, arg: &Arg, depth: usize) -> Result<Map<String, Value>> {
    let kind = arg.kind.ok_or_else(|| {
        wrong(&format!("{place}.type"), "is missing; write one such as \"string\", or give a `schema`")
    })?;
    let mut schema = Map::new();
    let name = match kind {
        Type::String => "string",
        Type::Integer => "integer",
        Type::Number => "number",
        Type::Boolean => "boolean",
        Type::Array => "array",
        Type::Object | Type::File => "object",
    };
    schema.insert("type".to_owned(), name.into());
    if kind == Type::File {
        let file = json!({
            "handle": {"type": "string", "description": "Handle of an earlier result; give either this or `base64`."},
            "base64": {"type": "string", "description": "The content in Base64; for small files."},
            "name": {"type": "string", "description": "The file's name."},
            "media_type": {"type": "string", "description": "Its media type, such as `image/png`."},
        });
        schema.insert("properties".to_owned(), file);
        schema.insert("additionalProperties".to_owned(), false.into());
    }
    for (key, bound, of_number, of_string, of_array) in [
        ("min", &arg.min, "minimum", "minLength", "minItems"),
        ("max", &arg.max, "maximum", "maxLength", "maxItems"),
    ] {
        let Some(bound) = bound else { continue };
        let place = format!("{place}.{key}");
        let keyword = match kind {
            Type::Integer | Type::Number => of_number,
            Type::String => of_string,
            Type::Array => of_array,
            _ => return Err(wrong(&place, "is for numbers, the length of strings and of arrays")),
        };
        let fits = match bound {
            toml::Value::Integer(number) => keyword == of_number || *number >= 0,
            toml::Value::Float(number) => kind == Type::Number && number.is_finite(),
            _ => false,
        };
        if !fits {
            return Err(wrong(&place, "must be a number that can be one of its values, or a length"));
        }
        schema.insert(keyword.to_owned(), load::json(&place, bound)?);
    }
    if let Some(pattern) = &arg.pattern {
        let place = format!("{place}.pattern");
        if kind != Type::String {
            return Err(wrong(&place, "is for strings"));
        }
        regex::Regex::new(pattern).map_err(|_| wrong(&place, "is no regular expression"))?;
        schema.insert("pattern".to_owned(), pattern.clone().into());
    }
    if let Some(format) = &arg.format {
        schema.insert("format".to_owned(), format.clone().into());
    }
    if let Some(choices) = &arg.choices {
        let place = format!("{place}.enum");
        if choices.is_empty() {
            return Err(wrong(&place, "is empty; name what may be chosen"));
        }
        schema.insert("enum".to_owned(), load::json(&place, &toml::Value::Array(choices.clone()))?);
    }
    match (&arg.items, kind) {
        (Some(items), Type::Array) => {
            schema.insert("items".to_owned(), of(&format!("{place}.items"), items, depth + 1)?);
        }
        (None, Type::Array) => {
            return Err(wrong(
                &format!("{place}.items"),
                "is missing; say what the array holds: items = { type = \"string\" }",
            ));
        }
        (Some(_), _) => return Err(wrong(&format!("{place}.items"), "is for arrays")),
        (None, _) => {}
    }
    if !arg.properties.is_empty() {
        if kind != Type::Object {
            return Err(wrong(&format!("{place}.properties"), "is for objects"));
        }
        let (properties, required) = members(&format!("{place}.properties"), &arg.properties, depth + 1)?;
        schema.insert("properties".to_owned(), properties);
        if !required.is_empty() {
            schema.insert("required".to_owned(), required.into());
        }
        schema.insert("additionalProperties".to_owned(), false.into());
    }
    Ok(schema)
}

fn members(
    place: &str,
    members: &std::collections::BTreeMap<String, Arg>,
    depth: usize,
) -> Result<(Value, Vec<String>)> {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (name, arg) in members {
        let place = format!("{place}.{name}");
        let schema = of(&place, arg, depth)?;
        if schema.get("description").is_none() {
            return Err(wrong(
                &format!("{place}.description"),
                "is missing; say what a model shall write there",
            ));
        }
        properties.insert(name.clone(), schema);
        if arg.required {
            required.push(name.clone());
        }
    }
    Ok((Value::Object(properties), required))
}
