//! One operation, when it is first used: its references followed, its arguments named, its schema made.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::Method;
use serde_json::Value;
use url::Url;

use super::arguments::Arguments;
use super::body::{self, Source};
use super::document::{Document, Entry, Item, Version};
use super::documents::{Documents, shown};
use super::pagination::{self, Answered, Query};
use super::parameters::{self, Given, In, Made};
use super::path;
use super::report::{Problem, Reason as Why};
use super::schema::{Converter, Direction, Object};
use super::servers;
use crate::operation::{Operation, Parameter, Place};

pub(super) use super::report::Reason;

/// Why an operation cannot be a tool.
pub(super) type Failure = Problem;

impl Failure {
    pub(super) fn new(reason: Reason, message: impl Into<String>, place: &str) -> Self {
        Self { reason, message: message.into(), place: place.to_owned() }
    }
}

/// An operation as it is called.
#[derive(Debug)]
pub(super) struct Built {
    pub(super) operation: Operation,
    /// The schema of its arguments.
    pub(super) input: Arc<str>,
    /// What had to be loosened or left out.
    pub(super) notes: Vec<String>,
}

/// What holds for all operations of an import.
pub(super) struct Setting<'a> {
    pub(super) documents: &'a Documents,
    /// Whether the host said where requests go: then no operation goes elsewhere.
    pub(super) pinned: bool,
    pub(super) variables: &'a BTreeMap<String, String>,
    /// Parameters that are credentials.
    pub(super) credentials: &'a [(String, String)],
    /// Media types of 2.0 that hold for the whole document.
    pub(super) consumes: &'a [String],
    pub(super) schema_bytes: usize,
    pub(super) pages: bool,
    /// What the effect class says of repeating.
    pub(super) repeatable: Option<bool>,
}

/// Reads an operation and makes its request and its arguments.
pub(super) fn build(setting: &Setting<'_>, entry: &Entry) -> Result<Built, Failure> {
    let documents = setting.documents;
    let main = &documents.main;
    let pointer = main.pointer(entry);
    let fallback = Item::default();
    let item = main.items.get(entry.item).unwrap_or(&fallback);
    let home = item.home.as_ref().unwrap_or(main);
    let object = read(home, entry, &pointer)?;
    if entry.method == Method::TRACE {
        let message = "TRACE is not sent: a service answers it with the credentials of the request";
        return Err(Failure::new(Why::Method, message, &pointer));
    }
    let version = documents.version();
    let mut notes = Vec::new();
    let shared = item.parameters.map(|span| home.value(span)).unwrap_or_default();
    let own = object.get("parameters").cloned().unwrap_or_default();
    let parent = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
    let lists =
        [(home, shared, format!("{parent}/parameters")), (home, own, format!("{pointer}/parameters"))];
    let mut given = parameters::gather(documents, &lists, &mut notes)?;
    let path = path::without_query(&item.path, &mut given);
    let (template, missing) = path::template(&path, &given, &pointer)?;

    let mut converter = Converter::new(documents, Direction::Request);
    let mut arguments = Arguments::default();
    let response = Response::of(documents, home, &object, version);
    let pages = if setting.pages && entry.method == Method::GET {
        pages(documents, &object, &given, &response, version)
    } else {
        None
    };
    let mut operation =
        Operation::new(entry.method.clone(), address(setting, home, item, &object, &template, &pointer)?);
    if let Some(pages) = &pages {
        arguments.reserve(Operation::PAGE);
        operation.pagination = Some(pages.clone());
    }
    for name in missing {
        notes.push(format!("the placeholder `{}` is no parameter; text is assumed", shown(&name)));
        let argument = arguments.name(&name, "path");
        arguments.add(&argument, serde_json::json!({ "type": "string" }), true);
        let mut parameter = Parameter::new(name, Place::Path);
        parameter.argument = argument;
        operation.parameters.push(parameter);
    }
    let carrier = pages.as_ref().and_then(|pages| pages.parameter.as_deref());
    // In the order of their places, so that names do not depend on the order in the file.
    for place in [In::Path, In::Query, In::Header, In::Cookie] {
        for one in given.iter().filter(|one| one.place == place) {
            let is_page = place == In::Query
                && pages.is_some()
                && (carrier == Some(one.name.as_str()) || (carrier.is_none() && one.name == Operation::PAGE));
            if is_page || is_credential(setting, one) || unused(one, &template, &mut notes) {
                continue;
            }
            add(one, version, &pointer, &mut converter, &mut arguments, &mut operation)?;
        }
    }
    if let Some(source) = source(setting, home, entry, &object, &given, &pointer)? {
        let body = body::make(source, &mut converter, &mut arguments);
        operation.body = Some(body);
        operation.one_of = arguments.sets();
    }
    operation.answer.accept = response.accept();
    operation.repeatable = setting.repeatable;

    if pages.is_some() {
        let page = serde_json::json!({
            "type": "string",
            "description": "Which page: what the result before had as `next`. Leave it out for the first."
        });
        arguments.add(Operation::PAGE, page, false);
    }
    let schema = converter.close(arguments.into_schema(), setting.schema_bytes);
    notes.extend(converter.notes());
    Ok(Built { operation, input: schema.to_string().into(), notes })
}

fn read(home: &Document, entry: &Entry, pointer: &str) -> Result<Object, Failure> {
    let text = entry.span.text(&home.text);
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Failure::new(Why::Syntax, "the operation is no object", pointer)),
        Err(error) => {
            Err(Failure::new(Why::Syntax, format!("the operation cannot be read: {error}"), pointer))
        }
    }
}

/// Adds a parameter to the request and to the arguments.
fn add(
    given: &Given,
    version: Version,
    pointer: &str,
    converter: &mut Converter<'_>,
    arguments: &mut Arguments,
    operation: &mut Operation,
) -> Result<(), Failure> {
    let place = format!("{pointer}/parameters");
    let Some(Made { mut parameter, schema, constant }) = parameters::make(given, converter, version, &place)?
    else {
        return Ok(());
    };
    let prefix = match given.place {
        In::Path => "path",
        In::Header => "header",
        In::Cookie => "cookie",
        _ => "query",
    };
    parameter.argument = arguments.name(&given.name, prefix);
    if !constant {
        let required = parameter.required && parameter.default.is_none();
        arguments.add(&parameter.argument, schema, required);
    }
    operation.parameters.push(parameter);
    Ok(())
}

fn is_credential(setting: &Setting<'_>, given: &Given) -> bool {
    let place = match given.place {
        In::Query => "query",
        In::Header => "header",
        In::Cookie => "cookie",
        _ => return false,
    };
    setting.credentials.iter().any(|(known, name)| known == place && given.name.eq_ignore_ascii_case(name))
}

/// Whether a parameter of the path has no placeholder in it.
fn unused(given: &Given, template: &str, notes: &mut Vec<String>) -> bool {
    let unused = given.place == In::Path && !template.contains(&format!("{{{}}}", given.name));
    if unused {
        notes.push(format!("the path has no placeholder for `{}`; it is left out", shown(&given.name)));
    }
    unused
}

/// The operation's path: absolute where it has a server of its own and the host has not said where requests go.
fn address(
    setting: &Setting<'_>,
    home: &Document,
    item: &Item,
    object: &Object,
    template: &str,
    pointer: &str,
) -> Result<String, Failure> {
    if setting.pinned || setting.documents.version() == Version::V2 {
        return Ok(template.to_owned());
    }
    let own = object.get("servers").cloned();
    let servers = own.or_else(|| item.servers.map(|span| home.value(span)));
    let Some(servers) = servers.filter(|servers| servers.as_array().is_some_and(|all| !all.is_empty()))
    else {
        return Ok(template.to_owned());
    };
    let server: Url = servers::first(home, &servers, setting.variables)
        .map_err(|why| Failure::new(Why::Server, why, &format!("{pointer}/servers")))?;
    // Braces of a server are filled in already.
    let base = server.as_str().trim_end_matches('/').replace('{', "%7B").replace('}', "%7D");
    Ok(format!("{base}{template}"))
}

/// The body as the description has it; the best of its media types.
fn source(
    setting: &Setting<'_>,
    home: &Arc<Document>,
    entry: &Entry,
    object: &Object,
    given: &[Given],
    pointer: &str,
) -> Result<Option<Source>, Failure> {
    let meant = [Method::POST, Method::PUT, Method::PATCH].contains(&entry.method);
    let name = object.get("x-codegen-request-body-name").and_then(Value::as_str).map(str::to_owned);
    if setting.documents.version() == Version::V2 {
        let consumes = match object.get("consumes") {
            Some(own) => texts(own),
            None => setting.consumes.to_vec(),
        };
        let source = body::of_parameters(given, &consumes, pointer, meant)?;
        return Ok(source.map(|source| Source { name, ..source }));
    }
    let Some(body) = object.get("requestBody").filter(|body| !body.is_null()) else { return Ok(None) };
    let place = format!("{pointer}/requestBody");
    let (document, body) = setting
        .documents
        .follow(home, body.clone())
        .map_err(|why| Failure::new(Why::Reference, format!("the body: {why}"), &place))?;
    let content = match body.get("content") {
        Some(Value::Object(content)) => content,
        _ => return Err(Failure::new(Why::Body, "the body says nothing of its content", &place)),
    };
    let Some(media_type) = body::best(content.keys().map(String::as_str)) else { return Ok(None) };
    let media = content.get(media_type).cloned().unwrap_or_default();
    Ok(Some(Source {
        document,
        media_type: media_type.to_owned(),
        schema: media.get("schema").cloned().unwrap_or_default(),
        encoding: media.get("encoding").cloned().unwrap_or_default(),
        required: body.get("required") == Some(&Value::Bool(true)),
        description: body.get("description").and_then(Value::as_str).map(str::to_owned),
        name,
        meant,
    }))
}

pub(super) fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The good answer of an operation.
pub(super) struct Response {
    document: Arc<Document>,
    media_types: Vec<String>,
    schema: Value,
    link: bool,
}

impl Response {
    /// The first 2xx answer that has content, else the first one, else the default.
    fn of(documents: &Documents, home: &Arc<Document>, object: &Object, version: Version) -> Self {
        let mut found =
            Self { document: Arc::clone(home), media_types: Vec::new(), schema: Value::Null, link: false };
        let Some(Value::Object(responses)) = object.get("responses") else { return found };
        let mut codes: Vec<&String> = responses.keys().filter(|code| code.starts_with('2')).collect();
        codes.sort();
        codes.extend(responses.keys().filter(|code| *code == "default"));
        for code in codes {
            let Some(response) = responses.get(code) else { continue };
            let Ok((document, response)) = documents.follow(home, response.clone()) else { continue };
            found.link |= response
                .get("headers")
                .and_then(Value::as_object)
                .is_some_and(|headers| headers.keys().any(|name| name.eq_ignore_ascii_case("link")));
            if version == Version::V2 {
                if let Some(schema) = response.get("schema") {
                    found.document = document;
                    found.schema = schema.clone();
                    found.media_types = texts(object.get("produces").unwrap_or(&Value::Null));
                    break;
                }
                continue;
            }
            let Some(content) = response.get("content").and_then(Value::as_object) else { continue };
            if let Some(best) = body::best(content.keys().map(String::as_str)) {
                found.schema =
                    content.get(best).and_then(|media| media.get("schema")).cloned().unwrap_or_default();
                found.media_types = content.keys().cloned().collect();
                found.document = document;
                break;
            }
        }
        found
    }

    /// What is asked for: nothing where plain JSON is there.
    fn accept(&self) -> Vec<String> {
        let json: Vec<&String> = self.media_types.iter().filter(|one| body::is_json(one)).collect();
        if json.iter().any(|one| one.starts_with("application/json"))
            || self.media_types.iter().any(|one| one.contains('*'))
        {
            return Vec::new();
        }
        let valid = |one: &&String| http::HeaderValue::try_from(one.as_str()).is_ok();
        if json.is_empty() {
            self.media_types.iter().filter(valid).take(4).cloned().collect()
        } else {
            json.into_iter().filter(valid).take(4).cloned().collect()
        }
    }

    fn is_json(&self) -> bool {
        self.media_types.is_empty()
            || self.media_types.iter().any(|one| body::is_json(one) || one.contains('*'))
    }
}

/// The schema of the good answer, as the engine holds answers against it; `None` where there is none.
pub(super) fn output(setting: &Setting<'_>, entry: &Entry, bytes: usize) -> Option<Arc<str>> {
    let documents = setting.documents;
    let item = documents.main.items.get(entry.item)?;
    let home = item.home.as_ref().unwrap_or(&documents.main);
    let object = read(home, entry, "").ok()?;
    let response = Response::of(documents, home, &object, documents.version());
    if response.schema.is_null() || !response.is_json() {
        return None;
    }
    let mut converter = Converter::new(documents, Direction::Response);
    let root = converter.root(&response.document, &response.schema);
    let schema = converter.close(root, bytes);
    (schema != serde_json::json!({})).then(|| schema.to_string().into())
}

fn pages(
    documents: &Documents,
    object: &Object,
    given: &[Given],
    response: &Response,
    version: Version,
) -> Option<crate::operation::Pagination> {
    let schemas: Vec<(&Given, Value)> = {
        let mut converter = Converter::new(documents, Direction::Request);
        given
            .iter()
            .filter(|one| one.place == In::Query)
            .map(|one| {
                let schema = parameters::schema(one, version, &mut converter);
                (one, converter.look(&schema))
            })
            .collect()
    };
    let query: Vec<Query<'_>> = schemas
        .iter()
        .map(|(one, schema)| Query {
            name: &one.name,
            is_number: schema.get("type").is_some_and(|t| {
                let number = |t: &Value| t == "integer" || t == "number";
                number(t) || t.as_array().is_some_and(|t| t.iter().any(number))
            }),
            default: schema.get("default").or_else(|| schema.get("minimum")).and_then(Value::as_u64),
        })
        .collect();
    if query.is_empty() && !object.contains_key("x-ms-pageable") {
        return None;
    }
    // A path that has a parameter of this name leaves no room for another one.
    if given.iter().any(|one| one.place != In::Query && one.name == Operation::PAGE) {
        return None;
    }
    let mut converter = Converter::new(documents, Direction::Response);
    let answered = Answered { document: &response.document, schema: &response.schema, link: response.link };
    pagination::find(object, &query, &answered, &mut converter)
}
