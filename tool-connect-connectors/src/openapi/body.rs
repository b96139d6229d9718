//! Bodies: JSON, forms, forms of several parts, text and bytes; of 2.0 and 3.x.

use std::sync::Arc;

use serde_json::{Value, json};

use super::arguments::{self, Arguments};
use super::build::{Failure, Reason};
use super::document::Document;
use super::parameters::{Given, In};
use super::schema::{Converter, Object};
use super::words::sentence;
use crate::operation::{Body, BodyContent, Encoding, FormField, ParameterStyle, Part};

/// More members than this are one argument.
const MAX_MEMBERS: usize = 80;

/// A body as a description has it.
pub(super) struct Source {
    pub(super) document: Arc<Document>,
    pub(super) media_type: String,
    pub(super) schema: Value,
    pub(super) encoding: Value,
    pub(super) required: bool,
    pub(super) description: Option<String>,
    /// What an extension calls it.
    pub(super) name: Option<String>,
    /// Whether the method has a body by its meaning, so that members that are required make the body so.
    pub(super) meant: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Json,
    OtherJson,
    Form,
    Multipart,
    Any,
    Text,
    Xml,
    Binary,
}

fn kind(media_type: &str) -> Kind {
    let bare = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match bare.as_str() {
        "application/json" => Kind::Json,
        "application/x-www-form-urlencoded" => Kind::Form,
        "*/*" | "application/*" | "" => Kind::Any,
        "application/xml" | "text/xml" => Kind::Xml,
        _ if bare.starts_with("multipart/") => Kind::Multipart,
        _ if bare.ends_with("+json") || bare == "text/json" => Kind::OtherJson,
        _ if bare.ends_with("+xml") => Kind::Xml,
        _ if bare.starts_with("text/") => Kind::Text,
        _ => Kind::Binary,
    }
}

/// The media type of a body that is written best, of those that a service takes.
pub(super) fn best<'a>(media_types: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    media_types.into_iter().min_by_key(|media_type| kind(media_type))
}

/// Whether answers in this media type are JSON.
pub(super) fn is_json(media_type: &str) -> bool {
    matches!(kind(media_type), Kind::Json | Kind::OtherJson)
}

/// Makes the body and its arguments.
pub(super) fn make(source: Source, converter: &mut Converter<'_>, arguments: &mut Arguments) -> Body {
    let kind = kind(&source.media_type);
    let root = converter.root(&source.document, &source.schema);
    let alternatives = converter.one_of_names(&source.document, &source.schema);
    let is_text = root.get("type").is_some_and(|t| t == "string");
    let is_bytes = is_text && root.get("format").is_some_and(|f| f == "binary");
    let body = match kind {
        Kind::Form => form(&source, root, converter, arguments),
        Kind::Multipart => multipart(&source, root, converter, arguments),
        Kind::Any if is_bytes => whole(source, arguments, Encoding::Binary, "application/octet-stream"),
        Kind::Any if is_text => whole(source, arguments, Encoding::Text, "text/plain"),
        Kind::Json | Kind::OtherJson | Kind::Any => json(&source, root, converter, arguments, kind),
        Kind::Text if !is_bytes => whole(source, arguments, Encoding::Text, ""),
        Kind::Xml => whole(source, arguments, Encoding::Text, ""),
        Kind::Text | Kind::Binary => whole(source, arguments, Encoding::Binary, ""),
    };
    if let BodyContent::Members(members) = &body.content {
        let argument =
            |wire: &String| members.iter().find(|(_, member)| member == wire).map(|(name, _)| name.clone());
        let sets = alternatives.iter().map(|names| names.iter().map(argument).collect::<Option<Vec<_>>>());
        // A set with a name that is no member can be had by nobody.
        arguments.one_of(sets.flatten().collect());
    }
    body
}

/// A body that is text or bytes.
fn whole(source: Source, arguments: &mut Arguments, encoding: Encoding, otherwise: &str) -> Body {
    let name = arguments.name(source.name.as_deref().unwrap_or("body"), "body");
    let said = source.description.as_deref().map(|text| sentence(text, 300)).unwrap_or_default();
    let media_type = if otherwise.is_empty() { source.media_type } else { otherwise.to_owned() };
    let schema = match encoding {
        Encoding::Text => {
            let what = format!("Text of the type {media_type}.");
            let description = if said.is_empty() { what } else { format!("{said} {what}") };
            json!({ "type": "string", "description": description })
        }
        _ => arguments::file(Some(&said)),
    };
    arguments.add(&name, schema, source.required);
    Body { content: BodyContent::Argument(name), encoding, media_type, required: source.required }
}

/// The members of a body that may be arguments of their own; `None` where it is no plain object.
fn members<'r>(source: &Source, root: &'r Value) -> Option<&'r Object> {
    let open = match root.get("additionalProperties") {
        None | Some(Value::Bool(false)) => false,
        Some(_) => true,
    };
    let is_object = root.get("type").is_none_or(|t| t == "object" || *t == json!(["object", "null"]));
    let properties = root.get("properties")?.as_object()?;
    let optional = !source.required && !source.meant && root.get("required").is_some();
    let plain = is_object && !open && !optional && root.get("anyOf").is_none() && root.get("allOf").is_none();
    (plain && !properties.is_empty() && properties.len() <= MAX_MEMBERS).then_some(properties)
}

fn required(root: &Value, name: &str) -> bool {
    root.get("required").and_then(Value::as_array).is_some_and(|names| names.iter().any(|one| one == name))
}

/// Adds the members as arguments.
fn flat(
    properties: &Object,
    root: &Value,
    arguments: &mut Arguments,
    mut schema: impl FnMut(&str, &Value) -> Value,
) -> BodyContent {
    let mut content = Vec::with_capacity(properties.len());
    for (member, value) in properties {
        let name = arguments.name(member, "body");
        arguments.add(&name, schema(member, value), required(root, member));
        content.push((name, member.clone()));
    }
    BodyContent::Members(content)
}

fn is_required(source: &Source, root: &Value) -> bool {
    source.required || (source.meant && root.get("required").is_some())
}

/// A body that is one argument, with what its schema says.
fn one(source: &Source, mut schema: Value, arguments: &mut Arguments) -> BodyContent {
    let name = arguments.name(source.name.as_deref().unwrap_or("body"), "body");
    if let Value::Object(object) = &mut schema
        && !object.contains_key("description")
    {
        let said = source.description.as_deref().map(|text| sentence(text, 300)).unwrap_or_default();
        if !said.is_empty() {
            object.insert("description".to_owned(), said.into());
        }
    }
    arguments.add(&name, schema, source.required);
    BodyContent::Argument(name)
}

fn json(
    source: &Source,
    root: Value,
    converter: &mut Converter<'_>,
    arguments: &mut Arguments,
    kind: Kind,
) -> Body {
    let (content, required) = match members(source, &root) {
        Some(properties) => {
            (flat(properties, &root, arguments, |_, schema| schema.clone()), is_required(source, &root))
        }
        None => (one(source, converter.schema(&source.document, &source.schema), arguments), source.required),
    };
    let media_type = match kind {
        Kind::Any => "application/json".to_owned(),
        _ => source.media_type.clone(),
    };
    Body { content, encoding: Encoding::Json, media_type, required }
}

fn form(source: &Source, root: Value, converter: &mut Converter<'_>, arguments: &mut Arguments) -> Body {
    let properties = root.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let fields = properties.keys().filter_map(|name| field(name, &source.encoding)).collect();
    let (content, required) = match members(source, &root) {
        Some(properties) => {
            (flat(properties, &root, arguments, |_, schema| schema.clone()), is_required(source, &root))
        }
        None => {
            let mut schema = converter.schema(&source.document, &source.schema);
            if source.schema.is_null() || schema == json!({}) {
                schema = json!({ "type": "object" });
            }
            (one(source, schema, arguments), source.required)
        }
    };
    let media_type = "application/x-www-form-urlencoded".to_owned();
    Body { content, encoding: Encoding::Form(fields), media_type, required }
}

/// How a field is written, where the description says so.
fn field(name: &str, encoding: &Value) -> Option<FormField> {
    let said = encoding.get(name)?;
    if said.get("contentType").and_then(Value::as_str).is_some_and(is_json) {
        return Some(FormField::new(name, ParameterStyle::Json, false));
    }
    let style = match said.get("style").and_then(Value::as_str) {
        Some("spaceDelimited") => ParameterStyle::SpaceDelimited,
        Some("pipeDelimited") => ParameterStyle::PipeDelimited,
        Some("deepObject") => ParameterStyle::DeepObject,
        Some("tsv") => ParameterStyle::Tabs,
        Some("form") => ParameterStyle::Form,
        _ if said.get("explode").is_some() => ParameterStyle::Form,
        _ => return None,
    };
    let explode = said.get("explode").and_then(Value::as_bool);
    Some(FormField::new(name, style, explode.unwrap_or(style == ParameterStyle::Form)))
}

fn multipart(source: &Source, root: Value, converter: &mut Converter<'_>, arguments: &mut Arguments) -> Body {
    let is_file = |schema: &Value| {
        let file = |schema: &Value| {
            schema.get("format").is_some_and(|format| format == "binary")
                && schema.get("type").is_none_or(|t| t == "string" || *t == json!(["string", "null"]))
        };
        (file(schema), schema.get("items").is_some_and(file))
    };
    let described = |schema: &Value| arguments::file(schema.get("description").and_then(Value::as_str));
    let as_files = |schema: &Value| match is_file(schema) {
        (true, _) => described(schema),
        (_, true) => {
            let mut list = json!({ "type": "array", "items": arguments::file(None) });
            if let Some(text) = schema.get("description") {
                list["description"] = text.clone();
            }
            list
        }
        _ => schema.clone(),
    };
    let properties = root.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let parts = properties
        .iter()
        .filter_map(|(name, schema)| {
            let (one, many) = is_file(schema);
            let mut part = Part::new(name.as_str(), one || many);
            let said =
                source.encoding.get(name).and_then(|said| said.get("contentType")).and_then(Value::as_str);
            part.media_type = said.map(str::to_owned);
            (part.file || part.media_type.is_some()).then_some(part)
        })
        .collect();
    let (content, required) = match members(source, &root) {
        Some(properties) => {
            (flat(properties, &root, arguments, |_, schema| as_files(schema)), is_required(source, &root))
        }
        None => {
            let mut whole = root.clone();
            if let Some(properties) = whole.get_mut("properties").and_then(Value::as_object_mut) {
                properties.values_mut().for_each(|schema| *schema = as_files(schema));
            } else {
                let _ = converter.schema(&source.document, &source.schema);
                whole = json!({ "type": "object" });
            }
            (one(source, whole, arguments), source.required)
        }
    };
    Body {
        content,
        encoding: Encoding::Multipart(parts),
        media_type: "multipart/form-data".to_owned(),
        required,
    }
}

/// The body of an operation of 2.0, from its parameters.
pub(super) fn of_parameters(
    given: &[Given],
    consumes: &[String],
    pointer: &str,
    meant: bool,
) -> Result<Option<Source>, Failure> {
    if let Some(body) = given.iter().find(|one| one.place == In::Body) {
        let media_type = best(consumes.iter().map(String::as_str)).unwrap_or("application/json").to_owned();
        return Ok(Some(Source {
            document: Arc::clone(&body.document),
            // A body that has a schema is JSON, whatever else the service takes.
            media_type: if matches!(kind(&media_type), Kind::Form | Kind::Multipart) {
                "application/json".to_owned()
            } else {
                media_type
            },
            schema: body.object.get("schema").cloned().unwrap_or_default(),
            encoding: Value::Null,
            required: body.required,
            description: body.text("description").map(str::to_owned),
            name: None,
            meant,
        }));
    }
    let fields: Vec<&Given> = given.iter().filter(|one| one.place == In::Form).collect();
    let Some(first) = fields.first() else { return Ok(None) };
    if fields.iter().any(|field| !Arc::ptr_eq(&field.document, &first.document)) {
        let message = "its form fields stand in several documents";
        return Err(Failure::new(Reason::Body, message, pointer));
    }
    let has_file = fields.iter().any(|field| field.text("type") == Some("file"));
    let multipart = has_file
        || (consumes.iter().any(|c| kind(c) == Kind::Multipart)
            && !consumes.iter().any(|c| kind(c) == Kind::Form));
    let mut properties = Object::new();
    let mut encoding = Object::new();
    let mut required = Vec::new();
    for field in &fields {
        let mut schema = field.object.clone();
        schema.retain(|key, _| key != "required");
        if field.required {
            required.push(Value::from(field.name.as_str()));
        }
        if field.text("type") == Some("array") {
            let (style, explode) = match field.text("collectionFormat") {
                Some("multi") => ("form", true),
                Some("ssv") => ("spaceDelimited", false),
                Some("tsv") => ("tsv", false),
                Some("pipes") => ("pipeDelimited", false),
                _ => ("form", false),
            };
            encoding.insert(field.name.clone(), json!({ "style": style, "explode": explode }));
        }
        if !schema.contains_key("type") && !schema.contains_key("schema") {
            schema.insert("type".to_owned(), "string".into());
        }
        // By mistake some put a schema into a form field.
        let schema = schema.remove("schema").unwrap_or(Value::Object(schema));
        properties.insert(field.name.clone(), schema);
    }
    let mut schema = json!({ "type": "object", "properties": properties });
    let is_required = !required.is_empty();
    if is_required {
        schema["required"] = Value::Array(required);
    }
    Ok(Some(Source {
        document: Arc::clone(&first.document),
        media_type: if multipart { "multipart/form-data" } else { "application/x-www-form-urlencoded" }
            .to_owned(),
        schema,
        encoding: Value::Object(encoding),
        required: is_required,
        description: None,
        name: None,
        meant,
    }))
}
