//! The one pass over a document's text that finds every operation and every named part, and reads nothing else.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use http::Method;
use serde::Deserializer as _;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::document::{Document, Entry, Item};
use super::raw::{self, Key, Span};

/// Names of a section, and where each stands.
pub(super) type Names = HashMap<Box<str>, Span>;

/// Goes over the whole text.
pub(super) fn index(text: &str) -> Result<Found, serde_json::Error> {
    let mut found = Found::default();
    let mut reader = serde_json::Deserializer::from_str(text);
    reader.deserialize_any(Top { text, found: &mut found })?;
    reader.end()?;
    found.entries.shrink_to_fit();
    found.items.shrink_to_fit();
    Ok(found)
}

/// What was found.
#[derive(Default)]
pub(super) struct Found {
    pub(super) top: Names,
    pub(super) entries: Vec<Entry>,
    pub(super) items: Vec<Item>,
    /// By section.
    pub(super) named: HashMap<Box<str>, Names>,
}

/// The whole document.
struct Top<'x, 'a> {
    text: &'a str,
    found: &'x mut Found,
}

impl<'de> Visitor<'de> for Top<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Key<'de>>()? {
            match &*key.0 {
                "paths" => {
                    map.next_value_seed(Paths { top: &mut *self.found, text: self.text, section: "paths" })?
                }
                "x-ms-paths" => {
                    map.next_value_seed(Paths {
                        top: &mut *self.found,
                        text: self.text,
                        section: "x-ms-paths",
                    })?;
                }
                "components" => {
                    map.next_value_seed(Components { text: self.text, found: &mut *self.found })?
                }
                "definitions" | "parameters" | "responses" => {
                    let raw = map.next_value::<&'de RawValue>()?;
                    names(self.text, &key.0, raw.get(), self.found);
                    self.found.note(self.text, key, raw.get());
                }
                _ => {
                    let raw = map.next_value::<&'de RawValue>()?;
                    self.found.note(self.text, key, raw.get());
                }
            }
        }
        Ok(())
    }
}

impl Found {
    fn note(&mut self, text: &str, key: Key<'_>, value: &str) {
        if let Some(span) = Span::of(text, value) {
            self.top.insert(key.0.into(), span);
        }
    }
}

/// A section's members by name.
fn names(text: &str, section: &str, object: &str, found: &mut Found) {
    let names = found.named.entry(section.into()).or_default();
    // Something else than an object has no names; who refers into it is told that there is none.
    let _ = raw::members(object, |name, value| {
        if let Some(span) = Span::of(text, value) {
            names.insert(name.into(), span);
        }
    });
}

/// Forwards a seed of this visitor's.
macro_rules! seed {
    ($name:ident) => {
        impl<'de> serde::de::DeserializeSeed<'de> for $name<'_, 'de> {
            type Value = ();

            fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
                deserializer.deserialize_any(self)
            }
        }
    };
}

/// What else than an object may stand there and means nothing.
macro_rules! nothing {
    () => {
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_unit<E>(self) -> Result<(), E> {
            Ok(())
        }

        fn visit_bool<E>(self, _: bool) -> Result<(), E> {
            Ok(())
        }

        fn visit_i64<E>(self, _: i64) -> Result<(), E> {
            Ok(())
        }

        fn visit_u64<E>(self, _: u64) -> Result<(), E> {
            Ok(())
        }

        fn visit_f64<E>(self, _: f64) -> Result<(), E> {
            Ok(())
        }

        fn visit_str<E>(self, _: &str) -> Result<(), E> {
            Ok(())
        }

        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
            while items.next_element::<IgnoredAny>()?.is_some() {}
            Ok(())
        }
    };
}

struct Components<'x, 'a> {
    text: &'a str,
    found: &'x mut Found,
}

seed!(Components);

impl<'de> Visitor<'de> for Components<'_, 'de> {
    type Value = ();

    nothing!();

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(section) = map.next_key::<Key<'de>>()? {
            map.next_value_seed(Section { text: self.text, found: &mut *self.found, section: section.0 })?;
        }
        Ok(())
    }
}

/// One section of the components.
struct Section<'x, 'a> {
    text: &'a str,
    found: &'x mut Found,
    section: Cow<'a, str>,
}

seed!(Section);

impl<'de> Visitor<'de> for Section<'_, 'de> {
    type Value = ();

    nothing!();

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        if self.section == "examples" {
            // Many, large, and nothing that is imported refers to them.
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(());
        }
        let names = self.found.named.entry(self.section.into()).or_default();
        while let Some((name, value)) = map.next_entry::<Key<'de>, &'de RawValue>()? {
            if let Some(span) = Span::of(self.text, value.get()) {
                names.insert(name.0.into(), span);
            }
        }
        Ok(())
    }
}

struct Paths<'x, 'a> {
    top: &'x mut Found,
    text: &'a str,
    section: &'static str,
}

seed!(Paths);

impl<'de> Visitor<'de> for Paths<'_, 'de> {
    type Value = ();

    nothing!();

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(path) = map.next_key::<Key<'de>>()? {
            if path.0.starts_with("x-") {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let item = Item { path: path.0.into(), section: self.section, ..Item::default() };
            map.next_value_seed(PathItem { text: self.text, found: &mut *self.top, item })?;
        }
        Ok(())
    }
}

struct PathItem<'x, 'a> {
    text: &'a str,
    found: &'x mut Found,
    item: Item,
}

seed!(PathItem);

impl<'de> Visitor<'de> for PathItem<'_, 'de> {
    type Value = ();

    nothing!();

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let place = self.found.items.len();
        while let Some((key, value)) = map.next_entry::<Key<'de>, &'de RawValue>()? {
            let value = value.get();
            match &*key.0 {
                "parameters" => self.item.parameters = Span::of(self.text, value),
                "servers" => self.item.servers = Span::of(self.text, value),
                "$ref" => self.item.reference = raw::string(value).map(Box::from),
                word => {
                    if let Some(method) = method(word)
                        && let Some(span) = Span::of(self.text, value)
                    {
                        self.found.entries.push(entry(self.text, method, place, span));
                    }
                }
            }
        }
        self.found.items.push(self.item);
        Ok(())
    }
}

/// A path item that stands at this text of a document.
pub(super) fn item(document: &Document, text: &str) -> (Item, Vec<Entry>) {
    let mut found = Found::default();
    let mut reader = serde_json::Deserializer::from_str(text);
    let seed = PathItem { text: &document.text, found: &mut found, item: Item::default() };
    // What is no object has no operations.
    let _ = reader.deserialize_any(seed);
    (found.items.pop().unwrap_or_default(), found.entries)
}

/// The methods of a path item. TRACE is a diagnostic that shows credentials to who asks for it (RFC 9110 §9.3.8).
fn method(word: &str) -> Option<Method> {
    Some(match word {
        "get" => Method::GET,
        "put" => Method::PUT,
        "post" => Method::POST,
        "delete" => Method::DELETE,
        "patch" => Method::PATCH,
        "head" => Method::HEAD,
        "options" => Method::OPTIONS,
        "trace" => Method::TRACE,
        _ => return None,
    })
}

/// An operation's head.
fn entry(text: &str, method: Method, item: usize, span: Span) -> Entry {
    let mut entry = Entry {
        method,
        item,
        span,
        id: None,
        summary: None,
        description: None,
        tags: None,
        security: None,
        deprecated: false,
        hidden: false,
        naming: None,
        read_only: None,
    };
    // An operation that is no object is reported when it is built.
    let _ = raw::members(span.text(text), |key, value| {
        let at = || Span::of(text, value);
        match &*key {
            "operationId" => entry.id = raw::string(value).map(Box::from),
            "summary" => entry.summary = at(),
            "description" => entry.description = at(),
            "tags" => entry.tags = at(),
            "security" => entry.security = at(),
            "deprecated" | "x-deprecated" => entry.deprecated |= value == "true",
            "x-internal" | "x-hidden" | "x-speakeasy-ignore" | "x-exclude" => entry.hidden |= value == "true",
            "x-ms-visibility" => entry.hidden |= value == "\"internal\"",
            "x-read-only" | "x-readonly" | "x-readOnly" => entry.read_only = serde_json::from_str(value).ok(),
            "x-speakeasy-mcp" => {
                entry.naming = at();
                entry.hidden |= raw::member(value, "disabled") == Some("true");
            }
            "x-speakeasy-name-override" if entry.naming.is_none() => entry.naming = at(),
            _ => {}
        }
    });
    entry
}
