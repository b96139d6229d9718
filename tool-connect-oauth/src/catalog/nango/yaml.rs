//! YAML (1.2, core schema) to a JSON value, bounded: what aliases repeat counts each time.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Number, Value};

/// How deep a document may nest.
const MAX_DEPTH: usize = 32;
/// How many values a document may mean, repetitions counted.
pub(super) const MAX_VALUES: usize = 1_000_000;

/// A collection that is being read.
struct Open {
    value: Value,
    key: Option<String>,
    anchor: usize,
}

/// The first document of a stream.
pub(super) fn read(text: &str) -> Result<Value, String> {
    let mut reader = Reader { open: Vec::new(), anchors: HashMap::new(), values: 0, root: None };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| format!("the YAML is malformed: {error}"))?;
        if matches!(event, Event::DocumentEnd) {
            break;
        }
        reader.take(event).map_err(|why| format!("{why} (line {})", span.start.line()))?;
    }
    reader.root.ok_or_else(|| "the document is empty".to_owned())
}

struct Reader {
    open: Vec<Open>,
    /// A value, and of how many values it consists.
    anchors: HashMap<usize, (Value, usize)>,
    values: usize,
    root: Option<Value>,
}

impl Reader {
    fn take(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                if self.wants_key() {
                    return self.key(text.into_owned());
                }
                let said = tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
                let value = match style {
                    ScalarStyle::Plain if !said => scalar(&text),
                    _ => Value::String(text.into_owned()),
                };
                self.counted(1)?;
                self.keep(anchor, &value)?;
                self.place(value)
            }
            Event::SequenceStart(anchor, _) => self.begin(Value::Array(Vec::new()), anchor),
            Event::MappingStart(anchor, _) => self.begin(Value::Object(Map::new()), anchor),
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(closed) = self.open.pop() else { return Ok(()) };
                self.keep(closed.anchor, &closed.value)?;
                self.place(closed.value)
            }
            Event::Alias(anchor) => {
                let Some((_, size)) = self.anchors.get(&anchor) else {
                    return Err("an alias stands inside of what it repeats".to_owned());
                };
                // Counted before it is copied.
                self.counted(*size)?;
                let value = self.anchors.get(&anchor).map(|(value, _)| value.clone()).unwrap_or_default();
                match value {
                    Value::String(text) if self.wants_key() => self.key(text),
                    value => self.place(value),
                }
            }
            _ => Ok(()),
        }
    }

    fn counted(&mut self, values: usize) -> Result<(), String> {
        self.values = self.values.saturating_add(values);
        if self.values > MAX_VALUES {
            return Err(format!("the YAML means more than {MAX_VALUES} values"));
        }
        Ok(())
    }

    fn keep(&mut self, anchor: usize, value: &Value) -> Result<(), String> {
        if anchor > 0 {
            let size = size(value);
            // What is kept is a copy, too.
            self.counted(size)?;
            self.anchors.insert(anchor, (value.clone(), size));
        }
        Ok(())
    }

    fn wants_key(&self) -> bool {
        self.open.last().is_some_and(|open| open.value.is_object() && open.key.is_none())
    }

    fn key(&mut self, key: String) -> Result<(), String> {
        self.counted(1)?;
        let Some(Open { value: Value::Object(members), key: slot, .. }) = self.open.last_mut() else {
            return Ok(());
        };
        if members.contains_key(&key) {
            return Err(format!("the key `{}` is there twice", key.escape_debug()));
        }
        *slot = Some(key);
        Ok(())
    }

    fn begin(&mut self, value: Value, anchor: usize) -> Result<(), String> {
        if self.wants_key() {
            return Err("a key is no text".to_owned());
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(format!("the document nests deeper than {MAX_DEPTH} levels"));
        }
        self.counted(1)?;
        self.open.push(Open { value, key: None, anchor });
        Ok(())
    }

    fn place(&mut self, value: Value) -> Result<(), String> {
        match self.open.last_mut() {
            None => self.root = Some(value),
            Some(Open { value: Value::Array(values), .. }) => values.push(value),
            Some(Open { value: Value::Object(members), key, .. }) => {
                let key = key.take().ok_or("a key is no text")?;
                members.insert(key, value);
            }
            Some(_) => {}
        }
        Ok(())
    }
}

/// Of how many values a value consists; keys count too, and a text for as many as it is long, since an alias copies it.
pub(super) fn size(value: &Value) -> usize {
    let text = |text: &str| 1 + text.len() / 64;
    match value {
        Value::Array(values) => 1 + values.iter().map(size).sum::<usize>(),
        Value::Object(members) => {
            1 + members.iter().map(|(name, value)| text(name) + size(value)).sum::<usize>()
        }
        Value::String(value) => text(value),
        _ => 1,
    }
}

/// A plain scalar by the core schema (YAML 1.2.2 §10.3.2); numbers as far as the format has them.
fn scalar(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => number(text).map_or_else(|| Value::from(text), Value::Number),
    }
}

fn number(text: &str) -> Option<Number> {
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
    let float = plain && text.bytes().any(|byte| byte.is_ascii_digit());
    float.then(|| text.parse::<f64>().ok().and_then(Number::from_f64)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_the_format_has_is_read() {
        let yaml = "a: &x {b: 1, c: 'true', d: true, e: ~}\nf: [*x, 1.5, 2026-01-01, 1.2.3]\n? g\n: |\n  one\n  two\n";
        let x = json!({ "b": 1, "c": "true", "d": true, "e": null });
        assert_eq!(
            read(yaml).unwrap(),
            json!({ "a": x, "f": [x, 1.5, "2026-01-01", "1.2.3"], "g": "one\ntwo\n" })
        );
    }

    #[test]
    fn what_cannot_be_read_is_said_with_its_line() {
        for (yaml, why) in [
            ("", "empty"),
            ("a: [1", "malformed"),
            ("a: &x [*x]", "inside of what it repeats (line 1)"),
            ("[a]: 1", "no text"),
            ("a: 1\nb: 2\na: 3\n", "the key `a` is there twice (line 3)"),
        ] {
            assert!(read(yaml).unwrap_err().contains(why), "{yaml}: {:?}", read(yaml));
        }
        let deep = format!("a: {}1{}", "[".repeat(40), "]".repeat(40));
        assert!(read(&deep).unwrap_err().contains("deeper than 32"));
    }

    #[test]
    fn a_bomb_ends_at_the_cap() {
        let mut yaml = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for n in 1..12 {
            let all = vec![format!("*a{}", n - 1); 10].join(", ");
            yaml.push_str(&format!("a{n}: &a{n} [{all}]\n"));
        }
        assert!(read(&yaml).unwrap_err().contains("more than 1000000 values"));
        // A long text that is repeated often.
        let text = "x".repeat(1 << 20);
        let yaml = format!("a: &a \"{text}\"\nb: [{}]\n", vec!["*a"; 1000].join(", "));
        assert!(read(&yaml).unwrap_err().contains("more than 1000000 values"));
        // Anchors within anchors keep all of it each time.
        let mut nested = format!("[{}]", vec!["x"; 100_000].join(", "));
        for n in 0..20 {
            nested = format!("&n{n} [{nested}]");
        }
        assert!(read(&format!("a: {nested}\n")).unwrap_err().contains("more than 1000000 values"));
    }
}
