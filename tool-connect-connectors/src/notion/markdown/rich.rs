//! Rich text as Notion's objects: <https://developers.notion.com/reference/rich-text>.

use serde_json::{Map, Value, json};

use super::inline::encode;
use super::model::{Inline, Marks, Span, tidy};
use super::text::decode;

/// So many UTF-16 code units go into one piece of rich text: <https://developers.notion.com/reference/request-limits>.
const LONGEST: usize = 2000;

/// Rich text as Notion takes it. A text that is longer than Notion's 2,000 characters becomes several pieces.
#[must_use]
pub fn rich_text(spans: &[Span]) -> Value {
    let mut items = Vec::new();
    for span in pieces(spans) {
        let mut item = match &span.inline {
            Inline::Text(text) => match &span.link {
                Some(url) => json!({"type": "text", "text": {"content": text, "link": {"url": url}}}),
                None => json!({"type": "text", "text": {"content": text}}),
            },
            Inline::Equation(tex) => json!({"type": "equation", "equation": {"expression": tex}}),
            Inline::Mention { target, label } => match mention(target) {
                Some(mention) => json!({"type": "mention", "mention": mention}),
                None => json!({"type": "text", "text": {"content": label}}),
            },
        };
        if let (Some(annotations), Some(item)) = (annotations(&span.marks), item.as_object_mut()) {
            item.insert("annotations".to_owned(), annotations);
        }
        items.push(item);
    }
    Value::Array(items)
}

/// Pieces of which none is too long.
pub(super) fn pieces(spans: &[Span]) -> Vec<Span> {
    let mut out = Vec::new();
    for span in spans {
        let Inline::Text(text) = &span.inline else {
            out.push(span.clone());
            continue;
        };
        let (mut from, mut units) = (0, 0);
        let mut cut = |from: usize, to: usize| {
            let inline = Inline::Text(text[from..to].to_owned());
            out.push(Span { inline, ..span.clone() });
        };
        for (at, c) in text.char_indices() {
            if units + c.len_utf16() > LONGEST {
                cut(from, at);
                (from, units) = (at, 0);
            }
            units += c.len_utf16();
        }
        cut(from, text.len());
    }
    out
}

fn annotations(marks: &Marks) -> Option<Value> {
    let mut map = Map::new();
    for (name, set) in [
        ("bold", marks.bold),
        ("italic", marks.italic),
        ("strikethrough", marks.strike),
        ("underline", marks.underline),
        ("code", marks.code),
    ] {
        if set {
            map.insert(name.to_owned(), Value::Bool(true));
        }
    }
    if let Some(color) = &marks.color {
        map.insert("color".to_owned(), Value::String(color.clone()));
    }
    (!map.is_empty()).then_some(Value::Object(map))
}

/// Rich text that Notion sent.
#[must_use]
pub fn spans_of(rich_text: &Value) -> Vec<Span> {
    tidy(rich_text.as_array().into_iter().flatten().filter_map(span_of).collect())
}

fn span_of(item: &Value) -> Option<Span> {
    let shown = || item["plain_text"].as_str().unwrap_or_default().to_owned();
    let inline = match item["type"].as_str().or_else(|| implied(item)) {
        Some("text") => Inline::Text(item["text"]["content"].as_str().map_or_else(shown, str::to_owned)),
        Some("equation") => Inline::Equation(item["equation"]["expression"].as_str()?.to_owned()),
        Some("mention") => Inline::Mention { target: target(&item["mention"]), label: shown() },
        _ => Inline::Text(shown()),
    };
    let said = &item["annotations"];
    let set = |name: &str| said[name].as_bool().unwrap_or_default();
    let marks = Marks {
        bold: set("bold"),
        italic: set("italic"),
        strike: set("strikethrough"),
        underline: set("underline"),
        code: set("code"),
        color: said["color"].as_str().filter(|color| super::model::is_color(color)).map(str::to_owned),
    };
    let link = item["text"]["link"]["url"].as_str().filter(|url| !url.is_empty()).map(str::to_owned);
    Some(Span { inline, marks, link })
}

/// A type that is not said, as in requests.
fn implied(item: &Value) -> Option<&'static str> {
    ["text", "mention", "equation"].into_iter().find(|name| item.get(name).is_some())
}

/// The address of a mention.
fn target(mention: &Value) -> String {
    let kind = mention["type"].as_str().unwrap_or_default();
    let id = |kind: &str| mention[kind]["id"].as_str().filter(|id| is_id(id));
    match (kind, id(kind)) {
        ("user" | "page" | "database", Some(id)) => return format!("notion://{kind}/{id}"),
        ("date", _) => {
            let date = &mention["date"];
            if let Some(start) = date["start"].as_str() {
                let mut url = format!("notion://date/{}", start_of(start));
                if let Some(end) = date["end"].as_str() {
                    url.push('/');
                    url.push_str(&start_of(end));
                }
                if let Some(zone) = date["time_zone"].as_str() {
                    url.push('?');
                    url.push_str(&start_of(zone));
                }
                return url;
            }
        }
        _ => {}
    }
    format!("notion://mention/{}", encode(&mention.to_string()))
}

/// Times as they are, where they need no encoding.
fn start_of(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-:._+".contains(c);
    if text.chars().all(plain) { text.to_owned() } else { encode(text) }
}

pub(super) fn is_id(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// The mention that an address means.
pub(super) fn mention(url: &str) -> Option<Value> {
    let (kind, rest) = url.strip_prefix("notion://")?.split_once('/')?;
    match kind {
        "user" | "page" | "database" if is_id(rest) => Some(json!({"type": kind, kind: {"id": rest}})),
        "date" => {
            let (dates, zone) = match rest.split_once('?') {
                Some((dates, zone)) => (dates, Some(decode(zone)?)),
                None => (rest, None),
            };
            let (start, end) = match dates.split_once('/') {
                Some((start, end)) => (decode(start)?, Some(decode(end)?)),
                None => (decode(dates)?, None),
            };
            if start.is_empty() {
                return None;
            }
            let mut date = json!({"start": start});
            if let Some(end) = end {
                date["end"] = Value::String(end);
            }
            if let Some(zone) = zone {
                date["time_zone"] = Value::String(zone);
            }
            Some(json!({"type": "date", "date": date}))
        }
        "mention" => {
            let value: Value = serde_json::from_str(&decode(rest)?).ok()?;
            value["type"].is_string().then_some(value)
        }
        _ => None,
    }
}
