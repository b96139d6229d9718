//! How large values are.

use serde_json::{Map, Value};

/// The size of a value in bytes of compact text, roughly; `None` where it is nested too deep. Does not recurse.
pub(super) fn measure(value: &Value, deepest: usize) -> Option<usize> {
    match value {
        Value::Object(map) => measure_map(map, deepest),
        Value::String(text) => Some(text_length(text)),
        other => measure_all(vec![(other, 0)], 0, deepest),
    }
}

/// As [`measure`], of an object.
pub(super) fn measure_map(map: &Map<String, Value>, deepest: usize) -> Option<usize> {
    measure_all(map.values().map(|value| (value, 1)).collect(), keys_length(map), deepest)
}

fn measure_all(mut left: Vec<(&Value, usize)>, mut bytes: usize, deepest: usize) -> Option<usize> {
    while let Some((value, depth)) = left.pop() {
        if depth > deepest {
            return None;
        }
        bytes = bytes.saturating_add(match value {
            Value::Null | Value::Bool(_) => 5,
            Value::Number(number) => number.to_string().len() + 1,
            Value::String(text) => text_length(text),
            Value::Array(items) => {
                left.extend(items.iter().map(|item| (item, depth + 1)));
                2
            }
            Value::Object(map) => {
                left.extend(map.values().map(|item| (item, depth + 1)));
                keys_length(map)
            }
        });
    }
    Some(bytes)
}

/// The bytes of an object without its values.
fn keys_length(map: &Map<String, Value>) -> usize {
    2 + map.keys().map(|key| text_length(key) + 1).sum::<usize>()
}

/// The bytes of a JSON string with its quotes and a comma.
pub(super) fn text_length(text: &str) -> usize {
    let mut escapes = 0;
    for byte in text.as_bytes() {
        escapes += match byte {
            b'"' | b'\\' | b'\n' | b'\r' | b'\t' => 1,
            0..b' ' => 5,
            _ => 0,
        };
    }
    3 + text.len() + escapes
}
