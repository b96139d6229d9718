//! A method as an operation: where its arguments go, its body, its pages, its files.

use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use tool_connect_core::Annotations;

use super::document::{Document, Head};
use super::{schema, words};
use crate::operation::{Body, BodyContent, Encoding, Operation, PageValue, Pagination, Parameter, Place};

/// Which of a method's requests a tool makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    /// With a file, at the upload address.
    Upload,
    /// The file behind a resource (`alt=media`).
    Download,
}

impl Kind {
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Upload => "_upload",
            Self::Download => "_download",
        }
    }
}

/// The tools that a method makes.
pub(super) fn kinds(head: &Head) -> Vec<Kind> {
    let uploads = head.media_upload.as_ref().is_some_and(|media| media.protocols.simple.is_some());
    let mut kinds = Vec::new();
    // Without metadata the file is all there is.
    if !uploads || head.request.is_some() {
        kinds.push(Kind::Plain);
    }
    if uploads {
        kinds.push(Kind::Upload);
    }
    if head.supports_media_download {
        kinds.push(Kind::Download);
    }
    kinds
}

/// A method, built.
pub(super) struct Built {
    pub(super) operation: Operation,
    pub(super) input: Map<String, Value>,
    pub(super) notes: Vec<String>,
}

/// What a method does to the world. Some that only read are sent by POST: those are known by their names.
pub(super) fn annotations(id: &str, head: &Head, kind: Kind) -> Annotations {
    let last = id.rsplit('.').next().unwrap_or_default();
    let reads = ["batchGet", "search", "lookup", "getIamPolicy", "testIamPermissions"];
    let reads =
        head.http_method == "POST" && kind == Kind::Plain && reads.iter().any(|verb| begins(last, verb));
    if matches!(head.http_method.as_str(), "GET" | "HEAD") || reads {
        return Annotations::READ;
    }
    let adds =
        head.http_method == "POST" && ["create", "insert", "send"].iter().any(|verb| begins(last, verb));
    Annotations {
        destructive: !adds,
        idempotent: matches!(head.http_method.as_str(), "PUT" | "DELETE"),
        ..Annotations::default()
    }
}

/// Whether a name begins with a verb, and not with a longer word.
fn begins(name: &str, verb: &str) -> bool {
    name.strip_prefix(verb).is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_lowercase()))
}

/// Makes the operation and the schema of its arguments.
pub(super) fn build(document: &Document, id: &str, head: &Head, kind: Kind) -> Result<Built, String> {
    let method = match head.http_method.as_str() {
        "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" => {
            http::Method::try_from(head.http_method.as_str())
        }
        other => return Err(format!("its HTTP method is `{}`", other.escape_debug())),
    };
    let method = method.map_err(|_| "its HTTP method is none".to_owned())?;
    let given: BTreeMap<String, Value> = match &head.parameters {
        Some(raw) => {
            serde_json::from_str(raw.get()).map_err(|_| "its parameters are malformed".to_owned())?
        }
        None => BTreeMap::new(),
    };
    let (path, placeholders) = path(document, head, kind)?;
    let mut operation = Operation::new(method.clone(), path);
    let mut notes = Vec::new();
    let (mut properties, mut required) = (Map::new(), Vec::new());

    let response = head.response.as_deref().and_then(reference);
    let request = head.request.as_deref().and_then(reference);
    let pages = (kind == Kind::Plain)
        .then(|| pages(document, response.as_deref(), request.as_deref(), &given))
        .flatten();

    for (name, parameter) in &given {
        let flag = |key: &str| parameter.get(key) == Some(&Value::Bool(true));
        let place = match parameter.get("location").and_then(Value::as_str) {
            Some("path") => Place::Path,
            Some("query") | None => Place::Query,
            Some(other) => return Err(format!("the parameter `{name}` is in `{}`", other.escape_debug())),
        };
        if pages.is_some() && name == "pageToken" {
            continue;
        }
        if flag("deprecated") && !flag("required") {
            continue;
        }
        let mut own = Parameter::new(name.clone(), place);
        own.argument = argument(name, &properties);
        own.required = place == Place::Path || flag("required");
        own.allow_empty = place == Place::Query;
        if place == Place::Path {
            match placeholders.iter().find(|(placeholder, _)| placeholder == name) {
                Some((_, reserved)) => own.allow_reserved = *reserved,
                None => {
                    notes.push(format!("the path has no place for the parameter `{name}`"));
                    continue;
                }
            }
        }
        let mut schema = schema::parameter(document, parameter)?;
        described(&mut schema, name);
        if own.required {
            required.push(own.argument.clone());
        }
        properties.insert(own.argument.clone(), schema);
        operation.parameters.push(own);
    }
    for (placeholder, _) in &placeholders {
        if !operation.parameters.iter().any(|own| own.place == Place::Path && own.wire == *placeholder) {
            return Err(format!("its path has `{placeholder}`, which is no parameter"));
        }
    }
    if kind != Kind::Download
        && document.parameters.contains_key("fields")
        && !properties.contains_key("fields")
    {
        let text = "Which fields of the answer to return, such as `files(id,name),nextPageToken`; all where left out.";
        properties.insert("fields".to_owned(), json!({"type": "string", "description": text}));
        operation.parameters.push(Parameter::new("fields", Place::Query));
    }
    let body = if kind == Kind::Download { None } else { request };
    if let Some(name) = &body {
        let argument = argument("body", &properties);
        let (mut schema, cut) = schema::body(document, name)?;
        described(&mut schema, name);
        if cut {
            notes.push("the schema of the body was cut to its budget".to_owned());
        }
        let needed = schema.get("properties").and_then(Value::as_object).is_some_and(|all| !all.is_empty())
            && head.media_upload.is_none();
        if needed {
            required.push(argument.clone());
        }
        properties.insert(argument.clone(), schema);
        let mut own = Body::json(BodyContent::Argument(argument));
        own.required = needed;
        operation.body = Some(own);
    }
    if kind == Kind::Upload {
        let in_pieces = head.media_upload.as_ref().is_some_and(|media| media.protocols.resumable.is_some());
        upload(&mut operation, &mut properties, &mut required, in_pieces);
    }
    if let Some(pages) = pages
        && !properties.contains_key(Operation::PAGE)
    {
        let text = "Which page: what an earlier result has as its `next`. Leave it out for the first one.";
        properties.insert(Operation::PAGE.to_owned(), json!({"type": "string", "description": text}));
        operation.pagination = Some(pages);
    }
    if kind == Kind::Download {
        operation.answer.accept = vec!["*/*".to_owned()];
    }
    if let Some(version) = &head.api_version {
        let value =
            HeaderValue::try_from(version).map_err(|_| "its API version cannot be sent".to_owned())?;
        operation.headers.push((HeaderName::from_static("x-goog-api-version"), value));
    }
    if annotations(id, head, kind).repeatable() {
        operation.repeatable = Some(true);
    }
    let mut input = Map::new();
    input.insert("type".to_owned(), "object".into());
    input.insert("properties".to_owned(), Value::Object(properties));
    if !required.is_empty() {
        input.insert("required".to_owned(), required.into());
    }
    input.insert("additionalProperties".to_owned(), false.into());
    Ok(Built { operation, input, notes })
}

/// The name that a `$ref` leads to.
fn reference(raw: &RawValue) -> Option<String> {
    let value: Value = serde_json::from_str(raw.get()).ok()?;
    value.get("$ref")?.as_str().map(str::to_owned)
}

/// Every argument says what it is, if only by its name.
fn described(schema: &mut Value, name: &str) {
    if let Some(object) = schema.as_object_mut()
        && !object.contains_key("description")
    {
        object.insert("description".to_owned(), words::cut(&format!("The `{name}`."), 120).into());
    }
}

/// A name that model APIs take and no other argument has.
fn argument(wire: &str, taken: &Map<String, Value>) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' };
    let mut name: String = wire.chars().map(plain).take(60).collect();
    while taken.contains_key(&name) {
        name.push('_');
    }
    name
}

/// A path's placeholders, and whether each may hold slashes.
type Placeholders = Vec<(String, bool)>;

/// The method's path below the root, with `{+name}` as `{name}`.
fn path(document: &Document, head: &Head, kind: Kind) -> Result<(String, Placeholders), String> {
    let upload = head.media_upload.as_ref().and_then(|media| media.protocols.simple.as_ref());
    let template = match (kind, upload) {
        (Kind::Upload, Some(upload)) => upload.path.trim_start_matches('/').to_owned(),
        _ if head.path.starts_with('/') || document.service_path.is_empty() => {
            head.path.trim_start_matches('/').to_owned()
        }
        _ => format!("{}/{}", document.service_path, head.path),
    };
    if template.contains(['?', '#', '\\']) || template.contains("://") {
        return Err("its path is malformed".to_owned());
    }
    let mut placeholders = Vec::new();
    let mut out = String::from("/");
    let mut rest = template.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').ok_or_else(|| "its path has an open brace".to_owned())?;
        let reserved = name.starts_with('+');
        let name = name.trim_start_matches('+');
        out.push_str(before);
        out.push_str(&format!("{{{name}}}"));
        placeholders.push((name.to_owned(), reserved));
        rest = after;
    }
    out.push_str(rest);
    match kind {
        Kind::Plain => {}
        Kind::Upload if head.request.is_some() => out.push_str("?uploadType=multipart"),
        Kind::Upload => out.push_str("?uploadType=media"),
        Kind::Download => out.push_str("?alt=media"),
    }
    Ok((out, placeholders))
}

/// `nextPageToken` in the answer, `pageToken` in the request.
fn pages(
    document: &Document,
    response: Option<&str>,
    request: Option<&str>,
    given: &BTreeMap<String, Value>,
) -> Option<Pagination> {
    let answer = schema::properties(document, response?)?;
    answer.get("nextPageToken")?;
    let in_body = || {
        request
            .and_then(|name| schema::properties(document, name))
            .is_some_and(|all| all.contains_key("pageToken"))
    };
    if !given.contains_key("pageToken") && !in_body() {
        return None;
    }
    let mut pagination =
        Pagination::new(PageValue::Cursor("/nextPageToken".to_owned()), Some("pageToken".to_owned()));
    let mut lists =
        answer.iter().filter(|(_, member)| member.get("type").and_then(Value::as_str) == Some("array"));
    // With several lists none of them is the one.
    if let (Some((name, _)), None) = (lists.next(), lists.next()) {
        pagination.items = Some(format!("/{}", tool_connect_core::pointer_token(name)));
    }
    Some(pagination)
}

/// The file, and what goes with it.
fn upload(
    operation: &mut Operation,
    properties: &mut Map<String, Value>,
    required: &mut Vec<String>,
    in_pieces: bool,
) {
    let name = argument("file", properties);
    let schema = json!({
        "type": "object",
        "description": "The file: `handle` of an earlier result, or `base64`.",
        "properties": {
            "handle": {"type": "string", "description": "Handle of an earlier result; give either this or `base64`."},
            "base64": {"type": "string", "description": "The content in Base64; for small files."},
            "media_type": {"type": "string", "description": "Its media type, such as `image/png`."}
        },
        "additionalProperties": false
    });
    properties.insert(name.clone(), schema);
    required.push(name.clone());
    operation.body = Some(match operation.body.take() {
        Some(mut body) => {
            body.encoding = if in_pieces { Encoding::Resumable(name) } else { Encoding::Related(name) };
            body.media_type = "multipart/related".to_owned();
            body
        }
        None => {
            let mut body = Body::json(BodyContent::Argument(name));
            body.encoding = Encoding::Binary;
            body.media_type = "*/*".to_owned();
            body
        }
    });
}
