//! JSON text read where it stands: the members of an object as slices, and JSON pointers, without a tree of values.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Where something stands in a document's text. Texts are capped far below 4 GiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// The place of a slice of this text; `None` where it is none.
    pub(super) fn of(text: &str, part: &str) -> Option<Self> {
        let start = part.as_ptr().addr().checked_sub(text.as_ptr().addr())?;
        let end = start.checked_add(part.len()).filter(|end| *end <= text.len())?;
        Some(Self { start: u32::try_from(start).ok()?, end: u32::try_from(end).ok()? })
    }

    fn range(self) -> Range<usize> {
        // A `u32` fits into the `usize` of every platform that has room for a document.
        let wide = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
        wide(self.start)..wide(self.end)
    }

    /// The text there; empty where the span is not of this text.
    pub(super) fn text(self, text: &str) -> &str {
        text.get(self.range()).unwrap_or_default()
    }
}

/// A key, borrowed where it holds no escape.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key<'a>(pub(super) Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// Visits the members of an object; anything else has none.
struct Members<F>(F);

impl<'de, F: FnMut(Cow<'de, str>, &'de str)> Visitor<'de> for Members<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some((key, value)) = map.next_entry::<Key<'de>, &'de RawValue>()? {
            (self.0)(key.0, value.get());
        }
        Ok(())
    }
}

/// Calls for each member of an object, in order, with its key and the text of its value.
pub(super) fn members<'a>(
    object: &'a str,
    each: impl FnMut(Cow<'a, str>, &'a str),
) -> Result<(), serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(object);
    serde::de::Deserializer::deserialize_map(&mut reader, Members(each))?;
    reader.end()
}

/// The last member of this name, as JSON readers have it.
pub(super) fn member<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    let mut found = None;
    members(object, |key, value| {
        if key == name {
            found = Some(value);
        }
    })
    .ok()?;
    found
}

fn item(array: &str, index: usize) -> Option<&str> {
    struct Items(usize);
    impl<'de> Visitor<'de> for Items {
        type Value = Option<&'de str>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
            let mut found = None;
            let mut at = 0;
            while let Some(item) = items.next_element::<&'de RawValue>()? {
                if at == self.0 {
                    found = Some(item.get());
                }
                at += 1;
            }
            Ok(found)
        }
    }
    let mut reader = serde_json::Deserializer::from_str(array);
    serde::de::Deserializer::deserialize_seq(&mut reader, Items(index)).ok().flatten()
}

/// One step of a pointer from a value's text.
pub(super) fn step<'a>(value: &'a str, token: &str) -> Option<&'a str> {
    match value.trim_start().as_bytes().first()? {
        b'{' => member(value, token),
        b'[' => item(value, token.parse().ok()?),
        _ => None,
    }
}

/// The tokens of a JSON pointer, unescaped (RFC 6901 §4).
pub(super) fn tokens(pointer: &str) -> impl Iterator<Item = Cow<'_, str>> {
    pointer.split('/').skip(1).map(|token| {
        if token.contains('~') {
            Cow::Owned(token.replace("~1", "/").replace("~0", "~"))
        } else {
            Cow::Borrowed(token)
        }
    })
}

/// A string's content; `None` where the text is no JSON string.
pub(super) fn string(text: &str) -> Option<Cow<'_, str>> {
    serde_json::from_str::<Key<'_>>(text).ok().map(|key| key.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_and_pointers_are_found_in_the_text() {
        let text = r#"{"a": {"b/c": [1, {"d": "x\ny"}]}, "a2": null}"#;
        let at = tokens("/a/b~1c/1/d").try_fold(text, |value, token| step(value, &token)).unwrap();
        assert_eq!(string(at).unwrap(), "x\ny");
        assert_eq!(Span::of(text, at).unwrap().text(text), r#""x\ny""#);
        assert_eq!(step(text, "zz"), None);
        assert_eq!(step("[1]", "x"), None);
        assert_eq!(Span::of(text, "elsewhere"), None);
    }
}
