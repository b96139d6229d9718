//! GitHub's published description as what requests are held against: the path, the names of parameters, the members of bodies and
//! their types. Nothing of ours.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::Outcome;

pub(crate) struct Description(Value);

impl Description {
    pub(crate) fn read(file: &Path) -> Outcome<Self> {
        let bytes = std::fs::read(file).map_err(|e| format!("{} cannot be read: {e}", file.display()))?;
        let description: Value = serde_json::from_slice(&bytes)?;
        if !description["paths"].is_object() {
            return Err(format!("{} is no OpenAPI description", file.display()).into());
        }
        Ok(Self(description))
    }

    pub(crate) fn size(&self) -> usize {
        let paths = self.0["paths"].as_object().into_iter().flat_map(|paths| paths.values());
        paths
            .filter_map(Value::as_object)
            .flat_map(|path| path.values())
            .filter(|o| o.get("operationId").is_some())
            .count()
    }

    /// Why a request is not as described; nothing where it is.
    pub(crate) fn refuses(
        &self,
        method: &str,
        path: &str,
        query: &BTreeMap<String, String>,
        body: &Value,
    ) -> Option<String> {
        let Some(operation) = self.operation(method, path) else {
            return Some("there is no such operation".into());
        };
        let parameters: Vec<&Value> =
            operation["parameters"].as_array().into_iter().flatten().map(|one| self.followed(one)).collect();
        let of_query = || parameters.iter().filter(|one| one["in"] == "query");
        if let Some(name) = query.keys().find(|name| !of_query().any(|one| one["name"] == name.as_str())) {
            return Some(format!("there is no parameter `{name}`"));
        }
        let missing = of_query()
            .filter(|one| one["required"] == true)
            .filter_map(|one| one["name"].as_str())
            .find(|name| !query.contains_key(*name));
        if let Some(name) = missing {
            return Some(format!("the parameter `{name}` is missing"));
        }
        let schema = self.followed(&operation["requestBody"]["content"]["application/json"]["schema"]);
        self.differs(schema, body)
    }

    /// The operation whose path has the fewest placeholders.
    fn operation(&self, method: &str, path: &str) -> Option<&Value> {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let fits = |template: &str| {
            let template: Vec<&str> = template.trim_matches('/').split('/').collect();
            template.len() == parts.len()
                && template.iter().zip(&parts).all(|(known, part)| known.starts_with('{') || known == part)
        };
        let paths = self.0["paths"].as_object()?.iter().filter(|(template, _)| fits(template));
        let (_, best) = paths.min_by_key(|(template, _)| template.matches('{').count())?;
        best.get(method.to_ascii_lowercase())
    }

    fn differs(&self, schema: &Value, body: &Value) -> Option<String> {
        let members = schema["properties"].as_object()?;
        let empty = serde_json::Map::new();
        let sent = body.as_object().unwrap_or(&empty);
        let mut required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        if let Some(name) = required.find(|name| !sent.contains_key(*name)) {
            return Some(format!("the member `{name}` is missing"));
        }
        sent.iter().find_map(|(name, value)| match members.get(name) {
            None => Some(format!("there is no member `{name}`")),
            Some(known) => {
                let known = self.followed(known);
                let fits = match known["type"].as_str() {
                    Some("string") => value.is_string(),
                    Some("integer") => value.is_i64() || value.is_u64(),
                    Some("boolean") => value.is_boolean(),
                    Some("array") => value.is_array(),
                    Some("object") => value.is_object(),
                    // One of several: their differences are beyond an example.
                    _ => true,
                };
                let fits = fits || (value.is_null() && known["nullable"] == true);
                (!fits).then(|| format!("the member `{name}` is not of type {}", known["type"]))
            }
        })
    }

    /// What a reference leads to.
    fn followed<'a>(&'a self, value: &'a Value) -> &'a Value {
        let to = value.get("$ref").and_then(Value::as_str).and_then(|to| to.strip_prefix('#'));
        to.and_then(|to| self.0.pointer(to)).unwrap_or(value)
    }
}
