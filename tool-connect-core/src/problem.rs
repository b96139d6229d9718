//! What is wrong with an argument, without its value.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// One thing that is wrong with the arguments of a call, placed by a JSON pointer (RFC 6901).
///
/// A problem never holds the offending value: values stay out of logs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Problem {
    /// Where: `/items/0/title`; a missing field is named by its own pointer.
    pub pointer: String,
    /// Which rule: a JSON Schema keyword such as `maximum`, `required`, or `invalid`.
    pub rule: Cow<'static, str>,
    /// What to change.
    pub message: String,
}

impl Problem {
    /// A problem at a place.
    #[must_use]
    pub fn new(
        pointer: impl Into<String>,
        rule: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Self { pointer: pointer.into(), rule: rule.into(), message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.pointer.is_empty() { "(the arguments)" } else { &self.pointer };
        write!(f, "{place}: {}", self.message)
    }
}

/// Collects what the Rust side of a tool's constraints finds; see [`Tool::check`](crate::Tool::check).
#[derive(Debug, Default)]
pub struct Problems {
    found: Vec<Problem>,
}

impl Problems {
    /// Adds one.
    pub fn push(&mut self, pointer: impl Into<String>, rule: &'static str, message: impl Into<String>) {
        self.found.push(Problem::new(pointer, rule, message));
    }

    /// Whether nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// What was found, in order.
    #[must_use]
    pub fn into_vec(self) -> Vec<Problem> {
        self.found
    }
}

/// Writes one reference token of a JSON pointer: `~` and `/` are escaped (RFC 6901 §3).
#[must_use]
pub fn pointer_token(token: &str) -> Cow<'_, str> {
    if token.contains(['~', '/']) {
        Cow::Owned(token.replace('~', "~0").replace('/', "~1"))
    } else {
        Cow::Borrowed(token)
    }
}
