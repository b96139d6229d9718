//! The body of a tool's requests.

use http::HeaderValue;
use tool_connect_core::Result;

use super::file::{BodyOf, How, In, Tool};
use super::load::wrong;
use crate::operation::{Body, BodyContent, Encoding, FormField, Part, Placed};

/// The arguments that go into a body.
pub(super) struct Parts {
    /// By name, those that are its members.
    pub(super) members: Vec<(String, String)>,
    /// Where each stands, those of `members` too.
    pub(super) places: Vec<Placed>,
    pub(super) fields: Vec<FormField>,
    pub(super) parts: Vec<Part>,
}

/// The place of the page in the body, where it goes there and no argument has it.
pub(super) fn page(place: &str, tool: &Tool, how: How, places: &[Placed]) -> Result<Option<String>> {
    let Some(pages) = tool.pagination.as_ref().filter(|pages| pages.place == Some(In::Body)) else {
        return Ok(None);
    };
    let name = pages.parameter.as_deref().unwrap_or_default();
    let at = if name.starts_with('/') { name.to_owned() } else { format!("/{name}") };
    let whole = tool.body.as_ref().is_some_and(|body| body.argument.is_some());
    if matches!(tool.method.as_str(), "GET" | "HEAD") || how != How::Json || whole {
        return Err(wrong(
            &format!("{place}.pagination.in"),
            "is for tools whose body is JSON with several members",
        ));
    }
    if places.iter().any(|other| other.at == at) {
        return Err(wrong(
            &format!("{place}.pagination.parameter"),
            "is the place of an argument, which takes it there by itself; leave `in` out",
        ));
    }
    Ok(Some(at))
}

/// The body of a tool's requests, where it has one.
pub(super) fn of(
    place: &str,
    file: Option<&BodyOf>,
    Parts { members, places, fields, parts }: Parts,
    required: &[String],
) -> Result<Option<Body>> {
    let place = format!("{place}.body");
    let nothing = BodyOf::default();
    let of = match file {
        None if places.is_empty() => return Ok(None),
        None => &nothing,
        Some(of) => of,
    };
    let content = match &of.argument {
        None if places.len() > members.len() => BodyContent::Placed(places),
        None => BodyContent::Members(members.clone()),
        Some(name) => match members.as_slice() {
            [(argument, _)] if argument == name => BodyContent::Argument(name.clone()),
            _ => {
                return Err(wrong(
                    &format!("{place}.argument"),
                    "must name the one argument that goes into the body",
                ));
            }
        },
    };
    let (encoding, media_type) = match of.encoding {
        How::Json => (Encoding::Json, "application/json"),
        How::Form => (Encoding::Form(fields), "application/x-www-form-urlencoded"),
        How::Multipart => (Encoding::Multipart(parts), "multipart/form-data"),
        How::Text => (Encoding::Text, "text/plain; charset=utf-8"),
        How::Binary => (Encoding::Binary, "*/*"),
    };
    if matches!(of.encoding, How::Text | How::Binary) && members.len() != 1 {
        return Err(wrong(&place, "of text or of a file has one argument, which is all of it"));
    }
    let media_type = of.media_type.clone().unwrap_or_else(|| media_type.to_owned());
    if HeaderValue::try_from(&media_type).is_err() || !media_type.contains('/') {
        return Err(wrong(
            &format!("{place}.media_type"),
            "is no media type; write one such as \"application/json\"",
        ));
    }
    let mut body = Body::json(content);
    (body.encoding, body.media_type) = (encoding, media_type);
    // One whose members may all be left out is sent all the same: most services want one.
    let whole_is_required = |name: &String| required.contains(name);
    body.required = of.required.unwrap_or_else(|| of.argument.as_ref().is_none_or(whole_is_required));
    Ok(Some(body))
}
