//! The description and the documents that it refers to: what the host supplies, within caps. Nothing is fetched here.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tool_connect_core::Result;
use url::Url;

use super::document::{Document, Version};
use super::yaml;

/// How many references may lead from one to the next.
const MAX_HOPS: usize = 32;

/// Supplies a document that a description refers to, by its address: a URL, or a relative name where the description has none.
///
/// The host decides where it comes from; an error refuses it.
pub type Loader = Arc<dyn Fn(&str) -> Result<Vec<u8>> + Send + Sync>;

/// Caps on what a description may hold and refer to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Caps {
    /// Largest document, in bytes, as text and, where it is YAML, as the JSON that it means; 32 MiB.
    pub max_bytes: usize,
    /// How many further documents may be referred to; 64.
    pub max_documents: usize,
    /// How many operations; 20,000.
    pub max_operations: usize,
}

impl Default for Caps {
    fn default() -> Self {
        Self { max_bytes: 32 << 20, max_documents: 64, max_operations: 20_000 }
    }
}

/// The main document and those that it refers to.
pub(super) struct Documents {
    pub(super) main: Arc<Document>,
    loader: Option<Loader>,
    caps: Caps,
    others: Mutex<BTreeMap<String, Result<Arc<Document>, String>>>,
}

impl fmt::Debug for Documents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Documents").field("main", &self.main).finish_non_exhaustive()
    }
}

/// A value that was referred to, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) document: Arc<Document>,
    pub(super) pointer: String,
    pub(super) value: Value,
}

impl Target {
    /// Names the place among all documents.
    pub(super) fn key(&self) -> String {
        format!("{}#{}", self.document.name, self.pointer)
    }
}

/// The text of a document, as JSON.
pub(super) fn json(bytes: Vec<u8>, max: usize) -> Result<String, String> {
    if bytes.len() > max {
        return Err(format!(
            "the document has {} bytes and at most {max} are read; raise `max_bytes`, if it is to be trusted",
            bytes.len()
        ));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        format!("the document is not UTF-8 text (at byte {})", error.utf8_error().valid_up_to())
    })?;
    let text = match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    };
    match text.trim_start().as_bytes().first() {
        None => Err("the document is empty".to_owned()),
        Some(b'{') => Ok(text),
        Some(_) => yaml::to_json(&text, max),
    }
}

impl Documents {
    pub(super) fn new(main: Document, loader: Option<Loader>, caps: Caps) -> Self {
        Self { main: Arc::new(main), loader, caps, others: Mutex::default() }
    }

    /// Follows a reference that stands in this document, and those that it leads to.
    pub(super) fn resolve(&self, from: &Arc<Document>, reference: &str) -> Result<Target, String> {
        let (mut from, mut reference) = (Arc::clone(from), reference.to_owned());
        for _ in 0..MAX_HOPS {
            let (document, pointer) = self.place(&from, &reference)?;
            let text =
                document.at(&pointer).ok_or_else(|| format!("`{}` leads nowhere", shown(&reference)))?;
            let value: Value = serde_json::from_str(text)
                .map_err(|error| format!("what `{}` leads to cannot be read: {error}", shown(&reference)))?;
            match value.get("$ref").and_then(Value::as_str) {
                // Siblings make it more than a reference; who reads schemas looks at both.
                Some(next) if value.as_object().is_some_and(|object| object.len() == 1) => {
                    reference = next.to_owned();
                    from = document;
                }
                _ => return Ok(Target { document, pointer, value }),
            }
        }
        Err(format!("`{}` leads in a circle", shown(&reference)))
    }

    /// A value, or what it refers to.
    pub(super) fn follow(
        &self,
        document: &Arc<Document>,
        value: Value,
    ) -> Result<(Arc<Document>, Value), String> {
        match value.get("$ref").and_then(Value::as_str) {
            None => Ok((Arc::clone(document), value)),
            Some(reference) => {
                self.resolve(document, reference).map(|target| (target.document, target.value))
            }
        }
    }

    /// The document and the pointer in it that a reference names.
    fn place(&self, from: &Arc<Document>, reference: &str) -> Result<(Arc<Document>, String), String> {
        let (file, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let document = if file.is_empty() { Arc::clone(from) } else { self.load(from, file)? };
        let fragment = percent_encoding::percent_decode_str(fragment).decode_utf8_lossy().into_owned();
        if fragment.is_empty() || fragment.starts_with('/') {
            return Ok((document, fragment));
        }
        // A bare name, as OpenAPI 2.0 documents had it once.
        for section in ["definitions", "components/schemas"] {
            let pointer = format!("/{section}/{}", super::document::escape(&fragment));
            if document.at(&pointer).is_some() {
                return Ok((document, pointer));
            }
        }
        Err(format!("`{}` leads nowhere", shown(reference)))
    }

    fn load(&self, from: &Document, file: &str) -> Result<Arc<Document>, String> {
        let (name, url) = address(from, file)?;
        if name == self.main.name {
            return Ok(Arc::clone(&self.main));
        }
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = others.get(&name) {
            return known.clone();
        }
        if others.len() >= self.caps.max_documents {
            return Err(format!("the description refers to more than {} documents", self.caps.max_documents));
        }
        let loaded = self.fetch(&name, url);
        others.insert(name, loaded.clone());
        loaded
    }

    fn fetch(&self, name: &str, url: Option<Url>) -> Result<Arc<Document>, String> {
        let Some(loader) = &self.loader else {
            return Err(format!("`{}` is another document; supply it with `documents`", shown(name)));
        };
        let bytes = loader(name).map_err(|error| {
            format!("`{}` could not be supplied: {}", shown(name), error.public_message())
        })?;
        let document = json(bytes, self.caps.max_bytes)
            .and_then(|text| Document::bare(name.to_owned(), url, text, self.main.version))
            .map_err(|why| format!("in `{}`: {why}", shown(name)))?;
        Ok(Arc::new(document))
    }

    /// Puts the path items that stand elsewhere into their places; what could not be found is told.
    pub(super) fn gather_items(&mut self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut problems = Vec::new();
        // Many places may refer to one item with many operations: they are counted before they are all held.
        let (mut total, most) = (self.main.entries.len(), self.caps.max_operations);
        for (place, item) in self.main.items.iter().enumerate() {
            let Some(reference) = &item.reference else { continue };
            let named = || format!("/{}/{}", item.section, super::document::escape(&item.path));
            if total > most {
                let why = format!(
                    "with what is referred to there are more than {most} operations; raise `max_operations`"
                );
                problems.push((named(), why));
                break;
            }
            let target = self.place(&self.main, reference).and_then(|(document, pointer)| {
                // An item of this document that refers on is found once more, up to a circle.
                let text =
                    document.at(&pointer).ok_or_else(|| format!("`{}` leads nowhere", shown(reference)))?;
                let (mut item, entries) = super::index::item(&document, text);
                item.home = (!Arc::ptr_eq(&document, &self.main)).then(|| Arc::clone(&document));
                Ok((item, entries))
            });
            match target {
                Ok((item, entries)) => {
                    total = total.saturating_add(entries.len().max(1));
                    found.push((place, item, entries));
                }
                Err(why) => {
                    total = total.saturating_add(1);
                    problems.push((named(), why));
                }
            }
        }
        // Nobody else holds the main document yet.
        if let Some(main) = Arc::get_mut(&mut self.main) {
            for (place, item, entries) in found {
                main.put(place, item, entries);
            }
        }
        problems
    }

    pub(super) fn caps(&self) -> &Caps {
        &self.caps
    }

    /// What schemas in a document are written in.
    pub(super) fn version(&self) -> Version {
        self.main.version
    }
}

/// The address of a file that a document refers to.
fn address(from: &Document, file: &str) -> Result<(String, Option<Url>), String> {
    let malformed = |error: url::ParseError| format!("`{}` is no address: {error}", shown(file));
    if let Some(base) = &from.url {
        let url = base.join(file).map_err(malformed)?;
        return Ok((url.to_string(), Some(url)));
    }
    if let Ok(url) = Url::parse(file) {
        return Ok((url.to_string(), Some(url)));
    }
    // Relative names keep below where they begin: `..` leads no higher.
    let root = Url::parse("file:///").map_err(malformed)?;
    let url = root.join(&from.name).and_then(|base| base.join(file)).map_err(malformed)?;
    let name = percent_encoding::percent_decode_str(url.path().trim_start_matches('/'))
        .decode_utf8_lossy()
        .into_owned();
    Ok((name, None))
}

/// As much of a text as fits into a message.
pub(super) fn shown(text: &str) -> String {
    let short: String = text.chars().take(120).collect();
    short.escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn operations_that_are_referred_to_are_counted_before_they_are_held() {
        let gather = |to: &str| {
            let paths: serde_json::Map<String, Value> =
                (0..100).map(|at| (format!("/p{at}"), json!({ "$ref": to }))).collect();
            let item = json!({ "get": {}, "put": {}, "post": {}, "delete": {} });
            let text =
                json!({ "openapi": "3.1.0", "paths": paths, "components": { "pathItems": { "I": item } } });
            let main = Document::index(String::new(), None, text.to_string()).unwrap();
            let mut documents = Documents::new(main, None, Caps { max_operations: 10, ..Caps::default() });
            let problems = documents.gather_items();
            assert!(problems.last().unwrap().1.contains("more than 10 operations"), "{problems:?}");
            (documents.main.entries.len(), problems.len())
        };
        assert_eq!(gather("#/components/pathItems/I"), (12, 1));
        assert_eq!(gather("#/components/pathItems/None"), (0, 12));
    }
}
