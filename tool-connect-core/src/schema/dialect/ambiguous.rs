//! Whether what a model writes for one alternative could be read back as another.

use serde_json::{Map, Value};

use super::back::{Back, Field, fits_map};
use super::object::Out;

/// Whether a value may fit two of these schemas and come back as two different ones. `comparisons` is what may still be
/// spent on the question; where nothing is left the answer is yes.
pub(super) fn ambiguous(all: &[Out], comparisons: &mut usize) -> bool {
    // Most schemas travel as they are.
    if all.iter().all(|out| out.back.is_plain()) {
        return false;
    }
    let mut pairs =
        all.iter().enumerate().flat_map(|(index, a)| all.iter().skip(index + 1).map(move |b| (a, b)));
    pairs.any(|(a, b)| Pair { a: &a.map, b: &b.map }.differ(&a.back, &b.back, comparisons))
}

/// Two schemas in their final form.
#[derive(Clone, Copy)]
struct Pair<'s> {
    a: &'s Map<String, Value>,
    b: &'s Map<String, Value>,
}

impl<'s> Pair<'s> {
    fn of(a: Option<&'s Value>, b: Option<&'s Value>) -> Option<Self> {
        Some(Self { a: a?.as_object()?, b: b?.as_object()? })
    }

    /// Whether a value may fit both and come back in two ways. Null is null whatever the way.
    fn differ(self, back_a: &Back, back_b: &Back, left: &mut usize) -> bool {
        if !spend(left, 1) {
            return true;
        }
        if (back_a.is_plain() && back_b.is_plain()) || self.apart_but_null(left) {
            return false;
        }
        if back_a.text || back_b.text {
            return back_a.text != back_b.text;
        }
        if !back_a.any.is_empty() {
            let mut all = alternatives(self.a).zip(&back_a.any);
            return all.any(|(a, back_a)| Self { a, ..self }.differ(back_a, back_b, left));
        }
        if !back_b.any.is_empty() {
            let mut all = alternatives(self.b).zip(&back_b.any);
            return all.any(|(b, back_b)| Self { b, ..self }.differ(back_a, back_b, left));
        }
        self.fields_differ(back_a, back_b, left) || self.items_differ(back_a, back_b, left)
    }

    fn fields_differ(self, back_a: &Back, back_b: &Back, left: &mut usize) -> bool {
        properties(self.a).any(|(shown, a)| {
            let Some(pair) = Self::of(Some(a), property(self.b, shown)) else { return false };
            match (field(back_a, shown), field(back_b, shown)) {
                (Some(a), Some(b)) => {
                    let null = || accepts_null(pair.a) && accepts_null(pair.b);
                    a.name != b.name
                        || (a.null_is_absent != b.null_is_absent && null())
                        || pair.differ(&a.back, &b.back, left)
                }
                _ => (back_a.rest.as_deref() == Some(shown)) != (back_b.rest.as_deref() == Some(shown)),
            }
        })
    }

    fn items_differ(self, back_a: &Back, back_b: &Back, left: &mut usize) -> bool {
        let plain = Back::default();
        let back_a = back_a.items.as_deref().unwrap_or(&plain);
        let back_b = back_b.items.as_deref().unwrap_or(&plain);
        Self::of(self.a.get("items"), self.b.get("items"))
            .is_some_and(|pair| pair.differ(back_a, back_b, left))
    }

    /// Whether certainly no value fits both.
    fn apart(self, left: &mut usize) -> bool {
        !(accepts_null(self.a) && accepts_null(self.b)) && self.apart_but_null(left)
    }

    /// Whether certainly no value fits both, unless it is null.
    fn apart_but_null(self, left: &mut usize) -> bool {
        if !spend(left, 1) {
            return false;
        }
        if self.a.contains_key("anyOf") {
            return alternatives(self.a).all(|a| Self { a, ..self }.apart_but_null(left));
        }
        if self.b.contains_key("anyOf") {
            return alternatives(self.b).all(|b| Self { b, ..self }.apart_but_null(left));
        }
        let number = |of: &str| matches!(of, "number" | "integer");
        let of_a: Vec<&str> = types(self.a).collect();
        let common: Vec<&str> = types(self.b)
            .filter(|of| of_a.contains(of) || (number(of) && of_a.iter().any(|of| number(of))))
            .filter(|of| *of != "null")
            .collect();
        common.is_empty()
            || self.values_apart(left)
            || self.turned().values_apart(left)
            || (common == ["object"] && (self.property_apart(left) || self.turned().property_apart(left)))
            || (common == ["array"] && self.items_apart(left))
    }

    fn turned(self) -> Self {
        Self { a: self.b, b: self.a }
    }

    /// No value that the first lists fits the second.
    fn values_apart(self, left: &mut usize) -> bool {
        let listed = |map: &'s Map<String, Value>| map.get("enum").and_then(Value::as_array);
        let Some(all) = listed(self.a) else { return false };
        spend(left, all.len().saturating_mul(listed(self.b).map_or(1, Vec::len)))
            && all.iter().all(|value| value.is_null() || !fits_map(self.b, value, true))
    }

    /// A property that the first requires and the second has not, or has for other values.
    fn property_apart(self, left: &mut usize) -> bool {
        let required = self.a.get("required").and_then(Value::as_array);
        required.into_iter().flatten().filter_map(Value::as_str).any(|name| match property(self.b, name) {
            None => true,
            of_b => Self::of(property(self.a, name), of_b).is_some_and(|pair| pair.apart(left)),
        })
    }

    /// There is an item, and it cannot fit both.
    fn items_apart(self, left: &mut usize) -> bool {
        let some = |map: &Map<String, Value>| map.get("minItems").and_then(Value::as_f64) >= Some(1.0);
        (some(self.a) || some(self.b))
            && Self::of(self.a.get("items"), self.b.get("items")).is_some_and(|pair| pair.apart(left))
    }
}

/// Takes so many comparisons; false where they are not left.
fn spend(left: &mut usize, count: usize) -> bool {
    let enough = *left >= count;
    *left -= if enough { count } else { 0 };
    enough
}

fn field<'b>(back: &'b Back, shown: &str) -> Option<&'b Field> {
    back.fields.iter().find(|field| field.shown == shown)
}

fn accepts_null(map: &Map<String, Value>) -> bool {
    map.get("nullable") == Some(&Value::Bool(true))
        || types(map).any(|of| of == "null")
        || alternatives(map).any(accepts_null)
}

fn types(map: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let (one, many) = match map.get("type") {
        Some(Value::Array(all)) => (None, all.as_slice()),
        one => (one, &[][..]),
    };
    one.into_iter().chain(many).filter_map(Value::as_str)
}

fn alternatives(map: &Map<String, Value>) -> impl Iterator<Item = &Map<String, Value>> {
    map.get("anyOf").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
}

fn properties(map: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    map.get("properties").and_then(Value::as_object).into_iter().flatten()
}

fn property<'s>(map: &'s Map<String, Value>, name: &str) -> Option<&'s Value> {
    map.get("properties")?.get(name)
}
