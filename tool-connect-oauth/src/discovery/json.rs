//! JSON from strangers: bounded in size and depth before anything is done with it.

use serde_json::{Map, Value};

/// Largest document, in bytes. The largest that is known of a real server is about 20 KiB.
const MAX_BYTES: usize = 256 * 1024;
/// Deepest nesting.
const MAX_DEPTH: usize = 16;

/// A JSON object, or what is wrong with it. Of a name that stands twice, the last value counts, as everywhere in JSON.
pub(crate) fn object(bytes: &[u8]) -> Result<Map<String, Value>, &'static str> {
    if bytes.len() > MAX_BYTES {
        return Err("is larger than 256 KiB");
    }
    // serde_json itself stops at a depth of 128, long before the stack ends.
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(map)) if map.values().all(|value| is_shallow(value, MAX_DEPTH)) => Ok(map),
        Ok(Value::Object(_)) => Err("is nested too deeply"),
        Ok(_) => Err("is no JSON object"),
        Err(_) => Err("is not JSON"),
    }
}

fn is_shallow(value: &Value, left: usize) -> bool {
    match value {
        Value::Array(items) => left > 0 && items.iter().all(|item| is_shallow(item, left - 1)),
        Value::Object(map) => left > 0 && map.values().all(|item| is_shallow(item, left - 1)),
        _ => true,
    }
}

/// A member that must be text where it is there.
pub(super) fn text<'m>(map: &'m Map<String, Value>, name: &'static str) -> Result<Option<&'m str>, String> {
    match map.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("`{name}` is no text")),
    }
}

/// A member that must be a list of texts where it is there.
pub(super) fn texts(map: &Map<String, Value>, name: &'static str) -> Result<Option<Vec<String>>, String> {
    let wrong = || format!("`{name}` is no list of texts");
    match map.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong))
            .collect::<Result<_, _>>()
            .map(Some),
        Some(_) => Err(wrong()),
    }
}

/// A member that must be true or false where it is there; false where not.
pub(super) fn flag(map: &Map<String, Value>, name: &'static str) -> Result<bool, String> {
    match map.get(name) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(format!("`{name}` is neither true nor false")),
    }
}
