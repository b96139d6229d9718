//! Rows on their way out: how many, how large, and what becomes of a value that is too large to stand among them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tool_connect_core::{Error, ErrorKind, Result, ToolContext};

use super::access::{Access, Limits};
use crate::spill::Spill;

/// A column of a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Column {
    /// Its name; several may have one name.
    pub name: String,
    /// Its type in the database's own words, where it has one.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

/// Which cap ended a result early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StoppedBy {
    /// There are more rows: ask for fewer columns of them, narrow the condition, or go on with LIMIT and OFFSET.
    Rows,
    /// The values are larger than fit here.
    Bytes,
}

/// A value of a row.
pub(super) enum Cell {
    /// As JSON.
    Value(Value),
    /// Too large to stand among the others.
    Large(Bytes, &'static str),
}

impl Cell {
    pub(super) fn text(text: &str, limits: &Limits) -> Self {
        if is_over(text.len(), limits.value_bytes) {
            return Self::Large(Bytes::copy_from_slice(text.as_bytes()), "text/plain; charset=utf-8");
        }
        Self::Value(text.into())
    }

    /// Bytes as `{"base64": ..}`, the form in which they can be given as a parameter.
    pub(super) fn bytes(bytes: &[u8], limits: &Limits) -> Self {
        if is_over(bytes.len(), limits.value_bytes) {
            return Self::Large(Bytes::copy_from_slice(bytes), "application/octet-stream");
        }
        Self::Value(json!({ "base64": STANDARD.encode(bytes) }))
    }

    /// A number; JSON has no words for those that are none.
    pub(super) fn float(number: f64) -> Self {
        Self::Value(
            serde_json::Number::from_f64(number).map_or_else(|| number.to_string().into(), Value::Number),
        )
    }

    fn size(&self) -> u64 {
        match self {
            Self::Value(Value::String(text)) => len(text.len()),
            Self::Value(value @ (Value::Object(_) | Value::Array(_))) => len(value.to_string().len()),
            Self::Value(_) => 8,
            // Its handle.
            Self::Large(..) => 128,
        }
    }

    /// What it holds until it is in the result store.
    fn held(&self) -> u64 {
        match self {
            Self::Value(_) => 0,
            Self::Large(bytes, _) => len(bytes.len()),
        }
    }
}

fn is_over(size: usize, cap: u64) -> bool {
    len(size) > cap
}

fn len(size: usize) -> u64 {
    u64::try_from(size).unwrap_or(u64::MAX)
}

/// Rows as far as the caps allow.
pub(super) struct Table {
    pub(super) columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
    stopped_by: Option<StoppedBy>,
    /// Rows that the statement changed, where it changes any.
    pub(super) affected: Option<u64>,
    most_rows: usize,
    bytes_left: u64,
    held_left: u64,
}

impl Table {
    pub(super) fn new(columns: Vec<Column>, rows: u32, limits: &Limits) -> Self {
        Self {
            columns,
            rows: Vec::new(),
            stopped_by: None,
            affected: None,
            most_rows: usize::try_from(rows).unwrap_or(usize::MAX),
            bytes_left: limits.bytes,
            held_left: limits.held,
        }
    }

    /// Takes one more row; `false` where it has no place any more.
    pub(super) fn push(&mut self, row: Vec<Cell>) -> bool {
        if self.stopped_by.is_some() {
            return false;
        }
        if self.rows.len() >= self.most_rows {
            self.stopped_by = Some(StoppedBy::Rows);
            return false;
        }
        let size = row.iter().map(Cell::size).fold(0_u64, u64::saturating_add);
        let held = row.iter().map(Cell::held).fold(0_u64, u64::saturating_add);
        // The first row always comes, so that an answer tells something.
        let first = self.rows.is_empty().then_some(0);
        let left = self.bytes_left.checked_sub(size).or(first);
        let (Some(left), Some(held_left)) = (left, self.held_left.checked_sub(held).or(first)) else {
            self.stopped_by = Some(StoppedBy::Bytes);
            return false;
        };
        (self.bytes_left, self.held_left) = (left, held_left);
        self.rows.push(row);
        true
    }

    /// The rows as JSON; large values go to the result store, one after the other.
    pub(super) async fn into_rows(
        self,
        cx: &ToolContext<Access>,
        limits: &Limits,
    ) -> Result<(Vec<Vec<Value>>, Option<StoppedBy>)> {
        let mut rows = Vec::with_capacity(self.rows.len());
        for row in self.rows {
            let mut values = Vec::with_capacity(row.len());
            for cell in row {
                values.push(match cell {
                    Cell::Value(value) => value,
                    Cell::Large(bytes, media_type) => by_handle(cx, limits, bytes, media_type).await?,
                });
            }
            rows.push(values);
        }
        Ok((rows, self.stopped_by))
    }
}

async fn by_handle(
    cx: &ToolContext<Access>,
    limits: &Limits,
    bytes: Bytes,
    media_type: &str,
) -> Result<Value> {
    let spill = Spill {
        media_type: media_type.to_owned(),
        name: None,
        keep: limits.keep,
        max_bytes: len(bytes.len()),
    };
    let data = futures_util::stream::once(std::future::ready(Ok(bytes)));
    let file = spill.store(cx, Box::pin(data)).await?;
    serde_json::to_value(&file)
        .map(|file| json!({ "file": file }))
        .map_err(|e| Error::new(ErrorKind::InvalidOutput, "a handle cannot be written").caused_by(e))
}

/// Bytes out of `{"base64": ..}`; `None` where the value has another form.
pub(super) fn base64_of(value: &Value) -> Option<Result<Vec<u8>, ()>> {
    let object = value.as_object().filter(|object| object.len() == 1)?;
    let text = object.get("base64")?.as_str()?;
    Some(STANDARD.decode(text).map_err(drop))
}

/// A parameter that has no place in the statement.
pub(super) fn unfit(index: usize, message: &str) -> Error {
    Error::invalid_argument(format!("/parameters/{index}"), message)
}

/// The number of parameters must be that of the statement's placeholders.
pub(super) fn counted(given: usize, wanted: usize) -> Result<()> {
    if given == wanted {
        return Ok(());
    }
    Err(Error::invalid_argument(
        "/parameters",
        format!("the statement has {wanted} placeholder(s), and {given} parameter(s) were given"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(text: &str) -> Vec<Cell> {
        vec![Cell::Value(text.into())]
    }

    #[test]
    fn rows_and_bytes_are_capped_and_the_first_row_always_comes() {
        let limits = Limits { bytes: 10, ..Limits::default() };
        let mut table = Table::new(Vec::new(), 2, &limits);
        assert!(table.push(row("123")) && table.push(row("456")) && !table.push(row("7")));
        assert_eq!(table.stopped_by, Some(StoppedBy::Rows));
        let mut table = Table::new(Vec::new(), 9, &limits);
        assert!(table.push(row("12345678901")) && !table.push(row("1")));
        assert_eq!((table.stopped_by, table.rows.len()), (Some(StoppedBy::Bytes), 1));
        // A smaller row that comes later does not fill the gap.
        assert!(!table.push(row("")));
    }

    #[test]
    fn what_is_held_for_the_store_is_capped_too() {
        let limits = Limits { value_bytes: 2, held: 8, ..Limits::default() };
        let large = |text: &str| vec![Cell::text(text, &limits)];
        let mut table = Table::new(Vec::new(), 9, &limits);
        assert!(table.push(large("1234")) && table.push(large("5678")) && !table.push(large("901")));
        assert_eq!((table.stopped_by, table.rows.len()), (Some(StoppedBy::Bytes), 2));
        let mut table = Table::new(Vec::new(), 9, &limits);
        assert!(table.push(large("123456789")) && table.push(row("1")) && !table.push(large("123")));
    }

    #[test]
    fn numbers_that_json_has_no_word_for_are_text() {
        for (number, text) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf"), (f64::NEG_INFINITY, "-inf")] {
            assert!(matches!(Cell::float(number), Cell::Value(Value::String(found)) if found == text));
        }
        assert!(matches!(Cell::float(1.5), Cell::Value(Value::Number(_))));
    }

    #[test]
    fn only_the_one_form_is_bytes() {
        assert_eq!(base64_of(&json!({"base64": "AAE="})), Some(Ok(vec![0, 1])));
        assert_eq!(base64_of(&json!({"base64": "?"})), Some(Err(())));
        assert_eq!(base64_of(&json!({"base64": "AAE=", "more": 1})), None);
        assert_eq!(base64_of(&json!("AAE=")), None);
    }
}
