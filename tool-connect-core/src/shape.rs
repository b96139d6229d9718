//! How much of a result a caller wants, and which part of it.

use serde::{Deserialize, Serialize};

/// What a caller by name makes of a result: first a part of it, then as much as fits.
///
/// Set it on a call ([`ToolCall::shape`](crate::ToolCall::shape)), on a session or in the Hub's settings; each field is
/// taken from the first of these that sets it. A typed caller gets its value whole.
///
/// ```
/// use tool_connect_core::{Budget, Shape, ToolCall};
/// let shape = Shape::new().tokens(2_000).fields(["items.id", "items.title", "total"]);
/// let call = ToolCall::new("tracker.list_issues", "{}").shape(shape);
/// assert_eq!(call.options.shape.unwrap().budget, Some(Budget::Tokens(2_000)));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Shape {
    /// The most that the result may be; what is over is cut, marked, and kept to be read on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
    /// Which part of the structured value is wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub projection: Option<Projection>,
}

impl Shape {
    /// Everything, as large as it is.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// At most so many bytes.
    #[must_use]
    pub fn bytes(mut self, most: usize) -> Self {
        self.budget = Some(Budget::Bytes(most));
        self
    }

    /// At most so many tokens, as estimated by [`Budget::Tokens`].
    #[must_use]
    pub fn tokens(mut self, most: usize) -> Self {
        self.budget = Some(Budget::Tokens(most));
        self
    }

    /// Only these fields; see [`Projection::Fields`].
    #[must_use]
    pub fn fields<T: Into<String>>(mut self, fields: impl IntoIterator<Item = T>) -> Self {
        self.projection = Some(Projection::Fields(fields.into_iter().map(Into::into).collect()));
        self
    }

    /// What this jq filter makes of it; see [`Projection::Jq`].
    #[must_use]
    pub fn jq(mut self, filter: impl Into<String>) -> Self {
        self.projection = Some(Projection::Jq(filter.into()));
        self
    }
}

/// The most that a result may be. Written `{ bytes = 8192 }` or `{ tokens = 2000 }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Budget {
    /// Bytes of JSON text in UTF-8.
    Bytes(usize),
    /// Tokens of a model: those that the host's tokenizer counts, or else estimated as one token for
    /// every [`BYTES_PER_TOKEN`](Self::BYTES_PER_TOKEN) bytes of JSON text, rounded up.
    Tokens(usize),
}

impl Budget {
    /// The estimate's rule: JSON takes a token for about three bytes in the tokenizers in use, plain English
    /// one for four, and a CJK character is three bytes and about one token.
    pub const BYTES_PER_TOKEN: usize = 3;

    /// The budget in bytes, tokens as they are estimated.
    #[must_use]
    pub const fn in_bytes(self) -> usize {
        match self {
            Self::Bytes(most) => most,
            Self::Tokens(most) => most.saturating_mul(Self::BYTES_PER_TOKEN),
        }
    }

    /// How many tokens a text is estimated to have.
    ///
    /// ```
    /// use tool_connect_core::Budget;
    /// assert_eq!(Budget::estimate(r#"{"id":1234}"#), 4);
    /// ```
    #[must_use]
    pub const fn estimate(text: &str) -> usize {
        text.len().div_ceil(Self::BYTES_PER_TOKEN)
    }
}

/// Which part of a structured value is wanted. Written `{ fields = ["items.id"] }` or `{ jq = ".items" }`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Projection {
    /// Paths of field names with dots between them (`\.` for a dot within a name, `\\` for a backslash). An array on the way
    /// stands for each of its items. What is not named is left out, and so is what is not there; the order stays.
    Fields(Vec<String>),
    /// A jq filter; where it gives several values they come as an array. Needs the Hub's feature `jq`, which also says what
    /// of jq is allowed.
    Jq(String),
}
