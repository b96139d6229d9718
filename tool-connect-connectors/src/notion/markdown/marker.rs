//! HTML that says what Markdown cannot: comments for attributes and groups, `<details>` for toggles.

use serde_json::{Map, Value};

/// Says that a text or a paragraph is empty.
pub(super) const EMPTY: &str = "<!-- -->";
/// Ends a group.
pub(super) const END: &str = "<!-- /notion-group -->";
/// Ends a toggle.
pub(super) const END_TOGGLE: &str = "</details>";

/// A comment with attributes.
pub(super) fn attributes(of: &Map<String, Value>) -> String {
    format!("<!-- notion {} -->", json(of))
}

/// A comment that begins a group.
pub(super) fn group(of: &Map<String, Value>) -> String {
    format!("<!-- notion-group {} -->", json(of))
}

/// On one line, and without what could end a comment.
fn json(of: &Map<String, Value>) -> String {
    let text = Value::Object(of.clone()).to_string();
    text.replace('>', "\\u003e").replace("--", "-\\u002d").replace('\u{0}', "\\u0000")
}

/// What a block of HTML says.
#[derive(Debug, PartialEq)]
pub(super) enum Marker<'a> {
    Empty,
    Attributes(Map<String, Value>),
    Group(Map<String, Value>),
    EndGroup,
    /// A toggle and its summary; the level where that is a heading.
    Toggle(&'a str, Option<u8>),
    EndToggle,
    /// Nothing of ours.
    Other,
}

pub(super) fn read(html: &str) -> Marker<'_> {
    let html = html.trim();
    match html {
        EMPTY => return Marker::Empty,
        END => return Marker::EndGroup,
        END_TOGGLE => return Marker::EndToggle,
        _ => {}
    }
    if let Some(inner) = html.strip_prefix("<!--").and_then(|rest| rest.strip_suffix("-->")) {
        let inner = inner.trim();
        let object = |text: &str| serde_json::from_str::<Map<String, Value>>(text).ok();
        if let Some(map) = inner.strip_prefix("notion-group ").and_then(object) {
            return Marker::Group(map);
        }
        return match inner.strip_prefix("notion ").and_then(object) {
            Some(map) => Marker::Attributes(map),
            None => Marker::Other,
        };
    }
    toggle(html).unwrap_or(Marker::Other)
}

fn toggle(html: &str) -> Option<Marker<'_>> {
    let rest = html.strip_prefix("<details")?;
    let (attributes, rest) = rest.split_once('>')?;
    if !attributes.is_empty() && !attributes.starts_with(' ') {
        return None;
    }
    let summary = rest.trim().strip_prefix("<summary>")?.strip_suffix("</summary>")?.trim();
    for level in 1..=4_u8 {
        let inner = summary
            .strip_prefix(&format!("<h{level}>"))
            .and_then(|inner| inner.strip_suffix(&format!("</h{level}>")));
        if let Some(inner) = inner {
            return Some(Marker::Toggle(inner.trim(), Some(level)));
        }
    }
    Some(Marker::Toggle(summary, None))
}

/// A tag of HTML within text that says how text looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    Bold,
    Italic,
    Strike,
    Underline,
    Code,
    Color(Option<String>),
    Break,
    Empty,
}

/// The tag, and whether it is a closing one.
pub(super) fn tag(html: &str) -> Option<(Tag, bool)> {
    if html == EMPTY {
        return Some((Tag::Empty, false));
    }
    let inner = html.strip_prefix('<')?.strip_suffix('>')?;
    let (inner, closes) = match inner.strip_prefix('/') {
        Some(inner) => (inner, true),
        None => (inner, false),
    };
    if !closes
        && let Some(color) = inner.strip_prefix("span color=\"").and_then(|rest| rest.strip_suffix('"'))
    {
        return super::model::is_color(color).then(|| (Tag::Color(Some(color.to_owned())), false));
    }
    let tag = match inner.trim_end_matches('/').trim() {
        "b" | "strong" => Tag::Bold,
        "i" | "em" => Tag::Italic,
        "s" | "del" => Tag::Strike,
        "u" => Tag::Underline,
        "code" => Tag::Code,
        "br" if !closes => Tag::Break,
        "span" if closes => Tag::Color(None),
        _ => return None,
    };
    Some((tag, closes))
}
