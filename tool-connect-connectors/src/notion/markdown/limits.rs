//! What one request holds: <https://developers.notion.com/reference/request-limits>.

use serde_json::Value;

use super::model::{Block, Content, Span};
use super::rich::pieces;
use super::wire::bare;

/// Blocks of one level in one request, and pieces of one text.
const MOST: usize = 100;
/// Blocks of all levels in one request.
const BLOCKS: usize = 1000;
/// A request's blocks as JSON, in bytes: Notion takes 500 KB.
const BYTES: usize = 400_000;
/// Levels below the first in one request.
const LEVELS: usize = 2;

/// Requests that write blocks below one other, in order.
pub(in super::super) type Plan = Vec<Step>;

/// One request, and what is still to be written below some of its blocks.
#[derive(Debug)]
pub(in super::super) struct Step {
    pub(in super::super) children: Vec<Value>,
    /// By place among `children`.
    pub(in super::super) later: Vec<(usize, Plan)>,
}

/// Cuts blocks into requests that Notion takes. Nothing is left out; a text of more than 100 pieces goes on in a second block of
/// its kind.
pub(in super::super) fn plan(blocks: &[Block]) -> Result<Plan, String> {
    let mut steps: Plan = Vec::new();
    let mut size = (0, 0);
    for block in blocks.iter().flat_map(parts) {
        let (value, later) = written(&block)?;
        let (count, bytes) = (count(&value), value.to_string().len());
        let full = steps.last().is_none_or(|step| {
            step.children.len() >= MOST || size.0 + count > BLOCKS || size.1 + bytes > BYTES
        });
        if full {
            steps.push(Step { children: Vec::new(), later: Vec::new() });
            size = (0, 0);
        }
        size = (size.0 + count, size.1 + bytes);
        if let Some(step) = steps.last_mut() {
            if !later.is_empty() {
                step.later.push((step.children.len(), later));
            }
            step.children.push(value);
        }
    }
    Ok(steps)
}

/// A block for a request, and what has to follow below it.
fn written(block: &Block) -> Result<(Value, Plan), String> {
    if let Some(whole) = whole(block, LEVELS)?
        && whole.to_string().len() <= BYTES
        && count(&whole) <= BLOCKS
    {
        return Ok((whole, Vec::new()));
    }
    if let Content::Other { kind } = &block.content
        && matches!(kind.as_str(), "column_list" | "table" | "tab")
    {
        return Err(format!(
            "holds a block of type `{kind}` that is too deep or too long to be created at once"
        ));
    }
    let mut value = bare(block)?;
    let rows = value.pointer_mut("/table/children").and_then(Value::as_array_mut);
    if let Some(rows) = rows {
        let rest = rows.split_off(MOST.min(rows.len()));
        let later = rest.chunks(MOST).map(|rows| Step { children: rows.to_vec(), later: Vec::new() });
        return Ok((value, later.collect()));
    }
    Ok((value, plan(&block.children)?))
}

/// A block with all that stands within it, if that is few and shallow enough.
fn whole(block: &Block, levels: usize) -> Result<Option<Value>, String> {
    let mut value = bare(block)?;
    if let Some(rows) = value.pointer("/table/children").and_then(Value::as_array) {
        return Ok((rows.len() <= MOST && levels > 0).then_some(value));
    }
    let parts: Vec<Block> = block.children.iter().flat_map(parts).collect();
    if parts.is_empty() {
        return Ok(Some(value));
    }
    if levels == 0 || parts.len() > MOST {
        return Ok(None);
    }
    let mut children = Vec::new();
    for part in &parts {
        match whole(part, levels - 1)? {
            Some(part) => children.push(part),
            None => return Ok(None),
        }
    }
    let kind = value["type"].as_str().unwrap_or_default().to_owned();
    value[kind]["children"] = Value::Array(children);
    Ok(Some(value))
}

/// Blocks of all levels.
fn count(value: &Value) -> usize {
    let kind = value["type"].as_str().unwrap_or_default();
    1 + value[kind]["children"].as_array().into_iter().flatten().map(count).sum::<usize>()
}

/// A block whose text is short enough; what is within it stands in the last of several.
fn parts(block: &Block) -> Vec<Block> {
    let Some(text) = text_of(&block.content) else { return vec![block.clone()] };
    let pieces = pieces(&text);
    if pieces.len() <= MOST {
        return vec![block.clone()];
    }
    let mut parts: Vec<Block> = pieces
        .chunks(MOST)
        .map(|text| {
            let mut part = Block { children: Vec::new(), ..block.clone() };
            set_text(&mut part.content, text);
            part
        })
        .collect();
    if let Some(last) = parts.last_mut() {
        last.children = block.children.clone();
    }
    parts
}

fn text_of(content: &Content) -> Option<Vec<Span>> {
    Some(match content {
        Content::Paragraph(text)
        | Content::Bulleted(text)
        | Content::Numbered(text)
        | Content::Quote(text)
        | Content::Toggle(text)
        | Content::ToDo { text, .. }
        | Content::Heading { text, .. }
        | Content::Callout { text, .. } => text.clone(),
        Content::Code { text, .. } => vec![Span::text(text)],
        _ => return None,
    })
}

fn set_text(content: &mut Content, spans: &[Span]) {
    match content {
        Content::Paragraph(text)
        | Content::Bulleted(text)
        | Content::Numbered(text)
        | Content::Quote(text)
        | Content::Toggle(text)
        | Content::ToDo { text, .. }
        | Content::Heading { text, .. }
        | Content::Callout { text, .. } => *text = spans.to_vec(),
        Content::Code { text, .. } => *text = super::model::plain(spans),
        _ => {}
    }
}
