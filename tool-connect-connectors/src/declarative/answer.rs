//! What is made of a tool's answers: pages, and the parts that are kept.

use http::HeaderValue;
use tool_connect_core::Result;

use super::file::{In, Next, Pages, ResultOf};
use super::load::{self, wrong};
use super::schema;
use crate::operation::{Answer, PageValue, Pagination};

pub(super) fn pagination(place: &str, file: &Pages) -> Result<Pagination> {
    let place = format!("{place}.pagination");
    let needed = |key: &str, value: &Option<String>| {
        value
            .clone()
            .ok_or_else(|| wrong(&format!("{place}.{key}"), "is missing; this kind of page needs it"))
    };
    let at = |value: &Option<String>| load::pointer(&format!("{place}.pointer"), &needed("pointer", value)?);
    let (next, needs_parameter) = match file.next {
        Next::Cursor => (PageValue::Cursor(at(&file.pointer)?), true),
        Next::Url => (PageValue::Url(at(&file.pointer)?), false),
        Next::Link => (PageValue::LinkHeader, false),
        Next::Header => (
            PageValue::Header(load::header(&format!("{place}.header"), &needed("header", &file.header)?)?),
            true,
        ),
        Next::Page => (PageValue::Page(file.first.unwrap_or(1)), true),
        Next::Offset => (PageValue::Offset, true),
        Next::LastItem => (PageValue::LastItem(at(&file.pointer)?), true),
        Next::LeastItem => (PageValue::LeastItem(at(&file.pointer)?), true),
    };
    for (key, given, used) in [
        (
            "pointer",
            file.pointer.is_some(),
            matches!(file.next, Next::Cursor | Next::Url | Next::LastItem | Next::LeastItem),
        ),
        ("header", file.header.is_some(), file.next == Next::Header),
        ("in", file.place.is_some(), file.place == Some(In::Body) && file.parameter.is_some()),
        ("first", file.first.is_some(), file.next == Next::Page),
    ] {
        if given && !used {
            return Err(wrong(
                &format!("{place}.{key}"),
                "means nothing for this kind of page; leave it out",
            ));
        }
    }
    let parameter =
        if needs_parameter { Some(needed("parameter", &file.parameter)?) } else { file.parameter.clone() };
    let mut pagination = Pagination::new(next, parameter);
    let optional = |key: &str, value: &Option<String>| {
        value.as_deref().map(|text| load::pointer(&format!("{place}.{key}"), text)).transpose()
    };
    pagination.items = optional("items", &file.items)?;
    pagination.has_more = optional("has_more", &file.has_more)?;
    Ok(pagination)
}

pub(super) fn answer(place: &str, file: &ResultOf) -> Result<Answer> {
    let place = format!("{place}.result");
    let pointer = file.pointer.as_deref().map(|text| load::pointer(&format!("{place}.pointer"), text));
    let mut answer = Answer {
        pointer: pointer.transpose()?,
        fields: file.fields.clone(),
        accept: file.accept.clone(),
        schema: None,
        texts: file.texts.clone(),
        full: None,
    };
    if let Some(media_type) =
        file.accept.iter().find(|text| HeaderValue::try_from(*text).is_err() || !text.contains('/'))
    {
        return Err(wrong(
            &format!("{place}.accept"),
            format_args!("holds `{}`, which is no media type", media_type.escape_debug()),
        ));
    }
    if let Some(raw) = &file.schema {
        let place = format!("{place}.schema");
        let schema = schema::parse(&place, raw)?;
        if !schema.is_object() {
            return Err(wrong(&place, "must be a table, or the text of a JSON object"));
        }
        answer.schema = Some(schema.to_string().into());
    }
    Ok(answer)
}
