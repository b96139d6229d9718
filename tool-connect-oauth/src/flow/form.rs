//! What is sent to an endpoint: named fields, of which some are secret.

use std::collections::BTreeMap;

use bytes::Bytes;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

use super::failure::Sent;

/// Fields whose values must not come back in an error.
const SECRET: &[&str] = &[
    "assertion",
    "client_assertion",
    "client_secret",
    "code",
    "code_verifier",
    "device_code",
    "refresh_token",
    "token",
];

/// Fields in their order; wiped when dropped.
#[derive(Clone, Default)]
pub(super) struct Form(Vec<(String, Zeroizing<String>)>);

impl Form {
    pub(super) fn grant(grant_type: &str) -> Self {
        Self::default().with("grant_type", grant_type)
    }

    pub(super) fn add(&mut self, name: &str, value: &str) {
        self.0.push((name.to_owned(), Zeroizing::new(value.to_owned())));
    }

    /// Adds a field, or gives it another value.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.0.retain(|(known, _)| known != name);
        self.add(name, value);
    }

    /// The fields under the names that the provider has for them.
    #[must_use]
    pub(super) fn renamed(mut self, names: &BTreeMap<String, String>) -> Self {
        for (name, _) in &mut self.0 {
            if let Some(theirs) = names.get(name) {
                name.clone_from(theirs);
            }
        }
        self
    }

    #[must_use]
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.add(name, value);
        self
    }

    #[must_use]
    pub(super) fn secret(self, name: &str, value: &SecretString) -> Self {
        self.with(name, value.expose_secret())
    }

    /// Scopes as one text; nothing where there are none.
    #[must_use]
    pub(super) fn scopes(self, parameter: &str, separator: &str, scopes: &[String]) -> Self {
        if scopes.is_empty() { self } else { self.with(parameter, &scopes.join(separator)) }
    }

    /// One `resource` for each (RFC 8707 §2).
    #[must_use]
    pub(super) fn resources(mut self, resources: &[Url]) -> Self {
        for resource in resources {
            self.add("resource", resource.as_str());
        }
        self
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// `application/x-www-form-urlencoded` (RFC 6749 appendix B).
    pub(super) fn encoded(&self) -> Bytes {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(self.pairs()).finish().into()
    }

    /// A JSON object; what occurs several times becomes a list.
    pub(super) fn json(&self) -> Bytes {
        let mut object = Map::new();
        for (name, value) in self.pairs() {
            match object.get_mut(name) {
                None => {
                    object.insert(name.to_owned(), value.into());
                }
                Some(Value::Array(values)) => values.push(value.into()),
                Some(first) => *first = Value::Array(vec![first.take(), value.into()]),
            }
        }
        Value::Object(object).to_string().into()
    }

    /// What of it must not come back.
    pub(super) fn hide_in(&self, sent: &mut Sent) {
        for (name, value) in self.pairs() {
            if SECRET.contains(&name) {
                sent.hide(value);
            }
        }
    }
}
