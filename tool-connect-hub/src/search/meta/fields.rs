//! Arguments of the meta-tools, read one by one; what is wrong is collected and told at once, by its place and never by its value.

use serde_json::{Map, Value};
use tool_connect_core::{Arguments, Error, ErrorKind, Problem, Result};

/// A JSON object that is being read.
pub(super) struct Fields {
    map: Map<String, Value>,
    at: String,
    problems: Vec<Problem>,
}

impl Fields {
    /// The arguments of a call, of at most so many bytes.
    pub(super) fn of(arguments: &Arguments, most: usize) -> Result<Self> {
        let text = arguments.to_json()?;
        if text.len() > most {
            let what = format!("the arguments are larger than {most} bytes; pass large values by handle");
            return Err(Error::new(ErrorKind::TooLarge, what));
        }
        let text = if text.is_empty() { &b"{}"[..] } else { &text };
        match serde_json::from_slice(text) {
            Ok(Value::Object(map)) => Ok(Self::at(String::new(), map)),
            Ok(_) => Err(Error::invalid_arguments(vec![Problem::new("", "type", "must be an object")])),
            Err(_) => {
                Err(Error::invalid_arguments(vec![Problem::new("", "json", "the text is not valid JSON")]))
            }
        }
    }

    /// An object within the arguments.
    pub(super) fn at(at: String, map: Map<String, Value>) -> Self {
        Self { map, at, problems: Vec::new() }
    }

    fn wrong(&mut self, name: &str, rule: &'static str, message: impl Into<String>) {
        self.problems.push(Problem::new(format!("{}/{name}", self.at), rule, message));
    }

    /// A field, if it is there and not null.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.map.remove(name).filter(|value| !value.is_null())
    }

    /// A text of at most so many characters.
    pub(super) fn text(&mut self, name: &str, most: usize) -> Option<String> {
        match self.take(name)? {
            Value::String(text) if text.len() > 4 * most || text.chars().count() > most => {
                self.wrong(name, "maxLength", format!("must have at most {most} characters"));
                None
            }
            Value::String(text) if !text.trim().is_empty() => Some(text),
            Value::String(_) => {
                self.wrong(name, "minLength", "must not be empty");
                None
            }
            _ => {
                self.wrong(name, "type", "must be a string");
                None
            }
        }
    }

    /// A text that must be there; empty where it is not, which [`finish`](Self::finish) then tells.
    pub(super) fn needed(&mut self, name: &str, most: usize) -> String {
        if self.map.get(name).is_none_or(Value::is_null) {
            self.wrong(name, "required", "is missing");
        }
        self.text(name, most).unwrap_or_default()
    }

    /// A whole number between 1 and `most`.
    pub(super) fn count(&mut self, name: &str, most: usize) -> Option<usize> {
        let value = self.take(name)?;
        let count = value.as_u64().and_then(|count| usize::try_from(count).ok());
        if let Some(count) = count.filter(|count| (1..=most).contains(count)) {
            return Some(count);
        }
        self.wrong(name, "range", format!("must be a whole number between 1 and {most}"));
        None
    }

    /// True or false.
    pub(super) fn flag(&mut self, name: &str) -> bool {
        match self.take(name) {
            None => false,
            Some(Value::Bool(flag)) => flag,
            Some(_) => {
                self.wrong(name, "type", "must be true or false");
                false
            }
        }
    }

    /// An object; an empty one where it is missing.
    pub(super) fn object(&mut self, name: &str) -> Map<String, Value> {
        match self.take(name) {
            None => Map::new(),
            Some(Value::Object(map)) => map,
            Some(_) => {
                self.wrong(name, "type", "must be an object");
                Map::new()
            }
        }
    }

    /// A list of one to so many.
    pub(super) fn list(&mut self, name: &str, most: usize) -> Vec<Value> {
        match self.take(name) {
            Some(Value::Array(list)) if (1..=most).contains(&list.len()) => list,
            _ => {
                self.wrong(name, "items", format!("must be a list of 1 to {most}"));
                Vec::new()
            }
        }
    }

    /// Says that a field does not fit.
    pub(super) fn refuse(&mut self, name: &str, rule: &'static str, message: impl Into<String>) {
        self.wrong(name, rule, message);
    }

    /// What is wrong within one of the fields.
    pub(super) fn adopt(&mut self, error: &Error) {
        self.problems.extend_from_slice(error.problems());
    }

    /// All that is wrong, if anything is: fields that nobody asked for included.
    pub(super) fn finish(mut self) -> Result<()> {
        if !self.map.is_empty() {
            self.problems.push(Problem::new(
                self.at.clone(),
                "additionalProperties",
                "has fields that are not known",
            ));
        }
        if self.problems.is_empty() { Ok(()) } else { Err(Error::invalid_arguments(self.problems)) }
    }
}
