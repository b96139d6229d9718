//! Whether an answer fits the schema that it promises.

use serde_json::Value;

/// So many differences are told.
const TOLD: usize = 5;
/// Longest place that is told, in characters: names of members are the service's.
const PLACE: usize = 120;

/// Refuses every remote reference: a schema is a document, not an address.
struct Offline;

impl jsonschema::Retrieve for Offline {
    fn retrieve(
        &self,
        _uri: &jsonschema::Uri<String>,
    ) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        Err("remote references are not followed".into())
    }
}

/// Says where a value differs from its schema; `None` where it fits, or the schema cannot be used.
pub(super) fn mark(schema: &str, value: &Value) -> Option<String> {
    let schema: Value = serde_json::from_str(schema).ok()?;
    let validator = jsonschema::options()
        .with_retriever(Offline)
        .with_draft(jsonschema::Draft::Draft202012)
        .should_validate_formats(false)
        .build(&schema)
        .ok()?;
    let places: Vec<String> = validator
        .iter_errors(value)
        .take(TOLD)
        .map(|error| {
            let place: String = error.instance_path().as_str().chars().take(PLACE).collect();
            let place =
                if place.is_empty() { "(the whole)".to_owned() } else { place.escape_debug().to_string() };
            format!("{place} ({})", error.kind().keyword())
        })
        .collect();
    if places.is_empty() {
        return None;
    }
    Some(format!("The answer differs from its schema at: {}. It is given as it came.", places.join(", ")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn differences_are_told_by_place_and_never_by_value() {
        let schema = r#"{"type":"object","properties":{"id":{"type":"integer"}},"required":["name"]}"#;
        let told = mark(schema, &json!({"id": "secret"})).expect("it differs");
        assert!(told.contains("/id (type)") && told.contains("(required)"), "{told}");
        assert!(!told.contains("secret"), "{told}");
        assert_eq!(mark(schema, &json!({"id": 1, "name": "a"})), None);
        for unusable in ["{", r#"{"$ref":"https://schemas.example/x"}"#, r#"{"type":7}"#] {
            assert_eq!(mark(unusable, &json!(1)), None, "{unusable}");
        }
    }
}
