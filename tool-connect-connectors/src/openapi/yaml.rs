//! YAML to JSON text. The tree is written as it is read; what aliases repeat counts against a cap, so that a document that
//! means gigabytes ends as an error.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::Value;

/// How deep a document may nest; JSON readers stop at 128.
const MAX_DEPTH: usize = 120;

/// A collection that is being written.
struct Open {
    mapping: bool,
    /// Members so far; of a mapping, keys and values.
    count: usize,
    anchor: usize,
    start: usize,
    /// The keys so far, and where each stands; the last of two equal keys wins, as in JSON readers.
    merge: bool,
}

/// The first document of a YAML stream (YAML 1.2, core schema) as JSON text of at most `max` bytes. Keys become text as they are
/// written.
pub(super) fn to_json(yaml: &str, max: usize) -> Result<String, String> {
    let mut out = String::with_capacity(yaml.len().min(max));
    let mut open: Vec<Open> = Vec::new();
    let mut anchors: HashMap<usize, (usize, usize)> = HashMap::new();
    for event in Parser::new_from_str(yaml) {
        let (event, span) = event.map_err(|error| format!("the YAML is malformed: {error}"))?;
        let place = || format!("line {}, column {}", span.start.line(), span.start.col() + 1);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let key = open.last().is_some_and(|o| o.mapping && o.count % 2 == 0);
                if key && text == "<<" && style == ScalarStyle::Plain {
                    // What is merged follows as the value.
                    if let Some(parent) = open.last_mut() {
                        parent.merge = true;
                        parent.count += 1;
                    }
                    continue;
                }
                if merging(&open) {
                    return Err(format!("`<<` merges something that is no mapping ({})", place()));
                }
                before(&mut out, &mut open);
                let start = out.len();
                let as_text = key
                    || style != ScalarStyle::Plain
                    || tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
                if as_text {
                    out.push_str(&Value::from(text.as_ref()).to_string());
                } else {
                    scalar(&text, &mut out);
                }
                after(&mut open);
                if anchor > 0 {
                    anchors.insert(anchor, (start, out.len()));
                }
            }
            Event::SequenceStart(anchor, _) | Event::MappingStart(anchor, _) => {
                let mapping = matches!(event, Event::MappingStart(..));
                if open.last().is_some_and(|o| o.mapping && o.count % 2 == 0) {
                    return Err(format!("a key is no text ({})", place()));
                }
                if merging(&open) {
                    return Err(format!("`<<` merges something that is no alias ({})", place()));
                }
                if open.len() >= MAX_DEPTH {
                    return Err(format!("the document nests deeper than {MAX_DEPTH} levels ({})", place()));
                }
                before(&mut out, &mut open);
                open.push(Open { mapping, count: 0, anchor, start: out.len(), merge: false });
                out.push(if mapping { '{' } else { '[' });
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(closed) = open.pop() else { continue };
                out.push(if closed.mapping { '}' } else { ']' });
                after(&mut open);
                if closed.anchor > 0 {
                    anchors.insert(closed.anchor, (closed.start, out.len()));
                }
            }
            Event::Alias(anchor) => {
                let Some((from, to)) = anchors.get(&anchor).copied() else {
                    return Err(format!("an alias stands inside of what it repeats ({})", place()));
                };
                if out.len().saturating_add(to - from) > max {
                    return Err(too_large(max));
                }
                if merging(&open) {
                    merge(&mut out, &mut open, from, to).map_err(|why| format!("{why} ({})", place()))?;
                } else {
                    let text = out.get(from..to).unwrap_or_default().to_owned();
                    if open.last().is_some_and(|o| o.mapping && o.count % 2 == 0) && !text.starts_with('"') {
                        return Err(format!("a key is no text ({})", place()));
                    }
                    before(&mut out, &mut open);
                    out.push_str(&text);
                    after(&mut open);
                }
            }
            Event::DocumentEnd => break,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) => {}
        }
        if out.len() > max {
            return Err(too_large(max));
        }
    }
    if out.is_empty() { Err("the document is empty".to_owned()) } else { Ok(out) }
}

fn too_large(max: usize) -> String {
    format!("the YAML means more than {max} bytes of JSON; raise `max_bytes`, if it is to be trusted")
}

fn merging(open: &[Open]) -> bool {
    open.last().is_some_and(|o| o.merge && o.count % 2 == 1)
}

/// Copies the members of a mapping that was read into the one that is open; those that follow win.
fn merge(out: &mut String, open: &mut [Open], from: usize, to: usize) -> Result<(), &'static str> {
    let text = out.get(from..to).unwrap_or_default();
    let inner = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')).map(str::to_owned);
    let (Some(inner), Some(parent)) = (inner, open.last_mut()) else {
        return Err("`<<` merges something that is no mapping");
    };
    if !inner.is_empty() {
        if parent.count > 1 {
            out.push(',');
        }
        out.push_str(&inner);
        parent.count += 1;
    } else {
        // As if `<<` had not been there.
        parent.count -= 1;
    }
    parent.merge = false;
    Ok(())
}

/// What stands between this and what came before.
fn before(out: &mut String, open: &mut [Open]) {
    let Some(parent) = open.last_mut() else { return };
    if parent.mapping && parent.count % 2 == 1 {
        out.push(':');
    } else if parent.count > 0 {
        out.push(',');
    }
}

fn after(open: &mut [Open]) {
    if let Some(parent) = open.last_mut() {
        parent.count += 1;
    }
}

/// A plain scalar by the core schema (YAML 1.2.2 §10.3.2).
fn scalar(text: &str, out: &mut String) {
    let json = match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => number(text).unwrap_or_else(|| Value::from(text)),
    };
    out.push_str(&json.to_string());
}

fn number(text: &str) -> Option<Value> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if let Some(hex) = text.strip_prefix("0x") {
        return u64::from_str_radix(hex, 16).ok().map(Value::from);
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return u64::from_str_radix(octal, 8).ok().map(Value::from);
    }
    let plain = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'-' | b'+'))
        && digits.bytes().any(|b| b.is_ascii_digit());
    if !plain {
        return None;
    }
    let text = text.strip_prefix('+').unwrap_or(text);
    if let Ok(whole) = text.parse::<i64>() {
        return Some(Value::from(whole));
    }
    if let Ok(whole) = text.parse::<u64>() {
        return Some(Value::from(whole));
    }
    // Two dots, or a date, are text.
    text.parse::<f64>().ok().and_then(serde_json::Number::from_f64).map(Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(yaml: &str) -> Value {
        let text = to_json(yaml, 1 << 20).unwrap_or_else(|why| panic!("{yaml}: {why}"));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn scalars_have_the_types_of_the_core_schema() {
        let yaml = "a: 1\nb: 1.5\nc: yes\nd: 'true'\ne: true\nf: ~\ng: 2020-01-02\nh: 0x1f\ni: !!str 5\nj: 1.0.0\nk:\n200: x\n? l\n: m\n";
        let expected = serde_json::json!({"a": 1, "b": 1.5, "c": "yes", "d": "true", "e": true, "f": null, "g": "2020-01-02",
            "h": 31, "i": "5", "j": "1.0.0", "k": null, "200": "x", "l": "m"});
        assert_eq!(value(yaml), expected);
    }

    #[test]
    fn aliases_and_merges_are_written_out() {
        let yaml = "base: &b {x: 1, y: [1, 2]}\nempty: &e {}\ncopy: *b\nmore:\n  <<: *b\n  <<: *e\n  y: 3\nlist: [*b, *b]\n";
        let found = value(yaml);
        assert_eq!(found["copy"], found["base"]);
        assert_eq!(found["more"], serde_json::json!({"x": 1, "y": 3}));
        assert_eq!(found["list"][1], found["base"]);
    }

    #[test]
    fn what_cannot_be_read_is_an_error_that_says_where() {
        for (yaml, word) in [
            ("a: [1, 2", "malformed"),
            ("a: &x [*x]", "inside of what it repeats"),
            ("? [a]\n: 1", "no text"),
            ("<<: 1", "no mapping"),
            ("", "empty"),
        ] {
            let why = to_json(yaml, 1 << 20).unwrap_err();
            assert!(why.contains(word), "{yaml}: {why}");
        }
        let deep = format!("{}{}", "[".repeat(130), "]".repeat(130));
        assert!(to_json(&deep, 1 << 20).unwrap_err().contains("deeper"));
        assert!(to_json(&"[".repeat(100_000), 1 << 20).is_err());
    }

    #[test]
    fn a_bomb_ends_at_the_cap() {
        let mut yaml = String::from("a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
        for n in 1..20 {
            let last = n - 1;
            yaml.push_str(&format!("a{n}: &a{n} [{}]\n", vec![format!("*a{last}"); 10].join(", ")));
        }
        assert!(to_json(&yaml, 1 << 20).unwrap_err().contains("means more than"));
    }
}
