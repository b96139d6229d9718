//! A document: its text, and where in it everything stands.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use http::Method;
use url::Url;

use super::index::{self, Found, Names};
use super::raw::{self, Span};

/// Which OpenAPI a document is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Version {
    /// 2.0, once called Swagger.
    V2,
    /// 3.0.
    V30,
    /// 3.1 and what follows.
    V31,
}

/// An operation's place, and what is needed to find it.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) method: Method,
    /// Which path item.
    pub(super) item: usize,
    /// The whole operation.
    pub(super) span: Span,
    pub(super) id: Option<Box<str>>,
    pub(super) summary: Option<Span>,
    pub(super) description: Option<Span>,
    pub(super) tags: Option<Span>,
    pub(super) security: Option<Span>,
    pub(super) deprecated: bool,
    /// The document says that the operation is not for everybody.
    pub(super) hidden: bool,
    /// Where in the text a vendor extension stands that names tools.
    pub(super) naming: Option<Span>,
    /// What an extension says of its effect.
    pub(super) read_only: Option<bool>,
}

/// A path and what its operations share.
#[derive(Debug, Default)]
pub(super) struct Item {
    pub(super) path: Box<str>,
    /// The member of the document that it stands in: `paths`, or an extension with more of them.
    pub(super) section: &'static str,
    pub(super) parameters: Option<Span>,
    pub(super) servers: Option<Span>,
    /// It stands elsewhere.
    pub(super) reference: Option<Box<str>>,
    /// The document in which its operations stand, where that is another one.
    pub(super) home: Option<Arc<Document>>,
}

/// A text with its index.
pub(super) struct Document {
    /// How it is referred to; empty where it has no address.
    pub(super) name: String,
    pub(super) url: Option<Url>,
    pub(super) text: String,
    pub(super) version: Version,
    pub(super) top: Names,
    pub(super) entries: Vec<Entry>,
    pub(super) items: Vec<Item>,
    /// `section/name` of everything that can be referred to by name.
    named: HashMap<Box<str>, Names>,
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document")
            .field("name", &self.name)
            .field("bytes", &self.text.len())
            .finish_non_exhaustive()
    }
}

impl Document {
    /// Reads a description.
    pub(super) fn index(name: String, url: Option<Url>, text: String) -> Result<Self, String> {
        let mut document = Self::bare(name, url, text, Version::V30)?;
        document.version = version(&document)?;
        Ok(document)
    }

    /// Reads a document that others refer to: a description, or a part of one.
    pub(super) fn bare(
        name: String,
        url: Option<Url>,
        text: String,
        version: Version,
    ) -> Result<Self, String> {
        let Found { top, entries, items, named } =
            index::index(&text).map_err(|error| format!("the text is not valid JSON: {error}"))?;
        Ok(Self { name, url, version, top, entries, items, named, text })
    }

    /// The text at a JSON pointer.
    pub(super) fn at(&self, pointer: &str) -> Option<&str> {
        if pointer.is_empty() {
            return Some(&self.text);
        }
        let tokens: Vec<Cow<'_, str>> = raw::tokens(pointer).collect();
        let (start, rest) = self.nearest(&tokens)?;
        rest.iter().try_fold(start, |value, token| raw::step(value, token))
    }

    /// The longest prefix that the index knows, and what is left of the pointer.
    /// The text of a path item, found by reading the paths again: references to whole items are rare.
    fn path_item(&self, section: &str, path: &str) -> Option<&str> {
        let paths = raw::member(&self.text, section)?;
        raw::member(paths, path)
    }

    fn nearest<'t>(&self, tokens: &'t [Cow<'t, str>]) -> Option<(&str, &'t [Cow<'t, str>])> {
        let (first, rest) = tokens.split_first()?;
        let sections = if first == "components" { rest.split_first() } else { Some((first, rest)) };
        if let Some((section, rest)) = sections
            && let Some((name, rest)) = rest.split_first()
            && let Some(span) = self.named.get(&**section).and_then(|names| names.get(&**name))
        {
            return Some((span.text(&self.text), rest));
        }
        if first == "paths"
            && let Some((path, rest)) = rest.split_first()
            && let Some((method, rest)) = rest.split_first()
            && let Some(entry) = self.entries.iter().find(|entry| {
                entry.method.as_str().eq_ignore_ascii_case(method)
                    && self.items.get(entry.item).is_some_and(|item| *item.path == **path)
            })
        {
            return Some((entry.span.text(&self.text), rest));
        }
        if (first == "paths" || first == "x-ms-paths")
            && let Some((path, rest)) = rest.split_first()
        {
            return Some((self.path_item(first, path)?, rest));
        }
        let span = self.top.get(&**first)?;
        Some((span.text(&self.text), rest))
    }

    /// The named parts of a section, in the order of their names.
    pub(super) fn section(&self, section: &str) -> serde_json::Map<String, serde_json::Value> {
        let mut names: Vec<(&Box<str>, &Span)> = self.named.get(section).into_iter().flatten().collect();
        names.sort_by(|a, b| a.0.cmp(b.0));
        names.into_iter().map(|(name, span)| (name.to_string(), self.value(*span))).collect()
    }

    /// The value of a member of the whole document; null where there is none or it is malformed.
    pub(super) fn top(&self, name: &str) -> serde_json::Value {
        let text = self.top.get(name).map(|span| span.text(&self.text));
        text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    /// The value at a place; null where it nests too deep to be one.
    pub(super) fn value(&self, span: Span) -> serde_json::Value {
        serde_json::from_str(span.text(&self.text)).unwrap_or_default()
    }

    pub(super) fn string(&self, span: Option<Span>) -> Option<Cow<'_, str>> {
        raw::string(span?.text(&self.text))
    }

    /// Puts a path item that stands elsewhere into its place.
    pub(super) fn put(&mut self, place: usize, found: Item, mut entries: Vec<Entry>) {
        for entry in &mut entries {
            entry.item = place;
        }
        if let Some(item) = self.items.get_mut(place) {
            item.parameters = found.parameters.or(item.parameters);
            item.servers = found.servers.or(item.servers);
            item.home = found.home;
        }
        self.entries.extend(entries);
    }

    /// The JSON pointer to an operation.
    pub(super) fn pointer(&self, entry: &Entry) -> String {
        let item = self.items.get(entry.item);
        let (section, path) = item.map_or(("paths", ""), |item| (item.section, &item.path));
        format!("/{section}/{}/{}", escape(path), entry.method.as_str().to_ascii_lowercase())
    }
}

/// A token of a JSON pointer (RFC 6901 §3).
pub(super) fn escape(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}

fn version(document: &Document) -> Result<Version, String> {
    let says = |name: &str| match document.top(name) {
        serde_json::Value::String(text) => Some(text),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    match (says("swagger"), says("openapi")) {
        (Some(v), _) if v.starts_with('2') => Ok(Version::V2),
        (_, Some(v)) if v.starts_with("3.0") => Ok(Version::V30),
        (_, Some(v)) if v.starts_with('3') => Ok(Version::V31),
        (Some(v), _) | (_, Some(v)) => {
            let shown: String = v.chars().take(16).collect();
            Err(format!(
                "OpenAPI `{}` cannot be read: convert the description to 2.0, 3.0 or 3.1",
                shown.escape_debug()
            ))
        }
        (None, None) => {
            Err("this is no OpenAPI description: it has neither `openapi: 3.x` nor `swagger: \"2.0\"`"
                .to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_knows_every_operation_and_every_named_part() {
        let text = r##"{"openapi":"3.0.3","info":{"title":"T"},"paths":{"/a/{b}":{"parameters":[1],"get":{"operationId":"x",
            "summary":"S","tags":["t"],"deprecated":true},"post":{"x-internal":true}},"x-y":{}, "/n": null},
            "components":{"schemas":{"A":{"type":"string"}},"x":1}}"##;
        let document = Document::index(String::new(), None, text.to_owned()).unwrap();
        assert_eq!(document.entries.len(), 2);
        let get = &document.entries[0];
        assert_eq!(
            (get.id.as_deref(), get.deprecated, document.pointer(get)),
            (Some("x"), true, "/paths/~1a~1{b}/get".into())
        );
        assert!(document.entries[1].hidden);
        assert_eq!(document.at("/components/schemas/A"), Some(r#"{"type":"string"}"#));
        assert_eq!(document.at("/components/schemas/A/type"), Some("\"string\""));
        assert_eq!(document.at("/paths/~1a~1{b}/get/tags/0"), Some("\"t\""));
        assert_eq!(document.at("/info/title"), Some("\"T\""));
        assert_eq!(document.at("/components/schemas/B"), None);
    }

    #[test]
    fn what_is_no_description_says_so() {
        for (text, word) in [
            ("{}", "no OpenAPI description"),
            (r#"{"swagger":"1.2"}"#, "cannot be read"),
            (r#"{"openapi":"3.0.0","paths":{"/a":{"get":{"#, "not valid JSON"),
            ("[1]", "not valid JSON"),
        ] {
            let why = Document::index(String::new(), None, text.to_owned()).unwrap_err();
            assert!(why.contains(word), "{text}: {why}");
        }
    }
}
