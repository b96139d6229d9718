//! `connection_config`: what a connection must say, as parameters that addresses here may hold.

use regex_lite::Regex;
use serde_json::{Map, Value};

use super::report::Reason;
use super::template::snake;
use super::work::Work;
use crate::catalog::entry::Parameter;
use crate::catalog::template::plain;

/// What any value may be, where the file says no more.
const PLAIN: &str = "[A-Za-z0-9._~-]{1,253}";
const HOSTNAME: &str = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+";
const UUID: &str = "[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}";

/// Texts that one of most patterns is matched by.
const EXAMPLES: &[&str] = &[
    "acme",
    "acme.example.com",
    "1",
    "12345",
    "1234567890",
    "eu",
    "us1",
    "ACME",
    "acme-1",
    "00000000-0000-4000-8000-000000000000",
    "00000000000000000000000000000000",
];

impl Work {
    /// The name that a value of the configuration has here; the first use makes a parameter of it.
    pub(super) fn parameter(&mut self, theirs: &str, default: Option<&str>) -> String {
        let ours = snake(theirs);
        let key = format!("connection_config.{theirs}");
        if self.theirs.get(&ours).is_some_and(|other| other != theirs) {
            let why = format!("is called `{ours}` here, as another value is");
            self.missing(&key, Reason::Name, why);
        }
        if !self.parameters.contains_key(&ours) {
            self.theirs.insert(ours.clone(), theirs.to_owned());
            let described = match self.described.get(theirs) {
                Some(Value::Object(described)) => described.clone(),
                found => {
                    let why = if found.is_some() { "is no mapping" } else { "is used and not described" };
                    self.loosened(&key, Reason::Undeclared, format!("{why}; any plain value is taken"));
                    Map::new()
                }
            };
            let (parameter, loosened) = made(theirs, &described);
            match loosened {
                Some(why) => self.loosened(&key, Reason::Pattern, why),
                None if !described.is_empty() => self.expressed(&key),
                None => {}
            }
            self.parameters.insert(ours.clone(), parameter);
        }
        if let (Some(default), Some(parameter)) = (default, self.parameters.get_mut(&ours))
            && parameter.default.is_none()
            && plain(default)
        {
            if !matches(&parameter.pattern, default) {
                parameter.pattern = format!("(?:{})|{}", parameter.pattern, regex_lite::escape(default));
            }
            parameter.default = Some(default.to_owned());
        }
        ours
    }

    /// Whether the file calls a value of the configuration secret.
    pub(super) fn is_secret(&self, theirs: &str) -> bool {
        flag(self.described.get(theirs), "secret")
    }
}

/// Whether a description has a flag, as a boolean or as text.
pub(super) fn flag(described: Option<&Value>, name: &str) -> bool {
    match described.and_then(|described| described.get(name)) {
        Some(Value::Bool(flag)) => *flag,
        Some(Value::String(text)) => text == "true",
        _ => false,
    }
}

fn made(theirs: &str, described: &Map<String, Value>) -> (Parameter, Option<&'static str>) {
    let text = |name: &str| described.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let choices: Vec<&str> = described
        .get("enum")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let wanted = if choices.is_empty() {
        text("pattern").map(str::to_owned)
    } else {
        Some(choices.iter().map(|choice| regex_lite::escape(choice)).collect::<Vec<_>>().join("|"))
    };
    let by_format = match text("format") {
        Some("hostname") => HOSTNAME,
        Some("uuid") => UUID,
        _ => PLAIN,
    };
    let default = text("default_value").filter(|text| plain(text));
    let tried = || {
        let said = text("example").into_iter().chain(default).chain(choices.iter().copied());
        said.chain(EXAMPLES.iter().copied()).filter(|text| plain(text))
    };
    let fitting = |pattern: &str| tried().find(|text| matches(pattern, text)).map(str::to_owned);
    let (pattern, example, loosened) = match wanted.as_ref().map(|pattern| (pattern, fitting(pattern))) {
        None => (by_format.to_owned(), fitting(by_format), None),
        Some((pattern, Some(example))) => (pattern.clone(), Some(example), None),
        Some((_, None)) => {
            let why = "its pattern is no regular expression here, or nothing plain is known to match it; any plain value \
                       is taken";
            (PLAIN.to_owned(), fitting(PLAIN), Some(why))
        }
    };
    let description = text("description").or(text("title")).unwrap_or(theirs).to_owned();
    let default = default.filter(|default| matches(&pattern, default)).map(str::to_owned);
    (Parameter { description, pattern, example: example.unwrap_or_default(), default }, loosened)
}

fn matches(pattern: &str, text: &str) -> bool {
    Regex::new(&format!("^(?:{pattern})$")).is_ok_and(|pattern| pattern.is_match(text))
}
