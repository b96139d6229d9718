//! The Rust side of a tool's constraints: ranges, lengths, patterns and formats, at any depth.
//!
//! [`ToolArgs`] and [`Pointer`] are what an author sees; the rest is called by derived code alone.

mod rules;
mod std_types;

use std::fmt;

use crate::problem::{Problems, pointer_token};

pub use rules::{Format, Items, Length, Measure, Ranged, Text, each, format, length, pattern, range};

/// A value that may stand in a tool's arguments and can check itself.
///
/// A JSON Schema can say more than a Rust type: that a number is at most 100, that a text follows a
/// pattern. The schema is not consulted when a call is decoded, so each type checks itself in Rust.
/// `#[derive(Tool)]` asks this of the type of every field, whatever its depth: a constraint can
/// therefore not be lost in a nested struct that nobody checks.
///
/// Derive it with `#[derive(ToolArgs)]`. Types of the standard library have it already. A type that
/// checks itself while it is deserialized needs no more than an empty implementation:
///
/// ```
/// use tool_connect_core::ToolArgs;
///
/// /// A login, checked by its own `Deserialize`.
/// struct Login(String);
///
/// impl ToolArgs for Login {}
/// ```
///
/// A field whose type comes from another crate is let through with `#[tool(unchecked)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand in a tool's arguments: nothing checks its constraints",
    label = "does not implement `ToolArgs`",
    note = "add `#[derive(ToolArgs)]` to `{Self}`",
    note = "if its own `Deserialize` checks all there is to check, or it is another crate's type, mark the field `#[tool(unchecked)]`"
)]
pub trait ToolArgs {
    /// Reports what is wrong with the value, which stands at `at`.
    fn check_at(&self, at: &Pointer<'_>, problems: &mut Problems) {
        let _ = (at, problems);
    }
}

/// A struct with named fields that derives [`ToolArgs`]: what a `#[tool]` function takes.
///
/// Model APIs pass arguments by name, so an enum or a tuple struct will not do.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the arguments of a `#[tool]` function",
    label = "not a struct with named fields that derives `ToolArgs`",
    note = "take one struct with named fields and put `#[derive(Deserialize, JsonSchema, ToolArgs)]` on it"
)]
pub trait ObjectArgs: ToolArgs {}

/// A place in the arguments, written as a JSON pointer (RFC 6901) when it is displayed.
///
/// It borrows the path of its parent, so that walking valid arguments allocates nothing.
///
/// ```
/// use tool_connect_core::Pointer;
/// let root = Pointer::root();
/// let labels = root.field("labels");
/// assert_eq!(labels.index(2).to_string(), "/labels/2");
/// assert_eq!(root.to_string(), "");
/// ```
#[derive(Clone, Copy)]
pub struct Pointer<'a>(Option<(&'a Pointer<'a>, Token<'a>)>);

#[derive(Clone, Copy)]
enum Token<'a> {
    Name(&'a str),
    Index(usize),
    Key(&'a dyn fmt::Display),
}

impl<'a> Pointer<'a> {
    /// The arguments as a whole.
    #[must_use]
    pub const fn root() -> Self {
        Self(None)
    }

    /// A field, by its name in the JSON text.
    #[must_use]
    pub const fn field(&'a self, name: &'a str) -> Self {
        Self(Some((self, Token::Name(name))))
    }

    /// An item of a list, counted from 0.
    #[must_use]
    pub const fn index(&'a self, index: usize) -> Self {
        Self(Some((self, Token::Index(index))))
    }

    /// An entry of a map.
    #[must_use]
    pub const fn key(&'a self, key: &'a dyn fmt::Display) -> Self {
        Self(Some((self, Token::Key(key))))
    }
}

impl fmt::Display for Pointer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((parent, token)) = &self.0 else { return Ok(()) };
        parent.fmt(f)?;
        match token {
            Token::Name(name) => write!(f, "/{}", pointer_token(name)),
            Token::Index(index) => write!(f, "/{index}"),
            Token::Key(key) => write!(f, "/{}", pointer_token(&key.to_string())),
        }
    }
}

impl fmt::Debug for Pointer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pointer({:?})", self.to_string())
    }
}

/// Checks the arguments of a `#[tool]` function.
pub fn object_args<T: ObjectArgs>(args: &T, at: &Pointer<'_>, problems: &mut Problems) {
    args.check_at(at, problems);
}
