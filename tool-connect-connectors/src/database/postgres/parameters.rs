//! JSON values as parameters: each is sent as text and read by the server as the type that the statement gives it.

use std::error::Error as StdError;

use bytes::BytesMut;
use serde_json::Value;
use tokio_postgres::types::{Format, IsNull, Kind, ToSql, Type, to_sql_checked};
use tool_connect_core::Result;

use super::super::collect::{base64_of, unfit};

/// A parameter as text; `None` for NULL.
#[derive(Debug)]
pub(super) struct Parameter(Option<String>);

impl Parameter {
    pub(super) fn new(index: usize, value: &Value, kind: &Type) -> Result<Self> {
        Ok(Self(text(index, value, base(kind))?))
    }
}

/// The type beneath a domain.
pub(super) fn base(kind: &Type) -> &Type {
    match kind.kind() {
        Kind::Domain(inner) => base(inner),
        _ => kind,
    }
}

fn text(index: usize, value: &Value, kind: &Type) -> Result<Option<String>> {
    if value.is_null() {
        return Ok(None);
    }
    if *kind == Type::JSON || *kind == Type::JSONB {
        return Ok(Some(value.to_string()));
    }
    Ok(Some(match value {
        Value::Null => return Ok(None),
        Value::Bool(yes) => yes.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) if text.contains('\0') => {
            return Err(unfit(index, "must not contain a NUL character"));
        }
        Value::String(text) => text.clone(),
        Value::Array(items) => match kind.kind() {
            Kind::Array(item) => array(index, items, base(item))?,
            _ => return Err(unfit(index, "is an array, and the statement wants a single value there")),
        },
        Value::Object(_) => match base64_of(value) {
            Some(Ok(bytes)) if *kind == Type::BYTEA => hex(&bytes),
            Some(Ok(_)) => return Err(unfit(index, "is bytes, and the statement wants another type there")),
            Some(Err(())) => return Err(unfit(index, "is not Base64 (RFC 4648 §4, with padding)")),
            None => return Err(unfit(index, "is an object, which only a parameter of type json takes")),
        },
    }))
}

/// An array in Postgres's own notation.
fn array(index: usize, items: &[Value], kind: &Type) -> Result<String> {
    let mut out = String::from("{");
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        match item {
            // An array of arrays has the innermost item's type.
            Value::Array(inner) if *kind != Type::JSON && *kind != Type::JSONB => {
                out.push_str(&array(index, inner, kind)?)
            }
            item => match text(index, item, kind)? {
                None => out.push_str("NULL"),
                Some(text) => {
                    out.push('"');
                    for c in text.chars() {
                        if matches!(c, '"' | '\\') {
                            out.push('\\');
                        }
                        out.push(c);
                    }
                    out.push('"');
                }
            },
        }
    }
    out.push('}');
    Ok(out)
}

fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(2 + 2 * bytes.len());
    out.push_str("\\x");
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            out.push(char::from_digit(nibble.into(), 16).unwrap_or('0'));
        }
    }
    out
}

impl ToSql for Parameter {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn StdError + Sync + Send>> {
        Ok(match &self.0 {
            None => IsNull::Yes,
            Some(text) => {
                out.extend_from_slice(text.as_bytes());
                IsNull::No
            }
        })
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sent(value: Value, kind: &Type) -> Option<String> {
        Parameter::new(0, &value, kind).unwrap().0
    }

    #[test]
    fn values_become_the_text_that_the_server_reads() {
        assert_eq!(sent(json!(null), &Type::INT4), None);
        assert_eq!(sent(json!(12.5), &Type::NUMERIC).unwrap(), "12.5");
        assert_eq!(sent(json!("a"), &Type::JSONB).unwrap(), "\"a\"");
        assert_eq!(sent(json!({"base64": "AP8="}), &Type::BYTEA).unwrap(), "\\x00ff");
        assert_eq!(
            sent(json!(["a\"b\\", null, "NULL"]), &Type::TEXT_ARRAY).unwrap(),
            r#"{"a\"b\\",NULL,"NULL"}"#
        );
        assert_eq!(sent(json!([[1, 2], [3, 4]]), &Type::INT4_ARRAY).unwrap(), r#"{{"1","2"},{"3","4"}}"#);
        assert_eq!(sent(json!([{"a": [1]}]), &Type::JSONB_ARRAY).unwrap(), r#"{"{\"a\":[1]}"}"#);
    }

    #[test]
    fn what_has_no_place_is_named_by_its_pointer() {
        for (value, kind) in [
            (json!([1]), Type::INT4),
            (json!({"a": 1}), Type::TEXT),
            (json!({"base64": "AA=="}), Type::TEXT),
            (json!({"base64": "?"}), Type::BYTEA),
            (json!("a\0b"), Type::TEXT),
        ] {
            let error = Parameter::new(3, &value, &kind).unwrap_err();
            assert_eq!(error.problems()[0].pointer, "/parameters/3", "{value}");
        }
    }
}
