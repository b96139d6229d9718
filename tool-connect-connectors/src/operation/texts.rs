//! Rich text as plain text: a document that is a tree of nodes becomes its lines.

use serde_json::Value;

/// Deepest node that is looked into.
const DEPTH: usize = 64;

/// The value with the documents at these dotted paths as text; what is no such document stays as it is.
pub(super) fn plain(mut value: Value, paths: &[String]) -> Value {
    for path in paths {
        along(&mut value, &path.split('.').collect::<Vec<_>>());
    }
    value
}

fn along(value: &mut Value, path: &[&str]) {
    match (value, path) {
        (Value::Array(items), path) => items.iter_mut().for_each(|item| along(item, path)),
        (Value::Object(members), [first, rest @ ..]) => {
            if let Some(member) = members.get_mut(*first) {
                along(member, rest);
            }
        }
        (value @ Value::Object(_), []) if value.get("content").is_some_and(Value::is_array) => {
            let mut text = String::new();
            node(value, &mut text, 0);
            *value = Value::String(text.trim_end().to_owned());
        }
        _ => {}
    }
}

/// Writes a node: its text, else what is in it. A node that holds text is a line.
fn node(value: &Value, out: &mut String, depth: usize) {
    if depth > DEPTH {
        return;
    }
    let of = |name: &str| value.get(name).and_then(Value::as_str);
    if let Some(text) = of("text").or_else(|| value.pointer("/attrs/text").and_then(Value::as_str)) {
        out.push_str(text);
        return;
    }
    if of("type") == Some("hardBreak") {
        out.push('\n');
        return;
    }
    let Some(content) = value.get("content").and_then(Value::as_array) else {
        // A card has nothing but its address.
        out.push_str(value.pointer("/attrs/url").and_then(Value::as_str).unwrap_or_default());
        return;
    };
    if of("type") == Some("listItem") {
        out.push_str("- ");
    }
    content.iter().for_each(|child| node(child, out, depth + 1));
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_becomes_its_lines() {
        let text = |text: &str| json!({"type": "text", "text": text, "marks": [{"type": "strong"}]});
        let document = json!({"type": "doc", "version": 1, "content": [
            {"type": "heading", "attrs": {"level": 1}, "content": [text("Title")]},
            {"type": "paragraph", "content": [
                text("Ask "), {"type": "mention", "attrs": {"id": "1", "text": "@Ada"}}, {"type": "hardBreak"}, text("now")]},
            {"type": "bulletList", "content": [
                {"type": "listItem", "content": [{"type": "paragraph", "content": [text("one")]}]},
                {"type": "listItem", "content": [{"type": "paragraph", "content": [{"type": "inlineCard", "attrs": {"url": "https://a.example"}}]}]}]},
            {"type": "rule"},
        ]});
        let value =
            json!([{"fields": {"description": document, "summary": "s"}}, {"fields": {"description": null}}]);
        let paths = ["fields.description".to_owned(), "fields.summary".to_owned(), "none".to_owned()];
        let expected = "Title\nAsk @Ada\nnow\n- one\n- https://a.example";
        assert_eq!(
            plain(value, &paths),
            json!([{"fields": {"description": expected, "summary": "s"}}, {"fields": {"description": null}}])
        );
    }

    #[test]
    fn a_deep_document_is_no_overflow() {
        let deep = (0..100).fold(json!({"text": "x"}), |inner, _| json!({"content": [inner]}));
        assert_eq!(plain(json!({"d": deep}), &["d".to_owned()]), json!({"d": ""}));
    }
}
