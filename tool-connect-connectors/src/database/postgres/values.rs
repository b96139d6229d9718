//! Values out of the binary form in which Postgres sends them. Types that are not read here are asked for as text or JSON instead.

use std::error::Error as StdError;

use serde_json::Value;
use tokio_postgres::types::{FromSql, Kind, Type};

use super::super::access::Limits;
use super::super::collect::Cell;
use super::parameters::base;

/// A value as it came.
pub(super) struct Raw<'a>(Option<&'a [u8]>);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self(Some(raw)))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self(None))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// What a column of a type must be asked for as, so that it can be read.
pub(super) fn expression(kind: &Type, column: &str) -> Option<String> {
    let kind = base(kind);
    if is_read(kind) {
        return None;
    }
    Some(match kind.kind() {
        Kind::Array(_) | Kind::Composite(_) => format!("pg_catalog.to_jsonb({column})"),
        _ if *kind == Type::RECORD => format!("pg_catalog.to_jsonb({column})"),
        _ => format!("{column}::pg_catalog.text"),
    })
}

fn is_read(kind: &Type) -> bool {
    matches!(
        *kind,
        Type::BOOL
            | Type::INT2
            | Type::INT4
            | Type::INT8
            | Type::OID
            | Type::FLOAT4
            | Type::FLOAT8
            | Type::TEXT
            | Type::VARCHAR
            | Type::BPCHAR
            | Type::NAME
            | Type::UNKNOWN
            | Type::XML
            | Type::JSON
            | Type::JSONB
            | Type::BYTEA
            | Type::UUID
            | Type::VOID
    ) || matches!(kind.kind(), Kind::Enum(_))
}

impl Raw<'_> {
    /// The value; `None` where it is not of the form that its type has.
    pub(super) fn cell(&self, kind: &Type, limits: &Limits) -> Option<Cell> {
        let Some(raw) = self.0 else { return Some(Cell::Value(Value::Null)) };
        let kind = base(kind);
        Some(match *kind {
            Type::BOOL => Cell::Value((*raw.first()? != 0).into()),
            Type::INT2 => Cell::Value(i16::from_be_bytes(raw.try_into().ok()?).into()),
            Type::INT4 => Cell::Value(i32::from_be_bytes(raw.try_into().ok()?).into()),
            Type::INT8 => Cell::Value(i64::from_be_bytes(raw.try_into().ok()?).into()),
            Type::OID => Cell::Value(u32::from_be_bytes(raw.try_into().ok()?).into()),
            // By its text, so that 0.1 stays 0.1.
            Type::FLOAT4 => Cell::float(f32::from_be_bytes(raw.try_into().ok()?).to_string().parse().ok()?),
            Type::FLOAT8 => Cell::float(f64::from_be_bytes(raw.try_into().ok()?)),
            Type::VOID => Cell::Value(Value::Null),
            Type::BYTEA => Cell::bytes(raw, limits),
            Type::UUID => Cell::Value(uuid(raw.try_into().ok()?).into()),
            Type::JSON => json(raw, limits)?,
            // The first byte is the version of the binary form.
            Type::JSONB => json(raw.strip_prefix(&[1])?, limits)?,
            _ => Cell::text(std::str::from_utf8(raw).ok()?, limits),
        })
    }
}

fn json(text: &[u8], limits: &Limits) -> Option<Cell> {
    let text = std::str::from_utf8(text).ok()?;
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > limits.value_bytes {
        return Some(Cell::Large(bytes::Bytes::copy_from_slice(text.as_bytes()), "application/json"));
    }
    // Numbers beyond what we can hold stay the text that they are.
    Some(Cell::Value(serde_json::from_str(text).unwrap_or_else(|_| text.into())))
}

fn uuid(bytes: [u8; 16]) -> String {
    let hex = format!("{:032x}", u128::from_be_bytes(bytes));
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| hex.get(range).unwrap_or_default());
    parts.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_the_wrong_length_is_refused() {
        for kind in [Type::BOOL, Type::INT2, Type::INT8, Type::FLOAT8, Type::UUID, Type::JSONB] {
            assert!(Raw(Some(&[])).cell(&kind, &Limits::default()).is_none(), "{kind}");
        }
        assert!(matches!(Raw(None).cell(&Type::INT4, &Limits::default()), Some(Cell::Value(Value::Null))));
    }

    #[test]
    fn an_id_is_written_in_its_usual_form() {
        let bytes = 0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10_u128.to_be_bytes();
        assert_eq!(uuid(bytes), "01020304-0506-0708-090a-0b0c0d0e0f10");
    }
}
