//! Fields that Google writes in a way of its own.

use serde::{Deserialize, Deserializer};
use tool_connect_core::{Error, Result};

/// A number that travels as text, as 64-bit ones do in Google's JSON; where it is none, there is none.
pub(crate) fn number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Number {
        Number(u64),
        Text(String),
    }
    Ok(match Option::<Number>::deserialize(from)? {
        Some(Number::Number(number)) => Some(number),
        Some(Number::Text(text)) => text.parse().ok(),
        None => None,
    })
}

/// Refuses line breaks and other control characters in what becomes a line of its own.
pub(crate) fn check_text(pointer: &str, text: &str) -> Result<()> {
    if text.chars().any(char::is_control) {
        return Err(Error::invalid_argument(pointer, "must be one line without control characters"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_as_text_too() {
        #[derive(Deserialize)]
        struct Of {
            #[serde(default, deserialize_with = "number")]
            size: Option<u64>,
        }
        let read = |text: &str| serde_json::from_str::<Of>(text).unwrap().size;
        assert_eq!(read(r#"{"size": "12"}"#), Some(12));
        assert_eq!(read(r#"{"size": 12}"#), Some(12));
        assert_eq!(read(r#"{"size": "many"}"#), None);
        assert_eq!(read(r#"{"size": null}"#), None);
        assert_eq!(read("{}"), None);
    }
}
