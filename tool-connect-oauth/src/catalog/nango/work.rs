//! A provider's keys while they are read: what was taken, and what became of it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::report::{Finding, Outcome, Reason};
use crate::catalog::entry::Parameter;

/// Keys that say something to people who look at a list or a form.
const SHOWN: &[&str] = &[
    "categories",
    "connection_configuration",
    "credentials",
    "docs_connect",
    "proxy.connection_config",
    "setup_guide_url",
];
/// Code of Nango's.
const SCRIPTS: &[&str] =
    &["credentials_verification_script", "post_connection_script", "pre_connection_deletion_script"];
/// What is about webhooks.
const WEBHOOKS: &[&str] = &[
    "authorization_code_param_in_webhook",
    "webhook_allowed_query_params",
    "webhook_response_metadata",
    "webhook_routing_script",
    "webhook_user_defined_secret",
];

/// A provider while it is read. Keys within `proxy` and the like stand beside the others, as `proxy.headers`.
pub(super) struct Work {
    pub(super) id: String,
    fields: Map<String, Value>,
    /// `connection_config`.
    pub(super) described: Map<String, Value>,
    /// `credentials`.
    pub(super) credentials: Map<String, Value>,
    pub(super) parameters: BTreeMap<String, Parameter>,
    /// What a parameter is called in the file.
    pub(super) theirs: BTreeMap<String, String>,
    pub(super) findings: Vec<Finding>,
}

impl Work {
    pub(super) fn new(id: String, fields: Map<String, Value>) -> Self {
        let mut work = Self {
            id,
            fields,
            described: Map::new(),
            credentials: Map::new(),
            parameters: BTreeMap::new(),
            theirs: BTreeMap::new(),
            findings: Vec::new(),
        };
        work.described = work.members("connection_config");
        work.credentials = work.members("credentials");
        for key in ["proxy", "proxy.retry", "proxy.paginate", "proxy.verification", "token_response"] {
            for (name, value) in work.members(key) {
                work.fields.insert(format!("{key}.{name}"), value);
            }
        }
        work
    }

    fn note(&mut self, key: &str, outcome: Outcome, text: impl Into<String>) {
        self.findings.push(Finding { key: key.to_owned(), outcome, text: text.into() });
    }

    pub(super) fn expressed(&mut self, key: &str) {
        self.note(key, Outcome::Expressed, "");
    }

    pub(super) fn loosened(&mut self, key: &str, reason: Reason, text: impl Into<String>) {
        self.note(key, Outcome::Loosened(reason), text);
    }

    pub(super) fn missing(&mut self, key: &str, reason: Reason, text: impl Into<String>) {
        self.note(key, Outcome::Missing(reason), text);
    }

    /// Takes a key's value; `null` is none.
    pub(super) fn take(&mut self, key: &str) -> Option<Value> {
        self.fields.remove(key).filter(|value| !value.is_null())
    }

    /// Whether a key is there.
    pub(super) fn has(&self, key: &str) -> bool {
        self.fields.get(key).is_some_and(|value| !value.is_null())
    }

    fn wrong(&mut self, key: &str, wanted: &str) {
        self.missing(key, Reason::Type, format!("is no {wanted}"));
    }

    /// Takes a text.
    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        match self.take(key)? {
            Value::String(text) => Some(text),
            _ => {
                self.wrong(key, "text");
                None
            }
        }
    }

    /// Takes a number of at least zero.
    pub(super) fn number(&mut self, key: &str) -> Option<u64> {
        let value = self.take(key)?;
        let number = value.as_u64();
        if number.is_none() {
            self.wrong(key, "number");
        }
        number
    }

    /// Takes `true` or `false`; absent is `false`.
    pub(super) fn flag(&mut self, key: &str) -> bool {
        match self.take(key) {
            None => false,
            Some(Value::Bool(flag)) => flag,
            Some(_) => {
                self.wrong(key, "boolean");
                false
            }
        }
    }

    /// Takes a list of texts, or one.
    pub(super) fn texts(&mut self, key: &str) -> Vec<String> {
        let values = match self.take(key) {
            None => return Vec::new(),
            Some(Value::Array(values)) => values,
            Some(value) => vec![value],
        };
        let texts: Option<Vec<String>> = values.iter().map(simple).collect();
        if texts.is_none() {
            self.wrong(key, "list of texts");
        }
        texts.unwrap_or_default()
    }

    /// Takes a mapping.
    pub(super) fn members(&mut self, key: &str) -> Map<String, Value> {
        match self.take(key) {
            None => Map::new(),
            Some(Value::Object(members)) => members,
            Some(_) => {
                self.wrong(key, "mapping");
                Map::new()
            }
        }
    }

    /// Takes a mapping to texts, numbers and booleans, which become text. What is deeper is told.
    pub(super) fn pairs(&mut self, key: &str) -> BTreeMap<String, String> {
        let mut pairs = BTreeMap::new();
        for (name, value) in self.members(key) {
            match simple(&value) {
                Some(text) => {
                    pairs.insert(name, text);
                }
                None => self.missing(
                    &format!("{key}.{name}"),
                    Reason::Nested,
                    "is no text, and fields here are texts",
                ),
            }
        }
        pairs
    }

    /// Tells of the keys that nobody took.
    pub(super) fn finish(&mut self) {
        for key in SCRIPTS {
            if self.code(key) {
                self.missing(key, Reason::Script, "names code of Nango's; do the same in the host");
            }
        }
        for key in WEBHOOKS {
            if self.code(key) {
                self.missing(key, Reason::Webhook, "is about webhooks, which the host receives itself");
            }
        }
        for key in SHOWN {
            self.take(key);
        }
        for (key, value) in std::mem::take(&mut self.fields) {
            if !value.is_null() {
                self.missing(&key, Reason::UnknownKey, "is not known; nothing was made of it");
            }
        }
    }

    /// Forgets keys that belong to a way of authentication that is not there.
    pub(super) fn forget(&mut self, keys: &[&str]) {
        let of =
            |key: &String| keys.iter().any(|known| key == known || key.starts_with(&format!("{known}.")));
        self.fields.retain(|key, _| !of(key));
    }

    fn code(&mut self, key: &str) -> bool {
        self.take(key)
            .is_some_and(|value| value != Value::String(String::new()) && value != Value::Bool(false))
    }
}

/// A value that is one text.
fn simple(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}
