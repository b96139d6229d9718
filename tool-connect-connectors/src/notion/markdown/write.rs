//! Blocks as Markdown.

use serde_json::{Map, Value};

use super::escape::Place;
use super::inline;
use super::language;
use super::marker::{self, EMPTY, END, END_TOGGLE};
use super::model::{Block, Content, Inline, Span, plain};

/// Writes blocks as Markdown, which [`to_blocks`](super::to_blocks) reads as the same blocks; see the [module](super).
///
/// ```
/// use tool_connect_connectors::notion::markdown::{Block, Content, Span, to_markdown};
/// let item = |text: &str| Block::new(Content::Bulleted(vec![Span::text(text)]));
/// let list = [item("milk").with(vec![item("*fresh*")]), item("bread")];
/// assert_eq!(to_markdown(&list), "- milk\n  - \\*fresh\\*\n- bread\n");
/// ```
#[must_use]
pub fn to_markdown(blocks: &[Block]) -> String {
    let mut text = siblings(blocks).join("\n");
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// Rich text as Markdown on one line.
pub(in super::super) fn spans_to_markdown(spans: &[Span]) -> String {
    inline::write(spans, Place::FREE)
}

#[derive(Clone, Copy, PartialEq)]
enum List {
    Bullets,
    Numbers,
}

fn list(block: &Block) -> Option<List> {
    if !block.attributes.is_empty() {
        return None;
    }
    match block.content {
        Content::Bulleted(_) | Content::ToDo { .. } => Some(List::Bullets),
        Content::Numbered(_) => Some(List::Numbers),
        _ => None,
    }
}

fn siblings(blocks: &[Block]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut before: Option<Option<List>> = None;
    let mut number = 0_u32;
    for block in blocks {
        let here = list(block);
        number = if here == Some(List::Numbers) { number.saturating_add(1) } else { 0 };
        match before {
            Some(before) if here.is_none() || before != here => lines.push(String::new()),
            _ => {}
        }
        lines.extend(one(block, number.max(1)));
        before = Some(here);
    }
    lines
}

/// A block with what stands around and within it.
fn one(block: &Block, number: u32) -> Vec<String> {
    let mut attributes = block.attributes.clone();
    if let Content::Table { header: false, .. } = block.content {
        attributes.insert("has_column_header".to_owned(), Value::Bool(false));
    }
    if let Content::Other { kind } = &block.content {
        let mut map = Map::new();
        map.insert("type".to_owned(), Value::String(kind.clone()));
        map.extend(attributes);
        return match block.children.is_empty() {
            true => vec![marker::attributes(&map)],
            false => group(&map, Vec::new(), siblings(&block.children)),
        };
    }
    let nests = nests(&block.content);
    let within = if nests { block.children.as_slice() } else { &[] };
    let own = own(&block.content, number, within);
    if !nests && !block.children.is_empty() {
        return group(&attributes, own, siblings(&block.children));
    }
    if attributes.is_empty() {
        return own;
    }
    let mut lines = vec![marker::attributes(&attributes), String::new()];
    lines.extend(own);
    lines
}

fn group(attributes: &Map<String, Value>, own: Vec<String>, within: Vec<String>) -> Vec<String> {
    let mut lines = vec![marker::group(attributes), String::new()];
    if !own.is_empty() {
        lines.extend(own);
        lines.push(String::new());
    }
    lines.extend(within);
    lines.extend([String::new(), END.to_owned()]);
    lines
}

/// Whether Markdown has a place for blocks within this one.
fn nests(content: &Content) -> bool {
    matches!(
        content,
        Content::Bulleted(_)
            | Content::Numbered(_)
            | Content::ToDo { .. }
            | Content::Quote(_)
            | Content::Callout { .. }
            | Content::Toggle(_)
            | Content::Heading { toggle: true, .. }
    )
}

/// Rich text as lines; a sign for no text.
fn text(spans: &[Span]) -> Vec<String> {
    let written = inline::write(spans, Place::FREE);
    match written.is_empty() {
        true => vec![EMPTY.to_owned()],
        false => written.split('\n').map(str::to_owned).collect(),
    }
}

fn own(content: &Content, number: u32, within: &[Block]) -> Vec<String> {
    match content {
        Content::Paragraph(spans) => text(spans),
        Content::Heading { level, text, toggle: false } => {
            let line = inline::write(text, Place::LINE);
            let marks = "#".repeat(usize::from((*level).clamp(1, 4)));
            vec![format!("{marks} {line}").trim_end().to_owned()]
        }
        Content::Heading { level, text, toggle: true } => {
            let level = (*level).clamp(1, 4);
            toggle(&format!("<h{level}>{}</h{level}>", inline::write(text, Place::LINE)), within)
        }
        Content::Toggle(text) => toggle(&inline::write(text, Place::LINE), within),
        Content::Bulleted(spans) => item("- ", "", spans, within),
        Content::Numbered(spans) => item(&format!("{number}. "), "", spans, within),
        Content::ToDo { text, checked } => item("- ", if *checked { "[x] " } else { "[ ] " }, text, within),
        Content::Quote(spans) => quote(body(text(spans), within)),
        Content::Callout { alert, text: spans } => {
            let mut lines = vec![format!("[!{}]", alert.name())];
            lines.extend(body(text(spans), within));
            quote(lines)
        }
        Content::Code { language, text } => {
            let info = if language == language::PLAIN { "" } else { language.as_str() };
            fence(info, text)
        }
        Content::Equation(tex) if inline::simple(tex, Place::FREE) => vec![format!("$${tex}$$")],
        Content::Equation(tex) => fence("math", tex),
        Content::Divider => vec!["---".to_owned()],
        Content::Table { rows, .. } => table(rows),
        Content::Image { url, caption } => {
            let caption = inline::write(caption, Place::LINE);
            vec![format!("![{caption}]({})", inline::destination(url, Place::LINE))]
        }
        Content::Linked { kind, url, caption } => {
            let shown = match caption.is_empty() {
                true => inline::write(&[Span::text(url)], Place::LINE),
                false => inline::write(caption, Place::LINE),
            };
            vec![format!("[{shown}]({} \"{}\")", inline::destination(url, Place::LINE), kind.as_str())]
        }
        Content::Other { .. } => Vec::new(),
    }
}

/// A text and what stands below it.
fn body(mut lines: Vec<String>, within: &[Block]) -> Vec<String> {
    if let Some(first) = within.first() {
        // A list may follow a text at once.
        if list(first).is_none() {
            lines.push(String::new());
        }
        lines.extend(siblings(within));
    }
    lines
}

fn item(marker: &str, check: &str, spans: &[Span], within: &[Block]) -> Vec<String> {
    let indent = " ".repeat(marker.len());
    let lines = body(text(spans), within);
    let each = lines.into_iter().enumerate().map(|(at, line)| match (at, line.is_empty()) {
        (0, _) => format!("{marker}{check}{line}"),
        (_, true) => line,
        (_, false) => format!("{indent}{line}"),
    });
    each.collect()
}

fn quote(lines: Vec<String>) -> Vec<String> {
    lines.into_iter().map(|line| if line.is_empty() { ">".to_owned() } else { format!("> {line}") }).collect()
}

fn toggle(summary: &str, within: &[Block]) -> Vec<String> {
    let mut lines = vec!["<details>".to_owned(), format!("<summary>{summary}</summary>"), String::new()];
    lines.extend(siblings(within));
    if !within.is_empty() {
        lines.push(String::new());
    }
    lines.push(END_TOGGLE.to_owned());
    lines
}

fn fence(info: &str, text: &str) -> Vec<String> {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let marks = "`".repeat(longest.max(2) + 1);
    let mut lines = vec![format!("{marks}{info}")];
    lines.extend(text.split('\n').map(str::to_owned));
    lines.push(marks);
    lines
}

fn table(rows: &[Vec<Vec<Span>>]) -> Vec<String> {
    let line = |cells: &Vec<Vec<Span>>| {
        let mut line = String::from("|");
        for cell in cells {
            line.push(' ');
            line.push_str(&inline::write(cell, Place::CELL));
            line.push_str(" |");
        }
        line
    };
    let mut lines: Vec<String> = rows.iter().map(line).collect();
    if let Some(first) = rows.first() {
        lines.insert(1, format!("|{}", " --- |".repeat(first.len())));
    }
    lines
}

/// Whether a caption can stand as the text of a link: it holds
/// nothing that is written as a link itself, and is not the address, which stands for none.
pub(super) fn is_caption(caption: &[Span], url: &str) -> bool {
    let fits = |span: &Span| span.link.is_none() && matches!(span.inline, Inline::Text(_));
    caption.iter().all(fits) && (caption.is_empty() || plain(caption) != url)
}
