//! What model APIs accept as the schema of a tool's arguments: the vendors' rules as data ([`RULES`]), a lint, and a
//! normaliser that makes any schema acceptable and turns the arguments that come back into what the original accepts.
//!
//! ```
//! use serde_json::json;
//! use tool_connect_core::schema::dialect::{Dialect, lint, normalise};
//!
//! let original = json!({
//!     "type": "object",
//!     "properties": {"path": {"type": "string"}, "depth": {"type": "integer"}},
//!     "required": ["path"],
//!     "additionalProperties": false,
//! });
//! let strict = normalise(&original, Dialect::OpenAiStrict);
//! assert!(lint(strict.schema(), Dialect::OpenAiStrict).is_empty());
//! assert_eq!(strict.schema()["required"], json!(["path", "depth"]));
//!
//! // A strict model has to say something for an optional field: null, which the tool does not see.
//! let said = json!({"path": "/", "depth": null});
//! assert_eq!(strict.restore(said), json!({"path": "/"}));
//! ```

mod alternatives;
mod ambiguous;
mod back;
mod lint;
mod measure;
mod merge;
mod narrow;
mod object;
mod read;
mod render;
mod root;
mod rules;
#[cfg(test)]
mod tests;
mod types;
mod wide;

use std::fmt;

use serde_json::Value;

pub use lint::{lint, lint_tool};
pub use render::{ModelTool, gemini_tool};
pub use rules::{RULES, Rule};

use back::Back;

/// The rules of one vendor's API for tool schemas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// `input_schema` of Anthropic's Messages API.
    Anthropic,
    /// `parameters` of OpenAI's Chat Completions and Responses APIs, without strict mode.
    OpenAi,
    /// The same with `strict: true`: every field required, every object closed, few keywords.
    OpenAiStrict,
    /// `parameters` of a Gemini function declaration, on the Gemini API and on Vertex AI: a part of OpenAPI 3.0.
    Gemini,
}

impl Dialect {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Anthropic, Self::OpenAi, Self::OpenAiStrict, Self::Gemini];

    /// Its name in reports: `anthropic`, `openai`, `openai-strict`, `gemini`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::OpenAi => "openai",
            Self::OpenAiStrict => "openai-strict",
            Self::Gemini => "gemini",
        }
    }

    const fn is_openai(self) -> bool {
        matches!(self, Self::OpenAi | Self::OpenAiStrict)
    }

    /// It takes a part of JSON Schema, and each schema must say its type.
    const fn is_narrow(self) -> bool {
        matches!(self, Self::OpenAiStrict | Self::Gemini)
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a model API would refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// Which rule: [`Rule::id`], or `size` for our own bound.
    pub rule: &'static str,
    /// Where in the schema (RFC 6901); empty at the root.
    pub pointer: String,
    /// What to do.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} [{}]", place(&self.pointer), self.message, self.rule)
    }
}

/// How a normalised schema differs from its original.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum How {
    /// A constraint moved into the description: more is accepted, and the tool's own check still refuses it.
    Described,
    /// A constraint is gone: it was malformed, led nowhere, or could not be said in words.
    Dropped,
    /// The value travels as JSON text; [`Normalised::restore`] reads it.
    AsText,
    /// Another name for a property; [`Normalised::restore`] turns it back.
    Renamed,
    /// Only what the schema declares can be said: undeclared properties of an object that does not mention them, or
    /// types that a schema without `type` does not speak of.
    Declared,
    /// The whole schema was replaced by one that accepts anything.
    Replaced,
}

/// One difference between a normalised schema and its original.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Loosened {
    /// Where in the original, references followed (RFC 6901); empty at the root.
    pub pointer: String,
    /// In which way.
    pub how: How,
    /// What was changed.
    pub what: String,
}

impl fmt::Display for Loosened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", place(&self.pointer), self.what)
    }
}

fn place(pointer: &str) -> &str {
    if pointer.is_empty() { "(the root)" } else { pointer }
}

/// A schema that a model API accepts, what was loosened for it, and the way back for arguments.
#[derive(Clone, Debug, PartialEq)]
pub struct Normalised {
    schema: Value,
    loosened: Vec<Loosened>,
    back: Back,
}

impl Normalised {
    /// The schema. [`lint`] finds nothing in it.
    #[must_use]
    pub fn schema(&self) -> &Value {
        &self.schema
    }

    /// What it accepts that the original does not, and how it says the rest differently.
    #[must_use]
    pub fn loosened(&self) -> &[Loosened] {
        &self.loosened
    }

    /// Whether arguments travel as the original wants them, so that [`restore`](Self::restore) changes nothing.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.back.is_plain()
    }

    /// The arguments that a model wrote for this schema, as the original schema wants them: nulls that stand for absent
    /// fields are removed, JSON texts are read, names are turned back.
    ///
    /// It checks nothing: what a model wrote wrongly stays wrong, for the tool's own check to name.
    #[must_use]
    pub fn restore(&self, arguments: Value) -> Value {
        back::restore(&self.schema, &self.back, arguments)
    }

    /// Arguments of the original schema as a model writes them for this one: for examples in a prompt, and for a
    /// conversation that is replayed to another model. The inverse of [`restore`](Self::restore).
    #[must_use]
    pub fn express(&self, arguments: &Value) -> Value {
        back::express(&self.schema, &self.back, arguments)
    }
}

/// Makes any schema acceptable to a model API.
///
/// The result accepts what the original accepts, written as [`Normalised::express`] writes it, and what it accepts more
/// stands in [`Normalised::loosened`]. Two readings are part of that and are reported as [`How::Declared`]: a property
/// that a schema does not declare is no argument of the tool unless `additionalProperties` or `patternProperties` says
/// so; a schema without `type` whose keywords concern one type is of that type.
///
/// References are written out; a schema that stands inside itself is unrolled twice and then accepts anything. Never
/// panics: time and size are bounded whatever the schema is.
///
/// ```
/// use serde_json::json;
/// use tool_connect_core::schema::dialect::{Dialect, How, normalise};
///
/// let original = json!({"type": "object", "properties": {"n": {"type": "integer", "multipleOf": 5}}});
/// let gemini = normalise(&original, Dialect::Gemini);
/// assert_eq!(gemini.schema()["properties"]["n"]["description"], "A multiple of 5.");
/// assert!(gemini.loosened().iter().any(|l| l.pointer == "/properties/n" && l.how == How::Described));
/// ```
#[must_use]
pub fn normalise(schema: &Value, dialect: Dialect) -> Normalised {
    let Some(mut reader) = read::Reader::new(schema, dialect) else {
        return replaced(dialect, "the schema is too large or too deep to be read; anything is accepted");
    };
    let root = root::object(&mut reader);
    let (schema, back) =
        if dialect.is_narrow() { narrow::root(&mut reader, &root) } else { wide::root(&mut reader, &root) };
    if lint(&schema, dialect).is_empty() {
        Normalised { schema, loosened: reader.loosened, back }
    } else {
        replaced(dialect, "the schema is too large for this API; anything is accepted")
    }
}

/// A schema that accepts any object.
fn replaced(dialect: Dialect, why: &str) -> Normalised {
    let (schema, back) = object::anything(dialect);
    let loosened = vec![Loosened { pointer: String::new(), how: How::Replaced, what: why.to_owned() }];
    Normalised { schema, loosened, back }
}
