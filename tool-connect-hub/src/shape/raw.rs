//! JSON text walked without reading it into values: numbers keep their digits, objects their order, and what is
//! not looked at costs a scan.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::ControlFlow;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The kinds of JSON value that shaping tells apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Object,
    Array,
    Text,
    /// A number, `true`, `false`, `null`.
    Scalar,
}

pub(super) fn kind(raw: &str) -> Kind {
    match raw.as_bytes().first() {
        Some(b'{') => Kind::Object,
        Some(b'[') => Kind::Array,
        Some(b'"') => Kind::Text,
        _ => Kind::Scalar,
    }
}

/// The text if it is one JSON value, without the space around it.
pub(super) fn json(text: &[u8]) -> Option<&str> {
    Some(serde_json::from_slice::<&RawValue>(text).ok()?.get())
}

/// What a string says; `None` where an escape stands for no character.
pub(super) fn text(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        serde_json::from_str(raw).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

/// Shows each item from `from` on until the closure breaks; returns how many there are in all.
pub(super) fn items<'a>(
    raw: &'a str,
    from: usize,
    each: impl FnMut(usize, &'a str) -> ControlFlow<()>,
) -> serde_json::Result<usize> {
    let mut de = serde_json::Deserializer::from_str(raw);
    (&mut de).deserialize_seq(Items(from, each, PhantomData))
}

struct Items<'a, F>(usize, F, PhantomData<&'a ()>);

impl<'a, F: FnMut(usize, &'a str) -> ControlFlow<()>> Visitor<'a> for Items<'a, F> {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'a>>(mut self, mut seq: A) -> Result<usize, A::Error> {
        let (mut count, mut shown) = (0, true);
        loop {
            if count < self.0 || !shown {
                if seq.next_element::<IgnoredAny>()?.is_none() {
                    return Ok(count);
                }
            } else {
                let Some(item) = seq.next_element::<&'a RawValue>()? else { return Ok(count) };
                shown = (self.1)(count, item.get()).is_continue();
            }
            count += 1;
        }
    }
}

/// Shows each field from `from` on, its name as it is written, until the closure breaks; returns how many there are in all.
pub(super) fn fields<'a>(
    raw: &'a str,
    from: usize,
    each: impl FnMut(usize, &'a str, &'a str) -> ControlFlow<()>,
) -> serde_json::Result<usize> {
    let mut de = serde_json::Deserializer::from_str(raw);
    (&mut de).deserialize_map(Fields(from, each, PhantomData))
}

struct Fields<'a, F>(usize, F, PhantomData<&'a ()>);

/// A field's name as it is written.
struct Name;

impl<'a> DeserializeSeed<'a> for Name {
    type Value = &'a RawValue;

    fn deserialize<D: Deserializer<'a>>(self, de: D) -> Result<&'a RawValue, D::Error> {
        <&'a RawValue as serde::Deserialize<'a>>::deserialize(de)
    }
}

impl<'a, F: FnMut(usize, &'a str, &'a str) -> ControlFlow<()>> Visitor<'a> for Fields<'a, F> {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(mut self, mut map: A) -> Result<usize, A::Error> {
        let (mut count, mut shown) = (0, true);
        loop {
            if count < self.0 || !shown {
                if map.next_entry::<IgnoredAny, IgnoredAny>()?.is_none() {
                    return Ok(count);
                }
            } else {
                let Some(name) = map.next_key_seed(Name)? else { return Ok(count) };
                let value = map.next_value::<&'a RawValue>()?;
                shown = (self.1)(count, name.get(), value.get()).is_continue();
            }
            count += 1;
        }
    }
}
