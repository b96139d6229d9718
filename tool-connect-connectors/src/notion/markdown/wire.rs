//! Blocks as Notion's objects: <https://developers.notion.com/reference/block>.

use serde_json::{Map, Value, json};

use super::model::{Alert, Block, Content, LinkKind, Span, plain, tidy};
use super::rich::{is_id, rich_text, spans_of};
use super::{language, write};

/// Blocks that Notion sent, with what stands within them as `children` beside their text.
#[must_use]
pub fn blocks_of(values: &[Value]) -> Vec<Block> {
    values.iter().map(block_of).collect()
}

/// A block that Notion sent, with what stands within it as `children` beside its text.
#[must_use]
pub fn block_of(value: &Value) -> Block {
    let kind = value["type"].as_str().or_else(|| only_object(value)).unwrap_or("unsupported");
    let mut attributes = value[kind].as_object().cloned().unwrap_or_default();
    let children = match attributes.shift_remove("children") {
        Some(Value::Array(children)) => blocks_of(&children),
        _ => Vec::new(),
    };
    let id = value["id"].as_str().filter(|id| is_id(id));
    let mut block = Block { content: Content::Other { kind: kind.to_owned() }, attributes, children };
    if let Some(content) = content(kind, id, &mut block) {
        block.content = content;
        settle(&mut block);
    }
    block
}

fn only_object(value: &Value) -> Option<&str> {
    let mut names =
        value.as_object()?.iter().filter(|(_, value)| value.is_object()).map(|(name, _)| name.as_str());
    names.next().filter(|_| names.next().is_none())
}

/// What the block says; what that takes is taken out of its attributes.
fn content(kind: &str, id: Option<&str>, block: &mut Block) -> Option<Content> {
    let map = &mut block.attributes;
    if let Some(kind) = LinkKind::of(kind) {
        return linked(kind, id, map);
    }
    let level =
        kind.strip_prefix("heading_").and_then(|level| level.parse().ok()).filter(|n| (1..=4).contains(n));
    if let Some(level) = level {
        let toggle = map.shift_remove("is_toggleable") == Some(Value::Bool(true));
        return Some(Content::Heading { level, text: take_text(map), toggle });
    }
    Some(match kind {
        "paragraph" => Content::Paragraph(take_text(map)),
        "bulleted_list_item" => Content::Bulleted(take_text(map)),
        "numbered_list_item" => Content::Numbered(take_text(map)),
        "to_do" => {
            let checked = map.shift_remove("checked") == Some(Value::Bool(true));
            Content::ToDo { text: take_text(map), checked }
        }
        "quote" => Content::Quote(take_text(map)),
        "toggle" => Content::Toggle(take_text(map)),
        "callout" => {
            let icon = map.entry("icon").or_insert(Value::Null)["emoji"].clone();
            let color = map.entry("color").or_insert_with(|| json!("default")).clone();
            let alert = Alert::ALL.iter().find(|alert| icon == alert.looks().0);
            let alert = alert.or_else(|| Alert::ALL.iter().find(|alert| color == alert.looks().1));
            Content::Callout { alert: alert.copied().unwrap_or(Alert::Note), text: take_text(map) }
        }
        "code" => {
            let spans = map.get("rich_text").map(spans_of).unwrap_or_default();
            let text = plain(&spans);
            // Markdown has one way to end a line.
            if text.contains(['\r', '\0']) {
                return None;
            }
            let said = map.get("language").and_then(Value::as_str).unwrap_or(language::PLAIN);
            let language = language::known(said)?.to_owned();
            map.shift_remove("language");
            map.shift_remove("rich_text");
            if !spans.iter().all(|span| *span == Span::text(plain(std::slice::from_ref(span)))) {
                map.insert("rich_text".to_owned(), rich_text(&spans));
            }
            Content::Code { language, text }
        }
        "equation" => {
            let tex = map.get("expression")?.as_str().filter(|tex| !tex.contains(['\r', '\0']))?.to_owned();
            map.shift_remove("expression");
            Content::Equation(tex)
        }
        "divider" => Content::Divider,
        "image" => {
            let (url, caption) = media(id, map)?;
            Content::Image { url, caption }
        }
        "table" => table(block)?,
        _ => return None,
    })
}

fn take_text(map: &mut Map<String, Value>) -> Vec<Span> {
    map.shift_remove("rich_text").map(|text| spans_of(&text)).unwrap_or_default()
}

fn take_string(map: &mut Map<String, Value>, name: &str) -> Option<String> {
    match map.shift_remove(name) {
        Some(Value::String(text)) if !text.is_empty() => Some(text),
        Some(other) => {
            map.insert(name.to_owned(), other);
            None
        }
        None => None,
    }
}

fn linked(kind: LinkKind, id: Option<&str>, map: &mut Map<String, Value>) -> Option<Content> {
    let (url, caption) = match kind {
        LinkKind::Bookmark | LinkKind::Embed | LinkKind::LinkPreview => {
            let url = take_string(map, "url")?;
            let caption = take_caption(map, &url);
            (url, caption)
        }
        LinkKind::Video | LinkKind::Audio | LinkKind::Pdf | LinkKind::File => {
            let (url, caption) = media(id, map)?;
            let caption = match write::is_caption(&caption, &url) {
                true => caption,
                false => {
                    map.insert("caption".to_owned(), rich_text(&caption));
                    Vec::new()
                }
            };
            (url, caption)
        }
        LinkKind::ChildPage | LinkKind::ChildDatabase => {
            let what = if kind == LinkKind::ChildPage { "page" } else { "database" };
            let title = take_string(map, "title");
            (format!("notion://{what}/{}", id?), title.map(Span::text).into_iter().collect())
        }
        LinkKind::LinkToPage | LinkKind::LinkToDatabase => {
            let (what, name) = match map.get("type").and_then(Value::as_str) {
                Some("database_id") => ("database", "database_id"),
                Some("page_id") | None => ("page", "page_id"),
                Some(_) => return None,
            };
            let target = map.get(name)?.as_str().filter(|id| is_id(id))?.to_owned();
            map.shift_remove(name);
            map.shift_remove("type");
            let kind = if what == "page" { LinkKind::LinkToPage } else { LinkKind::LinkToDatabase };
            return Some(Content::Linked {
                kind,
                url: format!("notion://{what}/{target}"),
                caption: Vec::new(),
            });
        }
    };
    Some(Content::Linked { kind, url, caption })
}

/// A caption that a link's text can be; another stays among the attributes.
fn take_caption(map: &mut Map<String, Value>, url: &str) -> Vec<Span> {
    let caption = map.get("caption").map(spans_of).unwrap_or_default();
    if !write::is_caption(&caption, url) {
        map.insert("caption".to_owned(), rich_text(&caption));
        return Vec::new();
    }
    map.shift_remove("caption");
    caption
}

/// The address of a file, and its caption.
fn media(id: Option<&str>, map: &mut Map<String, Value>) -> Option<(String, Vec<Span>)> {
    let url = match map.get("type").and_then(Value::as_str) {
        Some("external") | None => map.get("external")?["url"].as_str()?.to_owned(),
        // Its address is good for an hour; the block's id leads to a fresh one.
        Some("file") => format!("notion://file/{}", id?),
        Some("file_upload") => {
            let id = map.get("file_upload")?["id"].as_str().filter(|id| is_id(id))?;
            format!("notion://upload/{id}")
        }
        Some(_) => return None,
    };
    if url.is_empty() {
        return None;
    }
    for name in ["type", "external", "file", "file_upload"] {
        map.shift_remove(name);
    }
    let caption = map.shift_remove("caption").map(|text| spans_of(&text)).unwrap_or_default();
    Some((url, caption))
}

fn table(block: &mut Block) -> Option<Content> {
    let rows: Option<Vec<Vec<Vec<Span>>>> = block.children.iter().map(row).collect();
    let rows = rows.filter(|rows| !rows.is_empty())?;
    let width = rows.first().map(Vec::len).filter(|width| *width > 0)?;
    if rows.iter().any(|row| row.len() != width) {
        return None;
    }
    block.children.clear();
    block.attributes.shift_remove("table_width");
    if block.attributes.get("has_row_header") == Some(&Value::Bool(false)) {
        block.attributes.shift_remove("has_row_header");
    }
    let header = block.attributes.shift_remove("has_column_header") == Some(Value::Bool(true));
    Some(Content::Table { header, rows })
}

fn row(block: &Block) -> Option<Vec<Vec<Span>>> {
    match &block.content {
        Content::Other { kind } if kind == "table_row" => {
            Some(block.attributes.get("cells")?.as_array()?.iter().map(spans_of).collect())
        }
        _ => None,
    }
}

/// Drops attributes that say nothing.
pub(super) fn settle(block: &mut Block) {
    if let Content::Callout { alert, .. } = block.content {
        let (icon, color) = alert.looks();
        block.attributes.retain(|name, value| match name.as_str() {
            "icon" => value["emoji"] != icon,
            "color" => value != color,
            _ => !value.is_null(),
        });
    } else if !matches!(block.content, Content::Other { .. }) {
        block.attributes.retain(|name, value| match value {
            Value::Null => false,
            Value::Array(items) => !items.is_empty(),
            Value::String(text) => !(name == "color" && text == "default"),
            _ => true,
        });
    }
}

/// The file that a `notion://file/` address means: the id of its block.
pub(in super::super) fn file_of(url: &str) -> Option<&str> {
    url.strip_prefix("notion://file/").filter(|id| is_id(id))
}

/// A block as Notion takes it, without what stands within it; rows of a table are part of it.
pub(in super::super) fn bare(block: &Block) -> Result<Value, String> {
    let mut map = block.attributes.clone();
    let text = |spans: &Vec<Span>| ("rich_text", rich_text(spans));
    let (kind, members): (&str, Vec<(&str, Value)>) = match &block.content {
        Content::Paragraph(spans) => ("paragraph", vec![text(spans)]),
        Content::Heading { level, text: spans, toggle } => {
            let kind = match level {
                1 => "heading_1",
                2 => "heading_2",
                3 => "heading_3",
                _ => "heading_4",
            };
            let mut members = vec![text(spans)];
            if *toggle {
                members.push(("is_toggleable", Value::Bool(true)));
            }
            (kind, members)
        }
        Content::Bulleted(spans) => ("bulleted_list_item", vec![text(spans)]),
        Content::Numbered(spans) => ("numbered_list_item", vec![text(spans)]),
        Content::ToDo { text: spans, checked } => ("to_do", vec![text(spans), ("checked", json!(checked))]),
        Content::Quote(spans) => ("quote", vec![text(spans)]),
        Content::Callout { alert, text: spans } => {
            let (icon, color) = alert.looks();
            map.entry("icon").or_insert_with(|| json!({"type": "emoji", "emoji": icon}));
            map.entry("color").or_insert_with(|| json!(color));
            map.retain(|_, value| !value.is_null());
            ("callout", vec![text(spans)])
        }
        Content::Toggle(spans) => ("toggle", vec![text(spans)]),
        Content::Code { language, text } => {
            let marked = map.get("rich_text").filter(|marked| plain(&spans_of(marked)) == *text);
            let spans = marked.cloned().unwrap_or_else(|| rich_text(&tidy(vec![Span::text(text)])));
            ("code", vec![("rich_text", spans), ("language", json!(language))])
        }
        Content::Equation(tex) => ("equation", vec![("expression", json!(tex))]),
        Content::Divider => ("divider", Vec::new()),
        Content::Table { header, rows } => {
            let width = rows.first().map(Vec::len).unwrap_or_default();
            let cells = |row: &Vec<Vec<Span>>| {
                let cells: Vec<Value> = row.iter().map(|cell| rich_text(cell)).collect();
                json!({"type": "table_row", "table_row": {"cells": cells}})
            };
            let members = vec![
                ("table_width", json!(width)),
                ("has_column_header", json!(header)),
                ("children", rows.iter().map(cells).collect()),
            ];
            ("table", members)
        }
        Content::Image { url, caption } => {
            place(&mut map, url)?;
            caption_into(&mut map, caption);
            ("image", Vec::new())
        }
        Content::Linked { kind, url, caption } => return linked_out(*kind, url, caption, map),
        Content::Other { kind } if kind == "unsupported" => {
            return Err(
                "holds a block of a type that Notion's API does not know; leave it where it is".to_owned()
            );
        }
        Content::Other { kind } => (kind.as_str(), Vec::new()),
    };
    for (name, value) in members {
        map.insert(name.to_owned(), value);
    }
    Ok(json!({"type": kind, kind: map}))
}

fn linked_out(
    kind: LinkKind,
    url: &str,
    caption: &[Span],
    mut map: Map<String, Value>,
) -> Result<Value, String> {
    let name = match kind {
        LinkKind::Bookmark | LinkKind::LinkPreview => "bookmark",
        LinkKind::Embed => "embed",
        LinkKind::Video | LinkKind::Audio | LinkKind::Pdf | LinkKind::File => {
            place(&mut map, url)?;
            caption_into(&mut map, caption);
            return Ok(json!({"type": kind.as_str(), kind.as_str(): map}));
        }
        LinkKind::ChildPage | LinkKind::LinkToPage | LinkKind::ChildDatabase | LinkKind::LinkToDatabase => {
            let pages = matches!(kind, LinkKind::ChildPage | LinkKind::LinkToPage);
            let (what, name) = if pages { ("page", "page_id") } else { ("database", "database_id") };
            let id = url.strip_prefix(&format!("notion://{what}/")).filter(|id| is_id(id));
            let id = id.ok_or_else(|| format!("must link to a {what} as `notion://{what}/ID`"))?;
            return Ok(json!({"type": "link_to_page", "link_to_page": {"type": name, name: id}}));
        }
    };
    map.insert("url".to_owned(), json!(url));
    caption_into(&mut map, caption);
    Ok(json!({"type": name, name: map}))
}

fn caption_into(map: &mut Map<String, Value>, caption: &[Span]) {
    if !caption.is_empty() {
        map.insert("caption".to_owned(), rich_text(caption));
    }
}

/// Where a file comes from.
fn place(map: &mut Map<String, Value>, url: &str) -> Result<(), String> {
    if let Some(id) = url.strip_prefix("notion://upload/") {
        map.insert("type".to_owned(), json!("file_upload"));
        map.insert("file_upload".to_owned(), json!({"id": id}));
        return Ok(());
    }
    if url.starts_with("notion://") {
        return Err(
            "holds a file that another block keeps; fetch it with download_file, send it with upload_file \
                    and write `notion://upload/ID`"
                .to_owned(),
        );
    }
    map.insert("type".to_owned(), json!("external"));
    map.insert("external".to_owned(), json!({"url": url}));
    Ok(())
}
