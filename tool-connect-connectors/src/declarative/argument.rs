//! Where an argument goes, and how it is written there.

use serde_json::Value;
use tool_connect_core::Result;

use super::file::{Arg, How, In, Style, Tool, Type};
use super::load::{self, wrong};
use crate::headers::refusal;
use crate::operation::{FormField, Parameter, ParameterStyle, Part, Place, Placed};

impl From<Style> for ParameterStyle {
    fn from(style: Style) -> Self {
        match style {
            Style::Simple => Self::Simple,
            Style::Label => Self::Label,
            Style::Matrix => Self::Matrix,
            Style::Form => Self::Form,
            Style::SpaceDelimited => Self::SpaceDelimited,
            Style::PipeDelimited => Self::PipeDelimited,
            Style::DeepObject => Self::DeepObject,
            Style::Json => Self::Json,
        }
    }
}

/// An argument, sorted.
pub(super) enum Sorted {
    Parameter(Parameter),
    /// A member of the body, under this name.
    Member(String),
    /// Something at a place of the body.
    Placed(Placed),
}

/// Where an argument goes: where it says, into the path that names it, else into the query of a read and the body of a write.
pub(super) fn sort(place: &str, name: &str, arg: &Arg, tool: &Tool) -> Result<Sorted> {
    let wire = arg.name.clone().unwrap_or_else(|| name.to_owned());
    let in_path = tool.path.contains(&format!("{{{wire}}}"));
    let reads = matches!(tool.method.as_str(), "GET" | "HEAD" | "DELETE");
    let to = match arg.place {
        Some(to) => to,
        None if in_path => In::Path,
        None if arg.at.is_some() || arg.template.is_some() => In::Body,
        None if reads && tool.body.is_none() => In::Query,
        None => In::Body,
    };
    if (to == In::Path) != in_path {
        let why = match to {
            In::Path => format!("goes into the path, which has no `{{{wire}}}`"),
            _ => format!("has its placeholder `{{{wire}}}` in the path and goes elsewhere; leave `in` out"),
        };
        return Err(wrong(place, why));
    }
    let to = match to {
        In::Path => Place::Path,
        In::Query => Place::Query,
        In::Header => Place::Header,
        In::Cookie => Place::Cookie,
        In::Body => {
            if tool.method == "GET" || tool.method == "HEAD" {
                return Err(wrong(place, "goes into a body, which a GET or HEAD request has not"));
            }
            if arg.allow_reserved || arg.allow_empty {
                return Err(wrong(
                    place,
                    "goes into the body, where `allow_reserved` and `allow_empty` mean nothing",
                ));
            }
            if arg.at.is_none() && arg.template.is_none() {
                return Ok(Sorted::Member(wire));
            }
            if arg.at.is_some() && arg.name.is_some() {
                return Err(wrong(place, "has `at` and `name`; the last part of `at` is its name"));
            }
            let at = match &arg.at {
                Some(at) => load::pointer(&format!("{place}.at"), at)?,
                None => format!("/{}", escaped(&wire)),
            };
            let first = at.split('/').nth(1).unwrap_or_default();
            if first.is_empty() || first.parse::<usize>().is_ok() {
                return Err(wrong(
                    &format!("{place}.at"),
                    "must begin with a member of the body, such as \"/data/name\"; `body.argument` is for the whole",
                ));
            }
            let mut placed = Placed::new(name, at);
            if let Some(template) = &arg.template {
                placed.template = Some(super::schema::parse(&format!("{place}.template"), template)?);
            }
            return Ok(Sorted::Placed(placed));
        }
    };
    if arg.kind == Some(Type::File) || arg.media_type.is_some() {
        return Err(wrong(place, "is a file or has a `media_type`; those go into a body"));
    }
    if arg.at.is_some() || arg.template.is_some() {
        return Err(wrong(place, "has an `at` or a `template`, which only a body has"));
    }
    let mut parameter = Parameter::new(wire, to);
    if to == Place::Header {
        let header = load::header(&format!("{place}.name"), &parameter.wire)?;
        if let Some(why) = refusal(&header) {
            return Err(wrong(place, why));
        }
    }
    parameter.argument = name.to_owned();
    parameter.required = arg.required || to == Place::Path;
    parameter.allow_reserved = arg.allow_reserved;
    parameter.allow_empty = arg.allow_empty;
    if let Some(style) = arg.style {
        parameter.style = style.into();
    } else if to == Place::Query && arg.kind == Some(Type::Object) {
        parameter.style = ParameterStyle::DeepObject;
    }
    let fits = match (to, parameter.style) {
        (Place::Path, ParameterStyle::Simple | ParameterStyle::Label | ParameterStyle::Matrix) => true,
        (Place::Header, ParameterStyle::Simple | ParameterStyle::Json) => true,
        (Place::Cookie, ParameterStyle::Form | ParameterStyle::Json) => true,
        (Place::Query, ParameterStyle::Simple | ParameterStyle::Label | ParameterStyle::Matrix) => false,
        (Place::Query, _) => true,
        _ => false,
    };
    if !fits {
        return Err(wrong(&format!("{place}.style"), "is none of those that go there"));
    }
    if let Some(explode) = arg.explode {
        parameter.explode = explode;
    }
    if let Some(value) = arg.value.as_ref().or(arg.default.as_ref()) {
        parameter.default = Some(load::json(place, value)?);
    }
    parameter.fixed = arg.value.is_some();
    Ok(Sorted::Parameter(parameter))
}

/// A name as a part of a JSON pointer (RFC 6901 §3).
pub(super) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// How a member of a form is written: objects as `name[member]`, arrays as repeated fields, unless it says otherwise.
pub(super) fn field(name: &str, arg: &Arg) -> FormField {
    let style = match arg.style {
        Some(style) => style.into(),
        None if arg.kind == Some(Type::Object) => ParameterStyle::DeepObject,
        None => ParameterStyle::Form,
    };
    FormField::new(name, style, arg.explode.unwrap_or(true))
}

/// How a member of a multipart body is written.
pub(super) fn part(name: &str, arg: &Arg) -> Part {
    let mut part = Part::new(name, arg.kind == Some(Type::File));
    part.media_type.clone_from(&arg.media_type);
    part
}

/// The keys of an argument that its body has no use for.
pub(super) fn check_member(place: &str, arg: &Arg, how: How) -> Result<()> {
    if arg.kind == Some(Type::File) && !matches!(how, How::Multipart | How::Binary) {
        return Err(wrong(place, "is a file; set `body.encoding` to \"multipart\" or \"binary\""));
    }
    if (arg.style.is_some() || arg.explode.is_some()) && how != How::Form {
        return Err(wrong(place, "has a `style`, which only parameters and forms have"));
    }
    if arg.media_type.is_some() && how != How::Multipart {
        return Err(wrong(&format!("{place}.media_type"), "is for the parts of a multipart body"));
    }
    Ok(())
}

/// A value that is always sent: no argument of the tool.
pub(super) fn fixed(place: &str, arg: &Arg) -> Result<Option<Value>> {
    let Some(value) = &arg.value else { return Ok(None) };
    let described = arg.kind.is_some() || arg.required || arg.default.is_some() || arg.schema.is_some();
    if described {
        return Err(wrong(
            place,
            "has a fixed `value` and is described like an argument; leave one of them out",
        ));
    }
    load::json(&format!("{place}.value"), value).map(Some)
}
