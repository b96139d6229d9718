//! The head of a request: its target and its headers, from the arguments.

use std::borrow::Cow;

use http::{HeaderValue, header};
use serde_json::{Map, Value};
use tool_connect_core::{Error, ErrorKind, Result, pointer_token};

use super::style::{self, Escape};
use super::{Operation, Parameter, Place};
use crate::headers::refusal;

/// The arguments of a call, by name.
pub(super) type Arguments = Map<String, Value>;

/// A refusal of one argument.
pub(super) fn refused(argument: &str, within: &str, message: &str) -> Error {
    Error::invalid_argument(format!("/{}{within}", pointer_token(argument)), message)
}

/// Sets of arguments in words: at least one of `a`; `b` and `c`.
pub(crate) fn alternatives(sets: &[Vec<String>]) -> String {
    let set =
        |names: &Vec<String>| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ");
    format!("at least one of {}", sets.iter().map(set).collect::<Vec<_>>().join("; "))
}

/// A fault of the operation itself, which no argument can mend.
pub(super) fn broken(operation: &Operation, why: &str) -> Error {
    Error::new(ErrorKind::Config, format!("the operation `{} {}` {why}", operation.method, operation.path))
}

/// A parameter's value in this call: the argument, else its default; `None` where nothing is sent.
fn value<'a>(parameter: &'a Parameter, arguments: &'a Arguments) -> Result<Option<&'a Value>> {
    let given = arguments.get(&parameter.argument).filter(|value| !value.is_null());
    let Some(value) = given.or(parameter.default.as_ref()).filter(|value| !value.is_null()) else {
        if parameter.required {
            return Err(refused(&parameter.argument, "", "is required and missing"));
        }
        return Ok(None);
    };
    if parameter.place == Place::Path || parameter.allow_empty || !style::is_empty(value) {
        return Ok(Some(value));
    }
    if parameter.required {
        return Err(refused(&parameter.argument, "", "must not be empty"));
    }
    Ok(None)
}

/// Path and query, encoded; absolute where the operation's path is.
pub(super) fn target(
    operation: &Operation,
    arguments: &Arguments,
    query: &[(String, String)],
) -> Result<String> {
    let mut target = path(operation, arguments)?;
    let mut pairs = self::query(operation, arguments)?;
    pairs.extend(query.iter().cloned());
    let mut separator = if target.contains('?') { '&' } else { '?' };
    for (name, value) in pairs {
        target.push(separator);
        target.push_str(&name);
        target.push('=');
        target.push_str(&value);
        separator = '&';
    }
    Ok(target)
}

/// The operation's path with its placeholders filled.
pub(super) fn path(operation: &Operation, arguments: &Arguments) -> Result<String> {
    let (before, path) = split_origin(&operation.path);
    if before.contains('{') {
        return Err(broken(operation, "has a placeholder in its host, which no argument may choose"));
    }
    let (path, fixed) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    let mut out = before.to_owned();
    for (at, segment) in path.split('/').enumerate() {
        if at > 0 {
            out.push('/');
        }
        out.push_str(&filled(operation, segment, arguments)?);
    }
    if let Some(fixed) = fixed {
        out.push('?');
        out.push_str(fixed);
    }
    Ok(out)
}

/// An absolute path's scheme and host, and the rest.
fn split_origin(path: &str) -> (&str, &str) {
    let Some(after) = path.strip_prefix("https://").or_else(|| path.strip_prefix("http://")) else {
        return ("", path);
    };
    let host = after.find(['/', '?', '#', '\\']).unwrap_or(after.len());
    path.split_at(path.len() - after.len() + host)
}

/// One segment of the path; its values leave it a segment that names something below the one before.
fn filled<'a>(operation: &Operation, segment: &'a str, arguments: &Arguments) -> Result<Cow<'a, str>> {
    let Some((mut before, mut after)) = segment.split_once('{') else { return Ok(Cow::Borrowed(segment)) };
    let mut out = String::with_capacity(segment.len() + 16);
    let mut first: Option<&str> = None;
    loop {
        let (name, rest) =
            after.split_once('}').ok_or_else(|| broken(operation, "has an open brace in its path"))?;
        let parameter = operation
            .parameters
            .iter()
            .find(|parameter| parameter.place == Place::Path && parameter.wire == name)
            .ok_or_else(|| broken(operation, "has a placeholder in its path that is no parameter"))?;
        let value = value(parameter, arguments)?
            .ok_or_else(|| refused(&parameter.argument, "", "is required and missing"))?;
        if style::is_empty(value) {
            return Err(refused(&parameter.argument, "", "must not be empty: it becomes part of a path"));
        }
        let set = if parameter.allow_reserved { style::RESERVED_PATH } else { style::STRICT };
        out.push_str(before);
        out.push_str(&style::inline(name, value, parameter.style, parameter.explode, Escape::Percent(set)));
        first.get_or_insert(&parameter.argument);
        match rest.split_once('{') {
            Some(next) => (before, after) = next,
            None => {
                out.push_str(rest);
                break;
            }
        }
    }
    // Such segments would address another resource (RFC 3986 §5.2.4).
    let leads_away = |part: &str| {
        let plain = part.to_ascii_lowercase().replace("%2e", ".");
        // Servers that know parameters of a segment (RFC 3986 §3.3) take them off before they look at the dots.
        plain.is_empty() || matches!(plain.split(';').next(), Some("." | ".."))
    };
    if out.split('/').any(leads_away) {
        let message = "must not make a part of the path that is empty, `.` or `..`";
        return Err(refused(first.unwrap_or_default(), "", message));
    }
    Ok(Cow::Owned(out))
}

fn query(operation: &Operation, arguments: &Arguments) -> Result<Vec<(String, String)>> {
    let mut out = Vec::new();
    for parameter in operation.parameters.iter().filter(|parameter| parameter.place == Place::Query) {
        if let Some(value) = value(parameter, arguments)? {
            let set = if parameter.allow_reserved { style::RESERVED_QUERY } else { style::STRICT };
            let pairs = style::pairs(
                &parameter.wire,
                value,
                parameter.style,
                parameter.explode,
                Escape::Percent(set),
            )
            .map_err(|(within, message)| refused(&parameter.argument, &within, message))?;
            own_names(operation, parameter, value)?;
            out.extend(pairs);
        }
    }
    Ok(out)
}

/// The members of an exploded object become names of their own; none may be another parameter's.
fn own_names(operation: &Operation, parameter: &Parameter, value: &Value) -> Result<()> {
    use super::ParameterStyle::{DeepObject, Json};
    let Value::Object(members) = value else { return Ok(()) };
    if !parameter.explode || matches!(parameter.style, DeepObject | Json) {
        return Ok(());
    }
    let of_another = |name: &str| {
        let others = operation.parameters.iter().filter(|other| other.place == parameter.place);
        let mut others = others.filter(|other| other.wire != parameter.wire);
        others.any(|other| other.wire == name)
    };
    match members.keys().find(|name| of_another(name)) {
        Some(name) => {
            let within = format!("/{}", pointer_token(name));
            Err(refused(&parameter.argument, &within, "is the name of another parameter; give it there"))
        }
        None => Ok(()),
    }
}

/// Every header that is sent, but those of the body.
pub(super) fn headers(operation: &Operation, arguments: &Arguments) -> Result<Vec<(String, HeaderValue)>> {
    let mut out: Vec<(String, HeaderValue)> = Vec::new();
    let mut cookies = Vec::new();
    for parameter in &operation.parameters {
        match parameter.place {
            Place::Header => {
                if let Some(value) = value(parameter, arguments)? {
                    out.push(header_of(operation, parameter, value)?);
                }
            }
            Place::Cookie => {
                if let Some(value) = value(parameter, arguments)? {
                    let all = Escape::Percent(style::STRICT);
                    let pairs = style::pairs(&parameter.wire, value, parameter.style, parameter.explode, all)
                        .map_err(|(within, message)| refused(&parameter.argument, &within, message))?;
                    own_names(operation, parameter, value)?;
                    cookies.extend(pairs.into_iter().map(|(name, value)| format!("{name}={value}")));
                }
            }
            Place::Path | Place::Query => {}
        }
    }
    for (name, value) in &operation.headers {
        if !out.iter().any(|(known, _)| known.eq_ignore_ascii_case(name.as_str())) {
            out.push((name.as_str().to_owned(), value.clone()));
        }
    }
    if !cookies.is_empty() {
        let value = HeaderValue::try_from(cookies.join("; "))
            .map_err(|_| broken(operation, "has a cookie that cannot be sent"))?;
        out.push((header::COOKIE.as_str().to_owned(), value));
    }
    if !out.iter().any(|(name, _)| name.eq_ignore_ascii_case("accept")) {
        let accept = match operation.answer.accept.as_slice() {
            [] => "application/json".to_owned(),
            types => types.join(", "),
        };
        let value = HeaderValue::try_from(accept)
            .map_err(|_| broken(operation, "asks for a media type that cannot be sent"))?;
        out.push((header::ACCEPT.as_str().to_owned(), value));
    }
    Ok(out)
}

fn header_of(operation: &Operation, parameter: &Parameter, value: &Value) -> Result<(String, HeaderValue)> {
    let name = http::HeaderName::try_from(parameter.wire.as_str())
        .map_err(|_| broken(operation, "has a parameter whose name is no header's"))?;
    if refusal(&name).is_some() || Some(&name) == operation.idempotency_header.as_ref() {
        return Err(broken(operation, "has a parameter for a header that no argument may set"));
    }
    let text = style::inline(&parameter.wire, value, parameter.style, parameter.explode, Escape::Raw);
    // Bytes beyond ASCII would be allowed, and nobody could say in which encoding.
    let value = HeaderValue::from_str(&text).ok().filter(|_| text.is_ascii());
    let value = value.ok_or_else(|| {
        let message = "holds a character that a header cannot carry: a line break, another control character, or one beyond ASCII";
        refused(&parameter.argument, "", message)
    })?;
    Ok((name.as_str().to_owned(), value))
}
