//! Parameters: what goes into the path, the query, headers and cookies, in every style of 2.0 and 3.x.

use std::sync::Arc;

use http::HeaderName;
use serde_json::{Value, json};

use super::build::{Failure, Reason};
use super::document::{Document, Version};
use super::documents::{Documents, shown};
use super::schema::{Converter, Object};
use super::words::sentence;
use crate::operation::{Parameter, ParameterStyle, Place};

/// Where a parameter of a description goes; bodies are parameters in 2.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum In {
    Query,
    Path,
    Header,
    Cookie,
    Body,
    Form,
}

/// A parameter as the document has it, references followed.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) document: Arc<Document>,
    pub(super) object: Object,
    pub(super) name: String,
    pub(super) place: In,
    pub(super) required: bool,
}

impl Given {
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.object.get(key).and_then(Value::as_str)
    }

    fn flag(&self, key: &str) -> Option<bool> {
        self.object.get(key).and_then(Value::as_bool)
    }
}

/// The parameters of an operation: its own, and those of its path that it does not replace.
pub(super) fn gather(
    documents: &Documents,
    lists: &[(&Arc<Document>, Value, String)],
    notes: &mut Vec<String>,
) -> Result<Vec<Given>, Failure> {
    let mut all: Vec<Given> = Vec::new();
    for (document, list, pointer) in lists {
        let items = match list {
            Value::Array(items) => items.as_slice(),
            Value::Null => &[],
            _ => return Err(Failure::new(Reason::Parameter, "the parameters are no array", pointer)),
        };
        for (at, item) in items.iter().enumerate() {
            let pointer = format!("{pointer}/{at}");
            let (document, value) = documents
                .follow(document, item.clone())
                .map_err(|why| Failure::new(Reason::Reference, format!("a parameter: {why}"), &pointer))?;
            let Some(given) = given(document, value, &pointer, notes)? else { continue };
            match all.iter_mut().find(|known| known.name == given.name && known.place == given.place) {
                // The later list is the operation's own.
                Some(known) => *known = given,
                None => all.push(given),
            }
        }
    }
    Ok(all)
}

fn given(
    document: Arc<Document>,
    value: Value,
    pointer: &str,
    notes: &mut Vec<String>,
) -> Result<Option<Given>, Failure> {
    let Value::Object(object) = value else {
        return Err(Failure::new(Reason::Parameter, "a parameter is no object", pointer));
    };
    let name = object.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let required = object.get("required") == Some(&Value::Bool(true));
    let place = match object.get("in").and_then(Value::as_str) {
        Some("query") => In::Query,
        Some("path") => In::Path,
        Some("header") => In::Header,
        Some("cookie") => In::Cookie,
        Some("body") => In::Body,
        Some("formData" | "form") => In::Form,
        other => {
            let message = match other {
                Some(other) => {
                    format!("the parameter `{}` goes to `{}`, which is not known", shown(&name), shown(other))
                }
                None => format!("the parameter `{}` does not say where it goes", shown(&name)),
            };
            if required {
                return Err(Failure::new(Reason::Parameter, message, pointer));
            }
            notes.push(format!("{message}; it is left out"));
            return Ok(None);
        }
    };
    if name.is_empty() && place != In::Body {
        return Err(Failure::new(Reason::Parameter, "a parameter has no name", pointer));
    }
    Ok(Some(Given { document, object, name, place, required }))
}

/// A parameter as an argument of the tool.
pub(super) struct Made {
    pub(super) parameter: Parameter,
    pub(super) schema: Value,
    /// Whether it has one possible value, which is sent without asking.
    pub(super) constant: bool,
}

/// Makes a parameter of the request; `None` where it is not the caller's to set.
pub(super) fn make(
    given: &Given,
    converter: &mut Converter<'_>,
    version: Version,
    pointer: &str,
) -> Result<Option<Made>, Failure> {
    let place = match given.place {
        In::Query => Place::Query,
        In::Path => Place::Path,
        In::Header => Place::Header,
        In::Cookie => Place::Cookie,
        In::Body | In::Form => return Ok(None),
    };
    if place == Place::Header {
        if given.name.eq_ignore_ascii_case("accept") || given.name.eq_ignore_ascii_case("content-type") {
            // Said by the operation's media types (OpenAPI 3.1 §4.8.12.1).
            return Ok(None);
        }
        match HeaderName::try_from(&given.name) {
            Ok(name) if crate::headers::refusal(&name).is_some() => {
                converter.note(format!(
                    "the header `{}` is the host's to set; it is left out",
                    shown(&given.name)
                ));
                return Ok(None);
            }
            Ok(_) => {}
            Err(_) if given.required => {
                let message = format!("`{}` is not the name of a header", shown(&given.name));
                return Err(Failure::new(Reason::Parameter, message, pointer));
            }
            Err(_) => {
                converter
                    .note(format!("`{}` is not the name of a header; it is left out", shown(&given.name)));
                return Ok(None);
            }
        }
    }
    let mut parameter = Parameter::new(given.name.clone(), place);
    style(given, version, &mut parameter, converter);
    parameter.allow_reserved =
        given.flag("allowReserved").unwrap_or(false) || given.flag("x-ms-skip-url-encoding").unwrap_or(false);
    parameter.allow_empty = given.flag("allowEmptyValue").unwrap_or(false);
    parameter.required = given.required || place == Place::Path;

    let mut schema = schema(given, version, converter);
    if let (Value::Object(object), Some(text)) = (&mut schema, given.text("description")) {
        let text = sentence(text, 300);
        if !text.is_empty() {
            object.insert("description".to_owned(), text.into());
        }
    }
    let only = only_value(&schema);
    if parameter.required {
        parameter.default = only.clone().or_else(|| schema.get("default").cloned());
    }
    let constant = parameter.required && only.is_some();
    parameter.fixed = constant;
    Ok(Some(Made { parameter, schema, constant }))
}

/// The one value that a schema allows.
fn only_value(schema: &Value) -> Option<Value> {
    if let Some(value) = schema.get("const") {
        return Some(value.clone());
    }
    match schema.get("enum").and_then(Value::as_array).map(Vec::as_slice) {
        Some([only]) if !only.is_null() => Some(only.clone()),
        _ => None,
    }
}

fn style(given: &Given, version: Version, parameter: &mut Parameter, converter: &mut Converter<'_>) {
    if version == Version::V2 {
        let inline = matches!(parameter.place, Place::Path | Place::Header);
        (parameter.style, parameter.explode) = match given.text("collectionFormat") {
            Some("multi") if !inline => (ParameterStyle::Form, true),
            Some("ssv") => (ParameterStyle::SpaceDelimited, false),
            Some("tsv") => (ParameterStyle::Tabs, false),
            Some("pipes") => (ParameterStyle::PipeDelimited, false),
            _ if inline => (ParameterStyle::Simple, false),
            _ => (ParameterStyle::Form, false),
        };
        return;
    }
    if given.object.contains_key("content") {
        parameter.style = if media(given).is_none_or(|(kind, _)| kind.contains("json")) {
            ParameterStyle::Json
        } else {
            parameter.style
        };
        return;
    }
    let named = match given.text("style") {
        Some("simple") => Some(ParameterStyle::Simple),
        Some("label") => Some(ParameterStyle::Label),
        Some("matrix") => Some(ParameterStyle::Matrix),
        Some("form") => Some(ParameterStyle::Form),
        Some("spaceDelimited") => Some(ParameterStyle::SpaceDelimited),
        Some("pipeDelimited") => Some(ParameterStyle::PipeDelimited),
        Some("deepObject") => Some(ParameterStyle::DeepObject),
        Some(other) => {
            converter.note(format!("the style `{}` of `{}` is not known", shown(other), shown(&given.name)));
            None
        }
        None => None,
    };
    let fits = |style: ParameterStyle| match parameter.place {
        Place::Path => {
            matches!(style, ParameterStyle::Simple | ParameterStyle::Label | ParameterStyle::Matrix)
        }
        Place::Header => style == ParameterStyle::Simple,
        Place::Cookie => style == ParameterStyle::Form,
        Place::Query => {
            !matches!(style, ParameterStyle::Simple | ParameterStyle::Label | ParameterStyle::Matrix)
        }
    };
    if let Some(style) = named {
        if fits(style) {
            parameter.style = style;
            parameter.explode = matches!(style, ParameterStyle::Form | ParameterStyle::DeepObject);
        } else {
            converter.note(format!(
                "the style of `{}` does not fit its place; the usual one is taken",
                shown(&given.name)
            ));
        }
    }
    if let Some(explode) = given.flag("explode")
        && parameter.style != ParameterStyle::DeepObject
    {
        parameter.explode = explode;
    }
}

/// The one media type of a parameter with `content`.
fn media(given: &Given) -> Option<(&str, &Value)> {
    let content = given.object.get("content")?.as_object()?;
    content.iter().next().map(|(kind, media)| (kind.as_str(), media.get("schema").unwrap_or(&Value::Null)))
}

/// The schema of a parameter; text where it has none.
pub(super) fn schema(given: &Given, version: Version, converter: &mut Converter<'_>) -> Value {
    let found = if let Some((_, schema)) = media(given) { Some(schema) } else { given.object.get("schema") };
    match found {
        Some(schema @ (Value::Object(_) | Value::Bool(_))) => {
            let mut schema = converter.schema(&given.document, schema);
            // Examples may stand beside the schema.
            if let (Some(example), Value::Object(object)) = (given.object.get("example"), &mut schema)
                && object.contains_key("type")
                && !["enum", "default", "examples"].iter().any(|key| object.contains_key(*key))
                && (example.is_string() || example.is_number())
                && example.to_string().len() <= 60
            {
                object.insert("examples".to_owned(), json!([example]));
            }
            schema
        }
        _ if version == Version::V2 || given.object.contains_key("type") => {
            // In 2.0, and by mistake in 3.x, the keywords stand in the parameter itself.
            let mut own = given.object.clone();
            // `required` is the parameter's, not a list of names.
            own.retain(|key, _| key != "required");
            if !own.contains_key("type") && !own.contains_key("enum") {
                converter
                    .note(format!("the parameter `{}` has no schema; text is assumed", shown(&given.name)));
                own.insert("type".to_owned(), "string".into());
            }
            converter.schema(&given.document, &Value::Object(own))
        }
        _ => {
            converter.note(format!("the parameter `{}` has no schema; text is assumed", shown(&given.name)));
            json!({ "type": "string" })
        }
    }
}
