//! The body of a request, from the arguments.

use bytes::Bytes;
use serde_json::{Map, Value};
use tool_connect_core::{Result, ToolContext};

use super::multipart::{self, pointer};
use super::placed;
use super::request::{Arguments, broken, refused};
use super::style::{self, Escape};
use super::{Body, BodyContent, Encoding, FormField, Operation, ParameterStyle};
use crate::provider::{Content, File, FileInput};
use crate::resumable::SIMPLE;

/// A body, written.
pub(super) struct Written {
    pub(super) content: Content,
    pub(super) media_type: String,
}

/// A body's members: where each stands among the arguments, its name, its value.
type Members = Vec<(String, String, Value)>;

/// Opens the file that an argument names; `pointer` is where the argument stands.
pub(super) async fn open(value: &Value, pointer: &str, cx: &ToolContext) -> Result<File> {
    let text = |member: &str| value.get(member).and_then(Value::as_str).map(str::to_owned);
    let file = FileInput {
        handle: text("handle"),
        base64: text("base64"),
        name: text("name"),
        media_type: text("media_type"),
    };
    file.open(pointer, cx).await
}

/// Writes the body; `None` where the operation has none, or an optional one is not given.
pub(super) async fn write(
    operation: &Operation,
    arguments: &Arguments,
    cx: &ToolContext,
) -> Result<Option<Written>> {
    let Some(body) = &operation.body else { return Ok(None) };
    let media_type = body.media_type.clone();
    let written =
        |bytes: Bytes| Ok(Some(Written { content: Content::Bytes(bytes), media_type: media_type.clone() }));
    match &body.encoding {
        Encoding::Json => match whole(body, arguments)? {
            Some(value) => written(value.to_string().into()),
            None => Ok(None),
        },
        Encoding::Form(fields) => match members(body, arguments)? {
            Some(members) => written(form(&members, fields)?.into()),
            None => Ok(None),
        },
        Encoding::Text => match one(operation, body, arguments)? {
            Some((_, value)) => written(style::text(value).into()),
            None => Ok(None),
        },
        Encoding::Binary => {
            let Some((place, value)) = one(operation, body, arguments)? else { return Ok(None) };
            let file = open(value, &place, cx).await?;
            // A range of media types is what may be sent, not what is.
            let media_type = if media_type.contains('*') || media_type.is_empty() {
                file.media_type.clone().unwrap_or_else(|| "application/octet-stream".to_owned())
            } else {
                media_type.clone()
            };
            Ok(Some(Written { content: file.content(cx).await?, media_type }))
        }
        Encoding::Multipart(parts) => {
            let Some(members) = members(body, arguments)? else { return Ok(None) };
            let pieces = multipart::form(&members, parts, cx).await?;
            let (boundary, content) = multipart::assemble(pieces, cx).await?;
            Ok(Some(Written { content, media_type: format!("{media_type}; boundary={boundary}") }))
        }
        Encoding::Related(name) | Encoding::Resumable(name) => {
            let Some(value) = arguments.get(name).filter(|value| !value.is_null()) else {
                return Err(refused(name, "", "is required and missing"));
            };
            let place = pointer(name, None);
            let file = open(value, &place, cx).await?;
            let metadata = whole(body, arguments)?.unwrap_or_else(|| Value::Object(Map::new()));
            let pieces = multipart::related(&metadata, file, &place)?;
            let (boundary, content) = multipart::assemble(pieces, cx).await?;
            Ok(Some(Written { content, media_type: format!("{media_type}; boundary={boundary}") }))
        }
    }
}

/// A file that goes in pieces, and what it belongs to.
pub(super) struct Large {
    pub(super) file: File,
    pub(super) media_type: String,
    pub(super) metadata: Value,
}

/// The body's file, where it is too large for one request and the service takes it in pieces.
pub(super) async fn large(
    operation: &Operation,
    arguments: &Arguments,
    cx: &ToolContext,
) -> Result<Option<Large>> {
    let Some(Body { encoding: Encoding::Resumable(name), .. }) = &operation.body else { return Ok(None) };
    let Some(value) = arguments.get(name).filter(|value| !value.is_null()) else { return Ok(None) };
    let place = pointer(name, None);
    let file = open(value, &place, cx).await?;
    if file.size <= SIMPLE {
        return Ok(None);
    }
    let media_type = file.media_type.clone().unwrap_or_else(|| "application/octet-stream".to_owned());
    multipart::content_type(&media_type, &place)?;
    let body = operation.body.as_ref();
    let metadata = body.map(|body| whole(body, arguments)).transpose()?.flatten();
    Ok(Some(Large { file, media_type, metadata: metadata.unwrap_or_else(|| Value::Object(Map::new())) }))
}

/// The body as one value.
fn whole(body: &Body, arguments: &Arguments) -> Result<Option<Value>> {
    match &body.content {
        BodyContent::Argument(name) => match arguments.get(name) {
            Some(value) => Ok(Some(value.clone())),
            None if body.required => Err(refused(name, "", "is required and missing")),
            None => Ok(None),
        },
        BodyContent::Members(_) => Ok(members(body, arguments)?.map(|members| {
            Value::Object(members.into_iter().map(|(_, name, value)| (name, value)).collect::<Map<_, _>>())
        })),
        BodyContent::Placed(all) => {
            let value = placed::write(all, arguments)?;
            Ok((body.required || value.as_object().is_none_or(|members| !members.is_empty()))
                .then_some(value))
        }
    }
}

/// The body's one value, where it has no members: a text, a file.
fn one<'a>(
    operation: &Operation,
    body: &Body,
    arguments: &'a Arguments,
) -> Result<Option<(String, &'a Value)>> {
    let name = match &body.content {
        BodyContent::Argument(name) => name,
        BodyContent::Members(members) => match members.as_slice() {
            [(argument, _)] => argument,
            _ => return Err(broken(operation, "has a text or file as its body, which has no members")),
        },
        BodyContent::Placed(_) => {
            return Err(broken(operation, "has a text or file as its body, which has no places"));
        }
    };
    match arguments.get(name).filter(|value| !value.is_null()) {
        Some(value) => Ok(Some((pointer(name, None), value))),
        None if body.required => Err(refused(name, "", "is required and missing")),
        None => Ok(None),
    }
}

/// The body's members; `None` where an optional body has none.
fn members(body: &Body, arguments: &Arguments) -> Result<Option<Members>> {
    let members: Members = match &body.content {
        BodyContent::Members(names) => {
            let given = names.iter().filter_map(|(argument, member)| {
                Some((pointer(argument, None), member.clone(), arguments.get(argument)?.clone()))
            });
            given.collect()
        }
        BodyContent::Argument(name) => match arguments.get(name) {
            Some(Value::Object(members)) => members
                .iter()
                .map(|(member, value)| (pointer(name, Some(member)), member.clone(), value.clone()))
                .collect(),
            Some(Value::Null) | None if body.required => {
                return Err(refused(name, "", "is required and missing"));
            }
            Some(Value::Null) | None => return Ok(None),
            Some(_) => return Err(refused(name, "", "must be an object: its members are the fields")),
        },
        // A form has the first parts of the places as its fields.
        BodyContent::Placed(all) => match placed::write(all, arguments)? {
            Value::Object(members) => {
                members.into_iter().map(|(member, value)| (String::new(), member, value)).collect()
            }
            _ => Members::new(),
        },
    };
    Ok((body.required || !members.is_empty()).then_some(members))
}

/// A form; its fields are written like a query.
fn form(members: &Members, fields: &[FormField]) -> Result<String> {
    let mut out: Vec<String> = Vec::new();
    for (place, name, value) in members {
        if value.is_null() {
            continue;
        }
        let field = fields.iter().find(|field| field.name == *name);
        let (style, explode) =
            field.map_or((ParameterStyle::Form, true), |field| (field.style, field.explode));
        let pairs = style::pairs(name, value, style, explode, Escape::Percent(style::STRICT));
        let pairs = pairs.map_err(|(within, message)| {
            tool_connect_core::Error::invalid_argument(format!("{place}{within}"), message)
        })?;
        out.extend(pairs.into_iter().map(|(name, value)| format!("{name}={value}")));
    }
    Ok(out.join("&"))
}
