//! A good answer as a result.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tool_connect_core::http::Response;
use tool_connect_core::{Content, Effect, Error, ErrorKind, Result, ToolContext, ToolOutput};

use super::page::{self, Answered, Asked};
use super::request::Arguments;
use super::{ErrorRule, Operation, Pagination, project, schema, texts};
use crate::spill::{Begun, Spill};

/// A text up to this size comes in place, in bytes; a longer one by handle.
const INLINE: usize = 64 * 1024;
/// Largest file that an answer may be, in bytes; the host's hard cap may be lower.
pub(super) const FILE: u64 = 256 * 1024 * 1024;
/// How long a handle stays good.
const KEEP: Duration = Duration::from_secs(60 * 60);

/// What an error after a good answer says of what was done.
pub(super) fn effect(operation: &Operation) -> Effect {
    if operation.method.is_safe() { Effect::None } else { Effect::Unknown }
}

/// Whether the operation asks for JSON.
pub(super) fn wants_json(operation: &Operation) -> bool {
    let accept = &operation.answer.accept;
    accept.is_empty() || accept.iter().any(|media_type| is_json(&essence(media_type)))
}

/// A media type without its parameters, in lower case.
fn essence(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn is_json(essence: &str) -> bool {
    matches!(essence, "application/json" | "text/json") || essence.ends_with("+json")
}

/// Makes a result of an answer.
pub(super) async fn read(
    operation: &Operation,
    asked: &Asked,
    arguments: &Arguments,
    response: Response,
    cx: &ToolContext,
) -> Result<ToolOutput> {
    let head = response.head().clone();
    let media_type = essence(response.header(header::CONTENT_TYPE.as_str()).unwrap_or_default());
    let wrong = |message: String| {
        Error::new(ErrorKind::Provider, message).status(head.status.as_u16()).effect(effect(operation))
    };
    if operation.method == http::Method::HEAD || head.status == StatusCode::NO_CONTENT {
        return Ok(empty(head.status));
    }
    if is_json(&media_type) {
        let body = response.bytes().await.map_err(|error| error.effect(effect(operation)))?;
        if body.is_empty() {
            return Ok(empty(head.status));
        }
        return of_json(operation, asked, arguments, &head, body, cx);
    }
    let wanted = wants_json(operation);
    if wanted && matches!(&*media_type, "text/html" | "application/xhtml+xml") {
        let message = "the service answered with a web page where it promised JSON";
        return Err(wrong(message.to_owned()).public(
            "The service answered with a web page instead of data: a sign-in page, or an address that is not the API's.",
        ));
    }
    let begun = Begun::read(response, INLINE).await.map_err(|error| error.effect(effect(operation)))?;
    if begun.is_whole() {
        if begun.bytes.is_empty() {
            return Ok(empty(head.status));
        }
        let texty = media_type.is_empty() || media_type.starts_with("text/") || media_type.ends_with("xml");
        if wanted && (texty || media_type.ends_with("javascript")) && json_at_heart(&begun.bytes) {
            return of_json(operation, asked, arguments, &head, begun.bytes, cx);
        }
        let text = std::str::from_utf8(&begun.bytes).ok().filter(|text| texty && !text.contains('\0'));
        if let Some(text) = text {
            let output = ToolOutput::text(text);
            let mark = "The service answered with text where it promised JSON; the text is given as it is.";
            return Ok(if wanted { marked(output, &[mark.to_owned()]) } else { output });
        }
    }
    let spill = Spill {
        media_type: if media_type.is_empty() { "application/octet-stream".to_owned() } else { media_type },
        name: file_name(&head.headers),
        keep: KEEP,
        max_bytes: FILE,
    };
    let file = spill.store(cx, begun.into_stream()).await.map_err(|error| error.effect(effect(operation)))?;
    Ok(ToolOutput::of(&json!({ "file": file }))?.with(Content::File(file)))
}

/// Whether a body whose type says otherwise is JSON: many services send it as text.
fn json_at_heart(body: &[u8]) -> bool {
    matches!(body.trim_ascii_start().first(), Some(b'{' | b'['))
        && serde_json::from_slice::<&RawValue>(body).is_ok()
}

fn empty(status: StatusCode) -> ToolOutput {
    ToolOutput::text(format!("Done: the service answered {} and sent nothing back.", status.as_u16()))
}

fn marked(output: ToolOutput, marks: &[String]) -> ToolOutput {
    marks.iter().fold(output, |output, mark| output.with(Content::Text { text: mark.clone() }))
}

fn of_json(
    operation: &Operation,
    asked: &Asked,
    arguments: &Arguments,
    head: &http::response::Parts,
    body: Bytes,
    cx: &ToolContext,
) -> Result<ToolOutput> {
    let not_json = |error: serde_json::Error| {
        let what = match error.classify() {
            serde_json::error::Category::Eof => "ends too early",
            _ => "is not the JSON that it says it is",
        };
        Error::new(ErrorKind::Provider, format!("the service's answer {what}"))
            .public(format!("The service's answer {what}."))
            .status(head.status.as_u16())
            .with("place", format!("line {}, column {}", error.line(), error.column()))
            .effect(effect(operation))
    };
    let answer = &operation.answer;
    let looks_in = operation.pagination.is_some()
        || answer.schema.is_some()
        || answer.pointer.is_some()
        || !answer.fields.is_empty()
        || !answer.texts.is_empty()
        || operation.errors.iter().any(ErrorRule::is_of_body);
    if !looks_in {
        serde_json::from_slice::<&RawValue>(&body).map_err(not_json)?;
        return Ok(ToolOutput::json(body));
    }
    let value: Value = serde_json::from_slice(&body).map_err(not_json)?;
    if let Some(rule) = operation.errors.iter().find(|rule| rule.fits(head.status, Some(&value))) {
        return Err(rule.error(head.status, Some(&value)));
    }
    let mut marks = Vec::new();
    if let Some(schema) = &answer.schema {
        marks.extend(schema::mark(schema, &value));
    }
    if let Some(pagination) = &operation.pagination {
        return paged(operation, pagination, asked, arguments, &head.headers, &value, marks, cx);
    }
    let part = match &answer.pointer {
        None => value,
        Some(pointer) => match value.pointer(pointer) {
            Some(part) => part.clone(),
            None => {
                marks.push(nothing_at(pointer));
                value
            }
        },
    };
    Ok(marked(ToolOutput::of(&shaped(operation, arguments, part))?, &marks))
}

/// What the caller gets of a value: all of it where the arguments ask for that.
fn shaped(operation: &Operation, arguments: &Arguments, value: Value) -> Value {
    let answer = &operation.answer;
    let full = answer.full.as_ref().and_then(|name| arguments.get(name));
    if full.is_some_and(|full| *full == Value::Bool(true)) {
        return value;
    }
    texts::plain(project::keep(value, &answer.fields), &answer.texts)
}

fn nothing_at(pointer: &str) -> String {
    format!("The answer has nothing at `{}`; the whole is given.", pointer.escape_debug())
}

#[allow(clippy::too_many_arguments)]
fn paged(
    operation: &Operation,
    pagination: &Pagination,
    asked: &Asked,
    arguments: &Arguments,
    headers: &HeaderMap,
    value: &Value,
    mut marks: Vec<String>,
    cx: &ToolContext,
) -> Result<ToolOutput> {
    let pointer = pagination.items.as_deref().or(operation.answer.pointer.as_deref()).unwrap_or_default();
    let items = value.pointer(pointer).filter(|items| !items.is_null());
    let found: &[Value] = items.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let answered = Answered { body: value, headers, items: found };
    let (next, mark) = page::next(operation, pagination, asked, arguments, &answered, cx)?;
    marks.extend(mark.map(str::to_owned));
    let items = match items {
        Some(items) => items.clone(),
        // Some services leave an empty list out.
        None if value.is_object() => Value::Array(Vec::new()),
        None => {
            marks.push(nothing_at(pointer));
            value.clone()
        }
    };
    let items = shaped(operation, arguments, items);
    Ok(marked(ToolOutput::of(&json!({ "items": items, "next": next }))?, &marks))
}

/// The file's name that the answer proposes (RFC 6266), without its directories.
fn file_name(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_DISPOSITION)?.to_str().ok()?;
    let named = value.split(';').find_map(|part| {
        let (key, value) = part.split_once('=')?;
        key.trim().eq_ignore_ascii_case("filename").then_some(value)
    })?;
    let name = named.trim().trim_matches('"').rsplit(['/', '\\']).next().unwrap_or_default();
    let usable = !name.is_empty() && name != "." && name != ".." && name.len() <= 128;
    (usable && !name.chars().any(char::is_control)).then(|| name.to_owned())
}
